from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.local_linear.graph import TABLE_1, NeuronGraph, asymmetries

SIGNS = st.lists(st.sampled_from([-1, 1]), max_size=6)


@given(SIGNS)
def test_a_chain_is_representable_and_its_groups_are_runs_of_one_sign(signs):
    graph = NeuronGraph.chain(signs)
    assert graph.representable
    runs = [(sign, len(list(run))) for sign, run in itertools.groupby(signs)]
    assert [(g.sign, len(g.members) - 1) for g in graph.groups] == (runs or [(1, 0)])
    assert sum(graph.multiplicities) - graph.neurons == len(graph.groups) - 1


def test_table_1_is_symmetric_with_19_edges_and_10_corners():
    graph = NeuronGraph.from_table(TABLE_1)
    assert asymmetries(TABLE_1) == []
    assert (graph.neurons, len(graph.edges), len(graph.corners)) == (10, 19, 10)
    for neuron, near in TABLE_1.items():
        assert graph.neighbours(neuron - 1) == tuple(sorted(j - 1 for j in near))


@pytest.mark.parametrize("neuron", [1, 5, 9])
def test_a_table_that_misses_an_entry_is_refused(neuron):
    broken = {i: near if i != neuron else near[1:] for i, near in TABLE_1.items()}
    assert asymmetries(broken) == [(TABLE_1[neuron][0], neuron)]
    with pytest.raises(SpecificationError, match="do not name each other"):
        NeuronGraph.from_table(broken)


@pytest.mark.parametrize("signs", list(itertools.product((-1, 1), repeat=3)))
def test_a_corner_needs_one_sign(signs):
    graph = NeuronGraph(3, ((0, 1), (0, 2), (1, 2)), signs)
    assert graph.representable == (len(set(signs)) == 1)


def test_triangles_that_share_a_neuron_may_bend_either_way():
    edges = ((0, 1), (0, 2), (1, 2), (2, 3), (2, 4), (3, 4))
    graph = NeuronGraph(5, edges, (1, 1, 1, -1, -1, -1))
    assert graph.representable and graph.multiplicities == (1, 1, 2, 1, 1)
    assert [g.members for g in graph.groups] == [(0, 1, 2), (2, 3, 4)]


def test_signs_and_neighbours_are_found_either_way_round():
    graph = NeuronGraph(3, ((0, 1), (1, 2)), (1, -1))
    assert (graph.sign(0, 1), graph.sign(1, 0), graph.sign(2, 1)) == (1, 1, -1)
    assert graph.neighbours(1) == (0, 2)
    assert np.all(np.diff(graph.neighbours(1)) > 0)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ((0,), "neurons"),
        ((2, ((1, 0),), (1,)), "edges"),
        ((2, ((0, 2),), (1,)), "edges"),
        ((2, ((0, 1), (0, 1)), (1, 1)), "edges"),
        ((3, ((0, 1),), (1,)), "edges"),
        ((2, ((0, 1),), (2,)), "signs"),
        ((2, ((0, 1),), ()), "signs"),
    ],
)
def test_graphs_that_are_none_are_refused(arguments, argument):
    with pytest.raises(SpecificationError, match=f"`{argument}`"):
        NeuronGraph(*arguments)
