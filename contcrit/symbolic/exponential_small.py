"""The exponential of a small matrix, whose derivative is kept as one full matrix.

Up to a dozen rows the numbers are few and calls are what costs. One batch of Taylor sums gives the
exponentials ``exp(s X)`` at the nodes of a quadrature and at s = 1: the value, and through the
integral ``L(X, H) = int exp(s X) H exp((1 - s) X) ds`` the derivative along every direction.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .exponential_operator import (
    applied,
    flows_to_the_end,
    full_operator,
    second_derivative_factors,
    through,
)
from .matrix_two_sided import TwoSided

Array = np.ndarray

LARGEST_SIZE = 8
"""Rows up to which full matrices of the derivative, with d^4 entries, are fastest (measured)."""


@functools.lru_cache(maxsize=16)
def unit_directions(size: int) -> Array:
    """Return all unit directions, shape (d^2, d, d): one array, known by its identity."""
    units = np.eye(size * size).reshape(-1, size, size)
    units.flags.writeable = False
    return units


class ExponentialSmall:
    """The exponential of a d x d matrix whose norm is at most `exponential_operator.LARGEST_NORM`.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    norm : float
        Its Frobenius norm.
    """

    def __init__(self, matrix: Array, norm: float) -> None:
        self._matrix, self._norm = matrix, norm
        self._weights, flows = flows_to_the_end(matrix, norm)
        self._flows = flows[:-1]
        self.value: Array = flows[-1]
        self._operator: Array | None = None

    def _factors(self) -> tuple[Array, Array]:
        return self._weights[:, None, None] * self._flows, self._flows[::-1]

    def frechet(self, direction: Any) -> Any:
        """Return the derivative along a direction, of the direction's shape."""
        if isinstance(direction, TwoSided):
            return through(direction, *self._factors())
        if self._operator is None:
            self._operator = full_operator(*self._factors())
        if direction is unit_directions(len(self._matrix)):
            return self._operator.reshape(direction.shape)
        return applied(direction, self._operator)

    def frechet2(self, first: Any, second: Any) -> Any:
        """Return the second derivative along two directions."""
        if second.ndim == 3:
            first, second = second, first
        length = math.sqrt(np.vdot(second, second).real)
        if length == 0.0:
            return np.zeros(first.shape, dtype=np.result_type(first, second, self._matrix))
        # The result is linear in this direction, whose length must not drive the cost.
        scale = max(self._norm, 1.0) / length
        left, right = second_derivative_factors(self._matrix, second * scale)
        left *= 1.0 / scale
        return through(first, left, right)
