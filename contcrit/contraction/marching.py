"""Following one mode of a flow until it ends: integration steps, and where a border is met."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import DOP853
from scipy.optimize import brentq, minimize_scalar

from .field import Field
from .sliding import Tolerances, held_positions, rate_slopes
from .trajectory import Mode, Piece

Array = np.ndarray

_SAMPLES = 12
"""Points of each step at which the borders are looked at."""

_SHARE = 0.1
"""Share of the tolerances that steps get: the interpolant between them is less accurate."""

_WATCHED = 4
"""Largest number of held kinks whose attraction is watched."""


@dataclass(frozen=True, eq=False)
class Stop:
    """Where and why a march ended.

    Parameters
    ----------
    reason : {"end", "border", "failed", "steps"}
    time : float
    x : ndarray of shape (n,)
    positions : ndarray of shape (m,)
    kinks : tuple of int
        Of a border: the kinks that met it; none where held kinks ceased to attract.
    pieces : tuple of Piece
    """

    reason: str
    time: float
    x: Array
    positions: Array
    kinks: tuple[int, ...]
    pieces: tuple[Piece, ...]


class March:
    """One mode of a field, followed in time.

    Parameters
    ----------
    field : Field
    mode : tuple of int
    positions : ndarray of shape (m,)
        Where those of held kinks set out.
    tolerances : Tolerances
    watching : bool
        Whether to stop where sliding ceases to be the only solution.
    """

    def __init__(
        self,
        field: Field,
        mode: Mode,
        positions: Array,
        tolerances: Tolerances,
        watching: bool = True,
    ) -> None:
        self.field = field
        self.mode = np.array(mode, dtype=np.int64)
        self.held = np.flatnonzero(self.mode == 0)
        self.sided = np.flatnonzero(self.mode != 0)
        self.positions = positions.copy()
        self.tolerances = tolerances
        self.watching = watching and 0 < self.held.size <= _WATCHED

    # ---- the mode's own flow ------------------------------------------------------------

    def velocity(self, _: float, x: Array) -> Array:
        """Return x' of the mode."""
        return self.field.velocity(x, self.resolved(x))

    def resolved(self, x: Array) -> Array:
        """Return the positions at x: those of held kinks make their g constant in time."""
        if not self.held.size:
            return self.positions
        return held_positions(self.field, x, self.positions, self.held)

    def margins(self, x: Array) -> Array:
        """Return what is negative beyond a border of the mode.

        They are the g times the side of sided kinks; s and 1 - s of held ones; and last how
        strongly the held kinks attract, which is what makes sliding the only solution.
        """
        s = self.resolved(x)
        g = self.field.switches(x, s)
        parts = [self.mode[self.sided] * g[self.sided], s[self.held], 1.0 - s[self.held]]
        if self.watching:
            if self.held.size == 1:  # the whole jump counts
                s = s.copy()
                s[self.held] = 0.5
            parts.append([_least_minor(-rate_slopes(self.field, x, s, self.held))])
        return np.concatenate(parts)

    def _kinks(self) -> Array:
        """Return the kink of every margin."""
        parts = [self.sided, self.held, self.held]
        if self.watching:
            parts.append(np.array([-1]))
        return np.concatenate(parts)

    def _levels(self, x: Array) -> Array:
        """Return how negative a margin must be to count as beyond its border."""
        s = self.resolved(x)
        _, gradients, _ = self.field.slopes(x, s)
        lengths = np.maximum(np.linalg.norm(gradients, axis=1), 1e-8)
        scale = 1.0 + float(np.max(np.abs(x), initial=0.0))
        levels = [1e-13 * scale * lengths[self.sided], np.full(2 * self.held.size, 1e-9)]
        if self.watching:
            bend = float(np.max(np.abs(self.field.jacobian(x, s)), initial=0.0))
            length = float(np.sum(lengths[self.held]))
            levels.append(np.array([length * bend * self.tolerances.error(x) + 1e-13]))
        return np.concatenate(levels)

    def project(self, x: Array) -> Array:
        """Return the point nearby on the surfaces of held kinks."""
        if not self.held.size:
            return x
        for _ in range(3):
            s = self.resolved(x)
            g, gradients, _ = self.field.slopes(x, s)
            normals = gradients[self.held]
            lengths = np.linalg.norm(normals, axis=1)
            scale = 1.0 + float(np.max(np.abs(x)))
            if np.all(np.abs(g[self.held]) <= 1e-15 * scale * lengths):
                break
            x = x - np.linalg.lstsq(normals, g[self.held], rcond=1e-11)[0]
        return x

    # ---- the march ----------------------------------------------------------------------

    def run(self, begin: float, x: Array, end: float, maximum_steps: int) -> Stop:
        """Follow the mode from `begin` until `end`, a border, or too many steps."""
        pieces: list[Piece] = []
        if self.field.kinks:
            self._watched = self._kinks()
            # Kinks that were met together may set out slightly beyond their border.
            level = self._levels(x)
            behind = -self.margins(x)
            self._level = np.where(
                (behind > 0) & (behind <= 100 * level), np.maximum(level, 2 * behind), level
            )
        solver = self._solver(begin, x, end)
        while solver.status == "running":
            before, origin = solver.t, solver.y.copy()
            solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                return Stop("failed", before, origin, self.positions, (), tuple(pieces))
            dense = solver.dense_output()
            if self.field.kinks:
                found = self._border(dense, before, solver.t)
                if found is not None:
                    return self._polished(*found, dense, before, origin, solver.t, pieces)
                if self.held.size:
                    self.positions = np.clip(self.resolved(solver.y), 0.0, 1.0)
                    projected = self.project(solver.y)
                    if np.any(projected != solver.y):
                        solver.y = projected
                        solver.f = self.velocity(solver.t, projected)
            pieces.append(Piece(before, solver.t, dense))
            if len(pieces) >= maximum_steps and solver.status == "running":
                return Stop("steps", solver.t, solver.y, self.positions, (), tuple(pieces))
        return Stop("end", solver.t, solver.y, self.positions, (), tuple(pieces))

    def _solver(self, begin: float, x: Array, end: float, **options: Any) -> Any:
        return DOP853(
            self.velocity,
            begin,
            x,
            end,
            rtol=max(_SHARE * self.tolerances.rtol, 3e-14),
            atol=_SHARE * self.tolerances.atol,
            **options,
        )

    def _border(
        self, dense: Callable[[Any], Array], begin: float, end: float
    ) -> tuple[int, float, float, float, float] | None:
        """Return margin, level, bracket and time of the first border of a step."""
        times = np.linspace(begin, end, _SAMPLES + 1)
        values = np.array([self.margins(point) for point in dense(times).T])
        first: tuple[int, float, float, float, float] | None = None
        for number in range(values.shape[1]):
            found = self._first(dense, times, values[:, number], number)
            if found is not None and (first is None or found[4] < first[4]):
                first = found
        return first

    def _first(
        self, dense: Callable[[Any], Array], times: Array, values: Array, number: int
    ) -> tuple[int, float, float, float, float] | None:
        tiny = float(self._level[number])
        if values[0] < -10 * tiny:
            return None  # it sets out beyond this border on purpose: a side that was asked for

        def margin(time: float) -> float:
            return float(self.margins(dense(time))[number])

        times, values = _with_dips(margin, times, values)
        beyond = np.flatnonzero(values < -tiny)
        if not beyond.size:
            return None
        last = int(beyond[0])
        inside = np.flatnonzero(values[:last] > tiny)
        if inside.size:
            low, level = float(times[inside[-1]]), 0.0
        else:
            low, level = float(times[max(last - 1, 0)]), tiny
        high = float(times[last])
        if last == 0:
            return number, level, low, high, low
        root = brentq(lambda time: margin(time) + level, low, high, xtol=1e-15, rtol=1e-14)
        return number, level, low, high, float(root)

    def _polished(
        self,
        number: int,
        level: float,
        low: float,
        high: float,
        time: float,
        dense: Callable[[Any], Array],
        begin: float,
        origin: Array,
        end: float,
        pieces: list[Piece],
    ) -> Stop:
        """Locate a border by steps that end there, since these are more accurate than `dense`."""
        gap = 1e-5 * (high - low)
        near = [float(self.margins(dense(time + shift))[number]) for shift in (-gap, gap)]
        slope = (near[1] - near[0]) / (2 * gap) if gap > 0 else 0.0
        tail, x = self._again(begin, origin, time)
        for _ in range(4):
            value = float(self.margins(x)[number]) + level
            if slope >= 0 or value == 0.0:  # touched, not crossed: the interpolant's word
                break
            better = min(max(time - value / slope, low), high, begin if high < begin else end)
            if not (better > begin and abs(better - time) > 2e-16 * max(1.0, abs(time))):
                break
            time = better
            tail, x = self._again(begin, origin, time)
        s = np.clip(self.resolved(x), 0.0, 1.0)
        kink = int(self._watched[number])
        kinks = (kink,) if kink >= 0 else ()
        return Stop("border", time, self.project(x), s, kinks, (*pieces, *tail))

    def _again(self, begin: float, origin: Array, end: float) -> tuple[list[Piece], Array]:
        """Step from the start of the last step to `end` exactly."""
        if end <= begin:
            return [], origin
        solver = self._solver(begin, origin, end, first_step=end - begin)
        tail = []
        while solver.status == "running":
            before = solver.t
            solver.step()
            tail.append(Piece(before, solver.t, solver.dense_output()))
        return tail, solver.y


def _least_minor(matrix: Array) -> float:
    """Return the least principal minor, in the matrix's own unit: positive for a P matrix."""
    unit = float(np.max(np.abs(matrix)))
    if unit == 0.0 or not np.isfinite(unit):
        return 0.0
    size = len(matrix)
    chosen = (c for k in range(size) for c in itertools.combinations(range(size), k + 1))
    return unit * min(float(np.linalg.det(matrix[np.ix_(c, c)] / unit)) for c in chosen)


def _with_dips(
    margin: Callable[[float], float], times: Array, values: Array
) -> tuple[Array, Array]:
    """Return samples with those minima added that may dip below zero between two of them."""
    extra: list[tuple[int, float, float]] = []
    for k in range(1, len(times) - 1):
        left, middle, right = values[k - 1 : k + 2]
        if not (left > middle <= right and middle > 0):
            continue
        bend = left - 2 * middle + right
        lowest = middle - (right - left) ** 2 / (8 * bend)
        if lowest < 0.5 * middle:
            found = minimize_scalar(
                margin,
                bounds=(float(times[k - 1]), float(times[k + 1])),
                method="bounded",
                options={"xatol": 1e-12 * max(1.0, abs(float(times[k])))},
            )
            extra.append((k, float(found.x), float(found.fun)))
    for k, time, value in reversed(extra):
        place = k + 1 if time > times[k] else k
        times = np.insert(times, place, time)
        values = np.insert(values, place, value)
    return times, values
