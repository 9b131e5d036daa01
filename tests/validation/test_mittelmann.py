"""The Mittelmann problem on grids: kernels of two dimensions found without a full spectrum."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

import contcrit as cc
from contcrit.symbolic.grid import GridProblem
from tests.validation.expectations import Expected, expect


def mittelmann(nodes: int) -> GridProblem:
    """Laplace u - 10 (u - lam e^u) on the unit square with reflecting sides."""
    u, lam = sp.IndexedBase("u"), sp.Symbol("lam")
    around = u[-1, 0] + u[1, 0] + u[0, -1] + u[0, 1] - 4 * u[0, 0]
    equation = around * (nodes - 1) ** 2 - 10 * (u[0, 0] - lam * sp.exp(u[0, 0]))
    return GridProblem(equation, u, (nodes, nodes), [lam], boundary="neumann")


def crossing(nodes: int, i: int, j: int) -> float:
    """Return the parameter at which the grid's mode (i, j) crosses zero."""
    modes = [4 * (nodes - 1) ** 2 * math.sin(k * math.pi / (2 * (nodes - 1))) ** 2 for k in (i, j)]
    u = 1 + sum(modes) / 10
    return u * math.exp(-u)


def traced(nodes: int, low: float) -> cc.Branch:
    return cc.trace(
        mittelmann(nodes), {"u": 0.4}, "lam", (low, 1), values={"lam": max(low, 0.26)},
        direction="forward", classify=False,
    )  # fmt: skip


def test_fold_and_branch_points_on_a_grid() -> None:
    nodes = 25
    branch = traced(nodes, 0.14)
    expect(
        branch,
        Expected("fold", math.exp(-1)),
        Expected("branch-point", crossing(nodes, 1, 0), 2),
        Expected("branch-point", crossing(nodes, 1, 1), 1),
        residual=1e-9,
    )
    # The equations are not symmetric, but a diagonal makes them so: unstable modes are counted.
    edges = [0.0, *(special.arclength for special in branch.special_points), math.inf]
    for count, low, high in zip((0, 1, 3, 4), edges, edges[1:], strict=False):
        inside = (branch.arclength > low) & (branch.arclength < high)
        assert np.all(branch["unstable_dimension"][inside] == count)


def test_thousands_of_unknowns() -> None:
    nodes = 55
    branch = traced(nodes, 0.26)
    expect(
        branch,
        Expected("fold", math.exp(-1)),
        Expected("branch-point", crossing(nodes, 1, 0), 2),
        residual=1e-8,
    )
