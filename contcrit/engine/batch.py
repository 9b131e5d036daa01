"""Many small problems traced in one compiled call: their starts, then their walks.

The problems share their equations and differ in start point and in the values of parameters. As in
`newton`, these loops run on native handles only and allocate nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .corrector import CORRECTED, correct
from .dense import singular_values
from .kernel import (
    Control,
    assign,
    evaluate,
    inner,
    negative_eigenvalues,
    raw_tangent,
    residual_floor,
    residual_size,
    scale,
    weigh,
)
from .newton import BatchWork, choose
from .walk import (
    ARCLENGTH,
    CLOSED_LOOP,
    FULL,
    LOG_MODULUS,
    NEGATIVE,
    RESIDUAL,
    SIGN,
    walk,
)
from .walk import (
    ITERATIONS as ITERATIONS_COLUMN,
)

Array = np.ndarray

READY = 0
NOT_READY = 1
"""Whether a start was corrected and has a direction; the general machinery tries the others."""

CHUNK = 1024
"""Points that the walk takes at a time, as in a single trace."""

ENTRIES = 4
"""Numbers that sum up a trace: points, position of the start, why it ended behind and ahead."""

NOT_WALKED = -1


# ---- starts ----------------------------------------------------------------------------


def start_block(
    system: Any,
    first: int,
    last: int,
    points: Array,
    tangents: Array,
    constants: Array,
    weights: Array,
    patient: Control,
    work: Any,
    own: BatchWork,
    outcomes: Array,
) -> None:
    """Correct the starts of problems first..last - 1 and find their tangents.

    Parameters
    ----------
    system : native handle
    first, last : int
    points : ndarray of shape (m, n + 1)
        Guesses, overwritten by the corrected starts where the outcome is `READY`, else kept.
    tangents : ndarray of shape (m, n + 1)
        Outputs: unit tangents towards larger parameters.
    constants : ndarray of shape (m, c)
    weights : ndarray of shape (n + 1,)
    patient : Control
        As `start.correct_start` uses it.
    work : native workspace
    own : BatchWork
    outcomes : ndarray of int, shape (m,)
        Outputs.
    """
    size = points.shape[1]
    guess = own.vectors[0]
    for k in range(first, last):
        choose(work, constants[k], size)
        assign(guess, points[k])
        outcomes[k] = NOT_READY
        if _corrected(system, guess, patient, work, own) and _set_out(
            system, guess, tangents[k], weights, work, own
        ):
            assign(points[k], guess)
            outcomes[k] = READY


def _corrected(system: Any, z: Array, patient: Control, work: Any, own: BatchWork) -> bool:
    """Correct a guess at its fixed parameter, as `start.correct_start` begins; tell whether."""
    last = z.size - 1
    row, increment, guess = own.vectors[1], own.vectors[2], own.vectors[3]
    evaluate(system, z, work)
    residual = residual_size(system, work)
    accepted = max(patient.residual_tolerance, residual_floor(system, z, work))
    if residual <= 1e-3 * accepted:
        return True
    row[:] = 0.0
    row[last] = 1.0
    assign(guess, z)
    if correct(system, z, row, patient, work, increment, False)[0] == CORRECTED:
        z[last] = guess[last]
        return True
    assign(z, guess)
    return residual <= accepted


def _set_out(
    system: Any, z: Array, tangent: Array, weights: Array, work: Any, own: BatchWork
) -> bool:
    """Write the unit tangent towards larger parameters; tell whether the point is regular."""
    n = z.size - 1
    evaluate(system, z, work)
    for i in range(n):
        for j in range(n + 1):
            entry = work.jacobian[i, j]
            if not math.isfinite(entry):
                return False
            own.tall[j, i] = entry
    singular_values(own.tall, own.columns, own.values)
    if not own.values[0] > 1e-9 * own.values[n - 1]:
        return False
    # The tangent is what the rows' span leaves of the coordinate that lies least in it.
    best, axis = math.inf, 0
    for j in range(n + 1):
        covered = 0.0
        for i in range(n):
            own.tall[j, i] /= own.values[i]
            covered += own.tall[j, i] ** 2
        if covered < best:
            best, axis = covered, j
    tangent[:] = 0.0
    tangent[axis] = 1.0
    for _ in range(2):  # once more: the first projection leaves rounding behind
        for i in range(n):
            along = 0.0
            for j in range(n + 1):
                along += own.tall[j, i] * tangent[j]
            for j in range(n + 1):
                tangent[j] -= along * own.tall[j, i]
    scale(tangent, 1.0 / math.sqrt(inner(weights, tangent, tangent)))
    leading = tangent[n]
    if leading == 0.0:
        for j in range(n + 1):
            if abs(tangent[j]) > abs(leading):
                leading = tangent[j]
    if leading < 0.0:
        scale(tangent, -1.0)
    return True


# ---- walks -----------------------------------------------------------------------------


def walk_block(
    system: Any,
    first: int,
    last: int,
    starts: Array,
    directions: Array,
    outcomes: Array,
    constants: Array,
    forward: bool,
    backward: bool,
    weights: Array,
    control: Control,
    step_initial: float,
    maximum: int,
    work: Any,
    own: BatchWork,
    points: Array,
    tangents: Array,
    facts: Array,
    summary: Array,
) -> tuple[int, int]:
    """Trace problems first..last - 1 into one pool of rows, as far as it has room.

    Parameters
    ----------
    system : native handle
    first, last : int
    starts, directions : ndarray of shape (m, n + 1)
        Corrected starts, with their tangents towards larger parameters.
    outcomes : ndarray of int, shape (m,)
        Problems that are not `READY` are left out.
    constants : ndarray of shape (m, c)
    forward, backward : bool
        Which ways to walk.
    weights : ndarray of shape (n + 1,)
    control : Control
    step_initial : float
    maximum : int
        Points a way.
    work : native workspace
    own : BatchWork
    points, tangents : ndarray of shape (rows, n + 1)
    facts : ndarray of shape (rows, 6)
        Outputs: the joined branches one after the other, in the order of the problems.
    summary : ndarray of int, shape (m, ENTRIES)
        Outputs.

    Returns
    -------
    problem : int
        The first one that was not walked for want of room; `last` if all were.
    used : int
        Rows filled.
    """
    # Everything that calls the walk is written out in this one function: the compiler optimises the
    # walk anew for each level of calls around it.
    size = starts.shape[1]
    z, direction, loop_tangent = own.vectors[0], own.vectors[1], own.vectors[2]
    used = 0
    for k in range(first, last):
        summary[k, 0] = 0
        if outcomes[k] != READY:
            continue
        choose(work, constants[k], size)
        ahead = behind = 0
        end_ahead = end_behind = NOT_WALKED
        for way in range(2):
            sign = 1.0 if way == 0 else -1.0
            if (way == 0 and not forward) or (way == 1 and not backward):
                continue
            if end_ahead == CLOSED_LOOP:
                continue
            row = used + way * (ahead + 1)
            assign(z, starts[k])
            assign(direction, directions[k])
            scale(direction, sign)
            assign(loop_tangent, direction)
            count, reason, arclength, step = 0, FULL, 0.0, step_initial
            while reason == FULL and count < maximum:
                room = min(CHUNK, maximum - count)
                begin, end = row + count, row + count + room
                if end > points.shape[0]:
                    return k, used
                written, reason, step = walk(
                    system, z, direction, arclength, step, starts[k], loop_tangent, weights,
                    control, work, own.scratch, points[begin:end], tangents[begin:end],
                    facts[begin:end],
                )  # fmt: skip
                count += written
                if written > 0:
                    arclength = facts[row + count - 1, ARCLENGTH]
            if way == 0:
                ahead, end_ahead = count, reason
            else:
                behind, end_behind = count, reason
        if used + ahead >= points.shape[0]:
            return k, used
        _describe(system, starts[k], directions[k], weights, work, own, facts[used + ahead])
        assign(points[used + ahead], starts[k])
        assign(tangents[used + ahead], directions[k])
        end = used + ahead + 1 + behind
        if end_ahead == CLOSED_LOOP:
            end_behind = end_ahead
        _join(points[used:end], tangents[used:end], facts[used:end], ahead, end_ahead)
        summary[k, 0], summary[k, 1] = end - used, behind
        summary[k, 2], summary[k, 3] = end_behind, end_ahead
        used = end
    return last, used


def _join(points: Array, tangents: Array, facts: Array, ahead: int, end_ahead: int) -> None:
    """Bring a trace (points ahead, start, points behind) into the order of one branch.

    This is what `trace.Tracer.both_ways` does.
    """
    total = points.shape[0]
    behind = total - 1 - ahead
    for row in range(ahead + 1, total):
        scale(tangents[row], -1.0)
        facts[row, ARCLENGTH] *= -1.0
        facts[row, SIGN] *= -1.0
    # Reversed as a whole, then the part ahead once more.
    _reverse(points, tangents, facts, 0, total)
    _reverse(points, tangents, facts, behind + 1, total)
    origin = facts[0, ARCLENGTH]
    for row in range(total):
        facts[row, ARCLENGTH] -= origin
    if end_ahead == CLOSED_LOOP:
        for column in range(SIGN, NEGATIVE + 1):
            facts[total - 1, column] = facts[behind, column]


def _describe(
    system: Any,
    z: Array,
    tangent: Array,
    weights: Array,
    work: Any,
    own: BatchWork,
    facts: Array,
) -> None:
    """Write what the walk would record of a point at arc length 0."""
    row, scratch = own.vectors[0], own.vectors[1]
    evaluate(system, z, work)
    weigh(row, weights, tangent)
    sign, log_modulus = raw_tangent(system, work, row, scratch)
    facts[ARCLENGTH], facts[ITERATIONS_COLUMN] = 0.0, 0.0
    facts[RESIDUAL] = residual_size(system, work)
    facts[SIGN], facts[LOG_MODULUS] = sign, log_modulus
    facts[NEGATIVE] = negative_eigenvalues(system, z, work)


def _reverse(points: Array, tangents: Array, facts: Array, first: int, last: int) -> None:
    """Reverse the order of rows first..last - 1."""
    for offset in range((last - first) // 2):
        one, other = first + offset, last - 1 - offset
        for j in range(points.shape[1]):
            points[one, j], points[other, j] = points[other, j], points[one, j]
            tangents[one, j], tangents[other, j] = tangents[other, j], tangents[one, j]
        for j in range(facts.shape[1]):
            facts[one, j], facts[other, j] = facts[other, j], facts[one, j]
