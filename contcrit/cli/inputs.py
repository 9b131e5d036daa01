"""What the command line says, as problems, values and start points."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SpecificationError

_NAME = re.compile(r"[^\W\d][^=]*")
_WORD = re.compile(r"[A-Za-z][\w.-]*")


@dataclass(frozen=True, kw_only=True)
class StartPoint:
    """A start with the parameter values that it belongs to."""

    unknowns: Mapping[str, Any]
    values: Mapping[str, float] = field(default_factory=dict)
    elsewhere: str = ""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A problem, with the values and starts that came with it.

    Parameters
    ----------
    name : str
        Name of the model or of the file.
    problem : object
        The problem.
    values : mapping of str to float
        Parameter values given by the file or the command line.
    given_start : mapping of str to object
        Unknowns that a problem file states; empty for a model.
    find_starts : callable
        Returns the starts by label; called only where they are needed.
    """

    name: str
    problem: Any
    values: Mapping[str, float]
    given_start: Mapping[str, Any] = field(default_factory=dict)
    find_starts: Callable[[], dict[str, StartPoint]]


def assignments(tokens: Sequence[str] | None, option: str) -> dict[str, Any]:
    """Read ``name=value`` tokens.

    Parameters
    ----------
    tokens : sequence of str or None
        The tokens.
    option : str
        The option that they belong to, for messages.

    Returns
    -------
    dict
        Numbers, texts, booleans, and arrays for nested lists.

    Raises
    ------
    SpecificationError
        If a token is malformed, a name comes twice, or a number is not finite.

    Examples
    --------
    >>> assignments(["R=[[0, -1], [1, 0]]", "loss=binary", "T=1"], "--set")["loss"]
    'binary'
    """
    found: dict[str, Any] = {}
    for token in tokens or ():
        name, equals, text = token.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name) or not text.strip():
            raise SpecificationError(
                option, token, "needs name=value.", "Such as lam=0.1 or R=[[0,-1],[1,0]]."
            )
        if name in found:
            raise SpecificationError(option, token, f"gives {name} twice.", "Give it once.")
        found[name] = checked(_value(text.strip(), option, token), option, token)
    return found


def _value(text: str, option: str, token: str) -> Any:
    for read in (json.loads, float, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    if _WORD.fullmatch(text):
        return text
    raise SpecificationError(
        option, token, "has a malformed value.", "Give a number, a word or a nested list."
    )


def checked(value: Any, option: str, shown: Any) -> Any:
    """Return a value with lists as arrays, if it is made of finite numbers, a text or a truth.

    Raises
    ------
    SpecificationError
        Otherwise.
    """
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        if not np.isfinite(float(value) if abs(value) < 1e308 else np.inf):
            raise SpecificationError(option, shown, "is not a finite number.", "Give one.")
        return value
    if isinstance(value, (list, tuple)):
        try:
            array = np.array(value)
        except ValueError:
            array = np.array(None)
        if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
            raise SpecificationError(
                option,
                shown,
                "needs finite numbers, in rows of equal length.",
                "Such as R=[[0,-1],[1,0]].",
            )
        return array
    raise SpecificationError(
        option, shown, "has a malformed value.", "Give a number, a word or a nested list."
    )


def numbers(given: Mapping[str, Any], option: str) -> dict[str, float]:
    """Return values as floats.

    Raises
    ------
    SpecificationError
        If one is not a number.
    """
    for name, value in given.items():
        if isinstance(value, (bool, str)) or np.ndim(value):
            raise SpecificationError(option, f"{name}={value}", "must be a number.", "Give one.")
    return {name: float(value) for name, value in given.items()}


def load_target(text: str, tokens: Sequence[str], *, example: bool = False) -> Target:
    """Build the model, or read the problem file, that a command names.

    Parameters
    ----------
    text : str
        Name of a model, or path of a ``.toml`` file.
    tokens : sequence of str
        The tokens of ``--set``.
    example : bool, optional
        Whether to begin with the constants of the model's example.

    Returns
    -------
    Target
        The problem, and what came with it.

    Raises
    ------
    SpecificationError
        If there is no such model or file, or what it is given breaks a rule.
    """
    given = assignments(tokens, "--set")
    if text.endswith(".toml") or "/" in text:
        if example:
            raise SpecificationError(
                "--example", text, "goes with a model, not with a file.", "Leave it out."
            )
        return _from_file(Path(text), given)
    return _from_model(text, given, example)


def _from_file(path: Path, given: Mapping[str, Any]) -> Target:
    from ..symbolic import parse_problem

    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise SpecificationError(
            "FILE", str(path), f"cannot be read: {error.strerror}.", "Check its name and folder."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecificationError(
            "FILE", str(path), f"is not TOML: {str(error).rstrip('.')}.", "Correct that place."
        ) from error
    except RecursionError as error:
        raise SpecificationError(
            "FILE", str(path), "nests too deeply.", "Write it with fewer brackets."
        ) from error
    problem = parse_problem(document)
    values = {
        name: checked(value, "[values]", f"{name} = {value}")
        for name, value in document.get("values", {}).items()
    }
    start = {
        name: checked(value, "[start]", f"{name} = {value}")
        for name, value in document.get("start", {}).items()
    }
    _check_names(given, problem, ())
    return Target(
        name=path.stem,
        problem=problem,
        values={**numbers(values, "[values]"), **numbers(given, "--set")},
        given_start=start,
        find_starts=lambda: {"start": StartPoint(unknowns=start)} if start else {},
    )


def _from_model(name: str, given: Mapping[str, Any], example: bool) -> Target:
    from .. import models

    if name not in models.names():
        raise SpecificationError(
            "MODEL",
            name,
            "is not the name of a model.",
            f"Choose among {', '.join(models.names())}, or give a file that ends in .toml.",
        )
    model = models.get(name)
    constants = dict(model.example) if example else {}
    constants.update({key: value for key, value in given.items() if key in model.constants})
    signature = inspect.signature(model.build).parameters.values()
    missing = [
        item.name for item in signature if item.default is item.empty and item.name not in constants
    ]
    if missing:
        raise SpecificationError(
            "--set",
            " ".join(given) or "nothing",
            f"must give {', '.join(missing)} for the model {name}.",
            "Give them as name=value, or add --example for the constants of the paper's example.",
        )
    rest = {key: value for key, value in given.items() if key not in model.constants}
    problem = model.build(**constants)
    _check_names(rest, problem, tuple(model.constants))

    def find_starts() -> dict[str, StartPoint]:
        return {
            label: StartPoint(
                unknowns=start.unknowns,
                values=dict(start.values),
                elsewhere=start.note if start.problem is not None else "",
            )
            for label, start in model.starts(problem).items()
        }

    return Target(
        name=name, problem=problem, values=numbers(rest, "--set"), find_starts=find_starts
    )


def _check_names(given: Mapping[str, Any], problem: Any, constants: Sequence[str]) -> None:
    for name in given:
        if name not in problem.parameter_names:
            known = ", ".join((*constants, *problem.parameter_names))
            raise SpecificationError(
                "--set", name, "is neither a constant nor a parameter.", f"Choose among {known}."
            )


def chosen_starts(
    target: Target, tokens: Sequence[str] | None, option: str
) -> dict[str, StartPoint]:
    """Return the starts that an option asks for; all of the target's without one.

    Tokens are either labels of the target's starts or ``name=value`` pairs; pairs complete the
    start of a problem file.

    Raises
    ------
    SpecificationError
        If a label is not known, or there is no start.
    """
    own = {*target.problem.unknown_names, *target.problem.blocks}
    if tokens and all("=" in token and token.partition("=")[0] in own for token in tokens):
        return {"start": StartPoint(unknowns={**target.given_start, **assignments(tokens, option)})}
    starts = target.find_starts()
    if tokens:
        for token in tokens:
            if token not in starts:
                names = ", ".join([*target.problem.unknown_names[:8], *target.problem.blocks])
                raise SpecificationError(
                    option,
                    token,
                    "is neither the label of a start nor name=value of an unknown.",
                    f"Labels: {', '.join(starts) or 'none'}. Unknowns: {names}.",
                )
            if starts[token].elsewhere:
                raise SpecificationError(
                    option, token, "belongs to another problem.", starts[token].elsewhere
                )
        return {token: starts[token] for token in tokens}
    found = {label: start for label, start in starts.items() if not start.elsewhere}
    if not found:
        raise SpecificationError(
            option,
            "nothing",
            f"is needed: {target.name} brings no start of its own.",
            f"Give the unknowns: {', '.join(target.problem.unknown_names[:8])}.",
        )
    return found
