"""The scalar case: a fold pair in lam for R above 4 e^{3/2}, closing in a cusp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.optimize import brentq

import contcrit as cc
from contcrit.plotting import PALETTE, plot_branch, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import Array, short

CUSP = 4.0 * np.exp(1.5)
"""Smallest R with a fold, by the closed form."""

TARGETS = (18.0, 18.05, 18.1, 18.2, 18.35, 18.5, 19.0, 20.0, 22.0, 25.0, 30.0)
BELOW = (1.0, 5.0, 12.0, 17.9)
SHOWN = (12.0, 17.9, 20.0, 25.0)
SPAN = (1.0, 100.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace in lam for many R, and compare the folds with the closed form."""
    branches = {R: trace(R, progress) for R in (*BELOW, *TARGETS)}
    values: dict[str, Any] = {
        "folds below the cusp": sum(len(branches[R].of_kind("fold")) for R in BELOW)
    }
    folds = {R: sorted(s.parameter for s in branches[R].of_kind("fold")) for R in TARGETS}
    values["folds above the cusp"] = sorted({len(found) for found in folds.values()})
    values["largest relative distance to the closed form"] = max(
        float(np.max(np.abs(np.array(folds[R]) / closed_form(R) - 1))) for R in TARGETS
    )
    values["folds at R=20"] = folds[20.0]
    values["verdicts at R=20"] = [short(verdict) for _, _, verdict in branches[20.0].verdicts]
    values |= cusp(branches, folds)
    draw(out, branches, folds)
    return values


def trace(R: float, progress: Any) -> Branch:
    """Trace the branch of one target from small to large lam."""
    model = cc.models.get("linear-network")
    problem = model.build(R=[[R]])
    guess = [[np.log(R)]]
    return cc.trace(
        problem,
        {"C": guess},
        "lam",
        SPAN,
        settings=cc.Settings(step_maximum=0.05),
        progress=progress,
    )


def closed_form(R: float) -> Array:
    """Return the folds of ``lam = e^c (R - e^c) / c`` in rising order, shape (2,)."""

    def slope(c: float) -> float:
        return float((R - 2 * np.exp(c)) * c - (R - np.exp(c)))

    c = [brentq(slope, low, high, xtol=1e-15) for low, high in ((0.2, 1.5), (1.5, np.log(R)))]
    return np.sort(np.exp(c) * (R - np.exp(c)) / c)


def cusp(branches: dict[float, Branch], folds: dict[float, list[float]]) -> dict[str, Any]:
    """Extrapolate the traced folds to where the window of three solutions closes.

    Near a cusp the window's width to the power 2/3 and the distance of the folds' c are analytic
    and odd or even in a common parameter: polynomials in R serve for ``width^{2/3}`` and for the
    middle of lam and c.
    """
    R = np.array(TARGETS[:6])
    width = np.array([folds[r][1] - folds[r][0] for r in R])
    shape = np.polynomial.Polynomial.fit(R, width ** (2 / 3), 3)
    roots = shape.roots()
    at_cusp = float(np.real(roots[np.argmin(np.abs(roots - R[0]))]))
    lam = np.polynomial.Polynomial.fit(R, [0.5 * sum(folds[r]) for r in R], 3)
    middle = [np.mean([s.x[0] for s in branches[r].of_kind("fold")]) for r in R]
    slope = np.polyfit(np.log(R - at_cusp), np.log(width), 1)[0]
    return {
        "cusp R": at_cusp,
        "cusp lam": float(lam(at_cusp)),
        "cusp C": float(np.polynomial.Polynomial.fit(R, middle, 3)(at_cusp)),
        "exponent of the window": float(slope),
    }


def draw(out: Path, branches: dict[float, Branch], folds: dict[float, list[float]]) -> None:
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = figure.subplots(ncols=2)
    for k, R in enumerate(SHOWN):
        plot_branch(branches[R], "C[0,0]", left, color=PALETTE[k], legend=False)
    handles = [Line2D([], [], color=PALETTE[k], label=f"$R = {R:g}$") for k, R in enumerate(SHOWN)]
    left.legend(handles=handles, frameon=False)
    left.set(ylabel="$C$", xlim=SPAN)
    right.plot([folds[R][0] for R in TARGETS], TARGETS, "o-", ms=4, color=PALETTE[0])
    right.plot([folds[R][1] for R in TARGETS], TARGETS, "o-", ms=4, color=PALETTE[1])
    right.plot(2 * np.exp(3.0), CUSP, "*", ms=12, color="black")
    right.set(xlabel=r"$\lambda$", ylabel="$R$", title="three solutions between the folds")
    for side in ("top", "right"):
        right.spines[side].set_visible(False)
    save_figure(figure, out / "scalar-case.png")


STUDY = Study(
    name="paper-004/scalar-case",
    title="One dimension: when there is more than one critical point",
    claim="Remark 4: for d = 1 the critical point log(R)/T is unique.",
    run=run,
)
