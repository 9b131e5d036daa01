"""The native gear: the same walk, compiled, over systems that are machine code themselves.

Every function of `kernel` gets a compiled twin for `Handle` and `Work`; the walk is then compiled
from the very source the Python gear runs. Machine code is kept on disk between processes, under a
name that changes with the source.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import corrector, kernel
from . import walk as walking

Array = np.ndarray

_REPAYS_LOADING = 2_000
"""Points that the Python gear walks in the time it takes to load machine code from disk."""

_REPAYS_COMPILING = 50_000
"""Points that the Python gear walks in the time it takes to compile."""


class Handle(NamedTuple):
    """A system as machine code: ``void f(double *out, const double *in, void *data)``."""

    address: int
    data: int


class Work(NamedTuple):
    """Arrays that the compiled walk works in."""

    inputs: Array
    outputs: Array
    matrix: Array
    right: Array


class Compiled(NamedTuple):
    """The compiled functions."""

    walk: Any
    inner_jacobians: Any


def handle_of(system: Any) -> tuple[Handle, Work, Any] | None:
    """Return handle, workspace and what keeps the code alive; None if the system has none."""
    own = getattr(system, "native", None)
    found = own() if own is not None else None
    if found is None:
        return None
    n = system.size
    inputs = np.zeros(found.in_size)
    inputs[n + 1 :] = found.constants
    work = Work(inputs, np.zeros(found.out_size), np.zeros((n + 1, n + 1)), np.zeros(n + 1))
    return Handle(found.address, found.data), work, found.keep_alive


def cache_directory() -> Path:
    """Return the folder of the user's that keeps machine code between processes."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    modules = (kernel, corrector, walking, sys.modules[__name__])
    try:
        source = "".join(inspect.getsource(module) for module in modules)
    except OSError:  # installed without sources: they change with the version only
        source = version("contcrit")
    return Path(root) / "contcrit" / hashlib.sha256(source.encode()).hexdigest()[:16]


@cache
def compiled() -> Compiled:
    """Return the compiled functions, from disk where they have been compiled before.

    Where the folder cannot be written, they are compiled for this process alone.
    """
    import numba

    _register()
    folder = cache_directory()
    keep = _writable(folder)
    settings: Any = numba.config
    previous = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if keep else previous
    try:
        return Compiled(
            walk=numba.njit(cache=keep)(walking.walk),
            inner_jacobians=numba.njit(cache=keep)(walking.inner_jacobians),
        )
    finally:
        settings.CACHE_DIR = previous


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def worthwhile(points: int) -> bool:
    """Tell whether a walk this long repays loading, or compiling, the native gear."""
    if compiled.cache_info().currsize:
        return True
    return points >= (_REPAYS_LOADING if cache_directory().exists() else _REPAYS_COMPILING)


def _register() -> None:
    """Give the functions that the walk calls their compiled twins."""
    from numba import types
    from numba.extending import intrinsic, overload, register_jitable

    @intrinsic
    def call(typing: Any, address: Any, outputs: Any, inputs: Any, data: Any) -> Any:
        signature = types.void(address, outputs, inputs, data)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from llvmlite import ir

            double = ir.DoubleType().as_pointer()
            void = ir.IntType(8).as_pointer()
            function = ir.FunctionType(ir.VoidType(), [double, double, void]).as_pointer()
            pointers = [
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(signature.args[1:3], arguments[1:3], strict=True)
            ]
            target = builder.inttoptr(arguments[0], function)
            data = builder.inttoptr(arguments[3], void)
            builder.call(target, [*pointers, data])
            return context.get_dummy_value()

        return signature, generate

    @register_jitable
    def factor(matrix: Array, right: Array) -> tuple[float, float]:
        """Eliminate with row pivoting; the solution replaces the right-hand side."""
        size = right.size
        sign, log_modulus = 1.0, 0.0
        product = 1.0
        for k in range(size):
            pivot = k
            best = abs(matrix[k, k])
            for i in range(k + 1, size):
                if abs(matrix[i, k]) > best:
                    best = abs(matrix[i, k])
                    pivot = i
            if not best > 0.0:
                for i in range(size):
                    right[i] = np.nan
                return 0.0, -np.inf
            if pivot != k:
                for j in range(k, size):
                    matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
                right[k], right[pivot] = right[pivot], right[k]
                sign = -sign
            diagonal = matrix[k, k]
            if diagonal < 0.0:
                sign = -sign
            product *= abs(diagonal)
            if product > 1e100 or product < 1e-100:
                log_modulus += np.log(product)
                product = 1.0
            for i in range(k + 1, size):
                factor = matrix[i, k] / diagonal
                if factor != 0.0:
                    for j in range(k + 1, size):
                        matrix[i, j] -= factor * matrix[k, j]
                    right[i] -= factor * right[k]
        for k in range(size - 1, -1, -1):
            total = right[k]
            for j in range(k + 1, size):
                total -= matrix[k, j] * right[j]
            right[k] = total / matrix[k, k]
        return sign, log_modulus + np.log(product)

    @register_jitable
    def load(work: Any, row: Array) -> None:
        n = row.size - 1
        for i in range(n):
            for j in range(n + 1):
                work.matrix[i, j] = work.outputs[n + i * (n + 1) + j]
        for j in range(n + 1):
            work.matrix[n, j] = row[j]

    def native(system: Any) -> bool:
        return getattr(system, "instance_class", None) is Handle

    @overload(kernel.evaluate)
    def _evaluate(system: Any, z: Any, work: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, z: Any, work: Any) -> None:
            for i in range(z.size):
                work.inputs[i] = z[i]
            call(system.address, work.outputs, work.inputs, system.data)  # type: ignore[call-arg]

        return run

    @overload(kernel.residual_size)
    def _residual_size(system: Any, work: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, work: Any) -> float:
            size = 0.0
            for i in range(work.right.size - 1):
                value = abs(work.outputs[i])
                if not value <= size:
                    size = value
            return size

        return run

    @overload(kernel.residual_floor)
    def _residual_floor(system: Any, z: Any, work: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, z: Any, work: Any) -> float:
            n = z.size - 1
            worst = 0.0
            for i in range(n):
                total = 0.0
                for j in range(n + 1):
                    total += abs(work.outputs[n + i * (n + 1) + j]) * abs(z[j])
                worst = max(worst, total)
            return 20.0 * 2.220446049250313e-16 * worst

        return run

    @overload(kernel.copy_inner_jacobian)
    def _copy_inner_jacobian(system: Any, work: Any, out: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, work: Any, out: Any) -> None:
            n = out.shape[0]
            for i in range(n):
                for j in range(n):
                    out[i, j] = work.outputs[n + i * (n + 1) + j]

        return run

    @overload(kernel.newton_increment)
    def _newton_increment(system: Any, work: Any, row: Any, increment: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, work: Any, row: Any, increment: Any) -> None:
            n = row.size - 1
            load(work, row)
            for i in range(n):
                increment[i] = -work.outputs[i]
            increment[n] = 0.0
            factor(work.matrix, increment)

        return run

    @overload(kernel.raw_tangent)
    def _raw_tangent(system: Any, work: Any, row: Any, tangent: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, work: Any, row: Any, tangent: Any) -> tuple[float, float]:
            n = row.size - 1
            load(work, row)
            for i in range(n):
                tangent[i] = 0.0
            tangent[n] = 1.0
            return factor(work.matrix, tangent)

        return run

    @overload(kernel.inner)
    def _inner(weights: Any, one: Any, other: Any) -> Any:
        def run(weights: Any, one: Any, other: Any) -> float:
            total = 0.0
            for i in range(weights.size):
                total += weights[i] * one[i] * other[i]
            return total

        return run

    @overload(kernel.largest)
    def _largest(vector: Any) -> Any:
        def run(vector: Any) -> float:
            size = 0.0
            for i in range(vector.size):
                value = abs(vector[i])
                if not value <= size:
                    size = value
            return size

        return run

    for helper in (
        corrector.correct, corrector.advance, walking.arrive, walking.returns_to, walking.next_step
    ):  # fmt: skip
        register_jitable(helper)
