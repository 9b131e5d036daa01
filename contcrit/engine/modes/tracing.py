"""Tracing a nonsmooth problem: within one mode by the usual walk, then on through its border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import Status
from ...events import Event
from ...events.border import Border, Borders
from ...results import Branch
from ...settings import Settings
from ...system import Family, Mode, ModeLayout
from ..assembly import failed_branch
from ..kernel import control_from
from ..trace import Tracer
from .border import (
    TIE,
    HalfBranch,
    Outcome,
    half_branches,
    mode_tangent,
    moves,
    silent_at,
    solve_positions,
    turns_back,
    waking,
)
from .collide import collide, residual_at
from .join import Collision, Piece, extended, join, prefix, reverse
from .plain import PlainEvent
from .several import distinct
from .start import find_start
from .vertex import vertex_halves

Array = np.ndarray
Progress = Callable[[int, float], Any]
Chain = tuple[list[Piece], list[Collision]]

_SHORTEST = 1e-7
"""First steps out of a border are shortened down to this before the border counts as undecided."""


class ModeTracer:
    """Traces branches of a family of smooth systems over one span, through all its modes.

    Parameters
    ----------
    family : Family
    span : tuple of float
    settings : Settings
        `maximum_points` is the budget of each direction, over all modes.
    events : sequence of Event
        Looked for besides the default ones; they see unknowns and parameter only.
    progress : callable, optional
        As for `Tracer`.

    References
    ----------
    M. di Bernardo, C. Budd, A. Champneys and P. Kowalczyk, Piecewise-smooth Dynamical Systems,
    2008, section 3.1 (border collisions of equilibria: persistence and nonsmooth fold).
    """

    def __init__(
        self,
        family: Family,
        span: tuple[float, float],
        settings: Settings,
        events: Sequence[Event] = (),
        progress: Progress | None = None,
    ) -> None:
        self.family = family
        self.span = span
        self.settings = settings
        self.events = tuple(events)
        self.progress = progress
        self.control = control_from(settings, span)
        self._walked = 0

    def tracer(self, layout: ModeLayout, budget: int, step: float | None = None) -> Tracer:
        """Return the tracer within one mode, which stops at the mode's border."""
        settings = replace(
            self.settings,
            maximum_points=max(1, budget),
            step_initial=self.settings.step_initial if step is None else step,
            # Systems that hold kinks have no machine code.
            gear="auto"
            if self.settings.gear == "native" and layout.free.size
            else self.settings.gear,
        )
        border = Border(Borders(self.family, layout))
        events: list[Any] = [*(PlainEvent(event, layout) for event in self.events), border]
        progress = None if self.progress is None else self._report
        return Tracer(self.family.system(layout.mode), self.span, settings, events, progress)

    def _report(self, points: int, parameter: float) -> Any:
        assert self.progress is not None
        return self.progress(self._walked + points, parameter)

    # ---- from a guess -------------------------------------------------------------------

    def trace(self, z: Array, direction: str) -> Branch:
        """Trace from a guess (x, parameter) at its parameter, in the given direction(s)."""
        self._walked = 0
        found = find_start(self.family, z, self.control, self.settings)
        if found is None:
            return self._from_vertex(z, Status.START_FAILED, direction)
        mode, start = found
        layout = ModeLayout(self.family.size, mode)
        borders = Borders(self.family, layout)
        margins = borders.margins(start, np.zeros_like(start))[0][0]
        silent = silent_at(self.family, layout.full(start))[borders.kinks]
        tied = (margins <= TIE * borders.scales(start)) & ~silent
        along = mode_tangent(self.family, layout, layout.full(start))
        # Across a kink where F is continuous, holding it moves nothing but its position.
        standing = along is not None and not moves(layout.size, along)
        if np.any(tied) or standing:
            active = np.union1d(layout.free, borders.kinks[tied])
            active = np.union1d(active, waking(self.family, layout.full(start), active))
            return self._from_border(layout.full(start), mode, active, direction)
        branch = self.tracer(layout, self.settings.maximum_points).trace(start, direction)
        if len(branch) == 0:
            return self._from_vertex(
                np.append(start[: self.family.size], start[-1]), branch.status[0], direction
            )
        return self.grow(self.admissible(Piece(layout, branch), start))

    def resume(self, z: Array, tangent: Array) -> Branch:
        """Go on from a point (x, parameter) of a branch in the direction of its tangent."""
        self._walked = 0
        n = self.family.size
        mode = self.family.mode_of(z, TIE)
        layout = ModeLayout(n, mode)
        full = layout.full(np.concatenate([z[:-1], np.full(layout.free.size, 0.5), z[-1:]]))
        solved = solve_positions(self.family, full, layout.free)
        if solved is not None:
            held = solved[n + layout.free]
            inside = bool(np.all(held > TIE) and np.all(held < 1.0 - TIE))
            direction = mode_tangent(self.family, layout, solved) if inside else None
            if direction is not None and moves(n, direction):
                along = float(np.append(direction[:n], direction[-1]) @ tangent)
                half = HalfBranch(mode, solved, direction if along >= 0 else -direction)
                return self.grow(self._depart(half, self.settings.maximum_points))
        halves, _ = half_branches(self.family, mode, full, layout.free)
        halves = [half for half in halves if float(half.plain(n) @ tangent) > 0]
        if not halves:
            halves = vertex_halves(self.family, mode, full, layout.free)
            halves = [half for half in halves if float(half.plain(n) @ tangent) > 0]
        if not halves:
            return self._failed(z, Status.BORDER_UNDECIDED)
        best = max(halves, key=lambda h: float(h.plain(n) @ tangent) / np.linalg.norm(h.plain(n)))
        return self.grow(self._depart(best, self.settings.maximum_points))

    def enter(self, half: HalfBranch) -> Branch:
        """Trace one branch out of a border point."""
        self._walked = 0
        return self.grow(self._depart(half, self.settings.maximum_points))

    def _from_vertex(self, z: Array, status: Status, direction: str) -> Branch:
        """Trace from a point on kinks that depend on each other, or fail with a status."""
        mode = self.family.mode_of(z, TIE)
        active = np.flatnonzero(np.array(mode) == 0)
        full = ModeLayout(self.family.size, tuple(side or 1 for side in mode)).full(z)
        if active.size == 0 or not vertex_halves(self.family, mode, full, active):
            return self._failed(z, status)
        return self._from_border(full, mode, active, direction)

    def _from_border(self, full: Array, mode: Mode, active: Array, direction: str) -> Branch:
        """Trace from a start that lies on a border, along the branches that leave it."""
        n, budget = self.family.size, self.settings.maximum_points
        halves, complete = half_branches(self.family, mode, full, active)
        halves = distinct(halves, n)
        if not (complete or any(not half.flat for half in halves)):
            halves = vertex_halves(self.family, mode, full, active)
        if not halves:
            status = Status.BORDER_END if complete else Status.BORDER_UNDECIDED
            return self._failed(np.append(full[:n], full[-1]), status)
        if len(halves) == 2 and _through(*halves):
            return self._within(halves[0], direction)
        halves.sort(key=lambda half: -half.direction[-1])
        if direction == "forward":
            return self.grow(self._depart(halves[0], budget))
        if direction == "backward":
            return self.grow(self._depart(halves[-1], budget).reversed())
        first, rest = halves[0], halves[1:]
        rest.sort(key=lambda half: _cosine(half, first, n))
        others = tuple(rest[1:])
        name = "branching" if others else "persistence" if rest else "end"
        if len(rest) == 1 and turns_back(-first.direction, rest[0].direction):
            name = "nonsmooth fold"
        evidence = {"active": [int(kink) for kink in active], "half_branches": len(halves)}
        collision = Collision(
            full=first.full,
            arriving=-first.direction,
            layout=ModeLayout(n, first.mode),
            kinks=tuple(int(kink) for kink in active),
            outcome=Outcome(name, rest[0] if rest else None, others, complete, evidence),
            residual=residual_at(self.family, first.full),
            digits=0.0,
            slope=0.0,
        )
        piece = self._depart(first, budget)
        pieces, collisions, status, _ = self._onward(piece, [])
        ahead: Chain = ([piece, *pieces], collisions)
        if not rest:
            end = Status.BORDER_END if complete else Status.BORDER_UNDECIDED
            return self._join(([], [collision]), ahead, (end, status))
        self._walked = 0
        other = self._depart(rest[0], budget)
        pieces, collisions, begin, _ = self._onward(other, [])
        return self._join(([other, *pieces], [collision, *collisions]), ahead, (begin, status))

    def _within(self, half: HalfBranch, direction: str) -> Branch:
        """Trace from a point that a branch passes without leaving its mode."""
        layout = ModeLayout(self.family.size, half.mode)
        start, tangent = layout.take(half.full), layout.take(half.direction)
        tracer = self.tracer(layout, self.settings.maximum_points)
        system = self.family.system(layout.mode)
        unit = tangent / np.sqrt(np.sum(tracer.weights(system) * tangent * tangent))
        branch = tracer.both_ways(system, start, unit if unit[-1] >= 0 else -unit, direction)
        return self.grow(self.admissible(Piece(layout, branch), start))

    # ---- chains of stretches ------------------------------------------------------------

    def grow(self, piece: Piece) -> Branch:
        """Go on beyond the borders at which a stretch begins and ends; return the whole branch."""
        branch, layout = piece.branch, piece.layout
        if branch.status[1] is Status.CLOSED_LOOP:
            return self._join(([], []), ([piece], []), branch.status)
        start = layout.full(branch.z[0])
        entered = HalfBranch(layout.mode, start, layout.full_direction(branch.tangent[0]))
        self._walked = len(branch)
        pieces, collisions, status, closed = self._onward(piece, [entered])
        if closed:
            if branch.status[0] is Status.NOT_ASKED_FOR:
                self._trim(pieces, collisions, start)
            return self._join(([], []), ([piece, *pieces], collisions), (status, status))
        self._walked = len(branch)
        behind, before, begin, closed = self._onward(piece.reversed(), [])
        if closed:
            self._trim(behind, before, layout.full(branch.z[-1]))
            status = begin
        return self._join((behind, before), ([piece, *pieces], collisions), (begin, status))

    def _onward(
        self, piece: Piece, seen: list[HalfBranch]
    ) -> tuple[list[Piece], list[Collision], Status, bool]:
        """Go on from the end of a stretch, border after border, until the branch ends.

        The last value tells whether it came back to where it began. Where branches meet it may
        also run into a part of itself that is not its beginning, and end there.
        """
        pieces: list[Piece] = []
        collisions: list[Collision] = []
        first, given, seen = piece.layout.mode, len(seen), list(seen)
        while piece.border() is not None:
            collision = collide(self.family, piece)
            collisions.append(collision)
            successor = collision.outcome.successor
            if successor is None:
                ended = collision.outcome.collision == "end"
                status = Status.BORDER_END if ended else Status.BORDER_UNDECIDED
                return pieces, collisions, status, False
            known = next((k for k, other in enumerate(seen) if _same(successor, other)), None)
            if known is not None:
                around = known == given and bool(pieces) and pieces[-1].layout.mode == first
                return pieces, collisions, Status.CLOSED_LOOP, known < given or around
            seen.append(successor)
            left = self.settings.maximum_points - self._walked
            if left <= 0:
                return pieces, collisions, Status.MAXIMUM_POINTS, False
            piece = self._depart(successor, left)
            self._walked += len(piece.branch)
            pieces.append(piece)
        return pieces, collisions, piece.branch.status[1], False

    def _depart(self, half: HalfBranch, budget: int) -> Piece:
        """Trace the stretch that a half-branch begins."""
        layout = ModeLayout(self.family.size, half.mode)
        start, tangent = layout.take(half.full), layout.take(half.direction)
        step = self.settings.step_initial
        while True:
            tracer = self.tracer(layout, budget, step)
            system = self.family.system(layout.mode)
            weights = tracer.weights(system)
            unit = tangent / np.sqrt(np.sum(weights * tangent * tangent))
            branch = tracer.both_ways(system, start, unit, "forward")
            piece = self.admissible(Piece(layout, branch), start)
            # A border within the first step may be the one just left, seen again by rounding.
            returned = len(branch) <= 2 and piece.branch.arclength[-1] < 1e-3 * step
            undecided = piece.branch.status[1] is Status.BORDER_UNDECIDED
            if step <= _SHORTEST or not (returned or undecided):
                return piece
            step = max(0.01 * step, _SHORTEST)

    def admissible(self, piece: Piece, start: Array) -> Piece:
        """Return the admissible part of a stretch around its start: all of it, as a rule."""
        branch = piece.branch
        borders = Borders(self.family, piece.layout)
        values = borders.margins(branch.z, branch.tangent)[0]
        size = 1.0 + np.max(np.abs(branch.z), axis=1, keepdims=True)
        scales = borders.scales(start) / (1.0 + np.max(np.abs(start)))
        outside = np.flatnonzero(np.any(values < -TIE * scales * size, axis=1))
        if outside.size == 0:
            return piece
        origin = int(np.argmin(np.max(np.abs(branch.z - start), axis=1)))
        after, before = outside[outside > origin], outside[outside < origin]
        if origin in outside:
            after, before = np.array([origin + 1]), np.array([origin - 1])
        cut = branch
        if after.size and after[0] < len(branch):
            cut = prefix(cut, int(after[0]), Status.BORDER_UNDECIDED)
        if before.size and before[-1] >= 0:
            back = reverse(cut)
            cut = reverse(prefix(back, len(cut) - 1 - int(before[-1]), Status.BORDER_UNDECIDED))
        return Piece(piece.layout, cut)

    # ---- results ------------------------------------------------------------------------

    def _trim(self, pieces: list[Piece], collisions: list[Collision], start: Array) -> None:
        """Cut a closed chain, which ends where its first border comes again, at its own start."""
        collisions.pop()
        if not pieces:
            return
        last = pieces[-1]
        z = last.layout.take(start)
        distances = np.max(np.abs(last.branch.z - z), axis=1)
        near = int(np.argmin(distances))
        tangent = last.branch.tangent[near]
        if float(tangent @ (z - last.branch.z[near])) < 0:
            near -= 1
        count = max(near + 1, 1)
        cut = prefix(last.branch, count, Status.CLOSED_LOOP)
        weights = self.tracer(last.layout, 1).weights(self.family.system(last.layout.mode))
        moved = z - cut.z[-1]
        length = float(np.sqrt(np.sum(weights * moved * moved)))
        pieces[-1] = Piece(last.layout, extended(cut, z, cut.tangent[-1], length))

    def _join(self, behind: Chain, ahead: Chain, status: tuple[Status, Status]) -> Branch:
        return join(self.family, behind, ahead, status, self.span, self.settings, {})

    def _failed(self, z: Array, status: Status) -> Branch:
        family = self.family
        mode = family.mode_of(z, 1e-9)
        full = ModeLayout(family.size, tuple(side or 1 for side in mode)).full(z)
        residual = family.expansion(full)[0][: family.size]
        return failed_branch(
            family.names, family.parameter, z, residual, status, self.span, self.settings
        )


def _same(one: HalfBranch, other: HalfBranch) -> bool:
    """Tell whether two half-branches leave the same point the same way."""
    scale = 1e-6 * (1.0 + float(np.max(np.abs(one.full))))
    return (
        one.mode == other.mode
        and float(np.max(np.abs(one.full - other.full))) <= scale
        and float(one.direction @ other.direction) > 0
    )


def _through(one: HalfBranch, other: HalfBranch) -> bool:
    """Tell whether two half-branches are one curve through a point, in one mode."""
    return one.mode == other.mode and bool(np.allclose(one.direction, -other.direction, atol=1e-9))


def _cosine(one: HalfBranch, other: HalfBranch, size: int) -> float:
    first, second = one.plain(size), other.plain(size)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
