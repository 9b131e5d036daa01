"""Corollary 1 and Theorems 2 and 3: flat cells, and the figure with an unsolved point in sight."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import contcrit as cc
from contcrit.criticality.clarke import classify_pieces
from contcrit.errors import SpecificationError
from contcrit.models.relu_hinge.cells import classify_in_cell, is_flat
from contcrit.models.relu_hinge.claims_generic import flat_patterns_with_loss
from contcrit.models.relu_hinge.model import build
from contcrit.models.relu_hinge.network import HingeNetwork
from contcrit.models.relu_hinge.pieces import HingePieces
from contcrit.models.relu_hinge.scenarios import figure_4, figure_5
from contcrit.models.relu_hinge.theory import (
    enclosure_bound,
    is_generic,
    seen_and_unsolved,
    separation,
)
from tests.strategies_relu import DRAWS, Case, networks

UNPENALISED = st.sampled_from(("binary", "multiclass", "one-versus-all"))


def scenario_case(scenario, label):
    case = Case(dict(scenario.constants))
    case.x = case.network.pack(**scenario.points[label])
    return case


# ---- Corollary 1 ---------------------------------------------------------------------------------


def test_one_gradient_that_vanishes_does_not_make_a_cell_flat():
    # Three linear layers at zero: gradient and Hessian vanish, and the loss is not flat.
    case = Case(dict(X=[[-1.0], [1.0]], y=[-1, 1], hidden=(1, 1), alpha=1.0))
    case.x = np.zeros(case.network.size)
    positions = case.network.positions(case.x)
    assert np.all(case.network.gradient(case.x) == 0)
    assert np.all(case.network.hessian(case.x, positions)[:4, :4] == 0)
    assert not is_flat(case.network, positions)
    assert classify_in_cell(case.network, case.x).kind == "saddle"
    assert cc.classify(case.problem, case.x).kind == "saddle"


@given(networks(UNPENALISED))
def test_saddles_in_cells_have_both_signs_where_the_hessian_counts(case):
    network = case.network
    # Output weights and biases at rest make every gradient but theirs vanish.
    blocks = {k: np.zeros(s) for k, s in network.blocks.items() if k in ("v", "V")}
    case.x = case.moved(**blocks)
    found = classify_in_cell(network, case.x)
    if found.inertia is not None:
        assert found.inertia[0] > 0
        assert found.inertia[2] > 0
        assert sum(found.inertia) == network.size


# ---- Theorem 2 -----------------------------------------------------------------------------------


@given(networks(st.sampled_from(("binary", "multiclass"))))
def test_theorem_2_zero_loss_has_a_flat_cell_of_zero_loss_beside(case):
    # Label the data as the network ranks them, and scale it until the worst margin is at its kink.
    yhat = case.network.predictions(case.x)
    if case.data.loss == "binary":
        case = Case({**case.constants, "y": np.where(yhat[:, 0] > 0, 1, -1)}, case.x)
    else:
        y = np.argmax(yhat, axis=1)
        y[0] = yhat.shape[1] - 1 if yhat[0, -1] == np.max(yhat[0]) else y[0]
        assume(np.max(y) == yhat.shape[1] - 1)
        case = Case({**case.constants, "y": y}, case.x)
    network, criterion = case.network, case.network.criterion
    assume(criterion.outputs == yhat.shape[1])
    reach = np.einsum("jr,jr->j", yhat[criterion.data], criterion.directions)
    assume(np.min(reach) > 1e-3)
    names = [k for k in ("v", "V", "c") if k in case.blocks]
    scaled = {k: case.blocks[k] / np.min(reach) for k in names}
    case.x = case.moved(**scaled)
    assert float(network.loss(case.x)) == pytest.approx(0.0, abs=1e-12)
    assert HingePieces(network, case.x).levels[-1] >= 1
    beside = case.moved(**{k: (1 + 1e-7) * b for k, b in scaled.items()})
    assert float(network.loss(beside)) == 0.0
    assert is_flat(network, network.positions(beside))


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("hidden", [1, 2, (2, 2)])
def test_theorem_2_at_kinks_of_zero_loss(alpha, hidden):
    # Every margin at its kink: a flat minimum, never a sharp one.
    case = Case(dict(X=[[1.0], [-1.0]], y=[1, -1], hidden=hidden, alpha=alpha))
    blocks = {name: np.zeros(shape) for name, shape in case.network.blocks.items()}
    for name in blocks:
        if name[0] == "W":
            blocks[name] = np.full(blocks[name].shape, 1.0)
    case.x = case.network.pack(**blocks)
    features = case.network.predictions
    top = case.network.pack(**{**blocks, "v": np.ones(blocks["v"].shape)})
    high, low = features(top)[:, 0]
    scale = 2.0 / (high - low)
    blocks["v"] = np.full(blocks["v"].shape, scale)
    blocks["c"] = 1.0 - scale * high
    case.x = case.network.pack(**blocks)
    assert float(case.network.loss(case.x)) == pytest.approx(0.0, abs=1e-15)
    assert sum(case.pieces.levels) >= 2
    found = classify_pieces(case.pieces)
    assert found.kind not in ("sharp minimum", "not critical", "saddle")
    if case.network.widths in ((1,), (2,)):
        assert found.kind == "flat minimum"


# ---- Theorem 3 -----------------------------------------------------------------------------------


@given(st.lists(st.integers(-2, 3), min_size=2, max_size=3), st.sampled_from((0.5, 0.25)), DRAWS)
def test_theorem_3_generic_data_have_no_flat_cells_with_loss(values, alpha, seed):
    rng = np.random.default_rng(seed)
    y = [1, -1, *rng.choice((-1, 1), size=len(values) - 2).tolist()]
    X = [[float(v)] for v in values]
    network = Case(dict(X=X, y=y, alpha=alpha)).network
    # Patterns are abstract here, whether or not parameters have them: the definition counts all.
    assert flat_patterns_with_loss(network) is not is_generic(X, y, Fraction(alpha))


def test_theorem_3_needs_alpha_and_generic_data():
    for label in ("4b", "4c"):
        case = scenario_case(figure_4(), label)
        assert classify_in_cell(case.network, case.x).kind == "flat minimum"
        assert case.network.loss(case.x) > 0
        leaky = case.network.with_alpha(0.1)
        assert not is_flat(leaky, leaky.positions(case.x))
    # Opposite labels at one place: flat cells of loss 1 for every alpha.
    twins = Case(dict(X=[[1.0], [1.0]], y=[1, -1], alpha=0.5))
    twins.x = twins.network.pack(W=1.0, b=1.0, v=0.1, c=0.0)
    assert not is_generic([[1], [1]], [1, -1], Fraction(1, 2))
    assert classify_in_cell(twins.network, twins.x).kind == "flat minimum"
    assert float(twins.network.loss(twins.x)) == pytest.approx(1.0)


# ---- Figures 4 and 5 -----------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["4a", "4b", "4c"])
def test_figure_4_shows_three_flat_minima(label):
    scenario = figure_4()
    problem = build(**scenario.constants)
    found = cc.classify(problem, scenario.points[label])
    assert found.kind == "flat minimum"
    assert found.evidence["loss"] == pytest.approx(scenario.losses[label])


def test_figure_4b_with_an_output_bias_is_not_critical():
    scenario = figure_4(output_bias=True)
    problem = build(**scenario.constants)
    kinds = {label: cc.classify(problem, x).kind for label, x in scenario.points.items()}
    assert kinds == {"4a": "flat minimum", "4b": "not critical", "4c": "flat minimum"}


def test_figure_5_is_a_local_minimum_that_sees_what_it_misses():
    scenario = figure_5()
    problem = build(**scenario.constants)
    local = cc.classify(problem, scenario.points["local"])
    assert local.kind == "sharp minimum"
    assert local.evidence["lower_bound"] == pytest.approx(0.5)
    network = problem.network()
    x = problem.pack(**scenario.points["local"])
    assert seen_and_unsolved(network, x).tolist() == [2]
    assert float(network.loss(x)) == pytest.approx(0.5)
    assert float(network.loss(problem.pack(**scenario.points["global"]))) == 0.0
    for r in range(3):  # each class can be separated from the others
        labels = np.where(np.array(scenario.constants["y"]) == r, 1, -1)
        assert separation(scenario.constants["X"], labels) > 0


@given(DRAWS, st.floats(1e-6, 0.4))
def test_figure_5_bound_holds_all_around(seed, reach):
    scenario = figure_5()
    case = scenario_case(scenario, "local")
    rng = np.random.default_rng(seed)
    near = case.x + reach * rng.uniform(-1, 1, size=(200, case.x.size))
    # Any V and c, and units for which the order of the features stays as it is.
    near[:, 3:] += rng.normal(scale=3.0, size=near[:, 3:].shape) * (rng.random() < 0.5)
    h = case.network.switching(near)[0]
    same = (h[:, 0] < 0) & (h[:, 2] > 0) & (h[:, 2] < h[:, 1])
    assert np.all(case.network.loss(near)[same] >= 0.5 - 1e-12)
    if reach < 0.1:
        assert np.all(same)


def test_enclosure_says_nothing_where_features_have_no_order():
    scenario = figure_5()
    assert enclosure_bound(*_network_and_point(scenario, "global")) == 0.0
    case = scenario_case(scenario, "local")
    assert enclosure_bound(case.network, case.moved(W=[[0.0, 1.0]], b=[1.0])) == 0.0  # at a kink
    with pytest.raises(SpecificationError, match="one hidden unit"):
        enclosure_bound(scenario_case(figure_4(), "4a").network, np.zeros(8))


def _network_and_point(scenario, label) -> tuple[HingeNetwork, np.ndarray]:
    case = scenario_case(scenario, label)
    return case.network, case.x
