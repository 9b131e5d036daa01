"""Softened maxima: smooth folds that tend to a border collision as the temperature falls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import bare
from .border_collisions import NAME, X, Y, five

TEMPERATURES = (0.05, 0.025, 0.0125, 0.00625)
BEGIN = 1.3
BORDER = 0.96
"""Where the maxima themselves have a nonsmooth fold."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace the minimum 3+2 to its fold at each temperature."""
    model = cc.models.get("local-linear")
    start = model.starts(five(), {NAME: BEGIN})["3+2"].unknowns
    soft = model.build(x=X, y=Y, free=[NAME, "eps"], temperature=TEMPERATURES[0])
    branches: dict[float, Branch] = {}
    for eps in TEMPERATURES:
        branches[eps] = cc.trace(
            soft, start, NAME, (0.9, 1.4), values={NAME: BEGIN, "eps": eps}, progress=progress
        )
    folds = [float(branch.of_kind("fold")[0].parameter) for branch in branches.values()]
    shifts = np.array(folds) - BORDER
    scaled = shifts / np.array(TEMPERATURES)
    # shift / eps = c log(1 / eps) + d, if the fold leaves the kink by eps log(1 / eps).
    logs = np.log(1 / np.array(TEMPERATURES))
    slopes = np.diff(scaled) / np.diff(logs)
    draw(out, branches)
    return {
        "special points": {
            f"{eps:g}": [s.kind for s in branch.special_points] for eps, branch in branches.items()
        },
        "verdicts": {
            f"{eps:g}": sorted({str(v) for _, _, v in branch.verdicts})
            for eps, branch in branches.items()
        },
        "fold a": folds,
        "shift over temperature": [float(v) for v in scaled],
        "its slope in log(1 / eps)": [float(v) for v in slopes],
        "order of the shift": [
            float(v) for v in np.diff(np.log(shifts)) / np.diff(np.log(TEMPERATURES))
        ],
    }


def draw(out: Path, branches: dict[float, Branch]) -> None:
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k, (eps, branch) in enumerate(branches.items()):
        colour = PALETTE[k % len(PALETTE)]
        left.plot(branch[NAME], branch["potential"], color=colour, label=f"eps = {eps:g}")
        fold = branch.of_kind("fold")[0]
        right.loglog(eps, fold.parameter - BORDER, "o", color=colour)
    left.axvline(BORDER, color="0.6", lw=0.8, ls=":")
    left.set(xlabel="a", ylabel="V")
    left.set_title("dotted: the nonsmooth fold", fontsize="medium")
    left.legend(frameon=False, fontsize="small")
    right.set(xlabel="temperature", ylabel="fold - border")
    bare(left)
    bare(right)
    save_figure(figure, out / "temperature.png")


STUDY = Study(
    name="paper-000/temperature",
    title="Folds of softened maxima tend to a border collision",
    claim="Section 2: the second term of the Hessian vanishes but for the transitions.",
    run=run,
)
