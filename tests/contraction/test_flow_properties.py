"""Properties of Filippov's solutions, on random problems."""

from __future__ import annotations

import numpy as np
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import contcrit as cc
from contcrit.contraction.flows import flow
from contcrit.contraction.trajectory import Trajectory
from contcrit.errors import Status

X, Y = sp.symbols("x y")
HALF = sp.Rational(1, 2)

LINES = 3
A = sp.symbols(f"a0:{LINES}")
B = sp.symbols(f"b0:{LINES}")


def max_affine(data: list[tuple[float, float]], one_sided: bool) -> cc.PiecewiseProblem:
    cost = sp.Integer(0)
    for place, target in data:
        model = cc.maximum(*[a * sp.Float(place) + b for a, b in zip(A, B, strict=True)])
        error = model - sp.Float(target)
        cost += HALF * (cc.relu(error) if one_sided else error) ** 2
    return cc.PiecewiseProblem.from_potential(cost, [*A, *B])


def values_along(problem: cc.PiecewiseProblem, found: Trajectory) -> np.ndarray:
    times = np.linspace(0.0, found.duration, 40)
    return np.array([problem.potential(point, {}) for point in found(times)])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**20), merged=st.booleans())
def test_cost_never_rises_along_filippov_solutions(seed: int, merged: bool) -> None:
    generator = np.random.default_rng(seed)
    data = [tuple(row) for row in generator.normal(size=(3, 2))]
    problem = max_affine(data, one_sided=False)
    start = generator.normal(size=2 * LINES)
    if merged:
        start[1], start[LINES + 1] = start[0], start[LINES]
    found = flow(problem, start, {}, 4.0, rtol=1e-8, atol=1e-10)
    cost = values_along(problem, found)
    assert np.all(np.diff(cost) <= 1e-9 * (1 + cost[0]))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**20), tied=st.booleans())
def test_flows_of_convex_costs_do_not_expand(seed: int, tied: bool) -> None:
    generator = np.random.default_rng(seed)
    data = [tuple(row) for row in generator.normal(size=(2, 2))]
    problem = max_affine(data, one_sided=True)
    starts = generator.normal(size=(2, 2 * LINES))
    if tied:
        starts[0, 1], starts[0, LINES + 1] = starts[0, 0], starts[0, LINES]
    pair = [flow(problem, start, {}, 3.0, rtol=1e-8, atol=1e-10) for start in starts]
    assume(all(one.status is Status.END_OF_TIME for one in pair))
    times = np.linspace(0, 3, 30)
    gaps = np.linalg.norm(pair[0](times) - pair[1](times), axis=1)
    assert np.all(np.diff(gaps) <= 1e-7 * (1 + gaps[0]))


@settings(max_examples=12, deadline=None)
@given(
    slopes=st.lists(st.floats(0.1, 3.0), min_size=2, max_size=2),
    start=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    angle=st.floats(0, 3),
)
def test_weighted_moduli_relax_one_by_one(
    slopes: list[float], start: tuple[float, float], angle: float
) -> None:
    # c1 |u| + c2 |v| in rotated coordinates: each falls at its own speed, and stays at zero.
    cosine, sine = np.cos(angle), np.sin(angle)
    u = sp.Float(cosine) * X + sp.Float(sine) * Y
    v = sp.Float(-sine) * X + sp.Float(cosine) * Y
    cost = sp.Float(slopes[0]) * cc.absolute(u) + sp.Float(slopes[1]) * cc.absolute(v)
    problem = cc.PiecewiseProblem.from_potential(cost, [X, Y])
    rotation = np.array([[cosine, sine], [-sine, cosine]])
    begun = rotation @ np.array(start)
    found = flow(problem, start, {}, 1.0)
    assert found.status is Status.END_OF_TIME
    expected = np.sign(begun) * np.maximum(np.abs(begun) - np.array(slopes), 0.0)
    assert np.max(np.abs(rotation @ found.end - expected)) < 1e-9


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**20), gradient=st.booleans())
def test_limit_of_steep_smooth_flows(seed: int, gradient: bool) -> None:
    # Each sign(g) replaced by tanh(g / e): where solutions are unique these tend to Filippov's.
    generator = np.random.default_rng(seed)
    n, m = 2, int(generator.integers(1, 4))
    unknowns = sp.symbols(f"x0:{n}")
    rows = generator.normal(size=(m, n)).round(2)
    offsets = generator.normal(size=m).round(2)
    jumps = -rows.T * generator.normal(size=m) if gradient else generator.normal(size=(n, m))
    jumps = jumps.round(2)
    linear = (generator.normal(size=(n, n)) - 2 * np.eye(n)).round(2)
    kinks = [
        sum(sp.Float(v) * x for v, x in zip(row, unknowns, strict=True)) + sp.Float(b)
        for row, b in zip(rows, offsets, strict=True)
    ]
    field = [
        sum(sp.Float(linear[i, j]) * unknowns[j] for j in range(n))
        + sum(sp.Float(jumps[i, k]) * cc.sign(kinks[k]) for k in range(m))
        for i in range(n)
    ]
    start = generator.normal(size=n)
    found = flow(cc.PiecewiseProblem(field, unknowns), start, {}, 1.5)
    assume(found.status is Status.END_OF_TIME)

    def steep(_: float, x: np.ndarray) -> np.ndarray:
        return linear @ x + jumps @ np.tanh((rows @ x + offsets) / 1e-5)

    smooth = solve_ivp(steep, (0, 1.5), start, method="LSODA", rtol=1e-8, atol=1e-9)
    assert np.max(np.abs(smooth.y[:, -1] - found.end)) < 1e-3


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_cost_of_a_hinge_network_never_rises(seed: int) -> None:
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(5, 2))
    problem = cc.models.get("relu-hinge").build(X=inputs, y=np.sign(inputs[:, 0]), hidden=2)
    values = {"alpha": 0.1}
    found = flow(problem, generator.normal(size=problem.size), values, 2.0, rtol=1e-8, atol=1e-10)
    times = np.linspace(0, found.duration, 40)
    cost = np.array([problem.potential(point, values) for point in found(times)])
    assert np.all(np.diff(cost) <= 1e-9 * (1 + cost[0]))
