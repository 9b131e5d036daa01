"""The non-normal solutions of Example 1 that leave its normal branches, by branch switching.

The paper leaves non-normal solutions open. Each comes as a circle, C -> Q C Q^T with rotations Q,
along which DN is singular. The engine is given the logarithms of R only: it finds one pitchfork on
every branch n != 0, switches there, and follows the families through a fold and back to lam = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import save_figure
from contcrit.results import Branch, Diagram
from contcrit.study import Study

from ._shared import (
    LOWEST,
    WINDINGS,
    Array,
    at,
    draw_by_index,
    example_1,
    explain_index,
    independent_fold,
    pitchfork,
    short,
)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace, and list pitchforks, folds, indices, limits and all solutions at two lam."""
    problem, branches, diagram = example_1(span=(LOWEST, 1.0), progress=progress)
    diagram.save(out / "non-normal-families.nc")
    values: dict[str, Any] = {f"n={n}": family(branches, n) for n in WINDINGS if n}
    values |= counts(diagram)
    for lam in (0.1, 0.05):
        values[f"solutions at lam={lam:g}"] = solutions(problem, branches, lam)
    draw(out, branches)
    return values


def family(branches: Mapping[str, Branch], n: int) -> dict[str, Any]:
    """Return what is found on the branch n and on the family that leaves it."""
    normal, other = branches[f"n={n}"], branches[f"n={n}, non-normal"]
    (point,) = normal.of_kind("branch-point")
    (fold,) = other.of_kind("fold")
    lam, a, b = pitchfork(n)
    lowest = int(np.argmin(other["lam"]))
    C = other.z[lowest, :-1].reshape(2, 2)
    return {
        "pitchfork lam": point.parameter,
        "pitchfork lam, relative to the closed form": abs(point.parameter / lam - 1),
        "pitchfork, distance to the closed form": float(np.max(np.abs(point.x - [a, -b, b, a]))),
        "pitchfork digits": round(point.digits, 1),
        "pitchfork kernel dimension": point.kernel_dimension,
        "index of the normal branch": [verdict.index for _, _, verdict in normal.verdicts],
        "family fold lam": fold.parameter,
        "family fold lam minus independent solution": fold.parameter
        - independent_fold(fold.x, fold.parameter),
        "family fold digits": round(fold.digits, 1),
        "index of the family": [verdict.index for _, _, verdict in other.verdicts],
        "verdicts of the family": [short(verdict) for _, _, verdict in other.verdicts],
        "family, lowest lam": float(other["lam"][lowest]),
        "family, cost at the lowest lam": float(other["cost"][lowest]),
        "family, skew part at the lowest lam over pi/4": float(
            (C[1, 0] - C[0, 1]) / 2 / (np.pi / 4)
        ),
        "family, det C at the lowest lam over pi^2": float(np.linalg.det(C) / np.pi**2),
        "family, trace of C at the lowest lam": float(np.trace(C)),
    }


def counts(diagram: Diagram) -> dict[str, Any]:
    """Return how the diagram came about."""
    return {
        "branches": len(diagram),
        "branch points switched at": diagram.report["switches"],
        "entered by switching": len(diagram.connections),
    }


def solutions(problem: Any, branches: Mapping[str, Branch], lam: float) -> dict[str, Any]:
    """Return every traced solution at lam: cost, index and normality, by rising cost."""
    found: list[tuple[float, int | None, float, Array]] = []
    for branch in branches.values():
        for x in at(branch, lam):
            cost = problem.observables["cost"](x, {"lam": lam})
            verdict = cc.classify(problem, x, {"lam": lam})
            found.append(
                (cost, verdict.index, problem.observables["normality"](x, {"lam": lam}), x)
            )
    found.sort(key=lambda entry: entry[0])
    return {
        "count": len(found),
        "costs": [entry[0] for entry in found],
        "indices": [entry[1] for entry in found],
        "non-normal": [bool(entry[2] > 1e-6) for entry in found],
        "largest residual": max(
            float(np.max(np.abs(problem.evaluate(entry[3], {"lam": lam})))) for entry in found
        ),
    }


def draw(out: Path, branches: Mapping[str, Branch]) -> None:
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    left, right = figure.subplots(ncols=2)
    draw_by_index(left, branches, "cost")
    left.set(xscale="log", yscale="log", xlim=(2e-7, 0.5), ylim=(0.02, 11), ylabel="cost $J$")
    explain_index(left, branches, loc="lower left")
    families = {label: branch for label, branch in branches.items() if "non-normal" in label}
    draw_by_index(right, families, "normality")
    right.set(xscale="log", xlim=(2e-7, 0.5), ylabel=r"$\Vert [C, C^\top] \Vert$", ylim=(0, None))
    right.set_title("distance from normality on the families", fontsize="medium")
    for axes in (left, right):
        axes.set_xlabel(r"$\lambda$")
    save_figure(figure, out / "non-normal-families.png")


STUDY = Study(
    name="paper-004/non-normal-families",
    title="Non-normal solutions of Example 1 by branch switching",
    claim=(
        "Section 4 (i): non-normal solutions remain an open problem; Example 1 (ii): above the "
        "largest turning point only the principal solution was found."
    ),
    run=run,
)
