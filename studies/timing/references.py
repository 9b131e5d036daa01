"""Reference values that every time is measured beside, recomputed by ``recompute.py``."""

from __future__ import annotations

import math

SPIRAL_START = (-3.0753004601223464e-05, 7.8461351769881462)
"""The branch n = 1 of the spiral equation at lam = 1e-3."""

SPIRAL_FOLD = 0.07515760234009555
"""Its fold (40 digits, recompute.py)."""

BRATU_FOLD = 3.5138307191251612
"""Fold of the Bratu equation in the continuum: 8 t^2 / cosh^2 t at t tanh t = 1."""

BRATU_SHIFTS = (-1.82809521597226, -0.5634109394)
"""Coefficients of h^2 and h^4 in the fold of the Bratu equation on a grid of mesh h."""

GRID_FOLDS = {50: 3.5131277926157741, 1000: 3.5138288946800975}
"""Folds on grids of that many interior points (40 digits, recompute.py)."""

PLANE_BRATU_FOLDS = {
    25: 6.805890975530251,
    50: 6.807546291652311,
    100: 6.807977170014664,
    200: 6.808087252333014,
}
"""Folds of the Bratu equation on the unit square, by interior points a side."""


def grid_fold(interior: int) -> float:
    """Return the fold of the Bratu equation on a grid, from its series where it is not listed."""
    if interior in GRID_FOLDS:
        return GRID_FOLDS[interior]
    mesh = 1 / (interior + 1)
    second, fourth = BRATU_SHIFTS
    return BRATU_FOLD + second * mesh**2 + fourth * mesh**4


def mittelmann(nodes: int) -> dict[str, float]:
    """Return the first singular points of the Mittelmann problem on a grid, in closed form.

    With reflecting sides the grid's Laplacian has the eigenvalues m_i + m_j,
    m_i = 4 sin^2(i pi h / 2) / h^2, and the homogeneous branch lam = u e^-u is singular at
    u = 1 + (m_i + m_j) / 10.
    """
    mesh = 1 / (nodes - 1)

    def eigenvalue(i: int) -> float:
        return 4 * math.sin(i * math.pi * mesh / 2) ** 2 / mesh**2

    levels = {"fold": 1.0, "branch-point (1,0)": 1 + eigenvalue(1) / 10}
    levels["branch-point (1,1)"] = 1 + eigenvalue(1) / 5
    return {name: u * math.exp(-u) for name, u in levels.items()}
