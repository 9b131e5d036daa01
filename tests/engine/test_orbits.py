"""Distances to group orbits against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from contcrit.engine.orbits import SymmetryGroup, orbit_distance

ROTATION = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
CONJUGATION = np.hstack(
    [np.kron(QUARTER, np.eye(2)) - np.kron(np.eye(2), QUARTER.T), np.zeros((4, 1))]
)[None]


@given(
    x=st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    y=st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    speed=st.floats(0.1, 5),
)
def test_distance_between_circles(x: list[float], y: list[float], speed: float) -> None:
    expected = abs(np.hypot(*x) - np.hypot(*y))
    assert orbit_distance(x, y, speed * ROTATION) == pytest.approx(expected, abs=1e-6)


@given(seed=st.integers(0, 10**6), time=st.floats(-3, 3))
def test_distance_vanishes_along_orbits(seed: int, time: float) -> None:
    """Conjugation, whose orbits are ellipses traversed at twice the speed, and a translation."""
    x = np.random.default_rng(seed).standard_normal(4)
    group = SymmetryGroup(4, CONJUGATION)
    turn = expm(time * QUARTER)
    moved = (turn @ x.reshape(2, 2) @ turn.T).ravel()
    assert group.move(np.array([time]), x) == pytest.approx(moved, abs=1e-12)
    assert group.distance(moved, x) < 1e-9
    shift = np.zeros((1, 4, 5))
    shift[0, :, -1] = 1.0
    assert orbit_distance(x + 100 * time, x, shift) < 1e-9


@given(seed=st.integers(0, 10**6))
def test_distance_under_several_generators(seed: int) -> None:
    """SO(3) acts on spheres: three generators."""
    generators = np.zeros((3, 3, 4))
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        generators[k, a, b], generators[k, b, a] = -1.0, 1.0
    x, y = np.random.default_rng(seed).standard_normal((2, 3))
    expected = abs(np.linalg.norm(x) - np.linalg.norm(y))
    assert orbit_distance(x, y, generators) == pytest.approx(expected, abs=1e-6)
    assert SymmetryGroup(3, generators).orbit_dimension(x) == 2


def test_distance_under_discrete_and_continuous_symmetries() -> None:
    reflection = np.diag([1.0, -1.0])
    assert orbit_distance([1.0, 2.0], [1.0, -2.5], symmetries=[reflection]) == pytest.approx(0.5)
    half_turn = np.array([[-1.0, 0.0, 2.0], [0.0, -1.0, 0.0]])
    assert orbit_distance([2.0, 0.0], [0.0, 0.0], symmetries=[half_turn]) == 0.0
    # A reflection adds nothing to a circle that it maps to itself.
    assert len(SymmetryGroup(2, ROTATION, [reflection]).copies(np.array([1.0, 0.5]))) == 1
    # On a product it does: rotations of one plane, reflections of the other.
    spread = np.zeros((1, 4, 5))
    spread[0, :2, :2] = QUARTER
    group = SymmetryGroup(4, spread, [np.diag([1.0, 1.0, -1.0, 1.0])])
    assert len(group.copies(np.array([1.0, 0.5, 0.3, 0.0]))) == 2


@given(
    st.integers(0, 2**31 - 1),
    st.floats(0.0, 3.0),
    st.floats(0.5, 2.0),
    st.sampled_from([0.5, 0.9, 1.1, 2.0]),
)
def test_coming_near_is_a_matter_of_distance(
    seed: int, time: float, stretch: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    turn = np.zeros((4, 5))
    turn[:2, :2] = turn[2:, 2:4] = [[0.0, -1.0], [1.0, 0.0]]
    group = SymmetryGroup(4, turn[None])
    x = rng.standard_normal(4)
    y = stretch * (expm(time * turn[:, :4]) @ x)
    distance = group.distance(x, y)
    if distance > 1e-3:
        assert group.comes_near(x, group.samples(y), share * distance) == (share > 1.0)
    else:
        assert group.comes_near(x, group.samples(y), 2e-3)
