"""One compiled vector function of floats, by the fastest backend that knows its functions.

References
----------
symengine's ``Lambdify`` compiles with LLVM; sympy's ``lambdify`` knows scipy's special functions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import symengine as se
import sympy as sp

from ..errors import SpecificationError

# Operations up to which LLVM optimises fully (about 0.15 s), compiles at all, or is interpreted.
_OPTIMISED = 1500
_COMPILED = 30_000
_KNOWN = frozenset(
    "Add Mul Pow Symbol Integer Rational Float One Zero NegativeOne Half Pi Exp1 EulerGamma exp "
    "log sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth sech csch asinh "
    "acosh atanh acoth atan2 erf erfc".split()
)


@dataclass(frozen=True)
class NativeFunction:
    """Address of a compiled function ``void f(double *out, const double *in, void *data)``.

    Attributes
    ----------
    address, data : int
        The function and its third argument.
    in_size, out_size : int
        Lengths of the two arrays.
    inputs, outputs : tuple of str
        Names of the inputs (z, then the other parameters) and of the outputs (residual, then the
        Jacobian, row-major).
    constants : ndarray
        Values of the other parameters: the end of the input array.
    keep_alive : object
        Holds the machine code; the address dies with it.
    """

    address: int
    data: int
    in_size: int
    out_size: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: np.ndarray
    keep_alive: Any = field(repr=False)


def symengine_knows(expression: sp.Basic) -> bool:
    """Whether symengine can differentiate and compile every part of a sympy expression."""
    return all(type(node).__name__ in _KNOWN for node in sp.preorder_traversal(expression))


def _input_symbols(inputs: Sequence[sp.Symbol], outputs: Sequence[Any]) -> list[Any]:
    """Return the inputs as symengine's symbols; those that no output holds under another name.

    Common subexpressions are called x0, x1, ... but for names that occur in the outputs: an unused
    input of that name would be read in place of the subexpression.
    """
    held = {str(symbol) for output in outputs for symbol in output.free_symbols}
    return [
        se.Symbol(symbol.name if symbol.name in held else f"unused input {position}")
        for position, symbol in enumerate(inputs)
    ]


class Kernel:
    """A vector function compiled from expressions.

    Parameters
    ----------
    inputs : sequence of sympy.Symbol
        The arguments, in order.
    expressions : sequence of symengine or sympy expressions
        The outputs, in order.

    Attributes
    ----------
    backend : str
        "symengine-llvm", "symengine-lambda", "sympy-scipy", "sympy-mpmath" or "constant".
    """

    def __init__(self, inputs: Sequence[sp.Symbol], expressions: Sequence[Any]) -> None:
        self.in_size = len(inputs)
        self.out_size = len(expressions)
        self.backend = "constant"
        self._compiled: Any = None
        self._call: Callable[[np.ndarray], Sequence[Any]] | None = None
        if self.out_size and not self._try_symengine(inputs, expressions):
            self._use_sympy(inputs, expressions)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Evaluate at one input vector (contiguous float64), shape (out_size,)."""
        out = np.empty(self.out_size)
        if self._compiled is not None:
            self._compiled.unsafe_real(values, out)
        elif self._call is not None:
            self._fill(values, out)
        return out

    def batch(self, values: np.ndarray) -> np.ndarray:
        """Evaluate at many input vectors, shape (..., in_size) to (..., out_size)."""
        flat = np.ascontiguousarray(values, dtype=float).reshape(-1, self.in_size)
        out = np.empty((flat.shape[0], self.out_size))
        if self._compiled is not None and flat.size:
            out = np.asarray(self._compiled(flat), dtype=float).reshape(out.shape)
        else:
            for row, result in zip(flat, out, strict=True):
                result[:] = self(row)
        return out.reshape((*np.shape(values)[:-1], self.out_size))

    def native(self) -> tuple[int, int, Any] | None:
        """Return the address, the data pointer and the object that owns them, or None."""
        if self.backend != "symengine-llvm":
            return None
        function, data = self._compiled.as_ctypes()
        address = ctypes.cast(function, ctypes.c_void_p).value
        if address is None or data.value is None:
            return None
        return address, data.value, (self._compiled, function, data)

    def _try_symengine(self, inputs: Sequence[sp.Symbol], expressions: Sequence[Any]) -> bool:
        if any(isinstance(e, sp.Basic) and not symengine_knows(e) for e in expressions):
            return False
        outputs = [se.sympify(expression) for expression in expressions]
        symbols = _input_symbols(inputs, outputs)
        operations = int(se.count_ops(outputs)) + len(outputs)
        attempts: list[tuple[str, dict[str, Any]]] = [("lambda", {})]
        if operations <= _COMPILED:
            attempts.insert(0, ("llvm", {} if operations <= _OPTIMISED else {"opt_level": 0}))
        for name, options in attempts:
            try:
                compiled = se.Lambdify(
                    symbols, outputs, backend=name, cse=operations <= _COMPILED, **options
                )
                compiled.unsafe_real(np.full(self.in_size, 0.5), np.empty(self.out_size))
            except (RuntimeError, ValueError, TypeError):
                continue  # symengine cannot compile one of the functions: the next backend may
            self.backend = f"symengine-{name}"
            self._compiled = compiled
            return True
        return False

    def _use_sympy(self, inputs: Sequence[sp.Symbol], expressions: Sequence[Any]) -> None:
        outputs = [sp.sympify(expression) for expression in expressions]
        trial = np.full(self.in_size, 0.5)
        reason: Exception | None = None
        for name, modules in (("scipy", ["scipy", "numpy"]), ("mpmath", ["mpmath"])):
            try:
                function = sp.lambdify(list(inputs), outputs, modules=modules, cse=True)
                self._call = lambda values, function=function: function(*values)
                self._fill(trial, np.empty(self.out_size))
            except (NameError, TypeError, RuntimeError, AttributeError) as error:
                reason = error
                continue
            self.backend = f"sympy-{name}"
            return
        raise SpecificationError(
            "residual",
            str(reason),
            "contains a function that no backend can evaluate.",
            "Write it with elementary functions, or those of scipy.special.",
        ) from reason

    def _fill(self, values: np.ndarray, out: np.ndarray) -> None:
        assert self._call is not None
        try:
            with np.errstate(all="ignore"):
                results = self._call(values)
        except (ZeroDivisionError, OverflowError, ValueError):
            out[:] = np.nan  # outside the domain: not finite, as from compiled code
            return
        for position, result in enumerate(results):
            number = complex(result)
            out[position] = number.real if number.imag == 0 else np.nan
