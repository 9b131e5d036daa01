"""The choice of gear: plain Python, or the compiled walk over machine code."""

from __future__ import annotations

from typing import Any

from ..errors import SpecificationError
from ..settings import Settings
from . import walk as walking
from .kernel import allocate


class Gear:
    """What a march runs on; it may shift up between chunks of points.

    Parameters
    ----------
    system : System
    settings : Settings
        `gear` "auto" starts in Python and shifts once the walk is long enough to repay it; both
        gears run the same source and agree to rounding.

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
        if settings.gear == "native" and not self._shift_up() and not _is_gauged(system):
            raise SpecificationError(
                "gear",
                "native",
                "needs a dense problem of at most 32 unknowns whose functions compile.",
                "Use gear='auto' or 'python'.",
            )

    def shift(self, points: int) -> None:
        """Shift to the native gear if that is allowed, possible and worthwhile."""
        if self._choice != "auto" or self._tried:
            return
        if getattr(self._base, "native", None) is None:
            self._tried = True
            return
        from . import native

        if native.worthwhile(points):
            self._shift_up()

    def _shift_up(self) -> bool:
        from . import native

        self._tried = True
        found = native.handle_of(self._base)
        if found is None:
            return False
        self.system, self.work, self._keep_alive = found
        self.walk = native.compiled().walk
        self.name, self.chunk = "native", 1024
        return True


def _is_gauged(system: Any) -> bool:
    return hasattr(system, "phases")
