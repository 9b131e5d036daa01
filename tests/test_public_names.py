"""Every public name is documented: summary, parameters, an example and a place in the API page."""

from __future__ import annotations

import enum
import inspect
import operator
import re
import types
from pathlib import Path
from typing import Any

import pytest

import contcrit

DOCS = Path(__file__).resolve().parent.parent / "docs"
NAMES = sorted(
    [*contcrit.__all__, *(f"contraction.{name}" for name in contcrit.contraction.__all__)]
)
public = operator.attrgetter


def sections(docstring: str) -> dict[str, str]:
    """Split a numpydoc docstring at its underlined headings; the text before them is ``""``."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", docstring, flags=re.MULTILINE)
    return {"": parts[0].strip(), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented(block: str) -> set[str]:
    """Return the names described in a numpydoc block of parameters."""
    heads = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: ?:.*)?$", inspect.cleandoc(block), re.MULTILINE)
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters(thing: Any) -> set[str]:
    """Return the public parameters of a function or class; a protocol has none of its own."""
    if getattr(thing, "_is_protocol", False):
        return set()
    try:
        signature = inspect.signature(thing)
    except ValueError:  # a class written in C states none
        return set()
    return {name for name in signature.parameters if not name.startswith("_")} - {"self", "cls"}


def takes_an_example(thing: Any) -> bool:
    """Return whether an example is owed: not by what is only raised, or a protocol."""
    if inspect.isclass(thing):
        shown = not issubclass(thing, (BaseException, enum.Enum))
        return shown and not getattr(thing, "_is_protocol", False)
    return callable(thing)


def public_members(thing: type) -> dict[str, Any]:
    """Return the methods and properties that a class of the package adds itself."""
    members = {}
    for name, member in vars(thing).items():
        if not name.startswith("_") and isinstance(
            member, (types.FunctionType, classmethod, staticmethod, property)
        ):
            members[name] = member
    return members


def test_there_are_public_names() -> None:
    assert {"Problem", "Settings", "Status", "trace", "diagram", "find", "classify"} <= set(NAMES)
    assert len(NAMES) == len(set(NAMES))
    assert "contraction.flow" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_name_exists_and_is_listed(name: str) -> None:
    assert public(name)(contcrit) is not None
    home, _, last = name.rpartition(".")
    assert last in dir(public(home)(contcrit) if home else contcrit)


def test_an_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        contcrit.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_docstring(name: str) -> None:
    thing = public(name)(contcrit)
    docstring = inspect.getdoc(thing)
    assert docstring, f"{name} has no docstring"
    parts = sections(docstring)
    assert parts[""].splitlines()[0].endswith("."), f"the summary of {name} is not a sentence"
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, enum.Enum)):
        return
    described = documented(parts.get("Parameters", "") + "\n" + parts.get("Other Parameters", ""))
    missing = parameters(thing) - described
    assert not missing, f"{name} does not describe {sorted(missing)}"


@pytest.mark.parametrize("name", NAMES)
def test_example(name: str) -> None:
    thing = public(name)(contcrit)
    if takes_an_example(thing):
        docstring = inspect.getdoc(thing) or ""
        assert ">>> " in sections(docstring).get("Examples", ""), f"{name} shows no example"


@pytest.mark.parametrize("name", NAMES)
def test_members_are_documented(name: str) -> None:
    thing = public(name)(contcrit)
    if inspect.isclass(thing):
        missing = [key for key, member in public_members(thing).items() if not member.__doc__]
        assert not missing, f"{name} does not document {missing}"


@pytest.mark.parametrize("name", NAMES)
def test_api_page_mentions(name: str) -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"\bcontcrit\.{re.escape(name)}\b", page), (
        f"docs/api.md does not mention {name}"
    )


def test_api_page_mentions_nothing_else() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\.\. auto\w+:: contcrit\.([\w.]+)$", page, re.MULTILINE))
    assert shown <= set(NAMES), f"docs/api.md shows {sorted(shown - set(NAMES))}"
