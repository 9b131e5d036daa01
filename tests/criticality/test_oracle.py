"""Hulls of cells found one by one against their enumeration."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings

from contcrit.criticality.cells import CellSearch
from contcrit.criticality.hulls import nearest_in_hull
from contcrit.criticality.oracle import nearest_by_oracle
from contcrit.criticality.pieces import ArrayPieces
from contcrit.criticality.stationarity import top_weights
from contcrit.criticality.thresholds import Thresholds
from tests.criticality.nonsmooth import piecewise_linear

LIMITS = Thresholds.of(1e-8, 5.0)
NEVER = float("inf")


def enumerated(pieces: ArrayPieces) -> float:
    return nearest_in_hull(
        np.array([pieces.gradient(cell.signs) for cell in CellSearch(pieces, budget=10**6)])
    ).upper


@settings(max_examples=60)
@given(piecewise_linear(kinks=(1, 5)))
def test_branch_and_bound_agrees_with_enumeration(pieces: ArrayPieces) -> None:
    weights = (
        top_weights(pieces, np.full(len(pieces.rows), -1.0)) if len(pieces.levels) == 1 else None
    )
    found, signs, proved = nearest_by_oracle(pieces, weights, LIMITS, NEVER, rounds=60)
    distance = enumerated(pieces)
    assert found.upper >= distance - 1e-9
    gradients = np.array([pieces.gradient(row) for row in signs]).reshape(len(signs), -1)
    assert np.allclose(found.weights @ gradients, found.point)
    if weights is not None:
        assert proved == (distance > 1e-6)
        assert found.lower <= distance * (1 + 1e-9)
        if distance < 1e-9:
            assert found.upper < 1e-7
    else:
        assert not proved
        assert found.lower == 0


@pytest.mark.parametrize("seed", range(4))
def test_many_kinks_of_both_signs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((12, 3))
    coefficients = generator.choice([-1.0, 1.0], size=12)
    base = generator.standard_normal(3) * 2 - coefficients @ rows / 2
    pieces = ArrayPieces(base, rows, coefficients)
    weights = top_weights(pieces, np.full(12, -1.0))
    found, _, proved = nearest_by_oracle(pieces, weights, LIMITS, NEVER)
    distance = enumerated(pieces)
    if distance > 1e-6:
        assert proved
        assert distance / 2 * (1 - 1e-6) <= found.lower <= distance * (1 + 1e-9)
    else:
        assert found.upper <= LIMITS.zero


def test_a_deadline_proves_nothing() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 10))
    pieces = ArrayPieces(3 + rows.sum(axis=0), rows, np.resize([1.0, -1.0], 40))
    weights = top_weights(pieces, np.full(40, -1.0))
    started = time.monotonic()
    _, _, proved = nearest_by_oracle(pieces, weights, LIMITS, started + 0.3)
    assert time.monotonic() - started < 10
    assert not proved
