"""Trace: march both ways from a start point, find the special points, and make a branch of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import Status
from ..events import Event, default_events
from ..events.base import Signals
from ..results import Branch, SpecialPoint
from ..settings import Settings
from . import walk as walking
from .assembly import Assembly, March, empty_march, failed_branch, joined
from .gauge import dropped, gauged, lifted, orbit_phases
from .gear import Gear
from .kernel import (
    Control,
    allocate,
    control_from,
    evaluate,
    negative_eigenvalues,
    raw_tangent,
)
from .start import correct_start, start_tangent

Array = np.ndarray
Progress = Callable[[int, float], Any]

_REASONS = {
    walking.END_OF_SPAN: Status.END_OF_SPAN,
    walking.CLOSED_LOOP: Status.CLOSED_LOOP,
    walking.STEP_TOO_SMALL: Status.STEP_TOO_SMALL,
    walking.LEFT_BOUNDS: Status.LEFT_BOUNDS,
    walking.LEFT_DOMAIN: Status.NOT_FINITE,
}

_ROOM = 2**22
"""Numbers that a chunk of points may hold, so that large systems take few points at a time."""


class Tracer:
    """Traces branches of one system over one span.

    Parameters
    ----------
    system : System
        Without gauge; the gauge is chosen from each start point.
    span : tuple of float
    settings : Settings
    events : sequence of Event
        Looked for besides the default ones.
    progress : callable, optional
        ``progress(points, parameter)``; returning True stops the walk.
    """

    def __init__(
        self,
        system: Any,
        span: tuple[float, float],
        settings: Settings,
        events: Sequence[Event] = (),
        progress: Progress | None = None,
    ) -> None:
        self.base = system
        self.span = span
        self.settings = settings
        self.events = (*default_events(), *events)
        self.progress = progress
        self.control: Control = control_from(settings, span)
        self.gears: set[str] = set()
        self.assembly = Assembly(system, span, settings, self.events, self.control)

    def weights(self, system: Any) -> Array:
        """Return the metric's weights for a system."""
        return self.assembly.weights(system)

    # ---- from a guess ------------------------------------------------------------------

    def trace(self, z: Array, direction: str) -> Branch:
        """Trace from a guess at a fixed parameter, in the given direction(s)."""
        found = self.set_out(z)
        return found if isinstance(found, Branch) else self.both_ways(*found, direction)

    def set_out(self, z: Array) -> tuple[Any, Array, Array] | Branch:
        """Return system, corrected start and forward tangent; an empty branch says why not."""
        system = gauged(self.base, z[:-1])
        start = correct_start(system, lifted(system, z), self.control, self.settings)
        if start is None:
            return self._failed(z, Status.START_FAILED)
        regauged = gauged(self.base, dropped(system, start)[:-1])
        if getattr(regauged, "multipliers", 0) != getattr(system, "multipliers", 0):
            system, start = regauged, lifted(regauged, dropped(system, start))
        tangent, regular = start_tangent(system, start, self.weights(system))
        return (system, start, tangent) if regular else self._beside(dropped(system, start))

    def resume(self, z: Array, tangent: Array) -> Branch:
        """Go on from a point in the direction of its tangent (both without multipliers)."""
        system = gauged(self.base, z[:-1])
        return self.both_ways(system, lifted(system, z), lifted(system, tangent), "forward")

    def _beside(self, z: Array) -> tuple[Any, Array, Array] | Branch:
        """Start a little beside a singular point, on the branch that a parameter step reaches."""
        low, high = self.span
        for share in (1e-3, -1e-3, 1e-2, -1e-2):
            moved = z.copy()
            moved[-1] += share * (high - low)
            if not low <= moved[-1] <= high:
                continue
            system = gauged(self.base, moved[:-1])
            start = correct_start(system, lifted(system, moved), self.control, self.settings)
            if start is None:
                continue
            tangent, regular = start_tangent(system, start, self.weights(system))
            if regular:
                return system, start, tangent
        return self._failed(z, Status.SINGULAR_START)

    def both_ways(
        self,
        system: Any,
        start: Array,
        tangent: Array,
        direction: str = "both",
        *,
        singular: SpecialPoint | None = None,
        first: tuple[March | None, March | None] | None = None,
    ) -> Branch:
        """March along the tangent and against it, and join the two.

        Parameters
        ----------
        system : System
            Gauged where needed.
        start, tangent : ndarray of shape (n + 1,)
        direction : {"both", "forward", "backward"}
            Forward is along the tangent.
        singular : SpecialPoint, optional
            The branch point that `start` is, when the branch was entered there.
        first : tuple of March, optional
            First points each way, found by the branch switch.
        """
        seeds = first if first is not None else (None, None)
        behind = empty_march(start.size, Status.NOT_ASKED_FOR)
        ahead = [behind]  # in pieces, so that many points are joined only once
        # The loop's end is told at a regular point: the corrector is singular at a branch point.
        loop = (start, tangent)
        if seeds[1] is not None:
            loop = (seeds[1].points[-1], -seeds[1].tangents[-1])
        if direction in ("both", "forward"):
            ahead = list(self.chunks(system, start, tangent, seeds[0], loop))
        closed = ahead[-1].status is Status.CLOSED_LOOP
        if direction in ("both", "backward") and not closed:
            behind = self.march(system, start, -tangent, seeds[1])
        own = self.facts(system, start, tangent)
        if singular is not None:
            own[0, walking.SIGN], own[0, walking.LOG_MODULUS] = 0.0, np.inf
        facts_behind = behind.facts[::-1].copy()
        facts_behind[:, walking.ARCLENGTH] *= -1.0
        facts_behind[:, walking.SIGN] *= -1.0
        middle = March(
            np.concatenate([behind.points[::-1], start[None]]),
            np.concatenate([-behind.tangents[::-1], tangent[None]]),
            np.concatenate([facts_behind, own]),
            behind.status,
        )
        whole = joined([middle, *ahead])
        points, tangents, facts = whole.points, whole.tangents, whole.facts
        facts[:, walking.ARCLENGTH] -= facts[0, walking.ARCLENGTH]
        if closed and seeds[1] is not None:
            facts[-1, walking.SIGN :] = seeds[1].facts[-1, walking.SIGN :] * (-1.0, 1.0, 1.0)
            points, tangents = np.vstack([points, start]), np.vstack([tangents, tangent])
            facts = np.vstack([facts, own])
            facts[-1, walking.ARCLENGTH] = (
                facts[-2, walking.ARCLENGTH] + seeds[1].facts[-1, walking.ARCLENGTH]
            )
            status = (Status.CLOSED_LOOP, Status.CLOSED_LOOP)
        elif closed:
            facts[-1, walking.SIGN :] = facts[len(behind.points), walking.SIGN :]
            status = (Status.CLOSED_LOOP, Status.CLOSED_LOOP)
        else:
            status = (behind.status, whole.status)
        whole, origin = March(points, tangents, facts, status[1]), len(behind.points)
        del ahead, middle, behind  # large ones need not be there twice
        gear = "+".join(sorted(self.gears))
        return self.assembly.branch(system, whole, status, singular, origin, gear)

    def facts(self, system: Any, z: Array, tangent: Array) -> Array:
        """Return what the walk would record of a point at arc length 0, shape (1, 6)."""
        work = allocate(system)
        evaluate(system, z, work)
        scratch = np.empty(z.size)
        sign, log_modulus = raw_tangent(system, work, self.weights(system) * tangent, scratch)
        negative = negative_eigenvalues(system, z, work)
        return np.array([[0.0, np.max(np.abs(work.residual)), 0.0, sign, log_modulus, negative]])

    # ---- the march ---------------------------------------------------------------------

    def march(
        self,
        system: Any,
        start: Array,
        tangent: Array,
        seed: March | None = None,
        loop: tuple[Array, Array] | None = None,
    ) -> March:
        """Walk from a point to the end of its branch; see `chunks`."""
        return joined(list(self.chunks(system, start, tangent, seed, loop)))

    def chunks(
        self,
        system: Any,
        start: Array,
        tangent: Array,
        seed: March | None = None,
        loop: tuple[Array, Array] | None = None,
    ) -> Iterator[March]:
        """Walk from a point, its start not among the points yielded, some points at a time.

        `loop` is the point and the tangent at which a closed loop ends; by default the start's. The
        status of the last chunk is that of the walk.
        """
        size = start.size
        loop_start, loop_tangent = (start, tangent) if loop is None else loop
        weights = self.weights(system)
        gear = Gear(system, self.settings)
        scratch = np.empty((6, size))
        z, direction = start.copy(), tangent.copy()
        arclength, step = 0.0, self.settings.step_initial
        count = 0
        if seed is not None:
            yield seed
            z, direction = seed.points[-1].copy(), seed.tangents[-1].copy()
            arclength, count = float(seed.facts[-1, walking.ARCLENGTH]), len(seed.points)
            step = max(arclength, self.settings.step_minimum)
        terminal = [event for event in self.events if event.terminal and event.applies(system)]
        status = Status.MAXIMUM_POINTS
        while status is Status.MAXIMUM_POINTS and count < self.settings.maximum_points:
            gear.shift()
            room = min(gear.chunk, max(1, _ROOM // size), self.settings.maximum_points - count)
            # The first row is the point that the walk sets out from.
            all_points, all_tangents = np.empty((room + 1, size)), np.empty((room + 1, size))
            all_points[0], all_tangents[0] = z, direction
            points, tangents = all_points[1:], all_tangents[1:]
            facts = np.empty((room, walking.FACTS))
            written, reason, step = gear.walk(
                gear.system, z, direction, arclength, step, loop_start, loop_tangent, weights,
                self.control, gear.work, scratch, points, tangents, facts,
            )  # fmt: skip
            gear.walked(written)
            self.gears.add(gear.name)
            points, tangents, facts = points[:written], tangents[:written], facts[:written]
            if written:
                count += written
                arclength = float(facts[-1, walking.ARCLENGTH])
            if (
                terminal
                and written
                and self._terminal_seen(
                    system, terminal, all_points[: written + 1], all_tangents[: written + 1]
                )
            ):
                status = Status.STOPPED_AT_EVENT
            elif reason != walking.FULL:
                status = _REASONS[reason]
            elif self.progress is not None and self.progress(count, float(z[-1])):
                status = Status.STOPPED_BY_USER
            yield March(points, tangents, facts, status)

    def _terminal_seen(
        self,
        system: Any,
        terminal: list[Event],
        z: Array,
        tangents: Array,
    ) -> bool:
        signals = Signals(
            z=z,
            tangent=tangents,
            sign=np.zeros(len(z)),
            log_modulus=np.zeros(len(z)),
            negative=None,
            step=np.zeros(len(z) - 1),
            phases=orbit_phases(system, z),
        )
        return any(event.brackets(signals) for event in terminal)

    def _failed(self, z: Array, status: Status) -> Branch:
        base = self.base
        return failed_branch(
            base.names, base.parameter, z, base.residual(z), status, self.span, self.settings
        )
