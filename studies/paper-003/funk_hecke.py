"""Theorem 3 beside the sharp constant: the largest Funk-Hecke eigenvalue of a(t)^k."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from contcrit.models.failures.decomposition.kernel import (
    by_series,
    closed_form,
    eigenvalue,
    kernel,
    leading_degree,
    leading_term,
    printed_rate,
    sharp_constant,
)
from contcrit.models.failures.decomposition.signal import second_moment, target_variance
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare

SEED = 5
PIXELS = 28 * 28
LENGTHS = range(1, 7)
DIMENSIONS = (2, 3, 5, 10, 20, 50, 100, 200, 400, 784)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Compute the constants in several ways, and draw them against the dimension."""
    rows = [
        {
            "k": k, "d": d, "sharp": sharp_constant(k, d), "leading term": leading_term(k, d),
            "printed rate": printed_rate(k, d),
            "product of scores": target_variance(k, d) / second_moment(k, d),
        }
        for k in LENGTHS
        for d in DIMENSIONS
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.to_csv(out / "funk-hecke.csv", index=False)
    draw(out, table)
    closed = max(
        abs(sharp_constant(k, d) / closed_form(k, d) - 1) for k in (1, 2) for d in DIMENSIONS
    )
    series = max(
        abs(by_series(k, d, leading_degree(k)) / sharp_constant(k, d) - 1)
        for k in LENGTHS
        for d in DIMENSIONS
        if d >= 10
    )
    others = max(
        eigenvalue(k, d, degree) / sharp_constant(k, d)
        for k in LENGTHS
        for d in DIMENSIONS
        for degree in range(1, 13)
        if degree != leading_degree(k)
    )
    return {
        "d=784": {f"k={k}": sharp_constant(k, PIXELS) for k in LENGTHS},
        "d=784, printed rate over sharp constant": {
            f"k={k}": printed_rate(k, PIXELS) / sharp_constant(k, PIXELS) for k in LENGTHS
        },
        "largest relative error against closed forms": closed,
        "largest relative error against the power series": series,
        "largest other eigenvalue over the sharp constant": others,
        "largest sharp constant over the printed rate": float(
            (table["sharp"] / table["printed rate"]).max()
        ),
        "slopes in log d from 400 to 784": {f"k={k}": slope(k) for k in LENGTHS},
        "product of scores over the sharp constant, k=1, d=784": target_variance(1, PIXELS)
        / second_moment(1, PIXELS)
        / sharp_constant(1, PIXELS),
        "sampled kernel, largest deviation in standard errors": sampled_kernel(),
    }


def slope(k: int) -> float:
    """Return how the logarithm of the sharp constant falls with that of d."""
    return float(np.log(sharp_constant(k, 784) / sharp_constant(k, 400)) / np.log(784 / 400))


def sampled_kernel(count: int = 200_000) -> float:
    """Compare <h_u, h_v> with means over random tuples."""
    generator = np.random.default_rng(SEED)
    worst = 0.0
    for k in (1, 2, 3):
        for cosine in (-0.6, 0.3, 0.9):
            x = generator.standard_normal((count, k, 2))
            v = np.array([cosine, np.sqrt(1 - cosine**2)])
            agree = np.prod(np.sign(x[..., 0]) * np.sign(x @ v), axis=1)
            error = agree.std() / np.sqrt(count)
            worst = max(worst, abs(agree.mean() - float(kernel(cosine, k))) / error)
    return float(worst)


def draw(out: Path, table: pd.DataFrame) -> None:
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k in LENGTHS:
        part = table[table["k"] == k]
        colour = PALETTE[(k - 1) % len(PALETTE)]
        left.loglog(part["d"], part["sharp"], color=colour, label=f"$k = {k}$")
        left.loglog(part["d"], part["printed rate"], "--", color=colour, lw=0.8)
        left.loglog(part["d"], part["product of scores"], ":", color=colour, lw=0.8)
    left.set(xlabel="$d$", ylabel="share of $G^2$", ylim=(1e-12, 3))
    left.set_title("sharp; dashed: Theorem 3; dotted: product", fontsize="small")
    left.legend(frameon=False, fontsize="x-small")
    for k in (1, 2, 3):
        degrees = np.arange(1, 9)
        values = np.array([eigenvalue(k, 20, int(degree)) for degree in degrees])
        shown = values > 1e-14
        right.semilogy(degrees[shown], values[shown], "o-", ms=4, color=PALETTE[k - 1])
    right.set(xlabel="degree $l$", ylabel="eigenvalue, $d = 20$")
    for axes in (left, right):
        bare(axes)
    save_figure(figure, out / "funk-hecke.png")


STUDY = Study(
    name="paper-003/funk-hecke",
    title="The variance of gradients over targets: Theorem 3 and the sharp constant",
    claim="Theorem 3: Var(H, F, w) <= G^2 O(sqrt(k log d / d))^k.",
    run=run,
    seed=SEED,
)
