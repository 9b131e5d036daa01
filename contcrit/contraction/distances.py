"""Distances between points and trajectories: in a metric, and along paths around slits.

A slit is a half-hyperplane {g = 0, h < 0} that paths must not cross; its edge is {g = h = 0}. In
the plane it is a half-line, and a shortest path around slits is a polyline through their ends.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecificationError
from .norms import root_of
from .trajectory import Trajectory

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Slit:
    """The half-hyperplane {normal @ x = offset, bound @ x < limit}.

    Parameters
    ----------
    normal, bound : array_like of shape (n,)
        Linearly independent.
    offset, limit : float, optional
        Default 0.

    Raises
    ------
    SpecificationError
        If the two do not determine an edge.

    Examples
    --------
    The diagonal of the plane below (1, 1).

    >>> slit = Slit([1, -1], [1, 1], limit=2.0)
    >>> slit.crosses(np.array([0.0, 0.5]), np.array([0.5, 0.0]))
    True
    >>> slit.crosses(np.array([2.0, 3.0]), np.array([3.0, 2.0]))
    False
    """

    normal: Any
    bound: Any
    offset: float = 0.0
    limit: float = 0.0

    def __post_init__(self) -> None:
        normal, bound = (np.asarray(v, dtype=float) for v in (self.normal, self.bound))
        object.__setattr__(self, "normal", normal)
        object.__setattr__(self, "bound", bound)
        if normal.ndim != 1 or normal.shape != bound.shape or normal.size < 2:
            raise SpecificationError(
                "normal", normal.shape, "needs the shape of `bound`, (n,) with n > 1.", "Two rows."
            )
        if np.linalg.matrix_rank(np.array([normal, bound])) < 2:
            raise SpecificationError(
                "bound", bound, "must not be parallel to `normal`.", "The slit needs an edge."
            )

    @property
    def size(self) -> int:
        """Number n of coordinates."""
        return int(self.normal.size)

    def moved(self, root: Array) -> Slit:
        """Return the slit in the coordinates root @ x."""
        inverse = np.linalg.inv(root)
        return Slit(self.normal @ inverse, self.bound @ inverse, self.offset, self.limit)

    def crosses(self, first: Array, second: Array) -> bool:
        """Whether the segment passes from one side to the other through the slit."""
        low, high = self.normal @ first - self.offset, self.normal @ second - self.offset
        if not low * high < 0:
            return False
        share = low / (low - high)
        return bool(self.bound @ (first + share * (second - first)) < self.limit)

    def edge_point(self, first: Array, second: Array) -> Array:
        """Return the point of the edge on the shortest path from one point over it to another.

        Unfold the two half-planes that hold a point and the edge into one plane.
        """
        rows = np.array([self.normal, self.bound])
        levels = np.array([self.offset, self.limit])
        inverse = np.linalg.pinv(rows)
        feet = [x - inverse @ (rows @ x - levels) for x in (first, second)]
        away = [float(np.linalg.norm(x - f)) for x, f in zip((first, second), feet, strict=True)]
        total = sum(away)
        share = away[0] / total if total > 0 else 0.5
        return feet[0] + share * (feet[1] - feet[0])


@dataclass(frozen=True, eq=False)
class PathDistance:
    """The length of a path around slits.

    Parameters
    ----------
    value : float
        Its length in the metric; inf where none was found.
    exact : bool
        Whether it is the infimum over all paths; else it is an upper bound.
    path : ndarray of shape (k, n)
        Its corners, both ends included.
    lower : float
        The distance without slits.

    Examples
    --------
    Around the slit x = 0, y < 0:

    >>> from contcrit.contraction.distances import Slit, path_distance
    >>> around = path_distance([-1, 0], [1, 0], [Slit([1, 0], [0, 1])])
    >>> around.value, around.exact
    (2.0, True)
    """

    value: float
    exact: bool
    path: Array
    lower: float


def distance(first: Any, second: Any, metric: Any = None) -> Any:
    """Return the distance of points of shape (..., n) in a metric M, shape (...).

    Parameters
    ----------
    first, second : array_like, shape (..., n)
    metric : array_like, shape (n, n), optional
        M, symmetric and positive definite (default the identity).

    Examples
    --------
    >>> distance([0, 0], [3, 4]), distance([0, 0], [2, 3], np.diag([4.0, 1.0]))
    (5.0, 5.0)
    """
    gap = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    if gap.ndim == 0:
        raise SpecificationError("first", gap, "needs points of n coordinates.", "(..., n).")
    found = np.linalg.norm(gap @ root_of(metric, gap.shape[-1]).T, axis=-1)
    return float(found) if found.ndim == 0 else found


def path_distance(
    first: Any, second: Any, slits: Sequence[Slit] = (), metric: Any = None
) -> PathDistance:
    """Return the length of a shortest path between two points that crosses no slit.

    Parameters
    ----------
    first, second : array_like, shape (n,)
    slits : sequence of Slit
        A point on a slit may leave to either side.
    metric : array_like, shape (n, n), optional
        M, constant (default the identity).

    Returns
    -------
    PathDistance
        Exact for one slit in any dimension, and for any number of slits in the plane. With several
        slits in more dimensions it is an upper bound, unless the straight path is free.

    Raises
    ------
    SpecificationError
        If shapes do not fit.

    Notes
    -----
    Over one edge the length is sqrt((a + b)^2 + c^2), with a and b the distances of the points from
    the edge and c that of their feet along it.

    Examples
    --------
    >>> slit = Slit([1, -1], [1, 1], limit=2.0)
    >>> found = path_distance([0.0, 0.5], [0.5, 0.0], [slit])
    >>> round(found.value, 9), found.exact
    (2.236067977, True)
    """
    ends = [np.asarray(x, dtype=float) for x in (first, second)]
    if ends[0].ndim != 1 or ends[0].shape != ends[1].shape:
        raise SpecificationError("second", ends[1].shape, "needs the shape of `first`.", "(n,).")
    n = ends[0].size
    for slit in slits:
        if slit.size != n:
            raise SpecificationError("slits", slit.size, f"need {n} coordinates.", "Check them.")
    root = root_of(metric, n)
    begin, end = (root @ x for x in ends)
    cuts = [slit.moved(root) for slit in slits]
    straight = float(np.linalg.norm(end - begin))
    if not any(cut.crosses(begin, end) for cut in cuts):
        return PathDistance(straight, True, np.array(ends), straight)
    if len(cuts) == 1:
        path: Array | None = np.array([begin, cuts[0].edge_point(begin, end), end])
        exact = True
    elif n == 2:
        path, exact = _visible(begin, end, cuts), True
    else:
        path, exact = _around(begin, end, cuts), False
    if path is None:
        return PathDistance(np.inf, exact, np.array(ends), straight)
    length = float(np.sum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
    return PathDistance(length, exact, np.linalg.solve(root, path.T).T, straight)


def _visible(begin: Array, end: Array, cuts: list[Slit]) -> Array | None:
    """Return the shortest path through the ends of half-lines that see each other, in the plane."""
    rows = [np.array([cut.normal, cut.bound]) for cut in cuts]
    corners = [
        np.linalg.solve(row, [cut.offset, cut.limit]) for row, cut in zip(rows, cuts, strict=True)
    ]
    points = [begin, end, *corners]

    def free(i: int, j: int) -> bool:
        # A segment that ends at a slit's own end meets the slit's line there only.
        others = (cut for k, cut in enumerate(cuts) if k + 2 not in (i, j))
        return not any(cut.crosses(points[i], points[j]) for cut in others)

    best = {0: 0.0}
    before: dict[int, int] = {}
    queue = [(0.0, 0)]
    while queue:
        length, here = heapq.heappop(queue)
        if here == 1:
            order = [1]
            while order[-1] != 0:
                order.append(before[order[-1]])
            return np.array([points[k] for k in reversed(order)])
        if length > best[here]:
            continue
        for there in range(1, len(points)):
            if there == here or not free(here, there):
                continue
            longer = length + float(np.linalg.norm(points[there] - points[here]))
            if longer < best.get(there, np.inf):
                best[there] = longer
                before[there] = here
                heapq.heappush(queue, (longer, there))
    return None


def _around(begin: Array, end: Array, cuts: list[Slit]) -> Array | None:
    """Return some path over the edges of the slits that are in the way, shortened, or None."""
    order: list[int] = []
    for _ in range(2 * len(cuts) + 2):
        path = _shortened(begin, end, [cuts[k] for k in order])
        blocked = None
        for place in range(len(path) - 1):
            touched = {order[j] for j in (place - 1, place) if 0 <= j < len(order)}
            for k, cut in enumerate(cuts):
                if k not in touched and cut.crosses(path[place], path[place + 1]):
                    blocked = (place, k)
                    break
            if blocked:
                break
        if blocked is None:
            return path
        order.insert(blocked[0], blocked[1])
    return None


def _shortened(begin: Array, end: Array, edges: list[Slit]) -> Array:
    """Return the shortest polyline over edges in a given order: a convex problem, edge by edge."""
    path = [begin, *(0.5 * (begin + end) for _ in edges), end]
    before = np.inf
    for _ in range(500):
        for place, edge in enumerate(edges, start=1):
            path[place] = edge.edge_point(path[place - 1], path[place + 1])
        length = float(np.sum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
        if length >= before * (1 - 1e-14):
            break
        before = length
    return np.array(path)


@dataclass(frozen=True, eq=False)
class DistanceTable:
    """Distances along a pair of trajectories.

    Parameters
    ----------
    t : ndarray of shape (k,)
    euclidean : ndarray of shape (k,)
        Distances in the metric.
    path : ndarray of shape (k,)
        Lengths of shortest paths around the slits; the same where there are none.
    exact : bool
        Whether all of `path` is exact; else some are upper bounds.

    Examples
    --------
    >>> import numpy as np
    >>> length = np.array([2.0, 1.0])
    >>> table = DistanceTable(np.array([0.0, 1.0]), length, length, True)
    >>> table.growth, table.rates().round(3).tolist()
    (1.0, [-0.693])
    """

    t: Array
    euclidean: Array
    path: Array
    exact: bool

    @property
    def growth(self) -> float:
        """Largest of `path` over an earlier one: 1 where distances never grow."""
        return _growth(self.path)

    @property
    def euclidean_growth(self) -> float:
        """The same of `euclidean`."""
        return _growth(self.euclidean)

    def rates(self) -> Array:
        """Return the rates of change of log `path` between neighbouring times, shape (k - 1,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.diff(np.log(self.path)) / np.diff(self.t)


def distance_along(
    first: Trajectory | Callable[[Array], Array],
    second: Trajectory | Callable[[Array], Array],
    times: Any = None,
    *,
    metric: Any = None,
    slits: Sequence[Slit] = (),
) -> DistanceTable:
    """Return how the distance of two trajectories changes in time.

    Parameters
    ----------
    first, second : Trajectory
        Or any functions from times (k,) to points (k, n).
    times : array_like, shape (k,), optional
        Default: 101 times up to where both were followed.
    metric : array_like, shape (n, n), optional
        M (default the identity).
    slits : sequence of Slit, optional
        What paths must go around.

    Raises
    ------
    SpecificationError
        If times are missing for plain functions.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> from contcrit.contraction.flows import flow
    >>> x = sp.Symbol("x")
    >>> pair = [flow(cc.Problem([-x], [x]), [start], {}, 1.0) for start in (1.0, 2.0)]
    >>> table = distance_along(*pair)
    >>> float(table.path[-1].round(9)) == round(float(np.exp(-1)), 9), table.growth
    (True, 1.0)
    """
    if times is None:
        if not (isinstance(first, Trajectory) and isinstance(second, Trajectory)):
            raise SpecificationError("times", times, "is needed for plain functions.", "Give them.")
        times = np.linspace(0.0, min(first.duration, second.duration), 101)
    t = np.atleast_1d(np.asarray(times, dtype=float))
    one, two = np.asarray(first(t)), np.asarray(second(t))
    euclidean = distance(one, two, metric)
    if not slits:
        return DistanceTable(t, euclidean, euclidean, True)
    found = [path_distance(a, b, slits, metric) for a, b in zip(one, two, strict=True)]
    lengths = np.array([path.value for path in found])
    return DistanceTable(t, euclidean, lengths, all(path.exact for path in found))


def _growth(values: Array) -> float:
    least = np.minimum.accumulate(values)
    if np.any((least <= 0) & (values > 0)):
        return np.inf
    kept = least > 0
    return float(np.max(values[kept] / least[kept], initial=1.0))
