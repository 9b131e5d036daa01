"""Linear least squares with every unknown in [0, 1], solved to rounding."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

_AT_END = 1e-9
"""Unknowns this close to an end are held there while the others are solved for."""


def bounded_least_squares(matrix: Array, right: Array, near: Array | None = None) -> Array:
    """Return s in [0, 1] that makes |matrix s - right| smallest; one of them if several do.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
    right : ndarray, shape (n,)
    near : ndarray, shape (k,), optional
        In [0, 1]; where no bound is met, the solution nearest to it is taken (default 1/2).

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    P. B. Stark and R. L. Parker, Bounded-variable least-squares: an algorithm and applications,
    Computational Statistics 10 (1995) 129-141.

    Examples
    --------
    >>> bounded_least_squares(np.array([[1.0, 1.0]]), np.array([3.0])).tolist()
    [1.0, 1.0]
    """
    from scipy.optimize import lsq_linear  # slow to import

    matrix = np.asarray(matrix, dtype=float)
    size = float(np.max(np.abs(matrix), initial=0.0))
    if size == 0.0:
        return np.full(matrix.shape[1], 0.5) if near is None else np.asarray(near, dtype=float)
    scaled, wanted = matrix / size, np.asarray(right, dtype=float) / size
    count = matrix.shape[1]
    centre = np.full(count, 0.5) if near is None else np.asarray(near, dtype=float)
    best, gap = centre.copy(), wanted - scaled @ centre
    for method in ("bvls", "trf"):
        with np.errstate(all="ignore"):  # the second one divides by zero columns
            found = lsq_linear(
                scaled,
                gap,
                bounds=(-centre, 1.0 - centre),
                method=method,
                tol=1e-15,
                max_iter=20 * count + 50,
            )
        for candidate in (centre + found.x, _polished(scaled, wanted, centre + found.x)):
            if not np.all(np.isfinite(candidate)):
                continue
            candidate = np.clip(candidate, 0.0, 1.0)
            if _misfit(scaled, wanted, candidate) < _misfit(scaled, wanted, best):
                best = candidate
        if found.status > 0:
            break
    return best


def _polished(matrix: Array, right: Array, start: Array) -> Array:
    """Solve for the unknowns away from the ends; those that leave [0, 1] are held at their end."""
    s = np.clip(start, 0.0, 1.0)
    s[s < _AT_END], s[s > 1.0 - _AT_END] = 0.0, 1.0
    free = (s > 0.0) & (s < 1.0)
    while np.any(free):
        gap = right - matrix @ s
        change = np.linalg.lstsq(matrix[:, free], gap, rcond=None)[0]
        moved = s[free] + change
        s[free] = np.clip(moved, 0.0, 1.0)
        if np.all((moved >= 0.0) & (moved <= 1.0)):
            break
        free = (s > 0.0) & (s < 1.0)
    return s


def _misfit(matrix: Array, right: Array, s: Array) -> float:
    return float(np.linalg.norm(matrix @ s - right))
