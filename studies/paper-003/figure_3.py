"""Figure 3: accuracy while training on tuples of images, end to end and decomposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare
from ._tuples import Array, Training, show

SEEDS = (0, 1)
LENGTHS = (1, 2, 3, 4)
ITERATIONS = {False: 2_600, True: 800}
"""Reduced: the paper trains for 20000 iterations end to end and 2500 decomposed."""

WAYS = {False: "end to end", True: "decomposed"}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Train every network, or read earlier runs; report the last accuracies."""
    runs: dict[tuple[int, bool, int], Array] = {}
    for k in LENGTHS:
        for decomposed in (True, False):
            for seed in SEEDS:
                training = Training(k, decomposed, seed, ITERATIONS[decomposed])
                runs[k, decomposed, seed] = training.cached(out, progress)
    show(progress, "")
    rows = [
        {"k": k, "approach": WAYS[way], "seed": seed, "iteration": 100 * j, "accuracy": value}
        for (k, way, seed), accuracy in runs.items()
        for j, value in enumerate(accuracy)
    ]
    pd.DataFrame(rows).to_csv(out / "figure-3.csv", index=False)
    draw(out, runs)
    values: dict[str, Any] = {}
    for k in LENGTHS:
        ends = {way: [float(runs[k, way, seed][-5:].mean()) for seed in SEEDS] for way in WAYS}
        values[f"k={k}"] = {
            "decomposed, worst of the last accuracies": min(ends[True]),
            "end to end, best of the last accuracies": max(ends[False]),
        }
    return values


def draw(out: Path, runs: dict[tuple[int, bool, int], Array]) -> None:
    figure = Figure(figsize=(9.0, 2.6), layout="constrained")
    panels = figure.subplots(1, len(LENGTHS), sharex=True, sharey=True)
    for axes, k in zip(panels, LENGTHS, strict=True):
        for way, colour in ((False, PALETTE[1]), (True, PALETTE[0])):
            for seed in SEEDS:
                accuracy = runs[k, way, seed]
                label = WAYS[way] if seed == SEEDS[0] else None
                axes.plot(
                    100 * np.arange(len(accuracy)), accuracy, color=colour, lw=0.9, label=label
                )
        axes.set_title(f"$k = {k}$", fontsize="medium")
        axes.set_xlabel("iteration")
        bare(axes)
    panels[0].set(ylabel="accuracy on tuples", ylim=(0.45, 1.0))
    panels[0].legend(frameon=False, fontsize="small")
    save_figure(figure, out / "figure-3.png")


STUDY = Study(
    name="paper-003/figure-3",
    title="Training on tuples of images, end to end and decomposed",
    claim=(
        "Figure 3: decomposition arrives at a good solution for every k; end-to-end learning works "
        "for k = 1, 2 and fails completely for k = 3 or larger."
    ),
    run=run,
)
