"""Spectra of sparse matrices: signs counted by factors, and the eigenvalues next to zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.lapack import dstebz

from .factors import SparseFactors, TridiagonalFactors, factorise
from .patterned import PatternedMatrix, pattern_of
from .symmetrise import symmetrised
from .triplets_sparse import nearest_eigenvalues

Array = np.ndarray

NEAREST = 4
"""Eigenvalues next to zero that are computed of a large sparse matrix."""


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


def negative_by_factors(matrix: PatternedMatrix) -> int:
    """Return how many eigenvalues of a symmetric matrix are negative, -1 if it cannot be had."""
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


def symmetric_form(matrix: Any, symmetric: bool) -> PatternedMatrix | None:
    """Return the matrix itself if it is symmetric, or one that it is similar to."""
    patterned = pattern_of(matrix)
    return patterned if symmetric else symmetrised(patterned)


def next_to_zero(matrix: PatternedMatrix) -> Array | None:
    """Return the few eigenvalues of a symmetric matrix next to zero, the others as infinities."""
    negative = negative_by_factors(matrix)
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
