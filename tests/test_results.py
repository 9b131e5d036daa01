"""Results: columns by name, points by position, special points by kind."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.results import Branch, Diagram, SpecialPoint
from tests.strategies import cubic, enzymes, pitchfork


@pytest.fixture(scope="module")
def branch() -> Branch:
    return cc.trace(
        cubic(), [-2], "q", (-1, 1), values={"p": 1}, record={"square": lambda u, v: u[0] ** 2}
    )


def test_columns_by_name(branch: Branch) -> None:
    assert np.array_equal(branch["q"], branch.z[:, -1])
    assert np.array_equal(branch["x"], branch.z[:, 0])
    assert branch["square"] == pytest.approx(branch["x"] ** 2)
    for name in branch.column_names:
        assert len(branch[name]) == len(branch)
    assert len(set(branch.column_names)) == len(branch.column_names)


def test_an_unknown_column_lists_the_known_ones(branch: Branch) -> None:
    with pytest.raises(SpecificationError, match="square") as caught:
        branch["cube"]
    assert "arclength" in str(caught.value)


def test_points_by_position(branch: Branch) -> None:
    point = branch[3]
    assert np.array_equal(point.z, branch.z[3])
    assert point.x == pytest.approx(branch.z[3, :-1])
    assert point.parameter == branch["q"][3]
    assert branch[-1].arclength == branch.arclength[-1]
    assert branch[np.int64(2)].residual_norm == branch.residual_norm[2]
    assert [p.arclength for p in branch] == list(branch.arclength)
    with pytest.raises(IndexError):
        branch[len(branch)]


def test_verdicts_cover_the_stretches(branch: Branch) -> None:
    stability = [branch.verdict_at(k) for k in range(len(branch))]
    assert all(verdict is not None for verdict in stability)
    changes = [
        k
        for k in range(1, len(branch))
        if stability[k].evidence["stability"] != stability[k - 1].evidence["stability"]
    ]
    assert len(changes) == len(branch.special_points) == 2
    for k, special in zip(changes, branch.special_points, strict=True):
        assert branch.arclength[k - 1] <= special.arclength <= branch.arclength[k]
    assert branch.verdict_at(-1) is branch.verdict_at(len(branch) - 1)


def test_verdicts_beside_a_special_point_are_those_of_the_stretches_next_to_it() -> None:
    # Two folds within one step: no accepted point lies between them, and nothing is claimed of it.
    x0, x1, p = sp.symbols("x0 x1 p")
    potential = p * x0 / 3 - 4 * p * x1 / 3 + x0**4 / 4 - x0**2 - x0 * x1 / 4 + x1**4 / 4
    problem = cc.Problem.from_potential(potential, [x0, x1], [p])
    for step in (0.01, 0.05, 0.1, 0.2):
        settings = cc.Settings(step_maximum=step, parameter_fraction=0.2)
        traced = cc.trace(problem, [-1.33, -1.44], "p", (-2, 2), settings=settings)
        before, after = traced.special_points
        assert str(before.verdict_before) == str(after.verdict_after) == "minimum (index 0)"
        for verdict in (before.verdict_after, after.verdict_before):
            assert verdict is None or verdict.kind in ("saddle", "undecided")


def test_user_events_lie_inside_a_stretch() -> None:
    x, p = sp.symbols("x p")
    problem = cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])
    events = [cc.UserEvent("early", lambda u, q: q + 0.5), cc.UserEvent("late", lambda u, q: q - 1)]
    traced = cc.trace(problem, [0], "p", (-1, 2), events=events)
    early, _, late = traced.special_points
    assert str(early.verdict_before) == str(early.verdict_after) == "minimum (index 0)"
    assert {str(late.verdict_before), str(late.verdict_after)} == {"maximum (index 1)"}


def test_the_start_of_a_loop_has_a_verdict_on_either_side() -> None:
    diagram = cc.diagram(enzymes(), [0, 0], "s0", (0, 60))
    for special in diagram[1].special_points:
        assert special.verdict_before is not None and special.verdict_after is not None


def test_kinds_and_representation(branch: Branch) -> None:
    assert branch.of_kind("fold") == branch.special_points
    assert branch.of_kind("hopf") == ()
    assert "2 points" not in repr(branch)
    assert f"Branch({len(branch)} points, q in [-1, 1]" in repr(branch)
    assert repr(branch.special_points[0]).startswith("SpecialPoint(fold, parameter=")


def test_special_points_carry_their_evidence(branch: Branch) -> None:
    special = branch.special_points[0]
    assert special.x.shape == (1,)
    assert special.parameter == special.z[-1]
    assert special.kernel_dimension == special.evidence["kernel_dimension"] == 1
    changed = special.replace(kind="user")
    assert changed.kind == "user" and special.kind == "fold"
    assert SpecialPoint(
        kind="user", z=special.z, tangent=special.tangent, bracket=(0, 1), arclength=0.5,
        residual=0.0, digits=0.0,
    ).kernel_dimension == 0  # fmt: skip


def test_provenance_and_arguments_are_kept(branch: Branch) -> None:
    assert branch.values == {"p": 1.0}
    assert branch.span == (-1.0, 1.0)
    assert branch.settings == cc.Settings()
    assert branch.provenance["contcrit"] == cc.__version__
    assert branch.provenance["seed"] == 0
    assert isinstance(branch.source, cc.Problem)


def test_diagrams_are_sequences_of_branches() -> None:
    diagram = cc.diagram(pitchfork(), [0], "p", (-1, 1))
    assert isinstance(diagram, Diagram)
    assert [diagram[k] for k in range(len(diagram))] == list(diagram)
    assert len(diagram.special_points) == sum(len(b.special_points) for b in diagram)
    assert diagram.of_kind("branch-point") == diagram.special_points
