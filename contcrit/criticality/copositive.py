"""The sign of a quadratic form on a polyhedral cone, decided where it can be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import linalg

from .arguments import orthonormal_rows
from .thresholds import Thresholds

Array = np.ndarray

FACE_LIMIT = 8
"""Largest number of inequalities whose faces are all looked at."""


@dataclass(frozen=True, eq=False)
class FormOnCone:
    """The sign of a quadratic form on a cone.

    Attributes
    ----------
    positive : bool or None
        Whether the form is positive on the cone without 0 (True: proved).
    negative_direction : ndarray of shape (n,) or None
        Unit vector of the cone on which the form is negative.
    """

    positive: bool | None
    negative_direction: Array | None = None


def form_on_cone(
    form: Array, equalities: Array, inequalities: Array, thresholds: Thresholds
) -> FormOnCone:
    """Return the sign of d @ form @ d for d with equalities @ d = 0, inequalities @ d >= 0.

    Parameters
    ----------
    form : ndarray of shape (n, n)
        Symmetric.
    equalities, inequalities : ndarray of shape (k, n)
        Unit rows.
    thresholds : Thresholds
        For the form's values on unit vectors.

    Returns
    -------
    FormOnCone
        Decided for subspaces, half-spaces and cones of up to `FACE_LIMIT` linearly independent
        inequalities, singular faces excepted; for other cones if the form is definite on the
        whole subspace or an eigenvector proves a negative value.

    References
    ----------
    .. [1] K. P. Hadeler, "On copositive matrices", Linear Algebra and its Applications 49 (1983)
       79-89.

    Examples
    --------
    >>> form = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> quadrant = np.eye(2)
    >>> thresholds = Thresholds.of(1e-8, 1.0)
    >>> form_on_cone(form + 0.1 * np.eye(2), np.empty((0, 2)), quadrant, thresholds).positive
    True
    """
    n = len(form)
    basis = linalg.null_space(equalities, rcond=1e-9).T if len(equalities) else np.eye(n)
    if len(basis) == 0:
        return FormOnCone(True)
    reduced = basis @ form @ basis.T
    rows = inequalities @ basis.T
    rows = rows[np.linalg.norm(rows, axis=1) > 1e-9]
    values, vectors = np.linalg.eigh((reduced + reduced.T) / 2)
    if values[0] > thresholds.clear:
        return FormOnCone(True)
    for value, vector in zip(values, vectors.T, strict=True):
        for side in (1.0, -1.0):
            if value < -thresholds.clear and np.all(rows @ vector * side >= 0):
                return FormOnCone(False, side * vector @ basis)
    if len(rows) <= 1:
        # A half-space holds one of +-v for every v: the form's sign is that on the whole space.
        return FormOnCone(None)
    independent = len(orthonormal_rows(rows, 1e-6)) == len(rows)
    if len(rows) > FACE_LIMIT or not independent:
        return FormOnCone(None)
    return _on_simplicial_cone(reduced, rows, basis, thresholds)


def _on_simplicial_cone(
    form: Array, rows: Array, basis: Array, thresholds: Thresholds
) -> FormOnCone:
    """Decide for independent inequalities: minimise over the subspace, then over the faces."""
    count = len(rows)
    inverse = np.linalg.pinv(rows)  # columns: directions that move one inequality only
    free = linalg.null_space(rows)
    mixed = inverse.T @ form @ inverse
    back = inverse
    if free.shape[1]:
        inner = free.T @ form @ free
        lowest = np.linalg.eigvalsh(inner)[0]
        if lowest <= thresholds.clear:
            return FormOnCone(None)  # a negative one has been found among the eigenvectors, or not
        step = -np.linalg.solve(inner, free.T @ form @ inverse)
        mixed = mixed + (inverse.T @ form @ free) @ step
        back = inverse + free @ step
    # The minimum over the standard simplex lies inside some face, where form y = value 1.
    decided = True
    for size in range(1, count + 1):
        for face in combinations(range(count), size):
            block = mixed[np.ix_(face, face)]
            if np.linalg.svd(block, compute_uv=False)[-1] <= thresholds.clear:
                decided = False
                continue
            solution = np.linalg.solve(block, np.ones(size))
            total = solution.sum()
            if total == 0 or np.any(solution / total < 0):
                continue
            point = np.zeros(count)
            point[list(face)] = solution / total
            direction = back @ point
            direction = direction / np.linalg.norm(direction)
            value = float(direction @ form @ direction)
            if value < -thresholds.clear:
                return FormOnCone(False, basis.T @ direction)
            if value <= thresholds.clear:
                decided = False
    return FormOnCone(True if decided else None)
