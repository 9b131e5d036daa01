"""Expressions over boxes: enclosures of their values by interval arithmetic.

Intervals are those of mpmath, which rounds outward. Every node of an expression is evaluated once
for each box, in an order fixed when the function is built.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from mpmath import iv, libmp

Array = np.ndarray


class UnsupportedExpression(Exception):
    """An expression holds a function whose range over an interval is not known here."""


def _monotone(function: Callable[[Any], Any], falling: bool = False) -> Callable[[Any], Any]:
    """Return the interval version of a monotone function of mpmath."""

    def over(interval: Any) -> Any:
        low, high = (interval.b, interval.a) if falling else (interval.a, interval.b)
        with mpmath.workprec(80):
            values = [function(mpmath.mpf(end)) for end in (low, high)]
            if not all(isinstance(value, mpmath.mpf) for value in values):
                return iv.mpf([-iv.inf, iv.inf])
            # 80 bits are right to far more than the 60 that are kept: one unit outward covers it.
            slack = [abs(value) * mpmath.mpf(2) ** -60 + mpmath.mpf(2) ** -1000 for value in values]
            return iv.mpf([values[0] - slack[0], values[1] + slack[1]])

    return over


def _cosh(interval: Any) -> Any:
    far = iv.mpf(max(abs(interval.a), abs(interval.b)))
    top = (iv.exp(far) + iv.exp(-far)) / 2
    if interval.a <= 0 <= interval.b:
        return iv.mpf([1, top.b])
    near = iv.mpf(min(abs(interval.a), abs(interval.b)))
    return iv.mpf([((iv.exp(near) + iv.exp(-near)) / 2).a, top.b])


def _log(interval: Any) -> Any:
    if interval.a <= 0:
        return iv.mpf([-iv.inf, iv.inf])
    return iv.log(interval)


_FUNCTIONS: dict[Any, Callable[[Any], Any]] = {
    sp.exp: iv.exp,
    sp.log: _log,
    sp.sin: iv.sin,
    sp.cos: iv.cos,
    sp.tanh: _monotone(mpmath.tanh),
    sp.sinh: _monotone(mpmath.sinh),
    sp.cosh: _cosh,
    sp.atan: _monotone(mpmath.atan),
    sp.asinh: _monotone(mpmath.asinh),
    sp.asin: _monotone(mpmath.asin),
    sp.acos: _monotone(mpmath.acos, falling=True),
    sp.erf: _monotone(mpmath.erf),
    sp.erfc: _monotone(mpmath.erfc, falling=True),
}


def _power(base: Any, exponent: sp.Expr) -> Any:
    if exponent.is_Integer:
        number = int(exponent)
        if number >= 0:
            return base**number
        return 1 / base**-number
    if base.a < 0:
        return iv.mpf([-iv.inf, iv.inf])
    if exponent == sp.Rational(1, 2):
        return iv.sqrt(base)
    power = _number(exponent)
    if power.a > 0:
        low = iv.mpf(0) if base.a == 0 else iv.exp(power * iv.log(iv.mpf(base.a)))
        high = iv.mpf(0) if base.b == 0 else iv.exp(power * iv.log(iv.mpf(base.b)))
        return iv.mpf([low.a, high.b])
    return 1 / _power(base, -exponent)


def _number(value: sp.Expr) -> Any:
    if value.is_Rational:
        return iv.mpf(int(value.p)) / iv.mpf(int(value.q))
    if value is sp.pi:
        return iv.pi
    if value is sp.E:
        return iv.e
    if value.is_Float:
        exact = sp.Rational(value)
        return iv.mpf(int(exact.p)) / iv.mpf(int(exact.q))
    raise UnsupportedExpression(str(value))


class IntervalFunction:
    """Expressions as a function from boxes to enclosures.

    Parameters
    ----------
    symbols : sequence of Symbol
        The inputs.
    expressions : sequence of Expr
        The outputs.

    Raises
    ------
    UnsupportedExpression
        If an expression holds a function that is not known here.

    Examples
    --------
    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> low, high = IntervalFunction([x], [x**2 - 1])([-1.0], [2.0])
    >>> low.tolist(), high.tolist()
    ([-1.0], [3.0])
    """

    def __init__(self, symbols: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> None:
        self._place = {symbol: k for k, symbol in enumerate(symbols)}
        self._slots: dict[sp.Basic, int] = {}
        self._steps: list[tuple[str, Any, tuple[int, ...]]] = []
        self._outputs = [self._add(sp.sympify(expression)) for expression in expressions]

    def _add(self, node: Any) -> int:
        """Return the slot of a node's value."""
        if node in self._slots:
            return self._slots[node]
        step: tuple[str, Any, tuple[int, ...]]
        if node in self._place:
            step = ("input", self._place[node], ())
        elif not node.args:
            step = ("constant", _number(node), ())
        elif node.is_Add or node.is_Mul:
            children = tuple(self._add(child) for child in node.args)
            step = ("sum" if node.is_Add else "product", None, children)
        elif node.is_Pow and node.base is sp.E:
            step = ("call", iv.exp, (self._add(node.exp),))
        elif node.is_Pow and not node.exp.free_symbols:
            if not (node.exp.is_Rational or node.exp.is_Float):
                raise UnsupportedExpression(str(node))
            step = ("power", node.exp, (self._add(node.base),))
        elif node.is_Pow:
            return self._add(sp.exp(node.exp * sp.log(node.base), evaluate=False))
        elif node.func in _FUNCTIONS:
            step = ("call", _FUNCTIONS[node.func], (self._add(node.args[0]),))
        elif node.func is sp.tan:
            return self._add(sp.Mul(sp.sin(node.args[0]), 1 / sp.cos(node.args[0])))
        else:
            raise UnsupportedExpression(str(node.func))
        self._steps.append(step)
        self._slots[node] = len(self._steps) - 1
        return self._slots[node]

    def __call__(self, low: Any, high: Any) -> tuple[Array, Array]:
        """Return enclosures over the box [low, high]: lower and upper ends, shape (outputs,)."""
        inputs = [iv.mpf([float(a), float(b)]) for a, b in zip(low, high, strict=True)]
        values: list[Any] = []
        for kind, payload, children in self._steps:
            if kind == "input":
                value = inputs[payload]
            elif kind == "constant":
                value = payload
            elif kind == "sum":
                value = sum((values[child] for child in children[1:]), values[children[0]])
            elif kind == "product":
                value = values[children[0]]
                for child in children[1:]:
                    value = value * values[child]
            elif kind == "power":
                value = _power(values[children[0]], payload)
            else:
                value = payload(values[children[0]])
            values.append(value)
        ends = np.array([_ends(values[slot]) for slot in self._outputs]).reshape(-1, 2)
        return ends[:, 0], ends[:, 1]


def _ends(interval: Any) -> tuple[float, float]:
    """Return the ends as floats, rounded outward; of what is not a number, the whole line."""
    low, high = (
        libmp.to_float(end, rnd=way) for end, way in zip(interval._mpi_, "fc", strict=True)
    )
    if low != low or high != high:
        return -math.inf, math.inf
    # Beyond the range of floats conversion may round inward.
    tiny, huge = sys.float_info.min, sys.float_info.max
    if abs(low) < tiny:
        low = -tiny if interval.a < 0 else 0.0
    if abs(high) < tiny:
        high = tiny if interval.b > 0 else 0.0
    return min(low, huge), max(high, -huge)
