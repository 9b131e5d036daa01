"""Linear algebra of the engine: the weighted metric, bordered solves, kernels and spectra.

Everything here takes a dense ndarray or a `scipy.sparse` matrix and says no word about problems.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.linalg.lapack import dgetrf, dgetrs
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh, splu

Array = np.ndarray

DENSE_LIMIT = 1500
"""Largest size at which a sparse matrix is made dense for a full spectrum."""


def metric_weights(size: int, theta: float, multipliers: int = 0) -> Array:
    """Return the weights of the metric theta/n <x, x> + (1 - theta) p p.

    Parameters
    ----------
    size : int
        Number n of unknowns, multipliers included.
    theta : float
        Weight of the unknowns against the parameter.
    multipliers : int
        Trailing unknowns that are multipliers; they count like unknowns.

    Returns
    -------
    ndarray of shape (n + 1,)
    """
    weights = np.full(size + 1, theta / max(size - multipliers, 1))
    weights[-1] = 1.0 - theta
    return weights


def solve_bordered_dense(jacobian: Array, row: Array, right: Array) -> tuple[Array, float, float]:
    """Solve [J; row] u = right by LU; return u, the determinant's sign and its log modulus.

    Parameters
    ----------
    jacobian : ndarray of shape (n, n + 1)
    row : ndarray of shape (n + 1,)
    right : ndarray of shape (n + 1,) or (n + 1, k)

    Returns
    -------
    solution : ndarray
        Not finite when the matrix is exactly singular.
    sign, log_modulus : float
        Of the determinant; (0, -inf) when it is exactly singular.
    """
    n = jacobian.shape[0]
    matrix = np.empty((n + 1, n + 1), order="F")
    matrix[:n] = jacobian
    matrix[n] = row
    factors, pivots, info = dgetrf(matrix, overwrite_a=1)
    diagonal = factors.diagonal()
    # Subnormal pivots may be flushed to zero without a word of LAPACK's.
    if info != 0 or np.any(diagonal == 0):
        return np.full_like(right, np.nan), 0.0, -np.inf
    solution, _ = dgetrs(factors, pivots, right)
    swaps = np.count_nonzero(pivots != np.arange(n + 1))
    negative = np.count_nonzero(diagonal < 0)
    sign = -1.0 if (swaps + negative) % 2 else 1.0
    return solution, sign, float(np.log(np.abs(diagonal)).sum())


def solve_bordered_sparse(jacobian: Any, row: Array, right: Array) -> tuple[Array, float, float]:
    """Do what `solve_bordered_dense` does for a sparse Jacobian, by SuperLU."""
    n = jacobian.shape[0]
    matrix = sparse.vstack([jacobian, sparse.csr_array(row[None, :])], format="csc")
    try:
        factors = splu(matrix)
    except RuntimeError:  # SuperLU's word for an exactly singular factor
        return np.full_like(right, np.nan), 0.0, -np.inf
    diagonal = factors.U.diagonal()
    parity = permutation_sign(factors.perm_r) * permutation_sign(factors.perm_c)
    sign = parity * (-1.0 if np.count_nonzero(diagonal < 0) % 2 else 1.0)
    if diagonal.size < n + 1 or np.any(diagonal == 0):
        return np.full_like(right, np.nan), 0.0, -np.inf
    return factors.solve(right), sign, float(np.log(np.abs(diagonal)).sum())


def solve_bordered(jacobian: Any, row: Array, right: Array) -> tuple[Array, float, float]:
    """Solve [J; row] u = right for a dense or sparse J; see `solve_bordered_dense`."""
    if sparse.issparse(jacobian):
        return solve_bordered_sparse(jacobian, row, right)
    return solve_bordered_dense(jacobian, row, right)


def permutation_sign(permutation: Array) -> float:
    """Return +1 for an even permutation and -1 for an odd one."""
    size = len(permutation)
    links = sparse.csr_array((np.ones(size), (np.arange(size), permutation)), shape=(size, size))
    cycles, _ = connected_components(links, directed=False)
    return -1.0 if (size - cycles) % 2 else 1.0


def rounding_level(jacobian: Any, z: Array) -> float:
    """Return how large a residual rounding alone may leave: eps max_i sum_j |J_ij| |z_j|."""
    return float(np.finfo(float).eps * np.max(abs(jacobian) @ np.abs(z), initial=0.0))


def as_dense(matrix: Any) -> Array:
    """Return a matrix as an ndarray."""
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def real_parts(jacobian: Any, symmetric: bool) -> Array | None:
    """Return the eigenvalues' real parts in ascending order, or None if too many to compute.

    Parameters
    ----------
    jacobian : (n, n) ndarray or sparse matrix
    symmetric : bool
        Whether the matrix is symmetric (then these are the eigenvalues).
    """
    n = jacobian.shape[0]
    limit = DENSE_LIMIT if symmetric else 200
    if n > limit:
        return None
    matrix = as_dense(jacobian)
    if not np.all(np.isfinite(matrix)):
        return None
    if symmetric:
        return linalg.eigvalsh(matrix, check_finite=False)
    if n == 1:
        return matrix[0].copy()
    return np.sort(linalg.eigvals(matrix, check_finite=False).real)


def negative_count(matrix: Any, symmetric: bool) -> int:
    """Return the number of eigenvalues with a negative real part, or -1 if it cannot be had.

    Sparse symmetric matrices are factored with diagonal pivots, whose signs are the inertia
    (Sylvester); other matrices need their eigenvalues.
    """
    if symmetric and sparse.issparse(matrix) and matrix.shape[0] > 100:
        try:
            factors = splu(
                sparse.csc_array(matrix),
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
        except RuntimeError:  # SuperLU's word for an exactly singular factor
            return -1
        if not np.array_equal(factors.perm_r, factors.perm_c):
            return -1
        return int(np.count_nonzero(factors.U.diagonal() < 0))
    parts = real_parts(matrix, symmetric)
    return -1 if parts is None else int(np.count_nonzero(parts < 0))


def negative_counts(matrices: Array, symmetric: bool) -> Array:
    """Return `negative_count` of every matrix of a stack (m, n, n), small ones all at once."""
    size = matrices.shape[-1]
    if size > 30 or not np.all(np.isfinite(matrices)):
        return np.array([negative_count(matrix, symmetric) for matrix in matrices], dtype=np.int64)
    if size == 1:
        return np.count_nonzero(matrices[:, 0] < 0, axis=-1)
    values = np.linalg.eigvalsh(matrices) if symmetric else np.linalg.eigvals(matrices).real
    return np.count_nonzero(values < 0, axis=-1)


def singular_triplets(matrix: Any, count: int) -> tuple[Array, Array, Array, float]:
    """Return the smallest singular values with their vectors, and the largest one.

    Parameters
    ----------
    matrix : (n, m) ndarray or sparse matrix, m in {n, n + 1}
    count : int
        How many of the smallest to return.

    Returns
    -------
    left : ndarray of shape (n, count)
    values : ndarray of shape (count,), ascending
    right : ndarray of shape (m, count + m - n)
        Its first m - n columns span what a wide matrix always annihilates.
    largest : float
    """
    n, m = matrix.shape
    count = min(count, n)
    extra = m - n
    if not sparse.issparse(matrix) or n <= 50:
        left, values, right = linalg.svd(as_dense(matrix))
        order = np.argsort(values)[:count]
        vectors = np.concatenate([right[n:], right[order]])
        return left[:, order], values[order], vectors.T, float(values.max())
    left = _smallest_left(matrix, count)
    right = _smallest_left(matrix.T, count + extra)
    values = np.linalg.norm(matrix.T @ left, axis=0)
    order = np.argsort(values)
    return left[:, order], values[order], right, _largest_singular_value(matrix)


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
    rows, columns = abs(matrix).sum(axis=1).max(), abs(matrix).sum(axis=0).max()
    return float(np.sqrt(rows * columns))
