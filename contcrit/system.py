"""The numeric side of a problem: what the engine may ask of it.

A point of a branch is ``z = (unknowns, multipliers, parameter)``, of length n + 1 with
n = unknowns + multipliers. A `System` gives the n equations and their derivatives at z.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .errors import SpecificationError

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


Mode = tuple[int, ...]
"""Sides of the kinks: -1 (g <= 0), +1 (g >= 0), or 0 (held at g = 0)."""


class ModeLayout:
    """How the unknowns of one mode lie in the full vector (x, positions, parameter).

    Parameters
    ----------
    size : int
        Number n of unknowns x.
    mode : sequence of int
        One entry in {-1, 0, +1} for each of the m kinks.

    Attributes
    ----------
    mode : tuple of int
    free : ndarray of int, shape (k,)
        Kinks held at g = 0, whose positions are unknowns.
    columns : ndarray of int, shape (n + k + 1,)
        Where z = (x, free positions, parameter) lies in the full vector.
    rows : ndarray of int, shape (n + k,)
        Which of the equations (F, switching functions) the mode solves.

    Examples
    --------
    >>> import numpy as np
    >>> ModeLayout(1, (1, 0)).full(np.array([2.0, 0.5, 3.0])).tolist()
    [2.0, 1.0, 0.5, 3.0]
    """

    def __init__(self, size: int, mode: Mode) -> None:
        self.size = size
        self.mode = tuple(int(side) for side in mode)
        self.kinks = len(self.mode)
        sides = np.array(self.mode, dtype=float)
        self.free = np.flatnonzero(sides == 0)
        self.positions = (1.0 + sides) / 2.0
        n, m = size, self.kinks
        self.rows = np.concatenate([np.arange(n), n + self.free])
        self.columns = np.concatenate([self.rows, [n + m]])

    def full(self, z: Array) -> Array:
        """Return (x, positions, parameter) of points z, shape (..., n + m + 1)."""
        z = np.asarray(z, dtype=float)
        found = np.empty((*z.shape[:-1], self.size + self.kinks + 1))
        found[..., self.size : -1] = self.positions
        found[..., self.columns] = z
        return found

    def full_direction(self, direction: Array) -> Array:
        """Return directions in the full vector: fixed positions do not move."""
        direction = np.asarray(direction, dtype=float)
        found = np.zeros((*direction.shape[:-1], self.size + self.kinks + 1))
        found[..., self.columns] = direction
        return found

    def take(self, full: Array) -> Array:
        """Return z, or a direction, of this mode out of the full vector."""
        return np.asarray(full, dtype=float)[..., self.columns]

    def plain(self, z: Array) -> Array:
        """Return (x, parameter) of points or directions of this mode."""
        z = np.asarray(z, dtype=float)
        return np.concatenate([z[..., : self.size], z[..., -1:]], axis=-1)


def silent_kinks(size: int, switches: Array, jacobian: Array, z: Array) -> Array:
    """Tell which kinks are switched off: g vanishes with all its derivatives, as behind a relu.

    Parameters
    ----------
    size : int
        Number n of unknowns.
    switches : ndarray, shape (m,)
        The g at (x, s, parameter).
    jacobian : ndarray, shape (m, n + m + 1)
        Their derivatives in (x, s, parameter).
    z : ndarray
        The point, for its scale.

    Returns
    -------
    ndarray of bool, shape (m,)
        Where true, the side makes no difference to any equation nearby.
    """
    level = 1e-13 * (1.0 + float(np.max(np.abs(z), initial=0.0)))
    columns = np.append(np.arange(size), jacobian.shape[1] - 1)
    flat = np.max(np.abs(jacobian[:, columns]), axis=1, initial=0.0) <= 1e-13
    silent: Array = flat & (np.abs(switches) <= level)
    return silent


@runtime_checkable
class Family(Protocol):
    """A nonsmooth problem with one free parameter: one smooth system for each mode.

    Every kink i has a switching function g_i and a position s_i in [0, 1]. The equations are
    smooth in (x, s, parameter). On a side, s_i is 0 or 1 and g_i keeps its sign; a kink that is
    held has g_i = 0 as one more equation and s_i as one more unknown. A smooth problem is a family
    without kinks.

    Attributes
    ----------
    size : int
        Number n of unknowns x.
    kinks : int
        Number m of switching functions.
    names : tuple of str
        Names of the unknowns.
    parameter : str
        Name of the free parameter.
    kind : {"flow", "map", "equation", "potential"}
        What the equations mean.
    """

    size: int
    kinks: int
    names: tuple[str, ...]
    parameter: str
    kind: str

    def mode_of(self, z: Array, tolerance: float) -> Mode:
        """Return the mode of (x, parameter), 0 for ties; silent kinks count as +1."""
        ...

    def system(self, mode: Mode) -> System:
        """Return the system of a mode, in z = (x, positions of held kinks, parameter)."""
        ...

    def expansion(self, full: Array) -> tuple[Array, Array]:
        """Return (F, g) at (x, s, parameter), shape (n + m,), and its Jacobian in all of these."""
        ...

    def switching(self, full: Array, direction: Array) -> tuple[Array, Array]:
        """Return the g, and their derivatives along directions, at many points: (count, m) each."""
        ...


def checked_box(box: Any, size: int, *, flat: bool = False) -> tuple[Array, Array]:
    """Return the corners of a box given as (n, 2) bounds or as one pair for all unknowns.

    Parameters
    ----------
    box : array_like of shape (n, 2) or (2,)
    size : int
        Number of unknowns n.
    flat : bool, optional
        Whether a side may have no length (default False).

    Raises
    ------
    SpecificationError
        If the shape does not fit, or a pair is not finite and in order.
    """
    try:
        bounds = np.asarray(box, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "box", box, "must be an array of numbers.", "Give (low, high) pairs."
        ) from error
    if bounds.shape == (2,):
        bounds = np.tile(bounds, (size, 1))
    if bounds.shape != (size, 2):
        raise SpecificationError(
            "box", bounds.shape, f"must have shape ({size}, 2) or (2,).", "Give (low, high) pairs."
        )
    width = bounds[:, 1] - bounds[:, 0]
    if not (np.all(np.isfinite(bounds)) and np.all(width >= 0 if flat else width > 0)):
        rule = "needs finite low <= high." if flat else "needs finite low < high."
        raise SpecificationError("box", bounds.tolist(), rule, "Order each pair.")
    return bounds[:, 0].copy(), bounds[:, 1].copy()
