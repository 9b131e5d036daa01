"""Hulls of more cells than can be enumerated: cells are added only as they are needed.

The nearest point p of the hull of the cells found so far is the nearest of the whole hull if no
cell has a gradient with ``G @ p < |p|^2``. An oracle that finds such a cell, or proves that there
is none, thus decides criticality (Wolfe's algorithm, a fully corrective Frank-Wolfe method).
"""

from __future__ import annotations

import time

import numpy as np

from .cells import STRICT, CellSearch
from .hulls import Distance, nearest_in_hull
from .pieces import ArrayPieces, Pieces
from .separable import all_rows
from .stationarity import directional_derivative
from .thresholds import Thresholds

Array = np.ndarray


def nearest_by_oracle(
    pieces: Pieces,
    weights: tuple[Array, Array, Array] | None,
    thresholds: Thresholds,
    deadline: float,
    rounds: int = 1000,
) -> tuple[Distance, Array, bool]:
    """Return the nearest point of the hull of the cells' gradients, cell by cell.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    weights : tuple of ndarray or None
        (base, weights, rows) of `top_weights` when the kinks are on one level: cells are then
        found by branch and bound. Without it by sampling, which proves no lower bound.
    thresholds : Thresholds
        For gradients.
    deadline : float
        Value of `time.monotonic` at which to stop.
    rounds : int
        Largest number of cells to add (default 1000).

    Returns
    -------
    distance : Distance
        Of the hull of the cells found. Its lower bound holds for the whole hull exactly if the
        third value is true.
    signs : ndarray of shape (k, m)
        Sign patterns of these cells.
    proved : bool
        Whether branch and bound proved that no cell lies beyond the lower bound.
    """
    generator = np.random.default_rng(0)
    patterns: dict[bytes, Array] = {}
    for direction in generator.standard_normal((4 * pieces.size + 16, pieces.size)):
        _keep(pieces, direction, patterns)
    proved = False
    for _ in range(rounds):
        signs = np.array(list(patterns.values())).reshape(len(patterns), -1)
        if not patterns:
            signs = np.empty((0, sum(pieces.levels)))
            nowhere = Distance(np.empty(0), np.zeros(pieces.size), float("inf"), 0.0)
            return nowhere, signs, False
        distance = nearest_in_hull(np.array([pieces.gradient(row) for row in signs]))
        if distance.upper <= thresholds.zero or time.monotonic() > deadline:
            break
        before = len(patterns)
        if weights is None:
            _sample(pieces, distance.point, generator, patterns)
        else:
            # Half of |p|^2 keeps the tree small and still proves that 0 is outside.
            cell, proved = _cell_below(weights, distance.point, 0.5 * distance.upper**2, deadline)
            if cell is not None:
                patterns[cell.tobytes()] = cell
        if len(patterns) == before:
            break
    lower = 0.5 * distance.upper if proved else 0.0
    return Distance(distance.weights, distance.point, distance.upper, lower), signs, proved


def _cell_below(
    weights: tuple[Array, Array, Array], point: Array, threshold: float, deadline: float
) -> tuple[Array | None, bool]:
    """Return a cell whose gradient has a product with a point of at most a threshold, if any."""
    base, coefficients, rows = weights
    shares = coefficients * (rows @ point)
    order = np.argsort(-np.abs(shares), kind="stable")
    shares = shares[order]
    start = float(base @ point)

    def refuse(signs: Array) -> bool:
        least = np.where(signs > 0, shares, np.where(signs < 0, 0.0, np.minimum(shares, 0.0)))
        return start + float(least.sum()) > threshold

    ordered = ArrayPieces(base, rows[order], coefficients[order])
    search = CellSearch(ordered, budget=1, deadline=deadline, refuse=refuse)
    for cell in search:
        signs = np.empty(len(order))
        signs[order] = cell.signs
        return signs, False
    return None, search.complete


def _sample(
    pieces: Pieces, point: Array, generator: np.random.Generator, patterns: dict[bytes, Array]
) -> None:
    """Add cells near the direction of steepest descent, where their gradients matter."""
    steepest = -point / np.linalg.norm(point)
    for spread in (0.01, 0.1, 0.3, 1.0, 10.0):
        for noise in generator.standard_normal((8, pieces.size)):
            _keep(pieces, steepest + spread * noise / np.sqrt(pieces.size), patterns)


def _keep(pieces: Pieces, direction: Array, patterns: dict[bytes, Array]) -> None:
    """Add the cell that a direction points into, if it is clearly inside."""
    signs = directional_derivative(pieces, direction)[1]
    rows = all_rows(pieces, signs)
    lengths = np.linalg.norm(rows, axis=1)
    inside = signs * (rows @ direction) / np.where(lengths > 0, lengths, 1.0)
    inside = inside[lengths > 1e-14] / np.linalg.norm(direction)
    if np.min(inside, initial=np.inf) > STRICT:
        patterns[signs.tobytes()] = signs
