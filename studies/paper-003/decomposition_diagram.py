"""Critical points between decomposition and end-to-end learning, in closed form and traced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.failures.decomposition.model import MODEL
from contcrit.models.failures.decomposition.signal import KAPPA
from contcrit.models.failures.decomposition.theory import fold, loss, roots
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch, Diagram
from contcrit.study import Study
from contcrit.tables import special_point_table

from ._shared import Array, bare

LENGTHS = (1, 2, 3, 4, 5, 6)
ANGLES = (0.5, 1.0, 1.5, 2.0)
COSINES = np.linspace(-1.0, 1.0, 201)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace in s for every length, with errors of the auxiliary labels, and in the cosine."""
    branches: dict[int, tuple[Branch, ...]] = {k: traced(k) for k in LENGTHS}
    whole = Diagram(branches=tuple(b for part in branches.values() for b in part))
    special_point_table(whole).to_csv(out / "decomposition-diagram.csv", index=False)
    values: dict[str, Any] = {}
    for k, part in branches.items():
        found = [special for branch in part for special in branch.special_points]
        entry: dict[str, Any] = {
            "kinds": [special.kind for special in found],
            "verdict of the target": sorted({str(v.kind) for _, _, v in part[0].verdicts}),
            "largest distance from closed form": max(off(branch, k) for branch in part),
        }
        expected = fold(k)
        if expected is not None and found:
            entry["fold"] = found[0].parameter
            entry["error of the fold"] = abs(found[0].parameter - expected[0])
            entry["verdicts along it"] = [str(v.kind) for _, _, v in part[1].verdicts]
        values[f"k={k}"] = entry
    values["auxiliary labels at an angle"] = {
        f"k={k}, phi={phi:g}": folds_at(k, phi) for k in (2, 3) for phi in ANGLES
    }
    values["cosine"] = {f"k={k}": along_the_cosine(k) for k in (1, 2, 3, 4)}
    draw(out, branches)
    return values


def traced(k: int) -> tuple[Branch, ...]:
    """Return the branches from every known start."""
    problem = MODEL.build(k=k)
    return tuple(
        cc.trace(problem, start.unknowns, "s", (0.0, 1.0), values=start.values, progress=False)
        for start in MODEL.starts(problem).values()
    )


def off(branch: Branch, k: int) -> float:
    """Return how far the points of a branch are from the nearest root of the polynomial.

    At s = 0 the origin is a root of order k - 1, which both ways miss by the root of rounding.
    """
    worst = 0.0
    for z in branch.z:
        if z[-1] < 1e-6 and abs(z[0]) < 0.2:
            continue
        near = np.min(np.abs(roots(k, float(z[-1])) * KAPPA - z[0]))
        # At the fold two roots meet, and are off by the root of rounding.
        worst = max(worst, float(near), abs(float(z[1])))
    return worst


def folds_at(k: int, phi: float) -> list[float]:
    """Return the folds between auxiliary labels at an angle and end-to-end learning."""
    problem = MODEL.build(k=k)
    aim = KAPPA * np.array([np.cos(phi), np.sin(phi)])
    starts: list[Any] = [({"w": aim}, 1.0)]
    starts += [({"w": [sign * KAPPA, 0.0]}, 0.0) for sign in ((1, -1) if k % 2 == 0 else (1,))]
    diagram = cc.diagram(problem, starts, "s", (0.0, 1.0), values={"phi": phi}, progress=False)
    return sorted(
        special.parameter for branch in diagram.branches for special in branch.of_kind("fold")
    )


def along_the_cosine(k: int) -> dict[str, float]:
    """Return the end-to-end loss at the best length, traced in the cosine from 1 down to 0.05."""
    problem = MODEL.build(k=k, radial=True)
    branch = cc.trace(
        problem, {"r": KAPPA}, "c", (0.05, 1.0), values={"s": 0.0, "c": 1.0}, progress=False
    )
    z = branch.z
    primary = np.array([problem.potential(one[:-1], {"s": 0.0, "c": one[-1]}) for one in z])
    expected = (1.0 - (KAPPA * z[:, -1]) ** (2 * k)) / 2.0
    return {
        "largest error of the length": float(np.max(np.abs(z[:, 0] - KAPPA * z[:, -1]))),
        "largest error of the loss": float(np.max(np.abs(primary - expected))),
        "gain at c=0.05": float((KAPPA * 0.05) ** (2 * k) / 2.0),
    }


def draw(out: Path, branches: dict[int, tuple[Branch, ...]]) -> None:
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for k in (2, 4, 6):
        for branch in branches[k]:
            solid = branch.z[:, 0] / KAPPA
            left.plot(branch.z[:, -1], solid, color=PALETTE[k // 2 - 1], lw=1.2)
            for special in branch.special_points:
                left.plot(special.parameter, special.x[0] / KAPPA, "o", color="k", ms=4)
        left.plot([], [], color=PALETTE[k // 2 - 1], label=f"$k = {k}$")
    left.set(xlabel="$s$", ylabel=r"$u \cdot w / \kappa$", xlim=(0, 0.4))
    left.set_title("critical points; dots: folds", fontsize="medium")
    left.legend(frameon=False, fontsize="small", loc="center right")
    for k in (1, 2, 3, 4):
        middle.plot(COSINES, profile(k, 0.0), color=PALETTE[k - 1], label=f"$k = {k}$")
    middle.plot(COSINES, profile(1, 1.0), "k--", lw=0.8)
    middle.set(xlabel="$c$", ylabel="loss at the best length")
    middle.set_title("end to end; dashed: decomposed", fontsize="medium")
    middle.legend(frameon=False, fontsize="small")
    line = np.linspace(-1.3, 1.3, 301)
    for number, s in enumerate((0.0, 0.1, float((fold(2) or (0.0,))[0]), 0.5)):
        shown = [loss(np.array([KAPPA * a, 0.0]), 2, s) for a in line]
        right.plot(line, shown, color=PALETTE[number], label=f"$s = {s:.3g}$")
    right.set(xlabel=r"$u \cdot w / \kappa$", ylabel="loss, $k = 2$", ylim=(0.1, 1.2))
    right.legend(frameon=False, fontsize="small")
    for axes in (left, middle, right):
        bare(axes)
    save_figure(figure, out / "decomposition-diagram.png")


def profile(k: int, s: float) -> Array:
    """Return the loss at the length kappa c, for every cosine; the lengths of both losses agree."""
    side = np.sqrt(1.0 - COSINES**2)
    return np.array(
        [loss(KAPPA * c * np.array([c, h]), k, s) for c, h in zip(COSINES, side, strict=True)]
    )


STUDY = Study(
    name="paper-003/decomposition-diagram",
    title="Critical points between decomposition and end-to-end learning",
    claim="Section 3.2: the failure is not due to local minima or saddle points.",
    run=run,
)
