"""Group equations that differ only in which unknowns they hold, and evaluate each group at once.

A discretised differential equation has thousands of equations but few templates: one per stencil.
Each template is differentiated and compiled once, then evaluated on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from .derivatives import engine_symbols, first_derivatives, second_derivatives, to_engine
from .flat import FlatFunctions
from .kernel import Kernel

Array = np.ndarray

_ROWS_PER_TEMPLATE = 20  # fewer rows are evaluated one by one; templates must outdo that on average


@dataclass
class Template:
    """One stencil: its expression and, for each of its rows, the unknowns that fill its slots."""

    expression: sp.Expr
    slots: Array


class StencilFunctions:
    """Residual, Jacobian entries and second derivatives, part by part.

    Parameters
    ----------
    parts : sequence of (ndarray, functions)
        Rows of each part, and the functions that evaluate them.

    Attributes
    ----------
    rows, columns : ndarray
        Positions of the Jacobian's entries, in the order of the data of `joint`.
    """

    dense = False

    def __init__(self, parts: Sequence[tuple[Array, Any]]) -> None:
        self._parts = list(parts)
        self.rows_count = sum(rows.size for rows, _ in self._parts)
        self.rows = np.concatenate([rows[part.rows] for rows, part in self._parts])
        self.columns = np.concatenate([part.columns for _, part in self._parts])
        self.backend = " + ".join(dict.fromkeys(part.backend for _, part in self._parts))
        self._positions: Array | None = None

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
        data = np.empty(self.rows.size)
        start = 0
        for rows, part in self._parts:
            residual, entries = part.joint(values)
            out[rows] = residual
            data[start : start + entries.size] = entries
            start += entries.size
        return out, data

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        found = [part.second(values) for _, part in self._parts]
        if self._positions is None:
            positions = [local.copy() for local, _ in found]
            for (rows, _), local in zip(self._parts, positions, strict=True):
                local[:, 0] = rows[local[:, 0]]
            self._positions = np.concatenate(positions)
        return self._positions, np.concatenate([entries for _, entries in found])


class TemplateFunctions:
    """The functions of all rows of one template, evaluated on arrays.

    Parameters
    ----------
    template : Template
        The stencil.
    inputs : sequence of Symbol
        Unknowns, free parameter (if any), other parameters.
    size, columns : int
        Number n of unknowns, and number of leading inputs to differentiate by.
    """

    def __init__(
        self, template: Template, inputs: Sequence[sp.Symbol], size: int, columns: int
    ) -> None:
        self._slots = template.slots
        self._size = size
        self.rows_count, count = template.slots.shape
        self._inputs = [*_slot_symbols(count), *inputs[size:]]
        # Columns of the Jacobian, for each row: the slots' unknowns, then the free parameter.
        free = np.arange(size, columns)
        self._columns = np.hstack(
            [template.slots, np.broadcast_to(free, (self.rows_count, free.size))]
        ).astype(np.intp)
        (self._expression,) = to_engine([template.expression])
        self._by = engine_symbols([self._expression], self._inputs[: count + free.size])
        self._first = first_derivatives([self._expression], self._by)
        places = [place for _, place in self._first.positions]
        self.rows = np.repeat(np.arange(self.rows_count), len(places))
        self.columns = self._columns[:, places].ravel()
        self._residual = ArrayKernel(self._inputs, [self._expression])
        self._joint = ArrayKernel(self._inputs, [self._expression, *self._first.expressions])
        self._second: tuple[Array, ArrayKernel] | None = None
        self.backend = f"{self._joint.backend} by stencil"

    def residual(self, values: Array) -> Array:
        """Return the residual of the rows."""
        return self._residual(self._gather(values))[:, 0]

    def joint(self, values: Array) -> tuple[Array, Array]:
        """Return the residual and the Jacobian's data."""
        out = self._joint(self._gather(values))
        return out[:, 0], out[:, 1:].ravel()

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        if self._second is None:
            second = second_derivatives(self._first, self._by)
            local = np.array(second.positions, dtype=np.intp).reshape(-1, 3)
            rows = np.repeat(np.arange(self.rows_count), len(local))
            first = self._columns[:, local[:, 1]].ravel()
            last = self._columns[:, local[:, 2]].ravel()
            # Slots ascend within a row, so j <= k holds for the columns as well.
            positions = np.stack([rows, first, last], axis=1)
            self._second = positions, ArrayKernel(self._inputs, second.expressions)
        positions, kernel = self._second
        return positions, kernel(self._gather(values)).ravel()

    def _gather(self, values: Array) -> Array:
        count = self._slots.shape[1]
        gathered = np.empty((self.rows_count, len(self._inputs)))
        gathered[:, :count] = values[self._slots]
        gathered[:, count:] = values[self._size :]
        return gathered


class ArrayKernel:
    """A compiled vector function of the rows of an array, (m, inputs) to (m, outputs).

    Parameters
    ----------
    inputs, expressions : sequence
        As for `Kernel`.
    """

    def __init__(self, inputs: Sequence[sp.Symbol], expressions: Sequence[Any]) -> None:
        self._kernel = Kernel(inputs, expressions)
        self._call: Callable[..., Any] | None = None
        self.backend = self._kernel.backend
        if self.backend == "sympy-scipy":
            outputs = [sp.sympify(expression) for expression in expressions]
            self._call = sp.lambdify(list(inputs), outputs, modules=["scipy", "numpy"], cse=True)

    def __call__(self, values: Array) -> Array:
        """Evaluate at every row of an array."""
        if self._call is None:
            return self._kernel.batch(values)
        out = np.empty((values.shape[0], self._kernel.out_size))
        with np.errstate(all="ignore"):
            for position, result in enumerate(self._call(*values.T)):
                out[:, position] = _real(result)  # a constant fills its whole column
        return out


def find_stencil(
    inputs: Sequence[sp.Symbol], equations: Sequence[sp.Expr], size: int, columns: int
) -> StencilFunctions | None:
    """Return grouped functions when the equations share few enough templates, else None."""
    engine = to_engine(equations)
    unknowns = engine_symbols(engine, inputs[:size])
    place = {symbol: index for index, symbol in enumerate(unknowns)}
    groups: dict[Any, tuple[list[int], list[list[int]]]] = {}
    for row, equation in enumerate(engine):
        held = sorted(place[symbol] for symbol in equation.free_symbols if symbol in place)
        slots = engine_symbols(engine, _slot_symbols(len(held)))
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
        part = TemplateFunctions(stencil, inputs, size, columns)
        parts.append((np.array(rows, dtype=np.intp), part))
    if rest:
        flat = FlatFunctions(inputs, [equations[row] for row in rest], columns, dense=False)
        parts.append((np.array(rest, dtype=np.intp), flat))
    return StencilFunctions(parts)


def _slot_symbols(count: int) -> list[sp.Symbol]:
    return [sp.Symbol(f"slot {index}") for index in range(count)]


def _real(values: Any) -> Any:
    if np.iscomplexobj(values):
        return np.where(np.imag(values) == 0, np.real(values), np.nan)
    return values
