"""Spectra: real parts of eigenvalues, and how many of them are negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kinds import as_dense, is_matrix_free, is_sparse

Array = np.ndarray

DENSE_LIMIT = 1500
"""Largest size at which a dense symmetric matrix's full spectrum is computed."""

SPARSE_LIMIT = 300
"""The same for a sparse one: beyond it, counts come from factors and no spectrum is needed."""

_INDEPENDENT = 1e4
"""Length of the inverse's rows up to which eigenvectors are so independent that it is accurate."""


def real_parts(jacobian: Any, symmetric: bool) -> Array | None:
    """Return the eigenvalues' real parts in ascending order, or None if too many to compute.

    Of a large sparse matrix that is symmetric, or that a diagonal scaling makes so, only the few
    eigenvalues next to zero are computed; the others, whose signs its factors tell, are given as
    infinities of these signs.

    Parameters
    ----------
    jacobian : (n, n) ndarray or sparse matrix
    symmetric : bool
        Whether the matrix is symmetric (then these are the eigenvalues).
    """
    if is_matrix_free(jacobian):
        return None
    n = jacobian.shape[0]
    if n > SPARSE_LIMIT and is_sparse(jacobian):
        from .spectra_sparse import next_to_zero, symmetric_form

        similar = symmetric_form(jacobian, symmetric)
        if similar is not None:
            return next_to_zero(similar)
    limit = DENSE_LIMIT if symmetric else 200
    if n > limit:
        return None
    matrix = as_dense(jacobian)
    if not np.all(np.isfinite(matrix)):
        return None
    if symmetric:
        return np.linalg.eigvalsh(matrix)  # scipy's takes many times as long for a small one
    if n == 1:
        return matrix[0].copy()
    return np.sort(np.linalg.eigvals(matrix).real)


def negative_count(matrix: Any, symmetric: bool) -> int:
    """Return the number of eigenvalues with a negative real part, or -1 if it cannot be had.

    Sparse matrices that are symmetric, or that a diagonal scaling makes so, are counted by the
    pivots of their factors (Sylvester's law of inertia); the rest needs its eigenvalues.
    """
    if is_matrix_free(matrix):
        return -1
    if matrix.shape[0] > 100 and is_sparse(matrix):
        from .spectra_sparse import negative_by_factors, symmetric_form

        similar = symmetric_form(matrix, symmetric)
        if similar is not None:
            return negative_by_factors(similar)
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


def eigenvalues_and_cosines(matrix: Array) -> tuple[Array, Array]:
    """Return the eigenvalues, and the cosines of the angles between left and right eigenvectors.

    Rounding moves a simple eigenvalue by its share of the matrix's norm, over the cosine.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Finite.

    References
    ----------
    J. H. Wilkinson, The Algebraic Eigenvalue Problem, Oxford 1965, chapter 2, section 8.

    Examples
    --------
    >>> import numpy as np
    >>> values, cosines = eigenvalues_and_cosines(np.array([[1.0, 2.0], [0.0, 3.0]]))
    >>> values.real.tolist(), (cosines**2).round(12).tolist()
    ([1.0, 3.0], [0.5, 0.5])
    """
    values, right = np.linalg.eig(matrix)
    try:
        # The left eigenvectors are the rows of the inverse.
        lengths = np.linalg.norm(np.linalg.inv(right), axis=1)
    except np.linalg.LinAlgError:
        lengths = np.full(len(values), np.inf)
    if np.all(lengths <= _INDEPENDENT):
        return values.astype(complex), 1.0 / lengths
    from scipy import linalg  # slow to import

    values, left, right = linalg.eig(matrix, left=True, right=True)
    return values, np.abs(np.sum(left.conj() * right, axis=0))
