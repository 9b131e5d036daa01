"""Assembly: make a branch of a march, with its special points and its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import Status
from ..events import Event
from ..events.base import Signals
from ..events.flip import multipliers
from ..linalg import metric_weights
from ..results import Branch, SpecialPoint
from ..settings import Settings
from . import walk as walking
from .gauge import GaugedSystem, dropped, orbit_phases
from .gear import Gear
from .kernel import Control
from .location import Locator

Array = np.ndarray

_LONG = 10_000
"""Unknowns from which on temporary copies of all points are avoided."""


@dataclass(eq=False)
class March:
    """Accepted points of one direction (its start not among them), or of both joined."""

    points: Array
    tangents: Array
    facts: Array
    status: Status


def empty_march(size: int, status: Status) -> March:
    """Return a march without points, for points of the given size."""
    return March(np.empty((0, size)), np.empty((0, size)), np.empty((0, walking.FACTS)), status)


def failed_branch(
    names: tuple[str, ...],
    parameter: str,
    z: Array,
    residual: Array,
    status: Status,
    span: tuple[float, float],
    settings: Settings,
) -> Branch:
    """Return the branch without points that a failed start leaves, with that start."""
    width = len(names) + 1
    return Branch(
        names=names,
        parameter=parameter,
        z=np.empty((0, width)),
        tangent=np.empty((0, width)),
        arclength=np.empty(0),
        residual_norm=np.empty(0),
        iterations=np.empty(0, dtype=np.int64),
        status=(status, status),
        span=span,
        settings=settings,
        provenance={
            "failed_start": z.copy(),
            "failed_start_residual": float(np.max(np.abs(residual))),
        },
    )


def joined(marches: Sequence[March]) -> March:
    """Return one march of several in a row; it ends as the last one."""
    if len(marches) == 1:
        return marches[0]
    return March(
        np.concatenate([march.points for march in marches]),
        np.concatenate([march.tangents for march in marches]),
        np.concatenate([march.facts for march in marches]),
        marches[-1].status,
    )


class Assembly:
    """Makes branches of marches over one system and span.

    Parameters
    ----------
    base : System
        Without gauge.
    span : tuple of float
    settings : Settings
    events : sequence of Event
    control : Control
    """

    def __init__(
        self,
        base: Any,
        span: tuple[float, float],
        settings: Settings,
        events: Sequence[Event],
        control: Control,
    ) -> None:
        self.base = base
        self.span = span
        self.settings = settings
        self.events = tuple(events)
        self.control = control

    def weights(self, system: Any) -> Array:
        """Return the metric's weights for a system."""
        return metric_weights(system.size, self.settings.theta, getattr(system, "multipliers", 0))

    def branch(
        self,
        system: Any,
        march: March,
        status: tuple[Status, Status],
        singular: SpecialPoint | None,
        origin: int,
        gear: str,
    ) -> Branch:
        """Return the branch of a joined march.

        Parameters
        ----------
        system : System
            Gauged where needed.
        march : March
            All points, in order.
        status : tuple of Status
        singular : SpecialPoint, optional
            The branch point at which the branch was entered.
        origin : int
            Position of the start among the points.
        gear : str
            What the march ran on.
        """
        points, tangents, facts = march.points, march.tangents, march.facts
        weights = self.weights(system)
        negative = facts[:, walking.NEGATIVE].astype(np.int64)
        closed = singular is not None and status[1] is Status.CLOSED_LOOP
        last = len(points) - 1 if closed else len(points)
        if singular is not None:
            # Ill-defined exactly at the branch point, where a closed loop ends too.
            negative[origin] = negative[last:] = -1
        signals = Signals(
            z=points,
            tangent=tangents,
            sign=facts[:, walking.SIGN],
            log_modulus=facts[:, walking.LOG_MODULUS],
            negative=negative,
            step=_steps(points, tangents, weights),
            phases=orbit_phases(system, points),
            multipliers=multipliers(system, points),
        )
        arclength = facts[:, walking.ARCLENGTH]
        events = self.events
        if singular is None:
            pieces = [slice(0, len(points))]
        else:
            # A branch entered at a branch point is searched on either side of it only.
            pieces = [slice(0, origin), slice(origin + 1, last)]
        gear_here = Gear(system, self.settings)
        gear_here.shift(locating=True)
        special_points: list[SpecialPoint] = []
        for piece in pieces:
            if piece.stop - piece.start < 2:
                continue
            locator = Locator(
                system, weights, self.control, self.settings, _cut(signals, piece),
                arclength[piece], gear_here, facts[piece],
            )  # fmt: skip
            special_points.extend(locator.special_points(events))
        keep = self._ends(special_points, arclength, origin)
        plain = [_dropped_special(system, special) for special in special_points]
        if singular is not None:
            here = float(arclength[origin])
            tangent = dropped(system, tangents[origin])
            plain.append(singular.replace(arclength=here, bracket=(here, here), tangent=tangent))
        plain.sort(key=lambda special: special.arclength)
        base_points = dropped(system, points)
        residual = facts[:, walking.RESIDUAL]
        if isinstance(system, GaugedSystem):
            residual = np.array([np.max(np.abs(self.base.residual(z))) for z in base_points])
        branch = Branch(
            names=self.base.names,
            parameter=self.base.parameter,
            z=base_points,
            tangent=dropped(system, tangents),
            arclength=arclength,
            residual_norm=residual,
            iterations=facts[:, walking.ITERATIONS].astype(np.int64),
            status=status,
            span=self.span,
            columns=self._columns(negative, signals.multipliers),
            special_points=tuple(plain),
            settings=self.settings,
            provenance={
                "gauge": getattr(system, "multipliers", 0),
                "gear": gear,
            },
        )
        ends = tuple(None if end is None else _dropped_special(system, end) for end in keep)
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

    def _columns(self, negative: Array, multipliers: Array | None) -> dict[str, Array]:
        if np.any(negative >= 0):
            if self.base.kind == "potential":
                return {"index": negative}
            if self.base.kind == "flow":
                unknowns = self.base.size
                return {"unstable_dimension": np.where(negative >= 0, unknowns - negative, -1)}
            if multipliers is not None:
                outside = np.count_nonzero(np.abs(multipliers) > 1.0, axis=1)
                return {"unstable_dimension": np.where(negative >= 0, outside, -1)}
        return {}


def _steps(points: Array, tangents: Array, weights: Array) -> Array:
    """Return the offset of each point along the tangent of the one before."""
    if points.shape[1] <= _LONG:
        return (tangents[:-1] * (points[1:] - points[:-1])) @ weights
    pairs = zip(tangents, points, points[1:], strict=False)  # no arrays of all differences
    return np.array([np.dot(weights, t * (after - before)) for t, before, after in pairs])


def _dropped_special(system: Any, special: SpecialPoint) -> SpecialPoint:
    if not isinstance(system, GaugedSystem):
        return special
    return special.replace(z=dropped(system, special.z), tangent=dropped(system, special.tangent))


def truncate(branch: Branch, before: SpecialPoint | None, after: SpecialPoint | None) -> Branch:
    """Return the branch between two special points (None keeps that end as it is).

    Points and tangents are taken over and not copied, so that many need no room twice.
    """
    if before is None and after is None:
        return branch
    lower = -np.inf if before is None else before.arclength
    upper = np.inf if after is None else after.arclength
    inside = np.flatnonzero((branch.arclength > lower) & (branch.arclength < upper))
    first, last = int(inside[0]), int(inside[-1])
    ends: list[tuple[int, SpecialPoint]] = []
    if before is not None:
        first = max(first - 1, 0)
        ends.append((0, before))
    if after is not None:
        last = min(last + 1, len(branch) - 1)
        ends.append((-1, after))
    # Points beyond the ends make room for them; the last do where rounding put an end past them.
    kept = slice(first, last + 1)
    position = np.arange(first, last + 1).clip(inside[0], inside[-1])
    z, tangent = branch.z[kept], branch.tangent[kept]
    begin = 0.0 if before is None else before.arclength
    arclength, residual = branch.arclength[kept], branch.residual_norm[kept]
    for k, end in ends:
        z[k], tangent[k] = end.z, end.tangent
        arclength[k], residual[k] = end.arclength, end.residual
    return replace(
        branch,
        z=z,
        tangent=tangent,
        arclength=arclength - begin,
        residual_norm=residual,
        iterations=branch.iterations[position],
        columns={name: column[position] for name, column in branch.columns.items()},
        special_points=tuple(
            special.replace(
                arclength=special.arclength - begin,
                bracket=(special.bracket[0] - begin, special.bracket[1] - begin),
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
        multipliers=None if signals.multipliers is None else signals.multipliers[piece],
    )
