"""The Bratu equation: on a grid, in the continuum limit, and on two nodes."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.symbolic.grid import GridProblem
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


def on_a_grid(interior: int) -> GridProblem:
    u, lam = sp.IndexedBase("u"), sp.Symbol("lam")
    equation = (u[-1] - 2 * u[0] + u[1]) * (interior + 1) ** 2 + lam * sp.exp(u[0])
    return GridProblem(equation, u, interior, [lam])


@pytest.mark.parametrize("interior", [49, 99, 199, 999])
def test_folds_and_stability_of_the_stencil(interior: int) -> None:
    branch = cc.trace(
        on_a_grid(interior), {"u": 0}, "lam", (0, 4), direction="forward", classify=False,
        settings=cc.Settings(maximum_points=90),
    )  # fmt: skip
    expect(
        branch, Expected("fold", GRID_FOLDS[interior]), relative=1e-12, residual=1e-11 * interior**2
    )
    upper = branch.arclength > branch.special_points[0].arclength
    assert np.array_equal(branch["unstable_dimension"], upper.astype(int))


def test_many_points_need_no_matrix_of_their_square() -> None:
    interior = 20_000
    grid = on_a_grid(interior)
    tracemalloc.start()
    branch = cc.trace(
        grid, {"u": 0}, "lam", (0, 4), direction="forward",
        # Machine code that is loaded meanwhile would count, too.
        settings=cc.Settings(maximum_points=60, gear="python"),
    )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (fold,) = branch.special_points
    # The grid's error is a series in h^2 and its first term is known from the coarser grids.
    share = (GRID_FOLDS[999] - CONTINUUM_FOLD) * (1000 / (interior + 1)) ** 2
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(CONTINUUM_FOLD + share, abs=2e-8)
    assert fold.digits > 6
    assert peak < 2e8 < 8 * interior**2
    assert [verdict.evidence["unstable_dimension"] for _, _, verdict in branch.verdicts] == [0, 1]


def square_fold(cells: int) -> float:
    u, lam = sp.IndexedBase("u"), sp.Symbol("lam")
    around = u[-1, 0] + u[1, 0] + u[0, -1] + u[0, 1] - 4 * u[0, 0]
    grid = GridProblem(around * cells**2 + lam * sp.exp(u[0, 0]), u, (cells - 1, cells - 1), [lam])
    branch = cc.trace(
        grid, {"u": 0}, "lam", (0, 8), direction="forward", classify=False,
        settings=cc.Settings(maximum_points=60),
    )  # fmt: skip
    (fold,) = branch.special_points
    assert (fold.kind, fold.evidence["kernel_dimension"]) == ("fold", 1)
    assert fold.digits > 7
    return fold.parameter


def test_the_unit_square_by_extrapolation() -> None:
    coarse, middle, fine = (square_fold(cells) for cells in (12, 24, 48))
    first = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    assert (16 * first[1] - first[0]) / 15 == pytest.approx(6.808124423, rel=2e-7)


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
