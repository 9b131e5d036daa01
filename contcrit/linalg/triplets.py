"""The smallest singular values of a matrix, with their vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kinds import as_dense, is_matrix_free, is_sparse

Array = np.ndarray


def singular_triplets(
    matrix: Any, count: int, *, tolerance: float = 1e-12, start: Array | None = None
) -> tuple[Array, Array, Array, float]:
    """Return the smallest singular values with their vectors, and the largest one.

    Parameters
    ----------
    matrix : (n, m) ndarray or sparse matrix, m in {n, n + 1}
        Of a matrix-free one only the kernel of a wide matrix is computed: the values are nan.
    count : int
        How many of the smallest to return.
    tolerance : float, optional
        Relative change of the values at which the iteration for a sparse matrix ends; the vectors
        are accurate to its root (default 1e-12).
    start : ndarray of shape (m, k), optional
        Vectors to begin that iteration with, such as those of a matrix nearby.

    Returns
    -------
    left : ndarray of shape (n, count)
    values : ndarray of shape (count,), ascending
    right : ndarray of shape (m, k), k >= count + m - n
        Its first m - n columns span what a wide matrix always annihilates; those beyond the first
        count + m - n belong to further values, of a sparse matrix, and are good for a start only.
    largest : float
        Of a sparse matrix an upper bound of the largest singular value, within a few times it.
    """
    n = matrix.shape[0]
    count = min(count, n)
    if is_matrix_free(matrix):
        from .matrix_free import kernel_of_matrix_free

        return kernel_of_matrix_free(matrix, count)
    if n > 50 and is_sparse(matrix):
        from .triplets_sparse import sparse_triplets

        return sparse_triplets(matrix, count, tolerance, start)
    left, values, right = np.linalg.svd(as_dense(matrix))
    order = np.argsort(values)[:count]
    vectors = np.concatenate([right[n:], right[order]])
    return left[:, order], values[order], vectors.T, float(values.max())
