"""Where first-order cells miss some: the same questions in unknowns in which none is missed.

With an output weight v_k = 0 the kinks of unit k do not bend the function to first order, yet both
of their sides occur nearby together with v_k < 0 and v_k > 0. A model that knows unknowns in which
its function is piecewise linear around such a point hands them over as `lifted` pieces, whose
domain holds the perturbations of relative size up to delta.
"""

from __future__ import annotations

import time
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

SMALLER_DELTAS = (1e-5, 1e-6)
"""Sizes for points that the first two leave open, or where they show second-order descent."""

_LEAST_RATIO = 0.3
"""Ratios of the two slopes from here on prove descent however small the perturbation: 1 to first
order, 10 to second. A larger one than 10, but for terms of the perturbation's size, belongs to
k delta - c, which vanishes before delta does."""


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
        when it falls; ``cells``: numbers of sign patterns for each delta; ``stopped``: why cells
        are missing, if some are.
    """

    subdifferential: Subdifferential
    stationarity: Stationarity
    evidence: dict[str, Any]

    @property
    def settled(self) -> bool:
        """Whether smaller perturbations have nothing to add."""
        if self.evidence["stopped"] or self.evidence["order"] == "first":
            return True
        open_still = self.stationarity.stationary is None or self.subdifferential.critical is None
        return not open_still and self.evidence["order"] != "second"


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
    gradient from the cone of its rows. V = 0 for one delta proves a local minimum if the lifted
    function is piecewise linear; V of about constant size is descent to first order, V of about
    k delta, and no less for the smaller one, to second. Anything else decides nothing. A minimum
    that k delta - c proves needs delta < c / k: where the first two sizes are too large for it, two
    smaller ones are tried. Zero means less than `tolerance` times delta over the largest delta, so
    that a slope k delta is not taken for it.
    """
    lift = _of_pair(pieces, DELTAS, thresholds, tolerance, budget, deadline)
    if lift is None or lift.settled:
        return lift
    finer = _of_pair(pieces, SMALLER_DELTAS, thresholds, tolerance, budget, deadline)
    # Cells may become too thin, or time too short, for smaller perturbations.
    if finer is None or finer.evidence["stopped"]:
        return lift
    if finer.stationarity.stationary is None and lift.evidence["order"] != "second":
        return lift
    return finer


def _of_pair(
    pieces: LiftablePieces,
    deltas: tuple[float, float],
    thresholds: Thresholds,
    tolerance: float,
    budget: int,
    deadline: float,
) -> Lift | None:
    """Return what the lifted pieces say for two sizes of perturbations."""
    slopes, patterns, firsts, complete, linear, stopped = [], [], [], True, True, ""
    for delta in deltas:
        branches = list(pieces.lifted(delta))
        if not branches:
            return None
        steepest = 0.0
        signs: dict[bytes, Array] = {}
        for branch in branches:
            if time.monotonic() > deadline:
                complete, stopped = False, "time"
                break
            search = CellSearch(branch, budget=budget, deadline=deadline)
            cells = list(search)
            gradients = np.array([branch.gradient(cell.signs) for cell in cells]).reshape(
                len(cells), branch.size
            )
            complete = complete and search.complete
            stopped = stopped or search.stopped
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
        "deltas": deltas,
        "slopes": tuple(slopes),
        "cells": tuple(len(found) for found in patterns),
        "complete": complete,
        "stopped": stopped,
        "order": None,
    }
    ratio = slopes[0] / slopes[1] if slopes[1] > 0 else float("inf")
    descent = next((first.descent for first in firsts if first.descent is not None), None)
    stationary: bool | None = None
    scale = deltas[0] / DELTAS[0]
    falls = slopes[0] > 100 * scale * tolerance and slopes[1] > 10 * scale * tolerance
    largest = deltas[0] / deltas[1] * (1.0 + 5.0 * deltas[0])
    if falls and _LEAST_RATIO <= ratio <= largest:
        stationary = False
        evidence["order"] = "first" if ratio < 3 else "second"
    elif subdifferential.critical is False:
        stationary = False  # zero is not even in the hull: the function falls to first order
        evidence["order"] = "first"
    elif slopes[1] <= tolerance * deltas[1] / DELTAS[0] and complete and linear:
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
