"""Group equations that differ only in which unknowns they hold, and evaluate each group at once.

A discretised differential equation has thousands of equations but few templates: one per stencil.
Each template is differentiated and compiled once, then evaluated on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from ..linalg import as_slice
from .derivatives import engine_symbols, first_derivatives, second_derivatives, to_engine
from .flat import FlatFunctions
from .kernel import Kernel

Array = np.ndarray

_ROWS_PER_TEMPLATE = 20  # fewer rows are evaluated one by one; templates must outdo that on average


@dataclass
class Template:
    """One stencil: its expression and, for each of its rows, the unknowns that fill its slots.

    Parameters
    ----------
    expression : Expr
        In the symbols of `slot_symbols`, the parameters, and those of `fixed`.
    slots : ndarray of int, shape (rows, slots)
        Positions of unknowns, ascending within each row.
    fixed : dict of Symbol to ndarray of shape (rows,)
        Given numbers that differ from row to row.
    """

    expression: sp.Expr
    slots: Array
    fixed: dict[sp.Symbol, Array] = field(default_factory=dict)


class StencilFunctions:
    """Residual, Jacobian entries and second derivatives, part by part.

    Parameters
    ----------
    parts : sequence of (ndarray, functions)
        Rows of each part, and the functions that evaluate them.

    Attributes
    ----------
    rows, columns : ndarray
        Positions of the Jacobian's entries, column by column, in the order of the data of `joint`.
    """

    dense = False

    def __init__(self, parts: Sequence[tuple[Array, Any]]) -> None:
        self._parts = [(as_slice(rows), part) for rows, part in parts]
        self._rows = [rows for rows, _ in parts]
        self.rows_count = sum(rows.size for rows in self._rows)
        rows = np.concatenate([own[part.rows] for own, part in parts])
        columns = np.concatenate([part.columns for _, part in parts])
        order = np.argsort(columns * self.rows_count + rows, kind="stable")
        self.rows, self.columns = rows[order], columns[order]
        places = np.empty(order.size, dtype=np.intp)
        places[order] = np.arange(order.size)
        # Where the data of each part go; those of templates come derivative by derivative.
        self._targets: list[list[Any]] = []
        self._constant = np.zeros(order.size)
        start = 0
        for own, part in parts:
            mine = places[start : start + part.rows.size]
            start += part.rows.size
            if isinstance(part, TemplateFunctions):
                by_derivative = mine.reshape(-1, own.size)
                self._targets.append([as_slice(by_derivative[k]) for k in part.varying])
                for k, value in part.constant.items():
                    self._constant[by_derivative[k]] = value
            else:
                self._targets.append([as_slice(mine)])
        self.backend = " + ".join(dict.fromkeys(part.backend for _, part in parts))
        self._positions: Array | None = None

    def rows_and_parts(self) -> list[tuple[Array, Any]]:
        """Return the rows of each part, and the functions that evaluate them."""
        return list(zip(self._rows, (part for _, part in self._parts), strict=True))

    def residual(self, values: Array) -> Array:
        """Return the residual, shape (n,)."""
        out = np.empty(self.rows_count)
        for rows, part in self._parts:
            out[rows] = part.residual(values)
        return out

    def residual_batch(self, values: Array) -> Array:
        """Return residuals for inputs of shape (..., inputs)."""
        flat = values.reshape(-1, values.shape[-1])
        out = np.array([self.residual(row) for row in flat]).reshape(-1, self.rows_count)
        return out.reshape((*values.shape[:-1], self.rows_count))

    def joint(self, values: Array) -> tuple[Array, Array]:
        """Return the residual and the Jacobian's data."""
        out = np.empty(self.rows_count)
        data = self._constant.copy()
        for (rows, part), targets in zip(self._parts, self._targets, strict=True):
            if isinstance(part, TemplateFunctions):
                out[rows], *entries = part.varying_joint(values)
                for target, entry in zip(targets, entries, strict=True):
                    data[target] = entry
            else:
                out[rows], data[targets[0]] = part.joint(values)
        return out, data

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        found = [part.second(values) for _, part in self._parts]
        if self._positions is None:
            positions = [local.copy() for local, _ in found]
            for rows, local in zip(self._rows, positions, strict=True):
                local[:, 0] = rows[local[:, 0]]
            self._positions = np.concatenate(positions)
        return self._positions, np.concatenate([entries for _, entries in found])


class TemplateFunctions:
    """The functions of all rows of one template, evaluated on arrays.

    Parameters
    ----------
    template : Template
        The stencil.
    rest : sequence of Symbol
        The inputs after the unknowns: the free parameter (if any), then the others.
    size, columns : int
        Number n of unknowns, and number of leading inputs to differentiate by.

    Attributes
    ----------
    rows, columns : ndarray
        Positions of the Jacobian's entries, derivative by derivative.
    constant : dict of int to float
        Derivatives that are numbers.
    varying : tuple of int
        The other derivatives.
    slots, fixed_values : list of ndarray of shape (rows,)
        Positions of the unknowns in each slot, and given numbers: what differs between rows.
    """

    def __init__(
        self, template: Template, rest: Sequence[sp.Symbol], size: int, columns: int
    ) -> None:
        self.slots = list(np.ascontiguousarray(template.slots.T))
        self._slots = [as_slice(slot) for slot in self.slots]
        self.fixed_values = self._fixed = list(template.fixed.values())
        self._size = size
        self.rows_count, count = template.slots.shape
        symbols = [*slot_symbols(count), *rest, *template.fixed]
        free = np.arange(size, columns)
        self._columns = np.hstack(
            [template.slots, np.broadcast_to(free, (self.rows_count, free.size))]
        ).astype(np.intp)
        (self._expression,) = to_engine([template.expression])
        self._symbols = symbols
        self._by = engine_symbols([self._expression], symbols[: count + free.size])
        self._first = first_derivatives([self._expression], self._by)
        places = [place for _, place in self._first.positions]
        self.rows = np.tile(np.arange(self.rows_count), len(places))
        self.columns = self._columns[:, places].T.ravel()
        numbers = [
            float(entry) if not entry.free_symbols else None for entry in self._first.expressions
        ]
        self.constant = {k: number for k, number in enumerate(numbers) if number is not None}
        self.varying = tuple(k for k, number in enumerate(numbers) if number is None)
        self._residual = ArrayKernel(symbols, [self._expression])
        varying = [self._first.expressions[k] for k in self.varying]
        self._joint = ArrayKernel(symbols, [self._expression, *varying])
        self._second: tuple[Array, ArrayKernel] | None = None
        self.backend = f"{self._joint.backend} by stencil"

    @cached_property
    def native_kernel(self) -> Kernel:
        """One row's residual, then its derivatives that are not numbers.

        Inputs are those of `slots`, those of `fixed_values`, and the parameters.
        """
        fixed = len(self._symbols) - len(self._fixed)
        slots = len(self.slots)
        inputs = [
            *self._symbols[:slots], *self._symbols[fixed:], *self._symbols[slots:fixed]
        ]  # fmt: skip
        varying = [self._first.expressions[k] for k in self.varying]
        return Kernel(inputs, [self._expression, *varying])

    def residual(self, values: Array) -> Any:
        """Return the residual of the rows."""
        return self._residual(self._gather(values))[0]

    def varying_joint(self, values: Array) -> Sequence[Any]:
        """Return the residual, then each derivative that is not a number."""
        return self._joint(self._gather(values))

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        if self._second is None:
            second = second_derivatives(self._first, self._by)
            local = np.array(second.positions, dtype=np.intp).reshape(-1, 3)
            rows = np.tile(np.arange(self.rows_count), len(local))
            first = self._columns[:, local[:, 1]].T.ravel()
            last = self._columns[:, local[:, 2]].T.ravel()
            # Slots ascend within a row, so j <= k holds for the columns as well.
            positions = np.stack([rows, first, last], axis=1)
            self._second = positions, ArrayKernel(self._symbols, second.expressions)
        positions, kernel = self._second
        entries = np.empty((len(positions) // max(self.rows_count, 1), self.rows_count))
        for k, entry in enumerate(kernel(self._gather(values))):
            entries[k] = entry
        return positions, entries.ravel()

    def _gather(self, values: Array) -> list[Any]:
        slots = [values[slot] for slot in self._slots]
        return [*slots, *values[self._size :], *self._fixed]


class ArrayKernel:
    """A compiled vector function of arrays (m,) and numbers; outputs are arrays or numbers.

    Parameters
    ----------
    inputs, expressions : sequence
        As for `Kernel`.
    """

    def __init__(self, inputs: Sequence[sp.Symbol], expressions: Sequence[Any]) -> None:
        self._kernel: Kernel | None = None
        self._call: Callable[..., Sequence[Any]] = lambda *values: ()
        self._may_be_complex = True
        self.backend = "numpy"
        if not expressions:
            return
        plain = [sp.sympify(expression) for expression in expressions]
        try:
            self._call = sp.lambdify(list(inputs), plain, modules=["scipy", "numpy"], cse=_shared)
            trial = self._call(*np.full((len(inputs), 2), 0.5))
            # Real functions of numpy's stay real: outside their domain they give nan.
            self._may_be_complex = any(np.iscomplexobj(result) for result in trial)
        except (NameError, TypeError, RuntimeError, AttributeError, ValueError):
            # No array function for one of the functions: row by row, then.
            self._kernel = Kernel(inputs, expressions)
            self.backend = self._kernel.backend

    def __call__(self, values: Sequence[Any]) -> Sequence[Any]:
        """Evaluate at arrays of equal length and numbers."""
        if self._kernel is not None:
            return list(self._kernel.batch(np.stack(np.broadcast_arrays(*values), axis=-1)).T)
        with np.errstate(all="ignore"):
            found = self._call(*values)
            return [_real(result) for result in found] if self._may_be_complex else found


def find_stencil(
    inputs: Sequence[sp.Symbol], equations: Sequence[sp.Expr], size: int, columns: int
) -> StencilFunctions | None:
    """Return grouped functions when the equations share few enough templates, else None."""
    engine = to_engine(equations)
    unknowns = engine_symbols(engine, inputs[:size])
    place = {symbol: index for index, symbol in enumerate(unknowns)}
    slot_cache: dict[int, list[Any]] = {}
    groups: dict[Any, tuple[list[int], list[list[int]]]] = {}
    for row, equation in enumerate(engine):
        held = sorted(place[symbol] for symbol in equation.free_symbols if symbol in place)
        slots = slot_cache.get(len(held))
        if slots is None:
            slots = slot_cache[len(held)] = engine_symbols(engine, slot_symbols(len(held)))
        # Slots are filled in the order of the unknowns: rows of one stencil then agree exactly.
        swap = {unknowns[index]: slot for index, slot in zip(held, slots, strict=True)}
        template = equation.xreplace(swap)
        rows, indices = groups.setdefault((template, len(held)), ([], []))
        rows.append(row)
        indices.append(held)
        if len(groups) * _ROWS_PER_TEMPLATE > size:
            return None
    parts: list[tuple[Array, Any]] = []
    rest: list[int] = []
    for (template, count), (rows, indices) in groups.items():
        if len(rows) < _ROWS_PER_TEMPLATE:
            rest.extend(rows)
            continue
        slots_array = np.array(indices, dtype=np.intp).reshape(len(rows), count)
        stencil = Template(sp.sympify(template), slots_array)
        part = TemplateFunctions(stencil, inputs[size:], size, columns)
        parts.append((np.array(rows, dtype=np.intp), part))
    if rest:
        flat = FlatFunctions(inputs, [equations[row] for row in rest], columns, dense=False)
        parts.append((np.array(rest, dtype=np.intp), flat))
    return StencilFunctions(parts)


def slot_symbols(count: int) -> list[sp.Symbol]:
    """Return the symbols that stand for the unknowns of a template's rows."""
    return [sp.Symbol(f"slot {index}") for index in range(count)]


def _shared(expressions: Any) -> tuple[list[tuple[sp.Symbol, Any]], list[Any]]:
    """Return common subexpressions and what is left, small powers written as products.

    Powers of arrays cost far more than products. Products left unevaluated mislead the search for
    common subexpressions, which therefore comes first.
    """
    from sympy.codegen.rewriting import create_expand_pow_optimization  # slow to import

    common, reduced = sp.cse(expressions)
    spread = create_expand_pow_optimization(4)
    return [(symbol, spread(each)) for symbol, each in common], [spread(each) for each in reduced]


def _real(values: Any) -> Any:
    if np.iscomplexobj(values):
        return np.where(np.imag(values) == 0, np.real(values), np.nan)
    return values
