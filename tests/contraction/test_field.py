"""The vector field against the problem that it comes from."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.contraction.field import Field
from contcrit.errors import SpecificationError

X, Y, P, Q = sp.symbols("x y p q")


def test_signs_of_the_kinds() -> None:
    potential = Field(cc.Problem.from_potential(P * X**2, [X], [P]), {P: 3.0})
    assert potential.velocity(np.array([2.0]), np.empty(0)).tolist() == [-12.0]
    assert potential.jacobian(np.array([2.0]), np.empty(0)).tolist() == [[-6.0]]
    equations = Field(cc.Problem([P * X**2 + Q], [X], [P, Q]), {"q": 1.0, "p": 3.0})
    assert equations.velocity(np.array([2.0]), np.empty(0)).tolist() == [13.0]
    assert equations.kinks == 0 and equations.sides(np.array([2.0]), 1e-9).size == 0


def test_pieces_and_slopes_of_nested_kinks() -> None:
    problem = cc.PiecewiseProblem([cc.relu(P * X + cc.step(Y)), -Y], [X, Y], [P])
    field = Field(problem, {"p": 2.0})
    inner = problem.switches.index(Y)
    outer = 1 - inner
    positions = np.ones(2)
    point = np.array([0.5, 1.0])
    assert field.velocity(point, positions).tolist() == [2.0, -1.0]
    g, gradients, across = field.slopes(point, positions)
    assert g[outer] == 2.0 and gradients[outer].tolist() == [2.0, 0.0]
    assert across[outer, inner] == 1.0 and across[inner, outer] == 0.0
    assert np.array_equal(field.switches(point, positions), g)
    assert field.nested(np.array([0, 1])) and not field.nested(np.array([outer]))


def test_missing_and_wrong_values_are_refused() -> None:
    for problem in (cc.Problem([P * X], [X], [P]), cc.PiecewiseProblem([P * cc.sign(X)], [X], [P])):
        with pytest.raises(SpecificationError):
            Field(problem, {})
    with pytest.raises(SpecificationError, match="flow"):
        Field(cc.Problem([X], [X], kind="map"))
