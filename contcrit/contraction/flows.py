"""Flows of smooth problems, and Filippov's solutions of nonsmooth ones, with sliding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import SpecificationError, Status
from .choosing import Choice, Chooser
from .field import Field
from .marching import March, Stop
from .sliding import Tolerances
from .trajectory import FlowEvent, Mode, Segment, Trajectory

Array = np.ndarray

_CHATTER = 200
"""Changes of mode within a millionth of the time after which a flow is given up."""


_ENDINGS = {
    "end": Status.END_OF_TIME,
    "failed": Status.FLOW_FAILED,
    "steps": Status.MAXIMUM_STEPS,
}


def flow(
    problem: Any,
    start: Any,
    values: Mapping[Any, float] | None,
    time: float,
    *,
    times: Any = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    maximum_events: int = 10_000,
    maximum_steps: int = 100_000,
    side: int | Sequence[int] | None = None,
) -> Trajectory:
    """Follow the flow of a problem; where its right-hand side jumps, in the sense of Filippov.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        Of kind "flow" (x' = F) or "potential" (x' = -F).
    start : array_like of shape (n,), or mapping
        Where it begins, at time 0.
    values : mapping or None
        Values of all parameters.
    time : float
        How long to follow it.
    times : array_like of shape (k,), optional
        Ascending times in [0, time] to report (default: those of the accepted steps).
    rtol, atol : float, optional
        Relative and absolute tolerance of the integrator (default 1e-10 and 1e-12).
    maximum_events : int, optional
        Changes of mode after which to give up (default 10000).
    maximum_steps : int, optional
        Steps of the integrator after which to give up (default 100000).
    side : int or sequence of int, optional
        Where the solution is not unique, such as on a repelling surface: the side of all kinks, or
        of each, to go to: -1, +1, or 0 to stay. Default: end there, with ``Status.NOT_UNIQUE``.

    Returns
    -------
    Trajectory
        With status END_OF_TIME, NOT_UNIQUE, MODE_UNDECIDED, CHATTERING, MAXIMUM_EVENTS,
        MAXIMUM_STEPS or FLOW_FAILED; it holds the solution as far as it was followed.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    Each mode is integrated by the method of Dormand and Prince of order 8 [1]_ on its smooth
    extension. Borders are bracketed on the interpolant and then met by steps that end on them, so
    that the time of an event is as accurate as the steps are. While sliding, positions in [0, 1]
    keep the switching functions at zero; where their rates cease to depend on them by a P matrix,
    other solutions are looked for anew. At a point on k surfaces the modes of all patterns of
    sides and sliding that are admissible to first order are compared, and ties are decided by
    short steps; a potential all of whose kinks bend up there has one velocity only, that of least
    norm in its Clarke subdifferential [2]_.

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett and G. Wanner, Solving Ordinary Differential Equations I, 1993,
       section II.5.
    .. [2] A. F. Filippov, Differential Equations with Discontinuous Righthand Sides, 1988,
       sections 4 and 5.

    Examples
    --------
    The gradient flow of half (max(x, y) - 1)^2 slides along x = y at rate one half.

    >>> import sympy as sp, contcrit as cc
    >>> from contcrit.contraction.flows import flow
    >>> x, y = sp.symbols("x y")
    >>> V = (cc.maximum(x, y) - 1) ** 2 / 2
    >>> problem = cc.PiecewiseProblem.from_potential(V, [x, y])
    >>> trajectory = flow(problem, [3.0, 2.0], {}, 4.0)
    >>> [event.kind for event in trajectory.events], trajectory.status.name
    (['slide'], 'END_OF_TIME')
    >>> time = trajectory.events[0].time
    >>> bool(np.allclose(trajectory.end, 1 + np.exp(-(4 - time) / 2), rtol=1e-9))
    True
    """
    field = Field(problem, values)
    x = np.array(problem.point(start) if hasattr(problem, "point") else start, dtype=float)
    duration = _duration(time)
    tolerances = Tolerances(_positive("rtol", rtol), _positive("atol", atol))
    wanted = _times(times, duration)
    for name, number in (("maximum_events", maximum_events), ("maximum_steps", maximum_steps)):
        if number < 1:
            raise SpecificationError(name, number, "must be positive.", "Ask for 1 or more.")
    chooser = Chooser(field, tolerances, _sides(side, field.kinks))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        walk = _Walk(field, chooser, x, maximum_events, maximum_steps)
        status, alternatives = walk.run(duration)
    return walk.trajectory(status, wanted, alternatives)


class _Walk:
    """The loop over modes."""

    def __init__(
        self, field: Field, chooser: Chooser, start: Array, maximum: int, steps: int
    ) -> None:
        self.field = field
        self.chooser = chooser
        self.start = start
        self.x = start
        self.time = 0.0
        self.maximum = maximum
        self.steps = steps
        self.segments: list[Segment] = []
        self.events: list[FlowEvent] = []
        self._idle = 0

    def run(self, duration: float) -> tuple[Status, tuple[Mode, ...]]:
        """Follow the flow; return how it ended."""
        if not np.all(np.isfinite(self.field.velocity(self.x, self._inside()))):
            return Status.FLOW_FAILED, ()
        choice = self._choose(np.empty(0, dtype=np.int64), 1e-13)
        watching = True
        while choice.status is None:
            tolerances = self.chooser.tolerances
            march = March(self.field, choice.mode, choice.positions, tolerances, watching)
            stop = march.run(self.time, march.project(self.x), duration, self.steps)
            self.steps -= len(stop.pieces)
            self.segments.append(Segment(self.time, stop.time, choice.mode, stop.pieces))
            self._idle = 0 if stop.time > self.time else self._idle + 1
            self.time, self.x = stop.time, stop.x
            if stop.reason != "border":
                return _ENDINGS[stop.reason], ()
            if len(self.events) >= self.maximum:
                return Status.MAXIMUM_EVENTS, ()
            if self._idle > 20:
                return Status.MODE_UNDECIDED, ()
            if self._within(_CHATTER, 1e-6):
                return Status.CHATTERING, ()
            before = choice.mode
            choice = self._next(before, stop)
            if choice.status is None:
                self._record(before, choice.mode, stop)
            watching = bool(stop.kinks) or choice.mode != before
        return choice.status, choice.alternatives

    def _inside(self) -> Array:
        return np.full(self.field.kinks, 0.5)

    def _next(self, before: Mode, stop: Stop) -> Choice:
        """Return the mode beyond a border."""
        held = np.flatnonzero(np.array(before) == 0)
        met = np.union1d(held, np.array(stop.kinks, dtype=np.int64))
        return self._choose(met.astype(np.int64), 1e-12)

    def _choose(self, met: Array, tolerance: float) -> Choice:
        sides = self.field.sides(self.x, tolerance)
        sides[met] = 0
        active = np.flatnonzero(sides == 0)
        return self.chooser.choose(self.x, sides, active)

    def _within(self, count: int, span: float) -> bool:
        if len(self.events) < count:
            return False
        return self.time - self.events[-count].time <= span * max(1.0, self.time)

    def _record(self, before: Mode, after: Mode, stop: Stop) -> None:
        changed = [k for k in range(len(before)) if before[k] != after[k]]
        for kink in changed or list(stop.kinks):
            if before[kink] == after[kink]:
                kind = "graze"
            elif after[kink] == 0:
                kind = "slide"
            else:
                kind = "leave" if before[kink] == 0 else "crossing"
            self.events.append(FlowEvent(stop.time, kind, kink, self.x.copy(), before, after))

    def trajectory(
        self, status: Status, wanted: Array | None, alternatives: tuple[Mode, ...]
    ) -> Trajectory:
        """Return what was followed."""
        steps = [piece for segment in self.segments for piece in segment.pieces]
        reached = steps[-1].end if steps else 0.0
        t = np.array([0.0, *(piece.end for piece in steps)])
        bare = Trajectory(
            t,
            np.empty((0, self.start.size)),
            tuple(self.segments),
            tuple(self.events),
            status,
            self.start,
            self.x,
            alternatives,
        )
        if wanted is not None:
            t = wanted[wanted <= reached * (1 + 4 * np.finfo(float).eps)]
        x = bare(np.minimum(t, reached)) if t.size else np.empty((0, self.start.size))
        return Trajectory(
            t, x, bare.segments, bare.events, status, self.start, self.x, alternatives
        )


def _duration(time: Any) -> float:
    value = float(time)
    if not (np.isfinite(value) and value > 0):
        raise SpecificationError("time", time, "must be positive and finite.", "Give a duration.")
    return value


def _positive(name: str, value: Any) -> float:
    number = float(value)
    if not 0 < number < 1:
        raise SpecificationError(name, value, "must lie in (0, 1).", "Try its default.")
    return number


def _times(times: Any, duration: float) -> Array | None:
    if times is None:
        return None
    wanted = np.asarray(times, dtype=float)
    fits = wanted.ndim == 1 and np.all(np.isfinite(wanted)) and np.all(np.diff(wanted) >= 0)
    if not fits or (wanted.size and (wanted[0] < 0 or wanted[-1] > duration)):
        raise SpecificationError(
            "times", times, "must ascend within [0, time].", "Sort them, or raise `time`."
        )
    return wanted


def _sides(side: int | Sequence[int] | None, kinks: int) -> Array | None:
    if side is None:
        return None
    sides = np.broadcast_to(np.asarray(side), (kinks,)) if np.ndim(side) == 0 else np.array(side)
    if sides.shape != (kinks,) or not np.all(np.isin(sides, (-1, 0, 1))):
        raise SpecificationError(
            "side", side, f"needs -1, 0 or +1, once or {kinks} times.", "One for each kink."
        )
    return sides.astype(np.int64)
