"""Trace every critical point of a learning problem through its parameters, and say what it is."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Branch": "results",
    "Criticality": "criticality.record",
    "ContcritError": "errors",
    "Diagram": "results",
    "Exp": "symbolic.matrix",
    "MatrixProblem": "symbolic.matrix_problem",
    "Point": "results",
    "Problem": "symbolic.problem",
    "SearchResult": "engine.search_result",
    "Settings": "settings",
    "SpecialPoint": "results",
    "SpecificationError": "errors",
    "Status": "errors",
    "StorageError": "errors",
    "UserEvent": "events",
    "classify": "api",
    "diagram": "api",
    "find": "api",
    "load": "api",
    "models": "models",
    "resume": "api",
    "stream": "api",
    "trace": "api",
}
"""Where each public name lives; imported on first use so that start-up stays short."""

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from . import models as models
    from .api import classify as classify
    from .api import diagram as diagram
    from .api import find as find
    from .api import load as load
    from .api import resume as resume
    from .api import stream as stream
    from .api import trace as trace
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
    from .symbolic.matrix import Exp as Exp
    from .symbolic.matrix_problem import MatrixProblem as MatrixProblem
    from .symbolic.problem import Problem as Problem


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_HOMES[name]}", __name__)
    value = module if name == "models" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
