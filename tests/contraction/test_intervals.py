"""Interval evaluation: enclosures of every value, and honest refusals."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from contcrit.contraction.intervals import IntervalFunction, UnsupportedExpression

X, Y = sp.symbols("x y")

EXPRESSIONS = [
    X**2 - X * Y,
    sp.tanh(X * Y) + sp.sqrt(1 + X**2),
    sp.exp(-(X**2)) / (1 + Y**2),
    sp.cosh(X) + sp.atan(Y) + sp.sinh(Y),
    sp.sin(X * Y) ** 3,
    (X**2 + 1) ** sp.Rational(3, 4),
    (X**2 + 1) ** sp.Rational(-3, 4),
    sp.log(2 + sp.cos(X)),
    (2 + Y**2) ** X,
    sp.tan(X / 10),
    sp.erf(X) - sp.erfc(Y),
    sp.Float(0.1) * X + sp.pi * Y,
    1 / (X - 10),
    sp.asin(X / 10) + sp.acos(Y / 10) + sp.asinh(X),
    sp.exp(1) ** X,
]
FUNCTION = IntervalFunction([X, Y], EXPRESSIONS)
EXACT = [sp.lambdify([X, Y], expression, "mpmath") for expression in EXPRESSIONS]


@settings(max_examples=60, deadline=None)
@given(
    low=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    width=st.sampled_from([0.0, 1e-12, 0.1, 2.0]),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_values_are_enclosed(
    low: tuple[float, float], width: float, share: tuple[float, float]
) -> None:
    begin = np.array(low)
    end = begin + width
    lower, upper = FUNCTION(begin, end)
    point = np.clip(begin + np.array(share) * (end - begin), begin, end)
    with mpmath.workprec(200):
        for number, exact in enumerate(EXACT):
            value = exact(mpmath.mpf(point[0]), mpmath.mpf(point[1]))
            assert lower[number] <= value <= upper[number], EXPRESSIONS[number]


@settings(max_examples=30, deadline=None)
@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_points_are_enclosed_tightly(x: float, y: float) -> None:
    lower, upper = FUNCTION([x, y], [x, y])
    assert np.all(upper - lower <= 1e-13 * (1 + np.abs(upper)) * 50)


def test_ranges_of_single_occurrences_are_exact() -> None:
    lower, upper = IntervalFunction([X], [X**2, sp.cos(X), sp.cosh(X), X**3])([-1.0], [2.0])
    assert lower.tolist()[0] == 0.0 and upper.tolist()[0] == 4.0
    assert upper[1] == 1.0 and abs(lower[1] - np.cos(2.0)) < 1e-15
    assert lower[2] == 1.0 and abs(upper[2] - np.cosh(2.0)) < 1e-14
    assert lower[3] == -1.0 and upper[3] == 8.0


def test_what_is_unbounded_or_overflows() -> None:
    lower, upper = IntervalFunction([X], [1 / X, sp.log(X), sp.sqrt(X), sp.exp(1000 * X)])(
        [-1.0], [1.0]
    )
    assert np.all(lower[:3] == -np.inf) and np.all(upper[:3] == np.inf)
    assert upper[3] == np.inf and 0 <= lower[3] < 1e-300
    lower, upper = IntervalFunction([X], [sp.exp(1000 * X), sp.exp(-1000 * X)])([1.0], [1.0])
    assert lower[0] < np.inf == upper[0] and lower[1] == 0 < upper[1]


def test_unknown_functions_are_refused() -> None:
    for expression in (sp.besselj(0, X), sp.gamma(X), sp.Max(X, 0)):
        with pytest.raises(UnsupportedExpression):
            IntervalFunction([X], [expression])
