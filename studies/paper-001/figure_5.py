"""Figure 5: a sub-optimal local minimum of the multiclass loss with an active, unsolved datum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import figure_5
from contcrit.models.relu_hinge.theory import enclosure_bound, seen_and_unsolved, separation
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import built, draw_data, draw_unit, new_figure, plain, save

SEED = 0
DRAWS = 200_000


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Certify both points, and sample the neighbourhood in which the bound holds."""
    scenario = figure_5()
    problem = built(scenario)
    values = {"alpha": 0.0}
    network = problem.network(values)
    y = np.array(scenario.constants["y"])
    rng = np.random.default_rng(SEED)
    measured: dict[str, Any] = {
        "smallest separation of a class from the others": min(
            separation(network.X, np.where(y == r, 1, -1)) for r in range(3)
        )
    }
    figure = new_figure(8.5, 4.0)
    axes = figure.subplots(1, 2)
    for each, (label, blocks) in zip(axes, reversed(scenario.points.items()), strict=True):
        x = problem.pack(**blocks)
        verdict = cc.classify(problem, x, values)
        near = x + 0.2 * rng.uniform(-1, 1, size=(DRAWS, x.size))
        losses = network.loss(near)
        measured[label] = {
            "verdict": verdict.kind,
            "loss": float(network.loss(x)),
            "lower bound around the point": enclosure_bound(network, x),
            "least loss of the samples around it": float(np.min(losses)),
            "unsolved data that an active unit sees": seen_and_unsolved(network, x).tolist(),
        }
        margins = network.switching(x)[-1]
        missed = np.isin(np.arange(len(y)), network.criterion.data[margins > 1e-12])
        draw_data(each, network.X, y, missed)
        draw_unit(each, np.array(blocks["W"][0]), blocks["b"][0], 3.0, PALETTE[0])
        each.set(xlim=(-3, 5), ylim=(-3, 4), aspect="equal")
        each.set_title(f"{label}: loss {measured[label]['loss']:g}", fontsize="medium")
    plain(*axes)
    save(figure, out, "figure-5")
    return measured


STUDY = Study(
    name="paper-001/figure-5",
    title="A multiclass local minimum that sees what it misses",
    claim=(
        "Figure 5: with three or more classes a sub-optimal local minimum may have active yet "
        "unsolved data, so that the analogue of Theorem 6 fails."
    ),
    run=run,
    seed=SEED,
)
