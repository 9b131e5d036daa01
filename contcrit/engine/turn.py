"""A simple fold between two accepted points, located and confirmed in compiled code.

Almost every special point of a long branch is a simple fold. This is the native gear's way to
deal with one: the same two locators and the same judgement as `location` and `identification`,
which take over whatever is not simple. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .between import (
    LOOSE,
    NOT_SIMPLE,
    SIMPLE,
    TURN,
    BetweenWork,
    Pair,
    confirmed,
    leading_zeros,
    search,
    side_counts,
    spectra,
)
from .dense import singular_values
from .elimination import eliminate
from .kernel import (
    Control,
    assign,
    displace,
    evaluate,
    largest,
    residual_size,
)

Array = np.ndarray


def simple_fold(
    system: Any,
    pair: Pair,
    before: Array,
    after: Array,
    weights: Array,
    control: Control,
    rank_tolerance: float,
    location_tolerance: float,
    work: Any,
    own: BetweenWork,
) -> tuple[int, float, float, float, int, int]:
    """Locate the fold between two accepted points whose tangents turn back in the parameter.

    Parameters
    ----------
    system : native handle
    pair : Pair
        The two points.
    before, after : ndarray of shape (n + 1,)
        Points on either side, far enough to tell singular from regular.
    weights : ndarray of shape (n + 1,)
    control : Control
    rank_tolerance, location_tolerance : float
    work : native workspace
    own : BetweenWork
        Holds the results.

    Returns
    -------
    outcome : int
        `SIMPLE`, or `NOT_SIMPLE` where the general machinery must judge.
    position : float
        Offset of the located point along the first tangent.
    residual : float
        max|F| at the extended system's point.
    quadratic : float
        The fold's quadratic coefficient.
    negative_before, negative_after : int
        Numbers of eigenvalues with a negative real part right before and right after it.
    """
    failed = NOT_SIMPLE, 0.0, 0.0, 0.0, -1, -1
    position = search(TURN, system, pair, weights, control, location_tolerance, work, own)
    if not math.isfinite(position):
        return failed
    spectra(system, before, after, work, own)
    if not _is_fold(own, LOOSE):
        return failed
    _null_vectors(system, own.located, work, own)
    if not _refine(system, control, work, own):
        return failed
    if not confirmed(system, before, after, control, work, own):
        return failed
    if not _is_fold(own, rank_tolerance):
        return failed
    residual = residual_size(system, work)
    _null_vectors(system, own.refined, work, own)
    phi, gradient = own.vectors[0], own.vectors[1]
    phi[phi.size - 1] = 0.0
    for i in range(own.right.size):
        phi[i] = own.right[i]
    _curvature(system, own.refined, phi, own.left, work, own, gradient)
    quadratic = 0.0
    for i in range(phi.size):
        quadratic += 0.5 * gradient[i] * phi[i]
    known, first, last = side_counts(system, pair, position, weights, control, work, own)
    if not known:
        return failed
    return SIMPLE, position, residual, quadratic, first, last


def _is_fold(own: BetweenWork, tolerance: float) -> bool:
    """Tell whether exactly one singular value in the unknowns is zero, and none of the full."""
    inner_zeros = leading_zeros(own.values, own.reference, tolerance)
    return inner_zeros == 1 and leading_zeros(own.full, own.full_reference, tolerance) == 0


def _null_vectors(system: Any, z: Array, work: Any, own: BetweenWork) -> None:
    """Write the singular vectors of the smallest singular value of the Jacobian in the unknowns."""
    n = z.size - 1
    evaluate(system, z, work)
    scratch = own.vectors[6][:n]
    for transposed in (False, True):
        for i in range(n):
            for j in range(n):
                entry = work.jacobian[i, j]
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
    system: Any, z: Array, direction: Array, left: Array, work: Any, own: BetweenWork, out: Array
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
                out[j] += sign * left[i] * work.jacobian[i, j] / (2.0 * step)


def _refine(system: Any, control: Control, work: Any, own: BetweenWork) -> bool:
    """Solve F = 0, g = 0 by Newton from the located point, g the bordered test function.

    Returns whether it converges.
    """
    z = own.refined
    n = z.size - 1
    direction, adjoint, gradient, increment = (
        own.vectors[0], own.vectors[1], own.vectors[2], own.vectors[3],
    )  # fmt: skip
    assign(z, own.located)
    previous = math.inf
    converged = False
    for _ in range(12):
        if converged and previous <= 1e-15:
            break
        evaluate(system, z, work)
        test = _bordered(work, own, direction, adjoint)
        if not math.isfinite(test):
            return False
        direction[n] = 0.0
        _curvature(system, z, direction, adjoint, work, own, gradient)
        for j in range(n + 1):
            gradient[j] = -gradient[j]
        evaluate(system, z, work)
        _extended_increment(work, gradient, test, increment)
        size = largest(increment) / (1.0 + largest(z))
        if not math.isfinite(size):
            return False
        if converged and size >= previous:
            break
        displace(z, z, 1.0, increment)
        converged = converged or size <= control.newton_tolerance
        previous = size
    return converged


def _extended_increment(work: Any, gradient: Array, test: float, increment: Array) -> None:
    """Solve [J; gradient] increment = -(F, test) at the last evaluation."""
    n = increment.size - 1
    for i in range(n):
        for j in range(n + 1):
            work.matrix[i, j] = work.jacobian[i, j]
        increment[i] = -work.residual[i]
    for j in range(n + 1):
        work.matrix[n, j] = gradient[j]
    increment[n] = -test
    eliminate(work.matrix, increment)


def _bordered(work: Any, own: BetweenWork, direction: Array, adjoint: Array) -> float:
    """Solve the Jacobian in the unknowns, bordered by the null vectors, both ways.

    Returns the test function; see `events.bordering`.
    """
    n = own.left.size
    scale = 0.0
    for i in range(n):
        for j in range(n):
            scale = max(scale, abs(work.jacobian[i, j]))
    if scale == 0.0:
        scale = 1.0
    test = 0.0
    for transposed in (False, True):
        vector = adjoint if transposed else direction
        for i in range(n):
            for j in range(n):
                entry = work.jacobian[i, j]
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
