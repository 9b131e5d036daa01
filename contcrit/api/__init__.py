"""The functions a user calls: the only place that joins the symbolic and the numeric side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import on_first_use

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


__getattr__ = on_first_use(globals(), _HOMES)
