"""Flips of maps: a multiplier passes through -1, and the period doubles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..linalg import as_dense, real_parts
from .base import Bracket, LocalPoint, Signals, count_changes, spectral_matrix
from .bordering import bordered_kernel, newton_solve

Array = np.ndarray

LARGEST = 200
"""Largest map whose multipliers are followed."""


class Flip:
    """Event: the number of multipliers whose real part lies below -1 changes.

    The equations of a map are F(x) - x = 0, with Jacobian J; its multipliers are those of J + I,
    and J + 2 I is singular at a flip.

    References
    ----------
    Y. Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., section 4.5.
    """

    kind = "flip"
    terminal = False

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: for maps that are not too large."""
        return bool(system.kind == "map" and system.size <= LARGEST)

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return one bracket for each multiplier that crosses."""
        if signals.multipliers is None:
            return []
        return count_changes(np.count_nonzero(signals.multipliers.real < -1.0, axis=1))

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the real part, by ascending order, that passes -1, plus 1."""
        parts = real_parts(*_shifted(point.system, point.z, point.jacobian))
        return float("nan") if parts is None else float(parts[bracket.detail])


EVENT = Flip()


def multipliers(system: Any, points: Array) -> Array | None:
    """Return the multipliers at points of a map, or None where they are not followed.

    Parameters
    ----------
    system : System
    points : ndarray of shape (m, n + 1)

    Returns
    -------
    ndarray of complex, shape (m, n), or None
        None if the equations are not those of a map, or too many.
    """
    if not EVENT.applies(system):
        return None
    matrices = [as_dense(spectral_matrix(system, z, system.jacobian(z))[0]) for z in points]
    return 1.0 + np.linalg.eigvals(np.array(matrices)).astype(complex)


def _shifted(system: Any, z: Array, jacobian: Any) -> tuple[Array, bool]:
    """Return J + 2 I, whose kernel belongs to the multiplier -1, and whether it is symmetric."""
    matrix, symmetric = spectral_matrix(system, z, jacobian)
    dense = as_dense(matrix)
    return dense + 2.0 * np.eye(len(dense)), symmetric


def flipping(system: Any, z: Array, tolerance: float) -> tuple[Array, Array] | None:
    """Return the left and right eigenvectors of the multiplier -1, or None if there is none.

    Parameters
    ----------
    system : System
        Of a map.
    z : ndarray of shape (n + 1,)
    tolerance : float
        Singular values of J + 2 I below this share of the largest of them and 1 count as zero.

    Returns
    -------
    tuple of ndarray, shape (n, m), or None
    """
    left, values, right = np.linalg.svd(_shifted(system, z, system.jacobian(z))[0])
    kernel = values <= tolerance * max(1.0, float(values[0]))
    if not np.any(kernel):
        return None
    return left[:, kernel], right.T[:, kernel]


def refine(
    system: Any, z: Array, vectors: tuple[Array, Array], tolerance: float
) -> tuple[Array, float] | None:
    """Solve F = 0, G = 0 by Newton, G the bordered test functions of J + 2 I.

    Parameters
    ----------
    system : System
        Of a map.
    z : ndarray of shape (n + 1,)
        First guess.
    vectors : tuple of ndarray, shape (n, m)
        As `flipping` returns them.
    tolerance : float
        Of Newton's last increment.

    Returns
    -------
    tuple of (ndarray, float) or None
        The flip and its residual; None if Newton does not converge.
    """
    left, right = vectors
    count = right.shape[1]

    def equations(unknown: Array) -> tuple[Array, Any]:
        jacobian = as_dense(system.jacobian(unknown))
        kernel = bordered_kernel(jacobian[:, :-1] + 2.0 * np.eye(len(jacobian)), left, right)
        curvature = [
            as_dense(system.second(unknown, np.append(direction, 0.0)))
            for direction in kernel.right.T
        ]
        gradient = [-kernel.left.T @ rows for rows in curvature]
        value = np.concatenate([system.residual(unknown), kernel.test.T.ravel()])
        return value, (jacobian, np.concatenate(gradient), None)

    return newton_solve(equations, z, tolerance, least_squares=None if count == 1 else 1e-8)


def normal_form_coefficient(system: Any, z: Array, vectors: tuple[Array, Array]) -> float:
    """Return b in the normal form u -> -u + b u^3 of a simple flip.

    Positive where the doubled cycle is stable within its plane (supercritical), negative where it
    is not.

    Parameters
    ----------
    system : System
        Of a map.
    z : ndarray of shape (n + 1,)
        The flip.
    vectors : tuple of ndarray, shape (n, 1)
        As `flipping` returns them.

    References
    ----------
    Y. Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., equation (5.48).
    """
    p, q = vectors[0][:, 0], np.append(vectors[1][:, 0], 0.0)
    size = len(q) - 1
    p = p / float(p @ q[:size])
    twice = as_dense(system.second(z, q)) @ q
    inner = as_dense(system.jacobian(z))[:, :size]
    answer = np.linalg.lstsq(inner, twice, rcond=None)[0]
    mixed = as_dense(system.second(z, q)) @ np.append(answer, 0.0)
    # The third derivative by central differences of the exact second one.
    step = 1e-4 * (1.0 + float(np.max(np.abs(z))))
    ahead, behind = (as_dense(system.second(z + s * q, q)) @ q for s in (step, -step))
    third = (ahead - behind) / (2.0 * step)
    return float(p @ third / 6.0 - p @ mixed / 2.0)
