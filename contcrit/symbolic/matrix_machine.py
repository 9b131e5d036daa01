"""Small matrix equations with exponentials as machine code: their programs, turned into numbers."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import matrix_operations as operations
from . import matrix_steps as steps
from .exponential import exponential, multiply
from .exponential_operator import SMALL, node_count, quadrature
from .kernel import NativeFunction
from .machine_code import compiled_entry

if TYPE_CHECKING:
    import sympy as sp

    from .matrix_compile import Listing
    from .matrix_evaluation import MatrixEvaluation

Array = np.ndarray

LARGEST_ROWS = 8
"""Rows up to which machine code is faster than numpy (measured)."""


class MachineKernel:
    """Residual and Jacobian of a square matrix equation as numbers for `matrix_steps.run`.

    Parameters
    ----------
    inputs, outputs : int
        Lengths: the unknowns, the free parameter and the others; the residual and the Jacobian.
    data : ndarray
        The program.
    """

    def __init__(self, inputs: int, outputs: int, data: Array) -> None:
        self.in_size, self.out_size, self.data = inputs, outputs, data

    @classmethod
    def build(cls, problem: MatrixEvaluation, free: sp.Symbol) -> MachineKernel | None:
        """Return the program, or None where it holds something that has no machine code."""
        rows, columns = problem.shape
        if rows != columns or rows > LARGEST_ROWS:
            return None
        others = [symbol for symbol in problem.parameters if symbol != free]
        order = [problem.parameters.index(symbol) for symbol in (free, *others)]
        try:
            return _Lowering(problem.program("first", free).listing(), rows, order).kernel()
        except _NoMachineCode:
            return None

    def __call__(self, inputs: Array) -> Array:
        """Evaluate at one input vector (contiguous float64), by machine code."""
        out = np.empty(self.out_size)
        self._function(out.ctypes.data, inputs.ctypes.data, self.data.ctypes.data)
        return out

    @functools.cached_property
    def _function(self) -> Any:
        return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(compiled_entry().address)

    def native(
        self, names: Sequence[str], parameter: str, values: Mapping[str, float]
    ) -> NativeFunction:
        """Return the function's address; arguments name the inputs and fix the last ones."""
        code = compiled_entry()
        columns = [*names, parameter]
        outputs = [f"F[{row}]" for row in range(len(names))]
        outputs += [f"dF[{row}]/d{column}" for row in range(len(names)) for column in columns]
        return NativeFunction(
            address=code.address,
            data=self.data.ctypes.data,
            in_size=self.in_size,
            out_size=self.out_size,
            inputs=(*columns, *values),
            outputs=tuple(outputs),
            constants=np.array(list(values.values()), dtype=float),
            keep_alive=(code, self.data),
        )


class _NoMachineCode(Exception):
    """An operation or a value that `matrix_steps` does not know."""


class _Lowering:
    """Gives every slot of a program its place, and turns the steps into numbers."""

    def __init__(self, listing: Listing, rows: int, order: Sequence[int]) -> None:
        self._rows, self._size = rows, rows * rows
        n = self._size
        self._codes: list[int] = []
        self._constants: list[Array] = []
        self._in_size = self._used = n + len(order)
        # Slot -> place in the workspace and length: 1, n, or n^2 of what depends on the direction.
        self._places: dict[int, tuple[int, int]] = {}
        self._exponentials: dict[int, tuple[int, int]] = {}
        unknown, *parameters, self._unit = listing.inputs
        self._places[unknown] = 0, n
        for position, which in enumerate(order):
            self._places[parameters[which]] = n + position, 1
        needed = {slot for _, arguments, _ in listing.steps for slot in arguments}
        for slot, value in listing.fixed.items():
            if slot in needed or slot in listing.outputs:
                self._constant(slot, value)
        self._constant(self._unit, np.eye(n))
        self._scratch, self._filled = self._used, self._used
        nodes = node_count(SMALL)
        weights, series = quadrature(nodes)
        self._used += steps.scratch_room(rows, nodes, series.shape[1])
        self._tables = [np.array([SMALL, series.shape[1], nodes]), weights, series.ravel()]
        for function, arguments, slot in listing.steps:
            self._step(function, arguments, slot)
        residual, jacobian, slope = (self._place(slot) for slot in listing.outputs)
        if (residual[1], jacobian[1], slope[1]) != (n, n * n, n):
            raise _NoMachineCode
        self._emit(steps.STORE, 0, residual[0], 1, n, n)
        self._emit(steps.STORE, n, jacobian[0], n, n, n + 1)
        self._emit(steps.STORE, 2 * n, slope[0], n, 1, n + 1)

    def kernel(self) -> MachineKernel:
        """Return the whole."""
        n = self._size
        out_size = n + n * (n + 1)
        body = [np.array(self._codes), *self._constants, *self._tables]
        total = steps.HEADER + sum(part.size for part in body)
        count, constants = len(self._codes) // steps.WIDTH, self._filled - self._in_size
        header = [total, out_size, self._in_size, self._used, count, constants]
        data = np.concatenate([header, *body]).astype(float)
        return MachineKernel(self._in_size, out_size, data)

    def _constant(self, slot: int, value: Any) -> None:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "fiu" or numbers.size not in (1, self._size, self._size**2):
            raise _NoMachineCode
        self._new(slot, numbers.size)
        self._constants.append(numbers.ravel().astype(float))

    def _new(self, slot: int, length: int) -> int:
        place = self._used
        self._places[slot] = place, length
        self._used += length
        return place

    def _place(self, slot: int) -> tuple[int, int]:
        if slot not in self._places:
            raise _NoMachineCode
        return self._places[slot]

    def _emit(self, operation: int, *numbers: int) -> None:
        self._codes += [operation, *numbers, *[0] * (steps.WIDTH - 1 - len(numbers))]

    def _step(self, function: Any, arguments: tuple[int, ...], slot: int) -> None:
        if function is exponential:
            self._exponential(slot, *self._place(arguments[0]))
        elif function is operations.value:
            self._places[slot] = self._exponentials[arguments[0]][0], self._size
        elif function is operations.frechet:
            self._frechet(slot, *arguments)
        elif function is operations.transpose:
            place, length = self._place(arguments[0])
            to = self._new(slot, length)
            self._emit(steps.TRANSPOSE, to, place, self._rows, length // self._size)
        elif function is multiply:
            self._product(slot, *(self._place(each) for each in arguments))
        else:
            self._entrywise(slot, function, [self._place(each) for each in arguments])

    def _exponential(self, slot: int, argument: int, length: int) -> None:
        n = self._size
        if length != n:
            raise _NoMachineCode
        value, derivative = self._used, self._used + n
        self._used += n + n * n
        self._exponentials[slot] = value, derivative
        self._emit(steps.EXPONENTIAL, value, derivative, argument, self._rows, self._scratch)

    def _frechet(self, slot: int, shared: int, direction: int) -> None:
        n = self._size
        if shared not in self._exponentials:
            raise _NoMachineCode
        derivative = self._exponentials[shared][1]
        if direction == self._unit:
            self._places[slot] = derivative, n * n
            return
        place, length = self._place(direction)
        to = self._new(slot, length)
        self._emit(steps.PRODUCT, to, derivative, place, n, n, length // n)

    def _product(self, slot: int, left: tuple[int, int], right: tuple[int, int]) -> None:
        d, n = self._rows, self._size
        if left[1] == n and right[1] in (n, n * n):
            to = self._new(slot, right[1])
            self._emit(steps.PRODUCT, to, left[0], right[0], d, d, right[1] // d)
        elif left[1] == n * n and right[1] == n:
            to = self._new(slot, left[1])
            self._emit(steps.RIGHT, to, left[0], right[0], d, n)
        else:
            raise _NoMachineCode

    def _entrywise(self, slot: int, function: Any, terms: list[tuple[int, int]]) -> None:
        length = max(each for _, each in terms)
        if function is np.multiply and terms[0][1] == 1:
            to = self._new(slot, length)
            self._emit(steps.SCALE, to, terms[0][0], terms[1][0], length)
            return
        known = _combinations(function, len(terms))
        if any(each != length for _, each in terms):
            raise _NoMachineCode
        to = self._new(slot, length)
        for operation, (place, _) in zip(known, terms, strict=True):
            self._emit(operation, to, place, length)


def _combinations(function: Any, count: int) -> list[int]:
    """Return the operations that bring in one term after the other."""
    if function is np.negative:
        return [steps.NEGATE]
    if function in (np.multiply, operations.entrywise):
        return [steps.COPY, *[steps.TIMES] * (count - 1)]
    if function in (np.add, operations.entrywise_sum):
        return [steps.COPY, *[steps.ADD] * (count - 1)]
    if function is np.subtract:
        return [steps.COPY, steps.SUBTRACT]
    if isinstance(function, functools.partial) and function.func is operations.signed_sum:
        first, *rest = function.args[0]
        later = [steps.SUBTRACT if negative else steps.ADD for negative in rest]
        return [steps.NEGATE if first else steps.COPY, *later]
    raise _NoMachineCode
