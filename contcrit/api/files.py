"""Loading results, with the problems they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import models
from ..results import Branch, Diagram
from ..storage import load as read
from ..symbolic.problem import Problem


def load(path: Any) -> Any:
    """Read a branch or diagram from the file that its ``save`` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Branch or Diagram
        With its problem in `source`, rebuilt from the description in the file, so that `resume`
        can go on; None where the problem could not be described when it was saved.

    Raises
    ------
    StorageError
        If the file is missing, not one of ours, or of a newer format.

    Examples
    --------
    >>> import tempfile, pathlib, sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (0.5, 1), values={"p": 1})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "branch.nc"
    ...     branch.save(path)
    ...     again = cc.load(path)
    >>> bool((again.z == branch.z).all())
    True
    """
    result = read(path)
    if isinstance(result, Diagram):
        return replace(result, branches=tuple(_sourced(branch) for branch in result.branches))
    return _sourced(result) if isinstance(result, Branch) else result


def _sourced(branch: Branch) -> Branch:
    """Rebuild the problem of a loaded branch from its description."""
    description = branch.provenance.get("description")
    if branch.source is not None or not isinstance(description, Mapping):
        return branch
    if "model" in description:
        source: Any = models.rebuild(description)
    elif description.get("type") == "grid-problem":
        from ..symbolic.grid import GridProblem

        source = GridProblem.from_description(description)
    else:
        source = Problem.from_description(description)
    return replace(branch, source=source)
