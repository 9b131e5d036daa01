"""Figure 2: examples of the images of lines, and what their labels say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.failures.decomposition.images import lines, tuples
from contcrit.plotting import save_figure
from contcrit.study import Study

SEED = 2
COUNT = 50_000
EXAMPLES = 8
LENGTHS = (1, 2, 3, 4)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Draw examples, and compare labels with the images that they are read off."""
    images, labels = lines(COUNT, np.random.default_rng(SEED))
    draw(out, images, labels)
    tilt, sizes = np.array([slope(image) for image in images]), images.sum(axis=(1, 2))
    clear = np.abs(tilt) > 0.5
    values: dict[str, Any] = {
        "share of label 1": float(np.mean(labels == 1)),
        "images whose slope is clear": float(np.mean(clear)),
        "of these, share whose slope has the label's sign": float(
            np.mean(np.sign(tilt[clear]) == labels[clear])
        ),
        "largest number of pixels": int(sizes.max()),
        "tuples, share of label 1": {},
    }
    for k in LENGTHS:
        _, _, product = tuples(COUNT // 10, k, np.random.default_rng([SEED, k]))
        values["tuples, share of label 1"][f"k={k}"] = float(np.mean(product == 1))
    return values


def slope(image: np.ndarray) -> float:
    """Return the covariance of the row and column of an image's pixels: rising lines have > 0."""
    row, column = np.nonzero(image)
    return 0.0 if len(row) < 2 else float(np.mean((row - row.mean()) * (column - column.mean())))


def draw(out: Path, images: np.ndarray, labels: np.ndarray) -> None:
    figure = Figure(figsize=(7.2, 2.2), layout="constrained")
    rows = figure.subplots(2, EXAMPLES)
    for label, panels in zip((1, -1), rows, strict=True):
        for axes, image in zip(panels, images[labels == label], strict=False):
            axes.imshow(image, cmap="gray_r", origin="lower")
            axes.set(xticks=[], yticks=[])
        panels[0].set_ylabel(f"$y = {label}$")
    save_figure(figure, out / "figure-2.png")


STUDY = Study(
    name="paper-003/figure-2",
    title="Examples of the images of lines",
    claim="Figure 2: an image is labelled by the sign of its line's slope, a tuple by the product.",
    run=run,
    seed=SEED,
)
