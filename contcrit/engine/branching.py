"""Branch switching: every real direction in which branches leave a branch point.

A simple branch point is solved by the algebraic branching equation. Where the kernel is larger, or
that equation degenerates, the reduced (Lyapunov-Schmidt) equations are expanded to third order on
the kernel and all their real solutions on a small sphere are found; each is then corrected on the
full equations, so that nothing is believed of the expansion but its rough aim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy import linalg

from ..events.singularity import Singularity, analyse
from ..linalg import as_dense, metric_weights
from ..results import SpecialPoint
from ..settings import Settings
from .corrector import CORRECTED, correct
from .gauge import dropped, gauged, lifted
from .kernel import Control, allocate, distance, negative_eigenvalues, raw_tangent
from .orbits import SymmetryGroup
from .walk import ARCLENGTH, FACTS, LOG_MODULUS, NEGATIVE, RESIDUAL, SIGN

Array = np.ndarray

REACH = 0.01
"""Largest half of the distance at which departures are looked for, relative to 1 + max|z|/10."""

OPPOSITE = -0.75
"""Cosine between directions below which two departures belong to one branch, bent as it may be."""


@dataclass(eq=False)
class Departure:
    """A first point on a branch that leaves a branch point.

    Parameters
    ----------
    system : System
        The system to walk it with, gauged where the group moves the point.
    z, tangent : ndarray
        The point and its outward unit tangent, in the coordinates of that system.
    direction : ndarray of shape (n + 1,)
        Unit direction from the branch point, without multipliers.
    facts : ndarray of shape (6,)
        Facts of the point, as the walk records them; its arc length is the distance from the branch
        point in the walk's metric.
    """

    system: Any
    z: Array
    tangent: Array
    direction: Array
    facts: Array

    @property
    def plain(self) -> Array:
        """The point without multipliers."""
        return dropped(self.system, self.z)


class Switch:
    """All departures from one branch point.

    Parameters
    ----------
    base : System
        Without gauge.
    special : SpecialPoint
        A branch point, without multipliers.
    control : Control
    settings : Settings
    """

    def __init__(
        self, base: Any, special: SpecialPoint, control: Control, settings: Settings
    ) -> None:
        self.base = base
        self.special = special
        self.settings = settings
        self.control = control._replace(newton_iterations=15, newton_growth=1e3)
        self.system = gauged(base, special.x)
        self.z = lifted(self.system, special.z)
        tangent = lifted(self.system, special.tangent)
        self.tangent = tangent / np.linalg.norm(tangent)
        self.group = SymmetryGroup(base.size, getattr(base, "generators", None))
        self.failures: list[str] = []

    def departures(self) -> list[Departure]:
        """Return the departures off the known branch, opposite ones next to each other."""
        # The expansions hold close to the point only, however long the walk's steps may be.
        radius = 2.0 * min(self.settings.step_initial, REACH)
        radius *= 1.0 + 0.1 * float(np.max(np.abs(self.z)))
        for _ in range(4):
            singularity = self._singularity(radius)
            if singularity is None:
                self.failures.append("the Jacobian has full rank at the point")
                return []
            aims = self._aims(singularity, radius)
            corrected = (self._correct(aim, radius) for aim in aims)
            found = self._distinct([one for one in corrected if one is not None])
            if found:
                return found
            radius *= 0.25
        self.failures.append("no direction could be corrected onto a branch")
        return []

    def _singularity(self, radius: float) -> Singularity | None:
        known = int(self.special.evidence.get("excess", 1))
        ends = (self.z + radius * self.tangent, self.z - radius * self.tangent)
        singularity = analyse(self.system, self.z, ends, 1e-4)
        if singularity.excess == 0 and known > 0:
            singularity = analyse(self.system, self.z, ends, 1e-2)
        return singularity if singularity.excess > 0 else None

    # ---- where to aim ------------------------------------------------------------------

    def _aims(self, singularity: Singularity, radius: float) -> list[Array]:
        """Return points near which branches are expected, at about `radius` from the point."""
        if singularity.excess == 1:
            direction = self._algebraic(singularity)
            if direction is not None:
                return [self.z + radius * direction, self.z - radius * direction]
        return self._reduced(singularity, radius)

    def _algebraic(self, singularity: Singularity) -> Array | None:
        """Solve the algebraic branching equation with one branch known.

        References
        ----------
        H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems, 1987, section 5.2.
        """
        psi = singularity.left[:, 0]
        known = singularity.kernel @ (singularity.kernel.T @ self.tangent)
        known /= np.linalg.norm(known)
        other = singularity.kernel @ linalg.null_space((singularity.kernel.T @ known)[None, :])
        other = other[:, 0]
        along_known = self.system.second(self.z, known)
        mixed = float(psi @ (along_known @ other))
        square = float(psi @ (self.system.second(self.z, other) @ other))
        scale = float(abs(along_known).max()) + abs(square) + 1e-300
        if abs(mixed) <= 1e-6 * scale:
            return None  # not transversal: leave it to the reduced equations
        direction = other - (square / (2.0 * mixed)) * known
        return direction / np.linalg.norm(direction)

    def _reduced(self, singularity: Singularity, radius: float) -> list[Array]:
        """Solve the reduced equations, expanded to third order, on a sphere in the kernel."""
        kernel, psi = singularity.kernel, singularity.left
        size = kernel.shape[1]
        monomials = [
            exponents
            for order in (2, 3)
            for exponents in combinations_with_replacement(range(size), order)
        ]
        rng = np.random.default_rng(self.settings.seed)
        samples = rng.standard_normal((2 * len(monomials), size))
        samples /= np.linalg.norm(samples, axis=1)[:, None]
        samples = np.concatenate([samples, -samples])
        bordered = np.block(
            [[as_dense(self.system.jacobian(self.z)), psi], [kernel.T, np.zeros((size, size - 1))]]
        )
        factors = linalg.lu_factor(bordered)
        lifted, values = [], []
        for sample in samples:
            point, value = self._lift(factors, psi, kernel, radius * sample)
            if point is not None:
                lifted.append(sample)
                values.append(value)
        if len(values) < len(monomials):
            return []
        design = _evaluate(monomials, np.array(lifted))
        right = np.array(values) / radius**2
        orders = np.array([radius ** (len(exponents) - 2) for exponents in monomials])
        coefficients = np.linalg.lstsq(design * orders, right, rcond=None)[0]
        solutions = _solve_on_sphere(monomials, coefficients * orders[:, None], size, rng)
        aims = []
        for alpha in solutions:
            point, _ = self._lift(factors, psi, kernel, radius * alpha)
            if point is not None:
                aims.append(point)
        return aims

    def _lift(
        self, factors: Any, psi: Array, kernel: Array, alpha: Array
    ) -> tuple[Array | None, Array]:
        """Solve F + psi h = 0 over the kernel coordinates alpha by the chord method."""
        n = self.system.size
        z, h = self.z + kernel @ alpha, np.zeros(psi.shape[1])
        for _ in range(30):
            value = self.system.residual(z) + psi @ h
            if not np.all(np.isfinite(value)):
                return None, h
            defect = kernel.T @ (z - self.z) - alpha
            increment = linalg.lu_solve(factors, -np.concatenate([value, defect]))
            if not np.all(np.isfinite(increment)):
                return None, h
            z = z + increment[: n + 1]
            h = h + increment[n + 1 :]
            if np.max(np.abs(increment)) <= 1e-14 * (1.0 + np.max(np.abs(z))):
                return z, h
        return (z, h) if np.max(np.abs(increment)) <= 1e-10 else (None, h)

    # ---- onto the branches ----------------------------------------------------------------

    def _correct(self, aim: Array, radius: float) -> Departure | None:
        """Bring an aim onto the full equations, in the plane across its own direction."""
        plain = dropped(self.system, aim)
        away = float(np.linalg.norm(plain - self.special.z))
        # An aim that the group moves by little against its distance lies on a branch it fixes.
        system = gauged(self.base, plain[:-1], 1e-2 * away / (1.0 + np.max(np.abs(plain[:-1]))))
        z = lifted(system, plain).copy()
        centre = lifted(system, self.special.z)
        weights = metric_weights(
            system.size, self.settings.theta, getattr(system, "multipliers", 0)
        )
        outward = z - centre
        reach = float(np.linalg.norm(outward))
        if reach < 1e-3 * radius:
            return None
        work, scratch = allocate(system), np.empty(z.size)
        row = outward / reach
        outcome, _, residual = correct(system, z, row, self.control, work, scratch, False)
        if outcome != CORRECTED or np.linalg.norm(z - centre - outward) > 0.5 * reach:
            return None
        chord = (z - centre) / np.linalg.norm(z - centre)
        known = lifted(system, self.special.tangent)
        across = 1.0 - abs(float(chord @ known) / float(np.linalg.norm(known)))
        if across < 1e-4:
            return None  # that is the known branch
        tangent = np.empty(z.size)
        sign, log_modulus = raw_tangent(system, work, weights * chord, tangent)
        length = float(np.sqrt(np.sum(weights * tangent * tangent)))
        if not np.isfinite(length) or length == 0.0:
            return None
        tangent /= length
        if float(np.sum(weights * tangent * chord)) < 0:
            return None
        facts = np.zeros(FACTS)
        facts[ARCLENGTH], facts[RESIDUAL] = distance(weights, z, centre), residual
        facts[SIGN], facts[LOG_MODULUS] = sign, log_modulus
        facts[NEGATIVE] = negative_eigenvalues(system, z, work)
        plain_chord = dropped(system, chord)
        return Departure(
            system=system,
            z=z,
            tangent=tangent,
            direction=plain_chord / np.linalg.norm(plain_chord),
            facts=facts,
        )

    def _distinct(self, departures: list[Departure]) -> list[Departure]:
        """Drop repetitions and rotated copies; put opposite departures next to each other."""
        kept: list[Departure] = []
        orbits: list[Array] = []
        for departure in departures:
            point = departure.plain
            near = 1e-2 * float(np.linalg.norm(point - self.special.z))
            known = zip(kept, orbits, strict=True)
            if any(self._is_copy(point, other.plain, orbit, near) for other, orbit in known):
                continue
            kept.append(departure)
            orbits.append(self.group.samples(point[:-1]))
        ordered: list[Departure] = []
        while kept:
            first = kept.pop(0)
            ordered.append(first)
            overlaps = [float(first.direction @ other.direction) for other in kept]
            if overlaps and min(overlaps) < OPPOSITE:
                ordered.append(kept.pop(int(np.argmin(overlaps))))
        return ordered

    def _is_copy(self, one: Array, other: Array, orbit: Array, near: float) -> bool:
        """Tell whether a point is close to the orbit of another, given by samples."""
        along = abs(float(one[-1] - other[-1]))
        if along >= near:
            return False
        return self.group.comes_near(one[:-1], orbit, math.sqrt(near * near - along * along))


def _evaluate(monomials: list[tuple[int, ...]], points: Array) -> Array:
    """Return the monomials at points of shape (m, size), as (m, monomials)."""
    return np.stack([np.prod(points[:, list(exponents)], axis=1) for exponents in monomials], 1)


def _solve_on_sphere(
    monomials: list[tuple[int, ...]], coefficients: Array, size: int, rng: np.random.Generator
) -> Array:
    """Return the distinct unit vectors at which all polynomials vanish, found by multistart.

    Gauss-Newton runs from all starts at once, with a trace of damping so that circles of solutions
    (a symmetry's) do no harm.
    """
    starts = 60 * 3 ** min(size - 1, 5)
    alpha = rng.standard_normal((starts, size))
    axes = np.concatenate([np.eye(size), -np.eye(size)])
    alpha = np.concatenate([axes, alpha])
    alpha /= np.linalg.norm(alpha, axis=1)[:, None]
    lowered: list[list[tuple[float, tuple[int, ...]]]] = []
    for k in range(size):
        terms = []
        for exponents in monomials:
            count = exponents.count(k)
            reduced = list(exponents)
            if count:
                reduced.remove(k)
            terms.append((float(count), tuple(reduced)))
        lowered.append(terms)
    scale = float(np.max(np.abs(coefficients))) or 1.0
    coefficients = coefficients / scale
    for _ in range(60):
        value = _evaluate(monomials, alpha) @ coefficients
        derivative = np.empty((len(alpha), coefficients.shape[1] + 1, size))
        for k in range(size):
            derived = [c * np.prod(alpha[:, list(e)], axis=1) for c, e in lowered[k]]
            derivative[:, :-1, k] = np.stack(derived, axis=1) @ coefficients
        derivative[:, -1] = alpha
        right = np.concatenate([value, np.zeros((len(alpha), 1))], axis=1)
        transposed = np.swapaxes(derivative, 1, 2)
        normal = transposed @ derivative + 1e-12 * np.eye(size)
        step = np.linalg.solve(normal, transposed @ right[..., None])[..., 0]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        alpha = alpha - step * np.minimum(1.0, 0.3 / np.maximum(length, 1e-300))
        alpha /= np.linalg.norm(alpha, axis=1)[:, None]
    residual = np.max(np.abs(_evaluate(monomials, alpha) @ coefficients), axis=1)
    distinct: list[Array] = []
    for candidate in alpha[residual < 1e-9]:
        if all(np.linalg.norm(candidate - other) > 1e-3 for other in distinct):
            distinct.append(candidate)
        if len(distinct) >= 600:
            break
    return np.array(distinct).reshape(-1, size)
