"""Describe a grid problem by plain values, and read such descriptions back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sympy as sp

from ..errors import SpecificationError
from .parse import format_expression, parse_expression

if TYPE_CHECKING:
    from .grid import GridProblem

TYPE = "grid-problem"

_REQUIRED = frozenset("type kind fields shape parameters neighbours residual boundary".split())
_OPTIONAL = frozenset("coefficients name domain".split())


def describe_grid(problem: GridProblem) -> dict[str, Any]:
    """Return a JSON-able description; see `GridProblem.describe`."""
    held = dict.fromkeys(n for _, mine in problem._stencils.values() for n in mine)
    aliases = {neighbour: f"at_{number}" for number, neighbour in enumerate(held)}
    names = {neighbour.symbol: alias for neighbour, alias in aliases.items()}

    def written(end: Any) -> Any:
        return end if isinstance(end, str) else {"value": format_expression(end)}

    description: dict[str, Any] = {
        "type": TYPE,
        "kind": problem.kind,
        "fields": list(problem.fields),
        "shape": list(problem.shape),
        "parameters": list(problem.parameter_names),
        "neighbours": {alias: [n.field, list(n.offset)] for n, alias in aliases.items()},
        "residual": {
            field: format_expression(expression, names)
            for field, (expression, _) in problem._stencils.items()
        },
        "boundary": {
            field: [[written(end) for end in ends] for ends in axes]
            for field, axes in problem._conditions.items()
        },
    }
    if problem._coefficients:
        description["coefficients"] = {k: v.tolist() for k, v in problem._coefficients.items()}
    if problem.name is not None:
        description["name"] = problem.name
    if problem.domain:
        description["domain"] = {key: list(value) for key, value in problem.domain.items()}
    return description


def grid_arguments(description: Any) -> tuple[Any, Any, Any, list[sp.Symbol], dict[str, Any]]:
    """Return the arguments of `GridProblem` that a description states."""
    if not isinstance(description, Mapping) or description.get("type") != TYPE:
        raise SpecificationError(
            "description", description, "does not describe a GridProblem.", "Use describe()."
        )
    unknown = sorted(set(description) - _REQUIRED - _OPTIONAL)
    missing = sorted(_REQUIRED - set(description))
    if unknown or missing:
        raise SpecificationError(
            "description",
            {"unknown": unknown, "missing": missing},
            "does not hold the keys of a GridProblem.",
            "Use GridProblem.describe().",
        )
    try:
        return _read(description)
    except SpecificationError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise SpecificationError(
            "description", str(error), "holds a value of the wrong form.", "Use describe()."
        ) from error


def _read(given: Mapping[str, Any]) -> tuple[Any, Any, Any, list[sp.Symbol], dict[str, Any]]:
    parameters = {name: sp.Symbol(name) for name in given["parameters"]}
    neighbours, coefficients = given["neighbours"], given.get("coefficients") or {}
    symbols = parameters | {name: sp.Symbol(name) for name in (*neighbours, *coefficients)}
    indexed = {
        sp.Symbol(alias): sp.IndexedBase(field)[tuple(offset)]
        for alias, (field, offset) in neighbours.items()
    }
    residual = {
        field: parse_expression(text, symbols).xreplace(indexed)
        for field, text in given["residual"].items()
    }

    def read(end: Any) -> Any:
        return end if isinstance(end, str) else parse_expression(end["value"], parameters)

    options = {
        "boundary": {
            field: [tuple(read(end) for end in ends) for ends in axes]
            for field, axes in given["boundary"].items()
        },
        "coefficients": coefficients,
        "kind": given["kind"],
        "name": given.get("name"),
        "domain": given.get("domain"),
    }
    return residual, given["fields"], given["shape"], list(parameters.values()), options
