"""What the studies of this paper share: verdicts on many points, and the look of figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.relu_hinge.vertices import critical_vertices
from contcrit.plotting import PALETTE, save_figure

Array = np.ndarray

COLOURS = {
    "flat minimum": PALETTE[2],
    "sharp minimum": PALETTE[0],
    "saddle": PALETTE[1],
    "maximum": PALETTE[3],
    "not critical": "0.6",
    "undecided": "0.3",
}
"""A colour for each verdict."""

MARKERS = {"flat minimum": "s", "sharp minimum": "o", "saddle": "x", "maximum": "^"}


def built(scenario: Any, **changes: Any) -> Any:
    """Return the problem of a scenario."""
    return cc.models.get("relu-hinge").build(**{**scenario.constants, **changes})


def judged_vertices(
    problem: Any, values: Mapping[str, float]
) -> tuple[Any, list[tuple[Array, float, str]]]:
    """Return the enumeration at parameter values, and (point, loss, verdict) of its vertices."""
    found = critical_vertices(problem.network(values))
    judged = [
        (x, float(loss), cc.classify(problem, x, values).kind)
        for x, loss in zip(found.points, found.losses, strict=True)
    ]
    return found, judged


def table(judged: Iterable[tuple[Array, float, str]]) -> list[list[Any]]:
    """Return [loss, verdict, how many] by increasing loss."""
    counted = Counter((round(loss, 9), kind) for _, loss, kind in judged)
    return [[loss, kind, count] for (loss, kind), count in sorted(counted.items())]


def plain(*axes: Axes) -> None:
    """Take away the upper and right spines."""
    for each in axes:
        for side in ("top", "right"):
            each.spines[side].set_visible(False)


def draw_data(axes: Axes, X: Array, y: Sequence[int], unsolved: Array) -> None:
    """Draw planar data: a marker for each class, red where the loss is positive."""
    shapes = {1: "o", -1: "^", 0: "o", 2: "s"} if -1 in set(y) else {0: "o", 1: "^", 2: "s"}
    for point, label, missed in zip(X, y, unsolved, strict=True):
        axes.plot(
            *point,
            shapes[int(label)],
            ms=9,
            color="#b2182b" if missed else "#1b7837",
            markeredgecolor="black",
            zorder=3,
        )


def draw_unit(axes: Axes, w: Array, b: float, reach: float, colour: str) -> None:
    """Draw the line of a hidden unit, with a short arrow to the side where it is on."""
    normal = w / np.linalg.norm(w)
    foot = -b / np.linalg.norm(w) * normal
    along = np.array([-normal[1], normal[0]])
    ends = np.array([foot - 3 * reach * along, foot + 3 * reach * along])
    axes.plot(*ends.T, color=colour, lw=1.5)
    axes.annotate(
        "", foot + 0.35 * reach * normal, foot, arrowprops={"arrowstyle": "->", "color": colour}
    )


def new_figure(width: float, height: float) -> Figure:
    """Return a figure whose parts do not overlap."""
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, out: Path, name: str) -> None:
    """Write a figure as PNG."""
    save_figure(figure, out / f"{name}.png")
