"""Isotropy: a family of group orbits shrinks to a solution that the group fixes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Bracket, LocalPoint, Signals, sign_changes

Array = np.ndarray


class Isotropy:
    """Event: the acting orbit tangents pass through zero.

    Beyond it the branch would only repeat itself as a rotated copy, so the trace ends there; the
    point is a branch point of the system without gauge.
    """

    kind = "isotropy"
    terminal = True

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: only under gauge."""
        return hasattr(system, "phases")

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the orientation of the orbit tangents flips."""
        if signals.phases is None:
            return []
        overlap = [
            np.linalg.det(before @ after.T)
            for before, after in zip(signals.phases[:-1], signals.phases[1:], strict=True)
        ]
        return sign_changes(np.cumprod(np.sign(np.array([1.0, *overlap]))))

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the overlap of the orbit tangents with those at the bracket's start."""
        system = point.system
        here = system.phases(system.drop(point.z)[:-1])
        before = system.phases(system.drop(point.origin)[:-1])
        return float(np.linalg.det(here @ before.T))


EVENT = Isotropy()
