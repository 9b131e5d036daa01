"""Linear algebra of the engine, against plain dense computations."""

from __future__ import annotations

import gc
import itertools
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from contcrit.linalg import (
    as_dense,
    metric_weights,
    negative_count,
    negative_counts,
    pattern_of,
    permutation_sign,
    real_parts,
    rounding_level,
    singular_triplets,
    solve_bordered,
)
from tests.strategies import orthogonal_matrices


def banded(size: int, shift: float) -> sparse.csc_array:
    """Return the second difference matrix plus a multiple of the identity."""
    diagonals = [np.full(size - 1, 1.0), np.full(size, shift - 2.0), np.full(size - 1, 1.0)]
    return sparse.csc_array(sparse.diags_array(diagonals, offsets=[-1, 0, 1]))


def test_the_metric_does_not_depend_on_the_number_of_unknowns() -> None:
    for size in (1, 3, 1000):
        weights = metric_weights(size, 0.3)
        assert weights.shape == (size + 1,)
        assert np.sum(weights[:-1]) == pytest.approx(0.3)
        assert weights[-1] == pytest.approx(0.7)
    lifted = metric_weights(5, 0.5, multipliers=2)
    assert lifted[0] == metric_weights(3, 0.5)[0]


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_bordered_solves(size: int, as_sparse: bool, rng: np.random.Generator) -> None:
    jacobian = rng.standard_normal((size, size + 1))
    row, right = rng.standard_normal(size + 1), rng.standard_normal(size + 1)
    given_matrix = sparse.csc_array(jacobian) if as_sparse else jacobian
    solution, sign, log_modulus = solve_bordered(given_matrix, row, right)
    matrix = np.vstack([jacobian, row])
    assert matrix @ solution == pytest.approx(right, abs=1e-9)
    expected = np.linalg.slogdet(matrix)
    assert sign == expected[0]
    assert log_modulus == pytest.approx(expected[1], abs=1e-9)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_singular_bordered_matrix_is_named_not_raised(as_sparse: bool) -> None:
    jacobian = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    given_matrix = sparse.csc_array(jacobian) if as_sparse else jacobian
    solution, sign, log_modulus = solve_bordered(given_matrix, np.array([0.0, 0, 1]), np.ones(3))
    assert np.all(np.isnan(solution))
    assert (sign, log_modulus) == (0.0, -np.inf)


def test_permutation_signs() -> None:
    for size in range(1, 6):
        for permutation in itertools.permutations(range(size)):
            matrix = np.eye(size)[list(permutation)]
            assert permutation_sign(np.array(permutation)) == round(np.linalg.det(matrix))


@given(orthogonal_matrices(5), st.lists(st.integers(-3, 3), min_size=5, max_size=5))
def test_negative_counts_of_symmetric_matrices(basis: np.ndarray, eigenvalues: list[int]) -> None:
    values = np.array(eigenvalues) + 0.5
    matrix = basis @ np.diag(values) @ basis.T
    matrix = 0.5 * (matrix + matrix.T)
    count = int(np.sum(values < 0))
    assert negative_count(matrix, True) == count
    assert negative_count(matrix, False) == count
    assert negative_count(sparse.csc_array(matrix), True) == count
    stack = np.stack([matrix, -matrix])
    for symmetric in (True, False):
        assert negative_counts(stack, symmetric).tolist() == [count, 5 - count]
    parts = real_parts(matrix, True)
    assert parts == pytest.approx(np.sort(values), abs=1e-12)


@given(
    orthogonal_matrices(4), st.floats(-2, 2), st.floats(0.1, 3), st.floats(-2, 2), st.floats(-2, 2)
)
def test_real_parts_of_other_matrices(
    basis: np.ndarray, real: float, frequency: float, one: float, other: float
) -> None:
    block = np.zeros((4, 4))
    block[:2, :2] = [[real, -frequency], [frequency, real]]
    block[2, 2], block[3, 3] = one, other
    parts = real_parts(basis @ block @ basis.T, False)
    assert parts == pytest.approx(np.sort([real, real, one, other]), abs=1e-7)


@pytest.mark.parametrize("size", [101, 150, 400])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.7, 1.9, 3.3, 5.0])
def test_negative_counts_of_sparse_matrices(size: int, shift: float) -> None:
    matrix = banded(size, shift)
    eigenvalues = shift - 4 * np.sin(np.arange(1, size + 1) * np.pi / (2 * (size + 1))) ** 2
    assert np.min(np.abs(eigenvalues)) > 1e-6
    assert negative_count(matrix, True) == np.sum(eigenvalues < 0)


def test_sparse_counts_of_indefinite_matrices_are_right_or_not_given(
    rng: np.random.Generator,
) -> None:
    given_counts = 0
    for _ in range(20):
        size = 120
        half = sparse.random_array((size, size), density=0.02, rng=rng)
        matrix = sparse.csc_array(half + half.T + sparse.diags_array(rng.standard_normal(size)))
        found = negative_count(matrix, True)
        expected = int(np.sum(np.linalg.eigvalsh(matrix.toarray()) < 0))
        assert found in (expected, -1)
        given_counts += found == expected
    assert given_counts >= 15


def test_counts_that_cannot_be_had() -> None:
    assert negative_count(np.full((2, 2), np.nan), True) == -1
    assert real_parts(np.eye(300), False) is None


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("size", [3, 30, 80])
def test_singular_triplets(size: int, as_sparse: bool, extra: int) -> None:
    wide = np.zeros((size, size + extra))
    wide[:, :size] = banded(size, 0.0).toarray()
    if extra:
        wide[:, -1] = np.linspace(0.5, 1, size)
    matrix = sparse.csc_array(wide) if as_sparse else wide
    left, values, right, largest = singular_triplets(matrix, 3)
    expected = np.sort(np.linalg.svd(wide, compute_uv=False))
    assert values == pytest.approx(expected[:3], rel=1e-8)
    assert largest >= expected[-1] * (1 - 1e-12)
    assert largest <= 4 * expected[-1]
    assert left.shape == (size, 3)
    assert right.shape[0] == size + extra and right.shape[1] >= 3 + extra
    assert np.linalg.norm(wide @ right[:, extra : 3 + extra], axis=0) == pytest.approx(
        values, rel=1e-8
    )
    assert left.T @ left == pytest.approx(np.eye(3), abs=1e-8)
    assert np.linalg.norm(wide.T @ left, axis=0) == pytest.approx(values, rel=1e-8)
    if extra:
        assert wide @ right[:, 0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_null_vectors_of_singular_matrices(as_sparse: bool) -> None:
    size = 120
    shift = 4 * np.sin(7 * np.pi / (2 * (size + 1))) ** 2  # makes the seventh eigenvalue zero
    dense = banded(size, shift).toarray()
    left, values, right, _ = singular_triplets(banded(size, shift) if as_sparse else dense, 2)
    assert values[0] < 1e-12 < 1e-4 < values[1]
    mode = np.sin(7 * np.pi * np.arange(1, size + 1) / (size + 1))
    mode /= np.linalg.norm(mode)
    assert abs(left[:, 0] @ mode) == pytest.approx(1, abs=1e-8)
    assert abs(right[:, 0] @ mode) == pytest.approx(1, abs=1e-8)


def test_the_rounding_level_scales_with_matrix_and_point() -> None:
    jacobian = np.array([[1.0, -2.0, 3.0], [0.0, 10.0, 0.0]])
    z = np.array([1.0, -4.0, 2.0])
    assert rounding_level(jacobian, z) == pytest.approx(40 * np.finfo(float).eps)
    assert rounding_level(sparse.csc_array(jacobian), z) == rounding_level(jacobian, z)
    assert as_dense(sparse.csc_array(jacobian)) == pytest.approx(jacobian)


def test_factors_go_with_their_matrix() -> None:
    matrix = pattern_of(sparse.hstack([banded(60, 0.3), np.ones((60, 1))]))
    row, right = np.zeros(61), np.zeros(61)
    row[-1] = right[-1] = 1.0
    solve_bordered(matrix, row, right)
    kept = weakref.ref(matrix.kept["jacobian"])
    assert kept() is not None
    gc.disable()  # without it a cycle would stay, as large as the factors are
    try:
        del matrix
        assert kept() is None
    finally:
        gc.enable()
