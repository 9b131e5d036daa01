"""Complete lists of solutions, where closed forms or independent solvers give them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.linalg import expm

import contcrit.engine.search as module
from contcrit.engine.search import search
from contcrit.errors import SpecificationError, Status
from contcrit.settings import Settings

ROTATION = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])


class Plain:
    """A system of closed forms; derivatives by complex steps."""

    parameter = "p"
    kind = "equation"
    symmetric = False
    sparse = False

    def __init__(
        self, equations: Callable, size: int, generators: np.ndarray | None = None
    ) -> None:
        self.equations = equations
        self.size = size
        self.names = tuple(f"x[{k}]" for k in range(size))
        self.generators = generators

    def residual(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self.equations(z[:-1], z[-1]))

    def jacobian(self, z: np.ndarray) -> Any:
        columns = []
        for direction in np.eye(self.size + 1):
            moved = z + 1e-30j * direction
            columns.append(np.imag(self.equations(moved[:-1], moved[-1])) / 1e-30)
        matrix = np.array(columns).T
        return sparse.csc_array(matrix) if self.sparse else matrix

    def second(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        step = 1e-6 * direction
        return (self.jacobian(z + step) - self.jacobian(z - step)) / 2e-6


def winged_cusp(x, lam):
    return np.array([x[0] ** 3 - 2 * lam * x[0] + lam**2 - 2 * lam + 1])


def himmelblau(x, p):
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * x[0] * a + 2 * b, 2 * a + 4 * x[1] * b])


def pitchforks(x, lam):
    return -x + lam * x - x**3


def brown(x, p):
    """Brown's almost linear function: all but one unknown are equal at its solutions."""
    n = len(x)
    return np.array([*(x[:-1] + np.sum(x) - (n + 1)), np.prod(x) - 1])


def mexican_hat(x, p):
    return 4 * x * (np.sum(x * x) - 1)


def exponential(matrix):
    """exp of a 2 x 2 matrix by its closed form, which complex steps go through."""
    half = (matrix[0, 0] + matrix[1, 1]) / 2
    traceless = matrix - half * np.eye(2)
    root = np.sqrt(1e-300 + traceless[0, 0] ** 2 + traceless[0, 1] * traceless[1, 0] + 0j)
    quotient = np.sinh(root) / root if abs(root) > 1e-8 else 1.0
    result = np.exp(half) * (np.cosh(root) * np.eye(2) + quotient * traceless)
    return result if np.iscomplexobj(matrix) else result.real


def characteristic(x, lam):
    """lam C = F^T (R - F) with F = exp(C - C^T) exp(C^T) and R a quarter turn."""
    c = x.reshape(2, 2)
    flow = exponential(c - c.T) @ exponential(c.T)
    return (lam * c - flow.T @ (np.array([[0.0, -1.0], [1.0, 0.0]]) - flow)).ravel()


def cost(x, lam):
    c = x.reshape(2, 2)
    flow = expm(c - c.T) @ expm(c.T)
    gap = flow - np.array([[0.0, -1.0], [1.0, 0.0]])
    return lam / 2 * np.sum(c * c) + np.sum(gap * gap) / 2


QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
CONJUGATION = np.hstack(
    [np.kron(QUARTER, np.eye(2)) - np.kron(np.eye(2), QUARTER.T), np.zeros((4, 1))]
)[None]


def assert_solutions(result: Any, equations: Callable, expected: np.ndarray) -> None:
    """Compare as sets, and check each residual anew."""
    assert len(result) == len(expected)
    for x in result:
        assert np.max(np.abs(equations(x, result.parameter_value))) < 1e-9
        assert np.min(np.linalg.norm(expected - x, axis=1)) < 1e-8
    for x in expected:
        assert np.min(np.linalg.norm(result.points - x, axis=1)) < 1e-8


# Complete lists


@pytest.mark.parametrize("lam", [0.6, 1.0, 3.0])
def test_winged_cusp(lam: float) -> None:
    roots = np.roots([1, 0, -2 * lam, lam**2 - 2 * lam + 1])
    real = roots[np.abs(roots.imag) < 1e-9].real[:, None]
    result = search(Plain(winged_cusp, 1), (-5, 5), lam, starts=32)
    assert_solutions(result, winged_cusp, real)
    assert result.believed_complete
    assert result.report["degree"] == result.report["degree_sum"] == 1


def test_himmelblau_has_nine_critical_points() -> None:
    result = search(Plain(himmelblau, 2), (-6, 6), 0.0, starts=64)
    assert len(result) == 9
    assert result.status is Status.CONVERGED
    assert result.believed_complete, result.why
    assert np.max(result.residuals) < 1e-11
    minima = [[3, 2], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848126]]
    for minimum in minima:
        assert np.min(np.linalg.norm(result.points - minimum, axis=1)) < 2e-6


def test_brown() -> None:
    """With a the common value: n a^n - (n + 1) a^(n - 1) + 1 = 0, and the last is a^(1 - n)."""
    n = 5
    roots = np.roots([n, -(n + 1), *[0] * (n - 2), 1])
    common = roots[np.abs(roots.imag) < 1e-9].real
    expected = np.array([[*[a] * (n - 1), a ** (1 - n)] for a in common])
    expected = expected[np.max(np.abs(expected), axis=1) < 10]
    result = search(Plain(brown, n), (-10, 10), 0.0, starts=64)
    assert len(expected) == 3
    assert_solutions(result, brown, expected)


def test_pitchforks_in_three_unknowns() -> None:
    values = np.array([-1, 0, 1]) * np.sqrt(2)
    expected = np.array(np.meshgrid(values, values, values)).reshape(3, -1).T
    result = search(Plain(pitchforks, 3), (-4, 4), 3.0, starts=32)
    assert_solutions(result, pitchforks, expected)


def test_discrete_symmetries_merge_copies() -> None:
    """Sign changes and permutations leave four of the 27."""
    flip = np.diag([-1.0, 1.0, 1.0])
    swap = np.eye(3)[[1, 0, 2]]
    cycle = np.eye(3)[[1, 2, 0]]
    result = search(Plain(pitchforks, 3), (-4, 4), 3.0, starts=32, symmetries=[flip, swap, cycle])
    assert sorted(result.copies.tolist()) == [1, 6, 8, 12]


def test_linear_network_has_five_orbits() -> None:
    """Two solutions fixed by the quarter turn's symmetry are normal, the rest come in circles."""
    system = Plain(characteristic, 4, CONJUGATION)
    result = search(system, (-8, 8), 0.1, starts=32)
    costs = sorted(cost(x, 0.1) for x in result)
    expected = [0.224177406814, 1.892605979582, 2.005734692466, 2.194211507716, 2.220107301286]
    assert costs == pytest.approx(expected, abs=1e-9)
    normal = [abs(x[0] - x[3]) + abs(x[1] + x[2]) < 1e-8 for x in result]
    assert [dimension == 0 for dimension in result.orbit_dimensions] == normal
    assert sum(normal) == 3
    assert np.max(result.residuals) < 1e-11


@given(
    roots=st.lists(st.integers(-8, 8), min_size=1, max_size=5, unique=True),
    shift=st.floats(-0.3, 0.3),
)
@settings(max_examples=5)
def test_real_roots_of_products(roots: list[int], shift: float) -> None:
    expected = np.array(roots, dtype=float)[:, None] / 2 + shift

    def product(x, p):
        return np.array([np.prod(x[0] - expected[:, 0])])

    result = search(Plain(product, 1), (-5, 5), 0.0, starts=32)
    assert_solutions(result, product, expected)
    assert result.report["degree_sum"] == result.report["degree"]


def test_sparse_systems() -> None:
    system = Plain(pitchforks, 2)
    system.sparse = True
    assert len(search(system, (-4, 4), 3.0, starts=16)) == 9


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_solution_among_many_is_found_or_the_list_is_doubted(seed: int) -> None:
    """Few starts, and an origin surrounded by 26 solutions: no false claim."""
    result = search(Plain(pitchforks, 3), (-4, 4), 3.0, starts=8, settings=Settings(seed=seed))
    assert len(result) == 27 or not result.believed_complete


# What must not be claimed


def test_solutions_outside_the_box_are_left_out() -> None:
    result = search(Plain(winged_cusp, 1), (-1.3, 5), 1.0, starts=32)
    assert_solutions(result, winged_cusp, np.array([[0.0], [np.sqrt(2)]]))
    assert result.report["outside_box"] == 1


def test_no_solution_is_not_proof_of_none() -> None:
    result = search(Plain(lambda x, p: x**2 + 1, 1), (-3, 3), 0.0, starts=16)
    assert len(result) == 0 and result.points.shape == (0, 1)
    assert result.status is Status.NOTHING_FOUND
    assert not result.believed_complete


def test_a_vanishing_tail_is_not_a_solution() -> None:
    result = search(Plain(lambda x, p: np.exp(-4 * x), 1), (0, 20), 0.0, starts=16)
    assert len(result) == 0


def test_a_double_root_is_one_singular_solution() -> None:
    result = search(Plain(lambda x, p: (x - 0.3) ** 2 * (x + 2), 1), (-4, 4), 0.0, starts=32)
    assert len(result) == 2
    assert result.report["singular"] == 1
    assert result.regularity.min() < 1e-6 < 0.1 < result.regularity.max()
    assert not result.believed_complete
    assert "singular" in result.why


def test_an_undeclared_continuum_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SOLUTIONS", 12)
    result = search(Plain(mexican_hat, 2), (-2, 2), 0.0, starts=16)
    assert result.status is Status.BUDGET_SPENT
    assert not result.believed_complete
    assert result.report["singular"] >= 2


def test_a_declared_continuum_is_one_solution() -> None:
    result = search(Plain(mexican_hat, 2, ROTATION), (-2, 2), 0.0, starts=16)
    assert len(result) == 2
    by_dimension = dict(zip(result.orbit_dimensions.tolist(), result.points, strict=True))
    assert np.linalg.norm(by_dimension[0]) < 1e-9
    assert np.linalg.norm(by_dimension[1]) == pytest.approx(1.0, abs=1e-12)
    assert result.report["singular"] == 0
    assert result.believed_complete, result.why


def test_an_orbit_is_represented_inside_the_box() -> None:
    """The circle of radius 1 meets this box in an arc only."""
    box = [(-0.2, 0.2), (0.5, 1.5)]
    result = search(Plain(mexican_hat, 2, ROTATION), box, 0.0, starts=16)
    assert len(result) == 1
    assert abs(result[0][0]) <= 0.2 and result[0][1] == pytest.approx(1.0, abs=0.03)


def test_values_that_are_not_finite() -> None:
    with np.errstate(invalid="ignore"):
        result = search(Plain(lambda x, p: np.log(x - 10), 1), (0, 1), 0.0, starts=8)
    assert result.status is Status.NOT_FINITE
    assert len(result) == 0 and not result.believed_complete


def test_given_starts_claim_nothing() -> None:
    """A start on a known solution is pushed off it, and finds another."""
    result = search(Plain(pitchforks, 1), (-3, 3), 2.0, starts=[[0.0]])
    assert len(result) >= 2
    assert np.max(np.abs(result.points - np.round(result.points))) < 1e-9
    assert not result.believed_complete
    assert "given" in result.why


# The same result again


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        yield pool


def test_executors_change_nothing(processes: Executor) -> None:
    system = Plain(himmelblau, 2)
    serial = search(system, (-6, 6), 0.0, starts=32)
    again = search(system, (-6, 6), 0.0, starts=32)
    with ThreadPoolExecutor(2) as threads:
        threaded = search(system, (-6, 6), 0.0, starts=32, executor=threads)
    distributed = search(system, (-6, 6), 0.0, starts=32, executor=processes)
    for other in (again, threaded, distributed):
        assert np.array_equal(serial.points, other.points)
        assert np.array_equal(serial.hits, other.hits)
        assert serial.report == other.report


def test_gauge_orbits_survive_processes(processes: Executor) -> None:
    system = Plain(mexican_hat, 2, ROTATION)
    serial = search(system, (-2, 2), 0.0, starts=16)
    distributed = search(system, (-2, 2), 0.0, starts=16, executor=processes)
    assert np.array_equal(serial.points, distributed.points)


def test_the_seed_moves_the_starts() -> None:
    results = [
        search(Plain(himmelblau, 2), (-6, 6), 0.0, starts=32, settings=Settings(seed=seed))
        for seed in (1, 2)
    ]
    assert not np.array_equal(results[0].hits, results[1].hits)
    order = [np.lexsort(result.points.T.round(6)) for result in results]
    assert results[0].points[order[0]] == pytest.approx(results[1].points[order[1]], abs=1e-9)
    assert results[0].report["seed"] == 1


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"box": (2, -2)}, "box"),
        ({"box": [(0, 1)] * 3}, "box"),
        ({"box": (0, np.inf)}, "box"),
        ({"parameter_value": np.nan}, "parameter_value"),
        ({"starts": 0}, "starts"),
        ({"starts": [[1.0, 2.0, 3.0]]}, "starts"),
        ({"generators": np.zeros((1, 3, 4))}, "generators"),
        ({"symmetries": [np.eye(3)]}, "symmetries"),
        ({"symmetries": [np.diag([2.0, 1.0])]}, "symmetries"),
    ],
)
def test_misuse_is_named(changes: dict[str, Any], argument: str) -> None:
    arguments: dict[str, Any] = {"box": (-1, 1), "parameter_value": 0.0, **changes}
    with pytest.raises(SpecificationError) as caught:
        search(
            Plain(himmelblau, 2),
            arguments.pop("box"),
            arguments.pop("parameter_value"),
            **arguments,
        )
    assert caught.value.argument == argument
