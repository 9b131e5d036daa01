"""Flips of maps against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import contcrit as cc
from contcrit.events.flip import flipping, normal_form_coefficient, refine
from tests.strategies import flip, henon, logistic, p, x, y


def test_the_logistic_map_flips_at_three() -> None:
    branch = cc.trace(logistic(), {"x": 0.5}, "p", (1.5, 4.0), values={"p": 2.0})
    (special,) = branch.of_kind("flip")
    assert special.parameter == pytest.approx(3.0, abs=1e-12)
    assert special.x == pytest.approx([2 / 3], abs=1e-12)
    assert special.digits > 8
    assert special.evidence["kernel_dimension"] == 1
    assert special.evidence["normal_form_coefficient"] == pytest.approx(9.0, rel=1e-7)
    assert special.verdict_before is not None and special.verdict_after is not None
    before, after = (
        special.verdict_before.evidence["stability"],
        special.verdict_after.evidence["stability"],
    )
    assert {before, after} == {"stable", "unstable"}
    stable = branch["unstable_dimension"] == 0
    assert np.array_equal(stable, branch["p"] < 3.0) and 0 < np.count_nonzero(stable) < len(stable)


@given(st.floats(-0.9, 0.9))
def test_the_henon_map_flips_where_it_should(b: float) -> None:
    problem = henon(b)
    expected = 0.75 * (1 - b) ** 2
    span = (0.5 * expected, 1.5 * expected + 0.1)
    half = (1 - b) / 2
    first = (-half + np.sqrt(half**2 + span[0])) / span[0]
    branch = cc.trace(problem, {"x": first, "y": b * first}, "p", span)
    assert [special.kind for special in branch.special_points] == ["flip"]
    assert branch.special_points[0].parameter == pytest.approx(expected, abs=1e-10)


def test_a_subcritical_flip_has_a_negative_coefficient() -> None:
    system = cc.Problem([-(1 + p) * x - x**3], [x], [p], kind="map").compile("p", {})
    vectors = flipping(system, np.zeros(2), 1e-6)
    assert vectors is not None
    assert normal_form_coefficient(system, np.zeros(2), vectors) == pytest.approx(-1, abs=1e-6)


def test_newton_refines_a_rough_flip() -> None:
    system = flip().compile("p", {})
    z = np.array([1e-3, 2e-3])
    vectors = flipping(system, z, 1e-2)
    assert vectors is not None
    refined = refine(system, z, vectors, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx([0, 0], abs=1e-13)


def test_complex_multipliers_left_of_minus_one_are_no_flip() -> None:
    # Multipliers -1 - p +- 2 i: their real part passes -1, no multiplier does.
    problem = cc.Problem([-(1 + p) * x - 2 * y, 2 * x - (1 + p) * y], [x, y], [p], kind="map")
    branch = cc.trace(problem, {"x": 0.0, "y": 0.0}, "p", (-0.5, 0.5))
    assert branch.special_points == ()


def test_gradient_descent_flips_at_two_over_the_largest_curvature() -> None:
    eta = sp.Symbol("eta")
    loss = 3 * x**2 / 2 + y**2 / 2 + x**4 / 4
    steps = [u - eta * sp.diff(loss, u) for u in (x, y)]
    problem = cc.Problem(steps, [x, y], [eta], kind="map")
    branch = cc.trace(problem, {"x": 0.0, "y": 0.0}, "eta", (0.1, 3.0))
    found = [special.parameter for special in branch.of_kind("flip")]
    assert found == pytest.approx([2 / 3, 2], abs=1e-12)


def test_flows_have_no_flips() -> None:
    problem = cc.Problem([-(2 + p) * x + x**3], [x], [p])
    branch = cc.trace(problem, {"x": 0.0}, "p", (-1.0, 1.0))
    assert branch.special_points == ()
