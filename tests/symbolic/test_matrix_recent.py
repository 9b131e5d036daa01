"""What was computed last is not computed again, and never taken for another point's."""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.testing import assert_array_equal

from contcrit.symbolic.matrix import Exp
from contcrit.symbolic.matrix_problem import MatrixProblem
from contcrit.symbolic.matrix_recent import Recent


def test_the_oldest_is_forgotten():
    asked = []

    def compute(z):
        asked.append(float(z[0]))
        return z + 1.0

    recent = Recent(compute, 2)
    points = [np.array([value]) for value in (1.0, 2.0, 1.0, 3.0, 1.0, 2.0)]
    for z in points:
        assert_array_equal(recent(z), z + 1.0)
    assert asked == [1.0, 2.0, 3.0, 1.0, 2.0]
    assert recent.known(np.array([3.0])) is None


def test_a_complex_point_is_not_a_real_one():
    recent = Recent(np.sum, 3)
    z = np.array([1.0, 0.0])
    recent(z)
    assert recent.known(z.view(complex)) is None
    assert recent.known(z[:1]) is None


def test_a_system_hands_out_copies():
    C = sp.MatrixSymbol("C", 3, 3)
    p = sp.Symbol("p")
    A = np.arange(9.0).reshape(3, 3) / 10
    B = sp.MatrixSymbol("B", 3, 3)
    system = MatrixProblem(p * C - B * Exp(C), C, [p], {B: A}).compile("p")
    z = np.linspace(-1.0, 1.0, 10)
    residual, jacobian = system.residual_and_jacobian(z)
    expected = residual.copy(), jacobian.copy()
    residual[:] = 0.0
    jacobian[:] = 0.0
    for found, wanted in zip(system.residual_and_jacobian(z), expected, strict=True):
        assert_array_equal(found, wanted)
    system.residual(z)[:] = 0.0
    assert_array_equal(system.residual(z), expected[0])
    # A mutated point is another point.
    z[0] += 1.0
    assert not np.array_equal(system.residual(z), expected[0])


def test_second_derivatives_at_one_point_share_what_does_not_turn(rng):
    C = sp.MatrixSymbol("C", 3, 3)
    p = sp.Symbol("p")
    problem = MatrixProblem(p * C - Exp(C.T) * Exp(C), C, [p])
    z, one, other = rng.standard_normal((3, 10))
    system = problem.compile("p")
    both = [system.second(z, v) for v in (one, other, one)]
    assert_array_equal(both[0], both[2])
    for v, found in zip((one, other), both, strict=False):
        step = 1e-6
        ahead, behind = (system.jacobian(z + sign * step * v) for sign in (1, -1))
        slope = (ahead - behind) / (2 * step)
        assert np.abs(slope - found).max() < 1e-7 * np.abs(found).max()
