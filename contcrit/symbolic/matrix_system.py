"""A matrix problem with one free parameter, as the engine asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from scipy.sparse.linalg import LinearOperator

from .flat import DENSE_SIZE
from .kernel import NativeFunction
from .machine_code import worthwhile
from .matrix_free import ApproximateInverse, MapOperator, MatrixOperator, fill
from .matrix_machine import MachineKernel
from .matrix_native import MatrixKernel
from .matrix_recent import Recent
from .matrix_two_sided import TwoSided

if TYPE_CHECKING:
    from .matrix_prepared import PreparedProgram
    from .matrix_problem import MatrixProblem

Array = np.ndarray

_ROOM = 2**20
"""Numbers that the Jacobians kept of the last points may hold."""

_KEPT = 64
"""Points kept at most."""

_LARGEST_KEPT = 512
"""Unknowns up to which Jacobians are kept: of larger ones copies take time and room."""


class MatrixSystem:
    """n equations in z = (unknowns, parameter); see `contcrit.system.System`.

    Parameters
    ----------
    problem : MatrixProblem
        The equations.
    symbol : sympy.Symbol
        The free parameter.
    numbers : tuple of float
        Values of all parameters in the problem's order; the free one's is replaced by z[-1].

    Attributes
    ----------
    generators : ndarray, shape (k, n, n + 1)
        Affine symmetry generators [S | c].
    matrix_free : bool
        Whether `jacobian` and `second` are linear operators instead of arrays.
    """

    sparse = False

    def __init__(
        self, problem: MatrixProblem, symbol: sp.Symbol, numbers: tuple[float, ...]
    ) -> None:
        self.problem = problem
        self.size = problem.size
        self.names = problem.unknown_names
        self.parameter: str = symbol.name
        self.kind = problem.kind
        self.symmetric = problem.symmetric
        self.generators = problem.generators
        self.values = {
            name: value
            for name, value in zip(problem.parameter_names, numbers, strict=True)
            if name != symbol.name
        }
        self._numbers = numbers
        self._position = problem.parameters.index(symbol)
        self._shape = problem.shape
        self._residual = problem.program("residual")
        self._symbol = symbol
        self.matrix_free = problem.is_matrix_free
        # Closed forms know no maps; operators are made of them.
        wants_map = self.matrix_free and max(problem.shape) > 2
        self._basis: TwoSided | Array = problem.unit if wants_map else problem.basis
        self._inverse = ApproximateInverse()
        self._operator: tuple[bytes, MatrixOperator] | None = None
        self._fixed = np.array(list(self.values.values()), dtype=float)
        kept = min(_KEPT, max(1, _ROOM // self.size**2))
        self._first: Recent[tuple[Array, Array]] = Recent(self._compute_first, kept)
        self._second: Recent[PreparedProgram] = Recent(self._prepare_second, 1)

    def residual(self, z: Array) -> Array:
        """Return the residual, shape (n,)."""
        kernel = self._kernel
        if isinstance(kernel, MatrixKernel) and not np.iscomplexobj(z):
            return self._evaluate(kernel, z)[: self.size]
        known = self._first.known(np.asarray(z))
        if known is not None:
            return known[0].copy()
        return np.array(self._residual(*self._inputs(z))[0]).reshape(self.size)

    def jacobian(self, z: Array) -> Any:
        """Return the Jacobian in (unknowns, parameter), shape (n, n + 1)."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Any]:
        """Return both at the cost of one evaluation."""
        if self.matrix_free:
            operator = self._operator_at(z)
            return operator.residual.copy(), operator
        kernel = self._kernel
        if isinstance(kernel, MatrixKernel) and not np.iscomplexobj(z):
            return self._split(self._evaluate(kernel, z))
        if self.size > _LARGEST_KEPT:
            return self._compute_first(np.asarray(z))
        residual, jacobian = self._first(np.asarray(z))
        return residual.copy(), jacobian.copy()

    def preconditioner(self, z: Array) -> LinearOperator:
        """Return an approximate inverse of the Jacobian in the unknowns, shape (n, n).

        For matrix-free systems; it keeps factors of the Jacobian at a point nearby.
        """
        return self._operator_at(z).preconditioner

    def second(self, z: Array, direction: Array) -> Any:
        """Return the derivative of the Jacobian along a direction in z, shape (n, n + 1)."""
        direction = np.asarray(direction)
        along = direction[:-1].reshape(self._shape)
        xx, xp, px, pp = self._second(np.asarray(z))(along)
        rate = direction[-1]
        inner, column = np.add(xx, np.multiply(rate, xp)), px + rate * pp
        if self.matrix_free and isinstance(inner, TwoSided):
            return MapOperator(inner, np.array(np.broadcast_to(column, self._shape)).ravel())
        return self._join(inner, column)

    def unfolding(self, z: Array) -> Array | None:
        """Return left null directions of the generators, shape (k, n), or None if not given."""
        if not self.problem.has_unfolding:
            return None
        rows = self.problem.program("unfolding")(*self._inputs(z))
        return np.array(rows).reshape(len(rows), self.size)

    def native(self) -> NativeFunction | None:
        """Return the address of the joint function of residual and Jacobian, or None.

        Given where the equations have a scalar form (size 1 or 2, or no exponential), and for
        small square matrices; exponentials of these are compiled now, or loaded. Inputs are z, then
        `values` in order; outputs the residual, then the Jacobian row-major.
        """
        kernel = self._kernel
        if kernel is None or self.matrix_free or self.size > DENSE_SIZE:
            return None
        return kernel.native(self.names, self.parameter, self.values)

    @property
    def _kernel(self) -> MatrixKernel | MachineKernel | None:
        return self.problem.kernel(self._symbol)

    def _evaluate(self, kernel: MatrixKernel | MachineKernel, z: Array) -> Array:
        split = self.size + 1
        inputs = np.empty(split + self._fixed.size)
        inputs[:split] = z
        inputs[split:] = self._fixed
        return kernel(inputs)

    def _split(self, out: Array) -> tuple[Array, Array]:
        return out[: self.size], out[self.size :].reshape(self.size, self.size + 1)

    def _compute_first(self, z: Array) -> tuple[Array, Array]:
        kernel = self._kernel
        if isinstance(kernel, MachineKernel) and z.dtype == float and worthwhile():
            return self._split(self._evaluate(kernel, z))
        program = self.problem.program("first", self._symbol)
        residual, stack, slope = program(*self._inputs(z), self._basis)
        return np.array(residual).reshape(self.size), self._join(stack, slope)

    def _prepare_second(self, z: Array) -> PreparedProgram:
        program = self.problem.program("second", self._symbol)
        return program.prepared(*self._inputs(z), self._basis)

    def _operator_at(self, z: Array) -> MatrixOperator:
        z = np.asarray(z, dtype=float)
        key = z.tobytes()
        if self._operator is None or self._operator[0] != key:
            prepared = self.problem.program("first", self._symbol).prepared(*self._inputs(z))
            operator = MatrixOperator(prepared, self._basis, self._inverse)
            self._operator = key, operator
        return self._operator[1]

    def _inputs(self, z: Array) -> list[Any]:
        z = np.asarray(z)
        numbers: list[Any] = list(self._numbers)
        numbers[self._position] = z[-1]
        return [z[:-1].reshape(self._shape), *numbers]

    def _join(self, stack: Any, slope: Array) -> Array:
        n = self.size
        result = np.empty((n, n + 1), dtype=np.result_type(stack.dtype, slope))
        fill(result[:, :n], stack)
        result[:, n] = np.reshape(slope, n)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.problem, self.parameter, self.values)


def _rebuild(problem: MatrixProblem, parameter: str, values: dict[str, float]) -> MatrixSystem:
    return problem.compile(parameter, values)
