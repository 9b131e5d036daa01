"""What lies behind the paper's lemmas and theorems; they themselves are claims of the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from contcrit.errors import SpecificationError
from contcrit.models.relu_regression.cells import CellComplex
from contcrit.models.relu_regression.losses import Penalty, PopulationRegression, ReluRegression
from contcrit.models.relu_regression.theory import (
    bound_17,
    bound_27,
    bound_33,
    in_region,
    lyapunov_derivative,
    pattern_limit,
    population_solution,
    rank_probability,
    slope,
    solution,
)
from tests.models.relu_regression.instances import reference, regressions

SEEDS = st.integers(0, 2**32 - 1)
ONES = np.ones(2)


def kept(data: ReluRegression, lam: float) -> bool:
    """Tell whether the solution with the teacher's pattern has that pattern."""
    found = solution(data, lam)
    return bool(np.array_equal(data.active(found), data.active(data.w_star)))


def in_ball(unit: PopulationRegression, generator: np.random.Generator) -> np.ndarray:
    """Return a random point of the open ball of Theorem 2."""
    d = unit.w_star.size
    direction = generator.standard_normal(d)
    share = 0.999 * generator.random() ** (1 / d)
    length = np.linalg.norm(unit.w_star)
    return unit.w_star + share * length * direction / np.linalg.norm(direction)


# ---- Lemmas -----------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(0, 60))
def test_lemma_1_is_the_binomial_distribution(N, k):
    assume(k <= N)
    assert rank_probability(k, N) == pytest.approx(binom.cdf(k, N, 0.5), rel=1e-12)


def test_lemma_1_counts_active_rows(rng):
    N, draws = 6, 20_000
    counts = np.sum(rng.standard_normal((draws, N, 3)) @ np.array([1.0, -2.0, 0.5]) > 0, axis=1)
    for k in range(N + 1):
        p = rank_probability(k, N)
        assert abs(np.mean(counts <= k) - p) < 4.5 * np.sqrt(p * (1 - p) / draws) + 1e-12


@given(regressions(shapes=("generic",), dimensions=(2, 3)))
def test_lemma_2_holds_row_by_row(data):
    B = data.moment()
    enough = int(np.sum(data.active(data.w_star))) >= data.dimension
    assert (np.linalg.matrix_rank(B) == data.dimension) == enough


# ---- Theorem 1 and equations 14 to 17 ----------------------------------------------------------


def test_the_printed_solution_is_singular_at_the_eigenvalues():
    data = reference(sign=1)
    eigenvalues = np.linalg.eigvalsh(data.moment() / data.count)
    assert eigenvalues == pytest.approx([0.0400231783, 0.3874565716], abs=5e-11)
    for value in eigenvalues:
        with np.errstate(all="ignore"):
            try:
                size = np.max(np.abs(solution(data, float(value))))
            except SpecificationError:
                continue
        assert size > 1e12
    # A minimum of the printed law's potential for smaller lam only.
    for lam, kind in ((0.03, "minimum"), (0.1, "saddle"), (0.5, "maximum")):
        found = solution(data, lam)
        H = data.moment() / data.count + data.penalty.hessian(np.ones(2), lam)
        negative = int(np.sum(np.linalg.eigvalsh(H) < 0))
        assert {0: "minimum", 1: "saddle", 2: "maximum"}[negative] == kind
        residual = data.moment() @ (data.w_star - found) / data.count + lam * found
        assert residual == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("norm", ["l2", "l1-squared", "l1"])
def test_the_expansion_in_lam_has_a_remainder_of_second_order(norm, sign):
    data = reference(norm, sign)
    errors = [
        np.max(np.abs(solution(data, lam) - data.w_star - lam * slope(data)))
        for lam in (1e-4, 1e-5)
    ]
    if norm == "l1":
        assert errors == pytest.approx([0.0, 0.0], abs=1e-13)
    else:
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


def test_bounds_of_the_reference_instance():
    assert np.flatnonzero(reference().active(ONES)).tolist() == [1, 3, 9]
    assert bound_17(reference()) == pytest.approx(0.0125589866685, rel=1e-11)
    squared = reference("l1-squared")
    assert bound_27(squared, all_rows=False) == pytest.approx(0.0828447651, rel=1e-9)
    assert bound_33(squared, all_rows=False) == pytest.approx(0.00185563714510, rel=1e-11)
    assert bound_33(squared, all_rows=True) == pytest.approx(1.587e-5, rel=1e-3)


@given(regressions(shapes=("generic",), dimensions=(2, 3)))
def test_small_lam_keeps_the_pattern(data):
    assume(np.linalg.cond(data.moment()) < 1e4)
    assume(np.min(np.abs(data.X @ data.w_star)) > 1e-3)
    assert kept(data, 1e-9)


# ---- Theorems 2 and 4 --------------------------------------------------------------------------


def test_the_printed_solution_leaves_the_ball_and_blows_up():
    unit = PopulationRegression(ONES, Penalty("l2", 1))
    assert population_solution(unit, 0.25) == pytest.approx(2 * ONES)
    assert np.linalg.norm(population_solution(unit, 0.4999)) > 1000
    with pytest.raises(SpecificationError, match="smaller"):
        population_solution(unit, 0.5)
    # At one half and above V grows somewhere in the ball: there the law drives w away.
    assert lyapunov_derivative(unit, 1.9 * ONES, 1.5 * ONES, 0.6) > 0


@given(SEEDS, st.sampled_from([("l1-squared", 3 * np.pi / 8), ("l1", 0.75)]), st.floats(0, 0.999))
def test_theorem_4_holds_for_the_population_until_sparse_points_appear(seed, case, share):
    generator = np.random.default_rng(seed)
    norm, last = case
    lam = share * last
    unit = PopulationRegression(ONES, Penalty(norm))
    target, w = population_solution(unit, lam), in_ball(unit, generator)
    assume(np.linalg.norm(w - target) > 1e-6)
    assert lyapunov_derivative(unit, w, target, lam) < 0


@pytest.mark.parametrize(("norm", "last"), [("l1-squared", 3 * np.pi / 8), ("l1", 0.75)])
def test_theorem_4_needs_small_lam(norm, last):
    # From 3 pi / 8 (for the plain norm 3 / 4) on the law also rests at a sparse point in the ball:
    # across the axis the loss pushes less than the penalty holds.
    lam = last + 0.05
    unit = PopulationRegression(ONES, Penalty(norm))
    A = 1 / np.pi + 0.75
    sparse = np.array([A / (1 + 2 * lam) if norm == "l1-squared" else A - lam, 0.0])
    held = lam * sparse[0] if norm == "l1-squared" else lam / 2
    force = unit.field(sparse, lam)  # with sign(0) = 0
    assert in_region(sparse, ONES)
    assert force[0] == pytest.approx(0.0, abs=1e-12)
    assert abs(force[1]) < held
    # V grows on the side of the axis away from the solution's ray.
    target = population_solution(unit, lam)
    assert lyapunov_derivative(unit, sparse + np.array([0.0, 1e-9]), target, lam) > 0


# ---- values and misuse ------------------------------------------------------------------------


def test_the_reference_instance_has_the_stated_solutions():
    for norm, lam, expected in (
        ("l2", 0.01, (0.981717362675, 0.967372936084)),
        ("l1-squared", 0.01, (0.967707682419, 0.932755917776)),
    ):
        assert solution(reference(norm), lam) == pytest.approx(expected, abs=1e-12)
    # At lam = 0.1 the pattern has changed: the formula is not the minimum.
    (minimum,) = CellComplex(reference()).critical_points(0.1).minima
    assert np.max(np.abs(minimum.w - solution(reference(), 0.1))) > 1e-5


def test_misuse_is_refused():
    with pytest.raises(SpecificationError, match="singular"):
        solution(ReluRegression(np.array([[1.0, 0.0]]), ONES), 0.0)
    with pytest.raises(SpecificationError, match="between 0"):
        rank_probability(5, 3)
    with pytest.raises(SpecificationError, match="modulus"):
        population_solution(PopulationRegression(np.array([1.0, 2.0]), Penalty("l1-squared")), 0.1)


# ---- where the pattern changes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "expected"), [("l2", 0.0816614991050), ("l1-squared", 0.0134432491957)]
)
def test_the_pattern_of_the_reference_instance_changes_where_stated(norm, expected):
    data = reference(norm)
    limit = pattern_limit(data)
    assert limit == pytest.approx(expected, abs=1e-12)
    assert kept(data, limit * (1 - 1e-9)) and not kept(data, limit * (1 + 1e-9))


@given(
    regressions(shapes=("generic", "duplicates", "on an axis"), dimensions=(1, 2, 3), signs=(-1, 1))
)
def test_the_pattern_stays_up_to_its_limit(data):
    assume(np.linalg.cond(data.moment()) < 1e6)
    assume(np.min(np.abs(data.w_star)) > 1e-3)
    outputs = np.abs(data.X @ data.w_star)
    assume(np.min(outputs[np.linalg.norm(data.X, axis=1) > 0]) > 1e-3)
    limit = min(pattern_limit(data), 10.0)
    for share in (1e-6, 0.3, 0.7, 0.999):
        lam = share * limit
        if data.penalty.norm == "l2" and data.penalty.regularisation_sign == 1:
            # The limit may be a pole of the solution, or hide behind a double root.
            assume(np.linalg.cond(data.moment() / data.count - lam * np.eye(data.dimension)) < 1e8)
        assert kept(data, lam)
        found = solution(data, lam)
        if data.penalty.kinked:
            assert np.array_equal(np.sign(found), np.sign(data.w_star))
        assert data.gradient(found, lam) == pytest.approx(0.0, abs=1e-8 * (1 + np.max(abs(found))))
    if limit < 10.0 and data.penalty.regularisation_sign == -1:
        beyond = solution(data, 1.0001 * limit)
        flipped = data.penalty.kinked and np.any(beyond * data.w_star < 0)
        assert flipped or not kept(data, 1.0001 * limit)
