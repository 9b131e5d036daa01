"""Pivots of small symmetric matrices count their eigenvalues as an eigenvalue solver does."""

from __future__ import annotations

import numpy as np
import pytest

from contcrit.linalg.pivots import inertia_by_pivots


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_counts_are_those_of_the_eigenvalues(size: int, scale: float) -> None:
    generator = np.random.default_rng(size)
    for _ in range(20):
        signs = generator.choice([-1.0, 1.0], size)
        frame, _ = np.linalg.qr(generator.standard_normal((size, size)))
        values = signs * 10.0 ** generator.uniform(-6, 6, size)
        matrix = frame @ np.diag(values) @ frame.T
        counted = inertia_by_pivots(scale * (matrix + matrix.T) / 2)
        assert counted == (np.count_nonzero(signs < 0), 0, np.count_nonzero(signs > 0))


def test_a_vanishing_diagonal_takes_pivots_of_two_rows() -> None:
    generator = np.random.default_rng(3)
    for size in (2, 4, 7):
        matrix = generator.standard_normal((size, size))
        matrix += matrix.T
        np.fill_diagonal(matrix, 0.0)
        values = np.linalg.eigvalsh(matrix)
        assert inertia_by_pivots(matrix) == (
            np.count_nonzero(values < 0), 0, np.count_nonzero(values > 0),
        )  # fmt: skip


def test_exact_zeros_are_counted() -> None:
    assert inertia_by_pivots(np.zeros((3, 3))) == (0, 3, 0)
    assert inertia_by_pivots(np.array([[1.0, 1.0], [1.0, 1.0]])) == (0, 1, 1)
    assert inertia_by_pivots(np.empty((0, 0))) == (0, 0, 0)


@pytest.mark.parametrize("tiny", [5e-324, 1e-300, 1e300])
def test_extreme_entries_are_counted(tiny: float) -> None:
    swap = np.array([[0.0, tiny, tiny], [tiny, 0.0, tiny], [tiny, tiny, 0.0]])
    assert inertia_by_pivots(swap) == (2, 0, 1)
