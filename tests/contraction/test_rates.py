"""Logarithmic norms and rates: axioms, closed forms, and the flows that they bound."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import contcrit as cc
from contcrit.contraction.norms import induced_norm
from contcrit.contraction.rates import (
    contraction_rate,
    logarithmic_norm,
    observable_rate,
    subspace_rate,
)
from contcrit.errors import SpecificationError

X, Y, P = sp.symbols("x y p")
NORMS = st.sampled_from([1, 2, np.inf])
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed: int, n: int = 3, count: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, n, n))


def metric_for(norm: float, seed: int, n: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed + 1)
    if norm == 2:
        factor = generator.normal(size=(n, n))
        return factor @ factor.T + 0.1 * np.eye(n)
    return generator.uniform(0.2, 5.0, n)


def vector_norm(x: np.ndarray, norm: float, metric: np.ndarray | None) -> float:
    if metric is None:
        return float(np.linalg.norm(x, norm))
    if norm == 2:
        return float(np.sqrt(x @ metric @ x))
    return float(np.linalg.norm(metric * x, norm))


@pytest.mark.parametrize(("norm", "expected"), [(1, 3.0), (2, 1.0), (np.inf, 3.0)])
def test_jordan_block(norm: float, expected: float) -> None:
    assert logarithmic_norm([[-1.0, 4.0], [0.0, -1.0]], norm) == expected


def test_weights_are_those_of_the_norms() -> None:
    A = np.array([[-1.0, 4.0], [0.5, -1.0]])
    # Column sums with w_i / w_j, row sums with w_i / w_j.
    assert logarithmic_norm(A, 1, [1.0, 4.0]) == max(-1 + 4 * 0.5, -1 + 4.0 / 4)
    assert logarithmic_norm(A, np.inf, [1.0, 4.0]) == max(-1 + 4.0 / 4, -1 + 4 * 0.5)


@given(seed=SEEDS, norm=NORMS, factor=st.floats(0, 5), shift=st.floats(-3, 3))
def test_axioms(seed: int, norm: float, factor: float, shift: float) -> None:
    A, B = draw(seed)
    metric = metric_for(norm, seed)

    def mu(matrix: np.ndarray) -> float:
        return logarithmic_norm(matrix, norm, metric)

    size = induced_norm(A, norm, metric)
    tiny = 1e-10 * (1 + size) * (1 + factor)
    assert mu(A + B) <= mu(A) + mu(B) + tiny
    assert abs(mu(factor * A) - factor * mu(A)) <= tiny
    assert abs(mu(A + shift * np.eye(3)) - mu(A) - shift) <= tiny
    assert -size - tiny <= mu(A) <= size + tiny
    assert np.max(np.linalg.eigvals(A).real) <= mu(A) + tiny


@given(seed=SEEDS, norm=NORMS, weighted=st.booleans())
def test_definition_by_a_limit(seed: int, norm: float, weighted: bool) -> None:
    A = draw(seed)[0]
    metric = metric_for(norm, seed) if weighted else None
    step = 1e-7
    quotient = (induced_norm(np.eye(3) + step * A, norm, metric) - 1) / step
    scale = 1 + induced_norm(A, norm, metric) ** 2
    assert abs(quotient - logarithmic_norm(A, norm, metric)) < 1e-5 * scale


@given(seed=SEEDS, norm=NORMS, weighted=st.booleans(), time=st.floats(0.01, 2))
def test_exponential_grows_no_faster(seed: int, norm: float, weighted: bool, time: float) -> None:
    A = draw(seed)[0]
    metric = metric_for(norm, seed) if weighted else None
    grown = induced_norm(expm(A * time), norm, metric)
    assert grown <= np.exp(logarithmic_norm(A, norm, metric) * time) * (1 + 1e-9)


@given(seed=SEEDS)
def test_metric_is_a_change_of_coordinates(seed: int) -> None:
    A, T = draw(seed)
    T = T + 3 * np.eye(3)
    moved = T @ A @ np.linalg.inv(T)
    assert abs(logarithmic_norm(A, 2, T.T @ T) - logarithmic_norm(moved)) < 1e-8 * (
        1 + np.linalg.norm(moved)
    )


@given(seed=SEEDS, norm=NORMS)
def test_many_at_once(seed: int, norm: float) -> None:
    stack = draw(seed, count=4)
    found = logarithmic_norm(stack, norm)
    assert found.shape == (4,)
    assert np.allclose(found, [logarithmic_norm(one, norm) for one in stack])


@given(seed=SEEDS, weighted=st.booleans(), k=st.integers(1, 3))
def test_subspace_rate_is_the_largest_quotient(seed: int, weighted: bool, k: int) -> None:
    generator = np.random.default_rng(seed)
    A = generator.normal(size=(3, 3))
    basis = generator.normal(size=(3, k))
    basis = np.column_stack([basis, basis @ generator.normal(size=k)])  # one too many
    metric = metric_for(2, seed) if weighted else np.eye(3)
    rate = subspace_rate(A, basis, metric if weighted else None)
    samples = basis @ generator.normal(size=(k + 1, 4000))
    quotients = np.sum(samples * (metric @ A @ samples), axis=0) / np.sum(
        samples * (metric @ samples), axis=0
    )
    assert np.max(quotients) <= rate + 1e-9 * (1 + abs(rate))
    if k < 3:
        assert np.max(quotients) >= rate - 0.05 * (1 + np.linalg.norm(A)) * np.sqrt(
            np.linalg.cond(metric)
        )
    if k == 3:
        assert abs(rate - logarithmic_norm(A, 2, metric)) < 1e-8 * (1 + abs(rate))


@given(seed=SEEDS, time=st.floats(0.01, 2))
def test_observed_part_decays_at_the_semi_rate(seed: int, time: float) -> None:
    generator = np.random.default_rng(seed)
    C = generator.normal(size=(2, 4))
    C = np.vstack([C, C.sum(axis=0)])
    W = generator.normal(size=(4, 4))
    A = -(C.T @ C) + (np.eye(4) - np.linalg.pinv(C) @ C) @ W  # keeps the kernel of C
    found = observable_rate(A, C)
    assert found.dimension == 2 and found.leak < 1e-9
    x = generator.normal(size=4)
    before, after = np.linalg.norm(C @ x), np.linalg.norm(C @ expm(A * time) @ x)
    assert after <= before * np.exp(found.rate * time) * (1 + 1e-8) + 1e-12
    assert found.rate < 0


def test_a_leak_is_told() -> None:
    found = observable_rate([[-1.0, 3.0], [0.0, -1.0]], [[1.0, 0.0]])
    assert found.rate == -1.0 and found.leak == 3.0


def test_rate_of_flows_and_maps() -> None:
    potential = cc.Problem.from_potential(X**2 + P * Y**2 / 2, [X, Y], [P])
    rate = contraction_rate(potential, [1, 1], {"p": 0.5})
    assert rate.value == -0.5 and rate.contracting and rate.margin == 0.5
    assert contraction_rate(potential, [1, 1], {"p": 0.5}, subspace=[1, 0]).value == -2.0
    assert contraction_rate(potential, [1, 1], {"p": 0.5}, kernel=[0, 1]).value == -2.0
    equations = cc.Problem([-X + 4 * Y, -Y], [X, Y])
    assert contraction_rate(equations, [0, 0]).value == 1.0
    assert contraction_rate(equations, [0, 0], metric=np.diag([1, 64])).value == -0.75
    step = cc.Problem([X / 2, -Y / 4], [X, Y], kind="map")
    found = contraction_rate(step, [0, 0])
    assert found.value == 0.5 and found.threshold == 1.0 and found.contracting


def test_kernel_directions_are_left_out_in_the_metric() -> None:
    # What is orthogonal to (1, 0) in M = [[2, 1], [1, 2]] is (1, -2).
    problem = cc.Problem([X + Y, -Y], [X, Y])
    metric = np.array([[2.0, 1.0], [1.0, 2.0]])
    v = np.array([1.0, -2.0])
    expected = v @ metric @ np.array([[1, 1], [0, -1]]) @ v / (v @ metric @ v)
    found = contraction_rate(problem, [0, 0], metric=metric, kernel=[1, 0])
    assert abs(found.value - expected) < 1e-12


def test_rate_on_a_kink() -> None:
    pair = cc.PiecewiseProblem.from_potential((cc.maximum(X, Y) - P) ** 2 / 2, [X, Y], [P])
    above = contraction_rate(pair, [2.0, 2.0], {"p": 1.0})
    assert above.value == 0.0 and above.pieces == 2
    assert above.jumps[0].verdict == "semi-contracting"
    below = contraction_rate(pair, [0.5, 0.5], {"p": 1.0})
    assert below.value == np.inf and below.jumps[0].verdict == "diverging"
    # The printed coefficient: -(error) n n^T / |n| with n = (1, -1).
    assert abs(above.jumps[0].lowest + np.sqrt(2) * 1.0) < 1e-12
    assert abs(below.jumps[0].highest - np.sqrt(2) * 0.5) < 1e-12


@settings(max_examples=30)
@given(seed=SEEDS)
def test_gradients_of_convex_functions_never_expand(seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = (sp.Matrix(generator.normal(size=(2, 2)).round(3)) for _ in range(2))
    u, v = a * sp.Matrix([X, Y]), b * sp.Matrix([X, Y])
    cost = cc.maximum(u[0], u[1]) + cc.absolute(v[0]) + v[1] ** 2
    problem = cc.PiecewiseProblem.from_potential(cost, [X, Y])
    found = contraction_rate(problem, [0.0, 0.0])
    assert found.value <= 1e-9 and found.pieces == 4
    reverse = cc.PiecewiseProblem.from_potential(-cost, [X, Y])
    assert contraction_rate(reverse, [0.0, 0.0]).value == np.inf


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([[1, 2]],), "A"),
        (([[np.nan]],), "A"),
        ((np.eye(2), 3), "norm"),
        ((np.eye(2), 2, np.eye(3)), "metric"),
        ((np.eye(2), 2, [[1, 1], [0, 1]]), "metric"),
        ((np.eye(2), 2, -np.eye(2)), "metric"),
        ((np.eye(2), 1, [1, -1]), "metric"),
    ],
)
def test_misuse_is_refused(arguments: tuple[object, ...], name: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        logarithmic_norm(*arguments)  # type: ignore[arg-type]
    assert caught.value.argument == name


def test_misuse_of_rates_is_refused() -> None:
    problem = cc.Problem([X], [X])
    with pytest.raises(SpecificationError, match="norm"):
        contraction_rate(problem, [0], norm=1, subspace=[1])
    with pytest.raises(SpecificationError, match="kernel"):
        contraction_rate(problem, [0], kernel=[1], subspace=[1])
    with pytest.raises(SpecificationError, match="flow"):
        contraction_rate(cc.Problem([X], [X], kind="equation"), [0])
