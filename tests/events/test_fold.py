"""Folds: Newton on the extended system, and the quadratic coefficient."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.events.fold import quadratic_coefficient, refine
from contcrit.events.singularity import analyse
from tests.strategies import p, x, y


def singularity_at(problem: cc.Problem, z: np.ndarray) -> tuple:
    system = problem.compile("p", {})
    return system, analyse(system, z, (z + 0.3, z - 0.3), 1e-2)


@pytest.mark.parametrize("curvature", [0.1, 1.0, -7.0])
def test_the_quadratic_coefficient(curvature: float) -> None:
    problem = cc.Problem([p - sp.Float(curvature) * x**2, y - x], [x, y], [p])
    z = np.zeros(3)
    system, singularity = singularity_at(problem, z)
    assert singularity.kernel_dimension == 1 and singularity.excess == 0
    # The null vector is (1, 1)/sqrt(2) and the left one (1, 0).
    assert abs(quadratic_coefficient(system, z, singularity)) == pytest.approx(
        abs(curvature) / 2, rel=1e-12
    )


@pytest.mark.parametrize("error", [1e-1, 1e-3, 1e-6])
def test_newton_refines_a_rough_fold(error: float) -> None:
    # x e^-x = p folds at x = 1, p = 1/e.
    problem = cc.Problem([x * sp.exp(-x) - p], [x], [p])
    exact = np.array([1.0, np.exp(-1)])
    system, singularity = singularity_at(problem, exact)
    refined = refine(system, exact + error * np.array([1.0, -0.5]), singularity, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx(exact, abs=1e-14)
    assert refined[1] < 1e-15


def test_no_fold_nearby_is_said() -> None:
    problem = cc.Problem([sp.exp(x) - p], [x], [p])
    system = problem.compile("p", {})
    z = np.array([0.0, 1.0])
    regular = analyse(system, z, (z, z), 1e-6)
    assert regular.kernel_dimension == 0
    pretended = analyse(system, z, (z, z), 2.0)
    assert pretended.kernel_dimension == 1
    assert refine(system, z, pretended, 1e-8) is None
