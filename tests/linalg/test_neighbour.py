"""Bordered systems solved by iteration with the factors of a matrix nearby."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from contcrit.linalg import (
    FactoredJacobian,
    bordered_solution,
    kept_factors,
    pattern_of,
)
from contcrit.linalg.neighbour import solve_by_neighbour


def jacobian(side, shift):
    """Return the Jacobian of a reaction and diffusion on a square, with a dense last column."""
    line = sparse.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(side, side))
    eye = sparse.eye_array(side)
    n = side**2
    plane = sparse.kron(line, eye) + sparse.kron(eye, line)
    varying = shift * (1 + np.sin(np.arange(n)))
    last = np.cos(np.arange(n))[:, None]
    plane = plane * side**2 + sparse.diags_array(varying)
    return pattern_of(sparse.hstack([plane, sparse.csc_array(last)], format="csc"))


@pytest.fixture(scope="module")
def row():
    return np.random.default_rng(0).standard_normal(48**2 + 1)


def test_agrees_with_factors_of_its_own(row):
    near, here = jacobian(48, 19.0), jacobian(48, 20.0)
    right = np.random.default_rng(1).standard_normal(row.size)
    found = solve_by_neighbour(here, row, right, FactoredJacobian.of(near))
    exact = bordered_solution(here, row, right)
    assert found is not None
    assert np.linalg.norm(found - exact) <= 1e-5 * np.linalg.norm(exact)
    assert np.linalg.norm(np.append(here @ found, row @ found) - right) <= 1e-4


def test_gives_up_on_matrices_far_away(row):
    near, far = jacobian(48, 0.0), jacobian(48, -3e5)
    right = np.random.default_rng(1).standard_normal(row.size)
    assert solve_by_neighbour(far, row, right, FactoredJacobian.of(near)) is None
    assert solve_by_neighbour(far, row, 0.0 * right, FactoredJacobian.of(near)) is None


def test_only_expensive_factors_are_kept_for_others(row):
    right = np.random.default_rng(1).standard_normal(row.size)
    plane = jacobian(48, 1.0)
    assert kept_factors(plane) is None
    bordered_solution(plane, row, right)
    assert kept_factors(plane) is FactoredJacobian.of(plane)
    narrow = jacobian(12, 1.0)  # a band
    bordered_solution(narrow, row[:145], right[:145])
    assert kept_factors(narrow) is None
    assert kept_factors(np.eye(3)) is None
