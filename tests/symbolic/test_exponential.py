"""The matrix exponential and its derivatives against 40 digits, and every route to them."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from contcrit.symbolic.exponential import ExponentialN, ExponentialStack, exponential, multiply
from contcrit.symbolic.exponential_operator import LARGEST_NORM
from contcrit.symbolic.exponential_small import ExponentialSmall
from contcrit.symbolic.matrix_two_sided import TwoSided

DIGITS = 40


def exact_exponential(matrix):
    with mpmath.workdps(DIGITS):
        result = mpmath.expm(mpmath.matrix(matrix.tolist()), method="taylor")
        return np.array(result.tolist(), dtype=object).reshape(matrix.shape)


def exact_derivatives(matrix, h, k):
    """Value, L(X, H) and L2(X, H, K) from one block matrix of four times the size."""
    n = len(matrix)
    zero = np.zeros((n, n))
    block = np.block(
        [
            [matrix, h, k, zero],
            [zero, matrix, zero, k],
            [zero, zero, matrix, h],
            [zero, zero, zero, matrix],
        ]
    )
    full = exact_exponential(block).astype(float)
    return full[:n, :n], full[:n, n : 2 * n], full[:n, 3 * n :]


def matrices(rng, n):
    plain = rng.standard_normal((n, n))
    triangle = np.triu(plain, 1) + 0.01 * np.diag(np.arange(n))
    return {
        "small": 1e-3 * plain,
        "medium": plain / np.sqrt(n),
        "large": 4.0 * plain / np.sqrt(n),
        "skew": 2.0 * (plain - plain.T),
        "long": 12.0 * (plain - plain.T) / np.sqrt(n),
        "repeated": np.eye(n) + np.diag(np.ones(n - 1), 1),
        "non-normal": 3.0 * triangle,
        "zero": np.zeros((n, n)),
    }


@pytest.mark.parametrize("kind", matrices(np.random.default_rng(0), 3))
@pytest.mark.parametrize("n", [2, 3, 6])
def test_values_and_derivatives_to_rounding(rng, n, kind):
    matrix = matrices(rng, n)[kind]
    h, k = rng.standard_normal((2, n, n))
    value, first, second = exact_derivatives(matrix, h, k)
    for prepared in (exponential(matrix), ExponentialN(matrix)):
        for computed, exact in (
            (prepared.value, value),
            (prepared.frechet(h), first),
            (prepared.frechet2(h, k), second),
        ):
            assert_allclose(computed, exact, rtol=0, atol=3e-14 * np.abs(exact).max())


@pytest.mark.parametrize("kind", matrices(np.random.default_rng(0), 3))
@pytest.mark.parametrize("n", [3, 8, 16])
def test_all_directions_at_once_agree_with_single_ones(rng, n, kind):
    matrix = matrices(rng, n)[kind]
    prepared, unit = exponential(matrix), TwoSided.identity(n, n)
    k = rng.standard_normal((n, n))
    skew = prepared.frechet(unit - unit.swapaxes(-1, -2))
    second = prepared.frechet2(unit, k)
    for h in rng.standard_normal((3, n, n)):
        for computed, expected in (
            (apply(skew, h), prepared.frechet(h - h.T)),
            (apply(second, h), prepared.frechet2(h, k)),
        ):
            assert_allclose(computed, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_beyond_the_quadrature_directions_are_stacked(rng):
    matrix = rng.standard_normal((4, 4))
    matrix *= 1.5 * LARGEST_NORM / np.linalg.norm(matrix)
    prepared = exponential(matrix)
    stack = prepared.frechet(TwoSided.identity(4, 4))
    assert isinstance(stack, np.ndarray)
    h = rng.standard_normal((4, 4))
    expected = exact_derivatives(matrix, h, h)[1]
    assert_allclose(apply(stack, h), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("n", [3, 16])
def test_the_quadrature_reaches_its_largest_norm(rng, n):
    matrix, h = rng.standard_normal((2, n, n))
    matrix = matrix - matrix.T
    matrix *= 0.999 * LARGEST_NORM / np.linalg.norm(matrix)
    k = np.zeros((n, n))
    k[0] = 1.0
    prepared, unit = exponential(matrix), TwoSided.identity(n, n)
    first, second = prepared.frechet(unit), prepared.frechet2(unit, k)
    direct = ExponentialN(matrix)
    for computed, expected in (
        (apply(first, h), direct.frechet(h)),
        (apply(second, h), direct.frechet2(h, k)),
    ):
        assert_allclose(computed, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("n", [3, 5, 8])
def test_small_and_large_matrices_meet(rng, n):
    # Values at the largest norm of the small ones, where their squarings are most.
    matrix = rng.standard_normal((n, n))
    matrix = matrix - matrix.T
    matrix *= 0.999 * LARGEST_NORM / np.linalg.norm(matrix)
    prepared = exponential(matrix)
    assert isinstance(prepared, ExponentialSmall)
    exact = exact_exponential(matrix).astype(float)
    assert_allclose(prepared.value, exact, rtol=0, atol=LARGEST_NORM * 1e-15)
    assert_allclose(prepared.value @ prepared.value.T, np.eye(n), rtol=0, atol=1e-13)
    assert not isinstance(exponential(matrix / 0.9), ExponentialSmall)


def test_many_terms_go_through_one_matrix(rng):
    prepared = exponential(rng.standard_normal((3, 3)))
    direction = TwoSided.identity(3, 3)
    while direction.length < 16:
        direction = direction + direction.left(rng.standard_normal((3, 3)))
    stack = prepared.frechet(direction)
    assert isinstance(stack, np.ndarray)
    h = rng.standard_normal((3, 3))
    expected = prepared.frechet(direction.apply(h))
    assert_allclose(apply(stack, h), expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@given(
    st.floats(-6.0, 6.0),
    st.sampled_from([0.0, 1e-15, -1e-12, 1e-8, -1e-4, 1e-3, 3.999, 4.001, -3.999, -4.001, 30.0]),
    st.floats(0.01, 3.0),
)
def test_two_by_two_near_repeated_eigenvalues(shift, discriminant, corner):
    # Eigenvalues shift +- sqrt(discriminant).
    matrix = np.array([[shift + 0.25, corner], [(discriminant - 0.0625) / corner, shift - 0.25]])
    h, k = np.array([[0.3, -1.0], [0.7, 0.4]]), np.array([[-0.2, 0.5], [1.0, 0.9]])
    prepared = exponential(matrix)
    value, first, second = exact_derivatives(matrix, h, k)
    size = np.abs(matrix).max() + 1.0  # relative condition numbers grow like it
    for computed, exact in (
        (prepared.value, value),
        (prepared.frechet(h), first),
        (prepared.frechet2(h, k), second),
    ):
        assert_allclose(computed, exact, rtol=0, atol=2e-15 * size**2 * np.abs(exact).max())


@pytest.mark.parametrize("n", [1, 2, 4])
def test_a_stack_of_matrices_is_taken_one_by_one(rng, n):
    matrices = rng.standard_normal((5, n, n))
    h, k = rng.standard_normal((2, n, n))
    stack = exponential(matrices)
    assert isinstance(stack, ExponentialStack)
    for i, matrix in enumerate(matrices):
        single = exponential(matrix)
        bound = 3e-14 * np.abs(single.value).max()
        assert_allclose(stack.value[i], single.value, rtol=0, atol=bound)
        assert_allclose(stack.frechet(h)[i], single.frechet(h), rtol=1e-14)
        assert_allclose(stack.frechet2(h, k)[i], single.frechet2(h, k), rtol=1e-14)


@pytest.mark.parametrize("n", [2, 3])
def test_infinite_entries_are_a_numerical_event(n):
    with np.errstate(all="ignore"):
        assert not np.isfinite(exponential(np.full((n, n), np.inf)).value).all()
        assert not np.isfinite(exponential(np.full((n, n), np.nan)).value).any()


def test_products_with_stacks(rng):
    stack, matrix = rng.standard_normal((4, 3, 3)), rng.standard_normal((3, 3))
    assert_allclose(multiply(stack, matrix), [a @ matrix for a in stack])
    assert_allclose(multiply(matrix, stack), [matrix @ a for a in stack])


def apply(stack, h):
    return np.tensordot(h.ravel(), np.asarray(stack), axes=1)
