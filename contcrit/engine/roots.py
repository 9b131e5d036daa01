"""Roots of a function of one number between values of opposite sign."""

from __future__ import annotations

from collections.abc import Callable

_TRIES = 80


def next_share(
    x1: float, x2: float, x3: float, f1: float, f2: float, f3: float, least: float
) -> float:
    """Return the share of the way from x1 to x2 at which to look next, by Chandrupatla's method.

    Parameters
    ----------
    x1, x2, x3 : float
        The newest point, that of opposite sign, and the one before.
    f1, f2, f3 : float
        The values there.
    least : float
        Share of the way to keep from either end.

    References
    ----------
    T. R. Chandrupatla, Advances in Engineering Software 28 (1997), 145-149.
    """
    xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    share = 0.5
    if phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi:
        share = f1 / (f2 - f1) * f3 / (f2 - f3)
        share += (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    return min(1.0 - least, max(least, share))


def close_in(
    value: Callable[[float], float],
    low: float,
    high: float,
    at_low: float,
    at_high: float,
    tolerance: float,
) -> float:
    """Return where a function changes sign, to within a tolerance and rounding.

    Parameters
    ----------
    value : callable
    low, high : float
    at_low, at_high : float
        The values there, of opposite sign.
    tolerance : float
        Largest distance from the root.

    Examples
    --------
    >>> round(close_in(lambda t: t * t - 2.0, 1.0, 2.0, -1.0, 2.0, 1e-12), 9)
    1.414213562
    """
    x1, f1, x2, f2 = high, at_high, low, at_low
    share = 0.5
    for _ in range(_TRIES):
        x = x1 + share * (x2 - x1)
        f = value(x)
        if f * f1 > 0.0:
            x3, f3 = x1, f1
        else:
            x3, f3, x2, f2 = x2, f2, x1, f1
        x1, f1 = x, f
        if f1 == 0.0 or x1 == x2:
            break
        least = (4.4e-16 * abs(x1) + 0.5 * tolerance) / abs(x2 - x1)
        if least > 0.5:
            break
        share = next_share(x1, x2, x3, f1, f2, f3, least)
    return x1 if abs(f1) <= abs(f2) else x2
