"""Theorem 2: its set is not invariant, and trajectories of one linear region part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.contraction import flow
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.theory import (
    dead_neuron,
    grazing_level,
    theorem_2_counterexample,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, bare

OFFSETS = (1e-2, 1e-4, 1e-6)
TIMES = np.linspace(0.0, 12.0, 241)
BASIN_STARTS = 100


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Measure distances by the exact law and by the Filippov flow, and the dead neuron's basin."""
    values: dict[str, Any] = {"grazing level": grazing_level()}
    curves = {}
    for offset in OFFSETS:
        found = []
        for side in (1.0, -1.0):
            data, w = theorem_2_counterexample(side * offset)
            found.append(learn(data, w))
        one, other = found
        curves[offset] = [float(np.linalg.norm(one(float(t)) - other(float(t)))) for t in TIMES]
        values[f"offset {offset:g}"] = {
            "in one region": bool(
                np.array_equal(data.owners(one.points[0]), data.owners(other.points[0]))
            ),
            "distance at first": float(np.linalg.norm(one.points[0] - other.points[0])),
            "distance at last": float(np.linalg.norm(one.end - other.end)),
            "error at the kink": float(np.min(data.errors(one.points[1]))),
        }
    values["distance by the Filippov flow, offset 0.01"] = by_flow(OFFSETS[0])
    values["dead neuron"] = basin()
    draw(out, curves)
    return values


def by_flow(offset: float) -> float:
    """Return the distance at last as the general integrator finds it."""
    problem = cc.models.get("local-linear").build(x=[0.0, 1.0], y=[1.0, -0.3])
    ends = [
        flow(problem, theorem_2_counterexample(s * offset)[1].ravel(), problem.default_values, 60.0)
        for s in (1.0, -1.0)
    ]
    return float(np.linalg.norm(ends[0].end - ends[1].end))


def basin() -> dict[str, Any]:
    """Return how many starts about the dead neuron's minimum end in it, of those in a ball."""
    data, w = dead_neuron()
    problem = cc.models.get("local-linear").build(x=data.x, y=data.y)
    generator = np.random.default_rng(SEED)
    shares = {}
    for radius in (0.1, 0.5, 2.0):
        ends = [
            learn(data, w + radius * generator.uniform(-1, 1, w.shape)).end
            for _ in range(BASIN_STARTS)
        ]
        stuck = [abs(data.cost(end) - 1 / 3) < 1e-9 for end in ends]
        shares[f"share that ends there, from within {radius:g}"] = float(np.mean(stuck))
    verdict = cc.classify(problem, w.ravel(), problem.default_values)
    return {"V": data.cost(w), "verdict": str(verdict), **shares}


def draw(out: Path, curves: dict[float, list[float]]) -> None:
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for k, (offset, distances) in enumerate(curves.items()):
        axes.semilogy(TIMES, distances, color=PALETTE[k], label=f"offset {offset:g}")
    axes.set(xlabel="time", ylabel="distance of two starts in one region")
    axes.legend(frameon=False, fontsize="small")
    bare(axes)
    save_figure(figure, out / "theorem-2.png")


STUDY = Study(
    name="paper-000/theorem-2",
    title="Trajectories of one linear region that part",
    claim=(
        "Theorem 2: the law is semi-contracting in the invariant set that excludes corners with "
        "yhat < y."
    ),
    run=run,
    seed=SEED,
)
