"""Convex hulls, cones and zonotopes against the origin, with certificates that can be checked.

Every answer holds both bounds: an upper one from explicit weights, and a lower one from a
direction. Neither trusts the solver that found it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear, nnls

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Distance:
    """How far the origin is from a convex set.

    Attributes
    ----------
    weights : ndarray of shape (k,)
        Weights of the set's generators that give `point`.
    point : ndarray of shape (n,)
        Point of the set nearest to the origin, as far as it was found.
    upper : float
        Norm of `point`: the distance is at most this.
    lower : float
        The set lies in the half-space ``q @ point >= lower * upper``: the distance is at least
        this; 0 when nothing is proved.
    """

    weights: Array
    point: Array
    upper: float
    lower: float


def nearest_in_hull(points: Array) -> Distance:
    """Return the point of least norm in the convex hull of points.

    Parameters
    ----------
    points : ndarray of shape (k, n)
        At least one point.

    Returns
    -------
    Distance
        With weights that are non-negative and sum to 1.

    Notes
    -----
    min |P^T y|^2 + (sum y - 1)^2 over y >= 0 has the solution y = weights / (1 + distance^2): one
    non-negative least squares problem [1]_. It is solved in units of the farthest point.

    References
    ----------
    .. [1] P. Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11 (1976)
       128-149.

    Examples
    --------
    >>> nearest_in_hull(np.array([[1.0, 1.0], [1.0, -1.0]])).point.round(12)
    array([1., 0.])
    """
    count, n = points.shape
    unit = float(np.max(np.linalg.norm(points, axis=1)))
    if unit == 0.0:
        return Distance(np.full(count, 1.0 / count), np.zeros(n), 0.0, 0.0)
    scaled = points / unit
    lifted = np.vstack([scaled.T, np.ones(count)])
    target = np.zeros(n + 1)
    target[-1] = 1.0
    weights = _polished(scaled, non_negative(lifted, target))
    point = weights @ points
    upper = float(np.linalg.norm(point))
    return Distance(weights, point, upper, _bound(np.min(points @ point), upper))


def nearest_in_zonotope(
    base: Array, generators: Array, cone: Array | None = None
) -> tuple[Distance, Array]:
    """Return the point of least norm in base + sum [0, 1] generator_j - cone.

    Parameters
    ----------
    base : ndarray of shape (n,)
        Corner of the zonotope.
    generators : ndarray of shape (m, n)
        Its edges.
    cone : ndarray of shape (k, n), optional
        Generators of a cone whose negative is added (default none).

    Returns
    -------
    distance : Distance
        With weights in [0, 1] of the edges, and then those of the cone, non-negative.
    direction : ndarray of shape (n,)
        ``-point``; where the lower bound is positive, it descends: base @ d plus the sum of the
        positive parts of generators @ d is negative, and cone @ d is not.

    Examples
    --------
    >>> distance, _ = nearest_in_zonotope(np.array([-1.0]), np.array([[4.0]]))
    >>> distance.weights, distance.upper
    (array([0.25]), 0.0)
    """
    cone = np.empty((0, base.size)) if cone is None else cone
    if len(cone) == 0:
        found = _by_corners(base, generators)
        if found is not None:
            return found, -found.point
    edges = np.vstack([generators, -cone])
    m = len(generators)
    if len(edges) == 0:
        weights = np.empty(0)
    else:
        # Units: every edge of length 1, so that tolerances mean the same for each.
        lengths = np.linalg.norm(edges, axis=1)
        lengths = np.where(lengths > 0, lengths, 1.0)
        upper_bound = np.concatenate([lengths[:m], np.full(len(cone), np.inf)])
        unit = max(float(np.linalg.norm(base)), float(np.max(lengths)))
        if m == 0:
            weights = non_negative((edges / lengths[:, None]).T, -base / unit) * unit / lengths
        else:
            solution = lsq_linear(
                (edges / lengths[:, None]).T,
                -base / unit,
                bounds=(np.zeros(len(edges)), upper_bound / unit),
                method="bvls",
                tol=1e-15,
                max_iter=20 * len(edges) + 20,
            )
            weights = solution.x * unit / lengths
    weights[:m] = np.clip(weights[:m], 0.0, 1.0)
    weights[m:] = np.maximum(weights[m:], 0.0)
    point = base + weights @ edges
    upper = float(np.linalg.norm(point))
    lowest = float(base @ point + np.minimum(edges[:m] @ point, 0.0).sum())
    outside = float(np.max(cone @ point, initial=0.0))
    # The cone makes the set unbounded: the half-space holds only if no generator leaves it. An
    # excess of the size of rounding is charged to the weights that occur.
    slack = outside * float(weights[m:].sum())
    tiny = outside <= 1e-9 * upper * float(np.max(np.linalg.norm(cone, axis=1), initial=0.0))
    return Distance(weights, point, upper, _bound(lowest - slack, upper) if tiny else 0.0), -point


CORNERS = 2000
"""Largest number of corners of a zonotope to visit before a bounded solver takes over."""


def _by_corners(base: Array, generators: Array) -> Distance | None:
    """Return the nearest point of a zonotope by Wolfe's algorithm, or None if it does not end.

    The corner of least product with p is known at once, so that a few corners do.
    """
    unit = float(np.linalg.norm(base) + np.linalg.norm(generators, axis=1).sum())
    rounding = 8 * np.finfo(float).eps * unit
    bits = [np.zeros(len(generators))]
    corners = [base]
    before = float("inf")
    for _ in range(CORNERS):
        found = nearest_in_hull(np.array(corners))
        weights = np.clip(found.weights @ np.array(bits), 0.0, 1.0)
        shares = generators @ found.point
        lowest = float(base @ found.point + np.minimum(shares, 0.0).sum())
        # Stop where the next corner is no nearer, as far as rounding lets it be seen.
        settled = lowest >= found.upper * (found.upper * (1 - 1e-12) - rounding)
        stalled = found.upper >= before
        if stalled and not settled and found.upper > 1e3 * rounding:
            return None
        if settled or stalled or found.upper <= rounding:
            point = base + weights @ generators
            upper = float(np.linalg.norm(point))
            lowest = float(base @ point + np.minimum(generators @ point, 0.0).sum())
            return Distance(weights, point, upper, _bound(lowest, upper))
        before = found.upper
        kept = np.flatnonzero(found.weights > 0)
        bits = [bits[k] for k in kept] + [(shares < 0).astype(float)]
        corners = [corners[k] for k in kept] + [base + bits[-1] @ generators]
    return None


def non_negative(matrix: Array, target: Array) -> Array:
    """Return x >= 0 that minimises |matrix @ x - target|, for matrix (n, k) and target (n,)."""
    if matrix.shape[1] == 0:
        return np.empty(0)
    try:
        solution: Array = nnls(matrix, target, maxiter=20 * sum(matrix.shape))[0]
    except RuntimeError:  # its word for too many exchanges: another algorithm takes over
        solution = lsq_linear(matrix, target, bounds=(0.0, np.inf), method="bvls", tol=1e-15).x
    return np.maximum(solution, 0.0)


def _polished(points: Array, weights: Array) -> Array:
    """Return weights that sum to 1, solved anew on their support where that is better."""
    total = weights.sum()
    weights = weights / total if total > 0 else np.full(len(points), 1.0 / len(points))
    support = np.flatnonzero(weights > 0)
    chosen = points[support]
    # On the affine hull: w_0 = 1 - the others.
    differences = (chosen[1:] - chosen[0]).T
    if differences.shape[1] == 0:
        return weights
    others = np.linalg.lstsq(differences, -chosen[0], rcond=None)[0]
    solved = np.concatenate([[1.0 - others.sum()], others])
    if np.all(solved >= 0):
        better = np.zeros_like(weights)
        better[support] = solved
        if np.linalg.norm(better @ points) < np.linalg.norm(weights @ points):
            return better
    return weights


def _bound(lowest: float, upper: float) -> float:
    return max(0.0, float(lowest) / upper) if upper > 0 else 0.0
