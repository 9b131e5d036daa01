"""Critical points of the product of linear scores, between decomposition and end-to-end learning.

Everything follows from the equation along the target direction, ``w = kappa a u``:

    s (a - 1) + (1 - s) k kappa^{2k-2} a^{k-1} (a^k - 1) = 0,   kappa = sqrt(2 / pi).

a = 1 solves it for every s. Divided by a - 1 it gives ``s / (1 - s) = -k kappa^{2k-2} a^{k-1}
(1 + a + ... + a^{k-1})``, positive for even k and -1 < a < 0 only: those are the critical points of
wrong sign, which a fold ends.
"""

from __future__ import annotations

from math import pi

import numpy as np

from ....system import Array
from ...reading import whole_number
from .signal import KAPPA


def roots(k: int, s: float, tolerance: float = 1e-7) -> Array:
    """Return all critical points on the line of u, in units of kappa u, rising.

    Parameters
    ----------
    k : int
        Length of tuples.
    s : float
        Weight of the auxiliary loss.
    tolerance : float, optional
        Imaginary parts below this, and roots closer than this, are taken as none (default 1e-7).

    Examples
    --------
    >>> roots(2, 0.0).tolist()
    [-1.0, 0.0, 1.0]
    >>> roots(3, 0.5).tolist()
    [1.0]
    """
    k = whole_number("k", k, low=1)
    quotient = np.zeros(2 * k - 1)
    # Coefficients of s + (1 - s) k kappa^{2k-2} a^{k-1} (1 + ... + a^{k-1}), lowest first.
    quotient[k - 1 :] = (1.0 - s) * k * KAPPA ** (2 * k - 2)
    quotient[0] += s
    first = np.flatnonzero(quotient)[0]
    others = np.polynomial.polynomial.polyroots(np.trim_zeros(quotient[first:], "b"))
    real = [float(z.real) for z in np.atleast_1d(others) if abs(np.imag(z)) <= tolerance]
    found = sorted([1.0, *real, *([0.0] if first else [])])
    kept: list[float] = []
    for one in found:
        if not kept or one - kept[-1] > tolerance:
            kept.append(one)
    return np.array(kept)


def loss(w: Array, k: int, s: float) -> float:
    """Return the loss at w = (along u, across u) for labels without error."""
    square, along = float(w @ w), KAPPA * float(w[0])
    auxiliary = (square - 2.0 * along + 1.0) / 2.0
    primary = (square**k - 2.0 * along**k + 1.0) / 2.0
    return s * auxiliary + (1.0 - s) * primary


def curvatures(a: float, k: int, s: float) -> tuple[float, float]:
    """Return the Hessian's eigenvalues at ``kappa a u``: along u, and across it (d - 1 times)."""
    k = whole_number("k", k, low=1)
    scale = (1.0 - s) * k * KAPPA ** (2 * k - 2)
    second = (2 * k - 1) * a ** (2 * k - 2) - ((k - 1) * a ** (k - 2) if k > 1 else 0.0)
    return s + scale * second, s + scale * a ** (2 * k - 2)


def fold(k: int) -> tuple[float, float] | None:
    """Return the weight s and the position a at which critical points of wrong sign end.

    The largest ``s / (1 - s) = k kappa^{2k-2} x^{k-1} (1 - x^k) / (1 + x)`` of 0 < x = -a < 1; None
    for odd k, which has none.

    Examples
    --------
    >>> s, a = fold(2)
    >>> round(s * (1 + np.pi), 12), round(a, 12)
    (1.0, -0.5)
    """
    k = whole_number("k", k, low=1)
    if k % 2:
        return None
    # x^{k-1} (1 - x^k) / (1 + x) is the polynomial x^{k-1} (1 - x) (1 + x^2 + ... + x^{k-2}).
    polynomial = np.polynomial.Polynomial
    x = polynomial([0.0, 1.0])
    height = x ** (k - 1) * (1.0 - x) * sum((x ** (2 * j) for j in range(k // 2)), polynomial([0]))
    stationary = [
        float(np.real(z))
        for z in height.deriv().roots()
        if abs(np.imag(z)) < 1e-9 and 0.0 < float(np.real(z)) < 1.0
    ]
    best = max(stationary, key=height)
    ratio = k * KAPPA ** (2 * k - 2) * float(height(best))
    return ratio / (1.0 + ratio), -best


FOLD_OF_PAIRS = 1.0 / (1.0 + pi)
"""The weight s at which the wrong-sign solutions of pairs, k = 2, end."""
