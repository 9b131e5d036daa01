"""What a matrix problem can be asked for in numbers: residual, derivatives, observables."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from ..errors import SpecificationError
from .matrix_compile import MatrixProgram
from .matrix_machine import MachineKernel
from .matrix_native import MatrixKernel
from .matrix_observe import MatrixObserver
from .matrix_programs import derive
from .matrix_two_sided import TwoSided
from .observing import read_columns, read_points

Array = np.ndarray


class MatrixEvaluation:
    """The numeric half of `MatrixProblem`: compiles on demand, and keeps what it compiled."""

    unknown: MatrixSymbol
    parameters: tuple[sp.Symbol, ...]
    parameter_names: tuple[str, ...]
    constants: dict[Any, Any]
    dimensions: dict[Any, int]
    shape: tuple[int, int]
    size: int
    name: str
    expression: Any
    direction: MatrixSymbol
    along: MatrixSymbol
    unit: TwoSided
    basis: TwoSided | Array
    potential_expression: Any
    unfolding_expressions: tuple[Any, ...] | None
    observable_expressions: dict[str, Any]
    _programs: dict[Any, MatrixProgram]
    _kernels: dict[str, MatrixKernel | MachineKernel | None]
    _observer: MatrixObserver | None

    @property
    def observables(self) -> dict[str, Callable[[Array, Mapping[str, float]], float]]:
        """Name -> function (x, values) -> float."""
        return {
            name: what if callable(what) else functools.partial(self._observe, name)
            for name, what in self.observable_expressions.items()
        }

    def observe(self, x: Array, values: Mapping[Any, Any]) -> dict[str, Array]:
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
            Name -> values, shape (m,).

        Raises
        ------
        SpecificationError
            If a shape does not fit, or a parameter is unknown or missing.
        """
        points = read_points(x, self.size)
        columns = read_columns(values, self.parameter_names, len(points))
        if self._observer is None:
            self._observer = MatrixObserver(self)
        return self._observer(points, columns)

    def evaluate(self, x: Array, values: Mapping[Any, float]) -> Array:
        """Return the residual, shape (n,)."""
        result = self.program("residual")(self._matrix(x), *self.parameter_values(values))[0]
        return np.array(result).reshape(self.size)

    def jacobian(self, x: Array, values: Mapping[Any, float]) -> Array:
        """Return the Jacobian in the unknowns, shape (n, n)."""
        result = self.program("jacobian")(
            self._matrix(x), *self.parameter_values(values), self.basis
        )[0]
        return self.columns(result)

    def parameter_derivative(self, x: Array, values: Mapping[Any, float], name: Any) -> Array:
        """Return the derivative of the residual in one parameter, shape (n,)."""
        program = self.program("slope", self.parameter_symbol(name, "name"))
        return np.array(program(self._matrix(x), *self.parameter_values(values))[0]).reshape(
            self.size
        )

    def potential(self, x: Array, values: Mapping[Any, float]) -> float:
        """Return the potential.

        Raises
        ------
        SpecificationError
            If the problem was given none.
        """
        if self.potential_expression is None:
            raise SpecificationError(
                "potential",
                self.name,
                "the problem has no potential.",
                "Give `potential=` when building it, or look among its observables.",
            )
        program = self.program("potential")
        return float(program(self._matrix(x), *self.parameter_values(values))[0])

    def unfolding(self, x: Array, values: Mapping[Any, float]) -> Array | None:
        """Return the left null directions of the generators, shape (k, n), or None."""
        if self.unfolding_expressions is None:
            return None
        program = self.program("unfolding")
        rows = program(self._matrix(x), *self.parameter_values(values))
        return np.array(rows).reshape(len(rows), self.size)

    @property
    def has_unfolding(self) -> bool:
        """Whether left null directions of the generators were given."""
        return self.unfolding_expressions is not None

    def parameter_symbol(self, name: Any, argument: str) -> sp.Symbol:
        """Return the parameter of a name."""
        text = name_of(name)
        if text not in self.parameter_names:
            raise SpecificationError(
                argument,
                text,
                "is not a parameter of the problem.",
                f"Choose among {', '.join(self.parameter_names)}.",
            )
        return self.parameters[self.parameter_names.index(text)]

    def parameter_values(self, values: Mapping[Any, float]) -> tuple[Any, ...]:
        """Return the parameters' values in order."""
        named = {name_of(key): value for key, value in values.items()}
        for text in named:
            self.parameter_symbol(text, "values")
        numbers = []
        for text in self.parameter_names:
            if text not in named:
                raise SpecificationError(
                    "values", text, "the parameter has no value.", f"Give values={{'{text}': ...}}."
                )
            value = named[text]
            if not isinstance(value, (complex, np.complexfloating)):
                try:
                    value = float(value)
                except (TypeError, ValueError) as error:
                    raise SpecificationError(
                        "values", {text: value}, "must be numbers.", "Give a float."
                    ) from error
            if not np.isfinite(value):
                raise SpecificationError("values", {text: value}, "must be finite.", "Give one.")
            numbers.append(value)
        return tuple(numbers)

    def columns(self, stack: Any) -> Array:
        """Turn derivatives along the basis directions, (n, rows, columns), into (n, n)."""
        if isinstance(stack, TwoSided):
            return stack.columns()
        full = np.broadcast_to(stack, self.basis.shape)
        return full.reshape(self.size, self.size).T

    def program(self, what: str, parameter: sp.Symbol | None = None) -> MatrixProgram:
        """Return one compiled program, made at first use.

        Inputs are always the unknown and all parameters; then the direction's stack and the
        second direction, where the program has them.
        """
        key = what if parameter is None else f"{what} in {parameter.name}"
        if key not in self._programs:
            expressions, extra = derive(self, what, parameter)
            self._programs[key] = MatrixProgram(
                expressions,
                [self.unknown, *self.parameters, *extra],
                self.constants,
                self.dimensions,
                [self.direction],
            )
        return self._programs[key]

    def kernel(self, parameter: sp.Symbol) -> MatrixKernel | MachineKernel | None:
        """Return residual and Jacobian as machine code, or None where they have none."""
        key = parameter.name
        if key not in self._kernels:
            scalar = MatrixKernel.build(self, parameter)
            self._kernels[key] = scalar or MachineKernel.build(self, parameter)
        return self._kernels[key]

    def _observe(self, name: str, x: Array, values: Mapping[Any, float]) -> float:
        program = self.program(f"observable {name}")
        return float(program(self._matrix(x), *self.parameter_values(values))[0])

    def _matrix(self, x: Array) -> Array:
        x = np.asarray(x)
        if x.shape != (self.size,):
            raise SpecificationError(
                "x", x.shape, f"must have shape ({self.size},).", "Use pack to build it."
            )
        return x.reshape(self.shape)


def name_of(key: Any) -> str:
    """Return the name of a symbol, or a name itself."""
    return key if isinstance(key, str) else str(getattr(key, "name", key))
