"""Gauge: walking across group orbits, counted apart from true kernels."""

from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.engine.gauge import (
    GaugedSystem,
    acting_combinations,
    gauged,
    orbit_tangents,
)
from tests.strategies import rotated_pitchfork

TURN = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
SLIDE = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])


def test_orbit_tangents_are_the_affine_fields() -> None:
    assert orbit_tangents(TURN, np.array([3.0, 4.0])) == pytest.approx(np.array([[-4.0, 3.0]]))
    assert orbit_tangents(SLIDE, np.array([3.0, 4.0])) == pytest.approx(np.array([[1.0, 0.0]]))


def test_only_combinations_that_move_the_point_act() -> None:
    assert len(acting_combinations(TURN, np.zeros(2))) == 0
    assert len(acting_combinations(TURN, np.array([1.0, 0.0]))) == 1
    twice = np.concatenate([TURN, 2 * TURN])
    assert len(acting_combinations(twice, np.array([1.0, 0.0]))) == 1
    both = np.concatenate([TURN, SLIDE])
    assert len(acting_combinations(both, np.array([1.0, 2.0]))) == 2


def system_at(x: list[float]) -> GaugedSystem:
    problem = rotated_pitchfork(1)
    system = gauged(problem.compile("p", {}), np.array(x))
    assert isinstance(system, GaugedSystem)
    return system


def test_a_fixed_point_needs_no_gauge() -> None:
    base = rotated_pitchfork(1).compile("p", {})
    assert gauged(base, np.array([0.0, 0.0, 0.7])) is base


def test_the_gauged_jacobian_is_regular_where_the_plain_one_is_not() -> None:
    system = system_at([0.6, 0.8, 0.0])
    z = np.array([0.6, 0.8, 0.0, 1.0])
    plain = np.linalg.svd(system.base.jacobian(z)[:, :-1], compute_uv=False)
    assert plain[-1] == pytest.approx(0, abs=1e-12)
    lifted = np.linalg.svd(system.jacobian(system.lift(z))[:, :-1], compute_uv=False)
    assert lifted[-1] > 0.1
    assert np.max(np.abs(system.residual(system.lift(z)))) < 1e-15


def test_lift_and_drop_are_inverse() -> None:
    system = system_at([0.6, 0.8, 0.0])
    z = np.array([0.6, 0.8, 0.0, 1.0])
    assert system.lift(z).size == 5
    assert np.array_equal(system.drop(system.lift(z)), z)


def test_the_second_derivative_matches_differences(rng: np.random.Generator) -> None:
    system = system_at([0.6, 0.8, 0.0])
    # Multipliers vanish at solutions: their products with the unfolding's derivatives are left out.
    z = rng.standard_normal(5)
    z[3] = 0.0
    direction = rng.standard_normal(5)
    direction[3] = 0.0
    step = 1e-6
    moved = (system.jacobian(z + step * direction) - system.jacobian(z - step * direction)) / (
        2 * step
    )
    found = system.second(z, direction)
    assert found == pytest.approx(moved, abs=1e-6)


def test_the_spectrum_without_the_orbits_zero() -> None:
    system = system_at([0.6, 0.8, 0.0])
    matrix, symmetric = system.spectral_matrix(np.array([0.6, 0.8, 0.0, 0.0, 1.0]))
    assert symmetric
    # Radial 2 r^2 = 2, along u 1, and the orbit's zero moved to a positive number.
    values = np.linalg.eigvalsh(matrix)
    assert np.min(np.abs(values - 2)) < 1e-12
    assert np.min(np.abs(values - 1)) < 1e-12
    assert np.min(values) > 0.5


@pytest.mark.parametrize("extra", [0, 1, 2, 3])
def test_the_index_along_circles_leaves_the_orbit_out(extra: int) -> None:
    problem = rotated_pitchfork(extra)
    start = np.zeros(2 + extra)
    start[:2] = 0.6, 0.8
    branch = cc.trace(problem, start, "p", (0.2, 2), values={"p": 1})
    assert branch.provenance["gauge"] == 1
    assert branch.special_points == ()
    assert set(branch["index"]) == {extra // 2}
    verdict = cc.classify(problem, start, {"p": 1})
    assert verdict.index == extra // 2
    assert verdict.nullity == verdict.gauge_nullity == 1
    assert (verdict.kind == "minimum") == (extra < 2)


def test_a_shrinking_orbit_ends_at_a_branch_point_of_the_plain_system() -> None:
    branch = cc.trace(rotated_pitchfork(1), [0.6, 0.8, 0], "p", (-1, 2), values={"p": 1})
    (special,) = branch.special_points
    assert special.kind == "branch-point"
    assert special.z == pytest.approx(np.zeros(4), abs=1e-9)
    assert special.kernel_dimension == 2
    assert branch.status[0].name == "STOPPED_AT_EVENT"
    radius = np.hypot(branch["x"], branch["y"])
    assert radius**2 == pytest.approx(branch["p"], abs=1e-8)


def test_the_branch_does_not_drift_along_the_orbit() -> None:
    branch = cc.trace(rotated_pitchfork(1), [0.6, 0.8, 0], "p", (0.2, 2), values={"p": 1})
    angle = np.arctan2(branch["y"], branch["x"])
    assert np.ptp(angle) < 1e-9
