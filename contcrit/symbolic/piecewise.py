"""A nonsmooth problem written once: equations or a potential with kinks written as markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import sympy as sp
from scipy.optimize import lsq_linear

from ..errors import SpecificationError
from .flat import FlatFunctions
from .kernel import Kernel
from .markers import is_marker, with_markers, without_markers
from .normalise import Normaliser, as_expression, expression_list, is_kink
from .observing import Observer, read_columns, read_points
from .piecewise_lowering import Lowering, affine_in_jumps
from .piecewise_pieces import SwitchPieces
from .piecewise_system import CellwiseSystem, PiecewiseFamily, resolved_values
from .problem import Problem

Array = np.ndarray

TIE = 1e-9
"""Distance from a kink, relative to 1 + max|x|, up to which a point counts as lying on it."""


class _Smooth(Problem):
    """Smooth pieces, on some of which F may be constant in the unknowns."""

    _needs_unknowns = False


class PiecewiseProblem(Problem):
    """Piecewise smooth equations F(x, parameters) = 0, their kinks written as markers.

    Parameters
    ----------
    residual : sequence of Expr
        The n expressions F. Kinks and jumps are written with ``relu``, ``leaky_relu``,
        ``absolute``, ``maximum``, ``minimum``, ``step`` and ``sign``, which may be nested; sympy's
        Abs, Max, Min, sign and Heaviside are taken for them.
    unknowns, parameters, kind, blocks, observables, name, domain
        As for `contcrit.Problem`.

    Attributes
    ----------
    switches : tuple of Expr
        The m switching functions g; those inside others come first, and refer to their positions.
    position_names : tuple of str
        Names of the positions s.
    smooth : Problem
        The equations with positions as parameters: one smooth piece for each choice of 0 and 1.
    core : Problem
        F and g in the unknowns x and s.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    Derivatives are those of the piece on whose side a point lies. Points on a kink get positions
    that make F as small as it can be there, so that F vanishes at Clarke critical points and at
    pseudo-equilibria of Filippov systems. Continuous symmetries are not taken.

    References
    ----------
    A. F. Filippov, Differential Equations with Discontinuous Righthand Sides, 1988, section 4.
    F. H. Clarke, Optimization and Nonsmooth Analysis, 1983, section 2.3.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.markers import relu
    >>> from contcrit.symbolic.piecewise import PiecewiseProblem
    >>> x, p = sp.symbols("x p")
    >>> problem = PiecewiseProblem([relu(x) - p], [x], [p])
    >>> problem.evaluate([2.0], {"p": 1.0}).tolist(), problem.signature([-1.0], {"p": 1.0}).tolist()
    ([1.0], [-1])
    """

    _needs_unknowns = False  # checked before lowering

    def __init__(
        self,
        residual: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        kind: str = "flow",
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
        generators: Iterable[Any] = (),
    ) -> None:
        _refuse_generators(generators)
        if kind == "potential":
            raise SpecificationError(
                "kind",
                kind,
                "is for problems that come from a potential.",
                "Call PiecewiseProblem.from_potential(L, unknowns, parameters).",
            )
        self._declare(unknowns, parameters, kind=kind, blocks=blocks, name=name, domain=domain)
        rows = expression_list(residual, "residual")
        if len(rows) != self.size:
            raise SpecificationError(
                "residual",
                f"{len(rows)} equations for {self.size} unknowns",
                "needs as many equations as unknowns.",
                "Add equations, or move unknowns to the parameters.",
            )
        loose = Normaliser(self._symbols, smooth=False)
        self._residual = tuple(with_markers(loose(row, "residual")) for row in rows)
        self._potential = None
        self._lower()
        self._finish(loose, (), _plain_observables(observables))

    @classmethod
    def from_potential(
        cls,
        potential: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
        generators: Iterable[Any] = (),
    ) -> Self:
        """Return the problem of a continuous potential's critical points: F in its gradient.

        Parameters
        ----------
        potential : Expr
            The potential L, with its kinks written as markers.
        unknowns, parameters, blocks, observables, name, domain
            As for `PiecewiseProblem`.

        Returns
        -------
        PiecewiseProblem
            Of kind "potential".

        Raises
        ------
        SpecificationError
            As for `PiecewiseProblem`; also if the potential jumps.

        Examples
        --------
        >>> import sympy as sp
        >>> from contcrit.symbolic.markers import absolute
        >>> from contcrit.symbolic.piecewise import PiecewiseProblem
        >>> x, p = sp.symbols("x p")
        >>> problem = PiecewiseProblem.from_potential(absolute(x) + x**2 / 2 - p * x, [x], [p])
        >>> problem.evaluate([0.0], {"p": 0.5}).tolist()
        [0.0]
        """
        _refuse_generators(generators)
        self = cls.__new__(cls)
        self._declare(
            unknowns, parameters, kind="potential", blocks=blocks, name=name, domain=domain
        )
        loose = Normaliser(self._symbols, smooth=False)
        self._potential = with_markers(loose(as_expression(potential, "potential"), "potential"))
        self._residual = ()
        self._lower()
        self._residual = self.smooth.residual
        self._finish(loose, (), _plain_observables(observables))
        return self

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> PiecewiseProblem:
        """Rebuild a problem from what `describe` returned; its text is parsed, never evaluated."""
        found = Problem.from_description({**description, "type": "piecewise-problem"})
        assert isinstance(found, PiecewiseProblem)
        return found

    def _lower(self) -> None:
        """Replace the markers, and build the smooth problems of all modes."""
        lowering = Lowering(self._symbols)
        given = self._residual if self._potential is None else (self._potential,)
        argument = "residual" if self._potential is None else "potential"
        if not any(row.free_symbols & set(self._unknowns) for row in given):
            raise SpecificationError(
                argument,
                given[:3],
                "does not depend on any unknown.",
                "Check that the unknowns' names match the expressions.",
            )
        rows = [lowering(expression) for expression in given]
        for row in (*rows, *lowering.switches):
            for node in sp.preorder_traversal(row):
                if is_kink(node):
                    raise SpecificationError(
                        argument,
                        node,
                        f"has a kink or jump that no marker states: `{type(node).__name__}`.",
                        "Write it with relu, leaky_relu, absolute, maximum, minimum, step or sign.",
                    )
        if self._potential is not None and lowering.jumping:
            raise SpecificationError(
                "potential",
                self._potential,
                "must be continuous: it holds step or sign.",
                "Write g*step(g) as relu(g) and g*sign(g) as absolute(g).",
            )
        rows = [affine_in_jumps(row, lowering.jumping) for row in rows]
        switches, positions = lowering.pruned(rows)
        names = [f"{lowering.stem}[{k}]" for k in range(len(positions))]
        renamed = {old: sp.Symbol(new) for old, new in zip(positions, names, strict=True)}
        renamed = {old: new for old, new in renamed.items() if old != new}
        if renamed:
            rows = [row.xreplace(renamed) for row in rows]
            switches = [switch.xreplace(renamed) for switch in switches]
        self._position_symbols = tuple(sp.Symbol(name) for name in names)
        self._switches = tuple(switches)
        unknowns = list(self._unknowns)
        widened = [*self._parameters, *self._position_symbols]
        if self._potential is not None:
            self._smooth: Problem = _Smooth.from_potential(rows[0], unknowns, widened)
        else:
            self._smooth = _Smooth(rows, unknowns, widened, kind=self.kind)
        self._core = _Smooth(
            [*self._smooth.equations, *switches],
            [*unknowns, *self._position_symbols],
            list(self._parameters),
            kind="equation",
        )
        place = {symbol: k for k, symbol in enumerate(self._position_symbols)}
        self._inner = tuple(
            tuple(sorted(place[s] for s in switch.free_symbols & place.keys()))
            for switch in self._switches
        )
        depth: list[int] = []
        for inner in self._inner:
            depth.append(1 + max((depth[k] for k in inner), default=0))
        self._depth = max(depth, default=0)
        self._functions: dict[str | None, FlatFunctions] = {}
        self._affine: tuple[bool, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_functions"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._functions = {}

    @property
    def switches(self) -> tuple[sp.Expr, ...]:
        """The switching functions g, in the unknowns, the parameters and inner positions."""
        return self._switches

    @property
    def position_names(self) -> tuple[str, ...]:
        """Names of the positions s, one for each switching function."""
        return tuple(symbol.name for symbol in self._position_symbols)

    @property
    def smooth(self) -> Problem:
        """The equations with the positions among the parameters."""
        return self._smooth

    @property
    def core(self) -> Problem:
        """F and g together, in the unknowns and the positions."""
        return self._core

    @property
    def symmetric(self) -> bool:  # type: ignore[override]
        """Whether the Jacobian of every piece is known to be symmetric."""
        return self._smooth.symmetric

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
        for _ in range(8 if self._depth > 1 else 2):  # F is affine in s but for nested kinks
            residual = self._core.evaluate(point, values)[:n]
            slope = self._core.jacobian(point, values)[:n, n + ties]
            found = lsq_linear(slope, slope @ point[n + ties] - residual, bounds=(0.0, 1.0))
            moved = float(np.max(np.abs(found.x - point[n + ties])))
            point[n + ties] = np.clip(found.x, 0.0, 1.0)
            if moved <= 1e-14:
                break
        return point[n:]

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
        sparse: bool = False,
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

    def _kernel(self, expressions: Any) -> Kernel:
        plain = [without_markers(e) if e.has(sp.Function) else e for e in expressions]
        return Kernel([*self._unknowns, *self._parameters], plain)


def has_markers(expressions: Any) -> bool:
    """Whether one of the expressions holds a marker."""
    return any(is_marker(node) for row in expressions for node in sp.preorder_traversal(row))


def _plain_observables(observables: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        key: without_markers(value) if isinstance(value, sp.Expr) else value
        for key, value in (observables or {}).items()
    }


def _refuse_generators(generators: Any) -> None:
    if np.size(np.array(list(generators), dtype=object)):
        raise SpecificationError(
            "generators",
            generators,
            "are not taken by nonsmooth problems.",
            "Fix the symmetry, such as by fixing one of the unknowns that it moves.",
        )


def _refuse_many(inputs: Array) -> None:
    if inputs.ndim != 1:
        raise SpecificationError(
            "x", inputs.shape, "must be one point here, of shape (n,).", "Loop over the points."
        )
    return None
