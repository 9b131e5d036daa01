"""Nonsmooth problems with closed forms: every border, its kind and its verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.symbolic.markers import absolute, leaky_relu, relu, sign, step
from contcrit.symbolic.piecewise import PiecewiseProblem
from tests.validation.expectations import ends

x, y, p, alpha = sp.symbols("x y p alpha")
HALF = sp.Rational(1, 2)


def borders(branch: cc.Branch) -> list[tuple[str, float]]:
    """Return collision and parameter of every special point, which must all be borders."""
    assert {special.kind for special in branch.special_points} <= {"border"}, branch
    for special in branch.special_points:
        assert special.digits >= 6
        assert special.residual <= 1e-9
        assert special.bracket[0] <= special.arclength <= special.bracket[1]
        assert special.evidence["complete"]
    assert np.all(np.diff(branch.arclength) > 0)
    assert np.max(branch.residual_norm) <= 1e-9
    return [(s.evidence["collision"], s.parameter) for s in branch.special_points]


def one_kink(slope=1):
    return PiecewiseProblem.from_potential(slope * absolute(x) + x**2 / 2 - p * x, [x], [p])


@pytest.mark.parametrize("start", [({"x": 1}, 2.0), ({"x": 0}, 0.0), ({"x": -4}, -2.5)])
def test_critical_points_of_one_kink(start) -> None:
    branch = cc.trace(one_kink(), start[0], "p", (-3, 3), values={"p": start[1]})
    found = borders(branch)
    assert [kind for kind, _ in found] == ["persistence", "persistence"]
    assert [value for _, value in found] == pytest.approx([-1.0, 1.0], abs=1e-12)
    assert ends(branch) == {"END_OF_SPAN"}
    q = branch["p"]
    expected = np.where(q < -1, q + 1, np.where(q > 1, q - 1, 0.0))
    assert branch["x"] == pytest.approx(expected, abs=1e-9)
    mode = branch["mode"][:, 0]
    assert np.all(mode[np.abs(q) < 1 - 1e-9] == 0)
    assert np.all(mode[np.abs(q) > 1 + 1e-9] == np.sign(q[np.abs(q) > 1 + 1e-9]))
    held = mode == 0
    assert branch["position"][held, 0] == pytest.approx((1 + q[held]) / 2, abs=1e-9)
    assert np.all(branch["index"] == 0)
    assert [verdict.kind for _, _, verdict in branch.verdicts] == [
        "minimum",
        "sharp minimum",
        "minimum",
    ]
    before, after = branch.special_points
    assert before.verdict_before.kind == "minimum"
    assert before.verdict_after.kind == after.verdict_before.kind == "sharp minimum"


def test_one_kink_bending_down_folds_twice() -> None:
    branch = cc.trace(one_kink(-1), {"x": 3}, "p", (-3, 3), values={"p": 2})
    assert borders(branch) == [
        ("nonsmooth fold", pytest.approx(1.0, abs=1e-12)),
        ("nonsmooth fold", pytest.approx(-1.0, abs=1e-12)),
    ]
    held = branch["mode"][:, 0] == 0
    assert np.all(branch["index"][held][1:] == 1)
    assert np.all(branch["index"][~held] == 0)
    assert [verdict.kind for _, _, verdict in branch.verdicts] == ["minimum", "maximum", "minimum"]
    found = cc.find(one_kink(-1), (-5, 5), {"p": 0.25})
    assert sorted(found.points.ravel()) == pytest.approx([-0.75, 0.0, 1.25], abs=1e-9)
    assert found.believed_complete
    assert sorted(found.report["modes"]) == [[-1], [0], [1]]


def test_continuous_kinks_fold_or_persist_by_their_slopes() -> None:
    fold = cc.trace(
        PiecewiseProblem([absolute(x) - p], [x], [p]), [2], "p", (-1, 2), values={"p": 2}
    )
    assert borders(fold) == [("nonsmooth fold", pytest.approx(0.0, abs=1e-12))]
    assert fold["p"] == pytest.approx(np.abs(fold["x"]), abs=1e-9)
    through = PiecewiseProblem([x + relu(x) - p], [x], [p])
    assert borders(cc.trace(through, [1], "p", (-1, 2), values={"p": 2})) == [
        ("persistence", pytest.approx(0.0, abs=1e-12))
    ]


def test_two_kinks_meet_at_once() -> None:
    potential = absolute(x) + absolute(y) + (x**2 + y**2) / 2 - p * x - p * y
    problem = PiecewiseProblem.from_potential(potential, [x, y], [p])
    branch = cc.trace(problem, [1, 1], "p", (-3, 3), values={"p": 2})
    assert borders(branch) == [
        ("persistence", pytest.approx(-1.0, abs=1e-12)),
        ("persistence", pytest.approx(1.0, abs=1e-12)),
    ]
    assert all(special.evidence["kinks"] == [0, 1] for special in branch.special_points)
    q = branch["p"]
    assert branch["y"] == pytest.approx(np.sign(q) * np.maximum(np.abs(q) - 1, 0), abs=1e-9)


def test_one_kink_is_exchanged_for_another() -> None:
    potential = x**2 / 2 - x / 2 + absolute(x) + absolute(x - p)
    branch = cc.trace(PiecewiseProblem.from_potential(potential, [x], [p]), [0], "p", (-1.2, 1.2))
    assert borders(branch) == [
        ("exchange", pytest.approx(0.0, abs=1e-12)),
        ("persistence", pytest.approx(0.5, abs=1e-12)),
    ]
    assert branch["x"] == pytest.approx(np.clip(branch["p"], 0.0, 0.5), abs=1e-9)


def test_nested_kinks() -> None:
    # |(|x| - 1)| + x^2/10 - p x: stationary at the kinks -1, 0, 1 and on four slopes.
    problem = PiecewiseProblem.from_potential(
        absolute(absolute(x) - 1) + x**2 / 10 - p * x, [x], [p]
    )
    branch = cc.trace(problem, [3], "p", (-3, 3), values={"p": 2})
    expected = [
        ("persistence", -1.2), ("persistence", 0.8), ("nonsmooth fold", 1.0),
        ("nonsmooth fold", -1.0), ("persistence", -0.8), ("persistence", 1.2),
    ]  # fmt: skip
    found = borders(branch)
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    assert [value for _, value in found] == pytest.approx([q for _, q in expected], abs=1e-12)
    assert [verdict.kind for _, _, verdict in branch.verdicts] == [
        "minimum", "sharp minimum", "minimum", "maximum", "minimum", "sharp minimum", "minimum"
    ]  # fmt: skip


def test_pseudo_equilibrium_of_a_filippov_flow() -> None:
    # Slides on x = 0 for |p| < 1/2; beyond, x = 2 (p -+ 1/2) / 3.
    problem = PiecewiseProblem([-x - y + p - sign(x) / 2, x / 2 - y], [x, y], [p])
    branch = cc.trace(problem, [0, 0], "p", (-2, 2), values={"p": 0})
    assert borders(branch) == [
        ("persistence", pytest.approx(-0.5, abs=1e-12)),
        ("persistence", pytest.approx(0.5, abs=1e-12)),
    ]
    q = branch["p"]
    shifted = np.sign(q) * np.maximum(np.abs(q) - 0.5, 0.0)
    assert branch["x"] == pytest.approx(2 * shifted / 3, abs=1e-9)
    sliding = branch.verdicts[1][2]
    assert sliding.evidence["sliding"] is True
    assert sliding.evidence["stability"] == "stable"
    assert sliding.evidence["eigenvalues"] == pytest.approx([-1.0])


def test_step_switches_a_reaction_on() -> None:
    # x' = p - x - 2 step(x - 1): held at 1 for 1 < p < 3.
    problem = PiecewiseProblem([p - x - 2 * step(x - 1)], [x], [p])
    branch = cc.trace(problem, [0], "p", (0, 4))
    assert borders(branch) == [
        ("persistence", pytest.approx(1.0, abs=1e-12)),
        ("persistence", pytest.approx(3.0, abs=1e-12)),
    ]
    q = branch["p"]
    held = (q > 1 + 1e-9) & (q < 3 - 1e-9)
    assert branch["position"][held, 0] == pytest.approx((q[held] - 1) / 2, abs=1e-9)


def test_the_leak_itself_is_continued() -> None:
    # L = (h + 1)^2/2 + x^2/8 - 3x/10, h = leaky(x): at x = 0 the slope is a - 3/10 to the left.
    potential = (leaky_relu(x, alpha) + 1) ** 2 / 2 + x**2 / 8 - 3 * x / 10
    problem = PiecewiseProblem.from_potential(potential, [x], [alpha])
    branch = cc.trace(problem, [-1], "alpha", (0, 1), values={"alpha": 0.9})
    assert borders(branch) == [("persistence", pytest.approx(0.3, abs=1e-12))]
    a = branch["alpha"]
    left = a > 0.3
    expected = (0.3 - a[left]) / (a[left] ** 2 + 0.25)
    assert branch["x"][left] == pytest.approx(expected, abs=1e-8)
    assert branch["x"][~left] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("direction", ["both", "forward", "backward"])
def test_a_square_is_a_closed_loop(direction) -> None:
    problem = PiecewiseProblem([absolute(x) + absolute(p) - 1], [x], [p])
    branch = cc.trace(problem, [0.5], "p", (-2, 2), values={"p": 0.5}, direction=direction)
    assert ends(branch) == {"CLOSED_LOOP"}
    assert sorted(borders(branch)) == [
        ("nonsmooth fold", pytest.approx(-1.0, abs=1e-12)),
        ("nonsmooth fold", pytest.approx(1.0, abs=1e-12)),
        ("persistence", pytest.approx(0.0, abs=1e-12)),
        ("persistence", pytest.approx(0.0, abs=1e-12)),
    ]
    assert np.abs(branch["x"]) + np.abs(branch["p"]) == pytest.approx(
        np.ones(len(branch)), abs=1e-9
    )
    assert branch.arclength[-1] == pytest.approx(4.0, abs=1e-6)


def test_smooth_points_within_modes_and_branches_beyond_them() -> None:
    # x^4/4 - p x^2/2 + 2 relu(x - 1): a pitchfork at 0, and borders at x = 1 for p = 1 and p = 3.
    potential = x**4 / 4 - p * x**2 / 2 + 2 * relu(x - 1)
    problem = PiecewiseProblem.from_potential(potential, [x], [p])
    diagram = cc.diagram(problem, [[0]], "p", (-1, 4))
    assert len(diagram) == 2
    trivial, side = diagram
    assert [(s.kind, round(s.parameter, 9)) for s in trivial.special_points] == [
        ("branch-point", 0.0)
    ]
    kinds = sorted((s.kind, round(s.parameter, 9)) for s in side.special_points)
    assert kinds == [("border", 1.0), ("border", 3.0), ("branch-point", 0.0)]
    upper = side["x"] > 1 + 1e-9
    assert side["x"][upper] ** 3 - side["p"][upper] * side["x"][upper] == pytest.approx(
        -2.0 * np.ones(upper.sum()), abs=1e-8
    )
    held = side["mode"][:, 0] == 0
    assert side["x"][held] == pytest.approx(np.ones(held.sum()), abs=1e-9)


def test_a_smooth_fold_within_a_mode() -> None:
    problem = PiecewiseProblem([p - x**2 - relu(x - 2)], [x], [p])
    branch = cc.trace(problem, [1], "p", (-1, 9), values={"p": 1})
    fold, border = sorted(branch.special_points, key=lambda special: special.parameter)
    assert (fold.kind, border.kind) == ("fold", "border")
    assert fold.parameter == pytest.approx(0.0, abs=1e-12)
    assert border.parameter == pytest.approx(4.0, abs=1e-9)
    assert border.x[0] == pytest.approx(2.0, abs=1e-9)
    assert branch["x"].max() == pytest.approx((math.sqrt(45) - 1) / 2, abs=1e-9)
