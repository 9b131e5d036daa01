"""How many eigenvalues are negative, zero and positive, where tolerances do not decide it.

Every count is made with a band around the threshold of zero that must hold no eigenvalue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..linalg import is_sparse
from .inertia import Counter, DenseCounter

Array = np.ndarray

DECISION_FACTOR = 100.0
"""An eigenvalue within this factor of the zero threshold, on either side, decides nothing."""

SPECTRUM_LIMIT = 1000
"""Largest size at which the inertia is checked against an eigenvalue solver."""

DENSE_LIMIT = 3000
"""Largest size at which a sparse Hessian is made dense when its sparse factors are refused."""


@dataclass(frozen=True)
class Counts:
    """Numbers of eigenvalues, and the margin of the non-zero ones."""

    negative: int
    zero: int
    positive: int
    margin: float


def count_by_spectrum_and_pivots(
    counter: DenseCounter, threshold: float, evidence: dict[str, Any]
) -> Counts | None:
    """Count by an eigenvalue solver and by L D L^T; None when they or the margin disagree."""
    eigenvalues = np.linalg.eigvalsh(counter.matrix)
    evidence["eigenvalues"] = eigenvalues
    if not band_is_empty(np.abs(eigenvalues), threshold):
        _explain_band(eigenvalues, threshold, evidence)
        return None
    negative = int(np.count_nonzero(eigenvalues < -threshold))
    positive = int(np.count_nonzero(eigenvalues > threshold))
    pivots = counter.below(-threshold), counter.below(threshold)
    if pivots != (negative, counter.size - positive):
        evidence["reason"] = "Two ways of counting eigenvalues disagree."
        evidence["counts"] = {
            "eigenvalues": (negative, counter.size - positive),
            "pivots": pivots,
        }
        return None
    away = np.abs(eigenvalues)[np.abs(eigenvalues) > threshold]
    margin = float(away.min() / counter.scale) if away.size else 0.0
    return Counts(negative, counter.size - negative - positive, positive, margin)


def count_by_pivots(counter: Counter, threshold: float, evidence: dict[str, Any]) -> Counts | None:
    """Count by the pivots at shifts; None when the band is not empty or a factor is refused."""
    shifts = {
        (sign, factor): sign * factor * threshold
        for sign in (-1, 1)
        for factor in (1 / DECISION_FACTOR, 1.0, DECISION_FACTOR)
    }
    found = {key: counter.below(shift) for key, shift in shifts.items()}
    if any(value is None for value in found.values()):
        evidence["reason"] = "A shifted Hessian has no trustworthy symmetric factors."
        return None
    counts = {key: value for key, value in found.items() if value is not None}
    negative, inner = counts[-1, 1.0], counts[1, 1.0]
    if any(len({counts[sign, factor] for factor in (0.01, 1.0, 100.0)}) > 1 for sign in (-1, 1)):
        evidence["reason"] = "An eigenvalue lies too close to the threshold of zero."
        evidence["certain"] = {
            "negative": counts[-1, DECISION_FACTOR],
            "positive": counter.size - counts[1, DECISION_FACTOR],
        }
        return None
    # Equal counts at larger shifts widen the margin; the last one that holds is a proven bound.
    bound = DECISION_FACTOR * threshold
    while bound < counter.scale and negative + counter.size > inner:
        wider = min(4 * bound, counter.scale)
        if (counter.below(-wider), counter.below(wider)) != (negative, inner):
            break
        bound = wider
    evidence["margin_is_bound"] = True
    return Counts(negative, inner - negative, counter.size - inner, bound / counter.scale)


def counter_for(matrix: Any) -> Counter:
    """Return the counter that suits a symmetric matrix."""
    if not is_sparse(matrix):
        return DenseCounter(matrix)
    n = matrix.shape[0]
    if n <= 200:
        return DenseCounter(matrix.toarray())
    from ..linalg import pattern_of, tridiagonal_of
    from .inertia_sparse import SparseCounter, TridiagonalCounter

    patterned = pattern_of(matrix)
    if tridiagonal_of(patterned) is not None:
        return TridiagonalCounter(patterned)
    counter = SparseCounter(matrix)
    if n <= DENSE_LIMIT and counter.below(1e-9 * counter.scale) is None:
        return DenseCounter(matrix.toarray())
    return counter


def band_is_empty(moduli: Array, threshold: float) -> bool:
    """Return whether no modulus lies within the decision factor of the threshold."""
    low, high = threshold / DECISION_FACTOR, threshold * DECISION_FACTOR
    return not bool(np.any((moduli > low) & (moduli < high)))


def _explain_band(eigenvalues: Array, threshold: float, evidence: dict[str, Any]) -> None:
    evidence["reason"] = "An eigenvalue lies too close to the threshold of zero."
    high = threshold * DECISION_FACTOR
    evidence["certain"] = {
        "negative": int(np.count_nonzero(eigenvalues <= -high)),
        "positive": int(np.count_nonzero(eigenvalues >= high)),
    }
