"""Compile a grid's equations: one template for each stencil, single equations gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from .compile import Shape
from .flat import FlatFunctions
from .grid_table import Group
from .kernel import Kernel
from .stencil import StencilFunctions, Template, TemplateFunctions, slot_symbols

if TYPE_CHECKING:
    from .grid import GridProblem

Array = np.ndarray

_ROWS_PER_TEMPLATE = 20


class GatheredFunctions:
    """Equations compiled one by one, as functions of the few unknowns that they hold.

    Parameters
    ----------
    equations : sequence of Expr
        In the symbols of `held` and of `rest`.
    held : ndarray of int
        Positions of the unknowns, ascending.
    symbols : sequence of Symbol
        What stands for them.
    rest : sequence of Symbol
        The free parameter (if any), then the others.
    size, columns : int
        Number n of unknowns, and number of leading inputs to differentiate by.

    Attributes
    ----------
    rows, columns : ndarray
        Positions of the Jacobian's entries, in the order of the data of `joint`.
    """

    def __init__(
        self,
        equations: Sequence[sp.Expr],
        held: Array,
        symbols: Sequence[sp.Symbol],
        rest: Sequence[sp.Symbol],
        size: int,
        columns: int,
    ) -> None:
        free = columns - size
        self._take = np.concatenate([held, size + np.arange(len(rest))]).astype(np.intp)
        self._flat = FlatFunctions([*symbols, *rest], equations, len(symbols) + free, dense=False)
        self.rows = self._flat.rows
        self.columns = self._take[self._flat.columns]

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self._flat.backend

    @property
    def native_kernel(self) -> Kernel:
        """The joint function's kernel, of the inputs at `taken`."""
        return self._flat.joint_kernel

    @property
    def taken(self) -> Array:
        """Positions of its inputs among all."""
        return self._take

    def residual(self, values: Array) -> Array:
        """Return the residual of the rows."""
        return self._flat.residual(values[self._take].astype(float, copy=False))

    def joint(self, values: Array) -> tuple[Array, Array]:
        """Return the residual and the Jacobian's data."""
        return self._flat.joint(values[self._take])

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        local, entries = self._flat.second(values[self._take])
        positions = local.copy()
        positions[:, 1:] = self._take[local[:, 1:]]
        return positions, entries


def compile_grid(problem: GridProblem, parameter: str | None) -> Shape:
    """Differentiate and compile a grid's equations for one free parameter (None: none)."""
    by_name = dict(zip(problem.parameter_names, problem.parameters, strict=True))
    free = [] if parameter is None else [by_name[parameter]]
    rest = [*free, *(symbol for name, symbol in by_name.items() if name != parameter)]
    size, width = problem.size, problem.size + len(free)
    parts: list[tuple[Array, Any]] = []
    single_rows: list[int] = []
    singles: list[tuple[sp.Expr, Array]] = []
    for rows, expression, group in templates(problem):
        if len(rows) >= _ROWS_PER_TEMPLATE:
            fixed = {
                sp.Symbol(name): array.ravel()[group.points]
                for name, array in problem._coefficients.items()
                if sp.Symbol(name) in expression.free_symbols
            }
            template = Template(expression, group.slots, fixed)
            parts.append((rows, TemplateFunctions(template, rest, size, width)))
            continue
        for row, point, slots in zip(rows, group.points, group.slots, strict=True):
            numbers = {
                sp.Symbol(name): sp.Float(float(array.ravel()[point]))
                for name, array in problem._coefficients.items()
            }
            single_rows.append(int(row))
            singles.append((expression.xreplace(numbers), slots))
    if singles:
        held = np.unique(np.concatenate([slots for _, slots in singles]))
        symbols = [sp.Symbol(f"unknown {k}") for k in held]
        symbol_of = dict(zip(held.tolist(), symbols, strict=True))
        equations = [
            expression.xreplace(
                dict(zip(slot_symbols(len(slots)), (symbol_of[int(k)] for k in slots), strict=True))
            )
            for expression, slots in singles
        ]
        gathered = GatheredFunctions(equations, held, symbols, rest, size, width)
        parts.append((np.array(single_rows, dtype=np.intp), gathered))
    return Shape(StencilFunctions(parts), width)


def templates(problem: GridProblem) -> list[tuple[Array, sp.Expr, Group]]:
    """Return each template: its rows, its expression in slots, and the group of its points."""
    table = problem._table
    found = []
    for number, (field, (expression, neighbours)) in enumerate(problem._solved().items()):
        for group in problem._groups[field]:
            slots = slot_symbols(group.slots.shape[1])
            swap = {
                neighbour.symbol: slots[code] if code >= 0 else table.values[-1 - code]
                for neighbour, code in zip(neighbours, group.meaning, strict=True)
            }
            rows = group.points + number * table.points
            found.append((rows, expression.xreplace(swap), group))
    return found


def is_symmetric_grid(problem: GridProblem) -> bool:
    """Whether the Jacobian is symmetric, shown where what couples points is free of unknowns.

    The answer False only means that symmetry could not be shown.
    """
    size = problem.size
    rows, columns, codes = [], [], []
    expressions: list[sp.Expr] = []
    for own, expression, group in templates(problem):
        slots = slot_symbols(group.slots.shape[1])
        for slot, symbol in enumerate(slots):
            derivative = sp.expand(sp.diff(expression, symbol))
            column = group.slots[:, slot]
            off = np.flatnonzero(column != own)
            if derivative == 0 or not off.size:
                continue
            held = derivative.free_symbols
            if held & set(slots) or any(sp.Symbol(k) in held for k in problem._coefficients):
                return False
            if derivative not in expressions:
                expressions.append(derivative)
            rows.append(own[off])
            columns.append(column[off])
            codes.append(np.full(off.size, expressions.index(derivative)))
    if not rows:
        return True
    row, column, code = (np.concatenate(part) for part in (rows, columns, codes))
    one, other = np.argsort(row * size + column), np.argsort(column * size + row)
    return (
        np.array_equal(row[one], column[other])
        and np.array_equal(column[one], row[other])
        and np.array_equal(code[one], code[other])
    )
