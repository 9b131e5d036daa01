"""Traces: how they begin, what they contain, and how they end."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine.assembly import truncate
from contcrit.errors import Status
from tests.strategies import circle, cubic, fold, hopf, linear, p, pitchfork, x, y


def equation(residual: sp.Expr) -> cc.Problem:
    return cc.Problem([residual], [x], [p], kind="equation")


# ---- ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [-1.0, -0.3, 2.0])
def test_both_ends_of_the_span_are_hit_exactly(start: float) -> None:
    branch = cc.trace(linear(), [0, 0, 0], "p", (-1.0, 2.0), values={"p": start})
    assert branch["p"][0] == -1.0
    assert branch["p"][-1] == 2.0
    assert branch.status == (Status.END_OF_SPAN, Status.END_OF_SPAN)
    assert branch["x2"] == pytest.approx(3 * branch["p"], abs=1e-12)
    assert branch.special_points == ()


def test_a_branch_that_bends_out_of_the_span_ends_on_it() -> None:
    branch = cc.trace(fold(), [0.5], "p", (0.1, 0.9), values={"p": 0.25})
    assert branch["p"][0] == branch["p"][-1] == 0.9 or branch["p"][0] == 0.1
    assert set(branch["p"][[0, -1]]) <= {0.1, 0.9}
    assert set(branch.status) == {Status.END_OF_SPAN}


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_one_direction_only(direction: str) -> None:
    branch = cc.trace(linear(), [0] * 3, "p", (-1, 1), values={"p": 0}, direction=direction)
    assert branch["p"][0 if direction == "forward" else -1] == 0
    assert branch["p"][-1 if direction == "forward" else 0] == (1 if direction == "forward" else -1)
    assert Status.NOT_ASKED_FOR in branch.status
    assert np.all(np.diff(branch["p"]) > 0)


def test_maximum_points_counts_each_direction() -> None:
    settings = cc.Settings(maximum_points=7)
    branch = cc.trace(linear(), [0] * 3, "p", (-1, 1), values={"p": 0}, settings=settings)
    assert len(branch) == 15
    assert branch.status == (Status.MAXIMUM_POINTS, Status.MAXIMUM_POINTS)
    assert not branch.status[0].is_success


def test_growth_beyond_the_bound_stops() -> None:
    settings = cc.Settings(maximum_norm=50.0)
    branch = cc.trace(equation(x * (1 - p) - 1), [1], "p", (0, 2), settings=settings)
    assert branch.status == (Status.END_OF_SPAN, Status.LEFT_BOUNDS)
    assert 50 < branch["x"][-1] < 60
    assert branch["x"] == pytest.approx(1 / (1 - branch["p"]), rel=1e-8)


def test_the_edge_of_the_domain_is_approached_and_named() -> None:
    branch = cc.trace(equation(sp.sqrt(p) - x), [1], "p", (-1, 1), values={"p": 1})
    assert branch.status[0] in (Status.NOT_FINITE, Status.STEP_TOO_SMALL)
    assert 0 <= branch["p"][0] < 1e-6
    assert branch.status[1] is Status.END_OF_SPAN
    assert np.all(np.isfinite(branch.z))


def test_a_start_outside_the_domain_fails() -> None:
    branch = cc.trace(equation(sp.log(p) - x), [1], "p", (-1, 1), values={"p": -0.5})
    assert len(branch) == 0
    assert branch.status == (Status.START_FAILED, Status.START_FAILED)


# ---- loops -------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["both", "forward", "backward"])
@pytest.mark.parametrize("x0", [1.0, -1.0])
def test_a_circle_is_walked_once(direction: str, x0: float) -> None:
    branch = cc.trace(circle(), [x0], "p", (-2, 2), values={"p": 0}, direction=direction)
    assert Status.CLOSED_LOOP in branch.status
    assert sorted(s.parameter for s in branch.special_points) == pytest.approx([-1, 1], rel=1e-12)
    assert branch.z[0] == pytest.approx(branch.z[-1], abs=1e-12)
    # n chords of a circle of radius r in the metric with weights 1/2.
    assert branch.arclength[-1] == pytest.approx(2 * np.pi * np.sqrt(0.5), rel=1e-3)
    angle = np.unwrap(np.arctan2(branch["x"], branch["p"]))
    assert abs(angle[-1] - angle[0]) == pytest.approx(2 * np.pi, rel=1e-9)


def test_a_circle_cut_by_the_span_is_an_arc() -> None:
    branch = cc.trace(circle(), [1], "p", (-2, 0.5), values={"p": 0})
    assert branch.status == (Status.END_OF_SPAN, Status.END_OF_SPAN)
    assert branch["p"][0] == branch["p"][-1] == 0.5
    assert [s.parameter for s in branch.special_points] == pytest.approx([-1], rel=1e-12)


def test_a_figure_of_eight_is_one_loop() -> None:
    branch = cc.trace(equation(x**4 - x**2 + p**2), [1], "p", (-2, 2), values={"p": 0})
    assert branch.status == (Status.CLOSED_LOOP, Status.CLOSED_LOOP)
    kinds = [s.kind for s in branch.special_points]
    assert kinds.count("fold") == 4 and kinds.count("branch-point") == 2 and len(kinds) == 6
    for special in branch.of_kind("fold"):
        assert abs(special.parameter) == pytest.approx(0.5, rel=1e-9)
        assert abs(special.x[0]) == pytest.approx(np.sqrt(0.5), rel=1e-9)


# ---- starts ------------------------------------------------------------------------------------


def test_a_start_without_solution_fails_with_a_usable_branch() -> None:
    branch = cc.trace(equation(x**2 + 1 + p**2), [0.3], "p", (-1, 1))
    assert len(branch) == 0
    assert branch.status == (Status.START_FAILED, Status.START_FAILED)
    assert branch.provenance["failed_start_residual"] == pytest.approx(2.09)


def test_a_rough_start_is_corrected_first() -> None:
    branch = cc.trace(cubic(), [-1.5], "q", (-2, 2), values={"p": 1, "q": -2}, direction="forward")
    assert branch["x"][0] == pytest.approx(-1.5213797068045676, rel=1e-12)


def test_an_isolated_singular_start_is_named() -> None:
    branch = cc.trace(equation(x**2 + p**2), [0], "p", (-1, 1), values={"p": 0})
    assert len(branch) == 0
    assert branch.status == (Status.SINGULAR_START, Status.SINGULAR_START)


def test_orbits_without_their_generators_are_named() -> None:
    # Every point of the circle x^2 + y^2 = p is a solution: no direction can be told apart.
    radius = x**2 + y**2 - p
    problem = cc.Problem([x * radius, y * radius], [x, y], [p])
    branch = cc.trace(problem, [0.6, 0.8], "p", (0.5, 2), values={"p": 1})
    assert len(branch) == 0
    assert branch.status == (Status.SINGULAR_START, Status.SINGULAR_START)


def test_a_start_at_a_branch_point_sets_out_beside_it() -> None:
    branch = cc.trace(pitchfork(), [0], "p", (-1, 1), values={"p": 0})
    assert branch["p"][0] == -1 and branch["p"][-1] == 1
    assert branch["x"] == pytest.approx(0, abs=1e-12)
    assert [s.kind for s in branch.special_points] == ["branch-point"]


def test_a_start_at_a_fold_goes_both_ways() -> None:
    branch = cc.trace(fold(), [0], "p", (-1, 1), values={"p": 0})
    assert sorted(branch["x"][[0, -1]]) == pytest.approx([-1, 1])
    assert [s.kind for s in branch.special_points] == ["fold"]


# ---- steering ----------------------------------------------------------------------------------


def test_progress_is_told_and_may_stop_the_walk() -> None:
    told: list[tuple[int, float]] = []

    def progress(points: int, parameter: float) -> bool:
        told.append((points, parameter))
        return len(told) == 2

    settings = cc.Settings(parameter_fraction=1e-3, gear="python")
    branch = cc.trace(
        linear(), [0] * 3, "p", (0, 1), settings=settings, progress=progress, direction="forward"
    )
    assert branch.status[1] is Status.STOPPED_BY_USER
    assert branch.status[1].is_success
    assert len(told) == 2
    assert len(branch) - 1 == told[-1][0]
    assert branch["p"][-1] == told[-1][1] < 1


def test_user_events_are_located_and_do_not_stop() -> None:
    event = cc.UserEvent("quarter", lambda u, q: float(u[0]) - 0.25)
    branch = cc.trace(linear(), [0] * 3, "p", (-1, 1), events=[event])
    (special,) = branch.special_points
    assert special.kind == "user" and special.evidence["event"] == "quarter"
    assert special.parameter == pytest.approx(0.25, abs=1e-12)
    assert branch["p"][-1] == 1


@pytest.mark.parametrize("last", [True, False])
def test_an_end_that_rounding_puts_past_the_last_point_takes_its_place(last: bool) -> None:
    half = cc.UserEvent("half", lambda u, q: q - 0.5)
    branch = cc.trace(linear(2), [0.0, 0.0], "p", (0.0, 1.0), events=[half])
    (special,) = branch.special_points
    beyond = np.nextafter(branch.arclength[-1 if last else 0], np.inf if last else -np.inf)
    end = special.replace(arclength=float(beyond))
    cut = truncate(branch, None, end) if last else truncate(branch, end, None)
    assert len(cut) == len(cut.iterations) == len(branch)
    np.testing.assert_array_equal(cut.z[-1 if last else 0], special.z)
    inside = slice(0, -1) if last else slice(1, None)
    np.testing.assert_array_equal(cut.z[inside], branch.z[inside])


def test_terminal_user_events_end_the_branch_on_both_sides() -> None:
    events = [
        cc.UserEvent("up", lambda u, q: q - 0.25, terminal=True),
        cc.UserEvent("beyond", lambda u, q: q - 0.5),
        cc.UserEvent("down", lambda u, q: q + 0.5, terminal=True),
    ]
    branch = cc.trace(linear(), [0] * 3, "p", (-1, 1), values={"p": 0}, events=events)
    assert branch.status == (Status.STOPPED_AT_EVENT, Status.STOPPED_AT_EVENT)
    assert branch["p"][[0, -1]] == pytest.approx([-0.5, 0.25], abs=1e-12)
    assert [s.evidence["event"] for s in branch.special_points] == ["down", "up"]
    assert branch.arclength[0] == 0
    assert np.all(np.diff(branch.arclength) > 0)


# ---- columns -----------------------------------------------------------------------------------


def test_every_point_solves_the_equations_and_tangents_are_unit_and_tangent() -> None:
    problem = cc.Problem([p - x**3 + y, x * y - sp.sin(p)], [x, y], [p])
    branch = cc.trace(problem, [1, 0.1], "p", (-2, 2), values={"p": 0.5})
    assert len(branch) > 20
    weights = np.array([0.25, 0.25, 0.5])
    system = problem.compile("p", {})
    for point in branch:
        assert np.max(np.abs(problem.evaluate(point.x, {"p": point.parameter}))) < 1e-9
        assert weights @ point.tangent**2 == pytest.approx(1, rel=1e-12)
        assert system.jacobian(point.z) @ point.tangent == pytest.approx(0, abs=1e-7)
    # Consecutive tangents point the same way: the branch has one orientation.
    assert np.all(np.sum(weights * branch.tangent[:-1] * branch.tangent[1:], axis=1) > 0.9)


def test_the_index_column_belongs_to_potentials_and_the_unstable_dimension_to_flows() -> None:
    trivial = cc.trace(pitchfork(), [0], "p", (-1, 1))
    assert set(trivial["index"][trivial["p"] < -1e-3]) == {0}
    assert set(trivial["index"][trivial["p"] > 1e-3]) == {1}
    focus = cc.trace(hopf(), [0, 0], "p", (-1, 1))
    assert set(focus["unstable_dimension"][focus["p"] < -1e-3]) == {0}
    assert set(focus["unstable_dimension"][focus["p"] > 1e-3]) == {2}
    assert "index" not in focus.columns
    assert "index" not in cc.trace(circle(), [1], "p", (-2, 2), values={"p": 0}).columns


def test_recorded_functions_become_columns() -> None:
    branch = cc.trace(
        cubic(),
        [-2],
        "q",
        (-1, 1),
        values={"p": 1},
        record={"square": lambda u, v: u[0] ** 2 + v["p"]},
    )
    assert branch["square"] == pytest.approx(branch["x"] ** 2 + 1, rel=1e-15)
