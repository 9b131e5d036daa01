"""Cusp, crossing lines, winged cusp, maps of one unknown: everything in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from tests.strategies import cubic, p, x, y
from tests.validation.expectations import Expected, ends, expect


@pytest.mark.parametrize("slope", [0.25, 1.0, 2.0])
def test_cusp_has_two_folds_and_three_roots_between(slope: float) -> None:
    height = 2 * (slope / 3) ** 1.5
    zero = cc.UserEvent("q = 0", lambda u, q: q)
    branch = cc.trace(
        cubic(), [-3], "q", (-3, 3), values={"p": slope}, events=[zero], direction="forward"
    )
    folds = branch.of_kind("fold")
    assert [s.parameter for s in folds] == pytest.approx([height, -height], rel=1e-9)
    assert [s.x[0] for s in folds] == pytest.approx(
        [-math.sqrt(slope / 3), math.sqrt(slope / 3)], rel=1e-9
    )
    assert all(s.digits >= 6 for s in folds)
    roots = [s.x[0] for s in branch.of_kind("user")]
    assert roots == pytest.approx([-math.sqrt(slope), 0, math.sqrt(slope)], abs=1e-9)
    assert len(branch.special_points) == 5


def test_crossing_lines() -> None:
    other, third = sp.symbols("p2 p3")
    problem = cc.Problem([(x - p) * (x - other) + third], [x], [p, other, third])
    diagram = cc.diagram(problem, [2], "p", (0, 4), values={"p2": 2, "p3": 0})
    assert len(diagram) == 2
    for branch in diagram:
        expect(branch, Expected("branch-point", 2.0))
        assert branch.special_points[0].x == pytest.approx([2.0], rel=1e-9)
        assert ends(branch) == {"END_OF_SPAN"}
    slopes = {round(float(np.ptp(branch["x"])), 9) for branch in diagram}
    assert slopes == {0.0, 4.0}


def test_winged_cusp() -> None:
    rows = [x**3 - 2 * p * x + p**2 - 2 * p + 1]
    starts = [([-3.0], 3.0), ([1.5], 1.5)]
    diagram = cc.diagram(cc.Problem(rows, [x], [p]), starts, "p", (0, 5))
    assert len(diagram) == 2
    lower, loop = diagram
    expect(lower)
    expect(loop, Expected("fold", 0.43812145805035), Expected("fold", 3.8901639893821))
    assert ends(lower) == {"END_OF_SPAN"}
    assert ends(loop) == {"CLOSED_LOOP"}


def test_logistic_map_branches_at_one() -> None:
    problem = cc.Problem([p * x * (1 - x)], [x], [p], kind="map")
    diagram = cc.diagram(problem, [0], "p", (0.2, 2))
    assert len(diagram) == 2
    for branch in diagram:
        expect(branch, Expected("branch-point", 1.0))
    side = diagram[1]
    assert side["x"] == pytest.approx(1 - 1 / side["p"], abs=1e-9)


def test_henon_map_folds_and_flips_at_minus_a_quarter() -> None:
    # Without dissipation both multipliers +-1 arrive together: m^2 = -2 x at x = -1/2.
    problem = cc.Problem([y, p - x**2], [x, y], [p], kind="map")
    branch = cc.trace(problem, [0, 0], "p", (-0.5, 0.5), values={"p": 0})
    special = {special.kind: special for special in branch.special_points}
    assert set(special) == {"fold", "flip"} and len(branch.special_points) == 2
    for one in special.values():
        assert one.z == pytest.approx([-0.5, -0.5, -0.25], abs=1e-9)
        assert one.digits >= 6
