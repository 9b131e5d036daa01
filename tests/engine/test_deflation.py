"""The deflation factor and the deflated step against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.engine.deflation import Deflation, FixedParameter, deflated_newton
from contcrit.engine.orbits import SymmetryGroup
from contcrit.settings import Settings

ROTATION = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])


class Himmelblau:
    """The gradient of Himmelblau's function; p is not used."""

    size = 2

    def residual(self, z: np.ndarray) -> np.ndarray:
        a, b = z[0] ** 2 + z[1] - 11, z[0] + z[1] ** 2 - 7
        return np.array([4 * z[0] * a + 2 * b, 2 * a + 4 * z[1] * b])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        a, b = z[0] ** 2 + z[1] - 11, z[0] + z[1] ** 2 - 7
        mixed = 4 * (z[0] + z[1])
        return np.array(
            [[4 * a + 8 * z[0] ** 2 + 2, mixed, 0.0], [mixed, 2 + 4 * b + 8 * z[1] ** 2, 0.0]]
        )


@given(
    x=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    known=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    power=st.sampled_from([1.0, 2.0]),
)
def test_deflation_gradient(x: list[float], known: list[float], power: float) -> None:
    """Against differences of the definition, for points and for circles."""
    point, solution = np.array(x), np.array(known)
    width = np.array([1.0, 2.0, 0.5])
    if np.linalg.norm((point - solution) / width) < 1e-2:
        return
    deflation = Deflation(SymmetryGroup(3), width, power=power)
    deflation.add(solution)

    def factor(y):
        return np.log(np.sum(((y - solution) / width) ** 2) ** -power + 1.0)

    value, gradient = deflation.logarithm(point)
    assert value == pytest.approx(factor(point), rel=1e-9, abs=1e-12)
    differences = [(factor(point + 1e-6 * e) - factor(point - 1e-6 * e)) / 2e-6 for e in np.eye(3)]
    assert gradient == pytest.approx(np.array(differences), rel=1e-4, abs=1e-6)


def test_deflation_of_a_circle_depends_on_the_radius_only() -> None:
    deflation = Deflation(SymmetryGroup(2, ROTATION), np.ones(2))
    deflation.add(np.array([2.0, 0.0]))
    for angle in np.linspace(0, 2 * np.pi, 17):
        direction = np.array([np.cos(angle), np.sin(angle)])
        value, gradient = deflation.logarithm(3.0 * direction)
        assert value == pytest.approx(np.log(1.0**-2 + 1.0), abs=1e-4)
        assert gradient == pytest.approx(-1.0 * direction, abs=1e-3)


def test_deflated_newton_step_is_that_of_the_deflated_residual() -> None:
    """One iteration against the dense Jacobian of M F, assembled by differences."""
    system = FixedParameter(Himmelblau(), 0.0)
    deflation = Deflation(SymmetryGroup(2), np.full(2, 20.0))
    deflation.add(np.array([3.0, 2.0]))
    x = np.array([3.4, -1.7])

    def deflated(y):
        return np.exp(deflation.logarithm(y)[0]) * system.residual(y)

    jacobian = np.array([(deflated(x + h) - deflated(x - h)) / 2e-6 for h in 1e-6 * np.eye(2)]).T
    expected = x - np.linalg.solve(jacobian, deflated(x))
    region = (np.full(2, -50.0), np.full(2, 50.0))
    outcome = deflated_newton(system, x, deflation, Settings(), region, iterations=1)
    assert outcome.iterations == 1
    assert outcome.x == pytest.approx(expected, abs=1e-6)
