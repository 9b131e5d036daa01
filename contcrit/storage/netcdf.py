"""Arrays in netCDF-4 files, written as plain HDF5: dimensions are HDF5 dimension scales.

What netCDF lacks is marked by the attribute ``numpy_dtype``. A diagram has thousands of variables,
which HDF5 itself writes and reads several times as fast as a netCDF layer on top of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from ..encoding import is_storable, text_dtype
from ..errors import StorageError

_TEXT = h5py.string_dtype()
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10d}"


class GroupWriter:
    """Writes variables over named dimensions into one group.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    dimensions : mapping of str to int
        Names and lengths; every variable of the group is over some of them.
    """

    def __init__(
        self,
        group: h5py.Group,
        dimensions: Mapping[str, int] | None = None,
        identifiers: Iterator[int] | None = None,
    ) -> None:
        self.group = group
        # Dimensions are numbered through the whole file.
        self._identifiers = itertools.count() if identifiers is None else identifiers
        self._lengths = dict(dimensions or {})
        self._scales: dict[str, h5py.Dataset] = {}

    def child(self, name: str, dimensions: Mapping[str, int] | None = None) -> GroupWriter:
        """Return the writer of a new group below this one."""
        group = self.group.create_group(name, track_order=True)
        return GroupWriter(group, dimensions, self._identifiers)

    def write_text(self, name: str, text: str) -> None:
        """Write one text."""
        self.group.create_dataset(name, data=text, dtype=_TEXT)

    def write(self, name: str, dimensions: tuple[str, ...], values: Any, where: str) -> None:
        """Write an array; a variable named as its one dimension becomes its coordinate.

        Parameters
        ----------
        name : str
            Name of the variable.
        dimensions : tuple of str
            One name an axis. Names that the group does not know take the array's length.
        values : array_like
            Numbers, truths or texts.
        where : str
            What it is, for messages.

        Raises
        ------
        StorageError
            If the array is of a dtype that files do not hold, or its shape is not that of its
            dimensions.
        """
        data = np.asarray(values)
        if isinstance(values, list) or data.dtype.kind in "OU":
            if not all(isinstance(item, str) for item in data.flat):
                raise StorageError(f"Cannot store {where}: it is neither numbers nor texts.")
            original, data = text_dtype(data), data.astype(object)
        elif is_storable(data.dtype):
            original = data.dtype.name
            data = _as_netcdf(data)
        else:
            raise StorageError(f"Cannot store {where}: it is an array of {data.dtype}.")
        if data.ndim > len(dimensions):
            dimensions = (*dimensions, "real_imaginary")
        lengths = tuple(
            self._lengths.setdefault(dimension, length)
            for dimension, length in zip(dimensions, data.shape, strict=True)
        )
        if lengths != data.shape:
            raise StorageError(
                f"Cannot store {where}: its shape is {data.shape}, not {lengths} as of "
                f"{', '.join(dimensions)}."
            )
        variable = self._create(name, data)
        if dimensions == (name,):
            self._make_scale(variable, name, name)
        else:
            for axis, dimension in enumerate(dimensions):
                variable.dims[axis].attach_scale(self._scale(dimension))
        variable.attrs["numpy_dtype"] = original
        if original == "bool":
            # xarray's own mark, by which it gives booleans back.
            variable.attrs["dtype"] = "bool"

    def _create(self, name: str, data: np.ndarray) -> h5py.Dataset:
        dtype = _TEXT if data.dtype.kind == "O" else data.dtype
        # netCDF has dimensions of length 0 only where they may grow.
        growing = tuple(length or None for length in data.shape)
        maximum = growing if data.size == 0 and data.ndim else None
        return self.group.create_dataset(
            name, shape=data.shape, dtype=dtype, data=data, maxshape=maximum
        )

    def _scale(self, dimension: str) -> h5py.Dataset:
        if dimension not in self._scales:
            length = self._lengths[dimension]
            scale = self._create(dimension, np.zeros(length, dtype=">f4"))
            self._make_scale(scale, dimension, _NO_VARIABLE.format(length))
        return self._scales[dimension]

    def _make_scale(self, scale: h5py.Dataset, dimension: str, label: str) -> None:
        scale.make_scale(label)
        scale.attrs["_Netcdf4Dimid"] = np.int32(next(self._identifiers))
        self._scales[dimension] = scale


def _as_netcdf(data: np.ndarray) -> np.ndarray:
    """Return numbers in a form that netCDF has, in this machine's byte order."""
    if data.dtype.kind == "c":
        data = np.ascontiguousarray(data)
        data = data.view(data.real.dtype).reshape(*data.shape, 2)
    elif data.dtype.kind == "b":
        data = data.astype(np.int8)
    elif data.dtype == np.float16:
        data = data.astype(np.float32)
    return data.astype(data.dtype.newbyteorder("="), copy=False)


def read_array(variable: h5py.Dataset) -> np.ndarray:
    """Return the array that `GroupWriter.write` was given.

    Raises
    ------
    KeyError
        If the variable is not one of ours.
    """
    dtype = str(variable.attrs["numpy_dtype"])
    data = np.asarray(variable[...])
    if dtype == "object" or dtype.startswith("U"):
        texts = [item.decode() if isinstance(item, bytes) else str(item) for item in data.flat]
        return np.array(texts, dtype=object).reshape(data.shape).astype(dtype)
    if np.dtype(dtype).kind == "c":
        return np.ascontiguousarray(data).view(dtype)[..., 0]
    return data.astype(dtype, copy=False)


def read_arrays(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return all arrays of a group by name; dimensions without a variable are none."""
    return {name: read_array(item) for name, item in group.items() if "numpy_dtype" in item.attrs}


def read_text(variable: h5py.Dataset) -> str:
    """Return one text."""
    text = variable[()]
    return text.decode() if isinstance(text, bytes) else str(text)
