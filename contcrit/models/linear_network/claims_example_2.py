"""Claims about Example 2 and its figure."""

from __future__ import annotations

import numpy as np
from scipy.linalg import logm

from ...contraction.claims import Claim, Outcome
from ...system import Array
from .claims_instances import (
    QUARTER,
    Case,
    PiecewiseWeights,
    solved,
)
from .theory import LinearNetwork
from .verdict import classify


def _example_2(mu: float = np.pi / 2) -> LinearNetwork:
    return LinearNetwork(np.array([[0.0, -1.0], [1.0, mu]]), np.eye(2), 1.0)


def _explicit_solution(case: Case) -> Outcome:
    network, t = _example_2(), case["t"]
    C = np.array([[0.0, 0.0], [np.pi / 2, 0.0]])
    sine, cosine = np.sin(np.pi * t), np.cos(np.pi * t)
    A = np.pi / 4 * np.array([[-sine, cosine - 1.0], [cosine + 1.0, sine]])
    logarithm = np.real(logm(network.R))
    gap = max(
        float(np.max(np.abs(network.residual(C, 0.0)))),
        float(np.max(np.abs(network.curve(C, t) - A))),
        abs(float(np.sum(C * C)) - np.pi**2 / 4),
        abs(float(np.sum(logarithm**2)) - 3.75991604568979),
    )
    return Outcome.at_most(gap, 1e-10, detail=f"gap {gap:.1g}; pi^2 / 4 < 3.76")


def _regularised(case: Case) -> Outcome:
    """Compare the branch in lam with constant weights log(R), which are not critical."""
    network, lam = _example_2(), case["lam"]
    C: Array | None = np.array([[0.0, 0.0], [np.pi / 2, 0.0]])
    for at in np.geomspace(min(lam, 1e-2), lam, 8):
        C = None if C is None else solved(network, float(at), C)
    if C is None:
        return Outcome(None, detail="not followed")
    logarithm = np.real(logm(network.R))
    constant = PiecewiseWeights(network, logarithm[None])
    slope = constant.norm_squared(lam) / lam**2
    costs = network.cost(C, lam), constant.cost(lam)
    verdict = classify(network, C, lam)
    detail = f"cost {costs[0]:.6g} < {costs[1]:.6g}, {verdict}, slope at log R {slope:.3g} lam^2"
    right = costs[0] < costs[1] and slope > 0.1 and verdict.kind == "minimum"
    return Outcome(right, costs[1] - costs[0], detail)


def _homotopy(case: Case) -> Outcome:
    """Continue the solution at lam = 0 in mu from Example 1."""
    C: Array | None = np.pi / 2 * QUARTER
    for mu in np.linspace(0.0, case["mu"], 9):
        C = None if C is None else solved(_example_2(float(mu)), 0.0, C)
    if C is None:
        return Outcome(None, detail="not followed")
    network = _example_2(case["mu"])
    moves = float(np.max(np.abs(network.curve(C, 0.5) - C)))
    gap = float(np.max(np.abs(network.end(C) - network.R)))
    if case["mu"] < 0.05:
        return Outcome(None, detail="R is close to normal")
    return Outcome(
        gap < 1e-9 and moves > 1e-3, moves, f"mu = {case['mu']:.3g}: moves by {moves:.3g}"
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="example-2-homotopy",
        statement="The solution at lam = 0 continues from the quarter turn to mu = pi / 2, and its "
        "weights move.",
        reference="Example 2; Figure 2",
        holds_in="mu from 0.05 to pi / 2",
        check=_homotopy,
        instance=lambda draw: {"mu": draw.real(0.05, np.pi / 2)},
    ),
    Claim(
        key="example-2-solution",
        statement="At mu = pi / 2 the solution is C = [[0, 0], [pi / 2, 0]], with the weights as "
        "printed, and tr C C^T = pi^2 / 4 < 3.76 = tr log(R) log(R)^T.",
        reference="Example 2",
        holds_in="t in [0, 1]",
        check=_explicit_solution,
        instance=lambda draw: {"t": draw.real(0.0, 1.0)},
    ),
    Claim(
        key="example-2-costs",
        statement="Along the branch in lam the critical point is a minimum of lower cost than "
        "constant weights log(R), which are not critical for any lam > 0.",
        reference="Example 2; Figure 2; Remark 2",
        holds_in="mu = pi / 2, lam from 0.001 to 1",
        check=_regularised,
        instance=lambda draw: {"lam": 10.0 ** draw.real(-3.0, 0.0)},
        trials=6,
    ),
)
"""Claims about Example 2."""
