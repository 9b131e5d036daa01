"""Critical points of the population loss against lam: shrinking minima and nonsmooth folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

import contcrit as cc
from contcrit.models.relu_regression.losses import Penalty, PopulationRegression
from contcrit.models.relu_regression.theory import (
    critical_angle,
    in_region,
    lyapunov_derivative,
    population_solution,
    solution,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import W_STAR, Array, bare, collision, reference

BOX = ((-0.2, 1.0), (0.02, 1.0))
"""Where critical points are searched for: both sides of the axis w_1 = 0, off the origin."""

CASES = {"l1-squared": (2.0, (0.0, 4.0)), "l1": (0.9, (0.0, 0.99))}
"""Norm -> where to search, and the span to trace over."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Search at one lam, trace what is found, and test Theorems 2 and 4 on a grid."""
    values: dict[str, Any] = {"l2": smooth(progress), "critical angle": critical_angle()}
    diagrams: dict[str, list[Branch]] = {}
    for norm, (lam, span) in CASES.items():
        values[norm], diagrams[norm] = kinked(norm, lam, span, progress)
    minimum, sparse = (diagrams["l1-squared"][k] for k in (0, 1))
    values["l1-squared"]["lam from which sparse minima are global"] = crossing(minimum, sparse)
    for norm in CASES:
        fold = values[norm]["nonsmooth fold lam"]
        values[norm] |= {
            "largest rate of V in the ball at 0.98 of the fold": largest_rate(norm, 0.98 * fold),
            "largest rate of V in the ball at 1.02 of the fold": largest_rate(norm, 1.02 * fold),
        }
    values["empirical solution with the population law"] = mixed()
    draw(out, diagrams)
    return values


def smooth(progress: Any) -> dict[str, Any]:
    """Trace the minimum for l2 under both signs."""
    model = cc.models.get("relu-regression")
    found: dict[str, Any] = {}
    for name, sign, last in (("correct sign", -1, 4.0), ("printed sign", 1, 0.6)):
        problem = model.build(w_star=W_STAR, regularisation_sign=sign, population=True)
        branch = cc.trace(problem, {"w": W_STAR}, "lam", (0.0, last), progress=progress)
        factor = 1 - 2 * sign * branch["lam"]
        error = branch.z[:, 0] * factor - 1.0
        found[name] = {
            "special points": len(branch.special_points),
            "largest relative error of w* / (1 +- 2 lam)": float(np.max(np.abs(error))),
            "largest lam reached": float(np.max(branch["lam"])),
        }
        if sign == 1:
            # |solution - w*| = |w*| there.
            excess = np.linalg.norm(branch.z[:, :2] - W_STAR, axis=1) - np.linalg.norm(W_STAR)
            roots = CubicSpline(branch["lam"], excess).roots(extrapolate=False)
            found[name]["lam where the solution leaves the ball"] = float(roots[0])
    return found


def kinked(
    norm: str, lam: float, span: tuple[float, float], progress: Any
) -> tuple[dict[str, Any], list[Branch]]:
    """Find all critical points at one lam and trace them: the minimum on the diagonal first."""
    model = cc.models.get("relu-regression")
    problem = model.build(w_star=W_STAR, norm=norm, population=True)
    search = cc.find(problem, BOX, {"lam": lam}, settings=cc.Settings(search_starts=16))
    points = sorted(search, key=lambda x: float(x[1] - x[0]))
    branches: list[Branch] = []
    for x in (points[0], points[-1]):
        branches.append(cc.trace(problem, x, "lam", span, values={"lam": lam}, progress=progress))
    (fold,) = branches[1].of_kind("border")
    return {
        "searched at lam": lam,
        "points found": [[float(v) for v in np.round(x, 12) + 0.0] for x in points],
        "verdicts": [str(cc.classify(problem, x, {"lam": lam})) for x in points],
        "special points on the diagonal": len(branches[0].special_points),
        "collision": collision(fold),
        "nonsmooth fold lam": fold.parameter,
        "nonsmooth fold w": [float(v) for v in np.round(fold.x, 12) + 0.0],
        "nonsmooth fold digits": fold.digits,
        "verdicts beside the fold": sorted(
            str(v) for v in (fold.verdict_before, fold.verdict_after)
        ),
    }, branches


def crossing(minimum: Branch, sparse: Branch) -> float:
    """Return where the sparse minimum's loss falls below that of the minimum on the diagonal."""
    on_axis = np.abs(sparse.z[:, 0]) < 1e-12
    one = CubicSpline(*increasing(minimum["lam"], minimum["potential"]))
    other = CubicSpline(*increasing(sparse["lam"][on_axis], sparse["potential"][on_axis]))
    return float(brentq(lambda lam: one(lam) - other(lam), 1.2, 3.9))


def increasing(lam: Array, values: Array) -> tuple[Array, Array]:
    """Return columns in the order of lam, each lam once."""
    lam, first = np.unique(lam, return_index=True)
    return lam, values[first]


def largest_rate(norm: str, lam: float) -> float:
    """Return the largest dV/dt over |w - solution|^2 on a grid of the ball of Theorem 4."""
    unit = PopulationRegression(W_STAR, Penalty(norm))
    target = population_solution(unit, lam)
    rates = []
    for a in np.linspace(-0.5, 2.42, 147):
        # Both sides of the axis, where the law jumps.
        for b in [*np.linspace(-0.5, 2.42, 147), -1e-6, 1e-6]:
            w = np.array([a, b])
            if in_region(w, W_STAR) and np.linalg.norm(w - target) > 0.02:
                rate = lyapunov_derivative(unit, w, target, lam)
                rates.append(rate / float(np.sum((w - target) ** 2)))
    return float(np.max(rates))


def mixed() -> dict[str, Any]:
    """Return how V changes next to the empirical solution if w follows the population's law."""
    data, lam = reference(), 0.01
    unit, target = PopulationRegression(W_STAR), solution(data, lam)
    force = unit.field(target, lam)
    w = target + 1e-3 * force / np.linalg.norm(force)
    return {
        "size of the law at the solution": float(np.linalg.norm(force)),
        "dV/dt at distance 0.001": lyapunov_derivative(unit, w, target, lam),
    }


def draw(out: Path, diagrams: dict[str, list[Branch]]) -> None:
    figure = Figure(figsize=(8.6, 4.0), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = {"l1-squared": r"squared $\ell_1$", "l1": r"$\ell_1$"}
    for axes, (norm, branches) in zip(panels, diagrams.items(), strict=True):
        names = ("minimum on the diagonal", "sparse minimum", "saddle")
        minimum, other = branches
        (fold,) = other.of_kind("border")
        axes.plot(minimum["lam"], minimum.z[:, 0], color=PALETTE[0], label=names[0])
        on_axis = np.abs(other.z[:, 0]) < 1e-12
        for part, colour, name in ((on_axis, 2, names[1]), (~on_axis, 1, names[2])):
            line = "-" if colour == 2 else "--"
            lam, weight = increasing(other["lam"][part], other.z[part, 1])
            axes.plot(lam, weight, line, color=PALETTE[colour], label=name)
        axes.plot(fold.parameter, fold.x[1], "s", mfc="white", mec="black", ms=6)
        axes.set(xlabel=r"$\lambda$", ylabel="largest weight")
        axes.set_title(f"{titles[norm]}; square: nonsmooth fold", fontsize="medium")
        bare(axes)
    panels[0].legend(frameon=False, fontsize="small")
    save_figure(figure, out / "population-diagrams.png")


STUDY = Study(
    name="paper-002/population-diagrams",
    title="Critical points of the population loss against lam",
    claim=(
        "Theorems 2 and 4: for small lam the law converges to the solution from the ball "
        "|w - w*| < |w*|."
    ),
    run=run,
)
