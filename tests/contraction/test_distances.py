"""Distances in metrics and around slits, and what trajectories do to them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.distances import Slit, distance, distance_along, path_distance
from contcrit.contraction.flows import flow
from contcrit.errors import SpecificationError

X, Y, P = sp.symbols("x y p")
SEEDS = st.integers(0, 2**32 - 1)


def length(path: np.ndarray, metric: np.ndarray | None = None) -> float:
    steps = np.diff(path, axis=0)
    metric = np.eye(path.shape[1]) if metric is None else metric
    return float(np.sum(np.sqrt(np.einsum("ki,ij,kj->k", steps, metric, steps))))


def random_slits(generator: np.random.Generator, count: int, n: int) -> list[Slit]:
    return [
        Slit(generator.normal(size=n), generator.normal(size=n), *generator.normal(size=2))
        for _ in range(count)
    ]


@given(seed=SEEDS)
def test_metric_distance(seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(2, 5, 3))
    factor = generator.normal(size=(3, 3)) + 2 * np.eye(3)
    metric = factor.T @ factor
    expected = [np.sqrt((p - q) @ metric @ (p - q)) for p, q in zip(a, b, strict=True)]
    assert np.allclose(distance(a, b, metric), expected)
    assert np.allclose(distance(a, b), np.linalg.norm(a - b, axis=1))


def test_around_the_end_of_a_half_line() -> None:
    slit = Slit([1, 0], [0, 1])  # x = 0, y < 0
    across = path_distance([-1, -1], [2, -1], [slit])
    assert abs(across.value - np.sqrt(2) - np.sqrt(5)) < 1e-12 and across.exact
    assert np.allclose(across.path, [[-1, -1], [0, 0], [2, -1]])
    above = path_distance([-1, 1], [2, -0.4], [slit])  # passes above the end
    assert abs(above.value - np.hypot(3, 1.4)) < 1e-12 and len(above.path) == 2
    same_side = path_distance([1, -1], [2, -5], [slit])
    assert same_side.value == same_side.lower


def test_over_an_edge_in_space() -> None:
    # The half-plane x = 0, y < 0 in space: its edge is the z axis.
    slit = Slit([1, 0, 0], [0, 1, 0])
    found = path_distance([-1, -1, 0], [2, -1, 3], [slit])
    assert abs(found.value - np.hypot(np.sqrt(2) + np.sqrt(5), 3)) < 1e-12 and found.exact
    heights = np.linspace(-5, 8, 20001)
    edge = np.column_stack([0 * heights, 0 * heights, heights])
    brute = np.min(
        np.linalg.norm(edge - [-1, -1, 0], axis=1) + np.linalg.norm(edge - [2, -1, 3], axis=1)
    )
    assert found.value <= brute <= found.value + 1e-6


def test_two_slits_make_a_corridor() -> None:
    # x = 0 below 1 and x = 1 above -1: a path must go over the first and under the second.
    slits = [Slit([1, 0], [0, 1], 0, 1), Slit([1, 0], [0, -1], 1, 1)]
    found = path_distance([-1, -1], [2, 1], slits)
    expected = np.hypot(1, 2) + np.hypot(1, 2) + np.hypot(1, 2)
    assert found.exact and abs(found.value - expected) < 1e-12


def test_slits_that_cross_can_close_a_region() -> None:
    # y = 1 left of x = 2; x = 1 below y = 2; y = -1 right of x = -2; x = -1 above y = -2.
    closed = [
        Slit([0, 1], [1, 0], 1, 2),
        Slit([1, 0], [0, 1], 1, 2),
        Slit([0, 1], [-1, 0], -1, 2),
        Slit([1, 0], [0, -1], -1, 2),
    ]
    assert path_distance([0, 0], [5, 0], closed).value == np.inf
    assert path_distance([0, 0], [0.5, 0.5], closed).value == np.hypot(0.5, 0.5)


@given(seed=SEEDS, weighted=st.booleans(), count=st.integers(1, 4))
def test_paths_are_paths(seed: int, weighted: bool, count: int) -> None:
    generator = np.random.default_rng(seed)
    slits = random_slits(generator, count, 2)
    metric = np.array([[2.0, 0.7], [0.7, 1.0]]) if weighted else None
    a, b, c = generator.normal(size=(3, 2)) * 2
    found = path_distance(a, b, slits, metric)
    assert found.value >= found.lower - 1e-12
    assert abs(found.lower - distance(a, b, metric)) < 1e-12
    back = path_distance(b, a, slits, metric)
    assert back.value == pytest.approx(found.value, rel=1e-12)
    if np.isfinite(found.value):
        assert length(found.path, metric) == pytest.approx(found.value, rel=1e-9)
        assert np.allclose(found.path[[0, -1]], [a, b])
        inner = np.array([p + t * (q - p) for p, q in itertools.pairwise(found.path)
                          for t in (1e-6, 0.5, 1 - 1e-6)])  # fmt: skip
        for p, q in itertools.pairwise(inner):
            if np.linalg.norm(q - p) > 1e-3:
                assert not any(slit.crosses(p, q) for slit in slits)
    detour = path_distance(a, c, slits, metric).value + path_distance(c, b, slits, metric).value
    assert found.value <= detour + 1e-9


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_no_shorter_path_on_a_grid(seed: int) -> None:
    # Dijkstra on the corners of a random visibility set never beats the exact answer.
    generator = np.random.default_rng(seed)
    slits = random_slits(generator, 3, 2)
    points = np.vstack([generator.normal(size=(2, 2)) * 2, generator.normal(size=(60, 2)) * 3])
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    for i in range(len(points)):
        for j in range(i):
            if any(slit.crosses(points[i], points[j]) for slit in slits):
                gaps[i, j] = gaps[j, i] = np.inf
    for k in range(len(points)):
        gaps = np.minimum(gaps, gaps[:, k : k + 1] + gaps[k : k + 1])
    assert path_distance(points[0], points[1], slits).value <= gaps[0, 1] + 1e-9


@given(seed=SEEDS)
def test_several_slits_in_space_are_an_upper_bound(seed: int) -> None:
    generator = np.random.default_rng(seed)
    slits = random_slits(generator, 3, 3)
    a, b = generator.normal(size=(2, 3))
    found = path_distance(a, b, slits)
    crossed = [slit for slit in slits if slit.crosses(a, b)]
    assert found.exact == (not crossed)
    least = max([path_distance(a, b, [slit]).value for slit in slits])
    assert found.value >= least - 1e-9


# ---- trajectories -------------------------------------------------------------------------


def test_distances_of_a_linear_flow() -> None:
    problem = cc.Problem([-X + 4 * Y, -Y], [X, Y])
    pair = [flow(problem, start, {}, 4.0) for start in ([0, 1], [0, 0])]
    plain = distance_along(*pair)
    t = plain.t
    assert np.allclose(plain.euclidean, np.exp(-t) * np.sqrt(1 + 16 * t**2), rtol=1e-8)
    assert plain.growth > 1.5
    weighted = distance_along(*pair, metric=np.diag([1.0, 64.0]))
    assert weighted.growth == 1.0
    assert np.max(weighted.rates()) <= -0.75 + 1e-8


@pytest.fixture(scope="module")
def pair() -> cc.PiecewiseProblem:
    return cc.PiecewiseProblem.from_potential((cc.maximum(X, Y) - P) ** 2 / 2, [X, Y], [P])


def test_switching_pair_contracts_around_its_slit_only(pair: cc.PiecewiseProblem) -> None:
    # Starts on both sides of the repelling kink: from 2 sqrt(2) e apart to sqrt(2), while the path
    # around (1, 1) becomes shorter.
    gap = 1e-3
    starts = [[gap, -gap], [-gap, gap]]
    runs = [flow(pair, start, {"p": 1.0}, 25.0) for start in starts]
    slit = Slit([1, -1], [1, 1], limit=2.0)
    table = distance_along(*runs, slits=[slit])
    assert abs(table.euclidean[0] - 2 * np.sqrt(2) * gap) < 1e-12
    assert abs(table.euclidean[-1] - np.sqrt(2) * (1 + gap)) < 1e-9
    assert table.exact and table.growth <= 1 + 1e-9 and table.euclidean_growth > 400
    assert abs(table.path[0] - 2 * np.hypot(1 - gap, 1 + gap)) < 1e-9
    assert abs(table.path[-1] - 2 * (1 + gap)) < 1e-9


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_switching_pair_never_expands_paths(pair: cc.PiecewiseProblem, seed: int) -> None:
    generator = np.random.default_rng(seed)
    starts = generator.uniform(-1, 3, (2, 2))
    runs = [flow(pair, start, {"p": 1.0}, 6.0) for start in starts]
    table = distance_along(*runs, slits=[Slit([1, -1], [1, 1], limit=2.0)])
    assert table.growth <= 1 + 1e-8


def test_misuse_is_refused() -> None:
    with pytest.raises(SpecificationError, match="bound"):
        Slit([1, 0], [2, 0])
    with pytest.raises(SpecificationError, match="normal"):
        Slit([1, 0], [1, 0, 0])
    with pytest.raises(SpecificationError, match="slits"):
        path_distance([0, 0, 0], [1, 1, 1], [Slit([1, 0], [0, 1])])
    with pytest.raises(SpecificationError, match="times"):
        distance_along(np.cos, np.sin)
