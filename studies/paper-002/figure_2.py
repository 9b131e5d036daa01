"""Figure 2: directions of the learning law in the plane, with the kinks and the origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.relu_regression.losses import ReluRegression
from contcrit.models.relu_regression.theory import in_region, solution
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, W_STAR, Array, bare, reference

LAM = 0.01
GRID = np.linspace(-2.0, 2.0, 21)
SIGNS = {"printed sign": 1, "correct sign": -1}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Draw both fields under both signs; count where they point towards the solution."""
    values: dict[str, Any] = {}
    fields: dict[tuple[str, str], tuple[ReluRegression, Array, Array]] = {}
    points = np.array([(a, b) for a in GRID for b in GRID])
    for norm in ("l1-squared", "l2"):
        for sign, number in SIGNS.items():
            data = reference(norm, number)
            arrows = directions(data, points)
            drawn = np.isfinite(arrows[:, 0])
            target = solution(data, LAM)
            inside = drawn & np.array([in_region(w, W_STAR) for w in points])
            towards = np.sum((target - points) * np.nan_to_num(arrows), axis=1) > 0
            values[f"{norm}, {sign}"] = {
                "solution": target.tolist(),
                "grid points without a direction": [
                    [float(a) + 0.0 for a in point] for point in points[~drawn]
                ],
                "share of the grid in the ball that moves towards the solution": float(
                    np.mean(towards[inside])
                ),
                "share of the grid that moves towards the solution": float(np.mean(towards[drawn])),
            }
            fields[norm, sign] = data, points[drawn], arrows[drawn]
    one, other = fields["l1-squared", "printed sign"], fields["l1-squared", "correct sign"]
    cosines = np.sum(one[2] * other[2], axis=1)
    values["largest angle between the l1 fields of both signs, degrees"] = float(
        np.degrees(np.arccos(np.clip(np.min(cosines), -1, 1)))
    )
    draw(out, fields)
    return values


def directions(data: ReluRegression, points: Array) -> Array:
    """Return unit vectors along the law; NaN where it has no direction.

    At the origin the law jumps: the outputs' derivatives and, for l1, those of the norm do not
    exist there.
    """
    arrows = np.full_like(points, np.nan)
    for k, w in enumerate(points):
        if not w.any():
            continue
        force = data.field(w, LAM)
        size = float(np.linalg.norm(force))
        if size > 0:
            arrows[k] = force / size
    return arrows


def draw(out: Path, fields: dict[tuple[str, str], Any]) -> None:
    figure = Figure(figsize=(8.4, 8.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    names = {"l1-squared": r"$\ell_1$", "l2": r"$\ell_2$"}
    for axes, ((norm, sign), (data, points, arrows)) in zip(
        panels.T.ravel(), fields.items(), strict=True
    ):
        for row in data.X:
            axes.axline((0, 0), (-row[1], row[0]), color="0.85", linewidth=0.6, zorder=0)
        ends = points + 0.14 * arrows
        axes.plot(
            np.stack([points[:, 0], ends[:, 0]]), np.stack([points[:, 1], ends[:, 1]]),
            color=PALETTE[2], linewidth=0.9,
        )  # fmt: skip
        axes.plot(points[:, 0], points[:, 1], "k.", ms=1.5)
        axes.plot(0, 0, "o", mfc="white", mec="black", ms=4)
        axes.plot(*W_STAR, "ko", ms=6)
        axes.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        axes.set_title(rf"{names[norm]}, {sign}", fontsize="medium")
        bare(axes)
    save_figure(figure, out / "figure-2.png")


STUDY = Study(
    name="paper-002/figure-2",
    title="Directions of the learning law in the plane",
    claim="Figure 2: phase diagrams for l1 and l2 with N = 10, d = 2, lam = 0.01, w* = (1, 1).",
    run=run,
    seed=SEED,
)
