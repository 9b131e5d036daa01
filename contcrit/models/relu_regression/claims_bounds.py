"""Claims about the bounds on lam below which the pattern stays: equations 17, 27, 32 and 33."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    Case,
    data_of,
    keeps_pattern,
    reference,
    regression,
    regular,
)
from .theory import bound_17, bound_27, bound_33, slope, solution

_BOUNDS = {
    "17": bound_17,
    "27 as printed": lambda data: bound_27(data, all_rows=False),
    "27": lambda data: bound_27(data, all_rows=True),
    "33 as printed": lambda data: bound_33(data, all_rows=False),
    "33": lambda data: bound_33(data, all_rows=True),
}


def _suffices(case: Case) -> Outcome:
    """Check that the solution at a share of the bound has the teacher's pattern."""
    data = data_of(case)
    if not regular(data):
        return Outcome(None, detail="close to singular, or w* close to a kink")
    bound = _BOUNDS[case["bound"]](data)
    lam = case["share"] * min(bound, 100.0)
    kept = keeps_pattern(data, lam)
    return Outcome(kept, detail=f"lam {lam:.4g}, bound {bound:.4g}: pattern kept: {kept}")


def _instance(draw: Draw, bounds: tuple[str, ...], norm: str, **options: Any) -> dict[str, Any]:
    case = regression(draw, norms=(norm,), **options)
    share = draw.choice((0.01, 0.1, 0.5, 0.9, 0.999))
    return {**case, "bound": draw.choice(bounds), "share": share}


def _waking_row() -> dict[str, Any]:
    """Return data with B = diag(1, 10, 100), w* = (1, 1, 1), that violate equation 17.

    The fourth row x is inactive. With x = -a, sum a = 1 and sum a / b = 0 its own ratio in the
    bound is infinite, while x . w at lam N = 0.4, which is -sum a b / (b + 0.4), is 0.1.
    """
    b = np.array([1.0, 10.0, 100.0])
    conditions = np.array([np.ones(3), 1.0 / b, b / (b + 0.4)])
    a = np.linalg.solve(conditions, [1.0, 0.0, -0.1])
    X = np.vstack([np.diag(np.sqrt(b)), -a])
    case = {"X": X, "w_star": np.ones(3), "norm": "l2", "sign": -1, "bound": "17"}
    return {**case, "share": 0.1 / bound_17(data_of(case))}


def _almost_active() -> dict[str, Any]:
    """Return data with B = diag(1, 4) and an inactive row close to w*'s hyperplane."""
    X = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.99]])
    case = {"X": X, "w_star": np.ones(2), "norm": "l1-squared", "sign": -1}
    return {**case, "bound": "33 as printed", "share": 0.5}


def _at_most_twice(case: Case) -> Outcome:
    """Check equation 32 with the solution at small lam."""
    data = data_of(case)
    if not regular(data):
        return Outcome(None, detail="close to singular, or w* close to a kink")
    w_hat = solution(data, case["share"] * bound_33(data, all_rows=True))
    rows = data.X @ np.linalg.inv(data.moment())
    largest = float(np.max(np.sum(np.abs(rows), axis=1)))
    bound = 2.0 * data.count * float(np.sum(np.abs(w_hat))) * largest
    active = data.active(data.w_star)
    return Outcome.at_most(float(np.max(np.abs(data.X @ slope(data))[active])), bound)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="bound-17",
        statement="Up to the bound (17) on lam the solution for l2 has the pattern of w*.",
        reference="equation 17; Theorem 1",
        holds_in="B of full rank, any dimension",
        check=_suffices,
        verdict="false",
        counterexample=_waking_row(),
        note="The factor 2 does not cover the terms of higher order for d = 3.",
        correction=Claim(
            key="bound-17-in-the-plane",
            statement="Up to the bound (17) on lam the solution for l2 has the pattern of w*, if d "
            "is 1 or 2.",
            reference="equation 17; Theorem 1",
            holds_in="B of full rank, d = 1 or 2, duplicates and opposite rows included",
            check=_suffices,
            instance=lambda draw: _instance(draw, ("17",), "l2", dimensions=(1, 2)),
            trials=40,
        ),
    ),
    Claim(
        key="bound-27",
        statement="Up to the bound (27) on lam, over the active rows, the solution for squared l1 "
        "has the pattern of w*.",
        reference="equation 27; Theorem 3",
        holds_in="B of full rank",
        check=_suffices,
        verdict="false",
        counterexample={**reference("l1-squared"), "bound": "27 as printed", "share": 0.5},
        note="Inactive rows must stay inactive too.",
        correction=Claim(
            key="bound-27-over-all-rows",
            statement="Up to the bound (27) with the minimum over all rows the solution for "
            "squared l1 has the pattern of w*.",
            reference="equation 27; Theorem 3",
            holds_in="B of full rank, d up to 3",
            check=_suffices,
            instance=lambda draw: _instance(draw, ("27",), "l1-squared"),
            trials=40,
        ),
    ),
    Claim(
        key="equation-32",
        statement="The largest |(X u)_i| over active rows is at most 2 N |w_hat|_1 times the norm "
        "of X (X_delta^T X_delta)^-1.",
        reference="equation 32; equation 31",
        holds_in="B of full rank, lam below the bound (33) over all rows",
        check=_at_most_twice,
        instance=lambda draw: _instance(draw, ("33",), "l1-squared"),
        trials=40,
    ),
    Claim(
        key="bound-33",
        statement="Up to the explicit bound (33) on lam, over the active rows, the solution for "
        "squared l1 has the pattern of w*.",
        reference="equation 33",
        holds_in="B of full rank",
        check=_suffices,
        verdict="false",
        counterexample=_almost_active(),
        note="As for equation 27.",
        correction=Claim(
            key="bound-33-over-all-rows",
            statement="Up to the bound (33) with the minimum over all rows the solution for "
            "squared l1 has the pattern of w*.",
            reference="equation 33",
            holds_in="B of full rank, d up to 3",
            check=_suffices,
            instance=lambda draw: _instance(draw, ("33",), "l1-squared"),
            trials=40,
        ),
    ),
)
"""Claims about the bounds."""
