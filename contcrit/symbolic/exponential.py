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

import cmath
import functools
import math
from typing import Any

import numpy as np
from scipy.linalg import expm, lu_factor, lu_solve

from .exponential_operator import (
    LARGEST_NORM,
    derivative_factors,
    doubled,
    second_derivative_factors,
)
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


_COEFFICIENTS = {degree: _pade_coefficients(degree) for degree in _DEGREES}


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
) -> Exponential1 | Exponential2 | ExponentialN | ExponentialStack:
    """Prepare the exponential of one square matrix.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
        Real or complex; of shape (m, d, d) for many at once.

    Returns
    -------
    Exponential1 or Exponential2 or ExponentialN or ExponentialStack
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
    return ExponentialN(matrix)


class ExponentialStack:
    """The exponentials of many matrices, each with its own directions."""

    def __init__(self, matrices: Array) -> None:
        self._matrices = matrices

    @functools.cached_property
    def value(self) -> Array:
        """The exponentials, shape (m, d, d)."""
        result = np.full_like(self._matrices, np.nan)
        finite = np.isfinite(self._matrices).all(axis=(-2, -1))
        result[finite] = expm(self._matrices[finite])
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


class Exponential1:
    """The exponential of a 1 x 1 matrix."""

    def __init__(self, matrix: Array) -> None:
        self.value = np.exp(matrix)

    def frechet(self, direction: Array) -> Array:
        """Return the derivative along a direction, of the direction's shape."""
        return self.value * np.asarray(direction)

    def frechet2(self, first: Array, second: Array) -> Array:
        """Return the second derivative along two directions."""
        return self.value * np.asarray(first) * np.asarray(second)


class Exponential2:
    r"""The exponential of a 2 x 2 matrix in closed form.

    With X = s I + Y, tr Y = 0 and w = tr(Y Y)/2, exp X = e^s (c(w) I + S(w) Y), where
    c(w) = cosh sqrt w and S(w) = sinh(sqrt w)/sqrt w are entire; c' = S/2, S' = (c - S)/(2w) and
    S'' = (S - 6 S')/(4w). Near w = 0 their power series are used.
    """

    def __init__(self, matrix: Array) -> None:
        a, b, c, d = matrix.ravel().tolist()
        shift, half = (a + d) / 2, (a - d) / 2
        self._w = half * half + b * c
        self._cosine, self._sine = _entire(self._w)
        self._scale = cmath.exp(shift) if isinstance(shift, complex) else _real_exp(shift)
        e, s = self._scale * self._cosine, self._scale * self._sine
        self.value = np.array([[e + s * half, s * b], [s * c, e - s * half]])
        self._entries = (half, b, c)
        self._slopes: tuple[Any, Any] | None = None
        self._operator: Array | None = None

    def _derivatives(self) -> tuple[Any, Any]:
        if self._slopes is None:
            self._slopes = _entire_derivatives(self._w, self._cosine, self._sine)
        return self._slopes

    def frechet(self, direction: Array) -> Array:
        """Return the derivative along a direction, of the direction's shape."""
        direction = np.asarray(direction)
        if self._operator is None:
            self._operator = self._build_operator()
        return (direction.reshape(-1, 4) @ self._operator).reshape(direction.shape)

    def _build_operator(self) -> Array:
        # Row-major vectors act from the left: vec(H) @ operator = vec(L(X, H)).
        half, b, c = self._entries
        scale, sine = self._scale, self._scale * self._sine
        slope = scale * self._derivatives()[0]
        u, hs, bs, cs = sine / 2, half * slope, b * slope, c * slope
        v = self.value.ravel().tolist()
        p0, p1, p2, p3 = u + hs, bs, cs, u - hs
        # dw = half (h00 - h11) + c h01 + b h10
        t0, t1, t2, t3 = v[0] / 2, v[1] / 2, v[2] / 2, v[3] / 2
        k, g = sine / 2, half
        return np.array(
            [
                [t0 + g * p0 + k, t1 + g * p1, t2 + g * p2, t3 + g * p3 - k],
                [c * p0, c * p1 + sine, c * p2, c * p3],
                [b * p0, b * p1, b * p2 + sine, b * p3],
                [t0 - g * p0 - k, t1 - g * p1, t2 - g * p2, t3 - g * p3 + k],
            ]
        )

    def frechet2(self, first: Array, second: Array) -> Array:
        """Return the second derivative along two directions."""
        half, b, c = self._entries
        first, second = np.asarray(first), np.asarray(second)
        slope, curvature = self._derivatives()
        trace_free = np.array([[half, b], [c, -half]])
        h, h0 = _split(first)
        k, k0 = _split(second)
        wh, wk, whk = _inner(trace_free, h0), _inner(trace_free, k0), _inner(h0, k0)
        identity = np.eye(2)
        frame = self._sine / 2 * identity + slope * trace_free
        bent = slope / 2 * identity + curvature * trace_free
        plain = self._cosine * identity + self._sine * trace_free
        along_h = wh * frame + self._sine * h0
        along_k = wk * frame + self._sine * k0
        both = wh * wk * bent + whk * frame + slope * (wh * k0 + wk * h0)
        return self._scale * (h * k * plain + h * along_k + k * along_h + both)


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
        identity = np.eye(size)
        b = _COEFFICIENTS[degree]
        a2 = a @ a
        powers = [identity, a2]
        for k in range(2, 4 if degree == 13 else degree // 2 + 1):
            powers.append(a2 @ powers[k - 1])
        self._powers = powers
        if degree == 13:
            a6 = powers[3]
            self._w1 = b[13] * a6 + b[11] * powers[2] + b[9] * a2
            self._z1 = b[12] * a6 + b[10] * powers[2] + b[8] * a2
            self._odd = a6 @ self._w1 + _combine(powers, b[1::2])
            even = a6 @ self._z1 + _combine(powers, b[0::2])
        else:
            self._odd = _combine(powers, b[1::2])
            even = _combine(powers, b[0::2])
        upper = a @ self._odd
        finite = math.isfinite(norm)
        self._factored = lu_factor(even - upper, check_finite=False) if finite else None
        root = self._solve(even + upper)
        self._roots = [root]
        for _ in range(squarings):
            root = root @ root
            self._roots.append(root)
        self.value = root

    @functools.cached_property
    def _factors(self) -> tuple[Array, Array]:
        return derivative_factors(self._matrix, self._norm)

    def _solve(self, right: Array) -> Array:
        if self._factored is None:
            return np.full(right.shape, np.nan)
        if right.ndim == 2:
            return lu_solve(self._factored, right, check_finite=False)
        count, size, _ = right.shape
        flat = np.moveaxis(right, 0, 1).reshape(size, count * size)
        solved = lu_solve(self._factored, flat, check_finite=False)
        return np.moveaxis(solved.reshape(size, count, size), 1, 0)

    def frechet(self, direction: Array) -> Array:
        """Return the derivative along a direction, of the direction's shape."""
        if self._norm <= LARGEST_NORM and _is_long(direction):
            return _through(direction, *self._factors)
        h, a, powers = np.asarray(direction) * self._factor, self._a, self._powers
        b = _COEFFICIENTS[self._degree]
        m2 = multiply(a, h) + multiply(h, a)
        slopes = [None, m2]
        for k in range(2, len(powers)):
            slopes.append(multiply(powers[1], slopes[k - 1]) + multiply(m2, powers[k - 1]))
        if self._degree == 13:
            a6, m4, m6 = powers[3], slopes[2], slopes[3]
            odd = multiply(a6, b[13] * m6 + b[11] * m4 + b[9] * m2) + multiply(m6, self._w1)
            odd = odd + b[7] * m6 + b[5] * m4 + b[3] * m2
            even = multiply(a6, b[12] * m6 + b[10] * m4 + b[8] * m2) + multiply(m6, self._z1)
            even = even + b[6] * m6 + b[4] * m4 + b[2] * m2
        else:
            odd = _combine(slopes[1:], b[3::2])
            even = _combine(slopes[1:], b[2::2])
        upper = multiply(a, odd) + multiply(h, self._odd)
        root = self._roots[0]
        result = self._solve(upper + even + multiply(upper - even, root))
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
        length = float(np.abs(second).sum(axis=0).max())
        if length == 0.0:
            return np.zeros(first.shape, dtype=np.result_type(first, second, self._matrix))
        # The result is linear in K, whose length must not drive the cost.
        scale = max(self._norm, 1.0) / length
        if self._norm <= LARGEST_NORM and _is_long(first):
            factors = second_derivative_factors(self._matrix, second * scale)
            return np.multiply(_through(first, *factors), 1.0 / scale)
        first = np.asarray(first)
        block, _ = doubled(self._matrix, second * scale)
        diagonal = np.zeros((*first.shape[:-2], 2 * size, 2 * size), dtype=first.dtype)
        diagonal[..., :size, :size] = diagonal[..., size:, size:] = first
        return ExponentialN(block).frechet(diagonal)[..., :size, size:] / scale


def _is_long(direction: Any) -> bool:
    """Whether so many directions are asked for that factors serving all of them are cheaper."""
    return direction.ndim == 3 and len(direction) >= direction.shape[-1] ** 2


def _through(direction: Any, left: Array, right: Array) -> Any:
    """Return sum_k left_k H right_k for many directions H."""
    size = left.shape[-1]
    if isinstance(direction, TwoSided) and direction.length * len(left) <= max(size * size, 64):
        return direction.between(left, right)
    operator = TwoSided.identity(size, size).between(left, right).columns()
    flat = np.asarray(direction).reshape(-1, size * size) @ operator.T
    return flat.reshape(direction.shape)


def _combine(powers: list[Any], coefficients: list[float]) -> Array:
    result = coefficients[0] * powers[0]
    for coefficient, power in zip(coefficients[1:], powers[1:], strict=False):
        result = result + coefficient * power
    return result


def _split(direction: Array) -> tuple[Array, Array]:
    """Half trace (shaped for broadcasting) and trace-free part of 2 x 2 directions."""
    half = (direction[..., 0, 0] + direction[..., 1, 1])[..., None, None] / 2
    return half, direction - half * np.eye(2)


def _inner(a: Array, b: Array) -> Array:
    """Trace of a product of 2 x 2 matrices, shaped for broadcasting."""
    return np.sum(a * np.swapaxes(b, -1, -2), axis=(-2, -1))[..., None, None]


def _real_exp(value: float) -> float:
    return math.exp(value) if value < 709.0 else math.inf


def _entire(w: Any) -> tuple[Any, Any]:
    """Return cosh(sqrt w) and sinh(sqrt w)/sqrt w."""
    if isinstance(w, complex):
        if abs(w) < 1e-3:
            return _series(w, 0, 0), _series(w, 1, 0)
        root = cmath.sqrt(w)
        return cmath.cosh(root), cmath.sinh(root) / root
    if not abs(w) < 5e5:
        return math.nan, math.nan
    if abs(w) < 1e-3:
        return _series(w, 0, 0), _series(w, 1, 0)
    if w > 0:
        root = math.sqrt(w)
        return math.cosh(root), math.sinh(root) / root
    root = math.sqrt(-w)
    return math.cos(root), math.sin(root) / root


def _entire_derivatives(w: Any, c: Any, s: Any) -> tuple[Any, Any]:
    """Return the first and second derivatives of sinh(sqrt w)/sqrt w."""
    if abs(w) < 4.0:
        return _series(w, 1, 1), _series(w, 1, 2)
    slope = (c - s) / (2 * w)
    return slope, (s - 6 * slope) / (4 * w)


def series_coefficients(odd: int, order: int, terms: int = 18) -> list[float]:
    """Return power series coefficients in w, highest first.

    Of the derivative of the given order of cosh(sqrt w) (odd = 0) or sinh(sqrt w)/sqrt w (odd = 1).
    """
    powers = range(order, order + terms)
    return [math.perm(j, order) / math.factorial(2 * j + odd) for j in powers][::-1]


_SERIES = {(o, k): series_coefficients(o, k) for o, k in ((0, 0), (1, 0), (1, 1), (1, 2))}


def _series(w: Any, odd: int, order: int) -> Any:
    coefficients = _SERIES[odd, order]
    if abs(w) < 1e-3:
        coefficients = coefficients[-6:]
    result = 0.0
    for coefficient in coefficients:
        result = result * w + coefficient
    return result
