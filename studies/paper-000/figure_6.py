"""Figure 6: a polygon learnt by one neuron, two and four; creation, the law, and pruning."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.local_linear.creation import grow, prune, split, worst_datum
from contcrit.models.local_linear.data import LocalLinear, corners
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.theory import POLYGON_KNOTS, POLYGON_VALUES, polygon
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, Array, bare, tidy

RANDOM_STARTS = 60


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Learn with one neuron, split, learn, split, learn; then from random starts with four."""
    data = polygon()
    stages: list[tuple[str, LocalLinear, Array]] = []
    w = learn(data, np.zeros((1, 2))).end
    stages.append(("one neuron", data, w))
    values: dict[str, Any] = {"one neuron V": fraction(data.cost(w))}
    values["worst interior datum of one neuron"] = worst_datum(data, w)
    for name, at in (("split at 6, the worst datum", 6.0), ("split at 5", 5.0)):
        values[name] = two_then_four(data, w, at, stages if at == 6.0 else [])
    larger, equal = split(data, w, 0, -1)
    fewer, kept = prune(larger, equal)
    values["V after a split into equal neurons"] = fraction(larger.cost(equal))
    values["neurons after pruning them"] = fewer.neurons
    values["V after pruning them"] = fraction(fewer.cost(kept))
    values["random starts of four neurons"] = at_random()
    draw(out, stages)
    return values


def two_then_four(data: LocalLinear, w: Array, at: float, stages: list[Any]) -> dict[str, Any]:
    """Split once at a datum and learn, then at 3 and 9 and learn."""
    pair, started = grow(data, w, [at])
    path = learn(pair, started)
    four, wider = grow(pair, path.end, [3.0, 9.0])
    last = learn(four, wider)
    stages += [("two neurons", pair, path.end), ("four neurons", four, last.end)]
    return {
        "V after the split": pair.cost(started),
        "V of two neurons": fraction(pair.cost(path.end)),
        "corner of two neurons": fraction(float(corners(path.end)[0])),
        "V after the second split": four.cost(wider),
        "V of four neurons below": max(four.cost(last.end), 1e-20),
        "corners of four neurons": tidy(corners(last.end)),
    }


def at_random() -> dict[str, Any]:
    """Learn with four neurons from random lines."""
    generator = np.random.default_rng(SEED)
    data = polygon(4)
    costs, live = [], []
    for _ in range(RANDOM_STARTS):
        slopes = -np.sort(-generator.uniform(-3.0, 2.0, 4))
        w = np.column_stack([generator.uniform(-4.0, 8.0, 4), slopes])
        end = learn(data, w).end
        costs.append(data.cost(end))
        live.append(prune(data, end)[0].neurons)
    return {
        "share that reaches V = 0": float(np.mean(np.array(costs) < 1e-9)),
        "share with a neuron to prune": float(np.mean(np.array(live) < 4)),
    }


def fraction(value: float) -> str:
    """Return a number as the fraction with a denominator up to 5000 that it is."""
    found = Fraction(value).limit_denominator(5000)
    return str(found) if abs(float(found) - value) < 1e-9 else f"{value:.12g}"


def draw(out: Path, stages: list[tuple[str, LocalLinear, Array]]) -> None:
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(POLYGON_KNOTS, POLYGON_VALUES, color="0.8", lw=6, label="polygon")
    grid = np.linspace(0.0, 12.0, 400)
    X = np.column_stack([np.ones_like(grid), grid])
    for k, (name, data, w) in enumerate(stages):
        text = f"{name}, V = {data.cost(w):.3g}"
        axes.plot(grid, data.outputs(w, X=X), color=PALETTE[k], lw=1.4, label=text)
    axes.plot(stages[0][1].x[:, 0], stages[0][1].y, "k.", ms=4)
    axes.set(xlabel="x", ylabel="y")
    axes.legend(frameon=False, fontsize="small")
    bare(axes)
    save_figure(figure, out / "figure-6.png")


STUDY = Study(
    name="paper-000/figure-6",
    title="A polygon learnt by one neuron, two and four",
    claim="Example 2.1 and Figure 6: one neuron, split, learn, split again: a perfect match.",
    run=run,
    seed=SEED,
)
