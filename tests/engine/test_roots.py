"""Roots of a function of one number."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.engine.roots import close_in


@pytest.mark.parametrize(
    ("function", "low", "high", "root"),
    [
        (lambda t: t * t - 2.0, 0.0, 2.0, math.sqrt(2.0)),
        (math.cos, 1.0, 3.0, math.pi / 2),
        (lambda t: t**9, -1.0, 2.0, 0.0),
        (lambda t: math.copysign(1.0, t - 0.3), 0.0, 1.0, 0.3),
        (lambda t: math.atan(1e6 * (t - 0.7)), 0.0, 1.0, 0.7),
    ],
)
def test_known_roots(
    function: Callable[[float], float], low: float, high: float, root: float
) -> None:
    found = close_in(function, low, high, function(low), function(high), 1e-12)
    # A zero of high order is where the function underflows to zero, too.
    assert abs(found - root) <= 1e-12 or function(found) == 0.0


def test_smooth_roots_take_few_evaluations() -> None:
    tried = []

    def value(t: float) -> float:
        tried.append(t)
        return math.exp(t) - 2.0

    close_in(value, 0.0, 1.0, -1.0, math.e - 2.0, 1e-12)
    assert len(tried) <= 9


@given(
    root=st.floats(-1.0, 1.0),
    bend=st.floats(0.0, 5.0),
    reach=st.tuples(st.floats(0.01, 3.0), st.floats(0.01, 3.0)),
)
def test_monotone_functions_keep_their_root(
    root: float, bend: float, reach: tuple[float, float]
) -> None:
    def value(t: float) -> float:
        return (t - root) + bend * (t - root) ** 3

    low, high = root - reach[0], root + reach[1]
    found = close_in(value, low, high, value(low), value(high), 1e-10)
    assert low <= found <= high
    assert abs(found - root) <= 1e-10
