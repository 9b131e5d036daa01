"""Evidence and notes as JSON text, and back, exactly.

Plain JSON holds texts, whole numbers, finite floats, booleans, null, lists and mappings with text
keys. Everything else is a mapping with one key that starts with ``$`` (see the table in the
documentation of the file format). Nothing is ever evaluated or unpickled.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from .criticality.record import Criticality
from .errors import Status, StorageError
from .results import Point, SpecialPoint
from .settings import Settings

_INLINE = 16
"""Arrays of at most this many finite numbers are written into the text, to be read by eye."""

_RECORDS: dict[str, type] = {
    "$criticality": Criticality,
    "$point": Point,
    "$special-point": SpecialPoint,
    "$settings": Settings,
}
_RECORD_NAMES = {kind: tag for tag, kind in _RECORDS.items()}


class Encoder:
    """Turns values into JSON text, keeping the larger arrays aside.

    Attributes
    ----------
    arrays : dict of str to list of ndarray
        Flat arrays kept aside by dtype name, in the order of their references.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, list[np.ndarray]] = {}
        self._lengths: dict[str, int] = {}

    def text(self, value: Any, where: str) -> str:
        """Return a value as JSON text.

        Parameters
        ----------
        value : object
            What to encode.
        where : str
            What the value is, for messages.

        Returns
        -------
        str
            ASCII JSON text.

        Raises
        ------
        StorageError
            If the value holds an object that has no exact text.
        """
        return json.dumps(self._plain(value, where), allow_nan=False)

    def _plain(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, np.generic) and not isinstance(value, np.longdouble):
            value = value.item()
            if value is None or isinstance(value, (bool, str)):
                return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": str(value)}
        if isinstance(value, complex):
            return {"$complex": [self._plain(part, where) for part in (value.real, value.imag)]}
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, (list, tuple)):
            items = [self._plain(item, f"{where}[{k}]") for k, item in enumerate(value)]
            return {"$tuple": items} if isinstance(value, tuple) else items
        if isinstance(value, Status):
            return {"$status": value.name}
        if type(value) in _RECORD_NAMES:
            content = {field.name: getattr(value, field.name) for field in fields(value)}
            return {_RECORD_NAMES[type(value)]: self._plain(content, where)}
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        raise StorageError(
            f"Cannot store {where}: it is a {type(value).__name__}. Files hold numbers, texts, "
            "lists, mappings, arrays, verdicts, points and statuses; convert it to one of them."
        )

    def _mapping(self, value: Mapping[Any, Any], where: str) -> Any:
        plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
        if plain:
            return {str(key): self._plain(item, f"{where}[{key!r}]") for key, item in value.items()}
        return {
            "$mapping": [
                [self._plain(key, where), self._plain(item, f"{where}[{key!r}]")]
                for key, item in value.items()
            ]
        }

    def _array(self, value: np.ndarray, where: str) -> Any:
        kind = value.dtype.kind
        if kind in "OU" and all(isinstance(item, str) for item in value.flat):
            texts = value.ravel().tolist()
            shape = list(value.shape)
            return {"$array": {"dtype": text_dtype(value), "shape": shape, "data": texts}}
        if not is_storable(value.dtype):
            raise StorageError(
                f"Cannot store {where}: it is an array of {value.dtype}. Convert it to an array "
                "of float64, of whole numbers or of texts."
            )
        # Files hold one byte order; the numbers stay the same.
        flat = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("="), copy=False).ravel()
        record: dict[str, Any] = {"dtype": flat.dtype.name, "shape": list(value.shape)}
        if flat.size <= _INLINE and kind in "biuf" and bool(np.all(np.isfinite(flat))):
            return {"$array": {**record, "data": flat.tolist()}}
        start = self._lengths.get(flat.dtype.name, 0)
        self.arrays.setdefault(flat.dtype.name, []).append(flat)
        self._lengths[flat.dtype.name] = start + flat.size
        return {"$array": {**record, "start": start}}


class Decoder:
    """Turns JSON text of `Encoder` back into values.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays kept aside, joined, by dtype name.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = arrays

    def value(self, text: str) -> Any:
        """Return the value that a text stands for.

        Raises
        ------
        ValueError, KeyError, TypeError
            If the text is damaged.
        """
        return self._rich(json.loads(text))

    def _rich(self, plain: Any) -> Any:
        if isinstance(plain, list):
            return [self._rich(item) for item in plain]
        if not isinstance(plain, dict):
            return plain
        if len(plain) == 1:
            tag, content = next(iter(plain.items()))
            if tag.startswith("$"):
                return self._tagged(tag, content)
        return {key: self._rich(item) for key, item in plain.items()}

    def _tagged(self, tag: str, content: Any) -> Any:
        if tag in _RECORDS:
            return _RECORDS[tag](**self._rich(content))
        readers: dict[str, Callable[[Any], Any]] = {
            "$float": _special_float,
            "$complex": lambda parts: complex(*(self._rich(part) for part in parts)),
            "$tuple": lambda items: tuple(self._rich(item) for item in items),
            "$status": lambda name: Status[name],
            "$mapping": lambda items: {self._rich(key): self._rich(item) for key, item in items},
            "$array": self._array,
        }
        return readers[tag](content)

    def _array(self, record: dict[str, Any]) -> np.ndarray:
        shape = tuple(record["shape"])
        if "data" in record:
            return np.array(record["data"], dtype=record["dtype"]).reshape(shape)
        start = record["start"]
        size = math.prod(shape)
        return self._arrays[record["dtype"]][start : start + size].reshape(shape).copy()


def is_storable(dtype: np.dtype) -> bool:
    """Return whether a file holds numbers of this dtype: up to float64 and complex128."""
    return dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def text_dtype(array: np.ndarray) -> str:
    """Return the dtype of an array of texts, as ``"U8"`` or ``"object"``."""
    return f"U{array.dtype.itemsize // 4}" if array.dtype.kind == "U" else "object"


def _special_float(name: str) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[name]
