"""Bordered Newton: bring a predicted point back to the branch, or say that it was too far off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .kernel import (
    Control,
    assign,
    displace,
    distance,
    evaluate,
    inner,
    largest,
    newton_increment,
    raw_tangent,
    residual_floor,
    residual_size,
    scale,
    weigh,
)

Array = np.ndarray

CORRECTED = 0
DIVERGED = 1
TOO_FAR = 2
NOT_FINITE = 3


def correct(
    system: Any, z: Array, row: Array, control: Control, work: Any, increment: Array, guarded: bool
) -> tuple[int, int, float]:
    """Apply Newton's method to F(z) = 0 in the plane through z that is normal to `row`.

    Parameters
    ----------
    system : System or native handle
    z : ndarray of shape (n + 1,)
        The predicted point; overwritten by the corrected one.
    row : ndarray of shape (n + 1,)
        Normal of the plane; every increment is orthogonal to it, so the plane is kept exactly.
    control : Control
    work : Workspace
        Holds residual and Jacobian at the corrected point on return.
    increment : ndarray of shape (n + 1,)
        Scratch.
    guarded : bool
        Whether a slow contraction rejects the point (the predictor was too far off).

    Returns
    -------
    outcome : int
        `CORRECTED`, `DIVERGED`, `TOO_FAR` or `NOT_FINITE`.
    iterations : int
    residual : float
        max|F| at the corrected point.
    """
    first = 0.0
    evaluate(system, z, work)
    residual = residual_size(system, work)
    if residual == 0.0:  # trivial branches: exact already, even where the matrix is singular
        return CORRECTED, 0, residual
    for iteration in range(1, control.newton_iterations + 1):
        if not math.isfinite(residual):
            return NOT_FINITE, iteration, residual
        newton_increment(system, work, row, increment)
        size = largest(increment)
        if not math.isfinite(size):
            return DIVERGED, iteration, residual
        displace(z, z, 1.0, increment)
        size /= 1.0 + largest(z)
        evaluate(system, z, work)
        residual = residual_size(system, work)
        if size <= control.newton_tolerance and (
            residual <= control.residual_tolerance or residual <= residual_floor(system, z, work)
        ):
            return CORRECTED, iteration, residual
        if iteration == 1:
            first = size
        elif size > control.newton_growth * first:
            return DIVERGED, iteration, residual
        elif (
            guarded
            and iteration == 2
            and size > control.contraction_maximum * first
            and size > control.newton_tolerance
        ):
            return TOO_FAR, iteration, residual
    return DIVERGED, control.newton_iterations, residual


def advance(
    system: Any,
    z: Array,
    tangent: Array,
    step: float,
    weights: Array,
    control: Control,
    work: Any,
    z_new: Array,
    tangent_new: Array,
    scratch: Array,
    guarded: bool,
) -> tuple[int, int, float, float, float, float]:
    """Take one continuation step of a given arc length: predict, correct, find the tangent.

    Parameters
    ----------
    system : System or native handle
    z, tangent : ndarray of shape (n + 1,)
        An accepted point and its unit tangent.
    step : float
        Offset of the corrector's plane along the tangent; negative steps go back.
    weights : ndarray of shape (n + 1,)
        The metric.
    control : Control
    work : Workspace
    z_new, tangent_new : ndarray of shape (n + 1,)
        Outputs.
    scratch : ndarray of shape (3, n + 1)
    guarded : bool
        Whether the guards against jumps and sharp turns apply.

    Returns
    -------
    outcome, iterations, residual
        As `correct` returns them.
    cosine : float
        Cosine of the angle between the two tangents.
    sign, log_modulus : float
        Of the determinant of [J; weights * tangent] at the new point.
    """
    row, predicted = scratch[0], scratch[2]
    weigh(row, weights, tangent)
    displace(z_new, z, step, tangent)
    assign(predicted, z_new)
    outcome, iterations, residual = correct(system, z_new, row, control, work, scratch[1], guarded)
    if outcome != CORRECTED:
        return outcome, iterations, residual, 0.0, 0.0, 0.0
    if guarded and jumped(z_new, predicted, step, weights, control):
        return TOO_FAR, iterations, residual, 0.0, 0.0, 0.0
    sign, log_modulus = raw_tangent(system, work, row, tangent_new)
    length = math.sqrt(inner(weights, tangent_new, tangent_new))
    if not math.isfinite(length) or length == 0.0:
        return DIVERGED, iterations, residual, 0.0, sign, log_modulus
    cosine = 1.0 / length
    scale(tangent_new, cosine)
    if guarded and cosine < control.cosine_minimum:
        return TOO_FAR, iterations, residual, cosine, sign, log_modulus
    return CORRECTED, iterations, residual, cosine, sign, log_modulus


def jumped(z_new: Array, predicted: Array, step: float, weights: Array, control: Control) -> bool:
    """Tell whether the corrector moved too far for the step: the guard against jumps."""
    noise = control.newton_tolerance * (1.0 + largest(z_new))
    allowed = control.correction_maximum * abs(step) + noise
    return distance(weights, z_new, predicted) > allowed


def settle(
    system: Any,
    z: Array,
    row: Array,
    weights: Array,
    control: Control,
    work: Any,
    tangent: Array,
    increment: Array,
) -> tuple[bool, float, float]:
    """Correct a point in its plane and find the tangent there, without guards.

    Returns
    -------
    succeeded : bool
    sign, log_modulus : float
        Of the determinant of [J; row].
    """
    if correct(system, z, row, control, work, increment, False)[0] != CORRECTED:
        return False, 0.0, 0.0
    sign, log_modulus = raw_tangent(system, work, row, tangent)
    length = math.sqrt(inner(weights, tangent, tangent))
    if not math.isfinite(length) or length == 0.0:
        return False, sign, log_modulus
    scale(tangent, 1.0 / length)
    return True, sign, log_modulus
