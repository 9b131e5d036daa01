"""Is anything missing from a list of solutions? Estimates, an independent count and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..linalg import as_dense
from .degree import brouwer_degree

Array = np.ndarray

SPECTRUM_LIMIT = 500
"""Largest size at which singular values of solutions are computed."""


def unseen_estimates(hits: Array) -> dict[str, float]:
    """Estimate what independent draws have not shown, from what they showed once and twice.

    Parameters
    ----------
    hits : ndarray of int, shape (m,)
        How often each thing was seen; zeros are left out.

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


def regularity_and_sign(
    jacobian: Callable[[Array], Any], x: Array, orbit_dimension: int
) -> tuple[float, float]:
    """Return how far a solution is from being singular, and sign det J.

    Parameters
    ----------
    jacobian : callable
        J, from shape (n,) to (n, n), dense or sparse.
    x : ndarray of shape (n,)
        The solution.
    orbit_dimension : int
        Dimension of the group orbit that J is singular along anyway.

    Returns
    -------
    regularity : float
        Distance along the weakest direction v, relative to 1 + max|x| and at most 1, over which
        J v changes by as much as |J v| is: about the distance to the next solution or fold.
        Scaling the equations does not change it. 0 if J v vanishes to rounding, nan for n > 500.
    sign : float
        0 on orbits, nan for n > 500.
    """
    n = len(x)
    if n > SPECTRUM_LIMIT:
        return float("nan"), float("nan")
    across = n - orbit_dimension
    if across == 0:
        return 1.0, 0.0
    here = as_dense(jacobian(x))
    _, values, right = np.linalg.svd(here)
    sign = 0.0 if orbit_dimension else float(np.linalg.slogdet(here)[0])
    weakest, direction = float(values[across - 1]), right[across - 1]
    size = 1.0 + float(np.max(np.abs(x)))
    step = 1e-4 * size
    with np.errstate(all="ignore"):
        sides = [as_dense(jacobian(x + side * step * direction)) for side in (-1.0, 1.0)]
    changes = [float(np.linalg.norm((side - here) @ direction)) for side in sides]
    change = max((value for value in changes if np.isfinite(value)), default=np.inf)
    if weakest <= 1e-14 * float(values[0]):
        return 0.0, sign
    return float(min(1.0, weakest * step / max(change * size, 1e-300))), sign


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
        Hits (0 for what no sampled start reached), regularity (see `regularity_and_sign`) and sign
        det J of each solution.
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
    unreached = int(np.count_nonzero(hits == 0))
    if unreached:
        doubts.append(f"{unreached} of the {noun} found between others only, and from no start")
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
