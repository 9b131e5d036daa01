"""Continuous symmetries: walk across group orbits instead of along them.

Where a solution is not fixed by the group, its whole orbit solves the equations and the Jacobian is
singular along it. One phase condition and one unfolding multiplier per acting generator make it
regular again. The phase condition is infinitesimal: every Newton increment and every tangent is
orthogonal to the orbit through the current point, so that no reference point is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def orbit_tangents(generators: Array, x: Array) -> Array:
    """Return the tangents S_k x + c_k of the group orbit through x, shape (k, n)."""
    return generators[:, :, :-1] @ x + generators[:, :, -1]


def acting_combinations(generators: Array, x: Array, tolerance: float = 1e-7) -> Array:
    """Return orthonormal combinations of the generators that move x, shape (r, k).

    Parameters
    ----------
    generators : ndarray of shape (k, n, n + 1)
    x : ndarray of shape (n,)
    tolerance : float
        Combinations that move x by less than this, relative to 1 + max|x|, fix it.
    """
    if len(generators) == 0:
        return np.zeros((0, 0))
    left, values, _ = np.linalg.svd(orbit_tangents(generators, x), full_matrices=False)
    acting = values > tolerance * (1.0 + np.max(np.abs(x)))
    return left[:, acting].T


def gauged(system: Any, x: Array, tolerance: float = 1e-7) -> Any:
    """Return the system itself where the group fixes x, else its gauged form there.

    The tolerance is that of `acting_combinations`.
    """
    generators = getattr(system, "generators", None)
    if generators is None or len(generators) == 0:
        return system
    combinations = acting_combinations(generators, x, tolerance)
    if len(combinations) == 0:
        return system
    return GaugedSystem(system, combinations)


class GaugedSystem:
    """A system with its acting generators taken out; unknowns are (x, multipliers).

    Parameters
    ----------
    base : System
        With attributes ``generators`` and ``unfolding``.
    combinations : ndarray of shape (r, k)
        The acting combinations of the base's generators.

    Notes
    -----
    The equations are ``F(x) + sum_j m_j w_j(x) = 0`` with w_j the left null direction of the orbit
    (the base's `unfolding`) or, without one, the orbit's tangent, which is the left null direction
    of a gradient. By invariance the multipliers vanish at solutions.
    """

    symmetric = False
    sparse = False

    def __init__(self, base: Any, combinations: Array) -> None:
        self.base = base
        self.combinations = combinations
        self.multipliers = len(combinations)
        self.size = base.size + self.multipliers
        self.names = base.names + tuple(f"multiplier[{k}]" for k in range(self.multipliers))
        self.parameter = base.parameter
        self.kind = base.kind

    def lift(self, z: Array) -> Array:
        """Insert zero multipliers into a point or a tangent of the base system."""
        return np.concatenate([z[:-1], np.zeros(self.multipliers), z[-1:]])

    def drop(self, z: Array) -> Array:
        """Remove the multipliers from points or tangents, shape (..., n + 1)."""
        n = self.base.size
        return np.concatenate([z[..., :n], z[..., -1:]], axis=-1)

    def phases(self, x: Array) -> Array:
        """Return the acting orbit tangents at x, shape (r, n)."""
        return self.combinations @ orbit_tangents(self.base.generators, x)

    def unfolding_directions(self, z: Array) -> Array:
        """Return the directions that the multipliers weigh, shape (r, n)."""
        own = getattr(self.base, "unfolding", None)
        directions = own(z) if own is not None else None
        if directions is None:
            return self.phases(z[:-1])
        return self.combinations @ directions

    def residual(self, z: Array) -> Array:
        """Return the residual, shape (n + r,); the phase conditions hold by construction."""
        base = self.drop(z)
        n = self.base.size
        value = self.base.residual(base) + z[n:-1] @ self.unfolding_directions(base)
        return np.concatenate([value, np.zeros(self.multipliers)])

    def jacobian(self, z: Array) -> Array:
        """Return the Jacobian, shape (n + r, n + r + 1), with the orbit tangents as last rows."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Return both at once."""
        base = self.drop(z)
        n, r = self.base.size, self.multipliers
        value, inner = self.base.residual_and_jacobian(base)
        directions = self.unfolding_directions(base)
        jacobian = np.zeros((n + r, n + r + 1))
        jacobian[:n, :n] = inner[:, :-1]
        jacobian[:n, -1] = inner[:, -1]
        jacobian[:n, n:-1] = directions.T
        jacobian[n:, :n] = self.phases(base[:-1])
        residual = np.concatenate([value + z[n:-1] @ directions, np.zeros(r)])
        return residual, jacobian

    def second(self, z: Array, direction: Array) -> Array:
        """Return the derivative of the Jacobian along a direction."""
        base, along = self.drop(z), self.drop(direction)
        n, r = self.base.size, self.multipliers
        inner = self.base.second(base, along)
        derivative = np.zeros((n + r, n + r + 1))
        derivative[:n, :n] = inner[:, :-1]
        derivative[:n, -1] = inner[:, -1]
        derivative[:n, n:-1] = self._unfolding_derivative(base, along).T
        matrices = np.tensordot(self.combinations, self.base.generators[:, :, :-1], axes=1)
        derivative[n:, :n] = matrices @ along[:-1]
        return derivative

    def _unfolding_derivative(self, base: Array, along: Array) -> Array:
        length = float(np.max(np.abs(along)))
        if length == 0.0:
            return np.zeros((self.multipliers, self.base.size))
        # The unfolding's derivative only steers Newton's method: differences suffice.
        step = 1e-6 * (1.0 + float(np.max(np.abs(base)))) / length
        ahead = self.unfolding_directions(base + step * along)
        behind = self.unfolding_directions(base - step * along)
        return (ahead - behind) / (2.0 * step)

    def spectral_matrix(self, z: Array) -> tuple[Array, bool]:
        """Return the base's Jacobian with the zeros along the orbit moved to positive numbers.

        With J g = 0, adding g g' changes the eigenvalue of g alone.
        """
        base = self.drop(z)
        inner = self.base.jacobian(base)[:, :-1]
        along, lengths, _ = np.linalg.svd(self.phases(base[:-1]).T, full_matrices=False)
        rounding = np.finfo(float).eps * len(along) * lengths.max(initial=0.0)
        orthonormal = along[:, lengths > rounding]
        shift = float(np.max(np.abs(inner))) * (orthonormal @ orthonormal.T)
        return inner + shift, self.base.symmetric


def lifted(system: Any, z: Array) -> Array:
    """Insert zero multipliers where the system has any."""
    return system.lift(z) if isinstance(system, GaugedSystem) else z


def dropped(system: Any, z: Array) -> Array:
    """Remove the multipliers where the system has any."""
    return system.drop(z) if isinstance(system, GaugedSystem) else z


def orbit_phases(system: Any, points: Array) -> Array | None:
    """Return the acting orbit tangents at all points, shape (m, r, n); None without gauge."""
    if not isinstance(system, GaugedSystem):
        return None
    return np.array([system.phases(system.drop(z)[:-1]) for z in points])
