"""Matrices with a few border columns and rows [A B; C D], solved through the factors of A.

A may be singular to rounding, as at folds and branch points, where the bordered matrix is regular.

References
----------
W. Govaerts and J. D. Pryce, Mixed block elimination for linear systems with wider borders, IMA J.
Numer. Anal. 13 (1993), 161-180.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from .factors import DenseFactors, Factors, factorise, permutation_sign
from .patterned import PatternedMatrix

Array = np.ndarray

RESIDUAL = 1e-8
"""Largest backward error of a solution by block elimination that is believed."""


class Bordered:
    """Factors of a square matrix [A B; C D] with few border columns and rows.

    Parameters
    ----------
    matrix : (n, n) ndarray or sparse matrix
        A; it may be singular to rounding, by as many dimensions as there are borders.
    columns : ndarray of shape (n, k)
        B.
    rows : ndarray of shape (k, n)
        C.
    corner : ndarray of shape (k, k), optional
        D (default zero).

    Attributes
    ----------
    regular : bool
        Whether there are solutions to be had.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.linalg import Bordered
    >>> bordered = Bordered(np.zeros((1, 1)), np.array([[2.0]]), np.array([[1.0]]))
    >>> bordered.solve(np.array([4.0, 3.0])).tolist()
    [3.0, 2.0]
    """

    def __init__(
        self, matrix: Any, columns: Array, rows: Array, corner: Array | None = None
    ) -> None:
        size, width = columns.shape
        corner = np.zeros((width, width)) if corner is None else corner
        self._size = size
        self._blocks = (matrix, columns, rows, corner)
        self._whole: Factors | None = None
        self._levels: list[_Level] = []
        self.regular = True
        if sparse.issparse(matrix):
            base = factorise(matrix)
            if base is not None:
                self._eliminate(base)
                if self._is_trusted():
                    return
        self._assemble()

    def solve(self, right: Array) -> Array:
        """Return the solution for right-hand sides of shape (n + k,) or (n + k, r)."""
        if self._whole is not None:
            return self._whole.solve(right)
        if not self.regular:
            return np.full(right.shape, np.nan)
        return self._solve(len(self._levels), right, transposed=False)

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of the transposed system."""
        if self._whole is not None:
            return self._whole.solve_transposed(right)
        if not self.regular:
            return np.full(right.shape, np.nan)
        return self._solve(len(self._levels), right, transposed=True)

    def _eliminate(self, base: Factors) -> None:
        self._base = base
        _, columns, rows, corner = self._blocks
        for k in range(columns.shape[1]):
            column = np.concatenate([columns[:, k], corner[:k, k]])
            row = np.concatenate([rows[k], corner[k, :k]])
            right = self._solve(k, column, transposed=False)
            left = self._solve(k, row, transposed=True)
            self._levels.append(_Level(column, row, right, left, float(corner[k, k])))

    def _solve(self, level: int, right: Array, transposed: bool) -> Array:
        if level == 0:
            return self._base.solve_transposed(right) if transposed else self._base.solve(right)
        step = self._levels[level - 1]
        column, row, one, other, first_pivot, second_pivot = step.oriented(transposed)
        upper, last = right[:-1], right[-1]
        with np.errstate(all="ignore"):
            first = (last - other @ upper) / first_pivot
            rest = last - step.corner * first
            found = self._solve(level - 1, upper - _outer(column, first), transposed)
            second = (rest - row @ found) / second_pivot
            return np.concatenate([found - _outer(one, second), [first + second]])

    def _is_trusted(self) -> bool:
        """Solve with a random right-hand side and look at the residual; also transposed if unsafe.

        Stable factors make both solutions as good as each other.
        """
        size, width = self._blocks[1].shape
        right = np.random.default_rng(0).standard_normal(size + width)
        right *= float(abs(self._blocks[0]).max()) or 1.0
        if not self._solves(self._blocks, self.solve(right), right):
            return False
        if self._base.checked:
            return True
        a, b, c, d = self._blocks
        return self._solves((a.T, c.T, b.T, d.T), self.solve_transposed(right), right)

    def _solves(self, blocks: tuple[Any, Array, Array, Array], found: Array, right: Array) -> bool:
        if not np.all(np.isfinite(found)):
            return False
        a, b, c, d = blocks
        x, y = found[: self._size], found[self._size :]
        upper = np.max(np.abs(a @ x + b @ y - right[: self._size]))
        lower = np.max(np.abs(c @ x + d @ y - right[self._size :]), initial=0.0)
        rows = (
            a.largest_row_sum(np.abs(x))
            if isinstance(a, PatternedMatrix)
            else np.max(abs(a) @ np.abs(x))
        )
        bound = max(
            rows + np.max(np.abs(b) @ np.abs(y)),
            np.max(np.abs(c) @ np.abs(x) + np.abs(d) @ np.abs(y), initial=0.0),
        )
        return bool(max(upper, lower) <= RESIDUAL * (bound + np.max(np.abs(right))))

    def _assemble(self) -> None:
        matrix, columns, rows, corner = self._blocks
        whole: Any
        if sparse.issparse(matrix):
            whole = sparse.block_array(
                [
                    [matrix, sparse.csc_array(columns)],
                    [sparse.csr_array(rows), sparse.csc_array(corner)],
                ],
                format="csc",
            )
            try:
                self._whole = _Assembled(splu(whole))
            except RuntimeError:  # SuperLU's word for an exactly singular factor
                self.regular = False
        else:
            factors = DenseFactors(np.block([[np.asarray(matrix), columns], [rows, corner]]))
            self.regular = factors.regular
            self._whole = factors if factors.regular else None


class _Level:
    """One border, eliminated: the solutions for its column and its row."""

    def __init__(self, column: Array, row: Array, right: Array, left: Array, corner: float) -> None:
        self.column, self.row, self.right, self.left = column, row, right, left
        self.corner = corner
        with np.errstate(all="ignore"):
            self.pivot = corner - float(row @ right)
            self.transposed_pivot = corner - float(left @ column)

    def oriented(self, transposed: bool) -> tuple[Array, Array, Array, Array, float, float]:
        """Return column, row, their solutions and the two pivots, for one of the two systems."""
        if transposed:
            return self.row, self.column, self.left, self.right, self.pivot, self.transposed_pivot
        return self.column, self.row, self.right, self.left, self.transposed_pivot, self.pivot


class _Assembled:
    """Factors of the whole bordered matrix by SuperLU."""

    checked = True

    def __init__(self, factors: Any) -> None:
        self._factors = factors
        self.sign, self.log_modulus = lu_determinant(factors)

    def solve(self, right: Array) -> Array:
        return self._factors.solve(right)

    def solve_transposed(self, right: Array) -> Array:
        return self._factors.solve(right, trans="T")


def lu_determinant(factors: Any) -> tuple[float, float]:
    """Return sign and log modulus of the determinant from SuperLU's factors; (0, -inf) if zero."""
    diagonal = factors.U.diagonal()
    if diagonal.size < factors.shape[0] or np.any(diagonal == 0):
        return 0.0, -np.inf
    parity = permutation_sign(factors.perm_r) * permutation_sign(factors.perm_c)
    sign = parity * (-1.0 if np.count_nonzero(diagonal < 0) % 2 else 1.0)
    return sign, float(np.log(np.abs(diagonal)).sum())


def _outer(vector: Array, factor: Any) -> Array:
    return vector * factor if np.ndim(factor) == 0 else np.multiply.outer(vector, factor)
