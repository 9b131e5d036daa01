"""Claims about the expected law: equations 6 and 18 to 22, Theorems 2 and 4."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.integrate import solve_ivp

from ...contraction.claims import Claim, Draw, Outcome
from ...system import Array
from .claims_instances import (
    Case,
    data_of,
    population,
    reference,
    regression,
    regular,
    seeded,
    size,
    unit_of,
)
from .losses import PopulationRegression, angle
from .theory import (
    critical_angle,
    in_region,
    lyapunov_derivative,
    lyapunov_matrix,
    population_solution,
    solution,
)

NEAR = 1e-4
"""Weights closer to the solution than this, relative to |w*|, tell nothing about signs."""

# ---- equation 6 ----------------------------------------------------------------------------------


def expected_law(w: Array, w_star: Array) -> Array:
    """Return E[x 1(x . w > 0) (relu(x . w*) - x . w)] for x from N(0, I) in the plane.

    In polar coordinates the radius gives a factor 2; the angle is cut where a unit switches.
    """
    nodes, weights = leggauss(24)
    turns = np.concatenate(
        [np.arctan2(v[1], v[0]) + np.array([-0.5, 0.5]) * np.pi for v in (w, w_star)]
    )
    cuts = np.sort(np.mod(turns, 2 * np.pi))
    total = np.zeros(2)
    for low, high in zip(cuts, [*cuts[1:], cuts[0] + 2 * np.pi], strict=True):
        at = low + 0.5 * (high - low) * (nodes + 1.0)
        u = np.array([np.cos(at), np.sin(at)])
        misfit = np.maximum(w_star @ u, 0.0) - w @ u
        total += 0.5 * (high - low) * (u * (w @ u > 0) * misfit) @ weights
    return total / np.pi


def _expectation(case: Case) -> Outcome:
    w, unit = case["w"], PopulationRegression(case["w_star"])
    expected = expected_law(w, unit.w_star)
    gap = size(unit.field(w, 0.0) - expected)
    detail = f"gap {gap:.2g} at the angle {angle(w, unit.w_star):.3f}"
    return Outcome.at_most(gap, 1e-10 * (1.0 + size(expected)), detail=detail)


def _planar(draw: Draw) -> dict[str, Any]:
    generator, fate = seeded(draw), draw.choice(("any", "any", "parallel", "opposite"))
    w, w_star = generator.standard_normal((2, 2))
    if fate != "any":
        w = w_star * (0.7 if fate == "parallel" else -0.7)
    return {"w": w, "w_star": w_star}


def _across(case: Case) -> Outcome:
    """Compare the part of the law across w with its closed form."""
    unit, w = unit_of(case), case["w"]
    force, theta = unit.field(w, case["lam"]), angle(w, unit.w_star)
    part = force - (force @ w) / (w @ w) * w
    expected = float(np.linalg.norm(unit.w_star)) * np.sin(theta) * (0.5 - theta / (2 * np.pi))
    return Outcome.close(float(np.linalg.norm(part)), expected, tolerance=1e-9)


# ---- equations 18 to 22 --------------------------------------------------------------------------


def _lengths(w: Array, w_star: Array) -> Array:
    return np.array([np.linalg.norm(w), np.linalg.norm(w_star)])


def _quadratic_form(case: Case) -> Outcome:
    unit, w = unit_of(case), case["w"]
    y = _lengths(w, unit.w_star)
    form = float(-y @ lyapunov_matrix(angle(w, unit.w_star)) @ y)
    value = lyapunov_derivative(unit, w, unit.w_star, 0.0)
    return Outcome.close(value, form, tolerance=1e-9 * (1.0 + float(y @ y)))


def _penalty_form(case: Case) -> Outcome:
    """Compare what the penalty adds to dV/dt with -lam y^T P_1 y of equation 22."""
    unit, w, lam = unit_of(case), case["w"], case["lam"]
    y, cosine = _lengths(w, unit.w_star), np.cos(angle(w, unit.w_star))
    P = case["factor"] * np.array([[1.0, -0.5 * cosine], [-0.5 * cosine, 0.0]])
    value = float((w - unit.w_star) @ (unit.field(w, lam) - unit.field(w, 0.0)))
    tolerance = 1e-9 * (1.0 + lam) * (1.0 + float(y @ y))
    return Outcome.close(value, float(-lam * y @ P @ y), tolerance=tolerance)


def _definite(case: Case) -> Outcome:
    theta = case["theta"]
    least, limit = float(np.linalg.eigvalsh(lyapunov_matrix(theta))[0]), critical_angle()
    if min(abs(theta - limit), theta) < 1e-6:
        return Outcome(None, least, "at an end of the interval")
    detail = f"least eigenvalue {least:.3g} at the angle {theta:.4g}"
    return Outcome((least > 0) is (theta < limit), abs(least), detail)


def _small_angles(case: Case) -> Outcome:
    theta = case["theta"]
    det = float(np.linalg.det(lyapunov_matrix(theta)))
    return Outcome.close(det / (theta**2 / 4), 1.0, tolerance=3.0 * theta + 1e-15 / theta**2)


# ---- Theorems 2 and 4 ----------------------------------------------------------------------------


def _falls(case: Case) -> Outcome:
    """Check that V falls along the expected law, with a given or the law's own target."""
    unit, w, lam = unit_of(case), case["w"], case["lam"]
    target = case["target"] if "target" in case else population_solution(unit, lam)
    distance = float(np.linalg.norm(w - target))
    if not in_region(w, unit.w_star):
        return Outcome(None, detail="outside the ball")
    if "target" not in case and distance < NEAR * float(np.linalg.norm(unit.w_star)):
        return Outcome(None, detail="at the solution")
    rate = lyapunov_derivative(unit, w, target, lam)
    return Outcome(rate < 0, -rate / distance**2, f"dV/dt = {rate:.3g} at lam {lam:.4g}")


def _beside_the_empirical_solution(case: Case) -> dict[str, Any]:
    """Return the empirical solution as target, and a point beside it towards the expected law."""
    data, unit = data_of(case), unit_of(case)
    target = solution(data, case["lam"])
    force = unit.field(target, case["lam"])
    w = target + 1e-6 * force / np.linalg.norm(force)
    return {**case, "target": target, "w": w}


def _rises_beside(case: Case) -> Outcome:
    data = data_of(case)
    if not regular(data):
        return Outcome(None, detail="close to singular, or w* close to a kink")
    force = float(np.linalg.norm(unit_of(case).field(solution(data, case["lam"]), case["lam"])))
    if force < 1e-9:
        return Outcome(False, force, "the law rests at the empirical solution")
    beside = _beside_the_empirical_solution(case)
    rate = lyapunov_derivative(unit_of(beside), beside["w"], beside["target"], beside["lam"])
    return Outcome(rate > 0, rate, f"dV/dt = {rate:.3g} at a distance of 1e-6")


def _arrives(case: Case) -> Outcome:
    unit, lam = unit_of(case), case["lam"]
    target, length = population_solution(unit, lam), float(np.linalg.norm(unit.w_star))
    end = solve_ivp(
        lambda t, w: unit.field(w, lam), (0.0, 40.0), case["w"], rtol=1e-7, atol=1e-9 * length
    )
    gap = float(np.linalg.norm(end.y[:, -1] - target)) / length
    return Outcome.at_most(gap, 1e-4, detail=f"at a distance {gap:.2g} |w*| after time 40")


def _printed_sign(case: Case) -> Outcome:
    """Check where w* / (1 - 2 lam) lies, that the law rests there, and that V falls."""
    unit, lam = unit_of(case), case["lam"]
    target = population_solution(unit, lam)
    if abs(lam - 0.25) < 1e-6:
        return Outcome(None, detail="on the boundary of the ball")
    rests = size(unit.field(target, lam)) < 1e-9 * (1.0 + size(target))
    inside = in_region(target, unit.w_star) is (lam < 0.25)
    falls = _falls(case)
    if not (rests and inside):
        return Outcome(False, detail=f"solution {target}")
    return falls


def _scaled_teacher(case: Case) -> Outcome:
    unit, w, lam = unit_of(case), case["w"], case["lam"]
    factor = 1.0 - 2.0 * unit.penalty.regularisation_sign * lam
    scaled = PopulationRegression(unit.w_star / factor)
    gap = size(unit.field(w, lam) - factor * scaled.field(w, 0.0))
    return Outcome.at_most(gap, 1e-9 * (1.0 + lam) * (1.0 + size(w) + size(unit.w_star)))


def _anywhere(draw: Draw) -> dict[str, Any]:
    case = _at(draw, 0.0, 3.0)
    return {**case, "w": seeded(draw).standard_normal(len(case["w_star"]))}


def _at(draw: Draw, low: float, high: float, **options: Any) -> dict[str, Any]:
    return {**population(draw, **options), "lam": draw.real(low, high)}


def _empirical(draw: Draw, norm: str) -> dict[str, Any]:
    case = regression(draw, norms=(norm,), dimensions=(2, 3))
    return {**case, "lam": draw.real(1e-3, 0.1)}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="expected-law",
        statement="Without penalty the expectation of the law is equation 6, for angles up to pi.",
        reference="equation 6",
        holds_in="the plane, any angle, w parallel and opposite to w* included",
        check=_expectation,
        instance=_planar,
        note="Printed for angles up to pi / 2.",
    ),
    Claim(
        key="no-other-critical-points",
        statement="Across w the expected law for l2 has the length |w*| sin(theta) (1/2 - theta / "
        "(2 pi)), so that it rests on the ray of w* only.",
        reference="equation 6; Theorem 2",
        holds_in="up to four dimensions, every lam",
        check=_across,
        instance=_anywhere,
    ),
    Claim(
        key="quadratic-form",
        statement="At lam = 0 dV/dt is -y^T M y with y = (|w|, |w*|) and the M of equation 21.",
        reference="equation 18; equation 20; equation 21",
        holds_in="up to four dimensions",
        check=_quadratic_form,
        instance=lambda draw: population(draw),
    ),
    Claim(
        key="m-is-definite",
        statement="M is positive definite for angles in (0, pi / 2], and exactly up to 2.32761603.",
        reference="equation 21; Theorem 2, the proof",
        holds_in="angles from 0 to pi",
        check=_definite,
        instance=lambda draw: {"theta": draw.real(0.0, np.pi)},
        trials=40,
    ),
    Claim(
        key="m-degenerates",
        statement="The determinant of M falls like theta^2 / 4 as theta goes to 0, so that no lam "
        "is small for all angles.",
        reference="equation 20; equation 21; Theorem 2, the proof",
        holds_in="angles from 0.0001 to 0.1",
        check=_small_angles,
        instance=lambda draw: {"theta": 10.0 ** draw.real(-4.0, -1.0)},
    ),
    Claim(
        key="equation-22",
        statement="The penalty adds -lam y^T P_1 y to dV/dt, with the P_1 of equation 22.",
        reference="equation 22; equation 20",
        holds_in="descent of the loss",
        check=_penalty_form,
        verdict="false",
        counterexample={
            "w_star": np.ones(2),
            "norm": "l2",
            "sign": -1,
            "w": np.array([0.5, 0.2]),
            "lam": 1.0,
            "factor": -1.0,
        },
        note="The sign of equation 5.",
        correction=Claim(
            key="equation-22-with-plus",
            statement="The penalty adds -lam y^T P_1 y to dV/dt, with minus the P_1 of equation "
            "22.",
            reference="equation 22",
            holds_in="descent of the loss, up to four dimensions",
            check=_penalty_form,
            instance=lambda draw: {**_at(draw, 0.0, 5.0), "factor": 1.0},
        ),
    ),
    Claim(
        key="theorem-2",
        statement="For small lam V = |w - w_hat|^2 / 2 falls along the expected law in the ball "
        "|w - w*| < |w*|, with the empirical solution w_hat.",
        reference="Theorem 2; equation 18",
        holds_in="l2, large N, off the line of w*",
        check=_falls,
        verdict="false",
        counterexample=_beside_the_empirical_solution({**reference(), "lam": 0.01}),
        note="The expected law does not rest at the empirical solution, whose X it does not know.",
        correction=Claim(
            key="theorem-2-population",
            statement="With the expected law's own solution w* / (1 + 2 lam) V falls in the whole "
            "ball, line included, for every lam >= 0.",
            reference="Theorem 2",
            holds_in="l2, up to four dimensions, lam up to 20",
            check=_falls,
            instance=lambda draw: _at(draw, 0.0, 20.0),
            trials=60,
        ),
    ),
    Claim(
        key="theorem-2-beside",
        statement="The expected law does not rest at the empirical solution, at any lam > 0 tried, "
        "and beside it V rises.",
        reference="Theorem 2; Theorem 4",
        holds_in="B of full rank, lam from 0.001 to 0.1, l2 and squared l1",
        check=_rises_beside,
        instance=lambda draw: _empirical(draw, draw.choice(("l2", "l1-squared"))),
    ),
    Claim(
        key="theorem-2-convergence",
        statement="Trajectories of the expected law that start in the ball converge to its "
        "solution.",
        reference="Theorem 2",
        holds_in="l2, up to four dimensions, lam up to 2",
        check=_arrives,
        instance=lambda draw: _at(draw, 0.0, 2.0),
        note="The ball is invariant: on its boundary the penalty pulls inwards.",
    ),
    Claim(
        key="theorem-2-printed-sign",
        statement="With the printed sign the law rests at w* / (1 - 2 lam) and V falls in the ball "
        "for lam < 1/2; the solution lies in the ball for lam < 1/4 only.",
        reference="Theorem 2; equation 6",
        holds_in="l2, up to four dimensions, lam up to 0.49",
        check=_printed_sign,
        instance=lambda draw: _at(draw, 0.0, 0.49, sign=1),
        trials=40,
    ),
    Claim(
        key="scaled-teacher",
        statement="For l2 the expected law is 1 + 2 lam times that without penalty of the teacher "
        "w* / (1 + 2 lam), and 1 - 2 lam with the printed sign.",
        reference="equation 6; Theorem 2",
        holds_in="up to four dimensions, both signs",
        check=_scaled_teacher,
        instance=lambda draw: _at(draw, 0.0, 0.49, sign=draw.choice((-1, 1))),
    ),
    Claim(
        key="theorem-4",
        statement="For small lam V falls along the expected law in the ball for l1 too, with the "
        "empirical solution.",
        reference="Theorem 4",
        holds_in="squared l1, large N, off the line of w*",
        check=_falls,
        verdict="false",
        counterexample=_beside_the_empirical_solution({**reference("l1-squared"), "lam": 0.01}),
        note="As for Theorem 2.",
        correction=Claim(
            key="theorem-4-population",
            statement="With the expected law's own solution w* / (1 + 4 lam) V falls in the ball "
            "for w* = (1, 1) and lam < 3 pi / 8.",
            reference="Theorem 4",
            holds_in="squared l1, the plane",
            check=_falls,
            instance=lambda draw: _at(
                draw, 0.0, 0.999 * 3 * np.pi / 8, norm="l1-squared", square=True
            ),
            trials=60,
        ),
    ),
)
"""Claims about the expected law."""
