"""Folds: the branch turns back in its parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Bracket, LocalPoint, Signals, sign_changes
from .bordering import bordered_kernel, newton_solve
from .singularity import Singularity

Array = np.ndarray


class Fold:
    """Event: the tangent's parameter component changes sign.

    References
    ----------
    W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, section 4.1.
    """

    kind = "fold"
    terminal = False

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: always."""
        return True

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the parameter turns back, be it twice within one step."""
        return sign_changes(signals.tangent[:, -1]) + _double_turns(signals)

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the tangent's parameter component."""
        return float(point.tangent[-1])


EVENT = Fold()


def _double_turns(signals: Signals) -> list[Bracket]:
    """Return pairs of brackets in steps whose cubic Hermite interpolant turns back and forth."""
    slope, step, secant = signals.tangent[:, -1], signals.step, np.diff(signals.z[:, -1])
    before, after = slope[:-1], slope[1:]
    # A cubic is monotone where thrice its secant's slope reaches that at either end (Fritsch and
    # Carlson, SIAM J. Numer. Anal. 17 (1980), 238-246); this settles nearly all steps.
    thrice = 3.0 * secant
    monotone = (thrice * before >= step * before**2) & (thrice * after >= step * after**2)
    bent = np.flatnonzero((before * after > 0) & ~monotone)
    if not bent.size:
        return []
    before, after, step, secant = before[bent], after[bent], step[bent], secant[bent]
    secant = secant / np.where(step > 0, step, np.inf)
    # Slope at the share t of the step: before + t linear + t^2 square, extreme at `middle`.
    linear = 6.0 * secant - 4.0 * before - 2.0 * after
    square = 3.0 * (before + after) - 6.0 * secant
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = -linear / (2.0 * square)
        extreme = before + 0.5 * middle * linear
    found: list[Bracket] = []
    for j in np.flatnonzero((middle > 0) & (middle < 1) & (extreme * before < 0)):
        k, width, turn = int(bent[j]), float(step[j]), float(middle[j] * step[j])
        found.extend(Bracket(k, k + 1, limits=limits) for limits in ((0.0, turn), (turn, width)))
    return found


def refine(
    system: Any, z: Array, singularity: Singularity, tolerance: float
) -> tuple[Array, float] | None:
    """Solve F = 0, g = 0 by Newton, g the bordered test function of a simple fold.

    Returns
    -------
    tuple of (ndarray, float) or None
        The fold and its residual; None if Newton does not converge.
    """
    left, right = singularity.left[:, :1], singularity.right[:, :1]
    if not np.all(np.isfinite(left)):  # of a matrix-free Jacobian
        return None

    def equations(unknown: Array) -> tuple[Array, Any]:
        jacobian = system.jacobian(unknown)
        kernel = bordered_kernel(jacobian[:, :-1], left, right)
        direction = np.append(kernel.right[:, 0], 0.0)
        gradient = -(kernel.left[:, 0] @ system.second(unknown, direction))
        value = np.append(system.residual(unknown), kernel.test[0, 0])
        return value, (jacobian, gradient[None, :], None)

    return newton_solve(equations, z, tolerance)


def quadratic_coefficient(system: Any, z: Array, singularity: Singularity) -> float:
    """Return the fold's quadratic coefficient psi.F_xx[phi, phi]/2; zero means degenerate."""
    phi = np.append(singularity.right[:, 0], 0.0)
    return 0.5 * float(singularity.left[:, 0] @ (system.second(z, phi) @ phi))
