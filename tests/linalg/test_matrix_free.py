"""Jacobians known by their products only."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

from contcrit.linalg import (
    MatrixFree,
    is_matrix_free,
    negative_count,
    real_parts,
    rounding_level,
    singular_triplets,
    solve_bordered,
)

SIZE = 60


def jacobian(rng: np.random.Generator) -> np.ndarray:
    return np.hstack(
        [
            np.diag(np.linspace(1, 50, SIZE)) + 0.1 * rng.standard_normal((SIZE, SIZE)),
            rng.standard_normal((SIZE, 1)),
        ]
    )


def inverse_diagonal(vector: np.ndarray) -> np.ndarray:
    return vector / np.linspace(1, 50, SIZE)


def test_bordered_solves_with_and_without_preconditioner(rng: np.random.Generator) -> None:
    dense = jacobian(rng)
    row, right = rng.standard_normal(SIZE + 1), rng.standard_normal(SIZE + 1)
    expected = np.linalg.solve(np.vstack([dense, row]), right)
    products = 0

    def product(vector: np.ndarray) -> np.ndarray:
        nonlocal products
        products += 1
        return dense @ vector

    counts = []
    for preconditioner in (None, inverse_diagonal):
        products = 0
        operator = MatrixFree(product, dense.shape, preconditioner)
        solution, sign, log_modulus = solve_bordered(operator, row, right)
        counts.append(products)
        assert solution == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert sign == 0.0 and np.isnan(log_modulus)
    assert counts[1] < 0.6 * counts[0]
    plain = LinearOperator(dense.shape, matvec=lambda v: dense @ v, dtype=float)
    assert is_matrix_free(plain)
    assert solve_bordered(plain, row, right)[0] == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_parts_kernel_and_what_is_not_known(rng: np.random.Generator) -> None:
    dense = jacobian(rng)
    operator = MatrixFree(lambda v: dense @ v, dense.shape, inverse_diagonal)
    vector = rng.standard_normal(SIZE)
    assert operator[:, :-1] @ vector == pytest.approx(dense[:, :-1] @ vector)
    assert operator[:, [SIZE]] == pytest.approx(dense[:, [SIZE]])
    with pytest.raises(IndexError):
        operator[0]
    _, values, right, _ = singular_triplets(operator, 2)
    assert np.all(np.isnan(values))
    assert dense @ right[:, 0] == pytest.approx(0, abs=1e-8)
    assert negative_count(operator[:, :-1], True) == -1
    assert real_parts(operator[:, :-1], True) is None
    assert rounding_level(MatrixFree(operator, norm=2.0), np.array([3.0])) == pytest.approx(
        6 * np.finfo(float).eps
    )


def test_iteration_that_fails_says_so(rng: np.random.Generator) -> None:
    singular = MatrixFree(lambda v: np.zeros(3), (3, 4))
    assert np.all(np.isnan(solve_bordered(singular, np.ones(4), np.array([1.0, 2, 3, 0]))[0]))
