"""Accuracy against iterations for random parities of 5, 10 and 30 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.failures.parity.theory import Predictor, parity
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, Array, bare, cached, counting

DIMENSIONS = (5, 10, 30)
RUNS = 3
ITERATIONS = 10_000
EVERY = 100
BATCH = 32
RATE = 0.1
TEST = 2000
"""The paper takes 50000 iterations; size of its batches and its step are not stated."""

CONSTANTS = {
    "dimensions": DIMENSIONS,
    "runs": RUNS,
    "iterations": ITERATIONS,
    "every": EVERY,
    "batch": BATCH,
    "rate": RATE,
    "test": TEST,
    "seed": SEED,
}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Train the networks, or read their curves, and draw the accuracies."""

    def compute() -> dict[str, Array]:
        found = {}
        with counting(progress, len(DIMENSIONS) * RUNS, "training") as advance:
            for d in DIMENSIONS:
                curves, ones = [], []
                for k in range(RUNS):
                    curve, count = train(d, np.random.default_rng([SEED, d, k]))
                    curves.append(curve)
                    ones.append(count)
                    advance(1)
                found[f"accuracy {d}"], found[f"ones {d}"] = np.array(curves), np.array(ones)
        return found

    made = cached(out / "figure-1-runs.npz", CONSTANTS, (train, step), compute)
    values: dict[str, Any] = {"iterations": ITERATIONS, "runs": RUNS}
    for d in DIMENSIONS:
        curves = made[f"accuracy {d}"]
        reached = np.argmax(curves >= 0.99, axis=1) * EVERY
        values[f"d={d}"] = {
            "bits that count": made[f"ones {d}"].tolist(),
            "least accuracy at the end": float(np.min(curves[:, -1])),
            "greatest accuracy at the end": float(np.max(curves[:, -1])),
            "iterations to 99 %": [
                int(n) if np.any(curve >= 0.99) else -1
                for n, curve in zip(reached, curves, strict=True)
            ],
        }
    write_table(out / "figure-1.csv", made)
    draw(out, made)
    return values


def train(d: int, generator: np.random.Generator) -> tuple[Array, int]:
    """Return the accuracies of one run at every EVERY iterations, and how many bits count.

    Stochastic descent of the hinge loss by fresh batches; width 10 d; accuracy on TEST inputs.
    """
    v = generator.integers(0, 2, d)
    network = Predictor.random(d, 10 * d, generator)
    weights = [network.W, network.b, network.v, np.zeros(1)]
    weights = [block.astype(np.float32) for block in weights]
    test = generator.integers(0, 2, (TEST, d)).astype(np.float32)
    labels = parity(test, v)
    found = []
    for t in range(ITERATIONS + 1):
        if t % EVERY == 0:
            W, b, u, c = weights
            p = np.maximum(test @ W.T + b, 0) @ u + c
            found.append(float(np.mean(p * labels > 0)))
        X = generator.integers(0, 2, (BATCH, d), dtype=np.int8).astype(np.float32)
        step(weights, X, parity(X, v).astype(np.float32))
    return np.array(found), int(v.sum())


def step(weights: list[Array], X: Array, y: Array) -> None:
    """Move the weights W, b, v and c down the batch's gradient, in place."""
    W, b, v, c = weights
    features = X @ W.T
    features += b
    np.maximum(features, 0, out=features)
    p = features @ v + c
    pull = (RATE / len(y)) * y * (y * p < 1)
    back = (features > 0) * pull[:, None]
    back *= v
    v += pull @ features
    c += pull.sum()
    W += back.T @ X
    b += back.sum(axis=0)


def write_table(path: Path, made: dict[str, Array]) -> None:
    rows = [
        (d, k, EVERY * t, accuracy)
        for d in DIMENSIONS
        for k, curve in enumerate(made[f"accuracy {d}"])
        for t, accuracy in enumerate(curve)
    ]
    np.savetxt(
        path, rows, delimiter=",", header="d,run,iteration,accuracy", comments="", fmt="%.10g"
    )


def draw(out: Path, made: dict[str, Array]) -> None:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for k, d in enumerate(DIMENSIONS):
        for j, curve in enumerate(made[f"accuracy {d}"]):
            axes.plot(
                EVERY * np.arange(len(curve)), curve, color=PALETTE[k], linewidth=1.0,
                label=f"d = {d}" if j == 0 else None,
            )  # fmt: skip
    axes.axhline(0.5, color="black", linewidth=0.6, linestyle=":")
    axes.set(xlabel="training iterations", ylabel="accuracy", ylim=(0.35, 1.03), xlim=(0, None))
    axes.legend(frameon=False, loc="center right")
    bare(axes)
    save_figure(figure, out / "figure-1.png")


STUDY = Study(
    name="paper-003/figure-1",
    title="Random parities: accuracy against iterations",
    claim=(
        "Figure 1: with width 10 d and hinge loss, parities of 5 and 10 bits are learned, and with "
        "30 bits there is no advance beyond chance."
    ),
    run=run,
    seed=SEED,
)
