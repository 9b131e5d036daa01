"""Reading results back from a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..encoding import Decoder
from ..errors import StorageError
from ..results import Branch, Diagram, SpecialPoint
from ..settings import Settings
from .layout import FORMAT, FORMAT_VERSION, POINT_VARIABLES, SPECIAL_VARIABLES
from .netcdf import read_array, read_arrays, read_text
from .pieces import joined


def load(path: str | os.PathLike[str]) -> Branch | Diagram | Sequence[Any]:
    """Read back what `save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Branch, Diagram or sequence
        Equal to what was saved to the last bit, with ``source=None`` and the description of the
        problem under ``provenance["description"]``. NumPy scalars come back as Python numbers.

    Raises
    ------
    StorageError
        If the file is missing, unreadable, damaged, not one of contcrit's, or of a newer format.
    """
    target = Path(path)
    if not target.exists():
        raise StorageError(f"There is no file {target}. Check the name and the folder.")
    if target.is_dir():
        raise StorageError(f"{target} is a folder. Give the name of a file in it.")
    if not os.access(target, os.R_OK):
        raise StorageError(f"The file {target} may not be read. Check its permissions.")
    foreign = StorageError(
        f"{target} is not a file of contcrit's, or is damaged. Give one that `save` wrote."
    )
    try:
        file = h5py.File(target, "r")
    except (OSError, ValueError) as error:
        raise foreign from error
    with file:
        if file.attrs.get("format") != FORMAT:
            raise foreign
        version = file.attrs.get("format_version")
        if not isinstance(version, (int, np.integer)) or version < 1:
            raise foreign
        if version > FORMAT_VERSION:
            raise StorageError(
                f"{target} has format version {version}; this contcrit reads up to "
                f"{FORMAT_VERSION}. Read it with a newer contcrit."
            )
        try:
            return _read_result(file)
        # A damaged file can break any assumption of the reader, so all of these mean damage.
        except (LookupError, ValueError, TypeError, AttributeError, OSError, RuntimeError) as error:
            raise StorageError(
                f"{target} is damaged: {error}. Restore it from a copy, or compute it anew."
            ) from error


def _read_result(file: Any) -> Branch | Diagram | Sequence[Any]:
    decoder = Decoder(read_arrays(file["arrays"]))
    metadata = decoder.value(read_text(file["metadata"]))
    content = file.attrs["content"]
    if content == "points":
        return metadata["points"]
    branches = tuple(
        _read_branch(file[f"branch/{position}"], metadata["descriptions"])
        for position in range(metadata["branches"])
    )
    if content == "branch":
        return branches[0]
    if content == "pieces":
        return joined(branches)
    if content == "diagram":
        return Diagram(
            branches=branches,
            connections=metadata["connections"],
            status=metadata["status"],
            report=metadata["report"],
        )
    raise ValueError(f"its content {content!r} is not known")


def _read_branch(group: Any, descriptions: Sequence[Any]) -> Branch:
    decoder = Decoder(read_arrays(group["arrays"]))
    metadata = decoder.value(read_text(group["metadata"]))
    names = [str(name) for name in read_array(group["component"])]
    provenance = metadata["provenance"]
    if metadata["description"] is not None:
        provenance = {**provenance, "description": descriptions[metadata["description"]]}
    return Branch(
        names=tuple(names[:-1]),
        parameter=names[-1],
        **{name: read_array(group[name]) for name in POINT_VARIABLES},
        columns={
            name: read_array(group[variable]) for variable, name in metadata["columns"].items()
        },
        special_points=_read_special_points(group["special_points"], decoder),
        status=metadata["status"],
        span=metadata["span"],
        values=metadata["values"],
        settings=_read_settings(metadata["settings"]),
        verdicts=metadata["verdicts"],
        provenance=provenance,
    )


def _read_settings(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except TypeError as error:
        raise ValueError("its settings are of another version of contcrit") from error


def _read_special_points(group: Any, decoder: Decoder) -> tuple[SpecialPoint, ...]:
    kinds = read_array(group["kind"])
    records = read_array(group["record"])
    z, tangent = read_array(group["z"]), read_array(group["tangent"])
    brackets = read_array(group["bracket"])
    numbers = {name: read_array(group[name]) for name in SPECIAL_VARIABLES}
    found = []
    for k, kind in enumerate(kinds):
        entries: dict[str, Any] = {
            "kind": str(kind),
            "z": z[k].copy(),
            "tangent": tangent[k].copy(),
            "bracket": (float(brackets[k, 0]), float(brackets[k, 1])),
        }
        entries.update({name: float(column[k]) for name, column in numbers.items()})
        entries.update(decoder.value(str(records[k])))
        found.append(SpecialPoint(**entries))
    return tuple(found)
