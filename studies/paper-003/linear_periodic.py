"""Linear-periodic functions: branches in r, eigenvalues, and the variance of the gradient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.failures.linear_periodic.theory import (
    eigenvalues,
    gradient_variance,
    variance_bound,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare

DIMENSION = 3
SPAN = (-0.5, 3.0)
DIMENSIONS = (2, 4, 8, 16, 32, 64)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace the critical points in r, and find the largest variance over w."""
    figure = Figure(figsize=(12.0, 3.8), layout="constrained")
    panels = figure.subplots(1, 3)
    values = {
        "branches": branches(panels[0], progress),
        "period doubling": doubling(progress),
        "gradient at a wrong target of the same length": plateau(panels[1]),
        "variance": variance(panels[2]),
    }
    for axes in panels:
        bare(axes)
    save_figure(figure, out / "linear-periodic.png")
    return values


def branches(axes: Axes, progress: Any) -> dict[str, Any]:
    """Trace target, origin and sphere from r = 1 through r = 0."""
    model = cc.models.get("linear-periodic")
    problem: Any = model.build(d=DIMENSION)
    values: dict[str, Any] = {}
    factors = {"target": 1.0, "origin": 0.0, "sphere": 1 / np.sqrt(3)}
    for k, (label, start) in enumerate(model.starts(problem).items()):
        branch = cc.trace(
            problem, start.unknowns, "r", SPAN, values=start.values, direction="both",
            progress=progress,
        )  # fmt: skip
        points, r = branch.z[:, :DIMENSION], branch["r"]
        lengths = np.linalg.norm(points, axis=1)
        gaps = [
            float(
                np.max(
                    np.abs(
                        np.linalg.eigvalsh(problem.jacobian(x, {"r": value}))
                        - eigenvalues(label, abs(value), DIMENSION)
                    )
                )
            )
            for x, value in zip(points, r, strict=True)
            if abs(value) > 1e-3
        ]
        verdict = cc.classify(problem, start.unknowns, start.values)
        values[label] = {
            "verdict": verdict.kind,
            "index": verdict.index,
            "zeros by symmetry": verdict.gauge_nullity,
            "branch points in r": [s.parameter for s in branch.of_kind("branch-point")],
            "largest distance to the closed form": float(
                np.max(np.abs(lengths - factors[label] * np.abs(r)))
            ),
            "largest error of an eigenvalue": max(gaps),
        }
        axes.plot(r, lengths, color=PALETTE[k], label=f"{label}: {verdict.kind}")
    axes.set(xlabel="r = |v|", ylabel="|w|", title="critical points for the cosine")
    axes.legend(frameon=False, fontsize="small")
    return values


def doubling(progress: Any) -> dict[str, Any]:
    """Find where descent's step size makes the target unstable, r = 1."""
    model = cc.models.get("linear-periodic")
    problem: Any = model.build(d=2, step_size=True)
    start = model.starts(problem)["target"]
    branch = cc.trace(
        problem, start.unknowns, "eta", (0.5, 6.0), values={**start.values, "eta": 0.5},
        progress=progress,
    )  # fmt: skip
    found = sorted(special.parameter for special in branch.of_kind("flip"))
    expected = np.sort(2 / eigenvalues("target", 1.0, 2))
    return {
        "eta": found,
        "relative difference from 2 / eigenvalue": float(np.max(np.abs(found / expected - 1))),
    }


def plateau(axes: Axes) -> dict[str, Any]:
    """Show the loss along a line through the target, and its gradient at |w| = r across v."""
    problem: Any = cc.models.get("linear-periodic").build(d=2)
    t = np.linspace(-9, 9, 721)
    values = {}
    for k, r in enumerate((1.0, 3.0, 6.0)):
        loss = problem.loss({"r": r})
        points = np.stack([t, np.zeros_like(t)], axis=1)
        axes.plot(t, loss.loss(points), color=PALETTE[k], label=f"r = {r:g}")
        values[f"r={r:g}"] = float(np.linalg.norm(loss.gradient([0.0, r])))
    axes.set(xlabel="w along v", ylabel="loss", title="one line through the target")
    axes.legend(frameon=False, fontsize="small")
    return values


def variance(axes: Axes) -> dict[str, Any]:
    """Maximise the variance over ``|w|``, for r = sqrt(d) and for r = 1, 2, 3 with d = 16."""
    largest = []
    for d in DIMENSIONS:
        r = float(np.sqrt(d))
        lengths = np.linspace(0, 3 * r, 151)
        largest.append(max(gradient_variance(float(x), r, d) for x in lengths))
    bounds = [variance_bound(float(np.sqrt(d)), d) for d in DIMENSIONS]
    axes.semilogy(DIMENSIONS, largest, "o-", color=PALETTE[0], ms=4, label="largest variance")
    axes.semilogy(DIMENSIONS, bounds, color="black", label=r"$(2/e)\,e^{-d/2}$")
    axes.set(xlabel=r"$d = r^2$", ylabel="variance of the gradient", title="Theorem 2")
    axes.legend(frameon=False, fontsize="small")
    slope = np.polyfit(DIMENSIONS[2:], np.log(largest[2:]), 1)[0]
    return {
        "largest share of the bound": float(np.max(np.array(largest) / bounds)),
        "slope of its logarithm in d": float(slope),
        **{
            f"d=16, r={r:g}": max(
                gradient_variance(float(x), r, 16) for x in np.linspace(0, 9, 151)
            )
            for r in (1.0, 2.0, 3.0)
        },
    }


STUDY = Study(
    name="paper-003/linear-periodic",
    title="Linear-periodic functions",
    claim=(
        "Theorem 2: the variance of the gradient is O(exp(-Omega(d)) + exp(-Omega(r))); and the "
        "closed form for the cosine: no minima but the target's."
    ),
    run=run,
)
