"""The extended system of a branch point in compiled code, for kernels of any small dimension.

F = 0 and all bordered test functions = 0, solved by Newton's method in the least-squares sense.

References
----------
W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, section 6.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .between import BetweenWork
from .dense import singular_values
from .elimination import eliminate
from .kernel import Control, displace, evaluate, largest

Array = np.ndarray

LARGEST_KERNEL = 4
"""Largest excess of rank that is dealt with here."""

DROPPED = 1e-5
"""Share of the largest singular value below which least squares drops a direction."""


class CrossWork(NamedTuple):
    """Arrays for the extended system of a branch point; e stands for the largest excess.

    Parameters
    ----------
    bordered : ndarray of shape (n + 1 + e, n + 1 + e)
    vector : ndarray of shape (n + 1 + e,)
    left : ndarray of shape (e, n)
        Left null vectors, then the border's solutions.
    right : ndarray of shape (e + 1, n + 1)
        Null vectors of the full Jacobian.
    adjoint, direction : ndarray like `left` and `right`
        Solutions of the bordered systems.
    test : ndarray of shape (e, e + 1)
        Test functions.
    change : ndarray of shape (n, n + 1)
        Derivative of the Jacobian along a direction.
    system : ndarray of shape (n + e (e + 1), n + 1)
    value : ndarray of shape (n + e (e + 1),)
    wide, columns : ndarray of shape (n + 1, n + 1)
    values, increment : ndarray of shape (n + 1,)
    samples, tangents : ndarray of shape (4, n + 1)
    tests : ndarray of shape (4,)
    """

    bordered: Array
    vector: Array
    left: Array
    right: Array
    adjoint: Array
    direction: Array
    test: Array
    change: Array
    system: Array
    value: Array
    wide: Array
    columns: Array
    values: Array
    increment: Array
    samples: Array
    tangents: Array
    tests: Array


def cross_work(n: int) -> CrossWork:
    """Return arrays that fit n unknowns."""
    e = min(LARGEST_KERNEL, n)
    rows = n + e * (e + 1)
    shapes = [
        (n + 1 + e, n + 1 + e), (n + 1 + e,), (e, n), (e + 1, n + 1), (e, n), (e + 1, n + 1),
        (e, e + 1), (n, n + 1), (rows, n + 1), (rows,), (n + 1, n + 1), (n + 1, n + 1), (n + 1,),
        (n + 1,), (4, n + 1), (4, n + 1), (4,),
    ]  # fmt: skip
    return CrossWork(*(np.zeros(shape) for shape in shapes))


def refine(
    system: Any, excess: int, control: Control, work: Any, own: BetweenWork, room: CrossWork
) -> bool:
    """Solve F = 0 and all bordered test functions = 0, in the least-squares sense, from `refined`.

    Returns whether it converges.
    """
    z = own.refined
    n = z.size - 1
    rows = n + excess * (excess + 1)
    _null_vectors(system, z, excess, work, own, room)
    matrix, value = room.system[:rows], room.value[:rows]
    previous = math.inf
    converged = False
    for _ in range(12):
        if converged and previous <= 1e-15:
            break
        evaluate(system, z, work)
        if not _bordered(excess, work, room):
            return False
        for i in range(n):
            value[i] = work.residual[i]
            for j in range(n + 1):
                matrix[i, j] = work.jacobian[i, j]
        row = n
        for j in range(excess + 1):
            for i in range(excess):
                value[row] = room.test[i, j]
                row += 1
        row = n
        for j in range(excess + 1):
            _change(system, z, room.direction[j], work, own, room)
            for i in range(excess):
                for k in range(n + 1):
                    total = 0.0
                    for m in range(n):
                        total -= room.adjoint[i, m] * room.change[m, k]
                    matrix[row, k] = total
                row += 1
        # Test functions are scaled like the equations; those have one scale in common, since an
        # equation whose gradient vanishes at the point must not count as the others do.
        common = 1e-300
        for i in range(n):
            common = max(common, _norm(matrix[i]))
        for i in range(rows):
            norm = common if i < n else max(_norm(matrix[i]), 1e-300)
            value[i] /= norm
            for k in range(n + 1):
                matrix[i, k] /= norm
        _least_squares(matrix, value, room)
        step = largest(room.increment) / (1.0 + largest(z))
        if not math.isfinite(step):
            return False
        if converged and step >= previous:
            break
        displace(z, z, 1.0, room.increment)
        converged = converged or step <= control.newton_tolerance
        previous = step
    return converged


def _norm(vector: Array) -> float:
    total = 0.0
    for k in range(vector.size):
        total += vector[k] ** 2
    return math.sqrt(total)


def _least_squares(matrix: Array, value: Array, room: CrossWork) -> None:
    """Write the least-squares solution of matrix increment = -value, tiny directions dropped."""
    rows, size = matrix.shape
    singular_values(matrix, room.columns, room.values)
    biggest = room.values[size - 1]
    for k in range(size):
        room.increment[k] = 0.0
    for j in range(size):
        sigma = room.values[j]
        if sigma <= DROPPED * biggest:
            continue
        total = 0.0
        for i in range(rows):
            total += matrix[i, j] * value[i]
        for k in range(size):
            room.increment[k] -= room.columns[k, j] * total / (sigma * sigma)


def _null_vectors(
    system: Any, z: Array, excess: int, work: Any, own: BetweenWork, room: CrossWork
) -> None:
    """Write the singular vectors of the full Jacobian's smallest singular values, either side."""
    n = z.size - 1
    evaluate(system, z, work)
    for i in range(n):
        for j in range(n + 1):
            entry = work.jacobian[i, j]
            own.tall[j, i] = entry
            room.wide[i, j] = entry
    for j in range(n + 1):
        room.wide[n, j] = 0.0
    singular_values(own.tall, own.columns, own.vectors[6][:n])
    for k in range(excess):
        for i in range(n):
            room.left[k, i] = own.columns[i, k]
    singular_values(room.wide, room.columns, room.values)
    for k in range(excess + 1):
        for i in range(n + 1):
            room.right[k, i] = room.columns[i, k]


def _bordered(excess: int, work: Any, room: CrossWork) -> bool:
    """Solve the full Jacobian, bordered by its null vectors, both ways; see `events.bordering`."""
    n = room.left.shape[1]
    size = n + 1 + excess
    scale = 0.0
    for i in range(n):
        for j in range(n + 1):
            scale = max(scale, abs(work.jacobian[i, j]))
    if scale == 0.0:
        scale = 1.0
    matrix, vector = room.bordered[:size, :size], room.vector[:size]
    for which in range(2 * excess + 1):
        transposed = which > excess
        for i in range(size):
            for j in range(size):
                matrix[i, j] = 0.0
            vector[i] = 0.0
        for i in range(n):
            for j in range(n + 1):
                entry = work.jacobian[i, j]
                if transposed:
                    matrix[j, i] = entry
                else:
                    matrix[i, j] = entry
            for k in range(excess):
                if transposed:
                    matrix[n + 1 + k, i] = scale * room.left[k, i]
                else:
                    matrix[i, n + 1 + k] = scale * room.left[k, i]
        for k in range(excess + 1):
            for j in range(n + 1):
                if transposed:
                    matrix[j, n + k] = scale * room.right[k, j]
                else:
                    matrix[n + k, j] = scale * room.right[k, j]
        if transposed:
            vector[n + 1 + which - excess - 1] = 1.0
        else:
            vector[n + which] = 1.0
        factor, _ = eliminate(matrix, vector)
        if factor == 0.0:
            return False
        if transposed:
            for i in range(n):
                room.adjoint[which - excess - 1, i] = scale * vector[i]
        else:
            for j in range(n + 1):
                room.direction[which, j] = scale * vector[j]
            for k in range(excess):
                room.test[k, which] = scale * scale * vector[n + 1 + k]
    return True


def _change(
    system: Any, z: Array, direction: Array, work: Any, own: BetweenWork, room: CrossWork
) -> None:
    """Write the derivative of the Jacobian along a direction, by a central difference."""
    n = z.size - 1
    moved = own.vectors[7]
    step = 6e-6 * (1.0 + largest(z)) / max(largest(direction), 1e-300)
    for side in (1.0, -1.0):
        displace(moved, z, side * step, direction)
        evaluate(system, moved, work)
        for i in range(n):
            for j in range(n + 1):
                entry = work.jacobian[i, j] / (2.0 * step)
                room.change[i, j] = entry if side > 0.0 else room.change[i, j] - entry
