"""A simple fold of a tridiagonal system, located and confirmed in compiled code of linear cost.

What `turn` is for small dense systems: the same two locators and the same judgement as `location`
and `identification`, which take over whatever is not simple. Only the smallest singular values are
computed, by inverse iteration. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .between import LOOSE, NOT_SIMPLE, SIMPLE, TURN, Pair, search, side_counts
from .kernel import (
    Control,
    assign,
    displace,
    evaluate,
    largest,
    residual_floor,
    residual_size,
)
from .tridiagonal import factor, solve_bordered, transpose
from .tridiagonal_spectra import WIDTH, full_values, inner_values

Array = np.ndarray

_ROUNDING = 1e-6
"""Largest increment of Newton's method that may be due to rounding."""


class TridiagonalTurnWork(NamedTuple):
    """Arrays that the search for a fold works in, and leaves its results in.

    Parameters
    ----------
    located, tangent, refined : ndarray of shape (n + 1,)
        Point and tangent of the bracketing locator; point of the extended system.
    vectors : ndarray of shape (8, n + 1)
        Scratch.
    inner, outer : ndarray of shape (n + 1, 3)
        Singular vectors of the Jacobian in the unknowns, and of the full one: right and left ones
        in turn. They are a good start at the next point.
    image : ndarray of shape (n, 3)
    triangle, columns : ndarray of shape (3, 3)
    sizes : ndarray of shape (3,)
        Scratch.
    below, above : ndarray of shape (n,)
        The transposed Jacobian beside its diagonal.
    left, right : ndarray of shape (n,)
        Null vectors.
    values, full : ndarray of shape (2,)
        Smallest singular values at the point: of the Jacobian in the unknowns, of the full one.
    reference, full_reference : ndarray of shape (2,)
        The larger of those at the two ends.
    """

    located: Array
    tangent: Array
    refined: Array
    vectors: Array
    inner: Array
    outer: Array
    image: Array
    triangle: Array
    columns: Array
    sizes: Array
    below: Array
    above: Array
    left: Array
    right: Array
    values: Array
    full: Array
    reference: Array
    full_reference: Array


def tridiagonal_turn_work(size: int) -> TridiagonalTurnWork:
    """Return arrays that fit n unknowns."""
    located, tangent, refined = np.empty((3, size + 1))
    inner, outer = np.random.default_rng(0).standard_normal((2, size + 1, WIDTH))
    below, above, left, right = np.empty((4, size))
    values, full, reference, full_reference = np.empty((4, WIDTH - 1))
    return TridiagonalTurnWork(
        located, tangent, refined, np.empty((8, size + 1)), inner, outer,
        np.empty((size, WIDTH)), np.empty((WIDTH, WIDTH)), np.empty((WIDTH, WIDTH)),
        np.empty(WIDTH), below, above, left, right, values, full, reference, full_reference,
    )  # fmt: skip


def simple_tridiagonal_fold(
    system: Any,
    pair: Pair,
    before: Array,
    after: Array,
    weights: Array,
    control: Control,
    rank_tolerance: float,
    location_tolerance: float,
    work: Any,
    own: TridiagonalTurnWork,
) -> tuple[int, float, float, float, int, int]:
    """Do what `turn.simple_fold` does, for a tridiagonal system."""
    failed = NOT_SIMPLE, 0.0, 0.0, 0.0, -1, -1
    room: Any = own  # the fields that these functions use have the same names
    position = search(TURN, system, pair, weights, control, location_tolerance, work, room)
    if not math.isfinite(position):
        return failed
    own.reference[:] = 0.0
    own.full_reference[:] = 0.0
    for end in (before, after):
        if not _spectrum(system, end, work, own):
            return failed
        for k in range(own.values.size):
            own.reference[k] = max(own.reference[k], own.values[k])
            own.full_reference[k] = max(own.full_reference[k], own.full[k])
    if not (_spectrum(system, own.located, work, own) and _is_fold(work, own, LOOSE)):
        return failed
    if not (_refine(system, control, work, own) and _is_near(before, after, own)):
        return failed
    evaluate(system, own.refined, work)
    residual = residual_size(system, work)
    floor = residual_floor(system, own.refined, work)
    if not residual <= max(control.residual_tolerance, floor):
        return failed
    if not (_spectrum(system, own.refined, work, own) and _is_fold(work, own, rank_tolerance)):
        return failed
    n = own.right.size
    phi, gradient = own.vectors[0], own.vectors[1]
    phi[n] = 0.0
    for i in range(n):
        phi[i] = own.right[i]
    _curvature(system, own.refined, phi, own.left, work, own, gradient)
    quadratic = 0.0
    for i in range(n):
        quadratic += 0.5 * gradient[i] * phi[i]
    known, first, last = side_counts(system, pair, position, weights, control, work, room)
    if not known:
        return failed
    return SIMPLE, position, residual, quadratic, first, last


def _is_fold(work: Any, own: TridiagonalTurnWork, tolerance: float) -> bool:
    """Tell whether exactly one singular value in the unknowns is zero, and none of the full.

    `work` holds the Jacobian at the point.
    """
    rounding = 1e-16 * _bound(work)
    for k in range(own.values.size):
        if min(own.reference[k], own.full_reference[k]) <= 10.0 * rounding:
            return False
    if not own.values[0] <= max(tolerance * own.reference[0], rounding):
        return False
    inner_regular = own.values[1] > max(tolerance * own.reference[1], rounding)
    full_regular = own.full[0] > max(tolerance * own.full_reference[0], rounding)
    return bool(inner_regular and full_regular)


def _bound(work: Any) -> float:
    """Return an upper bound of the full Jacobian's largest singular value."""
    n = work.main.size
    rows = columns = last = 0.0
    for i in range(n):
        row = abs(work.lower[i]) + abs(work.main[i]) + abs(work.upper[i]) + abs(work.column[i])
        rows = max(rows, row)
        column = abs(work.main[i])
        if i > 0:
            column += abs(work.upper[i - 1])
        if i + 1 < n:
            column += abs(work.lower[i + 1])
        columns = max(columns, column)
        last += abs(work.column[i])
    return math.sqrt(rows * max(columns, last))


def _is_near(before: Array, after: Array, own: TridiagonalTurnWork) -> bool:
    """Tell whether the refined point lies by the located one."""
    width = shift = 0.0
    for i in range(own.refined.size):
        width = max(width, abs(after[i] - before[i]))
        shift = max(shift, abs(own.refined[i] - own.located[i]))
    return shift <= 0.01 * width + 1e-8


def _spectrum(system: Any, z: Array, work: Any, own: TridiagonalTurnWork) -> bool:
    """Write the smallest singular values at z, and the null vectors of the smaller Jacobian."""
    evaluate(system, z, work)
    factor(work.lower, work.main, work.upper, work.factors)
    n = own.right.size
    if not inner_values(
        work.factors, own.inner[:n], own.image, own.triangle, own.columns, own.sizes, own.values
    ):
        return False
    for i in range(n):
        own.left[i] = own.right[i] = 0.0
        for k in range(WIDTH):
            own.left[i] += own.image[i, k] * own.columns[k, WIDTH - 1]
            own.right[i] += own.inner[i, k] * own.triangle[k, WIDTH - 1] * own.values[0]
    return full_values(
        work.factors, work.column, own.outer, own.image, own.vectors, own.triangle, own.columns,
        own.sizes, own.full,
    )  # fmt: skip


def _refine(system: Any, control: Control, work: Any, own: TridiagonalTurnWork) -> bool:
    """Solve F = 0, g = 0 by Newton from the located point, g the bordered test function.

    Tells whether it converged.
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
        for i in range(n):
            increment[i] = -work.residual[i]
        increment[n] = -test
        solve_bordered(
            work.lower, work.main, work.upper, work.column, gradient, increment, True, work.factors
        )
        size = largest(increment) / (1.0 + largest(z))
        if not math.isfinite(size):
            return False
        if converged and size >= previous:
            break
        displace(z, z, 1.0, increment)
        converged = converged or size <= control.newton_tolerance
        # What no longer shrinks is rounding: entries of size 1/h^2 leave fewer digits to the test.
        converged = converged or (size <= _ROUNDING and size >= 0.5 * previous)
        previous = size
    return converged


def _curvature(
    system: Any, z: Array, direction: Array, left: Array, work: Any, own: TridiagonalTurnWork,
    out: Array,
) -> None:  # fmt: skip
    """Write left.(dJ/d direction), by a central difference of the Jacobian."""
    n = z.size - 1
    moved = own.vectors[7]
    # A discretised operator's large constant entries leave few digits to the difference.
    step = 1e-4 * (1.0 + largest(z)) / max(largest(direction), 1e-300)
    for j in range(n + 1):
        out[j] = 0.0
    for sign in (1.0, -1.0):
        displace(moved, z, sign * step, direction)
        evaluate(system, moved, work)
        for i in range(n):
            share = sign * left[i] / (2.0 * step)
            out[i] += share * work.main[i]
            out[n] += share * work.column[i]
            if i > 0:
                out[i - 1] += share * work.lower[i]
            if i + 1 < n:
                out[i + 1] += share * work.upper[i]


def _bordered(work: Any, own: TridiagonalTurnWork, direction: Array, adjoint: Array) -> float:
    """Solve the Jacobian in the unknowns, bordered by the null vectors, both ways.

    Returns the test function; see `events.bordering`.
    """
    n = own.left.size
    scale = max(largest(work.lower), largest(work.main), largest(work.upper))
    if scale == 0.0:
        scale = 1.0
    row, column = own.vectors[4], own.vectors[5][:n]
    transpose(work.lower, work.upper, own.below, own.above)
    test = 0.0
    for transposed in (False, True):
        vector = adjoint if transposed else direction
        for i in range(n):
            one, other = scale * own.left[i], scale * own.right[i]
            column[i], row[i] = (other, one) if transposed else (one, other)
        row[n], vector[n] = 0.0, 1.0
        lower, upper = (own.below, own.above) if transposed else (work.lower, work.upper)
        solve_bordered(lower, work.main, upper, column, row, vector, False, work.factors)
        test = scale * scale * vector[n]
        for i in range(n):
            vector[i] *= scale
    return test
