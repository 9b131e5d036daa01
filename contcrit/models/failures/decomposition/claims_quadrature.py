"""Expectations over Gaussian inputs by quadrature, apart from the closed forms that they check."""

from __future__ import annotations

from itertools import product
from math import pi

import numpy as np

from ....system import Array


def plane(cosine: float, count: int = 40) -> tuple[Array, Array, Array, Array]:
    """Return nodes in the plane of u and w, weights, sign(u . x) and w . x, for N(0, I).

    To rounding for polynomials times sign(u . x): the angle is cut where the sign changes.
    """
    # The radius has the density r exp(-r^2 / 2), with nothing left beyond 12.
    nodes, weights = np.polynomial.legendre.leggauss(3 * count)
    radius = 6.0 + 6.0 * nodes
    radial = 6.0 * weights * radius * np.exp(-(radius**2) / 2.0)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    angle = np.concatenate([centre + pi / 2.0 * nodes for centre in (0.0, pi)])
    share = np.concatenate([weights, weights]) / 4.0
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    x = (radius[:, None, None] * direction).reshape(-1, 2)
    sine = float(np.sqrt(max(0.0, 1.0 - cosine**2)))
    w = np.array([cosine, sine])
    return x, np.outer(radial, share).ravel(), np.sign(x[:, 0]), x @ w


def gradient_moments(k: int, d: int, cosine: float) -> tuple[Array, float]:
    """Return E[h_u g] in the plane of u and w, and E |g|^2, term by term, by quadrature.

    Inputs of a tuple are independent: each term is a product of means over one input. Directions
    perpendicular to the plane add d - 2 to E |x|^2, and nothing else.
    """
    x, weights, sign, score = plane(cosine)
    signed_input = (weights * sign) @ x
    signed_score = float((weights * sign) @ score)
    scored_input = (weights * score) @ x
    square_score = float(weights @ score**2)
    square_input = float(weights @ np.sum(x**2, axis=1)) + (d - 2)
    mean = sum((signed_input * signed_score ** (k - 1) for _ in range(k)), np.zeros(2))
    second = 0.0
    for one, other in product(range(k), repeat=2):
        if one == other:
            second += square_input * square_score ** (k - 1)
        else:
            second += float(scored_input @ scored_input) * square_score ** (k - 2)
    return mean, second
