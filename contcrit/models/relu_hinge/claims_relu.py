"""Claims about networks without a leak: Theorem 6, Figure 4, the bifurcation at alpha = 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Outcome
from .cells import classify_in_cell
from .claims_instances import (
    Case,
    binary_case,
    criticality_of,
    judged,
    network_of,
    refuted,
    scenario_case,
)
from .scenarios import (
    LABELS,
    LINE,
    alpha_branches,
    figure_4,
)
from .theory import seen_and_unsolved, separation


def _seen_is_solved(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    seen = seen_and_unsolved(network, x)
    if not len(seen):
        return Outcome(None, detail="no unsolved datum is seen")
    return refuted(criticality_of(case)[0], float(len(seen)), f"unsolved and seen {seen}, critical")


def _sees_unsolved(case: Case) -> Outcome:
    constants = {"X": LINE, "y": LABELS, "output_weights": [1.0], "alpha": 0.0}
    network, x = network_of({"constants": constants}), alpha_branches()["B"].point(0.0)
    rho = separation(network.X, network.criterion.directions[:, 0])
    found, seen = judged(network, x), seen_and_unsolved(network, x)
    right = rho == 0.0 and found.kind == "sharp minimum" and len(seen) > 0
    return Outcome(right, detail=f"{found.kind}; unsolved and seen {seen}")


def _figure_4(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    found = classify_in_cell(network, x)
    loss = float(network.loss(x))
    blind = len(seen_and_unsolved(network, x)) == 0
    right = found.kind == "flat minimum" and blind and abs(loss - case["loss"]) < 1e-12
    return Outcome(right, detail=f"{case['label']}: {found.kind} of loss {loss:g}")


def _panel(label: str, output_bias: bool = False) -> dict[str, Any]:
    scenario = figure_4(output_bias)
    case = scenario_case(scenario, label)
    return {**case, "label": label, "loss": scenario.losses[label]}


_SLOPES = {"4b": 1.5 * np.sqrt(2.0), "4c": 2.0 * np.sqrt(3.0)}


def _limit(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    norm = float(np.linalg.norm(network.gradient(x)))
    alpha = case["constants"]["alpha"]
    return Outcome.at_most(norm, 1e-3 * alpha, detail=f"gradient {norm:.3g} at alpha {alpha:g}")


def _residual(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    alpha = case["constants"]["alpha"]
    expected = _SLOPES[case["label"]] * alpha
    norm = float(np.linalg.norm(network.gradient(x)))
    detail = f"gradient {norm:.6g}, expected {expected:.6g}"
    return Outcome.close(norm / expected, 1.0, tolerance=1e-9, detail=detail)


def _leaking(label: str, alpha: float) -> dict[str, Any]:
    case = _panel(label)
    return {**case, "constants": {**case["constants"], "alpha": alpha}}


def _worked_branch(case: Case) -> Outcome:
    branch, alpha = alpha_branches()[case["label"]], case["alpha"]
    constants = {"X": LINE, "y": LABELS, "output_weights": [branch.sign], "alpha": alpha}
    network, x = network_of({"constants": constants}), branch.point(alpha)
    found = judged(network, x)
    inside = branch.interval[0] < alpha < branch.interval[1]
    gap = abs(float(network.loss(x)) - branch.loss(alpha))
    if min(abs(alpha - end) for end in branch.interval) < 1e-4:
        return Outcome(None, detail="at the end of the branch")
    right = (found.kind == "sharp minimum") is inside and gap < 1e-12
    detail = f"{case['label']} at alpha {alpha:.4g}: {found.kind} of loss {branch.loss(alpha):.6g}"
    return Outcome(right, detail=detail)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="relu-unsolved-is-unseen",
        statement="For alpha = 0 and separable data, at a critical point an unsolved datum lies on "
        "the blind side of every active hyperplane.",
        reference="Theorem 6",
        holds_in="one hidden layer, points where kinks meet",
        check=_seen_is_solved,
        instance=lambda draw: binary_case(draw, (0.0,), largest=3),
        trials=40,
    ),
    Claim(
        key="relu-not-separable",
        statement="Theorem 6 needs separable data: the sharp minimum B of six data on a line sees "
        "data that it does not solve.",
        reference="Theorem 6",
        holds_in="alpha = 0, v = 1, data that no hyperplane separates",
        check=_sees_unsolved,
    ),
    Claim(
        key="figure-4",
        statement="The three networks of Figure 4 are local minima of losses 0, 1/2 and 1, and "
        "unsolved data lie on the blind side of both hyperplanes.",
        reference="Figure 4; equation 10",
        holds_in="alpha = 0, no output bias",
        check=_figure_4,
        instance=lambda draw: _panel(draw.choice(("4a", "4b", "4c"))),
        trials=6,
    ),
    Claim(
        key="figure-4-with-bias",
        statement="The three networks of Figure 4 are local minima of the loss (9) with an output "
        "bias too.",
        reference="Figure 4; equation 9",
        holds_in="alpha = 0, c = 0",
        check=_figure_4,
        verdict="false",
        counterexample=_panel("4b", output_bias=True),
        note="With an output bias the dead data of Figure 4b pull at c.",
        correction=Claim(
            key="figure-4-with-bias-ac",
            statement="With an output bias Figures 4a and 4c are local minima, and Figure 4b is "
            "not critical.",
            reference="Figure 4; equation 9",
            holds_in="alpha = 0, c = 0",
            check=lambda case: Outcome.every(
                [
                    _figure_4(_panel("4a", output_bias=True)),
                    _figure_4(_panel("4c", output_bias=True)),
                    refuted(criticality_of(_panel("4b", output_bias=True))[0], 0.0, "4b critical"),
                ]
            ),
        ),
    ),
    Claim(
        key="figure-4-is-a-limit",
        statement="The sub-optimal minima of Figure 4 are limits of critical points as alpha goes "
        "to 0: a bifurcation.",
        reference="Figure 4; section 3, ReLU networks",
        holds_in="alpha > 0",
        check=_limit,
        verdict="false",
        counterexample=_leaking("4b", 1e-3),
        note="They appear at alpha = 0 only. Leaky networks have sub-optimal sharp minima where "
        "data are not separable.",
        correction=Claim(
            key="figure-4-residual",
            statement="For alpha > 0 the gradient at Figures 4b and 4c has norm 3 alpha / sqrt 2 "
            "and 2 sqrt 3 alpha.",
            reference="Figure 4; section 3, ReLU networks",
            holds_in="alpha from 1e-6 to 0.1",
            check=_residual,
            instance=lambda draw: _leaking(
                draw.choice(("4b", "4c")), 10.0 ** draw.real(-6.0, -1.0)
            ),
        ),
    ),
    Claim(
        key="worked-branches",
        statement="Without separability there are sub-optimal sharp minima for alpha in (0, 1), "
        "on the branches A to D in closed form, and no longer beyond their ends.",
        reference="section 3, leaky networks; Theorem 4",
        holds_in="six data on a line, v = 1 or v = -1",
        check=_worked_branch,
        instance=lambda draw: {
            "label": draw.choice(("A", "B", "C", "D")),
            "alpha": draw.real(0.01, 0.99),
        },
    ),
)
"""Claims about networks without a leak."""
