"""Claims about Clarke's set, deep linear and leaky networks: Theorems 4 and 5."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    LEAKY,
    Case,
    binary_case,
    criticality_of,
    drawn_positions,
    judged,
    network_of,
    refuted,
    sampled,
    scenario_case,
)
from .network import HingeNetwork
from .scenarios import (
    chain_rule_counterexample,
    deep_linear,
    unequal_classes,
)
from .theory import subgradient_bound

SOLVED = 1e-9
"""A loss below this counts as zero."""


# ---- Clarke's set --------------------------------------------------------------------------------


def _minima_are_critical(case: Case) -> Outcome:
    evidence = judged(network_of(case), case["x"]).evidence
    if evidence.get("local_minimum") is not True:
        return Outcome(None, detail="no local minimum")
    critical = evidence.get("critical")
    return Outcome(critical, detail=f"a local minimum, critical: {critical}")


def _chain_rule(case: Case) -> Outcome:
    """Compare a chain-rule subgradient with Clarke's set, by the distance of both to 0."""
    network, x = network_of(case), case["x"]
    norm = float(np.linalg.norm(network.gradient(x, case["positions"])))
    evidence = judged(network, x).evidence
    nearest = evidence.get("hull_distance")
    if nearest is None:
        nearest = 0.0 if evidence.get("critical") else evidence.get("gradient_norm", np.nan)
    detail = f"subgradient of norm {norm:.6g}, Clarke's set at distance {nearest:.6g}"
    return Outcome.at_most(nearest, norm, tolerance=1e-9, detail=detail)


def _chain_rule_zero() -> dict[str, Any]:
    """Return the kink where positions exist whose chain-rule subgradient vanishes."""
    case = scenario_case(chain_rule_counterexample(), "kink")
    # Of the twins at the kink, the unit is off at the +1 datum and on at the other.
    positions = [np.array([0.0, 1.0, 1.0, 1.0, 0.0]), np.ones(5)]
    return {**case, "positions": positions}


def _limits_are_gradients(case: Case) -> Outcome:
    """Check that gradients close to the kink are one vector, of norm 1 / (6 sqrt 2)."""
    network, x = network_of(case), case["x"]
    near = x + 1e-7 * sampled(network, case["seed"], 50)
    gradients = network.gradient(near)
    spread = float(np.max(np.ptp(gradients, axis=0)))
    expected = 1.0 / (6.0 * np.sqrt(2.0))
    gap = float(np.max(np.abs(np.linalg.norm(gradients, axis=1) - expected)))
    return Outcome.at_most(max(spread, gap), 1e-6, detail=f"spread {spread:.2g}")


# ---- scenario 1: deep linear networks ------------------------------------------------------------


def least_linear_loss(network: HingeNetwork) -> float:
    """Return the least hinge loss of a linear classifier, by a linear program."""
    count, d = network.X.shape
    signs = network.criterion.directions[:, 0]
    rows = np.hstack(
        [-signs[:, None] * np.hstack([network.X, np.ones((count, 1))]), -np.eye(count)]
    )
    found = linprog(
        np.concatenate([np.zeros(d + 1), network.criterion.weights]),
        A_ub=rows,
        b_ub=-np.ones(count),
        bounds=[(None, None)] * (d + 1) + [(0.0, None)] * count,
        method="highs",
    )
    return float(found.fun)


def _linear_minima(case: Case) -> Outcome:
    network = network_of(case)
    gap = float(network.loss(case["x"])) - least_linear_loss(network)
    if gap <= 1e-7:
        return Outcome(None, gap, "a global minimum")
    return refuted(criticality_of(case)[1], gap, f"{gap:.3g} above the least loss, local minimum")


def _linear_unequal() -> dict[str, Any]:
    case = scenario_case(unequal_classes(0.3), "constant")
    return {**case, "constants": {**case["constants"], "alpha": 1.0}}


# ---- Theorems 4 and 5: leaky networks ------------------------------------------------------------


def _bounded_below(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    norm = float(np.linalg.norm(network.gradient(x, case["positions"])))
    bound = subgradient_bound(network, x, case["positions"])
    return Outcome.at_most(bound, norm, tolerance=1e-9 * (1.0 + norm))


def _with_positions(draw: Draw, **options: Any) -> dict[str, Any]:
    case = binary_case(draw, **options)
    return {**case, "positions": drawn_positions(draw, network_of(case), case["x"])}


def _zero_or_global(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    loss = float(network.loss(x))
    if loss <= SOLVED or not np.any(network.output(x)[0]):
        return Outcome(None, loss, "v = 0, or a global minimum")
    return refuted(criticality_of(case)[0], loss, f"v != 0, loss {loss:.4g}, critical")


def _vertices_are_global(case: Case) -> Outcome:
    from .vertices import critical_vertices

    found = critical_vertices(network_of(case))
    if not found.complete or not len(found.losses):
        return Outcome(None, detail=found.statement)
    return Outcome.at_most(float(np.max(found.losses)), SOLVED)


def _slice(draw: Draw) -> dict[str, Any]:
    case = binary_case(draw, LEAKY, units=1)
    return {"constants": {**case["constants"], "output_weights": [draw.choice((1.0, -1.0))]}}


def _local_is_global(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    loss = float(network.loss(x))
    if loss <= SOLVED:
        return Outcome(None, loss, "a global minimum")
    return refuted(criticality_of(case)[1], loss, f"loss {loss:.4g}, local minimum")


def _constant_classifier(case: Case) -> Outcome:
    mu = float(case["weight"])
    if abs(mu - 0.5) < 1e-6:
        return Outcome(None, detail="equal weights")
    found = judged(network_of(case), case["x"])
    sharp = found.kind == "sharp minimum"
    return Outcome(sharp is (mu < 0.5), abs(mu - 0.5), f"mu = {mu:.4g}: {found.kind}")


def _weighted(mu: float) -> dict[str, Any]:
    return {**scenario_case(unequal_classes(mu), "constant"), "weight": mu}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="minima-are-critical",
        statement="Every local minimum is critical in the sense of Clarke.",
        reference="Definition 2, the text after it; equation 8",
        holds_in="one hidden layer, points where kinks meet, separable data or not",
        check=_minima_are_critical,
        instance=lambda draw: binary_case(draw, apart=False, largest=3, units=1),
        trials=30,
    ),
    Claim(
        key="chain-rule",
        statement="Every subgradient that the chain rule gives is one of Clarke's.",
        reference="Definition 2; equation 9",
        holds_in="one hidden layer",
        check=_chain_rule,
        verdict="false",
        counterexample=_chain_rule_zero(),
        note="Not printed, but assumed where subgradients are computed by backpropagation.",
        correction=Claim(
            key="chain-rule-set-is-larger",
            statement="At a kink where the chain rule offers 0 the loss may have a gradient, here "
            "of norm 1 / (6 sqrt 2).",
            reference="Definition 2; equation 9",
            holds_in="five data on a line, one unit, alpha = 0",
            check=_limits_are_gradients,
            instance=lambda draw: {
                **scenario_case(chain_rule_counterexample(), "kink"),
                "seed": draw.integer(0, 2**32 - 1),
            },
        ),
    ),
    Claim(
        key="deep-linear",
        statement="For alpha = 1 every local minimum is a global one, whatever the data and their "
        "weights.",
        reference="section 3, theorem 100 of the appendix; section 1, scenario 1",
        holds_in="one hidden layer",
        check=_linear_minima,
        verdict="false",
        counterexample=_linear_unequal(),
        note="As the text states it. With a class of weight below 1/2, v = 0 and a unit that does "
        "not separate, the constant classifier is a sharp local minimum for alpha = 1 too.",
        correction=Claim(
            key="deep-linear-equal-weights",
            statement="For alpha = 1 and classes of equal weight every local minimum is a global "
            "one, for separable data or not.",
            reference="section 3, theorem 100 of the appendix; section 1, scenario 1",
            holds_in="one hidden layer, points where kinks meet, v = 0 included",
            check=_linear_minima,
            instance=lambda draw: binary_case(
                draw, (1.0,), apart=False, equal=True, vanishing=draw.choice((True, False))
            ),
            trials=40,
        ),
    ),
    Claim(
        key="deep-linear-scenario",
        statement="The zero network is a saddle of loss 1, and the networks of least loss on the "
        "two data sets on a line are local minima of loss 0 and 2/3.",
        reference="section 3, theorem 100 of the appendix; section 1, scenario 1",
        holds_in="alpha = 1, one unit, two and three data",
        check=lambda case: Outcome.every(
            [
                Outcome(
                    judged(network, x).kind == kind and abs(float(network.loss(x)) - loss) < 1e-12,
                    detail=f"{kind} of loss {loss:.6g}",
                )
                for scenario, label, kind in (
                    ("separable", "zero", "saddle"),
                    ("separable", "global", "flat minimum"),
                    ("not separable", "global", "sharp minimum"),
                )
                for one in [deep_linear()[scenario]]
                for network in [network_of({"constants": dict(one.constants)})]
                for x, loss in [(network.pack(**one.points[label]), one.losses[label])]
            ]
        ),
    ),
    Claim(
        key="subgradient-bound",
        statement="Every chain-rule subgradient has at least the norm rho sqrt(sum_k (|v_k| sum of "
        "mu_i p_i s_ik)^2), with margin positions p_i and unit slopes s_ik.",
        reference="Theorem 4 and Theorem 6, in quantitative form",
        holds_in="separable data, one hidden layer, any positions at kinks",
        check=_bounded_below,
        instance=_with_positions,
        trials=60,
    ),
    Claim(
        key="leaky-zero-or-global",
        statement="For alpha > 0 and separable data, a critical point has v = 0 or loss 0.",
        reference="Theorem 4",
        holds_in="one hidden layer, points where kinks meet",
        check=_zero_or_global,
        instance=lambda draw: binary_case(draw, LEAKY, largest=3),
        trials=40,
    ),
    Claim(
        key="leaky-vertices-are-global",
        statement="For alpha > 0 and separable data, no vertex of positive loss is critical on the "
        "slice v = 1 or v = -1.",
        reference="Theorem 4",
        holds_in="one unit, all vertices of the piecewise linear loss",
        check=_vertices_are_global,
        instance=_slice,
        trials=8,
    ),
    Claim(
        key="leaky-local-is-global",
        statement="For alpha > 0, separable data and classes of equal weight every local minimum "
        "has loss 0.",
        reference="Theorem 5; Main Result 2",
        holds_in="one hidden layer, points where kinks meet, mostly with v = 0",
        check=_local_is_global,
        instance=lambda draw: binary_case(
            draw, LEAKY, largest=3, equal=True, vanishing=draw.choice((True, True, False))
        ),
        trials=30,
    ),
    Claim(
        key="leaky-is-trivial",
        statement="The loss surface is trivial when 0 < alpha <= 1: local minima are global.",
        reference="Theorem 5, the text after it",
        holds_in="separable data, any weights",
        check=_local_is_global,
        verdict="false",
        counterexample=_weighted(0.3),
        note="The sentence leaves out that the classes must weigh the same.",
        correction=Claim(
            key="constant-classifier",
            statement="The constant classifier of scenario 2 is a sharp local minimum, of loss 2 "
            "mu, exactly if class -1 weighs less than 1/2.",
            reference="Theorem 5",
            holds_in="three data in the plane, alpha = 1/2",
            check=_constant_classifier,
            instance=lambda draw: _weighted(draw.choice((0.1, 0.3, 0.49, 0.5, 0.51, 0.8))),
        ),
    ),
)
"""Claims about Clarke's set and leaky networks."""
