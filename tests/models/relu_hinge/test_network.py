from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.models.relu_hinge.criterion import binary, multiclass, one_versus_all
from contcrit.models.relu_hinge.network import HingeNetwork, convolution
from contcrit.models.relu_hinge.theory import penalty_identity
from tests.strategies_relu import DRAWS, Case, binary_cases, networks, random_positions


def relu(g):
    return max(g, 0.0)


def by_hand(case):
    """Return the loss, written as the paper writes it: one datum, one layer at a time."""
    data, blocks = case.data, case.blocks
    replicates = data.classes if data.loss == "penalised" else 1
    total = 0.0
    for r in range(replicates):
        own = {k: b[r] for k, b in blocks.items()} if data.loss == "penalised" else blocks
        names = list(own)
        for i, datum in enumerate(data.X):
            features = datum
            for level in range(len(data.widths)):
                W, b = own[names[2 * level]], own[names[2 * level + 1]]
                if data.bases[level] is not None:
                    W = sum(w * B for w, B in zip(W, data.bases[level], strict=True))
                g = np.atleast_2d(W) @ features + np.atleast_1d(b)
                features = data.alpha * np.minimum(g, 0) + np.maximum(g, 0)
            V = own["v"] if "v" in own else own["V"]
            yhat = np.atleast_1d(V @ features) + own.get("c", 0.0)
            label = int(data.y[i])
            if data.loss == "binary":
                total += data.weights[i] * relu(1 - label * yhat[0])
            elif data.loss == "multiclass":
                total += data.weights[i] * sum(
                    relu(1 + yhat[s] - yhat[label]) for s in range(data.classes) if s != label
                )
            elif data.loss == "one-versus-all":
                total += sum(
                    data.weights[i, s] * relu(1 + yhat[s] * (-1) ** (s == label))
                    for s in range(data.classes)
                )
            else:
                total += data.weights[i, r] * relu(1 + yhat[0] * (-1) ** (r == label))
    if data.loss == "penalised":
        names = list(blocks)[: 2 * len(data.widths)]
        spread = sum(np.sum((blocks[k] - blocks[k].mean(axis=0)) ** 2) for k in names)
        total += data.gamma * replicates / (replicates - 1) * spread
    return total


@given(networks())
def test_losses_are_those_of_the_paper(case):
    value = by_hand(case)
    assert float(case.network.loss(case.x)) == pytest.approx(value, rel=1e-12)


@given(networks())
def test_derivatives_agree_with_each_other_and_with_differences(case):
    network, x = case.network, case.x
    positions = network.positions(x)
    gradient = network.gradient(x)
    assert gradient == pytest.approx(network.gradient(x, positions), abs=1e-12)
    slopes = network.switching_jacobians(x, positions)
    assembled = (network.output_weights * positions[-1]) @ slopes[-1] + network.smooth_gradient(x)
    assert gradient == pytest.approx(assembled, abs=1e-11)
    hessian = network.hessian(x, positions)
    h = 1e-5
    steps = h * np.eye(network.size)
    bends = network.gradient(x + steps, positions) - network.gradient(x - steps, positions)
    assert hessian == pytest.approx(bends / (2 * h), abs=1e-6)
    # Within the cell: differences of the piece with these positions.
    slope = (network.loss(x + steps, positions) - network.loss(x - steps, positions)) / (2 * h)
    assert gradient == pytest.approx(slope, abs=1e-6)
    for level, values in enumerate(slopes):
        upper = network.switching(x + steps, positions)[level]
        lower = network.switching(x - steps, positions)[level]
        assert values == pytest.approx(((upper - lower) / (2 * h)).T, abs=1e-6)


@given(networks(), DRAWS)
def test_many_points_at_once_are_each_by_itself(case, seed):
    network = case.network
    x = np.random.default_rng(seed).normal(size=(2, 3, network.size))
    for place in np.ndindex(2, 3):
        assert network.loss(x)[place] == pytest.approx(network.loss(x[place]), rel=1e-12)
        assert network.gradient(x)[place] == pytest.approx(network.gradient(x[place]), abs=1e-13)
        assert np.array_equal(network.signature(x)[place], network.signature(x[place]))


# ---- Theorem 1 and Corollary 2 -------------------------------------------------------------------

UNPENALISED = st.sampled_from(("binary", "multiclass", "one-versus-all"))


@given(networks(UNPENALISED))
def test_hessian_of_a_cell_has_zero_blocks_and_both_signs(case):
    network = case.network
    hessian = network.hessian(case.x, network.positions(case.x))
    scale = 1.0 + np.max(np.abs(hessian))
    for place in network.places.values():
        assert np.max(np.abs(hessian[place, place])) <= 1e-12 * scale
    assert abs(np.trace(hessian)) <= 1e-12 * scale
    if np.max(np.abs(hessian)) > 1e-9:
        eigenvalues = np.linalg.eigvalsh(hessian)
        assert eigenvalues[0] < -1e-10
        assert eigenvalues[-1] > 1e-10


@given(networks(UNPENALISED), DRAWS)
def test_loss_of_a_cell_is_a_sum_of_forms_linear_in_each_block(case, seed):
    network, x = case.network, case.x
    positions = network.positions(x)
    rng = np.random.default_rng(seed)
    for place in network.places.values():
        step = np.zeros(network.size)
        step[place] = rng.normal(size=step[place].shape)
        values = network.loss(np.array([x, x + step, x + 2 * step, x - 3 * step]), positions)
        first = values[1] - values[0]
        assert values[2:] - values[0] == pytest.approx(
            [2 * first, -3 * first], abs=1e-11 * (1 + np.max(np.abs(values)))
        )


# ---- symmetries ----------------------------------------------------------------------------------


@given(binary_cases(sliced=False), st.floats(0.2, 5.0))
def test_gauge_leaves_the_loss_and_its_signature(case, t):
    network, blocks = case.network, case.blocks
    x = case.moved(W=t * blocks["W"], b=t * blocks["b"], v=blocks["v"] / t)
    assert network.loss(x) == pytest.approx(network.loss(case.x), abs=1e-12)
    # Euler: v dL/dv = w dL/dw + b dL/db, for every chain-rule subgradient.
    rng = np.random.default_rng(0)
    slope = network.unpack(network.gradient(case.x, random_positions(rng, network, case.x)))
    left = blocks["v"] * slope["v"]
    right = np.sum(blocks["W"] * slope["W"], axis=1) + blocks["b"] * slope["b"]
    assert left == pytest.approx(right, abs=1e-12)


@given(networks(UNPENALISED), st.floats(0.2, 5.0))
def test_scaling_the_data_is_absorbed_by_the_first_layer(case, t):
    larger = Case({**case.constants, "X": t * case.data.X}).network
    first = next(iter(case.blocks))
    x = case.moved(**{first: case.blocks[first] / t})
    assert larger.loss(x) == pytest.approx(case.network.loss(case.x), rel=1e-10)


@given(networks(st.just("penalised")), DRAWS)
def test_penalty_identity_holds_for_every_subgradient(case, seed):
    rng = np.random.default_rng(seed)
    positions = [rng.random(g.shape) for g in case.network.switching(case.x)]
    left, right = penalty_identity(case.network, case.x, positions)
    assert left == pytest.approx(right, rel=1e-9, abs=1e-10)
    assert right > 0


def test_repeated_parameters_cost_no_penalty():
    rng = np.random.default_rng(0)
    network = Case(dict(X=rng.normal(size=(4, 2)), y=[0, 1, 2, 0], loss="penalised")).network
    x = network.repeated(rng.normal(size=network.size // 3))
    assert network.penalty(x) == pytest.approx(0.0, abs=1e-28)
    assert network.loss(x) == pytest.approx(
        sum(n.loss(x[network.index[r]]) for r, n in enumerate(network.replicates))
    )


# ---- pieces of the construction ------------------------------------------------------------------


def test_convolution_slides_its_kernel():
    basis = convolution(5, 3, stride=2, inputs=2, outputs=2)
    assert basis.shape == (12, 4, 10)
    rng = np.random.default_rng(0)
    kernel, signal = rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 5))
    found = np.tensordot(kernel.ravel(), basis, axes=1) @ signal.ravel()
    for o, place in np.ndindex(2, 2):
        direct = np.sum(kernel[o] * signal[:, 2 * place : 2 * place + 3])
        assert found[2 * o + place] == pytest.approx(direct)


def test_multiclass_loss_is_that_of_equation_3_for_weights_that_sum_to_one():
    rng = np.random.default_rng(3)
    X, y, mu = rng.normal(size=(4, 2)), np.array([0, 1, 2, 1]), np.array([0.1, 0.4, 0.3, 0.2])
    network = HingeNetwork(X, (3,), multiclass(y, 3, mu), 0.1)
    x = rng.normal(size=network.size)
    yhat = network.predictions(x)
    with_constant = -1 + sum(
        mu[i] * sum(relu(1 + yhat[i, r] - yhat[i, y[i]]) for r in range(3)) for i in range(4)
    )
    assert network.loss(x) == pytest.approx(with_constant)
    # With other weights the constant -1 of equation 5 is wrong.
    other = HingeNetwork(X, (3,), multiclass(y, 3, 2 * mu), 0.1)
    assert other.loss(x) == pytest.approx(2 * (with_constant + 1) - 2)


def test_criteria_state_one_kink_for_each_wrong_answer():
    y = np.array([0, 2])
    many, all_ = multiclass(y, 3, np.ones(2)), one_versus_all(y, 3, np.ones((2, 3)))
    assert (len(many.weights), len(all_.weights), many.outputs) == (4, 6, 3)
    assert many.directions[0].tolist() == [1.0, -1.0, 0.0]
    assert all_.directions[:3].tolist() == [[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]]
    assert binary(np.array([-1]), np.ones(1)).directions.tolist() == [[-1.0]]


def test_signature_vanishes_exactly_on_kinks():
    network = HingeNetwork(np.array([[1.0], [2.0]]), (1,), binary(np.array([1, -1]), np.ones(2)), 0)
    x = network.pack(W=1.0, b=-1.0, v=1.0, c=-2.0)
    assert network.signature(x).tolist() == [0, 1, 1, 0]
