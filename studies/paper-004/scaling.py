"""Scaling: (C, lam, T) -> (T C, lam / T, 1) leaves the equation and the cost as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import QUARTER, at, corrected

DEPTH = 2.5
MOMENT = np.array([[1.5, 0.4], [0.4, 0.8]])


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace one branch at two depths and map the one onto the other."""
    model = cc.models.get("linear-network")
    deep = model.build(R=QUARTER, Sigma0=MOMENT, T=DEPTH)
    unit = model.build(R=QUARTER, Sigma0=MOMENT, T=1.0)
    values: dict[str, Any] = {}
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for k, n in enumerate((0, -1)):
        found = {}
        for T, problem in ((DEPTH, deep), (1.0, unit)):
            start = model.starts(problem, windings=(n,))[f"n={n}"]
            found[T] = cc.trace(
                problem,
                start,
                "lam",
                (1e-3, T),
                direction="both",
                classify=False,
                progress=progress,
            )
        lams = [0.5] if n == 0 else [0.05]
        gaps, costs = [], []
        for lam in lams:
            for x in at(found[DEPTH], DEPTH * lam):
                y = corrected(unit, DEPTH * x, lam)
                gaps.append(float(np.max(np.abs(y - DEPTH * x))))
                costs.append(
                    unit.observables["cost"](y, {"lam": lam})
                    - deep.observables["cost"](x, {"lam": DEPTH * lam})
                )
        folds = {T: [s.parameter for s in branch.of_kind("fold")] for T, branch in found.items()}
        values[f"n={n}"] = {
            "solutions compared": len(gaps),
            "largest distance": max(gaps),
            "largest difference of cost": float(np.max(np.abs(costs))),
            "fold ratio": [a / b for a, b in zip(folds[DEPTH], folds[1.0], strict=True)],
        }
        axes.plot(found[1.0]["lam"], found[1.0]["cost"], color=PALETTE[k], label=f"$n={n}$, $T=1$")
        axes.plot(
            found[DEPTH]["lam"] / DEPTH,
            found[DEPTH]["cost"],
            ".",
            color=PALETTE[k],
            ms=4,
            label=f"$n={n}$, $T={DEPTH:g}$",
        )
    axes.set(xlabel=r"$\lambda / T$", ylabel="cost $J$")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "scaling.png")
    return values


STUDY = Study(
    name="paper-004/scaling",
    title="Depth and regularisation scale together",
    claim="The critical points depend on T through (T C, lam / T) only.",
    run=run,
)
