"""Closed forms: pairs with one datum, the worked case of four data, and the refuted theorem.

The *worked case* has two maxima and the data x = (-2, -1, 1, 2), y = (2, 1, 1, h). Its critical
points are families named by the number of data of each neuron, from left to right, and each family
begins or ends at a border collision in h.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp

from ...errors import SpecificationError
from ...system import Array
from .data import LocalLinear
from .graph import NeuronGraph

WORKED_X = (-2, -1, 1, 2)

H = sp.Symbol("h", real=True)
"""The last target of the worked case."""

POLYGON_KNOTS = (0, 3, 6, 9, 12)
POLYGON_VALUES = (0, 3, 4, 1, -5)
"""Example 2.1: a polygon with these corners, measured at every integer from 0 to 12."""

POLYGON_COSTS = {
    "one neuron": Fraction(8261, 273),
    "two neurons": Fraction(43, 45),
    "two neurons, other": Fraction(737, 630),
}
"""V of the critical points with one and two neurons."""

POLYGON_CORNERS = {
    "two neurons": Fraction(1527, 241),
    "two neurons, other": Fraction(255, 43),
}


@dataclass(frozen=True)
class WorkedFamily:
    """One family of the worked case.

    Parameters
    ----------
    name : str
        Such as ``"1+3"``: data of the left and of the right neuron.
    cost : Expr
        V as a function of h.
    lowest : Expr
        The family exists for h at least this; -oo if always.
    weights : tuple of (Expr, Expr)
        Offset and slope of the neuron with most data.
    end : Expr or None
        Slope of the neuron with one datum where the family ends at a kink; None if no such neuron.
    end_datum : int or None
        The input that meets the kink there.
    end_error : Expr or None
        Its error yhat - y there. Below zero the end is critical in Clarke's sense only.
    dimension : int
        Number of directions.
    """

    name: str
    cost: sp.Expr
    lowest: sp.Expr
    weights: tuple[sp.Expr, sp.Expr]
    end: sp.Expr | None
    end_datum: int | None
    end_error: sp.Expr | None
    dimension: int


def worked_data(h: float) -> LocalLinear:
    """Return the worked case as numbers."""
    x = np.array(WORKED_X, dtype=float)
    return LocalLinear(x, np.array([2.0, 1.0, 1.0, h]), NeuronGraph.chain((1,)))


def worked_case() -> dict[str, WorkedFamily]:
    """Derive the families of the worked case by least squares in exact arithmetic.

    Examples
    --------
    >>> found = worked_case()
    >>> [(f.name, f.cost, f.lowest) for f in found.values()][:3]
    [('2+2', 0, 1), ('1+3', h**2/7 - 2*h/7 + 1/7, -4/3), ('3+1', 1/7, 4/7)]
    """
    return {family.name: family for family in (_worked(2), _worked(1), _worked(3), _worked(4))}


def _worked(left: int) -> WorkedFamily:
    targets = [sp.Integer(2), sp.Integer(1), sp.Integer(1), H]
    points = list(zip(map(sp.Integer, WORKED_X), targets, strict=True))
    one, other = points[:left], points[left:]
    name = f"{len(one)}+{len(other)}"
    most = max(one, other, key=len)
    offset, slope = _line(most)
    cost = sum((offset + slope * x - y) ** 2 for x, y in most) / 2
    small = one if most is other else other
    end = datum = error = None
    bounds: list[sp.Expr] = []
    if len(small) == 2:
        a, b = _line(small)
        # The other neuron's line must not exceed this one at its own data, and vice versa.
        bounds += [offset + slope * x - a - b * x for x, _ in most]
        bounds += [a + b * x - offset - slope * x for x, _ in small]
    elif len(small) == 1:
        ((x0, y0),) = small
        bounds.append(y0 - offset - slope * x0)
        near = min(most, key=lambda point: abs(point[0] - x0))
        value = offset + slope * near[0]
        end, datum = sp.expand((value - y0) / (near[0] - x0)), int(near[0])
        error = sp.expand(value - near[1])
    # Every bound is affine in h; h = 10 lies in all families.
    lows = [sp.solve(b, H)[0] for b in bounds if sp.diff(b, H) > 0]
    return WorkedFamily(
        name,
        sp.expand(cost),
        max(lows, default=-sp.oo),
        (sp.expand(offset), sp.expand(slope)),
        end,
        datum,
        error,
        2 * 2 - min(len(one), 2) - min(len(other), 2),
    )


def _line(points: list[tuple[sp.Expr, sp.Expr]]) -> tuple[sp.Expr, sp.Expr]:
    """Return offset and slope of the least-squares line."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - mean_x) * y for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return sp.expand(mean_y - slope * mean_x), sp.expand(slope)


def polygon(neurons: int = 1) -> LocalLinear:
    """Return Example 2.1 with a chain of neurons whose edges bend down."""
    x = np.arange(13.0)
    y = np.interp(x, POLYGON_KNOTS, POLYGON_VALUES)
    return LocalLinear(x, y, NeuronGraph.chain((-1,) * (neurons - 1)))


def corner_data() -> tuple[LocalLinear, Array]:
    """Return Example 2.2: data of three planes that meet in a corner, and a designed start.

    49 data on a grid of [-1.5, 1.5]^2 of the maximum of three planes whose slopes point to the
    corners of a triangle, that meet at (0.2, 0.1); the start has their slopes halved.
    """
    grid = np.linspace(-1.5, 1.5, 7)
    x = np.array([(a, b) for a in grid for b in grid])
    angles = 2.0 * np.pi * np.arange(3) / 3.0 + 0.3
    slopes = np.column_stack([np.cos(angles), np.sin(angles)])
    w = np.column_stack([0.5 - slopes @ np.array([0.2, 0.1]), slopes])
    graph = NeuronGraph(3, ((0, 1), (0, 2), (1, 2)), (1, 1, 1))
    y = np.max(np.column_stack([np.ones(len(x)), x]) @ w.T, axis=1)
    start = np.column_stack([np.zeros(3), slopes / 2.0])
    return LocalLinear(x, y, graph), start


# ---- one datum: the pairs of Figures 2 to 5 -----------------------------------------------------


def pair(y: float, units: str = "local", sign: int = 1) -> LocalLinear:
    """Return the pair of equation 3 with one target: unknowns z_1 and z_2, shape (2, 1)."""
    return LocalLinear(np.zeros((1, 0)), np.array([y]), NeuronGraph.chain((sign,)), units)


def relu_pair_flow(z: Array, y: float, time: float) -> Array:
    """Return the solution of equation 3 for two ReLUs.

    In the first quadrant ``z_1 - z_2`` stays and ``z_1 + z_2`` relaxes at rate 2; a unit that
    reaches zero stays there, and the other one relaxes at rate 1.

    Examples
    --------
    >>> relu_pair_flow(np.array([2.0, 1.0]), 1.0, np.inf).round(12).tolist()
    [1.0, 0.0]
    """
    z = np.array(z, dtype=float)
    on = z > 0
    if not on.any():
        return z
    if on.sum() == 1:
        i = int(np.argmax(on))
        # Alone, and towards a negative target it reaches zero in finite time.
        if y < 0:
            time = min(time, float(np.log((z[i] - y) / -y)))
        z[i] = max(y + (z[i] - y) * np.exp(-time), 0.0) if y < 0 else y + (z[i] - y) * np.exp(-time)
        return z
    total, half = float(np.sum(z)), float(np.min(z))
    error = total - y
    # z_i falls by error (1 - exp(-2 t)) / 2.
    fall = error * (1.0 - np.exp(-2.0 * time)) / 2.0
    if fall <= half:
        return z - fall
    spent = -0.5 * float(np.log1p(-2.0 * half / error))
    z = z - half
    z[np.argmin(z)] = 0.0
    return relu_pair_flow(z, y, time - spent)


def switching_pair_flow(z: Array, y: float, time: float, sign: int = 1) -> Array:
    """Return the solution of equation 3 for a switching pair, max (sign 1) or min (-1).

    The neuron in charge relaxes to y at rate 1. If it meets the other one on the way, they slide on
    together at rate 1/2. On the diagonal where it repels, both sides are solutions: the first
    neuron moves then.

    Examples
    --------
    >>> switching_pair_flow(np.array([3.0, 2.0]), 1.0, np.inf).tolist()
    [1.0, 1.0]
    """
    z = sign * np.array(z, dtype=float)
    y = sign * y
    i = int(np.argmax(z))
    first, second = float(z[i]), float(z[1 - i])
    reached = y + (first - y) * float(np.exp(-time))
    if first <= y or reached >= second:
        z[i] = reached
        return sign * z
    # log of a ratio of distances: the time until both are equal.
    spent = float(np.log((first - y) / (second - y))) if second > y else np.inf
    z[:] = y + (second - y) * np.exp(-(time - spent) / 2.0)
    return sign * z


def path_distance(one: Array, other: Array, y: float, sign: int = 1) -> float:
    """Return the length of the shortest path between two points that avoids the repelling kink.

    The plane of a switching pair is slit along z_1 = z_2 < y (for max; > y for min). A path from
    one side of the slit to the other leads around its tip (y, y).

    Examples
    --------
    >>> path_distance(np.array([0.0, 0.1]), np.array([0.1, 0.0]), 1.0) > 2.6
    True
    """
    a, b = sign * (np.asarray(one, float) - y), sign * (np.asarray(other, float) - y)
    side, far = float(a[0] - a[1]), float(b[0] - b[1])
    straight = float(np.linalg.norm(a - b))
    if side * far >= 0:
        return straight
    share = side / (side - far)
    height = float(np.sum(a + share * (b - a)))
    if height >= 0:
        return straight
    return float(np.linalg.norm(a) + np.linalg.norm(b))


# ---- Theorem 2 refuted ---------------------------------------------------------------------------


def grazing_level() -> float:
    """Return the least w_11(t) of the neuron of `theorem_2_counterexample` that owns both data.

    From (0.5, 0) with data (0, 1) and (1, -0.3) the law is linear; its minimum in t is the root of
    a sum of two exponentials.

    Examples
    --------
    >>> round(grazing_level(), 12)
    0.458192685169
    """
    data, _ = theorem_2_counterexample(0.0, level=-10.0)
    X, y = data.X, data.y
    rates, vectors = np.linalg.eigh(X.T @ X)
    limit = np.linalg.solve(X.T @ X, X.T @ y)
    c = vectors.T @ (np.array([0.5, 0.0]) - limit)
    # d/dt w_1 = -sum_m rate_m v_1m c_m exp(-rate_m t) = 0 has one root for two exponentials.
    terms = vectors[0] * c
    ratio = -rates[1] * terms[1] / (rates[0] * terms[0])
    if ratio <= 1.0:
        raise SpecificationError("ratio", ratio, "must exceed 1.", "The level has no minimum.")
    time = float(np.log(ratio) / (rates[1] - rates[0]))
    return float(limit[0] + terms @ np.exp(-rates * time))


def theorem_2_counterexample(
    offset: float, *, level: float | None = None
) -> tuple[LocalLinear, Array]:
    """Return data and weights from which the repelling kink is met, or just not, as time goes on.

    Parameters
    ----------
    offset : float
        How far the second neuron begins above (positive) the level that the first one grazes.
    level : float, optional
        That level (default: `grazing_level`).

    Returns
    -------
    tuple of (LocalLinear, ndarray)
        Two maxima with x = (0, 1), y = (1, -0.3), and weights ((0.5, 0), (level + offset, -10)).
        Starts with small offsets of either sign lie in one linear region, off the kinks.
    """
    data = LocalLinear(np.array([[0.0], [1.0]]), np.array([1.0, -0.3]), NeuronGraph.chain((1,)))
    base = grazing_level() if level is None else level
    return data, np.array([[0.5, 0.0], [base + offset, -10.0]])


def dead_neuron() -> tuple[LocalLinear, Array]:
    """Return two maxima at a minimum with V = 1/3 that a neuron without data causes.

    Examples
    --------
    >>> data, w = dead_neuron()
    >>> round(data.cost(w), 12), bool(np.max(np.abs(data.gradient(w))) < 1e-15)
    (0.333333333333, True)
    """
    data = LocalLinear(
        np.array([[-1.0], [0.0], [1.0]]), np.array([1.0, 0.0, 1.0]), NeuronGraph.chain((1,))
    )
    return data, np.array([[2.0 / 3.0, 0.0], [-1.0, 0.0]])
