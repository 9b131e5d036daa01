"""Factors by structure, against dense computations; counts by the pivots of pivoted factors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from contcrit.linalg import factorise, pattern_of, sturm_count
from contcrit.linalg.factors import BandFactors, SparseFactors, TridiagonalFactors


def chain(size: int, rng: np.random.Generator, reach: int = 1, wrap: bool = False) -> np.ndarray:
    """Return a random band matrix, its band closed to a ring if it wraps."""
    matrix = np.zeros((size, size))
    for offset in range(-reach, reach + 1):
        for i in range(size):
            if wrap or 0 <= i + offset < size:
                matrix[i, (i + offset) % size] = rng.standard_normal() + (3.0 if offset == 0 else 0)
    return matrix


def tangle(size: int, rng: np.random.Generator, mutual: bool) -> np.ndarray:
    """Return a random sparse matrix that no reordering makes narrow."""
    pattern = rng.random((size, size)) < 0.03
    pattern |= np.eye(size, dtype=bool)
    if mutual:
        pattern |= pattern.T
    return np.where(pattern, rng.standard_normal(pattern.shape), 0.0) + 2 * np.eye(size)


CASES = {
    "tridiagonal": (TridiagonalFactors, lambda rng: chain(60, rng)),
    "band": (BandFactors, lambda rng: chain(60, rng, 3)),
    "ring, narrow after reordering": (BandFactors, lambda rng: chain(80, rng, 1, wrap=True)),
    "symmetric pattern": (SparseFactors, lambda rng: tangle(170, rng, True)),
    "other pattern": (SparseFactors, lambda rng: tangle(170, rng, False)),
}


@pytest.mark.parametrize("name", CASES)
def test_factors_solve_both_ways_and_know_the_determinant(
    name: str, rng: np.random.Generator
) -> None:
    kind, make = CASES[name]
    dense = make(rng)
    first = pattern_of(sparse.csc_array(dense))
    # The second matrix of a pattern reuses what the first one found: its ordering above all.
    for matrix in (first, first.like(first.data * rng.uniform(0.5, 2.0, first.data.size))):
        plain = matrix.toarray()
        factors = factorise(matrix)
        assert isinstance(factors, kind)
        for right in (rng.standard_normal(len(plain)), rng.standard_normal((len(plain), 3))):
            assert plain @ factors.solve(right) == pytest.approx(right, abs=1e-8)
            assert plain.T @ factors.solve_transposed(right) == pytest.approx(right, abs=1e-8)
        sign, log_modulus = np.linalg.slogdet(plain)
        assert factors.sign == sign
        assert factors.log_modulus == pytest.approx(log_modulus, abs=1e-8)


def test_factors_are_kept_and_shared_with_the_square_part() -> None:
    wide = sparse.csc_array(np.eye(5, 6) + np.eye(5, 6, 1))
    matrix = pattern_of(wide)
    assert factorise(matrix) is factorise(matrix[:, :-1])
    assert factorise(matrix.like(2 * matrix.data)) is not factorise(matrix)


def test_a_zero_pivot_and_numbers_that_are_not_finite_have_no_factors() -> None:
    singular = np.diag([1.0, 0.0, 2.0, 1.0])
    assert factorise(singular) is None
    assert factorise(sparse.csc_array(singular)) is None
    spoiled = pattern_of(sparse.csc_array(np.eye(4)))
    assert factorise(spoiled.like(np.array([1.0, np.nan, 1.0, 1.0]))) is None


@given(
    st.integers(3, 30),
    st.integers(0, 2**32 - 1),
    st.integers(-3, 3),
    st.booleans(),
)
def test_inertia_from_pivoted_tridiagonal_factors(
    size: int, seed: int, scale: int, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    main, beside = rng.standard_normal(size) * 10.0**scale, rng.standard_normal(size - 1)
    if whole:  # zeros on the diagonal force exchanges
        main, beside = np.round(main), np.round(beside) + 0.5
    eigenvalues = np.linalg.eigvalsh(np.diag(main) + np.diag(beside, 1) + np.diag(beside, -1))
    if np.min(np.abs(eigenvalues)) < 1e-10 * np.max(np.abs(eigenvalues)):
        return
    count = int(np.sum(eigenvalues < 0))
    factors = TridiagonalFactors(beside, main, beside)
    assert factors.negative_of_symmetric() in (count, None)
    assert sturm_count(main, beside) == count


def test_inertia_from_pivoted_factors_is_nearly_always_given(rng: np.random.Generator) -> None:
    given_counts = 0
    for _ in range(50):
        main, beside = rng.standard_normal(40), rng.standard_normal(39)
        found = TridiagonalFactors(beside, main, beside).negative_of_symmetric()
        given_counts += found is not None
    assert given_counts == 50


@pytest.mark.parametrize("shift", [-5.0, -3.9, -2.0, -1e-3, 0.5])
def test_sturm_counts_of_the_second_difference(shift: float) -> None:
    size = 300
    exact = -4 * np.sin(np.arange(1, size + 1) * np.pi / (2 * (size + 1))) ** 2
    count = sturm_count(np.full(size, -2.0), np.ones(size - 1), shift)
    assert count == int(np.sum(exact <= shift))
    assert sturm_count(np.zeros(4), np.zeros(3), 1.0) == 4
    assert sturm_count(np.zeros(4), np.zeros(3), -1.0) == 0
