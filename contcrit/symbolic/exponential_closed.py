"""The exponential of a 1 x 1 or 2 x 2 matrix in closed form, with its Frechet derivatives.

References
----------
.. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008, section 10.5.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

Array = np.ndarray


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
