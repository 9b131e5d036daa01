"""Identification: say what a located point is, by kernels and a second locator."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..events.base import Bracket, Event, spectral_matrix
from ..events.branch_point import refine as refine_branch_point
from ..events.flip import flipping, normal_form_coefficient
from ..events.flip import refine as refine_flip
from ..events.fold import quadratic_coefficient
from ..events.fold import refine as refine_fold
from ..events.hopf import CriticalPair, critical_pair
from ..events.hopf import refine as refine_hopf
from ..events.singularity import Singularity, analyse
from ..linalg import rounding_level
from ..results import SpecialPoint
from .stretch import Stretch

Array = np.ndarray

_LOOSE = (0.1, 1e-2)
"""Shares of the value at the ends below which a singular value may turn out to be zero: loosest
first, so that a branch point is not taken for the fold that hides it."""

_UNCONFIRMED = 1e-4
"""The same where only one locator speaks."""


class Hit(NamedTuple):
    """Where an event's test function vanishes, before anything is known of the point.

    Parameters
    ----------
    z, tangent : ndarray of shape (n + 1,)
        The bracketing locator's point, and its tangent.
    bracket : tuple of float
        Arc lengths of the two accepted points that enclose it.
    arclength : float
    evidence : dict
        Added to as it becomes known.
    """

    z: Array
    tangent: Array
    bracket: tuple[float, float]
    arclength: float
    evidence: dict[str, Any]


class Identifier(Stretch):
    """Makes special points of located points, or finds that they are none."""

    def identify(
        self, event: Event, bracket: Bracket, offset: float, z: Array, tangent: Array
    ) -> SpecialPoint | None:
        """Return the special point that an event's located point is; None if it is none."""
        ends = self.apart(bracket)
        reach = (float(self.arclength[bracket.first]), float(self.arclength[bracket.last]))
        share = min(1.0, max(0.0, offset / self.reach(bracket)))
        arclength = reach[0] + (reach[1] - reach[0]) * share
        evidence: dict[str, Any] = {"event": getattr(event, "name", event.kind)}
        hit = Hit(z, tangent, reach, arclength, evidence)
        if event.kind == "user":
            return self.record("user", hit)
        if event.kind == "isotropy":
            # At the point itself the gauged equations have no tangent of their own.
            arriving = self.signals.tangent[bracket.first]
            return self._identify_collapse(hit._replace(tangent=arriving), ends)
        if event.kind == "inertia":
            pair = self._crossing_pair(z)
            if pair is not None:
                return self._identify_pair(pair, hit)
        if event.kind == "flip":
            return self._identify_flip(hit, ends)
        # A first guess at the kernels judges loosely; it stands only if the refined point passes
        # the strict test. Near a branch point the bracketing locator alone may be a little off.
        for tolerance in (*_LOOSE, self.settings.rank_tolerance):
            guess = analyse(self.system, z, ends, tolerance)
            if guess.kernel_dimension == 0 and guess.excess == 0:
                continue
            refined = self._refine(guess, z, ends)
            if refined is None:
                continue
            strict = analyse(self.system, refined, ends, self.settings.rank_tolerance)
            if (strict.kernel_dimension, strict.excess) != (guess.kernel_dimension, guess.excess):
                continue
            kind = "branch-point" if strict.excess > 0 else "fold"
            if kind == "fold":
                quadratic = quadratic_coefficient(self.system, refined, strict)
                evidence["quadratic_coefficient"] = quadratic
            else:
                z, tangent = self._interpolate(event, bracket, offset, z, tangent)
                hit = hit._replace(z=z, tangent=tangent)
            evidence |= _evidence(strict)
            return self.record(kind, hit, refined)
        # Degenerate points defeat the extended systems: the first locator's word, and no digits.
        strict = analyse(self.system, z, ends, _UNCONFIRMED)
        evidence |= _evidence(strict)
        if strict.kernel_dimension > 0 or strict.excess > 0:
            kind = "branch-point" if strict.excess > 0 else "fold"
            return self.record(kind, hit)
        return None

    def _refine(self, guess: Singularity, z: Array, ends: tuple[Array, Array]) -> Array | None:
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
        return refined[0]

    def _interpolate(
        self, event: Event, bracket: Bracket, offset: float, z: Array, tangent: Array
    ) -> tuple[Array, Array]:
        """Return the first locator's point and tangent from steps to either side of it.

        At a branch point the corrector itself is singular, and its tangent may be that of the
        other branch; cubic interpolation of points, tangents and test function through four
        regular points is accurate where the last bisection is not.
        """
        first = bracket.first
        spread = max(0.01 * float(self.signals.step[first]), 0.01 * self.distance())
        nodes = np.array([-2.0, -1.0, 1.0, 2.0])
        scale: dict[str, float] = {}  # one for all, so that the test function's values compare
        samples = [
            sample
            for sample in (self.local(bracket, offset + spread * node, scale) for node in nodes)
            if sample is not None
        ]
        if len(samples) < len(nodes):
            return z, tangent
        root = 0.0
        if not bracket.dip:
            values = np.array([event.value(sample, bracket) for sample in samples])
            if not np.all(np.isfinite(values)):
                return z, tangent
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

    def _identify_pair(self, pair: CriticalPair, hit: Hit) -> SpecialPoint | None:
        """Judge a crossing without a kernel: a Hopf point of a flow, nothing for other kinds."""
        if self.system.kind != "flow":
            return None
        refined = refine_hopf(self.system, hit.z, pair, self.settings.newton_tolerance)
        hit.evidence["frequency"] = pair.frequency if refined is None else refined[1]
        return self.record("hopf", hit, None if refined is None else refined[0])

    def _identify_flip(self, hit: Hit, ends: tuple[Array, Array]) -> SpecialPoint | None:
        """Judge a crossing of the line Re = -1 by multipliers: a flip where they are real."""
        vectors = flipping(self.system, hit.z, _UNCONFIRMED)
        if vectors is None:
            return None
        solved = refine_flip(self.system, hit.z, vectors, self.settings.newton_tolerance)
        refined = None if solved is None or not self._near(solved[0], hit.z, ends) else solved[0]
        hit.evidence["kernel_dimension"] = vectors[0].shape[1]
        if refined is not None and vectors[0].shape[1] == 1:
            sharp = flipping(self.system, refined, self.settings.rank_tolerance)
            if sharp is None:
                return None
            coefficient = normal_form_coefficient(self.system, refined, sharp)
            hit.evidence["normal_form_coefficient"] = coefficient
        return self.record("flip", hit, refined)

    def _identify_collapse(self, hit: Hit, ends: tuple[Array, Array]) -> SpecialPoint:
        """Record where the group comes to fix the solution: a branch point without gauge."""
        gauged = self.system
        base = gauged.drop(hit.z)
        bases = tuple(gauged.drop(end) for end in ends)
        singularity = analyse(gauged.base, base, bases, 1e-3)
        hit.evidence.update(_evidence(singularity))
        refined = None
        if singularity.excess > 0:
            tolerance = self.settings.newton_tolerance
            solved = refine_branch_point(gauged.base, base, singularity, tolerance)
            if solved is not None and self._near(solved[0], base, bases):
                refined = gauged.lift(solved[0])
        return self.record("branch-point", hit, refined)

    def _near(self, refined: Array, z: Array, ends: tuple[Array, Array]) -> bool:
        """Tell whether Newton stayed within reach of the bracket."""
        width = float(np.max(np.abs(ends[1] - ends[0])))
        return float(np.max(np.abs(refined - z))) <= 0.01 * width + 1e-8

    def record(
        self,
        kind: str,
        hit: Hit,
        refined: Array | None = None,
        residual: float | None = None,
    ) -> SpecialPoint:
        """Return the special point, with the digits to which two locators agree.

        Parameters
        ----------
        kind : str
        hit : Hit
        refined : ndarray of shape (n + 1,), optional
            The second locator's point.
        residual : float, optional
            max|F| at the better of the two, if it is known already.
        """
        digits = 0.0
        located = hit.z
        if refined is not None:
            located = refined
            scale = 1.0 + float(np.abs(hit.z).max())
            distance = float(np.abs(located - hit.z).max()) / scale
            digits = min(16.0, -math.log10(max(distance, 1e-16)))
        elif kind != "user":
            hit.evidence["note"] = "the extended system did not confirm the bracketing locator"
        if residual is None:
            residual = float(np.abs(self.system.residual(located)).max())
        return SpecialPoint(
            kind=kind,
            z=located,
            tangent=hit.tangent,
            bracket=hit.bracket,
            arclength=hit.arclength,
            residual=residual,
            digits=digits,
            evidence=hit.evidence,
        )


def _evidence(singularity: Singularity) -> dict[str, Any]:
    return {
        "kernel_dimension": singularity.kernel_dimension,
        "excess": singularity.excess,
        "singular_values": singularity.values[:4].copy(),
        "singular_values_at_ends": singularity.reference[:4].copy(),
    }
