"""Linear algebra of tridiagonal matrices with a border, written for the compiler: plain loops.

The matrix T is given by what is below, on and above its diagonal, each by row: ``lower[i]`` is
entry (i, i - 1) and ``upper[i]`` entry (i, i + 1). These functions run as plain Python too, which
is how they are checked.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

Array = np.ndarray

_CANCELLATION = 1e6
"""Loss by cancellation at which plain block elimination gives way to the mixed one."""

_LEAST_QUOTIENT = 1e-290
"""Stands for quotients of leading minors that are smaller, or zero."""


class TridiagonalFactors(NamedTuple):
    """Arrays for factors of a tridiagonal matrix, and for solutions; all of shape (n,).

    Parameters
    ----------
    multipliers, inverses, above, beyond : ndarray
        The unit lower factor; inverse pivots, first and second superdiagonal of the upper one.
    swapped : ndarray of bool
        Whether rows i and i + 1 were exchanged.
    null, particular, left : ndarray
        Solutions.
    """

    multipliers: Array
    inverses: Array
    above: Array
    beyond: Array
    swapped: Array
    null: Array
    particular: Array
    left: Array


def tridiagonal_factors(size: int) -> TridiagonalFactors:
    """Return arrays that fit n unknowns."""
    multipliers, inverses, above, beyond, null, particular, left = np.zeros((7, size))
    swapped = np.zeros(size, dtype=np.bool_)
    return TridiagonalFactors(multipliers, inverses, above, beyond, swapped, null, particular, left)


def factor(lower: Array, main: Array, upper: Array, own: TridiagonalFactors) -> tuple[float, float]:
    """Factor T by LU with partial pivoting; return the determinant as factor and logarithm.

    A pivot that is exactly zero is replaced by one of the size of rounding, which a border makes up
    for.
    """
    size = main.size
    product, logarithm = 1.0, 0.0
    diagonal, beside = main[0], upper[0]
    for i in range(size):
        below = lower[i + 1] if i + 1 < size else 0.0
        following = main[i + 1] if i + 1 < size else 0.0
        farther = upper[i + 1] if i + 2 < size else 0.0
        own.beyond[i] = 0.0
        own.swapped[i] = False
        pivot = diagonal
        if abs(below) > abs(diagonal):
            own.swapped[i] = True
            pivot = below
            multiplier = diagonal / below
            own.above[i] = following
            own.beyond[i] = farther
            diagonal = beside - multiplier * following
            beside = -multiplier * farther
            product = -product
        else:
            if pivot == 0.0:
                pivot = tiny(lower, main, upper)
            multiplier = below / pivot
            own.above[i] = beside
            diagonal = following - multiplier * beside
            beside = farther
        own.multipliers[i] = multiplier
        own.inverses[i] = 1.0 / pivot
        product *= pivot
        if not 1e-100 < abs(product) < 1e100:
            logarithm += math.log(abs(product))
            product = math.copysign(1.0, product)
    own.above[size - 1] = 0.0
    return product, logarithm


def tiny(lower: Array, main: Array, upper: Array) -> float:
    """Return the size of rounding in T."""
    size = 0.0
    for i in range(main.size):
        size = max(size, abs(lower[i]), abs(main[i]), abs(upper[i]))
    return 2.220446049250313e-16 * size if size > 0.0 else 2.220446049250313e-16


def solve(own: TridiagonalFactors, vector: Array) -> None:
    """Replace a vector of shape (n,) by T^-1 times it."""
    size = own.inverses.size
    for i in range(size - 1):
        one, other = vector[i], vector[i + 1]
        if own.swapped[i]:
            vector[i] = other
            vector[i + 1] = one - own.multipliers[i] * other
        else:
            vector[i + 1] = other - own.multipliers[i] * one
    after = far = 0.0
    for i in range(size - 1, -1, -1):
        value = vector[i] - own.beyond[i] * far
        value = (value - own.above[i] * after) * own.inverses[i]
        vector[i] = value
        after, far = value, after


def solve_both(own: TridiagonalFactors, first: Array, second: Array) -> None:
    """Do what `solve` does for two vectors at once."""
    size = own.inverses.size
    for i in range(size - 1):
        multiplier = own.multipliers[i]
        one, other = first[i], first[i + 1]
        mine, its = second[i], second[i + 1]
        if own.swapped[i]:
            first[i], second[i] = other, its
            first[i + 1] = one - multiplier * other
            second[i + 1] = mine - multiplier * its
        else:
            first[i + 1] = other - multiplier * one
            second[i + 1] = its - multiplier * mine
    after = far = 0.0
    next_one = next_far = 0.0
    for i in range(size - 1, -1, -1):
        above, beyond, inverse = own.above[i], own.beyond[i], own.inverses[i]
        value = (first[i] - beyond * far - above * after) * inverse
        own_value = (second[i] - beyond * next_far - above * next_one) * inverse
        first[i], second[i] = value, own_value
        after, far = value, after
        next_one, next_far = own_value, next_one


def solve_transposed(own: TridiagonalFactors, vector: Array) -> None:
    """Replace a vector of shape (n,) by the transposed T^-1 times it."""
    size = own.inverses.size
    before = far = 0.0
    for i in range(size):
        value = vector[i]
        if i > 0:
            value -= own.above[i - 1] * before
        if i > 1:
            value -= own.beyond[i - 2] * far
        value *= own.inverses[i]
        vector[i] = value
        before, far = value, before
    for i in range(size - 2, -1, -1):
        one, other = vector[i], vector[i + 1]
        if own.swapped[i]:
            vector[i], vector[i + 1] = other, one - own.multipliers[i] * other
        else:
            vector[i] = one - own.multipliers[i] * other


def solve_block(own: TridiagonalFactors, block: Array) -> None:
    """Do what `solve` does for the columns of an array of shape (n, k)."""
    size, width = block.shape
    for i in range(size - 1):
        multiplier = own.multipliers[i]
        for k in range(width):
            one, other = block[i, k], block[i + 1, k]
            if own.swapped[i]:
                block[i, k], block[i + 1, k] = other, one - multiplier * other
            else:
                block[i + 1, k] = other - multiplier * one
    for i in range(size - 1, -1, -1):
        for k in range(width):
            value = block[i, k]
            if i + 2 < size:
                value -= own.beyond[i] * block[i + 2, k]
            if i + 1 < size:
                value -= own.above[i] * block[i + 1, k]
            block[i, k] = value * own.inverses[i]


def solve_block_transposed(own: TridiagonalFactors, block: Array) -> None:
    """Do what `solve_transposed` does for the columns of an array of shape (n, k)."""
    size, width = block.shape
    for i in range(size):
        for k in range(width):
            value = block[i, k]
            if i > 0:
                value -= own.above[i - 1] * block[i - 1, k]
            if i > 1:
                value -= own.beyond[i - 2] * block[i - 2, k]
            block[i, k] = value * own.inverses[i]
    for i in range(size - 2, -1, -1):
        multiplier = own.multipliers[i]
        for k in range(width):
            one, other = block[i, k], block[i + 1, k]
            if own.swapped[i]:
                block[i, k], block[i + 1, k] = other, one - multiplier * other
            else:
                block[i, k] = one - multiplier * other


def transpose(lower: Array, upper: Array, below: Array, above: Array) -> None:
    """Write what stands below and above the diagonal of the transposed matrix."""
    size = lower.size
    for i in range(size):
        below[i] = upper[i - 1] if i > 0 else 0.0
        above[i] = lower[i + 1] if i + 1 < size else 0.0


def solve_bordered(
    lower: Array, main: Array, upper: Array, column: Array, row: Array,
    right: Array, has_upper: bool, own: TridiagonalFactors,
) -> tuple[float, float]:  # fmt: skip
    """Solve [T column; row] u = right, also where T is singular; u replaces the right-hand side.

    The null vector (-T^-1 column, 1) and a solution for the upper right-hand side are combined;
    where that would cancel, mixed block elimination takes over.

    Parameters
    ----------
    lower, main, upper, column : ndarray of shape (n,)
    row, right : ndarray of shape (n + 1,)
        The solution is not a number where the matrix is singular.
    has_upper : bool
        Whether the first n entries of the right-hand side may differ from zero.
    own : TridiagonalFactors

    Returns
    -------
    factor, logarithm : float
        The determinant is ``factor * exp(logarithm)``.

    References
    ----------
    W. Govaerts and J. D. Pryce, Mixed block elimination for linear systems with wider borders, IMA
    J. Numer. Anal. 13 (1993), 161-180.
    """
    n = main.size
    null, particular, left = own.null, own.particular, own.left
    product, logarithm = factor(lower, main, upper, own)
    for i in range(n):
        null[i] = column[i]
    last = right[n]
    if has_upper:
        for i in range(n):
            particular[i] = right[i]
        solve_both(own, null, particular)
    else:
        solve(own, null)
    along = beside = 0.0
    for i in range(n):
        along += row[i] * null[i]
    pivot = row[n] - along
    if pivot == 0.0 or not math.isfinite(pivot):
        for i in range(n + 1):
            right[i] = math.nan
        return 0.0, 0.0
    share = last / pivot
    if not has_upper:
        for i in range(n):
            right[i] = -share * null[i]
        right[n] = share
        return product * pivot, logarithm
    for i in range(n):
        beside += row[i] * particular[i]
    share -= beside / pivot
    largest, combined = 0.0, abs(share)
    for i in range(n):
        largest = max(largest, abs(particular[i]))
        left[i] = particular[i] - share * null[i]  # the right-hand side may be needed again
        combined = max(combined, abs(left[i]))
    if largest <= _CANCELLATION * combined:
        for i in range(n):
            right[i] = left[i]
        right[n] = share
        return product * pivot, logarithm
    for i in range(n):
        left[i] = row[i]
    solve_transposed(own, left)
    above, corner = last, row[n]
    for i in range(n):
        above -= left[i] * right[i]
        corner -= left[i] * column[i]
    first = above / corner
    for i in range(n):
        particular[i] = right[i] - first * column[i]
    solve(own, particular)
    rest = last - row[n] * first
    for i in range(n):
        rest -= row[i] * particular[i]
    second = rest / pivot
    for i in range(n):
        right[i] = particular[i] - second * null[i]
    right[n] = first + second
    return product * pivot, logarithm


def orthonormalise(block: Array, triangle: Array) -> None:
    """Replace the columns of an (n, k) array by orthonormal ones; write the triangle they lose.

    Each column is freed of those before it twice, which suffices to rounding.
    """
    size, width = block.shape
    triangle[:] = 0.0
    for k in range(width):
        for _ in range(2):
            for j in range(k):
                along = 0.0
                for i in range(size):
                    along += block[i, j] * block[i, k]
                for i in range(size):
                    block[i, k] -= along * block[i, j]
                triangle[j, k] += along
        total = 0.0
        for i in range(size):
            total += block[i, k] * block[i, k]
        length = math.sqrt(total)
        triangle[k, k] = length
        for i in range(size):
            block[i, k] /= length


def negative_quotients(lower: Array, main: Array, upper: Array) -> int:
    """Return the number of negative eigenvalues of T where they are real, else -1.

    It is known where opposite entries have one sign: then a diagonal scaling makes T symmetric,
    and keeps its principal minors, whose negative quotients are counted.

    References
    ----------
    J. Demmel, I. Dhillon and H. Ren, On the correctness of some bisection-like parallel eigenvalue
    algorithms in floating point arithmetic, ETNA 3 (1995), 116-149.
    """
    count = 0
    quotient = 1.0
    for i in range(main.size):
        product = 0.0
        if i > 0:
            product = lower[i] * upper[i - 1]
            if not product >= 0.0 or (lower[i] == 0.0) != (upper[i - 1] == 0.0):
                return -1
        quotient = main[i] - product / quotient
        if abs(quotient) < _LEAST_QUOTIENT:
            quotient = -_LEAST_QUOTIENT
        if not math.isfinite(quotient):
            return -1
        if quotient < 0.0:
            count += 1
    return count
