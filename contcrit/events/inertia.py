"""Eigenvalues that cross the imaginary axis: zero ones, double ones, and complex pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Bracket, LocalPoint, Signals

Array = np.ndarray


class Inertia:
    """Event: the number of eigenvalues with a negative real part changes.

    It is the second, independent signal beside tangent and determinant: it sees kernels of even
    dimension, and two points that share a step.
    """

    kind = "inertia"
    terminal = False

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: always."""
        return True

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return one bracket for each eigenvalue that crosses."""
        if signals.negative is None:
            return []
        known = np.flatnonzero(signals.negative >= 0)
        counts = signals.negative[known]
        found: list[Bracket] = []
        for k in np.flatnonzero(counts[:-1] != counts[1:]):
            low, high = sorted((int(counts[k]), int(counts[k + 1])))
            first, last = int(known[k]), int(known[k + 1])
            found.extend(Bracket(first, last, detail=j) for j in range(low, high))
        return found

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the real part, by ascending order, that changes sign."""
        parts = point.real_parts
        return float("nan") if parts is None else float(parts[bracket.detail])


EVENT = Inertia()
