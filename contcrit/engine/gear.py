"""The choice of gear: plain Python, or the compiled walk over machine code."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from ..errors import SpecificationError
from ..settings import Settings
from . import walk as walking
from .between import between_work
from .cross_system import cross_work
from .kernel import Control, allocate
from .survey import (
    AT,
    CAPACITY,
    COEFFICIENT,
    COLUMNS,
    EXCESS,
    FOLD,
    KERNEL,
    KIND,
    RESIDUAL,
    SETTLED,
    SHOWN,
    STEP,
)

Array = np.ndarray

REPAYS_LOADING = 2_000
"""Points of a dense system that Python walks while machine code is loaded from disk."""


class Located(NamedTuple):
    """A special point as compiled code found it.

    Parameters
    ----------
    kind : str
    step : int
        Position of the accepted point before it.
    settled : bool
        Whether the step's whole change of inertia is accounted for.
    arclength : float
    z, tangent : ndarray of shape (n + 1,)
        The bracketing locator's point, and its tangent.
    refined : ndarray of shape (n + 1,)
        The extended system's point.
    residual : float
        max|F| there.
    evidence : dict
    """

    kind: str
    step: int
    settled: bool
    arclength: float
    z: Array
    tangent: Array
    refined: Array
    residual: float
    evidence: dict[str, Any]


class Gear:
    """What a march runs on; it may shift up between chunks of points.

    Parameters
    ----------
    system : System
    settings : Settings
        `gear` "auto" starts in Python and shifts once the walk is long enough to repay it; both
        gears run the same source and agree to rounding.

    Attributes
    ----------
    name : str
        "python" or "native".
    locates : bool
        Whether `survey` serves: in the native gear of dense systems.

    Raises
    ------
    SpecificationError
        If `gear` is "native" and the system has no machine code.
    """

    def __init__(self, system: Any, settings: Settings) -> None:
        self.name = "python"
        self.chunk = 64
        self.system: Any = system
        self.work: Any = allocate(system)
        self.walk: Any = walking.walk
        self._base = system
        self._choice = settings.gear
        self._tried = False
        self._keep_alive: Any = None
        self._compiled: Any = None
        self.locates = False
        self._counted = 0
        if settings.gear == "native" and not self._shift_up() and not _is_gauged(system):
            raise SpecificationError(
                "gear",
                "native",
                "needs functions that compile, and at most 32 unknowns or a tridiagonal Jacobian.",
                "Use gear='auto' or 'python'.",
            )

    def shift(self, points: int, *, locating: bool = False) -> None:
        """Shift to the native gear if that is allowed, possible and worthwhile.

        Parameters
        ----------
        points : int
            How many have been walked.
        locating : bool, optional
            Whether only `survey` is wanted.
        """
        if self._choice != "auto" or self._tried:
            return
        if getattr(self._base, "native", None) is None:
            self._tried = True
            return
        if points < REPAYS_LOADING and _is_dense(self._base) and not _is_loaded():
            return
        from . import native, native_tridiagonal

        if native_tridiagonal.may_fit(self._base):
            more, self._counted = points - self._counted, points
            if not locating and native_tridiagonal.worthwhile(more, self._base.size):
                self._shift_up()
        elif native.worthwhile(points):
            self._shift_up()

    def _shift_up(self) -> bool:
        from . import native, native_tridiagonal

        self._tried = True
        found: Any = native.handle_of(self._base)
        if found is None:
            found = native_tridiagonal.handle_of(self._base)
            if found is None:
                return False
            self.system, self.work, self._keep_alive = found
            self.walk = native_tridiagonal.compiled_walk()
            self.name = "native"
            return True
        self.system, self.work, self._keep_alive = found
        self.locates = True
        self._compiled = native.compiled()
        self.walk = self._compiled.walk
        self.name, self.chunk = "native", 1024
        return True

    def survey(
        self, points: Array, tangents: Array, facts: Array, near: float, weights: Array,
        control: Control, settings: Settings,
    ) -> tuple[list[Located], bool]:  # fmt: skip
        """Return the special points that compiled code finds between accepted points.

        Also whether the default events hold nothing besides; see `survey.survey`.
        """
        size, done, clear = weights.size, 0, True
        own, room = between_work(size - 1), cross_work(size - 1)
        rows, states = np.empty((CAPACITY, COLUMNS)), np.empty((CAPACITY, 3, size))
        found: list[Located] = []
        while done < len(points) - 1:
            count, done, here = self._compiled.survey(
                self.system, points, tangents, facts, done, near, weights, control,
                settings.rank_tolerance, settings.location_tolerance, self.work, own, room, rows,
                states,
            )  # fmt: skip
            clear = clear and here
            found.extend(_located(rows[k], states[k]) for k in range(count))
        return found, clear


def _located(row: Array, state: Array) -> Located:
    shown = min(SHOWN, state.shape[1] - 1)
    numbers = row.tolist()
    fold = numbers[KIND] == FOLD
    evidence: dict[str, Any] = {"event": "fold" if fold else "inertia"}
    if fold:
        evidence["quadratic_coefficient"] = numbers[COEFFICIENT]
    evidence["kernel_dimension"] = int(numbers[KERNEL])
    evidence["excess"] = int(numbers[EXCESS])
    evidence["singular_values"] = row[-2 * SHOWN :][:shown].copy()
    evidence["singular_values_at_ends"] = row[-SHOWN:][:shown].copy()
    z, tangent, refined = state.copy()
    return Located(
        "fold" if fold else "branch-point", int(numbers[STEP]), bool(numbers[SETTLED]),
        numbers[AT], z, tangent, refined, numbers[RESIDUAL], evidence,
    )  # fmt: skip


def _is_dense(system: Any) -> bool:
    return getattr(system, "native_tridiagonal", None) is None or not system.sparse


def _is_loaded() -> bool:
    """Tell whether the native gear's module is; until then nothing is compiled."""
    return f"{__package__}.native" in sys.modules


def _is_gauged(system: Any) -> bool:
    return hasattr(system, "phases")
