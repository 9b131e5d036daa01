"""A simple fold between two accepted points, located and confirmed in compiled code.

Almost every special point of a long branch is a simple fold. This is the native gear's way to
deal with one: the same two locators and the same judgement as `location` and `identification`,
which take over whatever is not simple. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .corrector import settle
from .dense import eliminate, singular_values
from .kernel import (
    Control,
    assign,
    displace,
    evaluate,
    inner,
    interpolate,
    largest,
    negative_eigenvalues,
    offset,
    residual_floor,
    residual_size,
    weigh,
)

Array = np.ndarray

SIMPLE = 0
NOT_SIMPLE = 1

_LOOSE = 0.1
"""Share of the value at the ends below which a singular value may turn out to be zero."""


class TurnWork(NamedTuple):
    """Arrays that the search for a fold works in, and leaves its results in.

    Parameters
    ----------
    located, tangent, refined : ndarray of shape (n + 1,)
        Point and tangent of the bracketing locator; point of the extended system.
    vectors : ndarray of shape (8, n + 1)
        Scratch.
    square, columns : ndarray of shape (n, n)
        Scratch.
    tall : ndarray of shape (n + 1, n)
        Scratch.
    left, right : ndarray of shape (n,)
        Null vectors.
    values, full : ndarray of shape (n,)
        Singular values at the fold, ascending, of the Jacobian in the unknowns and of the full one.
    reference, full_reference : ndarray of shape (n,)
        The larger of those at the two ends.
    """

    located: Array
    tangent: Array
    refined: Array
    vectors: Array
    square: Array
    columns: Array
    tall: Array
    left: Array
    right: Array
    values: Array
    full: Array
    reference: Array
    full_reference: Array


def turn_work(size: int) -> TurnWork:
    """Return arrays that fit n unknowns."""
    located, tangent, refined = np.empty((3, size + 1))
    left, right, values, full, reference, full_reference = np.empty((6, size))
    return TurnWork(
        located, tangent, refined, np.empty((8, size + 1)), np.empty((size, size)),
        np.empty((size, size)), np.empty((size + 1, size)), left, right, values, full, reference,
        full_reference,
    )  # fmt: skip


def simple_fold(
    system: Any,
    z: Array,
    tangent: Array,
    z_new: Array,
    tangent_new: Array,
    before: Array,
    after: Array,
    weights: Array,
    control: Control,
    rank_tolerance: float,
    location_tolerance: float,
    work: Any,
    own: TurnWork,
) -> tuple[int, float, float, float, int, int]:
    """Locate the fold between two accepted points whose tangents turn back in the parameter.

    Parameters
    ----------
    system : native handle
    z, tangent, z_new, tangent_new : ndarray of shape (n + 1,)
        The two points, with their tangents.
    before, after : ndarray of shape (n + 1,)
        Points on either side, far enough to tell singular from regular.
    weights : ndarray of shape (n + 1,)
    control : Control
    rank_tolerance, location_tolerance : float
    work : native workspace
    own : TurnWork
        Holds the results.

    Returns
    -------
    outcome : int
        `SIMPLE`, or `NOT_SIMPLE` where the general machinery must judge.
    position : float
        Offset of the located point along the first tangent.
    residual : float
        Of the extended system.
    quadratic : float
        The fold's quadratic coefficient.
    negative_before, negative_after : int
        Numbers of eigenvalues with a negative real part right before and right after it.
    """
    failed = NOT_SIMPLE, 0.0, 0.0, 0.0, -1, -1
    reach = offset(weights, tangent, z, z_new)
    position = _search(
        system,
        z,
        tangent,
        z_new,
        tangent_new,
        reach,
        weights,
        control,
        location_tolerance,
        work,
        own,
    )
    if not math.isfinite(position):
        return failed
    _spectrum(system, before, work, own, own.reference, own.full_reference, True)
    _spectrum(system, after, work, own, own.reference, own.full_reference, False)
    _spectrum(system, own.located, work, own, own.values, own.full, True)
    if not _is_fold(own, _LOOSE):
        return failed
    _null_vectors(system, own.located, work, own)
    residual = _refine(system, control, work, own)
    if not math.isfinite(residual):
        return failed
    width = shift = 0.0
    for i in range(z.size):
        width = max(width, abs(after[i] - before[i]))
        shift = max(shift, abs(own.refined[i] - own.located[i]))
    if not shift <= 0.01 * width + 1e-8:
        return failed
    evaluate(system, own.refined, work)
    floor = residual_floor(system, own.refined, work)
    if not residual_size(system, work) <= max(control.residual_tolerance, floor):
        return failed
    _spectrum(system, own.refined, work, own, own.values, own.full, True)
    if not _is_fold(own, rank_tolerance):
        return failed
    _null_vectors(system, own.refined, work, own)
    phi, gradient = own.vectors[0], own.vectors[1]
    phi[z.size - 1] = 0.0
    for i in range(own.right.size):
        phi[i] = own.right[i]
    _curvature(system, own.refined, phi, own.left, work, own, gradient)
    quadratic = 0.0
    for i in range(z.size):
        quadratic += 0.5 * gradient[i] * phi[i]
    first = last = -1
    for side in (-1e-4, 1e-4):
        at = position + side * reach
        if not _station(
            system, z, tangent, z_new, tangent_new, at, reach, weights, control, work, own
        ):
            return failed
        first, last = last, negative_eigenvalues(system, own.vectors[2], work)
    return SIMPLE, position, residual, quadratic, first, last


def _station(
    system: Any, z: Array, tangent: Array, z_new: Array, tangent_new: Array, at: float,
    reach: float, weights: Array, control: Control, work: Any, own: TurnWork,
) -> bool:  # fmt: skip
    """Take a continuation step to an offset between the two points, into vectors 2 and 3."""
    point, direction, row, increment = (
        own.vectors[2],
        own.vectors[3],
        own.vectors[4],
        own.vectors[5],
    )
    cosine = inner(weights, tangent, tangent_new)
    interpolate(point, at / reach, z, tangent, reach, z_new, tangent_new, reach / cosine)
    displace(point, point, at - offset(weights, tangent, z, point), tangent)
    weigh(row, weights, tangent)
    return settle(system, point, row, weights, control, work, direction, increment)[0]


def _search(
    system: Any, z: Array, tangent: Array, z_new: Array, tangent_new: Array, reach: float,
    weights: Array, control: Control, tolerance: float, work: Any, own: TurnWork,
) -> float:  # fmt: skip
    """Drive the tangent's parameter component to zero by Chandrupatla's method.

    Returns the offset, or not a number; the point stands in `located` and `tangent`.

    References
    ----------
    T. R. Chandrupatla, Advances in Engineering Software 28 (1997), 145-149.
    """
    last = z.size - 1
    x1, f1 = reach, tangent_new[last]
    x2, f2 = 0.0, tangent[last]
    x3, f3 = x2, f2
    share = 0.5
    best, position = math.inf, math.nan
    for _ in range(80):
        x = x1 + share * (x2 - x1)
        if not _station(
            system, z, tangent, z_new, tangent_new, x, reach, weights, control, work, own
        ):
            return math.nan
        f = own.vectors[3][last]
        if abs(f) < best:
            best, position = abs(f), x
            assign(own.located, own.vectors[2])
            assign(own.tangent, own.vectors[3])
        if f * f1 > 0.0:
            x3, f3 = x1, f1
        else:
            x3, f3, x2, f2 = x2, f2, x1, f1
        x1, f1 = x, f
        least = 4.4e-16 * abs(position) + 0.5 * tolerance
        share = least / abs(x2 - x1) if x2 != x1 else 1.0
        if share > 0.5 or best == 0.0:
            break
        bound = share
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        share = 0.5
        if phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi:
            share = f1 / (f2 - f1) * f3 / (f2 - f3)
            share += (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
        share = min(1.0 - bound, max(bound, share))
    return position


def _spectrum(
    system: Any, z: Array, work: Any, own: TurnWork, values: Array, full: Array, fresh: bool
) -> None:
    """Write the singular values at z, or raise those already there to them."""
    n = z.size - 1
    evaluate(system, z, work)
    for i in range(n):
        for j in range(n):
            own.square[i, j] = work.outputs[n + i * (n + 1) + j]
        for j in range(n + 1):
            own.tall[j, i] = work.outputs[n + i * (n + 1) + j]
    scratch = own.vectors[6][:n]
    singular_values(own.square, own.columns, scratch)
    for i in range(n):
        values[i] = scratch[i] if fresh else max(values[i], scratch[i])
    singular_values(own.tall, own.columns, scratch)
    for i in range(n):
        full[i] = scratch[i] if fresh else max(full[i], scratch[i])


def _is_fold(own: TurnWork, tolerance: float) -> bool:
    """Tell whether exactly one singular value in the unknowns is zero, and none of the full."""
    inner_zeros = _leading_zeros(own.values, own.reference, tolerance)
    return inner_zeros == 1 and _leading_zeros(own.full, own.full_reference, tolerance) == 0


def _leading_zeros(values: Array, reference: Array, tolerance: float) -> int:
    """Count leading zeros as `events.singularity` does."""
    biggest = values[values.size - 1]
    floor = math.inf
    for i in range(reference.size):
        if reference[i] > 1e-12 * biggest:
            floor = min(floor, reference[i])
    if floor == math.inf:
        floor = biggest
    for i in range(values.size):
        judge = reference[i] if reference[i] > 1e-12 * biggest else floor
        if not (values[i] <= tolerance * judge or values[i] <= 1e-13 * biggest):
            return i
    return int(values.size)


def _null_vectors(system: Any, z: Array, work: Any, own: TurnWork) -> None:
    """Write the singular vectors of the smallest singular value of the Jacobian in the unknowns."""
    n = z.size - 1
    evaluate(system, z, work)
    scratch = own.vectors[6][:n]
    for transposed in (False, True):
        for i in range(n):
            for j in range(n):
                entry = work.outputs[n + i * (n + 1) + j]
                if transposed:
                    own.square[j, i] = entry
                else:
                    own.square[i, j] = entry
        singular_values(own.square, own.columns, scratch)
        for i in range(n):
            if transposed:
                own.left[i] = own.columns[i, 0]
            else:
                own.right[i] = own.columns[i, 0]


def _curvature(
    system: Any, z: Array, direction: Array, left: Array, work: Any, own: TurnWork, out: Array
) -> None:
    """Write left.(dJ/d direction), by a central difference of the Jacobian."""
    n = z.size - 1
    moved = own.vectors[7]
    step = 6e-6 * (1.0 + largest(z)) / max(largest(direction), 1e-300)
    for j in range(n + 1):
        out[j] = 0.0
    for sign in (1.0, -1.0):
        displace(moved, z, sign * step, direction)
        evaluate(system, moved, work)
        for i in range(n):
            for j in range(n + 1):
                out[j] += sign * left[i] * work.outputs[n + i * (n + 1) + j] / (2.0 * step)


def _refine(system: Any, control: Control, work: Any, own: TurnWork) -> float:
    """Solve F = 0, g = 0 by Newton from the located point, g the bordered test function.

    Returns the residual of the extended system, or not a number without convergence.
    """
    z = own.refined
    n = z.size - 1
    direction, adjoint, gradient, increment = (
        own.vectors[0], own.vectors[1], own.vectors[2], own.vectors[3],
    )  # fmt: skip
    assign(z, own.located)
    previous = math.inf
    converged = False
    test = 0.0
    for iteration in range(13):
        evaluate(system, z, work)
        test = _bordered(work, own, direction, adjoint)
        if not math.isfinite(test):
            return math.nan
        if iteration == 12 or (converged and previous <= 1e-15):
            break
        direction[n] = 0.0
        _curvature(system, z, direction, adjoint, work, own, gradient)
        for j in range(n + 1):
            gradient[j] = -gradient[j]
        evaluate(system, z, work)
        _extended_increment(work, gradient, test, increment)
        size = largest(increment) / (1.0 + largest(z))
        if not math.isfinite(size):
            return math.nan
        if converged and size >= previous:
            break
        displace(z, z, 1.0, increment)
        converged = converged or size <= control.newton_tolerance
        previous = size
    if not converged:
        return math.nan
    return max(residual_size(system, work), abs(test))


def _extended_increment(work: Any, gradient: Array, test: float, increment: Array) -> None:
    """Solve [J; gradient] increment = -(F, test) at the last evaluation."""
    n = increment.size - 1
    for i in range(n):
        for j in range(n + 1):
            work.matrix[i, j] = work.outputs[n + i * (n + 1) + j]
        increment[i] = -work.outputs[i]
    for j in range(n + 1):
        work.matrix[n, j] = gradient[j]
    increment[n] = -test
    eliminate(work.matrix, increment)


def _bordered(work: Any, own: TurnWork, direction: Array, adjoint: Array) -> float:
    """Solve the Jacobian in the unknowns, bordered by the null vectors, both ways.

    Returns the test function; see `events.bordering`.
    """
    n = own.left.size
    scale = 0.0
    for i in range(n):
        for j in range(n):
            scale = max(scale, abs(work.outputs[n + i * (n + 1) + j]))
    if scale == 0.0:
        scale = 1.0
    test = 0.0
    for transposed in (False, True):
        vector = adjoint if transposed else direction
        for i in range(n):
            for j in range(n):
                entry = work.outputs[n + i * (n + 1) + j]
                if transposed:
                    work.matrix[j, i] = entry
                else:
                    work.matrix[i, j] = entry
            column, row = own.left[i], own.right[i]
            if transposed:
                column, row = row, column
            work.matrix[i, n], work.matrix[n, i] = scale * column, scale * row
            vector[i] = 0.0
        work.matrix[n, n], vector[n] = 0.0, 1.0
        eliminate(work.matrix, vector)
        test = scale * scale * vector[n]
        for i in range(n):
            vector[i] *= scale
    return test
