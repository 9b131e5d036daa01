"""Elimination for a few unknowns in plain numbers, faster there than any call of a library."""

from __future__ import annotations

import math

FEW = 4
"""Largest number of equations for which this is the fastest way."""


def solve_few(rows: list[list[float]]) -> tuple[list[float], float, float] | None:
    """Solve by Gaussian elimination with row pivoting; None where a pivot is exactly zero.

    Parameters
    ----------
    rows : list of list of float
        The matrix, each row followed by its right-hand side; overwritten.

    Returns
    -------
    tuple of (list of float, float, float) or None
        Solution, and the determinant's sign and log modulus.

    Examples
    --------
    >>> solve_few([[0.0, 2.0, 2.0], [1.0, 1.0, 4.0]])
    ([3.0, 1.0], -1.0, 0.6931471805599453)
    """
    size = len(rows)
    sign, log_modulus = 1.0, 0.0
    for k in range(size):
        place, largest = k, abs(rows[k][k])
        for i in range(k + 1, size):
            modulus = abs(rows[i][k])
            if modulus > largest:
                place, largest = i, modulus
        if largest == 0.0:
            return None
        if place != k:
            rows[k], rows[place] = rows[place], rows[k]
            sign = -sign
        above = rows[k]
        pivot = above[k]
        if pivot < 0.0:
            sign = -sign
        log_modulus += math.log(largest)
        for i in range(k + 1, size):
            below = rows[i]
            share = below[k] / pivot
            if share != 0.0:
                for j in range(k + 1, size + 1):
                    below[j] -= share * above[j]
    solution = [0.0] * size
    for k in range(size - 1, -1, -1):
        above = rows[k]
        rest = above[size]
        for j in range(k + 1, size):
            rest -= above[j] * solution[j]
        solution[k] = rest / above[k]
    return solution, sign, log_modulus
