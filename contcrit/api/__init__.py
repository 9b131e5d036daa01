"""The functions a user calls: the only place that joins the symbolic and the numeric side."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "classify": "points",
    "diagram": "tracing",
    "find": "points",
    "load": "files",
    "resume": "tracing",
    "solve_many": "many",
    "stream": "streaming",
    "trace": "tracing",
    "trace_many": "many",
}
"""Where each function lives; imported on first use, since half of a short trace is imports."""

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from .files import load as load
    from .many import solve_many as solve_many
    from .many import trace_many as trace_many
    from .points import classify as classify
    from .points import find as find
    from .streaming import stream as stream
    from .tracing import diagram as diagram
    from .tracing import resume as resume
    from .tracing import trace as trace


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
