"""The choice of gear: plain Python, or the compiled walk over machine code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import SpecificationError
from ..settings import Settings
from . import walk as walking
from .between import SIMPLE, BetweenWork, Pair, between_work
from .cross import CrossWork, cross_work
from .kernel import Control, allocate

Array = np.ndarray


class Located(NamedTuple):
    """A special point as compiled code found it.

    Parameters
    ----------
    kind : str
    position : float
        Offset along the tangent of the bracket's first point.
    z, tangent : ndarray of shape (n + 1,)
        The bracketing locator's point, and its tangent.
    refined : ndarray of shape (n + 1,)
        The extended system's point.
    residual : float
        Of the equations there.
    negative : tuple of int
        Numbers of eigenvalues with a negative real part right before and after.
    evidence : dict
    """

    kind: str
    position: float
    z: Array
    tangent: Array
    refined: Array
    residual: float
    negative: tuple[int, int]
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
        Whether `simple_fold` and `branch_point` serve: in the native gear of dense systems.

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
        self._own: BetweenWork | None = None
        self._cross: CrossWork | None = None
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
            Whether only `simple_fold` and `branch_point` are wanted.
        """
        if self._choice != "auto" or self._tried:
            return
        if getattr(self._base, "native", None) is None:
            self._tried = True
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

    def simple_fold(
        self, pair: Pair, ends: tuple[Array, Array], weights: Array, control: Control,
        settings: Settings,
    ) -> Located | None:  # fmt: skip
        """Return the simple fold between two points, or None if it is not simple."""
        own = self._between(weights.size - 1)
        outcome, position, residual, quadratic, *negative = self._compiled.simple_fold(
            self.system, pair, *ends, weights, control,
            settings.rank_tolerance, settings.location_tolerance, self.work, own,
        )  # fmt: skip
        if outcome != SIMPLE:
            return None
        evidence = {"event": "fold", "quadratic_coefficient": quadratic}
        return _located("fold", own, position, residual, 1, 0, negative, evidence)

    def branch_point(
        self, pair: Pair, ends: tuple[Array, Array], spread: float, weights: Array,
        control: Control, settings: Settings,
    ) -> Located | None:  # fmt: skip
        """Return the branch point between two points, or None if that is not what happens."""
        own = self._between(weights.size - 1)
        if self._cross is None:
            self._cross = cross_work(weights.size - 1)
        outcome, position, residual, kernel, excess, *negative = self._compiled.branch_point(
            self.system, pair, *ends, spread, weights, control,
            settings.rank_tolerance, settings.location_tolerance, self.work, own, self._cross,
        )  # fmt: skip
        if outcome != SIMPLE:
            return None
        evidence = {"event": "inertia"}
        return _located("branch-point", own, position, residual, kernel, excess, negative, evidence)

    def _between(self, size: int) -> BetweenWork:
        if self._own is None:
            self._own = between_work(size)
        return self._own


def _located(
    kind: str, own: BetweenWork, position: float, residual: float, kernel: int, excess: int,
    negative: list[int], evidence: dict[str, Any],
) -> Located:  # fmt: skip
    evidence |= {
        "kernel_dimension": kernel,
        "excess": excess,
        "singular_values": own.values[:4].copy(),
        "singular_values_at_ends": own.reference[:4].copy(),
    }
    z, tangent, refined = own.located.copy(), own.tangent.copy(), own.refined.copy()
    counts = (negative[0], negative[1])
    return Located(kind, position, z, tangent, refined, residual, counts, evidence)


def _is_gauged(system: Any) -> bool:
    return hasattr(system, "phases")
