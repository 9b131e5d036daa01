"""Elimination in plain numbers agrees with LAPACK, singular matrices included."""

from __future__ import annotations

import math

import numpy as np
import pytest

from contcrit.linalg import bordered_solution, solve_bordered_dense, solve_both_ways
from contcrit.linalg.bordered import SMALL
from contcrit.linalg.few import FEW, solve_few

SIZES = (1, 2, FEW - 1, FEW, SMALL - 1, SMALL, SMALL + 3)


def drawn(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    jacobian = generator.standard_normal((size, size + 1))
    return jacobian, generator.standard_normal(size + 1), generator.standard_normal(size + 1)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_solves_what_numpy_solves(size: int) -> None:
    for seed in range(10):
        jacobian, row, right = drawn(size, seed)
        matrix = np.vstack([jacobian, row])
        solution, sign, log_modulus = solve_bordered_dense(jacobian, row, right)
        expected = np.linalg.solve(matrix, right)
        assert solution == pytest.approx(expected, rel=1e-9, abs=1e-11)
        assert (sign, log_modulus) == pytest.approx(np.linalg.slogdet(matrix), rel=1e-10)
        assert bordered_solution(jacobian, row, right) == pytest.approx(solution, rel=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_singular_matrices_have_no_solution(size: int) -> None:
    jacobian, row, right = drawn(size, 0)
    jacobian[0], row[:] = 0.0, 0.0
    solution, sign, log_modulus = solve_bordered_dense(jacobian, row, right)
    assert not np.all(np.isfinite(solution))
    assert (sign, log_modulus) == (0.0, -math.inf)
    assert not np.all(np.isfinite(bordered_solution(jacobian, row, right)))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_not_a_number_stays_so(size: int) -> None:
    jacobian, row, right = drawn(size, 0)
    jacobian[-1, 0] = math.nan
    assert np.any(np.isnan(solve_bordered_dense(jacobian, row, right)[0]))
    assert np.any(np.isnan(bordered_solution(jacobian, row, right)))


@pytest.mark.parametrize("size", [1, SMALL, SMALL + 1])
def test_both_ways(size: int) -> None:
    generator = np.random.default_rng(size)
    matrix = generator.standard_normal((size, size))
    right, left = generator.standard_normal((2, size, 2))
    one, other = solve_both_ways(matrix, right, left)
    assert matrix @ one == pytest.approx(right, abs=1e-9)
    assert matrix.T @ other == pytest.approx(left, abs=1e-9)
    one, other = solve_both_ways(np.zeros((size, size)), right, left)
    assert not np.any(np.isfinite(one))
    assert not np.any(np.isfinite(other))


def test_tiny_pivots_are_pivots() -> None:
    found = solve_few([[1e-320, 0.0, 0.0], [0.0, 1.0, 2.0]])
    assert found is not None
    assert found[0] == [0.0, 2.0]
    assert found[2] == pytest.approx(math.log(1e-320))
