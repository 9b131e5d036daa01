"""All solutions of Example 1 at fixed lam, searched for without any branch, against traced ones."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import LOWEST, SMOOTH, Array, at, example_1, index_colour
from .isolated_families import limits

SEED = 0
CASES = {0.1: (9.0, 128), 0.05: (14.0, 256)}
"""Values of lam, with half the width of the box of all entries and the number of starts."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Search at both lam, and match what is found with the traced families by cost."""
    problem, branches, _ = example_1(span=(LOWEST, 1.0), progress=progress)
    values: dict[str, Any] = {}
    shown = {}
    for lam, (width, starts) in CASES.items():
        # The result does not depend on the executor.
        with ProcessPoolExecutor(2) as executor:
            found = cc.find(
                problem,
                (-width, width),
                {"lam": lam},
                settings=cc.Settings(search_starts=starts, seed=SEED),
                executor=executor,
            )
        points = sorted((entry(problem, x, lam) for x in found), key=lambda item: item["cost"])
        traced = [x for branch in branches.values() for x in at(branch, lam)]
        isolated = isolated_points(problem, lam, progress)
        costs = [item["cost"] for item in points]
        values[f"lam={lam:g}"] = {
            "found": len(points),
            "believed complete": found.believed_complete,
            "why": found.why,
            "costs": costs,
            "indices": [item["index"] for item in points],
            "normalities": [item["normality"] for item in points],
            "traced by switching": len(traced),
            "traced on isolated families": len(isolated),
            "largest distance of costs": unmatched(
                costs, [entry(problem, x, lam)["cost"] for x in (*traced, *isolated)]
            ),
        }
        shown[lam] = points
    draw(out, shown)
    return values


def entry(problem: Any, x: Array, lam: float) -> dict[str, Any]:
    """Return what is said of one solution."""
    return {
        "cost": problem.observables["cost"](x, {"lam": lam}),
        "index": cc.classify(problem, x, {"lam": lam}).index,
        "normality": problem.observables["normality"](x, {"lam": lam}),
    }


def isolated_points(problem: Any, lam: float, progress: Any) -> list[Array]:
    """Return the solutions at lam on families that meet no normal branch."""
    points = []
    for C in limits().values():
        branch = cc.trace(
            problem, C.ravel(), "lam", (LOWEST, 0.5), settings=SMOOTH, direction="forward",
            classify=False, progress=progress,
        )  # fmt: skip
        points += at(branch, lam)
    return points


def unmatched(found: list[float], expected: list[float]) -> float | str:
    """Return the largest distance of matched costs, or a text where their numbers differ."""
    if len(found) != len(expected):
        return f"{len(found)} found, {len(expected)} traced"
    return float(np.max(np.abs(np.sort(found) - np.sort(expected))))


def draw(out: Path, shown: dict[float, list[dict[str, Any]]]) -> None:
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    panels = figure.subplots(ncols=len(shown))
    for axes, (lam, points) in zip(panels, shown.items(), strict=True):
        for item in points:
            axes.plot(item["normality"], item["cost"], "o", ms=8, color=index_colour(item["index"]))
            axes.annotate(
                str(item["index"]), (item["normality"], item["cost"]), xytext=(6, 4),
                textcoords="offset points", fontsize="small",
            )  # fmt: skip
        axes.set(xlabel=r"$\Vert [C, C^\top] \Vert$", ylabel="cost $J$")
        axes.set_title(
            rf"$\lambda = {lam:g}$: {len(points)} solutions, with index", fontsize="medium"
        )
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    save_figure(figure, out / "all-solutions.png")


STUDY = Study(
    name="paper-004/all-solutions",
    title="All solutions of Example 1 at lam = 0.1 and 0.05",
    claim=(
        "Example 1: above the largest turning point only the principal solution, below it a pair "
        "for each n."
    ),
    run=run,
    seed=SEED,
)
