"""Where first-order cells miss some: the same questions in unknowns in which none is missed.

With an output weight v_k = 0 the kinks of unit k do not bend the function to first order, yet both
of their sides occur nearby together with v_k < 0 and v_k > 0. A model that knows unknowns in which
its function is piecewise linear around such a point hands them over as `lifted` pieces, whose
domain holds the perturbations of relative size up to delta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import CellSearch
from .hulls import nearest_in_hull
from .pieces import LiftablePieces, Pieces
from .stationarity import Stationarity, stationarity_of_cells, steepest_descent
from .subdifferential import Subdifferential
from .thresholds import Thresholds

Array = np.ndarray

DELTAS = (1e-3, 1e-4)
"""Relative sizes of the perturbations, largest first."""

_LEAST_RATIO, _LARGEST_RATIO = 0.3, 10.05
"""Ratios of the two slopes that prove descent however small the perturbation: 1 to first order, 10
to second. A larger one belongs to k delta - c, which vanishes before delta does."""


@dataclass(frozen=True, eq=False)
class Lift:
    """What the lifted pieces say.

    Attributes
    ----------
    subdifferential : Subdifferential
        Of the original function.
    stationarity : Stationarity
        Whether the function falls anywhere near the point, to first or second order. Directions
        are in the lifted unknowns.
    evidence : dict
        ``slopes``: the steepest descent for each delta; ``order``: ``"first"`` or ``"second"``
        when it falls; ``cells``: numbers of sign patterns for each delta.
    """

    subdifferential: Subdifferential
    stationarity: Stationarity
    evidence: dict[str, Any]


def analyse_lift(
    pieces: LiftablePieces, thresholds: Thresholds, tolerance: float, budget: int, deadline: float
) -> Lift | None:
    """Return what the lifted pieces say, or None when there is nothing to lift.

    Parameters
    ----------
    pieces : LiftablePieces
        The function at the point.
    thresholds : Thresholds
        For the original's gradients.
    tolerance : float
        Share of the lifted gradients' size that counts as zero.
    budget : int
        Largest number of cells of each branch.
    deadline : float
        Value of `time.monotonic` at which to stop.

    Notes
    -----
    The steepest descent V(delta) over unit perturbations is the largest distance of a cell's
    gradient from the cone of its rows. V = 0 for both deltas proves a local minimum if the lifted
    function is piecewise linear; V of about constant size is descent to first order, V of about
    k delta, and no less for the smaller one, to second. Anything else decides nothing.
    """
    slopes, patterns, firsts, complete, linear = [], [], [], True, True
    for delta in DELTAS:
        branches = list(pieces.lifted(delta))
        if not branches:
            return None
        steepest = 0.0
        signs: dict[bytes, Array] = {}
        for branch in branches:
            search = CellSearch(branch, budget=budget, deadline=deadline)
            cells = list(search)
            gradients = np.array([branch.gradient(cell.signs) for cell in cells]).reshape(
                len(cells), branch.size
            )
            complete = complete and search.complete
            linear = linear and branch.linear
            size = float(np.max(np.abs(gradients), initial=0.0))
            limits = Thresholds.of(tolerance, size)
            firsts.append(stationarity_of_cells(branch, cells, gradients, limits, search.complete))
            for cell, gradient in zip(cells, gradients, strict=True):
                steepest = max(steepest, steepest_descent(cell.rows, gradient)[0] / max(size, 1e-6))
                signs[cell.signs.tobytes()] = cell.signs
        slopes.append(steepest)
        patterns.append(signs)
    subdifferential = _hull(pieces, patterns, complete, thresholds)
    evidence: dict[str, Any] = {
        "deltas": DELTAS,
        "slopes": tuple(slopes),
        "cells": tuple(len(found) for found in patterns),
        "complete": complete,
        "order": None,
    }
    ratio = slopes[0] / slopes[1] if slopes[1] > 0 else float("inf")
    descent = next((first.descent for first in firsts if first.descent is not None), None)
    stationary: bool | None = None
    falls = slopes[0] > 100 * tolerance and slopes[1] > 10 * tolerance
    if falls and _LEAST_RATIO <= ratio <= _LARGEST_RATIO:
        stationary = False
        evidence["order"] = "first" if ratio < 3 else "second"
    elif subdifferential.critical is False:
        stationary = False  # zero is not even in the hull: the function falls to first order
        evidence["order"] = "first"
    elif max(slopes) <= tolerance and complete and linear:
        stationary = True
    flats = [first.flat for first in firsts]
    ascent = next((first.ascent for first in firsts if first.ascent is not None), None)
    stationarity = Stationarity(
        stationary,
        descent=descent if stationary is False else None,
        ascent=ascent,
        strict=False if stationary is False else None,
        flat=True if True in flats else None if None in flats else False,
        flat_signs=next((first.flat_signs for first in firsts if first.flat), None),
        nowhere_rising=(
            False
            if ascent is not None
            else True
            if linear and all(first.nowhere_rising for first in firsts)
            else None
        ),
    )
    return Lift(subdifferential, stationarity, evidence)


def _hull(
    pieces: Pieces, patterns: list[dict[bytes, Array]], complete: bool, thresholds: Thresholds
) -> Subdifferential:
    """Return the Clarke verdict from the patterns that occur for the smallest perturbations."""
    # Cells for a smaller delta are among those for a larger one: equal sets are the limit's.
    stable = complete and patterns[0].keys() == patterns[1].keys()
    signs = np.array(list(patterns[1].values())).reshape(len(patterns[1]), sum(pieces.levels))
    if len(signs) == 0:
        return Subdifferential(None, "lifted cells", float("inf"), 0.0)
    nearest = nearest_in_hull(np.array([pieces.gradient(row) for row in signs]))
    used = nearest.weights > 0
    critical: bool | None = None
    if stable and nearest.upper <= thresholds.zero:
        critical = True
    elif complete and nearest.lower > thresholds.clear:
        critical = False
    return Subdifferential(
        critical,
        "lifted cells",
        nearest.upper,
        nearest.lower if complete else 0.0,
        nearest.point if critical is False else None,
        signs[used],
        nearest.weights[used],
        complete=stable,
    )
