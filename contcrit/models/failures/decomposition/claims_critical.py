"""The claims on critical points between decomposition and end-to-end learning."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .claims_quadrature import plane
from .signal import KAPPA
from .theory import curvatures, fold, loss, roots

PAPER = "section 3.2"


def _weight_instance(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 6),
        "s": draw.choice((0.0, 0.05, 0.1, 0.5, 1.0, draw.real(0.0, 1.0))),
    }


def _odd_instance(draw: Draw) -> Instance:
    return {"k": 2 * draw.integer(0, 3) + 1, "s": draw.choice((1e-3, 1.0, draw.real(1e-3, 1.0)))}


def _even_instance(draw: Draw) -> Instance:
    return {"k": 2 * draw.integer(1, 3), "distance": draw.real(1e-3, 0.5)}


def _loss_check(case: Instance) -> Outcome:
    """Compare the problem's potential and gradient at a point with quadrature and differences."""
    from .model import build

    k, s, w = case["k"], case["s"], np.asarray(case["w"])
    length = float(np.linalg.norm(w))
    cosine = 1.0 if length == 0.0 else float(np.clip(w[0] / length, -1.0, 1.0))
    _, weights, sign, score = plane(cosine)
    score = length * score
    square, along = float(weights @ score**2), float((weights * sign) @ score)
    expected = (
        s * (square - 2.0 * along + 1.0) + (1.0 - s) * (square**k - 2.0 * along**k + 1.0)
    ) / 2.0
    values = {"s": s, "phi": 0.0}
    problem = build(k=k)
    step = 1e-5
    slopes = [(loss(w + step * e, k, s) - loss(w - step * e, k, s)) / (2 * step) for e in np.eye(2)]
    scale = 1.0 + abs(expected)
    gap = float(np.max(np.abs(problem.evaluate(w, values) - slopes)))
    return Outcome.every(
        [
            Outcome.close(problem.potential(w, values), expected, tolerance=1e-9 * scale),
            Outcome.at_most(gap, 0.0, tolerance=1e-5 * scale),
        ]
    )


def _target_check(case: Instance) -> Outcome:
    from .model import build

    k, s = case["k"], case["s"]
    problem, values = build(k=k), {"s": s, "phi": 0.0}
    w = np.array([KAPPA, 0.0])
    slope = float(np.max(np.abs(problem.evaluate(w, values))))
    found = np.sort(np.linalg.eigvalsh(problem.jacobian(w, values)))
    expected = np.sort(curvatures(1.0, k, s))
    return Outcome.every(
        [
            Outcome.at_most(slope, 1e-12),
            Outcome.at_most(float(np.max(np.abs(found - expected))), 1e-10),
            Outcome.at_most(1e-9, float(found[0]), detail=f"least curvature {found[0]:.6g}"),
        ]
    )


def _no_bad_minimum_check(case: Instance) -> Outcome:
    """Every critical point that is not as good as the target has a way down, end to end."""
    k, s = case["k"], case.get("s", 0.0)
    best = loss(np.array([KAPPA, 0.0]), k, s)
    outcomes = []
    for a in roots(k, s):
        value = loss(np.array([KAPPA * a, 0.0]), k, s)
        if value <= best + 1e-12:
            outcomes.append(Outcome.close(value, best, tolerance=1e-9))
            continue
        nearby = [
            loss(KAPPA * np.array([a + h * np.cos(t), h * np.sin(t)]), k, s)
            for h in (1e-1, 3e-2, 1e-2)
            for t in np.linspace(0.0, 2 * pi, 16, endpoint=False)
        ]
        drop = value - min(nearby)
        outcomes.append(Outcome.at_most(1e-14, drop, detail=f"a = {a:.6g} falls by {drop:.3g}"))
    return Outcome.every(outcomes)


def _flat_check(case: Instance) -> Outcome:
    """Measure the order in which the end-to-end gradient vanishes at the origin."""
    from .model import build

    problem, values = build(k=case["k"]), {"s": 0.0, "phi": 0.0}
    near, far = (
        float(np.linalg.norm(problem.evaluate(h * np.array([0.6, 0.8]), values)))
        for h in (1e-4, 2e-4)
    )
    order = float(np.log2(far / near))
    return Outcome.close(order, case["k"] - 1.0, tolerance=1e-3)


def _alone_check(case: Instance) -> Outcome:
    found = roots(case["k"], case["s"])
    return Outcome(len(found) == 1, 1.0 - len(found), f"critical points at {found.tolist()}")


def _fold_check(case: Instance) -> Outcome:
    """Count critical points on both sides of the fold."""
    k, distance = case["k"], case["distance"]
    end = fold(k)
    if end is None:
        return Outcome(False, detail=f"no fold for k = {k}")
    below, above = roots(k, end[0] * (1.0 - distance)), roots(k, end[0] * (1.0 + distance))
    detail = f"{len(below)} below, {len(above)} above s = {end[0]:.9g}"
    return Outcome(len(below) == 3 and len(above) == 1, 0.0, detail)


def _pair_check(case: Instance) -> Outcome:
    found = fold(2)
    return Outcome.close(found[0] if found else np.nan, 1.0 / (1.0 + pi), tolerance=1e-13)


def _with_weights(draw: Draw) -> Instance:
    case: dict[str, Any] = dict(_weight_instance(draw))
    case["k"] = min(case["k"], 4)
    case["w"] = draw.choice((np.zeros(2), draw.reals(2, -1.5, 1.5)))
    return case


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="population-loss",
        statement="L = s (|w|^2 - 2 kappa u.w + 1)/2 + (1-s) (|w|^{2k} - 2 (kappa u.w)^k + 1)/2.",
        reference="section 3.1, for linear scores and the squared loss",
        holds_in="k up to 4, every s and w",
        instance=_with_weights,
        check=_loss_check,
        trials=8,
    ),
    Claim(
        key="target-is-a-minimum",
        statement="The weights kappa u are a nondegenerate minimum of L for every s.",
        reference="section 3.1",
        holds_in="k up to 6, every s in [0, 1]",
        instance=_weight_instance,
        check=_target_check,
        trials=8,
    ),
    Claim(
        key="no-bad-minima",
        statement="The failure is not due to local minima: every minimum of L is a best one.",
        reference="section 3.2",
        holds_in="end-to-end learning, s = 0",
        instance=lambda draw: {"k": draw.integer(1, 6)},
        check=_no_bad_minimum_check,
    ),
    Claim(
        key="no-bad-minima-between",
        statement="Adding auxiliary labels to end-to-end learning makes no bad minimum.",
        reference="section 3.1, for weights s between",
        holds_in="every k and s",
        instance=_weight_instance,
        check=_no_bad_minimum_check,
        verdict="false",
        counterexample={"k": 2, "s": 0.1},
        correction=Claim(
            key="wrong-sign-minima",
            statement="For even k a minimum of wrong sign stays until a fold, and no longer.",
            reference="section 3.1, for weights s between",
            holds_in="k = 2, 4, 6",
            instance=_even_instance,
            check=_fold_check,
        ),
        note="The product does not tell u from -u for even k; auxiliary labels do.",
    ),
    Claim(
        key="fold-of-pairs",
        statement="For pairs the fold is at s = 1 / (1 + pi).",
        reference="section 3.1, for weights s between",
        holds_in="k = 2",
        check=_pair_check,
    ),
    Claim(
        key="odd-tuples",
        statement="For odd k and s > 0 the target is the only critical point.",
        reference="section 3.1, for weights s between",
        holds_in="k = 1, 3, 5, 7",
        instance=_odd_instance,
        check=_alone_check,
    ),
    Claim(
        key="flat-origin",
        statement="End to end the gradient vanishes at the origin to order k - 1.",
        reference=f"{PAPER}: gradients are non-informative",
        holds_in="k up to 6",
        instance=lambda draw: {"k": draw.integer(1, 6)},
        check=_flat_check,
        trials=6,
    ),
)
"""The claims."""
