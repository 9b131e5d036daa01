"""The paper's graphical summary: four ways in which gradients fail, from the package's models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contcrit.models.failures.curve_encoding.theory import linear_encoding
from contcrit.models.failures.decomposition.signal import signal_to_noise
from contcrit.models.failures.decomposition.theory import KAPPA, loss
from contcrit.models.failures.flat_activation.laws import Sample, Staircase
from contcrit.models.failures.linear_periodic.theory import LinearPeriodic
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, bare

TARGETS = (6.0, 8.0, 10.0)
TUPLE = 3
BATCH = 5


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Draw the four panels, and measure what each of them shows."""
    figure = Figure(figsize=(11.0, 3.2), layout="constrained")
    panels = figure.subplots(1, 4)
    values = {
        "(a) little variance": little_variance(panels[0]),
        "(b) low signal to noise": low_signal(panels[1]),
        "(c) bad conditioning": bad_conditioning(panels[2]),
        "(d) flat activation": flat_activation(panels[3]),
    }
    titles = (
        "(a) one loss for each target",
        "(b) one loss for each sample",
        "(c) steepest descent",
        "(d) flat activation",
    )
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize="medium")
        bare(axes)
    save_figure(figure, out / "figure-6.png")
    return values


def little_variance(axes: Axes) -> dict[str, Any]:
    """Draw the cosine's loss for targets of different length: alike, but for their minima."""
    w = np.linspace(-12, 12, 1921)
    slopes = []
    for k, target in enumerate(TARGETS):
        own = LinearPeriodic(np.array([target]))
        axes.plot(w, own.loss(w[:, None]), color=PALETTE[k], linewidth=1.0)
        slopes.append(own.gradient(w[:, None])[:, 0])
    axes.set(xlabel="w", ylabel="loss")
    away = np.min([np.abs(np.abs(w) - target) for target in TARGETS], axis=0) > 4
    spread = np.std(slopes, axis=0)
    return {
        "largest deviation of the slopes, 4 or more from every target": float(np.max(spread[away])),
        "largest slope there": float(np.max(np.abs(np.array(slopes)[:, away]))),
    }


def low_signal(axes: Axes) -> dict[str, Any]:
    """Draw the loss of products of three scores: on batches of five tuples, and expected."""
    generator = np.random.default_rng(SEED)
    a = np.linspace(-1, 1, 201)
    slopes = []
    at = int(np.argmin(np.abs(a - 0.5)))
    for k in range(200):
        scores = generator.normal(size=(BATCH, TUPLE))
        products, labels = np.prod(scores, axis=1), np.prod(np.sign(scores), axis=1)
        curve = np.mean((a[:, None] ** TUPLE * products - labels) ** 2, axis=1) / 2
        slopes.append(float(np.gradient(curve, a)[at]))
        if k < 8:
            axes.plot(a, curve, "--", color="0.6", linewidth=0.8)
    average = np.array([loss(np.array([value, 0.0]), TUPLE, 0.0) for value in a])
    axes.plot(a, average, color=PALETTE[0], linewidth=1.8)
    axes.set(xlabel="w along u", ylabel="loss", ylim=(0, 1.6))
    mean_slope = TUPLE * (0.5 ** (2 * TUPLE - 1) - KAPPA**TUPLE * 0.5 ** (TUPLE - 1))
    return {
        "slope of the expected loss at 1/2": float(np.gradient(average, a)[at]),
        "closed form": float(mean_slope),
        "deviation of the slopes of batches over that slope": float(
            np.std(slopes) / abs(mean_slope)
        ),
        "signal to noise of one tuple, d = 784, w = 0.1 along u": signal_to_noise(TUPLE, 784, 0.1),
    }


def bad_conditioning(axes: Axes) -> dict[str, Any]:
    """Draw the steepest descent of encoding curves of two points."""
    encoding = linear_encoding(2)
    C, target = encoding.second_moment(), encoding.target()
    grid = np.linspace(-1, 1, 15)
    offsets = np.stack(np.meshgrid(grid, grid), axis=-1)
    force = -offsets @ C
    lengths = np.linalg.norm(force, axis=-1)
    shown = force / np.where(lengths > 0, lengths, 1.0)[..., None]
    axes.quiver(
        target[0] + offsets[..., 0], target[1] + offsets[..., 1], shown[..., 0], shown[..., 1],
        color=PALETTE[0], pivot="mid", scale=22,
    )  # fmt: skip
    axes.plot(*target, "ko", ms=5)
    axes.set(xlabel="$k_1$", ylabel="$k_2$", aspect="equal")
    kappa = encoding.condition()
    # Between the gradient and the way to the solution, at worst: Kantorovich's inequality.
    angle = float(np.degrees(np.arccos(2 * np.sqrt(kappa) / (kappa + 1))))
    along = -np.sum(force * offsets, axis=-1)
    distances = lengths * np.linalg.norm(offsets, axis=-1)
    moved = distances > 0
    cosines = along[moved] / distances[moved]
    return {
        "condition number": kappa,
        "largest angle to the way to the solution, degrees": angle,
        "the same on the grid": float(np.degrees(np.arccos(np.min(cosines)))),
        "condition number, n = 100": linear_encoding(100).condition(),
    }


def flat_activation(axes: Axes) -> dict[str, Any]:
    """Draw the squared loss of one unit with a staircase: flat pieces and jumps."""
    stairs = Staircase(np.array([-1.0, -0.5, 0.0, 0.5, 1.0]))
    X = np.array([[1.0], [0.8], [-0.6]])
    sample = Sample(stairs, X, stairs(X @ np.array([0.7])))
    w = np.linspace(-1.5, 1.5, 3001)
    values = sample.squared_loss(w[:, None])
    axes.plot(w, values, ".", ms=1.2, color=PALETTE[0])
    axes.set(xlabel="w", ylabel="loss")
    outputs = w[:, None, None] * X[None] - stairs.z[None, None, 1:]
    jumped = np.any(outputs[:-1] * outputs[1:] <= 0, axis=(1, 2))
    return {
        "largest change of the loss between jumps": float(np.max(np.abs(np.diff(values)[~jumped]))),
        "share of intervals without a jump": float(np.mean(~jumped)),
        "law without the derivative, at -1": float(sample.forward_law([-1.0])[0]),
    }


STUDY = Study(
    name="paper-003/figure-6",
    title="Four ways in which gradients fail",
    claim=(
        "Figure 6: extremely small variance over targets, low signal-to-noise ratio, bad "
        "conditioning, and a completely flat activation."
    ),
    run=run,
    seed=SEED,
)
