"""How much a gradient can tell about the target direction: the kernel a(t)^k on the sphere.

For inputs x_1, ..., x_k from N(0, I_d) the targets ``h_u(x) = prod_l sign(u . x_l)`` with |u| = 1
have the inner products ``<h_u, h_v> = a(u . v)^k``, ``a(t) = (2 / pi) arcsin t``. The variance over
u of ``E[h_u g]``, for any g with ``E |g|^2 = G^2``, is at most G^2 times the largest eigenvalue,
constants apart, of that kernel on the sphere, and no smaller number will do. By the Funk-Hecke
theorem the eigenvalues belong to the degrees l = 0, 1, 2, ... of spherical harmonics:

    lambda_l = int a(t)^k P_l(t) (1 - t^2)^{(d-3)/2} dt / int (1 - t^2)^{(d-3)/2} dt,

P_l the Gegenbauer polynomial with P_l(1) = 1.

Which degree is the largest. a(t)^k has a power series without negative coefficients, and for a
power t^m the eigenvalues satisfy ``lambda_{l+2} / lambda_l = (m - l) / (m + l + d) < 1``. Degrees
of the other parity than k vanish; so the largest eigenvalue with l >= 1 is that of l = 1 for odd k
and of l = 2 for even k.

References
----------
S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, 2017,
Theorem 3.
"""

from __future__ import annotations

import functools
from math import exp, lgamma, log, pi

import numpy as np

from ....errors import SpecificationError
from ....system import Array
from ...reading import whole_number


def kernel(t: Array | float, k: int) -> Array:
    """Return ``<h_u, h_v> = a(t)^k`` at t = u . v, of the shape of t.

    Examples
    --------
    >>> kernel([0.5, 1.0], 1).round(12).tolist()
    [0.333333333333, 1.0]
    """
    return np.asarray((2.0 / pi * np.arcsin(np.clip(t, -1.0, 1.0))) ** whole_number("k", k, low=1))


def gegenbauer(t: Array, d: int, degree: int) -> Array:
    """Return the Gegenbauer polynomial of the sphere in R^d, with value 1 at t = 1.

    Parameters
    ----------
    t : ndarray
        Cosines.
    d : int
        Dimension, at least 2; for d = 2 these are the Chebyshev polynomials.
    degree : int
        Degree, not negative.
    """
    before, now = np.ones_like(t), np.array(t, dtype=float)
    if degree == 0:
        return before
    for j in range(1, degree):
        before, now = now, ((2 * j + d - 2) * t * now - j * before) / (j + d - 2)
    return now


def eigenvalue(k: int, d: int, degree: int) -> float:
    """Return the Funk-Hecke eigenvalue of a(t)^k on the sphere in R^d, by quadrature.

    Gauss-Legendre quadrature in the angle arcsin(t), in which the integrand is entire.

    Parameters
    ----------
    k : int
        Number of inputs in a tuple.
    d : int
        Dimension of an input, at least 2.
    degree : int
        Degree of the spherical harmonics.

    Raises
    ------
    SpecificationError
        If k or d is too small, or the degree negative.

    Examples
    --------
    >>> round(eigenvalue(2, 5, 2) * 5**2 * np.pi**2, 12)
    8.0
    """
    k, d = whole_number("k", k, low=1), dimension(d)
    if degree < 0:
        raise SpecificationError("degree", degree, "must not be negative.", "Such as 1.")
    # Beyond twelve standard deviations of t, 1 / sqrt(d) each, there is nothing left.
    reach = min(pi / 2.0, 12.0 / np.sqrt(d))
    nodes, weights = _gauss_legendre(200 + 20 * ((k + degree) // 4))
    angle = reach * nodes
    density = weights * np.exp((d - 2) * np.log(np.cos(angle)))
    values = (2.0 * angle / pi) ** k * gegenbauer(np.sin(angle), d, degree)
    return float(density @ values / density.sum())


@functools.cache
def _gauss_legendre(count: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(count)


def leading_degree(k: int) -> int:
    """Return the degree of the largest eigenvalue but the constants': 1 for odd k, 2 for even."""
    return 1 if whole_number("k", k, low=1) % 2 else 2


def sharp_constant(k: int, d: int) -> float:
    """Return the largest share of E |g|^2 that the variance over u can be.

    Parameters
    ----------
    k : int
        Number of inputs in a tuple.
    d : int
        Dimension of an input, at least 2.

    Examples
    --------
    >>> f"{sharp_constant(3, 784):.3e}"
    '1.260e-06'
    """
    return eigenvalue(k, d, leading_degree(k))


def closed_form(k: int, d: int) -> float:
    """Return the sharp constant for k = 1 or 2.

    ``Gamma(d/2)^2 / (pi Gamma((d+1)/2)^2)`` and ``8 / (pi^2 d^2)``.

    Raises
    ------
    SpecificationError
        If k is neither 1 nor 2.
    """
    d = dimension(d)
    if k == 1:
        return exp(2.0 * (lgamma(d / 2.0) - lgamma((d + 1) / 2.0))) / pi
    if k == 2:
        return 8.0 / (pi * d) ** 2
    raise SpecificationError("k", k, "must be 1 or 2 for the closed form.", "Use sharp_constant.")


def leading_term(k: int, d: int) -> float:
    """Return what the sharp constant tends to for large d.

    ``(2/pi)^k k!! d^{-(k+1)/2}`` for odd k and ``(2/pi)^k k (k-1)!! d^{-k/2-1}`` for even k, as if
    a(t) were 2 t / pi.
    """
    k, d = whole_number("k", k, low=1), dimension(d)
    odd = k if k % 2 else k - 1
    double = sum(log(j) for j in range(odd, 0, -2))
    power = (k + 1) / 2.0 if k % 2 else k / 2.0 + 1.0
    factor = 0.0 if k % 2 else log(k)
    return exp(k * log(2.0 / pi) + factor + double - power * log(d))


def printed_rate(k: int, d: int) -> float:
    """Return ``sqrt(k log d / d)^k``, which Theorem 3 has inside its O."""
    k, d = whole_number("k", k, low=1), dimension(d)
    return float((k * log(d) / d) ** (k / 2.0))


def by_series(k: int, d: int, degree: int, terms: int = 400) -> float:
    """Return the eigenvalue from the power series of arcsin, for degrees 0, 1 and 2.

    An independent way to the numbers of `eigenvalue`, slow to converge for small d.

    Parameters
    ----------
    k, d, degree : int
        As for `eigenvalue`.
    terms : int, optional
        Terms of the series of arcsin (default 400).
    """
    k, d = whole_number("k", k, low=1), dimension(d)
    if degree not in (0, 1, 2):
        raise SpecificationError("degree", degree, "must be 0, 1 or 2.", "Use eigenvalue.")
    coefficients = np.zeros(2 * terms)
    term = 2.0 / pi
    for j in range(terms):
        coefficients[2 * j + 1] = term / (2 * j + 1)
        term *= (2 * j + 1) / (2 * j + 2)
    power = np.ones(1)
    for _ in range(k):
        power = np.convolve(power, coefficients)[: 2 * terms]
    m = np.arange(len(power))
    if degree == 1:
        even = np.array([_even_moment(int(j) + 1, d) for j in m])
        return float(power @ even)
    even = np.array([_even_moment(int(j), d) for j in m])
    return float(power @ (even * (m / (m + d) if degree == 2 else 1.0)))


def _even_moment(m: int, d: int) -> float:
    """Return E t^m for the first coordinate t of a random unit vector in R^d."""
    if m % 2:
        return 0.0
    return exp(lgamma(d / 2) + lgamma((m + 1) / 2) - lgamma(0.5) - lgamma((d + m) / 2))


def dimension(d: int) -> int:
    """Return the dimension of an input.

    Raises
    ------
    SpecificationError
        If it is less than 2: on a line there are two directions only.
    """
    if whole_number("d", d, low=1) < 2:
        raise SpecificationError("d", d, "must be at least 2.", "Take more dimensions.")
    return int(d)
