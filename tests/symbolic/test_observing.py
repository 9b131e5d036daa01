"""Observables of scalar problems at many points at once."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from contcrit.errors import SpecificationError
from contcrit.symbolic import Problem

x, y, p, q = sp.symbols("x y p q")
EXPRESSIONS = {
    "norm": sp.sqrt(x**2 + y**2),
    "bessel": sp.besselj(0, x) + p,
    "kinked": sp.Max(x, y) * q,
    "mixed": sp.exp(-x) * sp.cos(p * y),
    "constant": sp.Rational(1, 3),
}


def problem_of(**observables):
    return Problem([p * x - y**3, q * y - x], [x, y], [p, q], observables=observables)


@given(
    st.lists(st.tuples(*[st.floats(-3.0, 3.0)] * 3), min_size=1, max_size=6),
    st.floats(-2.0, 2.0),
)
def test_many_points_agree_with_one_at_a_time(rows, fixed):
    problem = SHARED
    points = np.array(rows)
    found = problem.observe(points[:, :2], {"p": points[:, 2], "q": fixed})
    assert list(found) == [*EXPRESSIONS, "own"]
    for name, single in problem.observables.items():
        expected = [single(row[:2], {"p": row[2], "q": fixed}) for row in points]
        assert_allclose(found[name], expected, rtol=1e-14, atol=1e-15)


SHARED = problem_of(**EXPRESSIONS, own=lambda point, values: point[1] - values["p"] ** 2)


def test_the_potential_is_observed(rng):
    problem = Problem.from_potential(
        x**4 / 4 + y**2 - p * x**2 / 2, [x, y], [p], observables={"sum": x + y}
    )
    points, numbers = rng.standard_normal((8, 2)), rng.standard_normal(8)
    found = problem.observe(points, {p: numbers})
    assert list(found) == ["sum", "potential"]
    expected = points[:, 0] ** 4 / 4 + points[:, 1] ** 2 - numbers * points[:, 0] ** 2 / 2
    assert_allclose(found["potential"], expected, rtol=1e-13, atol=1e-13)
    again = pickle.loads(pickle.dumps(problem))
    assert_allclose(again.observe(points, {"p": numbers})["sum"], points.sum(axis=1))


def test_a_problem_without_parameters():
    problem = Problem([x**2 - 1], [x], observables={"own": lambda point, values: len(values)})
    assert problem.observe([[1.0], [2.0]])["own"].tolist() == [0.0, 0.0]


def test_domain_errors_are_not_finite():
    found = problem_of(log=sp.log(x)).observe([[1.0, 0.0], [-1.0, 0.0]], {"p": 0, "q": 0})
    assert found["log"][0] == 0.0
    assert np.isnan(found["log"][1])


@pytest.mark.parametrize(
    ("points", "values"),
    [
        ([1.0, 2.0], {"p": 1, "q": 1}),
        ([[1.0, 2.0]], {"p": [1, 2], "q": 1}),
        ([[1.0, 2.0]], {"p": 1}),
        ([[1.0, 2.0]], {"p": 1, "q": 1, "r": 1}),
        ([[1.0, 2.0]], {"p": "a", "q": 1}),
        ([[1.0, 2.0]], 3),
    ],
)
def test_misuse_is_refused(points, values):
    with pytest.raises(SpecificationError):
        problem_of(norm=x).observe(points, values)
