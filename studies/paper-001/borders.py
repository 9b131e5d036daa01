"""Branch A at alpha = 1/2 in the weight of a class and in the place of a datum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, alpha_branches
from contcrit.models.relu_hinge.vertices import chain_rule_holds_zero
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import new_figure, plain, save

ALPHA = 0.5
CASES: dict[str, tuple[str, tuple[float, float], float, dict[str, Any]]] = {
    "weight of class -1": ("mu", (0.2, 0.8), 0.5, {"class_weight": True}),
    "datum at 3 + t": ("t", (-4.0, 2.0), 0.0, {"moving": (4, [1.0])}),
}
"""Parameter, span, start value and constants."""

BESIDE = 1e-6

CONSTANT = 1e-9
"""Hidden weights and biases up to this belong to a constant classifier."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace both, and check the borders of the start's vertex by linear programs beside them."""
    start = alpha_branches()["A"].point(ALPHA)
    measured: dict[str, Any] = {}
    figure = new_figure(9.0, 4.0)
    axes = figure.subplots(1, 2)
    for each, (label, (parameter, span, value, constants)) in zip(axes, CASES.items(), strict=True):
        problem = cc.models.get("relu-hinge").build(
            X=LINE, y=LABELS, output_weights=[1.0], **constants
        )
        branch = cc.trace(
            problem,
            start,
            parameter,
            span,
            values={"alpha": ALPHA, parameter: value},
            direction="both",
            progress=progress,
        )
        branch.save(out / f"borders-{parameter}.nc")
        borders = [point for point in branch.special_points if point.kind == "border"]
        # On a constant classifier multipliers change, but the point does not.
        moving = [point for point in borders if max(abs(point.x[:2])) > CONSTANT]
        measured[label] = {
            "status": [status.name for status in branch.status],
            "borders": sorted({round(point.parameter, 10) for point in moving}),
            "verdicts on the way": sorted(
                {
                    verdict.kind
                    for point in moving
                    for verdict in (point.verdict_before, point.verdict_after)
                    if verdict is not None
                }
            ),
        }
        if parameter == "mu":
            measured[label]["ends"] = [
                [
                    *(float(value) for value in z),
                    cc.classify(problem, z[:3], {"alpha": ALPHA, "mu": z[3]}).kind,
                ]
                for z in (branch.z[0], branch.z[-1])
            ]
            measured[label]["0 is a subgradient at the start's vertex"] = [
                [mu, chain_rule_holds_zero(problem.network({"alpha": ALPHA, "mu": mu}), start)]
                for edge in (23 / 50, 23 / 39)
                for mu in (edge - BESIDE, edge + BESIDE)
            ]
        for k, name in enumerate(("W[0,0]", "b[0]", "c")):
            each.plot(branch[parameter], branch[name], color=PALETTE[k], label=name)
            each.plot(
                [point.parameter for point in borders],
                [point.x[k] for point in borders],
                "D",
                color=PALETTE[k],
                ms=4,
            )
        each.set(xlabel=parameter)
        each.set_title(label, fontsize="medium")
        each.legend(frameon=False, fontsize="small")
    plain(*axes)
    save(figure, out, "borders")
    return measured


STUDY = Study(
    name="paper-001/borders",
    title="A sharp minimum in the weight of a class and in the place of a datum",
    claim=(
        "Section 2 allows any positive weights and data: sharp minima stay where they are, or move "
        "with the kink that they lie on, until they collide with a border."
    ),
    run=run,
)
