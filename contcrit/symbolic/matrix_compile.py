"""Compile matrix expressions to numpy: shared subexpressions, and a batch of directions at once.

The program is a list of small array operations over numbered slots. Every subexpression has one
slot; the transpose of a known slot is a view; what depends on constants alone is computed once.
A matrix symbol declared as stacked stands for m matrices, an array of shape (m, d, d): linear
expressions in it are then evaluated for all m at once. Expressions free of such symbols may be
evaluated at many points instead: matrices of shape (m, d, d), scalars of shape (m, 1, 1).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from sympy.matrices.expressions import (
    Determinant,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from ..errors import SpecificationError
from . import matrix_operations as operations
from .exponential import exponential, multiply
from .matrix import separate
from .matrix_nodes import Exp, FrechetExp, FrechetExp2, product, transposed
from .matrix_prepared import PreparedProgram

Array = np.ndarray
Step = tuple[Callable[..., Any], tuple[int, ...], int]


class Listing(NamedTuple):
    """A program as it is carried out.

    Parameters
    ----------
    inputs, outputs : list of int
        Slots.
    fixed : dict
        Slot -> value, of what is known before any input.
    steps : list of tuple
        Operation, slots of its arguments, slot of its result.
    """

    inputs: list[int]
    fixed: dict[int, Any]
    steps: list[Step]
    outputs: list[int]


class MatrixProgram:
    """Several matrix expressions compiled to one numpy evaluator.

    Parameters
    ----------
    expressions : sequence of sympy.MatrixExpr or sympy.Expr
        What to compute.
    inputs : sequence of sympy.MatrixSymbol or sympy.Symbol
        Given at every call, in this order.
    constants : mapping
        Symbol or MatrixSymbol -> number or array, fixed now.
    dimensions : mapping
        Symbolic size -> whole number.
    stacked : iterable of sympy.MatrixSymbol
        Inputs or constants of shape (m, d, d); expressions must be linear in them.

    Raises
    ------
    SpecificationError
        If an expression holds a symbol without a value or an operation that is not understood.

    Examples
    --------
    >>> import numpy as np, sympy as sp
    >>> C = sp.MatrixSymbol("C", 2, 2)
    >>> program = MatrixProgram([C * C.T], [C])
    >>> program(np.array([[0.0, 1.0], [2.0, 0.0]]))[0]
    array([[1., 0.],
           [0., 4.]])
    """

    def __init__(
        self,
        expressions: Sequence[Any],
        inputs: Sequence[Any],
        constants: Mapping[Any, Any] | None = None,
        dimensions: Mapping[Any, int] | None = None,
        stacked: Iterable[Any] = (),
    ) -> None:
        self._dimensions = dict(dimensions or {})
        self._stacked = frozenset(stacked)
        self._slots: dict[Any, int] = {}
        self._values: list[Any] = []
        self._steps: list[Step] = []
        self._fixed: list[bool] = []
        self._inputs = [self._new(symbol, None, fixed=False) for symbol in inputs]
        for symbol, value in (constants or {}).items():
            self._new(symbol, value, fixed=True)
        self._outputs = [self._compile(sp.sympify(e)) for e in expressions]

    def __call__(self, *inputs: Any) -> list[Any]:
        """Evaluate the expressions; arrays may be real or complex."""
        values = self._values.copy()
        for slot, value in zip(self._inputs, inputs, strict=True):
            values[slot] = value
        # Overflow is a numerical event: the caller sees it as values that are not finite.
        with np.errstate(all="ignore"):
            for function, arguments, slot in self._steps:
                values[slot] = function(*[values[i] for i in arguments])
        return [values[slot] for slot in self._outputs]

    def prepared(self, *inputs: Any) -> PreparedProgram:
        """Return the program as a function of its last input, all others given now."""
        values = self._values.copy()
        for slot, value in zip(self._inputs[:-1], inputs, strict=True):
            values[slot] = value
        open_slots, late = {self._inputs[-1]}, []
        with np.errstate(all="ignore"):
            for step in self._steps:
                function, arguments, slot = step
                if open_slots.isdisjoint(arguments):
                    values[slot] = function(*[values[i] for i in arguments])
                else:
                    open_slots.add(slot)
                    late.append(step)
        return PreparedProgram(values, self._inputs[-1], late, self._outputs)

    def listing(self) -> Listing:
        """Return what is computed, for those who compute it otherwise."""
        fixed = {slot: value for slot, value in enumerate(self._values) if self._fixed[slot]}
        return Listing(self._inputs, fixed, self._steps, self._outputs)

    @property
    def length(self) -> int:
        """Number of array operations per call."""
        return len(self._steps)

    def _new(self, key: Any, value: Any, *, fixed: bool) -> int:
        slot = len(self._values)
        self._values.append(value)
        self._fixed.append(fixed)
        self._slots[key] = slot
        return slot

    def _emit(self, key: Any, function: Callable[..., Any], arguments: Sequence[int]) -> int:
        arguments = tuple(arguments)
        if all(self._fixed[i] for i in arguments):
            value = function(*[self._values[i] for i in arguments])
            return self._new(key, value, fixed=True)
        slot = self._new(key, None, fixed=False)
        self._steps.append((function, arguments, slot))
        return slot

    def _size(self, size: Any) -> int:
        value = self._dimensions.get(size, size)
        try:
            return int(value)
        except TypeError as error:
            raise SpecificationError(
                "dimensions", size, "the size has no value.", "Give one, such as {d: 2}."
            ) from error

    def _is_stacked(self, expression: Any) -> bool:
        return not self._stacked.isdisjoint(expression.free_symbols)

    def _compile(self, e: Any) -> int:
        if e in self._slots:
            return self._slots[e]
        if getattr(e, "is_Matrix", False):
            return self._matrix(e)
        return self._scalar(e)

    def _matrix(self, e: Any) -> int:
        if isinstance(e, (Identity, ZeroMatrix, OneMatrix)):
            return self._new(e, self._constant_node(e), fixed=True)
        if isinstance(e, MatrixSymbol):
            raise SpecificationError(
                "constants", e.name, "the matrix symbol has no value.", "Add it to `constants`."
            )
        if isinstance(e, sp.MatrixBase):
            entries = [self._compile(entry) for entry in e]
            return self._emit(e, functools.partial(operations.assemble, e.shape), entries)
        if isinstance(e, Transpose):
            return self._emit(e, operations.transpose, [self._compile(e.args[0])])
        mirrored = transposed(e)
        if mirrored in self._slots:
            return self._emit(e, operations.transpose, [self._slots[mirrored]])
        rule = _RULES.get(type(e))
        if rule is None:
            raise SpecificationError(
                "expression",
                e,
                f"{type(e).__name__} cannot be evaluated here.",
                "Use sums, products, transposes, inverses, whole powers and Exp.",
            )
        return rule(self, e)

    def _constant_node(self, e: Any) -> Array:
        shape = self._size(e.shape[0]), self._size(e.shape[1])
        if isinstance(e, Identity):
            return np.eye(shape[0])
        return np.zeros(shape) if isinstance(e, ZeroMatrix) else np.ones(shape)

    def _sum(self, e: Any) -> int:
        signs, slots = [], []
        for term in e.args:
            negative = isinstance(term, MatMul) and term.args[0] == -1
            core = product([], term.args[1:]) if negative else term
            signs.append(negative)
            slots.append(self._compile(core))
        order = sorted(range(len(slots)), key=lambda i: signs[i])
        pattern = tuple(signs[i] for i in order)
        function = operations.SUMS.get(pattern) or functools.partial(operations.signed_sum, pattern)
        return self._emit(e, function, [slots[i] for i in order])

    def _product(self, e: Any) -> int:
        coefficient, factors = e.as_coeff_matrices()
        if coefficient != 1:
            matrix = self._compile(product([], factors))
            if coefficient == -1:
                return self._emit(e, np.negative, [matrix])
            factor = self._compile(coefficient)
            if self._is_unit(factor):
                return matrix
            return self._emit(e, np.multiply, [factor, matrix])
        for factor in factors:
            self._compile(factor)
        # Products free of stacked symbols are formed first: they cost one product, not m.
        groups: list[list[Any]] = []
        for factor in factors:
            heavy = self._is_stacked(factor)
            if groups and not heavy and not self._is_stacked(groups[-1][-1]):
                groups[-1].append(factor)
            else:
                groups.append([factor])
        done: list[Any] = []
        slot = -1
        for group in groups:
            inner = self._chain(group)
            slot = inner if not done else self._pair((*done, *group), slot, inner)
            done += group
        self._slots[e] = slot
        return slot

    def _chain(self, factors: Sequence[Any]) -> int:
        slot = self._compile(factors[0])
        for i in range(1, len(factors)):
            slot = self._pair(tuple(factors[: i + 1]), slot, self._compile(factors[i]))
        return slot

    def _pair(self, factors: tuple[Any, ...], left: int, right: int) -> int:
        key = ("product", factors)
        if key in self._slots:
            return self._slots[key]
        mirrored = ("product", tuple(transposed(factor) for factor in reversed(factors)))
        if mirrored in self._slots:
            return self._emit(key, operations.transpose, [self._slots[mirrored]])
        if self._is_unit(left):
            return right
        if self._is_unit(right):
            return left
        return self._emit(key, multiply, [left, right])

    def _is_unit(self, slot: int) -> bool:
        """Whether a constant is 1 or the identity, by which nothing need be multiplied."""
        if not self._fixed[slot]:
            return False
        value = np.asarray(self._values[slot])
        if value.ndim == 2:
            return np.array_equal(value, np.eye(len(value)))
        return value.ndim == 0 and bool(value == 1.0)

    def _power(self, e: Any) -> int:
        base, exponent = e.args
        if not exponent.is_Integer:
            raise SpecificationError(
                "expression", e, "powers must be whole numbers.", "Use Exp for other functions."
            )
        count = abs(int(exponent))
        if exponent < 0:
            core = MatPow(base, count).doit(deep=False)
            return self._emit(e, operations.inverse, [self._compile(core)])
        function = functools.partial(np.linalg.matrix_power, n=count)
        return self._emit(e, function, [self._compile(base)])

    def _inverse(self, e: Any) -> int:
        return self._emit(e, operations.inverse, [self._compile(e.args[0])])

    def _hadamard(self, e: Any) -> int:
        slots = [self._compile(factor) for factor in e.args]
        return self._emit(e, operations.entrywise, slots)

    def _shared(self, argument: Any) -> int:
        """Slot of what the exponential of an argument and its derivatives share."""
        key = ("exponential", argument)
        if key in self._slots:
            return self._slots[key]
        if self._is_stacked(argument):
            raise SpecificationError(
                "stacked", argument, "the exponential is not linear.", "Stack directions only."
            )
        return self._emit(key, exponential, [self._compile(argument)])

    def _exp(self, e: Any) -> int:
        return self._emit(e, operations.value, [self._shared(e.args[0])])

    def _frechet(self, e: Any) -> int:
        # The exponential of the transposed argument may be there already.
        argument, inner = e.args
        mirrored = ("exponential", transposed(argument))
        if ("exponential", argument) not in self._slots and mirrored in self._slots:
            flipped = self._compile(FrechetExp(transposed(argument), transposed(inner)))
            return self._emit(e, operations.transpose, [flipped])
        return self._emit(e, operations.frechet, [self._shared(argument), self._compile(inner)])

    def _frechet2(self, e: Any) -> int:
        argument, first, second = e.args
        if self._is_stacked(first) and self._is_stacked(second):
            raise SpecificationError(
                "stacked", e, "at most one direction may be stacked.", "Fix the other."
            )
        mirrored = ("exponential", transposed(argument))
        if ("exponential", argument) not in self._slots and mirrored in self._slots:
            flipped = self._compile(FrechetExp2(*(transposed(x) for x in e.args)))
            return self._emit(e, operations.transpose, [flipped])
        slots = [self._shared(argument), self._compile(first), self._compile(second)]
        return self._emit(e, operations.frechet2, slots)

    def _scalar(self, e: Any) -> int:
        if e.is_number:
            value = complex(e) if e.is_real is False else float(e)
            return self._new(e, value, fixed=True)
        if isinstance(e, sp.Symbol):
            raise SpecificationError(
                "constants", e.name, "the symbol has no value.", "Add it to `parameters`."
            )
        if isinstance(e, Trace):
            return self._emit(e, operations.trace, [self._compile(e.args[0])])
        if isinstance(e, Determinant):
            return self._emit(e, operations.determinant, [self._compile(e.args[0])])
        if isinstance(e, MatrixElement):
            row, column = (self._size(i) for i in e.args[1:])
            function = functools.partial(operations.entry, row, column)
            return self._emit(e, function, [self._compile(e.args[0])])
        if isinstance(e, (sp.Add, sp.Mul)):
            terms = [self._compile(term) for term in e.args]
            return self._emit(
                e,
                operations.entrywise if isinstance(e, sp.Mul) else operations.entrywise_sum,
                terms,
            )
        plain, leaves = separate(e)
        symbols = sorted(plain.free_symbols, key=lambda symbol: symbol.name)
        function = sp.lambdify(symbols, plain, modules="numpy", cse=True)
        return self._emit(e, function, [self._compile(leaves.get(s, s)) for s in symbols])


_RULES: dict[type, Callable[[MatrixProgram, Any], int]] = {
    MatAdd: MatrixProgram._sum,
    MatMul: MatrixProgram._product,
    MatPow: MatrixProgram._power,
    Inverse: MatrixProgram._inverse,
    HadamardProduct: MatrixProgram._hadamard,
    Exp: MatrixProgram._exp,
    FrechetExp: MatrixProgram._frechet,
    FrechetExp2: MatrixProgram._frechet2,
}
