"""The exact variance of the gradient over all parities, against the bound of Theorem 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.failures.parity.theory import (
    LOSSES,
    Predictor,
    gradient_variance,
    gradient_variance_by_transform,
    inputs,
    variance_bound,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import SEED, bare, counting

DIMENSIONS = range(2, 11)
DRAWS = 5
"""Random initialisations of each dimension; the width is 10 d, as in the paper's experiment."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Compute the variance by the identity and by transforms, and the bound."""
    rows = []
    worst = 0.0
    with counting(progress, len(DIMENSIONS), "gradients") as advance:
        for d in DIMENSIONS:
            X = inputs(d)
            for k in range(DRAWS):
                network = Predictor.random(d, 10 * d, np.random.default_rng([SEED, d, k]))
                p, g = network(X), network.jacobian(X)
                bound = variance_bound(g, 2**d)
                for loss in LOSSES:
                    exact = gradient_variance(p, g, loss)
                    if k == 0:
                        checked = gradient_variance_by_transform(p, g, loss)
                        worst = max(worst, abs(checked / exact - 1))
                    rows.append((d, k, loss, exact, bound))
            advance(1)
    values: dict[str, Any] = {
        "largest relative difference of identity and transform": worst,
        "largest share of the bound": max(exact / bound for *_, exact, bound in rows),
    }
    for loss in LOSSES:
        for d in (5, 10):
            own = [(exact, bound) for n, _, name, exact, bound in rows if (n, name) == (d, loss)]
            values[f"{loss}, d={d}"] = {
                "mean variance": float(np.mean([exact for exact, _ in own])),
                "mean bound": float(np.mean([bound for _, bound in own])),
            }
        values[f"{loss}, slope of log2 variance"] = slope(rows, loss)
    with (out / "gradient-variance.csv").open("w", encoding="utf-8") as stream:
        stream.write("d,draw,loss,variance,bound\n")
        for d, k, loss, exact, bound in rows:
            stream.write(f"{d},{k},{loss},{exact:.17g},{bound:.17g}\n")
    draw(out, rows)
    return values


def slope(rows: list[tuple[int, int, str, float, float]], loss: str) -> float:
    """Return the slope of the binary logarithm of variance / G^2, d from 5 on."""
    own = [
        (d, np.log2(exact / (bound * 2**d)))
        for d, _, name, exact, bound in rows
        if name == loss and d >= 5
    ]
    return float(np.polyfit(*np.array(own).T, 1)[0])


def draw(out: Path, rows: list[tuple[int, int, str, float, float]]) -> None:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for k, loss in enumerate(LOSSES):
        own = np.array([(d, exact) for d, _, name, exact, _ in rows if name == loss])
        axes.semilogy(own[:, 0], own[:, 1], "o", ms=4, color=PALETTE[k], label=loss)
    bounds = np.array([(d, bound) for d, k, name, _, bound in rows if name == LOSSES[0]])
    means = [np.mean(bounds[bounds[:, 0] == d, 1]) for d in DIMENSIONS]
    axes.semilogy(list(DIMENSIONS), means, color="black", linewidth=1.0, label=r"$G^2 / 2^d$")
    axes.set(xlabel="d", ylabel="variance of the gradient over all targets")
    axes.legend(frameon=False)
    bare(axes)
    save_figure(figure, out / "gradient-variance.png")


STUDY = Study(
    name="paper-003/gradient-variance",
    title="Variance of the gradient over all parities",
    claim="Theorem 1 and section 2.2: Var(H, F, w) <= G(w)^2 / 2^d for random parities.",
    run=run,
    seed=SEED,
)
