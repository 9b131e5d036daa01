"""Trace every critical point of a learning problem through its parameters, and say what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import on_first_use

__version__ = "0.1.0"

_HOMES = {
    "Branch": "results",
    "ContcritError": "errors",
    "Criticality": "criticality.record",
    "Diagram": "results",
    "Exp": "symbolic.matrix",
    "GridProblem": "symbolic.grid",
    "MatrixProblem": "symbolic.matrix_problem",
    "PiecewiseProblem": "symbolic.piecewise",
    "Point": "results",
    "Problem": "symbolic.problem",
    "SearchResult": "engine.search_result",
    "Settings": "settings",
    "Solutions": "api.many_results",
    "SpecialPoint": "results",
    "SpecificationError": "errors",
    "Status": "errors",
    "StorageError": "errors",
    "Traces": "api.many_results",
    "UserEvent": "events",
    "absolute": "symbolic.markers",
    "classify": "api",
    "contraction": "contraction",
    "diagram": "api",
    "find": "api",
    "leaky_relu": "symbolic.markers",
    "load": "api",
    "maximum": "symbolic.markers",
    "minimum": "symbolic.markers",
    "models": "models",
    "relu": "symbolic.markers",
    "resume": "api",
    "sign": "symbolic.markers",
    "solve_many": "api",
    "step": "symbolic.markers",
    "stream": "api",
    "trace": "api",
    "trace_many": "api",
}
"""Where each public name lives; imported on first use so that start-up stays short."""

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from . import contraction as contraction
    from . import models as models
    from .api import classify as classify
    from .api import diagram as diagram
    from .api import find as find
    from .api import load as load
    from .api import resume as resume
    from .api import solve_many as solve_many
    from .api import stream as stream
    from .api import trace as trace
    from .api import trace_many as trace_many
    from .api.many_results import Solutions as Solutions
    from .api.many_results import Traces as Traces
    from .criticality.record import Criticality as Criticality
    from .engine.search_result import SearchResult as SearchResult
    from .errors import ContcritError as ContcritError
    from .errors import SpecificationError as SpecificationError
    from .errors import Status as Status
    from .errors import StorageError as StorageError
    from .events import UserEvent as UserEvent
    from .results import Branch as Branch
    from .results import Diagram as Diagram
    from .results import Point as Point
    from .results import SpecialPoint as SpecialPoint
    from .settings import Settings as Settings
    from .symbolic.grid import GridProblem as GridProblem
    from .symbolic.markers import absolute as absolute
    from .symbolic.markers import leaky_relu as leaky_relu
    from .symbolic.markers import maximum as maximum
    from .symbolic.markers import minimum as minimum
    from .symbolic.markers import relu as relu
    from .symbolic.markers import sign as sign
    from .symbolic.markers import step as step
    from .symbolic.matrix import Exp as Exp
    from .symbolic.matrix_problem import MatrixProblem as MatrixProblem
    from .symbolic.piecewise import PiecewiseProblem as PiecewiseProblem
    from .symbolic.problem import Problem as Problem


__getattr__ = on_first_use(globals(), _HOMES)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
