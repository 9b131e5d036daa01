"""Exact derivatives over structural non-zeros, by symengine where it knows the functions.

The expressions that come back belong to symengine in that case, to sympy otherwise; a `Kernel`
takes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import symengine as se
import sympy as sp

from ..errors import SpecificationError
from .kernel import symengine_knows


@dataclass(frozen=True)
class Entries:
    """Structural non-zeros of an array of expressions.

    Attributes
    ----------
    positions : list of tuple of int
        Their index tuples.
    expressions : list
        Their expressions, in the same order.
    """

    positions: list[tuple[int, ...]]
    expressions: list[Any]


def to_engine(expressions: Sequence[sp.Expr]) -> list[Any]:
    """Convert expressions to symengine when it knows all their functions."""
    if all(symengine_knows(expression) for expression in expressions):
        return [se.sympify(expression) for expression in expressions]
    return list(expressions)


def engine_symbols(expressions: Sequence[Any], symbols: Sequence[sp.Symbol]) -> list[Any]:
    """Return the symbols in the library that the expressions belong to."""
    if expressions and isinstance(expressions[0], sp.Basic):
        return list(symbols)
    return [se.Symbol(symbol.name) for symbol in symbols]


def first_derivatives(expressions: Sequence[Any], symbols: Sequence[Any]) -> Entries:
    """Return the non-zero entries of the Jacobian, row by row, columns ascending.

    Parameters
    ----------
    expressions : sequence of length m
        Expressions of either library.
    symbols : sequence of length k
        Symbols of the same library: the columns.

    Returns
    -------
    Entries
        Positions (row, column).
    """
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    positions: list[tuple[int, ...]] = []
    entries: list[Any] = []
    for row, expression in enumerate(expressions):
        present = [column_of[s] for s in expression.free_symbols if s in column_of]
        for column in sorted(present):
            derivative = _differentiate(expression, symbols[column])
            if derivative != 0:
                positions.append((row, column))
                entries.append(derivative)
    return Entries(positions, entries)


def second_derivatives(jacobian: Entries, symbols: Sequence[Any]) -> Entries:
    """Return the non-zero second derivatives at (row, j, k) with j <= k."""
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    positions: list[tuple[int, ...]] = []
    entries: list[Any] = []
    for (row, first), expression in zip(jacobian.positions, jacobian.expressions, strict=True):
        present = [column_of[s] for s in expression.free_symbols if s in column_of]
        for column in sorted(present):
            if column < first:
                continue
            derivative = _differentiate(expression, symbols[column])
            if derivative != 0:
                positions.append((row, first, column))
                entries.append(derivative)
    return Entries(positions, entries)


def gradient(potential: sp.Expr, symbols: Sequence[sp.Symbol]) -> list[sp.Expr]:
    """Return the gradient of a potential, term by term so that long sums stay cheap."""
    (engine,) = to_engine([potential])
    wanted = engine_symbols([engine], symbols)
    column_of = {symbol: column for column, symbol in enumerate(wanted)}
    collected: list[list[Any]] = [[] for _ in wanted]
    terms = engine.args if type(engine).__name__ == "Add" else (engine,)
    for term in terms:
        for symbol in term.free_symbols:
            column = column_of.get(symbol)
            if column is not None:
                collected[column].append(_differentiate(term, symbol))
    if isinstance(engine, sp.Basic):
        return [sp.Add(*parts) for parts in collected]
    return [sp.sympify(se.Add(*parts)) if parts else sp.S.Zero for parts in collected]


def _differentiate(expression: Any, symbol: Any) -> Any:
    derivative = expression.diff(symbol)
    if isinstance(derivative, sp.Basic) and derivative.has(sp.Derivative, sp.Subs):
        raise SpecificationError(
            "residual",
            expression,
            f"has no explicit derivative with respect to `{symbol}`.",
            "Write the function out in terms of known ones.",
        )
    return derivative
