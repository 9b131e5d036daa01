"""What happens along accepted points, looked for and located in one compiled call.

Simple folds and branch points across which eigenvalues change sides are nearly all that a long
branch has to offer. Whatever else the default events might see is only noticed here, and left to
`location`. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .between import SIMPLE, BetweenWork, Pair
from .cross import branch_point
from .cross_system import CrossWork
from .kernel import Control
from .turn import simple_fold
from .walk import ARCLENGTH, LOG_MODULUS, NEGATIVE, SIGN

Array = np.ndarray

FOLD = 0
BRANCH_POINT = 1

KIND, STEP, AT, RESIDUAL, COEFFICIENT, KERNEL, EXCESS, SETTLED = range(8)
"""Columns of a row of results; singular values and those at the ends follow.

`SETTLED` tells whether the step's whole change of inertia is accounted for.
"""

SHOWN = 4
"""Number of singular values that a row holds."""

COLUMNS = 8 + 2 * SHOWN

CAPACITY = 16
"""Special points that one call can return."""


def survey(
    system: Any,
    points: Array,
    tangents: Array,
    facts: Array,
    begin: int,
    near: float,
    weights: Array,
    control: Control,
    rank_tolerance: float,
    location_tolerance: float,
    work: Any,
    own: BetweenWork,
    room: CrossWork,
    rows: Array,
    states: Array,
) -> tuple[int, int, bool]:
    """Locate what happens between accepted points, from a step on, until the rows are full.

    Parameters
    ----------
    system : native handle
    points, tangents : ndarray of shape (m, n + 1)
    facts : ndarray of shape (m, 6)
        As `walk` writes them.
    begin : int
        First step.
    near : float
        Arc length below which points are too close to tell singular from regular.
    weights : ndarray of shape (n + 1,)
    control : Control
    rank_tolerance, location_tolerance : float
    work : native workspace
    own : BetweenWork
    room : CrossWork
    rows : ndarray of shape (capacity, COLUMNS)
        Output, one row each.
    states : ndarray of shape (capacity, 3, n + 1)
        Output: point and tangent of the bracketing locator, point of the extended system.

    Returns
    -------
    count : int
        Number of rows written.
    reached : int
        The step to go on with; all are done when it is m - 1.
    clear : bool
        Whether folds, branch points and inertia hold nothing besides what was found.
    """
    steps = points.shape[0] - 1
    count = 0
    clear = True
    k = begin
    while k < steps and count < rows.shape[0]:
        slope, slope_new = tangents[k, weights.size - 1], tangents[k + 1, weights.size - 1]
        sign, sign_new = facts[k, SIGN], facts[k + 1, SIGN]
        before, after = int(facts[k, NEGATIVE]), int(facts[k + 1, NEGATIVE])
        known = before >= 0 and after >= 0
        reach = _reach(points, tangents, weights, k)
        bent = _turns_twice(points, slope, slope_new, reach, k)
        turning = slope * slope_new != 0.0 and (slope > 0.0) != (slope_new > 0.0)
        if not (known and slope * slope_new != 0.0 and abs(sign * sign_new) == 1.0) or bent:
            clear = False
        found = settled = False
        if turning or (known and before != after and not bent):
            first, last = _apart(facts, k, near)
            pair = Pair(
                points[k], tangents[k], points[k + 1], tangents[k + 1], reach, before, after
            )
            row = rows[count]
            if turning:
                outcome, position, residual, coefficient, less, more = simple_fold(
                    system, pair, points[first], points[last], weights, control, rank_tolerance,
                    location_tolerance, work, own,
                )  # fmt: skip
                kernel, excess = 1, 0
                row[KIND] = FOLD
            else:
                spread = 0.01 * max(reach, near)
                outcome, position, residual, kernel, excess, less, more = branch_point(
                    system, pair, points[first], points[last], spread, weights, control,
                    rank_tolerance, location_tolerance, work, own, room,
                )  # fmt: skip
                coefficient = math.nan
                row[KIND] = BRANCH_POINT
            if outcome == SIMPLE:
                found = True
                settled = less == before and more == after
                row[STEP], row[RESIDUAL], row[COEFFICIENT] = k, residual, coefficient
                row[KERNEL], row[EXCESS], row[SETTLED] = kernel, excess, settled
                share = min(1.0, max(0.0, position / reach))
                low, high = facts[k, ARCLENGTH], facts[k + 1, ARCLENGTH]
                row[AT] = low + (high - low) * share
                _write(own, row, states[count])
                count += 1
        if turning and not found:
            clear = False
        if sign * sign_new < 0.0 and (turning or not found):
            clear = False
        if before != after and not settled:
            clear = False
        k += 1
    if clear:
        for middle in range(max(begin, 1), k):
            if _dips(points, tangents, facts, weights, middle) and not _holds(
                facts, rows, count, middle
            ):
                clear = False
                break
    return count, k, clear


def _write(own: BetweenWork, row: Array, state: Array) -> None:
    for j in range(own.located.size):
        state[0, j], state[1, j], state[2, j] = own.located[j], own.tangent[j], own.refined[j]
    for j in range(SHOWN):
        shown = j < own.values.size
        row[COLUMNS - 2 * SHOWN + j] = own.values[j] if shown else math.nan
        row[COLUMNS - SHOWN + j] = own.reference[j] if shown else math.nan


def _reach(points: Array, tangents: Array, weights: Array, k: int) -> float:
    """Return the offset of a step's last point along the tangent of its first."""
    total = 0.0
    for j in range(weights.size):
        total += weights[j] * tangents[k, j] * (points[k + 1, j] - points[k, j])
    return total


def _turns_twice(points: Array, before: float, after: float, step: float, k: int) -> bool:
    """Tell whether the cubic through a step turns back and forth; see `events.fold`."""
    if not before * after > 0.0:
        return False
    last = points.shape[1] - 1
    secant = points[k + 1, last] - points[k, last]
    if 3.0 * secant * before >= step * before**2 and 3.0 * secant * after >= step * after**2:
        return False
    if not step > 0.0:
        return True  # nothing to judge by
    secant /= step
    linear = 6.0 * secant - 4.0 * before - 2.0 * after
    square = 3.0 * (before + after) - 6.0 * secant
    if square == 0.0:
        return False
    middle = -linear / (2.0 * square)
    return 0.0 < middle < 1.0 and (before + 0.5 * middle * linear) * before < 0.0


def _apart(facts: Array, k: int, near: float) -> tuple[int, int]:
    """Return positions of points on either side of a step, some way from it."""
    first, last = k, k + 1
    while first > 0 and facts[first, ARCLENGTH] > facts[k, ARCLENGTH] - near:
        first -= 1
    while last < facts.shape[0] - 1 and facts[last, ARCLENGTH] < facts[k + 1, ARCLENGTH] + near:
        last += 1
    return first, last


def _dips(points: Array, tangents: Array, facts: Array, weights: Array, k: int) -> bool:
    """Tell whether the determinant may touch zero about a point; see `events.branch_point`."""
    before, here = facts[k - 1, LOG_MODULUS], facts[k, LOG_MODULUS]
    after = facts[k + 1, LOG_MODULUS]
    if not (math.isfinite(before) and math.isfinite(here) and math.isfinite(after)):
        return True  # nothing to judge by
    if not (here < before and here <= after) or (_flips(facts, k - 1) and _flips(facts, k)):
        return False
    biggest = max(before, after)
    left = math.exp(0.5 * (before - biggest))
    middle = math.exp(0.5 * (here - biggest))
    right = math.exp(0.5 * (after - biggest))
    one = _reach(points, tangents, weights, k - 1)
    other = _reach(points, tangents, weights, k)
    return max((left - middle) / one, (right - middle) / other) * (one + other) >= middle


def _flips(facts: Array, k: int) -> bool:
    return bool(facts[k, SIGN] * facts[k + 1, SIGN] < 0.0)


def _holds(facts: Array, rows: Array, count: int, k: int) -> bool:
    """Tell whether what was found explains a dip about a point."""
    for j in range(count):
        if facts[k - 1, ARCLENGTH] <= rows[j, AT] <= facts[k + 1, ARCLENGTH]:
            return True
    return False
