"""Bordered systems [J; row] u = right, whatever kind of matrix J is; here for a dense one.

What solves small ones comes with numpy, or is written out: LAPACK's factors, which are worth their
import where one factorisation takes longer than the calls around it, wait for larger ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .few import FEW, solve_few
from .kinds import is_matrix_free, is_sparse

if TYPE_CHECKING:
    from .bordered_sparse import FactoredJacobian

Array = np.ndarray

SMALL = 17
"""Largest number of equations for which two calls of numpy take hardly longer than LAPACK's."""


def solve_bordered_dense(jacobian: Array, row: Array, right: Array) -> tuple[Array, float, float]:
    """Solve [J; row] u = right by LU; return u, the determinant's sign and its log modulus.

    Parameters
    ----------
    jacobian : ndarray of shape (n, n + 1)
    row : ndarray of shape (n + 1,)
    right : ndarray of shape (n + 1,) or (n + 1, k)

    Returns
    -------
    solution : ndarray
        Not finite when the matrix is exactly singular.
    sign, log_modulus : float
        Of the determinant; (0, -inf) when it is exactly singular.
    """
    size = row.size
    if size <= FEW and right.ndim == 1:
        found = solve_few(_rows(jacobian, row, right))
        if found is None:
            return np.full(size, np.nan), 0.0, -np.inf
        return np.array(found[0]), found[1], found[2]
    matrix = _stacked(jacobian, row)
    if size <= SMALL:
        with np.errstate(invalid="ignore"):  # what is not a number stays so without a warning
            sign, log_modulus = np.linalg.slogdet(matrix)
        if sign == 0.0:
            return np.full_like(right, np.nan), 0.0, -np.inf
        return _solution(matrix, right), float(sign), float(log_modulus)
    from scipy.linalg.lapack import dgetrf, dgetrs

    factors, pivots, info = dgetrf(matrix, overwrite_a=1)
    diagonal = factors.diagonal()
    # Subnormal pivots may be flushed to zero without a word of LAPACK's.
    if info != 0 or np.any(diagonal == 0):
        return np.full_like(right, np.nan), 0.0, -np.inf
    solution, _ = dgetrs(factors, pivots, right)
    swaps = np.count_nonzero(pivots != np.arange(size))
    negative = np.count_nonzero(diagonal < 0)
    sign = -1.0 if (swaps + negative) % 2 else 1.0
    return solution, sign, float(np.log(np.abs(diagonal)).sum())


def solve_bordered(jacobian: Any, row: Array, right: Array) -> tuple[Array, float, float]:
    """Solve [J; row] u = right for a dense, sparse or matrix-free J.

    Parameters
    ----------
    jacobian : (n, n + 1) ndarray, scipy.sparse matrix or LinearOperator
    row, right : ndarray of shape (n + 1,)

    Returns
    -------
    solution : ndarray of shape (n + 1,)
        Not finite when the matrix is exactly singular, or when iteration fails.
    sign, log_modulus : float
        Of the determinant; (0, -inf) when it is exactly singular, and (0, nan) when J is
        matrix-free: iteration gives no determinant.
    """
    if isinstance(jacobian, np.ndarray):
        return solve_bordered_dense(jacobian, row, right)
    if is_sparse(jacobian):
        from .bordered_sparse import solve_bordered_sparse

        return solve_bordered_sparse(jacobian, row, right)
    if is_matrix_free(jacobian):
        from .matrix_free import solve_matrix_free

        return solve_matrix_free(jacobian, row, right), 0.0, float("nan")
    return solve_bordered_dense(np.asarray(jacobian), row, right)


def bordered_solution(
    jacobian: Any, row: Array, right: Array, near: FactoredJacobian | None = None
) -> Array:
    """Return the solution that `solve_bordered` returns, without the determinant.

    Parameters
    ----------
    jacobian, row, right
        As for `solve_bordered`.
    near : FactoredJacobian, optional
        What `kept_factors` returned of a Jacobian nearby; tried first.
    """
    if isinstance(jacobian, np.ndarray) and row.size <= SMALL:
        if row.size > FEW:
            return _solution(_stacked(jacobian, row), right)
        few = solve_few(_rows(jacobian, row, right))
        return np.full(row.size, np.nan) if few is None else np.array(few[0])
    if is_sparse(jacobian):
        from .bordered_sparse import bordered_solution_sparse

        if near is not None:
            from .neighbour import solve_by_neighbour

            found = solve_by_neighbour(jacobian, row, right, near)
            if found is not None:
                return found
        return bordered_solution_sparse(jacobian, row, right)
    return solve_bordered(jacobian, row, right)[0]


def kept_factors(jacobian: Any) -> FactoredJacobian | None:
    """Return what a Jacobian keeps of a bordered solution, if factors like it are expensive."""
    kept: FactoredJacobian | None = getattr(jacobian, "kept", {}).get("jacobian")
    return kept if kept is not None and kept.expensive else None


def solve_both_ways(matrix: Array, right: Array, left: Array) -> tuple[Array, Array]:
    """Return the solutions of A u = right and A' v = left, not finite where A is singular.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
    right, left : ndarray of shape (n, k), (n, l)
    """
    if len(matrix) <= SMALL:
        return _solution(matrix, right), _solution(matrix.T, left)
    from .factors import DenseFactors

    factors = DenseFactors(matrix)
    if not factors.regular:
        return np.full_like(right, np.nan), np.full_like(left, np.nan)
    return factors.solve(right), factors.solve_transposed(left)


def _rows(jacobian: Array, row: Array, right: Array) -> list[list[float]]:
    rows: list[list[float]] = [*jacobian.tolist(), row.tolist()]
    for each, value in zip(rows, right.tolist(), strict=True):
        each.append(value)
    return rows


def _stacked(jacobian: Array, row: Array) -> Array:
    matrix = np.empty((row.size, row.size), order="F")
    matrix[:-1] = jacobian
    matrix[-1] = row
    return matrix


def _solution(matrix: Array, right: Array) -> Array:
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)
