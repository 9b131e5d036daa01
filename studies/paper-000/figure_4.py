"""Figure 4: the flow of two switching neurons with target 1; sliding, and the slit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.local_linear.theory import path_distance, switching_pair_flow
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import LIMITS, SEED, Array, draw_field, draw_path, follow, pair, starts

Y = 1.0
EPSILONS = (1e-2, 1e-4, 1e-6)
TIMES = np.linspace(0.0, 8.0, 81)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Measure the flow of the maximum and of the minimum, and draw the maximum."""
    figure = Figure(figsize=(8.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    values = {
        "max": measured(panels[0], Y, 1),
        "min": measured(panels[1], Y, -1),
    }
    save_figure(figure, out / "figure-4.png")
    return values


def measured(axes: Axes, y: float, sign: int) -> dict[str, Any]:
    """Return what is measured of a switching pair; draw its flow."""
    problem = pair(y, sign=sign)
    values = {"y[0]": y}
    first = starts(30)
    paths = [follow(problem, z, y) for z in first]
    sliding = follow(problem, [y + sign * 1.0, y + sign * 0.8], y, 6.0)
    slide = sliding.of_kind("slide")[0]
    late = sliding(np.array([slide.time, 6.0])) - y
    gaps = [
        float(np.max(np.abs(path(t) - switching_pair_flow(z, y, t, sign))))
        for z, path in zip(first, paths, strict=True)
        for t in (0.3, 1.0, 3.0)
    ]
    draw(axes, problem, y, sign, paths)
    on_slit = [y - 1.5 * sign] * 2
    return {
        "largest V at the end": float(max(problem.potential(p.end, values) for p in paths)),
        "sliding rate": float(np.log(late[0, 0] / late[1, 0]) / (6.0 - slide.time)),
        "sliding z_1 - z_2": float(np.max(np.abs(late[:, 0] - late[:, 1]))),
        "largest deviation from the closed form": max(gaps),
        "distance at first and at last": {
            f"e = {e:g}": list(growth(problem, y, sign, e)) for e in EPSILONS
        },
        "largest rise of a path length": rises(first, paths, y, sign),
        "verdict at the tip": str(cc.classify(problem, [y, y], values)),
        "verdict beside the tip": str(cc.classify(problem, [y, y - sign], values)),
        "verdict on the slit": str(cc.classify(problem, on_slit, values)),
    }


def growth(problem: Any, y: float, sign: int, epsilon: float) -> tuple[float, float]:
    """Return the distance of two starts on either side of the slit, and that of their limits."""
    foot = np.full(2, y - sign)
    apart = np.array([epsilon, -epsilon])
    ends = [follow(problem, foot + side * apart, y).end for side in (1, -1)]
    return float(np.linalg.norm(2 * apart)), float(np.linalg.norm(ends[0] - ends[1]))


def rises(first: Array, paths: list[Any], y: float, sign: int) -> float:
    """Return the largest rise in time of a shortest path that avoids the slit."""
    worst = -np.inf
    for k in range(len(paths) - 1):
        one, other = paths[k](TIMES), paths[k + 1](TIMES)
        lengths = [path_distance(a, b, y, sign) for a, b in zip(one, other, strict=True)]
        worst = max(worst, float(np.max(np.diff(lengths))))
    return worst


def draw(axes: Axes, problem: Any, y: float, sign: int, paths: list[Any]) -> None:
    draw_field(axes, problem, y)
    for path in paths[:10]:
        draw_path(axes, path)
    low = LIMITS[0] if sign > 0 else LIMITS[1]
    axes.plot([y, low], [y, low], "k--", lw=1.5)
    axes.plot([low, y, y], [y, y, low], "k", lw=2)
    name = "max" if sign > 0 else "min"
    axes.set_title(f"{name}, y = {y:g}; dashed: the kink that repels", fontsize="medium")


STUDY = Study(
    name="paper-000/figure-4",
    title="Flow of two switching neurons with target 1",
    claim=(
        "Figure 4: all regions are semi-contracting except the 45-degree line where yhat < y; no "
        "region is frozen."
    ),
    run=run,
    seed=SEED,
)
