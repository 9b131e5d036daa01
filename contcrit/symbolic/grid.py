"""Equations on a grid: one stencil written in sympy stands for all points."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from ..criticality.record import Criticality
from ..errors import SpecificationError
from .compile import Shape
from .evaluation import Evaluation
from .grid_description import describe_grid, grid_arguments
from .grid_functions import compile_grid, is_symmetric_grid
from .grid_table import Condition, GridLayout, GridNames, GridTable, Neighbour, read_conditions
from .layout import read_domain
from .normalise import Normaliser, as_expression, as_name, plain_symbols
from .observing import each, read_columns, read_points

Array = np.ndarray


class GridProblem(Evaluation):
    """The same equation at every point of a regular grid, with conditions at its boundary.

    Parameters
    ----------
    residual : Expr, or mapping of field to Expr
        The equation at a point. Fields are indexed by offsets from it: ``u[0]`` is the value
        there, ``u[-1]`` and ``u[1]`` those of its neighbours; in two dimensions ``u[0, 0]``,
        ``u[-1, 0]`` and so on.
    fields : IndexedBase, str, or sequence of them
        The unknown fields. Without a mapping in `residual` there is one.
    shape : int or tuple of int
        Numbers of points along the axes.
    parameters : sequence of Symbol
        Everything else the equation depends on.
    boundary : optional
        What stands for values beyond the grid: a number, or an expression in parameters, is that
        value (Dirichlet conditions, at the points next to the grid); ``"neumann"`` reflects at the
        outermost point (u[-1] = u[1] there), ``"neumann-between"`` half a step outside it (u[-1]
        = u[0]), ``"periodic"`` wraps. A tuple gives one entry for each axis, an entry that is a
        pair its two ends; a mapping tells fields apart. Default: 0 all around.
    coefficients : mapping of Symbol or str to array_like of the grid's shape, optional
        Given numbers that vary from point to point.
    kind : {"flow", "map", "equation"}, optional
        As for `Problem`.
    observables : mapping of str to callable, optional
        Each takes ``(x, values)`` and returns a number to record at each point of a branch.
    name : str, optional
        What to call the problem in results.
    domain : mapping of str to (low, high), optional
        Intervals of parameters to draw test points from.

    Attributes
    ----------
    unknown_names : sequence of str
        ``u[3]`` or ``u[2,5]``; the fields are blocks of the grid's shape.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    Each stencil, that of the interior and those along the boundary, is differentiated and compiled
    once and evaluated on arrays. A million points build in seconds.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.grid import GridProblem
    >>> u, lam = sp.IndexedBase("u"), sp.Symbol("lam")
    >>> equation = (u[-1] - 2 * u[0] + u[1]) * 10**2 + lam * sp.exp(u[0])
    >>> bratu = GridProblem(equation, u, 9, [lam])
    >>> bratu.evaluate(np.zeros(9), {"lam": 2.0}).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """

    def __init__(
        self,
        residual: Any,
        fields: Any,
        shape: int | Sequence[int],
        parameters: Sequence[Any] = (),
        *,
        boundary: Any = 0,
        coefficients: Mapping[Any, Any] | None = None,
        kind: str = "flow",
        observables: Mapping[str, Callable[..., float]] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
    ) -> None:
        if kind not in ("flow", "map", "equation"):
            raise SpecificationError(
                "kind", kind, "must be 'flow', 'map' or 'equation'.", "'flow' is the default."
            )
        self.kind = kind
        self.name = name
        self.shape = _read_shape(shape)
        self.fields = _read_fields(fields)
        self._parameters = plain_symbols([], _listed(parameters))[1]
        self.parameter_names = tuple(symbol.name for symbol in self._parameters)
        self._coefficients = {
            as_name(key, "coefficients"): _read_coefficient(key, value, self.shape)
            for key, value in (coefficients or {}).items()
        }
        names = [*self.fields, *self.parameter_names, *self._coefficients]
        if len(set(names)) < len(names):
            raise SpecificationError("fields", names, "uses a name twice.", "Rename one.")
        by_name = {symbol.name: symbol for symbol in self._parameters}
        self._conditions = read_conditions(boundary, self.fields, self.shape)
        parametric = Normaliser(by_name)
        for axes in self._conditions.values():
            axes[:] = [
                (_checked(low, parametric), _checked(high, parametric)) for low, high in axes
            ]
        self._stencils = self._read_stencils(residual, by_name)
        self.unknown_names = GridNames(self.fields, self.shape)  # type: ignore[assignment]
        self.size = len(self.unknown_names)
        self._layout = GridLayout(tuple((field, self.shape) for field in self.fields))
        self._generators = np.zeros((0, self.size, 0))
        self._potential = None
        self.domain = read_domain(domain, by_name)
        self._observables = dict(observables or {})
        for key, function in self._observables.items():
            if not callable(function) or isinstance(function, sp.Basic):
                raise SpecificationError(
                    "observables", key, "needs functions of (x, values).", "Write a function."
                )
        self._clear()
        self._table  # noqa: B018 - the conditions are checked against the stencils here

    def _read_stencils(
        self, residual: Any, by_name: Mapping[str, sp.Symbol]
    ) -> dict[str, tuple[sp.Expr, tuple[Neighbour, ...]]]:
        """Return the equation of each field in plain symbols, with the neighbours it holds."""
        given = residual if isinstance(residual, Mapping) else {self.fields[0]: residual}
        named = {getattr(key, "name", str(key)): value for key, value in given.items()}
        if set(named) != set(self.fields):
            raise SpecificationError(
                "residual",
                sorted(named),
                "needs one equation for each field.",
                f"Give a mapping of {', '.join(self.fields)} to expressions.",
            )
        found = {}
        for field in self.fields:
            expression = as_expression(named[field], "residual")
            indexed = sorted(expression.atoms(sp.Indexed), key=str)
            neighbours = {each: self._read_neighbour(each) for each in indexed}
            expression = expression.xreplace({k: n.symbol for k, n in neighbours.items()})
            held = {n.symbol.name: n.symbol for n in neighbours.values()}
            known = {**by_name, **held, **{k: sp.Symbol(k) for k in self._coefficients}}
            plain = Normaliser(known)(expression, "residual")
            kept = tuple(n for n in neighbours.values() if n.symbol in plain.free_symbols)
            if not kept:
                raise SpecificationError(
                    "residual", named[field], "does not depend on any unknown.", "Index a field."
                )
            found[field] = (plain, kept)
        return found

    def _read_neighbour(self, indexed: sp.Indexed) -> Neighbour:
        field = str(indexed.base.label)
        offset = indexed.indices
        if (
            field not in self.fields
            or len(offset) != len(self.shape)
            or not all(isinstance(k, sp.Integer) for k in offset)
        ):
            raise SpecificationError(
                "residual",
                indexed,
                f"must index a field by {len(self.shape)} whole numbers, offsets from the point.",
                "Such as u[0] or u[-1, 0].",
            )
        return Neighbour(field, tuple(int(k) for k in offset))

    @cached_property
    def _table(self) -> GridTable:
        table = GridTable(self.fields, self.shape, self._conditions)
        self._groups = {
            field: table.groups(neighbours) for field, (_, neighbours) in self._stencils.items()
        }
        return table

    # ---- what the equations are --------------------------------------------------------

    @property
    def residual(self) -> tuple[sp.Expr, ...]:
        """The equation of each field at a point away from the boundary."""
        return tuple(expression for expression, _ in self._stencils.values())

    @property
    def equations(self) -> tuple[sp.Expr, ...]:
        """What is solved at such a point: F, or F - u[0] for a map."""
        return tuple(expression for expression, _ in self._solved().values())

    def _solved(self) -> dict[str, tuple[sp.Expr, tuple[Neighbour, ...]]]:
        if self.kind != "map":
            return self._stencils
        found = {}
        for field, (expression, neighbours) in self._stencils.items():
            own = Neighbour(field, (0,) * len(self.shape))
            if own not in neighbours:
                raise SpecificationError(
                    "residual", expression, f"does not hold {own.symbol}.", "Write it as a flow."
                )
            found[field] = (expression - own.symbol, neighbours)
        return found

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        """Plain symbols of all unknowns, made when asked for."""
        return tuple(sp.Symbol(name) for name in self.unknown_names)

    @cached_property
    def symmetric(self) -> bool:
        """Whether the Jacobian in the unknowns is known to be symmetric everywhere."""
        return is_symmetric_grid(self)

    @property
    def observables(self) -> dict[str, Callable[..., float]]:
        """Functions of ``(x, values)`` to record at each point."""
        return dict(self._observables)

    def observe(self, x: Any, values: Mapping[Any, Any] | None = None) -> dict[str, Array]:
        """Return all observables at many points; see `Problem.observe`."""
        points = read_points(x, self.size)
        columns = read_columns(values, self.parameter_names, len(points))
        return {key: each(one, points, columns) for key, one in self._observables.items()}

    def classify(self, x: Any, values: Mapping[Any, float]) -> Criticality | None:
        """Return a verdict of the problem's own; None here: the Jacobian decides."""
        return None

    def _shape(self, parameter: str | None) -> Shape:
        shape = self._shapes.get(parameter)
        if shape is None:
            shape = self._shapes[parameter] = compile_grid(self, parameter)
            self.provenance["backend"] = shape.functions.backend
        return shape

    # ---- what it is made of ------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """Return a description of plain values from which `from_description` rebuilds."""
        return describe_grid(self)

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> GridProblem:
        """Rebuild a problem from what `describe` returned; its text is parsed, never evaluated.

        Raises
        ------
        SpecificationError
            If the description is malformed.
        """
        residual, fields, shape, parameters, options = grid_arguments(description)
        return cls(residual, fields, shape, parameters, **options)

    def __getstate__(self) -> dict[str, Any]:
        # Compiled functions do not pickle; they are compiled anew where they are needed.
        compiled = {"_shapes", "_potential_kernel", "_observer", "provenance", "_table", "_groups"}
        return {key: value for key, value in self.__dict__.items() if key not in compiled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._clear()

    def _key(self) -> str:
        return json.dumps(self.describe(), sort_keys=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GridProblem):
            return False
        return self is other or (
            self._key() == other._key() and self._observables == other._observables
        )

    def __hash__(self) -> int:
        return hash((self.fields, self.shape, self.parameter_names, self.residual))

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        grid = " x ".join(map(str, self.shape))
        return (
            f"GridProblem({label}{self.kind}, {', '.join(self.fields)} on {grid} points, "
            f"parameters {', '.join(self.parameter_names) or 'none'})"
        )


def _read_shape(shape: Any) -> tuple[int, ...]:
    lengths = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if not lengths or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in lengths):
        raise SpecificationError(
            "shape", shape, "needs positive whole numbers of points.", "Such as 99 or (20, 30)."
        )
    return tuple(int(n) for n in lengths)


def _read_fields(fields: Any) -> tuple[str, ...]:
    given = fields if isinstance(fields, (list, tuple)) else [fields]
    names = tuple(
        str(field.label) if isinstance(field, sp.IndexedBase) else as_name(field, "fields")
        for field in given
    )
    if not names or len(set(names)) < len(names):
        raise SpecificationError("fields", fields, "needs distinct names.", "Such as 'u'.")
    return names


def _checked(condition: Condition, parametric: Normaliser) -> Condition:
    return condition if isinstance(condition, str) else parametric(condition, "boundary")


def _listed(parameters: Any) -> list[Any]:
    return [parameters] if isinstance(parameters, sp.Symbol) else list(parameters)


def _read_coefficient(key: Any, value: Any, shape: tuple[int, ...]) -> Array:
    array = np.asarray(value, dtype=float)
    if array.shape != shape or not np.all(np.isfinite(array)):
        raise SpecificationError(
            f"coefficients[{key}]",
            array.shape,
            f"needs finite numbers of shape {shape}.",
            "Give one number for each point.",
        )
    return array
