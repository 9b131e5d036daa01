"""Certificates checked in rational arithmetic: floats are rationals, so nothing is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray
Matrix = list[list[Fraction]]


def rational(values: Any) -> Any:
    """Return nested lists of Fractions: floats, integers and Fractions as they are.

    Examples
    --------
    >>> rational([0.5, Fraction(1, 3)])
    [Fraction(1, 2), Fraction(1, 3)]
    """
    if isinstance(values, (list, tuple, np.ndarray)):
        return [rational(value) for value in values]
    return values if isinstance(values, Fraction) else Fraction(values)


def separates(points: Any, direction: Any) -> bool:
    """Return whether every point has a positive product with a direction, without rounding.

    This proves that the origin is not in the hull of the points as they are given.

    Parameters
    ----------
    points : sequence of shape (k, n)
        Floats, integers or Fractions.
    direction : sequence of shape (n,)
        The certificate.

    Examples
    --------
    >>> separates([[1.0, 5.0], [1.0, -5.0]], [1.0, 0.0])
    True
    """
    p = rational(direction)
    return all(_dot(row, p) > 0 for row in rational(points))


def exact_weights(points: Any, support: Sequence[int]) -> list[Fraction] | None:
    """Return weights with which points of a support combine to the origin exactly, or None.

    Parameters
    ----------
    points : sequence of shape (k, n)
        Floats, integers or Fractions.
    support : sequence of int
        The points that may have a positive weight, as a numerical solution suggests.

    Returns
    -------
    list of Fraction or None
        One for each point; non-negative, of sum 1. None when no such weights exist on any
        affinely independent part of the support that elimination visits: rounded data seldom
        allow an exact zero, and nothing is then said about the hull.

    Examples
    --------
    >>> exact_weights([[1, 0], [-3, 0], [5, 5]], [0, 1])
    [Fraction(3, 4), Fraction(1, 4), Fraction(0, 1)]
    """
    rows = rational(points)
    chosen = list(support)
    while chosen:
        # Columns: the chosen points with a last entry 1; right-hand side (0, ..., 0, 1).
        n = len(rows[0])
        system = [[rows[j][i] for j in chosen] + [Fraction(0)] for i in range(n)]
        system.append([Fraction(1)] * len(chosen) + [Fraction(1)])
        solution = _solve(system, len(chosen))
        if solution is None:
            return None
        values, free = solution
        if free:
            # Affinely dependent: one point can be left out (Caratheodory).
            chosen = [index for place, index in enumerate(chosen) if place != free[0]]
            continue
        if any(value < 0 for value in values):
            return None
        result = [Fraction(0)] * len(rows)
        for index, value in zip(chosen, values, strict=True):
            result[index] = value
        return result
    return None


def rows_hold(rows: Any, direction: Any) -> bool:
    """Return whether every row has a positive product with a direction: a cell's exact witness."""
    return separates(rows, direction)


def _dot(left: list[Fraction], right: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _solve(system: Matrix, unknowns: int) -> tuple[list[Fraction], list[int]] | None:
    """Return a solution and the free unknowns of an augmented system, or None without one."""
    pivots: list[int] = []
    row = 0
    for column in range(unknowns):
        pivot = next((i for i in range(row, len(system)) if system[i][column]), None)
        if pivot is None:
            continue
        system[row], system[pivot] = system[pivot], system[row]
        factor = system[row][column]
        system[row] = [value / factor for value in system[row]]
        for i, other in enumerate(system):
            if i != row and other[column]:
                ratio = other[column]
                system[i] = [a - ratio * b for a, b in zip(other, system[row], strict=True)]
        pivots.append(column)
        row += 1
    if any(line[-1] for line in system[row:]):
        return None
    values = [Fraction(0)] * unknowns
    for i, column in enumerate(pivots):
        values[column] = system[i][-1]
    return values, [j for j in range(unknowns) if j not in pivots]
