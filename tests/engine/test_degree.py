"""Degrees against those of complex powers."""

from __future__ import annotations

import numpy as np
import pytest

from contcrit.engine.degree import brouwer_degree


@pytest.mark.parametrize("power", [1, 2, 3, 7])
def test_degree_of_complex_powers(power: int) -> None:
    def residual(x):
        value = (x[0] + 1j * x[1]) ** power - 0.5
        return np.array([value.real, value.imag])

    assert brouwer_degree(residual, np.full(2, -2.0), np.full(2, 2.0)) == power
    assert brouwer_degree(residual, np.full(2, 2.0), np.full(2, 3.0)) == 0
    assert brouwer_degree(lambda x: residual(x)[::-1], np.full(2, -2.0), np.full(2, 2.0)) == -power


def test_degree_is_refused_where_it_is_not_defined() -> None:
    on_boundary = brouwer_degree(lambda x: x - 1.0, np.array([-1.0]), np.array([1.0]))
    corner = brouwer_degree(lambda x: x - 1.0, np.full(2, -1.0), np.full(2, 1.0))
    high = brouwer_degree(lambda x: x, np.full(3, -1.0), np.full(3, 1.0))
    assert (on_boundary, corner, high) == (None, None, None)
