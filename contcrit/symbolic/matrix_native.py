"""Small matrix equations as machine code: residual and Jacobian in one function."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import symengine as se
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from .kernel import NativeFunction
from .matrix import directional_derivative
from .matrix_scalar import ScalarForm, has_scalar_form

if TYPE_CHECKING:
    from .matrix_evaluation import MatrixEvaluation

Array = np.ndarray

LARGEST_EXPANDED = 16
"""Unknowns up to which a matrix equation is expanded entry by entry."""


class MatrixKernel:
    """Residual and Jacobian of a small matrix problem, compiled with LLVM.

    Parameters
    ----------
    inputs : int
        Length of the input: the unknowns, the free parameter, the other parameters.
    outputs : int
        Length of the output: the residual, then the Jacobian row-major.
    compiled : symengine.LLVMDouble
        The machine code.
    """

    def __init__(self, inputs: int, outputs: int, compiled: Any) -> None:
        self.in_size, self.out_size = inputs, outputs
        self._compiled = compiled

    @classmethod
    def build(cls, problem: MatrixEvaluation, free: sp.Symbol) -> MatrixKernel | None:
        """Compile, or return None where the equations have no scalar form."""
        if problem.size > LARGEST_EXPANDED or not has_scalar_form(
            problem.expression, max(problem.shape)
        ):
            return None
        others = [symbol for symbol in problem.parameters if symbol != free]
        symbols, values = scalar_inputs(problem, [free, *others])
        outputs = _joint(problem, free, ScalarForm(values, problem.dimensions))
        try:
            compiled = se.Lambdify(symbols, outputs, backend="llvm", cse=True)
        except (RuntimeError, ValueError, TypeError):
            return None  # a function that LLVM does not know: numpy evaluates it
        return cls(len(symbols), len(outputs), compiled)

    def __call__(self, inputs: Array) -> Array:
        """Evaluate at one input vector (contiguous float64)."""
        out = np.empty(self.out_size)
        self._compiled.unsafe_real(inputs, out)
        return out

    def native(
        self, names: Sequence[str], parameter: str, values: Mapping[str, float]
    ) -> NativeFunction | None:
        """Return the function's address; arguments name the inputs and fix the last ones."""
        function, data = self._compiled.as_ctypes()
        address = ctypes.cast(function, ctypes.c_void_p).value
        if address is None or data.value is None:
            return None
        size = len(names)
        columns = [*names, parameter]
        outputs = [f"F[{row}]" for row in range(size)]
        outputs += [f"dF[{row}]/d{column}" for row in range(size) for column in columns]
        return NativeFunction(
            address=address,
            data=data.value,
            in_size=self.in_size,
            out_size=self.out_size,
            inputs=(*columns, *values),
            outputs=tuple(outputs),
            constants=np.array(list(values.values()), dtype=float),
            keep_alive=(self._compiled, function, data),
        )


def scalar_inputs(
    problem: MatrixEvaluation, parameters: Sequence[sp.Symbol]
) -> tuple[list[Any], dict[Any, Any]]:
    """Return input symbols (unknowns, then parameters), and what every symbol stands for."""
    symbols = [se.Symbol(f"z{i}") for i in range(problem.size + len(parameters))]
    unknown = np.array(symbols[: problem.size], dtype=object).reshape(problem.shape)
    values: dict[Any, Any] = {problem.unknown: unknown}
    values |= dict(zip(parameters, symbols[problem.size :], strict=True))
    for symbol, constant in problem.constants.items():
        values[symbol] = (
            np.vectorize(_exact, otypes=[object])(constant)
            if isinstance(symbol, MatrixSymbol)
            else _exact(constant)
        )
    return symbols, values


def _joint(problem: MatrixEvaluation, free: sp.Symbol, form: ScalarForm) -> list[Any]:
    n, f = problem.size, problem.expression
    direction = problem.direction
    along = directional_derivative(f, problem.unknown, direction)
    residual = form(f).ravel().tolist()
    slope = form(directional_derivative(f, free)).ravel().tolist()
    columns = []
    for k in range(n):
        unit = np.zeros(n, dtype=int).astype(object)
        unit[k] = 1
        columns.append(form.with_value(direction, unit.reshape(problem.shape))(along).ravel())
    columns.append(slope)
    entries = residual + [columns[k][i] for i in range(n) for k in range(n + 1)]
    return [se.sympify(entry) for entry in entries]


def _exact(value: float) -> Any:
    """Whole numbers stay whole, so that zeros and ones vanish from the expressions."""
    return int(value) if float(value).is_integer() and abs(value) < 2**31 else float(value)
