"""The loss near a point: its pieces, its slice and its lift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from contcrit.criticality.clarke import classify_pieces
from contcrit.criticality.pieces import LiftablePieces, Pieces
from contcrit.models.relu_hinge.pieces import HingePieces
from contcrit.models.relu_hinge.scenarios import alpha_branches, unequal_classes
from tests.strategies_relu import DRAWS, Case, binary_cases, networks, verdict


@settings(max_examples=60)
@given(binary_cases(sliced=False))
def test_critical_points_of_the_slice_are_those_of_the_full_loss(case):
    v = case.blocks["v"]
    assume(np.all(v != 0))
    slice_ = Case({**case.constants, "output_weights": v})
    slice_.x = slice_.network.pack(**{k: b for k, b in case.blocks.items() if k != "v"})
    full, part = verdict(case), verdict(slice_)
    for key in ("critical", "local_minimum"):
        assert full.evidence[key] is not None
        assert full.evidence[key] is part.evidence[key]


@settings(max_examples=60)
@given(networks(), DRAWS)
def test_pieces_are_consistent(case, seed):
    network = case.network
    rng = np.random.default_rng(seed)
    # Put a hidden unit of the first layer on a kink.
    name = "b" if "b" in case.blocks else "b1"
    if not hasattr(network, "replicates"):
        b = case.blocks[name].copy()
        first = network.switching(case.x)[0].reshape(len(network.X), -1)
        b[0] -= first[0, 0]
        case.x = case.moved(**{name: b})
    pieces = case.pieces
    assert isinstance(pieces, Pieces)
    assert isinstance(pieces, LiftablePieces)
    signs = rng.choice((-1, 1), size=sum(pieces.levels))
    assert pieces.gradient(signs) == pytest.approx(pieces.hull_gradient((signs + 1) / 2))
    assert pieces.hessian(signs) == pytest.approx(pieces.hessian(signs).T)
    # A small step to a cell: the gradient there is that of the signs met there.
    near = case.x + 1e-7 * rng.normal(size=case.x.size)
    values = network.switching(near)
    met = np.concatenate(
        [np.where(g[kinks] > 0, 1, -1) for g, kinks in zip(values, pieces.active, strict=True)]
    )
    size = 1 + np.max(np.abs(pieces.hessian(met)))
    assert network.gradient(near) == pytest.approx(pieces.gradient(met), abs=1e-5 * size)
    for level, count in enumerate(pieces.levels):
        rows = pieces.switching_gradients(level, met[: sum(pieces.levels[:level])])
        assert rows.shape == (count, network.size)


def test_kinks_of_linear_units_do_not_count():
    case = Case(dict(X=[[1.0], [2.0]], y=[1, -1], alpha=1.0))
    case.x = case.network.pack(W=1.0, b=-1.0, v=1.0, c=1.0)
    assert case.pieces.levels == (0, 1)
    leaky = HingePieces(case.network.with_alpha(0.5), case.x)
    assert leaky.levels == (1, 1)


@pytest.mark.parametrize("label", "ABCD")
@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.7, 0.72, 0.9])
def test_worked_branches_are_sharp_minima_on_their_intervals(label, alpha):
    branch = alpha_branches()[label]
    low, high = branch.interval
    constants = dict(
        X=[[-5.0], [-2.0], [1.0], [2.0], [3.0], [6.0]], y=[1, -1, 1, -1, -1, 1], alpha=alpha
    )
    case = Case({**constants, "output_weights": [branch.sign]})
    case.x = branch.point(alpha)
    assert float(case.network.loss(case.x)) == pytest.approx(branch.loss(alpha), rel=1e-12)
    found = classify_pieces(case.pieces)
    assert (found.kind == "sharp minimum") is (low < alpha < high), found
    full = Case(constants)
    w, b, c = case.x
    full.x = full.network.pack(W=w, b=b, v=branch.sign, c=c)
    assert (classify_pieces(full.pieces).kind == "sharp minimum") is (low < alpha < high)


def test_where_branch_c_dies_it_is_flat_and_beyond_not_critical():
    branch = alpha_branches()["C"]
    for alpha, kind in ((0.75, "flat minimum"), (0.76, "not critical")):
        case = Case(
            dict(
                X=[[-5.0], [-2.0], [1.0], [2.0], [3.0], [6.0]],
                y=[1, -1, 1, -1, -1, 1],
                alpha=alpha,
                output_weights=[1.0],
            )
        )
        case.x = branch.point(alpha)
        assert classify_pieces(case.pieces).kind == kind
    assert branch.loss(0.75) == pytest.approx(1.0)


# ---- the lift ------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(binary_cases(sliced=False), DRAWS)
def test_lifted_unknowns_reach_every_perturbation(case, seed):
    """The lifted branches hold the image of small perturbations, with the same loss."""
    delta, rng = 1e-2, np.random.default_rng(seed)
    network, pieces = case.network, case.pieces
    W, b, v = case.blocks["W"], case.blocks["b"], case.blocks["v"]
    branches = pieces.lifted(delta)
    zero = np.flatnonzero(v == 0)
    assert len(branches) == 2 ** len(zero)
    # The cone shrinks with the distance of a vanishing unit from data that it does not pass.
    reach = 1e-6
    step = reach * rng.uniform(-1, 1, size=case.x.size)
    x = case.x + step
    blocks = network.unpack(x)
    signs = {int(k): (1 if blocks["v"][k] > 0 else -1) for k in zero}
    chosen = next(
        branch for branch in branches if all(branch.signs[k] == side for k, side in signs.items())
    )
    direction = []
    for k in range(len(v)):
        inner = np.append(blocks["W"][k], blocks["b"][k])
        base = np.append(W[k], b[k])
        scale = abs(blocks["v"][k])
        if k in signs:
            direction += [scale, *(scale * (inner - base) / chosen.reach[k])]
        else:
            direction += (scale * inner - abs(v[k]) * base).tolist()
    if "c" in blocks:
        direction.append(float(blocks["c"] - case.blocks["c"]))
    direction = np.array(direction)
    assert np.min(chosen.domain @ direction, initial=0.0) >= -1e-18
    # Piecewise linear: loss = loss(x0) + gradient of the cell met, times the step.
    values = network.switching(x)
    met = np.concatenate(
        [np.where(g[kinks] > 0, 1, -1) for g, kinks in zip(values, pieces.active, strict=True)]
    )
    change = float(network.loss(x) - network.loss(case.x))
    assert chosen.gradient(met) @ direction == pytest.approx(change, abs=1e-14)
    if len(zero):
        # A kink's row is positive exactly where its sign is.
        for level in (0, 1):
            first = sum(pieces.levels[:level])
            rows = chosen.switching_gradients(level, met[:first]) @ direction
            along = met[first : first + pieces.levels[level]]
            assert np.all(rows * along >= -1e-15)


def test_first_order_cells_are_too_few_where_v_vanishes():
    """Without the lift, a second-order descent is missed."""

    class Unlifted:
        def __init__(self, pieces):
            self._pieces = pieces
            self.size, self.levels, self.linear = pieces.size, pieces.levels, pieces.linear
            self.affine_cells = pieces.affine_cells

        def __getattr__(self, name):
            if name == "lifted":
                raise AttributeError(name)
            return getattr(self._pieces, name)

    scenario = unequal_classes(0.5)
    case = Case(dict(scenario.constants))
    case.x = case.network.pack(**scenario.points["constant"])
    lifted = classify_pieces(case.pieces)
    assert lifted.evidence["local_minimum"] is False
    assert lifted.evidence["lift"]["order"] == "second"
    without = classify_pieces(Unlifted(case.pieces))
    assert without.evidence["directionally_stationary"] is True


def test_nothing_is_lifted_beyond_one_layer_and_output():
    for constants in (
        dict(X=[[1.0], [2.0]], y=[1, -1], hidden=(1, 1)),
        dict(X=[[1.0], [2.0]], y=[0, 1], loss="multiclass"),
        dict(X=[[1.0], [2.0]], y=[1, -1], output_weights=[1.0]),
    ):
        case = Case(constants)
        case.x = np.zeros(case.network.size)
        assert len(case.pieces.lifted(1e-3)) == 0


def test_lifted_rows_are_well_scaled():
    """A dead unit beside one that passes a datum: directions of very different size."""
    for X, y, mu, x in (
        ([[-2.0], [4.0], [-6.0], [-2.0]], [1, -1, 1, 1], [1, 3, 1, 1], [0, 1, 0, -5, 0, 0, 2.75]),
        ([[-3.0, -6.0], [2.0, 4.0]], [1, -1], [3, 3], [2, 1, 2, -2, -8, -2, 0, 0, 1]),
    ):
        case = Case(dict(X=X, y=y, hidden=2, alpha=0.25, mu=np.array(mu) / 6.0))
        case.x = np.array(x, dtype=float)
        found = verdict(case)
        assert found.kind == "not critical"
        assert found.evidence["local_minimum"] is False
        assert max(found.evidence["lift"]["slopes"]) <= 3.0  # shares of the gradients' size
        for branch in case.pieces.lifted(1e-4):
            rows = branch.domain / np.linalg.norm(branch.domain, axis=1, keepdims=True)
            assert np.max(np.abs(rows)) <= 1.0
            assert np.min(np.abs(rows[rows != 0])) >= 0.5
