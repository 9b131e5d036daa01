"""Is anything missing from a list of solutions? Estimates, an independent count and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from .degree import brouwer_degree

Array = np.ndarray

SPECTRUM_LIMIT = 500
"""Largest size at which singular values of solutions are computed."""


def unseen_estimates(hits: Array) -> dict[str, float]:
    """Estimate what independent draws have not shown, from what they showed once and twice.

    Parameters
    ----------
    hits : ndarray of int, shape (m,)
        How often each thing was seen, each at least once.

    Returns
    -------
    dict
        ``seen_once``, ``seen_twice``; ``unseen_estimate``: Chao's bias-corrected number of unseen
        things f1 (f1 - 1) / (2 (f2 + 1)), a lower bound in expectation; ``unseen_probability``:
        Good and Turing's probability f1 / N that the next draw is new (1 without draws).

    Examples
    --------
    >>> unseen_estimates(np.array([1, 1, 1, 2, 5]))["unseen_estimate"]
    1.5
    """
    once = int(np.count_nonzero(hits == 1))
    twice = int(np.count_nonzero(hits == 2))
    total = int(np.sum(hits))
    return {
        "seen_once": once,
        "seen_twice": twice,
        "unseen_estimate": once * (once - 1) / (2 * (twice + 1)),
        "unseen_probability": once / total if total else 1.0,
    }


def regularity_and_sign(jacobian: Any, orbit_dimension: int) -> tuple[float, float]:
    """Return the relative smallest singular value across the orbit, and sign det J."""
    n = jacobian.shape[0]
    if n > SPECTRUM_LIMIT:
        return float("nan"), float("nan")
    dense = jacobian.toarray() if sparse.issparse(jacobian) else jacobian
    values = np.linalg.svd(dense, compute_uv=False)
    across = n - orbit_dimension
    if values[0] == 0:
        return 0.0, 0.0
    sign = 0.0 if orbit_dimension else float(np.linalg.slogdet(dense)[0])
    return (float(values[across - 1] / values[0]) if across else 1.0), sign


def completeness(
    *,
    hits: Array,
    regularity: Array,
    signs: Array,
    residual: Callable[[Array], Array],
    box: tuple[Array, Array],
    has_orbits: bool,
    rank_tolerance: float,
    confirmed: bool,
    random_starts: bool,
    budget: str,
) -> dict[str, Any]:
    """Return the completeness report of a search.

    Parameters
    ----------
    hits, regularity, signs : ndarray of shape (m,)
        Hits, relative smallest singular value, and sign det J of each solution.
    residual : callable
        F at the fixed parameter, for its degree on the boundary of the box.
    box : tuple of ndarray
        Corners.
    has_orbits : bool
        Whether solutions stand for orbits; the degree is then not compared.
    rank_tolerance : float
        Solutions whose `regularity` is below are singular.
    confirmed : bool
        Whether the last round, from fresh starts, found nothing new.
    random_starts : bool
        Whether the starts sample the box.
    budget : str
        The limit that ended the search early, or empty.

    Returns
    -------
    dict
        ``believed_complete``, ``why``, the estimates, ``singular``, ``degree``, ``degree_sum``.
    """
    singular = int(np.count_nonzero(regularity < rank_tolerance))
    degree = None if has_orbits else brouwer_degree(residual, *box)
    comparable = degree is not None and singular == 0 and bool(np.all(np.isfinite(signs)))
    degree_sum = int(np.sum(signs)) if comparable else None
    estimates = unseen_estimates(hits)
    count = len(hits)
    noun = "solution" if count == 1 else "solutions"
    doubts = []
    if budget:
        doubts.append(f"the search stopped at its limit of {budget}")
    elif not random_starts:
        doubts.append("the starts were given, so that the rest of the box was not sampled")
    elif not confirmed:
        doubts.append("fresh starts kept finding more")
    if count == 0:
        doubts.append("no start led to a solution in the box, which does not exclude one")
    if estimates["seen_once"]:
        doubts.append(
            f"{estimates['seen_once']} of the {noun} reached from one start only, so that the next "
            f"start finds a new one with probability {estimates['unseen_probability']:.2g}"
        )
    if singular:
        doubts.append(f"{singular} of the {noun} are singular and may belong to a continuum")
    if comparable and degree != degree_sum:
        doubts.append(
            f"the signs of det J sum to {degree_sum} although the degree of the box is {degree}"
        )
    if doubts:
        why = f"{count} {noun} found; not believed complete: " + "; ".join(doubts) + "."
    else:
        checks = ["deflated Newton from every start and from as many fresh ones found no other"]
        checks.append(f"each was reached from at least {int(np.min(hits))} starts")
        if comparable:
            checks.append(f"the signs of det J sum to the degree {degree} of the box")
        why = f"{count} {noun} found; believed complete: " + "; ".join(checks) + "."
    return {
        "believed_complete": not doubts,
        "why": why,
        "last_round_found_nothing": confirmed,
        **estimates,
        "singular": singular,
        "degree": degree,
        "degree_sum": degree_sum,
    }
