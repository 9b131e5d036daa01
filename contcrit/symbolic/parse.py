"""Text to sympy and back, without evaluating anything: Python's grammar, a short list of names.

``parse_expression(format_expression(e), symbols)`` is ``e`` again, floats to the last bit.
"""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from ..errors import SpecificationError
from .markers import ARITIES, MARKERS

MAXIMUM_LENGTH = 5_000_000
MAXIMUM_DEPTH = 150
MAXIMUM_EXPONENT = 1000
_CHUNK = 100

CONSTANTS: dict[str, sp.Expr] = {"pi": sp.pi, "E": sp.E}
"""Names of numbers."""

FUNCTIONS: dict[str, tuple[Callable[..., sp.Expr], int]] = {
    name: (getattr(sp, name), 1)
    for name in (
        "exp log sqrt sin cos tan cot sec csc asin acos atan acot sinh cosh tanh coth sech csch "
        "asinh acosh atanh acoth erf erfc gamma loggamma digamma LambertW"
    ).split()
} | {
    "atan2": (sp.atan2, 2),
    "besselj": (sp.besselj, 2),
    "bessely": (sp.bessely, 2),
    "besseli": (sp.besseli, 2),
    "besselk": (sp.besselk, 2),
    "polygamma": (sp.polygamma, 2),
    "beta": (sp.beta, 2),
    "Abs": (sp.Abs, 1),
    **{name: (MARKERS[name], count) for name, count in ARITIES.items()},
}
"""Functions that text may call, with the number of their arguments."""

# Of large whole numbers these are evaluated exactly, which may take for ever.
_COSTLY = frozenset(
    "gamma loggamma digamma polygamma beta besselj bessely besseli besselk LambertW".split()
)
_VARIADIC: dict[str, Callable[..., sp.Expr]] = {
    "Max": sp.Max,
    "Min": sp.Min,
    "maximum": MARKERS["maximum"],
    "minimum": MARKERS["minimum"],
}
RESERVED = frozenset({*CONSTANTS, *FUNCTIONS, *_VARIADIC})
"""Names that a symbol in text cannot have."""


def is_plain_name(name: str) -> bool:
    """Whether a symbol of this name can stand in text as it is."""
    return (
        name.isidentifier()
        and name.isascii()
        and not keyword.iskeyword(name)
        and (name not in RESERVED)
    )


def parse_expression(
    text: str,
    symbols: Mapping[str, sp.Symbol],
    *,
    rational: bool = False,
    functions: Mapping[str, Callable[..., sp.Expr]] | None = None,
) -> sp.Expr:
    """Return the expression that a text states.

    Parameters
    ----------
    text : str
        Operators + - * / ** and parentheses, numbers, names, function calls.
    symbols : mapping of str to Symbol
        The names that the text may use; they come before ``pi`` and ``E``.
    rational : bool, optional
        Read decimal numbers as exact fractions instead of floats (default False).
    functions : mapping of str to callable, optional
        Functions allowed beside `FUNCTIONS`, such as those with kinks.

    Returns
    -------
    Expr
        Whole numbers become Integers, decimal ones Floats with the value of the double.

    Raises
    ------
    SpecificationError
        If the text is not an expression of this kind, or is too large.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic import parse_expression
    >>> parse_expression("x**2 - exp(1/2)", {"x": sp.Symbol("x")})
    x**2 - exp(1/2)
    """
    if not isinstance(text, str):
        raise SpecificationError("text", text, "needs text.", "Give a string.")
    if len(text) > MAXIMUM_LENGTH:
        raise SpecificationError(
            "text", f"{len(text)} characters", "is too long.", "Build the problem in Python."
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SpecificationError(
            "text", text, f"is not an expression ({error}).", "Write it as in Python: 2*x**2."
        ) from error
    return _Reader(text, symbols, rational, functions or {}).read(tree.body, 0)


class _Reader:
    """Turns a syntax tree into an expression, refusing every node that is not listed."""

    def __init__(
        self,
        text: str,
        symbols: Mapping[str, sp.Symbol],
        rational: bool,
        functions: Mapping[str, Callable[..., sp.Expr]],
    ) -> None:
        self._text = text
        self._symbols = symbols
        self._rational = rational
        self._functions = functions

    def read(self, node: ast.expr, depth: int) -> sp.Expr:
        if depth > MAXIMUM_DEPTH:
            self._refuse(node, "is nested too deeply.", "Split it up.")
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            operand = self.read(node.operand, depth + 1)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            parts = self._chain(node, (ast.Add, ast.Sub), depth)
            return self._sound(sp.Add(*(-e if flip else e for e, flip in parts)), node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
            parts = self._chain(node, (ast.Mult, ast.Div), depth)
            if any(flip and value.is_zero for value, flip in parts):
                self._refuse(node, "divides by zero.", "Remove the division.")
            return self._sound(sp.Mul(*(1 / e if flip else e for e, flip in parts)), node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return self._power(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        return self._refuse(
            node,
            f"contains `{type(node).__name__}`, which is not allowed.",
            "Use + - * / **, parentheses, numbers, declared names and functions.",
        )

    def _chain(
        self, node: ast.expr, operators: tuple[type[ast.operator], ...], depth: int
    ) -> list[tuple[sp.Expr, bool]]:
        # A long sum is one left-leaning chain: walk it in a loop, and add all terms at once.
        parts: list[tuple[sp.Expr, bool]] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, operators):
            flip = isinstance(node.op, (ast.Sub, ast.Div))
            parts.append((self.read(node.right, depth + 1), flip))
            node = node.left
        parts.append((self.read(node, depth + 1), False))
        return parts[::-1]

    def _number(self, node: ast.Constant) -> sp.Expr:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self._refuse(node, "contains something that is not a real number.", "Remove it.")
        if isinstance(value, int):
            return sp.Integer(value)
        if not math.isfinite(value):
            return self._refuse(node, "contains a number beyond the floats.", "Scale it.")
        if self._rational:
            written = ast.get_source_segment(self._text.strip(), node)
            return sp.Rational((written or repr(value)).replace("_", ""))
        return sp.Float(value)

    def _name(self, node: ast.Name) -> sp.Expr:
        if node.id in self._symbols:
            return self._symbols[node.id]
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        return self._refuse(
            node,
            f"uses the name `{node.id}`, which is not declared.",
            f"Declared are: {', '.join(list(self._symbols)[:20]) or 'none'}.",
        )

    def _power(self, node: ast.BinOp, depth: int) -> sp.Expr:
        base = self.read(node.left, depth + 1)
        exponent = self.read(node.right, depth + 1)
        if exponent.is_number and not bool(abs(exponent) <= MAXIMUM_EXPONENT):
            self._refuse(node, f"has an exponent beyond {MAXIMUM_EXPONENT}.", "Lower it.")
        if base.is_zero and not exponent.is_nonnegative:
            self._refuse(node, "divides by zero.", "Remove the division.")
        if base.is_Rational and exponent.is_Rational:
            bits = max(int(base.p).bit_length(), int(base.q).bit_length())
            if bits * abs(float(exponent)) > 20_000:
                self._refuse(node, "has a power with too many digits.", "Use floats.")
        return self._sound(base**exponent, node)

    def _call(self, node: ast.Call, depth: int) -> sp.Expr:
        known = [*FUNCTIONS, *_VARIADIC, *self._functions]
        if not isinstance(node.func, ast.Name) or node.func.id not in known:
            shown = node.func.id if isinstance(node.func, ast.Name) else type(node.func).__name__
            return self._refuse(
                node, f"calls `{shown}`, which is not allowed.", f"Functions: {', '.join(known)}."
            )
        name = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self._refuse(node, "passes arguments by name or star.", "List them.")
        arguments = [self.read(argument, depth + 1) for argument in node.args]
        if name in FUNCTIONS and len(arguments) != FUNCTIONS[name][1]:
            self._refuse(
                node, f"gives `{name}` {len(arguments)} arguments.", f"Give {FUNCTIONS[name][1]}."
            )
        if not arguments:
            self._refuse(node, f"gives `{name}` no argument.", "Give one.")
        function = (
            self._functions[name]
            if name in self._functions
            else _VARIADIC.get(name) or FUNCTIONS[name][0]
        )
        if name in _COSTLY and any(
            part.is_number and not bool(abs(part) <= MAXIMUM_EXPONENT) for part in arguments
        ):
            self._refuse(node, f"has a number beyond {MAXIMUM_EXPONENT} in `{name}`.", "Scale it.")
        try:
            value = function(*arguments)
        except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
            return self._refuse(node, f"cannot be formed ({error}).", "Check the arguments.")
        return self._sound(value, node)

    def _sound(self, value: sp.Expr, node: ast.expr) -> sp.Expr:
        if value.is_Float and not math.isfinite(float(value)):
            self._refuse(node, "overflows.", "Scale it.")
        if not value.args and value in (sp.nan, sp.zoo, sp.oo, -sp.oo):
            self._refuse(node, "is not finite.", "Remove the division by zero.")
        if value.is_number and value.has(sp.I, sp.nan, sp.zoo, sp.oo):
            self._refuse(node, "is not a finite real number.", "Use real numbers only.")
        return value

    def _refuse(self, node: ast.AST, rule: str, remedy: str) -> Any:
        part = ast.get_source_segment(self._text.strip(), node) or self._text
        raise SpecificationError("text", part, rule, remedy)


def format_expression(expression: sp.Expr, names: Mapping[sp.Symbol, str] | None = None) -> str:
    """Return text that `parse_expression` turns back into the same expression.

    Parameters
    ----------
    expression : Expr
        An expression of the functions that `parse_expression` knows.
    names : mapping of Symbol to str, optional
        What to write for symbols whose names cannot stand in text.

    Raises
    ------
    SpecificationError
        If the expression holds something that text cannot state.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic import format_expression
    >>> format_expression(sp.Symbol("x") / 3 + sp.Float(0.1))
    '0.1 + 1/3*x'
    """
    return _write(sp.sympify(expression), names or {}, 0)[0]


_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly a text binds


def _write(node: Any, names: Mapping[sp.Symbol, str], depth: int) -> tuple[str, int]:
    """Return a node's text, and how tightly it binds."""
    if depth > MAXIMUM_DEPTH // 2:
        raise SpecificationError(
            "expression", type(node), "is nested too deeply for text.", "Split it up."
        )
    if isinstance(node, sp.Symbol):
        return _write_symbol(node, names), _ATOM
    if isinstance(node, sp.Integer):
        return (str(node.p), _ATOM) if node.p >= 0 else (str(node.p), _SUM)
    if isinstance(node, sp.Rational):
        return f"{node.p}/{node.q}", _PRODUCT if node.p > 0 else _SUM
    if isinstance(node, sp.Float):
        text = _write_float(node)
        return text, _SUM if text.startswith("-") else _ATOM
    for name, constant in CONSTANTS.items():
        if node == constant:
            return name, _ATOM
    parts = [_write(argument, names, depth + 1) for argument in node.args]
    if isinstance(node, sp.Add):
        return _join([text for text, _ in parts], " + ").replace(" + -", " - "), _SUM
    if isinstance(node, sp.Mul):
        texts = [_wrap(part, _POWER) for part in parts]
        if node.args[0].is_Number:
            texts[0] = parts[0][0]  # a leading number needs no parentheses: -1/2*x
        return _join(texts, "*"), _PRODUCT
    if isinstance(node, sp.Pow):
        return f"{_wrap(parts[0], _ATOM)}**{_wrap(parts[1], _ATOM)}", _POWER
    name = type(node).__name__
    if name in RESERVED and FUNCTIONS.get(name, (None, len(parts)))[1] == len(parts):
        return f"{name}({', '.join(text for text, _ in parts)})", _ATOM
    raise SpecificationError(
        "expression",
        node,
        f"contains `{name}`, which text cannot state.",
        f"Text knows: {', '.join(FUNCTIONS)}.",
    )


def _wrap(part: tuple[str, int], needed: int) -> str:
    text, binding = part
    return text if binding >= needed else f"({text})"


def _write_symbol(symbol: sp.Symbol, names: Mapping[sp.Symbol, str]) -> str:
    name = names.get(symbol, symbol.name)
    if not is_plain_name(name):
        raise SpecificationError(
            "names", name, "cannot stand in text.", "Rename the symbol, or give `names`."
        )
    return name


def _write_float(node: sp.Float) -> str:
    value = float(node)
    if not math.isfinite(value) or sp.Float(value) != node:
        raise SpecificationError(
            "expression", node, "holds a number that is not a double.", "Round it to a float."
        )
    return repr(value)


def _join(parts: list[str], operator: str) -> str:
    # Long chains are cut into groups: Python's parser limits the depth of one chain.
    while len(parts) > _CHUNK:
        parts = [
            "(" + operator.join(parts[start : start + _CHUNK]) + ")"
            for start in range(0, len(parts), _CHUNK)
        ]
    return operator.join(parts)
