"""Elimination with row pivoting, for the few unknowns of small dense systems.

Most small problems have one or two unknowns: for those the loops are written out, in the same
order of operations, so that everything stays in registers.
"""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray


def eliminate(matrix: Array, right: Array) -> tuple[float, float]:
    """Solve with row pivoting, overwriting both; return the determinant as factor and logarithm.

    The determinant is ``factor * exp(logarithm)``, the second being zero unless the first would
    leave the floating-point range. The solution replaces the right-hand side; it is not a number
    where the matrix is singular.
    """
    if right.size == 3:
        return _eliminate_three(matrix, right)
    if right.size == 2:
        return _eliminate_two(matrix, right)
    return _eliminate_any(matrix, right)


def _eliminate_two(matrix: Array, right: Array) -> tuple[float, float]:
    a, b, u = matrix[0, 0], matrix[0, 1], right[0]
    c, d, v = matrix[1, 0], matrix[1, 1], right[1]
    sign = 1.0
    if abs(c) > abs(a):
        a, b, u, c, d, v = c, d, v, a, b, u
        sign = -1.0
    if not abs(a) > 0.0:
        return _singular(right)
    factor = c * (1.0 / a)
    d -= factor * b
    v -= factor * u
    if not abs(d) > 0.0:
        return _singular(right)
    right[1] = v / d
    right[0] = (u - b * right[1]) / a
    return _determinant(sign * a, d, 1.0)


def _eliminate_three(matrix: Array, right: Array) -> tuple[float, float]:
    a, b, c, u = matrix[0, 0], matrix[0, 1], matrix[0, 2], right[0]
    d, e, f, v = matrix[1, 0], matrix[1, 1], matrix[1, 2], right[1]
    g, h, i, w = matrix[2, 0], matrix[2, 1], matrix[2, 2], right[2]
    sign = 1.0
    if abs(d) > abs(a) and not abs(g) > abs(d):
        a, b, c, u, d, e, f, v = d, e, f, v, a, b, c, u
        sign = -1.0
    elif abs(g) > abs(a):
        a, b, c, u, g, h, i, w = g, h, i, w, a, b, c, u
        sign = -1.0
    if not abs(a) > 0.0:
        return _singular(right)
    inverse = 1.0 / a
    factor = d * inverse
    e -= factor * b
    f -= factor * c
    v -= factor * u
    factor = g * inverse
    h -= factor * b
    i -= factor * c
    w -= factor * u
    if abs(h) > abs(e):
        e, f, v, h, i, w = h, i, w, e, f, v
        sign = -sign
    if not abs(e) > 0.0:
        return _singular(right)
    factor = h * (1.0 / e)
    i -= factor * f
    w -= factor * v
    if not abs(i) > 0.0:
        return _singular(right)
    right[2] = w / i
    right[1] = (v - f * right[2]) / e
    right[0] = (u - b * right[1] - c * right[2]) / a
    return _determinant(sign * a, e, i)


def _singular(right: Array) -> tuple[float, float]:
    for k in range(right.size):
        right[k] = math.nan
    return 0.0, 0.0


def _determinant(one: float, two: float, three: float) -> tuple[float, float]:
    """Return the product of pivots as factor and logarithm."""
    product = one * two * three
    if 1e-100 < abs(product) < 1e100 and 1e-200 < abs(one * two) < 1e200:
        return product, 0.0
    logarithm = math.log(abs(one)) + math.log(abs(two)) + math.log(abs(three))
    return math.copysign(1.0, one) * math.copysign(1.0, two) * math.copysign(1.0, three), logarithm


def _eliminate_any(matrix: Array, right: Array) -> tuple[float, float]:
    size = right.size
    product, logarithm = 1.0, 0.0
    for k in range(size):
        pivot = k
        best = abs(matrix[k, k])
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > best:
                best = abs(matrix[i, k])
                pivot = i
        if not best > 0.0:
            return _singular(right)
        if pivot != k:
            for j in range(k, size):
                matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
            right[k], right[pivot] = right[pivot], right[k]
            product = -product
        diagonal = matrix[k, k]
        product *= diagonal
        if not 1e-100 < abs(product) < 1e100:
            logarithm += math.log(abs(product))
            product = math.copysign(1.0, product)
        inverse = 1.0 / diagonal
        for i in range(k + 1, size):
            factor = matrix[i, k] * inverse
            if factor != 0.0:
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
                right[i] -= factor * right[k]
    for k in range(size - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, size):
            total -= matrix[k, j] * right[j]
        right[k] = total / matrix[k, k]
    return product, logarithm
