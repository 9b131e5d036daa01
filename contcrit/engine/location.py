"""Location: two independent methods must agree before a special point is believed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ..events.base import Bracket, Event, LocalPoint, Signals, spectral_matrix
from ..events.branch_point import refine as refine_branch_point
from ..events.fold import quadratic_coefficient
from ..events.fold import refine as refine_fold
from ..events.hopf import CriticalPair, critical_pair
from ..events.hopf import refine as refine_hopf
from ..events.singularity import Singularity, analyse
from ..linalg import rounding_level
from ..results import SpecialPoint
from ..settings import Settings
from .corrector import CORRECTED, correct
from .kernel import Control, allocate, inner, raw_tangent

Array = np.ndarray

_LOOSE = (0.1, 1e-2)
"""Shares of the value at the ends below which a singular value may turn out to be zero: loosest
first, so that a branch point is not taken for the fold that hides it."""

_UNCONFIRMED = 1e-4
"""The same where only one locator speaks."""


@dataclass(eq=False)
class Locator:
    """Finds special points between the accepted points of one march.

    Parameters
    ----------
    system : System
        The system that was walked, multipliers included.
    weights : ndarray of shape (n + 1,)
    control : Control
    settings : Settings
    signals : Signals
    arclength : ndarray of shape (m,)
    """

    system: Any
    weights: Array
    control: Control
    settings: Settings
    signals: Signals
    arclength: Array

    def special_points(self, events: tuple[Event, ...]) -> list[SpecialPoint]:
        """Locate, refine and identify everything the events bracket, in order of arc length."""
        applying = [event for event in events if event.applies(self.system)]
        found: list[SpecialPoint] = []
        inertia = [event for event in applying if event.kind == "inertia"]
        others = [event for event in applying if event.kind != "inertia"]
        changes: list[tuple[Event, Bracket]] = []
        dips: list[tuple[Event, Bracket]] = []
        for event in others:
            for bracket in event.brackets(self.signals):
                (dips if bracket.dip else changes).append((event, bracket))
        # Inertia comes after the cheap changes of sign, which explain most of its own; dips come
        # last, since they are the least sharp.
        self._search(changes, found)
        for event in inertia:
            brackets = self._unexplained(event.brackets(self.signals), found)
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
            special = self._identify(event, bracket, offset, z, tangent)
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
        return any(s.kind != "user" and low <= s.arclength <= high for s in found)

    def _unexplained(self, brackets: list[Bracket], found: list[SpecialPoint]) -> list[Bracket]:
        """Cut steps at the kernels found inside them; keep what still changes beside those.

        A fold and a Hopf point that share a step change the inertia by one between them; only on
        either side of the fold is the change of two seen for what it is.
        """
        if self.signals.negative is None:
            return []
        holding = set()
        for special in found:
            if special.kind != "user":
                last = int(np.searchsorted(self.arclength, special.arclength))
                last = min(max(last, 1), len(self.arclength) - 1)
                holding.add((last - 1, last))
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
        reach = float(row @ (self.signals.z[bracket.last] - origin))
        edges = [0.0, *(s + sign * 1e-4 * reach for s in inside for sign in (-1, 1)), reach]
        pieces: list[Bracket] = []
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if not stop > start:
                continue
            counts = []
            for offset in (start, stop):
                point = self._local(bracket, offset, {})
                parts = None if point is None else point.real_parts
                if parts is not None:
                    counts.append(int(np.count_nonzero(parts < 0)))
            if len(counts) == 2:
                crossing = range(min(counts), max(counts))
                pieces.extend(replace(bracket, detail=j, limits=(start, stop)) for j in crossing)
        return pieces

    def _same(self, one: SpecialPoint, other: SpecialPoint) -> bool:
        if (one.kind == "user") != (other.kind == "user"):
            return False
        if one.kind == "user" and one.evidence["event"] != other.evidence["event"]:
            return False
        distance = float(np.max(np.abs(one.z - other.z)))
        near = abs(one.arclength - other.arclength) <= max(
            one.bracket[1] - one.bracket[0], other.bracket[1] - other.bracket[0]
        )
        scale = 1.0 + float(np.max(np.abs(one.z)))
        return near and distance <= self.settings.merge_tolerance * scale

    # ---- first locator: bracket and real continuation steps -------------------------------

    def _local(self, bracket: Bracket, offset: float, scale: dict[str, float]) -> LocalPoint | None:
        """Take a continuation step of the given offset from the bracket's first point."""
        size = self.weights.size
        tangent_new, scratch = np.empty(size), np.empty(size)
        first = bracket.first
        row = self.weights * self.signals.tangent[first]
        work = allocate(self.system)
        for nudge in (0.0, 1e-9, -1e-9, 1e-7):
            z = self._predict(bracket, offset + nudge * self.signals.step[first])
            if correct(self.system, z, row, self.control, work, scratch, False)[0] != CORRECTED:
                continue
            sign, log_modulus = raw_tangent(self.system, work, row, tangent_new)
            length = math.sqrt(inner(self.weights, tangent_new, tangent_new))
            if math.isfinite(length) and length > 0.0:
                origin = self.signals.z[first]
                return LocalPoint(
                    self.system, z, tangent_new / length, sign, log_modulus, origin, scale
                )
        return None

    def _predict(self, bracket: Bracket, offset: float) -> Array:
        """Return the cubic Hermite interpolant of the branch, in the plane at the given offset.

        Close to a branch point the tangent predictor is farther from its branch than the crossing
        one is; the interpolant between accepted points is closer by orders of magnitude.
        """
        here = slice(bracket.first, bracket.last + 1)
        z, tangent = self.signals.z[here], self.signals.tangent[here]
        row = self.weights * tangent[0]
        nodes = (z - z[0]) @ row
        k = min(max(int(np.searchsorted(nodes, offset)) - 1, 0), len(nodes) - 2)
        width = nodes[k + 1] - nodes[k]
        t = (offset - nodes[k]) / width
        slopes = [tangent[j] * (width / float(tangent[j] @ row)) for j in (k, k + 1)]
        point = (
            (1.0 + 2.0 * t) * (1.0 - t) ** 2 * z[k]
            + t * (1.0 - t) ** 2 * slopes[0]
            + t * t * (3.0 - 2.0 * t) * z[k + 1]
            + t * t * (t - 1.0) * slopes[1]
        )
        return point + (offset - float((point - z[0]) @ row)) * tangent[0]

    def _locate(self, event: Event, bracket: Bracket) -> tuple[float, Array, Array] | None:
        """Drive the event's test function to zero; return offset, point and tangent."""
        first = bracket.first
        z, tangent = self.signals.z, self.signals.tangent
        span = float(np.sum(self.weights * tangent[first] * (z[bracket.last] - z[first])))
        start, stop = (0.0, span) if bracket.limits is None else bracket.limits
        scale: dict[str, float] = {}
        cache: dict[float, tuple[float, LocalPoint]] = {}

        def value(offset: float) -> float:
            point = self._local(bracket, offset, scale)
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
                    brentq(value, start, stop, xtol=tolerance, rtol=8.9e-16, maxiter=80)
        except _Lost:
            if not cache:
                return None
        offset = min(cache, key=lambda s: cache[s][0])
        best = cache[offset][1]
        return offset, best.z, best.tangent

    # ---- second locator: Newton on the extended system -------------------------------------

    def _identify(
        self, event: Event, bracket: Bracket, offset: float, z: Array, tangent: Array
    ) -> SpecialPoint | None:
        ends = self._apart(bracket)
        reach = (float(self.arclength[bracket.first]), float(self.arclength[bracket.last]))
        across = self.signals.z[bracket.last] - self.signals.z[bracket.first]
        width = float(np.sum(self.weights * self.signals.tangent[bracket.first] * across))
        arclength = reach[0] + (reach[1] - reach[0]) * min(1.0, max(0.0, offset / width))
        evidence: dict[str, Any] = {"event": getattr(event, "name", event.kind)}
        if event.kind == "user":
            return self._record("user", z, tangent, reach, arclength, None, evidence)
        if event.kind == "isotropy":
            # At the point itself the gauged equations have no tangent of their own.
            arriving = self.signals.tangent[bracket.first]
            return self._identify_collapse(z, arriving, ends, reach, arclength, evidence)
        if event.kind == "inertia":
            pair = self._crossing_pair(z)
            if pair is not None:
                return self._identify_pair(pair, z, tangent, reach, arclength, evidence)
        # A first guess at the kernels judges loosely; it stands only if the refined point passes
        # the strict test. Near a branch point the bracketing locator alone may be a little off.
        for tolerance in (*_LOOSE, self.settings.rank_tolerance):
            guess = analyse(self.system, z, ends, tolerance)
            if guess.kernel_dimension == 0 and guess.excess == 0:
                continue
            refined = self._refine(guess, z, ends)
            if refined is None:
                continue
            strict = analyse(self.system, refined[0], ends, self.settings.rank_tolerance)
            if (strict.kernel_dimension, strict.excess) != (guess.kernel_dimension, guess.excess):
                continue
            kind = "branch-point" if strict.excess > 0 else "fold"
            if kind == "fold":
                quadratic = quadratic_coefficient(self.system, refined[0], strict)
                evidence["quadratic_coefficient"] = quadratic
            else:
                z, tangent = self._interpolate(event, bracket, offset, z, tangent)
            return self._record(
                kind, z, tangent, reach, arclength, refined, evidence | _evidence(strict)
            )
        # Degenerate points defeat the extended systems: the first locator's word, and no digits.
        strict = analyse(self.system, z, ends, _UNCONFIRMED)
        evidence |= _evidence(strict)
        if strict.kernel_dimension > 0 or strict.excess > 0:
            kind = "branch-point" if strict.excess > 0 else "fold"
            return self._record(kind, z, tangent, reach, arclength, None, evidence)
        return None

    def _refine(
        self, guess: Singularity, z: Array, ends: tuple[Array, Array]
    ) -> tuple[Array, float] | None:
        """Newton on the extended system that the guessed kernels call for, if it stays near."""
        tolerance = self.settings.newton_tolerance
        if guess.excess > 0:
            refined = refine_branch_point(self.system, z, guess, tolerance)
        elif guess.kernel_dimension == 1:
            refined = refine_fold(self.system, z, guess, tolerance)
        else:
            return None
        if refined is None or not self._near(refined[0], z, ends):
            return None
        residual, jacobian = self.system.residual_and_jacobian(refined[0])
        floor = 20 * rounding_level(jacobian, refined[0])
        if np.max(np.abs(residual)) > max(self.settings.residual_tolerance, floor):
            return None
        return refined

    def _interpolate(
        self, event: Event, bracket: Bracket, offset: float, z: Array, tangent: Array
    ) -> tuple[Array, Array]:
        """Return the first locator's point and tangent from steps to either side of it.

        At a branch point the corrector itself is singular, and its tangent may be that of the
        other branch; cubic interpolation of points, tangents and test function through four
        regular points is accurate where the last bisection is not.
        """
        first = bracket.first
        spread = max(0.01 * float(self.signals.step[first]), 0.01 * self._distance())
        nodes = np.array([-2.0, -1.0, 1.0, 2.0])
        samples = [
            sample
            for sample in (self._local(bracket, offset + spread * node, {}) for node in nodes)
            if sample is not None
        ]
        if len(samples) < len(nodes):
            return z, tangent
        root = 0.0
        if not bracket.dip:
            values = np.array([event.value(sample, bracket) for sample in samples])
            roots = np.roots(np.polyfit(nodes, values / np.max(np.abs(values)), 3))
            real = roots[np.abs(roots.imag) < 1e-6].real
            if real.size == 0 or np.min(np.abs(real)) > 1.0:
                return z, tangent
            root = float(real[np.argmin(np.abs(real))])
        lagrange = np.array(
            [np.prod([(root - b) / (a - b) for b in nodes if b != a]) for a in nodes]
        )
        between = lagrange @ np.array([sample.tangent for sample in samples])
        between /= np.sqrt(np.sum(self.weights * between * between))
        if bracket.dip:
            return z, between
        return lagrange @ np.array([sample.z for sample in samples]), between

    def _crossing_pair(self, z: Array) -> CriticalPair | None:
        """Return the complex pair that lies on the imaginary axis at z, off zero."""
        if self.system.symmetric:
            return None
        pair = critical_pair(spectral_matrix(self.system, z, self.system.jacobian(z))[0])
        return pair if pair is not None and abs(pair.real) <= 1e-6 * pair.frequency else None

    def _identify_pair(
        self,
        pair: CriticalPair,
        z: Array,
        tangent: Array,
        reach: tuple[float, float],
        arclength: float,
        evidence: dict[str, Any],
    ) -> SpecialPoint | None:
        """Judge a crossing without a kernel: a Hopf point of a flow, nothing for other kinds."""
        if self.system.kind != "flow":
            return None
        refined = refine_hopf(self.system, z, pair, self.settings.newton_tolerance)
        evidence["frequency"] = pair.frequency if refined is None else refined[1]
        located = None if refined is None else (refined[0], refined[2])
        return self._record("hopf", z, tangent, reach, arclength, located, evidence)

    def _identify_collapse(
        self,
        z: Array,
        tangent: Array,
        ends: tuple[Array, Array],
        reach: tuple[float, float],
        arclength: float,
        evidence: dict[str, Any],
    ) -> SpecialPoint:
        """Record where the group comes to fix the solution: a branch point without gauge."""
        gauged = self.system
        base = gauged.drop(z)
        bases = tuple(gauged.drop(end) for end in ends)
        singularity = analyse(gauged.base, base, bases, 1e-3)
        evidence |= _evidence(singularity)
        refined = None
        if singularity.excess > 0:
            refined = refine_branch_point(
                gauged.base, base, singularity, self.settings.newton_tolerance
            )
        if refined is not None and not self._near(refined[0], base, bases):
            refined = None
        lifted = None if refined is None else (gauged.lift(refined[0]), refined[1])
        return self._record("branch-point", z, tangent, reach, arclength, lifted, evidence)

    def _apart(self, bracket: Bracket) -> tuple[Array, Array]:
        """Return accepted points on either side, a usual step away even where steps are tiny."""
        first, last = bracket.first, bracket.last
        low, high = self.arclength[first], self.arclength[last]
        while first > 0 and low - self.arclength[first] < self._distance():
            first -= 1
        while last < len(self.arclength) - 1 and self.arclength[last] - high < self._distance():
            last += 1
        return self.signals.z[first], self.signals.z[last]

    def _distance(self) -> float:
        """Return the arc length below which points are too close to tell singular from regular."""
        return min(0.02, 2.0 * self.settings.step_initial)

    def _near(self, refined: Array, z: Array, ends: tuple[Array, Array]) -> bool:
        """Tell whether Newton stayed within reach of the bracket."""
        width = float(np.max(np.abs(ends[1] - ends[0])))
        return float(np.max(np.abs(refined - z))) <= 0.01 * width + 1e-8

    def _record(
        self,
        kind: str,
        z: Array,
        tangent: Array,
        reach: tuple[float, float],
        arclength: float,
        refined: tuple[Array, float] | None,
        evidence: dict[str, Any],
    ) -> SpecialPoint:
        digits = 0.0
        located = z
        if refined is not None:
            located = refined[0]
            scale = 1.0 + float(np.max(np.abs(z)))
            distance = float(np.max(np.abs(located - z))) / scale
            digits = min(16.0, -math.log10(max(distance, 1e-16)))
        elif kind != "user":
            evidence["note"] = "the extended system did not confirm the bracketing locator"
        return SpecialPoint(
            kind=kind,
            z=located,
            tangent=tangent,
            bracket=reach,
            arclength=arclength,
            residual=float(np.max(np.abs(self.system.residual(located)))),
            digits=digits,
            evidence=evidence,
        )


def _evidence(singularity: Singularity) -> dict[str, Any]:
    return {
        "kernel_dimension": singularity.kernel_dimension,
        "excess": singularity.excess,
        "singular_values": singularity.values[:4].copy(),
        "singular_values_at_ends": singularity.reference[:4].copy(),
    }


def _order(candidate: tuple[Event, Bracket, float, Array, Array]) -> tuple[Any, ...]:
    """Put terminal events first, the others in order along the branch."""
    event, bracket, offset = candidate[:3]
    return not event.terminal, bracket.first, offset, event.kind


class _Lost(Exception):
    """A continuation step inside a bracket failed; the best point so far stands."""
