"""Bring sympy input into one canonical form, and refuse what a smooth problem cannot hold.

Names decide identity: ``Symbol("x")`` and ``Symbol("x", real=True)`` become the same plain symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from ..errors import SpecificationError
from .markers import MARKERS

_KINKS = (
    sp.Max,
    sp.Min,
    sp.Abs,
    sp.Piecewise,
    sp.Heaviside,
    sp.sign,
    sp.floor,
    sp.ceiling,
    sp.frac,
    sp.Mod,
    sp.DiracDelta,
    sp.SingularityFunction,
)
_LARGEST = sp.Integer(2) ** 1023
_COMPLEX = (sp.re, sp.im, sp.conjugate, sp.arg)
_UNRESOLVED = (sp.Derivative, sp.Subs, sp.Integral, sp.Sum, sp.Product, sp.Limit, AppliedUndef)


def is_kink(node: Any) -> bool:
    """Whether a node of an expression is a function with a kink or a jump."""
    return isinstance(node, _KINKS) or type(node).__name__ in MARKERS


def as_name(symbol: Any, argument: str) -> str:
    """Return the name of a Symbol or string, or refuse anything else."""
    if isinstance(symbol, sp.Symbol):
        return str(symbol.name)
    if isinstance(symbol, str):
        return symbol
    name = getattr(symbol, "name", None)
    if isinstance(name, str) and type(symbol).__module__.startswith("symengine"):
        return name
    raise SpecificationError(
        argument, symbol, "needs a sympy Symbol or its name.", "Make one with sympy.symbols('x')."
    )


def as_expression(value: Any, argument: str) -> sp.Expr:
    """Return one sympy expression, or refuse with the reason."""
    if isinstance(value, (str, bytes)):
        raise SpecificationError(
            argument,
            value,
            "needs sympy expressions, not text.",
            "Convert text with contcrit.symbolic.parse_expression(text, symbols).",
        )
    if isinstance(value, (bool, np.bool_)):
        raise SpecificationError(
            argument, value, "needs expressions, not truth values.", "Write an expression."
        )
    try:
        expression = sp.sympify(value, strict=True)
    except (sp.SympifyError, TypeError, ValueError, AttributeError) as error:
        raise SpecificationError(
            argument, value, "needs sympy expressions or numbers.", "Write it with sympy."
        ) from error
    if isinstance(expression, sp.Equality):
        raise SpecificationError(
            argument,
            expression,
            "needs an expression that is zero at solutions, not an equation.",
            "Write the left side minus the right side.",
        )
    if not isinstance(expression, sp.Expr):
        raise SpecificationError(
            argument, expression, "needs scalar expressions.", "Give one expression for each row."
        )
    return expression


def expression_list(value: Any, argument: str) -> list[sp.Expr]:
    """Flatten expressions, sympy matrices, arrays and nested sequences, row-major."""
    if isinstance(value, sp.MatrixBase):
        return [as_expression(entry, argument) for entry in value.tolist() for entry in entry]
    if isinstance(value, np.ndarray):
        return [as_expression(entry, argument) for entry in value.ravel().tolist()]
    if isinstance(value, sp.MatrixExpr):
        raise SpecificationError(
            argument,
            value,
            "needs explicit entries, not a matrix expression.",
            "Call .as_explicit(), or use MatrixProblem.",
        )
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return [as_expression(value, argument)]
    if isinstance(value, Mapping):
        raise SpecificationError(
            argument, value, "needs a list of expressions.", "Give the values in order."
        )
    flat: list[sp.Expr] = []
    for entry in value:
        flat.extend(expression_list(entry, argument))
    return flat


class Normaliser:
    """Rewrites expressions over the declared symbols, with one memory for all of them.

    Parameters
    ----------
    symbols : mapping of str to Symbol
        The declared names and their plain symbols.
    smooth : bool
        Whether functions with kinks are refused (default True).
    """

    def __init__(self, symbols: Mapping[str, sp.Symbol], smooth: bool = True) -> None:
        self._symbols = symbols
        self._smooth = smooth
        self._memory: dict[Any, Any] = {}
        self._dummies: dict[str, sp.Symbol] = {}

    def __call__(self, expression: sp.Expr, argument: str) -> sp.Expr:
        """Return the canonical expression.

        Raises
        ------
        SpecificationError
            If it holds an undeclared symbol, a kink, a complex or infinite number, or an
            operation that is not carried out.
        """
        memory = self._memory
        stack: list[tuple[Any, bool]] = [(expression, False)]
        while stack:
            node, ready = stack.pop()
            if node in memory:
                continue
            if ready or not node.args:
                memory[node] = self._rewrite(node, argument)
            else:
                self._check(node, argument)
                stack.append((node, True))
                stack.extend((child, False) for child in node.args)
        result = memory[expression]
        if not result.args:
            # Rebuilding can uncover a kink or an infinity; atoms are checked when they are made.
            self._check_value(result, argument)
        return result

    def _rewrite(self, node: Any, argument: str) -> Any:
        if isinstance(node, sp.Symbol):
            return self._symbol(node, argument)
        if isinstance(node, sp.Float):
            self._check_value(node, argument)
            return sp.Float(float(node))
        if not node.args:
            self._check(node, argument)
            self._check_value(node, argument)
            return node
        rebuilt = node.func(*(self._memory[child] for child in node.args))
        self._check(rebuilt, argument)
        self._check_value(rebuilt, argument)
        return rebuilt

    def _symbol(self, symbol: sp.Symbol, argument: str) -> sp.Symbol:
        declared = self._symbols.get(symbol.name)
        if declared is None:
            raise SpecificationError(
                argument,
                symbol.name,
                "contains a symbol that is neither an unknown nor a parameter.",
                f"Declare `{symbol.name}` among the parameters, or substitute its value.",
            )
        if isinstance(symbol, sp.Dummy):
            first = self._dummies.setdefault(symbol.name, symbol)
            if first != symbol:
                _refuse_twins(symbol.name)
        return declared

    def _check(self, node: Any, argument: str) -> None:
        if self._smooth and is_kink(node):
            raise SpecificationError(
                argument,
                node,
                f"has a kink or jump: `{type(node).__name__}`; it is not differentiable there.",
                "Use PiecewiseProblem with the functions relu, leaky_relu, absolute or maximum.",
            )
        if isinstance(node, _COMPLEX) or node is sp.I:
            raise SpecificationError(
                argument,
                node,
                "must be real.",
                "Write real and imaginary parts as unknowns of their own.",
            )
        if isinstance(node, _UNRESOLVED):
            raise SpecificationError(
                argument,
                node,
                "contains an operation or function that is not given explicitly.",
                "Carry it out first, such as with .doit(), or write the function out.",
            )
        if not isinstance(node, sp.Expr) and self._smooth:
            raise SpecificationError(
                argument, node, "contains a part that is not a number.", "Use scalar expressions."
            )
        if isinstance(node, sp.MatrixExpr):
            raise SpecificationError(
                argument,
                node,
                "contains a matrix expression.",
                "Write its entries out, or use MatrixProblem.",
            )

    def _check_value(self, node: Any, argument: str) -> None:
        if not getattr(node, "is_number", False):
            return
        if node.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or (
            isinstance(node, sp.Float) and not np.isfinite(float(node))
        ):
            raise SpecificationError(
                argument, node, "must be finite.", "Remove the division by zero or the overflow."
            )
        if isinstance(node, sp.Rational) and abs(node) > _LARGEST:
            raise SpecificationError(
                argument, f"{type(node).__name__}", "exceeds the largest float.", "Scale it."
            )
        if node.has(sp.I) or node.is_real is False:
            raise SpecificationError(
                argument, node, "must be real.", "Write it with real numbers only."
            )


def _refuse_twins(name: str) -> NoReturn:
    raise SpecificationError(
        "unknowns",
        name,
        "two different symbols share this name, and names decide identity.",
        "Rename one of them.",
    )


def plain_symbols(
    unknowns: Sequence[Any], parameters: Sequence[Any]
) -> tuple[tuple[sp.Symbol, ...], tuple[sp.Symbol, ...]]:
    """Return plain symbols for the declared unknowns and parameters, all names distinct."""
    seen: dict[str, str] = {}
    plain: dict[str, list[sp.Symbol]] = {"unknowns": [], "parameters": []}
    for argument, group in (("unknowns", unknowns), ("parameters", parameters)):
        for symbol in group:
            if isinstance(symbol, str) or not isinstance(symbol, sp.Symbol):
                raise SpecificationError(
                    argument,
                    symbol,
                    "needs sympy symbols.",
                    "Make them with sympy.symbols('x y').",
                )
            name = symbol.name
            if name in seen:
                rule = (
                    "holds the same symbol twice."
                    if seen[name] == argument
                    else "holds a symbol that is also an unknown."
                )
                raise SpecificationError(
                    argument, name, rule, "Every name belongs to one unknown or one parameter."
                )
            seen[name] = argument
            plain[argument].append(sp.Symbol(name))
    return tuple(plain["unknowns"]), tuple(plain["parameters"])
