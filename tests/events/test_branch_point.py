"""Branch points: Newton on the extended systems, and dips of even kernels."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.events.base import Signals
from contcrit.events.branch_point import EVENT, refine
from contcrit.events.singularity import analyse
from tests.strategies import p, x, y


@pytest.mark.parametrize("error", [1e-2, 1e-4, 1e-7])
@pytest.mark.parametrize("cubic", [0, 1])
def test_newton_refines_a_simple_branch_point(error: float, cubic: int) -> None:
    row = (p - 1) * (x - y) - (x - y) ** (2 + cubic)
    problem = cc.Problem([row, y - sp.Rational(1, 3) * p], [x, y], [p])
    exact = np.array([1 / 3, 1 / 3, 1.0])
    system = problem.compile("p", {})
    singularity = analyse(system, exact, (exact + 0.2, exact - 0.3), 1e-4)
    assert (singularity.kernel_dimension, singularity.excess) == (1, 1)
    refined = refine(system, exact + error * np.array([1, -0.7, 0.4]), singularity, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("error", [1e-3, 1e-6])
def test_newton_refines_a_double_branch_point(error: float) -> None:
    problem = cc.Problem([p * x - x**3, p * y - y**3], [x, y], [p])
    system = problem.compile("p", {})
    exact = np.zeros(3)
    singularity = analyse(system, exact, (np.array([0, 0, 0.3]),), 1e-4)
    assert (singularity.kernel_dimension, singularity.excess) == (2, 2)
    refined = refine(system, exact + error * np.array([1, -0.7, 0.4]), singularity, 1e-8)
    assert refined is not None
    assert refined[0] == pytest.approx(exact, abs=1e-8)


def dips(offsets: np.ndarray, modulus: np.ndarray) -> list[tuple[int, int]]:
    size = len(offsets)
    signals = Signals(
        z=np.zeros((size, 2)),
        tangent=np.zeros((size, 2)),
        sign=np.ones(size),
        log_modulus=np.log(modulus),
        negative=None,
        step=np.diff(offsets),
    )
    brackets = EVENT.brackets(signals)
    assert all(bracket.dip for bracket in brackets)
    return [(bracket.first, bracket.last) for bracket in brackets]


@pytest.mark.parametrize("place", [-0.049, -0.02, 0.0, 0.013, 0.049])
def test_double_zeros_dip(place: float) -> None:
    offsets = np.linspace(-1, 1, 21)
    (found,) = dips(offsets, (offsets - place) ** 2 + 1e-300)
    assert offsets[found[0]] < place < offsets[found[1]]


@pytest.mark.parametrize("height", [0.05, 0.3, 1.0])
def test_smooth_minima_away_from_zero_do_not_dip(height: float) -> None:
    offsets = np.linspace(-1, 1, 21)
    assert dips(offsets, offsets**2 + height) == []
    assert dips(offsets, np.exp(offsets)) == []
