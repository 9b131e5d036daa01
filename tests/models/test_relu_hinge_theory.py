"""Theorems 4 to 7 and corollaries 3 and 4 at Clarke critical points, with what the paper omits."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contcrit.criticality.clarke import classify_pieces
from contcrit.errors import SpecificationError
from contcrit.models.relu_hinge_pieces import HingePieces
from contcrit.models.relu_hinge_scenarios import (
    LABELS,
    LINE,
    alpha_branches,
    chain_rule_counterexample,
    deep_linear,
    figure_4,
    one_versus_all_sum,
    unequal_classes,
)
from contcrit.models.relu_hinge_theory import (
    is_generic,
    penalty_identity,
    seen_and_unsolved,
    separation,
    subgradient_bound,
)
from contcrit.models.relu_hinge_vertices import chain_rule_holds_zero, critical_vertices
from tests.strategies_relu import DRAWS, Case, random_positions, separable_cases

LEAKY = st.sampled_from((0.25, 0.5, 1.0))
RELU = st.just(0.0)


def scenario_case(scenario, label):
    case = Case(dict(scenario.constants))
    case.x = case.network.pack(**scenario.points[label])
    return case


def verdict(case):
    return classify_pieces(case.pieces)


# ---- the quantitative form of Theorems 4 and 6 ---------------------------------------------------


@settings(max_examples=60)
@given(separable_cases(), DRAWS)
def test_every_subgradient_is_at_least_the_bound(case, seed):
    rng = np.random.default_rng(seed)
    positions = random_positions(rng, case.network, case.x)
    norm = float(np.linalg.norm(case.network.gradient(case.x, positions)))
    bound = subgradient_bound(case.network, case.x, positions)
    assert norm >= bound * (1 - 1e-9) - 1e-12


def test_the_bound_is_attained():
    case = Case(dict(X=[[1.0], [-1.0]], y=[1, -1], alpha=0.5))
    case.x = case.network.pack(W=0.0, b=0.0, v=1.0, c=0.0)
    positions = [np.ones(2), np.ones(2)]
    slope = case.network.gradient(case.x, positions)
    assert np.linalg.norm(slope) == pytest.approx(
        subgradient_bound(case.network, case.x, positions)
    )


def test_separation_is_the_margin_of_the_closest_plane():
    assert separation([[2.0], [-2.0]], [1, -1]) == pytest.approx(2.0)
    assert separation([[1.0], [-1.0], [3.0]], [1, 1, -1]) > 0
    assert separation([[0.0], [1.0], [2.0]], [1, -1, 1]) == 0.0
    assert separation([[1.0], [1.0]], [1, -1]) == 0.0


# ---- Theorem 4 -----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(separable_cases(LEAKY))
def test_theorem_4_critical_points_have_v_zero_or_are_global(case):
    network = case.network
    v = network.output(case.x)[0][0]
    assume(np.any(v != 0) and network.loss(case.x) > 1e-9)
    assert verdict(case).evidence["critical"] is False


@settings(max_examples=12)
@given(separable_cases(LEAKY, single=True))
def test_theorem_4_on_the_slice_vertices_that_may_be_critical_are_global(case):
    network = Case({**case.constants, "output_weights": [1.0]}).network
    found = critical_vertices(network)
    assert found.complete
    assert np.all(found.losses <= 1e-9)


# ---- Theorem 5 -----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(separable_cases(LEAKY, equal=True, vanishing=True))
def test_theorem_5_with_equal_weights_v_zero_is_no_local_minimum(case):
    assert case.network.loss(case.x) >= 1.0 - 1e-9
    found = verdict(case)
    assert found.evidence["local_minimum"] is False, found


@pytest.mark.parametrize("mu", [0.1, 0.3, 0.49])
def test_theorem_5_needs_equal_weights(mu):
    scenario = unequal_classes(mu)
    case = scenario_case(scenario, "constant")
    found = verdict(case)
    assert found.kind == "sharp minimum"
    assert found.evidence["critical"] is True
    assert case.network.loss(case.x) == pytest.approx(scenario.losses["constant"])
    assert separation(case.data.X, case.data.y) > 0  # and zero loss can be had


@pytest.mark.parametrize("mu", [0.5, 0.51, 0.8])
def test_from_equal_weights_on_the_constant_is_no_minimum(mu):
    found = verdict(scenario_case(unequal_classes(mu), "constant"))
    assert found.evidence["local_minimum"] is False
    assert found.evidence["critical"] is (mu <= 0.5)


# ---- Theorem 6 -----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(separable_cases(RELU))
def test_theorem_6_what_is_seen_and_unsolved_forbids_critical_points(case):
    assume(len(seen_and_unsolved(case.network, case.x)))
    assert verdict(case).evidence["critical"] is False


def test_theorem_6_needs_separable_data():
    # Worked branch B at alpha = 0: a sharp minimum that sees data which it does not solve.
    case = Case(dict(X=LINE, y=LABELS, output_weights=[1.0]))
    case.x = alpha_branches()["B"].point(0.0)
    assert verdict(case).kind == "sharp minimum"
    assert len(seen_and_unsolved(case.network, case.x))
    assert separation(case.data.X, case.data.y) == 0.0


def test_figure_4_unsolved_data_lie_on_the_blind_side():
    for label, unsolved in (("4a", 0), ("4b", 2), ("4c", 4)):
        case = scenario_case(figure_4(), label)
        margins = case.network.switching(case.x)[-1]
        assert np.sum(margins > 0) == unsolved
        assert len(seen_and_unsolved(case.network, case.x)) == 0


@pytest.mark.parametrize(("label", "constant"), [("4b", 1.5 * 2**0.5), ("4c", 2 * 3**0.5)])
@pytest.mark.parametrize("alpha", [1e-1, 1e-2, 1e-3, 1e-5])
def test_figure_4_leaves_a_residual_of_order_alpha(label, constant, alpha):
    case = scenario_case(figure_4(), label)
    network = case.network.with_alpha(alpha)
    found = classify_pieces(HingePieces(network, case.x))
    assert found.evidence["critical"] is False
    residual = np.linalg.norm(network.gradient(case.x))
    assert residual == pytest.approx(constant * alpha, rel=1e-9)
    assert residual >= subgradient_bound(network, case.x, network.positions(case.x))


# ---- Clarke's set and the chain rule -------------------------------------------------------------


def test_chain_rule_set_is_too_big():
    case = scenario_case(chain_rule_counterexample(), "kink")
    slice_ = Case({**case.constants, "output_weights": [0.5]})
    assert chain_rule_holds_zero(slice_.network, case.network.pack(**case.blocks)[[0, 1, 3]])
    found = verdict(case)
    assert found.evidence["critical"] is False
    assert found.evidence["hull_distance"] == pytest.approx(1 / (6 * 2**0.5), rel=1e-9)
    # The loss is differentiable there: its difference quotients have that gradient from all sides.
    rng = np.random.default_rng(0)
    near = case.x + 1e-7 * rng.normal(size=(200, 4))
    assert np.ptp(case.network.gradient(near), axis=0) == pytest.approx(0.0, abs=1e-6)


# ---- Theorem 7 and corollaries 3 and 4 -----------------------------------------------------------


def test_a_sum_may_be_critical_where_no_summand_is():
    case = scenario_case(one_versus_all_sum(), "cancelling")
    assert verdict(case).evidence["critical"] is True
    assert float(case.network.loss(case.x)) == pytest.approx(1.0)
    assert np.all(case.network.output(case.x)[0] != 0)
    penalised = scenario_case(one_versus_all_sum("penalised"), "cancelling")
    assert classify_pieces(penalised.pieces).evidence["critical"] is False
    answers = []
    for r, replicate in enumerate(penalised.network.replicates):
        x = penalised.x[penalised.network.index[r]]
        answers.append(classify_pieces(HingePieces(replicate, x)).evidence["critical"])
        assert separation(replicate.X, replicate.criterion.directions[:, 0]) > 0
    assert answers == [False, False, True]


@st.composite
def penalised_cases(draw, alphas):
    """Draw E_gamma with separable classes, at equal replicates or not."""
    rng = np.random.default_rng(draw(DRAWS))
    X = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    X = np.vstack([X, X[rng.integers(3)] * 2]) + rng.integers(-1, 2, size=(4, 2)) * 0.25
    y = [0, 1, 2, int(np.argmin(np.linalg.norm(X[:3] - X[3] / 2, axis=1)))]
    case = Case(
        dict(X=X, y=y, loss="penalised", alpha=draw(alphas), gamma=float(rng.choice((0.1, 1, 9))))
    )
    network = case.network
    assume(all(separation(n.X, n.criterion.directions[:, 0]) > 0 for n in network.replicates))
    case.x = network.repeated(rng.integers(-2, 3, size=network.size // 3).astype(float))
    v, c = rng.choice((-1.0, 0.0, 2.0), size=(3, 1)), rng.integers(-1, 2, size=3)
    case.x = case.moved(v=v, c=c)
    if rng.integers(3) == 0:
        case.x = case.moved(b=case.blocks["b"] + np.array([[0.0], [0.5], [0.0]]))
    return case


@settings(max_examples=8)
@given(penalised_cases(st.sampled_from((0.0, 0.5))), DRAWS)
def test_theorem_7_critical_points_agree_in_their_replicates(case, seed):
    network = case.network
    rng = np.random.default_rng(seed)
    positions = random_positions(rng, network, case.x)
    left, right = penalty_identity(network, case.x, positions)
    assert left == pytest.approx(right, abs=1e-10)
    found = classify_pieces(case.pieces)
    if network.penalty(case.x) > 0:
        assert found.evidence["critical"] is False
        return
    parts = [
        classify_pieces(HingePieces(n, case.x[network.index[r]])).evidence["critical"]
        for r, n in enumerate(network.replicates)
    ]
    assert None not in parts
    assert found.evidence["critical"] in (None, all(parts))
    # gamma does not matter: the critical set is the same for every gamma > 0.
    other = HingePieces(Case({**case.constants, "gamma": 3.3}).network, case.x)
    assert classify_pieces(other).evidence["critical"] is found.evidence["critical"]


def assert_not_critical(case):
    """The whole may have too many kinks to decide; with equal replicates its classes decide it."""
    network = case.network
    whole = classify_pieces(case.pieces, time_limit=2.0).evidence["critical"]
    assert whole is not True
    if whole is None and network.penalty(case.x) == 0:
        assert False in [
            verdict_of_class(replicate, case.x[network.index[r]])
            for r, replicate in enumerate(network.replicates)
        ]


def verdict_of_class(network, x):
    return classify_pieces(HingePieces(network, x)).evidence["critical"]


@given(penalised_cases(st.just(0.5)))
def test_corollary_3_leaky_critical_points_with_all_v_are_global(case):
    network = case.network
    assume(np.all(case.blocks["v"] != 0) and network.loss(case.x) > 1e-9)
    assert_not_critical(case)


@settings(max_examples=10)
@given(penalised_cases(st.just(0.0)))
def test_corollary_4_unsolved_data_are_dead_for_their_class(case):
    network = case.network
    seen = [
        len(seen_and_unsolved(n, case.x[network.index[r]]))
        for r, n in enumerate(network.replicates)
    ]
    assume(any(seen))
    assert_not_critical(case)


# ---- scenario 1 ----------------------------------------------------------------------------------


def test_deep_linear_networks():
    separable, other = deep_linear()["separable"], deep_linear()["not separable"]
    zero = verdict(scenario_case(separable, "zero"))
    assert (zero.kind, zero.evidence["local_minimum"]) == ("saddle", False)
    assert verdict(scenario_case(separable, "global")).kind == "flat minimum"
    assert verdict(scenario_case(other, "global")).kind == "sharp minimum"
    for scenario in (separable, other):
        for label, loss in scenario.losses.items():
            case = scenario_case(scenario, label)
            assert float(case.network.loss(case.x)) == pytest.approx(loss)


# ---- Definition 1 --------------------------------------------------------------------------------


def brute_rare(X, y, alpha, restricted):
    """Return whether equation 7 has a solution epsilon != 0, for L = 1, by trying all."""
    N, R = len(y), max(y) + 1
    vectors = [tuple(Fraction(v) for v in (*x, 1)) for x in X]
    for epsilon in product((0, 1), repeat=N * R):
        if not any(epsilon):
            continue
        e = [epsilon[R * i : R * i + R] for i in range(N)]
        if restricted and any(e[i][y[i]] for i in range(N)):
            continue
        for scales in product({Fraction(1), Fraction(alpha)}, repeat=N):
            solved = all(
                sum(
                    scales[i]
                    * vectors[i][j]
                    * (sum(e[i][s] for s in range(R) if s != y[i]) if y[i] == r else -e[i][r])
                    for i in range(N)
                )
                == 0
                for r in range(R)
                for j in range(len(vectors[0]))
            )
            if solved:
                return True
    return False


@given(
    st.lists(st.tuples(st.integers(-2, 2)), min_size=2, max_size=4),
    st.sampled_from((Fraction(1), Fraction(1, 2), Fraction(1, 3))),
    DRAWS,
)
def test_generic_data_are_those_without_solutions(X, alpha, seed):
    rng = np.random.default_rng(seed)
    y = [0, 1, *rng.integers(0, 2, size=len(X) - 2).tolist()]
    assert is_generic(X, y, alpha) is not brute_rare(X, y, alpha, restricted=True)


def test_generic_data_of_three_classes():
    X, y = [[0], [1], [3]], [0, 1, 2]
    assert is_generic(X, y, Fraction(2, 5)) is not brute_rare(X, y, Fraction(2, 5), restricted=True)
    again = [[1], [1], [3]]
    assert is_generic(again, y, Fraction(2, 5)) is False
    assert brute_rare(again, y, Fraction(2, 5), restricted=True)


def test_definition_1_read_literally_makes_all_data_rare():
    for X, y in (([[0], [1]], [0, 1]), ([[0], [1], [7]], [0, 1, 0])):
        assert is_generic(X, y, Fraction(1, 3))
        assert brute_rare(X, y, Fraction(1, 3), restricted=False)


def test_weights_and_layers_count():
    # 1 * 2 = 2 * 1 with weights, and alpha^2 = 1/4 with two layers, make what was generic rare.
    assert is_generic([[1], [1]], [1, -1], Fraction(1, 3), [1, 2])
    assert not is_generic([[1], [1]], [1, -1], Fraction(1, 2), [1, 2])
    assert is_generic([[1], [1]], [1, -1], Fraction(1, 2), [1, 4])
    assert not is_generic([[1], [1]], [1, -1], Fraction(1, 2), [1, 4], layers=2)


def test_misuse_is_refused():
    with pytest.raises(SpecificationError, match="alpha"):
        is_generic([[1], [2]], [1, -1], 0)
    case = Case(dict(X=[[1.0], [2.0]], y=[1, -1], hidden=(1, 1)))
    with pytest.raises(SpecificationError, match="one fully connected"):
        subgradient_bound(case.network, np.zeros(case.network.size), [np.ones(4), np.ones(2)])
