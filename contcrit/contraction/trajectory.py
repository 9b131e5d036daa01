"""What a flow returns: a dense trajectory, the modes it went through, and its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import SpecificationError, Status

Array = np.ndarray
Mode = tuple[int, ...]
"""Sides of the kinks: -1 (g < 0), +1 (g > 0), or 0 (sliding along g = 0)."""


@dataclass(frozen=True)
class Piece:
    """One step of a trajectory: from `begin` to `end`, x(t) by `dense`."""

    begin: float
    end: float
    dense: Callable[[Any], Array]


@dataclass(frozen=True, eq=False)
class FlowEvent:
    """A change of mode.

    Parameters
    ----------
    time : float
        When.
    kind : str
        "crossing" (from one side to the other), "slide" (sliding begins), "leave" (it ends),
        "graze" (the surface is touched, and left to the same side).
    switch : int
        Number of the switching function.
    x : ndarray of shape (n,)
        Where.
    before, after : tuple of int
        The modes.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x = sp.Symbol("x")
    >>> trajectory = cc.contraction.flow(cc.PiecewiseProblem([-cc.sign(x)], [x]), [1.0], {}, 2.0)
    >>> [(event.kind, round(event.time, 9)) for event in trajectory.events]
    [('slide', 1.0)]
    """

    time: float
    kind: str
    switch: int
    x: Array
    before: Mode
    after: Mode


@dataclass(frozen=True, eq=False)
class Segment:
    """A part of a trajectory in one mode.

    Parameters
    ----------
    begin, end : float
        Times.
    mode : tuple of int
        Sides of the kinks, 0 for those it slides along.
    pieces : tuple of Piece
        Its steps, in order.
    """

    begin: float
    end: float
    mode: Mode
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A solution of a flow.

    Parameters
    ----------
    t : ndarray of shape (k,)
        Times: those asked for, else those of the accepted steps.
    x : ndarray of shape (k, n)
        The unknowns there.
    segments : tuple of Segment
        Its parts, one for each mode passed through.
    events : tuple of FlowEvent
        The changes of mode, in order.
    status : Status
        How it ended.
    start : ndarray of shape (n,)
        Where it began.
    end : ndarray of shape (n,)
        Its last point.
    alternatives : tuple of tuple of int
        Where the solution is not unique: the modes it could go on in.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> from contcrit.contraction.flows import flow
    >>> x = sp.Symbol("x")
    >>> trajectory = flow(cc.PiecewiseProblem([-cc.sign(x)], [x]), [1.0], {}, 2.0)
    >>> [(event.kind, round(event.time, 12)) for event in trajectory.events]
    [('slide', 1.0)]
    >>> trajectory(0.25).round(12)
    array([0.75])
    """

    t: Array
    x: Array
    segments: tuple[Segment, ...]
    events: tuple[FlowEvent, ...]
    status: Status
    start: Array
    end: Array
    alternatives: tuple[Mode, ...] = ()
    _ends: Array = field(init=False, repr=False)
    _pieces: tuple[Piece, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pieces = tuple(piece for segment in self.segments for piece in segment.pieces)
        object.__setattr__(self, "_pieces", pieces)
        object.__setattr__(self, "_ends", np.array([piece.end for piece in pieces]))

    @property
    def duration(self) -> float:
        """The time reached."""
        return float(self._ends[-1]) if len(self._ends) else 0.0

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The mode of every segment."""
        return tuple(segment.mode for segment in self.segments)

    def of_kind(self, kind: str) -> tuple[FlowEvent, ...]:
        """Return the events of one kind."""
        return tuple(event for event in self.events if event.kind == kind)

    def mode_at(self, time: float) -> Mode:
        """Return the mode at a time; at an event, the one before it."""
        self._inside(np.array([time]))
        for segment in self.segments:
            if time <= segment.end:
                return segment.mode
        return self.segments[-1].mode if self.segments else ()

    def __call__(self, time: Any) -> Array:
        """Return x at a time, shape (n,), or at many of shape (k,), shape (k, n).

        Raises
        ------
        SpecificationError
            If a time lies beyond what was followed.
        """
        times = np.asarray(time, dtype=float)
        flat = np.atleast_1d(times)
        self._inside(flat)
        out = np.empty((flat.size, self.start.size))
        if not self._pieces:
            out[:] = self.start
        else:
            found = np.searchsorted(self._ends, flat, side="left")
            found = np.minimum(found, len(self._pieces) - 1)
            for number in np.unique(found):
                rows = np.flatnonzero(found == number)
                out[rows] = self._pieces[number].dense(flat[rows]).T
        return out[0] if times.ndim == 0 else out

    def _inside(self, times: Array) -> None:
        slack = 4 * np.finfo(float).eps * max(1.0, self.duration)
        wrong = ~((times >= -slack) & (times <= self.duration + slack))
        if np.any(wrong):
            raise SpecificationError(
                "time",
                float(times[wrong][0]),
                f"must lie in [0, {self.duration:.17g}]: that far the flow was followed.",
                f"Ask within it. It ended so: {self.status.message}",
            )
