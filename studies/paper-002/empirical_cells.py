"""All critical points of the empirical loss, cell by cell, beside the branches of continuation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.relu_regression.cells import CellComplex, Enumeration
from contcrit.models.relu_regression.losses import Penalty, ReluRegression
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import W_STAR, bare, collision, problem, reference

SEED = 4
LAMS = (0.01, 0.1)
SPAN = (0.0, 1.5)
ENSEMBLES = {"N=10, d=2": (10, 2, 60), "N=6, d=3": (6, 3, 8)}
"""Label -> inputs, dimension, instances."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Enumerate the reference instance and random ones; trace the minimum through its kinks."""
    values: dict[str, Any] = {}
    branches: dict[str, Branch] = {}
    for norm in ("l2", "l1-squared"):
        cells = CellComplex(reference(norm))
        for lam in LAMS:
            values[f"{norm}, lam={lam:g}"] = described(norm, cells.critical_points(lam), lam)
        branch = cc.trace(problem(norm), {"w": W_STAR}, "lam", SPAN, progress=progress)
        branches[norm] = branch
        values[f"branch, {norm}"] = {
            "breakpoints": [special.parameter for special in branch.special_points],
            "kinds": [collision(special) for special in branch.special_points],
            "kinks": [int(special.evidence["kinks"][0]) for special in branch.special_points],
            "verdicts": sorted({str(special.verdict_after) for special in branch.special_points}),
            "largest distance to the enumeration": distance(cells, branch),
        }
    for label, (N, d, count) in ENSEMBLES.items():
        for norm in ("l2", "l1-squared"):
            values[f"{label}, {norm}"] = ensemble(N, d, count, norm)
    draw(out, branches)
    return values


def described(norm: str, found: Enumeration, lam: float) -> dict[str, Any]:
    """Return what was found at one lam, with the general classifier's verdicts."""
    model = problem(norm)
    lowest = found.points[0]
    return {
        "faces": found.faces,
        "complete": found.complete,
        "critical points": [[float(v) for v in np.round(p.w, 12) + 0.0] for p in found.points],
        "verdicts": [str(p.verdict) for p in found.points],
        "verdicts by Clarke's calculus": [
            str(cc.classify(model, p.w, {"lam": lam})) for p in found.points
        ],
        "points on rays": sum(p.face_dimension == 1 for p in found.points),
        "pattern of the minimum is that of w*": bool(
            np.array_equal(lowest.active, reference(norm).active(W_STAR))
        ),
    }


def distance(cells: CellComplex, branch: Branch) -> float:
    """Return how far every fifth point of a branch is from the nearest listed critical point."""
    largest = 0.0
    for k in range(0, len(branch), 5):
        points = cells.critical_points(float(branch["lam"][k])).points
        largest = max(largest, min(float(np.max(np.abs(p.w - branch.z[k, :2]))) for p in points))
    return largest


def ensemble(N: int, d: int, count: int, norm: str) -> dict[str, Any]:
    """Return how many minima and other points random instances have at lam = 0.1."""
    generator = np.random.default_rng(SEED)
    minima: list[int] = []
    rays = undecided = 0
    for _ in range(count):
        data = ReluRegression(
            generator.standard_normal((N, d)), generator.standard_normal(d), Penalty(norm)
        )
        found = CellComplex(data).critical_points(0.1)
        minima.append(len(found.minima))
        rays += any(0 < p.face_dimension < d and not p.w.all() for p in found.points)
        undecided += not found.complete
    return {
        "instances": count,
        "instances by number of minima": [minima.count(k) for k in range(max(minima) + 1)],
        "instances with a sparse critical point": rays,
        "instances not decided completely": undecided,
    }


def draw(out: Path, branches: dict[str, Branch]) -> None:
    figure = Figure(figsize=(8.2, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = {"l2": r"$\ell_2$", "l1-squared": r"squared $\ell_1$"}
    for axes, (norm, branch) in zip(panels, branches.items(), strict=True):
        cells = CellComplex(reference(norm))
        for j in (0, 1):
            axes.plot(branch["lam"], branch.z[:, j], color=PALETTE[j], label=f"$w_{j + 1}$")
            for special in branch.special_points:
                axes.plot(special.parameter, special.x[j], "s", mfc="white", mec="black", ms=5)
        for lam in np.linspace(0.02, SPAN[1], 13):
            for point in cells.critical_points(float(lam)).minima:
                axes.plot([lam] * 2, point.w, ".", color="0.3", ms=4)
        axes.set(xlabel=r"$\lambda$")
        axes.set_title(f"{titles[norm]}; dots: enumeration", fontsize="medium")
        bare(axes)
    panels[0].set_ylabel("weights of the minimum")
    panels[0].legend(frameon=False)
    save_figure(figure, out / "empirical-cells.png")


STUDY = Study(
    name="paper-002/empirical-cells",
    title="All critical points of the empirical loss",
    claim=(
        "Theorems 1 and 3: for small lam the loss has a minimum with the pattern of w*; the paper "
        "says nothing of others."
    ),
    run=run,
    seed=SEED,
)
