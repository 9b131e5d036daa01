"""Claims about all solutions of Example 1, and what the paper leaves open."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from ...contraction.claims import Claim, Outcome
from ...system import Array
from .claims_instances import (
    EXAMPLE_1,
    QUARTER,
    Case,
    fold,
    normal_pair,
    normal_solution,
    principal,
    rotation,
    solution_count,
    solved,
)
from .theory import normality_defect
from .verdict import classify

NON_NORMAL = {
    0.1: np.array([[1.25222682, 1.91689858], [-5.07972372, -1.588999]]),
    0.15: np.array([[0.89553975, 1.7397193], [-4.56619721, -1.8444364]]),
}
"""lam -> a guess of the non-normal minimum on the family that leaves branch -1."""

OTHER_NON_NORMAL = np.array([[-1.89642938, 3.62745273], [-1.51456457, -0.90218458]])
"""At lam = 0.1, a guess of the other solution of that family."""

# ---- Example 1, non-normal solutions -------------------------------------------------------------


def _only_principal(case: Case) -> Outcome:
    """Say that no solution but the principal one exists at a lam, refuted by a given guess."""
    lam = case["lam"]
    C = solved(EXAMPLE_1, lam, case["guess"])
    if C is None or lam <= fold(-1)[0]:
        return Outcome(None, detail="no solution close to the guess")
    away = abs(EXAMPLE_1.cost(C, lam) - EXAMPLE_1.cost(principal(lam), lam))
    detail = (
        f"a solution of cost {EXAMPLE_1.cost(C, lam):.6f}, |[C, C^T]| {normality_defect(C):.3g}"
    )
    return Outcome(away < 1e-6, -away, detail)


def _only_normal_principal(case: Case) -> Outcome:
    lam = case["share"] * fold(-1)[0]
    counts = {n: solution_count(n, lam) for n in (0, -1, 1, -2, 2)}
    if abs(case["share"] - 1.0) < 1e-3:
        return Outcome(None, detail="at the turning point")
    return Outcome(counts == {0: 1, -1: 0, 1: 0, -2: 0, 2: 0}, detail=f"solutions: {counts}")


def _finitely_many(case: Case) -> Outcome:
    """Say that the solutions at a lam are isolated, refuted by a circle of them."""
    lam = case["lam"]
    C = solved_in_gauge(case["guess"], lam)
    copies = [rotation(angle) @ C @ rotation(angle).T for angle in np.linspace(0.0, 3.0, 7)]
    residual = max(float(np.max(np.abs(EXAMPLE_1.residual(X, lam)))) for X in copies)
    apart = min(float(np.max(np.abs(X - C))) for X in copies[1:])
    detail = f"{len(copies)} solutions, {apart:.3g} apart, residual {residual:.1g}"
    return Outcome(residual > 1e-9 or apart < 1e-3, detail=detail)


def _normal_count(case: Case) -> Outcome:
    """Check that the normal solutions number 1 + 2 #{n : fold_n > lam}, more as lam falls."""
    lam, last = case["lam"], 12
    counts = [solution_count(n, lam) for n in range(-last, last + 1)]
    above = sum(fold(n)[0] > lam for n in range(-last, last + 1) if n)
    if min(abs(fold(n)[0] / lam - 1.0) for n in range(-last, last + 1) if n) < 1e-3:
        return Outcome(None, detail="at a turning point")
    right = sum(counts) == 1 + 2 * above and fold(last)[0] < lam
    return Outcome(right, detail=f"{sum(counts)} normal solutions at lam = {lam:.4g}")


def _local_and_saddle(case: Case) -> Outcome:
    lam, found = 0.1, []
    for guess in (NON_NORMAL[0.1], OTHER_NON_NORMAL):
        C = rotation(case["angle"]) @ guess @ rotation(case["angle"]).T
        C = solved_in_gauge(C, lam)
        verdict = classify(EXAMPLE_1, C, lam, [QUARTER])
        found.append((verdict.kind, verdict.index, verdict.nullity, EXAMPLE_1.cost(C, lam)))
    best = EXAMPLE_1.cost(principal(lam), lam)
    kinds = [row[:3] for row in found]
    costs = [row[3] for row in found]
    near = abs(costs[0] - 1.892605979582) < 1e-9 and abs(costs[1] - 2.194211507716) < 1e-9
    right = kinds == [("minimum", 0, 1), ("saddle", 1, 1)] and near and best < costs[0]
    return Outcome(right, detail=f"{kinds} of cost {costs[0]:.9f} and {costs[1]:.9f}")


def solved_in_gauge(guess: Array, lam: float) -> Array:
    """Return the nearest solution of Example 1: Newton's method across the symmetric copies."""
    C = guess
    for _ in range(8):
        step = np.linalg.lstsq(
            EXAMPLE_1.residual_derivative(C, lam), EXAMPLE_1.residual(C, lam).ravel(), rcond=1e-6
        )[0]
        C = C - step.reshape(2, 2)
    return C


def _pitchfork(case: Case) -> Outcome:
    """Check that DN has a double zero where a = b / sin 2b, e^a = -cos 2b / (2 sin b)."""
    # The equation holds where -cos 2b / sin b > 0, from a zero of cos 2b on.
    zero, step = case["zero"], case["step"]
    b = brentq(_pitchfork_equation, zero + 1e-9 * step, zero + 0.2 * step, xtol=1e-15)
    lam, C = normal_solution(b)
    sizes = np.linalg.svd(EXAMPLE_1.residual_derivative(C, lam), compute_uv=False) / lam
    double = float(sizes[-2]) < 1e-5 and float(sizes[-3]) > 1e-2
    right = double and bool(abs(lam / case["lam"] - 1.0) < 1e-8)
    return Outcome(right, detail=f"lam = {lam:.12g}, singular values {sizes[-3:]} lam")


def _pitchfork_equation(b: float) -> float:
    return float(np.log(-np.cos(2 * b) / (2 * np.sin(b))) - b / np.sin(2 * b))


def _lowest(case: Case) -> Outcome:
    lam = case["lam"]
    best = EXAMPLE_1.cost(principal(lam), lam)
    others = [
        EXAMPLE_1.cost(C, lam)
        for n in (-3, -2, -1, 1, 2, 3)
        if fold(n)[0] > lam * 1.001
        for C in normal_pair(n, lam)
    ]
    if abs(lam - 0.1) < 0.05:
        C = solved_in_gauge(NON_NORMAL[0.1], lam)
        if np.max(np.abs(EXAMPLE_1.residual(C, lam))) < 1e-9:
            others.append(EXAMPLE_1.cost(C, lam))
    if not others:
        return Outcome(None, detail="no other solution")
    return Outcome.at_most(best, min(others))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="example-1-above",
        statement="Above the largest turning point there is a single solution, the principal one.",
        reference="Example 1 (ii)",
        holds_in="lam > 0.14538711",
        check=_only_principal,
        verdict="false",
        counterexample={"lam": 0.15, "guess": NON_NORMAL[0.15]},
        note="A family of non-normal solutions lasts up to lam = 0.16818.",
        correction=Claim(
            key="example-1-above-normal",
            statement="Above the largest turning point there is a single normal solution.",
            reference="Example 1 (ii)",
            holds_in="lam up to 5 times the largest turning point",
            check=_only_normal_principal,
            instance=lambda draw: {"share": draw.real(1.01, 5.0)},
            trials=4,
        ),
    ),
    Claim(
        key="example-1-lowest",
        statement="Among the solutions computed the principal one has the lowest cost.",
        reference="Example 1 (iv); Figure 1",
        holds_in="|n| up to 3 and a non-normal family, lam from 0.001 to 0.145",
        check=_lowest,
        instance=lambda draw: {"lam": 10.0 ** draw.real(-3.0, -0.839)},
        trials=8,
    ),
    Claim(
        key="finitely-many",
        statement="Only finitely many critical points persist for any positive lam.",
        reference="Example 1, the closing remark; Remark 4",
        holds_in="Example 1",
        check=_finitely_many,
        verdict="false",
        counterexample={"lam": 0.1, "guess": NON_NORMAL[0.1]},
        note="The equation is invariant under rotations: non-normal solutions come as circles.",
        correction=Claim(
            key="finitely-many-normal",
            statement="The normal solutions are one and two for each turning point above lam: "
            "finitely many at every lam, and without bound as lam goes to 0.",
            reference="Example 1, the closing remark",
            holds_in="lam from 0.01 to 1, |n| up to 12",
            check=_normal_count,
            instance=lambda draw: {"lam": 10.0 ** draw.real(-2.0, 0.0)},
            trials=4,
        ),
    ),
    Claim(
        key="local-minima-and-saddles",
        statement="A small regularisation makes local minima that are not global, and saddles: the "
        "former are non-normal.",
        reference="Example 1, the closing remark; section 3, after Theorem 1; section 4 (i)",
        holds_in="lam = 0.1, a non-normal family, turned by any angle",
        check=_local_and_saddle,
        instance=lambda draw: {"angle": draw.real(-3.0, 3.0)},
        trials=5,
    ),
    Claim(
        key="pitchforks",
        statement="Non-normal families leave the branches n != 0 where DN has a double zero: a = b "
        "/ sin 2b, e^a = -cos 2b / (2 sin b).",
        reference="section 4 (i)",
        holds_in="n = -1, 1, -2",
        check=_pitchfork,
        instance=lambda draw: draw.choice(
            (
                {"zero": -3 * np.pi / 4, "step": -1.0, "lam": 0.027205983410351388},
                {"zero": 7 * np.pi / 4, "step": 1.0, "lam": 0.0005264630192752401},
                {"zero": -11 * np.pi / 4, "step": -1.0, "lam": 1.4486419201005016e-05},
            )
        ),
        trials=6,
    ),
)
"""Claims about all solutions of Example 1."""
