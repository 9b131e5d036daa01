"""Location: where special points lie, how well two locators agree, and what is not reported."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine.identification import Identifier
from contcrit.events import Event
from tests.strategies import cubic, fold, hopf, p, pitchfork, reaction, transcritical, x, y

SHIFT = sp.Rational(1, 7)


def shifted(problem: cc.Problem) -> cc.Problem:
    """Move a one-unknown problem's special point off the grid, to x = 2/7, p = 1/7."""
    residual = [
        row.subs({x: x - 2 * SHIFT, p: p - SHIFT}, simultaneous=True) for row in problem.residual
    ]
    return cc.Problem(
        residual, [x], [p], kind=problem.kind if problem.kind != "potential" else "flow"
    )


@pytest.mark.parametrize("steps", [0.004, 0.01, 0.03, 0.1])
@pytest.mark.parametrize(
    ("problem", "start", "kind"),
    [
        (fold(), [2 / 7 + 0.9], "fold"),
        (transcritical(), [2 / 7], "branch-point"),
        (pitchfork(), [2 / 7], "branch-point"),
    ],
)
def test_location_agrees_to_many_digits_whatever_the_steps(
    problem: cc.Problem, start: list[float], kind: str, steps: float
) -> None:
    settings = cc.Settings(step_initial=steps / 4, step_maximum=steps)
    branch = cc.trace(shifted(problem), start, "p", (-1, 1), values={"p": 0.95}, settings=settings)
    (special,) = branch.special_points
    assert special.kind == kind
    assert special.z == pytest.approx([2 / 7, 1 / 7], abs=1e-11)
    assert special.digits >= 8
    assert special.residual < 1e-12
    assert special.bracket[0] <= special.arclength <= special.bracket[1]
    positions = np.searchsorted(branch.arclength, special.bracket)
    assert positions[1] - positions[0] in (1, 2, 3)


def test_a_branch_points_tangent_is_that_of_its_own_branch() -> None:
    # At a branch point the Jacobian annihilates every branch's tangent.
    for start, at, slope in (([0.0], -1.0, 0.0), ([-1.0], -1.0, 1.0)):
        branch = cc.trace(transcritical(), start, "p", (-1, 1), values={"p": at})
        (special,) = branch.special_points
        assert special.tangent[0] / special.tangent[1] == pytest.approx(slope, abs=1e-6)
    side = cc.trace(pitchfork(), [-1.0], "p", (-1, 1), values={"p": 1.0})
    (special,) = side.special_points
    assert special.kind == "branch-point"
    assert abs(special.tangent[1]) < 1e-3 < abs(special.tangent[0])


def test_the_cubic_inflection_is_no_special_point() -> None:
    branch = cc.trace(cubic(), [-1], "q", (-1, 1), values={"p": 0.0})
    assert branch.special_points == ()
    # x' = x^2 at p = 0 only touches zero from one side: a fold all the same.
    assert len(cc.trace(cubic(), [-1], "q", (-1, 1), values={"p": 0.01}).special_points) == 2


def test_two_folds_within_one_step_are_both_found() -> None:
    for slope in np.geomspace(1e-8, 1e-2, 25):
        branch = cc.trace(cubic(), [-1], "q", (-1, 1), values={"p": slope}, classify=False)
        folds = branch.of_kind("fold")
        assert len(folds) == len(branch.special_points)
        height = 2 * (slope / 3) ** 1.5
        if folds or slope > 1e-4:
            found = sorted(special.parameter for special in folds)
            assert found == pytest.approx([-height, height], rel=1e-6, abs=1e-11)


def test_a_fold_and_a_hopf_point_close_together_are_told_apart() -> None:
    heat = 20.0
    for steps in (0.02, 0.05, 0.1, 0.2):
        settings = cc.Settings(step_maximum=steps, step_initial=0.01)
        branch = cc.trace(
            reaction(), [0, 0], "D", (0.02, 0.11), values={"B": heat}, settings=settings,
            classify=False,
        )  # fmt: skip
        first, second = branch.special_points[:2]
        assert (first.kind, second.kind) == ("hopf", "fold")
        assert first.x[0] == pytest.approx(((heat + 4) - math.sqrt(24**2 - 400)) / 40, rel=1e-9)
        assert second.x[0] == pytest.approx((1 - math.sqrt(1 - 16 / heat)) / 2, rel=1e-9)


def test_a_pair_crossing_without_a_kernel_is_no_hopf_point_of_an_equation() -> None:
    problem = cc.Problem(hopf().residual, [x, y], [p], kind="equation")
    assert cc.trace(problem, [0, 0], "p", (-1, 1)).special_points == ()


@pytest.mark.parametrize("frequency", [0.05, 1.0, 30.0])
def test_the_hopf_frequency(frequency: float) -> None:
    branch = cc.trace(hopf(frequency), [0, 0], "p", (-0.7, 1))
    (special,) = branch.special_points
    assert special.kind == "hopf"
    assert special.parameter == pytest.approx(0, abs=1e-12)
    assert special.evidence["frequency"] == pytest.approx(frequency, rel=1e-10)
    assert special.digits >= 8


def test_two_real_eigenvalues_that_cancel_are_no_hopf_point() -> None:
    # Eigenvalues p - 1 and p + 1: their sum vanishes at p = 0 while neither is imaginary.
    problem = cc.Problem([(p - 1) * x, (p + 1) * y], [x, y], [p])
    branch = cc.trace(problem, [0, 0], "p", (-0.5, 0.5))
    assert branch.special_points == ()


def test_user_events_share_a_place_with_a_fold_without_hiding_it() -> None:
    event = cc.UserEvent("x = 0", lambda u, q: float(u[0]))
    branch = cc.trace(fold(), [1], "p", (-1, 1), values={"p": 1}, events=[event])
    assert sorted(s.kind for s in branch.special_points) == ["fold", "user"]
    for special in branch.special_points:
        assert special.z == pytest.approx([0, 0], abs=1e-10)


def test_double_eigenvalues_are_found_without_a_change_of_sign() -> None:
    problem = cc.Problem([p * x - x**3, p * y - y**3], [x, y], [p], kind="equation")
    branch = cc.trace(problem, [0, 0], "p", (-1, 0.9))
    (special,) = branch.special_points
    assert special.kind == "branch-point"
    assert special.kernel_dimension == 2
    assert special.parameter == pytest.approx(0, abs=1e-9)
    assert special.digits >= 6


def test_a_branch_point_whose_neighbours_give_no_value_keeps_its_first_location(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = Identifier._interpolate

    def without_values(self: Identifier, event: Event, *where: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(type(event), "value", lambda *_: math.inf)
            return exact(self, event, *where)

    settings = cc.Settings(gear="python")
    expected = cc.trace(shifted(pitchfork()), [2 / 7], "p", (-1, 1), settings=settings)
    monkeypatch.setattr(Identifier, "_interpolate", without_values)
    branch = cc.trace(shifted(pitchfork()), [2 / 7], "p", (-1, 1), settings=settings)
    (special,), (known,) = branch.special_points, expected.special_points
    assert special.kind == known.kind == "branch-point"
    assert special.z == pytest.approx(known.z, abs=1e-9)
