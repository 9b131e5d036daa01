"""The functions a user calls: the only place that joins the symbolic and the numeric side."""

from .files import load
from .many import solve_many, trace_many
from .points import classify, find
from .streaming import stream
from .tracing import diagram, resume, trace

__all__ = [
    "classify",
    "diagram",
    "find",
    "load",
    "resume",
    "solve_many",
    "stream",
    "trace",
    "trace_many",
]
