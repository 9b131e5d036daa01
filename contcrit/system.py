"""The numeric side of a problem: what the engine may ask of it.

A point of a branch is ``z = (unknowns, multipliers, parameter)``, of length n + 1 with
n = unknowns + multipliers. A `System` gives the n equations and their derivatives at z.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

Array = np.ndarray


@runtime_checkable
class System(Protocol):
    """A compiled problem with one free parameter: n equations in n + 1 numbers.

    Attributes
    ----------
    size : int
        Number n of equations; also of unknowns, multipliers included.
    names : tuple of str
        Names of the n unknowns.
    parameter : str
        Name of the free parameter.
    kind : {"flow", "map", "equation", "potential"}
        What the equations mean; decides which events apply.
    symmetric : bool
        Whether the Jacobian in the unknowns is symmetric everywhere.
    sparse : bool
        Whether `jacobian` returns a `scipy.sparse.csc_array` instead of an ndarray.
    """

    size: int
    names: tuple[str, ...]
    parameter: str
    kind: str
    symmetric: bool
    sparse: bool

    def residual(self, z: Array) -> Array:
        """Return the residual, shape (n,)."""
        ...

    def jacobian(self, z: Array) -> Any:
        """Return the Jacobian in (unknowns, parameter), shape (n, n + 1)."""
        ...

    def second(self, z: Array, direction: Array) -> Any:
        """Return the derivative of the Jacobian along a direction, shape (n, n + 1)."""
        ...
