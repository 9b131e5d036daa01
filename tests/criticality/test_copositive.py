"""Quadratic forms on cones against closed forms and samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contcrit.criticality.copositive import form_on_cone
from contcrit.criticality.thresholds import Thresholds

LIMITS = Thresholds.of(1e-8, 1.0)
NONE = np.empty((0, 2))


@pytest.mark.parametrize(
    ("form", "equalities", "inequalities", "positive"),
    [
        ([[1, 0], [0, 1]], NONE, NONE, True),
        ([[1, 0], [0, -1]], NONE, NONE, False),
        ([[1, 0], [0, -1]], [[0, 1]], NONE, True),
        ([[1, 0], [0, -1]], [[1, 0]], NONE, False),
        ([[1, 0], [0, -1]], np.eye(2), NONE, True),  # only 0 is left
        ([[1, 0], [0, 0]], NONE, NONE, None),
        # A half-space holds one of +-v: nothing is gained.
        ([[1, 0], [0, -1]], NONE, [[0, 1]], False),
        # The quadrant: copositive if the product's weight is above -sqrt(ac).
        ([[1, -0.9], [-0.9, 1]], NONE, np.eye(2), True),
        ([[1, -1.1], [-1.1, 1]], NONE, np.eye(2), False),
        ([[1, -1], [-1, 1]], NONE, np.eye(2), None),
        ([[1, 5], [5, 1]], NONE, np.eye(2), True),
        ([[0.1, 1], [1, 0.1]], NONE, [[1, 0], [0, -1]], False),
        ([[-1, 3], [3, 1]], NONE, np.eye(2), False),
    ],
)
def test_forms_in_the_plane(
    form: object, equalities: object, inequalities: object, positive: bool | None
) -> None:
    found = form_on_cone(
        np.array(form, dtype=float), np.array(equalities), np.array(inequalities), LIMITS
    )
    assert found.positive is positive
    if positive is False:
        d = found.negative_direction
        assert d @ np.array(form) @ d < 0
        assert np.all(np.array(inequalities) @ d >= -1e-12)
        assert np.allclose(np.array(equalities) @ d, 0)


@settings(max_examples=150)
@given(
    st.tuples(st.integers(1, 4), st.integers(0, 4)).flatmap(
        lambda shape: st.tuples(
            arrays(float, (shape[0], shape[0]), elements=st.integers(-3, 3)),
            arrays(float, (shape[1], shape[0]), elements=st.integers(-2, 2)),
        )
    )
)
def test_no_sample_contradicts_the_answer(data: tuple[np.ndarray, np.ndarray]) -> None:
    form, rows = data[0] + data[0].T, data[1]
    rows = rows[np.any(rows != 0, axis=1)]
    n = len(form)
    units = rows / np.linalg.norm(rows, axis=1)[:, None]
    found = form_on_cone(form, np.empty((0, n)), units, Thresholds.of(1e-8, 3.0))
    samples = np.random.default_rng(0).standard_normal((3000, n))
    inside = samples[np.all(samples @ rows.T >= 0, axis=1)]
    values = np.einsum("ki,ij,kj->k", inside, form, inside)
    if found.positive:
        assert np.all(values > 0)
    if found.negative_direction is not None:
        d = found.negative_direction
        assert d @ form @ d < 0
        assert np.all(units @ d >= -1e-9)
    independent = len(rows) == np.linalg.matrix_rank(rows) if len(rows) else True
    if independent and np.min(values, initial=1.0) < -0.3 * np.linalg.norm(form):
        assert found.positive is not True
