"""Machine code for stencils whose Jacobian is tridiagonal: what compiled walks evaluate by rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .flat import FlatFunctions
from .kernel import Kernel
from .stencil import StencilFunctions, TemplateFunctions

Array = np.ndarray

_MOST_RUNS = 1000
"""More stretches of equally spaced rows than this are no grid in order."""


class NativeRows(NamedTuple):
    """One function ``void f(double *out, const double *in, void *data)``, called row after row.

    Call c reads its k-th input at ``gather[k, 0] + c * gather[k, 1]``, and writes its k-th output
    at ``scatter[k, 0] + c * scatter[k, 1]``; see `NativeTridiagonal` for the two arrays.

    Parameters
    ----------
    address, data : int
        The function and its third argument.
    calls : int
    gather, scatter : ndarray of int, shape (inputs, 2), (outputs, 2)
    """

    address: int
    data: int
    calls: int
    gather: Array
    scatter: Array


@dataclass(frozen=True)
class NativeTridiagonal:
    """A system with a tridiagonal Jacobian in n unknowns, as machine code for its rows.

    Attributes
    ----------
    size : int
        Number n of unknowns.
    rows : tuple of NativeRows
    given : ndarray
        Inputs are read from an array of z, then these numbers.
    outputs : ndarray of shape (5 n,)
        Outputs are written into an array that starts as this one: the residual, then of the
        Jacobian what is below, on and above the diagonal, and its last column, each by row.
    keep_alive : object
        Holds the machine code; the addresses die with it.
    """

    size: int
    rows: tuple[NativeRows, ...]
    given: Array
    outputs: Array
    keep_alive: Any = field(repr=False)


def native_tridiagonal(
    functions: StencilFunctions | FlatFunctions, constants: Array
) -> NativeTridiagonal | None:
    """Return the machine code of a system's rows, or None.

    None where the Jacobian in the unknowns is not tridiagonal, where LLVM cannot compile one of
    the rows, and where the rows are in no order.

    Parameters
    ----------
    functions : StencilFunctions or FlatFunctions
        Of a system with one free parameter; flat ones give the entries that are not zero only.
    constants : ndarray
        Values of the other parameters.
    """
    n = functions.rows_count
    offsets = (functions.columns - functions.rows)[functions.columns < n]
    if np.any(functions.columns > n) or np.abs(offsets).max(initial=0) > 1:
        return None
    outputs = np.zeros(5 * n)
    given: list[Array] = [constants]
    filled = n + 1 + constants.size
    found: list[NativeRows] = []
    owners: list[Any] = []
    for own, part in functions.rows_and_parts():
        kernel: Kernel = part.native_kernel
        native = kernel.native()
        if native is None:
            return None
        address, data, owner = native
        owners.append(owner)
        # Where each call reads from and writes to, a row of the tables for each call.
        if isinstance(part, TemplateFunctions):
            fixed = [
                np.arange(own.size) + filled + k * own.size for k in range(len(part.fixed_values))
            ]
            given.extend(part.fixed_values)
            filled += own.size * len(part.fixed_values)
            rest = np.arange(n, n + 1 + constants.size)
            gather = np.column_stack(
                [*part.slots, *fixed, *np.broadcast_to(rest[:, None], (rest.size, own.size))]
            )
            by_derivative = part.columns.reshape(-1, own.size)
            for k, value in part.constant.items():
                outputs[_places(own, by_derivative[k], n)] = value
            entries = [_places(own, by_derivative[k], n) for k in part.varying]
            scatter = np.column_stack([own, *entries])
        else:
            gather = part.taken[None, :]
            scatter = np.concatenate([own, _places(own[part.rows], part.columns, n)])[None, :]
        runs = _runs(np.hstack([gather, scatter]))
        if runs is None:
            return None
        inputs = gather.shape[1]
        for calls, table in runs:
            found.append(NativeRows(address, data, calls, table[:inputs], table[inputs:]))
    return NativeTridiagonal(n, tuple(found), np.concatenate(given), outputs, owners)


def _places(rows: Array, columns: Array, n: int) -> Array:
    """Return where entries of the Jacobian stand among the outputs."""
    beside: Array = rows + n * np.where(columns == n, 4, 2 + columns - rows)
    return beside


def _runs(table: Array) -> list[tuple[int, Array]] | None:
    """Split rows of whole numbers into runs that advance evenly; None if they are too many.

    Each run is its length, and the first number and the step of each column.
    """
    steps = np.diff(table, axis=0)
    turns = np.flatnonzero(np.any(steps[1:] != steps[:-1], axis=1)) + 1
    if turns.size > _MOST_RUNS:
        return None
    found = []
    start = 0
    while start < len(table):
        # Row `turns[k]` is the last that the step before it leads to.
        later = turns[turns > start]
        stop = int(later[0]) + 1 if later.size else len(table)
        step = steps[start] if stop - start > 1 else np.zeros_like(table[0])
        found.append((stop - start, np.column_stack([table[start], step]).astype(np.int64)))
        start = stop
    return found
