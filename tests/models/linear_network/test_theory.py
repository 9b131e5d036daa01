from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.legendre import leggauss
from scipy.linalg import expm, logm

from contcrit.errors import SpecificationError
from contcrit.models.linear_network.theory import LinearNetwork, normality_defect

SEEDS = st.integers(0, 10_000)
SIZES = st.integers(1, 3)


def complex_step(function, C, shape=None):
    columns = []
    for k in range(C.size):
        step = np.zeros(C.size, complex)
        step[k] = 1e-30j
        columns.append(np.imag(function(C + step.reshape(C.shape))).ravel() / 1e-30)
    return np.array(columns).T


def central(function, C, h=1e-5):
    columns = []
    for k in range(C.size):
        step = np.zeros(C.size)
        step[k] = h
        step = step.reshape(C.shape)
        columns.append(np.ravel(function(C + step) - function(C - step)) / (2 * h))
    return np.array(columns).T


def test_curve_and_flow_solve_the_network_equation(tools):
    network, C = tools.random_network(1, 3, T=1.3)
    h = 1e-5
    for t in (0.0, 0.4, 1.1):
        rate = (network.flow(C, t + h) - network.flow(C, t - h)) / (2 * h)
        assert rate == pytest.approx(network.curve(C, t) @ network.flow(C, t), abs=1e-8)
        # dA/dt = A A^T - A^T A up to sign: the curve keeps its norm.
        assert np.linalg.norm(network.curve(C, t)) == pytest.approx(np.linalg.norm(C))
    assert network.flow(C, 0.0) == pytest.approx(np.eye(3))


@pytest.mark.parametrize(("seed", "d"), [(0, 1), (1, 2), (2, 2), (3, 3)])
def test_gradient_is_that_of_the_cost_of_any_weights(tools, seed, d):
    network, C = tools.random_network(seed, d, T=0.8)
    generator, lam, eps = np.random.default_rng(seed + 50), 0.3, 1e-4
    V0, V1 = generator.normal(size=(2, d, d))

    def direction(t):
        return V0 + np.cos(5.0 * t) * V1

    def cost(size):
        return tools.cost_of_weights(
            network, lambda t: network.curve(C, t) + size * direction(t), lam
        )

    assert cost(0.0) == pytest.approx(network.cost(C, lam), rel=1e-10)
    nodes, weights = leggauss(24)
    times = 0.5 * network.T * (nodes + 1)
    product = sum(
        0.5 * network.T * w * np.sum(network.gradient(C, lam, t) * direction(t))
        for t, w in zip(times, weights, strict=True)
    )
    assert (cost(eps) - cost(-eps)) / (2 * eps) == pytest.approx(product, rel=1e-6, abs=1e-7)


@given(SEEDS, SIZES, st.floats(0.05, 2.0), st.floats(0.3, 1.5))
def test_derivatives_match_complex_steps(tools, seed, d, lam, T):
    network, C = tools.random_network(seed, d, T)
    flow = complex_step(lambda X: network.flow(X, 0.7 * T), C)
    assert network.flow_derivative(C, 0.7 * T) == pytest.approx(flow, abs=1e-9)
    derivative = complex_step(lambda X: network.residual(X, lam), C)
    scale = 1 + np.max(np.abs(derivative))
    assert network.residual_derivative(C, lam) == pytest.approx(derivative, abs=1e-11 * scale)


@given(SEEDS, SIZES)
def test_reduced_gradient_is_that_of_the_cost_in_C(tools, seed, d):
    network, C = tools.random_network(seed, d)
    slope = central(lambda X: network.cost(X, 0.4), C).ravel()
    found = network.reduced_gradient(C, 0.4).ravel()
    assert found == pytest.approx(slope, rel=1e-5, abs=1e-5 * (1 + np.max(np.abs(slope))))


def test_reduced_hessian_is_symmetric_at_critical_points_only(quarter, tools):
    _, C = quarter.pair(-1, 0.07)
    S = quarter.network.reduced_hessian(C, 0.07)
    assert pytest.approx(S.T, abs=1e-10) == S
    numeric = central(lambda X: quarter.network.reduced_gradient(X, 0.07), C)
    assert pytest.approx(numeric, abs=1e-6) == S
    N = quarter.network.residual_derivative(C, 0.07)
    assert np.max(np.abs(N - N.T)) > 1e-2
    elsewhere = quarter.network.reduced_hessian(C + 0.1 * np.eye(2)[::-1], 0.07)
    assert np.max(np.abs(elsewhere - elsewhere.T)) > 1e-4


@pytest.mark.parametrize("n", [-1, 1, -2, 2])
def test_normal_solutions_and_their_folds(quarter, tools, n):
    b = quarter.fold(n)
    lam, C = quarter.normal(b)
    assert lam == pytest.approx(tools.folds[n][0], rel=1e-6)
    assert quarter.network.residual(C, lam) == pytest.approx(0.0, abs=1e-13)
    if tools.folds[n][1] is not None:
        lam, C = quarter.normal(tools.folds[n][1])
        assert lam == pytest.approx(tools.folds[n][0], rel=1e-14)
        derivative = quarter.network.residual_derivative(C, lam)
        assert np.linalg.svd(derivative, compute_uv=False)[-1] < 1e-12


def test_slope_at_zero_is_theorem_2(quarter):
    slope = quarter.network.slope_at_zero(np.pi / 2 * quarter.J)
    assert slope == pytest.approx(-np.pi / 2 * quarter.J)
    # Second order, from the closed form: -pi^2/8 + i pi/2.
    lam, C = quarter.normal(np.pi / 2 - 1e-3)
    second = (C - np.pi / 2 * quarter.J - lam * slope) / lam**2
    assert second == pytest.approx(-(np.pi**2) / 8 * np.eye(2) + np.pi / 2 * quarter.J, abs=5e-3)


@given(SEEDS, st.floats(0.4, 2.0))
def test_theorem_2_for_normal_maps(seed, T):
    generator = np.random.default_rng(seed)
    L = generator.normal(size=(3, 3))
    L = 0.5 * (L - L.T) + generator.uniform(-0.5, 0.5) * np.eye(3)  # normal
    R = expm(L)
    network = LinearNetwork(R, np.eye(3), T)
    slope = network.slope_at_zero(L / T)
    assert slope == pytest.approx(-np.linalg.inv(R @ R.T) @ L / T**2, abs=1e-9)


def test_slope_at_zero_with_non_normal_map_and_data(tools):
    network, C = tools.random_network(4, 2)
    network = LinearNetwork(network.end(C), network.Sigma0, 1.0)
    lam = 1e-5
    plus, minus = tools.solve(network, lam, C), tools.solve(network, -lam, C)
    assert network.slope_at_zero(C) == pytest.approx((plus - minus) / (2 * lam), abs=1e-5)
    with pytest.raises(SpecificationError, match=r"F\(C\) = R"):
        network.slope_at_zero(C + 0.1)


def test_slope_at_zero_refuses_a_conjugate_end():
    half = np.array([[0.0, -np.pi], [np.pi, 0.0]])
    network = LinearNetwork(expm(half), np.eye(2), 1.0)
    with pytest.raises(SpecificationError, match="singular"):
        network.slope_at_zero(half)


def test_example_2(quarter, tools):
    mus = np.linspace(0.0, np.pi / 2, 9)
    C = np.pi / 2 * quarter.J
    for mu in mus:
        network = LinearNetwork(np.array([[0.0, -1.0], [1.0, mu]]), np.eye(2), 1.0)
        C = tools.solve(network, 0.0, C)
    assert pytest.approx(np.array([[0.0, 0.0], [np.pi / 2, 0.0]]), abs=1e-9) == C
    logarithm = logm(network.R)
    assert np.sum(C * C) == pytest.approx(np.pi**2 / 4)
    assert np.sum(logarithm**2) == pytest.approx(3.75991604568979, rel=1e-12)
    assert normality_defect(C) == pytest.approx(np.sqrt(2) * np.pi**2 / 4)
    for t in (0.0, 0.3, 1.0):
        sine, cosine = np.sin(np.pi * t), np.cos(np.pi * t)
        A = np.pi / 4 * np.array([[-sine, cosine - 1], [cosine + 1, sine]])
        assert network.curve(C, t) == pytest.approx(A, abs=1e-9)
    expected = {0.01: 0.0122187897206949, 0.1: 0.114149615232621, 1.0: 0.761968841371451}
    for lam, cost in expected.items():
        C = tools.solve(network, lam, C)
        assert network.cost(C, lam) == pytest.approx(cost, rel=1e-12)
        constant = tools.cost_of_weights(network, lambda t: logarithm, lam)
        assert constant == pytest.approx(lam * 1.87995802284490, rel=1e-10)
        assert cost < constant


def scalar_solutions(R, lam):
    """Return the solutions for d = 1 by sign changes on a fine grid."""
    grid = np.linspace(-8.0, np.log(R), 40_001)[:-1]
    grid = np.append(grid, np.log(R) + 1e-9)
    network = LinearNetwork(np.array([[R]]), np.eye(1), 1.0)
    values = lam * grid - np.exp(grid) * (R - np.exp(grid))
    assert values[7] == pytest.approx(network.residual(grid[7:8, None], lam)[0, 0])
    return int(np.sum(values[:-1] * values[1:] < 0))


def test_one_dimension_has_one_solution_up_to_a_threshold():
    threshold = 4 * np.exp(1.5)
    assert threshold == pytest.approx(17.926756, rel=1e-7)
    window = np.linspace(35.0, 50.0, 151)
    assert {scalar_solutions(0.995 * threshold, lam) for lam in window} == {1}
    counts = [scalar_solutions(1.05 * threshold, lam) for lam in window]
    assert set(counts) == {1, 3}
    cusp = 2 * np.exp(3.0)
    assert scalar_solutions(1.0005 * threshold, cusp) in (1, 3)
    network = LinearNetwork(np.array([[threshold]]), np.eye(1), 1.0)
    c, h = np.array([[1.5]]), 1e-3
    slopes = [network.residual_derivative(c + s, cusp)[0, 0] for s in (-h, 0.0, h)]
    assert network.residual(c, cusp)[0, 0] == pytest.approx(0.0, abs=1e-10)
    assert slopes[1] == pytest.approx(0.0, abs=1e-10)
    assert (slopes[2] - slopes[0]) / (2 * h) == pytest.approx(0.0, abs=1e-3)
