"""Bounds over boxes: they hold at every point, and agree with closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.bounds import enclosed_norm, rate_bound
from contcrit.contraction.norms import logarithmic_norm
from contcrit.contraction.rates import contraction_rate
from contcrit.errors import SpecificationError, Status

X, Y, P = sp.symbols("x y p")
SEEDS = st.integers(0, 2**32 - 1)
NORMS = st.sampled_from([1, 2, np.inf])


def test_corners_of_an_affine_jacobian() -> None:
    # The Jacobian is [[-1 - y, -x], [x/2, -2]]: convex, so that its maximum is at a corner.
    problem = cc.Problem([-X - X * Y, -2 * Y + X**2 / 4], [X, Y])
    found = rate_bound(problem, (-1, 1))
    expected = max(logarithmic_norm([[-1 - y, -x], [x / 2, -2]]) for x in (-1, 1) for y in (-1, 1))
    assert found.method == "vertices" and found.rigorous and found.boxes == 4
    assert found.lower == expected and 0 <= found.upper - expected < 1e-12
    assert found.contracting is False


def test_constant_jacobian() -> None:
    found = rate_bound(cc.Problem.from_potential(X**2 + P * Y**2, [X, Y], [P]), (-9, 9), {"p": 2})
    assert found.lower == -2.0 and found.boxes == 1 and found.contracting is True


def test_interval_bound_of_a_cubic() -> None:
    # -3 x^2 + 1 over [1, 2]: the rate is -2 at x = 1.
    found = rate_bound(cc.Problem([X - X**3], [X]), (1, 2))
    assert found.method == "interval" and found.rigorous and found.status is Status.CONVERGED
    assert -2 <= found.upper <= -2 + 3.1e-3 and found.contracting is True


def test_the_same_by_vertices_and_intervals() -> None:
    problem = cc.Problem([-X - X * Y, -2 * Y + X**2 / 4], [X, Y])
    exact = rate_bound(problem, (-1, 1)).upper
    found = rate_bound(problem, (-1, 1), method="interval")
    assert exact - 1e-12 <= found.upper <= exact + 2e-3 and found.lower <= exact


def test_unknown_functions_are_sampled_and_say_so() -> None:
    problem = cc.Problem([-X + sp.besselj(0, Y), -Y], [X, Y])
    found = rate_bound(problem, (-1, 1), budget=64)
    assert found.method == "sampling" and not found.rigorous and found.upper == np.inf
    assert found.contracting is None and "besselj" in found.reason and found.boxes == 64
    with pytest.raises(SpecificationError, match="method"):
        rate_bound(problem, (-1, 1), method="interval")


def test_a_spent_budget_is_told() -> None:
    problem = cc.Problem([sp.sin(5 * X) * X * Y, sp.cos(X * Y)], [X, Y])
    found = rate_bound(problem, (-2, 2), budget=10)
    assert found.status is Status.BUDGET_SPENT and found.rigorous
    assert found.lower < found.upper < np.inf


def test_piecewise_cost_above_and_below_its_target() -> None:
    cost = (cc.maximum(X, Y) - P) ** 2 / 2 + (X**2 + Y**2) / 10
    problem = cc.PiecewiseProblem.from_potential(cost, [X, Y], [P])
    above = rate_bound(problem, [[1.2, 3], [1.2, 3]], {"p": 1.0})
    assert above.rigorous and above.contracting is True
    assert abs(above.upper + 0.2) < 1e-9 and abs(above.lower + 0.2) < 1e-9
    # Below the target the kink repels: no rate in the box is finite.
    below = rate_bound(problem, [[0, 3], [0, 3]], {"p": 1.0})
    assert below.upper == np.inf and below.contracting is not True and below.reason
    apart = rate_bound(problem, [[0, 0.3], [0.5, 0.9]], {"p": 1.0})
    assert apart.contracting is True and apart.boxes == 1


def test_continuous_kinks_are_harmless_in_every_norm() -> None:
    # x' = -2 x + relu(x - y): slopes -2 and -1.
    problem = cc.PiecewiseProblem([-2 * X + cc.relu(X - Y), -3 * Y], [X, Y])
    for norm, expected in ((1, -1.0), (np.inf, 0.0)):
        found = rate_bound(problem, (-1, 1), norm=norm)
        assert found.rigorous and abs(found.upper - expected) < 1e-9
    # In a box on one side the other piece does not count.
    assert abs(rate_bound(problem, [[-1, 0], [1, 2]], norm=1).upper + 2.0) < 1e-9


def test_friction_is_contracting_in_its_energy_metric_only() -> None:
    problem = cc.PiecewiseProblem([Y, -4 * X - Y / 2 - cc.sign(Y)], [X, Y])
    energy = rate_bound(problem, (-1, 1), metric=np.diag([4.0, 1.0]))
    assert energy.rigorous and abs(energy.upper) < 1e-9
    skew = rate_bound(problem, (-1, 1), metric=[[4.0, 0.1], [0.1, 1.0]], budget=50)
    assert skew.upper == np.inf and "not known" in skew.reason


def test_curved_surfaces_are_not_claimed() -> None:
    problem = cc.PiecewiseProblem([-X - cc.sign(X**3 + X + Y**3 * X), -Y], [X, Y])
    found = rate_bound(problem, (-0.5, 0.5), budget=40)
    assert found.upper == np.inf


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, norm=NORMS, weighted=st.booleans())
def test_bound_holds_at_random_points(seed: int, norm: float, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    a, b, c = (sp.Float(v) for v in generator.uniform(-2, 2, 3).round(2))
    problem = cc.Problem(
        [-X + a * sp.tanh(X * Y) + sp.exp(-(X**2)), b * sp.sin(X) - Y**3 + c * X / (1 + Y**2)],
        [X, Y],
    )
    metric = None
    if weighted:
        metric = [[2.0, 0.5], [0.5, 1.0]] if norm == 2 else [1.0, 3.0]
    centre, width = generator.uniform(-1, 1, 2), generator.uniform(0, 1, 2)
    box = np.column_stack([centre - width, centre + width])
    found = rate_bound(problem, box, norm=norm, metric=metric, budget=12)
    assert found.rigorous
    for point in generator.uniform(box[:, 0], box[:, 1], (20, 2)):
        rate = contraction_rate(problem, point, norm=norm, metric=metric).value
        assert rate <= found.upper
    assert found.lower <= found.upper


@given(seed=SEEDS, norm=NORMS, n=st.integers(1, 8), weighted=st.booleans())
def test_enclosed_matrices(seed: int, norm: float, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    low = generator.normal(size=(n, n))
    high = low + generator.uniform(0, 1, (n, n)) * generator.choice([0.0, 1e-8, 1.0])
    metric = None
    if weighted:
        factor = generator.normal(size=(n, n)) + 3 * np.eye(n)
        metric = factor.T @ factor if norm == 2 else generator.uniform(0.1, 9, n)
    bound = enclosed_norm(low, high, norm, metric)
    inside = low + (high - low) * generator.uniform(size=(30, n, n))
    corners = np.where(generator.uniform(size=(30, n, n)) < 0.5, low, high)
    found = logarithmic_norm(np.concatenate([inside, corners]), norm, metric)
    assert np.max(found) <= bound


@given(seed=SEEDS)
def test_extreme_matrices_are_exact_without_a_metric(seed: int) -> None:
    # Of a symmetric interval matrix some vertex attains the bound.
    generator = np.random.default_rng(seed)
    low = generator.normal(size=(3, 3))
    low = low + low.T
    width = generator.uniform(0, 1, (3, 3))
    width = width + width.T
    best = -np.inf
    for bits in range(64):
        chosen = np.zeros((3, 3))
        for place, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
            chosen[i, j] = chosen[j, i] = bits >> place & 1
        best = max(best, logarithmic_norm(low + chosen * width))
    bound = enclosed_norm(low, low + width)
    gershgorin_or_rohn = bound - best
    assert -1e-12 <= gershgorin_or_rohn <= 1e-9


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"box": [1, -1]}, "box"),
        ({"box": [[0, 1]] * 3}, "box"),
        ({"box": [0, np.inf]}, "box"),
        ({"method": "magic"}, "method"),
        ({"norm": 3}, "norm"),
        ({"budget": 0}, "budget"),
        ({"metric": -np.eye(2)}, "metric"),
    ],
)
def test_misuse_is_refused(arguments: dict[str, object], name: str) -> None:
    problem = cc.Problem([-X, -Y], [X, Y])
    with pytest.raises(SpecificationError) as caught:
        rate_bound(problem, **{"box": (-1, 1), **arguments})  # type: ignore[arg-type]
    assert caught.value.argument == name


def test_matrix_problems_are_sampled() -> None:
    # -C - C^3 near multiples of the identity: the rate at C = 0 is -1, the largest.
    C, p = sp.MatrixSymbol("C", 2, 2), sp.Symbol("p")
    problem = cc.MatrixProblem(-p * C - C * C.T * C, C, [p], kind="flow")
    found = rate_bound(problem, (-0.5, 0.5), {"p": 1.0}, budget=64)
    assert found.method == "sampling" and -1.2 < found.lower <= -1.0 and found.upper == np.inf
