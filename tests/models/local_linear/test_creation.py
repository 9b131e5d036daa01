from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.local_linear.creation import (
    contracted,
    grow,
    is_chain,
    prune,
    split,
    worst_datum,
)
from contcrit.models.local_linear.data import LocalLinear, corners
from contcrit.models.local_linear.graph import TABLE_1, NeuronGraph
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.theory import POLYGON_COSTS, polygon
from tests.models.local_linear.instances import SEEDS, networks, weights


@given(networks(units=("local",)), SEEDS, st.data())
def test_a_split_leaves_the_function_as_it_is(data, seed, more):
    w = weights(data, seed)
    i = more.draw(st.integers(0, data.neurons - 1))
    beside = {s for e, s in zip(data.graph.edges, data.graph.signs, strict=True) if i in e}
    sign = more.draw(st.sampled_from(sorted(beside) or [1, -1]))
    larger, wider = split(data, w, i, sign)
    assert larger.neurons == data.neurons + 1 and is_chain(larger.graph)
    points = np.column_stack(
        [np.ones(20), np.random.default_rng(seed).normal(size=(20, data.x.shape[1]))]
    )
    assert larger.outputs(wider, X=points) == pytest.approx(data.outputs(w, X=points), abs=1e-10)


def test_a_split_that_would_change_the_cost_is_refused():
    # min(z_0, z_1, z_2) with corners out of order: parting it by an edge of +1 changes it.
    data = LocalLinear([0.0], [0.0], NeuronGraph.chain((-1, -1)))
    w = [[0.0, 1.0], [5.0, 0.0], [0.0, -1.0]]
    with pytest.raises(SpecificationError, match="`sign`"):
        split(data, w, 1, 1)
    assert split(data, w, 1, -1)[0].neurons == 4


@settings(max_examples=40)
@given(st.integers(4, 9), SEEDS, st.integers(1, 3))
def test_growth_never_raises_the_cost(count, seed, steps):
    generator = np.random.default_rng(seed)
    data = LocalLinear(np.arange(count), generator.normal(size=count), NeuronGraph(1))
    w = learn(data, np.zeros((1, 2))).end
    for _ in range(min(steps, count - 3)):
        at = worst_datum(data, w)
        larger, wider = grow(data, w)
        assert larger.cost(wider) <= data.cost(w) + 1e-10
        assert np.min(np.abs(corners(wider) - at)) < 1e-6 or at in data.x
        data, w = larger, wider
    bends = np.sign(np.diff(w[:, 1]))
    live = np.abs(np.diff(w[:, 1])) > 1e-9
    assert np.array_equal(bends[live], np.array(data.graph.signs)[live])


def test_the_polygon_is_learnt_with_the_costs_of_the_example():
    data = polygon()
    w = learn(data, [[0.0, 0.0]]).end
    assert data.cost(w) == pytest.approx(float(POLYGON_COSTS["one neuron"]), abs=1e-11)
    assert worst_datum(data, w) == 6.0
    for at, cost, corner in ((6, 43 / 45, 1527 / 241), (5, 737 / 630, 255 / 43)):
        pair, v = grow(data, w, [at])
        v = learn(pair, v).end
        assert pair.cost(v) == pytest.approx(cost, abs=1e-11)
        assert corners(v) == pytest.approx([corner], abs=1e-9)
        four, u = grow(pair, v, [3, 9])
        u = learn(four, u).end
        assert four.cost(u) < 1e-20 and corners(u) == pytest.approx([3, 6, 9], abs=1e-9)


@given(networks(units=("local",), most_neurons=4), SEEDS, st.booleans())
def test_pruning_leaves_the_outputs_and_no_equal_neighbours(data, seed, equal):
    w = weights(data, seed)
    if equal and data.neurons > 1:
        w[1] = w[0]
    smaller, fewer = prune(data, w)
    assert smaller.outputs(fewer) == pytest.approx(data.outputs(w), abs=1e-8)
    for i, j in smaller.graph.edges:
        assert np.max(np.abs(fewer[i] - fewer[j])) > 1e-9
    assert smaller.neurons < data.neurons or not equal or data.neurons == 1
    signs = set(smaller.graph.signs)
    if len(signs) <= 1:  # a maximum or minimum: each neuron that is left answers a datum
        used = np.any(smaller.selection(fewer), axis=0)
        assert np.all(used) or smaller.neurons == 1


def test_a_neuron_without_data_goes_and_its_neighbours_meet():
    data = LocalLinear(np.arange(3.0), np.zeros(3), NeuronGraph.chain((1, 1, 1)))
    w = np.array([[0.0, -1.0], [-9.0, 0.0], [-4.0, 0.5], [-3.0, 2.0]])
    smaller, fewer = prune(data, w)
    assert smaller.neurons == 2 and smaller.graph.edges == ((0, 1),)
    assert fewer.tolist() == [w[0].tolist(), w[3].tolist()]


def test_contraction_joins_neighbours():
    graph = NeuronGraph.from_table(TABLE_1)
    smaller = contracted(graph, 2, 1)  # neuron 3 into neuron 2, as in Figure 7
    assert smaller.neurons == 9 and smaller.representable
    # Neuron 2 gains neuron 7 as a neighbour; 3 had 7, 6 and 2.
    assert smaller.neighbours(1) == tuple(sorted({0, 4, 3, 5}))
    assert len(smaller.edges) == 19 - 2


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda d, w: split(d, w, 5), "i"),
        (lambda d, w: split(d, w, 0, 0), "sign"),
        (lambda d, w: grow(d, w, [0.0]), "at"),
        (lambda d, w: grow(d, w, [1.0, 1.0]), "at"),
        (lambda d, w: grow(LocalLinear(np.eye(2), [0, 1], NeuronGraph(1)), [[0, 0, 0]]), "data"),
        (lambda d, w: worst_datum(LocalLinear([0.0, 1.0], [0, 1], NeuronGraph(1)), w), "data"),
        (lambda d, w: prune(LocalLinear([0.0], [0.0], NeuronGraph(1), "relu"), w), "data"),
    ],
)
def test_misuse_is_refused(call, argument):
    data = LocalLinear(np.arange(4.0), np.zeros(4), NeuronGraph(1))
    with pytest.raises(SpecificationError, match=f"`{argument}`"):
        call(data, np.zeros((1, 2)))
