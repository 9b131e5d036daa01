"""Events of the user's within a mode: they see unknowns and parameter, and no positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...events.base import Bracket, LocalPoint, Signals
from ...system import ModeLayout

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class PlainEvent:
    """An event of the user's, which knows unknowns and parameter but no positions."""

    event: Any
    layout: ModeLayout

    @property
    def kind(self) -> str:
        """Kind of the user's event."""
        return str(self.event.kind)

    @property
    def terminal(self) -> bool:
        """Whether the walk ends there."""
        return bool(self.event.terminal)

    @property
    def name(self) -> str:
        """Name under which it reports."""
        return str(getattr(self.event, "name", self.event.kind))

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system."""
        return bool(self.event.applies(system))

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the event happens between accepted points."""
        plain = self.layout.plain
        found: list[Bracket] = self.event.brackets(
            replace(signals, z=plain(signals.z), tangent=plain(signals.tangent))
        )
        return found

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return its test function."""
        plain = self.layout.plain
        return float(
            self.event.value(
                replace(
                    point,
                    z=plain(point.z),
                    tangent=plain(point.tangent),
                    origin=plain(point.origin),
                ),
                bracket,
            )
        )
