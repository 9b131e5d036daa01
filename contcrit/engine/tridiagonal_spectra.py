"""The smallest singular values of a tridiagonal Jacobian, by inverse iteration on a subspace.

Written for the compiler, like `tridiagonal`, and run as plain Python to be checked.
"""

from __future__ import annotations

import math

import numpy as np

from .dense import singular_values
from .tridiagonal import (
    TridiagonalFactors,
    orthonormalise,
    solve,
    solve_block,
    solve_block_transposed,
    solve_transposed,
)

Array = np.ndarray

WIDTH = 3
"""Vectors in a subspace: two values are wanted, the third speeds up convergence."""

_ACCURACY = 1e-3
"""Relative accuracy of singular values, which are compared by orders of magnitude."""

_ITERATIONS = 40


def inner_values(
    factors: TridiagonalFactors, basis: Array, image: Array, triangle: Array, columns: Array,
    sizes: Array, values: Array,
) -> bool:  # fmt: skip
    """Write the smallest singular values of a factored tridiagonal matrix; tell of success.

    Parameters
    ----------
    factors : TridiagonalFactors
    basis : ndarray of shape (n, 3)
        Vectors to begin with; overwritten by right singular vectors, before the turn
        ``triangle / sizes``.
    image : ndarray of shape (n, 3)
        Output: left singular vectors, before the turn `columns`.
    triangle, columns : ndarray of shape (3, 3)
        Outputs.
    sizes : ndarray of shape (3,)
        Output: reciprocals of the values, ascending.
    values : ndarray of shape (2,)
        Output, ascending.
    """
    n = basis.shape[0]
    values[:] = math.inf
    orthonormalise(basis, triangle)
    for iteration in range(_ITERATIONS):
        for i in range(n):
            for k in range(WIDTH):
                image[i, k] = basis[i, k]
        solve_block_transposed(factors, image)
        orthonormalise(image, triangle)
        for i in range(n):
            for k in range(WIDTH):
                basis[i, k] = image[i, k]
        solve_block(factors, basis)
        orthonormalise(basis, triangle)
        singular_values(triangle, columns, sizes)
        if _settled(values, sizes) and iteration > 0:
            return True
        if not math.isfinite(sizes[0]):
            return False
    return False


def full_values(
    factors: TridiagonalFactors, column: Array, outer: Array, image: Array, vectors: Array,
    triangle: Array, columns: Array, sizes: Array, values: Array,
) -> bool:  # fmt: skip
    """Do what `inner_values` does for a tridiagonal matrix with a column on its right.

    The matrix bordered by its null vector is regular. Both ways it is solved by mixed block
    elimination (Govaerts and Pryce, IMA J. Numer. Anal. 13 (1993), 161-180), which does not mind
    that the square part may be singular.

    Parameters
    ----------
    factors : TridiagonalFactors
        Of the square part.
    column : ndarray of shape (n,)
    outer : ndarray of shape (n + 1, 3)
        Vectors to begin with; overwritten.
    image, triangle, columns, sizes, values : ndarray
        As for `inner_values`.
    vectors : ndarray of shape (k, n + 1), k >= 3
        Scratch.
    """
    n = column.size
    null, solved, adjoint = vectors[0], vectors[1][:n], vectors[2][:n]
    for i in range(n):
        solved[i] = column[i]
    solve(factors, solved)
    size = 1.0
    for i in range(n):
        size += solved[i] * solved[i]
    size = 1.0 / math.sqrt(size)
    if not size > 0.0:
        return False
    null[n] = size
    for i in range(n):
        null[i] = -size * solved[i]
        adjoint[i] = null[i]
    solve_transposed(factors, adjoint)
    pivot = other_pivot = null[n]
    for i in range(n):
        pivot -= null[i] * solved[i]
        other_pivot -= adjoint[i] * column[i]
    values[:] = math.inf
    _project(outer, null)
    orthonormalise(outer, triangle)
    for iteration in range(_ITERATIONS):
        # The transposed bordered system, for `outer`.
        for k in range(WIDTH):
            first = outer[n, k]
            for i in range(n):
                first -= solved[i] * outer[i, k]
            sizes[k] = first / pivot
            for i in range(n):
                image[i, k] = outer[i, k] - sizes[k] * null[i]
        solve_block_transposed(factors, image)
        for k in range(WIDTH):
            second = outer[n, k] - null[n] * sizes[k]
            for i in range(n):
                second -= column[i] * image[i, k]
            second /= other_pivot
            for i in range(n):
                image[i, k] -= second * adjoint[i]
        orthonormalise(image, triangle)
        # The bordered system, for `image`.
        for k in range(WIDTH):
            first = 0.0
            for i in range(n):
                first -= adjoint[i] * image[i, k]
            sizes[k] = first / other_pivot
            for i in range(n):
                outer[i, k] = image[i, k] - sizes[k] * column[i]
        solve_block(factors, outer[:n])
        for k in range(WIDTH):
            second = -null[n] * sizes[k]
            for i in range(n):
                second -= null[i] * outer[i, k]
            second /= pivot
            for i in range(n):
                outer[i, k] -= second * solved[i]
            outer[n, k] = sizes[k] + second
        _project(outer, null)
        orthonormalise(outer, triangle)
        singular_values(triangle, columns, sizes)
        if _settled(values, sizes) and iteration > 0:
            return True
        if not math.isfinite(sizes[0]):
            return False
    return False


def _project(block: Array, null: Array) -> None:
    """Remove from the columns of a block their part along a unit vector."""
    for k in range(block.shape[1]):
        along = 0.0
        for i in range(null.size):
            along += null[i] * block[i, k]
        for i in range(null.size):
            block[i, k] -= along * null[i]


def _settled(values: Array, sizes: Array) -> bool:
    """Write the reciprocals of the largest sizes; tell whether they are those already there."""
    settled = True
    for k in range(values.size):
        value = 1.0 / sizes[sizes.size - 1 - k]
        # Tiny values need no digits of their own.
        least = max(value, 1e-3 / sizes[sizes.size - values.size])
        settled = settled and abs(value - values[k]) <= _ACCURACY * least
        values[k] = value
    return settled
