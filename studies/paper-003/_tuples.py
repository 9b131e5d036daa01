"""A small network for tuples of line images, and its training, end to end or decomposed.

The image network has 8 filters of 6 x 6 pixels with stride 2, rectified and averaged over blocks of
3 x 3, then 32 rectified units and a score. The tuple network has 10 k rectified units on the
scores' sigmoids. Images are sparse, so that compiled loops over lit pixels do the convolution.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from contcrit.models.failures.decomposition.images import SIZE, lines

Array = np.ndarray

CHANNELS, WIDTH, STRIDE, BLOCK = 8, 6, 2, 3
GRID = (SIZE - WIDTH) // STRIDE + 1
POOLED = GRID // BLOCK
FEATURES = CHANNELS * POOLED**2
HIDDEN = 32
SHARE = np.float32(1 / BLOCK**2)


@njit(fastmath=True)
def lit_pixels(images):  # type: ignore[no-untyped-def]
    """Return coordinates of lit pixels, shape (count, 48, 2), and their number."""
    count = images.shape[0]
    places = np.zeros((count, 48, 2), np.int64)
    number = np.zeros(count, np.int64)
    for i in range(count):
        for y in range(images.shape[1]):
            for x in range(images.shape[2]):
                if images[i, y, x]:
                    places[i, number[i], 0] = y
                    places[i, number[i], 1] = x
                    number[i] += 1
    return places, number


@njit(fastmath=True)
def _convolve(places, number, filters, bias, sheet):  # type: ignore[no-untyped-def]
    for u in range(GRID):
        for v in range(GRID):
            for c in range(CHANNELS):
                sheet[u, v, c] = bias[c]
    for j in range(number):
        y, x = places[j, 0], places[j, 1]
        for u in range(max(0, (y - WIDTH + STRIDE) // STRIDE), min(GRID - 1, y // STRIDE) + 1):
            for v in range(max(0, (x - WIDTH + STRIDE) // STRIDE), min(GRID - 1, x // STRIDE) + 1):
                for c in range(CHANNELS):
                    sheet[u, v, c] += filters[y - u * STRIDE, x - v * STRIDE, c]


@njit(fastmath=True)
def pooled(places, number, which, filters, bias):  # type: ignore[no-untyped-def]
    """Return averages of rectified answers of filters, (len(which), FEATURES), and the answers."""
    out = np.zeros((which.shape[0], FEATURES), np.float32)
    sheets = np.empty((which.shape[0], GRID, GRID, CHANNELS), np.float32)
    for i in range(which.shape[0]):
        sheet = sheets[i]
        _convolve(places[which[i]], number[which[i]], filters, bias, sheet)
        for u in range(GRID):
            for v in range(GRID):
                place = ((u // BLOCK) * POOLED + v // BLOCK) * CHANNELS
                for c in range(CHANNELS):
                    if sheet[u, v, c] > 0:
                        out[i, place + c] += sheet[u, v, c] * SHARE
    return out, sheets


@njit(fastmath=True)
def filter_gradients(places, number, which, sheets, slopes):  # type: ignore[no-untyped-def]
    """Return the gradients in filters and biases from those in the pooled features.

    The answers in `sheets` are overwritten.
    """
    in_filters = np.zeros((WIDTH, WIDTH, CHANNELS), np.float32)
    in_bias = np.zeros(CHANNELS, np.float32)
    for i in range(which.shape[0]):
        one = which[i]
        sheet = sheets[i]
        for u in range(GRID):
            for v in range(GRID):
                place = ((u // BLOCK) * POOLED + v // BLOCK) * CHANNELS
                for c in range(CHANNELS):
                    slope = slopes[i, place + c] * SHARE
                    if sheet[u, v, c] <= 0:
                        slope = np.float32(0)
                    sheet[u, v, c] = slope
                    in_bias[c] += slope
        for j in range(number[one]):
            y, x = places[one, j, 0], places[one, j, 1]
            for u in range(max(0, (y - WIDTH + STRIDE) // STRIDE), min(GRID - 1, y // STRIDE) + 1):
                for v in range(
                    max(0, (x - WIDTH + STRIDE) // STRIDE), min(GRID - 1, x // STRIDE) + 1
                ):
                    for c in range(CHANNELS):
                        in_filters[y - u * STRIDE, x - v * STRIDE, c] += sheet[u, v, c]
    return in_filters, in_bias


class Pool:
    """Images to draw tuples from, as lit pixels."""

    def __init__(self, count: int, seed: int) -> None:
        images, labels = lines(count, np.random.default_rng(seed))
        self.places, self.number = lit_pixels(images)
        self.labels = labels.astype(np.float32)


class Network:
    """The two networks with their weights.

    Parameters
    ----------
    k : int
        Length of tuples.
    generator : numpy.random.Generator
        Draws the weights.
    """

    def __init__(self, k: int, generator: np.random.Generator) -> None:
        def draw(*shape: int, scale: float) -> Array:
            return (scale * generator.standard_normal(shape)).astype(np.float32)

        self.k, width = k, 10 * k
        self.weights = {
            "filters": draw(WIDTH, WIDTH, CHANNELS, scale=1 / WIDTH),
            "filter bias": np.zeros(CHANNELS, np.float32),
            "inner": draw(FEATURES, HIDDEN, scale=12 / FEATURES**0.5),
            "inner bias": np.zeros(HIDDEN, np.float32),
            "score": draw(HIDDEN, scale=HIDDEN**-0.5),
            "score bias": np.zeros(1, np.float32),
            "tuple": draw(k, width, scale=4 / k**0.5),
            "tuple bias": draw(width, scale=1.0),
            "output": draw(width, scale=width**-0.5),
            "output bias": np.zeros(1, np.float32),
        }

    def hidden(self, pool: Pool, which: Array) -> tuple[Array, Array, Array]:
        """Return filter answers, pooled features and the last hidden layer for images."""
        w = self.weights
        features, sheets = pooled(pool.places, pool.number, which, w["filters"], w["filter bias"])
        return sheets, features, np.maximum(features @ w["inner"] + w["inner bias"], 0)

    def answer(self, hidden: Array) -> tuple[Array, Array, Array, Array]:
        """Return scores, their sigmoids by tuple, the tuple network's units, and its outputs."""
        w = self.weights
        scores = hidden @ w["score"] + w["score bias"]
        share = 1 / (1 + np.exp(-scores.reshape(-1, self.k)))
        units = np.maximum((share - np.float32(0.5)) @ w["tuple"] + w["tuple bias"], 0)
        return scores, share, units, units @ w["output"] + w["output bias"]

    def score_slopes(self, share: Array, units: Array) -> Array:
        """Return the derivatives of the output in the scores, shape (tuples, k)."""
        w = self.weights
        inward = ((units > 0) * w["output"]) @ w["tuple"].T
        return np.asarray(inward * share * (1 - share))

    def gradients(self, pool: Pool, which: Array, decomposed: bool) -> list[Array]:
        """Return the gradients of the mean hinge losses on tuples, in the order of the weights."""
        w, k = self.weights, self.k
        own = pool.labels[which]
        label = own.reshape(-1, k).prod(axis=1)
        sheets, features, hidden = self.hidden(pool, which)
        scores, share, units, output = self.answer(hidden)
        slope = -label * (label * output < 1) / len(label)
        in_units = np.outer(slope, w["output"]) * (units > 0)
        in_scores = (slope[:, None] * self.score_slopes(share, units)).ravel()
        if decomposed:
            in_scores = in_scores - own * (own * scores < 1) / len(own)
        in_scores = in_scores.astype(np.float32)
        in_hidden = np.outer(in_scores, w["score"]) * (hidden > 0)
        in_features = np.ascontiguousarray(in_hidden @ w["inner"].T)
        in_filters, in_bias = filter_gradients(pool.places, pool.number, which, sheets, in_features)
        return [
            in_filters,
            in_bias,
            features.T @ in_hidden,
            in_hidden.sum(axis=0),
            hidden.T @ in_scores,
            in_scores.sum(keepdims=True),
            (share - np.float32(0.5)).T @ in_units,
            in_units.sum(axis=0),
            units.T @ slope,
            slope.sum(keepdims=True),
        ]


@dataclass(frozen=True)
class Training:
    """One run: what it trains, for how long, and how often accuracy is measured."""

    k: int
    decomposed: bool
    seed: int
    iterations: int
    every: int = 100
    batch: int = 50
    step: float = 3e-3
    images: int = 20_000
    test_tuples: int = 1_000

    def run(self, progress: Any = False) -> Array:
        """Return the accuracy on held-out tuples every so many iterations, by Adam."""
        generator = np.random.default_rng([self.seed, self.k, int(self.decomposed)])
        pool = Pool(self.images, 1_000)
        held_out = Pool(self.test_tuples * self.k, 1_001)
        wanted = held_out.labels.reshape(-1, self.k).prod(axis=1)
        network = Network(self.k, generator)
        weights = list(network.weights.values())
        mean = [np.zeros_like(w) for w in weights]
        square = [np.zeros_like(w) for w in weights]
        found = []
        for step in range(self.iterations + 1):
            if step % self.every == 0:
                hidden = network.hidden(held_out, np.arange(len(held_out.labels)))[2]
                found.append(float(np.mean(np.sign(network.answer(hidden)[3]) == wanted)))
                show(progress, f"k={self.k}, seed {self.seed}: {step} of {self.iterations}")
            which = generator.integers(self.images, size=self.batch * self.k)
            slopes = network.gradients(pool, which, self.decomposed)
            rate = self.step * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            for w, slope, m, v in zip(weights, slopes, mean, square, strict=True):
                m += 0.1 * (slope - m)
                v += 0.001 * (slope**2 - v)
                w -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)
        return np.array(found)

    def cached(self, folder: Path, progress: Any = False) -> Array:
        """Return the same, from a file of an earlier run with the same code and settings.

        The file's name ends in a hash of this file, of the images' code and of the settings.
        """
        from contcrit.models.failures.decomposition import images as decomposition_images

        source = [Path(__file__), Path(str(decomposition_images.__file__))]
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode())
        for path in source:
            digest.update(path.read_bytes())
        file = folder / f"tuple-run-{digest.hexdigest()[:16]}.npz"
        if file.exists():
            with np.load(file, allow_pickle=False) as stored:
                if str(stored["settings"]) == text:
                    return np.asarray(stored["accuracy"])
        accuracy = self.run(progress)
        np.savez(file, accuracy=accuracy, settings=text)
        return accuracy


def show(progress: Any, text: str) -> None:
    """Write one line of progress over the last, where standard error is a terminal."""
    if progress and sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
