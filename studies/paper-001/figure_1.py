"""Figure 1: cells of a two-dimensional parameter space, with flat and sharp minima."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.study import Study

from ._shared import COLOURS, MARKERS, judged_vertices, new_figure, plain, save, table

DATA = {
    "X": [[-3.0], [-1.0], [1.0], [2.0]],
    "y": [1, -1, 1, 1],
    "alpha": 0.0,
    "output_bias": False,
    "output_weights": [1.0],
}
"""One unit on four data on a line: the unknowns are w and b."""

RANGE = np.linspace(-1.6, 1.6, 401)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Count cells, judge every vertex, and draw the partition and the surface."""
    problem = cc.models.get("relu-hinge").build(**DATA)
    values = {"alpha": 0.0}
    network = problem.network(values)
    found, judged = judged_vertices(problem, values)
    w, b = np.meshgrid(RANGE, RANGE)
    points = np.stack([w, b], axis=-1)
    loss = network.loss(points)
    signature = network.signature(points)
    inside = np.all(signature != 0, axis=-1)
    cells, number = np.unique(signature[inside], axis=0, return_inverse=True)
    gradients = network.gradient(points[inside])
    flat = {int(k) for k in np.unique(number) if not np.any(np.abs(gradients[number == k]) > 1e-12)}
    largest = 0.0
    for k in np.unique(number):
        x = points[inside][number == k][0]
        largest = max(largest, float(np.max(np.abs(network.hessian(x, network.positions(x))))))

    figure = new_figure(9.5, 4.2)
    left = figure.add_subplot(1, 2, 1)
    shade = np.full(inside.shape, np.nan)
    shade[inside] = [0.75 if int(k) in flat else 0.97 for k in number]
    left.imshow(shade, origin="lower", extent=(-1.6, 1.6, -1.6, 1.6), cmap="gray", vmin=0, vmax=1)
    for level in network.switching(points):
        for kink in range(level.shape[-1]):
            left.contour(w, b, level[..., kink], levels=[0.0], colors="#b2182b", linewidths=0.7)
    for x, _, kind in judged:
        left.plot(*x, MARKERS[kind], color=COLOURS[kind], ms=7)
    for kind in dict.fromkeys(kind for _, _, kind in judged):
        left.plot([], [], MARKERS[kind], color=COLOURS[kind], label=kind)
    left.set(xlabel="$w$", ylabel="$b$", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    left.legend(fontsize="small", loc="upper left")
    left.set_title("cells (flat ones grey) and kinks", fontsize="medium")
    right = figure.add_subplot(1, 2, 2, projection="3d")
    step = 8
    right.plot_surface(
        w[::step, ::step], b[::step, ::step], loss[::step, ::step], cmap="viridis", lw=0.1
    )
    right.set(xlabel="$w$", ylabel="$b$", zlabel="loss")
    right.view_init(38, -115)
    plain(left)
    save(figure, out, "figure-1")
    return {
        "vertices": found.vertices,
        "enumeration is complete": found.complete,
        "cells seen": len(cells),
        "flat cells seen": len(flat),
        "largest second derivative in a cell": largest,
        "verdicts": table(judged),
    }


STUDY = Study(
    name="paper-001/figure-1",
    title="Cells of parameter space, and the two kinds of minima",
    claim=(
        "Figure 1, Theorem 1 and Corollary 1: minima are flat cells (type I) or lie on their "
        "borders, or on kinks between cells that are not flat (type II)."
    ),
    run=run,
)
