"""Diagrams: every branch once, however it is reached, and honest reports."""

from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.errors import Status
from tests.strategies import (
    chain,
    circle,
    p,
    pitchfork,
    repeated_crossings,
    rotated_pitchfork,
    transcritical,
    two_nodes,
    x,
)


def test_the_same_branch_from_several_starts_is_kept_once() -> None:
    starts = [([1.0], 0.0), ([-1.0], 0.0), ([0.6], 0.8)]
    diagram = cc.diagram(circle(), starts, "p", (-2, 2))
    assert len(diagram) == 1
    assert diagram.report["duplicates"] == 2
    assert diagram.status is Status.COMPLETE
    assert diagram.connections == ()


@pytest.mark.parametrize("start", [([0.0], -1.0), ([0.0], 1.0), ([1.0], 1.0), ([-1.0], 1.0)])
def test_a_pitchfork_has_two_branches_from_every_start(start: tuple[list[float], float]) -> None:
    diagram = cc.diagram(pitchfork(), [start], "p", (-1, 1))
    assert len(diagram) == 2
    assert diagram.connections == ((0, 0, 1),)
    lengths = sorted(float(np.ptp(branch["x"])) for branch in diagram)
    assert lengths == pytest.approx([0, 2], abs=1e-9)
    assert [s.parameter for s in diagram.special_points] == pytest.approx([0, 0], abs=1e-11)


@pytest.mark.parametrize("start", [([0.0], -1.0), ([1.0], 1.0)])
def test_a_transcritical_point_has_two_lines(start: tuple[list[float], float]) -> None:
    diagram = cc.diagram(transcritical(), [start], "p", (-1, 1))
    assert len(diagram) == 2
    for branch in diagram:
        assert sorted(branch["p"][[0, -1]]) == [-1, 1]
        assert np.min(np.abs(branch["x"] * (branch["x"] - branch["p"]))) < 1e-12


def test_children_begin_where_their_parents_say() -> None:
    diagram = cc.diagram(two_nodes(), [0, 0], "a", (0.05, 0.4), values={"a": 0.05})
    ((parent, special, child),) = diagram.connections
    branch_point = diagram[parent].special_points[special]
    entered = [s for s in diagram[child].special_points if s.kind == "branch-point"]
    assert entered[0].z == pytest.approx(branch_point.z)
    assert np.min(np.max(np.abs(diagram[child].z - branch_point.z), axis=1)) == 0


def test_repeated_kernels_give_every_combination() -> None:
    # At 1 one unknown leaves zero, at 2 two more: (1 + 2) (1 + 8/2) - 1 branches, halves joined.
    diagram = cc.diagram(repeated_crossings(2), np.zeros(3), "lam", (0.5, 3), classify=False)
    assert diagram.status is Status.COMPLETE
    assert len(diagram) == 14
    patterns = set()
    for branch in diagram:
        for z in branch.z[[0, -1]]:
            if z[-1] == 3:
                patterns.add(tuple(np.sign(np.round(z[:3], 6)).astype(int).tolist()))
    assert len(patterns) == 27


def test_a_failed_start_is_reported_and_the_others_are_traced() -> None:
    problem = cc.Problem([x**2 - p], [x], [p], kind="equation")
    diagram = cc.diagram(problem, [([1.0], -0.5), ([1.0], 1.0)], "p", (-1, 1))
    assert len(diagram) == 1
    (failure,) = diagram.report["failed_starts"]
    assert failure[1] == "START_FAILED"


def test_budgets_are_kept_and_named() -> None:
    few = cc.Settings(maximum_branches=3)
    diagram = cc.diagram(
        repeated_crossings(2), np.zeros(3), "lam", (0.5, 3), settings=few, classify=False
    )
    assert len(diagram) == 3
    assert diagram.status is Status.BUDGET_SPENT
    shallow = cc.diagram(
        repeated_crossings(2), np.zeros(3), "lam", (0.5, 3),
        settings=cc.Settings(maximum_depth=1), classify=False,
    )  # fmt: skip
    assert shallow.status is Status.BUDGET_SPENT
    assert len(shallow) == 6


def test_rotated_copies_are_one_branch() -> None:
    angles = np.array([0.0, 1.0, 2.5])
    starts = [(np.array([np.cos(a), np.sin(a)]), 1.0) for a in angles]
    diagram = cc.diagram(rotated_pitchfork(), starts, "p", (-1, 1))
    assert len(diagram) == 2
    assert diagram.report["duplicates"] >= 2
    circle_branch, trivial = diagram
    radius = np.hypot(circle_branch["x"], circle_branch["y"])
    assert radius**2 == pytest.approx(circle_branch["p"], abs=1e-8)
    assert np.hypot(trivial["x"], trivial["y"]) == pytest.approx(0, abs=1e-9)


def test_settings_of_the_steps_do_not_change_what_is_found() -> None:
    found = set()
    for step in (0.003, 0.01, 0.03, 0.1):
        settings = cc.Settings(step_initial=step / 3, step_maximum=step)
        diagram = cc.diagram(
            chain(2), [([0.9, 0.9], 0.19)], "lam", (0.1, 3), settings=settings, classify=False
        )
        found.add(
            (len(diagram), *sorted((s.kind, round(s.parameter, 9)) for s in diagram.special_points))
        )
    assert len(found) == 1
