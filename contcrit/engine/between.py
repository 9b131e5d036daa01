"""Between two accepted points, in compiled code: steps to any offset, roots, and spectra.

What `turn` and `cross` have in common. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .corrector import settle
from .dense import singular_values
from .kernel import (
    Control,
    assign,
    displace,
    evaluate,
    inner,
    interpolate,
    negative_eigenvalues,
    offset,
    residual_floor,
    residual_size,
    weigh,
)
from .roots import next_share

Array = np.ndarray

SIMPLE = 0
NOT_SIMPLE = 1

LOOSE = 0.1
"""Share of the value at the ends below which a singular value may turn out to be zero."""

TURN = 0
CROSSING = 1

NUDGES = (0.0, 1e-9, -1e-9, 1e-7)
"""Shares of a step by which to move on where Newton's method fails, at a singular point for one."""


class Pair(NamedTuple):
    """Two consecutive accepted points with their tangents.

    Parameters
    ----------
    z, tangent, z_new, tangent_new : ndarray of shape (n + 1,)
    reach : float
        Offset of the second point along the first tangent.
    before, after : int
        Numbers of eigenvalues with a negative real part at the two.
    """

    z: Array
    tangent: Array
    z_new: Array
    tangent_new: Array
    reach: float
    before: int
    after: int


class BetweenWork(NamedTuple):
    """Arrays that the search for a special point works in, and leaves its results in.

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
        Singular values at the point, ascending: of the Jacobian in the unknowns, of the full one.
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


def between_work(size: int) -> BetweenWork:
    """Return arrays that fit n unknowns."""
    located, tangent, refined = np.empty((3, size + 1))
    left, right, values, full, reference, full_reference = np.empty((6, size))
    return BetweenWork(
        located, tangent, refined, np.empty((8, size + 1)), np.empty((size, size)),
        np.empty((size, size)), np.empty((size + 1, size)), left, right, values, full, reference,
        full_reference,
    )  # fmt: skip


def station(
    system: Any, pair: Pair, at: float, weights: Array, control: Control, work: Any,
    own: BetweenWork,
) -> bool:  # fmt: skip
    """Take a continuation step to an offset between the two points, into vectors 2 and 3."""
    point, direction, row, increment = (
        own.vectors[2],
        own.vectors[3],
        own.vectors[4],
        own.vectors[5],
    )
    z, tangent, z_new, tangent_new, reach = (
        pair.z, pair.tangent, pair.z_new, pair.tangent_new, pair.reach,
    )  # fmt: skip
    cosine = inner(weights, tangent, tangent_new)
    weigh(row, weights, tangent)
    for nudge in NUDGES:
        here = at + nudge * reach
        interpolate(point, here / reach, z, tangent, reach, z_new, tangent_new, reach / cosine)
        displace(point, point, here - offset(weights, tangent, z, point), tangent)
        if settle(system, point, row, weights, control, work, direction, increment)[0]:
            return True
    return False


def test_value(
    kind: int, system: Any, pair: Pair, point: Array, direction: Array, work: Any, own: BetweenWork
) -> float:
    """Return the tangent's parameter component, or the signed smallest singular value.

    The latter belongs to the Jacobian in the unknowns; it is positive where the eigenvalues are
    those of the first point, negative where they are those of the second, else not a number.
    """
    if kind == TURN:
        return float(direction[direction.size - 1])
    evaluate(system, point, work)
    count = negative_eigenvalues(system, point, work)
    values = own.vectors[6][: point.size - 1]
    load_square(work, own)
    singular_values(own.square, own.columns, values)
    if count == pair.before:
        return float(values[0])
    if count == pair.after:
        return -float(values[0])
    return math.nan


def search(
    kind: int, system: Any, pair: Pair, weights: Array, control: Control, tolerance: float,
    work: Any, own: BetweenWork,
) -> float:  # fmt: skip
    """Drive the test function of a kind to zero, as `roots.close_in` does.

    Returns the offset, or not a number; the point stands in `located` and `tangent`. Where a step
    fails, as may happen right at a branch point, the best point so far stands.
    """
    x1 = pair.reach
    f1 = test_value(kind, system, pair, pair.z_new, pair.tangent_new, work, own)
    x2 = 0.0
    f2 = test_value(kind, system, pair, pair.z, pair.tangent, work, own)
    if not f1 * f2 < 0.0:
        return math.nan
    x3, f3 = x2, f2
    share = 0.5
    best, position = math.inf, math.nan
    for _ in range(80):
        x = x1 + share * (x2 - x1)
        if not station(system, pair, x, weights, control, work, own):
            return position
        f = test_value(kind, system, pair, own.vectors[2], own.vectors[3], work, own)
        if not math.isfinite(f):
            return position
        if abs(f) < best:
            best, position = abs(f), x
            assign(own.located, own.vectors[2])
            assign(own.tangent, own.vectors[3])
        if f * f1 > 0.0:
            x3, f3 = x1, f1
        else:
            x3, f3, x2, f2 = x2, f2, x1, f1
        x1, f1 = x, f
        least = 1.0
        if x2 != x1:
            least = (4.4e-16 * abs(position) + 0.5 * tolerance) / abs(x2 - x1)
        if least > 0.5 or best == 0.0:
            break
        share = next_share(x1, x2, x3, f1, f2, f3, least)
    return position


def load_square(work: Any, own: BetweenWork) -> None:
    """Write the last Jacobian in the unknowns into `square`."""
    for i in range(own.square.shape[0]):
        for j in range(own.square.shape[0]):
            own.square[i, j] = work.jacobian[i, j]


def spectrum(
    system: Any, z: Array, work: Any, own: BetweenWork, values: Array, full: Array, fresh: bool
) -> None:
    """Write the singular values at z, or raise those already there to them."""
    n = z.size - 1
    evaluate(system, z, work)
    load_square(work, own)
    for i in range(n):
        for j in range(n + 1):
            own.tall[j, i] = work.jacobian[i, j]
    scratch = own.vectors[6][:n]
    singular_values(own.square, own.columns, scratch)
    for i in range(n):
        values[i] = scratch[i] if fresh else max(values[i], scratch[i])
    singular_values(own.tall, own.columns, scratch)
    for i in range(n):
        full[i] = scratch[i] if fresh else max(full[i], scratch[i])


def leading_zeros(values: Array, reference: Array, tolerance: float) -> int:
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


def spectra(system: Any, before: Array, after: Array, work: Any, own: BetweenWork) -> None:
    """Write the singular values at the ends, which tell what is regular, and at `located`."""
    spectrum(system, before, work, own, own.reference, own.full_reference, True)
    spectrum(system, after, work, own, own.reference, own.full_reference, False)
    spectrum(system, own.located, work, own, own.values, own.full, True)


def confirmed(
    system: Any, before: Array, after: Array, control: Control, work: Any, own: BetweenWork
) -> bool:
    """Tell whether the refined point lies by the located one and solves the equations.

    Writes the singular values there.
    """
    width = shift = 0.0
    for i in range(own.refined.size):
        width = max(width, abs(after[i] - before[i]))
        shift = max(shift, abs(own.refined[i] - own.located[i]))
    if not shift <= 0.01 * width + 1e-8:
        return False
    evaluate(system, own.refined, work)
    floor = residual_floor(system, own.refined, work)
    if not residual_size(system, work) <= max(control.residual_tolerance, floor):
        return False
    spectrum(system, own.refined, work, own, own.values, own.full, True)
    return True


def side_counts(
    system: Any, pair: Pair, position: float, weights: Array, control: Control, work: Any,
    own: BetweenWork,
) -> tuple[bool, int, int]:  # fmt: skip
    """Return the numbers of eigenvalues with a negative real part right before and after.

    The first entry tells whether both steps succeeded.
    """
    first = last = -1
    for side in (-1e-4, 1e-4):
        at = position + side * pair.reach
        if not station(system, pair, at, weights, control, work, own):
            return False, -1, -1
        first, last = last, negative_eigenvalues(system, own.vectors[2], work)
    return True, first, last
