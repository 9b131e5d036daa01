from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

import contcrit as cc
from contcrit.errors import Status
from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.graph import NeuronGraph
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.model import build
from contcrit.models.local_linear.theory import H, dead_neuron, worked_case
from contcrit.models.local_linear.verdict import classify_local_linear
from tests.models.local_linear.instances import SEEDS, networks, weights


def verdict(data, w):
    return classify_local_linear(data, np.asarray(w, float), np.ones(data.shape, dtype=bool))


def gaps(data, w):
    """Return the distances of all data from all kinks, those far from being met included."""
    z = data.X @ w.T
    if data.units == "relu":
        return np.abs(z).ravel()
    return np.array([abs(row[i] - row[j]) for row in z for i in range(len(row)) for j in range(i)])


@settings(max_examples=60, deadline=None)
@given(networks(), SEEDS)
def test_minima_are_no_higher_than_their_surroundings(data, seed):
    """Points where the law rests, most of them on kinks or with dead neurons."""
    path = learn(data, weights(data, seed))
    assume(path.status is Status.END_OF_TIME)
    found = verdict(data, path.end)
    assume(found is not None)
    assert found.kind == "minimum"
    assume(all(gap < 1e-9 or gap > 1e-2 for gap in gaps(data, path.end)))
    generator = np.random.default_rng(seed)
    cost = data.cost(path.end)
    for size in (1e-3, 1e-4):
        for _ in range(40):
            direction = generator.normal(size=data.shape)
            near = path.end + size * direction / np.linalg.norm(direction) / np.max(np.abs(data.X))
            assert data.cost(near) >= cost - 1e-11 * (1 + cost)


@given(networks(), SEEDS)
def test_points_that_are_not_critical_have_no_verdict(data, seed):
    w = weights(data, seed)
    assume(data.kink_margin(w) > 1e-6 and np.max(np.abs(data.gradient(w))) > 1e-3)
    assert verdict(data, w) is None


@pytest.mark.parametrize("y", [1.0, -0.5, 0.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_switching_pairs_rest_at_their_target_and_nowhere_else(y, sign):
    data = LocalLinear(np.zeros((1, 0)), [y], NeuronGraph.chain((sign,)))
    tip, beside = [[y], [y]], [[y], [y - sign]]
    assert str(verdict(data, tip)) == "minimum (index 0)"
    assert str(verdict(data, beside)) == "minimum (index 0, nullity 1)"
    assert verdict(data, [[y + sign], [y + sign]]) is None  # slides
    assert verdict(data, [[y - sign], [y - sign]]) is None  # the slit


def test_relu_pairs_with_a_target_below_zero_rest_in_the_whole_quadrant():
    data = LocalLinear(np.zeros((1, 0)), [-1.0], NeuronGraph.chain((1,)), "relu")
    assert verdict(data, [[-1.0], [-2.0]]).nullity == 2
    for edge in ([[0.0], [-1.0]], [[0.0], [0.0]]):
        found = verdict(data, edge)
        assert found.kind == "minimum" and found.evidence["ties"] > 0
    above = LocalLinear(np.zeros((1, 0)), [1.0], NeuronGraph.chain((1,)), "relu")
    assert verdict(above, [[0.0], [0.0]]) is None  # an error below zero: V falls on both sides
    assert verdict(above, [[-0.1], [-0.1]]).kind == "minimum"


@pytest.mark.parametrize("h", [0.0, 0.9, 1.1, 3.0])
def test_the_end_of_a_family_is_a_minimum_up_to_h_1_and_clarke_critical_beyond(h):
    family = worked_case()["1+3"]
    offset, slope, m = (float(e.subs(H, h)) for e in (*family.weights, family.end))
    problem = build(x=[-2, -1, 1, 2], y=[2, 1, 1, h])
    found = cc.classify(problem, [2 + 2 * m, m, offset, slope], problem.default_values)
    if h < 1:
        assert found.kind == "minimum"
    else:
        assert found.kind != "minimum"
        assert found.evidence["critical"] and not found.evidence["directionally_stationary"]


def test_a_dead_neuron_leaves_a_minimum():
    data, w = dead_neuron()
    found = verdict(data, w)
    assert (found.kind, found.nullity) == ("minimum", 2)
    assert found.inertia == (0, 2, 2)


def test_held_weights_do_not_count():
    problem = build(x=[-2, -1, 1, 2], y=[2, 1, 1, 2], held={"w[0,1]": -2.0})
    found = problem.classify([-2.0, 8 / 7, 2 / 7], {"y[3]": 2.0, "w[0,1]": -2.0})
    assert (found.kind, found.nullity) == ("minimum", 0)


def test_a_datum_whose_output_bends_both_ways_has_no_verdict():
    graph = NeuronGraph.chain((1, -1))
    data = LocalLinear(np.zeros((1, 0)), [0.0], graph)
    assert verdict(data, [[1.0], [1.0], [1.0]]) is None
    assert verdict(data, [[0.0], [0.0], [0.0]]).kind == "minimum"
