"""What a model is: a paper's problem, ready to build, with start points and claims."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contraction.claims import Claim
from ..errors import SpecificationError
from ..system import Array


@dataclass(frozen=True)
class Start:
    """A known solution, or a close guess, from which a branch can be traced.

    Parameters
    ----------
    unknowns : mapping of str to ndarray
        Block or unknown -> value, as `trace` takes it.
    values : mapping of str to float
        Parameter values that the solution belongs to.
    note : str
        How it was found, where that matters.
    problem : object, optional
        The problem that the solution belongs to, when it is not the one that was asked about:
        trace that one first, as the note says.

    Examples
    --------
    >>> Start({"x": 0.0}, {"p": 1.0}).values["p"]
    1.0
    """

    unknowns: Mapping[str, Array | float]
    values: Mapping[str, float]
    note: str = ""
    problem: Any = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model, from one paper.

    Parameters
    ----------
    name : str
        Lower-case words joined by hyphens, such as ``"linear-network"``.
    paper : str
        Authors, title and year.
    summary : str
        One line: what is minimised or solved.
    build : callable
        ``(**constants) -> problem``. Arguments that it does not know are refused by name.
    starts : callable
        ``(problem or mapping of constants, ...) -> dict of label -> Start``.
    constants : mapping of str to str
        Every argument of `build` -> what it is, with its shape and default.
    example : mapping
        Constants of the paper's first example: ``model.build(**model.example)`` works.
    claims : tuple of Claim
        The paper's claims that can be tested.
    references : tuple of str
        Theorems and equations that the code follows.

    Raises
    ------
    SpecificationError
        If the name is not of that form, `constants` does not name the arguments of `build`, or two
        claims share a key.

    Examples
    --------
    >>> import contcrit as cc
    >>> model = cc.models.get("linear-network")
    >>> model.build(**model.example).parameter_names
    ('lam',)
    """

    name: str
    paper: str
    summary: str
    build: Callable[..., Any]
    starts: Callable[..., dict[str, Start]]
    constants: Mapping[str, str]
    example: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", self.name):
            raise SpecificationError(
                "name", self.name, "must be lower-case words joined by hyphens.", "Rename it."
            )
        arguments = set(inspect.signature(self.build).parameters)
        if arguments != set(self.constants):
            raise SpecificationError(
                "constants",
                sorted(arguments ^ set(self.constants)),
                "must describe every argument of `build`, and no other.",
                "Add or remove the ones shown.",
            )
        keys = [claim.key for claim in self.claims]
        if len(set(keys)) < len(keys):
            raise SpecificationError(
                "claims", keys, "must have different keys.", "Rename one of each pair."
            )
        object.__setattr__(self, "build", _refusing_unknown(self.build, self.constants))


def _refusing_unknown(build: Callable[..., Any], known: Mapping[str, str]) -> Callable[..., Any]:
    @functools.wraps(build)
    def checked(*args: Any, **constants: Any) -> Any:
        for name in constants:
            if name not in known:
                raise SpecificationError(
                    name,
                    name,
                    "is not a constant of the model.",
                    f"Choose among {', '.join(known)}.",
                )
        return build(*args, **constants)

    return checked
