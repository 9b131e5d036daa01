"""Jacobians of large matrix equations by their products, with an approximate inverse.

A product with the Jacobian is one directional derivative, of the order of d^3 operations, where the
matrix itself holds d^4 numbers and its factors cost d^6.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.sparse.linalg import LinearOperator

from .matrix_two_sided import TwoSided

if TYPE_CHECKING:
    from .matrix_prepared import PreparedProgram

Array = np.ndarray

# A defect |r - J M r| / |r| beyond which new factors repay their cost in iterations saved, and how
# much worse than fresh factors it must be.
_DEFECT, _WORSE = 0.05, 4.0
# Unknowns up to which the factors, of single precision, are kept (8192^2 x 4 bytes = 268 MB).
_LARGEST = 8192


class MatrixOperator(LinearOperator):
    """The Jacobian of a matrix equation in (unknowns, parameter), shape (n, n + 1).

    Parameters
    ----------
    prepared : PreparedProgram
        Residual, derivative along a direction and derivative in the parameter, at one point.
    identity : TwoSided or ndarray
        All unit directions.
    inverse : ApproximateInverse
        Shared by the operators of nearby points.
    """

    def __init__(
        self, prepared: PreparedProgram, identity: TwoSided | Array, inverse: ApproximateInverse
    ) -> None:
        residual, _, slope = prepared.early()
        self._prepared, self._identity, self._inverse = prepared, identity, inverse
        self._shape = np.shape(residual)
        self.residual = np.array(residual).ravel()
        self._slope = np.array(np.broadcast_to(slope, self._shape)).ravel()
        size = self.residual.size
        super().__init__(np.dtype(float), (size, size + 1))

    @functools.cached_property
    def map(self) -> TwoSided | Array:
        """The derivative in the unknowns as a map of matrices."""
        return self._prepared(self._identity)[1]

    @functools.cached_property
    def preconditioner(self) -> LinearOperator:
        """An approximate inverse of the first n columns, shape (n, n)."""
        return self._inverse.at(self)

    def derivative(self, direction: Array) -> Array:
        """Return the derivative along a direction of the unknowns, both of shape (n,)."""
        value = self._prepared(direction.reshape(self._shape))[1]
        return np.array(np.broadcast_to(value, self._shape)).ravel()

    def precondition(self, vector: Array) -> Array:
        """Return the approximate inverse of the first n columns times a vector."""
        return self.preconditioner.matvec(vector)

    def last_column(self) -> Array:
        """Return the derivative in the parameter, shape (n,)."""
        return self._slope

    def norm_bound(self) -> float:
        """Return an estimate of the norm from one random vector."""
        probe = np.random.default_rng(0).standard_normal(self.shape[1])
        # It sees about 1/sqrt(n + 1) of the largest direction.
        return float(np.linalg.norm(self._matvec(probe)))

    def toarray(self) -> Array:
        """Return the matrix itself."""
        size = self.shape[0]
        result = np.empty((size, size + 1))
        fill(result[:, :size], self.map)
        result[:, size] = self._slope
        return result

    def _matvec(self, vector: Array) -> Array:
        flat = np.ravel(vector)
        return self.derivative(flat[:-1]) + flat[-1] * self._slope

    def _rmatvec(self, vector: Array) -> Array:
        flat = np.ravel(vector)
        if isinstance(self.map, TwoSided):
            inner = self.map.adjoint(flat.reshape(self._shape)).ravel()
        else:
            inner = self.map.reshape(len(self.map), -1) @ flat
        return np.append(inner, self._slope @ flat)

    def __getitem__(self, key: Any) -> Any:
        """Return the square part for ``[:, :-1]``, the last column for ``[:, [n]]``."""
        size = self.shape[0]
        if key == (slice(None), slice(None, -1)):
            return SquareOperator(self)
        if key == (slice(None), [size]):
            return self._slope[:, None]
        raise IndexError("an operator has a square part and a last column only")


class SquareOperator(LinearOperator):
    """The first n columns of a `MatrixOperator`."""

    def __init__(self, whole: MatrixOperator) -> None:
        self._whole = whole
        size = whole.shape[0]
        super().__init__(np.dtype(float), (size, size))

    @property
    def preconditioner(self) -> LinearOperator:
        """An approximate inverse."""
        return self._whole.preconditioner

    def precondition(self, vector: Array) -> Array:
        """Return the approximate inverse times a vector."""
        return self._whole.precondition(vector)

    def _matvec(self, vector: Array) -> Array:
        return self._whole.derivative(np.ravel(vector))

    def _rmatvec(self, vector: Array) -> Array:
        return self._whole.rmatvec(np.ravel(vector))[:-1]


class MapOperator(LinearOperator):
    """A linear map of matrices and one more column, as a matrix of shape (n, n + 1)."""

    def __init__(self, inner: TwoSided, column: Array) -> None:
        self._inner, self._column = inner, column
        super().__init__(np.dtype(float), (column.size, column.size + 1))

    def _matvec(self, vector: Array) -> Array:
        flat = np.ravel(vector)
        direction = flat[:-1].reshape(self._inner.shape[1:])
        return self._inner.apply(direction).ravel() + flat[-1] * self._column

    def _rmatvec(self, vector: Array) -> Array:
        flat = np.ravel(vector)
        inner = self._inner.adjoint(flat.reshape(self._inner.shape[1:]))
        return np.append(inner.ravel(), self._column @ flat)


class ApproximateInverse:
    """Factors of the Jacobian at one point, used nearby until a probe finds them out of date.

    They are of single precision: iteration corrects them, and they cost half.
    """

    def __init__(self) -> None:
        self._factors: tuple[Array, Array] | None = None
        self._fresh = 0.0

    def at(self, jacobian: MatrixOperator) -> LinearOperator:
        """Return the approximate inverse of the first n columns at a point, shape (n, n)."""
        size = jacobian.shape[0]
        if size > _LARGEST:
            return LinearOperator((size, size), matvec=np.array, dtype=float)
        if self._factors is None or self._defect(jacobian) > max(_DEFECT, _WORSE * self._fresh):
            self._factors = _factored(jacobian)
            self._fresh = self._defect(jacobian)
        factors = self._factors
        return LinearOperator(
            (size, size),
            matvec=lambda vector: _solved(factors, np.ravel(vector), 0),
            rmatvec=lambda vector: _solved(factors, np.ravel(vector), 1),
            dtype=float,
        )

    def _defect(self, jacobian: MatrixOperator) -> float:
        assert self._factors is not None
        probe = np.random.default_rng(0).standard_normal(jacobian.shape[0])
        left = probe - jacobian.derivative(_solved(self._factors, probe, 0))
        defect = float(np.linalg.norm(left) / np.linalg.norm(probe))
        return defect if np.isfinite(defect) else np.inf


def fill(out: Array, stack: TwoSided | Array) -> None:
    """Write derivatives along all unit directions as the columns of a matrix."""
    if isinstance(stack, TwoSided):
        stack.fill(out)
    else:
        count = out.shape[1]
        if len(stack) != count:
            stack = np.broadcast_to(stack, (count, *stack.shape[-2:]))
        out[:] = stack.reshape(count, -1).T


def _factored(jacobian: MatrixOperator) -> tuple[Array, Array]:
    size = jacobian.shape[0]
    matrix = np.empty((size, size), dtype=np.float32)
    with np.errstate(over="ignore"):
        # Row-major memory is the transpose to LAPACK: its solves are told so.
        fill(matrix, jacobian.map)
    (getrf,) = get_lapack_funcs(("getrf",), (matrix,))
    lu, pivots, _ = getrf(matrix.T, overwrite_a=True)
    diagonal = np.einsum("ii->i", lu)
    # A singular matrix still yields something to iterate with.
    least = np.finfo(np.float32).eps * np.abs(diagonal).max(initial=1e-30)
    diagonal[np.abs(diagonal) < least] = least
    return lu, pivots


def _solved(factors: tuple[Array, Array], vector: Array, transposed: int) -> Array:
    (getrs,) = get_lapack_funcs(("getrs",), (factors[0],))
    scale = float(np.abs(vector).max(initial=0.0))
    if not scale > 0.0 or not np.isfinite(scale):
        return np.array(vector)
    right = (vector / scale).astype(np.float32)
    return getrs(*factors, right, trans=1 - transposed)[0].astype(float) * scale
