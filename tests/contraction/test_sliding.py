"""Positions that keep switching functions constant, against closed forms."""

from __future__ import annotations

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.field import Field
from contcrit.contraction.sliding import held_positions, rate_slopes, runge_kutta

X, Y, Z = sp.symbols("x y z")
RELAY = Field(cc.PiecewiseProblem([Z - 2 * cc.sign(X), Y - cc.sign(Y), -Z], [X, Y, Z]))
NESTED = Field(cc.PiecewiseProblem.from_potential(cc.maximum(X, Y, -X - Y + Z), [X, Y, Z]))


@given(drift=st.floats(-3, 3), side=st.sampled_from([0.0, 1.0]))
def test_a_relay_balances_its_drift(drift: float, side: float) -> None:
    # z - 2 (2 s - 1) = 0, also beyond [0, 1]; the other kink keeps its position.
    kinks = list(RELAY.problem.switches)
    held, other = kinks.index(X), kinks.index(Y)
    positions = np.full(2, side)
    found = held_positions(RELAY, np.array([0.0, 1.0, drift]), positions, np.array([held]))
    assert abs(found[held] - (drift / 2 + 1) / 2) < 1e-14
    assert found[other] == side


def test_nested_kinks_reach_the_least_element() -> None:
    # At x = y = -x-y the least element of the hull of (1,0,0), (0,1,0), (-1,-1,1).
    held = np.arange(2)
    found = held_positions(NESTED, np.zeros(3), np.full(2, 0.5), held)
    velocity = NESTED.velocity(np.zeros(3), found)
    corners = np.array([[1, 0, 0], [0, 1, 0], [-1, -1, 1]])
    assert np.allclose(corners @ velocity, corners[0] @ velocity, atol=1e-14)
    weights = np.linalg.lstsq(corners.T, -velocity, rcond=None)[0]
    assert abs(weights.sum() - 1) < 1e-12 and np.all(weights > 0)


def test_slopes_are_those_of_the_rates() -> None:
    kinks = list(RELAY.problem.switches)
    slopes = rate_slopes(RELAY, np.zeros(3), np.full(2, 0.3), np.arange(2))
    expected = np.zeros((2, 2))
    expected[kinks.index(X), kinks.index(X)] = -4.0
    expected[kinks.index(Y), kinks.index(Y)] = -2.0
    assert np.allclose(slopes, expected)


def test_order_of_a_step() -> None:
    # Sliding along x = 0 while z decays: fifth order errors of one step.
    held = np.array([list(RELAY.problem.switches).index(X)])
    start = np.array([0.0, 2.0, 1.0])
    errors = []
    for time in (0.2, 0.1):
        end = runge_kutta(RELAY, start, np.ones(2), held, time)
        assert end[0] == 0.0
        errors.append(abs(end[2] - np.exp(-time)))
    assert 28 < errors[0] / errors[1] < 36
