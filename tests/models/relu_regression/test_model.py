from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.models.relu_regression.losses import NORMS
from contcrit.models.relu_regression.model import MODEL, build, starts
from tests.models.relu_regression.instances import SHAPES, reference, regressions

SEEDS = st.integers(0, 2**32 - 1)


@functools.cache
def kinked():
    return problem_of(reference("l1-squared"))


def problem_of(data):
    return build(
        X=data.X,
        w_star=data.w_star,
        norm=data.penalty.norm,
        regularisation_sign=data.penalty.regularisation_sign,
    )


@settings(max_examples=15)
@given(regressions(signs=(-1, 1)), SEEDS, st.floats(0.0, 2.0))
def test_the_empirical_problem_is_the_gradient_of_the_loss(data, seed, lam):
    problem = problem_of(data)
    w = np.random.default_rng(seed).standard_normal(data.dimension)
    assert problem.evaluate(w, {"lam": lam}) == pytest.approx(data.gradient(w, lam), abs=1e-11)
    assert problem.potential(w, {"lam": lam}) == pytest.approx(data.loss(w, lam), abs=1e-11)
    H = data.moment(data.active(w)) / data.count + data.penalty.hessian(np.sign(w), lam)
    assert problem.jacobian(w, {"lam": lam}) == pytest.approx(H, abs=1e-11)


@settings(max_examples=15)
@given(SEEDS, st.sampled_from(NORMS), st.sampled_from([-1, 1]), st.integers(2, 4), st.floats(0, 2))
def test_the_population_problem_is_the_gradient_of_the_loss(seed, norm, sign, d, lam):
    generator = np.random.default_rng(seed)
    d = d if norm == "l2" else 2
    problem = build(
        w_star=generator.standard_normal(d), norm=norm, regularisation_sign=sign, population=True
    )
    w = generator.standard_normal(d)
    values = {"lam": lam}
    assert problem.evaluate(w, values) == pytest.approx(-problem.data.field(w, lam), abs=1e-12)
    assert problem.potential(w, values) == pytest.approx(problem.data.loss(w, lam), abs=1e-12)


@pytest.mark.parametrize("norm", ["l1-squared", "l1"])
def test_a_mirrored_population_holds_counter_clockwise_of_the_teacher(norm):
    problem = build(w_star=[1, 1], norm=norm, population=True)
    w = np.array([-0.3, 0.8])
    assert problem.evaluate(w, {"lam": 0.3}) == pytest.approx(-problem.data.field(w, 0.3))
    assert (
        np.max(np.abs(problem.evaluate(w[::-1], {"lam": 0.3}) + problem.data.field(w[::-1], 0.3)))
        > 0.1
    )


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("distance", [0.0, 1e-16, 1e-12, 1e-8, 1e-3])
def test_the_population_law_is_differentiable_across_the_line_of_the_teacher(d, distance):
    w_star = np.random.default_rng(d).standard_normal(d)
    problem = build(w_star=w_star, population=True)
    across = np.eye(d)[0] - w_star[0] * w_star / (w_star @ w_star)
    w = 0.7 * w_star + distance * across
    H = problem.jacobian(w, {"lam": 0.2})
    # On the ray of w*: curvature 1/2 + lam along it, and across it too.
    expected = 0.7 * np.eye(d)
    assert pytest.approx(expected, abs=1e-12 + 3 * distance) == H
    assert pytest.approx(H.T, abs=1e-14) == H


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_on_one_hyperplane_share_a_kink(shape):
    from tests.models.relu_regression.instances import inputs

    X = inputs(shape, 6, 2, np.random.default_rng(1))
    problem = build(X=X, w_star=[1.0, -2.0])
    directions = X[np.linalg.norm(X, axis=1) > 0]
    directions = directions / np.linalg.norm(directions, axis=1)[:, None]
    angles = np.mod(np.arctan2(directions[:, 1], directions[:, 0]), np.pi)
    assert len(problem.switches) == len(np.unique(angles.round(9)))


def test_problems_are_rebuilt_from_their_description_and_pickle():
    for problem in (
        problem_of(reference("l1-squared", 1)),
        build(w_star=[1.0, 2.0, 0.5], population=True),
        build(w_star=[1.0, 2.0], norm="l1", population=True),
    ):
        again = cc.models.rebuild(problem.describe())
        carried = pickle.loads(pickle.dumps(problem))
        w = np.array([0.3, -0.2, 0.5])[: problem.size]
        for other in (again, carried):
            assert other == problem
            assert other.describe() == problem.describe()
            assert other.evaluate(w, {"lam": 0.2}) == pytest.approx(
                problem.evaluate(w, {"lam": 0.2}), abs=1e-15
            )


def test_starts_are_critical_points():
    problem = problem_of(reference("l1-squared"))
    found = starts(problem, lam=0.7)
    assert list(found) == ["teacher", "minimum 1"]
    for start in found.values():
        residual = problem.evaluate(problem.point(start.unknowns), start.values)
        assert residual == pytest.approx(0.0, abs=1e-12)
    assert list(MODEL.starts(MODEL.example)) == ["teacher"]


@settings(max_examples=12)
@given(
    regressions(dimensions=(2,), shapes=("generic", "duplicates", "on an axis"), largest=6),
    st.sampled_from([0.05, 0.6]),
)
def test_the_general_classifier_agrees_with_the_exact_cells(data, lam):
    problem = problem_of(data)
    for point in problem.cells.critical_points(lam).points:
        general = cc.classify(problem, point.w, {"lam": lam})
        if point.verdict.kind in ("minimum", "sharp minimum", "maximum", "saddle"):
            assert general.kind in (
                point.verdict.kind,
                "undecided",
                "Clarke critical",
                "degenerate",
            )
        # Both must never contradict each other about minima.
        if "minimum" in general.kind:
            assert point.verdict.kind not in ("saddle", "maximum", "Clarke critical")


@given(SEEDS)
def test_random_points_are_not_critical_for_either_classifier(seed):
    generator = np.random.default_rng(seed)
    data = reference("l1-squared")
    w = generator.standard_normal(2)
    assume(np.linalg.norm(data.gradient(w, 0.3)) > 1e-3)
    assert kinked().cells.classify(w, 0.3).kind == "not critical"
    assert cc.classify(kinked(), w, {"lam": 0.3}).kind == "not critical"


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"w_star": [1.0, 1.0]}, "X"),
        ({"X": [[1.0, 0.0]], "w_star": [1.0, 1.0], "population": True}, "X"),
        ({"X": [[1.0, 0.0]]}, "w_star"),
        ({"X": [[1.0, 0.0]], "w_star": [1.0]}, "X"),
        ({"w_star": [1.0, 1.0, 1.0], "norm": "l1", "population": True}, "w_star"),
        ({"w_star": [0.0, 0.0], "population": True}, "w_star"),
        ({"X": [[1.0]], "w_star": [1.0], "norm": "l0"}, "norm"),
        ({"X": [[1.0]], "w_star": [1.0], "regularisation_sign": 0}, "regularisation_sign"),
        ({"w_star": [1.0, 1.0], "population": "yes"}, "population"),
        ({"w_star": [1.0, 1.0], "lam": 1.0}, "lam"),
    ],
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as caught:
        MODEL.build(**constants)
    assert caught.value.argument == argument


def test_critical_points_at_one_lam_are_for_empirical_problems():
    with pytest.raises(SpecificationError, match="find"):
        starts(MODEL.example, lam=1.0)
