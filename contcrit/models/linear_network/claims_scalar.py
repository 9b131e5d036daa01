"""Claims about one dimension: Remark 4."""

from __future__ import annotations

import numpy as np

from ...contraction.claims import Claim, Outcome
from .claims_instances import (
    Case,
    solved,
)
from .theory import LinearNetwork


def scalar_solutions(R: float, strength: float) -> tuple[int, float]:
    """Count the solutions x = T c of strength x = e^x (R - e^x), with strength = lam / (T Sigma0).

    Returns
    -------
    count : int
        Sign changes of the difference between 0 and log R, where all solutions lie.
    margin : float
        How close a further zero is: the least modulus at a turning point of the difference.
    """
    x = np.linspace(0.0, np.log(R), 20_001)
    values = strength * x - np.exp(x) * (R - np.exp(x))
    turning = np.flatnonzero(np.diff(np.sign(np.diff(values)))) + 1
    scale = 1.0 + float(np.max(np.abs(values)))
    margin = float(np.min(np.abs(values[turning]), initial=np.inf)) / scale
    return int(np.sum(values[:-1] * values[1:] < 0)), margin


THRESHOLD = 4.0 * float(np.exp(1.5))
"""R up to which one dimension has one solution for every lam."""


def _unique(case: Case) -> Outcome:
    R, strength = case["share"] * THRESHOLD, case["strength"]
    if abs(R - 1.0) < 1e-3:
        return Outcome(None, detail="R = 1")
    count, margin = scalar_solutions(R, strength) if R > 1 else (1, np.inf)
    if margin < 1e-6:
        return Outcome(None, margin, "close to a turning point")
    return Outcome(count == 1, detail=f"{count} solutions for R = {R:.6g}, lam = {strength:.5g}")


def _three_in_a_window(case: Case) -> Outcome:
    """Look for a lam with three solutions at the two turning points of h(x) = e^x (R - e^x) / x."""
    R = case["share"] * THRESHOLD
    x = np.linspace(1.0, np.log(R), 4001)[1:-1]
    h = np.exp(x) * (R - np.exp(x)) / x
    turns = np.flatnonzero(np.diff(np.sign(np.diff(h)))) + 1
    if abs(case["share"] - 1.0) < 0.02:
        return Outcome(None, detail="close to the threshold")
    if case["share"] < 1.0:
        return Outcome(len(turns) == 0, detail=f"{len(turns)} turning points for R = {R:.4g}")
    if len(turns) != 2:
        return Outcome(False, detail=f"{len(turns)} turning points for R = {R:.4g}")
    middle = float(np.mean(h[turns]))
    counts = [
        scalar_solutions(R, at)[0] for at in (0.5 * h[turns].min(), middle, 2 * h[turns].max())
    ]
    detail = f"{counts} solutions below, in and above the window for R = {R:.4g}"
    return Outcome(counts == [1, 3, 1], detail=detail)


def _scalar_limit(case: Case) -> Outcome:
    R, T, strength = case["R"], case["T"], 1e-6
    if abs(R - 1.0) < 0.05:
        return Outcome(None, detail="R = 1")
    network = LinearNetwork(np.array([[R]]), np.eye(1), T)
    count = scalar_solutions(R, strength)[0] if R > 1 else 1
    found = solved(network, strength * T, np.array([[np.log(R) / T]]))
    if found is None:
        return Outcome(None, detail="no solution found")
    gap = abs(float(found[0, 0]) - np.log(R) / T)
    bound = 2.0 * strength * abs(np.log(R)) / (R * R * T)
    return Outcome(
        bool(count == 1 and gap <= bound + 1e-12), detail=f"{count} solution, off by {gap:.2g}"
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="scalar-limit",
        statement="In one dimension the critical point is unique as lam goes to 0, and tends to "
        "log(R) / T.",
        reference="Remark 4",
        holds_in="R from 0.2 to 100, lam / T = 1e-6",
        check=_scalar_limit,
        instance=lambda draw: {"R": draw.real(0.2, 100.0), "T": draw.real(0.4, 2.0)},
    ),
    Claim(
        key="scalar-unique",
        statement="In one dimension the critical point is unique for every lam > 0.",
        reference="Remark 4",
        holds_in="any R > 0",
        check=_unique,
        verdict="false",
        counterexample={"share": 1.5, "strength": 69.0},
        note="Remark 4 read for positive lam; it speaks of the limit.",
        correction=Claim(
            key="scalar-threshold",
            statement="In one dimension the critical point is unique for every lam exactly if R <= "
            "4 e^{3/2}; beyond there are three in a window of lam.",
            reference="Remark 4",
            holds_in="R from 0.2 to 4 times the threshold",
            check=_three_in_a_window,
            instance=lambda draw: {"share": draw.real(0.2, 4.0)},
        ),
    ),
    Claim(
        key="scalar-below-threshold",
        statement="In one dimension the critical point is unique for R up to 4 e^{3/2}.",
        reference="Remark 4",
        holds_in="lam / T from 0.01 to 1000",
        check=_unique,
        instance=lambda draw: {
            "share": draw.real(0.01, 1.0),
            "strength": 10.0 ** draw.real(-2.0, 3.0),
        },
    ),
)
"""Claims about one dimension."""
