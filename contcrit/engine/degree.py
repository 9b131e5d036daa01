"""The Brouwer degree of a residual on a box, in one and two unknowns: an independent count."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray

TURN_MAXIMUM = np.pi / 8
"""Largest turn of the residual between neighbouring boundary points before more are inserted."""

REFINEMENTS = 14
"""How often the boundary is refined before the degree is given up."""


def brouwer_degree(residual: Callable[[Array], Array], low: Array, high: Array) -> int | None:
    """Return the degree of F on a box with respect to 0, from F on the boundary.

    When all solutions inside are regular, the degree is the sum of sign det DF over them, so
    that a solution missing from a list shows unless missing ones cancel.

    Parameters
    ----------
    residual : callable
        F, from shape (n,) to shape (n,), continuous on the boundary.
    low, high : ndarray of shape (n,)
        Corners of the box.

    Returns
    -------
    int or None
        None for n > 2, and when F (nearly) vanishes on the boundary or is not finite there.

    Notes
    -----
    For n = 2 the degree is the winding number of F along the boundary, summed over turns of at
    most pi/8 between neighbouring points. Sampling cannot exclude a full turn between two of them.

    Examples
    --------
    >>> import numpy as np
    >>> brouwer_degree(lambda x: x**3 - x, np.array([-2.0]), np.array([2.0]))
    1
    """
    with np.errstate(all="ignore"):
        if len(low) == 1:
            return _one_unknown(residual, low, high)
        if len(low) == 2:
            return _two_unknowns(residual, low, high)
    return None


def _one_unknown(residual: Callable[[Array], Array], low: Array, high: Array) -> int | None:
    ends = np.array([residual(low)[0], residual(high)[0]])
    if not np.all(np.isfinite(ends)) or np.min(np.abs(ends)) <= 1e-12:
        return None
    return int((np.sign(ends[1]) - np.sign(ends[0])) / 2)


def _two_unknowns(residual: Callable[[Array], Array], low: Array, high: Array) -> int | None:
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    position = np.linspace(0.0, 4.0, 257)

    def place(where: Array) -> Array:
        side = np.minimum(where.astype(int), 3)
        share = (where - side)[:, None]
        return (1 - share) * corners[side] + share * corners[(side + 1) % 4]

    values = np.array([residual(x) for x in place(position)])
    for _ in range(REFINEMENTS):
        if not np.all(np.isfinite(values)):
            return None
        size = np.hypot(values[:, 0], values[:, 1])
        if size.min() <= 1e-12 * size.max():
            return None
        complex_values = values[:, 0] + 1j * values[:, 1]
        turns = np.angle(complex_values[1:] / complex_values[:-1])
        wide = np.flatnonzero(np.abs(turns) > TURN_MAXIMUM)
        if wide.size == 0:
            return int(np.rint(np.sum(turns) / (2 * np.pi)))
        middle = (position[wide] + position[wide + 1]) / 2
        position = np.insert(position, wide + 1, middle)
        values = np.insert(values, wide + 1, [residual(x) for x in place(middle)], axis=0)
    return None
