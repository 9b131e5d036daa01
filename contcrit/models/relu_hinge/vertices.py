"""Candidates for Clarke critical points of one hidden layer on the slice of fixed output weights.

There the loss is piecewise linear in (W, b, c), and the set of Clarke subgradients is constant on
the relative interior of every face of its complex. So critical sets are unions of faces; by outer
semicontinuity each vertex in the closure of one is critical too. All vertices are enumerated, and
those kept satisfy a necessary condition that one linear program decides exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from scipy.optimize import linprog, nnls

from ...errors import SpecificationError
from ...system import Array
from .network import HingeNetwork

BUDGET = 3_000_000
"""Largest number of linear systems that an enumeration solves."""

CHUNK = 50_000

TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class CriticalVertices:
    """Vertices with 0 in their chain-rule set, by increasing loss.

    Attributes
    ----------
    points : ndarray, shape (m, n)
        The vertices.
    losses : ndarray, shape (m,)
        Their losses.
    vertices : int
        Number of vertices looked at.
    complete : bool
        Whether all vertices of the complex were looked at.
    statement : str
        What the list holds, and what it may miss.
    """

    points: Array
    losses: Array
    vertices: int
    complete: bool
    statement: str


def critical_vertices(network: Any, budget: int = BUDGET) -> CriticalVertices:
    """Enumerate the vertices of a slice, and keep those that may be critical.

    Parameters
    ----------
    network : HingeNetwork
        One fully connected hidden layer, one output, output weights fixed and not zero.
    budget : int, optional
        Largest number of linear systems to solve (default 3 000 000); beyond it, as many are drawn
        at random, and the list is called incomplete.

    Returns
    -------
    CriticalVertices

    Raises
    ------
    SpecificationError
        If the network is of another form.

    Notes
    -----
    A unit with input dimension d meets ``2 sum_{j<=d} C(N-1, j)`` patterns of N data in general
    position; each choice of one pattern for each unit gives the margins as affine functions, and
    every n of the N K unit kinks and N margins may meet in a vertex.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.relu_hinge.criterion import binary
    >>> X, y = np.array([[1.0], [-1.0]]), np.array([1, -1])
    >>> network = HingeNetwork(X, (1,), binary(y, np.array([0.5, 0.5])), alpha=0.5,
    ...                        fixed_output=np.array([[1.0]]))
    >>> critical_vertices(network).complete
    True
    """
    _require_slice(network)
    patterns = unit_patterns(network.X)
    width, count = network.widths[0], len(network.X)
    n, rows = network.size, count * width + len(network.criterion.data)
    total = len(patterns) ** width * comb(rows, n)
    complete = total <= budget
    found: list[Array] = []
    for choice, subsets in _subsets(patterns, width, rows, n, budget, total):
        found.extend(_solve(network, choice, subsets))
    points = _distinct(np.array(found).reshape(-1, n))
    keep = [k for k, x in enumerate(points) if chain_rule_holds_zero(network, x)]
    kept = points[keep]
    losses = network.loss(kept) if len(kept) else np.empty(0)
    order = np.lexsort((*kept.T[::-1], np.round(losses, 12)))
    statement = (
        "all vertices of the slice were looked at: every Clarke critical set on it whose closure "
        "has a vertex is represented; faces that contain a line, where a unit is free to turn, "
        "have none"
        if complete
        else f"incomplete: {budget} of {total} linear systems were drawn at random"
    )
    return CriticalVertices(kept[order], losses[order], len(points), complete, statement)


def unit_patterns(X: Array) -> Array:
    """Return the sign patterns (m, N) of w . x_i + b over all (w, b), without zeros.

    Examples
    --------
    >>> import numpy as np
    >>> len(unit_patterns(np.array([[0.0], [1.0], [3.0]])))
    6
    """
    rows = np.hstack([X, np.ones((len(X), 1))])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found: list[tuple[int, ...]] = [()]
    for k in range(1, len(rows) + 1):
        grown = [(*signs, side) for signs in found for side in (1, -1)]
        found = [signs for signs in grown if _strict(np.array(signs)[:, None] * rows[:k])]
    return np.array(found)


def chain_rule_holds_zero(network: Any, x: Array, tolerance: float = TOLERANCE) -> bool:
    """Tell whether 0 lies in the chain-rule set at a point of the slice: a necessary condition.

    Parameters
    ----------
    network : HingeNetwork
        As for `critical_vertices`.
    x : ndarray, shape (n,)
        The point.
    tolerance : float, optional
        Distance up to which a kink is active, and residual that counts as 0 (default 1e-9).

    Notes
    -----
    With the position p_i of margin i and the slope s_ik of unit k at datum i, the subgradient is
    linear in p_i and ``q_ik = p_i s_ik``, which range over ``0 <= p_i <= 1`` and ``alpha p_i <=
    q_ik <= p_i`` at kinks: a polytope, so that a linear program decides.
    """
    _require_slice(network)
    count, width = len(network.X), network.widths[0]
    hidden, margins = network.switching(x)
    hidden = hidden.reshape(count, width)
    v = network.output(x)[0][0]
    alpha = network.alpha
    pull = -network.criterion.weights * network.criterion.directions[:, 0]
    data = np.hstack([network.X, np.ones((count, 1))])
    # Unknowns: p (N), then q (N, K).
    equations = []
    for k in range(width):
        block = np.zeros((data.shape[1], count, width))
        block[:, :, k] = v[k] * pull * data.T
        columns = block.reshape(data.shape[1], -1)
        equations.append(np.hstack([np.zeros((data.shape[1], count)), columns]))
    if network.output_bias:
        equations.append(np.hstack([pull[None, :], np.zeros((1, count * width))]))
    lower = np.where(hidden > tolerance, 1.0, alpha)
    upper = np.where(hidden < -tolerance, alpha, 1.0)
    place = np.arange(count * width)
    low, high = np.zeros((2, count * width, count + count * width))
    low[place, count + place], low[place, place // width] = -1.0, lower.ravel()
    high[place, count + place], high[place, place // width] = 1.0, -upper.ravel()
    first = np.where(margins > tolerance, 1.0, 0.0)
    last = np.where(margins < -tolerance, 0.0, 1.0)
    bounds = [*zip(first, last, strict=True), *[(0.0, 1.0)] * (count * width)]
    matrix = np.vstack(equations)
    size = np.max(np.abs(matrix), axis=1, initial=1e-300)[:, None]
    answer = linprog(
        np.zeros(matrix.shape[1]),
        A_ub=np.vstack([low, high]),
        b_ub=np.zeros(2 * count * width),
        A_eq=matrix / np.maximum(size, 1e-300),
        b_eq=np.zeros(len(matrix)),
        bounds=bounds,
        method="highs",
    )
    return bool(answer.status == 0)


def _strict(rows: Array) -> bool:
    """Whether some d has rows @ d > 0: by Gordan, whether 0 is not in the rows' convex hull."""
    lifted = np.vstack([rows.T, np.ones(len(rows))])
    target = np.zeros(len(lifted))
    target[-1] = 1.0
    return bool(nnls(lifted, target)[1] > 1e-8)


def _subsets(
    patterns: Array, width: int, rows: int, n: int, budget: int, total: int
) -> Iterator[tuple[Array, Array]]:
    """Yield the units' patterns (N, K) with chunks of subsets (m, n) of the kinks."""
    if total <= budget:
        every = np.array(list(itertools.combinations(range(rows), n)))
        for chosen in itertools.product(patterns, repeat=width):
            for start in range(0, len(every), CHUNK):
                yield np.array(chosen).T, every[start : start + CHUNK]
        return
    generator = np.random.default_rng(0)
    draws = max(1, budget // CHUNK)
    for _ in range(draws):
        choice = patterns[generator.integers(len(patterns), size=width)]
        yield choice.T, np.argsort(generator.random((CHUNK, rows)), axis=1)[:, :n]


def _solve(network: HingeNetwork, choice: Array, subsets: Array) -> list[Array]:
    """Return the vertices of one cell of the units: solutions that lie in its closure."""
    positions = [(choice.ravel() + 1.0) / 2.0, np.zeros(len(network.criterion.data))]
    zero = np.zeros(network.size)
    slopes = np.vstack(network.switching_jacobians(zero, positions))
    values = np.concatenate(network.switching(zero, positions))
    matrices = slopes[subsets]
    volume = np.abs(np.linalg.det(matrices))
    bound = np.prod(np.linalg.norm(matrices, axis=2), axis=1)
    regular = volume > 1e-11 * bound
    if not np.any(regular):
        return []
    points = np.linalg.solve(matrices[regular], -values[subsets[regular]][..., None])[..., 0]
    hidden = points @ slopes[: choice.size].T
    size = 1.0 + np.max(np.abs(points), axis=1, keepdims=True)
    inside = np.all(choice.ravel() * hidden >= -TOLERANCE * size, axis=1)
    return list(_distinct(points[inside]))


def _distinct(points: Array) -> Array:
    """Return points that differ by more than rounding, each once."""
    if not len(points):
        return points
    size = 10.0 ** np.ceil(np.log10(1.0 + np.max(np.abs(points), axis=1)))[:, None]
    _, first = np.unique(np.round(points / size, 9) + 0.0, axis=0, return_index=True)
    return points[np.sort(first)]


def _require_slice(network: Any) -> None:
    if (
        not isinstance(network, HingeNetwork)
        or len(network.widths) != 1
        or network.fixed_output is None
        or network.criterion.outputs != 1
        or network.bases[0] is not None
        or np.any(network.fixed_output == 0)
    ):
        raise SpecificationError(
            "network",
            type(network).__name__,
            "needs one fully connected hidden layer, one output and fixed non-zero output weights.",
            "Give output_weights, such as +1 and -1.",
        )
