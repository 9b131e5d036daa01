from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.symbolic.markers import absolute, leaky_relu, maximum, minimum, relu, sign, step
from contcrit.symbolic.piecewise_lowering import Lowering, affine_in_jumps

x, y = sp.symbols("x y")


def value_by_sides(lowered, lowering, point):
    """Evaluate a lowered expression with every position on the side where the point lies."""
    positions = {}
    for switch, position in zip(lowering.switches, lowering.positions, strict=True):
        positions[position] = 1 if float(switch.subs(positions).subs(point)) > 0 else 0
    return float(lowered.subs(positions).subs(point))


LEAVES = st.tuples(*(st.integers(-4, 4) for _ in range(3))).map(
    lambda c: c[0] * x + c[1] * y + sp.Rational(c[2], 2)
)


def composed(inner):
    slope = st.sampled_from([sp.Rational(1, 4), sp.Rational(-1, 2), sp.Integer(2)])
    return st.one_of(
        inner.map(relu),
        inner.map(absolute),
        st.builds(leaky_relu, inner, slope),
        st.builds(maximum, inner, inner),
        st.builds(minimum, inner, inner),
        st.builds(lambda a, b, c: c * a - b, inner, inner, slope),
    )


@given(st.recursive(LEAVES, composed, max_leaves=5), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_lowered_expressions_agree_on_every_side(expression, seed):
    lowering = Lowering(["x", "y"])
    lowered = lowering(expression)
    generator = np.random.default_rng(seed)
    for point in generator.uniform(-3, 3, size=(4, 2)):
        values = {x: point[0], y: point[1]}
        expected = float(expression.subs(values))
        assert value_by_sides(lowered, lowering, values) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "expression",
    [
        relu(x) + relu(-x),
        absolute(2 * x - 2) + relu(1 - x),
        maximum(x, y) - minimum(x, y),
        relu(relu(x)) + absolute(-3 * relu(x)),
        leaky_relu(absolute(absolute(x)), 0.3) + relu(-2 * leaky_relu(x, sp.Rational(1, 2))),
        step(x) * sign(x) + relu(-3 * x),
    ],
)
def test_one_kink_has_one_position(expression):
    lowering = Lowering(["x", "y"])
    lowering(expression)
    assert len(lowering.switches) == 1


def test_nested_kinks_refer_to_inner_positions():
    lowering = Lowering(["x"])
    lowered = lowering(absolute(relu(x) - 1))
    inner, outer = lowering.positions
    assert lowering.switches == [x, inner * x - 1]
    assert sp.expand(lowered - (2 * outer - 1) * (inner * x - 1)) == 0


def test_names_of_positions_avoid_those_taken():
    lowering = Lowering(["x", "position[0]"])
    lowering(relu(x))
    assert lowering.positions[0].name == "position_[0]"


def test_unused_switches_are_dropped():
    lowering = Lowering(["x"])
    row = lowering(relu(x - 1))
    lowering(relu(x - 2))
    switches, positions = lowering.pruned([row])
    assert switches == [x - 1]
    assert len(positions) == 1


def test_a_constant_switching_function_is_refused():
    with pytest.raises(SpecificationError, match="constant"):
        Lowering([])(step(0) * x)


def test_jumps_combine_by_the_values_on_either_side():
    s = sp.Symbol("s")
    assert sp.expand(affine_in_jumps(s**2 * x + y, {s}) - (s * x + y)) == 0
    assert affine_in_jumps(s**2 * x, set()) == s**2 * x
    mixed = affine_in_jumps(sp.exp(s), {s})
    assert float(mixed.subs(s, 0.5)) == pytest.approx((1 + np.e) / 2)
