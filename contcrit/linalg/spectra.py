"""Spectra: real parts of eigenvalues, and how many of them are negative."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dstebz

from .factors import SparseFactors, TridiagonalFactors, factorise
from .matrix_free import is_matrix_free
from .metric import as_dense
from .patterned import PatternedMatrix, pattern_of
from .symmetrise import symmetrised
from .triplets import nearest_eigenvalues

Array = np.ndarray

DENSE_LIMIT = 1500
"""Largest size at which a dense symmetric matrix's full spectrum is computed."""

SPARSE_LIMIT = 300
"""The same for a sparse one: beyond it, counts come from factors and no spectrum is needed."""

NEAREST = 4
"""Eigenvalues next to zero that are computed of a large sparse matrix."""


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
    if sparse.issparse(jacobian) and n > SPARSE_LIMIT:
        similar = _symmetric_form(jacobian, symmetric)
        if similar is not None:
            return _next_to_zero(similar)
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
    if sparse.issparse(matrix) and matrix.shape[0] > 100:
        similar = _symmetric_form(matrix, symmetric)
        if similar is not None:
            return _sparse_count(similar)
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


def sturm_count(main: Array, beside: Array, shift: float = 0.0) -> int:
    """Return how many eigenvalues of a symmetric tridiagonal matrix lie at or below a shift.

    The count is exact for a matrix whose entries differ by a few units of rounding.

    Parameters
    ----------
    main, beside : ndarray of shape (n,), (n - 1,)
        Diagonal, and what stands beside it.

    References
    ----------
    J. Demmel, I. Dhillon and H. Ren, On the correctness of some bisection-like parallel eigenvalue
    algorithms in floating point arithmetic, ETNA 3 (1995), 116-149.

    Examples
    --------
    >>> import numpy as np
    >>> sturm_count(np.array([2.0, 2.0, 2.0]), np.array([-1.0, -1.0]), 2.5)
    2
    """
    bound = float(np.max(np.abs(main)) + 2.0 * np.max(np.abs(beside), initial=0.0))
    if shift < -bound:
        return 0
    if not bound > 0.0:
        return main.size  # the zero matrix, and a shift that is not negative
    count, _, _, _, info = dstebz(
        main, beside, 1, min(-2.0 * bound, 2.0 * shift), shift, 1, 1, 1e300, b"E"
    )
    return int(count) if info == 0 else -1


def tridiagonal_of(matrix: PatternedMatrix) -> tuple[Array, Array] | None:
    """Return diagonal and subdiagonal of a patterned matrix that is tridiagonal, else None."""
    pattern = matrix.pattern
    if pattern is None or pattern.diagonals is None:
        return None
    lower, main, _ = pattern.diagonals
    return matrix.data[main], matrix.data[lower]


def _sparse_count(matrix: PatternedMatrix) -> int:
    pattern, data = matrix.pattern, matrix.data
    assert pattern is not None
    if not np.isfinite(data.sum()) and not np.all(np.isfinite(data)):
        return -1
    tridiagonal = tridiagonal_of(matrix)
    if tridiagonal is not None:
        kept = factorise(matrix)
        found = kept.negative_of_symmetric() if isinstance(kept, TridiagonalFactors) else None
        return sturm_count(*tridiagonal) if found is None else found
    if pattern.band is None:
        kept = factorise(matrix)
        if isinstance(kept, SparseFactors) and kept.negative is not None:
            return kept.negative
    factors = SparseFactors(data, pattern, 0.0)
    if not factors.regular or factors.negative is None or not _reproduces(factors, matrix):
        return -1
    return factors.negative


def _reproduces(factors: SparseFactors, matrix: PatternedMatrix) -> bool:
    """Tell whether factors with unsafe pivots solve what they should."""
    right = np.random.default_rng(0).standard_normal(matrix.shape[0])
    solution = factors.solve(right)
    error = np.max(np.abs(matrix @ solution - right))
    bound = matrix.largest_row_sum(np.abs(solution)) + np.max(np.abs(right))
    return bool(error <= 1e-9 * bound)


def _symmetric_form(matrix: Any, symmetric: bool) -> PatternedMatrix | None:
    """Return the matrix itself if it is symmetric, or one that it is similar to."""
    patterned = pattern_of(matrix)
    return patterned if symmetric else symmetrised(patterned)


def _next_to_zero(matrix: PatternedMatrix) -> Array | None:
    negative = _sparse_count(matrix)
    if negative < 0:
        return None
    n = matrix.shape[0]
    parts = np.full(n, np.inf)
    parts[:negative] = -np.inf
    tridiagonal = tridiagonal_of(matrix)
    if tridiagonal is not None:
        first, last = max(negative - 1, 0), min(negative, n - 1)
        count, values, _, _, info = dstebz(
            *tridiagonal, 2, 0.0, 0.0, first + 1, last + 1, 0.0, b"E"
        )
        if info != 0 or count != last - first + 1:
            return None
        parts[first : last + 1] = values[:count]
        return parts
    nearest = nearest_eigenvalues(matrix, NEAREST)
    if nearest is None:
        return None
    below, above = nearest[nearest < 0], nearest[nearest >= 0]
    if below.size > negative or above.size > n - negative:
        return None  # the two ways of counting disagree
    parts[negative - below.size : negative] = below
    parts[negative : negative + above.size] = above
    return parts
