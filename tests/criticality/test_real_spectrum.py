"""Stability of large sparse systems by counts, against exact spectra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from contcrit.criticality.counts import counter_for
from contcrit.criticality.hessian import classify_hessian, classify_jacobian
from contcrit.criticality.inertia_sparse import TridiagonalCounter
from contcrit.criticality.real_spectrum import classify_by_counts

SIZE = 400
EXACT = 4 * np.sin(np.arange(1, SIZE + 1) * np.pi / (2 * (SIZE + 1))) ** 2


def operator(shift: float, weights: np.ndarray | None = None) -> sparse.csc_array:
    """Return shift minus the second difference, or one similar to it by a diagonal."""
    main = np.full(SIZE, shift - 2.0)
    matrix = sparse.diags_array([np.ones(SIZE - 1), main, np.ones(SIZE - 1)], offsets=[-1, 0, 1])
    if weights is not None:
        scale, inverse = sparse.diags_array(weights), sparse.diags_array(1 / weights)
        matrix = scale @ matrix @ inverse
    return sparse.csc_array(matrix)


@settings(max_examples=15)
@given(st.floats(-0.5, 4.5), st.booleans())
def test_dimensions_are_those_of_the_exact_spectrum(shift: float, similar: bool) -> None:
    weights = np.linspace(1, 3, SIZE) if similar else None
    verdict = classify_jacobian(operator(shift, weights), "flow")
    eigenvalues = shift - EXACT
    positive = int(np.sum(eigenvalues > 0))
    evidence = verdict.evidence
    nearest = float(np.min(np.abs(eigenvalues)))
    if nearest > 1e-6:
        assert evidence["unstable_dimension"] == positive
        assert evidence["stable_dimension"] == SIZE - positive
        assert evidence["stability"] == ("unstable" if positive else "stable")
        assert 0 < evidence["margin"] <= nearest
    else:
        assert evidence["unstable_dimension"] in (positive, None)


def test_zeros_are_counted_and_doubt_is_admitted() -> None:
    zero = classify_jacobian(operator(float(EXACT[0])), "flow")
    assert zero.nullity == 1
    assert zero.evidence["singular"] is True
    assert zero.evidence["stability"] == "undecided"
    # At 1e-13 of the largest eigenvalue neither zero nor the sign can be told.
    doubt = classify_jacobian(operator(float(EXACT[0]) + 4e-13), "flow")
    assert doubt.evidence["unstable_dimension"] is None
    assert doubt.evidence["stability"] in ("undecided", "unstable")
    unstable = classify_jacobian(operator(float(EXACT[5])), "flow")
    assert unstable.nullity == 1
    assert unstable.evidence["stability"] == "unstable"


def test_what_is_not_judged_by_counts() -> None:
    assert classify_by_counts(operator(1.0).toarray(), "flow", 1e-9) is None
    assert classify_by_counts(operator(1.0), "map", 1e-9) is None
    ring = sparse.csc_array(np.roll(np.eye(SIZE), 1, axis=0))
    assert classify_by_counts(ring, "flow", 1e-9) is None
    equation = classify_by_counts(operator(1.0), "equation", 1e-9)
    assert equation is not None
    assert equation.evidence["stability"] is None and equation.evidence["singular"] is False


@pytest.mark.parametrize("shift", [-1.0, 0.01, 2.3, 5.0])
def test_tridiagonal_hessians(shift: float) -> None:
    assert isinstance(counter_for(operator(shift)), TridiagonalCounter)
    verdict = classify_hessian(operator(shift))
    eigenvalues = shift - EXACT
    negative = int(np.sum(eigenvalues < 0))
    assert verdict.inertia == (negative, 0, SIZE - negative)
    assert verdict.evidence["scale"] == pytest.approx(np.max(np.abs(eigenvalues)), rel=1e-2)


def test_gauge_directions_of_tridiagonal_hessians() -> None:
    # Reflecting ends: the constant vector is annihilated and stands for a symmetry.
    matrix = -operator(0.0)
    matrix[0, 0] = matrix[SIZE - 1, SIZE - 1] = 1.0
    verdict = classify_hessian(sparse.csc_array(matrix), gauge=np.ones((1, SIZE)), tolerance=1e-11)
    assert verdict.kind == "minimum"
    assert verdict.inertia == (0, 1, SIZE - 1)
