"""Trace: march both ways from a start point, find the special points, and make a branch of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import Status
from ..events import Event, default_events
from ..events.base import Signals, spectral_matrix
from ..linalg import metric_weights, negative_count, negative_counts
from ..results import Branch, SpecialPoint
from ..settings import Settings
from . import walk as walking
from .gauge import GaugedSystem, gauged
from .gear import Gear
from .kernel import Control, allocate, control_from, evaluate, raw_tangent
from .location import Locator
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


@dataclass(eq=False)
class March:
    """The accepted points of one direction, its start not among them."""

    points: Array
    tangents: Array
    facts: Array
    status: Status


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

    def weights(self, system: Any) -> Array:
        """Return the metric's weights for a system."""
        return metric_weights(system.size, self.settings.theta, getattr(system, "multipliers", 0))

    # ---- from a guess ------------------------------------------------------------------

    def trace(self, z: Array, direction: str) -> Branch:
        """Trace from a guess at a fixed parameter, in the given direction(s)."""
        system = gauged(self.base, z[:-1])
        start = correct_start(system, self._lift(system, z), self.control, self.settings)
        if start is None:
            return self._failed(z, Status.START_FAILED)
        regauged = gauged(self.base, self._drop(system, start)[:-1])
        if getattr(regauged, "multipliers", 0) != getattr(system, "multipliers", 0):
            system, start = regauged, self._lift(regauged, self._drop(system, start))
        tangent, regular = start_tangent(system, start, self.weights(system))
        if not regular:
            return self._beside(self._drop(system, start), direction)
        return self.both_ways(system, start, tangent, direction)

    def resume(self, z: Array, tangent: Array) -> Branch:
        """Go on from a point in the direction of its tangent (both without multipliers)."""
        system = gauged(self.base, z[:-1])
        return self.both_ways(system, self._lift(system, z), self._lift(system, tangent), "forward")

    def _beside(self, z: Array, direction: str) -> Branch:
        """Start a little beside a singular point, on the branch that a parameter step reaches."""
        low, high = self.span
        for share in (1e-3, -1e-3, 1e-2, -1e-2):
            moved = z.copy()
            moved[-1] += share * (high - low)
            if not low <= moved[-1] <= high:
                continue
            system = gauged(self.base, moved[:-1])
            start = correct_start(system, self._lift(system, moved), self.control, self.settings)
            if start is None:
                continue
            tangent, regular = start_tangent(system, start, self.weights(system))
            if regular:
                return self.both_ways(system, start, tangent, direction)
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
        nothing = self._nothing(start)
        ahead = behind = nothing
        if direction in ("both", "forward"):
            ahead = self.march(system, start, tangent, seeds[0])
        if direction in ("both", "backward") and ahead.status is not Status.CLOSED_LOOP:
            behind = self.march(system, start, -tangent, seeds[1])
        work = allocate(system)
        evaluate(system, start, work)
        scratch = np.empty(start.size)
        sign, log_modulus = raw_tangent(system, work, self.weights(system) * tangent, scratch)
        own = np.array([[0.0, np.max(np.abs(work.residual)), 0.0, sign, log_modulus]])
        if singular is not None:
            own[0, walking.SIGN], own[0, walking.LOG_MODULUS] = 0.0, np.inf
        facts_behind = behind.facts[::-1].copy()
        facts_behind[:, walking.ARCLENGTH] *= -1.0
        facts_behind[:, walking.SIGN] *= -1.0
        points = np.concatenate([behind.points[::-1], start[None], ahead.points])
        tangents = np.concatenate([-behind.tangents[::-1], tangent[None], ahead.tangents])
        facts = np.concatenate([facts_behind, own, ahead.facts])
        facts[:, walking.ARCLENGTH] -= facts[0, walking.ARCLENGTH]
        if ahead.status is Status.CLOSED_LOOP:
            facts[-1, walking.SIGN :] = facts[len(behind.points), walking.SIGN :]
            status = (Status.CLOSED_LOOP, Status.CLOSED_LOOP)
        else:
            status = (behind.status, ahead.status)
        return self._branch(system, points, tangents, facts, status, singular, len(behind.points))

    # ---- the march ---------------------------------------------------------------------

    def march(self, system: Any, start: Array, tangent: Array, seed: March | None = None) -> March:
        """Walk from a point, its start not among the points returned."""
        size = start.size
        weights = self.weights(system)
        gear = Gear(system, self.settings)
        scratch = np.empty((6, size))
        z, direction = start.copy(), tangent.copy()
        arclength, step = 0.0, self.settings.step_initial
        parts: list[tuple[Array, Array, Array]] = []
        count = 0
        if seed is not None:
            parts.append((seed.points, seed.tangents, seed.facts))
            z, direction = seed.points[-1].copy(), seed.tangents[-1].copy()
            arclength, count = float(seed.facts[-1, walking.ARCLENGTH]), len(seed.points)
            step = max(arclength, self.settings.step_minimum)
        status = Status.MAXIMUM_POINTS
        terminal = [event for event in self.events if event.terminal and event.applies(system)]
        while count < self.settings.maximum_points:
            gear.shift(count)
            room = min(gear.chunk, self.settings.maximum_points - count)
            points, tangents = np.empty((room, size)), np.empty((room, size))
            facts = np.empty((room, 5))
            origin, origin_tangent = z.copy(), direction.copy()
            written, reason, step = gear.walk(
                gear.system, z, direction, arclength, step, start, tangent, weights, self.control,
                gear.work, scratch, points, tangents, facts,
            )  # fmt: skip
            self.gears.add(gear.name)
            if written:
                parts.append((points[:written], tangents[:written], facts[:written]))
                count += written
                arclength = float(facts[written - 1, walking.ARCLENGTH])
            if (
                terminal
                and written
                and self._terminal_seen(
                    system, terminal, origin, origin_tangent, points[:written], tangents[:written]
                )
            ):
                status = Status.STOPPED_AT_EVENT
                break
            if reason != walking.FULL:
                status = _REASONS[reason]
                break
            if self.progress is not None and self.progress(count, float(z[-1])):
                status = Status.STOPPED_BY_USER
                break
        if not parts:
            return March(np.empty((0, size)), np.empty((0, size)), np.empty((0, 5)), status)
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return March(columns[0], columns[1], columns[2], status)

    def _terminal_seen(
        self,
        system: Any,
        terminal: list[Event],
        origin: Array,
        origin_tangent: Array,
        points: Array,
        tangents: Array,
    ) -> bool:
        z = np.concatenate([origin[None], points])
        signals = Signals(
            z=z,
            tangent=np.concatenate([origin_tangent[None], tangents]),
            sign=np.zeros(len(z)),
            log_modulus=np.zeros(len(z)),
            negative=None,
            step=np.zeros(len(z) - 1),
            phases=self._phases(system, z),
        )
        return any(event.brackets(signals) for event in terminal)

    # ---- making a branch of it -----------------------------------------------------------

    def _branch(
        self,
        system: Any,
        points: Array,
        tangents: Array,
        facts: Array,
        status: tuple[Status, Status],
        singular: SpecialPoint | None,
        origin: int,
    ) -> Branch:
        weights = self.weights(system)
        negative = self._negative_counts(system, points)
        if singular is not None:
            negative[origin] = -1  # ill-defined exactly at the branch point
        signals = Signals(
            z=points,
            tangent=tangents,
            sign=facts[:, walking.SIGN],
            log_modulus=facts[:, walking.LOG_MODULUS],
            negative=negative,
            step=np.sum(weights * tangents[:-1] * np.diff(points, axis=0), axis=1),
            phases=self._phases(system, points),
        )
        arclength = facts[:, walking.ARCLENGTH]
        events = self.events
        if singular is None:
            pieces = [slice(0, len(points))]
        else:
            # A branch entered at a branch point is searched on either side of it only.
            pieces = [slice(0, origin), slice(origin + 1, len(points))]
        special_points: list[SpecialPoint] = []
        for piece in pieces:
            if piece.stop - piece.start < 2:
                continue
            locator = Locator(
                system, weights, self.control, self.settings, _cut(signals, piece), arclength[piece]
            )
            special_points.extend(locator.special_points(events))
        keep = self._ends(special_points, arclength, origin)
        dropped = [self._drop_special(system, special) for special in special_points]
        if singular is not None:
            here = float(arclength[origin])
            tangent = self._drop(system, tangents[origin])
            dropped.append(singular.replace(arclength=here, bracket=(here, here), tangent=tangent))
        dropped.sort(key=lambda special: special.arclength)
        base_points = self._drop(system, points)
        residual = facts[:, walking.RESIDUAL]
        if isinstance(system, GaugedSystem):
            residual = np.array([np.max(np.abs(self.base.residual(z))) for z in base_points])
        branch = Branch(
            names=self.base.names,
            parameter=self.base.parameter,
            z=base_points,
            tangent=self._drop(system, tangents),
            arclength=arclength,
            residual_norm=residual,
            iterations=facts[:, walking.ITERATIONS].astype(np.int64),
            status=status,
            span=self.span,
            columns=self._columns(system, negative),
            special_points=tuple(dropped),
            settings=self.settings,
            provenance={
                "gauge": getattr(system, "multipliers", 0),
                "gear": "+".join(sorted(self.gears)),
            },
        )
        ends = tuple(None if end is None else self._drop_special(system, end) for end in keep)
        return truncate(branch, *ends)

    def _ends(
        self, special_points: list[SpecialPoint], arclength: Array, origin: int
    ) -> tuple[SpecialPoint | None, SpecialPoint | None]:
        """Return the terminal special points nearest to the start, on either side."""
        names = {getattr(event, "name", event.kind) for event in self.events if event.terminal}
        ending = [special for special in special_points if special.evidence["event"] in names]
        here = arclength[origin]
        before = [special for special in ending if special.arclength < here]
        after = [special for special in ending if special.arclength >= here]
        return (before[-1] if before else None), (after[0] if after else None)

    def _columns(self, system: Any, negative: Array) -> dict[str, Array]:
        if np.any(negative >= 0):
            if self.base.kind == "potential":
                return {"index": negative}
            if self.base.kind == "flow":
                unknowns = self.base.size
                return {"unstable_dimension": np.where(negative >= 0, unknowns - negative, -1)}
        return {}

    def _negative_counts(self, system: Any, points: Array) -> Array:
        if not system.sparse and not isinstance(system, GaugedSystem):
            gear = Gear(system, self.settings)
            gear.shift(len(points))
            jacobians = np.empty((len(points), system.size, system.size))
            gear.inner_jacobians(gear.system, points, gear.work, jacobians)
            return negative_counts(jacobians, system.symmetric)
        counts = np.empty(len(points), dtype=np.int64)
        for k, z in enumerate(points):
            matrix, symmetric = spectral_matrix(system, z, system.jacobian(z))
            counts[k] = negative_count(matrix, symmetric)
        return counts

    def _phases(self, system: Any, points: Array) -> Array | None:
        if not isinstance(system, GaugedSystem):
            return None
        return np.array([system.phases(system.drop(z)[:-1]) for z in points])

    def _lift(self, system: Any, z: Array) -> Array:
        return system.lift(z) if isinstance(system, GaugedSystem) else z

    def _drop(self, system: Any, z: Array) -> Array:
        return system.drop(z) if isinstance(system, GaugedSystem) else z

    def _drop_special(self, system: Any, special: SpecialPoint) -> SpecialPoint:
        return special.replace(
            z=self._drop(system, special.z), tangent=self._drop(system, special.tangent)
        )

    def _nothing(self, start: Array) -> March:
        size = start.size
        return March(
            np.empty((0, size)), np.empty((0, size)), np.empty((0, 5)), Status.NOT_ASKED_FOR
        )

    def _failed(self, z: Array, status: Status) -> Branch:
        n = self.base.size
        residual = self.base.residual(z)
        return Branch(
            names=self.base.names,
            parameter=self.base.parameter,
            z=np.empty((0, n + 1)),
            tangent=np.empty((0, n + 1)),
            arclength=np.empty(0),
            residual_norm=np.empty(0),
            iterations=np.empty(0, dtype=np.int64),
            status=(status, status),
            span=self.span,
            settings=self.settings,
            provenance={
                "failed_start": z.copy(),
                "failed_start_residual": float(np.max(np.abs(residual))),
            },
        )


def truncate(branch: Branch, before: SpecialPoint | None, after: SpecialPoint | None) -> Branch:
    """Return the branch between two special points (None keeps that end as it is)."""
    if before is None and after is None:
        return branch
    lower = -np.inf if before is None else before.arclength
    upper = np.inf if after is None else after.arclength
    inside = np.flatnonzero((branch.arclength > lower) & (branch.arclength < upper))
    position = inside
    ends: list[tuple[int, SpecialPoint]] = []
    if before is not None:
        position = np.concatenate([inside[:1], position])
        ends.append((0, before))
    if after is not None:
        position = np.concatenate([position, inside[-1:]])
        ends.append((-1, after))
    z, tangent = branch.z[position], branch.tangent[position]
    arclength, residual = branch.arclength[position], branch.residual_norm[position]
    for k, end in ends:
        z[k], tangent[k] = end.z, end.tangent
        arclength[k], residual[k] = end.arclength, end.residual
    return replace(
        branch,
        z=z,
        tangent=tangent,
        arclength=arclength - arclength[0],
        residual_norm=residual,
        iterations=branch.iterations[position],
        columns={name: column[position] for name, column in branch.columns.items()},
        special_points=tuple(
            special.replace(
                arclength=special.arclength - arclength[0],
                bracket=(special.bracket[0] - arclength[0], special.bracket[1] - arclength[0]),
            )
            for special in branch.special_points
            if lower <= special.arclength <= upper
        ),
        status=(
            branch.status[0] if before is None else Status.STOPPED_AT_EVENT,
            branch.status[1] if after is None else Status.STOPPED_AT_EVENT,
        ),
    )


def _cut(signals: Signals, piece: slice) -> Signals:
    return Signals(
        z=signals.z[piece],
        tangent=signals.tangent[piece],
        sign=signals.sign[piece],
        log_modulus=signals.log_modulus[piece],
        negative=None if signals.negative is None else signals.negative[piece],
        step=signals.step[piece.start : max(piece.start, piece.stop - 1)],
        phases=None if signals.phases is None else signals.phases[piece],
    )
