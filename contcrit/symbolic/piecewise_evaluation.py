"""What a nonsmooth problem can be asked for in numbers: sides, pieces, families of systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .bounded import bounded_least_squares
from .flat import FlatFunctions
from .markers import without_markers
from .observing import Observer, read_columns, read_points
from .piecewise_pieces import SwitchPieces
from .piecewise_system import (
    CellwiseSystem,
    PiecewiseFamily,
    resolved_values,
    sliding_matrix,
)
from .problem import Problem

Array = np.ndarray

TIE = 1e-9
"""Distance from a kink, relative to 1 + max|x|, up to which a point counts as lying on it."""


class PiecewiseEvaluation(Problem):
    """The numeric half of `PiecewiseProblem`."""

    _switches: tuple[sp.Expr, ...]
    _position_symbols: tuple[sp.Symbol, ...]
    _smooth: Problem
    _core: Problem
    _inner: tuple[tuple[int, ...], ...]
    _depth: int
    _functions: dict[str | None, FlatFunctions]
    _affine: tuple[bool, ...] | None

    @property
    def switches(self) -> tuple[sp.Expr, ...]:
        """The switching functions g, in the unknowns, the parameters and inner positions."""
        return self._switches

    @property
    def core(self) -> Problem:
        """F and g together, in the unknowns and the positions."""
        return self._core

    @property
    def smooth(self) -> Problem:
        """The equations with the positions among the parameters."""
        return self._smooth

    @property
    def position_names(self) -> tuple[str, ...]:
        """Names of the positions s, one for each switching function."""
        return tuple(symbol.name for symbol in self._position_symbols)

    # ---- at a point ---------------------------------------------------------------------

    def signature(self, x: Any, values: Any = None, *, tolerance: float = TIE) -> Array:
        """Return the side of every kink at x of shape (n,): -1, +1, or 0 for ties, shape (m,).

        Parameters
        ----------
        x : array_like, shape (n,)
        values : mapping
            Values of all parameters.
        tolerance : float, optional
            Distance from the kink up to which a point counts as lying on it, relative to
            1 + max|x| (default 1e-9).
        """
        inputs = self._inputs(x, values)
        _refuse_many(inputs)
        sides = np.zeros(len(self._switches), dtype=np.int64)
        if not len(sides):
            return sides
        positions = np.full(len(sides), 0.5)
        functions = self.switch_functions(None)
        n, m = self.size, len(sides)
        for _ in range(self._depth):
            full = np.concatenate([inputs[:n], positions, inputs[n:]])
            out = functions.joint_kernel(full)
            g = out[:m]
            lengths = np.zeros(m)
            np.maximum.at(lengths, functions.rows, np.abs(out[m:]) * (functions.columns < n))
            scale = np.where(lengths > 0, lengths, 1.0) * (1.0 + np.max(np.abs(inputs[:n])))
            sides = np.where(np.abs(g) <= tolerance * scale, 0, np.sign(g)).astype(np.int64)
            positions = (1.0 + sides) / 2.0
        return sides

    def positions(self, x: Any, values: Any = None, *, tolerance: float = TIE) -> Array:
        """Return a position for every kink at x: 0 or 1 by side; ties make |F| smallest.

        Returns
        -------
        ndarray, shape (m,)
            In [0, 1]. Where several choices at ties serve equally, one of them.
        """
        sides = self.signature(x, values, tolerance=tolerance)
        positions = (1.0 + sides) / 2.0
        ties = np.flatnonzero(sides == 0)
        if ties.size == 0:
            return positions
        point = np.concatenate([self._vector(x), positions])
        n = self.size
        best, smallest = point[n:].copy(), np.inf
        for _ in range(20 if self._depth > 1 else 2):  # F is affine in s but for nested kinks
            residual = self._core.evaluate(point, values)[:n]
            size = float(np.linalg.norm(residual))
            if size < smallest:
                best, smallest = point[n:].copy(), size
            slope = self._core.jacobian(point, values)[:n, n + ties]
            if not (np.isfinite(size) and np.all(np.isfinite(slope))):
                break
            here = point[n + ties]
            found = bounded_least_squares(slope, slope @ here - residual, here)
            moved = float(np.max(np.abs(found - point[n + ties])))
            point[n + ties] = found
            if moved <= 1e-14:
                break
        size = float(np.linalg.norm(self._core.evaluate(point, values)[:n]))
        return point[n:] if size < smallest else best

    def evaluate(
        self,
        x: Any,
        values: Mapping[Any, float] | None = None,
        *,
        positions: Any = None,
    ) -> Array:
        """Return F of the piece that x of shape (..., n) lies on, shape (..., n).

        Parameters
        ----------
        x : array_like, shape (..., n)
            The unknowns.
        values : mapping
            Values of all parameters.
        positions : array_like, shape (m,), optional
            Positions of all kinks (default: as `positions` returns them).
        """
        vector = self._vector(x)
        if vector.ndim > 1:
            flat = vector.reshape(-1, self.size)
            rows = [self.evaluate(row, values, positions=positions) for row in flat]
            return np.array(rows).reshape(vector.shape)
        return self._smooth.evaluate(vector, self._widened(vector, values, positions))

    def jacobian(
        self,
        x: Any,
        values: Mapping[Any, float] | None = None,
        *,
        sparse: bool | None = None,
        positions: Any = None,
    ) -> Any:
        """Return the Jacobian of the piece that x of shape (n,) lies on, shape (n, n).

        Parameters
        ----------
        x, values, positions
            As for `evaluate`.
        sparse : bool, optional
            As for `contcrit.Problem` (default False).
        """
        vector = self._vector(x)
        widened = self._widened(vector, values, positions)
        return self._smooth.jacobian(vector, widened, sparse=sparse)

    def parameter_derivative(self, x: Any, values: Mapping[Any, float] | None, name: Any) -> Array:
        """Return the derivative of that piece's F by one parameter, shape (n,)."""
        vector = self._vector(x)
        parameter = self._parameter(name)
        return self._smooth.parameter_derivative(vector, self._widened(vector, values), parameter)

    def potential(self, x: Any, values: Mapping[Any, float] | None = None) -> Any:
        """Return the potential at x of shape (..., n): a float, or an array of shape (...).

        Raises
        ------
        SpecificationError
            If the problem does not come from a potential.
        """
        if self._potential is None:
            raise SpecificationError(
                "potential",
                self,
                "has no potential.",
                "Build it with PiecewiseProblem.from_potential.",
            )
        vector = self._vector(x)
        if vector.ndim > 1:
            flat = vector.reshape(-1, self.size)
            return np.array([self.potential(row, values) for row in flat]).reshape(
                vector.shape[:-1]
            )
        sides = self.signature(vector, values, tolerance=0.0)
        return self._smooth.potential(vector, self._widened(vector, values, (1.0 + sides) / 2.0))

    def observe(self, x: Any, values: Mapping[Any, Any] | None = None) -> dict[str, Array]:
        """Return all observables at many points of shape (m, n), by name, shape (m,) each."""
        points = read_points(x, self.size)
        columns = read_columns(values, self.parameter_names, len(points))
        if self._observer is None:
            observed = dict(self._observables)
            if self._potential is not None:
                observed["potential"] = without_markers(self._potential)
            self._observer = Observer([*self._unknowns, *self._parameters], observed)
        return self._observer(points, columns)

    def pieces(
        self, x: Any, values: Mapping[Any, float] | None = None, *, tolerance: float = TIE
    ) -> SwitchPieces:
        """Return the local description of the function at x, as Clarke's calculus asks for it.

        Parameters
        ----------
        x, values
            As for `signature`.
        tolerance : float, optional
            Distance up to which a kink is active (default 1e-9).

        Returns
        -------
        SwitchPieces
            Satisfies `contcrit.criticality.pieces.Pieces`.
        """
        return SwitchPieces(self, self._vector(x), self._values(values), tolerance)

    def sliding_jacobian(self, x: Any, values: Mapping[Any, float] | None = None) -> Array | None:
        """Return the Jacobian of the sliding flow on the kinks that x lies on.

        Returns
        -------
        ndarray, shape (n - k, n - k), or None
            In some basis of the tangent space of the k kinks; None where F does not determine the
            sliding motion, such as at kinks across which it is continuous.
        """
        vector = self._vector(x)
        ties = np.flatnonzero(self.signature(vector, values) == 0)
        n = self.size
        full = np.concatenate([vector, self.positions(vector, values)])
        jacobian = self._core.jacobian(full, values)
        return sliding_matrix(jacobian[:n, :n], jacobian[:n, n + ties], jacobian[n + ties, :n])

    # ---- systems ------------------------------------------------------------------------

    def family(self, parameter: Any, values: Mapping[Any, float] | None = None) -> PiecewiseFamily:
        """Return the family of smooth systems, one for each mode, with one free parameter.

        Parameters
        ----------
        parameter : str or Symbol
            The free parameter.
        values : mapping
            Values of the other parameters.
        """
        name = self._parameter(parameter)
        resolved = self._values(values, optional=name)
        resolved.pop(name, None)
        return PiecewiseFamily(self, name, resolved)

    def compile(self, parameter: Any, values: Mapping[Any, float] | None = None) -> Any:
        """Return the equations of the piece at each point as one system; see `family` for modes."""
        return CellwiseSystem(self.family(parameter, values))

    def switch_functions(self, parameter: str | None) -> FlatFunctions:
        """Return the compiled g with derivatives in (x, s, parameter)."""
        if parameter not in self._functions:
            by_name = dict(zip(self.parameter_names, self._parameters, strict=True))
            free = [] if parameter is None else [by_name[parameter]]
            others = [symbol for name, symbol in by_name.items() if name != parameter]
            leading = [*self._unknowns, *self._position_symbols, *free]
            self._functions[parameter] = FlatFunctions(
                [*leading, *others], self._switches, len(leading), dense=False
            )
        return self._functions[parameter]

    def affine_switches(self) -> tuple[bool, ...]:
        """Return of each switching function whether it is affine in x for given positions."""
        if self._affine is None:
            functions = self.switch_functions(None)
            names = set(self.unknown_names)
            affine = [True] * len(self._switches)
            for (row, column), entry in zip(
                functions.entries.positions, functions.entries.expressions, strict=True
            ):
                if column < self.size and names & {str(s) for s in entry.free_symbols}:
                    affine[row] = False
            self._affine = tuple(affine)
        return self._affine

    @property
    def flat_pieces(self) -> bool:
        """Whether F of every piece is constant in x, so that a potential is piecewise linear."""
        unknowns = [*self._unknowns, *self._parameters, *self._position_symbols]
        rows = FlatFunctions(unknowns, self._smooth.equations, self.size, dense=False)
        return not rows.entries.positions

    def inner_switches(self, kink: int) -> tuple[int, ...]:
        """Return the kinks whose positions enter a switching function."""
        return self._inner[kink]

    def _widened(
        self, x: Array, values: Mapping[Any, float] | None, positions: Any = None
    ) -> dict[str, float]:
        chosen = self.positions(x, values) if positions is None else np.asarray(positions, float)
        if chosen.shape != (len(self._switches),):
            raise SpecificationError(
                "positions", chosen.shape, f"needs {len(self._switches)} numbers.", "One a kink."
            )
        return resolved_values(self.position_names, self._values(values), chosen)


def _refuse_many(inputs: Array) -> None:
    if inputs.ndim != 1:
        raise SpecificationError(
            "x", inputs.shape, "must be one point here, of shape (n,).", "Loop over the points."
        )
    return None
