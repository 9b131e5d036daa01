"""Compile a problem into the numeric `System` that the engine walks.

Derivatives come from the symbolic expressions, over structural non-zeros only. The values of all
parameters are arguments of the compiled functions, so changing them compiles nothing anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .flat import FlatFunctions
from .kernel import NativeFunction

if TYPE_CHECKING:
    from ..linalg import PatternedMatrix
    from .evaluation import Evaluation
    from .stencil import StencilFunctions
    from .stencil_native import NativeTridiagonal

Array = np.ndarray

SPARSE_SIZE = 100
SPARSE_DENSITY = 0.1


class CompiledSystem:
    """A problem with one free parameter, compiled; satisfies `contcrit.system.System`.

    Made by `Problem.compile`; see there for the parameters.

    Attributes
    ----------
    size, names, parameter, kind, symmetric, sparse
        As in `contcrit.system.System`.
    generators : ndarray, shape (k, n, n + 1)
        Affine symmetry generators of the problem.
    values : dict of str to float
        Values of the other parameters.
    problem : Problem
        Where it came from.
    """

    def __init__(
        self, problem: Evaluation, parameter: str, values: dict[str, float], shape: Shape
    ) -> None:
        self.problem = problem
        self.parameter = parameter
        self.values = values
        self.size = problem.size
        self.names = problem.unknown_names
        self.kind = problem.kind
        self.symmetric = problem.symmetric
        self.generators = problem.generators
        self.sparse = shape.sparse
        self._shape = shape
        self._functions = shape.functions
        self._constants = np.array(list(values.values()), dtype=float)
        self._split = self.size + 1
        self._total = self._split + self._constants.size
        self._rows: Any = False  # machine code of the rows, not asked for yet

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_problem, (self.problem, self.parameter, self.values)

    def residual(self, z: Array) -> Array:
        """Return the residual at z of shape (n + 1,), shape (n,)."""
        return self._functions.residual(self._inputs(z))

    def sharp_residual(self, z: Array) -> Array:
        """Return the residual with the large terms of stencils cancelled in extended precision."""
        return self._functions.residual(self._inputs(z).astype(np.longdouble))

    def jacobian(self, z: Array) -> Any:
        """Return the Jacobian in (unknowns, parameter), shape (n, n + 1)."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Any]:
        """Return residual and Jacobian of one evaluation."""
        residual, data = self._functions.joint(self._inputs(z))
        return residual, self._shape.assemble(data)

    def second(self, z: Array, direction: Array) -> Any:
        """Return the derivative of the Jacobian along a direction, shape (n, n + 1).

        Parameters
        ----------
        z, direction : ndarray, shape (n + 1,)
            Point and direction in (unknowns, parameter).
        """
        positions, entries = self._functions.second(self._inputs(z))
        return self._shape.contract(positions, entries, np.asarray(direction, dtype=float))

    def unfolding(self, z: Array) -> Array | None:
        """Return left null directions that belong to the generators, shape (k, n), or None."""
        point = np.asarray(z, dtype=float)
        values = {**self.values, self.parameter: float(point[self.size])}
        return self.problem.unfolding(point[: self.size], values)

    def native(self) -> NativeFunction | None:
        """Return the address of the joint function of residual and Jacobian, or None.

        Given for dense problems of at most 32 unknowns that LLVM compiled. Inputs are z, then
        `values` in order; outputs the residual, then the Jacobian row-major.
        """
        functions = self._functions
        if not isinstance(functions, FlatFunctions) or not functions.dense:
            return None
        found = functions.joint_kernel.native()
        if found is None:
            return None
        address, data, owner = found
        n = self.size
        columns = (*self.names, self.parameter)
        outputs = [f"F[{row}]" for row in range(n)]
        outputs += [f"dF[{row}]/d{column}" for row in range(n) for column in columns]
        return NativeFunction(
            address=address,
            data=data,
            in_size=functions.joint_kernel.in_size,
            out_size=functions.joint_kernel.out_size,
            inputs=(*columns, *self.values),
            outputs=tuple(outputs),
            constants=self._constants.copy(),
            keep_alive=owner,
        )

    @cached_property
    def tridiagonal(self) -> bool:
        """Whether the Jacobian in the unknowns is tridiagonal; False for small dense systems."""
        functions = self._functions
        if isinstance(functions, FlatFunctions) and functions.dense:
            return False
        inner = functions.columns < self.size
        return bool(np.all(np.abs((functions.columns - functions.rows)[inner]) <= 1))

    def native_tridiagonal(self) -> NativeTridiagonal | None:
        """Return the machine code of the rows of a tridiagonal system, or None.

        Given where LLVM compiled the rows: those of stencils one by one, others all at once.
        """
        if self._rows is False:
            self._rows = None
            if self.tridiagonal:
                from .stencil_native import native_tridiagonal

                self._rows = native_tridiagonal(self._functions, self._constants)
        found: NativeTridiagonal | None = self._rows
        return found

    def _inputs(self, z: Array) -> Array:
        inputs = np.empty(self._total)
        if self._total == self._split:
            inputs[:] = z
            return inputs
        inputs[: self._split] = z
        inputs[self._split :] = self._constants
        return inputs


class Shape:
    """How the compiled numbers become an (n, m) matrix, dense or sparse."""

    def __init__(self, functions: FlatFunctions | StencilFunctions, width: int) -> None:
        self.functions = functions
        n = functions.rows_count
        self.shape = (n, width)
        rows, columns = functions.rows, functions.columns
        self.sparse = n >= SPARSE_SIZE and rows.size < SPARSE_DENSITY * n * width
        self._full = isinstance(functions, FlatFunctions) and functions.dense
        self._rows, self._columns = rows, columns
        keys = columns * n + rows
        ascending = bool(np.all(keys[1:] > keys[:-1]))
        self._order = None if ascending else np.argsort(keys, kind="stable")
        self._keys = keys if self._order is None else keys[self._order]
        self._contraction: tuple[Array, ...] | None = None
        self._prototype: PatternedMatrix | None = None

    def assemble(self, data: Array) -> Any:
        """Return the matrix for the data of the joint function."""
        if self._full:
            return data.reshape(self.shape)
        if self.sparse:
            return self._matrix(data if self._order is None else data[self._order])
        matrix = np.zeros(self.shape)
        matrix[self._rows, self._columns] = data
        return matrix

    def _matrix(self, data: Array) -> PatternedMatrix:
        # The pattern is checked and analysed once; its likes share it and cost far less.
        if self._prototype is None:
            from ..linalg import Pattern, PatternedMatrix

            rows, columns = self._rows, self._columns
            if self._order is not None:
                rows, columns = rows[self._order], columns[self._order]
            counts = np.bincount(columns, minlength=self.shape[1])
            pointers = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
            pattern = Pattern(rows.astype(np.int32), pointers, self.shape)
            self._prototype = PatternedMatrix.first(data, pattern)
        return self._prototype.like(data)

    def contract(self, positions: Array, entries: Array, direction: Array) -> Any:
        """Return sum over k of the second derivatives (i, j, k) times direction k."""
        if self._contraction is None:
            row, first, last = positions.T
            off = np.flatnonzero(first != last)
            rows = np.concatenate((row, row[off]))
            columns = np.concatenate((first, last[off]))
            if self.sparse:
                target = np.searchsorted(self._keys, columns * self.shape[0] + rows)
            else:
                target = rows * self.shape[1] + columns
            source = np.concatenate((np.arange(row.size), off))
            self._contraction = source, np.concatenate((last, first[off])), target
        source, along, target = self._contraction
        weights = entries[source] * direction[along]
        if self.sparse:
            data = np.bincount(target, weights, minlength=self._keys.size)
            return self._matrix(data)
        size = self.shape[0] * self.shape[1]
        return np.bincount(target, weights, minlength=size).reshape(self.shape)


def compile_functions(problem: Evaluation, parameter: str | None) -> Shape:
    """Differentiate and compile a problem's equations for one free parameter (None: none)."""
    by_name = dict(zip(problem.parameter_names, problem.parameters, strict=True))
    free = [] if parameter is None else [by_name[parameter]]
    others = [symbol for name, symbol in by_name.items() if name != parameter]
    inputs = [*problem.unknowns, *free, *others]
    width = problem.size + len(free)
    equations = problem.equations
    functions: FlatFunctions | StencilFunctions | None = None
    if problem.size >= SPARSE_SIZE:
        from .stencil import find_stencil

        functions = find_stencil(inputs, equations, problem.size, width)
    if functions is None:
        functions = FlatFunctions(inputs, equations, width)
    return Shape(functions, width)


def compile_problem(
    problem: Evaluation, parameter: str, values: Mapping[Any, float]
) -> CompiledSystem:
    """Return the system of a problem with one free parameter; same as `problem.compile`.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic import Problem, compile_problem
    >>> x, p = sp.symbols("x p")
    >>> system = compile_problem(Problem([p * x - x**3], [x], [p]), "p", {})
    >>> system.jacobian([2.0, 1.0]).tolist()
    [[-11.0, 2.0]]
    """
    return problem.compile(parameter, values)
