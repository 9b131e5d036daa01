from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings

from contcrit.criticality.clarke import classify_pieces
from contcrit.errors import SpecificationError
from contcrit.models.relu_hinge.descent import descend, polish
from contcrit.models.relu_hinge.pieces import HingePieces
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, alpha_branches, figure_5
from contcrit.models.relu_hinge.vertices import (
    chain_rule_holds_zero,
    critical_vertices,
    unit_patterns,
)
from tests.strategies_relu import DRAWS, Case, binary_cases


def line(alpha, sign=1.0):
    return Case(dict(X=LINE, y=LABELS, alpha=alpha, output_weights=[sign])).network


def sharp_minima(network):
    found = critical_vertices(network)
    return [
        x for x in found.points if classify_pieces(HingePieces(network, x)).kind == "sharp minimum"
    ]


@pytest.mark.parametrize("alpha", [0.1, 0.6, 0.7, 0.74, 0.8, 0.95])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_branches_are_found_by_enumeration(alpha, sign):
    network = line(alpha, sign)
    found = critical_vertices(network)
    assert found.complete
    assert "all vertices" in found.statement
    for label, branch in alpha_branches().items():
        if branch.sign != sign:
            continue
        low, high = branch.interval
        distance = float(np.min(np.linalg.norm(found.points - branch.point(alpha), axis=1)))
        assert (distance < 1e-9) is (low < alpha <= high), label


@pytest.mark.parametrize("alpha", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sharp_minima_below_the_linear_optimum_are_the_worked_branches(alpha, sign):
    # Units that are on, or off, for all data give linear classifiers: 23/24 is their best loss.
    network, best = line(alpha, sign), 23.0 / 24.0 - 1e-9
    found = [x for x in sharp_minima(network) if network.loss(x) < best]
    known = [
        branch.point(alpha)
        for branch in alpha_branches().values()
        if branch.sign == sign
        and branch.interval[0] < alpha < branch.interval[1]
        and branch.loss(alpha) < best
    ]
    for point in known:
        assert any(np.allclose(point, x, atol=1e-9) for x in found)
    assert len(found) == len(known)


@settings(max_examples=15)
@given(binary_cases(sliced=True), DRAWS)
def test_no_critical_vertex_is_missed_by_descent(case, seed):
    """Where descents end at a vertex of the slice, it is in the list."""
    network = case.network
    assume(network.size <= 5)
    found = critical_vertices(network)
    assert found.complete
    rng = np.random.default_rng(seed)
    ends = descend(network, rng.normal(size=(6, network.size)), 80)
    for x in ends:
        reached = polish(network, x)
        pieces = HingePieces(network, reached.x, 1e-7)
        rows = [
            np.vstack(network.switching_jacobians(reached.x, network.positions(reached.x)))[
                np.concatenate(
                    [pieces.active[0], pieces.active[1] + len(network.X) * network.widths[0]]
                ).astype(int)
            ]
        ]
        if not reached.converged or np.linalg.matrix_rank(rows[0], tol=1e-6) < network.size:
            continue
        distance = np.linalg.norm(found.points - reached.x, axis=1)
        assert np.min(distance, initial=np.inf) < 1e-5 * (1 + np.max(np.abs(reached.x)))


@settings(max_examples=40)
@given(binary_cases(sliced=True))
def test_chain_rule_condition_is_necessary(case):
    pieces = case.pieces
    holds = chain_rule_holds_zero(case.network, case.x)
    if sum(pieces.levels) and not holds:
        assert classify_pieces(pieces).evidence["critical"] is False
    # It is that of some positions: a random search never contradicts a refusal.
    if not holds:
        rng = np.random.default_rng(0)
        for _ in range(50):
            gradient = pieces.hull_gradient(rng.random(sum(pieces.levels)))
            assert np.linalg.norm(gradient) > 1e-12


def test_patterns_of_a_unit_are_those_of_its_lines():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    patterns = {tuple(row) for row in unit_patterns(X).tolist()}
    rng = np.random.default_rng(0)
    seen = np.sign(rng.normal(size=(20000, 3)) @ np.hstack([X, np.ones((4, 1))]).T).astype(int)
    assert patterns == {tuple(row) for row in seen.tolist()}
    assert len(patterns) == 14  # all but the two diagonals of the square
    assert len(unit_patterns(np.array([[0.0], [1.0], [3.0], [7.0]]))) == 8
    assert len(unit_patterns(np.array([[1.0], [1.0]]))) == 2


def test_a_large_enumeration_says_that_it_is_incomplete():
    found = critical_vertices(line(0.5), budget=100)
    assert not found.complete
    assert "incomplete" in found.statement


def test_other_networks_are_refused():
    for constants in (
        dict(X=LINE, y=LABELS),
        dict(X=LINE, y=LABELS, output_weights=[0.0]),
        dict(X=LINE, y=LABELS, hidden=(1, 1), output_weights=[1.0]),
    ):
        with pytest.raises(SpecificationError, match="fixed non-zero output weights"):
            critical_vertices(Case(constants).network)


def test_descent_and_linear_programs_reach_a_sharp_minimum():
    network = line(0.5)
    target = alpha_branches()["A"]
    start = target.point(0.5) + 0.02 * np.array([1.0, -1.0, 0.5])
    reached = polish(network, start, radius=0.1)
    assert reached.converged
    assert reached.loss == pytest.approx(target.loss(0.5), rel=1e-12)
    assert reached.x == pytest.approx(target.point(0.5), abs=1e-9)
    before = network.loss(start)
    after = network.loss(descend(network, start[None, :], 100, 0.02))[0]
    assert after < before


def test_descent_from_many_starts_meets_the_sub_optimal_minimum_of_the_multiclass_loss():
    case = Case(dict(figure_5().constants))
    rng = np.random.default_rng(5)
    ends = descend(case.network, rng.normal(size=(400, case.network.size)), 400)
    losses = case.network.loss(ends)
    assert np.min(losses) < 1e-9
    assert np.any(np.abs(losses - 0.5) < 1e-2)


def test_every_choice_of_kinks_was_solved():
    # Two data and one unit: all vertices by hand, over patterns and pairs of lines.
    case = Case(
        dict(X=[[1.0], [-2.0]], y=[1, -1], alpha=0.5, output_weights=[1.0], output_bias=False)
    )
    found = critical_vertices(case.network)
    expected = set()
    for first, second in itertools.product((1.0, 0.5), repeat=2):
        # Slopes at the two data: margins 1 - first (w + b) = 0 and 1 + second (-2 w + b) = 0.
        rows = {
            "unit 0": ([1.0, 1.0], 0.0),
            "unit 1": ([-2.0, 1.0], 0.0),
            "margin 0": ([first, first], 1.0),
            "margin 1": ([-2.0 * second, second], -1.0),
        }
        for one, two in itertools.combinations(rows.values(), 2):
            matrix = np.array([one[0], two[0]])
            if abs(np.linalg.det(matrix)) < 1e-12:
                continue
            w, b = np.linalg.solve(matrix, [one[1], two[1]])
            sides = zip((w + b, b - 2 * w), (first, second), strict=True)
            if all((h if slope == 1.0 else -h) >= -1e-12 for h, slope in sides):
                expected.add((round(w, 9) + 0.0, round(b, 9) + 0.0))
    assert found.vertices == len(expected)
