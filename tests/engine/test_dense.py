"""Small dense linear algebra of the compiled gear, run as plain Python against LAPACK."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contcrit.engine import dense

SIZES = st.integers(1, 7)
ENTRIES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e3, 1e3, allow_subnormal=False, width=32)
)


def square(size):
    return hnp.arrays(float, (size, size), elements=ENTRIES)


MATRICES = SIZES.flatmap(square)


def clear(values, scale):
    """Whether no eigenvalue is so near the axis that rounding decides its side."""
    return np.min(np.abs(values)) > 1e-7 * max(scale, 1e-300)


@given(MATRICES)
def test_counts_negative_eigenvalues_of_symmetric_matrices(matrix):
    symmetric = matrix + matrix.T
    values = np.linalg.eigvalsh(symmetric)
    if clear(values, np.max(np.abs(values))):
        assert dense.negative_symmetric(symmetric.copy()) == np.count_nonzero(values < 0)


@given(MATRICES)
def test_counts_eigenvalues_in_the_left_half_plane(matrix):
    values = np.linalg.eigvals(matrix).real
    condition = np.linalg.cond(np.linalg.eig(matrix)[1])
    if condition < 1e3 and clear(values, np.max(np.abs(matrix))):
        expected = np.count_nonzero(values < 0)
        assert dense.negative_general(matrix.copy()) == expected
        assert dense._negative_by_eigenvalues(matrix.copy()) == expected


def test_counts_by_routh_agree_with_eigenvalues_on_many_matrices():
    rng = np.random.default_rng(3)
    decided = 0
    for _ in range(2000):
        matrix = rng.standard_normal((rng.integers(3, 5),) * 2)
        found = dense._routh(matrix)
        if found >= 0:
            decided += 1
            assert found == np.count_nonzero(np.linalg.eigvals(matrix).real < 0)
    assert decided > 1900


def test_not_finite_matrices_have_no_count():
    assert dense.negative_general(np.full((5, 5), np.nan)) == -1


@given(SIZES.flatmap(lambda n: hnp.arrays(float, (n + 1, n), elements=ENTRIES)))
def test_jacobi_rotations_give_the_singular_values(matrix):
    n = matrix.shape[1]
    rotated, columns, values = matrix.copy(), np.empty((n, n)), np.empty(n)
    dense.singular_values(rotated, columns, values)
    expected = np.linalg.svd(matrix, compute_uv=False)[::-1]
    scale = 1.0 + np.max(np.abs(matrix))
    np.testing.assert_allclose(values, expected, atol=1e-12 * scale)
    np.testing.assert_allclose(columns.T @ columns, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(rotated, matrix @ columns, atol=1e-12 * scale)
