"""A matrix problem with one free parameter, as the engine asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from .kernel import NativeFunction
from .matrix_native import MatrixKernel
from .matrix_two_sided import TwoSided

if TYPE_CHECKING:
    from .matrix_problem import MatrixProblem

Array = np.ndarray


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
        self._fixed = np.array(list(self.values.values()), dtype=float)

    def residual(self, z: Array) -> Array:
        """Return the residual, shape (n,)."""
        if self._is_compiled(z):
            return self._evaluate(z)[: self.size]
        return np.array(self._residual(*self._inputs(z))[0]).reshape(self.size)

    def jacobian(self, z: Array) -> Array:
        """Return the Jacobian in (unknowns, parameter), shape (n, n + 1)."""
        return self.residual_and_jacobian(z)[1]

    def residual_and_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Return both at the cost of one evaluation."""
        if self._is_compiled(z):
            out = self._evaluate(z)
            return out[: self.size], out[self.size :].reshape(self.size, self.size + 1)
        program = self.problem.program("first", self._symbol)
        residual, stack, slope = program(*self._inputs(z), self.problem.basis)
        return np.array(residual).reshape(self.size), self._join(stack, slope)

    def second(self, z: Array, direction: Array) -> Array:
        """Return the derivative of the Jacobian along a direction in z, shape (n, n + 1)."""
        direction = np.asarray(direction)
        program = self.problem.program("second", self._symbol)
        along = direction[:-1].reshape(self._shape)
        xx, xp, px, pp = program(*self._inputs(z), self.problem.basis, along)
        rate = direction[-1]
        return self._join(np.add(xx, np.multiply(rate, xp)), px + rate * pp)

    def unfolding(self, z: Array) -> Array | None:
        """Return left null directions of the generators, shape (k, n), or None if not given."""
        if not self.problem.has_unfolding:
            return None
        rows = self.problem.program("unfolding")(*self._inputs(z))
        return np.array(rows).reshape(len(rows), self.size)

    def native(self) -> NativeFunction | None:
        """Return the address of the joint function of residual and Jacobian, or None.

        Given where the equations have a scalar form: size 1 or 2, or no exponential. Inputs are z,
        then `values` in order; outputs the residual, then the Jacobian row-major.
        """
        kernel = self._kernel
        return None if kernel is None else kernel.native(self.names, self.parameter, self.values)

    @property
    def _kernel(self) -> MatrixKernel | None:
        return self.problem.kernel(self._symbol)

    def _is_compiled(self, z: Array) -> bool:
        return self._kernel is not None and not np.iscomplexobj(z)

    def _evaluate(self, z: Array) -> Array:
        kernel = self._kernel
        assert kernel is not None
        split = self.size + 1
        inputs = np.empty(split + self._fixed.size)
        inputs[:split] = z
        inputs[split:] = self._fixed
        return kernel(inputs)

    def _inputs(self, z: Array) -> list[Any]:
        z = np.asarray(z)
        numbers: list[Any] = list(self._numbers)
        numbers[self._position] = z[-1]
        return [z[:-1].reshape(self._shape), *numbers]

    def _join(self, stack: Any, slope: Array) -> Array:
        n = self.size
        result = np.empty((n, n + 1), dtype=np.result_type(stack.dtype, slope))
        if isinstance(stack, TwoSided):
            stack.fill(result[:, :n])
        else:
            result[:, :n] = self.problem.columns(stack)
        result[:, n] = np.reshape(slope, n)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.problem, self.parameter, self.values)


def _rebuild(problem: MatrixProblem, parameter: str, values: dict[str, float]) -> MatrixSystem:
    return problem.compile(parameter, values)
