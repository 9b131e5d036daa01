"""What an event is: a test function along a branch that changes sign where something happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..linalg import negative_count, real_parts

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Signals:
    """What the walk recorded at each accepted point; events look for changes in it.

    Parameters
    ----------
    z, tangent : ndarray of shape (m, n + 1)
    sign, log_modulus : ndarray of shape (m,)
        Determinant of the Jacobian bordered by the tangent; the sign is 0 where it is unknown.
    negative : ndarray of shape (m,) or None
        Number of eigenvalues of the Jacobian in the unknowns with a negative real part, where it
        was affordable.
    step : ndarray of shape (m - 1,)
        Offset of each point along the tangent of the one before.
    phases : ndarray of shape (m, r, n) or None
        Orbit tangents of the acting generators, under gauge.
    multipliers : ndarray of complex, shape (m, n), or None
        Of maps.
    """

    z: Array
    tangent: Array
    sign: Array
    log_modulus: Array
    negative: Array | None
    step: Array
    phases: Array | None = None
    multipliers: Array | None = None


@dataclass(frozen=True)
class Bracket:
    """Two accepted points between which an event happens.

    Parameters
    ----------
    first, last : int
        Positions of the two points.
    detail : int
        Which eigenvalue crosses, for events that need to know.
    dip : bool
        Whether the test function touches zero instead of changing sign.
    limits : tuple of float, optional
        Offsets along the first point's tangent that enclose the event more closely.
    """

    first: int
    last: int
    detail: int = 0
    dip: bool = False
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class LocalPoint:
    """A point inside a bracket, at which an event's test function is evaluated.

    `origin` is the accepted point that the bracket starts from.
    """

    system: Any
    z: Array
    tangent: Array
    sign: float
    log_modulus: float
    origin: Array
    scale: dict[str, float] = field(default_factory=dict)

    @cached_property
    def jacobian(self) -> Any:
        """The Jacobian at the point, shape (n, n + 1)."""
        return self.system.jacobian(self.z)

    @cached_property
    def real_parts(self) -> Array | None:
        """Ascending real parts of the eigenvalues of the Jacobian in the unknowns."""
        matrix, symmetric = spectral_matrix(self.system, self.z, self.jacobian)
        return real_parts(matrix, symmetric)

    @cached_property
    def negative(self) -> int:
        """How many of these eigenvalues have a negative real part; -1 where that is unknown."""
        return negative_count(*spectral_matrix(self.system, self.z, self.jacobian))


def spectral_matrix(system: Any, z: Array, jacobian: Any) -> tuple[Any, bool]:
    """Return the matrix whose eigenvalues decide stability, and whether it is symmetric.

    It is the Jacobian in the unknowns; a system with symmetries moves the zeros they force away.
    """
    own = getattr(system, "spectral_matrix", None)
    if own is not None:
        return own(z)
    return jacobian[:, :-1], system.symmetric


@runtime_checkable
class Event(Protocol):
    """A kind of special point that a trace looks for.

    `brackets` finds where it happens from the recorded signals; `value` is the test function that
    the locator drives to zero with continuation steps.
    """

    kind: str
    terminal: bool

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system."""
        ...

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the event happens."""
        ...

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the test function at a point."""
        ...


@dataclass(frozen=True)
class UserEvent:
    """A special point of the user's own: where a function of the point changes sign.

    Parameters
    ----------
    name : str
        Name under which it is reported (its `kind` is ``"user"``).
    function : callable
        ``function(x, parameter) -> float``, continuous along branches.
    terminal : bool
        Whether the branch ends at the first such point (default False).
    kind : str
        Always ``"user"``.

    Examples
    --------
    >>> import contcrit as cc
    >>> event = cc.UserEvent("norm one", lambda x, p: float(x @ x) - 1.0)
    >>> event.kind
    'user'
    """

    name: str
    function: Callable[[Array, float], float]
    terminal: bool = False
    kind: str = "user"

    def applies(self, system: Any) -> bool:
        """Tell whether the event makes sense for a system: always."""
        return True

    def brackets(self, signals: Signals) -> list[Bracket]:
        """Return where the function changes sign."""
        values = np.array([self.function(z[:-1], float(z[-1])) for z in signals.z])
        return sign_changes(values)

    def value(self, point: LocalPoint, bracket: Bracket) -> float:
        """Return the function at a point."""
        return float(self.function(point.z[:-1], float(point.z[-1])))


def sign_changes(values: Array) -> list[Bracket]:
    """Return the brackets between consecutive non-zero values of opposite sign."""
    signs = np.sign(values)
    if abs(signs.sum()) == len(signs):
        return []  # all of one sign: the usual case, told cheaply
    if signs.all() and math.isfinite(values.sum()):
        flips = (signs[:-1] != signs[1:]).nonzero()[0].tolist()
        return [Bracket(k, k + 1) for k in flips]
    known = np.flatnonzero((signs != 0) & np.isfinite(values))
    flips = np.flatnonzero(np.diff(signs[known])).tolist()
    return [Bracket(int(known[k]), int(known[k + 1])) for k in flips]


def count_changes(counts: Array) -> list[Bracket]:
    """Return the brackets between consecutive known counts that differ, one for each unit.

    Parameters
    ----------
    counts : ndarray of int, shape (m,)
        Of eigenvalues on one side of a line; -1 where unknown.
    """
    if not np.any(counts[1:] != counts[:-1]):
        return []
    known = np.flatnonzero(counts >= 0)
    found: list[Bracket] = []
    for k in np.flatnonzero(counts[known[:-1]] != counts[known[1:]]):
        first, last = int(known[k]), int(known[k + 1])
        low, high = sorted((int(counts[first]), int(counts[last])))
        found.extend(Bracket(first, last, detail=j) for j in range(low, high))
    return found
