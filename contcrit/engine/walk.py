"""The walk: the only loop that marches along a branch.

It fills arrays with accepted points and stops when they are full, so that its caller can show
progress, look for events and go on. Its source serves both gears; see `kernel`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .corrector import CORRECTED, NOT_FINITE, TOO_FAR, advance, correct, jumped
from .kernel import (
    Control,
    assign,
    displace,
    distance,
    evaluate,
    inner,
    interpolate,
    largest,
    negative_eigenvalues,
    offset,
    raw_tangent,
    scale,
    weigh,
)

Array = np.ndarray

FULL = 0
END_OF_SPAN = 1
CLOSED_LOOP = 2
STEP_TOO_SMALL = 3
LEFT_BOUNDS = 4
LEFT_DOMAIN = 5

ARCLENGTH, RESIDUAL, ITERATIONS, SIGN, LOG_MODULUS, NEGATIVE = range(6)
"""Columns of the array `facts` that the walk fills."""

FACTS = 6
"""Number of these columns."""


def walk(
    system: Any,
    z: Array,
    tangent: Array,
    arclength: float,
    step: float,
    loop_start: Array,
    loop_tangent: Array,
    weights: Array,
    control: Control,
    work: Any,
    scratch: Array,
    points: Array,
    tangents: Array,
    facts: Array,
) -> tuple[int, int, float]:
    """March from an accepted point until the arrays are full or the branch ends.

    Parameters
    ----------
    system : System or native handle
    z, tangent : ndarray of shape (n + 1,)
        The last accepted point and its unit tangent; overwritten as the walk goes.
    arclength : float
        Arc length of that point.
    step : float
        Arc-length step to try first.
    loop_start, loop_tangent : ndarray of shape (n + 1,)
        The branch's first point and tangent, to notice a closed loop.
    weights : ndarray of shape (n + 1,)
    control : Control
    work : Workspace
    scratch : ndarray of shape (6, n + 1)
    points, tangents : ndarray of shape (capacity, n + 1)
        Outputs.
    facts : ndarray of shape (capacity, 6)
        Outputs: arc length, max|F|, iterations, sign and log modulus of the determinant, number of
        eigenvalues with a negative real part.

    Returns
    -------
    count : int
        Number of points written.
    reason : int
        Why it stopped.
    step : float
        Step to go on with.
    """
    capacity = points.shape[0]
    count = 0
    last = z.size - 1
    z_new, tangent_new = scratch[3], scratch[4]
    reason = FULL
    # A change of the determinant's sign is a branch point, or a jump to a branch close by: it is
    # crossed in a small step only, which an imperfect branch point makes visible as a turn.
    crossing = math.sqrt(control.step_minimum * control.step_maximum)
    evaluate(system, z, work)
    weigh(scratch[0], weights, tangent)
    last_sign, _ = raw_tangent(system, work, scratch[0], tangent_new)
    while count < capacity:
        if step < control.step_minimum:
            reason = STEP_TOO_SMALL
            break
        slope = tangent[last]
        bound = min(step, control.step_maximum)
        if abs(slope) * bound > control.parameter_step:
            bound = control.parameter_step / abs(slope)
        end = control.upper if slope > 0 else control.lower
        at_end = False
        if slope != 0.0 and (end - z[last]) / slope <= bound:
            taken = (end - z[last]) / slope
            if taken <= 0.0:
                reason = END_OF_SPAN
                break
            at_end = True
            outcome, iterations, residual, cosine, sign, log_modulus = arrive(
                system, z, tangent, taken, end, weights, control, work, z_new, tangent_new, scratch
            )
        else:
            taken = bound
            outcome, iterations, residual, cosine, sign, log_modulus = advance(
                system, z, tangent, taken, weights, control, work, z_new, tangent_new, scratch, True
            )
            if outcome == CORRECTED and not control.lower <= z_new[last] <= control.upper:
                # The branch bends out of the span within this step: hit the end it crosses.
                end = control.upper if z_new[last] > control.upper else control.lower
                taken *= (end - z[last]) / (z_new[last] - z[last])
                at_end = True
                outcome, iterations, residual, cosine, sign, log_modulus = arrive(
                    system, z, tangent, taken, end, weights, control, work, z_new, tangent_new,
                    scratch,
                )  # fmt: skip
        if outcome != CORRECTED:
            step = 0.5 * min(taken, bound)
            if outcome == NOT_FINITE and step < control.step_minimum:
                reason = LEFT_DOMAIN
                break
            continue
        if sign * last_sign < 0.0 and taken > crossing * (1.0 + largest(z)):
            step = 0.5 * taken
            continue

        negative = negative_eigenvalues(system, z_new, work)
        if not at_end and returns_to(
            system, z, tangent, taken, z_new, tangent_new, loop_start, loop_tangent, weights,
            control, work, scratch, arclength,
        ):  # fmt: skip
            assign(points[count], loop_start)
            assign(tangents[count], loop_tangent)
            facts[count, ARCLENGTH] = arclength + offset(weights, tangent, z, loop_start)
            facts[count, RESIDUAL] = residual
            facts[count, ITERATIONS] = iterations
            facts[count, SIGN] = 0.0  # filled by the caller from the loop's first point
            facts[count, LOG_MODULUS] = 0.0
            facts[count, NEGATIVE] = -1.0
            count += 1
            reason = CLOSED_LOOP
            break

        arclength += distance(weights, z_new, z)
        last_sign = sign
        assign(z, z_new)
        assign(tangent, tangent_new)
        assign(points[count], z_new)
        assign(tangents[count], tangent_new)
        facts[count, ARCLENGTH] = arclength
        facts[count, RESIDUAL] = residual
        facts[count, ITERATIONS] = iterations
        facts[count, SIGN] = sign
        facts[count, LOG_MODULUS] = log_modulus - math.log(max(cosine, 1e-300))
        facts[count, NEGATIVE] = negative
        count += 1
        if at_end:
            reason = END_OF_SPAN
            break
        if largest(z[:last]) > control.maximum_norm:
            reason = LEFT_BOUNDS
            break
        step = next_step(step, taken, iterations, cosine, control)
    return count, reason, step


def next_step(step: float, taken: float, iterations: int, cosine: float, control: Control) -> float:
    """Return the next arc-length step from the work and the turn of the last one."""
    angle = math.acos(min(1.0, cosine))
    by_angle = 2.0
    if angle > 0.0:
        by_angle = min(2.0, max(0.5, control.angle_target / angle))
    by_work = 2.0
    if iterations == 3:
        by_work = 1.5
    elif iterations == 4:
        by_work = 1.0
    elif iterations > 4:
        by_work = 0.6
    return min(control.step_maximum, max(taken, 0.5 * step) * min(by_angle, by_work))


def arrive(
    system: Any,
    z: Array,
    tangent: Array,
    step: float,
    end: float,
    weights: Array,
    control: Control,
    work: Any,
    z_new: Array,
    tangent_new: Array,
    scratch: Array,
) -> tuple[int, int, float, float, float, float]:
    """Take the last step: a natural one, at the parameter's exact end value."""
    row, predicted = scratch[0], scratch[2]
    row[:] = 0.0
    row[z.size - 1] = 1.0
    displace(z_new, z, step, tangent)
    z_new[z.size - 1] = end
    assign(predicted, z_new)
    outcome, iterations, residual = correct(system, z_new, row, control, work, scratch[1], True)
    if outcome != CORRECTED:
        return outcome, iterations, residual, 0.0, 0.0, 0.0
    z_new[z.size - 1] = end
    if jumped(z_new, predicted, step, weights, control):
        return TOO_FAR, iterations, residual, 0.0, 0.0, 0.0
    weigh(row, weights, tangent)
    sign, log_modulus = raw_tangent(system, work, row, tangent_new)
    length = math.sqrt(inner(weights, tangent_new, tangent_new))
    if not math.isfinite(length) or length == 0.0:
        # The end of the span is itself a singular point: the branch arrives as it came.
        assign(tangent_new, tangent)
        return CORRECTED, iterations, residual, 1.0, 0.0, 0.0
    scale(tangent_new, 1.0 / length)
    return CORRECTED, iterations, residual, 1.0 / length, sign, log_modulus


def returns_to(
    system: Any,
    z: Array,
    tangent: Array,
    step: float,
    z_new: Array,
    tangent_new: Array,
    loop_start: Array,
    loop_tangent: Array,
    weights: Array,
    control: Control,
    work: Any,
    scratch: Array,
    arclength: float,
) -> bool:
    """Tell whether the step from z to z_new passes through the branch's first point, that way."""
    along = offset(weights, tangent, z, loop_start)
    if along <= 0.0 or along > step or arclength < 2.0 * step:
        return False
    cosine = inner(weights, tangent, tangent_new)
    if cosine < 0.5 or inner(weights, tangent_new, loop_tangent) < 0.5:
        return False
    across = distance(weights, z, loop_start) ** 2 - along * along
    if across > 0.25 * step * step:
        return False
    # The first point lies in the plane at offset `along`: the branch's point there must be it.
    # Cubic Hermite interpolation finds it even close to other branches.
    t = along / step
    point, row = scratch[5], scratch[0]
    interpolate(point, t, z, tangent, step, z_new, tangent_new, step / cosine)
    displace(point, point, along - offset(weights, tangent, z, point), tangent)
    weigh(row, weights, tangent)
    # At a branch point Newton's method only creeps: what counts is where it went.
    correct(system, point, row, control, work, scratch[1], False)
    displace(point, point, -1.0, loop_start)
    return largest(point) <= 1e-6 * (1.0 + largest(loop_start))
