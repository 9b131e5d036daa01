"""The smallest singular triplets of a sparse matrix, and eigenvalues next to zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh, splu

from .bordered_sparse import FactoredJacobian
from .borders import Bordered
from .factors import factorise
from .patterned import PatternedMatrix, pattern_of

Array = np.ndarray
Apply = Callable[[Array], Array]

_GUARDS = 4
"""Vectors that the subspace holds besides those wanted: they set the speed of convergence."""

_FEW_GUARDS = 2
"""The same where few digits are wanted."""

_ROUGH = 1e-2
"""Tolerance from which on that is so."""

_ITERATIONS = 60


def sparse_triplets(
    matrix: Any, count: int, tolerance: float, start: Array | None
) -> tuple[Array, Array, Array, float]:
    """Do what `singular_triplets` does for a large sparse matrix."""
    patterned = pattern_of(matrix)
    largest = _largest_singular_value(patterned)
    found = _by_factors(patterned, count, tolerance, start)
    if found is not None:
        return (*found, largest)
    n, m = matrix.shape
    left = _smallest_left(matrix, count)
    right = _smallest_left(matrix.T, count + m - n)
    values = np.linalg.norm(matrix.T @ left, axis=0)
    order = np.argsort(values)
    return left[:, order], values[order], right, largest


def nearest_eigenvalues(matrix: PatternedMatrix, count: int) -> Array | None:
    """Return the eigenvalues of a symmetric sparse matrix that are nearest to zero, ascending."""
    found = _by_factors(matrix, count, 1e-13, None)
    if found is None:
        return None
    right = found[2][:, :count]
    # Singular vectors of eigenvalues of equal modulus mix; the projected matrix separates them.
    projected = right.T @ (matrix @ right)
    return np.linalg.eigvalsh((projected + projected.T) / 2)


def _by_factors(
    matrix: PatternedMatrix, count: int, tolerance: float, start: Array | None
) -> tuple[Array, Array, Array] | None:
    """Iterate on a subspace with the inverse, or the pseudo-inverse of a wide matrix.

    Each half step is orthonormalised, so that small values are resolved beside tiny ones.

    References
    ----------
    T. F. Chan, Deflated decomposition of solutions of nearly singular systems, SIAM J. Numer. Anal.
    21 (1984), 738-754.
    """
    n, m = matrix.shape
    forward: Apply
    backward: Apply
    null = np.empty((m, 0))
    if m == n:
        factors = factorise(matrix)
        if factors is None:
            return None
        forward, backward = factors.solve, factors.solve_transposed
    else:
        found = _null_vector(matrix)
        if found is None:
            return None
        null = found
        jacobian = FactoredJacobian.of(matrix)
        bordered = Bordered(matrix.inner(), jacobian.column[:, None], null[:-1].T, null[-1:])
        if not bordered.regular:
            return None

        def forward(vectors: Array) -> Array:
            return bordered.solve(np.vstack([vectors, np.zeros(vectors.shape[1])]))

        def backward(vectors: Array) -> Array:
            return bordered.solve_transposed(vectors)[:n]

    width = min(count + (_FEW_GUARDS if tolerance >= _ROUGH else _GUARDS), n)
    basis = np.random.default_rng(0).standard_normal((m, width))
    if start is not None:
        known = start[:, m - n :][:, :width]
        basis[:, : known.shape[1]] = known
        basis[:, known.shape[1] :] *= 0.1 / np.sqrt(m)
    previous = np.full(count, np.inf)
    for iteration in range(_ITERATIONS):
        image = backward(basis)
        if not np.all(np.isfinite(image)):
            return None
        image, _ = np.linalg.qr(image)
        basis = forward(image)
        if not np.all(np.isfinite(basis)):
            return None
        basis, triangle = np.linalg.qr(basis - null @ (null.T @ basis))
        turned, inverse, mixed = np.linalg.svd(triangle)
        with np.errstate(divide="ignore"):
            values = 1.0 / inverse[:count]
        floor = 1e-3 * values[-1]  # tiny values need no digits of their own
        if iteration > 0 and np.all(
            np.abs(values - previous) <= tolerance * np.maximum(values, floor)
        ):
            left, right = image @ mixed[:count].T, basis @ turned
            return left, values, np.hstack([null, right])
        previous = values
    return None


def _null_vector(matrix: PatternedMatrix) -> Array | None:
    """Return the unit vector that a wide matrix annihilates, shape (n + 1, 1)."""
    jacobian = FactoredJacobian.of(matrix)
    if jacobian.factors is None:
        return None
    vector = np.append(-jacobian.factors.solve(jacobian.column), 1.0)
    size = float(np.linalg.norm(vector))
    if not np.isfinite(size):
        return None
    return (vector / size)[:, None]


def _smallest_left(matrix: Any, count: int) -> Array:
    """Return the left singular vectors of the smallest singular values of a sparse matrix.

    Lanczos iteration runs on the inverse of A A' + d, applied through the augmented matrix
    [a I, A'; A, -d/a], whose factorisation does not square the condition number.
    """
    n, m = matrix.shape
    scaled = sparse.csc_array(matrix) / _largest_singular_value(matrix)
    balance, damping = 1e-6, 1e-26
    augmented = sparse.block_array(
        [
            [balance * sparse.eye_array(m), scaled.T],
            [scaled, -(damping / balance) * sparse.eye_array(n)],
        ],
        format="csc",
    )
    factors = splu(augmented)

    def apply(vector: Array) -> Array:
        return -factors.solve(np.concatenate([np.zeros(m), vector.ravel()]))[m:]

    operator = LinearOperator((n, n), matvec=apply, dtype=float)
    start = np.random.default_rng(0).standard_normal(n)
    values, vectors = eigsh(operator, k=count, which="LM", v0=start)
    return vectors[:, np.argsort(-values)]


def _largest_singular_value(matrix: Any) -> float:
    """Return an upper bound of the largest singular value, within a factor of a few."""
    columns = sparse.csc_array(matrix)
    moduli = np.abs(columns.data)
    rows = np.bincount(columns.indices, moduli, minlength=1).max()
    # Sums over stretches, which are wrong where a column is empty: those sum to nothing.
    filled = columns.indptr[:-1][np.diff(columns.indptr) > 0]
    return float(np.sqrt(rows * np.add.reduceat(moduli, filled).max(initial=0.0)))
