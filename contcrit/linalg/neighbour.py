"""Bordered systems solved by iteration with the factors of a matrix nearby.

A solution with factors at hand costs a small share of what factoring a large sparse matrix does.

References
----------
Y. Saad and M. H. Schultz, GMRES: a generalized minimal residual algorithm for solving nonsymmetric
linear systems, SIAM J. Sci. Stat. Comput. 7 (1986), 856-869.
"""

from __future__ import annotations

import math

import numpy as np

from .bordered_sparse import FactoredJacobian
from .patterned import PatternedMatrix

Array = np.ndarray

ACCURACY = 1e-7
"""Relative accuracy of a solution: an increment of Newton's method needs no more, since the next
residual is computed anew."""

_STEPS = 10
"""Iterations after which factoring would have been cheaper."""


def solve_by_neighbour(
    jacobian: PatternedMatrix, row: Array, right: Array, near: FactoredJacobian
) -> Array | None:
    """Solve [J; row] u = right by GMRES, preconditioned with the same of a Jacobian nearby.

    Parameters
    ----------
    jacobian : PatternedMatrix of shape (n, n + 1)
    row, right : ndarray of shape (n + 1,)
    near : FactoredJacobian

    Returns
    -------
    ndarray of shape (n + 1,) or None
        None where it does not converge fast enough to be worth it.
    """
    first = near.solve(row, right)
    if first is None:
        return None
    size = float(np.linalg.norm(first))
    if size == 0.0 or not math.isfinite(size):
        return None
    basis = [first / size]
    projected = np.zeros((_STEPS + 1, _STEPS))
    target = np.zeros(_STEPS + 1)
    target[0] = size
    image = np.empty(row.size)
    for k in range(_STEPS):
        image[:-1] = jacobian @ basis[k]
        image[-1] = row @ basis[k]
        moved = near.solve(row, image)
        if moved is None or not np.all(np.isfinite(moved)):
            return None
        for j, vector in enumerate(basis):
            projected[j, k] = vector @ moved
            moved -= projected[j, k] * vector
        projected[k + 1, k] = np.linalg.norm(moved)
        system, wanted = projected[: k + 2, : k + 1], target[: k + 2]
        share = np.linalg.lstsq(system, wanted, rcond=None)[0]
        if np.linalg.norm(system @ share - wanted) <= ACCURACY * size:
            return np.sum([c * vector for c, vector in zip(share, basis, strict=True)], axis=0)
        basis.append(moved / projected[k + 1, k])
    return None
