"""Jacobians known by their products only: bordered solves by preconditioned GMRES."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

Array = np.ndarray

_TOLERANCE = 1e-12
_ACCEPTED = 1e-8
_RESTART, _CYCLES = 40, 20


class MatrixFree(LinearOperator):
    """A Jacobian of shape (n, n + 1), or its square part (n, n), given by its products.

    There is no determinant and no inertia: along a branch of such a system folds and user events
    are found, branch points and changes of stability are not.

    Parameters
    ----------
    operator : LinearOperator or callable
        The product J u with vectors u of shape (m,).
    shape : tuple of int, optional
        (n, m); needed for a callable.
    preconditioner : LinearOperator or callable, optional
        Approximate inverse of the first n columns; other operators may bring theirs as a method
        `precondition`.
    norm : float, optional
        A bound of the norm, for the rounding level (default: estimated by one product).

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.linalg import MatrixFree, solve_bordered
    >>> jacobian = MatrixFree(lambda u: np.array([2 * u[0] + u[1]]), (1, 2))
    >>> solve_bordered(jacobian, np.array([0.0, 1.0]), np.array([5.0, 1.0]))[0].round(12).tolist()
    [2.0, 1.0]
    """

    def __init__(
        self,
        operator: Any,
        shape: tuple[int, int] | None = None,
        preconditioner: Any = None,
        norm: float | None = None,
    ) -> None:
        super().__init__(float, operator.shape if shape is None else shape)
        self._product = operator if callable(operator) else operator.matvec
        if isinstance(operator, LinearOperator):
            self._product = operator.matvec
        self._inverse = preconditioner
        self._norm = norm

    def _matvec(self, vector: Array) -> Array:
        return np.asarray(self._product(np.ravel(vector)), dtype=float).ravel()

    def __getitem__(self, key: Any) -> Any:
        """Return the square part for ``[:, :-1]``, the last column for ``[:, [n]]``."""
        size = self.shape[0]
        if key == (slice(None), slice(None, -1)):
            return MatrixFree(
                lambda x: self._matvec(np.append(x, 0.0)),
                (size, size),
                self._inverse,
                self._norm,
            )
        if key == (slice(None), [size]):
            return self.last_column()[:, None]
        raise IndexError("a matrix-free Jacobian has a square part and a last column only")

    def last_column(self) -> Array:
        """Return column n."""
        unit = np.zeros(self.shape[1])
        unit[-1] = 1.0
        return self._matvec(unit)

    def precondition(self, vector: Array) -> Array:
        """Return the approximate inverse of the square part times a vector."""
        if self._inverse is None:
            return vector
        apply = self._inverse.matvec if hasattr(self._inverse, "matvec") else self._inverse
        return np.asarray(apply(vector), dtype=float).ravel()

    def norm_bound(self) -> float:
        """Return the norm given, or an estimate by a few power steps of one random vector."""
        if self._norm is None:
            start = np.random.default_rng(0).standard_normal(self.shape[1])
            image = self._matvec(start / np.linalg.norm(start))
            # A random unit vector sees about 1/sqrt(m) of the largest direction.
            self._norm = float(np.linalg.norm(image) * np.sqrt(self.shape[1]))
        return self._norm


def solve_matrix_free(jacobian: Any, row: Array, right: Array) -> Array:
    """Solve [J; row] u = right by GMRES; not finite when it does not converge.

    The preconditioner is the bordered one: the square part's, with the border eliminated.
    """
    operator = jacobian
    if not isinstance(jacobian, MatrixFree):
        operator = MatrixFree(jacobian, preconditioner=getattr(jacobian, "precondition", None))
    size = operator.shape[0]
    column = operator.last_column()
    eliminated = operator.precondition(column)
    pivot = float(row[-1] - row[:-1] @ eliminated)
    plain = not np.isfinite(pivot) or abs(pivot) < 1e-12 * np.linalg.norm(row)

    def product(vector: Array) -> Array:
        flat = np.ravel(vector)
        return np.append(operator.matvec(flat), row @ flat)

    def inverse(vector: Array) -> Array:
        flat = np.ravel(vector)
        found = operator.precondition(flat[:-1])
        if plain:
            return np.append(found, flat[-1])
        share = (flat[-1] - row[:-1] @ found) / pivot
        return np.append(found - share * eliminated, share)

    shape = (size + 1, size + 1)
    scale = float(np.linalg.norm(right))
    if scale == 0.0:
        return np.zeros(size + 1)
    matrix = LinearOperator(shape, matvec=product, dtype=float)
    approximate = LinearOperator(shape, matvec=inverse, dtype=float)
    solution, previous = np.zeros(size + 1), np.inf
    for _ in range(_CYCLES):
        solution, _ = gmres(
            matrix,
            right,
            x0=solution,
            M=approximate,
            rtol=_TOLERANCE,
            restart=min(_RESTART, size + 1),
            maxiter=1,
        )
        error = float(np.linalg.norm(product(solution) - right)) / scale
        # What rounding leaves is reached when a cycle no longer helps.
        if not error < 0.5 * previous or error <= _TOLERANCE:
            break
        previous = error
    if not error <= _ACCEPTED:
        return np.full(size + 1, np.nan)
    return np.asarray(solution)


def kernel_of_matrix_free(matrix: Any, count: int) -> tuple[Array, Array, Array, float]:
    """Do what `singular_triplets` does for products only: of a wide matrix its null vector."""
    n, m = matrix.shape
    right = np.full((m, count + m - n), np.nan)
    if m > n:
        generator = np.random.default_rng(0)
        row = generator.standard_normal(m)
        kernel = solve_matrix_free(matrix, row, np.append(np.zeros(n), np.linalg.norm(row)))
        right[:, 0] = kernel / np.linalg.norm(kernel)
    unknown = np.full(count, np.nan)
    return np.full((n, count), np.nan), unknown, right, float("nan")
