"""Observables at many points at once: what is given is checked, what is written is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .kernel import Kernel, symengine_knows
from .normalise import as_name

Array = np.ndarray


def read_points(x: Any, size: int) -> Array:
    """Return points as floats, shape (m, n).

    Raises
    ------
    SpecificationError
        If the shape is another.
    """
    points = np.asarray(x, dtype=float)
    if points.ndim != 2 or points.shape[1] != size:
        raise SpecificationError(
            "x", points.shape, f"must have shape (m, {size}).", "Stack the points as rows."
        )
    return np.ascontiguousarray(points)


def read_columns(
    values: Mapping[Any, Any] | None, names: Sequence[str], count: int
) -> dict[str, Array]:
    """Return every parameter at every point, each of shape (m,), in the order of `names`.

    Parameters
    ----------
    values : mapping of str or Symbol to number or array_like of shape (m,)
    names : sequence of str
        All parameters.
    count : int
        Number m of points.

    Raises
    ------
    SpecificationError
        If a parameter is unknown or missing, or is neither a number nor an array of m numbers.
    """
    if values is not None and not isinstance(values, Mapping):
        raise SpecificationError(
            "values", values, "needs a mapping from parameter to number.", "Such as {'p': 1.0}."
        )
    given = {
        key if isinstance(key, str) else as_name(key, "values"): value
        for key, value in (values or {}).items()
    }
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    if unknown or missing:
        raise SpecificationError(
            "values",
            unknown or missing,
            "are not parameters of the problem." if unknown else "lacks parameters.",
            f"Give a value for each of: {', '.join(names) or 'none declared'}.",
        )
    columns = {}
    for name in names:
        try:
            column = np.asarray(given[name], dtype=float)
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                f"values[{name!r}]", given[name], "must hold real numbers.", "Give floats."
            ) from error
        if column.shape not in ((), (count,)):
            raise SpecificationError(
                f"values[{name!r}]",
                column.shape,
                f"must be a number or an array of shape ({count},).",
                "Give one value for each point.",
            )
        columns[name] = np.ascontiguousarray(np.broadcast_to(column, (count,)))
    return columns


def each(function: Callable[..., float], x: Array, values: Mapping[str, Array]) -> Array:
    """Return a function of the user's at every point, shape (m,)."""
    names = tuple(values)
    rows = zip(*(column.tolist() for column in values.values()), strict=True)
    settings = [dict(zip(names, row, strict=True)) for row in rows] if names else [{}] * len(x)
    pairs = zip(x, settings, strict=True)
    return np.array([float(function(point, setting)) for point, setting in pairs]).reshape(len(x))


class Observer:
    """The observables of a problem as functions of many points.

    Parameters
    ----------
    inputs : sequence of sympy.Symbol
        Unknowns, then parameters.
    observables : mapping of str to sympy.Expr or callable
        Expressions are compiled together; functions of the user's are called point by point.
    """

    def __init__(self, inputs: Sequence[sp.Symbol], observables: Mapping[str, Any]) -> None:
        self._order = tuple(observables)
        expressions = {k: e for k, e in observables.items() if isinstance(e, sp.Basic)}
        self._functions = {k: f for k, f in observables.items() if k not in expressions}
        # One kernel shares subexpressions; what needs another backend must not slow the rest.
        together = [key for key, e in expressions.items() if symengine_knows(e)]
        apart = [[key] for key in expressions if key not in together]
        groups = [together, *apart] if together else apart
        self._groups = [
            (group, Kernel(inputs, [expressions[key] for key in group])) for group in groups
        ]

    def __call__(self, x: Array, values: Mapping[str, Array]) -> dict[str, Array]:
        """Return name -> values, shape (m,), at points (m, n) and parameters (m,)."""
        found: dict[str, Array] = {}
        inputs = np.column_stack([x, *values.values()])
        for names, kernel in self._groups:
            found.update(zip(names, kernel.batch(inputs).T, strict=True))
        for name, function in self._functions.items():
            found[name] = each(function, x, values)
        return {name: np.ascontiguousarray(found[name]) for name in self._order}
