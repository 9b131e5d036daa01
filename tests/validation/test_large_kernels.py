"""Kernels of several dimensions: repeated eigenvalues and discretised operators."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from tests.strategies import repeated_crossings
from tests.validation.expectations import Expected, ends, expect


def test_kernels_of_dimension_one_to_five() -> None:
    problem = repeated_crossings(5)
    branch = cc.trace(problem, np.zeros(15), "lam", (0.5, 5.5))
    expect(branch, *(Expected("branch-point", float(i), i) for i in range(1, 6)))
    # With i eigenvalues crossing at lam = i, 0, 1, 3, 6, 10, 15 directions are unstable.
    counts = [0, 1, 3, 6, 10, 15]
    assert [counts[math.floor(value)] for value in branch["lam"][1:-1]] == list(
        branch["unstable_dimension"][1:-1]
    )


def allen_cahn(cells: int) -> cc.Problem:
    """eps^2 u'' = u^3 - u on [-1, 1] with reflecting ends."""
    eps, u = sp.Symbol("eps"), sp.symbols(f"u0:{cells + 1}")
    at = [u[1], *u, u[-2]]
    rows = [
        eps**2 * (at[k - 1] - 2 * at[k] + at[k + 1]) * cells**2 / 4 - at[k] ** 3 + at[k]
        for k in range(1, cells + 2)
    ]
    return cc.Problem(rows, u, [eps], kind="equation")


@pytest.mark.parametrize("cells", [10, 20])
def test_allen_cahn(cells: int) -> None:
    branch = cc.trace(allen_cahn(cells), np.zeros(cells + 1), "eps", (0.18, 1), classify=False)
    exact = [1 / (cells * math.sin(k * math.pi / (2 * cells))) for k in (3, 2, 1)]
    expect(branch, *(Expected("branch-point", value) for value in exact))
    # The grid shifts the continuum's 2/(k pi) by the factor 1 + (k pi h)^2/96, h = 2/cells.
    for k, special in zip((3, 2, 1), branch.special_points, strict=True):
        shift = special.parameter * k * math.pi / 2 - 1
        assert shift == pytest.approx((k * math.pi / cells) ** 2 / 24, rel=0.05)


def mittelmann(nodes: int) -> cc.Problem:
    """Laplace u - 10 (u - lam e^u) on the unit square with reflecting sides."""
    lam = sp.Symbol("lam")
    u = sp.Matrix(nodes, nodes, sp.symbols(f"u0:{nodes**2}"))

    def at(i: int, j: int) -> sp.Expr:
        return u[tuple(abs(k) if k < nodes else 2 * nodes - 2 - k for k in (i, j))]

    rows = [
        (at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1) - 4 * u[i, j]) * (nodes - 1) ** 2
        - 10 * (u[i, j] - lam * sp.exp(u[i, j]))
        for i in range(nodes)
        for j in range(nodes)
    ]
    return cc.Problem(rows, list(u), [lam])


def test_mittelmann() -> None:
    nodes = 6
    branch = cc.trace(
        mittelmann(nodes), np.full(nodes**2, 0.12), "lam", (0.045, 1), values={"lam": 0.1},
        classify=False,
    )  # fmt: skip

    def eigenvalue(i: int) -> float:
        return 4 * (nodes - 1) ** 2 * math.sin(i * math.pi / (2 * (nodes - 1))) ** 2

    values = [1 + (eigenvalue(i) + eigenvalue(j)) / 10 for i, j in ((0, 0), (1, 0), (1, 1), (2, 0))]
    (fold, *crossings) = [u * math.exp(-u) for u in values]
    assert fold == pytest.approx(0.367879441171, rel=1e-11)
    expect(
        branch,
        Expected("fold", fold),
        *(
            Expected("branch-point", value, kernel)
            for value, kernel in zip(crossings, (2, 1, 2), strict=True)
        ),
    )
    assert ends(branch) == {"END_OF_SPAN"}
    assert np.ptp(branch.z[:, :-1], axis=1) == pytest.approx(0, abs=1e-8)
