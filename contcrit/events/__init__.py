"""Events: one file each; `default_events` finds every module here that defines ``EVENT``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from .base import Bracket, Event, LocalPoint, Signals, UserEvent

__all__ = ["Bracket", "Event", "LocalPoint", "Signals", "UserEvent", "default_events"]


@cache
def default_events() -> tuple[Event, ...]:
    """Return the events that every trace looks for."""
    found = []
    for module_info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        if hasattr(module, "EVENT"):
            found.append(module.EVENT)
    return tuple(found)
