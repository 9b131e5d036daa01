"""Figure 4: three local minima of two ReLUs, and what an output bias changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import figure_4
from contcrit.models.relu_hinge.theory import seen_and_unsolved
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import built, draw_data, draw_unit, new_figure, plain, save


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Certify the three points, with and without an output bias."""
    measured: dict[str, Any] = {}
    figure = new_figure(10.5, 3.6)
    axes = figure.subplots(1, 3)
    for bias in (False, True):
        scenario = figure_4(output_bias=bias)
        problem = built(scenario)
        values = {"alpha": 0.0}
        network = problem.network(values)
        for each, (label, blocks) in zip(axes, scenario.points.items(), strict=True):
            x = problem.pack(**blocks)
            verdict = cc.classify(problem, x, values)
            margins = network.switching(x)[-1]
            measured[f"{label}, output bias" if bias else label] = {
                "verdict": verdict.kind,
                "loss": float(network.loss(x)),
                "unsolved data": int(np.sum(margins > 0)),
                "unsolved data seen by a used unit": len(seen_and_unsolved(network, x)),
                "norm of the gradient": float(np.linalg.norm(network.gradient(x))),
            }
            if bias:
                continue
            draw_data(each, network.X, scenario.constants["y"], margins > 0)
            for k in range(2):
                draw_unit(each, np.array(blocks["W"][k]), blocks["b"][k], 4.0, PALETTE[k])
            each.set(xlim=(-7, 7), ylim=(-7, 7), aspect="equal")
            each.set_title(f"{label}: loss {measured[label]['loss']:g}", fontsize="medium")
    plain(*axes)
    save(figure, out, "figure-4")
    return measured


STUDY = Study(
    name="paper-001/figure-4",
    title="Three local minima of a network with two ReLUs",
    claim=(
        "Figure 4 and Theorem 6: sub-optimal local minima at alpha = 0, whose unsolved data all "
        "lie on the blind side of every active unit."
    ),
    run=run,
)
