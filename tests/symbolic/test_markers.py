from __future__ import annotations

import pickle

import pytest
import sympy as sp

from contcrit.errors import SpecificationError
from contcrit.symbolic import Problem
from contcrit.symbolic.markers import (
    MARKERS,
    absolute,
    leaky_relu,
    maximum,
    minimum,
    relu,
    sign,
    step,
    with_markers,
    without_markers,
)

x, y = sp.symbols("x y")
NUMBERS = (-3, -0.5, sp.Rational(-1, 3), -sp.sqrt(2), 0, sp.pi, 2, 4.5)


@pytest.mark.parametrize("number", NUMBERS)
def test_values_at_numbers(number):
    value = float(number)
    assert float(relu(number)) == max(value, 0)
    assert float(leaky_relu(number, 0.25)) == pytest.approx(value if value > 0 else value / 4)
    assert float(absolute(number)) == abs(value)
    assert float(maximum(number, 1)) == max(value, 1)
    assert float(minimum(number, 1)) == min(value, 1)
    if value:
        assert float(sign(number)) == (1 if value > 0 else -1)
        assert float(step(number)) == (1 if value > 0 else 0)


def test_jumps_have_no_value_at_zero():
    assert step(0).func is step
    assert sign(0).func is sign


def test_extrema_of_several_are_pairs():
    assert maximum(x, y, 1) == maximum(maximum(x, y), 1)
    assert minimum(x) == x
    assert maximum(x, x) == x
    with pytest.raises(SpecificationError, match="arguments"):
        maximum()


def test_symbols_stay():
    expression = relu(x) + absolute(relu(x) - y)
    assert expression.free_symbols == {x, y}
    assert float(expression.subs({x: 2, y: 3})) == 3.0
    assert pickle.loads(pickle.dumps(expression)) == expression


@pytest.mark.parametrize("name", sorted(MARKERS))
def test_no_marker_is_differentiated(name):
    marker = MARKERS[name]
    node = marker(x, y) if name in ("leaky_relu", "maximum", "minimum") else marker(x)
    with pytest.raises(SpecificationError, match="PiecewiseProblem"):
        sp.diff(node, x)


@pytest.mark.parametrize("name", sorted(MARKERS))
def test_smooth_problems_refuse_markers(name):
    marker = MARKERS[name]
    node = marker(x, y) if name in ("leaky_relu", "maximum", "minimum") else marker(x)
    with pytest.raises(SpecificationError, match="PiecewiseProblem"):
        Problem([node + x], [x], [y])
    with pytest.raises(SpecificationError, match="PiecewiseProblem"):
        Problem.from_potential(node + x**2, [x], [y])


def test_complex_arguments_are_refused():
    with pytest.raises(SpecificationError, match="real"):
        relu(sp.I)


def test_sympy_functions_become_markers_and_back():
    given = sp.Abs(x) + sp.Max(x, y) - sp.Min(x, 1) + sp.sign(y) + sp.Heaviside(x)
    marked = with_markers(given)
    assert not marked.has(sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside)
    for point in ({x: 2, y: -1}, {x: -3, y: 4}):
        assert float(marked.subs(point)) == float(given.subs(point))
        assert float(without_markers(marked).subs(point)) == float(given.subs(point))
