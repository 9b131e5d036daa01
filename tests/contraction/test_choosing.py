"""Which mode follows a point on switching surfaces: one, several or none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.choosing import Choice, Chooser
from contcrit.contraction.field import Field
from contcrit.contraction.sliding import Tolerances
from contcrit.errors import Status

X, Y = sp.symbols("x y")


def choose(problem: cc.PiecewiseProblem, x: list[float], side: int | None = None) -> Choice:
    field = Field(problem)
    sides = None if side is None else np.full(field.kinks, side)
    chooser = Chooser(field, Tolerances(1e-10, 1e-12), sides)
    signature = field.sides(np.array(x), 1e-12)
    return chooser.choose(np.array(x), signature, np.flatnonzero(signature == 0))


@settings(max_examples=30, deadline=None)
@given(left=st.floats(-2, 2), right=st.floats(-2, 2))
def test_the_four_cases_of_one_surface(left: float, right: float) -> None:
    assume(min(abs(left), abs(right), abs(left - right)) > 1e-3)
    field = sp.Float(left) + (sp.Float(right) - sp.Float(left)) * cc.step(X)
    choice = choose(cc.PiecewiseProblem([field, X * 0 + 1], [X, Y]), [0.0, 0.0])
    if left < 0 < right:
        assert choice.status is Status.NOT_UNIQUE
        assert set(choice.alternatives) == {(-1,), (0,), (1,)}
    elif right < 0 < left:
        assert choice.status is None and choice.mode == (0,)
        assert abs(choice.positions[0] - left / (left - right)) < 1e-12
    else:
        assert choice.status is None and choice.mode == (int(np.sign(left)),)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), kinks=st.integers(1, 4))
def test_convex_potentials_take_the_least_subgradient(seed: int, kinks: int) -> None:
    generator = np.random.default_rng(seed)
    unknowns = sp.symbols("u0:3")
    rows = generator.normal(size=(kinks, 3)).round(3)
    if kinks > 1 and seed % 2:
        rows[1] = 2 * rows[0]  # the same kink twice
    weights = generator.uniform(0.1, 2, kinks).round(3)
    slope = generator.normal(size=3).round(3)
    cost = sum(
        sp.Float(w) * cc.absolute(sum(sp.Float(v) * u for v, u in zip(row, unknowns, strict=True)))
        for w, row in zip(weights, rows, strict=True)
    )
    cost += sum(sp.Float(v) * u for v, u in zip(slope, unknowns, strict=True))
    problem = cc.PiecewiseProblem.from_potential(cost, unknowns)
    choice = choose(problem, [0.0, 0.0, 0.0])
    assert choice.status is None
    velocity = Field(problem).velocity(np.zeros(3), choice.positions)

    # Of a convex quadratic the best face of the box is found by trying every one.
    best = np.inf
    for pattern in itertools.product((-1.0, 0.0, 1.0), repeat=kinks):
        s, free = np.array(pattern), np.array(pattern) == 0
        edges = (rows.T * weights)[:, free]
        s[free] = np.linalg.lstsq(edges, -slope - rows.T @ (weights * s), rcond=None)[0]
        if np.all(np.abs(s) <= 1 + 1e-12):
            best = min(best, float(np.linalg.norm(slope + rows.T @ (weights * s))))
    assert abs(np.linalg.norm(velocity) - best) < 1e-9


def test_more_kinks_than_are_tried() -> None:
    lines = [cc.absolute(sp.cos(k) * X + sp.sin(k) * Y) for k in range(1, 8)]
    convex = cc.PiecewiseProblem.from_potential(sum(lines).evalf() + 20 * X, [X, Y])
    assert choose(convex, [0.0, 0.0]).status is None
    mixed = cc.PiecewiseProblem.from_potential((sum(lines) - 2 * lines[0]).evalf(), [X, Y])
    assert choose(mixed, [0.0, 0.0]).status is Status.MODE_UNDECIDED


def test_a_tie_is_decided_by_higher_order() -> None:
    # x' = y on both sides, y' = 1 or -1 with the side: the tangent piece bends away from x = 0.
    visible = cc.PiecewiseProblem([Y, cc.sign(X)], [X, Y])
    assert choose(visible, [0.0, 0.0]).status is Status.NOT_UNIQUE
    invisible = cc.PiecewiseProblem([Y, -cc.sign(X)], [X, Y])
    found = choose(invisible, [0.0, 0.0])
    assert found.status is None and found.mode == (0,)
    mixed = cc.PiecewiseProblem([Y, 1 + 0 * X + cc.step(X)], [X, Y])
    assert choose(mixed, [0.0, 0.0]).mode == (1,)


@pytest.mark.parametrize("side", [-1, 0, 1])
def test_sides_are_taken_where_several_are_left(side: int) -> None:
    problem = cc.PiecewiseProblem.from_potential(-cc.absolute(X) + Y**2, [X, Y])
    assert choose(problem, [0.0, 1.0], side).mode == (side,)
    # Where the solution is unique the side that was asked for does not matter.
    attracting = cc.PiecewiseProblem.from_potential(cc.absolute(X) + Y**2, [X, Y])
    assert choose(attracting, [0.0, 1.0], side).mode == (0,)
