"""Figure 1(a): the entry C21 of the normal solutions of Example 1 against lam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.plotting import save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import COLOURS, LOWEST, WINDINGS, angle, escape_angle, example_1, normal_fold


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace the five normal branches and read off turning points and limits."""
    _, branches, _ = example_1(span=(LOWEST, 0.2), families=False, progress=progress)
    values: dict[str, Any] = {}
    folds: dict[str, float] = {}
    for n in WINDINGS:
        branch = branches[f"n={n}"]
        found = values.setdefault(f"n={n}", {"C21 at the lowest lam": float(angle(branch)[0])})
        if n == 0:
            continue
        (fold,) = branch.of_kind("fold")
        folds[f"n={n}"] = fold.parameter
        found |= {
            "fold lam": fold.parameter,
            "fold lam minus closed form": fold.parameter - normal_fold(n),
            "fold a": float(fold.x[0]),
            "fold C21": float(fold.x[2]),
            "escape limit of C21": escape_limit(branch),
            "escape limit in the paper": float(np.pi / 2 + (2 * n - 1) * np.pi),
        }
    values["order of the folds"] = sorted(folds, key=lambda label: -folds[label])
    draw(out, branches)
    return values


def escape_limit(branch: Branch) -> float:
    """Extrapolate C21 on the escaping side to lam = 0, where a falls like log lam.

    There ``tan b = a / b`` up to a term like ``e^a``, so that b is ``arctan(b / a)`` off its limit.
    """
    a, b = branch.z[-1, 0], branch.z[-1, 2]
    return float(b + np.arctan(b / a))


def draw(out: Path, branches: dict[str, Branch]) -> None:
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.subplots()
    for n in WINDINGS:
        branch = branches[f"n={n}"]
        axes.plot(branch["lam"], angle(branch), color=COLOURS[n], label=f"$n = {n}$")
        for fold in branch.of_kind("fold"):
            axes.plot(fold.parameter, fold.x[2], "s", mfc="white", mec="black", ms=6)
        if n:
            axes.axhline(escape_angle(n), color=COLOURS[n], linewidth=0.7, linestyle=":")
    axes.set(xlim=(0, 0.2), xlabel=r"$\lambda$", ylabel="$C_{21}$")
    axes.set_title("Normal solutions; dotted: limits of the escaping ones", fontsize="medium")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "figure-1a.png")


STUDY = Study(
    name="paper-004/figure-1a",
    title="C21 of the normal solutions of Example 1 against lam",
    claim=(
        "Figure 1(a); (ii) the turning points fall as |n| grows; (iii) the escaping solutions tend "
        "to the angle pi/2 + (2n - 1) pi."
    ),
    run=run,
)
