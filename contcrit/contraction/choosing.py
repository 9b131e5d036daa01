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
from scipy.optimize import lsq_linear

from ..errors import Status
from .field import Field
from .trajectory import Mode

Array = np.ndarray

ENUMERATED = 5
"""Largest number of active kinks whose 3^k modes are all tried."""

_PROBES = (1e-5, 1e-4, 1e-3)


@dataclass(frozen=True)
class Tolerances:
    """Tolerances of a flow: relative and absolute ones of its integrator."""

    rtol: float
    atol: float

    def error(self, x: Array) -> float:
        """Return how uncertain x is."""
        return 100.0 * (self.atol + self.rtol * float(np.max(np.abs(x), initial=0.0)))


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
        patterns, several = self._patterns(x, sides, active, units)
        if patterns is None:
            return Choice(_mode(sides), (1.0 + sides) / 2.0, Status.MODE_UNDECIDED)
        found = [self._candidate(x, sides, active, pattern, units) for pattern in patterns]
        viable = [one for one in found if one is not None and self._viable(x, one, units)]
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

    def _units(self, x: Array, sides: Array, active: Array) -> tuple[float, float]:
        """Return the size of x' near x, and how uncertain x' is."""
        base = (1.0 + sides) / 2.0
        base[active] = 0.5
        size = 0.0
        for kink in active:
            for end in (0.0, 1.0):
                positions = base.copy()
                positions[kink] = end
                size = max(size, _norm(self.field.velocity(x, positions)))
        bend = _norm(self.field.jacobian(x, base))
        return size, 1e-9 * size + bend * self.tolerances.error(x)

    def _patterns(
        self, x: Array, sides: Array, active: Array, units: tuple[float, float]
    ) -> tuple[list[tuple[int, ...]] | None, bool]:
        """Return patterns to try, and whether their solutions are known to be one.

        For a potential whose active kinks all bend up, -F of least norm is the only velocity.
        """
        every = (-1, 1, 0)
        if active.size > ENUMERATED or self.field.sign < 0:
            least = self._least(x, sides, active)
            if least is not None:
                positions, rates = least
                level = np.maximum(units[1], 1e-9 * units[0]) * self._lengths(x, sides, active)
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
        units: tuple[float, float],
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
        slack = lengths * units[1]
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

    def _viable(self, x: Array, one: _Candidate, units: tuple[float, float]) -> bool:
        """Whether the mode's own flow stays in the mode for a while."""
        field = self.field
        held = np.flatnonzero(one.mode == 0)
        bend = _norm(field.jacobian(x, one.positions))
        speed = _norm(one.velocity)
        unit = min(1.0 / bend if bend else np.inf, (1.0 + _norm(x)) / speed if speed else np.inf)
        if not np.isfinite(unit):
            one.later = x
            return True
        g_here, gradients, _ = field.slopes(x, one.positions)
        tiny = 1e-13 * (1.0 + _norm(x)) * np.maximum(np.linalg.norm(gradients, axis=1), 1e-8)
        signs = one.mode[one.tied]
        edge = held[np.minimum(one.positions[held], 1.0 - one.positions[held]) < 1e-7]
        for fraction in _PROBES:
            later = runge_kutta(field, x, one.positions, held, fraction * unit)
            positions = held_positions(field, later, one.positions, held)
            drift = field.switches(later, positions) - g_here
            if not np.all(np.isfinite(drift)):
                return False
            if np.any(np.abs(drift[held]) > 100 * tiny[held] + 1e-9 * fraction * unit * speed):
                return False
            if np.any(signs * drift[one.tied] < -tiny[one.tied]):
                return False
            if np.any(np.minimum(positions[edge], 1.0 - positions[edge]) < -1e-8):
                return False
            one.later = later
        return True

    def _same(self, x: Array, viable: list[_Candidate], units: tuple[float, float]) -> bool:
        """Whether all candidates move alike."""
        first = viable[0]
        assert first.later is not None
        for other in viable[1:]:
            assert other.later is not None
            if _norm(other.velocity - first.velocity) > 2 * units[1]:
                return False
            if _norm(other.later - first.later) > 1e-9 * (1.0 + _norm(x)):
                return False
        return True


def held_positions(
    field: Field, x: Array, positions: Array, held: Array, *, bounded: bool = False
) -> Array:
    """Return positions for which the held switching functions are constant in time.

    Parameters
    ----------
    field : Field
    x : ndarray, shape (n,)
    positions : ndarray, shape (m,)
        All of them; those of `held` are where the solution starts.
    held : ndarray of int, shape (k,)
        Kinks that are slid along.
    bounded : bool, optional
        Whether to look within [0, 1] where the equations leave a choice (default False).
    """
    if not held.size:
        return positions
    s = positions.copy()
    slopes = rate_slopes(field, x, s, held)
    if not np.all(np.isfinite(slopes)):
        return s
    if float(np.max(np.abs(slopes))) == 0.0:
        return s
    before = np.inf
    for attempt in range(30):
        rates = _rates(field, x, s, held)
        if not np.all(np.isfinite(rates)):
            break
        change = np.linalg.lstsq(slopes, -rates, rcond=1e-11)[0]
        largest = float(np.max(np.abs(change)))
        if largest >= 0.5 * before and largest < 1e-12:
            break
        s[held] += change
        if largest <= 2e-16 or largest > 1e12:
            break
        if attempt and largest > 1e-3 * before:  # F is not affine in s: the slopes move
            slopes = rate_slopes(field, x, s, held)
        before = largest
    outside = np.any(s[held] < 0) or np.any(s[held] > 1)
    if bounded and outside and np.linalg.matrix_rank(slopes, tol=None) < held.size:
        rates = _rates(field, x, s, held)
        found = lsq_linear(slopes, slopes @ s[held] - rates, bounds=(0.0, 1.0), tol=1e-15)
        s[held] = np.clip(found.x, 0.0, 1.0)
    return s


def rate_slopes(field: Field, x: Array, positions: Array, held: Array) -> Array:
    """Return the derivatives of the held g' by the held positions, shape (k, k)."""
    slopes = np.empty((held.size, held.size))
    for column, kink in enumerate(held):
        s = positions.copy()
        s[kink] = 1.0
        high = _rates(field, x, s, held)
        s[kink] = 0.0
        slopes[:, column] = high - _rates(field, x, s, held)
    return slopes


def _rates(field: Field, x: Array, positions: Array, held: Array) -> Array:
    gradients = field.slopes(x, positions)[1][held]
    return gradients @ field.velocity(x, positions)


def runge_kutta(field: Field, x: Array, positions: Array, held: Array, time: float) -> Array:
    """Return one classical step of fourth order in the mode of the positions."""

    def velocity(point: Array) -> Array:
        return field.velocity(point, held_positions(field, point, positions, held))

    one = velocity(x)
    two = velocity(x + 0.5 * time * one)
    three = velocity(x + 0.5 * time * two)
    four = velocity(x + time * three)
    return x + time / 6.0 * (one + 2 * two + 2 * three + four)


def _by_zeros(patterns: itertools.product) -> list[tuple[int, ...]]:
    return sorted(patterns, key=lambda pattern: pattern.count(0))


def _first(candidates: list[_Candidate]) -> Choice:
    return Choice(_mode(candidates[0].mode), candidates[0].positions)


def _mode(sides: Array) -> Mode:
    return tuple(int(side) for side in sides)


def _norm(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
