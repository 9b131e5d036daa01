"""Figure 9: three planar neurons reach a corner from a designed start; others often do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.errors import Status
from contcrit.models.local_linear.creation import prune
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.theory import corner_data
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, Array, bare, tidy

RANDOM_STARTS = 60
TIMES = np.geomspace(1e-3, 30.0, 80)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Follow the law from the designed start, and from random ones."""
    data, start = corner_data()
    path = learn(data, start)
    costs = [data.cost(path(float(t))) for t in TIMES]
    rows = np.array([path.end[0] - path.end[1], path.end[0] - path.end[2]])
    corner = np.linalg.solve(rows[:, 1:], -rows[:, 0])
    generator = np.random.default_rng(SEED)
    ends, live, lost = [], [], 0
    for _ in range(RANDOM_STARTS):
        tried = learn(data, generator.normal(size=(3, 3)))
        if tried.status is not Status.END_OF_TIME:
            lost += 1
            continue
        ends.append(data.cost(tried.end))
        live.append(prune(data, tried.end)[0].neurons)
    draw(out, costs, np.array(ends))
    alive = np.array(live)
    return {
        "V at the designed start": data.cost(start),
        "V at its limit below": max(data.cost(path.end), 1e-20),
        "regions passed through": len(path.modes),
        "largest rise of V": float(np.max(np.diff(costs))),
        "corner found": tidy(corner),
        "random starts that could not be followed": lost,
        "share of random starts that reach V = 0": float(np.mean(np.array(ends) < 1e-9)),
        "share left with three live planes": float(np.mean(alive == 3)),
        "share left with two": float(np.mean(alive == 2)),
        "share left with one": float(np.mean(alive == 1)),
    }


def draw(out: Path, costs: list[float], ends: Array) -> None:
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.loglog(TIMES, np.maximum(costs, 1e-16), color=PALETTE[0])
    left.set(xlabel="time", ylabel="V", title="designed start")
    right.hist(np.log10(np.maximum(ends, 1e-16)), bins=40, color=PALETTE[1])
    right.set(xlabel=r"$\log_{10} V$ at the limit", ylabel="random starts")
    bare(left)
    bare(right)
    save_figure(figure, out / "figure-9.png")


STUDY = Study(
    name="paper-000/figure-9",
    title="Three planar neurons and a corner",
    claim="Example 2.2 and Figure 9: three neurons converge to a corner, with vanishing error.",
    run=run,
    seed=SEED,
)
