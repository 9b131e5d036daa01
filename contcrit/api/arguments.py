"""Reading what the public functions are given: names, values, spans."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import SpecificationError


def read_parameter(problem: Any, parameter: Any) -> str:
    """Return the parameter's name, given by name or symbol."""
    name = str(getattr(parameter, "name", parameter))
    if name not in problem.parameter_names:
        raise SpecificationError(
            "parameter",
            name,
            "is not a parameter of the problem.",
            f"Choose among {', '.join(problem.parameter_names) or '(it has none)'}.",
        )
    return name


def read_names(values: Mapping[Any, float] | None) -> dict[str, Any]:
    """Return values by name, given by name or symbol."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise SpecificationError(
            "values", values, "must be a mapping of names to numbers.", "Give a dict."
        )
    return {str(getattr(key, "name", key)): value for key, value in values.items()}


def read_values(problem: Any, values: Mapping[Any, float] | None) -> dict[str, float]:
    """Return values of all parameters: defaults of the problem, overridden by those given."""
    named = {**getattr(problem, "default_values", {}), **read_names(values)}
    for name in named:
        if name not in problem.parameter_names:
            raise SpecificationError(
                "values",
                name,
                "is not a parameter of the problem.",
                f"Choose among {', '.join(problem.parameter_names) or '(it has none)'}.",
            )
    for name in problem.parameter_names:
        if name not in named:
            raise SpecificationError(
                "values", name, "has no value.", f"Give it, as in values={{'{name}': 0.5}}."
            )
    validate = getattr(problem, "validate_values", None)
    if validate is not None:
        validate(named)
    return {name: float(value) for name, value in named.items()}


def read_span(span: Sequence[float]) -> tuple[float, float]:
    """Return the two ends of a span, the lower one first."""
    try:
        low, high = (float(end) for end in span)
    except (TypeError, ValueError):
        raise SpecificationError(
            "span", span, "must be two numbers.", "Give (low, high), as in (0, 1)."
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SpecificationError(
            "span", (low, high), "needs finite ends, the lower one first.", "Swap or correct them."
        )
    return low, high


def read_start_value(named: Mapping[str, Any], parameter: str, span: tuple[float, float]) -> float:
    """Return the start value of the parameter: the one given, or the lower end of the span."""
    value = named.get(parameter, span[0])
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise SpecificationError(
            "values", value, f"needs a number for `{parameter}`.", "Give one within the span."
        ) from None
    if not span[0] <= value <= span[1]:
        raise SpecificationError(
            "values", value, f"needs `{parameter}` within the span {span}.", "Change either."
        )
    return value


def read_starts(starts: Any) -> list[Any]:
    """Return a list of starts, given one or several; a model's own come labelled."""
    if hasattr(starts, "unknowns"):
        return [starts]
    if isinstance(starts, Mapping):
        own = [start for start in starts.values() if hasattr(start, "unknowns")]
        return own if own else [starts]
    if isinstance(starts, np.ndarray):
        return list(starts) if starts.ndim == 2 else [starts]
    if isinstance(starts, (list, tuple)) and starts and np.isscalar(starts[0]):
        return [starts]
    return list(starts)
