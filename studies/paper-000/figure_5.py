"""Figure 5: the flow of two switching neurons with target -1: Figure 4 moved along the diagonal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import SEED, follow, pair, starts
from .figure_4 import measured

Y = -1.0


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Measure as for Figure 4, and how far the flow is from that one, moved."""
    figure = Figure(figsize=(8.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    values: dict[str, Any] = {
        "max": measured(panels[0], Y, 1),
        "min": measured(panels[1], Y, -1),
    }
    save_figure(figure, out / "figure-5.png")
    one, other = pair(1.0), pair(Y)
    gaps = [
        float(np.max(np.abs(follow(one, z + 2.0, 1.0, 3.0).end - follow(other, z, Y, 3.0).end - 2)))
        for z in starts(8)
    ]
    values["largest difference to Figure 4 moved by (2, 2)"] = max(gaps)
    return values


STUDY = Study(
    name="paper-000/figure-5",
    title="Flow of two switching neurons with target -1",
    claim="Figure 5: the flow for y = -1.",
    run=run,
    seed=SEED,
)
