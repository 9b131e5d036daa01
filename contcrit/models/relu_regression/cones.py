"""Local minima of functions that are quadratic on each of finitely many cones.

Near a point the function is ``g . d + d^T H d / 2`` for directions d in a polyhedral cone
``rows @ d >= 0``, with g and H of that cone; the cones cover space and the function is continuous.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import linprog

from ...system import Array


def descent(cones: Sequence[Array], gradients: Array) -> tuple[float, Array]:
    """Return the least slope over directions with entries up to 1, and its direction.

    Parameters
    ----------
    cones : sequence of ndarray, shape (rows, d)
        Rows of the inequalities ``rows @ d >= 0``.
    gradients : ndarray, shape (cones, d)
        The gradient on each cone.

    Returns
    -------
    slope : float
        0 where the function falls in no direction to first order. Once a steep descent is known
        the remaining cones are not searched: the slope is then an upper bound.
    direction : ndarray, shape (d,)

    Examples
    --------
    >>> import numpy as np
    >>> right, left = np.array([[1.0]]), np.array([[-1.0]])
    >>> slope, direction = descent([right, left], np.array([[1.0], [1.0]]))
    >>> slope, direction.tolist()
    (-1.0, [-1.0])
    """
    d = gradients.shape[1]
    least, best = 0.0, np.zeros(d)
    large = 1e-3 * float(np.max(np.abs(gradients), initial=0.0))
    # Steepest descent of one cone often stays inside it: try that before the linear programs.
    for rows, g in zip(cones, gradients, strict=True):
        length = float(np.max(np.abs(g)))
        if length > 0 and np.all(rows @ -g >= 0) and -float(g @ g) / length < least:
            least, best = -float(g @ g) / length, -g / length
    if least < -large:
        return least, best
    for rows, g in zip(cones, gradients, strict=True):
        found = linprog(g, A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * d)
        if found.status == 0 and found.fun < least:
            least, best = float(found.fun), np.asarray(found.x)
            if least < -large:
                break
    return least, best


def lowest(
    cones: Sequence[Array],
    gradients: Array,
    hessians: Sequence[Array],
    tolerance: float,
    scale: float,
) -> tuple[str, dict[str, Any]]:
    """Tell whether a point is a local minimum, and in what way.

    Parameters
    ----------
    cones : sequence of ndarray, shape (rows, d)
        Rows of the inequalities.
    gradients : ndarray, shape (cones, d)
        The gradient on each cone.
    hessians : sequence of ndarray, shape (d, d)
        The second derivative on each cone.
    tolerance : float
        Relative size below which slopes and curvatures count as zero.
    scale : float
        Size of slopes that zero is relative to.

    Returns
    -------
    answer : str
        ``"sharp"``: the function rises to first order in every direction. ``"strict"``: it rises
        in every direction. ``"descends"``: it falls in one. ``"degenerate"``: it falls in none,
        but second order does not show that it rises in all. ``"undecided"``: the search for a
        direction of descent of second order among the flat cone's edges and the curvature's axes
        was inconclusive.
    evidence : dict
        ``descent_direction``, and ``slope`` where descent is of first order.

    Examples
    --------
    >>> import numpy as np
    >>> cones = [np.array([[1.0]]), np.array([[-1.0]])]
    >>> lowest(cones, np.array([[1.0], [-1.0]]), [np.eye(1)] * 2, 1e-9, 1.0)[0]
    'sharp'
    """
    slope, direction = descent(cones, gradients)
    if slope < -tolerance * scale:
        return "descends", {"descent_direction": direction, "slope": slope}
    sharp, flat, open_question = True, False, False
    curvature = max(max(float(np.max(np.abs(H))) for H in hessians), 1e-300)
    for rows, g, H in zip(cones, gradients, hessians, strict=True):
        span = _flat_span(rows, g, tolerance * scale)
        if not span.shape[1]:
            continue
        sharp = False
        values, axes = np.linalg.eigh(span.T @ H @ span)
        if values[0] > tolerance * curvature:
            continue
        if values[0] >= -tolerance * curvature:
            # Of no negative curvature: flat only along null directions, if the cone holds any.
            null = np.vstack([rows, H / curvature, -H / curvature])
            flat |= _flat_span(null, g, tolerance * scale).shape[1] > 0
            continue
        down = _curving_down(rows, g, H, span @ axes, (tolerance * scale, tolerance * curvature))
        if down is not None:
            return "descends", {"descent_direction": down}
        open_question = True
    if open_question:
        return "undecided", {}
    return ("degenerate" if flat else "sharp" if sharp else "strict"), {}


def _flat_span(rows: Array, g: Array, tolerance: float) -> Array:
    """Return a basis of the span of the directions of a cone along which the slope vanishes."""
    d = len(g)
    scale = float(np.max(np.abs(g)))
    inequalities = -rows if scale <= tolerance else np.vstack([-rows, g / scale])
    found: list[Array] = []
    bounds = [(-1, 1)] * d
    limits = np.zeros(len(inequalities))
    limits[len(rows) :] = tolerance / max(scale, tolerance, 1e-300)
    basis = np.zeros((d, 0))
    while basis.shape[1] < d:
        # Look for a direction outside the span found so far.
        outside = np.linalg.svd(basis.T, full_matrices=True)[2][basis.shape[1] :]
        longest = 0.0
        for axis in np.vstack([outside, -outside]):
            best = linprog(-axis, A_ub=inequalities, b_ub=limits, bounds=bounds)
            if best.status == 0 and -best.fun > max(longest, 1e-6):
                longest, direction = -float(best.fun), np.asarray(best.x)
        if longest == 0.0:
            break
        found.append(direction)
        basis = np.linalg.qr(np.array(found).T)[0]
    return basis


def _curving_down(
    rows: Array, g: Array, H: Array, axes: Array, zero: tuple[float, float]
) -> Array | None:
    """Return a flat direction of the cone that curves downwards, from axes and edges tried."""
    tried = [*axes.T, *(-axes.T), *_edges(rows, g)]
    for direction in tried:
        if (
            np.all(rows @ direction >= -1e-9)
            and abs(float(g @ direction)) <= zero[0] * 10
            and float(direction @ H @ direction) < -zero[1]
        ):
            return np.asarray(direction)
    return None


def _edges(rows: Array, g: Array) -> list[Array]:
    """Return the edges of a cone in two or three dimensions, of unit length."""
    d = len(g)
    if d == 2:
        found = [np.array([-row[1], row[0]]) for row in rows]
    elif d == 3:
        found = [np.cross(a, b) for k, a in enumerate(rows) for b in rows[k + 1 :]]
    else:
        return []
    unit = [edge / np.linalg.norm(edge) for edge in found if np.linalg.norm(edge) > 1e-9]
    return [sign * edge for edge in unit for sign in (1, -1)]
