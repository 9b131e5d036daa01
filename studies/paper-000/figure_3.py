"""Figure 3: the flow of two ReLU neurons with target -1, which no output reaches."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import LIMITS, SEED, draw_field, draw_path, follow, pair, starts

Y = -1.0
TIMES = np.linspace(0.0, 6.0, 61)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Follow random starts; measure distances between neighbouring ones, and convexity."""
    problem = pair(Y, "relu")
    values = {"y[0]": Y}
    first = starts(40)
    paths = [follow(problem, z, Y) for z in first]
    rises = []
    for one, other in pairwise(paths):
        distance = np.linalg.norm(one(TIMES) - other(TIMES), axis=1)
        rises.append(float(np.max(np.diff(distance))))
    half = [problem.potential((a + b) / 2, values) for a, b in pairwise(first)]
    ends = [problem.potential(z, values) for z in first]
    excess = [m - (a + b) / 2 for m, (a, b) in zip(half, pairwise(ends), strict=True)]
    draw(out, problem, paths)
    return {
        "largest z at the end": float(max(np.max(path.end) for path in paths)),
        "smallest and largest V at the end": [
            float(f(problem.potential(path.end, values) for path in paths)) for f in (min, max)
        ],
        "largest rise of a distance": max(rises),
        "largest excess over convexity": float(max(excess)),
        "verdict in the quadrant": str(cc.classify(problem, [-1.0, -0.5], values)),
        "verdict at the origin": str(cc.classify(problem, [0.0, 0.0], values)),
    }


def draw(out: Path, problem: Any, paths: list[Any]) -> None:
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.fill_between([LIMITS[0], 0], LIMITS[0], 0, color="0.92")
    draw_field(axes, problem, Y)
    for path in paths[:14]:
        draw_path(axes, path)
    axes.set_title("two ReLUs, y = -1: V is convex, its minimum a quadrant", fontsize="medium")
    save_figure(figure, out / "figure-3.png")


STUDY = Study(
    name="paper-000/figure-3",
    title="Flow of two ReLU neurons with target -1",
    claim="Figure 3: all trajectories move to the lower left corner and freeze there.",
    run=run,
    seed=SEED,
)
