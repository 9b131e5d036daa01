"""The paper's lemmas and theorems: what is true of them, and counterexamples to the rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from contcrit.errors import SpecificationError
from contcrit.models.relu_regression_cells import CellComplex
from contcrit.models.relu_regression_losses import Penalty, PopulationRegression, ReluRegression
from contcrit.models.relu_regression_theory import (
    bound_17,
    bound_27,
    bound_33,
    convergence_probability,
    critical_angle,
    definite_probability,
    in_region,
    lyapunov_derivative,
    lyapunov_matrix,
    pattern_limit,
    population_solution,
    rank_probability,
    slope,
    solution,
    start_radius,
)
from tests.models.relu_regression_instances import reference, regressions

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


def test_the_bound_beside_lemma_1_fails_for_k_0_and_1_only():
    def printed(k, N):
        return k * (rank_probability(k, N) - (rank_probability(k - 1, N) if k else 0.0))

    for N in (10, 20, 100):
        for k in (0, 1):
            assert rank_probability(k, N) > printed(k, N)
        for k in range(2, N // 4):
            assert rank_probability(k, N) <= printed(k, N) * (1 + 1e-12)


def test_lemma_2_needs_d_active_rows_only(rng):
    N, d, draws = 6, 3, 4000
    X = rng.standard_normal((draws, N, d))
    rows = X * (X @ np.ones(d) > 0)[:, :, None]
    definite = np.linalg.eigvalsh(rows.transpose(0, 2, 1) @ rows)[:, 0] > 1e-12
    share, p = float(np.mean(definite)), definite_probability(d, N)
    error = np.sqrt(p * (1 - p) / draws)
    assert abs(share - p) < 4.5 * error
    # The printed equality 1 - A_d is off by the probability of exactly d active rows.
    assert share > 1 - rank_probability(d, N) + 10 * error


@given(regressions(shapes=("generic",), dimensions=(2, 3)))
def test_lemma_2_holds_row_by_row(data):
    B = data.moment()
    enough = int(np.sum(data.active(data.w_star))) >= data.dimension
    assert (np.linalg.matrix_rank(B) == data.dimension) == enough


def test_lemma_3_has_a_remainder_of_second_order():
    B = reference().moment()
    inverse = np.linalg.inv(B)
    errors = []
    for epsilon in (1e-3, 1e-4):
        close = (np.eye(2) + epsilon * inverse) @ inverse
        errors.append(np.max(np.abs(np.linalg.inv(B - epsilon * np.eye(2)) - close)))
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)


# ---- Theorem 1 and equations 14 to 17 ----------------------------------------------------------


@given(regressions(norms=("l2",)), st.floats(1e-3, 5.0))
def test_the_solution_for_l2_exists_for_every_lam_and_rank(data, lam):
    found = solution(data, lam)
    B, N = data.moment(), data.count
    assert B @ (data.w_star - found) / N == pytest.approx(lam * found, abs=1e-10)
    if np.array_equal(data.active(found), data.active(data.w_star)):
        assert data.gradient(found, lam) == pytest.approx(0.0, abs=1e-10)


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


def test_equation_27_as_printed_is_violated():
    data = reference("l1-squared")
    printed = bound_27(data, all_rows=False)
    assert not kept(data, 0.5 * printed)
    assert not kept(data, 0.014)  # far below the bound: the pattern changes at 0.01344...
    assert kept(data, bound_27(data, all_rows=True))


@given(regressions(shapes=("generic", "duplicates"), norms=("l1-squared",), dimensions=(2, 3)))
def test_equations_27_and_33_hold_with_the_minimum_over_all_rows(data):
    assume(np.linalg.matrix_rank(data.moment()) == data.dimension)
    assume(np.linalg.cond(data.moment()) < 1e10)
    for bound in (bound_27(data, all_rows=True), bound_33(data, all_rows=True)):
        for share in (0.1, 0.5, 0.999):
            assert kept(data, share * bound)


@given(regressions(shapes=("generic", "duplicates"), norms=("l2",), dimensions=(2,)))
def test_equation_17_is_sufficient_in_the_plane(data):
    assume(np.linalg.matrix_rank(data.moment()) == 2 and np.linalg.cond(data.moment()) < 1e10)
    for share in (0.1, 0.5, 0.999):
        assert kept(data, share * bound_17(data))


def test_equation_17_is_not_sufficient_in_three_dimensions():
    # B = diag(1, 10, 100) and w* = (1, 1, 1). The fourth row x is inactive, and with
    # x = -alpha: sum alpha = 1, sum alpha / b = 0 makes its own ratio infinite, while
    # x . w(lam) = -sum alpha b / (b + lam N) becomes positive at lam N = 0.4.
    b = np.array([1.0, 10.0, 100.0])
    conditions = np.array([np.ones(3), 1 / b, b / (b + 0.4)])
    alpha = np.linalg.solve(conditions, [1.0, 0.0, -0.1])
    data = ReluRegression(np.vstack([np.diag(np.sqrt(b)), -alpha]), np.ones(3))
    assert data.moment() == pytest.approx(np.diag(b))
    assert 0.4 / data.count < bound_17(data)
    assert not kept(data, 0.4 / data.count)


@given(regressions(shapes=("generic",), dimensions=(2, 3)))
def test_small_lam_keeps_the_pattern(data):
    assume(np.linalg.cond(data.moment()) < 1e4)
    assume(np.min(np.abs(data.X @ data.w_star)) > 1e-3)
    assert kept(data, 1e-9)


# ---- Theorem 3 ---------------------------------------------------------------------------------


@given(
    regressions(shapes=("generic",), dimensions=(2, 3), norms=("l1", "l1-squared"), signs=(-1, 1))
)
def test_theorem_3_small_lam_has_a_nearby_critical_point(data):
    B = data.moment()
    assume(np.linalg.matrix_rank(B) == data.dimension and np.linalg.cond(B) < 1e4)
    assume(np.min(np.abs(data.X @ data.w_star)) > 1e-3 and np.min(np.abs(data.w_star)) > 1e-3)
    lam = 1e-10
    found = solution(data, lam)
    assert found == pytest.approx(data.w_star, abs=1e-4)
    assert data.gradient(found, lam) == pytest.approx(0.0, abs=1e-13)


# ---- Theorems 2 and 4 --------------------------------------------------------------------------


def test_M_is_definite_up_to_the_critical_angle_only():
    assert critical_angle() == pytest.approx(2.32761603487718, abs=1e-13)
    for theta in np.linspace(1e-3, critical_angle() - 1e-3, 50):
        assert np.linalg.eigvalsh(lyapunov_matrix(theta))[0] > 0
    for theta in np.linspace(critical_angle() + 1e-3, np.pi, 20):
        assert np.linalg.eigvalsh(lyapunov_matrix(theta))[0] < 0
    # det M ~ theta^2 / 4: no lower bound for theta -> 0.
    for theta in (1e-2, 1e-3):
        det = np.linalg.det(lyapunov_matrix(theta))
        assert det == pytest.approx(theta**2 / 4, rel=3 * theta)


@given(SEEDS, st.integers(2, 4))
def test_M_is_the_quadratic_form_of_equation_20(seed, d):
    generator = np.random.default_rng(seed)
    unit = PopulationRegression(generator.standard_normal(d))
    w = generator.standard_normal(d)
    cosine = w @ unit.w_star / np.linalg.norm(w) / np.linalg.norm(unit.w_star)
    y = np.array([np.linalg.norm(w), np.linalg.norm(unit.w_star)])
    form = -y @ lyapunov_matrix(float(np.arccos(cosine))) @ y
    assert lyapunov_derivative(unit, w, unit.w_star, 0.0) == pytest.approx(form, abs=1e-9)


@given(SEEDS, st.integers(2, 4), st.floats(0.0, 20.0))
def test_theorem_2_holds_for_the_population_at_every_lam(seed, d, lam):
    generator = np.random.default_rng(seed)
    unit = PopulationRegression(generator.standard_normal(d))
    target, w = population_solution(unit, lam), in_ball(unit, generator)
    assert unit.field(target, lam) == pytest.approx(0.0, abs=1e-12)
    assert in_region(w, unit.w_star) and w @ unit.w_star > 0
    assume(np.linalg.norm(w - target) > 1e-6)
    assert lyapunov_derivative(unit, w, target, lam) < 0


@given(SEEDS, st.floats(0.0, 0.49))
def test_theorem_2_with_the_printed_sign_holds_below_one_half(seed, lam):
    generator = np.random.default_rng(seed)
    unit = PopulationRegression(generator.standard_normal(2), Penalty("l2", 1))
    target, w = population_solution(unit, lam), in_ball(unit, generator)
    assert unit.field(target, lam) == pytest.approx(0.0, abs=1e-11)
    assume(np.linalg.norm(w - target) > 1e-6)
    assert lyapunov_derivative(unit, w, target, lam) < 0
    assert in_region(target, unit.w_star) == (lam < 0.25)


def test_the_printed_solution_leaves_the_ball_and_blows_up():
    unit = PopulationRegression(ONES, Penalty("l2", 1))
    assert population_solution(unit, 0.25) == pytest.approx(2 * ONES)
    assert np.linalg.norm(population_solution(unit, 0.4999)) > 1000
    with pytest.raises(SpecificationError, match="smaller"):
        population_solution(unit, 0.5)
    # At one half and above V grows somewhere in the ball: there the law drives w away.
    assert lyapunov_derivative(unit, 1.9 * ONES, 1.5 * ONES, 0.6) > 0


@given(SEEDS, st.integers(2, 3), st.floats(0.01, 3.0), st.sampled_from([-1, 1]))
def test_the_l2_population_is_that_without_penalty_of_a_scaled_teacher(seed, d, lam, sign):
    generator = np.random.default_rng(seed)
    w_star, w = generator.standard_normal((2, d))
    factor = 1 - 2 * sign * lam
    assume(factor > 0.01)
    unit = PopulationRegression(w_star, Penalty("l2", sign))
    scaled = PopulationRegression(w_star / factor)
    assert unit.field(w, lam) == pytest.approx(factor * scaled.field(w, 0.0), abs=1e-10)


@given(regressions(shapes=("generic",), dimensions=(2, 3), norms=("l2",)), st.floats(1e-3, 1.0))
def test_theorem_2_is_false_with_the_empirical_solution_and_the_population_law(data, lam):
    assume(np.linalg.matrix_rank(data.moment()) == data.dimension)
    unit, target = PopulationRegression(data.w_star), solution(data, lam)
    force = unit.field(target, lam)
    assume(np.linalg.norm(force) > 1e-6)
    # The law does not rest at the solution: V grows on the side that it pushes towards.
    w = target + 1e-6 * force / np.linalg.norm(force)
    assert lyapunov_derivative(unit, w, target, lam) > 0


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


# ---- Theorem 5 ---------------------------------------------------------------------------------


def test_the_theoretical_column_of_table_1():
    printed = {
        (2, 10): 0.425, (2, 20): 0.450, (2, 100): 0.450, (3, 10): 0.373, (3, 20): 0.449,
        (3, 100): 0.450, (5, 10): 0.170, (5, 20): 0.441, (5, 100): 0.450,
    }  # fmt: skip
    for (d, N), value in printed.items():
        assert convergence_probability(d, N, 0.1) == pytest.approx(value, abs=5.001e-4)


@given(SEEDS, st.integers(2, 5), st.floats(0.02, 0.3))
def test_theorem_5_the_ball_of_starts_lies_half_in_the_region(seed, d, epsilon):
    generator = np.random.default_rng(seed)
    w_star = generator.standard_normal(d)
    radius = start_radius(d, epsilon, float(np.linalg.norm(w_star)))
    directions = generator.standard_normal((4000, d))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    points = radius * generator.random(4000)[:, None] ** (1 / d) * directions
    inside = np.mean(np.linalg.norm(points - w_star, axis=1) < np.linalg.norm(w_star))
    assert inside > (1 - epsilon) / 2 - 4.5 * np.sqrt(0.25 / 4000)
    assert inside < 0.5 + 4.5 * np.sqrt(0.25 / 4000)


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
