"""Results in one self-describing file, and back, exactly.

Files are netCDF-4 (HDF5): any HDF5 reader opens them, and ``xarray.open_dataset(path,
group="branch/0")`` gives a branch's table. The layout is documented in ``docs/file-format.md``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np

from .encoding import Decoder, Encoder, is_storable, text_dtype
from .errors import SpecificationError, StorageError
from .files import replacing
from .results import Branch, Diagram, SpecialPoint
from .settings import Settings

FORMAT = "contcrit"
FORMAT_VERSION = 1

_TEXT = h5py.string_dtype()
_POINT_VARIABLES = {
    "z": ("point", "component"),
    "tangent": ("point", "component"),
    "arclength": ("point",),
    "residual_norm": ("point",),
    "iterations": ("point",),
}
_SPECIAL_VARIABLES = ("arclength", "residual", "digits")
_SPECIAL_RECORD = ("evidence", "verdict_before", "verdict_after")
_RESERVED = {
    *_POINT_VARIABLES,
    *("point", "component", "metadata", "special_points", "arrays", "real_imaginary"),
}


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
    with replacing(path) as temporary, h5netcdf.File(temporary, "w") as file:
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
        descriptions = _Descriptions()
        for position, branch in enumerate(branches):
            group = file.create_group(f"branch/{position}")
            _write_branch(group, branch, descriptions.position(branch), f"branch {position}")
        metadata["branches"] = len(branches)
        metadata["descriptions"] = descriptions.found
        _write_metadata(file, encoder, metadata, "the result")


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
        file = h5netcdf.File(target, "r")
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


class _Descriptions:
    """The distinct problem descriptions of a result: branches of one diagram share theirs."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._known: dict[int, int] = {}

    def position(self, branch: Branch) -> int | None:
        describe = getattr(branch.source, "describe", None)
        if describe is None:
            return None
        if id(branch.source) not in self._known:
            self._known[id(branch.source)] = len(self.found)
            self.found.append(describe())
        return self._known[id(branch.source)]


def _write_branch(group: Any, branch: Branch, description: int | None, where: str) -> None:
    encoder = Encoder()
    group.dimensions = {"point": len(branch), "component": len(branch.names) + 1}
    _write_array(group, "component", ("component",), [*branch.names, branch.parameter], where)
    for name, dimensions in _POINT_VARIABLES.items():
        _write_array(group, name, dimensions, getattr(branch, name), f"{where}, {name}")
    columns = {}
    for position, (name, data) in enumerate(branch.columns.items()):
        variable = name if _is_plain_name(name) else f"column_{position}"
        columns[variable] = name
        axes = tuple(f"{variable}_axis_{axis}" for axis in range(1, np.ndim(data)))
        for axis, length in zip(axes, np.shape(data)[1:], strict=True):
            group.dimensions[axis] = length
        _write_array(group, variable, ("point", *axes), data, f"{where}, column {name!r}")
    _write_special_points(group.create_group("special_points"), branch, encoder, where)
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
    _write_metadata(group, encoder, metadata, where)


def _write_special_points(group: Any, branch: Branch, encoder: Encoder, where: str) -> None:
    found = branch.special_points
    size = len(branch.names) + 1
    group.dimensions = {"special_point": len(found), "component": size, "end": 2}
    _write_array(group, "kind", ("special_point",), [s.kind for s in found], where)
    records: list[dict[str, Any]] = [
        {name: getattr(special, name) for name in _SPECIAL_RECORD} for special in found
    ]
    for name in ("z", "tangent"):
        data = np.full((len(found), size), np.nan)
        for k, special in enumerate(found):
            row = np.asarray(getattr(special, name))
            if row.shape == (size,) and row.dtype == float:
                data[k] = row
            else:  # a point in other unknowns than the branch's, such as a border's multipliers
                records[k][name] = row
        _write_array(group, name, ("special_point", "component"), data, where)
    brackets = np.array([special.bracket for special in found], dtype=float).reshape(-1, 2)
    _write_array(group, "bracket", ("special_point", "end"), brackets, where)
    for name in _SPECIAL_VARIABLES:
        data = np.array([getattr(special, name) for special in found], dtype=float)
        _write_array(group, name, ("special_point",), data, where)
    texts = [
        encoder.text(record, f"{where}, special point {k}") for k, record in enumerate(records)
    ]
    _write_array(group, "record", ("special_point",), texts, where)


def _write_metadata(group: Any, encoder: Encoder, metadata: Any, where: str) -> None:
    text = encoder.text(metadata, where)
    group.create_variable("metadata", (), _TEXT)[...] = text
    arrays = group.create_group("arrays")
    for name, parts in encoder.arrays.items():
        data = np.concatenate(parts)
        arrays.dimensions[name + "_position"] = len(data)
        _write_array(arrays, name, (name + "_position",), data, where)


def _write_array(
    group: Any, name: str, dimensions: tuple[str, ...], values: Any, where: str
) -> None:
    """Write an array, with what netCDF lacks (booleans, complex numbers) marked by attributes."""
    data = np.asarray(values)
    if isinstance(values, list) or data.dtype.kind in "OU":
        if not all(isinstance(item, str) for item in data.flat):
            raise StorageError(f"Cannot store {where}: it is neither numbers nor texts.")
        variable = group.create_variable(name, dimensions, _TEXT)
        if data.size:
            variable[...] = data.astype(object)
        variable.attrs["numpy_dtype"] = text_dtype(data)
        return
    if not is_storable(data.dtype):
        raise StorageError(f"Cannot store {where}: it is an array of {data.dtype}.")
    original = data.dtype.name
    if data.dtype.kind == "c":
        data = np.ascontiguousarray(data)
        data = data.view(data.real.dtype).reshape(*data.shape, 2)
        if "real_imaginary" not in group.dimensions:
            group.dimensions["real_imaginary"] = 2
        dimensions = (*dimensions, "real_imaginary")
    elif data.dtype.kind == "b":
        data = data.astype(np.int8)
    elif data.dtype == np.float16:
        data = data.astype(np.float32)
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    variable = group.create_variable(name, dimensions, data.dtype, data=data)
    variable.attrs["numpy_dtype"] = original
    if original == "bool":
        # xarray's own mark, by which it gives booleans back.
        variable.attrs["dtype"] = "bool"


def _is_plain_name(name: str) -> bool:
    own = name in _RESERVED or name.startswith("column_") or "_axis_" in name
    return name.isidentifier() and not own


def _read_result(file: Any) -> Branch | Diagram | Sequence[Any]:
    decoder = _decoder(file)
    metadata = decoder.value(_read_text(file["metadata"]))
    content = file.attrs["content"]
    if content == "points":
        return metadata["points"]
    branches = tuple(
        _read_branch(file[f"branch/{position}"], metadata["descriptions"])
        for position in range(metadata["branches"])
    )
    if content == "branch":
        return branches[0]
    if content == "diagram":
        return Diagram(
            branches=branches,
            connections=metadata["connections"],
            status=metadata["status"],
            report=metadata["report"],
        )
    raise ValueError(f"its content {content!r} is not known")


def _read_branch(group: Any, descriptions: Sequence[Any]) -> Branch:
    decoder = _decoder(group)
    metadata = decoder.value(_read_text(group["metadata"]))
    names = [str(name) for name in _read_array(group["component"])]
    provenance = metadata["provenance"]
    if metadata["description"] is not None:
        provenance = {**provenance, "description": descriptions[metadata["description"]]}
    return Branch(
        names=tuple(names[:-1]),
        parameter=names[-1],
        **{name: _read_array(group[name]) for name in _POINT_VARIABLES},
        columns={
            name: _read_array(group[variable]) for variable, name in metadata["columns"].items()
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
    kinds = _read_array(group["kind"])
    records = _read_array(group["record"])
    z, tangent = _read_array(group["z"]), _read_array(group["tangent"])
    brackets = _read_array(group["bracket"])
    numbers = {name: _read_array(group[name]) for name in _SPECIAL_VARIABLES}
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


def _decoder(group: Any) -> Decoder:
    arrays = group["arrays"]
    return Decoder({name: _read_array(arrays[name]) for name in arrays.variables})


def _read_text(variable: Any) -> str:
    text = variable[()]
    return text.decode() if isinstance(text, bytes) else str(text)


def _read_array(variable: Any) -> np.ndarray:
    dtype = variable.attrs["numpy_dtype"]
    data = np.asarray(variable[...])
    if dtype == "object" or dtype.startswith("U"):
        texts = [item.decode() if isinstance(item, bytes) else str(item) for item in data.flat]
        found = np.array(texts, dtype=object).reshape(data.shape)
        return found.astype(dtype)
    if np.dtype(dtype).kind == "c":
        data = np.ascontiguousarray(data)
        return data.view(dtype)[..., 0]
    return data.astype(dtype, copy=False)
