"""Which mode a flow goes on in from a point on switching surfaces: none, one, or several.

A mode gives every active kink a side, or holds it (sliding). It is admissible where

    g_i' >= 0 with s_i = 1,    g_i' <= 0 with s_i = 0,    g_i' = 0 with s_i in [0, 1]:

the mixed complementarity problem of Filippov's solutions in the positions s.

References
----------
A. F. Filippov, Differential Equations with Discontinuous Righthand Sides, 1988, sections 4 and 10.
D. E. Stewart, "Rigid-body dynamics with friction and impact", SIAM Review 42 (2000) 3-39.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear, nnls

from ..errors import Status
from .field import Field
from .sliding import Tolerances, held_positions, runge_kutta
from .trajectory import Mode

Array = np.ndarray

ENUMERATED = 5
"""Largest number of active kinks whose 3^k modes are all tried."""

_PROBES = (1e-5, 1e-4, 1e-3)


@dataclass(frozen=True, eq=False)
class Choice:
    """A mode to go on in, or why there is none.

    Parameters
    ----------
    mode : tuple of int
    positions : ndarray of shape (m,)
        Where the mode sets out.
    status : Status or None
        None, or why no mode was chosen.
    alternatives : tuple of tuple of int
        Several modes between which nothing decides.
    """

    mode: Mode
    positions: Array
    status: Status | None = None
    alternatives: tuple[Mode, ...] = ()


@dataclass(eq=False)
class _Candidate:
    mode: Array
    positions: Array
    velocity: Array
    tied: Array  # sided kinks with g' = 0: higher order decides
    later: Array | None = None  # a point soon after


@dataclass(frozen=True)
class _Units:
    """Scales of a field at a point: of x', of what is uncertain in it, and of time."""

    speed: float
    slack: float
    time: float


class Chooser:
    """Chooses modes of one field.

    Parameters
    ----------
    field : Field
    tolerances : Tolerances
    side : ndarray of shape (m,) or None
        Where a solution is not unique: the side of each kink to go to.
    """

    def __init__(self, field: Field, tolerances: Tolerances, side: Array | None) -> None:
        self.field = field
        self.tolerances = tolerances
        self.side = side

    def choose(self, x: Array, sides: Array, active: Array) -> Choice:
        """Return the mode in which the flow goes on from x.

        Parameters
        ----------
        x : ndarray, shape (n,)
        sides : ndarray, shape (m,)
            Sides of the kinks that are not active.
        active : ndarray of int, shape (k,)
            Kinks on whose surface x lies.
        """
        if not active.size:
            return Choice(_mode(sides), (1.0 + sides) / 2.0)
        units = self._units(x, sides, active)
        if units.time == np.inf:  # nothing moves, whatever the positions
            return Choice(_mode(np.where(sides == 0, 1, sides)), (1.0 + (sides >= 0)) / 2.0)
        patterns, several = self._patterns(x, sides, active, units)
        if patterns is None:
            return Choice(_mode(sides), (1.0 + sides) / 2.0, Status.MODE_UNDECIDED)
        found = [self._candidate(x, sides, active, pattern, units) for pattern in patterns]
        viable = [one for one in found if one is not None and self._viable(x, one, units)]
        if len(viable) > 1 and not several:
            viable = [one for one in viable if self._supported(x, one, active, units)]
        if len(viable) > 1:
            viable.sort(key=lambda one: not self._has_cell(x, one, active))
        if not viable:
            return Choice(_mode(sides), (1.0 + sides) / 2.0, Status.MODE_UNDECIDED)
        if several or self._same(x, viable, units):
            return _first(viable)
        if self.side is not None:
            asked = [one for one in viable if np.array_equal(one.mode[active], self.side[active])]
            if asked and self._same(x, asked, units):
                return _first(asked)
        modes = tuple(_mode(one.mode) for one in viable)
        return Choice(_mode(sides), viable[0].positions, Status.NOT_UNIQUE, modes)

    # ---- candidates ---------------------------------------------------------------------

    def _units(self, x: Array, sides: Array, active: Array) -> _Units:
        """Return the scales of the field at x."""
        base = (1.0 + sides) / 2.0
        base[active] = 0.5
        size = 0.0
        for kink in active:
            for end in (0.0, 1.0):
                positions = base.copy()
                positions[kink] = end
                size = max(size, _norm(self.field.velocity(x, positions)))
        bend = _norm(self.field.jacobian(x, base))
        rates = [bend, size / (1.0 + _norm(x))]
        time = 1.0 / max(rates) if max(rates) > 0 else np.inf
        return _Units(size, 1e-9 * size + bend * self.tolerances.error(x), time)

    def _patterns(
        self, x: Array, sides: Array, active: Array, units: _Units
    ) -> tuple[list[tuple[int, ...]] | None, bool]:
        """Return patterns to try, and whether their solutions are known to be one.

        For a potential whose active kinks all bend up, -F of least norm is the only velocity.
        """
        every = (-1, 1, 0)
        if active.size > ENUMERATED or self.field.sign < 0:
            least = self._least(x, sides, active)
            if least is not None:
                positions, rates = least
                level = units.slack * self._lengths(x, sides, active)
                options: list[tuple[int, ...]] = []
                for s, rate, tiny in zip(positions, rates, level, strict=True):
                    if 1e-9 < s < 1 - 1e-9:
                        options.append((0,))
                    elif abs(rate) > tiny:
                        options.append((1,) if s > 0.5 else (-1,))
                    else:
                        options.append(every)
                open_ones = sum(len(option) > 1 for option in options)
                if open_ones <= ENUMERATED:
                    return _by_zeros(itertools.product(*options)), True
        if active.size > ENUMERATED:
            return None, False
        return _by_zeros(itertools.product(every, repeat=int(active.size))), False

    def _lengths(self, x: Array, sides: Array, active: Array) -> Array:
        base = (1.0 + sides) / 2.0
        base[active] = 0.5
        return np.linalg.norm(self.field.slopes(x, base)[1][active], axis=1)

    def _least(self, x: Array, sides: Array, active: Array) -> tuple[Array, Array] | None:
        """Return positions of least |F| and the g' there, if F is affine with upward kinks."""
        field = self.field
        if field.sign > 0 or field.nested(active):
            return None
        base = (1.0 + sides) / 2.0
        base[active] = 0.0
        origin = field.velocity(x, base)
        edges = np.empty((field.size, active.size))
        for column, kink in enumerate(active):
            raised = base.copy()
            raised[kink] = 1.0
            edges[:, column] = field.velocity(x, raised) - origin
        _, gradients, _ = field.slopes(x, base)
        normals = gradients[active]
        bends = -np.sum(edges.T * normals, axis=1)  # x' = -F: an upward kink pushes back
        if np.any(bends <= 0):
            return None
        squares = np.sum(normals**2, axis=1)
        aligned = -(normals / squares[:, None]).T * bends
        full = base.copy()
        full[active] = 1.0
        corner = origin + edges.sum(axis=1)
        size = max(_norm(origin), float(np.max(np.linalg.norm(edges, axis=0))))
        crooked = max(
            float(np.max(np.abs(edges - aligned))), _norm(field.velocity(x, full) - corner)
        )
        if crooked > 1e-8 * size:
            return None
        found = lsq_linear(edges, -origin, bounds=(0.0, 1.0), method="bvls", tol=1e-15)
        positions = np.clip(found.x, 0.0, 1.0)
        return positions, normals @ (origin + edges @ positions)

    def _candidate(
        self,
        x: Array,
        sides: Array,
        active: Array,
        pattern: tuple[int, ...],
        units: _Units,
    ) -> _Candidate | None:
        """Return the candidate of a pattern, or None where it is inadmissible to first order."""
        field = self.field
        mode = sides.copy()
        mode[active] = pattern
        positions = (1.0 + mode) / 2.0
        idle = np.setdiff1d(np.arange(field.kinks), active)
        for _ in range(field.kinks):  # a jump inside a kink moves it: sides follow, inner first
            signs = np.sign(field.switches(x, positions))[idle].astype(np.int64)
            if np.any(signs == 0) or np.array_equal(signs, mode[idle]):
                break
            mode[idle] = signs
            positions[idle] = (1.0 + signs) / 2.0
        held = np.flatnonzero(mode == 0)
        if held.size:
            positions = held_positions(field, x, positions, held, bounded=True)
        velocity = field.velocity(x, positions)
        g, gradients, inner = field.slopes(x, positions)
        if not (np.all(np.isfinite(velocity)) and np.all(np.isfinite(gradients))):
            return None
        if np.any(np.abs(inner[np.ix_(active, held)]) > 1e-9 * (1.0 + np.max(np.abs(g)))):
            return None  # a kink moved by a held jump: its rate is not known to first order
        rates = gradients @ velocity
        lengths = np.linalg.norm(gradients, axis=1)
        slack = lengths * units.slack
        clear = 1e-8 * (1.0 + _norm(x)) * np.maximum(lengths, 1e-8)
        tied = []
        for kink in active:
            if mode[kink] == 0:
                inside = -1e-9 <= positions[kink] <= 1 + 1e-9
                if not inside or abs(rates[kink]) > slack[kink] or abs(g[kink]) > clear[kink]:
                    return None
            elif abs(g[kink]) > clear[kink]:
                if mode[kink] * g[kink] < 0:
                    return None
            elif mode[kink] * rates[kink] < -slack[kink]:
                return None
            elif mode[kink] * rates[kink] <= slack[kink]:
                tied.append(kink)
        return _Candidate(
            mode, np.clip(positions, 0.0, 1.0), velocity, np.array(tied, dtype=np.int64)
        )

    # ---- beyond first order -------------------------------------------------------------

    def _viable(self, x: Array, one: _Candidate, units: _Units) -> bool:
        """Whether the mode's own flow stays in the mode for a while."""
        field = self.field
        held = np.flatnonzero(one.mode == 0)
        speed = _norm(one.velocity)
        g_here, gradients, _ = field.slopes(x, one.positions)
        tiny = 1e-13 * (1.0 + _norm(x)) * np.maximum(np.linalg.norm(gradients, axis=1), 1e-8)
        signs = one.mode[one.tied]
        edge = held[np.minimum(one.positions[held], 1.0 - one.positions[held]) < 1e-7]
        for fraction in _PROBES:
            later = runge_kutta(field, x, one.positions, held, fraction * units.time)
            positions = held_positions(field, later, one.positions, held)
            drift = field.switches(later, positions) - g_here
            if not np.all(np.isfinite(drift)):
                return False
            if np.any(
                np.abs(drift[held]) > 100 * tiny[held] + 1e-9 * fraction * units.time * speed
            ):
                return False
            if np.any(signs * drift[one.tied] < -tiny[one.tied]):
                return False
            if np.any(np.minimum(positions[edge], 1.0 - positions[edge]) < -1e-8):
                return False
            one.later = later
        return True

    def _supported(self, x: Array, one: _Candidate, active: Array, units: _Units) -> bool:
        """Whether a velocity lies in the hull of those of the cells at x.

        Where gradients are independent every pattern of sides has a cell, and positions in [0, 1]
        give elements of the hull. Where they depend on each other, as those of one kink written
        twice, some patterns have none.
        """
        field = self.field
        _, gradients, _ = field.slopes(x, one.positions)
        rows = gradients[active]
        lengths = np.linalg.norm(rows, axis=1)
        units_of = rows / np.where(lengths > 0, lengths, 1.0)[:, None]
        if np.linalg.matrix_rank(units_of, tol=1e-7) == active.size:
            return True
        free = np.union1d(np.flatnonzero(one.mode == 0), one.tied)
        velocities = []
        for signs in itertools.product((-1.0, 1.0), repeat=int(free.size)):
            positions = np.clip((1.0 + one.mode) / 2.0, 0.0, 1.0)
            positions[free] = (1.0 + np.array(signs)) / 2.0
            _, gradients, _ = field.slopes(x, positions)
            if _open_cone(gradients[free] * np.array(signs)[:, None]):
                velocities.append(field.velocity(x, positions))
        return _in_hull(one.velocity, velocities, units)

    def _has_cell(self, x: Array, one: _Candidate, active: Array) -> bool:
        """Whether there are points nearby on the held surfaces that have the mode's sides."""
        rows = self.field.slopes(x, one.positions)[1]
        held = np.flatnonzero(one.mode == 0)
        sided = np.setdiff1d(active, held)
        inside = one.mode[sided, None] * rows[sided]
        if held.size:
            lengths = np.maximum(np.linalg.norm(inside, axis=1, keepdims=True), 1e-300)
            inside = inside - inside @ np.linalg.pinv(rows[held], rcond=1e-9) @ rows[held]
            inside[np.linalg.norm(inside, axis=1) <= 1e-9 * lengths[:, 0]] = 0.0
        return _open_cone(inside)

    def _same(self, x: Array, viable: list[_Candidate], units: _Units) -> bool:
        """Whether all candidates move alike."""
        first = viable[0]
        assert first.later is not None
        for other in viable[1:]:
            assert other.later is not None
            if _norm(other.velocity - first.velocity) > 2 * units.slack:
                return False
            if _norm(other.later - first.later) > 1e-9 * (1.0 + _norm(x)):
                return False
        return True


def _open_cone(rows: Array) -> bool:
    """Whether some direction has positive products with all rows that are not zero."""
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    if not len(rows):
        return True
    weights, _ = nnls(np.vstack([rows.T, np.ones(len(rows))]), np.eye(rows.shape[1] + 1)[-1])
    total = float(weights.sum())  # the hull's point nearest to 0 is weights @ rows / total
    return total == 0.0 or float(np.linalg.norm(weights @ rows)) / total > 1e-8


def _in_hull(point: Array, corners: list[Array], units: _Units) -> bool:
    """Whether a velocity is a convex combination of others, up to what is uncertain."""
    if not corners:
        return False
    scale = units.speed if units.speed > 0 else 1.0
    differences = (np.array(corners) - point) / scale
    lifted = np.vstack([differences.T, np.ones(len(corners))])
    weights, _ = nnls(lifted, np.eye(len(lifted))[-1])
    total = float(weights.sum())
    return total > 0 and _norm(weights @ differences) / total <= 10 * units.slack / scale + 1e-9


def _by_zeros(patterns: itertools.product) -> list[tuple[int, ...]]:
    return sorted(patterns, key=lambda pattern: pattern.count(0))


def _first(candidates: list[_Candidate]) -> Choice:
    return Choice(_mode(candidates[0].mode), candidates[0].positions)


def _mode(sides: Array) -> Mode:
    return tuple(int(side) for side in sides)


def _norm(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
