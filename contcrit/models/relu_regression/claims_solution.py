"""Claims about the law and the solution: equations 5 to 16, Theorems 1 and 3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from ...system import Array
from .cells import CellComplex
from .claims_instances import (
    ALL_SHAPES,
    EDGE,
    Case,
    data_of,
    reference,
    regression,
    regular,
    size,
)
from .losses import Penalty, ReluRegression
from .theory import (
    pattern_limit,
    slope,
    solution,
)

# ---- equations 2 to 5 ----------------------------------------------------------------------------


def _descent(case: Case) -> Outcome:
    """Compare the law with minus the slope of the loss of equation 2, by differences."""
    data, w, lam = data_of(case), case["w"], case["lam"]
    penalised = replace(data, penalty=Penalty(data.penalty.norm, -1))
    near = min(np.min(np.abs(data.X @ w)), np.min(np.abs(w)))
    if near < EDGE:
        return Outcome(None, float(near), "w lies on a kink")
    steps = 1e-5 * np.eye(len(w))
    slopes = [
        (penalised.loss(w + step, lam) - penalised.loss(w - step, lam)) / 2e-5 for step in steps
    ]
    gap = size(data.field(w, lam) + np.array(slopes))
    return Outcome.at_most(gap, 1e-7 * (1.0 + size(np.array(slopes))))


def _with_lam(draw: Draw, low: float, high: float, **options: Any) -> dict[str, Any]:
    return {**regression(draw, **options), "lam": draw.real(low, high)}


# ---- Theorem 1 -----------------------------------------------------------------------------------


def _solves(case: Case) -> Outcome:
    """Check that the solution with this sign is a zero of the gradient of equation 2's loss."""
    data, lam = data_of(case), case["lam"]
    if not regular(data):
        return Outcome(None, detail="close to singular, or w* close to a kink")
    penalised = replace(data, penalty=Penalty(data.penalty.norm, -1))
    if "share" in case:
        lam = case["share"] * min(pattern_limit(penalised), 10.0)
    w = solution(data, lam)
    gap = size(penalised.gradient(w, lam))
    detail = f"gradient {gap:.3g} at lam {lam:.4g}"
    return Outcome.at_most(gap, 1e-9 * (1.0 + size(w)), detail=detail)


def _up_to_the_limit(draw: Draw, **options: Any) -> dict[str, Any]:
    return {**regression(draw, **options), "lam": 0.0, "share": draw.real(0.0, 0.999)}


def _exists(case: Case) -> Outcome:
    data, lam = data_of(case), case["lam"]
    w, B = solution(data, lam), data.moment()
    gap = size(B @ (data.w_star - w) / data.count - lam * w)
    return Outcome.at_most(gap, 1e-10 * (1.0 + size(B)))


def _blows_up(case: Case) -> Outcome:
    data = data_of(case)
    values, axes = np.linalg.eigh(data.moment() / data.count)
    k = case["which"] % data.dimension
    along = abs(float(axes[:, k] @ data.w_star))
    if not regular(data) or along < EDGE:
        return Outcome(None, detail="close to singular, or w* across the axis")
    w = solution(data, float(values[k]) * (1.0 - 1e-6))
    least = 0.9e6 * along
    return Outcome.at_most(least, float(np.linalg.norm(w)), detail=f"|w| = {size(w):.3g}")


def _first_order(case: Case) -> Outcome:
    """Check that solution minus expansion falls like lam^2."""
    data = data_of(case)
    if not regular(data):
        return Outcome(None, detail="close to singular")
    penalised = replace(data, penalty=Penalty(data.penalty.norm, -1))
    change = slope(data)  # with the sign of the instance
    lam = 0.01 / max(data.count / float(np.linalg.eigvalsh(data.moment())[0]), 1.0)
    if data.penalty.norm == "l1-squared":
        lam /= data.dimension
    errors = [size(solution(penalised, x) - data.w_star - x * change) for x in (lam, lam / 10)]
    if errors[0] < 1e-11:
        return Outcome(None, detail="both errors are of rounding size")
    ratio = errors[0] / errors[1]
    return Outcome.at_most(50.0, ratio, detail=f"a tenth of lam divides the error by {ratio:.3g}")


# ---- Theorem 3 -----------------------------------------------------------------------------------


def explicit_solution(data: ReluRegression, lam: float) -> Array:
    """Return (B + lam N s s^T)^{-1} B w* with s = sign(w*): squared l1, the right sign."""
    s, B = np.sign(data.w_star), data.moment()
    return np.asarray(np.linalg.solve(B + lam * data.count * np.outer(s, s), B @ data.w_star))


def _has_no_formula(case: Case) -> Outcome:
    gap = _formula_gap(case)
    if gap is None:
        return Outcome(None, detail="close to singular, or w* close to a kink")
    return Outcome(gap > 1e-9, gap, f"the formula's gradient is {gap:.3g}")


def _has_formula(case: Case) -> Outcome:
    gap = _formula_gap(case)
    if gap is None:
        return Outcome(None, detail="close to singular, or w* close to a kink")
    return Outcome.at_most(gap, 1e-9, detail=f"the formula's gradient is {gap:.3g}")


def _formula_gap(case: Case) -> float | None:
    data = data_of(case)
    if not regular(data):
        return None
    lam = case["share"] * min(pattern_limit(data), 10.0)
    return size(data.gradient(explicit_solution(data, lam), lam))


def _jacobian(case: Case) -> Outcome:
    """Return whether J of equation 26 is invertible, by its eigenvalues."""
    data, s = data_of(case), np.sign(case["w_star"])
    if not regular(data):
        return Outcome(None, detail="close to singular")
    B, rank_one = data.moment(), data.count * np.outer(s, s)
    largest = 1.0 / float(data.count * s @ np.linalg.solve(B, s))
    lam = case["share"] * (largest if data.penalty.regularisation_sign == 1 else 10.0)
    J = -B + data.penalty.regularisation_sign * lam * rank_one
    return Outcome.at_most(float(np.linalg.eigvalsh(J)[-1]), 0.0)


# ---- the penalty at the origin, and all critical points ------------------------------------------


def _no_derivative_at_zero(case: Case) -> Outcome:
    """Say that R has no derivative at 0, by R(h u) / h for small h over many directions u."""
    directions = np.random.default_rng(0).standard_normal((64, case["d"]))
    penalty = Penalty(case["norm"])
    quotients = [max(2.0 * penalty.value(h * u, 1.0) / h for u in directions) for h in (1e-3, 1e-6)]
    # R is even: if there is a derivative it is 0, and the quotients tend to 0.
    holds = quotients[1] > 0.1 * quotients[0]
    return Outcome(holds, quotients[1], f"R(h u) / h up to {quotients[1]:.3g} at h = 1e-6")


def _one_minimum(case: Case) -> Outcome:
    data, lam = data_of(case), case["lam"]
    found = CellComplex(data).critical_points(lam)
    kinds = [point.verdict.kind for point in found.points]
    rays = sum(point.face_dimension == 1 and point.w.any() for point in found.points)
    detail = f"lam {lam:.3g}: {', '.join(kinds)}"
    if not found.complete:
        return Outcome(None, detail=detail)
    origin = [p for p in found.points if not p.w.any()]
    right = len(found.minima) == 1 and len(origin) == 1 and origin[0] not in found.minima
    expected = case.get("w_hat")
    if expected is not None:
        right = right and size(found.minima[0].w - np.array(expected)) < 1e-11
    # On an axis the weight that has vanished is held by the penalty, not by a row.
    return Outcome(right and (not rays or data.penalty.kinked), detail=detail)


def _reference_at(draw: Draw) -> dict[str, Any]:
    known = (
        ("l2", 0.01, (0.981717362675, 0.967372936084)),
        ("l2", 0.1, (0.814858342421, 0.773132978826)),
        ("l1-squared", 0.01, (0.967707682419, 0.932755917776)),
        ("l1-squared", 0.1, (0.769209632447, 0.543757753928)),
    )
    if draw.choice((True, False)):
        norm, lam, w_hat = draw.choice(known)
        return {**reference(norm), "lam": lam, "w_hat": w_hat}
    return {**reference(draw.choice(("l2", "l1-squared"))), "lam": 10.0 ** draw.real(-3.0, 0.5)}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="law",
        statement="Minus the gradient of the loss (2) has the closed form (5), with plus lam / 2 "
        "times the derivative of R.",
        reference="equation 5; equation 6; equation 12",
        holds_in="any data, off the kinks",
        check=_descent,
        verdict="false",
        counterexample={**reference(sign=1), "w": np.array([0.5, 0.7]), "lam": 0.1},
        note="The sign enters equations 12 to 16, 19, 22 and 24 to 31.",
        correction=Claim(
            key="law-with-minus",
            statement="Minus the gradient of the loss (2) is equation 5 with minus lam / 2 times "
            "the derivative of R.",
            reference="equation 2; equation 5",
            holds_in="any data, off the kinks; R = |w|_2^2, |w|_1^2, |w|_1",
            check=_descent,
            instance=lambda draw: _with_lam(
                draw, 0.0, 2.0, norms=("l2", "l1-squared", "l1"), shapes=ALL_SHAPES
            ),
        ),
    ),
    Claim(
        key="theorem-1",
        statement="For small lam the loss (11) is stationary at (B - lam N I)^-1 B w*.",
        reference="Theorem 1; equation 13; equation 14",
        holds_in="B = X^T D* X of full rank",
        check=_solves,
        verdict="false",
        counterexample={**reference(sign=1), "lam": 0.01},
        note="The sign of equation 5: the printed point is stationary for the loss with -lam.",
        correction=Claim(
            key="theorem-1-with-plus",
            statement="The loss (11) is stationary at (B + lam N I)^-1 B w* up to the lam at which "
            "the pattern D changes, which is positive.",
            reference="Theorem 1; equation 14",
            holds_in="B of full rank, w* off the kinks; up to the change of the pattern",
            check=_solves,
            instance=lambda draw: _up_to_the_limit(draw),
        ),
    ),
    Claim(
        key="solution-exists",
        statement="(B + lam N I)^-1 B w* exists for every lam > 0 and every rank of B.",
        reference="Theorem 1; equation 14",
        holds_in="any data, lam from 0.001 to 5",
        check=_exists,
        instance=lambda draw: _with_lam(draw, 1e-3, 5.0, shapes=ALL_SHAPES),
    ),
    Claim(
        key="printed-solution-blows-up",
        statement="The printed solution grows without bound towards every eigenvalue of B / N.",
        reference="equation 14",
        holds_in="B of full rank, printed sign",
        check=_blows_up,
        instance=lambda draw: {**regression(draw, signs=(1,)), "which": draw.integer(0, 2)},
    ),
    Claim(
        key="expansion",
        statement="The solution is w* + lam N B^-1 w* + o(lam).",
        reference="equation 15; equation 16; equation 19",
        holds_in="B of full rank",
        check=_first_order,
        verdict="false",
        counterexample=reference(sign=1),
        correction=Claim(
            key="expansion-with-minus",
            statement="The solution is w* - lam N B^-1 w* + O(lam^2), and for squared l1 it is "
            "w* - lam N |w*|_1 B^-1 sign(w*) + O(lam^2).",
            reference="equation 15; equation 19; equation 30",
            holds_in="B of full rank",
            check=_first_order,
            instance=lambda draw: regression(draw, norms=("l2", "l1-squared")),
        ),
    ),
    Claim(
        key="theorem-3",
        statement="For small lam equation 25 with the right sign has a solution close to w*, where "
        "the loss (23) is stationary.",
        reference="Theorem 3; equation 24; equation 25",
        holds_in="B of full rank, w* off all kinks; up to the change of a pattern or sign",
        check=_solves,
        instance=lambda draw: _up_to_the_limit(draw, norms=("l1-squared",)),
    ),
    Claim(
        key="no-formula-for-l1",
        statement="For squared l1 the explicit solution cannot be found.",
        reference="Theorem 3; section 3.3, the text after equation 33",
        holds_in="small lam",
        check=_has_no_formula,
        verdict="false",
        counterexample={**reference("l1-squared"), "share": 0.5},
        note="While the signs stay, |w|_1 = s . w and equation 25 is linear.",
        correction=Claim(
            key="formula-for-l1",
            statement="For squared l1 the solution is (B + lam N s s^T)^-1 B w* with s = sign(w*).",
            reference="Theorem 3; equation 25",
            holds_in="B of full rank; up to the change of a pattern or sign",
            check=_has_formula,
            instance=lambda draw: _up_to_the_limit(draw, norms=("l1-squared",)),
        ),
    ),
    Claim(
        key="jacobian",
        statement="The Jacobian J is invertible for small lam: with the printed sign up to 1 / (N "
        "s^T B^-1 s), with the right one for every lam.",
        reference="equation 26; Theorem 3",
        holds_in="B of full rank, both signs",
        check=_jacobian,
        instance=lambda draw: _up_to_the_limit(draw, norms=("l1-squared",), signs=(-1, 1)),
    ),
    Claim(
        key="no-law-at-the-origin",
        statement="At w = 0 the dynamic with R = |w|_1^2 is meaningless, since R has no derivative "
        "there.",
        reference="section 4, Figure 2",
        holds_in="two weights",
        check=_no_derivative_at_zero,
        verdict="false",
        counterexample={"norm": "l1-squared", "d": 2},
        note="|w|_1 has none, its square has the derivative 0; what jumps at 0 is the data's term.",
        correction=Claim(
            key="no-derivative-of-plain-l1",
            statement="At w = 0 the norm |w|_1, not squared, has no derivative.",
            reference="section 4, Figure 2",
            holds_in="one to five weights",
            check=_no_derivative_at_zero,
            instance=lambda draw: {"norm": "l1", "d": draw.integer(1, 5)},
            trials=5,
        ),
    ),
    Claim(
        key="one-minimum",
        statement="The reference instance has exactly one minimum at each lam, at the values of "
        "the closed forms where the pattern stays, and the origin is critical but no minimum.",
        reference="Theorem 1; Theorem 3; section 5, larger lam",
        holds_in="ten inputs in the plane, w* = (1, 1), both norms, lam from 0.001 to 3",
        check=_one_minimum,
        instance=_reference_at,
        trials=8,
    ),
)
"""Claims about the law and the solution."""
