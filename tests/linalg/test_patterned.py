"""Sparse matrices that share their pattern behave like any other of their kind."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse

from contcrit.linalg import PatternedMatrix, as_slice, factorise, pattern_of, rounding_level


@pytest.fixture
def matrix(rng: np.random.Generator) -> PatternedMatrix:
    dense = np.where(rng.random((30, 31)) < 0.2, rng.standard_normal((30, 31)), 0.0)
    return pattern_of(sparse.csc_array(dense + np.eye(30, 31)))


def test_parts_and_sums(matrix: PatternedMatrix, rng: np.random.Generator) -> None:
    dense = matrix.toarray()
    assert matrix[:, :-1].toarray() == pytest.approx(dense[:, :-1])
    assert matrix[:, [30]].toarray() == pytest.approx(dense[:, [30]])
    assert matrix[3, 4] == dense[3, 4]
    assert matrix.last_column() == pytest.approx(dense[:, -1])
    weights = rng.random(31)
    assert matrix.largest_row_sum(weights) == pytest.approx(np.max(np.abs(dense) @ weights))
    z = rng.standard_normal(31)
    assert rounding_level(matrix, z) == pytest.approx(rounding_level(dense, z))
    for result in (abs(matrix), matrix * 2, matrix.T, matrix + matrix):
        assert getattr(result, "pattern", None) is None
    assert (matrix * 2).largest_row_sum(weights) == pytest.approx(
        2 * np.max(np.abs(dense) @ weights)
    )


def test_row_sums_of_tridiagonal_matrices(rng: np.random.Generator) -> None:
    dense = np.triu(np.tril(rng.standard_normal((40, 40)), 1), -1)
    wide = np.hstack([dense, np.where(rng.random((40, 1)) < 0.5, 3.0, 0.0)])
    weights = rng.random(41)
    for given in (dense, wide):
        found = pattern_of(sparse.csc_array(given)).largest_row_sum(weights[: given.shape[1]])
        assert found == pytest.approx(np.max(np.abs(given) @ weights[: given.shape[1]]))


def test_changed_entries_forget_what_was_kept(matrix: PatternedMatrix) -> None:
    square = matrix[:, :-1]
    before = factorise(square)
    square[2, 2] = 100.0
    after = factorise(square)
    assert before is not None and after is not None and after is not before
    right = np.ones(30)
    assert square @ after.solve(right) == pytest.approx(right)


def test_a_pickled_matrix_is_a_plain_one(matrix: PatternedMatrix) -> None:
    factorise(matrix)
    copy = pickle.loads(pickle.dumps(matrix))
    assert type(copy) is sparse.csc_array
    assert copy.toarray() == pytest.approx(matrix.toarray())


def test_slices_stand_for_progressions_only() -> None:
    assert as_slice(np.array([1, 4, 7])) == slice(1, 8, 3)
    for places in ([1, 4, 8], [3], [], [4, 2, 0], [2, 2, 2]):
        assert isinstance(as_slice(np.array(places, dtype=int)), np.ndarray)


def test_unsorted_entries_are_sorted_first() -> None:
    plain = sparse.csc_array(
        (np.array([2.0, 1.0, 3.0]), np.array([1, 0, 1]), np.array([0, 2, 3])), shape=(2, 2)
    )
    assert not plain.has_sorted_indices
    found = factorise(plain)
    assert found is not None
    assert plain @ found.solve(np.array([1.0, 5.0])) == pytest.approx([1.0, 5.0])
