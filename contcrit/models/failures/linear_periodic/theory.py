"""Learning psi(v . x) by psi(w . x) for Gaussian x: loss, critical set and gradient variance.

For ``psi(t) = sum_k a_k cos(k t)`` and x from N(0, I) everything follows from

    K(a, b) = E[cos(a . x) cos(b . x)] = (exp(-|a - b|^2 / 2) + exp(-|a + b|^2 / 2)) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaincc, roots_jacobi

from ....system import Array

NODES = 400
"""Nodes of the quadrature over the angle between w and v."""


@dataclass(frozen=True, eq=False)
class LinearPeriodic:
    """The squared loss ``E (psi(w . x) - psi(v . x))^2 / 2``.

    Parameters
    ----------
    v : ndarray, shape (d,)
        The target's weights.
    coefficients : tuple of float, default (1,)
        a_1, a_2, ... of psi.

    Examples
    --------
    >>> import numpy as np
    >>> loss = LinearPeriodic(np.array([1.0, 0.0]))
    >>> float(loss.loss(loss.v)), loss.gradient(-loss.v).tolist()
    (0.0, [0.0, 0.0])
    """

    v: Array
    coefficients: tuple[float, ...] = (1.0,)

    def _terms(self) -> list[tuple[float, int, int]]:
        a = self.coefficients
        places = range(len(a))
        return [(a[j] * a[k], j + 1, k + 1) for j in places for k in places]

    def loss(self, w: Any) -> Array:
        """Return the loss at points (..., d)."""
        w = np.asarray(w, dtype=float)
        total = np.zeros(w.shape[:-1])
        for weight, j, k in self._terms():
            own, target = _kernel(j * w, k * w), _kernel(j * self.v, k * self.v)
            total += weight * (0.5 * own + 0.5 * target - _kernel(j * w, k * self.v))
        return total

    def gradient(self, w: Any) -> Array:
        """Return the gradient at points (..., d)."""
        w = np.asarray(w, dtype=float)
        total = np.zeros(w.shape)
        length = np.sum(w * w, axis=-1)[..., None]
        for weight, j, k in self._terms():
            for side in (-1, 1):
                m = j + side * k
                total -= 0.25 * weight * m * m * w * np.exp(-0.5 * m * m * length)
                away = j * w + side * k * self.v
                square = np.sum(away * away, axis=-1)[..., None]
                total += 0.5 * weight * j * away * np.exp(-0.5 * square)
        return total

    def hessian(self, w: Any) -> Array:
        """Return the Hessian (d, d) at one point."""
        w = np.asarray(w, dtype=float)
        eye = np.eye(len(w))
        total = np.zeros((len(w), len(w)))
        for weight, j, k in self._terms():
            for side in (-1, 1):
                m = j + side * k
                own = eye - m * m * np.outer(w, w)
                total -= 0.25 * weight * m * m * own * np.exp(-0.5 * m * m * (w @ w))
                away = j * w + side * k * self.v
                one = eye - np.outer(away, away)
                total += 0.5 * weight * j * j * one * np.exp(-0.5 * (away @ away))
        return total


def _kernel(a: Array, b: Array) -> Array:
    near, far = a - b, a + b
    return 0.5 * (
        np.exp(-0.5 * np.sum(near * near, axis=-1)) + np.exp(-0.5 * np.sum(far * far, axis=-1))
    )


def eigenvalues(kind: str, r: float, d: int) -> Array:
    """Return the Hessian's eigenvalues at a critical point of the cosine, in rising order.

    Parameters
    ----------
    kind : {"origin", "target", "sphere"}
        w = 0; w = v or -v; or w orthogonal to v with ``|w| = r / sqrt(3)`` (d >= 2).
    r : float
        Length of v, positive.
    d : int
        Dimension.

    Examples
    --------
    >>> eigenvalues("sphere", 1.0, 3).round(6).tolist()
    [-0.513417, 0.0, 0.513417]
    """
    q = r * r
    if kind == "origin":
        along = np.exp(-q / 2) * (1 - q) - 1
        found = [along] + [np.expm1(-q / 2)] * (d - 1)
    elif kind == "target":
        along = 0.5 * (1 - np.exp(-2 * q) * (1 - 4 * q))
        found = [along] + [-0.5 * np.expm1(-2 * q)] * (d - 1)
    else:
        across = q * np.exp(-2 * q / 3)
        found = [-across, across] + [0.0] * (d - 2)
    return np.sort(np.array(found))


def slope_on_the_axis(t: Any, r: float) -> Array:
    """Return a function of w = t v / |v| with the sign of the cosine loss's slope, t > 0.

    It is the slope times ``exp((t^2 + r^2) / 2) / t``. It is negative for t < r and positive for
    t > r: with s = t / r the inequality is one of Jensen's for the exponential, whose weights are
    (1 - s) / (1 + s) and 2 s / (1 + s), or (1 + s) / (2 s) and (s - 1) / (2 s). So 0 and the two
    targets are the only critical points on the axis.
    """
    t = np.asarray(t, dtype=float)
    q = t * r
    return np.cosh(q) - (r / t) * np.sinh(q) - np.exp((r * r - 3 * t * t) / 2)


def distance_to_critical_set(w: Array, v: Array) -> float:
    """Return how far w is from the cosine loss's critical set."""
    r = float(np.linalg.norm(v))
    found = [float(np.linalg.norm(w - point)) for point in (np.zeros_like(v), v, -v)]
    if len(v) > 1 and r > 0:
        along = float(w @ v) / r
        across = float(np.linalg.norm(w - along * v / r))
        found.append(float(np.hypot(along, across - r / np.sqrt(3))))
    return min(found)


def gradient_variance(
    length: float, r: float, d: int, coefficients: tuple[float, ...] = (1.0,)
) -> float:
    """Return ``E |grad F_v(w) - E grad F_v(w)|^2`` over v uniform on the sphere of radius r.

    Parameters
    ----------
    length : float
        ``|w|``: by symmetry nothing else of w matters.
    r : float
        ``|v|``.
    d : int
        Dimension, at least 2.
    coefficients : tuple of float, default (1,)
        Of psi.

    Examples
    --------
    >>> gradient_variance(1.0, 3.0, 10) < 1e-3
    True
    """
    t, weights = roots_jacobi(NODES, (d - 3) / 2, (d - 3) / 2)
    weights = weights / weights.sum()
    along, across = np.zeros_like(t), np.zeros_like(t)
    side_of_v = r * np.sqrt(1 - t * t)
    for j, one in enumerate(coefficients, start=1):
        for k, other in enumerate(coefficients, start=1):
            for side in (-1, 1):
                square = (j * length) ** 2 + (k * r) ** 2 + 2 * side * j * k * length * r * t
                factor = 0.5 * one * other * j * np.exp(-0.5 * square)
                along += factor * (j * length + side * k * r * t)
                across += factor * side * k * side_of_v
    # The part across w is as often on one side as on the other: its mean is zero.
    return float(weights @ (along**2 + across**2) - (weights @ along) ** 2)


def variance_bound(r: float, d: int) -> float:
    """Return ``(2 / e) exp(-min(r^2, d) / 2)``, which bounds the cosine's variance at every w.

    The part of the gradient that depends on v is the mean of ``(w -+ v) exp(-|w -+ v|^2 / 2)``.
    As ``y exp(-y / 2) <= 2 / e`` its squared length is at most ``2 / e`` times the mean of
    ``exp(-|w -+ v|^2 / 2)``. The expectation of that is largest at w = 0 while r^2 <= d, where it
    is ``exp(-r^2 / 2)``, because ``E exp(k u_1) <= exp(k^2 / (2 d))`` on the unit sphere; and its
    maximum over w falls as r grows.
    """
    return float(2 / np.e * np.exp(-0.5 * min(r * r, d)))


def spectral_tail(r: float, d: int) -> float:
    """Return Theorem 2's ratio for N(0, I): mass beyond r of the squared Fourier transform.

    The square root of the density is a Gaussian of covariance 2 I, the square of its transform
    one of covariance I / 4, so that the ratio is ``P(chi^2_d > 4 r^2)``.
    """
    return float(gammaincc(d / 2, 2 * r * r))
