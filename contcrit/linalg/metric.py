"""The weighted metric of the walk, and the rounding level of a residual."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kinds import is_sparse

Array = np.ndarray


def metric_weights(size: int, theta: float, multipliers: int = 0) -> Array:
    """Return the weights of the metric theta/n <x, x> + (1 - theta) p p.

    Parameters
    ----------
    size : int
        Number n of unknowns, multipliers included.
    theta : float
        Weight of the unknowns against the parameter.
    multipliers : int
        Trailing unknowns that are multipliers; they count like unknowns.

    Returns
    -------
    ndarray of shape (n + 1,)
    """
    weights = np.full(size + 1, theta / max(size - multipliers, 1))
    weights[-1] = 1.0 - theta
    return weights


def rounding_level(jacobian: Any, z: Array) -> float:
    """Return how large a residual rounding alone may leave: eps max_i sum_j |J_ij| |z_j|.

    Of a matrix-free operator only the product J z is known, a lower bound of that sum in each row;
    its entries vanish near a solution, so that the estimate is eps max|z| times its norm bound.
    """
    if hasattr(jacobian, "largest_row_sum"):
        largest = jacobian.largest_row_sum(np.abs(z))
    elif isinstance(jacobian, np.ndarray) or is_sparse(jacobian):
        largest = float(np.max(abs(jacobian) @ np.abs(z), initial=0.0))
    else:
        largest = float(jacobian.norm_bound() * np.max(np.abs(z), initial=0.0))
    return float(np.finfo(float).eps * largest)
