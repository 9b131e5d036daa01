"""Critical points of one unit on parity data, continued in leak, weight decay and target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare

TIED = {"d": 4, "output_weights": [1.0], "alpha": 0.25, "tied": True}
MIXED = {"d": 2, "output_weights": [1.0], "alpha": 0.25, "other": [1, 0], "ridge": True}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace all starts of three problems in one parameter each."""
    figure = Figure(figsize=(12.0, 3.8), layout="constrained")
    panels = figure.subplots(1, 3)
    values = {
        "leak": follow(panels[0], TIED, "alpha", (0.0, 0.95), progress),
        "weight decay": follow(panels[1], {**TIED, "ridge": True}, "lam", (1e-4, 0.1), progress),
        "mixture": follow(panels[2], MIXED, "s", (0.0, 1.0), progress),
    }
    panels[0].set(xlabel=r"leak $\alpha$", ylabel="loss", title="d = 4, tied: leak")
    panels[1].set(xlabel=r"weight decay $\lambda$", title="d = 4, tied: decay")
    panels[2].set(xlabel="share s of the other target", title="d = 2: two targets")
    for axes in panels:
        bare(axes)
    save_figure(figure, out / "parity-branches.png")
    return values


def follow(
    axes: Axes, constants: dict[str, Any], parameter: str, span: tuple[float, float], progress: Any
) -> dict[str, Any]:
    """Trace from every start, and return verdicts, borders, and the loss at both ends."""
    model = cc.models.get("parity")
    problem: Any = model.build(**constants)
    values: dict[str, Any] = {}
    for k, (label, start) in enumerate(model.starts(problem).items()):
        branch = cc.trace(
            problem, start.unknowns, parameter, span, values=start.values, direction="both",
            progress=progress,
        )  # fmt: skip
        points = branch.z[:, : problem.size]
        losses = np.array(
            [
                float(problem.potential(x, {**start.values, parameter: value}))
                for x, value in zip(points, branch[parameter], strict=True)
            ]
        )
        residual = max(
            float(np.max(np.abs(problem.evaluate(x, {**start.values, parameter: value}))))
            for x, value in zip(points, branch[parameter], strict=True)
        )
        axes.plot(branch[parameter], losses, color=PALETTE[k], linewidth=1.2, label=label)
        borders = [
            special for special in branch.of_kind("border")
            if special.evidence["collision"] != "persistence" or special.parameter > span[0]
        ]  # fmt: skip
        for special in borders:
            at = {**start.values, parameter: special.parameter}
            axes.plot(special.parameter, float(problem.potential(special.x, at)), "k.", ms=5)
        values[label] = {
            "verdicts": list(dict.fromkeys(verdict.kind for _, _, verdict in branch.verdicts)),
            "borders": [[s.parameter, str(s.evidence["collision"])] for s in borders],
            "reached": [float(np.min(branch[parameter])), float(np.max(branch[parameter]))],
            "loss at the ends": [float(losses[0]), float(losses[-1])],
            "largest residual": residual,
        }
    axes.legend(frameon=False, fontsize="x-small")
    return values


STUDY = Study(
    name="paper-003/parity-branches",
    title="Sharp minima on parity data",
    claim=(
        "Sections 1 and 5: what makes parities hard is not the stationary points; on the ReLU "
        "hinge model they exist, and can be continued."
    ),
    run=run,
)
