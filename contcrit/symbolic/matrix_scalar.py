"""Matrix expressions of size at most 2 as scalar expressions, for compilation to machine code.

Every entry becomes an ordinary expression in the entries of the unknown; the exponential and its
derivatives enter through their closed forms (see `contcrit.symbolic.exponential.Exponential2`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import symengine as se
import sympy as sp
from sympy.matrices.expressions import (
    Determinant,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
    MatPow,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from .exponential_closed import series_coefficients
from .matrix import Exp, FrechetExp, FrechetExp2, separate

Array = np.ndarray
_EXPONENTIALS = (Exp, FrechetExp, FrechetExp2, Inverse, Determinant)
# Within this distance of w = 0 the closed forms cancel, and power series are used.
_NEAR = 4.0


def has_scalar_form(expression: Any, size: int) -> bool:
    """Whether every part of a matrix expression has a closed form at this size."""
    return size <= 2 or not expression.has(*_EXPONENTIALS, MatPow)


class ScalarForm:
    """Expands matrix expressions to entries; equal parts are expanded once.

    Parameters
    ----------
    values : mapping
        Symbol -> number or symengine expression; MatrixSymbol -> object array of them.
    dimensions : mapping
        Symbolic size -> whole number.

    Examples
    --------
    >>> import numpy as np, sympy as sp
    >>> C = sp.MatrixSymbol("C", 1, 1)
    >>> ScalarForm({C: np.array([[se.Symbol("c")]])}, {})(Exp(C) + C)
    array([[c + exp(c)]], dtype=object)
    """

    def __init__(self, values: Mapping[Any, Any], dimensions: Mapping[Any, int]) -> None:
        self._memory: dict[Any, Any] = dict(values)
        self._dimensions = dimensions
        self._shared: dict[Any, _Closed1 | _Closed2] = {}

    def __call__(self, expression: Any) -> Any:
        """Return the entries, an object array; one expression for a scalar."""
        expression = sp.sympify(expression)
        if expression not in self._memory:
            matrix = getattr(expression, "is_Matrix", False)
            expand = self._matrix if matrix else self._scalar
            self._memory[expression] = expand(expression)
        return self._memory[expression]

    def with_value(self, symbol: Any, entries: Array) -> ScalarForm:
        """Return a form where a symbol has another value; the rest is not expanded anew."""
        form = ScalarForm({}, self._dimensions)
        for key, value in self._memory.items():
            if symbol not in key.free_symbols:
                form._memory[key] = value
        for key, shared in self._shared.items():
            if symbol not in key.free_symbols:
                form._shared[key] = shared
        form._memory[symbol] = entries
        return form

    def _size(self, size: Any) -> int:
        return int(self._dimensions.get(size, size))

    def _matrix(self, e: Any) -> Array:
        if isinstance(e, Identity):
            return np.eye(self._size(e.shape[0]), dtype=int).astype(object)
        if isinstance(e, (ZeroMatrix, OneMatrix)):
            shape = self._size(e.shape[0]), self._size(e.shape[1])
            return np.full(shape, int(isinstance(e, OneMatrix)), dtype=object)
        if isinstance(e, sp.MatrixBase):
            return np.array([self(x) for x in e], dtype=object).reshape(e.shape)
        if isinstance(e, Transpose):
            return self(e.args[0]).T
        if isinstance(e, MatAdd):
            return sum((self(term) for term in e.args[1:]), start=self(e.args[0]))
        if isinstance(e, MatMul):
            coefficient, factors = e.as_coeff_matrices()
            result = self(factors[0])
            for factor in factors[1:]:
                result = result @ self(factor)
            return self(coefficient) * result
        if isinstance(e, HadamardProduct):
            result = self(e.args[0])
            for factor in e.args[1:]:
                result = result * self(factor)
            return result
        if isinstance(e, Inverse):
            return _inverse(self(e.args[0]))
        if isinstance(e, MatPow):
            base = self(e.args[0])
            base = base if e.args[1] > 0 else _inverse(base)
            result = base
            for _ in range(abs(int(e.args[1])) - 1):
                result = result @ base
            return result
        if isinstance(e, Exp):
            return self._closed(e.args[0]).value
        if isinstance(e, FrechetExp):
            return self._closed(e.args[0]).frechet(self(e.args[1]))
        return self._closed(e.args[0]).frechet2(self(e.args[1]), self(e.args[2]))

    def _closed(self, argument: Any) -> _Closed1 | _Closed2:
        if argument not in self._shared:
            matrix = self(argument)
            self._shared[argument] = _Closed1(matrix) if len(matrix) == 1 else _Closed2(matrix)
        return self._shared[argument]

    def _scalar(self, e: Any) -> Any:
        if isinstance(e, Trace):
            return se.Add(*np.diagonal(self(e.args[0])).tolist())
        if isinstance(e, Determinant):
            return _determinant(self(e.args[0]))
        if isinstance(e, MatrixElement):
            return self(e.args[0])[self._size(e.args[1]), self._size(e.args[2])]
        plain, leaves = separate(e)
        named = {symbol: self(leaves.get(symbol, symbol)) for symbol in plain.free_symbols}
        return se.sympify(plain).subs({se.sympify(key): value for key, value in named.items()})


def _determinant(a: Array) -> Any:
    return a[0, 0] if len(a) == 1 else a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]


def _inverse(a: Array) -> Array:
    if len(a) == 1:
        return np.array([[1 / se.sympify(a[0, 0])]], dtype=object)
    adjugate = np.array([[a[1, 1], -a[0, 1]], [-a[1, 0], a[0, 0]]], dtype=object)
    return adjugate * (1 / se.sympify(_determinant(a)))


class _Closed1:
    """The exponential of a 1 x 1 matrix."""

    def __init__(self, matrix: Array) -> None:
        self.value = np.array([[se.exp(matrix[0, 0])]], dtype=object)

    def frechet(self, direction: Array) -> Array:
        return self.value * direction

    def frechet2(self, first: Array, second: Array) -> Array:
        return self.value * first * second


class _Closed2:
    """The exponential of a 2 x 2 matrix."""

    def __init__(self, matrix: Array) -> None:
        a, b, c, d = matrix.ravel()
        half = (a - d) / se.Integer(2)
        shift = (a + d) / se.Integer(2)
        self._trace_free = np.array([[half, b], [c, -half]], dtype=object)
        self._w = se.sympify(half * half + b * c)
        self._scale = se.exp(shift)
        self._functions = _entire(self._w)
        cosine, sine = self._scale * self._functions[0], self._scale * self._functions[1]
        self._cosine, self._sine = cosine, sine
        identity = np.eye(2, dtype=int).astype(object)
        self.value = cosine * identity + sine * self._trace_free
        # Factor of dw in the derivative: c' I + S' Y, with c' = S/2.
        slope = self._scale * self._functions[2]
        self._frame = sine / 2 * identity + slope * self._trace_free
        self._slope = slope

    def frechet(self, direction: Array) -> Array:
        trace, free = _split(direction)
        rate = _trace_product(self._trace_free, free)
        return trace * self.value + rate * self._frame + self._sine * free

    def frechet2(self, first: Array, second: Array) -> Array:
        h, h0 = _split(first)
        k, k0 = _split(second)
        y = self._trace_free
        wh, wk = _trace_product(y, h0), _trace_product(y, k0)
        curvature = self._scale * self._functions[3]
        identity = np.eye(2, dtype=int).astype(object)
        bent = self._slope / 2 * identity + curvature * y
        along_h = wh * self._frame + self._sine * h0
        along_k = wk * self._frame + self._sine * k0
        both = wh * wk * bent + _trace_product(h0, k0) * self._frame
        both = both + self._slope * (wh * k0 + wk * h0)
        return h * k * self.value + h * along_k + k * along_h + both


def _split(direction: Array) -> tuple[Any, Array]:
    half = (direction[0, 0] + direction[1, 1]) / se.Integer(2)
    return half, direction - half * np.eye(2, dtype=int).astype(object)


def _trace_product(a: Array, b: Array) -> Any:
    return sum((a[i, j] * b[j, i] for i in range(2) for j in range(2)), start=se.Integer(0))


def _entire(w: Any) -> tuple[Any, Any, Any, Any]:
    """cosh(sqrt w), S = sinh(sqrt w)/sqrt w, S' and S'', each good to rounding for every w."""
    root = se.sqrt(se.Abs(w))
    grow = se.exp(root)
    shrink = 1 / grow
    near = se.Abs(w) < _NEAR
    cosine = [_horner(w, 0, 0), se.cos(root), (grow + shrink) / 2]
    sine = [_horner(w, 1, 0), se.sin(root) / root, (grow - shrink) / 2 / root]
    slopes, curvatures = [_horner(w, 1, 1)], [_horner(w, 1, 2)]
    for c, s in zip(cosine[1:], sine[1:], strict=True):
        slopes.append((c - s) / (2 * w))
        curvatures.append((s - 6 * slopes[-1]) / (4 * w))

    def choose(series: Any, turning: Any, growing: Any) -> Any:
        return se.Piecewise((series, near), (turning, w < 0), (growing, True))

    return choose(*cosine), choose(*sine), choose(*slopes), choose(*curvatures)


def _horner(w: Any, odd: int, order: int) -> Any:
    # Fourteen terms: the first one left out is below 4^14/28! < 1e-21 of the first.
    result = se.RealDouble(0.0)
    for coefficient in series_coefficients(odd, order, 14):
        result = result * w + se.RealDouble(coefficient)
    return result
