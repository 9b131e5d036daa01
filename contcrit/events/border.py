"""Borders of a mode: a switching function reaches zero, or a held kink's position an end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..system import Family, ModeLayout
from .base import Bracket, LocalPoint, Signals

Array = np.ndarray

NAME = "border"
"""Name under which the event reports."""


class Borders:
    """The margins of one mode: numbers that are positive inside it.

    A kink on a side has the margin side * g; one that is held has the two margins s and 1 - s.

    Parameters
    ----------
    family : Family
    layout : ModeLayout

    Attributes
    ----------
    kinks, ends : ndarray of int, shape (b,)
        For each margin its kink, and 0 for g or the end of the position: -1 (s = 0) or +1 (s = 1).
    """

    def __init__(self, family: Family, layout: ModeLayout) -> None:
        self.family = family
        self.layout = layout
        sides = np.array(layout.mode, dtype=np.int64)
        self._sided = np.flatnonzero(sides != 0)
        self._signs = sides[self._sided].astype(float)
        count = len(layout.free)
        self.kinks = np.concatenate([self._sided, layout.free, layout.free]).astype(np.int64)
        self.ends = np.repeat([0, -1, 1], [len(self._sided), count, count])

    def margins(self, z: Array, tangent: Array) -> tuple[Array, Array]:
        """Return margins and their derivatives along tangents at points (count, N): (count, b)."""
        layout, z, tangent = self.layout, np.atleast_2d(z), np.atleast_2d(tangent)
        g, slope = self.family.switching(layout.full(z), layout.full_direction(tangent))
        n, last = layout.size, z.shape[1] - 1
        positions, moving = z[:, n:last], tangent[:, n:last]
        values = np.hstack([self._signs * g[:, self._sided], positions, 1.0 - positions])
        slopes = np.hstack([self._signs * slope[:, self._sided], moving, -moving])
        return values, slopes

    def scales(self, z: Array) -> Array:
        """Return what a margin of 1 means in units of the unknowns: (b,), to judge ties by."""
        layout = self.layout
        _, jacobian = self.family.expansion(layout.full(z))
        n, m = layout.size, layout.kinks
        columns = np.append(np.arange(n), n + m)
        lengths = np.max(np.abs(jacobian[n:][:, columns]), axis=1, initial=0.0)
        lengths = np.where(lengths > 0, lengths, 1.0) * (1.0 + np.max(np.abs(z)))
        return np.concatenate([lengths[self._sided], np.ones(2 * len(layout.free))])

    def gradient(self, z: Array, margin: int) -> Array:
        """Return the derivative of one margin in z, shape (N,)."""
        layout = self.layout
        kink, end = int(self.kinks[margin]), int(self.ends[margin])
        if end == 0:
            _, jacobian = self.family.expansion(layout.full(z))
            return layout.mode[kink] * layout.take(jacobian[layout.size + kink])
        row = np.zeros(len(z))
        row[layout.size + int(np.searchsorted(layout.free, kink))] = -float(end)
        return row


class Border:
    """Event: the walk leaves its mode. Terminal: another mode has to take over.

    Parameters
    ----------
    borders : Borders
    tolerance : float
        Margins above minus this are inside: a walk that sets out from a border starts with zero.
    """

    kind = "user"
    name = NAME
    terminal = True

    def __init__(self, borders: Borders, tolerance: float = 1e-10) -> None:
        self.borders = borders
        self.tolerance = tolerance

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: always."""
        return True

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where margins turn negative on the way out, be it between two points only."""
        values, slopes = self.borders.margins(signals.z, signals.tangent)
        inside: Array = np.greater_equal(values, -self.tolerance)
        admissible: Array = np.all(inside, axis=1)
        found = _dips(values, slopes, signals.step, self.tolerance)
        for k in np.flatnonzero(admissible[:-1] != admissible[1:]):
            # Marches both ways are joined: the way out may lead to lower positions too.
            forward = bool(admissible[k])
            beyond = int(k) + 1 if forward else int(k)
            for margin in np.flatnonzero(~inside[beyond]):
                column = values[:beyond, margin] if forward else values[beyond + 1 :, margin]
                positive = np.flatnonzero(column > 0)
                if forward:
                    first = int(positive[-1]) if positive.size else beyond - 1
                    found.append(Bracket(first, beyond, detail=int(margin)))
                else:
                    last = beyond + 1 + (int(positive[0]) if positive.size else 0)
                    found.append(Bracket(beyond, last, detail=int(margin)))
        return found

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the margin that turns negative."""
        return float(self.borders.margins(point.z, point.tangent)[0][0, bracket.detail])


def _dips(values: Array, slopes: Array, steps: Array, tolerance: float) -> list[Bracket]:
    """Return brackets in steps whose cubic Hermite interpolant leaves and comes back.

    Margins that stay zero have dips too, as deep as rounding: these are no borders.
    """
    found = []
    positive: Array = np.greater(values, 0.0)
    admissible: Array = np.all(positive, axis=1)
    inside = positive[:-1] & positive[1:] & (slopes[:-1] < 0) & (slopes[1:] > 0)
    inside &= (admissible[:-1] & admissible[1:])[:, None]
    for k, margin in np.argwhere(inside):
        width = float(steps[k])
        if not width > 0:
            continue
        low, high = values[k, margin], values[k + 1, margin]
        start, stop = slopes[k, margin] * width, slopes[k + 1, margin] * width
        cubic = np.array(
            [2 * low - 2 * high + start + stop, -3 * low + 3 * high - 2 * start - stop, start, low]
        )
        roots = np.roots(np.polyder(cubic))
        inner = roots[np.abs(roots.imag) < 1e-12].real
        for share in inner[(inner > 0) & (inner < 1)]:
            if np.polyval(cubic, share) < -tolerance:
                limits = (0.0, float(share) * width)
                found.append(Bracket(int(k), int(k) + 1, detail=int(margin), limits=limits))
                break
    return found
