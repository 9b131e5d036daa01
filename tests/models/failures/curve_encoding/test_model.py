from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.models.failures.curve_encoding.model import MODEL, build, starts
from contcrit.models.failures.curve_encoding.theory import curve_inverse, curve_matrix

SEEDS = st.integers(0, 2**32 - 1)


@functools.cache
def problems(architecture="convolution", dynamics="map", iterate=1, n=6):
    return build(n=n, architecture=architecture, dynamics=dynamics, iterate=iterate)


@settings(max_examples=15)
@given(st.sampled_from(["convolution", "linear"]), st.floats(0, 1), st.floats(-1, 1), SEEDS)
def test_the_map_is_a_step_down_the_potential(architecture, t, q, seed):
    step, loss = problems(architecture), problems(architecture, "potential")
    y = np.random.default_rng(seed).standard_normal(step.size)
    values = {"t": t, "q": q}
    change = step.evaluate(y, {**values, "eta": 0.25})
    slope = loss.evaluate(y, values)
    assert change == pytest.approx(-0.25 * slope, rel=1e-9, abs=1e-9)
    H = loss.jacobian(y, values)
    scale = np.max(np.abs(H))
    assert step.jacobian(y, {**values, "eta": 0.25}) == pytest.approx(-0.25 * H, abs=1e-9 * scale)


@settings(max_examples=15)
@given(st.floats(0, 1), st.floats(-1, 1), SEEDS)
def test_the_potential_is_the_mean_loss(t, q, seed):
    problem = problems("convolution", "potential")
    y = np.random.default_rng(seed).standard_normal(3)
    error = problem.encoder(y, t) - problem.data.solution
    Q = float(error @ problem.data.second_moment() @ error)
    expected = Q / 2 + 3 * q * Q**2 / 4
    found = problem.potential(y, {"t": t, "q": q})
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9 * (1 + Q**2))


def test_a_row_of_the_matrix_learns_that_row_of_the_inverse():
    W, U = curve_matrix(5), curve_inverse(5)
    for row in range(5):
        problem = build(n=5, architecture="linear", row=row, lam=0.5, dynamics="potential")
        y = np.random.default_rng(row).standard_normal(5)
        error = U[row] @ W - problem.encoder(y) @ W
        assert problem.potential(y, {"t": 0.0, "q": 0.0}) == pytest.approx(0.25 * error @ error)
        found = np.sort(np.linalg.eigvalsh(problem.jacobian(y, {"t": 0.0, "q": 0.0})))
        assert found == pytest.approx(np.sort(np.linalg.eigvalsh(0.5 * W @ W.T)), rel=1e-6)


@settings(max_examples=10)
@given(st.floats(0, 1), st.floats(-0.5, 0.5), st.floats(1e-3, 5), SEEDS)
def test_two_steps_are_the_map_twice(t, q, eta, seed):
    once, twice = problems(), problems(iterate=2)
    y = problems().data.directions.T @ problems().data.target(t)
    y = y + 0.1 * np.random.default_rng(seed).standard_normal(3)
    values = {"eta": eta, "t": t, "q": q}
    first = y + once.evaluate(y, values)
    second = first + once.evaluate(first, values)
    scale = 1 + np.max(np.abs(second)) + np.max(np.abs(first))
    assert y + twice.evaluate(y, values) == pytest.approx(second, abs=1e-8 * scale)
    inner = np.eye(3)
    product = (once.jacobian(first, values) + inner) @ (once.jacobian(y, values) + inner)
    found = twice.jacobian(y, values) + inner
    assert found == pytest.approx(product, abs=1e-8 * (1 + np.max(np.abs(product))))


@pytest.mark.parametrize("architecture", ["convolution", "linear"])
def test_flips_are_at_two_over_the_curvatures(architecture):
    problem = problems(architecture)
    start = starts(problem)["solution"]
    flips = problem.data.flips()
    span = (0.5 * float(flips[0]), 1.2 * float(flips[-1]))
    values = {**start.values, "eta": span[0], "q": 0.2}
    branch = cc.trace(problem, start.unknowns, "eta", span, values=values)
    found = branch.of_kind("flip")
    assert len(found) == len(branch.special_points) == problem.size
    assert [special.parameter for special in found] == pytest.approx(flips, rel=1e-10)
    expected = -6 * 0.2 * problem.data.curvatures()[0]
    assert found[0].evidence["normal_form_coefficient"] == pytest.approx(expected, rel=1e-6)
    before, after = branch.verdicts[0][2], branch.verdicts[-1][2]
    assert before.evidence["stability"] == "stable" and after.evidence["stability"] == "unstable"


def test_preconditioning_makes_a_step_size_stable():
    problem = problems()
    start = starts(problem)["solution"]
    D = problem.data.curvatures()
    eta = 3.0 / float(D[0]) ** 0.5
    branch = cc.trace(problem, start.unknowns, "t", (0.0, 1.0), values={**start.values, "eta": eta})
    expected = sorted(1 - np.log(2 / eta) / np.log(one) for one in D if one > max(1.0, 2 / eta))
    assert expected
    assert [special.kind for special in branch.special_points] == ["flip"] * len(expected)
    found = sorted(special.parameter for special in branch.special_points)
    assert found == pytest.approx(expected, abs=1e-9)
    for z in branch.z:
        assert problem.encoder(z[:-1], z[-1]) == pytest.approx([1, -2, 1], abs=1e-9)


def test_two_steps_branch_into_the_cycle_and_lose_symmetry():
    largest = float(build(n=10).data.curvatures()[0])
    problem = build(n=10, lam=1 / largest, iterate=2)
    start = starts(problem)["cycle"]
    values = {"t": 0.0, "q": -0.1}
    diagram = cc.diagram(
        problem, [(start.unknowns, start.values["eta"])], "eta", (0.6, 3.3), values=values
    )
    events = {
        (special.kind, round(special.parameter, 6))
        for branch in diagram.branches
        for special in branch.special_points
    }
    assert events == {("branch-point", 2.0), ("branch-point", 3.0), ("flip", 3.236068)}
    assert len(diagram) == 4


@pytest.mark.parametrize("constants", [{}, {"architecture": "linear", "n": 4, "row": 1}])
def test_starts_solve_their_problem_and_problems_are_rebuilt(constants):
    for dynamics, iterate in (("map", 1), ("map", 2), ("potential", 1)):
        problem = build(**constants, dynamics=dynamics, iterate=iterate)
        found = starts(problem)
        assert set(found) == ({"solution", "cycle"} if iterate == 2 else {"solution"})
        for start in found.values():
            x = problem.point(start.unknowns)
            assert problem.evaluate(x, start.values) == pytest.approx(np.zeros(len(x)), abs=1e-9)
        twin = MODEL.build(**problem.describe()["constants"])
        assert twin == problem == pickle.loads(pickle.dumps(problem))
        assert problem.default_values == {"t": 0.0, "q": 0.0}


def test_a_fixed_point_of_one_step_is_judged_by_the_loss_and_by_the_map():
    problem, twice = problems(), problems(iterate=2)
    y = starts(problem)["solution"].unknowns
    for share, stability, unstable in ((0.5, "stable", 0), (1.5, "unstable", 1)):
        values = {"eta": share * float(problem.data.flips()[0]), "t": 0.0, "q": 0.0}
        verdict = cc.classify(problem, y, values)
        assert (verdict.kind, verdict.index) == ("minimum", 0)
        assert verdict.evidence["stability"] == stability
        assert verdict.evidence["unstable_dimension"] == unstable
        assert verdict.evidence["eigenvalues"] == pytest.approx(
            np.sort(problem.data.curvatures()), rel=1e-9
        )
    away = cc.classify(problem, [5.0, 5.0, 5.0], values)
    assert away.kind == "not critical"
    assert cc.classify(twice, y, values).kind == "undecided"


def test_the_only_critical_point_is_a_minimum():
    problem = problems("linear", "potential", 1, 4)
    found = cc.find(problem, (-5.0, 5.0), {"t": 0.0, "q": 0.0}, starts=16)
    assert len(found) == 1
    assert cc.classify(problem, next(iter(found)), {"t": 0.0, "q": 0.0}).kind == "minimum"


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"architecture": "deep"}, "architecture"),
        ({"dynamics": "flow"}, "dynamics"),
        ({"iterate": 3}, "iterate"),
        ({"iterate": 2, "dynamics": "potential"}, "iterate"),
        ({"row": 1}, "row"),
        ({"n": 3}, "n"),
        ({"lam": -1.0}, "lam"),
    ],
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as error:
        build(**constants)
    assert error.value.argument == argument


def test_a_cycle_needs_the_side_of_the_flip_that_q_tells():
    with pytest.raises(SpecificationError, match="excess"):
        starts(problems(iterate=2), q=0.1, excess=1.2)
    assert "cycle" in starts(problems(iterate=2), q=0.1, excess=0.8)
