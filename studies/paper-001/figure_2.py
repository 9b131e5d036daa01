"""Figure 2: with leaky units and generic data, flat minima are global and sharp ones are not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.models.relu_hinge.theory import is_generic
from contcrit.study import Study

from ._shared import COLOURS, MARKERS, judged_vertices, new_figure, plain, save, table

DATA = {
    "X": [[-2.0], [-0.5], [1.0], [2.5]],
    "y": [1, -1, 1, -1],
    "hidden": 2,
    "alpha": 0.25,
}
SLICES = {"v=(1,-1)": [1.0, -1.0], "v=(1,1)": [1.0, 1.0]}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Judge every vertex on two slices, and draw the loss through three of the minima."""
    values = {"alpha": DATA["alpha"]}
    measured: dict[str, Any] = {
        "data are generic": is_generic(DATA["X"], DATA["y"], Fraction(1, 4)),
    }
    judged = {}
    for label, weights in SLICES.items():
        problem = cc.models.get("relu-hinge").build(**DATA, output_weights=weights)
        found, judged[label] = judged_vertices(problem, values)
        kinds = {
            kind: [loss for _, loss, k in judged[label] if k == kind]
            for kind in ("flat minimum", "sharp minimum")
        }
        measured[label] = {
            "vertices": found.vertices,
            "enumeration is complete": found.complete,
            "verdicts": table(judged[label]),
            "largest loss of a flat minimum": max(kinds["flat minimum"], default=0.0),
            "smallest loss of a sharp minimum": min(kinds["sharp minimum"]),
        }
    draw(out, judged, values)
    return measured


def draw(out: Path, judged: dict[str, Any], values: dict[str, float]) -> None:
    figure = new_figure(9.5, 4.0)
    axes = figure.subplots(1, 2)
    problem = cc.models.get("relu-hinge").build(**DATA, output_weights=SLICES["v=(1,-1)"])
    network = problem.network(values)
    minima = {
        kind: [x for x, _, k in judged["v=(1,-1)"] if k == kind]
        for kind in ("flat minimum", "sharp minimum")
    }
    corner, first = minima["flat minimum"][0], minima["sharp minimum"][0]
    second = max(minima["sharp minimum"], key=lambda x: np.linalg.norm(x - first))
    s, t = np.meshgrid(np.linspace(-0.6, 1.6, 221), np.linspace(-0.6, 1.6, 221))
    plane = corner + s[..., None] * (first - corner) + t[..., None] * (second - corner)
    levels = np.linspace(0.0, 2.0, 25)
    shown = axes[0].contourf(s, t, network.loss(plane), levels=levels, extend="max")
    figure.colorbar(shown, ax=axes[0], label="loss")
    for place, kind in (
        ((0, 0), "flat minimum"),
        ((1, 0), "sharp minimum"),
        ((0, 1), "sharp minimum"),
    ):
        axes[0].plot(*place, MARKERS[kind], color=COLOURS[kind], mec="white", ms=9)
    axes[0].set_title("plane through three minima, $v=(1,-1)$", fontsize="medium")
    for row, points in enumerate(judged.values()):
        for kind in MARKERS:
            losses = [loss for _, loss, k in points if k == kind]
            axes[1].plot(
                losses, [row] * len(losses), MARKERS[kind], color=COLOURS[kind],
                label=kind if row == 0 else None, ms=9,
            )  # fmt: skip
    axes[1].set(yticks=range(len(judged)), yticklabels=list(judged), xlabel="loss", ylim=(-1, 2))
    axes[1].legend(fontsize="small", loc="upper left")
    plain(*axes)
    save(figure, out, "figure-2")


STUDY = Study(
    name="paper-001/figure-2",
    title="Flat minima are global, sharp ones sub-optimal",
    claim=(
        "Figure 2, Theorems 2 and 3: for fully connected leaky networks and generic data flat "
        "minima have loss 0 and sharp minima a positive loss."
    ),
    run=run,
)
