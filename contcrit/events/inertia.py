"""Eigenvalues that cross the imaginary axis: zero ones, double ones, and complex pairs."""

from __future__ import annotations

from typing import Any

from .base import Bracket, LocalPoint, Signals, count_changes


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
        return [] if signals.negative is None else count_changes(signals.negative)

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the real part, by ascending order, that changes sign."""
        parts = point.real_parts
        return float("nan") if parts is None else float(parts[bracket.detail])


EVENT = Inertia()
