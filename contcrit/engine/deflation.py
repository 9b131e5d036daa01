"""Newton's method on a deflated residual: solutions already known no longer attract.

The deflated residual is M(x) F(x) with M(x) = prod_r (|x - r|^(-2p) + alpha) over the known
solutions r. Its Newton step needs the factors of the plain Jacobian only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..linalg import as_dense, is_sparse
from ..settings import Settings
from .orbits import SymmetryGroup

Array = np.ndarray

ITERATIONS = 40
"""Newton iterations from one start; singular solutions are approached linearly, by halving."""

HALVINGS = 3
"""Step halvings before a step is taken without the monotonicity test."""

LEAPS = 4
"""Steps from one start that may be taken without the monotonicity test."""


class Deflation:
    """The logarithm of the deflation factor M, and its gradient.

    Parameters
    ----------
    group : SymmetryGroup
        Whole orbits of known solutions are deflated: |x - r| is the distance to the nearest point
        of the continuous orbit, one factor for each image under the discrete elements.
    width : ndarray of shape (n,)
        Length in each unknown that distances are measured in.
    power : float
        The p of |x - r|^(-2p) (default 1).
    shift : float
        The alpha that keeps M away from 0 far from known solutions (default 1).
    """

    def __init__(
        self, group: SymmetryGroup, width: Array, power: float = 1.0, shift: float = 1.0
    ) -> None:
        self.group = group
        self.width = width
        self.power = power
        self.shift = shift
        self._samples: list[Array] = []
        self._points = np.zeros((0, len(width)))

    def __len__(self) -> int:
        return len(self._points) + len(self._samples)

    def add(self, solution: Array) -> None:
        """Deflate a solution with its images and its orbit."""
        group = self.group
        for copy in group.copies(solution):
            if group.orbit_dimension(copy) == 0:
                self._points = np.vstack([self._points, copy])
            else:
                self._samples.append(group.orbit_samples(copy))

    def logarithm(self, x: Array) -> tuple[float, Array]:
        """Return log M(x) and its gradient, shape (n,)."""
        near = self._points
        if self._samples:
            near = np.vstack([near, [self._nearest(x, samples) for samples in self._samples]])
        scaled = (x - near) / self.width
        square = np.maximum(np.einsum("kn,kn->k", scaled, scaled), 1e-300)
        p, alpha = self.power, self.shift
        damped = 1.0 + alpha * square**p
        value = float(np.sum(np.log(damped) - p * np.log(square)))
        # Where the nearest point slides along the orbit, the envelope theorem keeps this formula.
        gradient = np.sum((-2.0 * p / (square * damped))[:, None] * scaled, axis=0) / self.width
        return value, gradient

    def _nearest(self, x: Array, samples: Array) -> Array:
        """Return the nearest point of a sampled orbit, to second order about a sample."""
        difference = samples - x
        y = samples[np.argmin(np.einsum("mn,mn->m", difference, difference))]
        tangents = self.group.tangents(y)
        if len(tangents) == 1:
            return self._nearest_on_curve(x, y, tangents[0])
        bends = np.einsum("jab,lb->jla", self.group.generators[:, :, :-1], tangents)
        bends = (bends + bends.transpose(1, 0, 2)) / 2
        gram = tangents @ tangents.T
        curvature = gram - bends @ (x - y)
        floor = 0.1 * float(gram.trace()) / len(gram)
        values, vectors = np.linalg.eigh(curvature)
        slope = vectors.T @ (tangents @ (x - y))
        step = vectors @ (slope / np.maximum(values, floor))
        moved = y + step @ tangents + 0.5 * np.einsum("j,l,jla->a", step, step, bends)
        return moved if np.sum((x - moved) ** 2) < np.sum((x - y) ** 2) else y

    def _nearest_on_curve(self, x: Array, y: Array, tangent: Array) -> Array:
        """Do the same for one generator, where it is a matter of one number."""
        bend = self.group.generators[0, :, :-1] @ tangent
        difference = x - y
        length = float(tangent @ tangent)
        step = float(tangent @ difference) / max(length - float(bend @ difference), 0.1 * length)
        moved = y + step * (tangent + 0.5 * step * bend)
        remaining = x - moved
        return moved if remaining @ remaining < difference @ difference else y


@dataclass(frozen=True)
class Outcome:
    """How Newton's method ended from one start.

    Parameters
    ----------
    x : ndarray of shape (n,)
        The last iterate.
    residual : float
        Largest modulus of the residual there.
    iterations : int
        Newton steps taken.
    reason : str
        ``"converged"``, ``"not finite"``, ``"left the region"``, ``"stalled"``.
    """

    x: Array
    residual: float
    iterations: int
    reason: str

    @property
    def converged(self) -> bool:
        """Whether the end is a solution."""
        return self.reason == "converged"


class FixedParameter:
    """A system at one value of its parameter.

    Parameters
    ----------
    system : System
        With n equations.
    parameter_value : float
        The value.
    """

    def __init__(self, system: Any, parameter_value: float) -> None:
        self.system = system
        self.size = int(system.size)
        self._z = np.empty(self.size + 1)
        self._z[-1] = parameter_value

    def residual(self, x: Array) -> Array:
        """Return the residual, shape (n,)."""
        self._z[:-1] = x
        return np.array(self.system.residual(self._z), dtype=float)

    def jacobian(self, x: Array) -> Any:
        """Return the Jacobian in the unknowns, shape (n, n)."""
        self._z[:-1] = x
        full = self.system.jacobian(self._z)
        if is_sparse(full):
            from scipy.sparse import csc_array

            return csc_array(full)[:, : self.size]
        return np.array(full, dtype=float)[:, : self.size]


def deflated_newton(
    equations: FixedParameter,
    start: Array,
    deflation: Deflation,
    settings: Settings,
    region: tuple[Array, Array],
    iterations: int = ITERATIONS,
) -> Outcome:
    """Solve F(x) = 0 from one start by damped Newton steps on M(x) F(x).

    Parameters
    ----------
    equations : FixedParameter
        F and its Jacobian.
    start : ndarray of shape (n,)
        Where to start.
    deflation : Deflation
        The known solutions, possibly none; its group says along which orbits J is singular.
    settings : Settings
        Gives `newton_tolerance` and `residual_tolerance`.
    region : tuple of ndarray
        Lower and upper bounds; an iterate outside them ends the run.
    iterations : int
        Largest number of steps.

    Returns
    -------
    Outcome

    Notes
    -----
    With s = -J^(-1) F and eta = grad log M, the step of the deflated problem is
    s / (1 - <eta, s>) by the Sherman-Morrison formula [1]_. A step is damped until the simplified
    correction, with the old Jacobian at the new point, is shorter than the step: the natural
    monotonicity test, which rescaling the equations does not change [2]_. When halving does not
    help, a few steps are taken all the same: to leave local minima of the residual.

    Convergence needs a full step that is short relative to 1 + max|x| and a residual below the
    tolerance, or below its rounding level where that is larger. Where the group acts, the step
    is the least-squares one orthogonal to the orbit.

    References
    ----------
    .. [1] P. E. Farrell, A. Birkisson, S. W. Funke, "Deflation techniques for finding distinct
       solutions of nonlinear partial differential equations", SIAM J. Sci. Comput. 37 (2015)
       A2026-A2045, section 3.
    .. [2] P. Deuflhard, "Newton Methods for Nonlinear Problems", Springer, 2011, section 3.3.
    """
    low, high = region
    width = deflation.width
    x = np.array(start, dtype=float)
    damping, leaps = 1.0, 0
    with np.errstate(all="ignore"):
        value = equations.residual(x)
        factor = deflation.logarithm(x) if len(deflation) else (0.0, np.zeros(len(x)))
        for iteration in range(iterations):
            jacobian = equations.jacobian(x)
            if not (np.all(np.isfinite(value)) and _is_finite(jacobian)):
                return Outcome(x, np.inf, iteration, "not finite")
            solve = _solver(jacobian, deflation.group.tangents(x))
            plain = -solve(value)
            if not np.all(np.isfinite(plain)):
                return Outcome(x, _largest(value), iteration, "not finite")
            if _has_converged(plain, value, jacobian, x, settings):
                # One more step costs little and squares the error.
                return _last_step(equations, x + plain, value, x, iteration + 1)
            denominator = 1.0 - float(factor[1] @ plain)
            if denominator == 0.0:
                return Outcome(x, _largest(value), iteration, "stalled")
            step = plain / denominator
            length = float(np.sqrt(np.mean((step / width) ** 2)))
            cap = min(1.0, 0.5 / length) if length > 0 else 1.0
            damping = min(1.0, 4.0 * damping)
            accepted = False
            for _ in range(HALVINGS + 1):
                share = cap * damping
                candidate = x + share * step
                new_value = equations.residual(candidate)
                if np.all(np.isfinite(new_value)):
                    new_factor = deflation.logarithm(candidate) if len(deflation) else factor
                    bar = _simplified(solve, new_value, plain, denominator, factor, new_factor)
                    after = float(np.sqrt(np.mean((bar / width) ** 2)))
                    if after <= (1.0 - share / 4.0) * length:
                        accepted = True
                        break
                damping /= 2.0
            if not accepted:
                leaps += 1
                if leaps > LEAPS:
                    return Outcome(x, _largest(value), iteration, "stalled")
                damping = 1.0
                candidate = x + cap * step
                new_value = equations.residual(candidate)
                new_factor = deflation.logarithm(candidate) if len(deflation) else factor
            if np.any(candidate < low) or np.any(candidate > high):
                return Outcome(candidate, _largest(new_value), iteration, "left the region")
            x, value, factor = candidate, new_value, new_factor
    return Outcome(x, _largest(value), iterations, "stalled")


def _has_converged(plain: Array, value: Array, jacobian: Any, x: Array, settings: Settings) -> bool:
    """Return whether x solves the equations: short plain step and small residual."""
    if np.max(np.abs(plain)) > settings.newton_tolerance * (1.0 + np.max(np.abs(x))):
        return False
    rounding = 8 * np.finfo(float).eps * float(np.max(abs(jacobian) @ (1.0 + np.abs(x))))
    return _largest(value) <= max(settings.residual_tolerance, rounding)


def _last_step(
    equations: FixedParameter, candidate: Array, value: Array, x: Array, iterations: int
) -> Outcome:
    """Return the better one of two converged points."""
    new_value = equations.residual(candidate)
    if np.all(np.isfinite(new_value)) and _largest(new_value) <= _largest(value):
        return Outcome(candidate, _largest(new_value), iterations, "converged")
    return Outcome(x, _largest(value), iterations, "converged")


def _simplified(
    solve: Callable[[Array], Array],
    new_value: Array,
    plain: Array,
    denominator: float,
    factor: tuple[float, Array],
    new_factor: tuple[float, Array],
) -> Array:
    """Return the deflated correction at the new point with the Jacobian of the old one."""
    correction = solve(new_value)
    # (J + F eta^T)^(-1) b = a + s <eta, a> / (1 - <eta, s>) with a = J^(-1) b, s = -J^(-1) F.
    correction = correction + plain * (float(factor[1] @ correction) / denominator)
    return correction * np.exp(min(new_factor[0] - factor[0], 700.0))


def _solver(jacobian: Any, tangents: Array) -> Callable[[Array], Array]:
    """Return b -> J^(-1) b, or the least-squares solution orthogonal to the orbit's tangents."""
    if len(tangents):
        return _least_squares(as_dense(jacobian), tangents)
    if is_sparse(jacobian):
        from scipy.sparse.linalg import splu

        try:
            factors = splu(jacobian)
        except RuntimeError:  # SuperLU's word for an exactly singular factor
            return _least_squares(jacobian.toarray(), tangents)
        return lambda right: factors.solve(right)
    from scipy.linalg.lapack import dgetrf, dgetrs

    packed, pivots, info = dgetrf(jacobian)
    if info != 0:
        return _least_squares(jacobian, tangents)
    return lambda right: dgetrs(packed, pivots, right)[0]


def _least_squares(jacobian: Array, tangents: Array) -> Callable[[Array], Array]:
    """Return b -> the least-squares solution of J u = b, <t, u> = 0 of least length."""
    n = jacobian.shape[1]
    lengths = np.linalg.norm(tangents, axis=1)
    acting = tangents[lengths > 1e-9]
    rows = acting / np.linalg.norm(acting, axis=1)[:, None] * np.linalg.norm(jacobian)
    stacked = np.vstack([jacobian, rows])
    inverse = np.full((1, 1), np.nan)
    if len(rows):
        orthogonal, triangle = np.linalg.qr(stacked)
        if np.min(np.abs(triangle.diagonal())) > 1e-12 * np.max(np.abs(triangle)):
            inverse = np.linalg.solve(triangle, orthogonal[:n].T)
    if not np.all(np.isfinite(inverse)):
        inverse = np.linalg.pinv(stacked, rcond=1e-13)[:, :n]
    return lambda right: inverse @ right


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _is_finite(matrix: Any) -> bool:
    return bool(np.all(np.isfinite(matrix.data if is_sparse(matrix) else matrix)))
