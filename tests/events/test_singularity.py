"""Kernels at a point are judged against their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.events.singularity import analyse
from tests.strategies import fold, p, repeated_crossings, transcritical, x, y


def test_a_fold_loses_no_rank_with_its_parameter() -> None:
    system = fold().compile("p", {})
    found = analyse(system, np.zeros(2), (np.array([0.1, 0.01]),), 1e-6)
    assert (found.kernel_dimension, found.excess) == (1, 0)
    assert found.right[:, 0] == pytest.approx([1]) or found.right[:, 0] == pytest.approx([-1])
    assert abs(found.kernel[:, 0]) == pytest.approx([1, 0])


def test_a_branch_point_does() -> None:
    system = transcritical().compile("p", {})
    found = analyse(system, np.zeros(2), (np.array([0.0, 0.1]),), 1e-6)
    assert (found.kernel_dimension, found.excess) == (1, 1)
    assert found.kernel.shape == (2, 2)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 5])
def test_kernels_of_several_dimensions(dimension: int) -> None:
    system = repeated_crossings(5).compile("lam", {})
    z = np.append(np.zeros(15), float(dimension))
    ends = tuple(z + np.append(np.zeros(15), shift) for shift in (-0.05, 0.05))
    found = analyse(system, z, ends, 1e-6)
    assert (found.kernel_dimension, found.excess) == (dimension, dimension)
    assert found.left.shape == (15, dimension)
    assert system.jacobian(z) @ found.kernel == pytest.approx(0, abs=1e-14)


def test_a_regular_point_has_no_kernel_even_badly_scaled() -> None:
    problem = cc.Problem([sp.Float(1e-3) * (x - p), sp.Float(1e4) * (y - p)], [x, y], [p])
    system = problem.compile("p", {})
    z = np.zeros(3)
    found = analyse(system, z, (z + 0.1,), 1e-6)
    assert (found.kernel_dimension, found.excess) == (0, 0)


def test_a_zero_that_is_always_there_is_judged_by_the_others() -> None:
    # The second equation is the first again: rank one everywhere, and no special point.
    problem = cc.Problem([x - p, x - p + 0 * y], [x, y], [p], kind="equation")
    system = problem.compile("p", {})
    z = np.zeros(3)
    found = analyse(system, z, (z + 0.1,), 1e-6)
    assert found.kernel_dimension == 1
    assert found.reference[0] == pytest.approx(0, abs=1e-15)
