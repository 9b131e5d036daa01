"""A branch point between two accepted points, located and confirmed in compiled code.

Kernels of any small dimension across which as many eigenvalues change sides; the same two locators
and the same judgement as `location` and `identification`, which take over whatever is not of this
kind. It runs on native handles only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .between import (
    CROSSING,
    LOOSE,
    NOT_SIMPLE,
    SIMPLE,
    BetweenWork,
    Pair,
    confirmed,
    leading_zeros,
    search,
    side_counts,
    spectra,
    station,
    test_value,
)
from .cross_system import DROPPED, CrossWork, refine
from .kernel import Control, assign, displace, inner, residual_size

Array = np.ndarray


def branch_point(
    system: Any,
    pair: Pair,
    before: Array,
    after: Array,
    spread: float,
    weights: Array,
    control: Control,
    rank_tolerance: float,
    location_tolerance: float,
    work: Any,
    own: BetweenWork,
    room: CrossWork,
) -> tuple[int, float, float, int, int, int, int]:
    """Locate the branch point at which eigenvalues change sides between two accepted points.

    Parameters
    ----------
    system : native handle
    pair : Pair
        The two points.
    before, after : ndarray of shape (n + 1,)
        Points on either side, far enough to tell singular from regular.
    spread : float
        Distance of the regular points that the branch is interpolated through.
    weights : ndarray of shape (n + 1,)
    control : Control
    rank_tolerance, location_tolerance : float
    work : native workspace
    own : BetweenWork
        Holds the results.
    room : CrossWork

    Returns
    -------
    outcome : int
        `SIMPLE`, or `NOT_SIMPLE` where the general machinery must judge.
    position : float
        Offset of the located point along the first tangent.
    residual : float
        max|F| at the extended system's point.
    kernel_dimension, excess : int
    negative_before, negative_after : int
        Numbers of eigenvalues with a negative real part right before and right after it.
    """
    failed = NOT_SIMPLE, 0.0, 0.0, 0, 0, -1, -1
    size = pair.z.size
    position = search(CROSSING, system, pair, weights, control, location_tolerance, work, own)
    if not math.isfinite(position):
        return failed
    spectra(system, before, after, work, own)
    excess = leading_zeros(own.full, own.full_reference, LOOSE)
    kernel = leading_zeros(own.values, own.reference, LOOSE)
    crossing = abs(pair.after - pair.before)
    if not 1 <= excess <= room.left.shape[0] or kernel != crossing:
        return failed
    # What is regular must be so by far: least squares drops tiny directions, and differences of
    # the Jacobian do not resolve them.
    if excess < size - 1 and own.full[excess] <= 10.0 * DROPPED * own.full[size - 2]:
        return failed
    assign(own.refined, own.located)
    if not refine(system, excess, control, work, own, room):
        return failed
    if not confirmed(system, before, after, control, work, own):
        return failed
    if (
        leading_zeros(own.full, own.full_reference, rank_tolerance) != excess
        or leading_zeros(own.values, own.reference, rank_tolerance) != kernel
    ):
        return failed
    residual = residual_size(system, work)
    known, first, last = side_counts(system, pair, position, weights, control, work, own)
    if not known:
        return failed
    _interpolate(system, pair, position, spread, weights, control, work, own, room)
    return SIMPLE, position, residual, kernel, excess, first, last


def _interpolate(
    system: Any, pair: Pair, position: float, spread: float, weights: Array, control: Control,
    work: Any, own: BetweenWork, room: CrossWork,
) -> None:  # fmt: skip
    """Improve the located point and its tangent by cubics through four regular points around.

    At a branch point the corrector itself is singular; see `Identifier`.
    """
    nodes = (-2.0, -1.0, 1.0, 2.0)
    for k in range(4):
        if not station(system, pair, position + spread * nodes[k], weights, control, work, own):
            return
        assign(room.samples[k], own.vectors[2])
        assign(room.tangents[k], own.vectors[3])
        room.tests[k] = test_value(
            CROSSING, system, pair, own.vectors[2], own.vectors[3], work, own
        )
        if not math.isfinite(room.tests[k]):
            return
    low, high = -1.0, 1.0
    before = _cubic(nodes, room.tests, low)
    if not before * _cubic(nodes, room.tests, high) < 0.0:
        return
    for _ in range(60):  # the cubic costs nothing: bisection is good enough
        middle = 0.5 * (low + high)
        if _cubic(nodes, room.tests, middle) * before > 0.0:
            low = middle
        else:
            high = middle
    root = 0.5 * (low + high)
    for i in range(pair.z.size):
        own.located[i] = own.tangent[i] = 0.0
    for k in range(4):
        share = _lagrange(nodes, k, root)
        displace(own.located, own.located, share, room.samples[k])
        displace(own.tangent, own.tangent, share, room.tangents[k])
    length = math.sqrt(inner(weights, own.tangent, own.tangent))
    for i in range(pair.z.size):
        own.tangent[i] /= length


def _lagrange(nodes: tuple[float, float, float, float], k: int, at: float) -> float:
    value = 1.0
    for j in range(4):
        if j != k:
            value *= (at - nodes[j]) / (nodes[k] - nodes[j])
    return value


def _cubic(nodes: tuple[float, float, float, float], values: Array, at: float) -> float:
    total = 0.0
    for k in range(4):
        total += _lagrange(nodes, k, at) * values[k]
    return total
