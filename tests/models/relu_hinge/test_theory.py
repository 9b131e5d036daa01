"""What lies behind the paper's theorems on critical points, and what it omits.

The theorems themselves are claims of the model.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from contcrit.criticality.clarke import classify_pieces
from contcrit.errors import SpecificationError
from contcrit.models.relu_hinge.claims_generic import has_rare_collection
from contcrit.models.relu_hinge.pieces import HingePieces
from contcrit.models.relu_hinge.scenarios import (
    chain_rule_counterexample,
    figure_4,
    unequal_classes,
)
from contcrit.models.relu_hinge.theory import (
    is_generic,
    seen_and_unsolved,
    separation,
    subgradient_bound,
)
from contcrit.models.relu_hinge.vertices import chain_rule_holds_zero
from tests.strategies_relu import Case

LEAKY = st.sampled_from((0.25, 0.5, 1.0))
RELU = st.just(0.0)


def scenario_case(scenario, label):
    case = Case(dict(scenario.constants))
    case.x = case.network.pack(**scenario.points[label])
    return case


def verdict(case):
    return classify_pieces(case.pieces)


# ---- the quantitative form of Theorems 4 and 6 ---------------------------------------------------


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


# ---- Theorem 5 -----------------------------------------------------------------------------------


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


# ---- Definition 1 --------------------------------------------------------------------------------


def test_generic_data_of_three_classes():
    def rare(X, y):
        return has_rare_collection(X, y, Fraction(2, 5), literal=False)

    X, y = [[0], [1], [3]], [0, 1, 2]
    assert is_generic(X, y, Fraction(2, 5)) is not rare(X, y)
    again = [[1], [1], [3]]
    assert is_generic(again, y, Fraction(2, 5)) is False
    assert rare(again, y)


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
