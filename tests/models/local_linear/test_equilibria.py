from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError, Status
from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.equilibria import equilibria, patterns
from contcrit.models.local_linear.graph import NeuronGraph
from contcrit.models.local_linear.law import learn
from contcrit.models.local_linear.model import build
from contcrit.models.local_linear.starts import known_starts, label_of
from contcrit.models.local_linear.theory import H, worked_case, worked_data
from tests.models.local_linear.instances import SEEDS, WHOLE, weights


@st.composite
def pairs(draw):
    count, n = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    x = np.array(draw(st.lists(WHOLE, min_size=count * n, max_size=count * n))).reshape(count, n)
    y = np.array(draw(st.lists(WHOLE, min_size=count, max_size=count)))
    return LocalLinear(x, y, NeuronGraph.chain((draw(st.sampled_from([1, -1])),)))


@settings(max_examples=30, deadline=None)
@given(pairs())
def test_every_member_is_critical_and_has_its_pattern(data):
    for family in equilibria(data):
        z = data.X @ family.w.T
        gap = data.graph.signs[0] * (z[:, 0] - z[:, 1])
        close = 1e-7 * (1 + np.max(np.abs(family.w)))
        sides = np.where(np.abs(gap) < close, 0, np.sign(gap)).astype(int)
        assert tuple(sides) == family.pattern
        # The shares s solve sum s e x = 0 and sum (1 - s) e x = 0.
        pull = data.errors(family.w)[:, None] * data.X
        for share in (family.positions, 1.0 - family.positions):
            assert share @ pull == pytest.approx(0.0, abs=1e-7)
        assert np.all((family.positions >= 0) & (family.positions <= 1))
        assert data.cost(family.w) == pytest.approx(family.V, abs=1e-9)
        for direction in family.directions.T:
            d = 1e-5 * direction.reshape(family.w.shape)
            assert data.cost(family.w + d) == pytest.approx(family.V, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(pairs(), SEEDS)
def test_the_law_ends_in_a_family_of_the_list(data, seed):
    """Completeness, by another method: no limit of the law is missing."""
    path = learn(data, weights(data, seed))
    assume(path.status is Status.END_OF_TIME)
    costs = [family.V for family in equilibria(data)]
    assert np.min(np.abs(np.array(costs) - data.cost(path.end))) < 1e-7


@settings(max_examples=20, deadline=None)
@given(st.floats(-4.0, 4.0))
def test_the_worked_case_is_as_derived_in_exact_arithmetic(h):
    families = {}
    for family in equilibria(worked_data(h)):
        if not family.is_border:
            families.setdefault(label_of(worked_data(h), family), family)
    for name, known in worked_case().items():
        if known.lowest.is_finite and abs(h - float(known.lowest)) < 1e-5:
            continue
        assert (name in families) == bool(h >= known.lowest)
        if name in families:
            cost = float(known.cost.subs(H, h))
            assert pytest.approx(cost, abs=1e-10) == families[name].V
            assert families[name].dimension == known.dimension


def test_isolated_points_of_the_worked_case_have_the_hessian_of_the_paper():
    (found, exchanged) = (f for f in equilibria(worked_data(2.0)) if f.dimension == 0 and f.V < 0.1)
    assert found.w == pytest.approx(np.array([[0.0, -1.0], [0.0, 1.0]]), abs=1e-12)
    assert exchanged.w == pytest.approx(found.w[::-1])
    H_ = worked_data(2.0).observability(found.w)
    root = 3 * np.sqrt(5)
    assert np.linalg.eigvalsh(H_) == pytest.approx(
        np.array([7 - root, 7 - root, 7 + root, 7 + root]) / 2
    )


def test_borders_of_families_are_told_from_families_on_the_kink():
    data = LocalLinear([-2, -1, 0, 1, 2], [2, 1, 1.1, 1, 1.2], NeuronGraph.chain((1,)))
    kinds = {label_of(data, f): f.is_border for f in equilibria(data) if f.on_kink}
    assert kinds["2+1+2"] is False  # the saddle of the nonsmooth fold
    assert kinds["0+5+0"] is True
    labels = [label for label, _, _ in known_starts(data)]
    assert "2+1+2" in labels and len(labels) == len(set(labels))


@pytest.mark.parametrize("x", [[0.0, 1.0, 2.0], [1.0, 1.0, 3.0], [5.0], [2.0, 2.0]])
def test_patterns_on_a_line_are_those_of_random_functions(x):
    X = np.column_stack([np.ones(len(x)), x])
    found = set(patterns(X))
    generator = np.random.default_rng(0)
    tried = [generator.normal(size=2) for _ in range(2000)]
    for at, side in itertools.product(x, (1.0, -1.0)):
        tried.append(side * np.array([-at, 1.0]))
    seen = {tuple(np.sign(np.round(X @ w, 12)).astype(int)) for w in tried}
    assert seen <= found and len(found) == len(set(found))
    assert (0,) * len(x) in found


def test_patterns_in_the_plane_are_those_of_random_functions():
    generator = np.random.default_rng(1)
    X = np.column_stack([np.ones(4), generator.normal(size=(4, 2))])
    strict = {p for p in patterns(X) if 0 not in p}
    seen = {tuple(np.sign(X @ generator.normal(size=3)).astype(int)) for _ in range(5000)}
    assert seen == strict


def test_verdicts_of_whole_families_are_minima():
    problem = build(x=[-2, -1, 1, 2], y=[2, 1, 1, 2])
    for family in equilibria(problem.data):
        if not family.on_kink:
            verdict = problem.classify(family.w.ravel(), problem.default_values)
            assert verdict.kind == "minimum" and verdict.nullity == family.dimension


@pytest.mark.parametrize(
    "data",
    [
        LocalLinear([0.0], [1.0], NeuronGraph.chain((1, 1))),
        LocalLinear([0.0], [1.0], NeuronGraph.chain((1,)), "relu"),
        LocalLinear(np.arange(11.0), np.zeros(11), NeuronGraph.chain((1,))),
    ],
)
def test_what_is_no_small_pair_is_refused(data):
    with pytest.raises(SpecificationError, match="`data`"):
        equilibria(data)
