"""The Clarke subdifferential against 0: critical, not critical, or not decided.

Two hulls enclose the subdifferential: that of the cells that surely meet at the point, and that of
every sign pattern, which is what the chain rule (automatic differentiation) allows. The point is
critical if 0 is in the inner one, not critical if it is not in the outer one. They agree where
cells are exactly known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from .cells import Cell, CellSearch
from .hulls import nearest_in_hull, nearest_in_zonotope
from .oracle import nearest_by_oracle
from .pieces import Pieces, has_affine_cells
from .separable import Separable
from .stationarity import top_weights
from .thresholds import Thresholds

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Subdifferential:
    """Whether 0 is a Clarke subgradient, and why.

    Attributes
    ----------
    critical : bool or None
        The verdict; None when it is not decided.
    method : str
        What decided it.
    upper : float
        Norm of the smallest subgradient that was found.
    lower : float
        Proved lower bound of the norm of every subgradient (0: nothing proved).
    direction : ndarray of shape (n,) or None
        ``G @ direction > 0`` for every piece: the proof that the point is not critical.
    signs : ndarray of shape (k, m)
        Sign patterns of the cells that carry weight in the smallest subgradient.
    weights : ndarray of shape (k,)
        Their weights, non-negative and of sum 1.
    positions : ndarray of shape (m,) or None
        Positions of the kinks that give the smallest subgradient by the chain rule.
    cells : list of Cell
        The cells that were enumerated.
    gradients : ndarray of shape (number of cells, n)
        Their gradients.
    complete : bool
        Whether no cell is missing to first order.
    stopped : str
        Why cells are missing, if they are.
    """

    critical: bool | None
    method: str
    upper: float
    lower: float
    direction: Array | None = None
    signs: Array = field(default_factory=lambda: np.empty((0, 0)))
    weights: Array = field(default_factory=lambda: np.empty(0))
    positions: Array | None = None
    cells: list[Cell] = field(default_factory=list)
    gradients: Array = field(default_factory=lambda: np.empty((0, 0)))
    complete: bool = False
    stopped: str = ""


def clarke_subdifferential(
    pieces: Pieces,
    thresholds: Thresholds,
    separable: Separable | None,
    budget: int,
    deadline: float,
) -> Subdifferential:
    """Return whether 0 is in the Clarke subdifferential, by the cheapest method that decides it.

    Parameters
    ----------
    pieces : Pieces
        The function at the point, with at least one active kink.
    thresholds : Thresholds
        For gradients.
    separable : Separable or None
        The data of `separate`.
    budget : int
        Largest number of cells or patterns to enumerate.
    deadline : float
        Value of `time.monotonic` at which to stop.

    Notes
    -----
    In this order: independent kinks (every pattern occurs); a zonotope, exact by Clarke's sum rule
    when all kinks are on one level and enter with weights of one sign [1]_, and otherwise an outer
    set; enumeration; branch and bound or sampling beyond the budget.

    References
    ----------
    .. [1] F. H. Clarke, "Optimization and Nonsmooth Analysis", SIAM, 1990, propositions 2.3.3 and
       2.3.6 and theorem 2.3.9.

    Examples
    --------
    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> absolute = ArrayPieces([-1.0], [[1.0]], [2.0])
    >>> found = clarke_subdifferential(absolute, Thresholds.of(1e-8, 1.0), None, 2000, float("inf"))
    >>> found.critical, found.positions
    (True, array([0.5]))
    """
    if separable is not None:
        found = _from_separable(pieces, separable, thresholds)
        if found is not None:
            return found
    weights = None
    if len(pieces.levels) == 1:
        weights = top_weights(pieces, np.full(pieces.levels[0], -1.0))
        if weights is not None:
            found = _from_zonotope(weights, thresholds, separable is not None)
            if found is not None:
                return found
    return _from_cells(pieces, thresholds, weights, budget, deadline)


def _from_separable(
    pieces: Pieces, separable: Separable, thresholds: Thresholds
) -> Subdifferential | None:
    """Decide where every kink straddles zero, or the tangential gradient does not vanish."""
    along = float(np.linalg.norm(separable.tangential))
    if along > thresholds.clear:
        return Subdifferential(
            False, "independent kinks", along, along, separable.tangential, complete=True
        )
    positions = separable.positions()
    upper = float(np.linalg.norm(pieces.hull_gradient(positions)))
    if upper <= thresholds.zero:
        # Positions are products of weights: the chain rule's gradient is affine in each of them.
        return Subdifferential(
            True, "independent kinks", upper, 0.0, positions=positions, complete=True
        )
    return None


def _from_zonotope(
    weights: tuple[Array, Array, Array], thresholds: Thresholds, independent: bool
) -> Subdifferential | None:
    """Decide by the zonotope of the chain rule where the sum rule is exact, or 0 is outside."""
    base, coefficients, rows = weights
    generators = coefficients[:, None] * rows
    distance, direction = nearest_in_zonotope(base, generators)
    name = "zonotope"
    if distance.lower > thresholds.clear:
        return Subdifferential(
            False, name, distance.upper, distance.lower, -direction, positions=distance.weights
        )
    sizes = coefficients * np.linalg.norm(rows, axis=1)
    one_sign = np.all(sizes >= -thresholds.zero) or np.all(sizes <= thresholds.zero)
    if (one_sign or independent) and distance.upper <= thresholds.zero:
        return Subdifferential(
            True, name, distance.upper, distance.lower, positions=distance.weights
        )
    return None


def _from_cells(
    pieces: Pieces,
    thresholds: Thresholds,
    weights: tuple[Array, Array, Array] | None,
    budget: int,
    deadline: float,
) -> Subdifferential:
    """Decide by enumeration, and beyond its budget by an oracle."""
    total = sum(pieces.levels)
    search = CellSearch(pieces, budget=budget, deadline=deadline)
    cells = list(search)
    gradients = np.array([pieces.gradient(cell.signs) for cell in cells]).reshape(
        len(cells), pieces.size
    )
    every_pattern = np.array([cell.signs for cell in cells]).reshape(len(cells), total)
    found = {
        "cells": cells,
        "gradients": gradients,
        "complete": search.complete,
        "stopped": search.stopped,
    }
    # Every pattern occurs, those of hidden kinks beside others of the same gradient.
    every = sum(2**cell.hidden for cell in cells) == 2**total
    exact = search.complete and (has_affine_cells(pieces) or every)
    upper, lower = float("inf"), 0.0
    if cells:
        nearest = nearest_in_hull(gradients)
        upper, lower = nearest.upper, nearest.lower if exact else 0.0
        used = nearest.weights > 0
        certificate = {"signs": every_pattern[used], "weights": nearest.weights[used]}
        if upper <= thresholds.zero:
            return Subdifferential(True, "cells", upper, lower, **certificate, **found)  # type: ignore[arg-type]
        if lower > thresholds.clear:
            return Subdifferential(False, "cells", upper, lower, nearest.point, **found)  # type: ignore[arg-type]
    if not exact and total <= 30 and 2**total <= budget:
        corners = np.array(list(product((-1.0, 1.0), repeat=total)))
        outer = nearest_in_hull(np.array([pieces.gradient(row) for row in corners]))
        if outer.lower > thresholds.clear:
            return Subdifferential(
                False,
                "every pattern",
                upper,
                outer.lower,
                outer.point,
                **found,  # type: ignore[arg-type]
            )
    if search.stopped == "budget":
        nearest, signs, proved = nearest_by_oracle(pieces, weights, thresholds, deadline)
        used = nearest.weights > 0
        name = "sampled cells" if weights is None else "branch and bound"
        if nearest.upper <= thresholds.zero:
            return Subdifferential(
                True,
                name,
                nearest.upper,
                0.0,
                signs=signs[used],
                weights=nearest.weights[used],
                **found,  # type: ignore[arg-type]
            )
        if proved and has_affine_cells(pieces) and nearest.lower > thresholds.clear:
            return Subdifferential(
                False,
                name,
                nearest.upper,
                nearest.lower,
                nearest.point,
                **found,  # type: ignore[arg-type]
            )
        upper = min(upper, nearest.upper)
    return Subdifferential(None, "cells", upper, lower, **found)  # type: ignore[arg-type]
