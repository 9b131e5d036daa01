from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contcrit.contraction import flow
from contcrit.errors import SpecificationError, Status
from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.graph import NeuronGraph
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.model import build
from contcrit.models.local_linear.theory import (
    pair,
    relu_pair_flow,
    switching_pair_flow,
    theorem_2_counterexample,
)
from tests.models.local_linear.instances import SEEDS, networks, weights

POINTS = st.lists(
    st.one_of(st.floats(-3, 3).map(lambda v: round(v, 6)), st.integers(-2, 2).map(float)),
    min_size=2,
    max_size=2,
)
TARGETS = st.sampled_from([-1.0, -0.3, 0.0, 0.5, 1.0])
TIMES = (0.1, 0.7, 2.0, np.inf)


@given(POINTS, TARGETS, st.sampled_from([1, -1]))
def test_switching_pairs_follow_the_closed_form(z, y, sign):
    path = learn(pair(y, sign=sign), np.reshape(z, (2, 1)))
    assert path.status is Status.END_OF_TIME
    for time in TIMES:
        assert path(time).ravel() == pytest.approx(switching_pair_flow(z, y, time, sign), abs=1e-8)


@given(POINTS, TARGETS)
def test_relu_pairs_follow_the_closed_form(z, y):
    assume(y != 0.0)
    path = learn(pair(y, "relu"), np.reshape(z, (2, 1)))
    for time in TIMES[:-1]:
        assert path(time).ravel() == pytest.approx(relu_pair_flow(z, y, time), abs=1e-8)


def test_one_neuron_follows_the_exponential_of_its_matrix():
    from scipy.linalg import expm

    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(4, 2)), generator.normal(size=4)
    data = LocalLinear(x, y, NeuronGraph(1), T=1.7)
    w = generator.normal(size=(1, 3))
    best = np.linalg.lstsq(data.X, y, rcond=None)[0]
    path = learn(data, w)
    for time in (0.2, 1.0, 5.0):
        expected = best + expm(-data.X.T @ data.X * time / 1.7) @ (w[0] - best)
        assert path(time)[0] == pytest.approx(expected, abs=1e-11)
    assert path.end[0] == pytest.approx(best, abs=1e-11)


@settings(max_examples=12, deadline=None)
@given(networks(most_data=4), SEEDS)
def test_the_law_agrees_with_the_general_integrator(data, seed):
    """Two independent methods: exponentials of each mode, and Dormand and Prince with sliding."""
    w = weights(data, seed)
    assume(data.kink_margin(w) > 1e-3)
    problem = build(
        x=data.x, y=data.y, neurons=data.neurons, units=data.units,
        signs=data.graph.signs if data.units == "local" else 1,
    )  # fmt: skip
    path = learn(data, w, 2.0)
    found = flow(problem, w.ravel(), problem.default_values, 2.0, times=[0.5, 2.0])
    assume(path.status is Status.END_OF_TIME and found.status is Status.END_OF_TIME)
    for time, x in zip(found.t, found.x, strict=True):
        assert path(float(time)).ravel() == pytest.approx(x, abs=1e-7)


@given(networks(), SEEDS)
def test_the_cost_never_grows_and_the_limit_is_at_rest(data, seed):
    path = learn(data, weights(data, seed))
    assume(path.status is Status.END_OF_TIME)
    finite = [t for t in path.times if np.isfinite(t)]
    times = sorted({*finite, *(t + d for t in finite for d in (1e-3, 0.1, 1.0))})
    costs = np.array([data.cost(path(t)) for t in times] + [data.cost(path.end)])
    assert np.max(np.diff(costs), initial=0.0) <= 1e-9 * (1.0 + costs[0])
    longer = learn(data, path.end, 1.0)
    if not path.slides:
        assert longer.end == pytest.approx(path.end, abs=1e-6)


@given(networks(), SEEDS)
def test_pieces_of_a_path_join(data, seed):
    path = learn(data, weights(data, seed), 3.0)
    for time, point in zip(path.times[1:-1], path.points[1:-1], strict=True):
        assert path(time * (1 - 1e-12)) == pytest.approx(point, abs=1e-7)
        assert path(time) == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize("offset", [1e-3, 1e-6, 1e-9])
def test_a_short_visit_beyond_a_kink_is_not_missed(offset):
    """The first neuron dips below the kink by the offset only, and for a time of its root."""
    data, w = theorem_2_counterexample(offset)
    path = learn(data, w)
    assert len(path.modes) == 2
    data, w = theorem_2_counterexample(-offset)
    assert len(learn(data, w).modes) == 1


def test_data_at_one_input_reach_a_kink_together():
    x = np.array([[1.0], [1.0], [1.0]])
    twice = LocalLinear(x, [0.0, 1.0, -4.0], NeuronGraph.chain((1,)))
    once = LocalLinear(x[:1], [-1.0], NeuronGraph.chain((1,)), T=1.0 / 3.0)
    w = np.array([[3.0, 0.0], [2.0, 0.5]])
    for time in (0.05, 0.3, 1.0):
        assert learn(twice, w)(time) == pytest.approx(learn(once, w)(time), abs=1e-10)


def test_times_beyond_the_end_are_refused():
    path = learn(pair(1.0), [[0.0], [2.0]], 1.0)
    with pytest.raises(SpecificationError, match="`time`"):
        path(1.5)
    with pytest.raises(SpecificationError, match="`time`"):
        learn(pair(1.0), [[0.0], [2.0]], 0.0)
