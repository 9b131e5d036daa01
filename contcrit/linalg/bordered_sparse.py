"""Sparse bordered systems [J; row]: one factorisation of J's square part serves all last rows.

The square part A is singular at folds and at branch points, where the bordered matrix is regular.
Mixed block elimination is stable there: it needs solutions with A and with its transpose, no more.

References
----------
W. Govaerts and J. D. Pryce, Mixed block elimination for linear systems with wider borders, IMA J.
Numer. Anal. 13 (1993), 161-180.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dgtsv
from scipy.sparse.linalg import splu

from .borders import RESIDUAL, lu_determinant
from .factors import SparseFactors, factorise
from .patterned import PatternedMatrix, pattern_of

Array = np.ndarray

_CANCELLATION = 1e6
"""Loss by cancellation at which plain block elimination gives way to the mixed one."""


class FactoredJacobian:
    """Factors of the square part A of a sparse Jacobian [A b], for solves with varying last rows.

    Parameters
    ----------
    jacobian : PatternedMatrix of shape (n, n + 1)
    """

    def __init__(self, jacobian: PatternedMatrix) -> None:
        # A twin that keeps nothing: a cycle would hold factors until garbage is collected.
        self.jacobian = jacobian.like(jacobian.data)
        self.column = jacobian.last_column()
        self.factors = factorise(jacobian)
        self._eliminated: Array | None = None  # A^-1 b
        self._pivot = 0.0

    @classmethod
    def of(cls, jacobian: Any) -> FactoredJacobian:
        """Return the factors that a Jacobian keeps, or new ones."""
        patterned = pattern_of(jacobian)
        kept: FactoredJacobian | None = patterned.kept.get("jacobian")
        if kept is None:
            kept = patterned.kept["jacobian"] = cls(patterned)
        return kept

    def solve(self, row: Array, right: Array) -> Array | None:
        """Solve [A b; row] u = right; None where block elimination is not to be trusted.

        The null vector (-A^-1 b, 1) of [A b] and a solution for the first n right-hand sides are
        combined. Both have small residuals even where A is singular to rounding; what could be
        lost is accuracy by cancellation between them, which shows.
        """
        factors = self.factors
        if factors is None:
            return None
        upper, last = right[:-1], float(right[-1])
        needed = bool(upper.any())
        if self._eliminated is None:
            if needed:
                both = np.empty((upper.size, 2), order="F")
                both[:, 0], both[:, 1] = self.column, upper
                both = factors.solve(both)
                self._eliminated, particular = both[:, 0], both[:, 1]
            else:
                self._eliminated = factors.solve(self.column)
        elif needed:
            particular = factors.solve(upper)
        null = self._eliminated
        pivot = float(row[-1]) - float(np.dot(row[:-1], null))
        if pivot == 0.0 or not math.isfinite(pivot):
            return None
        share = last / pivot
        if needed:
            share -= float(np.dot(row[:-1], particular)) / pivot
        solution = np.empty(row.size)
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(null, -share, out=solution[:-1])
            solution[-1] = share
            if needed:
                solution[:-1] += particular
                if _modulus(particular) > _CANCELLATION * _modulus(solution):
                    solution = self._mixed(row, right, pivot)
        if not factors.checked and not self._is_solved(row, solution, right):
            return None
        self._pivot = pivot
        return solution

    @property
    def expensive(self) -> bool:
        """Whether factors cost many times what a solution does."""
        return isinstance(self.factors, SparseFactors)

    def determinant(self) -> tuple[float, float]:
        """Return sign and log modulus of the determinant of the matrix last solved with."""
        factors = self.factors
        assert factors is not None
        sign = factors.sign * (1.0 if self._pivot > 0 else -1.0)
        return sign, factors.log_modulus + math.log(abs(self._pivot))

    def _mixed(self, row: Array, right: Array, pivot: float) -> Array:
        """Solve by mixed block elimination: stable however singular A is."""
        factors, column = self.factors, self.column
        assert factors is not None and self._eliminated is not None
        left = factors.solve_transposed(row[:-1])
        first = (right[-1] - left @ right[:-1]) / (row[-1] - left @ column)
        found = factors.solve(right[:-1] - first * column)
        second = (right[-1] - row[-1] * first - row[:-1] @ found) / pivot
        return np.append(found - second * self._eliminated, first + second)

    def _is_solved(self, row: Array, solution: Array, right: Array) -> bool:
        error = np.max(np.abs(self.jacobian @ solution - right[:-1]))
        bound = self.jacobian.largest_row_sum(np.abs(solution)) + np.max(np.abs(right))
        return bool(error <= RESIDUAL * bound)


def solve_bordered_sparse(jacobian: Any, row: Array, right: Array) -> tuple[Array, float, float]:
    """Do what `solve_bordered_dense` does for a sparse Jacobian.

    The Jacobian's own factors serve, with the row as a border; where they do not, the whole matrix
    is factored. A `PatternedMatrix` keeps its factors for the next right-hand side or row.
    """
    if right.ndim == 1:
        factored = FactoredJacobian.of(jacobian)
        found = factored.solve(row, right)
        if found is not None:
            return (found, *factored.determinant())
    matrix = sparse.vstack([jacobian, sparse.csr_array(row[None, :])], format="csc")
    if not np.all(np.isfinite(matrix.data)):
        return np.full_like(right, np.nan), 0.0, -np.inf
    try:
        factors = splu(matrix)
    except RuntimeError:  # SuperLU's word for an exactly singular factor
        return np.full_like(right, np.nan), 0.0, -np.inf
    sign, log_modulus = lu_determinant(factors)
    if sign == 0.0:
        return np.full_like(right, np.nan), 0.0, -np.inf
    return factors.solve(right), sign, log_modulus


def bordered_solution_sparse(jacobian: Any, row: Array, right: Array) -> Array:
    """Return the solution that `solve_bordered_sparse` returns, without the determinant."""
    found = _solve_tridiagonal(jacobian, row, right)
    if found is None:
        found = FactoredJacobian.of(jacobian).solve(row, right)
    return solve_bordered_sparse(jacobian, row, right)[0] if found is None else found


def _solve_tridiagonal(jacobian: Any, row: Array, right: Array) -> Array | None:
    """Factor and solve at once, keeping no factors: what a Newton increment needs."""
    pattern = jacobian.pattern if isinstance(jacobian, PatternedMatrix) else None
    if pattern is None or pattern.diagonals is None or jacobian.kept:
        return None
    data = jacobian.data
    both = np.zeros((2, pattern.size)).T
    both[pattern.last_rows, 0] = data[pattern.count :]
    both[:, 1] = right[:-1]
    lower, main, upper = pattern.diagonals
    *_, both, info = dgtsv(data[lower], data[main], data[upper], both, overwrite_b=1)
    if info != 0:
        return None
    null, particular = both[:, 0], both[:, 1]
    pivot = row[-1] - np.dot(row[:-1], null)
    if pivot == 0.0 or not math.isfinite(pivot):
        return None
    share = (right[-1] - np.dot(row[:-1], particular)) / pivot
    solution = np.empty(row.size)
    np.multiply(null, -share, out=solution[:-1])
    solution[:-1] += particular
    solution[-1] = share
    if _modulus(particular) > _CANCELLATION * _modulus(solution):
        return None
    return solution


def _modulus(vector: Array) -> float:
    return float(np.abs(vector).max())
