"""What a problem can be asked for in numbers: residual, derivatives, potential, system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .compile import CompiledSystem, Shape, compile_functions
from .kernel import Kernel
from .layout import Layout, read_values
from .normalise import as_name
from .observing import Observer, read_columns, read_points
from .sampling import is_symmetric, sample_points

Array = np.ndarray

SPARSE_ANSWER = 1000
"""Number of unknowns from which `jacobian` answers by a sparse matrix unless told otherwise."""


class Evaluation:
    """The numeric half of `Problem`: compiles on demand, and keeps what it compiled."""

    unknown_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    size: int
    kind: str
    name: str | None
    domain: dict[str, tuple[float, float]]
    provenance: dict[str, Any]
    _unknowns: tuple[sp.Symbol, ...]
    _parameters: tuple[sp.Symbol, ...]
    _residual: tuple[sp.Expr, ...]
    _potential: sp.Expr | None
    _layout: Layout
    _generators: Array
    _observables: dict[str, Any]

    def _clear(self) -> None:
        self._shapes: dict[str | None, Shape] = {}
        self._potential_kernel: Kernel | None = None
        self._observer: Observer | None = None
        self.provenance: dict[str, Any] = {}

    @property
    def residual(self) -> tuple[sp.Expr, ...]:
        """F as given, in plain symbols."""
        return self._residual

    @property
    def equations(self) -> tuple[sp.Expr, ...]:
        """What is solved: F, or F - x for a map."""
        if self.kind == "map":
            return tuple(f - x for f, x in zip(self._residual, self._unknowns, strict=True))
        return self._residual

    @property
    def potential_expression(self) -> sp.Expr | None:
        """The potential L, or None."""
        return self._potential

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        """The unknowns' plain symbols."""
        return self._unknowns

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """The parameters' plain symbols."""
        return self._parameters

    @property
    def blocks(self) -> dict[str, tuple[int, ...]]:
        """Block names and shapes, in order."""
        return dict(self._layout.blocks)

    @property
    def generators(self) -> Array:
        """Affine symmetry generators, shape (k, n, n + 1)."""
        return self._generators

    @cached_property
    def symmetric(self) -> bool:
        """Whether the Jacobian in the unknowns is known to be symmetric everywhere."""
        return self.kind == "potential" or is_symmetric(self)

    def unfolding(self, x: Any, values: Mapping[Any, float]) -> Array | None:
        """Return left null directions of the generators, shape (k, n); None means g_k(x)."""
        return None

    def pack(self, **blocks: Any) -> Array:
        """Return x, shape (n,), from values of all blocks."""
        return self._layout.pack(blocks)

    def unpack(self, x: Any) -> dict[str, Any]:
        """Return the blocks of x: floats for scalar blocks, arrays otherwise."""
        return self._layout.unpack(x)

    def point(self, start: Any) -> Array:
        """Return x, shape (n,), from an array or a mapping of symbol, name or block to value."""
        return self._layout.point(start, self.unknown_names)

    def sample(self, count: int, seed: int = 0) -> list[tuple[Array, dict[str, float]]]:
        """Return up to `count` random points ``(x, values)`` where F and Jacobian are finite."""
        return sample_points(self, count, seed)

    def evaluate(self, x: Any, values: Mapping[Any, float] | None = None) -> Array:
        """Return F (for a map: F - x) at x of shape (..., n), shape (..., n)."""
        inputs = self._inputs(x, values)
        functions = self._shape(None).functions
        if inputs.ndim == 1:
            return functions.residual(inputs)
        return functions.residual_batch(inputs)

    def jacobian(
        self, x: Any, values: Mapping[Any, float] | None = None, *, sparse: bool | None = None
    ) -> Any:
        """Return the Jacobian in the unknowns, shape (n, n).

        Parameters
        ----------
        x : array_like, shape (n,)
            The unknowns.
        values : mapping
            Values of all parameters.
        sparse : bool, optional
            Whether a `scipy.sparse.csc_array` may come back where the problem is sparse (default:
            from 1000 unknowns on).
        """
        shape = self._shape(None)
        matrix = shape.assemble(shape.functions.joint(self._inputs(x, values))[1])
        allowed = self.size >= SPARSE_ANSWER if sparse is None else sparse
        return matrix.toarray() if shape.sparse and not allowed else matrix

    def parameter_derivative(self, x: Any, values: Mapping[Any, float] | None, name: Any) -> Array:
        """Return the derivative of F by one parameter, shape (n,)."""
        parameter = self._parameter(name)
        resolved = self._values(values)
        z = np.append(self._vector(x), resolved.pop(parameter))
        system = CompiledSystem(self, parameter, resolved, self._shape(parameter))
        last = system.jacobian(z)[:, [self.size]]
        dense = last.toarray() if system.sparse else last
        return np.asarray(dense, dtype=float).ravel()

    def potential(self, x: Any, values: Mapping[Any, float] | None = None) -> Any:
        """Return the potential at x of shape (..., n): a float, or an array of shape (...).

        Raises
        ------
        SpecificationError
            If the problem does not come from a potential.
        """
        if self._potential is None:
            raise SpecificationError(
                "potential", self, "has no potential.", "Build it with Problem.from_potential."
            )
        if self._potential_kernel is None:
            self._potential_kernel = self._kernel([self._potential])
        inputs = self._inputs(x, values)
        if inputs.ndim == 1:
            return float(self._potential_kernel(inputs)[0])
        return self._potential_kernel.batch(inputs)[..., 0]

    def observe(self, x: Any, values: Mapping[Any, Any] | None = None) -> dict[str, Array]:
        """Return all observables at many points.

        Parameters
        ----------
        x : array_like, shape (m, n)
            The points.
        values : mapping
            Every parameter: a number, or an array of shape (m,).

        Returns
        -------
        dict of str to ndarray
            Name -> values, shape (m,); the potential is among them where there is one.

        Raises
        ------
        SpecificationError
            If a shape does not fit, or a parameter is unknown or missing.
        """
        points = read_points(x, self.size)
        columns = read_columns(values, self.parameter_names, len(points))
        if self._observer is None:
            observed = dict(self._observables)
            if self.kind == "potential":
                observed["potential"] = self._potential
            self._observer = Observer([*self._unknowns, *self._parameters], observed)
        return self._observer(points, columns)

    def compile(self, parameter: Any, values: Mapping[Any, float] | None = None) -> CompiledSystem:
        """Return the numeric system with one free parameter.

        Parameters
        ----------
        parameter : str or Symbol
            The free parameter.
        values : mapping
            Values of the other parameters. Other values compile nothing anew.

        Returns
        -------
        CompiledSystem
            Residual and derivatives as functions of z = (x, parameter).

        Raises
        ------
        SpecificationError
            If the parameter is unknown, or a value is missing or not a finite real number.
        """
        name = self._parameter(parameter)
        resolved = self._values(values, optional=name)
        resolved.pop(name, None)
        return CompiledSystem(self, name, resolved, self._shape(name))

    def _kernel(self, expressions: Sequence[sp.Expr]) -> Kernel:
        return Kernel([*self._unknowns, *self._parameters], expressions)

    def _shape(self, parameter: str | None) -> Shape:
        shape = self._shapes.get(parameter)
        if shape is None:
            shape = compile_functions(self, parameter)
            self._shapes[parameter] = shape
            self.provenance["backend"] = shape.functions.backend
        return shape

    def _parameter(self, name: Any) -> str:
        parameter = as_name(name, "parameter")
        if parameter not in self.parameter_names:
            raise SpecificationError(
                "parameter",
                parameter,
                "is not a parameter of the problem.",
                f"Choose among: {', '.join(self.parameter_names) or 'none declared'}.",
            )
        return parameter

    def _values(
        self, values: Mapping[Any, float] | None, optional: str | None = None
    ) -> dict[str, float]:
        return read_values(values, self.parameter_names, optional)

    def _vector(self, x: Any) -> Array:
        vector = np.asarray(x, dtype=float)
        if vector.ndim == 0 or vector.shape[-1] != self.size:
            raise SpecificationError(
                "x", vector.shape, f"needs {self.size} numbers in its last axis.", "Use pack()."
            )
        return vector

    def _inputs(self, x: Any, values: Mapping[Any, float] | None) -> Array:
        vector = self._vector(x)
        inputs = np.empty((*vector.shape[:-1], self.size + len(self.parameter_names)))
        inputs[..., : self.size] = vector
        inputs[..., self.size :] = list(self._values(values).values())
        return inputs


class Observable:
    """One expression as a function of ``(x, values)``, compiled when first called."""

    def __init__(self, problem: Evaluation, expression: sp.Expr) -> None:
        self._problem = problem
        self._expression = expression
        self._kernel: Kernel | None = None

    def __call__(self, x: Any, values: Mapping[Any, float]) -> float:
        """Return the number at x of shape (n,)."""
        if self._kernel is None:
            self._kernel = self._problem._kernel([self._expression])
        return float(self._kernel(self._problem._inputs(x, values))[0])
