"""The derivatives of the matrix exponential as sums of two-sided products, for all directions.

References
----------
.. [1] A. H. Al-Mohy and N. J. Higham, SIAM J. Matrix Anal. Appl. 30 (2009) 1639-1657.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .matrix_two_sided import TwoSided

Array = np.ndarray

LARGEST_NORM = 60.0
"""Largest norm for which the quadrature is used: beyond it scaling and squaring serves."""

SMALL = 0.5
"""Largest norm for which Taylor sums are used as they are; others are scaled and squared."""

_TERMS = 16
"""Taylor terms: of arguments up to `SMALL`, the first one left out is 0.5^17/17! < 1e-19."""


def derivative_factors(matrix: Array, norm: float) -> tuple[Array, Array]:
    """Return thin factors of the derivative of exp: L(X, H) = sum_k left_k H right_k.

    The integral of ``exp(s X) H exp((1 - s) X)`` over [0, 1] ([1], equation 1.3) is taken by
    Gauss-Legendre quadrature, whose weights are positive and whose nodes are so many that its error
    bound is below rounding. The same factors serve all directions, where the recurrences of Pade
    approximants cost one pass for each.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    norm : float
        Its 1-norm.

    Returns
    -------
    tuple of ndarray
        The left and the right factors, shape (q, d, d) each.
    """
    weights, flows = _flows(matrix, norm)
    return weights[:, None, None] * flows, flows[::-1]


def second_derivative_factors(matrix: Array, along: Array) -> tuple[Array, Array]:
    """Return thin factors of the derivative of L(X, H) in X along a direction, (2 q, d, d) each."""
    size = matrix.shape[0]
    weights, blocks = _flows(*doubled(matrix, along))
    flows, slopes = blocks[:, :size, :size], blocks[:, :size, size:]
    left = weights[:, None, None] * np.stack((slopes, flows))
    right = np.stack((flows[::-1], slopes[::-1]))
    return left.reshape(-1, size, size), right.reshape(-1, size, size)


def through(direction: Any, left: Array, right: Array) -> Any:
    """Return sum_k left_k H right_k for many directions H; a short map stays one."""
    size = left.shape[-1]
    if isinstance(direction, TwoSided) and direction.length * len(left) <= max(size * size, 64):
        return direction.between(left, right)
    return applied(np.asarray(direction), full_operator(left, right))


def full_operator(left: Array, right: Array) -> Array:
    """Return the matrix of H -> sum_k left_k H right_k, which row-major vectors multiply."""
    count, size, _ = left.shape
    outer = left.reshape(count, -1).T @ right.reshape(count, -1)
    # Entry [i, r, s, j]: direction entry (r, s), value entry (i, j).
    return outer.reshape(size, size, size, size).transpose(1, 2, 0, 3).reshape(size**2, size**2)


def applied(direction: Array, operator: Array) -> Array:
    """Return the values of a full operator at directions of shape (d, d) or (m, d, d)."""
    return (direction.reshape(-1, len(operator)) @ operator).reshape(direction.shape)


def flows_to_the_end(matrix: Array, norm: float) -> tuple[Array, Array]:
    """Return quadrature weights, shape (q,), and exp(s X) at the nodes s and at 1, (q + 1, d, d).

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    norm : float
        A consistent norm of it.
    """
    size = matrix.shape[0]
    weights, series = quadrature(node_count(norm))
    squarings = math.ceil(math.log2(norm / SMALL)) if norm > SMALL else 0
    powers = np.empty((_TERMS + 1, size, size), dtype=np.result_type(matrix, float))
    powers[0] = _identity(size)
    np.multiply(matrix, 2.0**-squarings, out=powers[1])
    known = 1
    while known < _TERMS:  # all powers up to twice the known one by one product
        np.matmul(powers[1 : known + 1], powers[known], out=powers[known + 1 : 2 * known + 1])
        known *= 2
    flows = (series @ powers.reshape(_TERMS + 1, -1)).reshape(-1, size, size)
    for _ in range(squarings):
        flows = flows @ flows
    return weights, flows


def _flows(matrix: Array, norm: float) -> tuple[Array, Array]:
    """Quadrature weights, and the exponentials of s X at the nodes s."""
    weights, flows = flows_to_the_end(matrix, norm)
    return weights, flows[:-1]


def doubled(matrix: Array, along: Array) -> tuple[Array, float]:
    """Return [[X, K], [0, X]] with a bound of its norm: its functions hold derivatives along K."""
    size = matrix.shape[0]
    block = np.zeros((2 * size, 2 * size), dtype=np.result_type(along, matrix))
    block[:size, :size] = block[size:, size:] = matrix
    block[:size, size:] = along
    return block, min(float(np.abs(block).sum(axis=0).max()), float(np.linalg.norm(block)))


@functools.lru_cache(maxsize=64)
def quadrature(count: int) -> tuple[Array, Array]:
    """Return Gauss-Legendre weights on [0, 1], and Taylor coefficients at the nodes and at 1.

    The coefficients are those of exp(s X) in powers of X, a row for each s.
    """
    nodes, weights = np.polynomial.legendre.leggauss(count)
    ends = np.append((nodes + 1) / 2, 1.0)
    factorials = np.array([math.factorial(k) for k in range(_TERMS + 1)], dtype=float)
    return weights / 2, ends[:, None] ** np.arange(_TERMS + 1) / factorials


@functools.lru_cache(maxsize=64)
def _identity(size: int) -> Array:
    return np.eye(size)


def node_count(norm: float) -> int:
    """Return the fewest nodes whose error bound is below rounding: the integrand grows by 2 |X|."""
    return next(count for count, bound in _NODE_BOUNDS if norm <= bound)


def _largest_norm(count: int) -> float:
    # Error of the rule: (q!)^4 / ((2q + 1) ((2q)!)^3) times the derivative of order 2q, which is
    # at most (2 |X|)^(2q) times the integrand.
    log_factor = (
        4 * math.lgamma(count + 1) - math.log(2 * count + 1) - 3 * math.lgamma(2 * count + 1)
    )
    return math.exp((math.log(1e-17) - log_factor) / (2 * count)) / 2


_NODE_BOUNDS = [(count, _largest_norm(count)) for count in range(4, 130, 2)]
