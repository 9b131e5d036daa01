"""Sliding along switching surfaces: the positions that keep switching functions constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from .field import Field

Array = np.ndarray


@dataclass(frozen=True)
class Tolerances:
    """Tolerances of a flow: relative and absolute ones of its integrator."""

    rtol: float
    atol: float

    def error(self, x: Array) -> float:
        """Return how uncertain x is."""
        return 100.0 * (self.atol + self.rtol * float(np.max(np.abs(x), initial=0.0)))


def held_positions(
    field: Field, x: Array, positions: Array, held: Array, *, bounded: bool = False
) -> Array:
    """Return positions for which the held switching functions are constant in time.

    Parameters
    ----------
    field : Field
    x : ndarray, shape (n,)
    positions : ndarray, shape (m,)
        All of them; those of `held` are where the solution starts.
    held : ndarray of int, shape (k,)
        Kinks that are slid along.
    bounded : bool, optional
        Whether to look within [0, 1] where the equations leave a choice (default False).
    """
    if not held.size:
        return positions
    s = positions.copy()
    slopes = rate_slopes(field, x, s, held)
    if not np.all(np.isfinite(slopes)):
        return s
    if float(np.max(np.abs(slopes))) == 0.0:
        return s
    before = np.inf
    for attempt in range(30):
        rates = _rates(field, x, s, held)
        if not np.all(np.isfinite(rates)):
            break
        change = np.linalg.lstsq(slopes, -rates, rcond=1e-11)[0]
        largest = float(np.max(np.abs(change)))
        if largest >= 0.5 * before and before < 1e-9:
            break  # rounding
        s[held] += change
        if largest <= 1e-15 or largest > 1e12:
            break
        if attempt and largest > max(1e-3 * before, 1e-12):  # F is not affine in s
            slopes = rate_slopes(field, x, s, held)
        before = largest
    outside = np.any(s[held] < 0) or np.any(s[held] > 1)
    if bounded and outside and np.linalg.matrix_rank(slopes, tol=None) < held.size:
        rates = _rates(field, x, s, held)
        found = lsq_linear(slopes, slopes @ s[held] - rates, bounds=(0.0, 1.0), tol=1e-15)
        s[held] = np.clip(found.x, 0.0, 1.0)
    return s


def rate_slopes(field: Field, x: Array, positions: Array, held: Array) -> Array:
    """Return the derivatives of the held g' by the held positions, shape (k, k).

    Central differences of width one: exact for quadratics, as of one kink inside another.
    """
    slopes = np.empty((held.size, held.size))
    for column, kink in enumerate(held):
        s = positions.copy()
        s[kink] = positions[kink] + 0.5
        high = _rates(field, x, s, held)
        s[kink] = positions[kink] - 0.5
        slopes[:, column] = high - _rates(field, x, s, held)
    return slopes


def _rates(field: Field, x: Array, positions: Array, held: Array) -> Array:
    gradients = field.slopes(x, positions)[1][held]
    return gradients @ field.velocity(x, positions)


def runge_kutta(field: Field, x: Array, positions: Array, held: Array, time: float) -> Array:
    """Return one classical step of fourth order in the mode of the positions."""

    def velocity(point: Array) -> Array:
        return field.velocity(point, held_positions(field, point, positions, held))

    one = velocity(x)
    two = velocity(x + 0.5 * time * one)
    three = velocity(x + 0.5 * time * two)
    four = velocity(x + time * three)
    return x + time / 6.0 * (one + 2 * two + 2 * three + four)
