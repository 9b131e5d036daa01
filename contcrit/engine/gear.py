"""The choice of gear: plain Python, or the compiled walk over machine code."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import SpecificationError
from ..settings import Settings
from . import repayment
from . import walk as walking
from .between import between_work
from .cross_system import cross_work
from .kernel import Control, allocate, largest
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
from .tridiagonal_turn import tridiagonal_turn_work

Array = np.ndarray

_VALUES = (
    ("singular_values", COLUMNS - 2 * SHOWN),
    ("singular_values_at_ends", COLUMNS - SHOWN),
)
"""Where they begin in a row of the survey."""

_ROUNDING = 1e-6
"""Largest share of a fold's parameter that rounding may have cost."""

_ROOM = 2**20
"""Numbers that located points may take at a time."""


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
        Whether `survey` serves: in the native gear.
    settles : bool
        Whether `settle` does: in the native gear of tridiagonal systems.

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
        self.locates = self.settles = False
        if settings.gear == "native" and not self._shift_up() and not _is_gauged(system):
            raise SpecificationError(
                "gear",
                "native",
                "needs functions that compile, and at most 32 unknowns or a tridiagonal Jacobian.",
                "Use gear='auto' or 'python'.",
            )

    def shift(self, *, locating: bool = False) -> None:
        """Shift to the native gear if that is allowed, possible and worthwhile.

        Parameters
        ----------
        locating : bool, optional
            Whether only `survey` is wanted, which by itself repays nothing.
        """
        if self._choice != "auto" or self._tried:
            return
        if getattr(self._base, "native", None) is None:
            self._tried = True
        elif repayment.is_loaded(self._base) if locating else repayment.is_due(self._base):
            self._shift_up()

    def walked(self, points: int) -> None:
        """Take notice of how many points were walked: what Python did may call for a shift."""
        if self._choice == "auto" and not self._tried:
            repayment.note(self._base, points)

    def _shift_up(self) -> bool:
        from . import native, native_tridiagonal

        self._tried = True
        found: Any = native.handle_of(self._base)
        if found is None:
            found = native_tridiagonal.handle_of(self._base)
            if found is None:
                return False
            self.system, self.work, self._keep_alive = found
            self._compiled = native_tridiagonal.compiled()
            self.walk, self.name = self._compiled.walk, "native"
            self.settles = self._choice == "native" or native_tridiagonal.locates()
            self.locates = self.settles
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
        own: Any
        room: Any
        if self.settles:
            own, room = tridiagonal_turn_work(size - 1), None
        else:
            own, room = between_work(size - 1), cross_work(size - 1)
        capacity = max(1, min(CAPACITY, _ROOM // size))
        rows, states = np.empty((capacity, COLUMNS)), np.empty((capacity, 3, size))
        found: list[Located] = []
        while done < len(points) - 1:
            count, done, here = self._compiled.survey(
                self.system, points, tangents, facts, done, near, weights, control,
                settings.rank_tolerance, settings.location_tolerance, self.work, own, room, rows,
                states,
            )  # fmt: skip
            clear = clear and here
            found.extend(_located(rows[k], states[k]) for k in range(count))
        if self.settles:
            found = [self._polished(one) for one in found]
        return found, clear

    def settle(
        self, z: Array, row: Array, weights: Array, control: Control, tangent: Array, scratch: Array
    ) -> tuple[bool, float, float]:
        """Do what `corrector.settle` does."""
        found: tuple[bool, float, float] = self._compiled.settle(
            self.system, z, row, weights, control, self.work, tangent, scratch
        )
        return found

    def _polished(self, fold: Located) -> Located:
        """Correct the parameter of a refined fold by a residual of less rounding.

        The equations' share along the left null vector depends on the parameter alone.
        """
        from ..linalg import factorise  # for sparse systems only: slow to import

        z = fold.refined
        jacobian = self._base.jacobian(z)
        factors = factorise(jacobian)
        if factors is None:
            return fold
        # One step of inverse iteration with a singular matrix gives the null vector.
        column = np.asarray(jacobian[:, [-1]] @ np.ones(1))
        left = factors.solve_transposed(column)
        with np.errstate(all="ignore"):  # what does not come out as rounding is left alone
            shift = float(left @ self._base.sharp_residual(z)) / float(left @ column)
        if not abs(shift) <= _ROUNDING * (1.0 + abs(z[-1])):
            return fold
        z[-1] -= shift
        return fold._replace(residual=largest(self._base.residual(z)))


def _located(row: Array, state: Array) -> Located:
    numbers = row.tolist()
    fold = numbers[KIND] == FOLD
    evidence: dict[str, Any] = {"event": "fold" if fold else "inertia"}
    if fold:
        evidence["quadratic_coefficient"] = numbers[COEFFICIENT]
    evidence["kernel_dimension"] = int(numbers[KERNEL])
    evidence["excess"] = int(numbers[EXCESS])
    for name, first in _VALUES:
        shown = numbers[first : first + SHOWN]
        evidence[name] = np.array([value for value in shown if not math.isnan(value)])
    z, tangent, refined = state.copy()
    return Located(
        "fold" if fold else "branch-point", int(numbers[STEP]), bool(numbers[SETTLED]),
        numbers[AT], z, tangent, refined, numbers[RESIDUAL], evidence,
    )  # fmt: skip


def _is_gauged(system: Any) -> bool:
    return hasattr(system, "phases")
