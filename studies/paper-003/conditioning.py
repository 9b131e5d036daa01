"""Condition numbers of encoding curves: matrix, convolution, and the way to a conditioned one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.failures.curve_encoding.model import MODEL
from contcrit.models.failures.curve_encoding.theory import (
    condition_limit,
    condition_number,
    convolution_encoding,
    linear_encoding,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare

LENGTHS = (4, 6, 8, 10, 20, 50, 100, 200, 400, 800)
LARGEST_WINDOWS = 200
CURVE = 100
"""Points of the paper's curves."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Compute condition numbers and limits, and trace the encoder through preconditioning."""
    linear = {n: condition_number(n) for n in LENGTHS}
    windowed = {n: convolution_encoding(n).condition() for n in LENGTHS if n <= LARGEST_WINDOWS}
    pd.DataFrame({"n": LENGTHS, "matrix": linear.values()}).merge(
        pd.DataFrame({"n": windowed.keys(), "convolution": windowed.values()}), how="left"
    ).to_csv(out / "conditioning.csv", index=False)
    encoding = convolution_encoding(CURVE)
    matrix = linear_encoding(CURVE)
    shares = np.linspace(0.0, 1.0, 21)
    powers = np.array([encoding.condition(t) for t in shares])
    apart = max(
        abs(direct_condition(encoding, t) / encoding.condition(t) - 1) for t in (0.25, 0.5, 0.75)
    )
    values: dict[str, Any] = {
        "matrix, n=10": linear[10],
        "matrix over n^4, limit": condition_limit(),
        "matrix over n^4, n=800": linear[800] / 800**4,
        "matrix over n^4, extrapolated": extrapolated({n: linear[n] / n**4 for n in (400, 800)}),
        "matrix over n^3.5, least": min(linear[n] / n**3.5 for n in LENGTHS),
        "convolution, n=10": windowed[10],
        "convolution over n^3, n=200": windowed[200] / 200**3,
        "convolution over n^3, extrapolated": extrapolated(
            {n: windowed[n] / n**3 for n in (100, 200)}
        ),
        "preconditioned, relative error of kappa^(1-t)": apart,
        "n=100": {
            "matrix": matrix.condition(),
            "convolution": encoding.condition(),
            "steps to a thousandth": {
                "matrix": matrix.iterations(1e-3),
                "convolution": encoding.iterations(1e-3),
                **{
                    f"convolution, t={t:g}": encoding.iterations(1e-3, t)
                    for t in (0.25, 0.5, 0.75, 1.0)
                },
            },
        },
        "traced": traced(),
    }
    draw(out, linear, windowed, shares, powers)
    return values


def direct_condition(encoding: Any, t: float) -> float:
    """Return the condition number of C^{-t/2} C C^{-t/2}, from C itself."""
    C = encoding.factor @ encoding.factor.T
    values, vectors = np.linalg.eigh(C)
    root = (vectors * values ** (-t / 2)) @ vectors.T
    return float(np.linalg.cond(root @ C @ root))


def extrapolated(values: dict[int, float]) -> float:
    """Return the limit for n to infinity of a + b / n through two values."""
    (n, one), (m, other) = values.items()
    return (m * other - n * one) / (m - n)


def traced() -> dict[str, Any]:
    """Trace the solution in t, at a step size that is stable with preconditioning only."""
    problem: Any = MODEL.build(n=10)
    start = MODEL.starts(problem)["solution"]
    D = problem.data.curvatures()
    eta = 1.0
    branch = cc.trace(
        problem,
        start.unknowns,
        "t",
        (0.0, 1.0),
        values={**start.values, "eta": eta},
        progress=False,
    )
    # Every D_j above 2 / eta has its own flip, where eta D_j^{1-t} = 2.
    expected = np.sort([1.0 - np.log(2.0 / eta) / np.log(one) for one in D if one > 2.0 / eta])
    found = np.sort([special.parameter for special in branch.of_kind("flip")])
    ends = [verdict.evidence["stability"] for _, _, verdict in branch.verdicts]
    drift = max(
        float(np.max(np.abs(problem.encoder(z[:-1], z[-1]) - problem.data.solution)))
        for z in branch.z
    )
    return {
        "kinds": [special.kind for special in branch.special_points],
        "flips": found.tolist(),
        "largest error of a flip": float(np.max(np.abs(found - expected)))
        if len(found) == len(expected)
        else np.inf,
        "stability": ends,
        "largest change of the encoder": drift,
    }


def draw(out: Path, linear: Any, windowed: Any, shares: Any, powers: Any) -> None:
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    n = np.array(LENGTHS, dtype=float)
    left.loglog(n, list(linear.values()), "o", ms=4, color=PALETTE[1], label="matrix")
    left.loglog(n, condition_limit() * n**4, color=PALETTE[1], lw=0.8, label="$1.294\\,n^4$")
    left.loglog(n, n**3.5, "--", color=PALETTE[1], lw=0.8, label="$n^{3.5}$, paper")
    left.loglog(
        list(windowed), list(windowed.values()), "o", ms=4, color=PALETTE[0], label="convolution"
    )
    left.loglog(n, 1.5 * n**3, color=PALETTE[0], lw=0.8, label="$1.5\\,n^3$")
    left.set(xlabel="$n$", ylabel="condition number")
    left.legend(frameon=False, fontsize="x-small")
    right.semilogy(shares, powers, color=PALETTE[0], label="condition number, $\\kappa^{1-t}$")
    steps = [convolution_encoding(CURVE).iterations(1e-3, t) for t in shares]
    right.semilogy(shares, steps, color=PALETTE[2], label="steps to $10^{-3}$")
    right.set(xlabel="share of preconditioning $t$")
    right.legend(frameon=False, fontsize="x-small")
    for axes in (left, right):
        bare(axes)
    save_figure(figure, out / "conditioning.png")


STUDY = Study(
    name="paper-003/conditioning",
    title="Condition numbers of encoding a curve",
    claim=(
        "Section 4 of the longer version: cond(W^T W) is of order n^3.5 at least; a convolution "
        "has order n^3; conditioning gives 1."
    ),
    run=run,
)
