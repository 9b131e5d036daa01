from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.failures.decomposition.images import LENGTHS, SIZE, lines, tuples
from contcrit.models.failures.decomposition.kernel import sharp_constant
from contcrit.models.failures.decomposition.signal import (
    decomposition_signal_to_noise,
    mean_signal,
    sampled,
    second_moment,
    signal,
    signal_to_noise,
    target_variance,
)


@pytest.mark.parametrize(
    ("k", "d", "cosine"), [(1, 3, 0.5), (2, 4, 0.7), (2, 4, -0.7), (3, 5, -0.6), (4, 3, 0.9)]
)
def test_closed_forms_agree_with_samples(k, d, cosine):
    found = sampled(k, d, cosine, 100_000, np.random.default_rng([7, k, d]))
    expected = k * (2 / pi) ** (k / 2) * cosine ** (k - 1)
    assert expected**2 == pytest.approx(signal(k, cosine))
    assert abs(found.along - expected) < 4.5 * found.along_error
    assert abs(found.across) < 4.5 * found.across_error
    assert abs(found.square - second_moment(k, d)) < 4.5 * found.square_error
    # The errors are small enough to tell other formulas apart.
    assert found.square_error < 0.1 * second_moment(k, d)


@given(st.integers(2, 1000), st.floats(-1, 1))
def test_single_images_do_not_depend_on_the_direction(d, cosine):
    assert signal_to_noise(1, d, cosine) == pytest.approx(decomposition_signal_to_noise(d))
    assert decomposition_signal_to_noise(d) == pytest.approx(2 / pi / (d - 2 / pi))


@given(st.integers(1, 8), st.integers(2, 500), st.floats(0.01, 0.886))
def test_the_ratio_falls_with_the_length_of_tuples(k, d, cosine):
    assert signal_to_noise(k + 1, d, cosine) < signal_to_noise(k, d, cosine)


def test_next_to_the_solution_pairs_have_more_signal():
    assert signal_to_noise(2, 784, 1.0) > decomposition_signal_to_noise(784)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("d", [2, 5])
def test_means_over_directions(k, d):
    u = np.random.default_rng(8).standard_normal((400_000, d))
    cosine = u[:, 0] / np.linalg.norm(u, axis=1)
    strength = signal(k, 1.0) * cosine ** (2 * (k - 1))
    assert mean_signal(k, d) == pytest.approx(strength.mean(), rel=0.02)
    vectors = sqrt(signal(k, 1.0)) * cosine[:, None] ** (k - 1) * u
    vectors /= np.linalg.norm(u, axis=1, keepdims=True)
    variance = np.sum((vectors - vectors.mean(axis=0)) ** 2, axis=1).mean()
    assert target_variance(k, d) == pytest.approx(variance, rel=0.02)
    assert target_variance(k, d) <= sharp_constant(k, d) * second_moment(k, d) * (1 + 1e-12)


def test_lines_have_the_stated_angles_and_lengths():
    images, labels = lines(4_000, np.random.default_rng(9))
    assert images.shape == (4_000, SIZE, SIZE) and images.dtype == bool
    assert abs(labels.mean()) < 5 / sqrt(4_000)
    number = images.sum(axis=(1, 2))
    # A slanted line goes through up to sqrt(2) times as many pixels.
    assert LENGTHS[1] < number.max() <= np.sqrt(2) * LENGTHS[1] + 2
    # The centre is within the image.
    assert number.min() >= 1
    # Rising lines go from the upper left to the lower right: rows grow with columns.
    for image, label in zip(images[:300], labels[:300], strict=True):
        row, column = np.nonzero(image)
        along = float(np.sum((row - row.mean()) * (column - column.mean())))
        # Nearly level and nearly upright lines are rounded away, to zero.
        assert label * along > -1e-9


def test_the_label_of_a_tuple_is_the_product():
    images, own, label = tuples(50, 3, np.random.default_rng(10))
    assert images.shape == (50, 3, SIZE, SIZE)
    assert np.array_equal(label, own[:, 0] * own[:, 1] * own[:, 2])
    assert set(label.tolist()) == {-1, 1}


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: signal(0, 0.5), "k"),
        (lambda: signal(2, 1.5), "cosine"),
        (lambda: second_moment(2, 1), "d"),
        (lambda: lines(0, np.random.default_rng(0)), "count"),
        (lambda: tuples(2, 0, np.random.default_rng(0)), "k"),
    ],
)
def test_misuse_is_refused(call, argument):
    with pytest.raises(SpecificationError) as error:
        call()
    assert error.value.argument == argument
