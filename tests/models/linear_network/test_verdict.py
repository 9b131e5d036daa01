from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import brentq

from contcrit.errors import SpecificationError
from contcrit.models.linear_network import verdict as linear_network_verdict
from contcrit.models.linear_network.starts import real_logarithm, solve_at_zero
from contcrit.models.linear_network.theory import LinearNetwork, normality_defect
from contcrit.models.linear_network.verdict import classify, gauge_rank

J = np.array([[0.0, -1.0], [1.0, 0.0]])

# Guesses and, from the second-order theory, cost, index and nullity at lam = 0.1.
SOLUTIONS = [
    ([[-0.0095, -1.4263], [1.4263, -0.0095]], 0.224177406814, 0, 0),
    ([[-0.1120, 4.2207], [-4.2207, -0.1120]], 2.005734692466, 2, 0),
    ([[-1.1795, 3.0652], [-3.0652, -1.1795]], 2.220107301286, 3, 0),
    ([[1.25222693, 1.91689868], [-5.07972376, -1.588999]], 1.892605979582, 0, 1),
    ([[-1.89642938, 3.62745273], [-1.51456457, -0.90218458]], 2.194211507716, 1, 1),
]


@pytest.mark.parametrize(("guess", "cost", "index", "nullity"), SOLUTIONS)
def test_all_solutions_of_example_1(quarter, tools, guess, cost, index, nullity):
    C = tools.solve(quarter.network, 0.1, np.array(guess))
    assert quarter.network.cost(C, 0.1) == pytest.approx(cost, abs=1e-11)
    verdict = classify(quarter.network, C, 0.1, [J])
    assert verdict.kind == ("saddle" if index else "minimum")
    assert (verdict.index, verdict.nullity, verdict.gauge_nullity) == (index, nullity, nullity)
    assert (normality_defect(C) > 1.0) == bool(nullity)
    assert verdict.margin > 1e-3
    evidence = verdict.evidence
    assert evidence["index_by_conjugate_points"] == evidence["index_by_legendre_modes"] == index
    if not nullity:
        # Without the generator nothing changes for a normal solution ...
        assert classify(quarter.network, C, 0.1).kind == verdict.kind
    else:
        # ... and a non-normal one is seen to have an unexplained zero direction.
        assert classify(quarter.network, C, 0.1).kind == "degenerate"


@given(st.integers(0, 4), st.floats(-np.pi, np.pi), st.integers(0, 1000))
def test_verdicts_do_not_depend_on_rotations_or_small_errors(quarter, tools, which, angle, seed):
    guess, _, index, nullity = SOLUTIONS[which]
    C = tools.solve(quarter.network, 0.1, np.array(guess))
    Q = expm(angle * J)
    noise = 1e-9 * np.random.default_rng(seed).normal(size=(2, 2))
    verdict = classify(quarter.network, Q @ C @ Q.T + noise, 0.1, [J])
    assert (verdict.index, verdict.nullity) == (index, nullity)


def test_the_fold_is_degenerate(quarter, tools):
    lam, C = quarter.normal(tools.folds[-1][1])
    verdict = classify(quarter.network, C, lam, [J])
    assert (verdict.kind, verdict.nullity, verdict.gauge_nullity) == ("degenerate", 1, 0)


@pytest.mark.parametrize(
    ("n", "low", "high", "before", "after"),
    [(-1, -2.5, -2.3, 3, 1), (1, 5.6, 5.4, 5, 3)],
)
def test_the_pitchfork_is_a_double_zero(quarter, n, low, high, before, after):
    # On the escaping side two eigenvalues of S pass zero together: det DN keeps its sign.
    def doubled(b):
        lam, C = quarter.normal(b)
        S = quarter.network.reduced_hessian(C, lam)
        traceless = np.array([1.0, 0.0, 0.0, -1.0]) / np.sqrt(2)
        return traceless @ S @ traceless

    b = brentq(doubled, low, high, xtol=1e-14)
    lam, C = quarter.normal(b)
    verdict = classify(quarter.network, C, lam, [J])
    assert (verdict.kind, verdict.nullity, verdict.gauge_nullity) == ("degenerate", 2, 0)
    signs = []
    for at, index in ((low, before), (high, after)):
        lam, C = quarter.normal(at)
        assert classify(quarter.network, C, lam, [J]).index == index
        signs.append(np.linalg.slogdet(quarter.network.residual_derivative(C, lam))[0])
    assert signs[0] == signs[1]


def test_a_conjugate_end_is_still_decided(quarter):
    lam, C = quarter.normal(-np.pi)
    verdict = classify(quarter.network, C, lam, [J])
    assert (verdict.kind, verdict.index) == ("saddle", 3)
    assert verdict.evidence["index_by_conjugate_points"] is None


@pytest.mark.parametrize("n", [0, 1, -2])
def test_every_critical_point_without_regularisation_is_a_minimum(quarter, n):
    C = real_logarithm(quarter.network.R, n)
    verdict = classify(quarter.network, C, 0.0, [J])
    assert (verdict.kind, verdict.index, verdict.nullity) == ("minimum", 0, None)
    assert verdict.evidence["nullity"] == "infinite"
    assert verdict.evidence["cost"] == pytest.approx(0.0, abs=1e-20)
    assert classify(quarter.network, 1.01 * C, 0.0, [J]).kind == "not critical"


def test_points_that_are_not_critical(quarter):
    for C in (np.zeros((2, 2)), np.eye(2), 1.4 * J):
        assert classify(quarter.network, C, 0.3, [J]).kind == "not critical"


@pytest.mark.parametrize("lam", [-1e-3, np.nan, np.inf])
def test_wrong_regularisation_is_refused(quarter, lam):
    with pytest.raises(SpecificationError, match="lam"):
        classify(quarter.network, np.eye(2), lam)


@pytest.mark.parametrize("C", [np.eye(3), [[np.nan, 0], [0, 1]], [1.0, 2.0]])
def test_wrong_points_are_refused(quarter, C):
    with pytest.raises(SpecificationError, match="`C`"):
        classify(quarter.network, C, 0.1)


@pytest.mark.parametrize(("seed", "d"), [(0, 3), (1, 3), (2, 4)])
def test_higher_dimensions_agree_in_all_counts(tools, seed, d):
    network, _ = tools.random_network(seed, d)
    C = solve_at_zero(network, real_logarithm(network.R))
    for lam in (1e-3, 1e-2, 0.1):
        C = tools.solve(network, lam, C)
        verdict = classify(network, C, lam)
        assert (verdict.kind, verdict.index, verdict.nullity) == ("minimum", 0, 0)


def test_a_saddle_in_three_dimensions(tools):
    # A turn by 0.7 and a stretch, reached by a turn the other way; unequal inputs break normality.
    R = np.zeros((3, 3))
    R[:2, :2], R[2, 2] = expm(0.7 * J), 1.3
    network = LinearNetwork(R, np.array([[1.0, 0.1, 0.2], [0.1, 0.8, 0], [0.2, 0, 1.2]]), 1.0)
    C = solve_at_zero(network, real_logarithm(R, -1))
    assert C is not None
    C = tools.solve(network, 1e-3, C)
    assert normality_defect(C) > 1e-3
    verdict = classify(network, C, 1e-3)
    assert verdict.kind == "saddle"
    # The curve turns by 5.58 in all: two conjugate points, close to pi / 5.58.
    assert verdict.evidence["conjugate_points"] == pytest.approx(2 * [np.pi / 5.58], rel=2e-3)
    assert verdict.index == verdict.evidence["index_by_legendre_modes"] == 2


def test_a_large_network_is_decided_without_legendre_modes(tools):
    network, _ = tools.random_network(5, 3)
    C = solve_at_zero(network, real_logarithm(network.R))
    C = tools.solve(network, 1e-2, C)
    verdict = classify(network, C, 1e-2, maximum_size=10)
    assert verdict.kind == "minimum"
    assert verdict.evidence["index_by_legendre_modes"] is None
    assert "left out" in verdict.evidence["reason"]


def test_disagreement_is_undecided(quarter, tools, monkeypatch):
    def few_modes(network, C, lam, nullity, expected, maximum_size):
        from contcrit.models.linear_network.galerkin import _compare, galerkin_hessian

        values = np.linalg.eigvalsh(galerkin_hessian(network, C, lam, 4, turning=False))
        return _compare(values, values, nullity, 4)

    C, _ = quarter.pair(-1, 0.07)
    monkeypatch.setattr(linear_network_verdict, "galerkin_index", few_modes)
    verdict = classify(quarter.network, C, 0.07, [J])
    assert (verdict.kind, verdict.index) == ("undecided", None)
    assert verdict.evidence["index_by_focal_points"] == 2
    assert verdict.evidence["index_by_legendre_modes"] == 0
    assert "another index" in verdict.evidence["reason"]


def test_gauge_rank_counts_active_generators():
    S = [
        np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]),
        np.array([[0.0, 0, -1], [0, 0, 0], [1, 0, 0]]),
    ]
    assert gauge_rank(np.eye(3), S) == 0
    assert gauge_rank(np.diag([1.0, 1.0, 2.0]), S) == 1
    assert gauge_rank(np.diag([1.0, 3.0, 2.0]), S) == 2
    assert gauge_rank(np.eye(3), []) == 0
