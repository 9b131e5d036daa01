"""What compiled code can locate by itself, tried before the general machinery."""

from __future__ import annotations

import numpy as np

from ..events.base import Bracket, Event
from ..results import SpecialPoint
from .between import Pair
from .gear import Gear, Located
from .identification import Identifier


class CompiledLocator:
    """Finds simple folds, and branch points where eigenvalues change sides, by compiled code.

    Parameters
    ----------
    host : Identifier
        Knows the points, and makes the records.

    Attributes
    ----------
    settled : set of (int, int)
        Steps whose whole change of inertia is accounted for by what was found in them.
    """

    def __init__(self, host: Identifier) -> None:
        self.host = host
        self.settled: set[tuple[int, int]] = set()
        self._turned: set[tuple[int, int]] = set()
        self._crossed: set[tuple[int, int]] = set()

    def special_points(self, bracketed: list[tuple[Event, Bracket]]) -> list[SpecialPoint]:
        """Return what is found; nothing without compiled locators."""
        host, gear = self.host, self.host.gear
        if gear is None or not gear.locates:
            return []
        found = []
        turns = {_step(b) for event, b in bracketed if event.kind == "fold"}
        for event, bracket in bracketed:
            if event.kind == "fold" and bracket.limits is None:
                pair = self._pair(bracket)
                located = gear.simple_fold(
                    pair, host.apart(bracket), host.weights, host.control, host.settings
                )
                found.extend(self._recorded(located, bracket, pair, self._turned))
        negative = host.signals.negative
        if negative is None:
            return found
        known = (negative[:-1] >= 0) & (negative[1:] >= 0)
        for k in np.flatnonzero(known & (negative[:-1] != negative[1:])).tolist():
            bracket = Bracket(k, k + 1)
            if _step(bracket) not in turns:
                pair = self._pair(bracket)
                located = self._crossing(gear, bracket, pair)
                found.extend(self._recorded(located, bracket, pair, self._crossed))
        return found

    def explains(self, event: Event, bracket: Bracket) -> bool:
        """Tell whether nothing is left to find in a bracket."""
        if event.kind == "fold":
            return _step(bracket) in self._turned and bracket.limits is None
        return event.kind == "branch-point" and not bracket.dip and _step(bracket) in self._crossed

    def _crossing(self, gear: Gear, bracket: Bracket, pair: Pair) -> Located | None:
        host = self.host
        step = float(host.signals.step[bracket.first])
        spread = max(0.01 * step, 0.01 * host.distance())
        return gear.branch_point(
            pair, host.apart(bracket), spread, host.weights, host.control, host.settings
        )

    def _pair(self, bracket: Bracket) -> Pair:
        signals, first, last = self.host.signals, bracket.first, bracket.last
        counts = (-1, -1)
        if signals.negative is not None:
            counts = (int(signals.negative[first]), int(signals.negative[last]))
        ends = signals.z[first], signals.tangent[first], signals.z[last], signals.tangent[last]
        return Pair(*ends, self.host.reach(bracket), *counts)

    def _recorded(
        self,
        located: Located | None,
        bracket: Bracket,
        pair: Pair,
        steps: set[tuple[int, int]],
    ) -> list[SpecialPoint]:
        if located is None:
            return []
        host = self.host
        steps.add(_step(bracket))
        if located.negative == (pair.before, pair.after):
            self.settled.add(_step(bracket))
        low, high = float(host.arclength[bracket.first]), float(host.arclength[bracket.last])
        share = min(1.0, max(0.0, located.position / pair.reach))
        return [
            host.record(
                located.kind, located.z, located.tangent, (low, high), low + (high - low) * share,
                (located.refined, located.residual), located.evidence,
            )
        ]  # fmt: skip


def _step(bracket: Bracket) -> tuple[int, int]:
    return bracket.first, bracket.last
