from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from contcrit.models.linear_network.index import JacobiSystem, morse_index

J = np.array([[0.0, -1.0], [1.0, 0.0]])
SEEDS = st.integers(0, 10_000)
TABLE = {-1: (2, 3), 1: (4, 5), -2: (6, 7), 2: (8, 9)}


@given(SEEDS, st.integers(1, 3), st.floats(0.1, 1.5))
def test_solutions_give_the_derivative_of_the_flow(tools, seed, d, t):
    network, C = tools.random_network(seed, d)
    y, _ = JacobiSystem(C).solution(t)
    closed = np.kron(expm(t * (C - C.T)), expm(t * C)) @ y
    expected = network.flow_derivative(C, t)
    assert closed == pytest.approx(expected, abs=1e-10 * (1 + np.max(np.abs(expected))))


@given(SEEDS, st.integers(1, 3), st.floats(0.05, 0.3))
def test_action_is_the_form_on_extremals(tools, seed, d, h):
    _, C = tools.random_network(seed, d)
    system = JacobiSystem(C)
    generator = np.random.default_rng(seed)
    state = generator.normal(size=2 * d * d)
    end = expm(h * system.matrix) @ state
    n = d * d
    start_form, cross, end_form = system.action(h)
    a, b = state[:n], end[:n]
    value = a @ start_form @ a - 2 * a @ cross @ b + b @ end_form @ b
    # The form of an extremal is [y . p] between its ends.
    assert value == pytest.approx(b @ end[n:] - a @ state[n:], rel=1e-7, abs=1e-8)


@given(st.floats(-3.0, 3.0), st.floats(0.5, 20.0), st.booleans(), st.floats(0.3, 2.0))
def test_conjugate_points_of_normal_curves(a, b, clockwise, T):
    # Closed form for C = a I + b J: t = k pi / |b|, each double.
    expected = np.arange(1, 50) * np.pi / b
    if np.min(np.abs(expected - T)) < 1e-3 * T:
        return
    expected = np.repeat(expected[expected < T], 2)
    C = a * np.eye(2) + (-b if clockwise else b) * J
    times = JacobiSystem(C).conjugate_times(T)
    assert len(times) == len(expected)
    assert times == pytest.approx(expected, rel=1e-9)


@given(SEEDS, st.sampled_from([2, 3]))
def test_conjugate_points_are_the_singular_derivatives(tools, seed, d):
    network, C = tools.random_network(seed, d)
    C = C * 7.0 / np.linalg.norm(C, 2)
    system = JacobiSystem(C)
    times = system.conjugate_times(1.0)
    assert len(times) == system.forward(1.0).count
    for t in times:
        sizes = np.linalg.svd(network.flow_derivative(C, t), compute_uv=False)
        assert sizes[-1] < 1e-7 * sizes[0]
    # Between them the determinant keeps its sign, and changes it as often as zeros are passed.
    for t in np.linspace(0.013, 0.997, 23):
        if np.min(np.abs(times - t), initial=1.0) < 1e-4:
            continue
        sign = np.linalg.slogdet(system.solution(t)[0])[0]
        assert sign == (-1.0) ** np.sum(times < t)


def test_a_conjugate_point_on_a_node_is_counted_once():
    for intervals in range(9, 16):
        for k in range(1, intervals):
            b = np.pi * intervals / k
            system = JacobiSystem(b * J)
            count = 2 * int(np.floor(b / np.pi + 1e-9))
            found = system.forward(1.0)
            if abs(b / np.pi - round(b / np.pi)) < 1e-9:
                assert found.end_is_conjugate
                count -= 2
                found_count = int(np.sum(system.conjugate_times(1.0) < 1.0 - 1e-9))
            else:
                found_count = found.count
            assert found_count == count


@pytest.mark.parametrize("n", TABLE)
def test_index_table_of_example_1(quarter, tools, n):
    lam = tools.folds[n][0] / 2
    for C, expected in zip(quarter.pair(n, lam), TABLE[n], strict=True):
        counts = morse_index(quarter.network, C, lam)
        assert counts.by_conjugate_points == counts.by_focal_points == expected
        sign = np.linalg.slogdet(quarter.network.residual_derivative(C, lam))[0]
        assert sign == (-1) ** expected


def test_simpler_counts_are_wrong(quarter, tools):
    # Neither DN nor S alone has the index: at n = -1 it is 2 on the side of the logarithm.
    lam = tools.folds[-1][0] / 2
    C, _ = quarter.pair(-1, lam)
    S = quarter.network.reduced_hessian(C, lam)
    DN = quarter.network.residual_derivative(C, lam)
    assert np.sum(np.linalg.eigvalsh(S) < 0) == 0
    assert (
        np.sum(np.linalg.eigvals(DN).real < 0) != 2
        or np.sum(np.linalg.eigvalsh(DN + DN.T) < 0) != 2
    )


def test_principal_branch_and_example_2_have_index_0(quarter, tools):
    C = np.pi / 2 * quarter.J
    for lam in (0.01, 0.1, 1.0, 10.0):
        C = tools.solve(quarter.network, lam, C)
        counts = morse_index(quarter.network, C, lam)
        assert counts.by_conjugate_points == counts.by_focal_points == 0


def test_reduced_hessian_in_both_forms(quarter, tools):
    # S = Y^T (lam P + K Y): the pivot at T is the reduced Hessian in other coordinates.
    lam = 0.07
    for C in quarter.pair(1, lam):
        y, p = JacobiSystem(C).solution(1.0)
        stretch = expm(C.T)
        K = np.kron(np.eye(2), stretch @ stretch.T)
        S = y.T @ (lam * p + K @ y)
        assert pytest.approx(quarter.network.reduced_hessian(C, lam), abs=1e-10) == S


def test_a_conjugate_end_leaves_the_focal_count(quarter):
    lam, C = quarter.normal(-np.pi)
    counts = morse_index(quarter.network, C, lam)
    assert counts.by_conjugate_points is None
    assert counts.by_focal_points == 3
    for b in (-np.pi - 1e-4, -np.pi + 1e-4):
        lam, C = quarter.normal(b)
        assert morse_index(quarter.network, C, lam).by_conjugate_points == 3
