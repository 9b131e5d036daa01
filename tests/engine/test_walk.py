"""The walk: its cost, its steps, and its guards against jumps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine.kernel import control_from
from contcrit.engine.trace import Tracer
from contcrit.engine.walk import next_step
from contcrit.linalg import metric_weights
from tests.strategies import circle, fold, linear, p, x


class Counting:
    """A system that counts how often it is evaluated, and offers no machine code."""

    native = None

    def __init__(self, system: Any) -> None:
        self._system = system
        self.evaluations = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def residual_and_jacobian(self, z: np.ndarray) -> Any:
        self.evaluations += 1
        return self._system.residual_and_jacobian(z)


def march(problem: cc.Problem, start: list[float], span: tuple[float, float], **settings: Any):
    chosen = cc.Settings(**{"gear": "python", **settings})
    system = Counting(problem.compile("p", {}))
    tracer = Tracer(system, span, chosen)
    z = np.array(start)
    tangent = np.zeros(z.size)
    tangent[-1] = 1.0
    jacobian = problem.compile("p", {}).jacobian(z)
    tangent[:-1] = np.linalg.solve(jacobian[:, :-1], -jacobian[:, -1])
    weights = metric_weights(problem.size, chosen.theta)
    tangent /= np.sqrt(weights @ tangent**2)
    return tracer.march(system, z, tangent), system


@pytest.mark.parametrize(
    ("problem", "start"),
    [
        (linear(3), [0, 0, 0, 0]),
        (fold(), [1e-3, 1e-6]),
        (cc.Problem([sp.sinh(x) - p], [x], [p]), [0, 0]),
    ],
)
def test_the_cost_of_a_point_does_not_grow_with_the_branch(
    problem: cc.Problem, start: list[float]
) -> None:
    costs = []
    for count in (200, 2000):
        marched, system = march(
            problem, start, (-1e-9, 1e6), maximum_points=count, parameter_fraction=1e-8,
            step_initial=1e-3, step_maximum=1e-3,
        )  # fmt: skip
        assert len(marched.points) == count
        costs.append(system.evaluations / count)
    assert costs[1] <= 1.05 * costs[0]
    assert costs[1] <= 3.2


def test_steps_respect_every_bound() -> None:
    settings = {"step_initial": 0.003, "step_maximum": 0.05, "parameter_fraction": 0.01}
    marched, _ = march(linear(2), [0, 0, 0], (-1, 1), **settings)
    steps = np.diff(marched.facts[:, 0])
    assert marched.facts[0, 0] == pytest.approx(0.003)
    assert np.max(steps) <= 0.05 + 1e-12
    assert np.max(np.diff(marched.points[:, -1])) <= 0.02 + 1e-12


def test_the_turn_of_one_step_is_bounded() -> None:
    settings = {"step_maximum": 1.0, "parameter_fraction": 1.0, "angle_maximum": 0.2}
    branch = cc.trace(
        circle(),
        [1],
        "p",
        (-2, 2),
        values={"p": 0},
        settings=cc.Settings(**settings),
        classify=False,
    )
    angles = np.diff(np.unwrap(np.arctan2(branch["x"], branch["p"])))
    assert np.max(np.abs(angles)) <= 0.21
    assert np.max(np.abs(angles)) >= 0.1  # the step grew up to the bound


def test_the_next_step_grows_and_shrinks_with_the_work() -> None:
    control = control_from(cc.Settings(step_maximum=10.0), (-1.0, 1.0))
    grown = [next_step(0.1, 0.1, iterations, 1.0, control) for iterations in (1, 2, 3, 4, 5, 7)]
    assert grown == pytest.approx([0.2, 0.2, 0.15, 0.1, 0.06, 0.06])
    assert next_step(8.0, 8.0, 1, 1.0, control) == 10.0
    # A turn of twice the target halves the step.
    angle = 2 * control.angle_target
    assert next_step(0.1, 0.1, 1, float(np.cos(angle)), control) == pytest.approx(0.05)


# ---- jumps -------------------------------------------------------------------------------------


def traced(residual: sp.Expr, start: float, at: float, **options: Any) -> cc.Branch:
    problem = cc.Problem([residual], [x], [p], kind="equation")
    return cc.trace(problem, [start], "p", (-1, 1), values={"p": at}, classify=False, **options)


GAPS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]
STEPS = [0.0037, 0.01, 0.022, 0.05]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("gap", GAPS)
def test_hyperbolas_that_nearly_touch_are_not_crossed(gap: float, step: float) -> None:
    settings = cc.Settings(step_initial=step)
    upright = traced(x**2 - p**2 - sp.Float(gap), 1, -1, settings=settings)
    assert np.all(upright["x"] > 0)
    assert upright["p"][-1] == 1
    assert upright.special_points == ()
    lying = traced(p**2 - x**2 - sp.Float(gap), -1, -1, settings=settings)
    assert np.all(lying["p"] < 0)
    (turn,) = lying.special_points
    assert turn.kind == "fold"
    assert turn.parameter == pytest.approx(-np.sqrt(gap), rel=1e-9)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("gap", GAPS)
def test_imperfect_pitchforks_are_not_crossed(gap: float, step: float) -> None:
    residual = p * x - x**3 + sp.Float(gap)
    settings = cc.Settings(step_initial=step)
    upper = traced(residual, 1, 1, settings=settings)
    assert np.all(upper["x"] > 0)
    assert upper["p"][0] == -1 and upper["p"][-1] == 1
    assert upper.special_points == ()
    lower = traced(residual, -1, 1, settings=settings)
    assert np.all(lower["x"] < 0)
    (turn,) = lower.special_points
    assert turn.kind == "fold"
    assert turn.parameter == pytest.approx(3 * (gap / 2) ** (2 / 3), rel=1e-9)


@pytest.mark.parametrize("spacing", [0.3, 0.1, 0.03])
def test_closely_packed_curves_are_not_swapped(spacing: float) -> None:
    residual = sp.sin((x - sp.sin(5 * p)) * sp.pi / sp.Float(spacing))
    branch = traced(residual, 0, 0)
    assert branch["x"] == pytest.approx(np.sin(5 * branch["p"]), abs=1e-6)
    assert branch["p"][0] == -1 and branch["p"][-1] == 1


def test_a_parabola_close_to_a_line_is_told_apart() -> None:
    for gap in (1e-2, 1e-3):
        parabola = sp.Float(gap) * (p**2 + sp.Float(gap))
        line = traced(x * (x - parabola), 0, -1)
        assert line["x"] == pytest.approx(0, abs=1e-13)
        curve = traced(x * (x - parabola), float(parabola.subs(p, -1)), -1)
        assert curve["x"] == pytest.approx(gap * (curve["p"] ** 2 + gap), rel=1e-6, abs=1e-9)
        assert line.special_points == curve.special_points == ()
