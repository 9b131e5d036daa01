"""When machine code repays the time it takes to load or to compile it.

What the Python gear took in this process so far counts, whatever branches it walked: the loss is
then never more than twofold. Times are estimates, so that the choice of gear depends on what a
process computes, and not on how busy the machine is.
"""

from __future__ import annotations

import sys
from typing import Any

LOADING = 1.2
"""Seconds to load machine code from disk, numba included (measured)."""

COMPILING = 20.0
"""Seconds to compile it (measured)."""

_DENSE, _TRIDIAGONAL = "native", "native_tridiagonal"

_POINT = {_DENSE: (3e-4, 2e-5), _TRIDIAGONAL: (8e-4, 5e-7)}
"""Seconds that the Python gear takes for a point, and for each unknown on top (measured)."""

_spent = {_DENSE: 0.0, _TRIDIAGONAL: 0.0}


def seconds(system: Any, points: int) -> float:
    """Return how long the Python gear takes for so many points, about."""
    point, unknown = _POINT[_kind(system)]
    return points * (point + unknown * float(system.size))


def note(system: Any, points: int) -> None:
    """Take notice of points that the Python gear walked."""
    _spent[_kind(system)] += seconds(system, points)


def is_loaded(system: Any) -> bool:
    """Tell whether the machine code that would walk a system is there already."""
    module = sys.modules.get(f"{__package__}.{_kind(system)}")
    return module is not None and bool(module.is_loaded())


def is_due(system: Any) -> bool:
    """Tell whether what was spent repays loading, or compiling, the code that walks a system."""
    if is_loaded(system):
        return True
    spent = _spent[_kind(system)]
    if spent < LOADING:
        return False
    from . import native, native_tridiagonal

    kept = (native if _kind(system) == _DENSE else native_tridiagonal).is_kept()
    return spent >= (LOADING if kept else COMPILING)


def _kind(system: Any) -> str:
    return _TRIDIAGONAL if getattr(system, "tridiagonal", False) else _DENSE
