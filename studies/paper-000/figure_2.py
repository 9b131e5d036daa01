"""Figure 2: the flow of two ReLU neurons with target 1, its solutions and its frozen quadrant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.local_linear.theory import relu_pair_flow
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import LIMITS, SEED, draw_field, draw_path, follow, pair, starts

Y = 1.0
SOLUTIONS = {"both": (0.3, 0.7), "first": (1.0, -1.5), "second": (-0.5, 1.0)}
"""One point of each of the three families with V = 0."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Follow random starts, classify one point of each family, and draw."""
    problem = pair(Y, "relu")
    values = {"y[0]": Y}
    first = starts(60)
    paths = [follow(problem, z, Y) for z in first]
    costs = np.array([problem.potential(path.end, values) for path in paths])
    frozen = np.all(first <= 0, axis=1)
    inner = follow(problem, [0.4, 0.1], Y, 1.0)
    moved = inner(np.array([0.0, 1.0]))
    sums = moved.sum(axis=1) - Y
    worst = max(
        float(np.max(np.abs(path(t) - relu_pair_flow(z, Y, t))))
        for z, path in zip(first, paths, strict=True)
        for t in (0.3, 1.0, 3.0)
    )
    draw(out, problem, paths)
    return {
        "verdicts of solutions": {
            name: str(cc.classify(problem, z, values)) for name, z in SOLUTIONS.items()
        },
        "V of solutions": [float(problem.potential(z, values)) for z in SOLUTIONS.values()],
        "verdict in the quadrant": str(cc.classify(problem, [-1.0, -0.5], values)),
        "V in the quadrant": float(problem.potential([-1.0, -0.5], values)),
        "starts in the quadrant": int(np.sum(frozen)),
        "of these frozen": int(np.sum(costs[frozen] == 0.5)),
        "largest V at the end of the others": float(np.max(costs[~frozen])),
        "rate of the sum": float(np.log(sums[0] / sums[1])),
        "change of the difference": float(np.diff(moved[1] - moved[0])[0]),
        "largest deviation from the closed form": worst,
    }


def draw(out: Path, problem: Any, paths: list[Any]) -> None:
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.fill_between([LIMITS[0], 0], LIMITS[0], 0, color="0.92")
    draw_field(axes, problem, Y)
    for path in paths[:12]:
        draw_path(axes, path)
    axes.plot([LIMITS[0], 0, 1, 1], [1, 1, 0, LIMITS[0]], "k", lw=2)
    axes.set_title("two ReLUs, y = 1: frozen quadrant, V = 0 on the line", fontsize="medium")
    save_figure(figure, out / "figure-2.png")


STUDY = Study(
    name="paper-000/figure-2",
    title="Flow of two ReLU neurons with target 1",
    claim="Figure 2: the lower left corner is separated; learning can be stuck there.",
    run=run,
    seed=SEED,
)
