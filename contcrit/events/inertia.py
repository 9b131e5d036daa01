"""Eigenvalues that cross the imaginary axis: zero ones, double ones, and complex pairs."""

from __future__ import annotations

from itertools import pairwise
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
        found: list[Bracket] = []
        known = np.flatnonzero(signals.negative >= 0)
        for first, last in pairwise(known):
            low, high = sorted((int(signals.negative[first]), int(signals.negative[last])))
            found.extend(Bracket(int(first), int(last), detail=j) for j in range(low, high))
        return found

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the real part, by ascending order, that changes sign."""
        parts = point.real_parts
        return float("nan") if parts is None else float(parts[bracket.detail])


EVENT = Inertia()
