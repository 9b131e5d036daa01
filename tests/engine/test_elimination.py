"""Elimination of the compiled gear, run as plain Python against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contcrit.engine import elimination

ENTRIES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e3, 1e3, allow_subnormal=False, width=32)
)
MATRICES = st.integers(1, 7).flatmap(lambda n: hnp.arrays(float, (n, n), elements=ENTRIES))


@given(MATRICES)
def test_it_solves_and_gives_the_determinant(matrix):
    size = len(matrix)
    if np.linalg.cond(matrix) > 1e8:
        return
    right = np.arange(1.0, size + 1)
    solution = right.copy()
    factor, logarithm = elimination.eliminate(matrix.copy(), solution)
    np.testing.assert_allclose(matrix @ solution, right, rtol=1e-6, atol=1e-6)
    sign, log_modulus = np.linalg.slogdet(matrix)
    assert np.sign(factor) == sign
    assert logarithm + np.log(abs(factor)) == pytest.approx(log_modulus, rel=1e-6, abs=1e-6)


@given(st.integers(2, 3).flatmap(lambda n: hnp.arrays(float, (n, n), elements=ENTRIES)))
def test_loops_written_out_do_the_same_operations(matrix):
    size = len(matrix)
    short, long = np.arange(1.0, size + 1), np.arange(1.0, size + 1)
    factor, logarithm = elimination.eliminate(matrix.copy(), short)
    expected, expected_logarithm = elimination._eliminate_any(matrix.copy(), long)
    np.testing.assert_allclose(short, long, rtol=1e-13, atol=0, equal_nan=True)
    assert np.sign(factor) == np.sign(expected)
    if factor != 0.0:
        found = logarithm + np.log(abs(factor))
        assert found == pytest.approx(expected_logarithm + np.log(abs(expected)), rel=1e-13)


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("scale", [1e-90, 1e-160, 1e90, 1e160])
def test_determinants_stay_within_range(size, scale):
    matrix = np.diag([scale, -scale, scale, scale][:size])
    with np.errstate(over="ignore", under="ignore"):
        factor, logarithm = elimination.eliminate(matrix, np.ones(size))
    assert factor < 0
    assert logarithm + np.log(abs(factor)) == pytest.approx(size * np.log(scale))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_singular_matrices_have_no_solution(size):
    for rank in range(size):
        matrix, right = np.ones((size, size)), np.ones(size)
        matrix[:, rank:] = 0.0
        assert elimination.eliminate(matrix, right) == (0.0, 0.0)
        assert np.all(np.isnan(right))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_what_is_not_a_number_has_no_solution(size):
    for position in range(size * size):
        matrix, right = np.eye(size) + 0.5, np.ones(size)
        matrix.flat[position] = np.nan
        elimination.eliminate(matrix, right)
        assert not np.all(np.isfinite(right))
