"""Writing results to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ..encoding import Encoder
from ..errors import SpecificationError
from ..files import replacing
from ..results import Branch, Diagram
from .layout import (
    FORMAT,
    FORMAT_VERSION,
    POINT_VARIABLES,
    RESERVED,
    SPECIAL_RECORD,
    SPECIAL_VARIABLES,
)
from .netcdf import GroupWriter


def save(result: Branch | Diagram | Sequence[Any], path: str | os.PathLike[str]) -> None:
    """Write a result to one self-describing file.

    The file is complete or absent: it is written beside `path` and then moved there.

    Parameters
    ----------
    result : Branch, Diagram or sequence
        What to write; a sequence may hold points, special points and verdicts.
    path : str or path-like
        The file; ``.nc`` is the customary suffix.

    Raises
    ------
    SpecificationError
        If `result` is none of these.
    StorageError
        If the file cannot be written, or the result holds something that has no exact text.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from contcrit.results import Diagram
    >>> from contcrit.storage import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Diagram(branches=()), pathlib.Path(folder) / "diagram.nc")
    ...     len(load(pathlib.Path(folder) / "diagram.nc"))
    0
    """
    if not isinstance(result, (Branch, Diagram, list, tuple)):
        raise SpecificationError(
            "result",
            type(result).__name__,
            "must be a branch, a diagram or a sequence of points.",
            "Give what `trace`, `diagram` or `find` returned.",
        )
    with replacing(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        root = GroupWriter(file)
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        encoder = Encoder()
        metadata: dict[str, Any] = {}
        branches: Sequence[Branch] = ()
        if isinstance(result, Branch):
            file.attrs["content"] = "branch"
            branches = (result,)
        elif isinstance(result, Diagram):
            file.attrs["content"] = "diagram"
            branches = result.branches
            for name in ("connections", "status", "report"):
                metadata[name] = getattr(result, name)
        else:
            file.attrs["content"] = "points"
            metadata["points"] = result
        descriptions = Descriptions()
        folder = root.child("branch")
        for position, branch in enumerate(branches):
            description = descriptions.position(branch)
            write_branch(folder, position, branch, description)
        metadata["branches"] = len(branches)
        metadata["descriptions"] = descriptions.found
        write_metadata(root, encoder, metadata, "the result")


class Descriptions:
    """The distinct problem descriptions of a result: branches of one diagram share theirs."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._known: dict[int, int] = {}

    def position(self, branch: Branch) -> int | None:
        """Return the position of a branch's description, noting it; None if it has none."""
        describe = getattr(branch.source, "describe", None)
        if describe is None:
            return None
        if id(branch.source) not in self._known:
            self._known[id(branch.source)] = len(self.found)
            self.found.append(describe())
        return self._known[id(branch.source)]


def write_branch(
    folder: GroupWriter, position: int, branch: Branch, description: int | None
) -> None:
    """Write one branch as a group; `description` is the position of its problem's."""
    where = f"branch {position}"
    encoder = Encoder()
    size = {"point": len(branch), "component": len(branch.names) + 1}
    group = folder.child(str(position), size)
    group.write("component", ("component",), [*branch.names, branch.parameter], where)
    for name, dimensions in POINT_VARIABLES.items():
        group.write(name, dimensions, getattr(branch, name), f"{where}, {name}")
    columns = {}
    for position, (name, data) in enumerate(branch.columns.items()):
        variable = name if _is_plain_name(name) else f"column_{position}"
        columns[variable] = name
        axes = tuple(f"{variable}_axis_{axis}" for axis in range(1, np.ndim(data)))
        group.write(variable, ("point", *axes), data, f"{where}, column {name!r}")
    _write_special_points(group, branch, encoder, where)
    metadata = {
        "status": branch.status,
        "span": branch.span,
        "values": branch.values,
        "settings": branch.settings.to_dict(),
        "verdicts": branch.verdicts,
        "provenance": branch.provenance,
        "columns": columns,
        "description": description,
    }
    write_metadata(group, encoder, metadata, where)


def _write_special_points(
    parent: GroupWriter, branch: Branch, encoder: Encoder, where: str
) -> None:
    found = branch.special_points
    size = len(branch.names) + 1
    dimensions = {"special_point": len(found), "component": size, "end": 2}
    group = parent.child("special_points", dimensions)
    group.write("kind", ("special_point",), [s.kind for s in found], where)
    records: list[dict[str, Any]] = [
        {name: getattr(special, name) for name in SPECIAL_RECORD} for special in found
    ]
    for name in ("z", "tangent"):
        data = np.full((len(found), size), np.nan)
        for k, special in enumerate(found):
            row = np.asarray(getattr(special, name))
            if row.shape == (size,) and row.dtype == float:
                data[k] = row
            else:  # a point in other unknowns than the branch's, such as a border's multipliers
                records[k][name] = row
        group.write(name, ("special_point", "component"), data, where)
    brackets = np.array([special.bracket for special in found], dtype=float).reshape(-1, 2)
    group.write("bracket", ("special_point", "end"), brackets, where)
    for name in SPECIAL_VARIABLES:
        data = np.array([getattr(special, name) for special in found], dtype=float)
        group.write(name, ("special_point",), data, where)
    texts = [
        encoder.text(record, f"{where}, special point {k}") for k, record in enumerate(records)
    ]
    group.write("record", ("special_point",), texts, where)


def write_metadata(group: GroupWriter, encoder: Encoder, metadata: Any, where: str) -> None:
    """Write what is not an array as text, and the arrays inside it beside."""
    group.write_text("metadata", encoder.text(metadata, where))
    arrays = group.child("arrays")
    for name, parts in encoder.arrays.items():
        arrays.write(name, (f"{name}_position",), np.concatenate(parts), where)


def _is_plain_name(name: str) -> bool:
    own = name in RESERVED or name.startswith("column_") or "_axis_" in name
    return name.isidentifier() and not own
