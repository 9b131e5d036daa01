"""Figure 4: signal to noise of the gradients at a random start, against the length of tuples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from contcrit.models.failures.decomposition.signal import (
    decomposition_signal_to_noise,
    mean_signal,
    sampled,
    second_moment,
    signal,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import bare
from ._tuples import Array, Network, Pool, show

SEED = 4
LENGTHS = (1, 2, 3, 4)
STARTS = 6
TUPLES = 100_000
"""Reduced: one network and about the paper's number of tuples, at each of several starts."""

PIXELS = 28 * 28


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Estimate both ratios for the images, and compare the closed forms with samples."""
    generator = np.random.default_rng(SEED)
    rows = [
        row
        for start in range(STARTS)
        for k in LENGTHS
        for row in measured(start, k, generator, progress)
    ]
    show(progress, "")
    table = pd.DataFrame(rows)
    table.to_csv(out / "figure-4.csv", index=False)
    draw(out, table)
    values: dict[str, Any] = {"images": {}, "closed forms": closed_forms(generator)}
    for way in ("end to end", "decomposed"):
        part = table[table["approach"] == way]
        signals = part.groupby("k")[["signal", "noise", "error"]]
        for k, group in signals:
            ratio = float(group["signal"].mean() / group["noise"].mean())
            error = float(np.sqrt((group["error"] ** 2).sum()) / len(group))
            values["images"][f"k={k}, {way}"] = {
                "signal to noise": ratio,
                "standard error": error / float(group["noise"].mean()),
            }
    images = values["images"]
    values["images"]["end to end over decomposed"] = {
        f"k={k}": images[f"k={k}, end to end"]["signal to noise"]
        / images[f"k={k}, decomposed"]["signal to noise"]
        for k in LENGTHS
    }
    return values


def measured(
    start: int, k: int, generator: np.random.Generator, progress: Any
) -> list[dict[str, Any]]:
    """Estimate signal and noise of the gradient in the score's weights, of both approaches.

    The signal |E h g|^2 is estimated without bias, by leaving out the squares of single samples:
    it may come out negative where it drowns.
    """
    show(progress, f"start {start}, k={k}")
    network = Network(k, np.random.default_rng([SEED, start]))
    pool = Pool(10_000, 500 + start)
    hidden = network.hidden(pool, np.arange(len(pool.labels)))[2]
    batches: dict[str, list[tuple[Array, float, float]]] = {"end to end": [], "decomposed": []}
    size = 2_000
    for _ in range(TUPLES // size):
        which = generator.integers(len(hidden), size=(size, k))
        own = pool.labels[which]
        rows = hidden[which.ravel()]
        _, share, units, _ = network.answer(rows)
        slopes = network.score_slopes(share, units) * own.prod(axis=1)[:, None]
        end_to_end = np.einsum("nl,nlh->nh", slopes, rows.reshape(size, k, -1))
        decomposed = own[:, :1] * rows.reshape(size, k, -1)[:, 0]
        for way, g in (("end to end", end_to_end), ("decomposed", decomposed)):
            g = g.astype(np.float64)
            total, squares = g.sum(axis=0), float(np.sum(g**2))
            batches[way].append((total, squares, (float(total @ total) - squares)))
    found = []
    for way, parts in batches.items():
        count = size * len(parts)
        total = np.sum([part[0] for part in parts], axis=0)
        squares = sum(part[1] for part in parts)
        strength = (float(total @ total) - squares) / (count * (count - 1))
        # Leave out one batch at a time, for the standard error.
        left = []
        for part in parts:
            rest, n = total - part[0], count - size
            left.append((float(rest @ rest) - (squares - part[1])) / (n * (n - 1)))
        spread = np.sum((np.array(left) - np.mean(left)) ** 2) * (len(left) - 1) / len(left)
        found.append(
            {
                "start": start, "k": k, "approach": way, "signal": strength,
                "noise": squares / count - strength, "error": float(np.sqrt(spread)),
            }
        )  # fmt: skip
    return found


def closed_forms(generator: np.random.Generator) -> dict[str, Any]:
    """Return how many standard errors samples are away from the closed forms, at most."""
    away, across = 0.0, 0.0
    for k in LENGTHS:
        for d, cosine in ((3, 0.8), (10, 0.5)):
            found = sampled(k, d, cosine, 100_000, generator)
            sign = 1.0 if k == 1 else np.sign(cosine) ** (k - 1)
            away = max(
                away,
                abs(found.along - sign * np.sqrt(signal(k, cosine))) / found.along_error,
                abs(found.square - second_moment(k, d)) / found.square_error,
            )
            across = max(across, abs(found.across) / found.across_error)
    return {
        "largest deviation of samples, standard errors": float(max(away, across)),
        "decomposed, d=784": decomposition_signal_to_noise(PIXELS),
        "end to end at a mean random start, d=784": {
            f"k={k}": mean_signal(k, PIXELS) / (second_moment(k, PIXELS) - mean_signal(k, PIXELS))
            for k in LENGTHS
        },
    }


def draw(out: Path, table: pd.DataFrame) -> None:
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    for way, colour in (("end to end", PALETTE[1]), ("decomposed", PALETTE[0])):
        part = table[table["approach"] == way]
        noise = part.groupby("k")["noise"].mean()
        ratio = part.groupby("k")["signal"].mean() / noise
        error = part.groupby("k")["error"].agg(lambda e: np.sqrt((e**2).sum()) / len(e)) / noise
        seen = ratio > 2 * error
        left.errorbar(
            ratio.index[seen], ratio[seen], 2 * error[seen], fmt="o-", ms=4, color=colour, label=way
        )
        left.plot(ratio.index[~seen], (np.maximum(ratio, 0) + 2 * error)[~seen], "v", color=colour)
    left.set_title("images; triangles: upper bounds", fontsize="medium")
    lengths = np.arange(1, 7)
    shown = [mean_signal(int(k), PIXELS) / second_moment(int(k), PIXELS) for k in lengths]
    right.plot(lengths, shown, "o-", ms=4, color=PALETTE[1], label="end to end")
    right.plot(
        lengths, np.full(6, decomposition_signal_to_noise(PIXELS)), "o-", ms=4, color=PALETTE[0],
        label="decomposed",
    )  # fmt: skip
    right.set_title("linear scores, $d = 784$, closed form", fontsize="medium")
    for axes in (left, right):
        axes.set(xlabel="$k$", ylabel="signal to noise", yscale="log")
        axes.legend(frameon=False, fontsize="small")
        bare(axes)
    save_figure(figure, out / "figure-4.png")


STUDY = Study(
    name="paper-003/figure-4",
    title="Signal to noise of gradients against the length of tuples",
    claim=(
        "Figure 4: at the start the ratio of signal to noise is extremely small end to end for "
        "k >= 3; decomposed it does not depend on k."
    ),
    run=run,
    seed=SEED,
)
