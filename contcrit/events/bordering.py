"""Bordered systems: smooth test functions for singular matrices, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..linalg import as_dense, is_sparse, solve_both_ways

if TYPE_CHECKING:
    from ..linalg import Bordered

Array = np.ndarray


class BorderedKernel(NamedTuple):
    """Solution of the bordered systems [A B; C' 0].

    Parameters
    ----------
    right : ndarray of shape (m, c)
        Spans the kernel of A where `test` vanishes.
    left : ndarray of shape (n, b)
        Spans the kernel of A' there.
    test : ndarray of shape (b, c)
        Vanishes exactly where A loses rank by as many as the borders allow.
    """

    right: Array
    left: Array
    test: Array


def bordered_kernel(matrix: Any, columns: Array, rows: Array) -> BorderedKernel:
    """Border an (n, m) matrix by b columns and c rows, with m + b = n + c, and solve both ways.

    The derivative of ``test[i, j]`` along u is ``-left[:, i] @ (dA/du) @ right[:, j]``.
    """
    n, m = matrix.shape
    b, c = columns.shape[1], rows.shape[1]
    # Borders of the matrix's own size keep the bordered matrix well scaled.
    scale = float(abs(matrix).max()) or 1.0
    unit_right = np.zeros((n + c, c))
    unit_right[n:] = np.eye(c)
    unit_left = np.zeros((m + b, b))
    unit_left[m:] = np.eye(b)
    if is_sparse(matrix):
        bordered = _bordered(matrix, scale * rows.T, scale * columns)
        solved, transposed = bordered.solve(unit_right), bordered.solve_transposed(unit_left)
    else:
        dense = np.zeros((n + c, m + b))
        dense[:n, :m] = matrix
        dense[:n, m:] = scale * columns
        dense[n:, :m] = scale * rows.T
        solved, transposed = solve_both_ways(dense, unit_right, unit_left)
    # Undo the scaling: right and left are of unit size again.
    right, left = scale * solved[:m], scale * transposed[:n]
    return BorderedKernel(right, left, scale * scale * solved[m:])


def newton_solve(
    equations: Callable[[Array], tuple[Array, tuple[Any, Array, Array | None]]],
    start: Array,
    tolerance: float,
    *,
    least_squares: float | None = None,
    borders: tuple[Array, Array] | None = None,
    iterations: int = 12,
) -> tuple[Array, float] | None:
    """Apply Newton's method to an extended system given by blocks.

    Parameters
    ----------
    equations : callable
        ``equations(u)`` returns the values and ``(jacobian, gradient rows, extra column)``: the
        first block has the shape of the original Jacobian, the rows stand below it, and the column
        (or None) to its right.
    start : ndarray
        First guess.
    tolerance : float
        Largest last increment, relative to 1 + max|u|.
    least_squares : float, optional
        Solve in the least-squares sense, dropping singular values below this share of the largest.
    borders : tuple of ndarray, shapes (n, k) and (n + 1, k + 1), optional
        Left and right null vectors of the Jacobian at the solution, by which a sparse one is
        bordered in the least-squares sense.
    iterations : int
        Most Newton iterations.

    Returns
    -------
    tuple of (ndarray, float) or None
        Solution and largest modulus of the values there; None without convergence.
    """
    unknown = np.array(start, dtype=float)
    previous = np.inf
    converged = False
    for _ in range(iterations):
        value, (jacobian, rows, column) = equations(unknown)
        if not np.all(np.isfinite(value)) or not np.all(np.isfinite(rows)):
            return None
        increment = _solve_blocks(jacobian, rows, column, -value, least_squares, borders)
        if increment is None or not np.all(np.isfinite(increment)):
            return None
        size = float(np.max(np.abs(increment)) / (1.0 + np.max(np.abs(unknown))))
        if converged and size >= previous:  # rounding level reached
            break
        unknown = unknown + increment
        converged = converged or size <= tolerance
        if size <= 1e-15:
            break
        previous = size
    if not converged:
        return None
    value, _ = equations(unknown)
    return unknown, float(np.max(np.abs(value)))


def _solve_blocks(
    jacobian: Any,
    rows: Array,
    column: Array | None,
    right: Array,
    least_squares: float | None,
    borders: tuple[Array, Array] | None,
) -> Array | None:
    if is_sparse(jacobian):
        if least_squares is not None and borders is not None:
            return _solve_least_squares(jacobian, rows, right, borders)
        wide = np.empty((jacobian.shape[0], 0)) if column is None else column[:, None]
        bordered = _bordered(jacobian, rows, wide)
        return bordered.solve(right) if bordered.regular else None
    matrix = np.vstack([jacobian, rows])
    if column is not None:
        extended = np.concatenate([column, np.zeros(rows.shape[0])])
        matrix = np.column_stack([matrix, extended])
    if least_squares is not None:
        # Rows of the test functions are scaled like those of the equations; these have one scale
        # in common, since an equation whose gradient vanishes must not count as the others do.
        scale = np.maximum(np.linalg.norm(matrix, axis=1), 1e-300)
        scale[: jacobian.shape[0]] = scale[: jacobian.shape[0]].max()
        return np.linalg.lstsq(matrix / scale[:, None], right / scale, rcond=least_squares)[0]
    try:
        return np.linalg.solve(matrix, right)  # singular is an answer here, not a warning
    except np.linalg.LinAlgError:
        return None


def _solve_least_squares(
    jacobian: Any, rows: Array, right: Array, borders: tuple[Array, Array]
) -> Array | None:
    """Solve [J; rows] u = right where J falls short of full rank by as many as there are borders.

    A bordered solution meets the equations but for their share in the left null vectors; what it
    leaves free, the directions of the kernel, is fitted to the rows.
    """
    n = jacobian.shape[0]
    left, kernel = borders
    scale = float(abs(jacobian).max()) or 1.0
    bordered = _bordered(jacobian, scale * kernel.T, scale * left)
    free = kernel.shape[1]
    wanted = np.zeros((n + free, free + 1))
    wanted[:n, 0] = right[:n]
    wanted[n:, 1:] = scale * np.eye(free)
    solved = bordered.solve(wanted)[: n + 1]
    if not np.all(np.isfinite(solved)):
        return None
    particular, directions = solved[:, 0], solved[:, 1:]
    fitted, target = rows @ directions, right[n:] - rows @ particular
    size = np.maximum(np.linalg.norm(fitted, axis=1), 1e-300)
    share = np.linalg.lstsq(fitted / size[:, None], target / size, rcond=1e-8)[0]
    return particular + directions @ share


def _bordered(matrix: Any, rows: Array, columns: Array) -> Bordered:
    """Return the factors of [matrix columns; rows 0] for an (n, n) or (n, n + 1) sparse matrix."""
    from ..linalg import Bordered

    n, m = matrix.shape
    if m == n:
        return Bordered(matrix, columns, rows)
    last = as_dense(matrix[:, [n]])
    corner = np.hstack([rows[:, n:], np.zeros((rows.shape[0], columns.shape[1]))])
    return Bordered(matrix[:, :-1], np.hstack([last, columns]), rows[:, :n], corner)
