"""Bordered systems whose square part is singular to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from contcrit.linalg import (
    Bordered,
    FactoredJacobian,
    PatternedMatrix,
    bordered_solution,
    pattern_of,
    solve_bordered,
)


def second_difference(size: int, mode: int, off: float = 0.0) -> PatternedMatrix:
    """Return D + shift with the eigenvalue of one mode moved to `off`."""
    shift = 4 * np.sin(mode * np.pi / (2 * (size + 1))) ** 2 + off
    diagonals = [np.ones(size - 1), np.full(size, shift - 2.0), np.ones(size - 1)]
    return pattern_of(sparse.csc_array(sparse.diags_array(diagonals, offsets=[-1, 0, 1])))


def two_copies(matrix: PatternedMatrix) -> PatternedMatrix:
    """Return a matrix whose kernel has twice the dimension."""
    return pattern_of(sparse.csc_array(sparse.block_diag([matrix, matrix])))


@pytest.mark.parametrize("off", [0.0, 1e-14, 1e-9, 1e-4])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_wider_borders_than_the_kernel_needs(
    width: int, off: float, rng: np.random.Generator
) -> None:
    size = 150
    matrix = second_difference(size, 5, off)
    columns, rows = rng.standard_normal((size, width)), rng.standard_normal((width, size))
    corner = rng.standard_normal((width, width))
    bordered = Bordered(matrix, columns, rows, corner)
    whole = np.block([[matrix.toarray(), columns], [rows, corner]])
    exact = rng.standard_normal((size + width, 2))
    bound = 1e-13 * np.linalg.cond(whole)
    assert bordered.regular
    assert np.max(np.abs(bordered.solve(whole @ exact) - exact)) < bound
    assert np.max(np.abs(bordered.solve_transposed(whole.T @ exact) - exact)) < bound


def test_kernels_of_dimension_two(rng: np.random.Generator) -> None:
    matrix = two_copies(second_difference(60, 3))
    assert np.sum(np.linalg.svd(matrix.toarray(), compute_uv=False) < 1e-12) == 2
    columns, rows = rng.standard_normal((120, 2)), rng.standard_normal((2, 120))
    bordered = Bordered(matrix, columns, rows)
    whole = np.block([[matrix.toarray(), columns], [rows, np.zeros((2, 2))]])
    exact = rng.standard_normal(122)
    assert bordered.solve(whole @ exact) == pytest.approx(exact, abs=1e-13 * np.linalg.cond(whole))


def test_too_few_borders_are_noticed(rng: np.random.Generator) -> None:
    matrix = sparse.csc_array((200, 200))
    bordered = Bordered(matrix, rng.standard_normal((200, 1)), rng.standard_normal((1, 200)))
    assert not bordered.regular
    assert np.all(np.isnan(bordered.solve(np.ones(201))))
    assert np.all(np.isnan(bordered.solve_transposed(np.ones(201))))


@pytest.mark.parametrize("off", [0.0, 1e-13, 1e-8, 1.0])
def test_folds_do_not_spoil_increments_and_tangents(off: float, rng: np.random.Generator) -> None:
    size = 200
    inner = second_difference(size, 4, off)
    jacobian = pattern_of(
        sparse.csc_array(sparse.hstack([inner, sparse.csc_array(rng.standard_normal((size, 1)))]))
    )
    row = rng.standard_normal(size + 1)
    whole = np.vstack([jacobian.toarray(), row])
    bound = 1e-12 * np.linalg.cond(whole)
    exact = rng.standard_normal(size + 1)
    increment = bordered_solution(jacobian, row, whole @ exact)
    assert np.max(np.abs(increment - exact)) < bound
    again, sign, log_modulus = solve_bordered(jacobian, row, whole @ exact)
    assert np.max(np.abs(again - exact)) < bound
    unit = np.zeros(size + 1)
    unit[-1] = 1.0
    tangent, *_ = solve_bordered(jacobian, row, unit)
    assert np.max(np.abs(jacobian @ tangent)) < 1e-12 * np.max(np.abs(tangent)) * 10
    expected = np.linalg.slogdet(whole)
    assert sign == expected[0]
    if off > 0:
        assert log_modulus == pytest.approx(expected[1], abs=1e-2)


def test_one_factorisation_serves_several_rows(rng: np.random.Generator) -> None:
    size = 150
    jacobian = pattern_of(
        sparse.csc_array(
            sparse.hstack([second_difference(size, 3, 0.01), sparse.csc_array(np.ones((size, 1)))])
        )
    )
    factored = FactoredJacobian.of(jacobian)
    for _ in range(3):
        row, right = rng.standard_normal(size + 1), rng.standard_normal(size + 1)
        found, sign, _ = solve_bordered(jacobian, row, right)
        whole = np.vstack([jacobian.toarray(), row])
        assert found == pytest.approx(np.linalg.solve(whole, right), rel=1e-6, abs=1e-8)
        assert sign == np.linalg.slogdet(whole)[0]
    assert FactoredJacobian.of(jacobian) is factored
