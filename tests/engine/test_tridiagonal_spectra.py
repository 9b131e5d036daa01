"""Smallest singular values of tridiagonal matrices, run as plain Python against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest

from contcrit.engine import tridiagonal
from contcrit.engine.tridiagonal_spectra import WIDTH, full_values, inner_values


def matrix(n, shift, seed=0):
    """Return a nonsymmetric tridiagonal matrix by diagonals, and as a whole."""
    rng = np.random.default_rng(seed)
    lower, upper = 1 + 0.2 * rng.random((2, n))
    main = -2.2 + 0.1 * rng.random(n) + shift
    whole = np.diag(main) + np.diag(lower[1:], -1) + np.diag(upper[:-1], 1)
    return lower, main, upper, whole


def singular(n):
    """Return one that is singular to rounding."""
    whole = matrix(n, 0.0)[3]
    values = np.linalg.eigvals(whole)
    nearest = values[np.argmin(np.abs(values))]
    return matrix(n, -float(nearest.real))


@pytest.mark.parametrize("case", [matrix(40, 0.0), matrix(40, 1.5, 3), singular(40)])
def test_smallest_values_and_vectors(case):
    lower, main, upper, whole = case
    n = main.size
    rng = np.random.default_rng(1)
    column = rng.standard_normal(n)
    factors = tridiagonal.tridiagonal_factors(n)
    tridiagonal.factor(lower, main, upper, factors)
    basis, outer = rng.standard_normal((n, WIDTH)), rng.standard_normal((n + 1, WIDTH))
    image, vectors = np.empty((n, WIDTH)), np.empty((3, n + 1))
    triangle, columns, sizes = np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    found, full = np.empty(2), np.empty(2)
    assert inner_values(factors, basis, image, triangle, columns, sizes, found)
    values = np.linalg.svd(whole, compute_uv=False)
    scale = values[0]
    assert np.allclose(found, values[::-1][:2], rtol=1e-2, atol=1e-13 * scale)
    mine = image @ columns[:, -1], basis @ triangle[:, -1] / sizes[-1]
    assert np.linalg.norm(mine[0] @ whole) <= 1.02 * found[0] + 1e-12 * scale
    assert np.linalg.norm(whole @ mine[1]) <= 1.02 * found[0] + 1e-12 * scale
    assert full_values(factors, column, outer, image, vectors, triangle, columns, sizes, full)
    wide = np.linalg.svd(np.column_stack([whole, column]), compute_uv=False)
    assert np.allclose(full, wide[::-1][:2], rtol=1e-2)


def test_blocks_are_solved_as_vectors_are():
    lower, main, upper, whole = matrix(12, 2.3, 5)  # rows are exchanged
    factors = tridiagonal.tridiagonal_factors(12)
    tridiagonal.factor(lower, main, upper, factors)
    assert np.any(factors.swapped)
    right = np.random.default_rng(2).standard_normal((12, 3))
    block, other = right.copy(), right.copy()
    tridiagonal.solve_block(factors, block)
    tridiagonal.solve_block_transposed(factors, other)
    assert np.allclose(whole @ block, right)
    assert np.allclose(whole.T @ other, right)
    below, above = np.empty((2, 12))
    tridiagonal.transpose(lower, upper, below, above)
    turned = np.diag(main) + np.diag(below[1:], -1) + np.diag(above[:-1], 1)
    assert np.array_equal(turned, whole.T)


def test_columns_become_orthonormal_and_leave_a_triangle():
    block = np.random.default_rng(3).standard_normal((20, 3))
    block[:, 1] = block[:, 0] + 1e-9 * block[:, 1]
    given, triangle = block.copy(), np.empty((3, 3))
    tridiagonal.orthonormalise(block, triangle)
    assert np.allclose(block.T @ block, np.eye(3), atol=1e-14)
    assert np.allclose(block @ triangle, given, atol=1e-14)
    assert np.array_equal(triangle, np.triu(triangle))
