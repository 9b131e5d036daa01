from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import eval_chebyt, eval_gegenbauer

from contcrit.errors import SpecificationError
from contcrit.models.failures.decomposition.kernel import (
    by_series,
    closed_form,
    eigenvalue,
    gegenbauer,
    kernel,
    leading_degree,
    leading_term,
    printed_rate,
    sharp_constant,
)


@given(st.integers(2, 60), st.integers(0, 12))
def test_gegenbauer_polynomials_are_those_of_scipy(d, degree):
    t = np.linspace(-1, 1, 11)
    if d == 2:
        expected = eval_chebyt(degree, t)
    else:
        expected = eval_gegenbauer(degree, (d - 2) / 2, t)
        expected = expected / eval_gegenbauer(degree, (d - 2) / 2, 1.0)
    assert gegenbauer(t, d, degree) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("d", [2, 3, 7, 100, 784])
@pytest.mark.parametrize("k", [1, 2])
def test_closed_forms(k, d):
    assert sharp_constant(k, d) == pytest.approx(closed_form(k, d), rel=1e-11)


@pytest.mark.parametrize("k", [3, 4, 5])
@pytest.mark.parametrize("d", [3, 5, 9])
def test_quadrature_agrees_with_an_adaptive_one(k, d):
    degree = leading_degree(k)

    def weight(t):
        return (1 - t * t) ** ((d - 3) / 2)

    def integrand(t):
        return float(kernel(t, k) * gegenbauer(np.array(t), d, degree)) * weight(t)

    expected = quad(integrand, -1, 1, epsabs=1e-12)[0] / quad(weight, -1, 1)[0]
    assert eigenvalue(k, d, degree) == pytest.approx(expected, rel=1e-7)


@given(st.integers(1, 5), st.integers(12, 300), st.integers(0, 2))
def test_the_power_series_gives_the_same(k, d, degree):
    found = by_series(k, d, degree)
    assert eigenvalue(k, d, degree) == pytest.approx(found, rel=1e-8, abs=1e-16)


def test_the_eigenvalues_add_up_to_the_kernel():
    # sum over l of (dimension of degree l) lambda_l P_l(t) = a(t)^k, for d = 3: 2 l + 1.
    degrees = np.arange(60)
    for t in (0.0, 0.3, -0.5):
        values = [eigenvalue(2, 3, int(j)) * gegenbauer(np.array(t), 3, int(j)) for j in degrees]
        assert (2 * degrees + 1) @ np.array(values) == pytest.approx(float(kernel(t, 2)), abs=1e-3)


@given(st.integers(1, 6), st.integers(2, 300))
def test_the_leading_degree_is_the_largest_and_below_the_printed_rate(k, d):
    values = [eigenvalue(k, d, degree) for degree in range(1, 9)]
    best = sharp_constant(k, d)
    assert max(values) <= best * (1 + 1e-10)
    assert values.index(max(values)) + 1 == leading_degree(k)
    assert best <= printed_rate(k, d)


@pytest.mark.parametrize("k", range(1, 7))
def test_the_leading_term_is_approached(k):
    near, far = (abs(sharp_constant(k, d) / leading_term(k, d) - 1) for d in (400, 800))
    assert far < 2 * k**2 / 800
    assert far <= near or far < 1e-12


def test_the_kernel_is_a_mean_over_tuples():
    generator = np.random.default_rng(3)
    x = generator.standard_normal((200_000, 2, 2))
    v = np.array([0.4, np.sqrt(1 - 0.16)])
    agree = np.prod(np.sign(x[..., 0]) * np.sign(x @ v), axis=1)
    error = agree.std() / np.sqrt(len(agree))
    assert abs(agree.mean() - (2 / pi * np.arcsin(0.4)) ** 2) < 5 * error


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: sharp_constant(0, 3), "k"),
        (lambda: sharp_constant(1, 1), "d"),
        (lambda: eigenvalue(1, 3, -1), "degree"),
        (lambda: closed_form(3, 5), "k"),
        (lambda: by_series(1, 12, 3), "degree"),
    ],
)
def test_misuse_is_refused(call, argument):
    with pytest.raises(SpecificationError) as error:
        call()
    assert error.value.argument == argument
