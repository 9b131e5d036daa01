"""Non-normal families of Example 1 that meet no normal branch, from a closed form at lam = 0.

At lam = 0 the equation is ``e^{C - C^T} e^{C^T} = R``. Write ``C = w J + S`` with the quarter turn
J and S symmetric. The first factor is a rotation, so the second is one too: either C is normal, a
logarithm of R, or ``e^{C^T} = +-I`` with S not zero and without trace. Then ``det C``, which is
``w^2 - |S|^2`` in the spectral norm, equals ``(k pi)^2`` with a whole number k >= 1, and
``2 w = pi/2 + m pi`` with a whole number m, where m + k is even. For every such k and m with
``|w| > k pi`` there is a circle of solutions. Those with ``|w| = (k + 1/4) pi`` end the families
that leave the normal branches at pitchforks; the others lie on families of their own, traced here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import (
    LOWEST,
    SMOOTH,
    Array,
    at,
    draw_by_index,
    explain_index,
    independent_fold,
    short,
)

ROTATIONS = range(-10, 11)
"""Values of m."""

TURNS = (1, 2, 3)
"""Values of k."""

LARGEST = 4.0
"""Largest skew part w, in units of pi."""


def limits() -> dict[str, Array]:
    """Return solutions at lam = 0, one of each circle that ends no family of a pitchfork."""
    found = {}
    for k in TURNS:
        for m in ROTATIONS:
            w = (0.5 + m) * np.pi / 2
            excess = w * w - (k * np.pi) ** 2
            switched = abs(abs(w) - (k + 0.25) * np.pi) < 1e-9
            if (m + k) % 2 == 0 and excess > 0 and abs(w) < LARGEST * np.pi and not switched:
                s = np.sqrt(excess)
                found[f"k={k}, m={m}"] = np.array([[0.0, s - w], [s + w, 0.0]])
    return found


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace every family from lam near 0 and say where it turns and where it ends."""
    model = cc.models.get("linear-network")
    problem = model.build(**model.example)
    values: dict[str, Any] = {}
    isolated: dict[str, Branch] = {}
    at_005: list[tuple[float, int | None]] = []
    for label, C in limits().items():
        branch = cc.trace(
            problem,
            C.ravel(),
            "lam",
            (LOWEST, 0.5),
            settings=SMOOTH,
            direction="forward",
            progress=progress,
        )
        values[label] = {
            "residual at lam = 0": float(np.max(np.abs(problem.evaluate(C.ravel(), {"lam": 0.0})))),
            "folds": [special.parameter for special in branch.of_kind("fold")],
            "folds minus independent solutions": max(
                abs(special.parameter - independent_fold(special.x, special.parameter))
                for special in branch.of_kind("fold")
            ),
            "indices": [verdict.index for _, _, verdict in branch.verdicts],
            "verdict near lam = 0": short(branch.verdicts[0][2]),
            "branch points": len(branch.of_kind("branch-point")),
            "cost at the other end": float(branch["cost"][-1]),
        }
        isolated[f"{label}, non-normal"] = branch
        for x in at(branch, 0.05):
            verdict = cc.classify(problem, x, {"lam": 0.05})
            at_005.append((problem.observables["cost"](x, {"lam": 0.05}), verdict.index))
    at_005.sort()
    values["isolated families"] = len(isolated)
    values["their largest fold"] = max(
        special.parameter for branch in isolated.values() for special in branch.of_kind("fold")
    )
    values["their solutions at lam=0.05"] = {
        "count": len(at_005),
        "costs": [cost for cost, _ in at_005],
        "indices": [index for _, index in at_005],
    }
    draw(out, isolated)
    return values


def draw(out: Path, isolated: dict[str, Branch]) -> None:
    figure = Figure(figsize=(7.4, 4.8), layout="constrained")
    axes = figure.subplots()
    draw_by_index(axes, isolated, "cost")
    axes.set(xscale="log", yscale="log", xlim=(1e-5, 0.3), ylim=(0.02, 30))
    axes.set(xlabel=r"$\lambda$", ylabel="cost $J$")
    explain_index(axes, isolated, loc="lower left")
    axes.set_title("Families of non-normal solutions that meet no normal branch", fontsize="medium")
    save_figure(figure, out / "isolated-families.png")


STUDY = Study(
    name="paper-004/isolated-families",
    title="Non-normal families of Example 1 that meet no normal branch",
    claim=(
        "Section 4 (i): non-normal solutions remain an open problem; Example 1: only finitely many "
        "critical points persist at positive lam."
    ),
    run=run,
)
