"""Linear maps of matrices kept as two-sided products, against the matrices that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from contcrit.symbolic.matrix_two_sided import TwoSided


def random_map(rng, rows, columns, inner=(2, 3), counts=(2, 3)):
    r, c = inner
    p, q = counts
    direct = rng.standard_normal((p, rows, r)), rng.standard_normal((p, c, columns))
    mirrored = rng.standard_normal((q, rows, c)), rng.standard_normal((q, r, columns))
    return TwoSided(direct, mirrored)


def by_hand(two_sided, h):
    value = sum(a @ h @ b for a, b in zip(*two_sided.direct, strict=True))
    return value + sum(c @ h.T @ d for c, d in zip(*two_sided.mirrored, strict=True))


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 4)] * 4),
    st.sampled_from([(1, 0), (0, 1), (2, 3), (0, 0)]),
)
def test_every_form_of_the_map_agrees(seed, sizes, counts):
    rng = np.random.default_rng(seed)
    rows, columns, *inner = sizes
    two_sided = random_map(rng, rows, columns, inner, counts)
    h = rng.standard_normal(inner)
    expected = np.broadcast_to(by_hand(two_sided, h), (rows, columns))
    close = {"rtol": 1e-12, "atol": 1e-12}
    assert_allclose(two_sided.apply(h), expected, **close)
    assert_allclose(two_sided.columns() @ h.ravel(), expected.ravel(), **close)
    assert_allclose(np.tensordot(h.ravel(), two_sided.array(), axes=1), expected, **close)
    assert two_sided.array().shape == two_sided.shape
    assert len(two_sided) == h.size
    value = rng.standard_normal((rows, columns))
    assert_allclose(
        np.sum(two_sided.adjoint(value) * h), np.sum(value * expected), rtol=1e-10, atol=1e-10
    )


def test_operations_act_on_values(rng):
    one, other = random_map(rng, 3, 3), random_map(rng, 3, 3, counts=(1, 1))
    h, m = rng.standard_normal((2, 3)), rng.standard_normal((3, 3))
    left, right = rng.standard_normal((2, 4, 3, 3))
    x, y = by_hand(one, h), by_hand(other, h)
    for result, expected in (
        (one + other, x + y),
        (one - other, x - y),
        (-one, -x),
        (2.5 * one, 2.5 * x),
        (one * np.float64(-3.0), -3.0 * x),
        (one.left(m), m @ x),
        (one.right(m), x @ m),
        (one.swapaxes(-1, -2), x.T),
        (one.between(left, right), sum(a @ x @ b for a, b in zip(left, right, strict=True))),
        (one + np.zeros((3, 3)), x),
        (one - np.zeros((3, 3)), x),
        (np.zeros((3, 3)) - one, -x),
    ):
        assert isinstance(result, TwoSided)
        assert_allclose(result.apply(h), expected, rtol=1e-12, atol=1e-12)


def test_other_operations_turn_into_the_stack(rng):
    two_sided, m = random_map(rng, 3, 3), rng.standard_normal((3, 3))
    stack = two_sided.array()
    assert_allclose(two_sided * m, stack * m)
    assert_allclose(two_sided + stack, 2 * stack)
    assert_allclose(np.abs(two_sided), np.abs(stack))
    assert_allclose(np.asarray(two_sided, dtype=complex), stack)


def test_the_matrix_is_written_into_rows_that_lie_apart(rng):
    two_sided = random_map(rng, 4, 2)
    out = np.full((8, 7), np.nan)
    two_sided.fill(out[:, :6])
    assert_allclose(out[:, :6], two_sided.columns())
    assert np.isnan(out[:, 6]).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3)])
def test_the_identity(shape):
    unit = TwoSided.identity(*shape)
    assert_allclose(unit.columns(), np.eye(shape[0] * shape[1]))
    assert unit.length == 1
    assert_allclose(unit.scaled(1j).columns(), 1j * np.eye(shape[0] * shape[1]))
