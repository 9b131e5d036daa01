"""Bordered systems: kernels, test functions and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from contcrit.events.bordering import bordered_kernel, newton_solve


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_the_kernel_of_a_singular_matrix(
    scale: float, as_sparse: bool, rng: np.random.Generator
) -> None:
    left, values, right = np.linalg.svd(rng.standard_normal((5, 5)))
    values[-1] = 0.0
    matrix = scale * (left * values) @ right
    given = sparse.csc_array(matrix) if as_sparse else matrix
    kernel = bordered_kernel(given, left[:, -1:], right[-1:].T)
    assert abs(kernel.test[0, 0]) <= 1e-12 * scale
    assert abs(kernel.right[:, 0] @ right[-1]) == pytest.approx(np.linalg.norm(kernel.right))
    assert abs(kernel.left[:, 0] @ left[:, -1]) == pytest.approx(np.linalg.norm(kernel.left))
    assert matrix @ kernel.right == pytest.approx(0, abs=1e-12 * scale)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_derivative_of_the_test_function(extra: int, rng: np.random.Generator) -> None:
    base, along = rng.standard_normal((2, 4, 4 + extra))
    columns, rows = rng.standard_normal((4, 1)), rng.standard_normal((4 + extra, 1 + extra))
    kernel = bordered_kernel(base, columns, rows)
    step = 1e-6 / np.max(np.abs(base))
    # The scale of the borders is the matrix's own: keep its largest entry.
    along.flat[np.argmax(np.abs(base))] = 0.0
    ahead = bordered_kernel(base + step * along, columns, rows).test
    behind = bordered_kernel(base - step * along, columns, rows).test
    for j in range(1 + extra):
        expected = (ahead[0, j] - behind[0, j]) / (2 * step)
        found = -kernel.left[:, 0] @ along @ kernel.right[:, j]
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def circle_and_line(z: np.ndarray) -> tuple:
    value = np.array([z @ z - 2.0, z[0] - z[1]])
    return value, (2 * z[None, :], np.array([[1.0, -1.0]]), None)


@pytest.mark.parametrize("least_squares", [None, 1e-10])
def test_newton_solves_blocks(least_squares: float | None) -> None:
    solved = newton_solve(circle_and_line, np.array([2.0, 0.5]), 1e-8, least_squares=least_squares)
    assert solved is not None
    assert solved[0] == pytest.approx([1, 1], abs=1e-14)
    assert solved[1] < 1e-14


def test_newton_says_when_it_does_not_converge() -> None:
    def none(z: np.ndarray) -> tuple:
        return np.array([z @ z + 1.0, z[0] - z[1]]), (2 * z[None], np.array([[1.0, -1.0]]), None)

    assert newton_solve(none, np.array([0.3, 0.5]), 1e-8) is None

    def undefined(z: np.ndarray) -> tuple:
        return np.full(2, np.nan), (z[None], np.array([[1.0, -1.0]]), None)

    assert newton_solve(undefined, np.array([0.3, 0.5]), 1e-8) is None

    def singular(z: np.ndarray) -> tuple:
        return np.ones(2), (np.zeros((1, 2)), np.zeros((1, 2)), None)

    assert newton_solve(singular, np.array([0.3, 0.5]), 1e-8) is None
