"""Linear maps of matrices, kept as sums of two-sided products.

The derivative of a matrix equation maps a direction H to a sum of terms ``A H B`` and ``C H^T D``.
Kept like this, products with matrices cost next to nothing, whatever the number of directions; the
whole Jacobian is formed at the end by two products of thin matrices.

References
----------
.. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008, sections 10.2 and B.13.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

Array = np.ndarray
Terms = tuple[Array, Array]


class TwoSided(NDArrayOperatorsMixin):
    """The map H -> sum_k A_k H B_k + sum_k C_k H^T D_k.

    It stands in matrix programs for the stack of its values at all unit directions, shape
    (m, rows, columns), and turns into that stack where an operation needs the numbers.

    Parameters
    ----------
    direct : tuple of ndarray
        The A_k, shape (p, rows, r), and the B_k, shape (p, c, columns), for H of shape (r, c).
    mirrored : tuple of ndarray
        The C_k, shape (q, rows, c), and the D_k, shape (q, r, columns).

    Examples
    --------
    >>> unit = TwoSided.identity(2, 2)
    >>> shifted = (unit + unit.swapaxes(-1, -2)).left(np.array([[0.0, 1.0], [0.0, 0.0]]))
    >>> shifted.apply(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[5., 8.],
           [0., 0.]])
    """

    ndim = 3

    def __init__(self, direct: Terms, mirrored: Terms) -> None:
        self.direct, self.mirrored = direct, mirrored

    @classmethod
    def identity(cls, rows: int, columns: int) -> TwoSided:
        """Return the map H -> H."""
        none = np.zeros((0, rows, columns)), np.zeros((0, rows, columns))
        return cls((np.eye(rows)[None], np.eye(columns)[None]), none)

    @property
    def length(self) -> int:
        """Number of terms."""
        return len(self.direct[0]) + len(self.mirrored[0])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the stack of values: number of unit directions, rows, columns."""
        a, b = self.direct
        return a.shape[2] * b.shape[1], a.shape[1], b.shape[2]

    def apply(self, direction: Array) -> Array:
        """Return the value at one direction."""
        return _summed(*self.direct, direction) + _summed(*self.mirrored, direction.T)

    def adjoint(self, value: Array) -> Array:
        """Return the direction H that the transposed map gives for a value."""
        (a, b), (c, d) = self.direct, self.mirrored
        return _summed(_turned(a), _turned(b), value) + _summed(d, c, value.T)

    def left(self, matrix: Array) -> TwoSided:
        """Return H -> matrix times the value."""
        (a, b), (c, d) = self.direct, self.mirrored
        return TwoSided((matrix @ a, b), (matrix @ c, d))

    def right(self, matrix: Array) -> TwoSided:
        """Return H -> the value times matrix."""
        (a, b), (c, d) = self.direct, self.mirrored
        return TwoSided((a, b @ matrix), (c, d @ matrix))

    def swapaxes(self, *_: int) -> TwoSided:
        """Return H -> the transpose of the value."""
        (a, b), (c, d) = self.direct, self.mirrored
        return TwoSided((_turned(d), _turned(c)), (_turned(b), _turned(a)))

    def scaled(self, factor: Any) -> TwoSided:
        """Return H -> factor times the value."""
        (a, b), (c, d) = self.direct, self.mirrored
        return TwoSided((factor * a, b), (factor * c, d))

    def between(self, left: Array, right: Array) -> TwoSided:
        """Return H -> sum_k left_k (the value) right_k, for stacks of matrices (q, d, d)."""
        return TwoSided(*(_composed(left, right, *terms) for terms in (self.direct, self.mirrored)))

    def plus(self, other: TwoSided) -> TwoSided:
        """Return H -> the sum of the values of two maps."""
        pairs = (self.direct, other.direct), (self.mirrored, other.mirrored)
        return TwoSided(*(_joined(*pair) for pair in pairs))

    def array(self) -> Array:
        """Return the values at all unit directions, shape (m, rows, columns)."""
        count, rows, columns = self.shape
        return self.columns().T.reshape(count, rows, columns)

    def columns(self) -> Array:
        """Return the matrix of the map on row-major vectors, shape (rows columns, m)."""
        count, rows, columns = self.shape
        result = np.empty((rows * columns, count), dtype=self.dtype)
        self.fill(result)
        return result

    def fill(self, out: Array) -> None:
        """Write the matrix of the map into `out`, whose rows may lie apart."""
        (a, b), (c, d) = self.direct, self.mirrored
        # Splitting axes never copies. Entry [i, j, r, s]: value entry (i, j), direction (r, s).
        parts = out.reshape(a.shape[1], b.shape[2], a.shape[2], b.shape[1])
        direct = _outer(a, b).transpose(0, 3, 1, 2)
        if len(c):
            np.add(direct, _outer(c, d).transpose(0, 3, 2, 1), out=parts)
        else:
            parts[...] = direct

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return np.result_type(*self.direct, *self.mirrored)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array() if dtype is None else self.array().astype(dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:
            one, other = inputs[0], inputs[-1]
            both = isinstance(one, TwoSided) and isinstance(other, TwoSided)
            if ufunc is np.negative:
                return self.scaled(-1.0)
            if ufunc in (np.add, np.subtract) and not both and not np.any(_plain(one, other)):
                return self if ufunc is np.add or one is self else self.scaled(-1.0)
            if ufunc is np.add and both:
                return one.plus(other)
            if ufunc is np.subtract and both:
                return one.plus(other.scaled(-1.0))
            if ufunc is np.multiply and np.ndim(one) == 0:
                return other.scaled(one)
            if ufunc is np.multiply and np.ndim(other) == 0:
                return one.scaled(other)
        plain = [x.array() if isinstance(x, TwoSided) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **options)


def _plain(one: Any, other: Any) -> Any:
    return other if isinstance(one, TwoSided) else one


def _outer(left: Array, right: Array) -> Array:
    """Return sum over k of left[k, i, r] right[k, s, j], in the order i, r, s, j."""
    thin = left.reshape(len(left), math.prod(left.shape[1:]))
    flat = thin.T @ right.reshape(len(right), math.prod(right.shape[1:]))
    return flat.reshape(*left.shape[1:], *right.shape[1:])


def _summed(left: Array, right: Array, direction: Array) -> Array:
    """Return sum_k left_k direction right_k by two products of long matrices."""
    count, rows, inner = left.shape
    columns = direction.shape[1]
    moved = (left.reshape(count * rows, inner) @ direction).reshape(count, rows, columns)
    moved = moved.transpose(1, 0, 2).reshape(rows, count * columns)
    return moved @ right.reshape(count * columns, right.shape[2])


def _turned(stack: Array) -> Array:
    return stack.swapaxes(-1, -2)


def _joined(one: Terms, other: Terms) -> Terms:
    if not len(one[0]) or not len(other[0]):
        return one if len(one[0]) else other
    return np.concatenate((one[0], other[0])), np.concatenate((one[1], other[1]))


def _composed(outer_left: Array, outer_right: Array, left: Array, right: Array) -> Terms:
    rows, columns = outer_left.shape[1], outer_right.shape[2]
    new_left = (outer_left[:, None] @ left).reshape(-1, rows, left.shape[2])
    return new_left, (right @ outer_right[:, None]).reshape(-1, right.shape[1], columns)
