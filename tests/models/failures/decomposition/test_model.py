from __future__ import annotations

import functools
import pickle
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.models.failures.decomposition.model import MODEL, build, starts
from contcrit.models.failures.decomposition.signal import KAPPA
from contcrit.models.failures.decomposition.theory import (
    FOLD_OF_PAIRS,
    curvatures,
    fold,
    loss,
    roots,
)

problem_of = functools.cache(build)
PLANE = st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)).map(np.array)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_loss_is_that_of_samples(k):
    generator = np.random.default_rng(11)
    x = generator.standard_normal((300_000, k, 2))
    w, phi, s = np.array([0.5, -0.3]), 0.8, 0.4
    told = np.sign(x @ np.array([np.cos(phi), np.sin(phi)]))
    auxiliary = np.mean((x @ w - told) ** 2, axis=1) / 2
    product, label = np.prod(x @ w, axis=1), np.prod(np.sign(x[..., 0]), axis=1)
    sample = s * auxiliary + (1 - s) * (product - label) ** 2 / 2
    error = sample.std() / np.sqrt(len(sample))
    found = problem_of(k).potential(w, {"s": s, "phi": phi})
    assert abs(found - sample.mean()) < 4.5 * error
    assert error < 0.01


@settings(max_examples=20)
@given(st.integers(1, 5), st.floats(0, 1), PLANE)
def test_the_problem_is_the_gradient_of_the_loss(k, s, w):
    values = {"s": s, "phi": 0.0}
    problem = problem_of(k)
    assert problem.potential(w, values) == pytest.approx(loss(w, k, s), rel=1e-10, abs=1e-12)
    h = 1e-5
    slopes = [(loss(w + h * e, k, s) - loss(w - h * e, k, s)) / (2 * h) for e in np.eye(2)]
    assert problem.evaluate(w, values) == pytest.approx(slopes, rel=1e-5, abs=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 6), st.floats(0, 1))
def test_roots_are_critical_points_with_the_stated_curvatures(k, s):
    problem, values = problem_of(k), {"s": s, "phi": 0.0}
    for a in roots(k, s):
        w = np.array([KAPPA * a, 0.0])
        assert problem.evaluate(w, values) == pytest.approx([0, 0], abs=1e-7)
        H = problem.jacobian(w, values)
        assert pytest.approx(np.diag(curvatures(a, k, s)), abs=1e-8) == H


@settings(max_examples=5)
@given(st.sampled_from([2, 3]), st.floats(0.02, 1.0), st.sampled_from([0.0, 0.7, 2.4]))
def test_no_other_critical_points_are_found(k, s, phi):
    end = fold(k)
    if end is not None and abs(s - end[0]) < 0.01:
        s += 0.02
    found = cc.find(problem_of(k), (-1.5, 1.5), {"s": s, "phi": phi}, starts=32)
    for point in found:
        assert cc.classify(problem_of(k), point, {"s": s, "phi": phi}).kind != "maximum"
    if phi == 0.0:
        places = sorted(float(point[0]) / KAPPA for point in found)
        assert places == pytest.approx(roots(k, s), abs=1e-6)


def test_the_fold_of_pairs():
    found = fold(2)
    assert found is not None
    assert found[0] == pytest.approx(1 / (1 + pi), abs=1e-14) == FOLD_OF_PAIRS
    assert found[1] == pytest.approx(-0.5, abs=1e-12)
    assert [fold(k) for k in (1, 3, 5)] == [None] * 3


@pytest.mark.parametrize("k", [2, 4, 6])
def test_wrong_signs_end_in_a_fold(k):
    problem = problem_of(k)
    start = starts(problem)["opposite"]
    branch = cc.trace(problem, start.unknowns, "s", (0, 1), values=start.values)
    (special,) = branch.special_points
    expected = fold(k)
    assert expected is not None
    assert special.kind == "fold"
    assert special.parameter == pytest.approx(expected[0], abs=1e-10)
    assert special.x == pytest.approx([KAPPA * expected[1], 0], abs=1e-7)
    assert [verdict.kind for _, _, verdict in branch.verdicts] == ["minimum", "saddle"]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_target_is_a_minimum_for_every_weight(k):
    problem = problem_of(k)
    start = starts(problem)["target"]
    branch = cc.trace(problem, start.unknowns, "s", (0, 1), values=start.values)
    assert branch.special_points == ()
    assert [verdict.kind for _, _, verdict in branch.verdicts] == ["minimum"]


def test_three_inputs_have_two_folds_where_auxiliary_labels_are_off():
    problem, phi = problem_of(3), 1.5
    aim = KAPPA * np.array([np.cos(phi), np.sin(phi)])
    branch = cc.trace(problem, {"w": aim}, "s", (0, 1), values={"s": 1.0, "phi": phi})
    places = sorted(special.parameter for special in branch.of_kind("fold"))
    assert places == pytest.approx([0.0826497281, 0.2685864313], abs=1e-9)
    for special in branch.special_points:
        H = problem.jacobian(special.x, {"s": special.parameter, "phi": phi})
        assert abs(np.linalg.det(H)) < 1e-9
    (end,) = [z for z in branch.z if z[2] == 0]
    assert end[:2] == pytest.approx([KAPPA, 0], abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("s", [0.0, 0.3])
def test_the_best_length_is_proportional_to_the_cosine(k, s):
    problem = build(k=k, radial=True)
    branch = cc.trace(problem, {"r": KAPPA}, "c", (0.1, 1.0), values={"s": s, "c": 1.0})
    assert branch.z[:, 0] == pytest.approx(KAPPA * branch.z[:, 1], abs=1e-9)
    r, c = 0.37, 0.6
    w = np.array([r * c, r * np.sqrt(1 - c * c)])
    assert problem.potential([r], {"s": s, "c": c}) == pytest.approx(loss(w, k, s))


def test_the_origin_is_flat_end_to_end():
    H = [problem_of(k).jacobian([0.0, 0.0], {"s": 0.0, "phi": 0.0}) for k in (2, 3, 4)]
    assert H[0] == pytest.approx(np.diag([-2 * KAPPA**2, 0.0]))
    assert not H[1].any() and not H[2].any()


@pytest.mark.parametrize("constants", [{"k": 3}, {"k": 2}, {"k": 4, "radial": True}])
def test_starts_solve_their_problem_and_problems_are_rebuilt(constants):
    problem = build(**constants)
    for start in starts(problem).values():
        x = problem.point(start.unknowns)
        assert problem.evaluate(x, start.values) == pytest.approx(np.zeros(len(x)), abs=1e-12)
    assert MODEL.build(**problem.describe()["constants"]) == problem
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert starts(constants).keys() == starts(problem).keys()


@pytest.mark.parametrize(
    ("constants", "argument"), [({"k": 0}, "k"), ({"k": 2.5}, "k"), ({"radial": "yes"}, "radial")]
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as error:
        build(**constants)
    assert error.value.argument == argument
