"""Solutions that lie on kinks, found without a start that leads to them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine.modes.seeds import crossings

SAMPLE = np.random.default_rng(0).standard_normal((10, 2))


def has(found, point, near=1e-9) -> bool:
    return any(np.max(np.abs(x - np.asarray(point))) < near for x in found)


@pytest.mark.parametrize(
    ("norm", "lam", "points"),
    [
        ("l2", 0.1, [(0.814858342421, 0.773132978826), (0, 0)]),
        ("l1-squared", 0.1, [(0.769209632447, 0.543757753928), (0, 0)]),
        ("l1", 1.5, [(0, 0)]),
    ],
)
def test_the_origin_of_a_regression_is_found_where_all_kinks_meet(norm, lam, points) -> None:
    problem = cc.models.get("relu-regression").build(X=SAMPLE, w_star=[1, 1], norm=norm)
    found = cc.find(problem, (-2, 2), {"lam": lam}, starts=8)
    assert len(found) == len(points)
    assert all(has(found, point) for point in points)
    assert not found.believed_complete
    assert "sets of kinks" in found.report["why"]
    for x in found:
        assert np.max(np.abs(problem.evaluate(x, {"lam": lam}))) <= 1e-9


def test_every_vertex_of_the_hinge_example_is_found() -> None:
    model = cc.models.get("relu-hinge")
    problem = model.build(**model.example)
    found = cc.find(problem, (-5, 5), {"alpha": 0.5}, starts=4)
    for start in model.starts(problem).values():
        assert has(found, problem.point(start.unknowns))


def test_common_zeros_respect_box_and_budget() -> None:
    x, y, p = sp.symbols("x y p")
    kinks = [cc.absolute(x - k) for k in range(4)] + [cc.absolute(x + y - k) for k in range(3)]
    problem = cc.PiecewiseProblem.from_potential(sum(kinks) + x**2 - p * y, [x, y], [p])
    family = problem.family("p", {})
    low, high = np.array([-0.5, -0.5]), np.array([1.5, 1.5])
    everything = crossings(family, low, high, 0.0, 0)
    assert (everything.tried, everything.total) == (21 + 7, 28)
    corners = [(a, b) for a in (0, 1) for b in (-a, 1 - a, 2 - a) if -0.5 <= b <= 1.5]
    assert all(has(everything.points, corner) for corner in corners)
    assert np.all((everything.points >= low - 1e-9) & (everything.points <= high + 1e-9))
    few = crossings(family, low, high, 0.0, 0, budget=6)
    assert few.tried <= 6 and few.total == 28
    again = crossings(family, low, high, 0.0, 0, budget=6)
    assert np.array_equal(few.points, again.points)


def test_curved_and_nested_kinks_have_common_zeros_too() -> None:
    x, y, p = sp.symbols("x y p")
    inner = cc.relu(y - x**2)
    problem = cc.PiecewiseProblem(
        [cc.absolute(x**2 + y**2 - 4) - p, cc.absolute(inner - 1) + x], [x, y], [p]
    )
    found = crossings(problem.family("p", {}), np.array([0.1, 0.0]), np.array([3.0, 3.0]), 0.0, 0)
    root = (-3 + np.sqrt(21)) / 2  # x^2 + (1 + x^2)^2 = 4
    assert has(found.points, (np.sqrt(root), 1 + root))
