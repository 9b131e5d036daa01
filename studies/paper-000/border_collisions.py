"""Five data: a nonsmooth fold and a persistent border collision of isolated critical points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import bare, collision, tidy

NAME = "y[2]"
X, Y = [-2, -1, 0, 1, 2], [2, 1, 1.1, 1, 1.2]
"""The middle target, a = y[2], is moved."""

BEGIN = {"3+2": (1.1, (0.0, 1.45)), "2+3": (0.5, (-3.0, 1.0))}
"""Assignment -> where it is begun, and a span on which no family of solutions is met."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace both assignments of the middle datum, and compare with lists of all points."""
    problem = five()
    model = cc.models.get("local-linear")
    branches: dict[str, Branch] = {}
    for name, (a, span) in BEGIN.items():
        start = model.starts(problem, {NAME: a})[name]
        branches[name] = cc.trace(
            problem, start.unknowns, NAME, span, values={NAME: a}, progress=progress
        )
    values: dict[str, Any] = {name: described(branch) for name, branch in branches.items()}
    values["isolated points at a"] = {
        f"{a:g}": [
            f"{label}: {start.note}"
            for label, start in model.starts(problem, {NAME: a}).items()
            if start.note.endswith("isolated") and "exchanged" not in label
        ]
        for a in (-0.5, 0.5, 1.1, 1.6)
    }
    draw(out, branches)
    return values


def five() -> Any:
    """Return two maxima with five data."""
    return cc.models.get("local-linear").build(x=X, y=Y, free=[NAME])


def described(branch: Branch) -> dict[str, Any]:
    return {
        "collisions": [[float(s.parameter), collision(s)] for s in branch.of_kind("border")],
        "digits": [min(s.digits, 9) for s in branch.of_kind("border")],
        "verdicts": [str(verdict) for _, _, verdict in branch.verdicts],
        "statuses": [status.name for status in branch.status],
        "span of a": tidy([np.min(branch[NAME]), np.max(branch[NAME])]),
    }


def draw(out: Path, branches: dict[str, Branch]) -> None:
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for k, (name, branch) in enumerate(branches.items()):
        for first, last, verdict in branch.verdicts:
            rows = slice(first, last + 1)
            stable = verdict is not None and verdict.kind.endswith("minimum")
            axes.plot(
                branch[NAME][rows], branch["potential"][rows], "-" if stable else "--",
                color=PALETTE[k], label=name if stable else None,
            )  # fmt: skip
        for special in branch.of_kind("border"):
            axes.plot(special.parameter, cost_at(special), "s", mfc="white", mec="black", ms=5)
    axes.set(xlabel="a", ylabel="V", xlim=(-1.0, 2.0), ylim=(-0.01, 0.35))
    axes.set_title("solid: minima; squares: border collisions", fontsize="medium")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), frameon=False, fontsize="small")
    bare(axes)
    save_figure(figure, out / "border-collisions.png")


def cost_at(special: Any) -> float:
    return float(five().potential(special.x, {NAME: special.parameter}))


STUDY = Study(
    name="paper-000/border-collisions",
    title="Border collisions between isolated critical points of two maxima",
    claim="Section 2.2: neurons pass from one linear region to its neighbour.",
    run=run,
)
