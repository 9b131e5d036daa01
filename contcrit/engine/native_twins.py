"""Compiled twins: what the functions of `kernel` are for small dense systems in machine code.

The walk's source calls the functions of `kernel`; for a `Handle` and its `Work` the compiler takes
these instead.
"""

from __future__ import annotations

import inspect
import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import (
    batch,
    between,
    corrector,
    cross,
    cross_system,
    dense,
    elimination,
    inner_code,
    kernel,
    native_tridiagonal,
    newton,
    roots,
    turn,
)
from . import survey as surveying
from . import walk as walking
from .dense import negative_general, negative_symmetric
from .elimination import eliminate

Array = np.ndarray

OPTIONS: Any = {"_nrt": False, "error_model": "numpy"}
"""Compiled code allocates no arrays, so that it need not count references to them; divisions by
zero give infinities, as in numpy."""


COMPILED = (
    corrector, dense, elimination, roots, between, turn, cross_system, cross, surveying, walking,
    newton, batch,
)  # fmt: skip
"""Modules whose functions serve both gears, and compiled code calls."""


class Handle(NamedTuple):
    """A system as machine code: ``void f(double *out, const double *in, void *data)``."""

    address: int
    data: int
    symmetric: bool


class Work(NamedTuple):
    """Arrays that the compiled walk works in.

    Parameters
    ----------
    inputs, outputs : ndarray
        Of the system's code.
    residual : ndarray of shape (n,)
    jacobian : ndarray of shape (n, n + 1)
        These two are views of the outputs.
    matrix : ndarray of shape (n + 1, n + 1)
    square : ndarray of shape (n, n)
    """

    inputs: Array
    outputs: Array
    residual: Array
    jacobian: Array
    matrix: Array
    square: Array


@cache
def register() -> None:
    """Give the functions that the walk calls their compiled twins."""
    from numba import types
    from numba.extending import intrinsic, register_jitable
    from numba.extending import overload as numba_overload

    plain: Any = {**OPTIONS, **inner_code.pipelines().inner}
    # For the short functions of every step, whose calls cost more than their work.
    inline: Any = {**OPTIONS, **inner_code.pipelines().inline}

    def overload(function: Any) -> Any:
        return numba_overload(function, jit_options=inline)

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

    @register_jitable(**inline)
    def load(work: Any, row: Array) -> None:
        n = row.size - 1
        for i in range(n):
            for j in range(n + 1):
                work.matrix[i, j] = work.jacobian[i, j]
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
            return kernel.largest(work.residual)

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
                    total += abs(work.jacobian[i, j]) * abs(z[j])
                worst = max(worst, total)
            return 20.0 * 2.220446049250313e-16 * worst

        return run

    @overload(kernel.negative_eigenvalues)
    def _negative_eigenvalues(system: Any, z: Any, work: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, z: Any, work: Any) -> int:
            n = z.size - 1
            for i in range(n):
                for j in range(n):
                    work.square[i, j] = work.jacobian[i, j]
            if system.symmetric:
                return negative_symmetric(work.square)
            return negative_general(work.square)

        return run

    @overload(kernel.newton_increment)
    def _newton_increment(system: Any, work: Any, row: Any, increment: Any) -> Any:
        if not native(system):
            return None

        def run(system: Any, work: Any, row: Any, increment: Any) -> None:
            n = row.size - 1
            load(work, row)
            for i in range(n):
                increment[i] = -work.residual[i]
            increment[n] = 0.0
            eliminate(work.matrix, increment)

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
            factor, logarithm = eliminate(work.matrix, tangent)
            if factor == 0.0:
                return 0.0, -math.inf
            return math.copysign(1.0, factor), logarithm + math.log(abs(factor))

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
                    if math.isnan(value):
                        break
            return size

        return run

    @overload(kernel.distance)
    def _distance(weights: Any, one: Any, other: Any) -> Any:
        def run(weights: Any, one: Any, other: Any) -> float:
            total = 0.0
            for i in range(weights.size):
                total += weights[i] * (one[i] - other[i]) ** 2
            return math.sqrt(total)

        return run

    @overload(kernel.offset)
    def _offset(weights: Any, direction: Any, origin: Any, point: Any) -> Any:
        def run(weights: Any, direction: Any, origin: Any, point: Any) -> float:
            total = 0.0
            for i in range(weights.size):
                total += weights[i] * direction[i] * (point[i] - origin[i])
            return total

        return run

    @overload(kernel.weigh)
    def _weigh(out: Any, weights: Any, vector: Any) -> Any:
        def run(out: Any, weights: Any, vector: Any) -> None:
            for i in range(out.size):
                out[i] = weights[i] * vector[i]

        return run

    @overload(kernel.displace)
    def _displace(out: Any, z: Any, step: Any, direction: Any) -> Any:
        def run(out: Any, z: Any, step: Any, direction: Any) -> None:
            for i in range(out.size):
                out[i] = z[i] + step * direction[i]

        return run

    @overload(kernel.assign)
    def _assign(out: Any, vector: Any) -> Any:
        def run(out: Any, vector: Any) -> None:
            for i in range(out.size):
                out[i] = vector[i]

        return run

    @overload(kernel.scale)
    def _scale(vector: Any, factor: Any) -> Any:
        def run(vector: Any, factor: Any) -> None:
            for i in range(vector.size):
                vector[i] *= factor

        return run

    @overload(kernel.interpolate)
    def _interpolate(
        out: Any, t: Any, z: Any, tangent: Any, slope: Any,
        z_new: Any, tangent_new: Any, slope_new: Any,
    ) -> Any:  # fmt: skip
        def run(
            out: Any, t: Any, z: Any, tangent: Any, slope: Any,
            z_new: Any, tangent_new: Any, slope_new: Any,
        ) -> None:  # fmt: skip
            before, leaving = (1.0 + 2.0 * t) * (1.0 - t) ** 2, slope * t * (1.0 - t) ** 2
            after, arriving = t * t * (3.0 - 2.0 * t), slope_new * t * t * (t - 1.0)
            for i in range(out.size):
                out[i] = before * z[i] + leaving * tangent[i]
                out[i] += after * z_new[i] + arriving * tangent_new[i]

        return run

    native_tridiagonal.register(call, plain)
    hot: list[Any] = [
        corrector.correct, corrector.advance, corrector.jumped, walking.next_step,
        walking.returns_to,
        elimination.eliminate, elimination._eliminate_two, elimination._eliminate_three,
        elimination._determinant, newton.newton, newton._finite_jacobian, newton._is_solution,
        newton._mean, newton._factorise, newton._substitute,
    ]  # fmt: skip
    for function in hot:
        register_jitable(**inline)(function)
    for module in COMPILED:
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and function not in hot:
                register_jitable(**plain)(function)
