"""Contraction: rates, flows with sliding, distances, metrics, and claims that can be tested."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Claim": "claims",
    "FlowEvent": "trajectory",
    "Outcome": "claims",
    "RandomDraw": "claims",
    "Trajectory": "trajectory",
    "flow": "flows",
    "measure": "claims",
}
"""Where each public name lives; imported on first use so that start-up stays short."""

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from .claims import Claim as Claim
    from .claims import Outcome as Outcome
    from .claims import RandomDraw as RandomDraw
    from .claims import measure as measure
    from .flows import flow as flow
    from .trajectory import FlowEvent as FlowEvent
    from .trajectory import Trajectory as Trajectory


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
