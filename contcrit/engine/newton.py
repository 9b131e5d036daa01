"""Newton's method for many small problems, compiled: the same equations, other starts and values.

These loops run on native handles only and allocate nothing: each thread brings its own work arrays,
so that several may run at once, and what is computed for one problem depends on no other.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .deflation import HALVINGS, ITERATIONS, LEAPS
from .kernel import assign, evaluate, largest, residual_size
from .own_memory import separate

Array = np.ndarray

CONVERGED = 0
OUT_OF_DOMAIN = 1
OUT_OF_REGION = 2
STALLED = 3
SINGULAR = 4
"""How Newton's method ended; `SINGULAR` leaves the judgement to the general machinery."""


class BatchWork(NamedTuple):
    """Arrays of one thread.

    Parameters
    ----------
    factors : ndarray of shape (n, n)
    pivots : ndarray of int, shape (n,)
    vectors : ndarray of shape (8, n + 1)
    scratch : ndarray of shape (6, n + 1)
        For the walk.
    tall : ndarray of shape (n + 1, n)
    columns : ndarray of shape (n, n)
    values : ndarray of shape (n,)
    """

    factors: Array
    pivots: Array
    vectors: Array
    scratch: Array
    tall: Array
    columns: Array
    values: Array


def batch_work(size: int) -> BatchWork:
    """Return arrays that fit n unknowns."""
    n = size
    factors, pivots, vectors, scratch, tall, columns, values = separate(
        (n, n), (n,), (8, n + 1), (6, n + 1), (n + 1, n), (n, n), (n,)
    )
    whole = pivots.view(np.int64)
    return BatchWork(factors, whole, vectors, scratch, tall, columns, values)


def choose(work: Any, constants: Array, first: int) -> None:
    """Set the values of the other parameters, which follow z among the inputs."""
    for j in range(constants.size):
        work.inputs[first + j] = constants[j]


def solve_block(
    system: Any,
    first: int,
    last: int,
    points: Array,
    constants: Array,
    low: Array,
    high: Array,
    width: Array,
    newton_tolerance: float,
    residual_tolerance: float,
    work: Any,
    own: BatchWork,
    outcomes: Array,
    iterations: Array,
    residuals: Array,
) -> None:
    """Solve problems first..last - 1 at their fixed parameters.

    Parameters
    ----------
    system : native handle
    first, last : int
    points : ndarray of shape (m, n + 1)
        Starts, overwritten by the last iterates.
    constants : ndarray of shape (m, c)
    low, high, width : ndarray of shape (n,)
        As in `deflation.deflated_newton`.
    newton_tolerance, residual_tolerance : float
    work : native workspace
    own : BatchWork
    outcomes, iterations : ndarray of int, shape (m,)
        Outputs.
    residuals : ndarray of shape (m,)
        Outputs: max|F|.
    """
    size = points.shape[1]
    for k in range(first, last):
        choose(work, constants[k], size)
        outcomes[k], iterations[k], residuals[k] = newton(
            system, points[k], low, high, width, newton_tolerance, residual_tolerance, work, own
        )


def newton(
    system: Any,
    z: Array,
    low: Array,
    high: Array,
    width: Array,
    newton_tolerance: float,
    residual_tolerance: float,
    work: Any,
    own: BatchWork,
) -> tuple[int, int, float]:
    """Solve F(x, p) = 0 at the fixed parameter of z by damped Newton steps.

    The steps are those of `deflation.deflated_newton` without known solutions.

    Returns
    -------
    outcome, iterations : int
    residual : float
        max|F| at the last iterate, which z is overwritten by.

    References
    ----------
    P. Deuflhard, Newton Methods for Nonlinear Problems, Springer, 2011, section 3.3.
    """
    n = z.size - 1
    plain, correction, candidate = own.vectors[0], own.vectors[1], own.vectors[2]
    candidate[n] = z[n]
    damping, leaps = 1.0, 0
    evaluate(system, z, work)
    value = residual_size(system, work)
    for iteration in range(ITERATIONS):
        if not (math.isfinite(value) and _finite_jacobian(work, n)):
            return OUT_OF_DOMAIN, iteration, math.inf
        if not _factorise(work, own.factors, own.pivots):
            return SINGULAR, iteration, value
        for i in range(n):
            plain[i] = -work.residual[i]
        _substitute(own.factors, own.pivots, plain)
        if not math.isfinite(largest(plain[:n])):
            return SINGULAR, iteration, value
        if _is_solution(z, plain, value, newton_tolerance, residual_tolerance, work):
            # One more step costs little and squares the error.
            for i in range(n):
                candidate[i] = z[i] + plain[i]
            evaluate(system, candidate, work)
            after = residual_size(system, work)
            if math.isfinite(after) and after <= value:
                assign(z, candidate)
                value = after
            return CONVERGED, iteration + 1, value
        length = _mean(plain, width)
        cap = min(1.0, 0.5 / length) if length > 0.0 else 1.0
        damping = min(1.0, 4.0 * damping)
        accepted = False
        for _ in range(HALVINGS + 1):
            share = cap * damping
            for i in range(n):
                candidate[i] = z[i] + share * plain[i]
            evaluate(system, candidate, work)
            value = residual_size(system, work)
            if math.isfinite(value):
                for i in range(n):
                    correction[i] = work.residual[i]
                _substitute(own.factors, own.pivots, correction)
                if _mean(correction, width) <= (1.0 - share / 4.0) * length:
                    accepted = True
                    break
            damping /= 2.0
        if not accepted:
            leaps += 1
            if leaps > LEAPS:
                evaluate(system, z, work)
                return STALLED, iteration, residual_size(system, work)
            damping = 1.0
            for i in range(n):
                candidate[i] = z[i] + cap * plain[i]
            evaluate(system, candidate, work)
            value = residual_size(system, work)
        assign(z, candidate)
        for i in range(n):
            if z[i] < low[i] or z[i] > high[i]:
                return OUT_OF_REGION, iteration, value
    return STALLED, ITERATIONS, value


def _finite_jacobian(work: Any, n: int) -> bool:
    for i in range(n):
        for j in range(n):
            if not math.isfinite(work.jacobian[i, j]):
                return False
    return True


def _is_solution(
    z: Array,
    plain: Array,
    value: float,
    newton_tolerance: float,
    residual_tolerance: float,
    work: Any,
) -> bool:
    """Tell whether the step is short and the residual small, or at its rounding level."""
    n = z.size - 1
    if largest(plain[:n]) > newton_tolerance * (1.0 + largest(z[:n])):
        return False
    rounding = 0.0
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += abs(work.jacobian[i, j]) * (1.0 + abs(z[j]))
        rounding = max(rounding, total)
    return value <= max(residual_tolerance, 8.0 * 2.220446049250313e-16 * rounding)


def _mean(vector: Array, width: Array) -> float:
    """Return the root of the mean square relative to the widths."""
    total = 0.0
    for i in range(width.size):
        total += (vector[i] / width[i]) ** 2
    return math.sqrt(total / width.size)


def _factorise(work: Any, factors: Array, pivots: Array) -> bool:
    """Factor the last Jacobian in the unknowns with row pivoting; False where it is singular."""
    n = pivots.size
    for i in range(n):
        for j in range(n):
            factors[i, j] = work.jacobian[i, j]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(factors[i, k]) > abs(factors[pivot, k]):
                pivot = i
        pivots[k] = pivot
        if factors[pivot, k] == 0.0:
            return False
        if pivot != k:
            for j in range(n):
                factors[k, j], factors[pivot, j] = factors[pivot, j], factors[k, j]
        inverse = 1.0 / factors[k, k]
        for i in range(k + 1, n):
            factor = factors[i, k] * inverse
            factors[i, k] = factor
            for j in range(k + 1, n):
                factors[i, j] -= factor * factors[k, j]
    return True


def _substitute(factors: Array, pivots: Array, right: Array) -> None:
    """Solve with the factors, in place."""
    n = pivots.size
    for k in range(n):
        pivot = pivots[k]
        if pivot != k:
            right[k], right[pivot] = right[pivot], right[k]
    for k in range(1, n):
        for j in range(k):
            right[k] -= factors[k, j] * right[j]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            right[k] -= factors[k, j] * right[j]
        right[k] /= factors[k, k]
