"""Location: two independent methods must agree before a special point is believed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..events.base import Bracket, Event, LocalPoint
from ..results import SpecialPoint
from .compiled import CompiledLocator
from .identification import Identifier
from .roots import close_in

Array = np.ndarray

_APART = ("user", "flip")
"""Kinds that say nothing of kernels and inertia: they neither explain nor hide another event."""


class Locator(Identifier):
    """Finds special points between the accepted points of one march."""

    def special_points(self, events: tuple[Event, ...]) -> list[SpecialPoint]:
        """Locate, refine and identify everything the events bracket, in order of arc length."""
        compiled = CompiledLocator(self)
        found, settled = compiled.found, compiled.settled
        applying = [
            event for event in events if event.applies(self.system) and not compiled.covers(event)
        ]
        inertia = [event for event in applying if event.kind == "inertia"]
        others = [event for event in applying if event.kind != "inertia"]
        changes: list[tuple[Event, Bracket]] = []
        dips: list[tuple[Event, Bracket]] = []
        bracketed = [
            (event, bracket) for event in others for bracket in event.brackets(self.signals)
        ]
        for event, bracket in bracketed:
            if not compiled.explains(event, bracket):
                (dips if bracket.dip else changes).append((event, bracket))
        # Inertia comes after the cheap changes of sign, which explain most of its own; dips come
        # last, since they are the least sharp.
        self._search(changes, found)
        for event in inertia:
            brackets = self._unexplained(event.brackets(self.signals), found, settled)
            self._search([(event, bracket) for bracket in brackets], found)
        self._search([(event, dip) for event, dip in dips if not self._holds(dip, found)], found)
        found = self._without_echoes(found)
        return sorted(found, key=lambda special: special.arclength)

    def _without_echoes(self, found: list[SpecialPoint]) -> list[SpecialPoint]:
        """Drop what other events saw of a point where the group comes to fix the solution.

        The gauged equations are singular there and their tangent turns, so that every event fires
        near it, none of them sharply.
        """
        collapses = [special for special in found if special.evidence["event"] == "isotropy"]
        return [
            special
            for special in found
            if special.kind == "user"
            or special in collapses
            or all(
                np.max(np.abs(special.z - other.z)) > 1e-3 * (1.0 + np.max(np.abs(other.z)))
                for other in collapses
            )
        ]

    def _search(self, brackets: list[tuple[Event, Bracket]], found: list[SpecialPoint]) -> None:
        """Add to the special points found what lies in these brackets besides."""
        candidates = []
        for event, bracket in brackets:
            for wider in self._widened(bracket):
                hit = self._locate(event, wider)
                if hit is not None:
                    candidates.append((event, wider, *hit))
                    break
        for event, bracket, offset, z, tangent in sorted(candidates, key=_order):
            special = self.identify(event, bracket, offset, z, tangent)
            if special is not None and not any(self._same(special, other) for other in found):
                found.append(special)

    def _widened(self, bracket: Bracket) -> Iterator[Bracket]:
        """Yield a bracket, then wider ones: an end too close to a singular point misleads."""
        yield bracket
        if bracket.dip or bracket.limits is not None:
            return
        before, after = max(bracket.first - 1, 0), min(bracket.last + 1, len(self.signals.z) - 1)
        for first, last in ((before, bracket.last), (bracket.first, after), (before, after)):
            if (first, last) != (bracket.first, bracket.last):
                yield replace(bracket, first=first, last=last)

    def _holds(self, bracket: Bracket, found: list[SpecialPoint]) -> bool:
        low, high = self.arclength[bracket.first], self.arclength[bracket.last]
        return any(s.kind not in _APART and low <= s.arclength <= high for s in found)

    def _unexplained(
        self,
        brackets: list[Bracket],
        found: list[SpecialPoint],
        settled: set[tuple[int, int]],
    ) -> list[Bracket]:
        """Cut steps at the kernels found inside them; keep what still changes beside those.

        A fold and a Hopf point that share a step change the inertia by one between them; only on
        either side of the fold is the change of two seen for what it is.
        """
        if self.signals.negative is None:
            return []
        holding = set()
        for special in found:
            if special.kind not in _APART:
                last = int(np.searchsorted(self.arclength, special.arclength))
                last = min(max(last, 1), len(self.arclength) - 1)
                holding.add((last - 1, last))
        holding -= settled
        brackets = [b for b in brackets if (b.first, b.last) not in settled]
        kept = [bracket for bracket in brackets if (bracket.first, bracket.last) not in holding]
        for first, last in sorted(holding):
            if self.signals.negative[first] >= 0 and self.signals.negative[last] >= 0:
                kept.extend(self._split(Bracket(first, last), found))
        return kept

    def _split(self, bracket: Bracket, found: list[SpecialPoint]) -> list[Bracket]:
        low, high = self.arclength[bracket.first], self.arclength[bracket.last]
        row = self.weights * self.signals.tangent[bracket.first]
        origin = self.signals.z[bracket.first]
        inside = sorted(
            float(row @ (special.z - origin))
            for special in found
            if special.kind != "user" and low <= special.arclength <= high
        )
        reach = self.reach(bracket)
        edges = [0.0, *(s + sign * 1e-4 * reach for s in inside for sign in (-1, 1)), reach]
        pieces: list[Bracket] = []
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if not stop > start:
                continue
            counts = []
            for offset in (start, stop):
                point = self.local(bracket, offset, {})
                count = -1 if point is None else point.negative
                if count >= 0:
                    counts.append(count)
            if len(counts) == 2:
                crossing = range(min(counts), max(counts))
                pieces.extend(replace(bracket, detail=j, limits=(start, stop)) for j in crossing)
        return pieces

    def _same(self, one: SpecialPoint, other: SpecialPoint) -> bool:
        if _subject(one) != _subject(other):
            return False
        distance = float(np.max(np.abs(one.z - other.z)))
        near = abs(one.arclength - other.arclength) <= max(
            one.bracket[1] - one.bracket[0], other.bracket[1] - other.bracket[0]
        )
        scale = 1.0 + float(np.max(np.abs(one.z)))
        return near and distance <= self.settings.merge_tolerance * scale

    def _locate(self, event: Event, bracket: Bracket) -> tuple[float, Array, Array] | None:
        """Drive the event's test function to zero; return offset, point and tangent."""
        span = self.reach(bracket)
        start, stop = (0.0, span) if bracket.limits is None else bracket.limits
        scale: dict[str, float] = {}
        cache: dict[float, tuple[float, LocalPoint]] = {}

        def value(offset: float) -> float:
            point = self.local(bracket, offset, scale)
            if point is None:
                raise _Lost
            result = event.value(point, bracket)
            if not math.isfinite(result):
                raise _Lost
            cache[offset] = (abs(result), point)
            return result

        tolerance = self.settings.location_tolerance
        try:
            if bracket.dip:
                from scipy.optimize import minimize_scalar  # slow to import

                found = minimize_scalar(
                    value, bounds=(start, stop), method="bounded", options={"xatol": 1e-11 * span}
                )
                outside = max(value(start), value(stop))
                if found.fun > 1e-3 * outside:
                    return None
            else:
                low, high = value(start), value(stop)
                if low * high > 0:
                    return None
                if low * high < 0:  # else one of the two is the point itself
                    close_in(value, start, stop, low, high, tolerance)
        except _Lost:
            if not cache:
                return None
        offset = min(cache, key=lambda s: cache[s][0])
        best = cache[offset][1]
        return offset, best.z, best.tangent


def _order(candidate: tuple[Event, Bracket, float, Array, Array]) -> tuple[Any, ...]:
    """Put terminal events first, the others in order along the branch."""
    event, bracket, offset = candidate[:3]
    return not event.terminal, bracket.first, offset, event.kind


def _subject(special: SpecialPoint) -> str:
    """Return what a point is about; points about different things are never the same."""
    return str(special.evidence["event"]) if special.kind in _APART else ""


class _Lost(Exception):
    """A continuation step inside a bracket failed; the best point so far stands."""
