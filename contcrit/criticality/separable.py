"""Independent kinks: every one of the 2^m patterns occurs, and the kinks separate.

Let y_k be the rate of switching function k along d. When the rows are linearly independent, the
y_k and the coordinates along the active manifold {all g_k = 0} are coordinates of d, piecewise
linear where kinks are nested, and with t tangent to the active manifold

    f'(x; d) = sum_k (kappa_k^+ relu(y_k) - kappa_k^- relu(-y_k)) + t @ d .
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .pieces import Pieces
from .stationarity import Stationarity
from .thresholds import Thresholds

Array = np.ndarray

INDEPENDENT = 1e-3
"""Smallest singular value of unit rows that count as independent."""


@dataclass(frozen=True, eq=False)
class Separable:
    """The function's first-order data in separate coordinates.

    Attributes
    ----------
    below, above : ndarray of shape (m,)
        kappa^- and kappa^+: slopes in y_k on either side of unit kink k.
    tangential : ndarray of shape (n,)
        The gradient along the active manifold, which every piece shares.
    tangent : ndarray of shape (n - m, n)
        Orthonormal basis of the active manifold's tangent space.
    conditioning : float
        Smallest singular value of the unit rows.
    """

    below: Array
    above: Array
    tangential: Array
    tangent: Array
    conditioning: float

    def side(self, k: int, sign: float) -> float:
        """Return the slope in y_k on the side of a sign."""
        return float(self.above[k] if sign > 0 else self.below[k])

    def kinds(self, thresholds: Thresholds) -> list[str]:
        """Return what f' does in each y_k.

        ``"up"`` rises both ways, ``"down"`` falls both ways, ``"regular"`` is monotone; with
        ``"flat up"`` and ``"flat down"`` one side is zero, with ``"flat"`` both are; and
        ``"undecided"``.
        """
        names = {
            (-1, 1): "up",
            (1, -1): "down",
            (1, 1): "regular",
            (-1, -1): "regular",
            (0, 1): "flat up",
            (-1, 0): "flat up",
            (0, -1): "flat down",
            (1, 0): "flat down",
            (0, 0): "flat",
        }
        limits = Thresholds(
            thresholds.zero / self.conditioning, thresholds.clear / self.conditioning
        )
        return [
            names.get((limits.sign(low), limits.sign(high)), "undecided")  # type: ignore[arg-type]
            for low, high in zip(self.below, self.above, strict=True)
        ]

    def positions(self) -> Array:
        """Return the positions at which the chain rule's gradient vanishes across the kinks."""
        jump = self.above - self.below
        with np.errstate(divide="ignore", invalid="ignore"):
            positions = np.where(jump != 0, -self.below / jump, 0.5)
        return np.asarray(np.clip(positions, 0.0, 1.0))


def separate(pieces: Pieces) -> Separable | None:
    """Return the separate coordinates' data, or None where the kinks are not independent.

    Parameters
    ----------
    pieces : Pieces
        The function at the point, with at least one active kink.

    Examples
    --------
    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> data = separate(ArrayPieces([-1.0, 0.0], [[1.0, 0.0]], [2.0]))
    >>> data.below, data.above, data.kinds(Thresholds.of(1e-8, 1.0))
    (array([-1.]), array([1.]), ['up'])
    """
    m, n = sum(pieces.levels), pieces.size
    if m > n:
        return None
    ends = [np.full(m, -1.0), np.full(m, 1.0)]
    others = list(np.random.default_rng(0).choice([-1.0, 1.0], size=(8, m)))
    frames = [all_rows(pieces, signs) for signs in ends + others]
    lengths = np.linalg.norm(frames[0], axis=1)
    if np.any(lengths <= 1e-14):
        return None
    # One length for each kink, whatever the signs: coordinates y_k must not depend on the cell.
    frames = [frame / lengths[:, None] for frame in frames]
    conditioning = min(float(np.linalg.svd(frame, compute_uv=False)[-1]) for frame in frames)
    if conditioning < INDEPENDENT:
        return None
    gradients = [pieces.gradient(signs) for signs in ends + others]
    slopes = [
        np.linalg.lstsq(frame.T, gradient, rcond=None)[0]
        for frame, gradient in zip(frames, gradients, strict=True)
    ]
    tangent = linalg.null_space(frames[0]).T
    result = Separable(
        slopes[0], slopes[1], gradients[0] - slopes[0] @ frames[0], tangent, conditioning
    )
    size = max(float(np.max(np.abs(gradient))) for gradient in gradients)
    for signs, frame, gradient in zip(ends + others, frames, gradients, strict=True):
        expected = result.tangential + np.where(signs > 0, result.above, result.below) @ frame
        if np.max(np.abs(expected - gradient)) > 1e-9 * max(size, 1e-3) / conditioning:
            return None
    return result


def separable_stationarity(
    pieces: Pieces, separable: Separable, kinds: list[str], thresholds: Thresholds
) -> Stationarity:
    """Return the first-order behaviour of independent kinks.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    separable : Separable
        Its separate coordinates.
    kinds : list of str
        What f' does in each.
    thresholds : Thresholds
        For gradients.
    """
    along = thresholds.is_zero(float(np.linalg.norm(separable.tangential)))
    descent = ascent = None
    if along is False:
        ascent = separable.tangential / np.linalg.norm(separable.tangential)
        descent = -ascent
    falls: list[tuple[float, int, float]] = []
    for k, kind in enumerate(kinds):
        if kind == "undecided":
            continue
        falls.extend((side * separable.side(k, side), k, side) for side in (-1.0, 1.0))
    if descent is None and falls:
        lowest, k, side = min(falls)
        if lowest < -thresholds.clear:
            descent = side_direction(pieces, k, side)
    if ascent is None and falls:
        highest, k, side = max(falls)
        if highest > thresholds.clear:
            ascent = side_direction(pieces, k, side)
    known = set(kinds)
    decided = along is True and "undecided" not in known
    stationary = decided and known <= {"up", "flat up", "flat"}
    rising = decided and known <= {"down", "flat down", "flat"}
    square = separable.tangent.shape[0] == 0
    flat_sides = {"flat up", "flat down", "flat"}
    return Stationarity(
        False if descent is not None else True if stationary else None,
        descent,
        ascent,
        strict=(stationary and square and known <= {"up"}) if decided else None,
        flat=known <= flat_sides if decided else None,
        nowhere_rising=False if ascent is not None else True if rising else None,
        strictly_falling=(rising and square and known <= {"down"}) if decided else None,
    )


def all_rows(pieces: Pieces, signs: Array) -> Array:
    """Return the switching gradients (m, n) of all levels for a sign pattern."""
    rows = [np.empty((0, pieces.size))]
    for level in range(len(pieces.levels)):
        rows.append(pieces.switching_gradients(level, signs[: sum(pieces.levels[:level])]))
    return np.vstack(rows)


def side_direction(pieces: Pieces, kink: int, sign: float) -> Array:
    """Return a unit direction that moves off one kink, to a side, and along all others."""
    signs = np.full(sum(pieces.levels), -1.0)
    signs[kink] = sign
    target = np.zeros(len(signs))
    target[kink] = sign
    direction = np.linalg.lstsq(all_rows(pieces, signs), target, rcond=None)[0]
    result: Array = direction / np.linalg.norm(direction)
    return result


def lagrangian_hessian(pieces: Pieces, signs: Array, zero: float) -> Array | None:
    """Return the Hessian of a piece minus its multipliers times those of its switching functions.

    On the directions along which every kink with a non-zero multiplier stays put, this is the
    second derivative of the function along its cell, the curvature of the cell's boundary
    included. The curvatures of the switching functions follow from the difference of the Hessians
    on both sides of each kink. None where Hessians are missing or a difference does not tell.

    Parameters
    ----------
    pieces : Pieces
        The function at the point; its kinks are independent.
    signs : ndarray of shape (m,)
        The piece.
    zero : float
        Multipliers whose share of the gradient is at most this count as zero.
    """
    own = pieces.hessian(signs)
    if own is None:
        return None
    result = np.array(own, dtype=float)
    rows = all_rows(pieces, signs)
    gradient = pieces.gradient(signs)
    multipliers = np.linalg.lstsq(rows.T, gradient, rcond=None)[0]
    size = float(np.max(np.abs(gradient), initial=0.0))
    for k, row in enumerate(rows):
        if abs(multipliers[k]) * np.linalg.norm(row) <= zero:
            continue
        flipped = signs.copy()
        flipped[k] = -signs[k]
        jump = signs[k] * ((gradient - pieces.gradient(flipped)) @ row) / (row @ row)
        other = pieces.hessian(flipped)
        if other is None or abs(jump) * np.linalg.norm(row) <= 1e-9 * max(size, FLOOR_JUMP):
            return None
        result -= multipliers[k] * signs[k] * (own - other) / jump
    return (result + result.T) / 2


FLOOR_JUMP = 1e-6
"""Gradients' jumps are measured against at least this."""
