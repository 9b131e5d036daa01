"""Second-order tests at points that first-order changes leave open.

On each cell the function is one smooth piece on a region bounded by its kinks, so that the
conditions of nonlinear programming apply: the Lagrangian's Hessian on the critical cone
``{d in the cell: f'(x; d) = 0}``. Positive on every cell's critical cone: a strict local minimum.
Negative somewhere: no local minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from .cells import STRICT, Cell
from .copositive import form_on_cone
from .hulls import non_negative
from .pieces import Pieces
from .separable import Separable, all_rows, lagrangian_hessian
from .thresholds import Thresholds

Array = np.ndarray

FLAT_LIMIT = 8
"""Largest number of kinks with two flat sides whose combinations are all looked at."""


@dataclass(frozen=True, eq=False)
class Curvature:
    """What second-order changes say, of the function and of its negative.

    Attributes
    ----------
    minimum, maximum : bool or None
        Whether the point is a strict local minimum (maximum): True and False are proved.
    descent, ascent : ndarray of shape (n,) or None
        Directions along which the function falls (rises) to second order.
    """

    minimum: bool | None = None
    maximum: bool | None = None
    descent: Array | None = None
    ascent: Array | None = None


def curvature_of_cells(
    pieces: Pieces,
    cells: Sequence[Cell],
    gradients: Array,
    thresholds: Thresholds,
    gauge: Array,
    complete: bool,
) -> Curvature:
    """Return the second-order behaviour where the cells are exact polyhedra.

    Parameters
    ----------
    pieces : Pieces
        The function at the point; its switching functions are affine.
    cells : sequence of Cell
        Its cells.
    gradients : ndarray of shape (number of cells, n)
        Their gradients.
    thresholds : Thresholds
        For gradients and curvatures.
    gauge : ndarray of shape (k, n)
        Orthonormal tangents of group orbits, left out of the test.
    complete : bool
        Whether no cell is missing.
    """
    forms = []
    for cell in cells:
        hessian = pieces.hessian(cell.signs)
        if hessian is None:
            return Curvature()
        forms.append(np.asarray(hessian, dtype=float))
    answers = []
    for side in (1.0, -1.0):
        positive: bool | None = True if complete else None
        direction = None
        for cell, gradient, form in zip(cells, gradients, forms, strict=True):
            multipliers = non_negative(cell.rows.T, side * gradient)
            residual = np.linalg.norm(side * gradient - multipliers @ cell.rows)
            if residual > thresholds.zero:
                positive = None  # it falls, or nearly so, to first order
                continue
            held = multipliers > thresholds.clear
            if np.any((multipliers > thresholds.zero) & ~held):
                positive = None
                continue
            found = form_on_cone(
                side * form, np.vstack([cell.rows[held], gauge]), cell.rows[~held], thresholds
            )
            if found.negative_direction is not None:
                positive, direction = False, found.negative_direction
                break
            if not found.positive:
                positive = None
        answers.append((positive, direction))
    (minimum, descent), (maximum, ascent) = answers
    return Curvature(minimum, maximum, descent, ascent)


def curvature_of_flat_cells(
    pieces: Pieces, cells: Sequence[Cell], gradients: Array, thresholds: Thresholds
) -> Curvature:
    """Return second-order descent and ascent inside cells of gradient zero; no minimum is proved.

    Parameters
    ----------
    pieces : Pieces
        The function at the point; its switching functions may be curved.
    cells : sequence of Cell
        Its cells, all or some.
    gradients : ndarray of shape (number of cells, n)
        Their gradients.
    thresholds : Thresholds
        For gradients and curvatures.
    """
    found: dict[float, Array] = {}
    none = np.empty((0, pieces.size))
    for cell, gradient in zip(cells, gradients, strict=True):
        hessian = pieces.hessian(cell.signs)
        if hessian is None or cell.hidden or np.linalg.norm(gradient) > thresholds.zero:
            continue
        for side in (1.0, -1.0):
            direction = form_on_cone(
                side * np.asarray(hessian, dtype=float), none, cell.rows, thresholds
            ).negative_direction
            # Straight lines stay in a curved cell only if they start inside its cone.
            if direction is not None and np.all(cell.rows @ direction > STRICT):
                found.setdefault(side, direction)
    return Curvature(
        False if 1.0 in found else None,
        False if -1.0 in found else None,
        found.get(1.0),
        found.get(-1.0),
    )


def curvature_of_independent_kinks(
    pieces: Pieces,
    separable: Separable,
    kinds: Sequence[str],
    thresholds: Thresholds,
    gauge: Array,
) -> Curvature:
    """Return the second-order behaviour where the kinks are independent.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    separable : Separable
        Its separate coordinates.
    kinds : sequence of str
        What f' does in each.
    thresholds : Thresholds
        For gradients and curvatures.
    gauge : ndarray of shape (k, n)
        Orthonormal tangents of group orbits, left out of the test.

    Notes
    -----
    Linear independence makes the multipliers unique and lets every direction of a critical cone
    be followed by a curve within the cell, so that the conditions are necessary, too. Kinks that
    hold strictly confine the cone to their tangent space, on either side; only the flat sides of
    the others make a difference.
    """
    minimum, descent = _independent_side(pieces, separable, kinds, thresholds, gauge, 1.0)
    maximum, ascent = _independent_side(pieces, separable, kinds, thresholds, gauge, -1.0)
    return Curvature(minimum, maximum, descent, ascent)


def _independent_side(
    pieces: Pieces,
    separable: Separable,
    kinds: Sequence[str],
    thresholds: Thresholds,
    gauge: Array,
    side: float,
) -> tuple[bool | None, Array | None]:
    """Return whether side * f has a strict minimum, and a direction of second-order descent."""
    name = "up" if side > 0 else "down"
    if any(kind not in (name, f"flat {name}", "flat") for kind in kinds):
        return None, None
    both = [k for k, kind in enumerate(kinds) if kind == "flat"]
    if len(both) > FLAT_LIMIT:
        return None, None
    signs = np.full(len(kinds), -1.0)
    for k, kind in enumerate(kinds):
        if kind == f"flat {name}":
            # The side on which f' is zero; the other one's critical cone is its boundary.
            signs[k] = -1.0 if abs(separable.below[k]) < abs(separable.above[k]) else 1.0
    held = np.array([kind == name for kind in kinds])
    positive: bool | None = True
    for choice in product((-1.0, 1.0), repeat=len(both)):
        signs[both] = choice
        form = lagrangian_hessian(pieces, signs, thresholds.zero)
        if form is None:
            return None, None
        rows = all_rows(pieces, signs)
        rows = rows / np.linalg.norm(rows, axis=1)[:, None]
        found = form_on_cone(
            side * form,
            np.vstack([rows[held], gauge]),
            (signs[:, None] * rows)[~held],
            thresholds,
        )
        if found.negative_direction is not None:
            return False, found.negative_direction
        if not found.positive:
            positive = None
    return positive, None
