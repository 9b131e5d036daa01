"""Equation 14: a lower bound of the gradient at lam = 0, over random curves of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import expm

from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import Array

SEED = 0
DRAWS = 1500
PIECES = 8
NODES, WEIGHTS = np.polynomial.legendre.leggauss(6)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Evaluate both sides for random weights, and where the bound is attained."""
    generator = np.random.default_rng(SEED)
    ratios, lengths = [], []
    for _ in range(DRAWS):
        weights, R, moment, T = draw_case(generator)
        ratio, length = compare(weights, R, moment, T)
        ratios.append(ratio)
        lengths.append(length)
    scalar = [
        compare(np.full((PIECES, 1, 1), -rate), np.array([[2.0]]), np.eye(1), T)[0]
        for rate, T in ((0.0, 1.0), (0.5, 1.0), (2.0, 1.5), (4.0, 0.5))
    ]
    without_root = compare(
        np.full((PIECES, 1, 1), -0.5), np.array([[2.0]]), np.eye(1), 4.0, root=False
    )[0]
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(lengths, ratios, ".", ms=3, color=PALETTE[0], alpha=0.6, label="random weights")
    axes.axhline(2.0, color=PALETTE[1], label="sharp constant $2T$")
    axes.axhline(1.0, color="0.4", linestyle="--", label="constant $T$ of the paper")
    axes.set(ylim=(0.5, 1e6), xlim=(0, 12))
    axes.set(xlabel=r"$\int \sqrt{\mathrm{tr}\, A^\top A}\, dt$", ylabel="left side / right side")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "equation-14.png")
    return {
        "random curves": DRAWS,
        "least ratio": float(min(ratios)),
        "ratio for d=1 and constant weights <= 0": scalar,
        "ratio without the square root, d=1, A=-1/2, T=4": without_root,
    }


def draw_case(generator: np.random.Generator) -> tuple[Array, Array, Array, float]:
    """Return random weights, target, second moment and depth, of many sizes."""
    d = int(generator.integers(1, 4))
    size = 10.0 ** generator.uniform(-2.0, 0.5)
    weights = size * generator.standard_normal((PIECES, d, d))
    if generator.random() < 0.5:  # constant in time, contracting: close to the sharp case
        weights[:] = weights[0] - size * np.eye(d)
    root = generator.standard_normal((d, d))
    moment = root @ root.T + 0.05 * np.eye(d)
    R = generator.standard_normal((d, d)) * 10.0 ** generator.uniform(-1.0, 1.0)
    return weights, R, moment, float(generator.uniform(0.2, 4.0))


def compare(
    weights: Array, R: Array, moment: Array, T: float, root: bool = True
) -> tuple[float, float]:
    """Return the ratio of the two sides of the bound, and the integral in its exponent.

    The weights are constant on pieces of equal length, so that the flow is exact and the gradient
    ``Phi_{T,t}^T (F - R) Sigma0 Phi_{t,0}^T`` smooth on each.
    """
    h = T / len(weights)
    steps = expm(h * weights)
    before, after = [np.eye(len(R))], [np.eye(len(R))]
    for step, later in zip(steps, steps[::-1], strict=True):
        before.append(step @ before[-1])
        after.append(after[-1] @ later)
    F = before[-1]
    pull = (F - R) @ moment
    total = 0.0
    shares = 0.5 * (1.0 + NODES)[:, None, None]
    for A, flow, rest in zip(weights, before[:-1], after[-2::-1], strict=True):
        now = expm(shares * h * A) @ flow
        onward = rest @ expm((1.0 - shares) * h * A)
        gradient = onward.transpose(0, 2, 1) @ pull @ now.transpose(0, 2, 1)
        total += 0.5 * h * float(WEIGHTS @ np.sum(gradient**2, axis=(1, 2)))
    squares = np.sum(weights**2, axis=(1, 2))
    exponent = h * float(np.sum(np.sqrt(squares) if root else squares))
    excess = 0.5 * float(np.sum((F - R) * pull))
    least = float(np.linalg.eigvalsh(moment)[0])
    return total / (T * np.exp(-2.0 * exponent) * least * excess), exponent


STUDY = Study(
    name="paper-004/equation-14",
    title="The lower bound of the gradient at lam = 0",
    claim="Equation 14: |grad J|^2 >= T exp(-2 int sqrt(tr A^T A)) lam_min(Sigma0) (J - J*).",
    run=run,
    seed=SEED,
)
