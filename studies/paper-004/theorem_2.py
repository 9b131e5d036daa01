"""Theorem 2: the expansion of C(lam) at lam = 0 for normal targets, order by order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import block_diag, logm

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import Array, at, network

SEED = 0
REGULARISATIONS = 0.02 * 0.5 ** np.arange(7)
CASES = ((2, 1.0), (3, 0.7), (3, 1.6), (4, 1.0), (4, 2.0))
"""Dimension and depth of each random target."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Measure the order of the remainder for random normal targets, and the next coefficient."""
    generator = np.random.default_rng(SEED)
    values: dict[str, Any] = {}
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for k, (d, T) in enumerate(CASES):
        R = random_normal(generator, d)
        remainders = remainder(R, T, progress)
        order = np.polyfit(np.log(REGULARISATIONS), np.log(remainders), 1)[0]
        values[f"target {k + 1}, d={d}, T={T:g}"] = {"order of the remainder": float(order)}
        axes.loglog(
            REGULARISATIONS, remainders, "o-", ms=4, color=PALETTE[k], label=f"$d={d}$, $T={T:g}$"
        )
    values["second coefficient for the quarter turn"] = second_coefficient(progress)
    axes.loglog(
        REGULARISATIONS, 30 * REGULARISATIONS**2, color="0.5", linestyle=":", label=r"slope 2"
    )
    axes.set(xlabel=r"$\lambda$", ylabel="remainder of Theorem 2 (Frobenius norm)")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "theorem-2.png")
    return values


def random_normal(generator: np.random.Generator, d: int) -> Array:
    """Return a random normal matrix without eigenvalues on the closed negative real axis."""
    blocks = []
    for _ in range(d // 2):
        size, turn = generator.uniform(0.6, 1.6), generator.uniform(0.2, 2.6)
        blocks.append(
            size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        )
    if d % 2:
        blocks.append(np.array([[generator.uniform(0.6, 1.6)]]))
    basis = np.linalg.qr(generator.standard_normal((d, d)))[0]
    return basis @ block_diag(*blocks) @ basis.T


def remainder(R: Array, T: float, progress: Any) -> Array:
    """Return the distance of C(lam) to the first two terms, along the traced branch."""
    model = cc.models.get("linear-network")
    problem = model.build(R=R, T=T)
    zero = (0,) * len([z for z in np.linalg.eigvals(R) if z.imag > 1e-9])
    (start,) = model.starts(problem, windings=(zero,)).values()
    branch = cc.trace(
        problem, start, "lam", (0.0, 0.03), direction="forward", classify=False, progress=progress
    )
    logarithm = np.real(logm(R))
    slope = np.linalg.solve(R @ R.T, logarithm) / T**2
    found = []
    for lam in REGULARISATIONS:
        (x,) = at(branch, lam)
        found.append(np.linalg.norm(x.reshape(R.shape) - logarithm / T + lam * slope))
    return np.array(found)


def second_coefficient(progress: Any) -> list[float]:
    """Return the coefficient of lam^2 of a + ib for the quarter turn, by a polynomial fit."""
    model = cc.models.get("linear-network")
    problem = model.build(**model.example)
    start = model.starts(problem, windings=(0,))["n=0"]
    branch = cc.trace(
        problem, start, "lam", (0.0, 0.03), direction="forward", classify=False, progress=progress
    )
    points = np.array([at(branch, lam)[0] for lam in REGULARISATIONS])
    assert np.max(np.abs(network().residual(points[0].reshape(2, 2), REGULARISATIONS[0]))) < 1e-12
    found = []
    for column, constant, slope in ((0, 0.0, 0.0), (2, np.pi / 2, -np.pi / 2)):
        rest = (points[:, column] - constant - slope * REGULARISATIONS) / REGULARISATIONS**2
        found.append(float(np.polynomial.Polynomial.fit(REGULARISATIONS, rest, 5)(0.0)))
    return found


STUDY = Study(
    name="paper-004/theorem-2",
    title="The expansion of C(lam) at lam = 0 for normal targets",
    claim="Theorem 2: C = log(R)/T - (lam/T^2) (R R^T)^{-1} log R + O(lam^2).",
    run=run,
    seed=SEED,
)
