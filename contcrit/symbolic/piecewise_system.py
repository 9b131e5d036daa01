"""The numeric side of a nonsmooth problem: one compiled function of (x, s, p), and its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg, sparse

from ..system import Mode, ModeLayout, silent_kinks
from .compile import CompiledSystem
from .flat import FlatFunctions

if TYPE_CHECKING:
    from .piecewise_evaluation import PiecewiseEvaluation

Array = np.ndarray

_KEPT = 256
"""Mode systems that a family keeps; they are cheap, but their number is not bounded."""


class ModeSystem:
    """The system of a mode that holds kinks; satisfies `contcrit.system.System`.

    Its unknowns are (x, s_i of the held kinks), its equations F = 0 and g_i = 0 of those.

    Parameters
    ----------
    family : PiecewiseFamily
    mode : tuple of int
        With at least one 0.
    """

    symmetric = False
    sparse = False

    def __init__(self, family: PiecewiseFamily, mode: Mode) -> None:
        self.family = family
        self.layout = ModeLayout(family.size, mode)
        self.mode = self.layout.mode
        self.multipliers = int(self.layout.free.size)
        self.size = family.size + self.multipliers
        self.names = (*family.names, *(family.position_names[i] for i in self.layout.free))
        self.parameter = family.parameter
        # Held to a surface, a flow is a sliding one: its own events do not apply to it.
        self.kind = "potential" if family.kind == "potential" else "equation"

    def __reduce__(self) -> tuple[Any, ...]:
        return ModeSystem, (self.family, self.mode)

    def residual(self, z: Array) -> Array:
        """Return the residual, shape (n + k,)."""
        return self.family.core.residual(self.layout.full(z))[self.layout.rows]

    def jacobian(self, z: Array) -> Array:
        """Return the Jacobian, shape (n + k, n + k + 1)."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Return residual and Jacobian of one evaluation."""
        residual, jacobian = self.family.core.residual_and_jacobian(self.layout.full(z))
        return residual[self.layout.rows], self._cut(jacobian)

    def second(self, z: Array, direction: Array) -> Array:
        """Return the derivative of the Jacobian along a direction."""
        along = self.layout.full_direction(direction)
        return self._cut(self.family.core.second(self.layout.full(z), along))

    def spectral_matrix(self, z: Array) -> tuple[Array, bool]:
        """Return the matrix whose eigenvalues decide stability, and whether it is symmetric.

        For a potential that is its Hessian reduced to the tangent space of the held kinks, and
        beside it one entry for each kink: positive where the potential bends up across it,
        negative where it bends down, so that negative entries count descending directions. For a
        Filippov flow it is the Jacobian of the sliding flow, projected along the jump of F. Where
        neither is well defined, it is not a number.
        """
        n = self.family.size
        jacobian = self.jacobian(z)
        inner, jump, normals = jacobian[:n, :n], jacobian[:n, n:-1], jacobian[n:, :n]
        unknown = np.full((1, 1), np.nan), self.family.kind == "potential"
        if not np.all(np.isfinite(jacobian)):
            return unknown
        tangents = linalg.null_space(normals)
        if tangents.shape[1] != n - self.multipliers:
            return unknown
        if self.family.kind == "potential":
            return self._reduced(inner, jump, normals, tangents), True
        sliding = sliding_matrix(inner, jump, normals)
        return unknown if sliding is None else (sliding, False)

    def _reduced(self, inner: Array, jump: Array, normals: Array, tangents: Array) -> Array:
        free = set(self.layout.free.tolist())
        if any(free & set(self.family.problem.inner_switches(kink)) for kink in free):
            return np.full((1, 1), np.nan)  # one held kink inside another: no index known
        bends = np.sum(jump * normals.T, axis=0) / np.sum(normals**2, axis=1)
        if np.max(np.abs(jump - normals.T * bends)) > 1e-7 * (1.0 + np.max(np.abs(jump))):
            return np.full((1, 1), np.nan)
        reduced = tangents.T @ inner @ tangents
        return linalg.block_diag((reduced + reduced.T) / 2.0, np.diag(bends))

    def _cut(self, matrix: Any) -> Array:
        if sparse.issparse(matrix):
            matrix = matrix.tocsr()[self.layout.rows].toarray()
            return matrix[:, self.layout.columns]
        cut: Array = matrix[np.ix_(self.layout.rows, self.layout.columns)]
        return cut.astype(float, copy=False)


def sliding_matrix(inner: Array, jump: Array, normals: Array) -> Array | None:
    """Return the Jacobian of a sliding flow in its surface, or None where it is not determined.

    Parameters
    ----------
    inner : ndarray, shape (n, n)
        Derivative of F in x.
    jump : ndarray, shape (n, k)
        Derivative of F in the positions of the surfaces.
    normals : ndarray, shape (k, n)
        Gradients of the switching functions.

    Returns
    -------
    ndarray, shape (n - k, n - k), or None
        In some basis of the surface's tangent space.
    """
    tangents, across = linalg.null_space(normals), linalg.null_space(jump.T)
    if not tangents.shape == across.shape == (len(inner), len(inner) - len(normals)):
        return None
    oblique = across.T @ tangents
    if oblique.size == 0:
        return np.zeros((0, 0))
    if np.linalg.cond(oblique) > 1e12:
        return None
    found: Array = np.linalg.solve(oblique, across.T @ inner @ tangents)
    return found


class PiecewiseFamily:
    """A piecewise smooth problem with one free parameter; satisfies `contcrit.system.Family`.

    Made by `PiecewiseProblem.family`.

    Attributes
    ----------
    size, kinks, names, parameter, kind
        As in `contcrit.system.Family`.
    position_names : tuple of str
        Names of the positions s, one for each kink.
    values : dict of str to float
        Values of the other parameters.
    problem : PiecewiseProblem
        Where it came from.
    core : CompiledSystem
        (F, g) as one smooth system in (x, s, p).
    """

    def __init__(
        self, problem: PiecewiseEvaluation, parameter: str, values: dict[str, float]
    ) -> None:
        self.problem = problem
        self.parameter = parameter
        self.values = values
        self.size = problem.size
        self.kinks = len(problem.switches)
        self.names = problem.unknown_names
        self.kind = problem.kind
        self.position_names = problem.position_names
        self.core: CompiledSystem = problem.core.compile(parameter, values)
        self._switching: FlatFunctions = problem.switch_functions(parameter)
        self._constants = np.array(list(self.core.values.values()), dtype=float)
        rows = self._switching.rows
        self._summation = sparse.csr_array(
            (np.ones(rows.size), (np.arange(rows.size), rows)), shape=(rows.size, self.kinks)
        )
        self._systems: dict[Mode, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return PiecewiseFamily, (self.problem, self.parameter, self.values)

    def mode_of(self, z: Array, tolerance: float = 1e-9) -> Mode:
        """Return the mode that (x, parameter) lies in, with 0 for ties; silent kinks are +1."""
        z = np.asarray(z, dtype=float)
        values = {**self.values, self.parameter: float(z[-1])}
        sides = self.problem.signature(z[:-1], values, tolerance=tolerance)
        if np.any(sides == 0):
            full = np.concatenate([z[:-1], (1.0 + sides) / 2.0, z[-1:]])
            g, jacobian = (part[self.size :] for part in self.expansion(full))
            sides = np.where((sides == 0) & silent_kinks(self.size, g, jacobian, z), 1, sides)
        return tuple(int(side) for side in sides)

    def system(self, mode: Mode) -> Any:
        """Return the system of a mode: compiled as a whole where no kink is held."""
        mode = tuple(mode)
        if mode not in self._systems:
            if len(self._systems) >= _KEPT:
                self._systems.pop(next(iter(self._systems)))
            self._systems[mode] = ModeSystem(self, mode) if 0 in mode else self._side(mode)
        return self._systems[mode]

    def _side(self, mode: Mode) -> CompiledSystem:
        chosen = dict(zip(self.position_names, ((1.0 + side) / 2.0 for side in mode), strict=True))
        return self.problem.smooth.compile(self.parameter, {**self.values, **chosen})

    def expansion(self, full: Array) -> tuple[Array, Array]:
        """Return (F, g) at (x, s, parameter), shape (n + m,), and its Jacobian."""
        residual, jacobian = self.core.residual_and_jacobian(np.asarray(full, dtype=float))
        return residual, jacobian.toarray() if sparse.issparse(jacobian) else jacobian

    def switching(self, full: Array, direction: Array) -> tuple[Array, Array]:
        """Return the g and their derivatives along directions, shape (count, m) each."""
        full, direction = np.atleast_2d(full), np.atleast_2d(direction)
        if self.kinks == 0:
            nothing = np.empty((len(full), 0))
            return nothing, nothing
        constants = np.broadcast_to(self._constants, (len(full), self._constants.size))
        functions = self._switching
        out = functions.joint_kernel.batch(np.hstack([full, constants]))
        terms = out[:, self.kinks :] * direction[:, functions.columns]
        return out[:, : self.kinks], terms @ self._summation


class CellwiseSystem:
    """The equations with every kink on the side where the point lies; ties count as +1.

    A `contcrit.system.System` that jumps from piece to piece: for evaluation and for Newton-like
    searches, not for continuation.

    Parameters
    ----------
    family : PiecewiseFamily
    """

    sparse = False

    def __init__(self, family: PiecewiseFamily) -> None:
        self.family = family
        self.size = family.size
        self.names = family.names
        self.parameter = family.parameter
        self.kind = family.kind
        self.symmetric = family.problem.symmetric
        self.generators = family.problem.generators

    def __reduce__(self) -> tuple[Any, ...]:
        return CellwiseSystem, (self.family,)

    def _system(self, z: Array) -> Any:
        mode = self.family.mode_of(z, 0.0)
        return self.family.system(tuple(1 if side == 0 else side for side in mode))

    def residual(self, z: Array) -> Array:
        """Return the residual of the piece at z, shape (n,)."""
        return self._system(z).residual(z)

    def jacobian(self, z: Array) -> Array:
        """Return the Jacobian of the piece at z, shape (n, n + 1)."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Return both at once."""
        residual, jacobian = self._system(z).residual_and_jacobian(z)
        return residual, jacobian.toarray() if sparse.issparse(jacobian) else jacobian

    def second(self, z: Array, direction: Array) -> Array:
        """Return the derivative of the piece's Jacobian along a direction."""
        second = self._system(z).second(z, direction)
        return second.toarray() if sparse.issparse(second) else second


def resolved_values(
    names: tuple[str, ...], values: Mapping[str, float], positions: Array
) -> dict[str, float]:
    """Return parameter values with those of the positions added."""
    return {**values, **dict(zip(names, (float(s) for s in positions), strict=True))}
