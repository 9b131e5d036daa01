"""Branch points: other branches cross, and the Jacobian loses rank even with its parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..linalg import singular_triplets
from .base import Bracket, LocalPoint, Signals, sign_changes
from .bordering import bordered_kernel, newton_solve
from .singularity import Singularity

Array = np.ndarray


class BranchPoint:
    """Event: the determinant bordered by the tangent changes sign, or touches zero.

    A change of sign finds kernels of odd dimension. Those of even dimension show as a dip of the
    modulus, which is free to watch for; the inertia event sees them too.
    """

    kind = "branch-point"
    terminal = False

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: always."""
        return True

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the bordered determinant changes sign or dips."""
        flips = sign_changes(signals.sign)
        return flips + _dips(signals, flips)

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the smallest singular value of the full Jacobian, signed by the determinant."""
        if point.system.size > 300 and not bracket.dip:
            reference = point.scale.setdefault("log_modulus", point.log_modulus)
            return point.sign * float(np.exp(np.clip(point.log_modulus - reference, -700, 700)))
        smallest = float(singular_triplets(point.jacobian, 1)[1][0])
        return smallest if bracket.dip else point.sign * smallest


EVENT = BranchPoint()


def _dips(signals: Signals, flips: list[Bracket]) -> list[Bracket]:
    """Return triples of points whose middle one is the smallest and whose flanks aim at zero."""
    modulus, sign = signals.log_modulus, signals.sign
    before, here, after = modulus[:-2], modulus[1:-1], modulus[2:]
    low = (here < before) & (here <= after) & (sign[:-2] != 0) & (sign[2:] != 0)
    flipped = {position for bracket in flips for position in range(bracket.first, bracket.last + 1)}
    return [
        Bracket(k - 1, k + 1, dip=True)
        for k in (np.flatnonzero(low) + 1).tolist()
        if not {k - 1, k, k + 1} <= flipped
        and _aims_at_zero(modulus[k - 1], modulus[k], modulus[k + 1], signals.step, k)
    ]


def _aims_at_zero(before: float, here: float, after: float, step: Array, k: int) -> bool:
    """Tell whether the square root of the modulus may reach zero: the chord test for a V shape.

    At a double zero the square root is |s - s0| to first order; at a smooth minimum away from zero
    the flanks are far too flat to reach zero between the outer points.
    """
    left, middle, right = np.exp(0.5 * (np.array([before, here, after]) - max(before, after)))
    width = step[k - 1] + step[k]
    slope = max((left - middle) / step[k - 1], (right - middle) / step[k])
    return bool(slope * width >= middle)


def refine(
    system: Any, z: Array, singularity: Singularity, tolerance: float
) -> tuple[Array, float] | None:
    """Solve the extended system of the branch point by Newton.

    A simple branch point is regular with one unfolding number b: F + b psi = 0 and two bordered
    test functions. For kernels of higher dimension all test functions vanish together and the
    system is solved in the least-squares sense.

    Returns
    -------
    tuple of (ndarray, float) or None
        The branch point and its residual; None if Newton does not converge.

    References
    ----------
    W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, section 6.
    """
    if singularity.excess == 1:
        refined = _refine_simple(system, z, singularity, tolerance)
        if refined is not None:
            return refined  # else it is degenerate, as where branches touch
    return _refine_multiple(system, z, singularity, tolerance)


def _refine_simple(
    system: Any, z: Array, singularity: Singularity, tolerance: float
) -> tuple[Array, float] | None:
    psi, rows = singularity.left[:, :1], singularity.kernel[:, :2]

    def equations(unknown: Array) -> tuple[Array, Any]:
        point, unfolding = unknown[:-1], unknown[-1]
        jacobian = system.jacobian(point)
        kernel = bordered_kernel(jacobian, psi, rows)
        gradients = np.vstack(
            [-(kernel.left[:, 0] @ system.second(point, kernel.right[:, j])) for j in range(2)]
        )
        value = np.concatenate([system.residual(point) + unfolding * psi[:, 0], kernel.test[0]])
        return value, (jacobian, gradients, psi[:, 0])

    solved = newton_solve(equations, np.append(z, 0.0), tolerance)
    if solved is None:
        return None
    point = solved[0][:-1]
    return point, float(np.max(np.abs(system.residual(point))))


def _refine_multiple(
    system: Any, z: Array, singularity: Singularity, tolerance: float
) -> tuple[Array, float] | None:
    size = singularity.excess
    psi, rows = singularity.left[:, :size], singularity.kernel[:, : size + 1]

    def equations(unknown: Array) -> tuple[Array, Any]:
        jacobian = system.jacobian(unknown)
        kernel = bordered_kernel(jacobian, psi, rows)
        gradients: list[Array] = []
        for j in range(size + 1):
            second = system.second(unknown, kernel.right[:, j])
            gradients.extend(-(kernel.left[:, i] @ second) for i in range(size))
        value = np.concatenate([system.residual(unknown), kernel.test.T.ravel()])
        return value, (jacobian, np.array(gradients), None)

    return newton_solve(equations, z, tolerance, least_squares=1e-5, borders=(psi, rows))
