"""Branch switching: every direction in which branches leave a branch point, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine.branching import Departure, Switch
from contcrit.engine.trace import Tracer
from contcrit.engine.walk import RESIDUAL
from tests.strategies import p, pitchfork, rotated_pitchfork, transcritical, x, y


def switched(problem: cc.Problem, start: list[float], at: float = -1.0) -> list[Departure]:
    system = problem.compile("p", {})
    tracer = Tracer(system, (-1.0, 1.0), cc.Settings())
    branch = tracer.trace(np.array([*start, at]), "both")
    (special,) = branch.of_kind("branch-point")
    departures = Switch(system, special, tracer.control, cc.Settings()).departures()
    for departure in departures:
        assert departure.facts[RESIDUAL] < 1e-9
        assert np.linalg.norm(departure.direction) == pytest.approx(1)
    return departures


def directions(departures: list[Departure]) -> np.ndarray:
    return np.array([departure.direction for departure in departures])


def test_a_transcritical_point_has_one_other_line() -> None:
    found = directions(switched(transcritical(), [0.0]))
    assert len(found) == 2
    assert np.abs(found) == pytest.approx(np.sqrt(0.5), rel=1e-9)
    assert np.prod(found, axis=1) == pytest.approx(0.5, rel=1e-9)
    assert found[0] == pytest.approx(-found[1], rel=1e-9)


def test_a_pitchfork_leaves_across_from_the_trivial_branch() -> None:
    found = switched(pitchfork(), [0.0])
    assert len(found) == 2
    for departure in found:
        assert departure.z[1] == pytest.approx(departure.z[0] ** 2, rel=1e-9)
    assert found[0].direction @ found[1].direction < -0.98


def test_a_pitchfork_reached_along_its_side_branch_leaves_along_the_trivial_one() -> None:
    found = directions(switched(pitchfork(), [1.0], 1.0))
    assert len(found) == 2
    assert np.abs(found[:, 0]) == pytest.approx(0, abs=1e-9)


def test_uncoupled_pitchforks_leave_in_eight_directions() -> None:
    problem = cc.Problem([p * x - x**3, p * y - y**3], [x, y], [p])
    found = switched(problem, [0.0, 0.0])
    assert len(found) == 8
    angles = sorted(round(float(np.degrees(np.arctan2(d.z[1], d.z[0]))), 3) % 360 for d in found)
    assert angles == pytest.approx([0, 45, 90, 135, 180, 225, 270, 315], abs=0.01)
    # Opposite departures stand next to each other.
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one.direction[:2] @ other.direction[:2] < -0.9


def test_threefold_symmetry_has_three_lines() -> None:
    potential = x**3 / 3 - x * y**2 - p * (x**2 + y**2) / 2
    found = switched(cc.Problem.from_potential(potential, [x, y], [p]), [0.0, 0.0])
    assert len(found) == 6
    for departure in found:
        assert np.hypot(*departure.z[:2]) == pytest.approx(abs(departure.z[2]), rel=1e-9)
        angle = np.degrees(np.arctan2(departure.z[1], departure.z[0])) % 120
        assert angle == pytest.approx(0 if departure.z[2] > 0 else 60, abs=1e-6) or (
            departure.z[2] > 0 and angle == pytest.approx(120, abs=1e-6)
        )
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one.direction == pytest.approx(-other.direction, abs=1e-9)


def test_rotated_copies_count_once() -> None:
    found = switched(rotated_pitchfork(), [0.0, 0.0])
    assert len(found) == 1
    (departure,) = found
    assert departure.z[:2] @ departure.z[:2] == pytest.approx(departure.z[-1], rel=1e-8)
    assert departure.system.multipliers == 1


@pytest.mark.parametrize("angle", [0.1, 0.5, 1.2])
def test_directions_turn_with_the_unknowns(angle: float) -> None:
    c, s = sp.Float(np.cos(angle)), sp.Float(np.sin(angle))
    one, other = c * x + s * y, -s * x + c * y
    rows = [p * one - one**3, -other + one**2]
    problem = cc.Problem([c * rows[0] - s * rows[1], s * rows[0] + c * rows[1]], [x, y], [p])
    found = directions(switched(problem, [0.0, 0.0]))
    assert len(found) == 2
    axis = np.array([np.cos(angle), np.sin(angle), 0.0])
    assert np.abs(found @ axis) == pytest.approx(1, rel=1e-2)
