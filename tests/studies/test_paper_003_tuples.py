"""The network of the studies on tuples of images: compiled loops against plain arrays."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate

from contcrit.models.failures.decomposition.images import lines
from contcrit.study import load_study

FOLDER = Path(__file__).resolve().parents[2] / "studies" / "paper-003"


@pytest.fixture(scope="module")
def tuples():
    load_study("paper-003/figure-3", FOLDER / "figure_3.py")
    return sys.modules["contcrit_studies_paper_003._tuples"]


@pytest.fixture
def network(tuples):
    network = tuples.Network(3, np.random.default_rng(0))
    # Away from the kink of blank pixels, which answer a filter with its bias.
    network.weights["filter bias"][:] = np.linspace(-0.2, 0.2, tuples.CHANNELS) + 0.01
    return network


def test_pooled_features_are_those_of_a_dense_convolution(tuples, network):
    images, labels = lines(5, np.random.default_rng(3))
    pool = tuples.Pool(5, 3)
    assert np.array_equal(pool.labels, labels)
    sheets, features, _ = network.hidden(pool, np.arange(5))
    filters, bias = network.weights["filters"], network.weights["filter bias"]
    for i, image in enumerate(images):
        for c in range(tuples.CHANNELS):
            dense = correlate(image.astype(float), filters[..., c], mode="valid")
            dense = dense[:: tuples.STRIDE, :: tuples.STRIDE] + bias[c]
            assert sheets[i, ..., c] == pytest.approx(dense, abs=1e-5)
            blocks = np.maximum(dense, 0).reshape(tuples.POOLED, tuples.BLOCK, tuples.POOLED, -1)
            expected = blocks.mean(axis=(1, 3)).ravel()
            assert features[i, c :: tuples.CHANNELS] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("decomposed", [False, True])
def test_gradients_are_slopes_of_the_hinge_losses(tuples, network, decomposed):
    generator = np.random.default_rng(1)
    pool = tuples.Pool(300, 5)
    which = generator.integers(300, size=120)

    def loss():
        scores, _, _, output = network.answer(network.hidden(pool, which)[2])
        own = pool.labels[which].astype(float)
        value = np.maximum(0, 1 - own.reshape(-1, 3).prod(axis=1) * output).mean()
        return value + np.maximum(0, 1 - own * scores).mean() * decomposed

    found = network.gradients(pool, which, decomposed)
    for weight, slope in zip(network.weights.values(), found, strict=True):
        assert slope.shape == weight.shape
        along = slope.astype(np.float32) / max(float(np.linalg.norm(slope)), 1e-12)
        kept, step = weight.copy(), 2e-3
        weight[:] = kept + step * along
        ahead = loss()
        weight[:] = kept - step * along
        behind = loss()
        weight[:] = kept
        # Single precision and kinks within the step leave a few per cent.
        expected = float(np.sum(slope * along))
        assert (ahead - behind) / (2 * step) == pytest.approx(expected, rel=0.08, abs=2e-3)


def test_runs_are_read_again_only_with_the_same_settings(tuples, tmp_path):
    training = tuples.Training(1, True, 0, 4, every=2, images=60, test_tuples=20)
    first = training.cached(tmp_path)
    (file,) = tmp_path.iterdir()
    with np.load(file) as stored:
        changed = {name: stored[name] for name in stored.files} | {"accuracy": np.array([7.0])}
    np.savez(file, **changed)
    assert training.cached(tmp_path).tolist() == [7.0]
    other = tuples.Training(1, True, 1, 4, every=2, images=60, test_tuples=20)
    assert other.cached(tmp_path).shape == first.shape == (3,)
    assert len(list(tmp_path.iterdir())) == 2
