"""The native gear for systems with a tridiagonal Jacobian: rows as machine code, any length.

The walk is the one that all gears run; here the functions of `kernel` get the twins that evaluate
row after row and solve in a time proportional to the number of unknowns.
"""

from __future__ import annotations

import inspect
import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import (
    between,
    corrector,
    cross,
    kernel,
    tridiagonal,
    tridiagonal_spectra,
    tridiagonal_turn,
    turn,
)
from . import survey as surveying
from . import walk as walking
from .between import NOT_SIMPLE
from .tridiagonal import TridiagonalFactors, negative_quotients, solve_bordered, tridiagonal_factors
from .tridiagonal_turn import simple_tridiagonal_fold

Array = np.ndarray

_COUNTED = 200
"""Size up to which the Python gear computes all eigenvalues of a matrix that is not symmetric."""


class TridiagonalHandle(NamedTuple):
    """A system as machine code for its rows; see `contcrit.symbolic.stencil_native`.

    Parameters
    ----------
    rows : ndarray of int, shape (groups, 7)
        Address, data, number of calls, where the group's inputs begin in `gather` and their
        number, where its outputs begin in `scatter` and their number.
    gather, scatter : ndarray of int, shape (..., 2)
        Position at the first call, and its advance from call to call.
    symmetric : bool
    """

    rows: Array
    gather: Array
    scatter: Array
    symmetric: bool


class TridiagonalWork(NamedTuple):
    """Arrays that the compiled walk works in.

    Parameters
    ----------
    values : ndarray
        z, then what is given.
    outputs : ndarray of shape (5 n,)
        The residual, then the Jacobian: below, on and above the diagonal, its last column.
    residual, lower, main, upper, column : ndarray of shape (n,)
        These five, as views.
    inputs, found : ndarray
        Of one call.
    factors : TridiagonalFactors
    """

    values: Array
    outputs: Array
    residual: Array
    lower: Array
    main: Array
    upper: Array
    column: Array
    inputs: Array
    found: Array
    factors: TridiagonalFactors


def may_fit(system: Any) -> bool:
    """Tell whether a system may have a handle, without asking it for machine code."""
    if not getattr(system, "tridiagonal", False):
        return False
    # Small matrices that are not symmetric have their eigenvalues counted however they lie.
    return bool(system.symmetric or system.size > _COUNTED)


def handle_of(system: Any) -> tuple[TridiagonalHandle, TridiagonalWork, Any] | None:
    """Return handle, workspace and what keeps the code alive; None if the system has none."""
    found = system.native_tridiagonal() if may_fit(system) else None
    if found is None:
        return None
    n = found.size
    rows, inputs, outputs = [], 0, 0
    for group in found.rows:
        begin = inputs, outputs
        inputs, outputs = inputs + len(group.gather), outputs + len(group.scatter)
        rows.append(
            (group.address, group.data, group.calls, begin[0], len(group.gather), begin[1],
             len(group.scatter))
        )  # fmt: skip
    handle = TridiagonalHandle(
        np.array(rows, dtype=np.int64),
        np.ascontiguousarray(np.vstack([group.gather for group in found.rows])),
        np.ascontiguousarray(np.vstack([group.scatter for group in found.rows])),
        bool(system.symmetric),
    )
    array = found.outputs.copy()
    work = TridiagonalWork(
        np.concatenate([np.zeros(n + 1), found.given]),
        array,
        array[:n],
        array[n : 2 * n],
        array[2 * n : 3 * n],
        array[3 * n : 4 * n],
        array[4 * n :],
        np.zeros(max(len(group.gather) for group in found.rows)),
        np.zeros(max(len(group.scatter) for group in found.rows)),
        tridiagonal_factors(n),
    )
    return handle, work, found.keep_alive


class Compiled(NamedTuple):
    """The compiled functions."""

    walk: Any
    settle: Any
    survey: Any


@cache
def compiled() -> Compiled:
    """Return the compiled functions, from disk where they have been compiled before."""
    from . import native, native_twins

    functions = (walking.walk, corrector.settle, surveying.survey)
    return Compiled(*native.compile_functions(functions, _directory(), **native_twins.OPTIONS))


def is_loaded() -> bool:
    """Tell whether the compiled walk serves in this process already."""
    return bool(compiled.cache_info().currsize)


def is_kept() -> bool:
    """Tell whether the walk has been compiled before."""
    return any(_directory().rglob(f"*.{walking.walk.__name__}-*.nbi"))


def locates() -> bool:
    """Tell whether the functions that locate folds are compiled: no fold repays doing that."""
    if is_loaded() and compiled().survey.signatures:
        return True
    return any(_directory().rglob(f"*.{surveying.survey.__name__}-*.nbi"))


def _directory() -> Path:
    from . import native

    return native.cache_directory() / "tridiagonal"


def register(call: Any, options: Any) -> None:
    """Give the functions of `kernel` their twins for tridiagonal systems.

    Parameters
    ----------
    call : intrinsic
        Calls an address.
    options : dict
        The compiler's.
    """
    from numba.extending import overload as numba_overload
    from numba.extending import register_jitable

    def overload(function: Any) -> Any:
        # Not inlined: rows are many, calls few, and the code takes less time to compile.
        return numba_overload(function, jit_options=options)

    def ours(system: Any) -> bool:
        return getattr(system, "instance_class", None) is TridiagonalHandle

    allocating = (tridiagonal_factors, tridiagonal_turn.tridiagonal_turn_work)
    for module in (tridiagonal, tridiagonal_spectra, tridiagonal_turn):
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and function not in allocating:
                register_jitable(**options)(function)

    @register_jitable(**options)
    def any_columns(row: Array, moving: int, gather: Array, scatter: Array, work: Any) -> None:
        address, data = row[0], row[1]
        for c in range(row[2]):
            for k in range(moving):
                work.inputs[k] = work.values[gather[k, 0] + c * gather[k, 1]]
            call(address, work.found, work.inputs, data)
            for k in range(scatter.shape[0]):
                work.outputs[scatter[k, 0] + c * scatter[k, 1]] = work.found[k]

    @register_jitable(**options)
    def few_columns(row: Array, moving: int, gather: Array, scatter: Array, work: Any) -> None:
        # The same with up to four columns in registers, the last standing for those too many.
        address, data = row[0], row[1]
        i1, i2, i3 = min(1, moving - 1), min(2, moving - 1), moving - 1
        p0, p1, p2, p3 = gather[0, 0], gather[i1, 0], gather[i2, 0], gather[i3, 0]
        s0, s1, s2, s3 = gather[0, 1], gather[i1, 1], gather[i2, 1], gather[i3, 1]
        last = scatter.shape[0] - 1
        o1, o2, o3 = min(1, last), min(2, last), last
        q0, q1, q2, q3 = scatter[0, 0], scatter[o1, 0], scatter[o2, 0], scatter[o3, 0]
        t0, t1, t2, t3 = scatter[0, 1], scatter[o1, 1], scatter[o2, 1], scatter[o3, 1]
        inputs, values, found, outputs = work.inputs, work.values, work.found, work.outputs
        for c in range(row[2]):
            inputs[0] = values[p0 + c * s0]
            inputs[i1] = values[p1 + c * s1]
            inputs[i2] = values[p2 + c * s2]
            inputs[i3] = values[p3 + c * s3]
            call(address, found, inputs, data)
            outputs[q0 + c * t0] = found[0]
            outputs[q1 + c * t1] = found[o1]
            outputs[q2 + c * t2] = found[o2]
            outputs[q3 + c * t3] = found[o3]

    @overload(between.test_value)
    def _test_value(
        kind: Any, system: Any, pair: Any, point: Any, direction: Any, work: Any, own: Any
    ) -> Any:
        if not ours(system):
            return None

        # Nothing but turns is searched for.
        def run(
            kind: Any, system: Any, pair: Any, point: Any, direction: Any, work: Any, own: Any
        ) -> Any:
            return float(direction[direction.size - 1])

        return run

    @overload(turn.simple_fold)
    def _simple_fold(
        system: Any, pair: Any, before: Any, after: Any, weights: Any, control: Any,
        rank_tolerance: Any, location_tolerance: Any, work: Any, own: Any,
    ) -> Any:  # fmt: skip
        if not ours(system):
            return None

        def run(
            system: Any, pair: Any, before: Any, after: Any, weights: Any, control: Any,
            rank_tolerance: Any, location_tolerance: Any, work: Any, own: Any,
        ) -> Any:  # fmt: skip
            return simple_tridiagonal_fold(
                system, pair, before, after, weights, control, rank_tolerance, location_tolerance,
                work, own,
            )  # fmt: skip

        return run

    @overload(cross.branch_point)
    def _branch_point(
        system: Any, pair: Any, before: Any, after: Any, spread: Any, weights: Any, control: Any,
        rank_tolerance: Any, location_tolerance: Any, work: Any, own: Any, room: Any,
    ) -> Any:  # fmt: skip
        if not ours(system):
            return None

        # The general machinery locates them.
        def run(
            system: Any, pair: Any, before: Any, after: Any, spread: Any, weights: Any,
            control: Any, rank_tolerance: Any, location_tolerance: Any, work: Any, own: Any,
            room: Any,
        ) -> Any:  # fmt: skip
            return NOT_SIMPLE, 0.0, 0.0, 0, 0, -1, -1

        return run

    @overload(kernel.evaluate)
    def _evaluate(system: Any, z: Any, work: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, z: Any, work: Any) -> None:
            for i in range(z.size):
                work.values[i] = z[i]
            for g in range(system.rows.shape[0]):
                inputs, outputs = system.rows[g, 4], system.rows[g, 6]
                gather = system.gather[system.rows[g, 3] : system.rows[g, 3] + inputs]
                scatter = system.scatter[system.rows[g, 5] : system.rows[g, 5] + outputs]
                moving = 0  # inputs that differ from row to row come first
                for k in range(inputs):
                    work.inputs[k] = work.values[gather[k, 0]]
                    if gather[k, 1] != 0:
                        moving = k + 1
                if 0 < moving <= 4 and outputs <= 4:
                    few_columns(system.rows[g], moving, gather, scatter, work)
                else:
                    any_columns(system.rows[g], moving, gather, scatter, work)

        return run

    @overload(kernel.residual_size)
    def _residual_size(system: Any, work: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, work: Any) -> float:
            return kernel.largest(work.residual)

        return run

    @overload(kernel.residual_floor)
    def _residual_floor(system: Any, z: Any, work: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, z: Any, work: Any) -> float:
            n = z.size - 1
            worst = 0.0
            for i in range(n):
                total = abs(work.main[i]) * abs(z[i]) + abs(work.column[i]) * abs(z[n])
                if i > 0:
                    total += abs(work.lower[i]) * abs(z[i - 1])
                if i + 1 < n:
                    total += abs(work.upper[i]) * abs(z[i + 1])
                worst = max(worst, total)
            return 20.0 * 2.220446049250313e-16 * worst

        return run

    @overload(kernel.negative_eigenvalues)
    def _negative_eigenvalues(system: Any, z: Any, work: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, z: Any, work: Any) -> int:
            return negative_quotients(work.lower, work.main, work.upper)

        return run

    @overload(kernel.newton_increment)
    def _newton_increment(system: Any, work: Any, row: Any, increment: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, work: Any, row: Any, increment: Any) -> None:
            n = row.size - 1
            for i in range(n):
                increment[i] = -work.residual[i]
            increment[n] = 0.0
            solve_bordered(
                work.lower, work.main, work.upper, work.column, row, increment, True, work.factors
            )

        return run

    @overload(kernel.raw_tangent)
    def _raw_tangent(system: Any, work: Any, row: Any, tangent: Any) -> Any:
        if not ours(system):
            return None

        def run(system: Any, work: Any, row: Any, tangent: Any) -> tuple[float, float]:
            tangent[row.size - 1] = 1.0
            factor, logarithm = solve_bordered(
                work.lower, work.main, work.upper, work.column, row, tangent, False, work.factors
            )
            if factor == 0.0:
                return 0.0, -math.inf
            return math.copysign(1.0, factor), logarithm + math.log(abs(factor))

        return run
