"""Stability of large sparse systems whose Jacobian has real eigenvalues, by counting them.

No spectrum is computed: shifted factors tell how many eigenvalues lie on either side.
"""

from __future__ import annotations

from typing import Any

from ..linalg import is_sparse
from .arguments import row_sum_norm
from .counts import Counts, count_by_pivots, counter_for
from .record import Criticality

SPARSE_LIMIT = 300
"""Size up to which a sparse Jacobian's full spectrum is computed instead."""

FINE_TOLERANCE = 1e-12
"""The tolerance where the given one decides nothing; a hundredth of it still exceeds rounding."""


def classify_by_counts(matrix: Any, kind: str, tolerance: float) -> Criticality | None:
    """Return what counts of real eigenvalues say of a Jacobian, or None if they do not apply.

    They apply to large sparse Jacobians that are symmetric, or that a diagonal scaling makes so,
    of flows and of equations.

    Parameters
    ----------
    matrix : (n, n) ndarray or scipy.sparse matrix
    kind : {"flow", "map", "equation"}
    tolerance : float
        Share of the largest modulus below which an eigenvalue counts as zero.
    """
    if not is_sparse(matrix) or matrix.shape[0] <= SPARSE_LIMIT or kind == "map":
        return None
    from scipy import sparse

    from ..linalg import pattern_of, symmetrised

    asymmetry = row_sum_norm(matrix - matrix.T)
    if asymmetry <= 1e-14 * row_sum_norm(matrix):
        similar: Any = (matrix + matrix.T) / 2
    else:
        similar = symmetrised(pattern_of(matrix))
        if similar is None:
            return None
    counter = counter_for(sparse.csc_array(similar))
    evidence: dict[str, Any] = {
        "reason": "The equations are not the gradient of a stated function.",
        "singular": None,
        "stability": None,
        "unstable_dimension": None,
        "stable_dimension": None,
        "margin": 0.0,
    }
    noted: dict[str, Any] = {}
    counts = Counts(0, counter.size, 0, 0.0) if counter.scale == 0 else None
    # A discretised operator's spectrum is so wide that its smallest values look like zeros; the
    # counts themselves are right to rounding, and an empty band further in decides as well.
    for share in (tolerance, min(tolerance, FINE_TOLERANCE)):
        if counts is None:
            noted = {}
            counts = count_by_pivots(counter, share * counter.scale, noted)
            evidence["threshold"] = share * counter.scale
    if counts is None:
        certain = noted.get("certain", {})
        if kind == "flow":
            evidence["stability"] = "unstable" if certain.get("positive", 0) else "undecided"
        evidence["uncertain"] = noted["reason"]
        return Criticality(kind="undecided", evidence=evidence)
    evidence["singular"] = counts.zero > 0
    evidence["margin"] = counts.margin * counter.scale
    if kind == "flow":
        evidence["unstable_dimension"] = counts.positive if counts.zero == 0 else None
        evidence["stable_dimension"] = counts.negative if counts.zero == 0 else None
        if counts.positive:
            evidence["stability"] = "unstable"
        else:
            evidence["stability"] = "undecided" if counts.zero else "stable"
    return Criticality(kind="undecided", nullity=counts.zero, evidence=evidence)
