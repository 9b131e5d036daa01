"""Enclosures of Jacobians, and what is known of jumps over a box."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.field import Field
from contcrit.contraction.intervals import UnsupportedExpression
from contcrit.contraction.jacobians import BoxJacobian

X, Y, P = sp.symbols("x y p")
NONE = np.empty((0, 2))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_enclosure_holds_the_jacobian(seed: int) -> None:
    generator = np.random.default_rng(seed)
    problem = cc.Problem([-X + P * sp.tanh(X * Y), sp.sin(P * X) - Y**3], [X, Y], [P])
    values = {"p": float(generator.normal())}
    box = BoxJacobian(problem, values)
    low = generator.normal(size=2)
    high = low + generator.uniform(0, 1, 2)
    lower, upper = box.enclosure(low, high, NONE)
    for point in generator.uniform(low, high, (10, 2)):
        matrix = Field(problem, values).jacobian(point, np.empty(0))
        assert np.all(lower <= matrix + 1e-14) and np.all(matrix - 1e-14 <= upper)


def test_degrees_and_unknowns_that_matter() -> None:
    z = sp.Symbol("z")
    constant = BoxJacobian(cc.Problem([X + 2 * Y, Y], [X, Y]), {})
    affine = BoxJacobian(cc.Problem([X * Y, Y, z], [X, Y, z]), {})
    curved = BoxJacobian(cc.Problem([X**3, Y], [X, Y]), {})
    assert [box.degree for box in (constant, affine, curved)] == [0, 1, 2]
    assert constant.moving.size == 0
    assert affine.moving.tolist() == [0, 1] and curved.moving.tolist() == [0]


def test_sides_of_a_box() -> None:
    problem = cc.PiecewiseProblem([cc.relu(X + 2 * cc.step(Y)), -Y], [X, Y])
    box = BoxJacobian(problem, {})
    inner = list(problem.switches).index(Y)
    outer = 1 - inner
    found = box.sides(np.array([-1.0, 1.0]), np.array([1.0, 2.0]))
    assert found[inner].tolist() == [1, 1] and found[outer].tolist() == [1, 1]
    found = box.sides(np.array([-1.0, -1.0]), np.array([1.0, 2.0]))
    assert found[inner].tolist() == [0, 1] and found[outer].tolist() == [0, 1]
    found = box.sides(np.array([-5.0, -1.0]), np.array([-3.0, 2.0]))
    assert found[outer].tolist() == [0, 0]


def test_strength_of_a_repelling_and_attracting_kink() -> None:
    problem = cc.PiecewiseProblem.from_potential((cc.maximum(X, Y) - P) ** 2 / 2, [X, Y], [P])
    box = BoxJacobian(problem, {"p": 1.0})
    (surface,) = box.surfaces
    assert surface.known and not surface.continuous
    whole = np.array([[0.0, 1.0]])
    # On x = y the jump is -(y - p) times the normal.
    assert box.strength(0, np.array([2.0, 2.0]), np.array([3.0, 3.0]), whole) == (1.0, 2.0)
    assert box.strength(0, np.array([0.0, 0.0]), np.array([0.5, 0.5]), whole) == (-1.0, -0.5)


def test_continuous_and_unknown_surfaces() -> None:
    smooth = cc.PiecewiseProblem([-X + cc.relu(X - Y), -Y], [X, Y])
    assert BoxJacobian(smooth, {}).surfaces[0].continuous
    aside = cc.PiecewiseProblem([-X, -Y - cc.sign(X)], [X, Y])  # jumps along the surface
    assert not BoxJacobian(aside, {}).surfaces[0].known
    curved = cc.PiecewiseProblem([-X - cc.sign(X**3 + X * Y**2 + X), -Y], [X, Y])
    assert not BoxJacobian(curved, {}).surfaces[0].known


def test_a_metric_turns_the_normal() -> None:
    # The jump (0, -1) with normal (1, 1) is M-normal for M = [[2, 1], [1, 1]] only.
    problem = cc.PiecewiseProblem([-X, -Y - cc.sign(X + Y)], [X, Y])
    assert not BoxJacobian(problem, {}).surfaces[0].known
    metric = [[2.0, 1.0], [1.0, 1.0]]
    box = BoxJacobian(problem, {}, metric)
    assert box.surfaces[0].known
    whole = np.array([[0.0, 1.0]])
    assert box.strength(0, -np.ones(2), np.ones(2), whole) == (2.0, 2.0)


def test_what_has_no_scalar_expressions_is_refused() -> None:
    C, p = sp.MatrixSymbol("C", 2, 2), sp.Symbol("p")
    problem = cc.MatrixProblem(-p * C - C * C.T * C, C, [p], kind="flow")
    with pytest.raises(UnsupportedExpression):
        BoxJacobian(problem, {"p": 1.0})
