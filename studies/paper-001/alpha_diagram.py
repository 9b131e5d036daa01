"""Sharp minima in alpha on data that are not separable: branches, borders, and what remains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, AlphaBranch, alpha_branches
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import judged_vertices, new_figure, plain, save, table

SPAN = (0.0, 0.99)
"""At alpha = 1 the unit is linear and its kink is none: the equations of a held kink degenerate."""

START = 0.7
SAMPLES = (0.3, 0.7, 0.9)

NEAR = 1e-9
"""Distance up to which a point lies on a closed form."""

SPACING = 5
"""Of the points beyond a branch's end every fifth is classified."""


def problem_of(sign: float) -> Any:
    return cc.models.get("relu-hinge").build(X=LINE, y=LABELS, output_weights=[sign])


def follow(branch: AlphaBranch, progress: Any) -> Any:
    """Trace one branch both ways from alpha = 0.7."""
    return cc.trace(
        problem_of(branch.sign),
        branch.point(START),
        "alpha",
        SPAN,
        values={"alpha": START},
        direction="both",
        settings=cc.Settings(step_maximum=0.05),
        progress=progress,
    )


def _beyond(traced: Any, own: Any) -> dict[str, Any]:
    """Return where the branch goes beyond its end: alpha, and the verdicts met on the way."""
    far = 0 if not own[0] else -1
    return {
        "last alpha": float(traced["alpha"][far]),
        "last point": [float(value) for value in traced.z[far, :3]],
        "verdicts": sorted(
            {
                cc.classify(traced.source, z[:3], {"alpha": float(z[3])}).kind
                for z in traced.z[~own][::SPACING]
            }
        ),
    }


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace the four branches and beyond, compare with closed forms, enumerate at three alphas."""
    measured: dict[str, Any] = {}
    figure = new_figure(7.5, 4.8)
    axes = figure.subplots()
    for k, (label, branch) in enumerate(alpha_branches().items()):
        traced = follow(branch, progress)
        traced.save(out / f"alpha-diagram-{label}.nc")
        alpha = traced["alpha"]
        low, high = branch.interval
        closed_form = np.array([branch.point(a) for a in alpha])
        distances = np.max(np.abs(traced.z[:, :3] - closed_form), axis=1)
        own = (alpha >= low - 1e-9) & (alpha <= high + 1e-9) & (distances <= NEAR)
        loss = np.array(
            [
                float(traced.source.network({"alpha": a}).loss(x))
                for x, a in zip(traced.z[:, :3], alpha, strict=True)
            ]
        )
        closed = np.array([branch.loss(a) for a in alpha[own]])
        axes.plot(alpha[own], loss[own], color=PALETTE[k], label=f"{label}, $v={branch.sign:+.0f}$")
        beyond_it = np.where(own, np.nan, loss)
        axes.plot(alpha, beyond_it, color=PALETTE[k], ls="--", lw=1)
        middle = 0.5 * (max(low, SPAN[0]) + min(high, SPAN[1]))
        borders = [point for point in traced.special_points if point.kind == "border"]
        for point in borders:
            at = float(traced.source.network({"alpha": point.parameter}).loss(point.x))
            axes.plot(point.parameter, at, "D", color=PALETTE[k], ms=6)
        measured[label] = {
            "status": [status.name for status in traced.status],
            "ends": [float(np.min(alpha[own])), float(np.max(alpha[own]))],
            "borders": sorted({round(point.parameter, 10) for point in borders}),
            "collisions": [
                [round(point.parameter, 10), point.evidence["collision"]]
                for point in borders
                if np.max(np.abs(point.x - branch.point(point.parameter))) <= NEAR
            ],
            "largest distance from the closed form": float(np.max(distances[own])),
            "largest error of the loss": float(np.max(np.abs(loss[own] - closed))),
            "largest residual": max(
                float(np.max(np.abs(traced.source.evaluate(x, {"alpha": a}))))
                for x, a in zip(traced.z[:, :3], alpha, strict=True)
            ),
            "verdict inside": cc.classify(
                traced.source, branch.point(middle), {"alpha": middle}
            ).kind,
        }
        if not np.all(own):
            measured[label]["beyond its end"] = _beyond(traced, own)
        for name, beyond in (("below", low - 1e-3), ("above", high + 1e-3)):
            if 0 < beyond < 1:
                measured[label][f"verdict {name} its end"] = cc.classify(
                    traced.source, branch.point(beyond), {"alpha": beyond}
                ).kind
    for alpha in SAMPLES:
        for sign in (1.0, -1.0):
            found, judged = judged_vertices(problem_of(sign), {"alpha": alpha})
            measured[f"alpha={alpha:g}, v={sign:+.0f}"] = {
                "enumeration is complete": found.complete,
                "verdicts": table(judged),
            }
            for _, loss, kind in judged:
                if kind == "saddle":
                    axes.plot(alpha, loss, "x", color="0.4", ms=6)
    axes.plot([], [], "D", color="0.3", label="border")
    axes.plot([], [], "x", color="0.4", label="saddles (enumerated)")
    axes.axhline(23 / 24, color="0.6", lw=0.8, ls=":")
    axes.set(xlabel=r"$\alpha$", ylabel="loss", xlim=(0, 1))
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    plain(axes)
    save(figure, out, "alpha-diagram")
    return measured


STUDY = Study(
    name="paper-001/alpha-diagram",
    title="Sub-optimal sharp minima in alpha, and the borders at which they end",
    claim=(
        "Section 3: a bifurcation occurs when alpha passes from positive values to 0, and the "
        "loss surface is trivial for 0 < alpha <= 1."
    ),
    run=run,
)
