"""What a study is, and how studies are found and loaded."""

from __future__ import annotations

import ast
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SpecificationError

Run = Callable[[Path, Any], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One claim, figure or table of a paper, and how to compute it.

    Parameters
    ----------
    name : str
        ``"<paper>/<study>"``, after the folder and the file, with hyphens.
    title : str
        One line.
    claim : str
        What the paper states, with its place there.
    run : callable
        ``run(out, progress) -> mapping``: writes its figures into the folder `out`, passes
        `progress` on to the functions that take one, and returns measured values: numbers, texts
        and lists under nested names.
    seed : int, optional
        Seed of its random draws (default 0), recorded beside the values.

    Examples
    --------
    >>> from contcrit.study import Study
    >>> Study(name="paper/sum", title="A sum", claim="1 + 1 = 2",
    ...     run=lambda out, progress: {"sum": 1 + 1}).name
    'paper/sum'
    """

    name: str
    title: str
    claim: str
    run: Run
    seed: int = 0


def discover(root: Path) -> dict[str, Path]:
    """Find the studies below a folder, without running any of them.

    Parameters
    ----------
    root : Path
        The folder that holds ``<paper>/<study>.py``.

    Returns
    -------
    dict of str to Path
        Files that define ``STUDY``, by name and in its order.

    Raises
    ------
    SpecificationError
        If the folder is missing, a file is no Python, or two files have one name.
    """
    if not root.is_dir():
        raise SpecificationError(
            "studies", str(root), "is not a folder.", "Give the folder of the papers' studies."
        )
    found: dict[str, Path] = {}
    for path in sorted(root.glob("*/*.py")):
        if path.name.startswith("_") or not _defines_study(path):
            continue
        name = f"{spelled(path.parent.name)}/{spelled(path.stem)}"
        if name in found:
            raise SpecificationError(
                "studies", name, "is the name of two files.", f"Rename {path} or {found[name]}."
            )
        found[name] = path
    return dict(sorted(found.items()))


def spelled(name: str) -> str:
    """Return a study's or paper's name with hyphens and without a suffix."""
    return name.strip("/").removesuffix(".py").replace("_", "-")


def choose(names: Sequence[str], found: Mapping[str, Path]) -> dict[str, Path]:
    """Return the studies that names stand for: of one study, or of all of a paper.

    Raises
    ------
    SpecificationError
        If a name stands for none.
    """
    chosen: dict[str, Path] = {}
    for name in names:
        wanted = spelled(name)
        matches = {key: path for key, path in found.items() if wanted in (key, key.split("/")[0])}
        if not matches:
            raise SpecificationError(
                "study",
                name,
                "is neither a study nor a paper with studies.",
                f"Choose among: {', '.join(found) or '(none were found)'}.",
            )
        chosen.update(matches)
    return chosen


def load_study(name: str, path: Path) -> Study:
    """Load one study by its path.

    Files beside it can be imported relatively (``from ._shared import ...``).

    Raises
    ------
    SpecificationError
        If ``STUDY`` is not a `Study` of this name.
    """
    package = f"contcrit_studies_{spelled(path.parent.name).replace('-', '_')}"
    if package not in sys.modules:
        parent = types.ModuleType(package)
        parent.__path__ = [str(path.parent.resolve())]
        sys.modules[package] = parent
    full = f"{package}.{path.stem}"
    spec = importlib.util.spec_from_file_location(full, path)
    if spec is None or spec.loader is None:
        raise SpecificationError("study", str(path), "cannot be loaded.", "Give a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study) or study.name != name:
        raise SpecificationError(
            "STUDY",
            getattr(study, "name", study),
            f"in {path.name} must be a Study named {name!r}.",
            "Name it after its folder and file.",
        )
    return study


def _defines_study(path: Path) -> bool:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise SpecificationError(
            "studies", str(path), f"is not Python: {error}.", "Correct the file."
        ) from error
    targets: list[ast.expr] = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets.extend(node.targets)
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return any(isinstance(target, ast.Name) and target.id == "STUDY" for target in targets)
