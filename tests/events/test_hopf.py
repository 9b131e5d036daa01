"""Hopf points: the critical pair, and Newton on the extended system."""

from __future__ import annotations

import numpy as np
import pytest

from contcrit.events.hopf import critical_pair, refine
from tests.strategies import brusselator, hopf


def test_the_pair_nearest_to_the_axis_is_critical() -> None:
    matrix = np.zeros((5, 5))
    matrix[:2, :2] = [[0.01, -3.0], [3.0, 0.01]]
    matrix[2:4, 2:4] = [[-1.0, 2.0], [-2.0, -1.0]]
    matrix[4, 4] = 1e-9  # real eigenvalues make no pair
    pair = critical_pair(matrix)
    assert pair is not None
    assert (pair.real, pair.frequency) == pytest.approx((0.01, 3.0))
    assert matrix @ pair.vector == pytest.approx((pair.real + 1j * pair.frequency) * pair.vector)


def test_real_spectra_have_no_pair() -> None:
    assert critical_pair(np.diag([1.0, -1.0, 2.0])) is None


@pytest.mark.parametrize("frequency", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("error", [1e-2, 1e-5])
def test_newton_refines_a_rough_hopf_point(frequency: float, error: float) -> None:
    system = hopf(frequency).compile("p", {})
    z = error * np.array([0.0, 0.0, 1.0])
    pair = critical_pair(system.jacobian(z)[:, :-1])
    assert pair is not None
    refined = refine(system, z, pair, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx(np.zeros(3), abs=1e-13)
    assert refined[1] == pytest.approx(frequency, rel=1e-12)
    assert refined[2] < 1e-11 * max(1.0, frequency)


def test_newton_refines_the_brusselator() -> None:
    system = brusselator().compile("B", {})
    z = np.array([2.0, 2.5, 5.0]) + 1e-2
    pair = critical_pair(system.jacobian(z)[:, :-1])
    assert pair is not None
    refined = refine(system, z, pair, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx([2, 2.5, 5], rel=1e-12)
    assert refined[1] == pytest.approx(2, rel=1e-12)
