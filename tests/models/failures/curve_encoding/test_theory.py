from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.failures.curve_encoding.theory import (
    KERNEL,
    condition_limit,
    condition_number,
    convolution_encoding,
    curve_inverse,
    curve_matrix,
    linear_encoding,
    windows,
)

SHARES = st.floats(0.0, 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57])
def test_second_differences_invert_the_matrix_of_curves(n):
    assert np.array_equal(curve_matrix(n) @ curve_inverse(n), np.eye(n))


def test_condition_number_of_ten_points():
    assert condition_number(10) == pytest.approx(17925.876959554897, rel=1e-13)
    assert linear_encoding(10).condition() == pytest.approx(17925.876959554897, rel=1e-11)


def test_condition_numbers_grow_as_the_fourth_power():
    assert condition_limit() == pytest.approx(1.2942509068, abs=1e-10)
    one, other = (condition_number(n) / n**4 for n in (200, 400))
    assert 2 * other - one == pytest.approx(condition_limit(), abs=1e-5)
    assert 2 * other - one != pytest.approx(condition_limit(), abs=1e-8)


def test_windows_have_the_third_power():
    one, other = (convolution_encoding(n).condition() / n**3 for n in (60, 120))
    assert 2 * other - one == pytest.approx(1.5, abs=2e-3)


def test_windows_are_rows_of_the_matrix_of_curves():
    W = curve_matrix(6)
    assert np.array_equal(windows(6)[:, 6:12], W[1:4])
    p = np.random.default_rng(0).standard_normal(6)
    f = W @ p
    for t in range(1, 5):
        assert np.array(KERNEL) @ f[t - 1 : t + 2] == pytest.approx(p[t + 1])


def test_the_second_moment_is_that_of_random_curves():
    generator = np.random.default_rng(1)
    encoding = convolution_encoding(8, lam=2.0)
    p = np.sqrt(2.0) * generator.standard_normal((100_000, 8))
    f = p @ curve_matrix(8).T
    windowed = np.stack([f[:, t - 1 : t + 2] for t in range(1, 7)], axis=1).reshape(-1, 3)
    sampled = windowed.T @ windowed / len(windowed)
    assert sampled == pytest.approx(encoding.second_moment(), rel=0.02)


@given(SHARES, st.integers(4, 30))
def test_preconditioning_takes_a_power_of_the_condition_number(t, n):
    encoding = convolution_encoding(n)
    kappa = encoding.condition()
    assert encoding.condition(t) == pytest.approx(kappa ** (1 - t), rel=1e-9)
    power = kappa ** (1 - t)
    assert encoding.best_rate(t) == pytest.approx((power - 1) / (power + 1), rel=1e-9, abs=1e-12)
    assert encoding.rate(encoding.best_step(t), t) == pytest.approx(encoding.best_rate(t), abs=1e-9)


@settings(max_examples=20)
@given(SHARES, st.floats(0.0, 1.05), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_the_closed_form_is_descent_step_by_step(t, share, steps, seed):
    encoding = convolution_encoding(7, lam=0.3)
    H, end = encoding.second_moment(t), encoding.target(t)
    eta = share * float(encoding.flips(t)[0])
    start = np.random.default_rng(seed).standard_normal(3)
    point = start
    for _ in range(steps):
        point = point - eta * H @ (point - end)
    scale = 1 + np.max(np.abs(point))
    assert encoding.after(steps, eta, start, t) == pytest.approx(point, abs=1e-9 * scale)


def test_the_encoder_that_reads_preconditioned_inputs_answers_the_same():
    encoding = convolution_encoding(9)
    x = np.random.default_rng(2).standard_normal(3)
    for t in (0.0, 0.4, 1.0):
        answer = encoding.target(t) @ (encoding.power(-t / 2) @ x)
        assert answer == pytest.approx(encoding.solution @ x, rel=1e-9)


def test_iterations_at_the_best_rate():
    encoding = convolution_encoding(10)
    count = encoding.iterations(1e-3)
    assert encoding.best_rate() ** count <= 1e-3 < encoding.best_rate() ** (count - 1)
    assert encoding.iterations(1e-3, 1.0) == 1


@pytest.mark.parametrize("q", [-0.7, 0.4])
def test_cycles_are_on_the_side_that_q_tells(q):
    encoding = linear_encoding(4)
    flip = float(encoding.flips()[1])
    beyond, before = encoding.cycle(1.1 * flip, q, 0.0, 1), encoding.cycle(0.9 * flip, q, 0.0, 1)
    assert (beyond is None) == (q > 0) and (before is None) == (q < 0)
    assert encoding.cycle(1.1 * flip, 0.0, 0.0, 1) is None


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: curve_matrix(0), "n"),
        (lambda: curve_matrix(2.5), "n"),
        (lambda: windows(3), "n"),
        (lambda: convolution_encoding(3), "n"),
        (lambda: linear_encoding(3, lam=0.0), "lam"),
        (lambda: linear_encoding(3, row=3), "row"),
    ],
)
def test_misuse_is_refused(make, argument):
    with pytest.raises(SpecificationError) as error:
        make()
    assert error.value.argument == argument
