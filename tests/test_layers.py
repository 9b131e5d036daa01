"""The layers of the package: every import points down.

Each module belongs to a layer, and each layer names the layers that it may import. Imports inside
functions count; those under ``if TYPE_CHECKING:`` do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "contcrit"

FOUNDATION = {"errors", "settings", "system", "record"}
NUMERIC = {"results", "linalg"} | FOUNDATION
SYMBOLIC = {"linalg"} | FOUNDATION
READERS = {"results"} | FOUNDATION

# Layer -> the layers that it may import, itself excepted.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "lazy": set(),
    "settings": {"errors"},
    "system": {"errors", "settings"},
    "record": {"errors"},
    "linalg": {"lazy"} | FOUNDATION,
    "results": FOUNDATION,
    "events": NUMERIC,
    "criticality": NUMERIC,
    "contraction": {"lazy"} | NUMERIC,
    "engine": {"events", "criticality", "contraction"} | NUMERIC,
    "symbolic": SYMBOLIC,
    "models": {"symbolic", "criticality", "contraction"} | NUMERIC,
    "encoding": READERS,
    "files": {"errors"},
    "storage": {"encoding", "files"} | READERS,
    "tables": READERS,
    "plotting": {"files"} | READERS,
    "study": {"files"} | FOUNDATION,
    "executors": FOUNDATION,
}
MAY_IMPORT["api"] = set(MAY_IMPORT) - {"plotting"}
MAY_IMPORT["cli"] = set(MAY_IMPORT)
MAY_IMPORT["root"] = set(MAY_IMPORT)

# Results hand themselves to their readers, when asked: inside a method only.
LAZY_ONLY = {("results", "tables"), ("results", "plotting"), ("results", "storage")}

# Modules that belong to a layer other than the one their name says.
SPECIAL_LAYERS = {
    "contcrit": "root",
    "contcrit.__main__": "cli",
    "contcrit.criticality.record": "record",
}

# Library -> the layers that may import it (function-level imports included).
LIBRARIES = {
    "sympy": {"symbolic", "models", "contraction"},
    "symengine": {"symbolic", "models", "contraction"},
    "matplotlib": {"plotting"},
    "studies": set(),
    "tests": set(),
}
UNSAFE_LIBRARIES = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "parse_expr"}


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name."""

    target: str
    names: tuple[str, ...]
    line: int
    lazy: bool


def layer_of(module: str) -> str:
    """Return the layer of a module of the package."""
    return SPECIAL_LAYERS.get(module) or module.split(".")[1]


def module_name(path: Path) -> str:
    """Return the full name of the module in a file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_type_checking(node: ast.AST) -> bool:
    """Return whether a node is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def walk(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node that runs, and whether it runs only when a function is called."""
    yield node, lazy
    lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if is_type_checking(node):
        children = list(node.orelse)
    for child in children:
        yield from walk(child, lazy)


def imports_of(tree: ast.AST, module: str, is_package: bool) -> Iterator[Import]:
    """Yield the imports of a module, relative ones resolved."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node, lazy in walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            plain = []
            for alias in node.names:
                if f"{source}.{alias.name}" in MODULES:
                    yield Import(f"{source}.{alias.name}", (), node.lineno, lazy)
                else:
                    plain.append(alias.name)
            if plain:
                yield Import(source, tuple(plain), node.lineno, lazy)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func).split(".")[-1]
            target = node.args[0].value
            if function in ("import_module", "__import__") and isinstance(target, str):
                if target.startswith("."):
                    target = ".".join([*package, target.lstrip(".")])
                yield Import(target, (), node.lineno, lazy)


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return what is wrong with the imports of a module, one line each."""
    tree = ast.parse(source)
    layer = layer_of(module)
    if layer not in MAY_IMPORT:
        return [f"{module}: layer `{layer}` is unknown; give it a place in MAY_IMPORT"]
    found = []
    for item in imports_of(tree, module, is_package):
        where = f"{module}:{item.line}"
        top = item.target.split(".")[0]
        if top in UNSAFE_LIBRARIES:
            found.append(f"{where}: imports {top}")
        if top in LIBRARIES and layer not in LIBRARIES[top]:
            found.append(f"{where}: imports {top}")
        if top != "contcrit":
            continue
        target = layer_of(item.target)
        if target == "root" and item.names and set(item.names) <= {"__version__"}:
            continue
        if target == layer:
            continue
        if (layer, target) in LAZY_ONLY:
            if not item.lazy:
                found.append(f"{where}: imports {item.target} outside a function")
        elif target == "plotting" and not item.lazy:
            found.append(f"{where}: imports {item.target} outside a function")
        elif target not in MAY_IMPORT[layer]:
            found.append(f"{where}: {layer} must not import {target} ({item.target})")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else None
            if name in UNSAFE_CALLS:
                found.append(f"{module}:{node.lineno}: calls {name}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    path = MODULES[module]
    found = violations(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")
    assert not found, "\n".join(found)


def test_layers_form_no_cycle() -> None:
    placed: set[str] = set()
    while len(placed) < len(MAY_IMPORT):
        ready = {name for name, below in MAY_IMPORT.items() if below <= placed} - placed
        assert ready, f"a cycle among {sorted(set(MAY_IMPORT) - placed)}"
        placed |= ready


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("contcrit.engine.walk", "from ..models import linear_network"),
        ("contcrit.engine.walk", "from ..symbolic.problem import Problem"),
        ("contcrit.engine.walk", "from .. import executors"),
        ("contcrit.engine.walk", "def f():\n    import contcrit.symbolic.problem"),
        ("contcrit.engine.walk", "import importlib\nimportlib.import_module('contcrit.api')"),
        ("contcrit.engine.walk", "from contcrit import trace"),
        ("contcrit.engine.walk", "import sympy as sp"),
        ("contcrit.engine.walk", "def f():\n    from matplotlib import pyplot"),
        ("contcrit.events.fold", "from ..engine import walk"),
        ("contcrit.events.fold", "from ..criticality.hessian import classify"),
        ("contcrit.linalg", "from .results import Branch"),
        ("contcrit.results", "from .tables import branch_to_pandas"),
        ("contcrit.results", "def f():\n    from .engine.walk import walk"),
        ("contcrit.settings", "from .results import Branch"),
        ("contcrit.symbolic.problem", "from ..results import Branch"),
        ("contcrit.symbolic.problem", "from ..models.base import Model"),
        ("contcrit.symbolic.problem", "from ..criticality.hessian import classify"),
        ("contcrit.models.linear_network", "from ..engine.walk import walk"),
        ("contcrit.storage", "from .engine.walk import walk"),
        ("contcrit.plotting", "from .api import trace"),
        ("contcrit.api", "from .cli import main"),
        ("contcrit.api", "from .plotting import plot_branch"),
        ("contcrit.cli", "from .plotting import plot_branch"),
        ("contcrit.cli", "def f():\n    from studies import timing"),
        ("contcrit.storage", "import pickle"),
        ("contcrit.symbolic.parse", "def f(text):\n    return eval(text)"),
        ("contcrit.symbolic.parse", "exec('x = 1')"),
        ("contcrit.newcomer", "import math"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("contcrit.engine.walk", "from ..linalg import solve\nfrom ..events import fold"),
        ("contcrit.results", "def f():\n    from .tables import branch_to_pandas"),
        (
            "contcrit.results",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import matplotlib",
        ),
        ("contcrit.models.linear_network", "import sympy\nfrom ..criticality.record import KINDS"),
        ("contcrit.storage", "from . import __version__\nfrom .results import Branch"),
        ("contcrit.cli", "def f():\n    from .plotting import plot_branch"),
        ("contcrit.plotting", "import matplotlib.pyplot as plt"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert violations(source, module) == []
