"""Describe a problem by plain values, and read such descriptions and problem files back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .parse import format_expression, is_plain_name, parse_expression

if TYPE_CHECKING:
    from .problem import Problem

TYPE = "problem"
PIECEWISE_TYPE = "piecewise-problem"


def describe_problem(problem: Problem) -> dict[str, Any]:
    """Return a JSON-able description; see `Problem.describe`."""
    symbols = (*problem.unknowns, *problem.parameters)
    aliases = _aliases([symbol.name for symbol in symbols])
    names = {symbol: aliases.get(symbol.name, symbol.name) for symbol in symbols}
    description: dict[str, Any] = {
        "type": PIECEWISE_TYPE if hasattr(problem, "switches") else TYPE,
        "kind": problem.kind,
        "unknowns": list(problem.unknown_names),
        "parameters": list(problem.parameter_names),
        "blocks": {name: list(shape) for name, shape in problem.blocks.items()},
    }
    if problem.potential_expression is not None:
        description["potential"] = format_expression(problem.potential_expression, names)
    else:
        description["residual"] = [format_expression(row, names) for row in problem.residual]
    if aliases:
        description["aliases"] = {alias: name for name, alias in aliases.items()}
    if problem.name is not None:
        description["name"] = problem.name
    if problem.generators.shape[0]:
        description["generators"] = problem.generators.tolist()
    observables = {
        key: format_expression(value, names)
        for key, value in problem.observable_expressions.items()
        if isinstance(value, sp.Basic)
    }
    if observables:
        description["observables"] = observables
    if problem.domain:
        description["domain"] = {key: list(value) for key, value in problem.domain.items()}
    return description


def _aliases(names: list[str]) -> dict[str, str]:
    taken = set(names)
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        if not is_plain_name(name):
            alias = f"symbol_{number}"
            while alias in taken:
                alias += "_"
            taken.add(alias)
            found[name] = alias
    return found


def problem_arguments(description: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the expressions and the keyword arguments that a description states."""
    given: Any = description
    if not isinstance(given, Mapping) or given.get("type", TYPE) not in (TYPE, PIECEWISE_TYPE):
        raise SpecificationError(
            "description", description, "does not describe a Problem.", "Use Problem.describe()."
        )
    known = set(
        "type kind unknowns parameters blocks potential residual aliases name generators "
        "observables domain".split()
    )
    extra = sorted(set(description) - known)
    if extra:
        raise SpecificationError(
            "description", extra, "holds keys that are not known.", f"Known: {sorted(known)}."
        )
    unknowns = _names(description, "unknowns", required=True)
    parameters = _names(description, "parameters", required=False)
    symbols = {name: sp.Symbol(name) for name in (*unknowns, *parameters)}
    for alias, name in _mapping(description, "aliases").items():
        if name not in symbols:
            raise SpecificationError("aliases", name, "is not declared.", "Declare it.")
        # Only the alias stands for it: its own name may mean a constant in the text.
        symbols[alias] = symbols.pop(name)
    kind = description.get("kind", "potential" if "potential" in description else "flow")
    if ("potential" in description) == ("residual" in description) or (
        (kind == "potential") != ("potential" in description)
    ):
        raise SpecificationError(
            "description",
            {"kind": kind, "keys": sorted(description)},
            "needs `potential` for kind 'potential', and else `residual`, not both.",
            "State one of the two.",
        )
    if kind == "potential":
        expressions: Any = parse_expression(description["potential"], symbols)
    else:
        rows = description["residual"]
        rows = [rows] if isinstance(rows, str) else rows
        if not isinstance(rows, (list, tuple)):
            raise SpecificationError("residual", rows, "needs a list of texts.", "Use [...].")
        expressions = [parse_expression(row, symbols) for row in rows]
    blocks = _mapping(description, "blocks")
    arguments: dict[str, Any] = {
        "kind": kind,
        "unknowns": [sp.Symbol(name) for name in unknowns],
        "parameters": [sp.Symbol(name) for name in parameters],
        "blocks": {name: tuple(shape) for name, shape in blocks.items()} or None,
        "name": description.get("name"),
        "domain": _mapping(description, "domain"),
        "observables": {
            key: parse_expression(text, symbols)
            for key, text in _mapping(description, "observables").items()
        },
        "generators": _generators(description.get("generators", [])),
    }
    return expressions, arguments


def _generators(value: Any) -> list[Any]:
    try:
        return [np.array(generator, dtype=float) for generator in value]
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "generators", value, "needs arrays of numbers.", "Use nested lists."
        ) from error


def _names(description: Mapping[str, Any], key: str, *, required: bool) -> list[str]:
    names = description.get(key, [])
    if not isinstance(names, (list, tuple)) or not all(
        isinstance(name, str) and name for name in names
    ):
        raise SpecificationError(key, names, "needs a list of names.", 'Such as ["x", "y"].')
    if required and not names:
        raise SpecificationError(key, names, "needs at least one name.", 'Such as ["x"].')
    return list(names)


def _mapping(description: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = description.get(key) or {}
    if not isinstance(value, Mapping):
        raise SpecificationError(key, value, "needs a table.", "Use key = value lines.")
    return dict(value)


def parse_problem(document: Mapping[str, Any]) -> Problem:
    """Return the problem that the tables of a problem file state.

    Parameters
    ----------
    document : mapping
        The file's tables, such as from `tomllib.load`: ``[problem]`` with ``residual`` (list of
        texts) or ``potential`` (text), ``unknowns``, ``parameters``, and optionally ``kind``,
        ``name``, ``blocks``, ``observables``, ``generators``, ``domain``. Tables ``[values]`` and
        ``[start]`` may stand beside it; their names are checked here, their use is the caller's.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    SpecificationError
        If a table or key is missing, unknown or malformed.

    Examples
    --------
    >>> from contcrit.symbolic import parse_problem
    >>> table = {"residual": ["p*x - x**3"], "unknowns": ["x"], "parameters": ["p"]}
    >>> parse_problem({"problem": table, "values": {"p": 1.0}}).residual
    (p*x - x**3,)
    """
    from .problem import Problem

    given: Any = document
    if not isinstance(given, Mapping):
        raise SpecificationError("document", document, "needs tables.", "Load a TOML file.")
    extra = sorted(set(document) - {"problem", "values", "start"})
    if extra:
        raise SpecificationError(
            "document", extra, "holds tables that are not known.", "Use problem, values, start."
        )
    table = document.get("problem")
    if not isinstance(table, Mapping):
        raise SpecificationError(
            "document", sorted(document), "needs a table [problem].", "Add one."
        )
    problem = Problem.from_description(table)
    values = _mapping(document, "values")
    start = _mapping(document, "start")
    _check_names("values", values, set(problem.parameter_names))
    _check_names("start", start, {*problem.unknown_names, *problem.blocks})
    return problem


def _check_names(argument: str, given: Mapping[str, Any], known: set[str]) -> None:
    for name in given:
        if name not in known:
            raise SpecificationError(
                argument, name, "is not declared.", f"Choose among: {', '.join(sorted(known))}."
            )
