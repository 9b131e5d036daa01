"""Directional stationarity: whether f'(x; d) >= 0 for every direction d, with certificates.

On a cell with rows R and gradient G, f'(x; d) = G @ d for R @ d >= 0. By Farkas' lemma it is
non-negative there exactly if G is a non-negative combination of the rows; otherwise the residual
of the projection on their cone, reversed, is the steepest descent within the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cells import Cell, CellSearch
from .hulls import nearest_in_zonotope, non_negative
from .pieces import Pieces
from .thresholds import Thresholds

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Stationarity:
    """What first-order changes of the function near a point are.

    Attributes
    ----------
    stationary : bool or None
        Whether no direction descends to first order; None when it is not decided.
    descent, ascent : ndarray of shape (n,) or None
        Unit directions along which the function falls and rises to first order.
    strict : bool or None
        Whether every direction ascends to first order.
    flat : bool or None
        Whether an adjacent cell has gradient zero.
    flat_signs : ndarray of shape (m,) or None
        The sign pattern of such a cell.
    nowhere_rising, strictly_falling : bool or None
        The same as `stationary` and `strict` of the negative function.
    """

    stationary: bool | None
    descent: Array | None = None
    ascent: Array | None = None
    strict: bool | None = None
    flat: bool | None = None
    flat_signs: Array | None = None
    nowhere_rising: bool | None = None
    strictly_falling: bool | None = None


def directional_derivative(pieces: Pieces, direction: Array) -> tuple[float, Array]:
    """Return f'(x; d), and the sign pattern of a cell that d points into or along.

    Parameters
    ----------
    pieces : Pieces
        The function at x.
    direction : ndarray of shape (n,)
        The direction d.

    Examples
    --------
    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> absolute = ArrayPieces([-1.0], [[1.0]], [2.0])
    >>> directional_derivative(absolute, np.array([-3.0]))
    (3.0, array([-1.]))
    """
    signs = np.empty(0)
    for level in range(len(pieces.levels)):
        # On a kink both sides give the same value.
        rates = pieces.switching_gradients(level, signs) @ direction
        signs = np.concatenate([signs, np.where(rates >= 0, 1.0, -1.0)])
    return float(pieces.gradient(signs) @ direction), signs


def stationarity_of_cells(
    pieces: Pieces,
    cells: Sequence[Cell],
    gradients: Array,
    thresholds: Thresholds,
    complete: bool,
) -> Stationarity:
    """Return the first-order behaviour from an enumeration of cells.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    cells : sequence of Cell
        Its cells.
    gradients : ndarray of shape (number of cells, n)
        Their gradients.
    thresholds : Thresholds
        For gradients.
    complete : bool
        Whether no cell is missing: without it, nothing is said of all directions.

    Examples
    --------
    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> pieces = ArrayPieces([-1.0], [[1.0]], [2.0])
    >>> cells = list(CellSearch(pieces))
    >>> gradients = np.array([pieces.gradient(cell.signs) for cell in cells])
    >>> thresholds = Thresholds.of(1e-8, 1.0)
    >>> stationarity_of_cells(pieces, cells, gradients, thresholds, complete=True).strict
    True
    """
    fall, stationary, strict = _one_side(pieces, cells, gradients, 1.0, thresholds, complete)
    rise, nowhere_rising, falling = _one_side(pieces, cells, gradients, -1.0, thresholds, complete)
    sizes = np.linalg.norm(gradients, axis=1)
    zero = np.flatnonzero(sizes <= thresholds.zero)
    flat = bool(zero.size) or (False if complete and np.all(sizes > thresholds.clear) else None)
    return Stationarity(
        stationary,
        fall,
        rise,
        strict,
        flat,
        cells[zero[0]].signs if zero.size else None,
        nowhere_rising,
        falling,
    )


def _one_side(
    pieces: Pieces,
    cells: Sequence[Cell],
    gradients: Array,
    side: float,
    thresholds: Thresholds,
    complete: bool,
) -> tuple[Array | None, bool | None, bool | None]:
    """Return a descent direction of side * f, whether it is stationary, and whether strictly."""
    steepest = [
        steepest_descent(cell.rows, side * gradient)
        for cell, gradient in zip(cells, gradients, strict=True)
    ]
    direction, clear = _verified(pieces, steepest, -side, thresholds)
    if clear:
        return direction, False, False
    if not complete or any(size > thresholds.zero for size, _ in steepest):
        return None, None, None
    answers = {
        _strict_on(cell.rows, side * gradient, pieces.size)
        for cell, gradient in zip(cells, gradients, strict=True)
    }
    return None, True, False if False in answers else None if None in answers else True


def stationarity_with_convex_outputs(
    pieces: Pieces, thresholds: Thresholds, budget: int, deadline: float
) -> Stationarity | None:
    """Return the first-order behaviour without enumerating the highest level, or None.

    Where all kinks of the highest level enter with non-negative weight, as those of a hinge loss
    do, f'(x; .) is convex on each cell of the lower levels: one bounded least squares problem
    decides each. None when a weight is negative or the lower levels are too many.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    thresholds : Thresholds
        For gradients.
    budget : int
        Largest number of cells of the lower levels.
    deadline : float
        Value of `time.monotonic` at which to stop.
    """
    if not pieces.levels:
        return None
    search = CellSearch(pieces, depth=len(pieces.levels) - 1, budget=budget, deadline=deadline)
    first = sum(pieces.levels[:-1])
    falls = []
    for cell in search:
        signs = cell.signs.copy()
        signs[first:] = -1.0
        top = top_weights(pieces, signs)
        if top is None or np.any(top[1] < 0):
            return None
        base, weights, rows = top
        distance, direction = nearest_in_zonotope(base, weights[:, None] * rows, cell.rows)
        falls.append((distance.upper, direction))
    fall, clearly_falls = _verified(pieces, falls, -1.0, thresholds)
    if clearly_falls:
        return Stationarity(False, descent=fall, strict=False)
    if search.complete and all(size <= thresholds.zero for size, _ in falls):
        return Stationarity(True)
    return Stationarity(None)


def stationarity_of_zonotope(pieces: Pieces, positions: Array) -> Stationarity | None:
    """Return the first-order behaviour at a critical point whose kinks are on one level.

    With non-negative weights f'(x; .) is the support function of the zonotope of subgradients:
    never negative where 0 is in it, and positive where 0 is inside. None for mixed weights.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    positions : ndarray of shape (m,)
        Positions in [0, 1] with which the chain rule's gradient vanishes.
    """
    top = top_weights(pieces, np.full(pieces.levels[0], -1.0)) if len(pieces.levels) == 1 else None
    if top is None:
        return None
    _, weights, rows = top
    sizes = np.abs(weights) * np.linalg.norm(rows, axis=1)
    # Kinks between their ends whose rows span the space: a neighbourhood of 0 is in the zonotope.
    inside = (positions > 1e-6) & (positions < 1 - 1e-6) & (sizes > 1e-6 * np.max(sizes, initial=0))
    units = rows[inside] / np.linalg.norm(rows[inside], axis=1)[:, None]
    rank = np.linalg.svd(units, compute_uv=False) if len(units) else np.empty(0)
    strict = True if len(rank) >= pieces.size and rank[pieces.size - 1] > 1e-6 else None
    flat = False if strict else None
    if np.all(weights >= 0):
        return Stationarity(True, strict=strict, flat=flat)
    if np.all(weights <= 0):
        return Stationarity(
            False if strict else None,
            strict=False if strict else None,
            flat=flat,
            nowhere_rising=True,
            strictly_falling=strict,
        )
    return None


def top_weights(pieces: Pieces, signs: Array) -> tuple[Array, Array, Array] | None:
    """Return (base, weights, rows) with gradient base + sum of s_j weights_j rows_j, or None.

    The highest level's positions s enter the gradient affinely for given lower signs; its kinks'
    signs in `signs` must be -1. None when the pieces do not fit together like that, which a
    continuous function's do.
    """
    first = sum(pieces.levels[:-1])
    rows = pieces.switching_gradients(len(pieces.levels) - 1, signs[:first])
    base = pieces.gradient(signs)
    weights = np.zeros(len(rows))
    size = max(1.0, float(np.max(np.abs(base))))
    for j, row in enumerate(rows):
        flipped = signs.copy()
        flipped[first + j] = 1.0
        jump = pieces.gradient(flipped) - base
        length = float(row @ row)
        weights[j] = (jump @ row) / length if length > 0 else 0.0
        size = max(size, float(np.max(np.abs(jump))))
        if np.max(np.abs(jump - weights[j] * row)) > 1e-9 * size:
            return None
    for pattern in _patterns(len(rows)):
        mixed = np.concatenate([signs[:first], pattern])
        expected = base + ((pattern + 1) / 2 * weights) @ rows
        if np.max(np.abs(pieces.gradient(mixed) - expected)) > 1e-9 * size * max(1, len(rows)):
            return None
    return base, weights, rows


def _patterns(count: int) -> Array:
    """Return some sign patterns, the same ones each time."""
    return np.random.default_rng(0).choice([-1.0, 1.0], size=(6 if count > 1 else 0, count))


def steepest_descent(rows: Array, gradient: Array) -> tuple[float, Array]:
    """Return the slope of steepest descent within a cell, as a modulus, and its direction.

    Parameters
    ----------
    rows : ndarray of shape (k, n)
        The cell is rows @ d >= 0.
    gradient : ndarray of shape (n,)
        Gradient of the piece.
    """
    residual = gradient - non_negative(rows.T, gradient) @ rows
    return float(np.linalg.norm(residual)), -residual


def _verified(
    pieces: Pieces, steepest: list[tuple[float, Array]], side: float, thresholds: Thresholds
) -> tuple[Array | None, bool]:
    """Return the best direction that the function itself confirms, and whether it is clear."""
    for size, direction in sorted(steepest, key=lambda item: -item[0]):
        if size <= thresholds.zero:
            break
        unit = direction / np.linalg.norm(direction)
        if thresholds.sign(side * directional_derivative(pieces, unit)[0]) == 1:
            return unit, True
    return None, False


def _strict_on(rows: Array, gradient: Array, size: int) -> bool | None:
    """Return whether gradient @ d > 0 for every d != 0 with rows @ d >= 0, given that it is >= 0.

    For a pointed cone it is so exactly if ``sum rows + non-negative rows = nu gradient`` for some
    nu >= 0: then gradient @ d >= sum(rows @ d) / nu.
    """
    if len(rows) < size or np.linalg.svd(rows, compute_uv=False)[size - 1] < 1e-7:
        return False
    length = float(np.linalg.norm(gradient))
    if length == 0:
        return False
    total = rows.sum(axis=0)
    matrix = np.vstack([rows, -gradient / length]).T
    solution = non_negative(matrix, -total)
    error = float(np.linalg.norm(matrix @ solution + total)) / max(1.0, float(solution[-1]))
    if error <= 1e-9 and solution[-1] <= 1e6:
        return True
    return False if error > 1e-6 else None
