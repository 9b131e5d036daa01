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

Array = np.ndarray

_GROUP_SHARE = 20  # group only when rows outnumber templates by this factor


@dataclass
class Template:
    """One stencil: its equations' rows and, for each, the unknowns that fill its slots."""

    expression: sp.Expr
    rows: Array
    slots: Array


class StencilFunctions:
    """Residual, Jacobian entries and second derivatives, template by template.

    Parameters
    ----------
    templates : sequence of Template
        The groups of rows.
    inputs : sequence of Symbol
        Unknowns, free parameter (if any), other parameters.
    size, columns : int
        Number n of unknowns, and number of leading inputs to differentiate by.
    """

    dense = False
    backend = "sympy-numpy-stencil"

    def __init__(
        self, templates: Sequence[Template], inputs: Sequence[sp.Symbol], size: int, columns: int
    ) -> None:
        self.rows_count = sum(template.rows.size for template in templates)
        self._size = size
        self._groups = [_Group(template, inputs, size, columns) for template in templates]
        self.rows = np.concatenate([group.rows for group in self._groups])
        self.columns = np.concatenate([group.columns for group in self._groups])

    def residual(self, values: Array) -> Array:
        """Return the residual, shape (n,)."""
        out = np.empty(self.rows_count)
        with np.errstate(all="ignore"):
            for group in self._groups:
                out[group.template.rows] = group.residual(values)[0]
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
        with np.errstate(all="ignore"):
            for group in self._groups:
                both = group.joint(values)
                out[group.template.rows] = both[0]
                stop = start + group.rows.size
                data[start:stop] = both[1:].ravel()
                start = stop
        return out, data

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        with np.errstate(all="ignore"):
            parts = [group.second(values) for group in self._groups]
        positions = np.concatenate([part[0] for part in parts])
        return positions, np.concatenate([part[1] for part in parts])


class _Group:
    def __init__(
        self, template: Template, inputs: Sequence[sp.Symbol], size: int, columns: int
    ) -> None:
        self.template = template
        self._size = size
        count = template.slots.shape[1]
        self._symbols = [*_slot_symbols(count), *inputs[size:]]
        # Columns of the Jacobian, for each row: the slots' unknowns, then the free parameter.
        free = np.arange(size, columns)
        self._columns = np.hstack(
            [template.slots, np.broadcast_to(free, (template.rows.size, free.size))]
        )
        (self._expression,) = to_engine([template.expression])
        self._by = engine_symbols([self._expression], self._symbols[: count + free.size])
        self._first = first_derivatives([self._expression], self._by)
        places = [place for _, place in self._first.positions]
        self.rows = np.tile(template.rows, len(places))
        self.columns = self._columns[:, places].T.ravel().astype(np.intp)
        self._residual_call: Callable[..., Any] | None = None
        self._joint_call: Callable[..., Any] | None = None
        self._second_call: tuple[Array, Callable[..., Any], int] | None = None

    def residual(self, values: Array) -> Array:
        if self._residual_call is None:
            self._residual_call = self._compile([self._expression])
        return self._evaluate(self._residual_call, 1, values)

    def joint(self, values: Array) -> Array:
        if self._joint_call is None:
            self._joint_call = self._compile([self._expression, *self._first.expressions])
        return self._evaluate(self._joint_call, 1 + len(self._first.expressions), values)

    def second(self, values: Array) -> tuple[Array, Array]:
        if self._second_call is None:
            second = second_derivatives(self._first, self._by)
            rows = self.template.rows
            parts = [
                np.stack([rows, self._columns[:, j], self._columns[:, k]], axis=1)
                for _, j, k in second.positions
            ]
            positions = np.concatenate(parts) if parts else np.empty((0, 3))
            call = self._compile(second.expressions)
            self._second_call = positions.astype(np.intp), call, len(second.expressions)
        positions, call, count = self._second_call
        return positions, self._evaluate(call, count, values).ravel()

    def _compile(self, expressions: Sequence[Any]) -> Callable[..., Any]:
        outputs = [sp.sympify(expression) for expression in expressions]
        call: Callable[..., Any] = sp.lambdify(
            self._symbols, outputs, modules=["scipy", "numpy"], cse=True
        )
        return call

    def _evaluate(self, call: Callable[..., Any], count: int, values: Array) -> Array:
        gathered = values[self.template.slots.T]
        out = np.empty((count, self.template.rows.size))
        results = call(*gathered, *values[self._size :])
        for position, result in enumerate(results):
            out[position] = _real(result)  # a constant fills its whole row
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
        if len(groups) * _GROUP_SHARE > size:
            return None
    templates = [
        Template(
            sp.sympify(template),
            np.array(rows, dtype=np.intp),
            np.array(indices, dtype=np.intp).reshape(len(rows), count),
        )
        for (template, count), (rows, indices) in groups.items()
    ]
    functions = StencilFunctions(templates, inputs, size, columns)
    try:
        functions.joint(np.full(len(inputs), 0.5))
    except (NameError, TypeError, NotImplementedError, AttributeError):
        return None  # numpy and scipy lack one of the functions: evaluate row by row instead
    return functions


def _slot_symbols(count: int) -> list[sp.Symbol]:
    return [sp.Symbol(f"slot {index}") for index in range(count)]


def _real(values: Any) -> Any:
    if np.iscomplexobj(values):
        return np.where(np.imag(values) == 0, np.real(values), np.nan)
    return values
