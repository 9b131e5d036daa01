"""The public functions: what they accept, what they refuse, and what they return."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit import SpecificationError, Status

x, y, p, q = sp.symbols("x y p q")


@pytest.fixture(scope="module")
def pitchfork():
    return cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])


@pytest.fixture(scope="module")
def two_parameters():
    return cc.Problem([p - x**2 + q], [x], [p, q])


def test_start_takes_arrays_and_mappings_alike(pitchfork):
    starts = ([1.5], np.array([1.5]), {"x": 1.5}, {x: 1.5})
    ends = [cc.trace(pitchfork, start, p, (1, 3), classify=False).z[-1] for start in starts]
    assert all(np.array_equal(end, ends[0]) for end in ends)
    np.testing.assert_allclose(ends[0], [np.sqrt(3), 3], rtol=1e-12)


def test_start_is_corrected_first(pitchfork):
    branch = cc.trace(pitchfork, [1.3], "p", (1, 2), values={"p": 1})
    assert branch["x"][0] == pytest.approx(1, abs=1e-12)
    assert branch["p"][0] == 1


def test_values_give_the_start_and_the_other_parameters(two_parameters):
    branch = cc.trace(two_parameters, [2], "p", (-3, 5), values={"p": 2, "q": 2})
    (fold,) = branch.special_points
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(-2, abs=1e-12)
    assert branch.values == {"q": 2.0}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"parameter": "nonsense"}, "parameter"),
        ({"span": (2, 1)}, "span"),
        ({"span": (0, float("nan"))}, "span"),
        ({"span": "wide"}, "span"),
        ({"direction": "sideways"}, "direction"),
        ({"values": {"p": 7}}, "values"),
        ({"values": {"r": 0}}, "values"),
        ({"values": [1, 2]}, "values"),
        ({"start": [1, 2, 3]}, "start"),
        ({"start": [float("nan")]}, "start"),
    ],
)
def test_misuse_names_the_argument(pitchfork, arguments, named):
    given = {"start": [1], "parameter": "p", "span": (0, 2), **arguments}
    with pytest.raises(SpecificationError) as caught:
        cc.trace(pitchfork, given.pop("start"), given.pop("parameter"), given.pop("span"), **given)
    assert caught.value.argument.startswith(named)


def test_missing_value_is_named(two_parameters):
    with pytest.raises(SpecificationError, match="q"):
        cc.trace(two_parameters, [1], "p", (0, 1))


def test_verdicts_stand_on_either_side_of_a_special_point(pitchfork):
    branch = cc.trace(pitchfork, [0], "p", (-1, 2))
    (special,) = branch.special_points
    assert special.verdict_before.kind == "minimum"
    assert special.verdict_after.kind == "maximum"
    assert branch.verdict_at(0).kind == "minimum"
    assert branch.verdict_at(-1).index == 1
    assert cc.trace(pitchfork, [0], "p", (-1, 2), classify=False).verdicts == ()


def test_observables_and_recorded_columns(pitchfork):
    branch = cc.trace(
        pitchfork, [1], "p", (1, 2), record={"twice": lambda x, values: 2 * x[0] + values["p"]}
    )
    np.testing.assert_allclose(branch["potential"], -(branch["p"] ** 2) / 4, rtol=1e-12)
    np.testing.assert_allclose(branch["twice"], 2 * branch["x"] + branch["p"])


def test_user_event_is_located(pitchfork):
    event = cc.UserEvent("p is two", lambda x, parameter: parameter - 2)
    branch = cc.trace(pitchfork, [1], "p", (1, 3), events=[event])
    (special,) = branch.special_points
    assert special.kind == "user"
    assert special.evidence["event"] == "p is two"
    np.testing.assert_allclose(special.z, [np.sqrt(2), 2], rtol=1e-10)
    assert branch["p"][-1] == 3


def test_terminal_event_ends_the_branch(pitchfork):
    event = cc.UserEvent("p is two", lambda x, parameter: parameter - 2, terminal=True)
    branch = cc.trace(pitchfork, [1], "p", (1, 3), events=[event])
    assert branch.status[1] is Status.STOPPED_AT_EVENT
    np.testing.assert_allclose(branch.z[-1], [np.sqrt(2), 2], rtol=1e-10)
    assert np.all(np.diff(branch.arclength) > 0)


def test_progress_may_stop_the_walk(pitchfork):
    seen = []

    def progress(points, parameter):
        seen.append((points, parameter))
        return points >= 128

    settings = cc.Settings(step_maximum=0.001, gear="python")
    branch = cc.trace(pitchfork, [1], "p", (1, 3), settings=settings, progress=progress)
    assert branch.status[1] is Status.STOPPED_BY_USER
    assert seen[-1][0] == 128
    assert len(branch) == 129


def test_failed_start_returns_an_empty_branch_with_its_reason():
    problem = cc.Problem([x**2 + 1 + p**2], [x], [p])
    branch = cc.trace(problem, [1], "p", (0, 1))
    assert len(branch) == 0
    assert branch.status[0] is Status.START_FAILED
    assert "find" in branch.status[0].message


def test_undeclared_symmetry_is_reported_not_walked():
    radius = x**2 + y**2
    problem = cc.Problem.from_potential((radius - 1) ** 2 / 4 + p * radius / 2, [x, y], [p])
    branch = cc.trace(problem, [np.sqrt(0.5), np.sqrt(0.5)], "p", (0, 0.5))
    assert branch.status[0] is Status.SINGULAR_START
    assert "generators" in branch.status[0].message


def test_resume_goes_on_where_a_saved_branch_stopped(pitchfork, tmp_path):
    short = cc.trace(
        pitchfork, [1], "p", (1, 3), settings=cc.Settings(maximum_points=5), direction="forward"
    )
    assert short.status[1] is Status.MAXIMUM_POINTS
    short.save(tmp_path / "short.nc")
    loaded = cc.load(tmp_path / "short.nc")
    more = cc.resume(loaded, settings=cc.Settings())
    np.testing.assert_array_equal(more.z[0], short.z[-1])
    np.testing.assert_allclose(more.z[-1], [np.sqrt(3), 3], rtol=1e-12)


def test_resume_needs_points_and_a_problem(pitchfork):
    from dataclasses import replace

    branch = cc.trace(pitchfork, [1], "p", (1, 2))
    with pytest.raises(SpecificationError, match="branch"):
        cc.resume(replace(branch, source=None))
    with pytest.raises(SpecificationError, match="direction"):
        cc.resume(branch, direction="both")


def test_find_reports_all_roots_and_its_confidence(pitchfork):
    found = cc.find(pitchfork, (-3, 3), {"p": 4})
    np.testing.assert_allclose(sorted(float(root[0]) for root in found), [-2, 0, 2], atol=1e-9)
    assert found.believed_complete, found.why


def test_classify_judges_the_point_as_it_is(pitchfork):
    assert cc.classify(pitchfork, [2], {"p": 4}).kind == "minimum"
    assert cc.classify(pitchfork, [0], {"p": 4}).kind == "maximum"
    assert cc.classify(pitchfork, [1], {"p": 4}).kind == "not critical"
    assert cc.classify(pitchfork, [0], {"p": 0}).kind in ("degenerate", "undecided")


def test_diagram_budget_is_respected_and_said():
    unknowns = sp.symbols("u:3")
    potential = sum(u**4 / 4 - p * u**2 / 2 for u in unknowns)
    problem = cc.Problem.from_potential(potential, unknowns, [p])
    settings = cc.Settings(maximum_branches=3)
    found = cc.diagram(problem, np.zeros(3), "p", (-1, 1), settings=settings)
    assert len(found) == 3
    assert found.status is Status.BUDGET_SPENT
    whole = cc.diagram(problem, np.zeros(3), "p", (-1, 1))
    assert whole.status is Status.COMPLETE
    assert len(whole) == 1 + (3**3 - 1) // 2


def test_diagram_drops_starts_on_the_same_branch(pitchfork):
    found = cc.diagram(pitchfork, [[1.0], [-1.0], [1.0]], "p", (0.5, 2), values={"p": 1})
    assert len(found) == 2
    assert found.report["duplicates"] == 1


def test_diagram_of_two_parallel_starts_at_their_own_values(pitchfork):
    found = cc.diagram(pitchfork, [([1.0], 1.0), ([-1.5], 2.25)], "p", (0.5, 3))
    assert len(found) == 2
    with pytest.raises(SpecificationError, match="starts"):
        cc.diagram(pitchfork, [([1.0], 9.0)], "p", (0.5, 3))


def test_results_name_their_columns(pitchfork):
    branch = cc.trace(pitchfork, [1], "p", (1, 2))
    assert set(branch.column_names) >= {"x", "p", "index", "potential", "arclength"}
    with pytest.raises(SpecificationError, match="column"):
        branch["nonsense"]
    assert len(list(branch)) == len(branch)
    assert branch[0].parameter == 1


def test_both_gears_agree(two_parameters):
    results = [
        cc.trace(
            two_parameters, [2], "p", (-3, 5), values={"p": 2, "q": 2},
            settings=cc.Settings(gear=gear),
        )
        for gear in ("python", "native")
    ]  # fmt: skip
    np.testing.assert_allclose(results[0].z, results[1].z, rtol=1e-11, atol=1e-12)
    assert results[1].provenance["gear"] == "native"
    assert [s.kind for s in results[0].special_points] == [
        s.kind for s in results[1].special_points
    ]


def test_native_gear_is_refused_where_there_is_no_machine_code():
    many = sp.symbols("u:40")
    problem = cc.Problem([u - p * many[k - 5] for k, u in enumerate(many)], many, [p])
    with pytest.raises(SpecificationError, match="gear"):
        cc.trace(problem, np.zeros(40), "p", (0, 1), settings=cc.Settings(gear="native"))


def test_an_executor_changes_no_result(pitchfork):
    alone = cc.diagram(pitchfork, [0], "p", (-1, 2))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shared = cc.diagram(pitchfork, [0], "p", (-1, 2), executor=pool)
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one.z, other.z)
        np.testing.assert_array_equal(one["potential"], other["potential"])
        assert [str(v) for *_, v in one.verdicts] == [str(v) for *_, v in other.verdicts]
