from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.local_linear.data import LocalLinear, corners
from contcrit.models.local_linear.graph import NeuronGraph
from tests.models.local_linear.instances import SEEDS, networks, weights


@given(networks(), SEEDS)
def test_the_law_is_the_gradient_of_the_cost(data, seed):
    w = weights(data, seed)
    assume(data.kink_margin(w) > 1e-4)
    step = 1e-6
    slopes = np.empty(w.shape)
    for place in np.ndindex(*w.shape):
        moved = np.zeros(w.shape)
        moved[place] = step
        slopes[place] = (data.cost(w + moved) - data.cost(w - moved)) / (2 * step)
    assert data.gradient(w) == pytest.approx(slopes, abs=1e-6, rel=1e-6)
    assert data.law(w) == pytest.approx(-data.gradient(w) / data.T)


@given(networks(units=("local",)), SEEDS)
def test_one_sign_gives_the_maximum_or_minimum_of_all(data, seed):
    signs = set(data.graph.signs)
    assume(len(signs) == 1)
    w = weights(data, seed)
    z = data.X @ w.T
    extreme = np.max(z, axis=1) if signs == {1} else np.min(z, axis=1)
    assert data.outputs(w) == pytest.approx(extreme)


@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=5), SEEDS)
def test_ordered_neurons_answer_between_their_corners(signs, seed):
    """Equation 5: with corners in order and kinks as the signs say, neuron i owns its interval."""
    generator = np.random.default_rng(seed)
    at = np.sort(generator.uniform(-3, 3, len(signs)))
    assume(np.min(np.diff(at), initial=1.0) > 1e-3)
    slopes = np.cumsum([generator.normal(), *(s * generator.uniform(0.2, 2) for s in signs)])
    offsets = [generator.normal()]
    for i, corner in enumerate(at):
        offsets.append(offsets[-1] + (slopes[i] - slopes[i + 1]) * corner)
    w = np.column_stack([offsets, slopes])
    x = generator.uniform(-5, 5, 40)
    data = LocalLinear(x, np.zeros(40), NeuronGraph.chain(signs))
    assert corners(w) == pytest.approx(at)
    place = np.searchsorted(at, x)
    assert np.array_equal(data.owners(w), place)
    assert data.outputs(w) == pytest.approx(w[place, 0] + w[place, 1] * x)
    for point, i in zip(x, place, strict=True):
        assert data.inside(w, int(i), [point])


@given(networks(), SEEDS, SEEDS)
def test_outputs_are_lipschitz_in_the_weights(data, seed, other):
    w, v = weights(data, seed), weights(data, other)
    bound = sum(2 * m - 1 for m in data.graph.multiplicities)
    reach = np.max(np.linalg.norm(data.X, axis=1)) * np.max(np.linalg.norm(w - v, axis=1))
    assert np.max(np.abs(data.outputs(w) - data.outputs(v))) <= bound * reach + 1e-12


@given(networks(), SEEDS)
def test_the_hessian_of_a_region_is_positive_semidefinite(data, seed):
    w = weights(data, seed)
    H = data.observability(w)
    assert np.min(np.linalg.eigvalsh(H)) > -1e-9
    if data.kink_margin(w) > 1e-3:
        d = weights(data, seed + 1, 1e-4)
        change = data.gradient(w + d) - data.gradient(w)
        if data.kink_margin(w + d) > 0 and np.array_equal(data.selection(w), data.selection(w + d)):
            assert change.ravel() == pytest.approx(data.T * H @ d.ravel(), abs=1e-9)


def test_on_a_kink_the_neuron_with_the_smaller_number_is_in_charge():
    data = LocalLinear(np.zeros((1, 0)), [0.0], NeuronGraph.chain((1,)))
    assert data.owners(np.array([[1.0], [1.0]])).tolist() == [0]
    relu = LocalLinear(np.zeros((1, 0)), [0.0], NeuronGraph.chain((1,)), "relu")
    assert relu.selection(np.array([[0.0], [2.0]])).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        (([[0.0]], [0.0, 1.0], NeuronGraph(1)), "y"),
        (([[np.nan]], [0.0], NeuronGraph(1)), "x"),
        (("a", [0.0], NeuronGraph(1)), "x"),
        (([[0.0]], [0.0], NeuronGraph(1), "tanh"), "units"),
        (([[0.0]], [0.0], NeuronGraph(1), "local", -1.0), "T"),
        (([[0.0]], [0.0], NeuronGraph(3, ((0, 1), (0, 2), (1, 2)), (1, 1, -1))), "signs"),
    ],
)
def test_what_is_no_network_is_refused(arguments, argument):
    with pytest.raises(SpecificationError, match=f"`{argument}`"):
        LocalLinear(*arguments)
