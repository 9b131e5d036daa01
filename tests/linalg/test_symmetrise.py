"""Diagonal scalings that make matrices symmetric, and counts by them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from contcrit.linalg import negative_count, pattern_of, real_parts, symmetrised


def scaled(seed: int, side: int) -> tuple[np.ndarray, sparse.csc_array]:
    """Return a random symmetric grid matrix and one similar to it by a diagonal."""
    rng = np.random.default_rng(seed)
    one = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(side, side))
    ones = sparse.kron(one, sparse.eye_array(side)) + sparse.kron(sparse.eye_array(side), one)
    matrix = np.triu(np.where(ones.toarray() != 0, rng.standard_normal(ones.shape), 0.0))
    matrix = matrix + matrix.T + np.diag(3 * rng.standard_normal(side * side))
    diagonal = np.exp(rng.standard_normal(side * side))
    return matrix, sparse.csc_array(diagonal[:, None] * matrix / diagonal)


@given(st.integers(0, 2**32 - 1), st.integers(2, 7))
def test_a_scaled_matrix_is_brought_back(seed: int, side: int) -> None:
    matrix, similar = scaled(seed, side)
    found = symmetrised(pattern_of(similar))
    assert found is not None
    assert found.toarray() == pytest.approx(matrix, rel=1e-9, abs=1e-12)


def test_counts_and_nearest_eigenvalues_of_a_similar_matrix() -> None:
    matrix, similar = scaled(3, 18)
    eigenvalues = np.linalg.eigvalsh(matrix)
    count = int(np.sum(eigenvalues < 0))
    assert negative_count(similar, False) == count
    parts = real_parts(similar, False)
    assert parts is not None and parts.size == eigenvalues.size
    known = np.isfinite(parts)
    assert known[count - 1] or known[count]
    assert parts[known] == pytest.approx(eigenvalues[known], abs=1e-8)
    assert np.sum(parts < 0) == count


@pytest.mark.parametrize("spoil", ["cycle", "sign", "one-sided"])
def test_what_no_diagonal_makes_symmetric_is_left_alone(spoil: str) -> None:
    _, similar = scaled(5, 12)
    dense = similar.toarray()
    if spoil == "cycle":  # the product around a cycle must not depend on the way round
        dense[0, 1] *= 1.01
    elif spoil == "sign":
        dense[0, 1] = -dense[0, 1]
    else:
        dense[0, 1] = 0.0
    assert symmetrised(pattern_of(sparse.csc_array(dense))) is None
    assert negative_count(sparse.csc_array(dense), False) in (
        int(np.sum(np.linalg.eigvals(dense).real < 0)),
        -1,
    )


def test_large_matrices_with_complex_eigenvalues_are_not_counted() -> None:
    ring = sparse.csc_array(np.roll(np.eye(400), 1, axis=0) - 0.5 * np.eye(400))
    assert negative_count(ring, False) == -1
    assert real_parts(ring, False) is None
