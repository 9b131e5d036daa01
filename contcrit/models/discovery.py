"""Find the models among the package's files, without importing them."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ..errors import SpecificationError
from .base import Model


def names() -> tuple[str, ...]:
    """Return the names of all models, in alphabetical order.

    Examples
    --------
    >>> "linear-network" in names()
    True
    """
    return tuple(sorted(_modules()))


def get(name: str) -> Model:
    """Return a model by name, importing its file only.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    SpecificationError
        If there is no model of that name.

    Examples
    --------
    >>> get("linear-network").name
    'linear-network'
    """
    modules = _modules()
    if name not in modules:
        raise SpecificationError(
            "name", name, "is not the name of a model.", f"Choose among {', '.join(names())}."
        )
    model: Model = importlib.import_module(modules[name]).MODEL
    return model


def rebuild(description: Mapping[str, Any]) -> Any:
    """Return the problem that ``problem.describe()`` of a model's problem stands for.

    Parameters
    ----------
    description : mapping
        ``{"model": name, "constants": {...}}``.

    Raises
    ------
    SpecificationError
        If the description is not of that form, or the model refuses the constants.

    Examples
    --------
    >>> rebuild({"model": "linear-network", "constants": {"R": [[2.0]]}}).size
    1
    """
    if not {"model", "constants"} <= set(description):
        raise SpecificationError(
            "description", description, "needs `model` and `constants`.", "Take it from describe()."
        )
    return get(description["model"]).build(**description["constants"])


@functools.cache
def _modules() -> dict[str, str]:
    """Return model name -> full name of the module that holds it."""
    package = __name__.rpartition(".")[0]
    found: dict[str, str] = {}
    for module, source in _sources(files(package), package):
        name = _model_name(source, module)
        if name is None:
            continue
        if name in found:
            raise SpecificationError(
                "name", name, f"is used by {found[name]} and by {module}.", "Rename one model."
            )
        found[name] = module
    return found


def _sources(folder: Traversable, package: str) -> Iterator[tuple[str, str]]:
    """Yield module name and text of every Python file in a folder and its subpackages."""
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir() and (entry / "__init__.py").is_file():
            yield from _sources(entry, f"{package}.{entry.name}")
        elif entry.is_file() and entry.name.endswith(".py") and entry.name != "__init__.py":
            yield f"{package}.{entry.name[:-3]}", entry.read_text(encoding="utf-8")


def _model_name(source: str, module: str) -> str | None:
    """Return the name in ``MODEL = Model(name=...)`` at a file's top level, or None.

    It is read off the text if it is written there, or in a constant of the file.
    """
    if "\nMODEL" not in source:
        return None
    texts: dict[str, str] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            targets = list(node.targets)
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        bound = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            texts.update(dict.fromkeys(bound, node.value.value))
        if "MODEL" not in bound:
            continue
        for keyword in getattr(node.value, "keywords", ()):
            if keyword.arg != "name":
                continue
            if isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
            if isinstance(keyword.value, ast.Name) and keyword.value.id in texts:
                return texts[keyword.value.id]
        model: Model = importlib.import_module(module).MODEL
        return model.name
    return None
