"""Equations compiled one by one: the way of small problems, and of rows that fit no stencil."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from .derivatives import (
    Entries,
    engine_symbols,
    first_derivatives,
    second_derivatives,
    to_engine,
)
from .kernel import Kernel

Array = np.ndarray

DENSE_SIZE = 32

JOINT_SIZE = 8
"""Largest number of equations whose residual is taken from the joint function: to compile another
takes as long as thousands of its calls."""


class FlatFunctions:
    """Residual, Jacobian entries and second derivatives as flat compiled functions.

    Parameters
    ----------
    inputs : sequence of Symbol
        Arguments of every function: unknowns, free parameter (if any), other parameters.
    residual : sequence of Expr, length n
        The equations.
    columns : int
        Number m of leading inputs to differentiate by.
    dense : bool, optional
        Whether `joint` gives the whole Jacobian, row-major, instead of its non-zeros (default:
        for at most 32 equations).
    """

    def __init__(
        self,
        inputs: Sequence[sp.Symbol],
        residual: Sequence[sp.Expr],
        columns: int,
        dense: bool | None = None,
    ) -> None:
        self.inputs = list(inputs)
        self.rows_count = len(residual)
        self._residual = to_engine(residual)
        self._symbols = engine_symbols(self._residual, self.inputs[:columns])
        self.entries: Entries = first_derivatives(self._residual, self._symbols)
        positions = np.array(self.entries.positions, dtype=np.intp).reshape(-1, 2)
        self.rows, self.columns = positions[:, 0], positions[:, 1]
        self.dense = self.rows_count <= DENSE_SIZE if dense is None else dense
        self._residual_kernel: Kernel | None = None
        self._joint_kernel: Kernel | None = None
        self._second: tuple[Array, Kernel] | None = None

    @property
    def backend(self) -> str:
        """Name of the backend of the joint function."""
        return self.joint_kernel.backend

    @property
    def native_kernel(self) -> Kernel:
        """The joint function's kernel, of all inputs."""
        return self.joint_kernel

    @property
    def taken(self) -> Array:
        """Positions of its inputs: all of them, in order."""
        return np.arange(len(self.inputs))

    def rows_and_parts(self) -> list[tuple[Array, FlatFunctions]]:
        """Return all rows, and what evaluates them: itself; as `StencilFunctions` does."""
        return [(np.arange(self.rows_count), self)]

    @property
    def residual_kernel(self) -> Kernel:
        """The residual alone."""
        if self._residual_kernel is None:
            self._residual_kernel = Kernel(self.inputs, self._residual)
        return self._residual_kernel

    @property
    def joint_kernel(self) -> Kernel:
        """The residual, then the Jacobian: dense row-major for small n, else its non-zeros."""
        if self._joint_kernel is None:
            entries = self.entries.expressions
            if self.dense:
                width = len(self._symbols)
                entries = [0 * self._residual[0]] * (self.rows_count * width)
                for (row, column), expression in zip(
                    self.entries.positions, self.entries.expressions, strict=True
                ):
                    entries[row * width + column] = expression
            self._joint_kernel = Kernel(self.inputs, [*self._residual, *entries])
        return self._joint_kernel

    def residual(self, values: Array) -> Array:
        """Return the residual, shape (n,)."""
        values = values.astype(float, copy=False)
        if self.rows_count <= JOINT_SIZE:
            return self.joint_kernel(values)[: self.rows_count]
        return self.residual_kernel(values)

    def residual_batch(self, values: Array) -> Array:
        """Return residuals for inputs of shape (..., inputs)."""
        return self.residual_kernel.batch(values)

    def joint(self, values: Array) -> tuple[Array, Array]:
        """Return the residual and the Jacobian's data."""
        out = self.joint_kernel(values)
        return out[: self.rows_count], out[self.rows_count :]

    def second(self, values: Array) -> tuple[Array, Array]:
        """Return positions (t, 3) and values (t,) of second derivatives with j <= k."""
        if self._second is None:
            second = second_derivatives(self.entries, self._symbols)
            positions = np.array(second.positions, dtype=np.intp).reshape(-1, 3)
            self._second = positions, Kernel(self.inputs, second.expressions)
        positions, kernel = self._second
        return positions, kernel(values)
