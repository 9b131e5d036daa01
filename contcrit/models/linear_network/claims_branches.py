"""Claims about the normal solutions of Example 1, and its figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import expm

from ...contraction.claims import Claim, Outcome
from ...system import Array
from .claims_instances import (
    EXAMPLE_1,
    QUARTER,
    Case,
    branch_ends,
    fold,
    normal_pair,
    normal_solution,
    principal,
    solution_count,
)
from .verdict import classify

PRINCIPAL_COSTS = {
    0.01: 0.02442969450168736, 0.1: 0.2241774068140210, 0.5: 0.8007279601139352,
    1.0: 1.141419999719350, 2.0: 1.431350879156481, 5.0: 1.702743840195445,
}  # fmt: skip

FOLDS = {
    -1: 0.14538710929871504, 1: 0.07515760234009556, -2: 0.05093011658287293,
    2: 0.03854907756939339,
}  # fmt: skip


# ---- Example 1, the branches ---------------------------------------------------------------------


def _logarithms(case: Case) -> Outcome:
    C = (np.pi / 2 + 2 * np.pi * case["n"]) * QUARTER
    gap = max(
        float(np.max(np.abs(expm(C) - QUARTER))),
        float(np.max(np.abs(EXAMPLE_1.residual(C, 0.0)))),
    )
    return Outcome.at_most(gap, 1e-11 * (1.0 + abs(case["n"])))


def _two_or_none(case: Case) -> Outcome:
    n, share = case["n"], case["share"]
    if abs(share - 1.0) < 1e-3:
        return Outcome(None, detail="at the turning point")
    lam, turn = fold(n)
    singular = np.linalg.svd(
        EXAMPLE_1.residual_derivative(normal_solution(turn)[1], lam), compute_uv=False
    )[-1]
    count = solution_count(n, share * lam)
    detail = f"{count} normal solutions for n = {n} at {share:.3g} of the turning point"
    return Outcome(bool(count == (2 if share < 1.0 else 0) and singular < 1e-5), detail=detail)


def _kind(case: Case) -> Outcome:
    """Say that the solution on the side of the logarithm is a minimum, the other one a saddle."""
    verdicts = _verdicts(case)
    detail = ", ".join(map(str, verdicts))
    return Outcome([v.kind for v in verdicts] == ["minimum", "saddle"], detail=detail)


def _verdicts(case: Case) -> list[Any]:
    lam = case["share"] * fold(case["n"])[0]
    pair = normal_pair(case["n"], lam)
    return [classify(EXAMPLE_1, C, lam, [QUARTER]) for C in pair]


def _index(case: Case) -> Outcome:
    """Check the indices 4 |n| - 2 (n < 0) or 4 n, and one more; 0 and 1 among normal matrices."""
    n, lam = case["n"], case["share"] * fold(case["n"])[0]
    expected = 4 * abs(n) - (2 if n < 0 else 0)
    verdicts = _verdicts(case)
    inner = [_normal_index(C, lam) for C in normal_pair(n, lam)]
    if any(verdict.index is None for verdict in verdicts):
        return Outcome(None, detail=", ".join(map(str, verdicts)))
    found = [verdict.index for verdict in verdicts]
    detail = f"n = {n}: indices {found}, among normal matrices {inner}"
    return Outcome(found == [expected, expected + 1] and inner == [0, 1], detail=detail)


def _normal_index(C: Array, lam: float) -> int:
    """Count negative eigenvalues of the Hessian of J in (a, b) for C = a + ib."""
    a, b = C[0, 0], C[1, 0]
    aa = 2 * lam + 4 * np.exp(2 * a) - 2 * np.exp(a) * np.sin(b)
    bb = 2 * lam + 2 * np.exp(a) * np.sin(b)
    ab = -2 * np.exp(a) * np.cos(b)
    return int(np.sum(np.linalg.eigvalsh(np.array([[aa, ab], [ab, bb]])) < 0))


def _decreasing(case: Case) -> Outcome:
    k = case["k"]
    values = [fold(n)[0] for n in (-k, k, -k - 1, k + 1)]
    known = max(abs(fold(n)[0] - value) for n, value in FOLDS.items())
    gap = min(-np.diff(values))
    right = bool(gap > 0) and known < 1e-9
    return Outcome(right, float(gap), f"turning points {', '.join(f'{v:.6g}' for v in values)}")


# ---- Example 1, limits and costs -----------------------------------------------------------------


def _escape_angle(case: Case) -> Outcome:
    """Compare the angle of the escaping solution at small lam with the printed limit."""
    n, shift = case["n"], case["shift"]
    log, escape = branch_ends(n)
    inward = np.sign(escape - log)
    expected = np.pi / 2 + (2 * n + shift) * np.pi
    gaps, costs, sizes = [], [], []
    for inset in (0.6, 0.4, 0.25):
        lam, C = normal_solution(escape - inset * inward)
        gaps.append(abs(float(C[1, 0]) - expected))
        costs.append(abs(EXAMPLE_1.cost(C, lam) - 1.0))
        sizes.append(-float(C[0, 0]))
    closer = gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.3
    settling = costs[0] >= costs[1] >= costs[2] and costs[2] < 0.1
    right = closer and settling and sizes[0] < sizes[1] < sizes[2]
    detail = f"n = {n}: off by {gaps[2]:.3g} at lam = {lam:.2g}, |J - 1| = {costs[2]:.2g}"
    return Outcome(right, detail=detail)


def _escaping(n: int) -> dict[str, Any]:
    return {"n": n, "shift": -1 if n > 0 else 1}


def _costs(case: Case) -> Outcome:
    gaps = {
        lam: abs(EXAMPLE_1.cost(principal(lam), lam) / cost - 1.0)
        for lam, cost in PRINCIPAL_COSTS.items()
    }
    verdicts = [classify(EXAMPLE_1, principal(lam), lam, [QUARTER]) for lam in (0.01, 5.0)]
    right = max(gaps.values()) < 1e-11 and all(str(v) == "minimum (index 0)" for v in verdicts)
    return Outcome(right, detail=f"costs to {max(gaps.values()):.1g}, {verdicts[0]}")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="example-1-logarithms",
        statement="At lam = 0 the normal solutions are C(0; n) = (pi / 2 + 2 n pi) J, with e^C = "
        "R.",
        reference="Example 1; Theorem 2 (i)",
        holds_in="n from -9 to 9",
        check=_logarithms,
        instance=lambda draw: {"n": draw.integer(-9, 9)},
    ),
    Claim(
        key="example-1-pairs",
        statement="For each n != 0 there are exactly two normal solutions below a turning point, "
        "and none above.",
        reference="Example 1 (i); Figure 1",
        holds_in="n from -4 to 4, lam from 0.02 to 2 times the turning point",
        check=_two_or_none,
        instance=lambda draw: {
            "n": draw.choice((-4, -3, -2, -1, 1, 2, 3, 4)),
            "share": draw.real(0.02, 2.0),
        },
        trials=8,
    ),
    Claim(
        key="example-1-minimum-and-saddle",
        statement="They are a local minimum and a saddle point.",
        reference="Example 1 (i)",
        holds_in="n != 0, lam below the turning point",
        check=_kind,
        verdict="false",
        counterexample={"n": -1, "share": 0.5},
        note="So they are among normal matrices only.",
        correction=Claim(
            key="example-1-indices",
            statement="On the space of all weights both are saddles: of index 4 |n| - 2 for n < 0 "
            "and 4 n for n > 0, and of one more; among normal matrices of index 0 and 1.",
            reference="Example 1 (i); section 4 (iii)",
            holds_in="n = -2, -1, 1, 2, lam from 0.35 to 0.9 of the turning point",
            check=_index,
            instance=lambda draw: {
                "n": draw.choice((-2, -1, 1, 2)),
                "share": draw.real(0.35, 0.9),
            },
            trials=6,
        ),
    ),
    Claim(
        key="example-1-order",
        statement="The turning points fall as |n| grows, in the order n = -1, 1, -2, 2 and so on.",
        reference="Example 1 (ii); Figure 1",
        holds_in="|n| up to 7",
        check=_decreasing,
        instance=lambda draw: {"k": draw.integer(1, 6)},
        note="The paper does not tell n from -n.",
        trials=6,
    ),
    Claim(
        key="example-1-escape",
        statement="As lam goes to 0 the escaping solution has the angle pi / 2 + (2 n - 1) pi, and "
        "its cost tends to 1.",
        reference="Example 1 (iii)",
        holds_in="n != 0",
        check=_escape_angle,
        verdict="false",
        counterexample={"n": -1, "shift": -1},
        note="Right for n > 0 only.",
        correction=Claim(
            key="example-1-escape-by-sign",
            statement="As lam goes to 0 the escaping solution has the angle pi / 2 + (2 n - 1) pi "
            "for n > 0 and pi / 2 + (2 n + 1) pi for n < 0, its size grows, and its cost tends to "
            "1.",
            reference="Example 1 (iii)",
            holds_in="n from -4 to 4",
            check=_escape_angle,
            instance=lambda draw: _escaping(draw.choice((-4, -3, -2, -1, 1, 2, 3, 4))),
            trials=8,
        ),
    ),
    Claim(
        key="example-1-costs",
        statement="The principal branch is a minimum of index 0, with the costs of Figure 1.",
        reference="Example 1 (iv); Figure 1",
        holds_in="lam = 0.01, 0.1, 0.5, 1, 2, 5",
        check=_costs,
    ),
)
"""Claims about the normal solutions of Example 1."""
