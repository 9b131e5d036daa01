"""Figure 1(b): the cost of the normal solutions of Example 1 against lam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from contcrit.plotting import save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import COLOURS, LOWEST, WINDINGS, at, columns, example_1, short, stretches

REGULARISATIONS = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace the normal branches up to lam = 5 and compare their costs."""
    problem, branches, _ = example_1(span=(LOWEST, 5.0), families=False, progress=progress)
    cost = problem.observables["cost"]
    values: dict[str, Any] = {"cost of n=0": {}}
    for lam in REGULARISATIONS:
        (x,) = at(branches["n=0"], lam)
        values["cost of n=0"][f"lam={lam:g}"] = cost(x, {"lam": lam})
    margins = []
    for n in WINDINGS[1:]:
        branch = branches[f"n={n}"]
        values[f"n={n}"] = {
            "verdicts": [short(verdict) for _, _, verdict in branch.verdicts],
            "cost of the escaping solution at the lowest lam": float(branch["cost"][-1]),
        }
        principal = np.interp(branch["lam"], branches["n=0"]["lam"], branches["n=0"]["cost"])
        margins.append(float(np.min(branch["cost"] - principal)))
    values["least cost above n=0"] = min(margins)
    draw(out, branches)
    return values


def draw(out: Path, branches: dict[str, Branch]) -> None:
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.subplots()
    for n in WINDINGS:
        for z, verdict in stretches(branches[f"n={n}"]):
            minimum = verdict is not None and verdict.kind == "minimum"
            axes.plot(
                z[:, -1],
                columns(branches[f"n={n}"], z, "cost"),
                color=COLOURS[n],
                linestyle="-" if minimum else (0, (4, 1.2)),
                linewidth=2.2 if minimum else 1.4,
            )
        for fold in branches[f"n={n}"].of_kind("fold"):
            height = columns(branches[f"n={n}"], fold.z[None], "cost")
            axes.plot(fold.parameter, height, "s", mfc="white", mec="black", ms=6)
    axes.set(xlim=(0, 0.2), ylim=(0, 8), xlabel=r"$\lambda$", ylabel="cost $J$")
    handles = [Line2D([], [], color=COLOURS[n], label=f"$n = {n}$") for n in WINDINGS]
    handles.append(Line2D([], [], color="0.3", linewidth=2.2, label="minimum"))
    handles.append(Line2D([], [], color="0.3", linestyle=(0, (4, 1.2)), label="saddle"))
    axes.legend(handles=handles, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    save_figure(figure, out / "figure-1b.png")


STUDY = Study(
    name="paper-004/figure-1b",
    title="Cost of the normal solutions of Example 1 against lam",
    claim=(
        "Figure 1(b); (i) a local minimum and a saddle for each n != 0; (iii) the escaping "
        "saddle's cost tends to 1; (iv) the principal branch has the lowest cost."
    ),
    run=run,
)
