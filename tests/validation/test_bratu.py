"""The Bratu equation: on a grid, in the continuum limit, and on two nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import contcrit as cc
from tests.strategies import bratu, two_nodes
from tests.validation.expectations import Expected, expect

GRID_FOLDS = {
    49: 3.513099390884,
    99: 3.513647903969,
    199: 3.513785016393,
    999: 3.513828891028,
}
CONTINUUM_FOLD = 3.51383071912516


def traced(interior: int) -> cc.Branch:
    return cc.trace(
        bratu(interior), np.zeros(interior), "lam", (0, 4), direction="forward",
        settings=cc.Settings(maximum_points=200), classify=False,
    )  # fmt: skip


def fold_of(interior: int) -> float:
    branch = traced(interior)
    # The residual is in units of 1/h^2; its rounding level grows with it.
    expect(
        branch, Expected("fold", GRID_FOLDS[interior]), relative=1e-12, residual=1e-11 * interior**2
    )
    fold = branch.special_points[0]
    assert fold.x == pytest.approx(fold.x[::-1], rel=1e-6)
    return fold.parameter


def test_grid_folds_and_the_continuum_by_extrapolation() -> None:
    coarse, middle, fine = (fold_of(interior) for interior in (49, 99, 199))
    # The error is a series in h^2; each of two extrapolations halves h once.
    first = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    second = (16 * first[1] - first[0]) / 15
    assert second == pytest.approx(CONTINUUM_FOLD, rel=1e-9)
    closed_form = max(8 * t**2 / math.cosh(t) ** 2 for t in np.linspace(1.19, 1.21, 2001))
    assert second == pytest.approx(closed_form, rel=1e-7)


def test_fine_grid() -> None:
    fold_of(999)


def test_two_nodes_break_their_symmetry_at_a_branch_point() -> None:
    diagram = cc.diagram(two_nodes(), [0, 0], "a", (0.02, 0.4), values={"a": 0.02})
    assert len(diagram) == 2
    branching = Expected("branch-point", 3 * math.exp(-3))
    symmetric, asymmetric = diagram
    expect(symmetric, Expected("fold", math.exp(-1)), branching)
    assert symmetric["x"] == pytest.approx(symmetric["y"], abs=1e-9)
    assert symmetric.special_points[0].x == pytest.approx([1, 1], rel=1e-9)
    assert symmetric.special_points[1].x == pytest.approx([3, 3], rel=1e-9)
    expect(asymmetric, branching)
    # The branch runs through the branch point: either half is the other with x and y exchanged.
    difference = asymmetric["x"] - asymmetric["y"]
    assert difference[0] * difference[-1] < 0
    assert abs(difference[0]) == pytest.approx(abs(difference[-1]), rel=1e-6)
    assert abs(difference[0]) > 1
