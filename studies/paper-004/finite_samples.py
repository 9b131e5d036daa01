"""Finite samples: how far C(lam) is off when the moments come from N samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import QUARTER, Array, at, corrected, example_1, network

SEED = 0
LAM = 0.1
NOISE = 0.5
SAMPLES = (4000, 16000, 64000, 256000)
REPEATS = 40


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Solve the finite-sample equation for many draws at three critical points."""
    generator = np.random.default_rng(SEED)
    _, branches, _ = example_1((0, -1), (0.01, 0.2), families=False, progress=progress)
    (principal,) = at(branches["n=0"], LAM)
    log_side, escaping = at(branches["n=-1"], LAM)
    points = {"n=0": principal, "n=-1, log side": log_side, "n=-1, escaping side": escaping}
    errors = {label: np.zeros((len(SAMPLES), REPEATS)) for label in points}
    predicted = {label: np.zeros((len(SAMPLES), REPEATS)) for label in points}
    worst = 0.0
    for row, count in enumerate(SAMPLES):
        for column in range(REPEATS):
            inputs = generator.standard_normal((count, 2))
            noise = NOISE * generator.standard_normal((count, 2))
            moment, Q = inputs.T @ inputs / count, noise.T @ inputs / count
            finite = cc.models.get("linear-network").build(
                R=QUARTER, Sigma0=moment, noise_correlation=Q
            )
            for label, x in points.items():
                y = corrected(finite, x, LAM)
                worst = max(worst, float(np.max(np.abs(finite.evaluate(y, {"lam": LAM})))))
                errors[label][row, column] = np.linalg.norm(y - x)
                predicted[label][row, column] = np.linalg.norm(first_order(x, moment, Q))
    values: dict[str, Any] = {"largest residual": worst, "equations solved": errors["n=0"].size * 3}
    for label in points:
        mean = np.sqrt(np.mean(errors[label] ** 2, axis=1))
        linear = np.sqrt(np.mean(predicted[label] ** 2, axis=1))
        values[label] = {
            "order in N": float(np.polyfit(np.log(SAMPLES), np.log(mean), 1)[0]),
            "error times sqrt N at the largest N": float(mean[-1] * np.sqrt(SAMPLES[-1])),
            "error over its first-order prediction at the largest N": float(mean[-1] / linear[-1]),
        }
    draw(out, errors)
    return values


def first_order(x: Array, moment: Array, Q: Array) -> Array:
    """Return the first-order change of C: DN^{-1} [F^T (R - F) (Sigma0^N - I) + F^T Q]."""
    C = x.reshape(2, 2)
    F = network().end(C)
    force = F.T @ ((QUARTER - F) @ (moment - np.eye(2)) + Q)
    return np.linalg.solve(network().residual_derivative(C, LAM), force.ravel())


def draw(out: Path, errors: dict[str, Array]) -> None:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for k, (label, error) in enumerate(errors.items()):
        for column in error.T:
            axes.loglog(SAMPLES, column, ".", ms=3, color=PALETTE[k], alpha=0.3)
        mean = np.sqrt(np.mean(error**2, axis=1))
        axes.loglog(SAMPLES, mean, "o-", ms=4, color=PALETTE[k], label=label.replace("n=", "n = "))
    axes.loglog(SAMPLES, np.array(SAMPLES) ** -0.5, ":", color="0.4", label=r"$N^{-1/2}$")
    axes.set(xlabel="samples $N$", ylabel=r"$|C^{(N)} - C|$")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    save_figure(figure, out / "finite-samples.png")


STUDY = Study(
    name="paper-004/finite-samples",
    title="Sensitivity of C(lam) to the number of samples",
    claim="Section 4 (ii): lam C = F^T (R - F) Sigma0^N + F^T Q^N; its sensitivity is left open.",
    run=run,
    seed=SEED,
)
