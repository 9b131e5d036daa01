"""Figure 3: gradients beside a sharp minimum, and the time that descent spends in each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

import contcrit as cc
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import new_figure, plain, save

DATA = {
    "X": [[-3.0], [-1.0], [1.0], [2.0]],
    "y": [1, -1, 1, 1],
    "alpha": 0.2,
    "output_bias": False,
    "output_weights": [1.0],
}
POINT = np.array([0.5, 0.5])
"""A vertex: the unit turns at x = -1, the margin at x = 1 vanishes."""

STEP = 5e-4 * np.sqrt(5.0)
STEPS = 6000


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Compute the subdifferential, and run gradient descent near the vertex."""
    problem = cc.models.get("relu-hinge").build(**DATA)
    values = {"alpha": DATA["alpha"]}
    network = problem.network(values)
    verdict = cc.classify(problem, POINT, values)
    angles = np.linspace(0, 2 * np.pi, 3601)[:-1]
    around = POINT + 1e-6 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    gradients = network.gradient(around)
    cells = np.unique(np.round(gradients, 10), axis=0)
    # Gradient descent with a small step: the share of steps in each cell are Clarke's weights.
    x, visits, path = (
        POINT + np.array([0.02 * np.pi, 0.02 * np.sqrt(2.0)]),
        np.zeros(len(cells)),
        [],
    )
    warm = STEPS // 4
    for step in range(STEPS):
        gradient = network.gradient(x)
        if step >= warm:
            visits[np.argmin(np.linalg.norm(cells - gradient, axis=1))] += 1
        if step % 10 == 0:
            path.append(x)
        x = x - STEP * gradient
    shares = visits / visits.sum()
    combination = shares @ cells

    figure = new_figure(9.0, 4.0)
    axes = figure.subplots(1, 2)
    reach = 0.12
    w, b = np.meshgrid(np.linspace(-reach, reach, 301), np.linspace(-reach, reach, 301))
    loss = network.loss(np.stack([POINT[0] + w, POINT[1] + b], axis=-1))
    axes[0].contour(POINT[0] + w, POINT[1] + b, loss, levels=14, cmap="viridis", linewidths=0.9)
    axes[0].plot(*np.array(path).T, color=PALETTE[0], lw=1)
    for k, cell in enumerate(cells):
        inside = around[np.linalg.norm(gradients - cell, axis=1) < 1e-9].mean(axis=0) - POINT
        foot = POINT + 0.06 * inside / max(np.linalg.norm(inside), 1e-30)
        axes[0].annotate(
            "", foot + 0.03 * cell / np.linalg.norm(cell), foot,
            arrowprops={"arrowstyle": "->", "color": PALETTE[1]},
        )  # fmt: skip
        axes[0].annotate(f"{k + 1}", foot, color="0.3")
    axes[0].plot(*POINT, "o", color="black")
    axes[0].set(xlabel="$w$", ylabel="$b$")
    hull = cells[ConvexHull(cells).vertices]
    axes[1].fill(*hull.T, color=PALETTE[1], alpha=0.2)
    axes[1].plot(*cells.T, "o", color=PALETTE[1])
    for k, cell in enumerate(cells):
        axes[1].annotate(f"  {k + 1}: {shares[k]:.3f}", cell)
    axes[1].plot(0, 0, "k+", ms=12)
    axes[1].set(xlabel=r"$\partial_w$", ylabel=r"$\partial_b$")
    axes[1].set_title("Clarke's subdifferential; time spent in each cell", fontsize="medium")
    plain(*axes)
    save(figure, out, "figure-3")
    return {
        "verdict": verdict.kind,
        "loss": float(network.loss(POINT)),
        "cells": len(cells),
        "gradients": cells.tolist(),
        "distance of 0 from the subdifferential": float(verdict.evidence["hull_distance"]),
        "norm of the time-weighted gradient": float(np.linalg.norm(combination)),
        "distance of the end from the vertex": float(np.linalg.norm(x - POINT)),
    }


STUDY = Study(
    name="paper-001/figure-3",
    title="The Clarke subdifferential at a sharp minimum",
    claim=(
        "Figure 3: at a minimum some convex combination of the neighbouring gradients vanishes, "
        "and gradient descent builds one from the time that it spends in each cell."
    ),
    run=run,
)
