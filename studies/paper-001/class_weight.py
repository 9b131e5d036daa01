"""Theorem 5 needs equal weights: where the constant classifier is a local minimum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import unequal_classes
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import built, new_figure, plain, save

WEIGHTS = np.round(np.linspace(0.05, 0.95, 37), 6)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Judge the point with v = 0 for every weight of class -1, and locate the change."""
    scenario = unequal_classes(0.3)
    problem = built(scenario)
    x = problem.pack(**scenario.points["constant"])

    def kind(mu: float) -> str:
        return cc.classify(problem, x, {"alpha": 0.5, "mu": float(mu)}).kind

    kinds = [kind(mu) for mu in WEIGHTS]
    low, high = 0.3, 0.7
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if kind(middle) == "sharp minimum" else (low, middle)
    losses = [float(problem.network({"mu": mu}).loss(x)) for mu in WEIGHTS]
    distances = [
        cc.classify(problem, x, {"alpha": 0.5, "mu": mu}).evidence["hull_distance"]
        for mu in WEIGHTS
    ]
    figure = new_figure(6.2, 4.0)
    axes = figure.subplots()
    axes.plot(WEIGHTS, losses, color=PALETTE[0], label="loss")
    axes.plot(WEIGHTS, distances, color=PALETTE[1], label="distance of 0 from Clarke's set")
    sharp = np.array([k == "sharp minimum" for k in kinds])
    axes.plot(WEIGHTS[sharp], np.array(losses)[sharp], "o", color=PALETTE[0], label="sharp minimum")
    axes.axvline(0.5, color="0.6", lw=0.8, ls=":")
    axes.set(xlabel=r"weight $\mu$ of class $-1$")
    axes.legend(frameon=False)
    plain(axes)
    save(figure, out, "class-weight")
    return {
        "sharp minima are proved up to": low,
        "verdict at equal weights": kind(0.5),
        "verdicts for smaller weights": sorted(
            {k for k, mu in zip(kinds, WEIGHTS, strict=True) if mu < 0.5}
        ),
        "verdicts for larger weights": sorted(
            {k for k, mu in zip(kinds, WEIGHTS, strict=True) if mu > 0.5}
        ),
        "loss at mu = 0.3": float(problem.network({"mu": 0.3}).loss(x)),
    }


STUDY = Study(
    name="paper-001/class-weight",
    title="Equal weights are needed, and one half is sharp",
    claim=(
        "Theorem 5: with equal weights every local minimum of separable data is global; the text "
        "after it says so of all 0 < alpha <= 1 without the condition."
    ),
    run=run,
)
