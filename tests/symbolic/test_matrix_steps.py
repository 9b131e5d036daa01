"""Programs as numbers: the exponential and its derivative, run as plain Python."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

from contcrit.symbolic import matrix_steps as steps
from contcrit.symbolic.exponential_operator import SMALL, node_count, quadrature


def exponentiated(matrix):
    """Value and derivative, as `exponentiate` leaves them in its workspace."""
    rows = len(matrix)
    n = rows * rows
    nodes = node_count(SMALL)
    weights, series = quadrature(nodes)
    tables = np.concatenate([[SMALL, series.shape[1], nodes], weights, series.ravel()])
    work = np.full(2 * n + n * n + steps.scratch_room(rows, nodes, series.shape[1]), np.nan)
    work[:n] = matrix.ravel()
    steps.exponentiate(work, n, 2 * n, 0, rows, 2 * n + n * n, tables)
    assert np.array_equal(work[:n], matrix.ravel(), equal_nan=True)
    return work[n : 2 * n].reshape(rows, rows), work[2 * n : 2 * n + n * n].reshape(n, n)


def exact(matrix, direction):
    """Value and derivative along a direction, to 40 digits."""
    n = len(matrix)
    block = np.block([[matrix, direction], [np.zeros((n, n)), matrix]])
    with mpmath.workdps(40):
        full = mpmath.expm(mpmath.matrix(block.tolist()), method="taylor")
        result = np.array(full.tolist(), dtype=object).reshape(2 * n, 2 * n).astype(float)
    return result[:n, :n], result[:n, n:]


@pytest.mark.parametrize("rows", [1, 3, 4])
@pytest.mark.parametrize("size", [0.0, 1e-3, 0.49, 0.51, 3.0, 30.0])
def test_the_exponential_and_its_derivative_to_rounding(rng, rows, size):
    matrix = rng.standard_normal((rows, rows))
    matrix -= matrix.T if rows > 1 and size > 10 else 0.0
    matrix *= size / np.linalg.norm(matrix)
    value, derivative = exponentiated(matrix)
    for direction in rng.standard_normal((2, rows, rows)):
        expected, slope = exact(matrix, direction)
        bound = 1e-15 * (2.0 + size)
        assert_allclose(value, expected, rtol=0, atol=bound * np.abs(expected).max())
        along = (derivative @ direction.ravel()).reshape(rows, rows)
        assert_allclose(along, slope, rtol=0, atol=4 * bound * np.abs(slope).max())


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_what_is_too_large_is_not_finite(bad):
    matrix = np.zeros((3, 3))
    matrix[0, 1] = bad
    with np.errstate(over="ignore"):
        value, derivative = exponentiated(matrix)
    assert np.isnan(value).all()
    assert np.isnan(derivative).all()


def program(codes, inputs, constants, room, out_size):
    body = np.concatenate([np.ravel(codes), constants, [SMALL, 1, 0]])
    total = steps.HEADER + body.size
    return np.concatenate([[total, out_size, inputs, room, len(codes), len(constants)], body])


def test_every_simple_operation(rng):
    a, b = rng.standard_normal((2, 2, 2))
    # Inputs at 0 and 4, a constant at 8, results from 9.
    codes = [
        [steps.COPY, 9, 0, 4, 0, 0, 0],
        [steps.ADD, 9, 4, 4, 0, 0, 0],
        [steps.NEGATE, 13, 0, 4, 0, 0, 0],
        [steps.SUBTRACT, 13, 4, 4, 0, 0, 0],
        [steps.COPY, 17, 0, 4, 0, 0, 0],
        [steps.TIMES, 17, 4, 4, 0, 0, 0],
        [steps.SCALE, 21, 8, 4, 4, 0, 0],
        [steps.PRODUCT, 25, 0, 4, 2, 2, 2],
        [steps.RIGHT, 29, 0, 4, 2, 1, 0],
        [steps.TRANSPOSE, 33, 0, 2, 1, 0, 0],
        [steps.STORE, 0, 9, 1, 28, 28, 0],
        [steps.STORE, 28, 0, 2, 2, 3, 0],
    ]
    out = np.zeros(33)
    steps.run(out, np.concatenate([a, b], axis=None), program(codes, 8, [2.5], 37, 33))
    expected = [a + b, -a - b, a * b, 2.5 * b, a @ b, a @ b, a.T]
    assert_allclose(out[:28].reshape(7, 2, 2), expected, rtol=1e-15, atol=1e-16)
    # Rows three apart.
    assert_allclose(out[28:], [a[0, 0], a[0, 1], 0.0, a[1, 0], a[1, 1]], rtol=0, atol=0)


def test_addresses_are_for_compiled_code():
    with pytest.raises(TypeError, match="compiled code only"):
        steps.entry(None, None, None)
