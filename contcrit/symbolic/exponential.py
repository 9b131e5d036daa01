"""The matrix exponential with its first and second Frechet derivatives, for many directions.

One `Exponential` holds what all directions share (the powers, the factorisation, the squarings),
so that a whole Jacobian costs little more than a few batched products. Sizes 1 and 2 use closed
forms; larger ones scaling and squaring of Pade approximants, differentiated exactly.

References
----------
.. [1] A. H. Al-Mohy and N. J. Higham, "Computing the Frechet derivative of the matrix exponential,
   with an application to condition number estimation", SIAM J. Matrix Anal. Appl. 30 (2009)
   1639-1657: algorithm 6.4 and the bounds of table 6.1.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .exponential_closed import Exponential1, Exponential2
from .exponential_operator import (
    LARGEST_NORM,
    derivative_factors,
    doubled,
    second_derivative_factors,
    through,
)
from .exponential_small import LARGEST_SIZE, ExponentialSmall
from .matrix_two_sided import TwoSided

Array = np.ndarray

_DEGREES = (3, 5, 7, 9, 13)
# Largest 1-norms for which approximant and derivative are good to rounding ([1], table 6.1).
_BOUNDS = {3: 1.0813855e-2, 5: 1.9981042e-1, 7: 7.8352925e-1, 9: 1.7820954, 13: 4.7403074}


def _pade_coefficients(degree: int) -> list[float]:
    """Numerator of the diagonal Pade approximant of exp, lowest power first."""
    return [
        math.comb(degree, j) * math.factorial(2 * degree - j) / math.factorial(2 * degree)
        for j in range(degree + 1)
    ]


def _pade_sums(degree: int) -> Array:
    """Coefficients of the even powers of X in the parts that make up the approximant.

    The odd part over X and the even part; for degree 13 their parts below X^6, and the factors
    that X^6 multiplies, without constant terms ([1], algorithm 6.4).
    """
    b = _pade_coefficients(degree)
    odd, even = b[1::2], b[0::2]
    if degree < 13:
        return np.array([odd, even])
    return np.array([odd[:4], even[:4], [0.0, *odd[4:]], [0.0, *even[4:]]])


_SUMS = {degree: _pade_sums(degree) for degree in _DEGREES}
_POWERS = {degree: sums.shape[1] for degree, sums in _SUMS.items()}


def multiply(a: Any, b: Any) -> Any:
    """Return the product of matrices or of stacks of them; one large product where possible."""
    if isinstance(a, TwoSided) or isinstance(b, TwoSided):
        if isinstance(b, TwoSided) and a.ndim == 2:
            return b.left(a)
        if isinstance(a, TwoSided) and b.ndim == 2:
            return a.right(b)
        a, b = np.asarray(a), np.asarray(b)
    if a.ndim == 3 and b.ndim == 2:
        return (a.reshape(-1, a.shape[2]) @ b).reshape(a.shape[0], a.shape[1], b.shape[1])
    return a @ b


def exponential(
    matrix: Array,
) -> Exponential1 | Exponential2 | ExponentialSmall | ExponentialN | ExponentialStack:
    """Prepare the exponential of one square matrix.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
        Real or complex; of shape (m, d, d) for many at once.

    Returns
    -------
    Exponential1 or Exponential2 or ExponentialSmall or ExponentialN or ExponentialStack
        With `value` (d, d), `frechet(H)` and `frechet2(H, K)`; directions have shape (d, d) or
        (m, d, d), at most one of H and K stacked.

    Examples
    --------
    >>> import numpy as np
    >>> bool(np.allclose(exponential(np.diag([0.0, 1.0, 2.0])).value, np.diag(np.exp([0, 1, 2]))))
    True
    """
    if matrix.ndim == 3:
        return ExponentialStack(matrix)
    size = matrix.shape[0]
    if size == 1:
        return Exponential1(matrix)
    if size == 2:
        return Exponential2(matrix)
    if size <= LARGEST_SIZE:
        norm = math.sqrt(np.vdot(matrix, matrix).real)
        if norm <= LARGEST_NORM:
            return ExponentialSmall(matrix, norm)
    return ExponentialN(matrix)


class ExponentialStack:
    """The exponentials of many matrices, each with its own directions."""

    def __init__(self, matrices: Array) -> None:
        self._matrices = matrices

    @functools.cached_property
    def value(self) -> Array:
        """The exponentials, shape (m, d, d), by the approximant of degree 13."""
        matrices = self._matrices
        norms = np.abs(matrices).sum(axis=-2).max(axis=-1)
        finite = np.isfinite(norms)
        excess = np.where(finite, norms, 0.0) / _BOUNDS[13]
        squarings = np.ceil(np.log2(np.maximum(excess, 1.0))).astype(int)
        a = np.where(finite[:, None, None], matrices, 0.0) * 2.0 ** -squarings[:, None, None]
        a2 = a @ a
        a4 = a2 @ a2
        powers = np.stack((np.broadcast_to(np.eye(a.shape[-1]), a.shape), a2, a4, a2 @ a4))
        low_odd, low_even, odd, even = np.tensordot(_SUMS[13], powers, axes=1)
        upper, even = a @ (low_odd + powers[3] @ odd), low_even + powers[3] @ even
        result = np.linalg.solve(even - upper, even + upper)
        for count in range(squarings.max(initial=0)):
            left = squarings > count
            result[left] = result[left] @ result[left]
        result[~finite] = np.nan
        return result

    def frechet(self, direction: Array) -> Array:
        """Return the derivatives along directions of shape (m, d, d), or one for all."""
        directions = np.broadcast_to(direction, self._matrices.shape)
        pairs = zip(self._matrices, directions, strict=True)
        return np.array([exponential(matrix).frechet(h) for matrix, h in pairs])

    def frechet2(self, first: Array, second: Array) -> Array:
        """Return the second derivatives along two directions for each matrix, or for all."""
        shape = self._matrices.shape
        triples = zip(
            self._matrices,
            np.broadcast_to(first, shape),
            np.broadcast_to(second, shape),
            strict=True,
        )
        return np.array([exponential(matrix).frechet2(h, k) for matrix, h, k in triples])


class ExponentialN:
    """The exponential of a d x d matrix by scaling and squaring ([1], algorithm 6.4)."""

    def __init__(self, matrix: Array) -> None:
        size = matrix.shape[0]
        norm = float(np.abs(matrix).sum(axis=0).max())
        degree = next((m for m in _DEGREES if norm <= _BOUNDS[m]), 13)
        squarings = 0
        if norm > _BOUNDS[13] and math.isfinite(norm):
            squarings = max(0, math.ceil(math.log2(norm / _BOUNDS[13])))
        self._matrix, self._norm = matrix, norm
        self._degree, self._factor = degree, 2.0**-squarings
        self._a = a = matrix * self._factor
        self._powers = powers = np.empty((_POWERS[degree], size, size), dtype=a.dtype)
        powers[0] = np.eye(size)
        np.matmul(a, a, out=powers[1])
        for k in range(2, len(powers)):
            np.matmul(powers[1], powers[k - 1], out=powers[k])
        sums = (_SUMS[degree] @ powers.reshape(len(powers), -1)).reshape(-1, size, size)
        if degree == 13:
            a6 = powers[3]
            self._w1, self._z1 = sums[2], sums[3]
            self._odd, even = sums[0] + a6 @ self._w1, sums[1] + a6 @ self._z1
        else:
            self._odd, even = sums
        upper = a @ self._odd
        self._lower = even - upper
        root = _solved(self._lower, even + upper)
        self._roots = [root]
        for _ in range(squarings):
            root = root @ root
            self._roots.append(root)
        self.value = root

    @functools.cached_property
    def _frobenius(self) -> float:
        return float(np.linalg.norm(self._matrix))

    @functools.cached_property
    def _factors(self) -> tuple[Array, Array]:
        # Any consistent norm bounds the integrand; of full matrices this one is far smaller.
        return derivative_factors(self._matrix, min(self._norm, self._frobenius))

    @functools.cached_property
    def _inverse(self) -> Array:
        # Well conditioned: its argument is small ([1], section 4).
        return _solved(self._lower, np.eye(len(self._lower)))

    def frechet(self, direction: Array) -> Array:
        """Return the derivative along a direction, of the direction's shape."""
        if _is_long(direction) and self._frobenius <= LARGEST_NORM:
            return through(direction, *self._factors)
        h, a, powers = np.asarray(direction) * self._factor, self._a, self._powers
        m2 = multiply(a, h) + multiply(h, a)
        slopes = [m2]
        for k in range(2, len(powers)):
            slopes.append(multiply(powers[1], slopes[-1]) + multiply(m2, powers[k - 1]))
        moments = _SUMS[self._degree][:, 1:] @ np.array(slopes).reshape(len(slopes), -1)
        moments = moments.reshape(-1, *h.shape)
        if self._degree == 13:
            a6, m6 = powers[3], slopes[2]
            odd = moments[0] + multiply(a6, moments[2]) + multiply(m6, self._w1)
            even = moments[1] + multiply(a6, moments[3]) + multiply(m6, self._z1)
        else:
            odd, even = moments
        upper = multiply(a, odd) + multiply(h, self._odd)
        right = upper + even + multiply(upper - even, self._roots[0])
        result = multiply(self._inverse, right)
        for root in self._roots[:-1]:
            result = multiply(root, result) + multiply(result, root)
        return result

    def frechet2(self, first: Array, second: Array) -> Array:
        """Return the second derivative along two directions, from one block matrix [2 x 2].

        The derivative of exp at [[X, K], [0, X]] along diag(H, H) has the second derivative in its
        upper right block (Higham and Relton 2014, theorem 3.5).
        """
        if second.ndim == 3:
            first, second = second, first
        size = self._matrix.shape[0]
        length = float(np.linalg.norm(second))
        if length == 0.0:
            return np.zeros(first.shape, dtype=np.result_type(first, second, self._matrix))
        # The result is linear in K, whose length must not drive the cost.
        scale = max(self._frobenius, 1.0) / length
        if _is_long(first) and self._frobenius <= LARGEST_NORM:
            factors = second_derivative_factors(self._matrix, second * scale)
            return np.multiply(through(first, *factors), 1.0 / scale)
        first = np.asarray(first)
        block, _ = doubled(self._matrix, second * scale)
        diagonal = np.zeros((*first.shape[:-2], 2 * size, 2 * size), dtype=first.dtype)
        diagonal[..., :size, :size] = diagonal[..., size:, size:] = first
        return ExponentialN(block).frechet(diagonal)[..., :size, size:] / scale


def _is_long(direction: Any) -> bool:
    """Whether so many directions are asked for that factors serving all of them are cheaper."""
    return direction.ndim == 3 and len(direction) >= direction.shape[-1] ** 2


def _solved(matrix: Array, right: Array) -> Array:
    # A matrix that is not finite is a numerical event, reported as such.
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)
