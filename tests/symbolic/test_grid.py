"""Equations on grids: the same numbers as when every point's equation is written out."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.symbolic.grid import GridProblem
from contcrit.symbolic.grid_table import GridNames

U, V = sp.IndexedBase("u"), sp.IndexedBase("v")
LAM, D = sp.symbols("lam d")

CONDITIONS: dict[str, tuple[Any, Callable[[int, int], Any]]] = {
    # What each condition puts for the index k on an axis of n points: an index, or a value.
    "value": (LAM / 3, lambda k, n: k if 0 <= k < n else LAM / 3),
    "neumann": ("neumann", lambda k, n: -k if k < 0 else 2 * (n - 1) - k if k >= n else k),
    "neumann-between": (
        "neumann-between",
        lambda k, n: -k - 1 if k < 0 else 2 * n - 1 - k if k >= n else k,
    ),
    "periodic": ("periodic", lambda k, n: k % n),
}


def written_out(
    grid: GridProblem,
    equations: dict[str, sp.Expr],
    find: Callable[[int, int], Any],
    coefficient: np.ndarray | None = None,
) -> cc.Problem:
    """Return the problem with one equation for each point."""
    symbols = {name: sp.Symbol(name.replace("[", "_").replace(",", "_").replace("]", ""))
               for name in grid.unknown_names}  # fmt: skip
    rows = []
    for expression in equations.values():
        for place in np.ndindex(*grid.shape):
            swap: dict[Any, Any] = {}
            for indexed in expression.atoms(sp.Indexed):
                found = [
                    find(k + int(offset), n)
                    for k, offset, n in zip(place, indexed.indices, grid.shape, strict=True)
                ]
                values = [k for k in found if isinstance(k, sp.Expr)]
                name = f"{indexed.base.label}[{','.join(map(str, found))}]"
                swap[indexed] = values[0] if values else symbols[name]
            if coefficient is not None:
                swap[sp.Symbol("c")] = sp.Float(coefficient[place])
            rows.append(expression.xreplace(swap))
    return cc.Problem(rows, list(symbols.values()), list(grid.parameters), kind=grid.kind)


def agree(grid: GridProblem, plain: cc.Problem, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, grid.size)
    values = {name: rng.uniform(0.5, 1.5) for name in grid.parameter_names}
    close = {"rel": 1e-11, "abs": 1e-11}
    assert grid.evaluate(x, values) == pytest.approx(plain.evaluate(x, values), **close)
    assert grid.jacobian(x, values) == pytest.approx(plain.jacobian(x, values), **close)
    others = {name: value for name, value in values.items() if name != "lam"}
    one, other = grid.compile("lam", others), plain.compile("lam", others)
    z, direction = np.append(x, values["lam"]), rng.standard_normal(grid.size + 1)
    assert one.residual(z) == pytest.approx(other.residual(z), **close)
    for matrix, expected in (
        (one.jacobian(z), other.jacobian(z)),
        (one.second(z, direction), other.second(z, direction)),
    ):
        dense = [m.toarray() if not isinstance(m, np.ndarray) else m for m in (matrix, expected)]
        assert dense[0] == pytest.approx(dense[1], **close)


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("size", [4, 30])
def test_one_dimension_with_a_wide_stencil(name: str, size: int) -> None:
    boundary, find = CONDITIONS[name]
    equation = U[-2] * LAM - 3 * U[-1] + sp.exp(U[0] * D) + U[1] * U[0] + U[2] ** 3
    grid = GridProblem(equation, U, size, [LAM, D], boundary=boundary)
    agree(grid, written_out(grid, {"u": equation}, find))


@pytest.mark.parametrize("name", CONDITIONS)
def test_two_dimensions_and_two_fields(name: str) -> None:
    boundary, find = CONDITIONS[name]
    around = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    equations = {
        "u": D * sum(U[k] for k in around) - 4 * U[0, 0] + LAM * U[0, 0] ** 2 * V[0, 0],
        "v": sum(V[k] for k in around) - V[0, 0] * U[1, 1] + sp.sin(LAM),
    }
    grid = GridProblem(equations, [U, V], (5, 7), [LAM, D], boundary=boundary)
    assert grid.blocks == {"u": (5, 7), "v": (5, 7)}
    agree(grid, written_out(grid, equations, find))


@settings(max_examples=10)
@given(
    st.integers(3, 40),
    st.sampled_from(sorted(CONDITIONS)),
    st.lists(st.tuples(st.integers(-2, 2), st.integers(-3, 3)), min_size=1, max_size=5),
    st.sampled_from(["flow", "map", "equation"]),
)
def test_random_stencils(size: int, name: str, terms: list[tuple[int, int]], kind: str) -> None:
    boundary, find = CONDITIONS[name]
    equation = U[0] * LAM + sum(weight * sp.sin(U[k]) for k, weight in terms)
    grid = GridProblem(equation, U, size, [LAM], boundary=boundary, kind=kind)
    agree(grid, written_out(grid, {"u": equation}, find))
    rebuilt = GridProblem.from_description(grid.describe())
    assert rebuilt == grid and hash(rebuilt) == hash(grid)
    assert pickle.loads(pickle.dumps(grid)) == grid
    x = np.linspace(-1, 1, size)
    assert rebuilt.evaluate(x, {"lam": 0.3}).tolist() == grid.evaluate(x, {"lam": 0.3}).tolist()


def test_coefficients_and_different_ends(rng: np.random.Generator) -> None:
    c = sp.Symbol("c")
    weights = rng.uniform(1, 2, 40)
    equation = c * (U[-1] - 2 * U[0] + U[1]) + LAM * c**2 * sp.exp(U[0])
    grid = GridProblem(
        equation, U, 40, [LAM], boundary=(2 * LAM, "neumann"), coefficients={c: weights}
    )

    def find(k: int, n: int) -> Any:
        return 2 * LAM if k < 0 else 2 * (n - 1) - k if k >= n else k

    agree(grid, written_out(grid, {"u": equation}, find, weights))
    assert GridProblem.from_description(grid.describe()) == grid
    assert not grid.symmetric


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [(0, True), ("neumann-between", True), ("periodic", True), ("neumann", False)],
)
def test_symmetry_is_shown_where_it_holds(boundary: Any, expected: bool) -> None:
    equation = U[0, 1] + U[0, -1] + U[1, 0] + U[-1, 0] - U[0, 0] ** 3 + LAM
    grid = GridProblem(equation, U, (6, 5), [LAM], boundary=boundary)
    jacobian = grid.jacobian(np.linspace(-1, 1, 30), {"lam": 1.0})
    assert np.array_equal(jacobian, jacobian.T) == expected
    assert grid.symmetric == expected
    drift = GridProblem(equation + U[0, 1], U, (6, 5), [LAM], boundary=boundary)
    assert not drift.symmetric


def test_names_are_made_when_asked_for() -> None:
    names = GridNames(["u", "v"], (2, 3))
    written = ["u[0,0]", "u[0,1]", "u[0,2]", "u[1,0]", "u[1,1]", "u[1,2]"]
    expected = [*written, *(name.replace("u", "v") for name in written)]
    assert list(names) == expected == [names[k] for k in range(12)]
    assert names == tuple(expected) and names[-1] == "v[1,2]" and names[1:3] == tuple(expected[1:3])
    assert [names.index(name) for name in expected] == list(range(12))
    assert "u[1,2]" in names and "u[2,0]" not in names and "w[0,0]" not in names
    assert names + ("lam",) == (*expected, "lam")  # noqa: RUF005 - the sum is what is tested
    with pytest.raises(ValueError, match="not among"):
        names.index("u[9,9]")
    with pytest.raises(IndexError):
        names[12]


def test_starts_branches_and_observables() -> None:
    equation = (U[-1] - 2 * U[0] + U[1]) * 50**2 + LAM * sp.exp(U[0])
    grid = GridProblem(
        equation, U, 49, [LAM], observables={"peak": lambda x, values: float(np.max(x))}
    )
    branch = cc.trace(grid, {"u": 0}, "lam", (0, 4), direction="forward", classify=False,
                      settings=cc.Settings(maximum_points=120))  # fmt: skip
    assert branch.special_points[0].parameter == pytest.approx(3.513099390884, abs=1e-12)
    assert branch["peak"] == pytest.approx(branch["u[24]"], abs=1e-9)
    assert grid.unpack(grid.point({"u": 2.0}))["u"].tolist() == [2.0] * 49


def test_a_million_points_build_without_a_matrix_of_their_square() -> None:
    size = 10**6
    grid = GridProblem((U[-1] - 2 * U[0] + U[1]) + LAM * sp.exp(U[0]), U, size, [LAM])
    system = grid.compile("lam")
    assert grid.symmetric and len(grid.unknown_names) == size
    jacobian = system.jacobian(np.append(np.zeros(size), 2.0))
    assert jacobian.nnz == 4 * size - 2
    assert jacobian.data.sum() == pytest.approx(2 - 2 * size + 4 * size - 2 + size)


@pytest.mark.parametrize(
    ("arguments", "options", "about"),
    [
        ((U[0, 1], U, 5, [LAM]), {}, "must index a field"),
        ((U[sp.Symbol("i")], U, 5, [LAM]), {}, "must index a field"),
        ((LAM, U, 5, [LAM]), {}, "does not depend on any unknown"),
        ((U[0], U, 0, []), {}, "positive whole numbers"),
        ((U[0] + U[5], U, 3, []), {"boundary": "neumann"}, "too small"),
        ((U[0], U, 5, []), {"boundary": "mirror"}, "must be a value or one of"),
        ((U[0], U, 5, []), {"boundary": ("periodic", 0)}, "periodic at one end"),
        ((U[0, 0], U, (5, 5), []), {"boundary": (0, 0, 0)}, "one entry for each"),
        ((U[0], U, 5, []), {"boundary": D}, "d"),
        ((U[0] + D, U, 5, [LAM]), {}, "d"),
        ((U[0], U, 5, []), {"kind": "potential"}, "must be"),
        ((U[0], [U, V], 5, []), {}, "one equation for each field"),
        ((U[0] * D, U, 5, []), {"coefficients": {D: np.ones(4)}}, "finite numbers of shape"),
        ((U[0], U, 5, [sp.Symbol("u")]), {}, "name twice"),
        ((U[0], U, 5, []), {"observables": {"a": U[0]}}, "functions of"),
        ((sp.Abs(U[0]), U, 5, []), {}, "PiecewiseProblem"),
    ],
)
def test_misuse_is_refused(arguments: Any, options: dict[str, Any], about: str) -> None:
    with pytest.raises(SpecificationError, match=about):
        GridProblem(*arguments, **options)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "problem"},
        {"shape": None},
        {"surprise": 1},
        {"residual": {"u": "__import__('os')"}},
        {"neighbours": {"at_0": 3}},
    ],
)
def test_malformed_descriptions_are_refused(change: dict[str, Any]) -> None:
    description = GridProblem(U[0] + LAM, U, 5, [LAM]).describe()
    with pytest.raises(SpecificationError):
        GridProblem.from_description({**description, **change})
