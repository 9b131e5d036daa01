"""Signal and noise of stochastic gradients, decomposed and end to end, in closed form.

The end-to-end predictor is ``p = prod_l w . x_l`` with |w| = 1, its gradient in w is g, and the
target is ``h_u = prod_l sign(u . x_l)``, c = u . w. With inputs from N(0, I_d)

    E[h_u g] = k kappa^k c^{k-1} u,   E |g|^2 = k (d + k - 1),   kappa = sqrt(2 / pi):

the first since ``E[sign(u . x) x] = kappa u``; in the second, k terms are ``E |x|^2 = d`` and
k (k - 1) terms ``E[(w . x)(x . x')(w . x')] = 1``. The signal is ``Sig = |E[h_u g]|^2``, the noise
``Noi = E |h_u g|^2 - Sig``. Decomposition compares w . x with sign(u . x) for every image: that is
k = 1, whatever the length of tuples.

References
----------
S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, 2017,
section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, pi, sqrt

import numpy as np

from ....errors import SpecificationError
from ....system import Array
from ...reading import whole_number
from .kernel import dimension

KAPPA = sqrt(2.0 / pi)
"""E |z| for z from N(0, 1)."""


def signal(k: int, cosine: float) -> float:
    """Return ``Sig = k^2 (2/pi)^k c^{2(k-1)}``.

    Examples
    --------
    >>> round(signal(1, 0.3), 12) == round(2 / np.pi, 12)
    True
    """
    k = whole_number("k", k, low=1)
    return float(k**2 * KAPPA ** (2 * k) * _cosine(cosine) ** (2 * (k - 1)))


def second_moment(k: int, d: int) -> float:
    """Return ``E |g|^2 = k (d + k - 1)``.

    Examples
    --------
    >>> second_moment(3, 10)
    36.0
    """
    k = whole_number("k", k, low=1)
    return float(k * (dimension(d) + k - 1))


def signal_to_noise(k: int, d: int, cosine: float) -> float:
    """Return Sig / Noi end to end.

    Parameters
    ----------
    k : int
        Number of inputs in a tuple.
    d : int
        Dimension of an input, at least 2.
    cosine : float
        c = u . w.

    Examples
    --------
    >>> signal_to_noise(1, 784, 0.1) == decomposition_signal_to_noise(784)
    True
    """
    strength = signal(k, cosine)
    return strength / (second_moment(k, d) - strength)


def decomposition_signal_to_noise(d: int) -> float:
    """Return Sig / Noi for single images, ``(2/pi) / (d - 2/pi)``: the same for every k."""
    return (2.0 / pi) / (dimension(d) - 2.0 / pi)


def mean_signal(k: int, d: int) -> float:
    """Return Sig in the mean over random directions w: ``k^2 (2/pi)^k E c^{2(k-1)}``.

    Examples
    --------
    >>> round(mean_signal(2, 4) * np.pi**2, 12)
    4.0
    """
    k, d = whole_number("k", k, low=1), dimension(d)
    moment = lgamma(d / 2) + lgamma(k - 0.5) - lgamma(0.5) - lgamma(d / 2 + k - 1)
    return float(k**2 * KAPPA ** (2 * k) * exp(moment))


def target_variance(k: int, d: int) -> float:
    """Return the variance of E[h_u g] over directions u, for |w| = 1: what Theorem 3 bounds.

    The mean of ``k kappa^k c^{k-1} u`` is zero for odd k, and ``k kappa^k E[c^k] w`` for even k.
    """
    k, d = whole_number("k", k, low=1), dimension(d)
    centre = 0.0
    if k % 2 == 0:
        moment = exp(lgamma(d / 2) + lgamma((k + 1) / 2) - lgamma(0.5) - lgamma((d + k) / 2))
        centre = (k * KAPPA**k * moment) ** 2
    return mean_signal(k, d) - centre


@dataclass(frozen=True)
class Estimate:
    """Sample means with their standard errors.

    Parameters
    ----------
    along, along_error : float
        Of ``u . h_u g``, whose square is Sig.
    across, across_error : float
        Of the component of ``h_u g`` along w, orthogonalised to u: zero in the mean.
    square, square_error : float
        Of ``|g|^2``.
    """

    along: float
    along_error: float
    across: float
    across_error: float
    square: float
    square_error: float


def sampled(k: int, d: int, cosine: float, count: int, generator: np.random.Generator) -> Estimate:
    """Return Monte Carlo estimates of what the closed forms give.

    Parameters
    ----------
    k, d : int
        Length of tuples and dimension of an input.
    cosine : float
        c = u . w.
    count : int
        Number of tuples.
    generator : numpy.random.Generator
        Where they come from.
    """
    k, d, c = whole_number("k", k, low=1), dimension(d), _cosine(cosine)
    along, across, square = [], [], []
    for begin in range(0, count, 20_000):
        x = generator.standard_normal((min(20_000, count - begin), k, d))
        side = sqrt(1.0 - c * c)
        # u is the first axis; w lies in the plane of the first two.
        projections = c * x[..., 0] + side * x[..., 1]
        target = np.prod(np.sign(x[..., 0]), axis=1)
        g = np.einsum("nl,nld->nd", _others(projections), x) * target[:, None]
        along.append(g[:, 0])
        across.append(g[:, 1])
        square.append(np.sum(g**2, axis=1))
    numbers: list[float] = []
    for part in (along, across, square):
        values = np.concatenate(part)
        numbers += [float(values.mean()), float(values.std(ddof=1) / sqrt(len(values)))]
    return Estimate(*numbers)


def _others(values: Array) -> Array:
    """Return, for each entry of a row, the product of the others, of the same shape."""
    before = np.cumprod(np.hstack([np.ones((len(values), 1)), values[:, :-1]]), axis=1)
    behind = np.cumprod(np.hstack([np.ones((len(values), 1)), values[:, :0:-1]]), axis=1)
    return np.asarray(before * behind[:, ::-1])


def _cosine(value: float) -> float:
    if not abs(value) <= 1.0:
        raise SpecificationError("cosine", value, "must lie between -1 and 1.", "Such as 0.5.")
    return float(value)
