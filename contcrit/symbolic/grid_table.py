"""Grids: which unknowns a point's equation holds, and what stands for those beyond the boundary."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .layout import Layout

Array = np.ndarray
Offset = tuple[int, ...]
Condition = Any
"""A string of `REFLECTIONS`, or the value (an Expr) of unknowns beyond the boundary."""

REFLECTIONS = ("periodic", "neumann", "neumann-between")


class Neighbour(NamedTuple):
    """An unknown of a stencil: a field, and how far away along each axis."""

    field: str
    offset: Offset

    @property
    def symbol(self) -> sp.Symbol:
        """The plain symbol that stands for it in expressions."""
        return sp.Symbol(f"{self.field}[{', '.join(map(str, self.offset))}]")


class GridNames(Sequence[str]):
    """Names such as ``u[3]`` or ``u[2,5]`` of all unknowns on a grid, made when asked for.

    Parameters
    ----------
    fields : sequence of str
    shape : tuple of int
    """

    def __init__(self, fields: Sequence[str], shape: tuple[int, ...]) -> None:
        self._fields = tuple(fields)
        self._shape = tuple(shape)
        self._points = math.prod(shape)

    def __len__(self) -> int:
        return len(self._fields) * self._points

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return tuple(self[k] for k in range(*key.indices(len(self))))
        position = range(len(self))[key]
        field, point = divmod(position, self._points)
        place = np.unravel_index(point, self._shape)
        return f"{self._fields[field]}[{','.join(str(int(k)) for k in place)}]"

    def __iter__(self) -> Iterator[str]:
        places = [",".join(map(str, place)) for place in np.ndindex(*self._shape)]
        return (f"{field}[{place}]" for field in self._fields for place in places)

    def __contains__(self, name: object) -> bool:
        return self._find(name) is not None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of a name."""
        found = self._find(value)
        if found is None or found < start or (stop is not None and found >= stop):
            raise ValueError(f"{value!r} is not among the names")
        return found

    def __eq__(self, other: object) -> bool:
        if isinstance(other, GridNames):
            return (self._fields, self._shape) == (other._fields, other._shape)
        if isinstance(other, (tuple, list)):
            return len(other) == len(self) and all(map(str.__eq__, self, other))
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._fields, self._shape))

    def __add__(self, other: Any) -> tuple[str, ...]:
        return (*self, *other)

    def __repr__(self) -> str:
        return f"GridNames({self._fields}, {self._shape})"

    def _find(self, name: object) -> int | None:
        match = re.fullmatch(r"(.+)\[(\d+(?:,\d+)*)\]", name) if isinstance(name, str) else None
        if match is None or match[1] not in self._fields:
            return None
        place = tuple(int(part) for part in match[2].split(","))
        if len(place) != len(self._shape) or any(
            k >= n for k, n in zip(place, self._shape, strict=True)
        ):
            return None
        point = int(np.ravel_multi_index(place, self._shape))
        return self._fields.index(match[1]) * self._points + point


@dataclass(frozen=True)
class GridLayout(Layout):
    """Fields on one grid as blocks; a start may give a field one number for all its points."""

    def point(self, start: Any, unknown_names: Sequence[str]) -> Array:
        """Return x from an array, or from a mapping of field to an array or a number."""
        if isinstance(start, Mapping):
            fields = {getattr(key, "name", str(key)): value for key, value in start.items()}
            known = dict(self.blocks)
            start = {
                name: np.full(known[name], value)
                if name in known and np.ndim(value) == 0
                else value
                for name, value in fields.items()
            }
            return self.pack(start)
        return super().point(np.ravel(start), unknown_names)


class Group(NamedTuple):
    """Points whose equations are one template: the slots of their neighbours, and of each row."""

    points: Array
    meaning: tuple[int, ...]  # of each neighbour: its slot, or -1 - k for condition k
    slots: Array


class GridTable:
    """Neighbours of all points of a grid under boundary conditions.

    Parameters
    ----------
    fields : sequence of str
    shape : tuple of int
    conditions : dict of str to list of (Condition, Condition)
        For each field and axis the conditions at its low and its high end.
    """

    def __init__(
        self,
        fields: Sequence[str],
        shape: tuple[int, ...],
        conditions: Mapping[str, list[tuple[Condition, Condition]]],
    ) -> None:
        self.fields = tuple(fields)
        self.shape = shape
        self.conditions = conditions
        self.points = math.prod(shape)
        self.values: list[sp.Expr] = []  # that unknowns beyond the boundary take

    @cached_property
    def _places(self) -> list[Array]:
        return [axis.ravel() for axis in np.indices(self.shape)]

    def groups(self, neighbours: Sequence[Neighbour]) -> list[Group]:
        """Return the points grouped by template, those away from the boundary first."""
        reach = [
            (
                max([0, *(-n.offset[axis] for n in neighbours)]),
                max([0, *(n.offset[axis] for n in neighbours)]),
            )
            for axis in range(len(self.shape))
        ]
        inside = np.ones(self.points, dtype=bool)
        for place, length, (low, high) in zip(self._places, self.shape, reach, strict=True):
            inside &= (place >= low) & (place < length - high)
        found = []
        points = np.flatnonzero(inside)
        if points.size:
            order = sorted(range(len(neighbours)), key=lambda k: self._rank(neighbours[k]))
            meaning = tuple(int(k) for k in np.argsort(order))
            shifts = [self._shift(neighbours[k]) for k in order]
            found.append(Group(points, meaning, points[:, None] + np.array(shifts, dtype=np.intp)))
        found.extend(self._beside(np.flatnonzero(~inside), neighbours))
        return found

    def _rank(self, neighbour: Neighbour) -> tuple[int, Offset]:
        return self.fields.index(neighbour.field), neighbour.offset

    def _shift(self, neighbour: Neighbour) -> int:
        strides = np.cumprod([1, *self.shape[:0:-1]])[::-1]
        start = self.fields.index(neighbour.field) * self.points
        return start + int(np.dot(strides, neighbour.offset))

    def _beside(self, points: Array, neighbours: Sequence[Neighbour]) -> list[Group]:
        """Group the points at the boundary."""
        if not points.size:
            return []
        held = np.stack([self._neighbour(points, each) for each in neighbours], axis=1)
        grouped: dict[tuple[int, ...], tuple[list[int], list[list[int]]]] = {}
        for point, row in zip(points.tolist(), held.tolist(), strict=True):
            slots = sorted({k for k in row if k >= 0})
            slot_of = {index: slot for slot, index in enumerate(slots)}
            meaning = tuple(k if k < 0 else slot_of[k] for k in row)
            members, filled = grouped.setdefault(meaning, ([], []))
            members.append(point)
            filled.append(slots)
        return [
            Group(
                np.array(members, dtype=np.intp),
                meaning,
                np.array(filled, dtype=np.intp).reshape(len(members), -1),
            )
            for meaning, (members, filled) in grouped.items()
        ]

    def _neighbour(self, points: Array, neighbour: Neighbour) -> Array:
        """Return the unknown that stands at an offset from points, or -1 - k for value k."""
        places = []
        fixed = np.zeros(points.size, dtype=np.intp)
        for axis, length in enumerate(self.shape):
            place = self._places[axis][points] + neighbour.offset[axis]
            ends = self.conditions[neighbour.field][axis]
            for condition, beyond, low in (
                (ends[0], place < 0, True),
                (ends[1], place >= length, False),
            ):
                if not np.any(beyond):
                    continue
                if not isinstance(condition, str):
                    number = self._value(condition)
                    fixed[beyond & (fixed == 0)] = -1 - number
                    place = np.where(beyond, 0, place)
                elif condition == "periodic":
                    place = np.where(beyond, place % length, place)
                else:
                    turn = (0 if low else 2 * (length - 1)) + (
                        (-1 if low else 1) if condition == "neumann-between" else 0
                    )
                    place = np.where(beyond, turn - place, place)
            if np.any((place < 0) | (place >= length)):
                raise SpecificationError(
                    "shape",
                    self.shape,
                    f"is too small along axis {axis} for the stencil.",
                    "Use more points.",
                )
            places.append(place)
        unknown = np.ravel_multi_index(tuple(places), self.shape)
        unknown = unknown + self.fields.index(neighbour.field) * self.points
        return np.where(fixed < 0, fixed, unknown)

    def _value(self, condition: sp.Expr) -> int:
        if condition not in self.values:
            self.values.append(condition)
        return self.values.index(condition)


def read_conditions(
    boundary: Any, fields: Sequence[str], shape: tuple[int, ...]
) -> dict[str, list[tuple[Condition, Condition]]]:
    """Return conditions by field and axis from what a user wrote; see `GridProblem`."""
    by_field = boundary if isinstance(boundary, Mapping) else dict.fromkeys(fields, boundary)
    named = {getattr(key, "name", str(key)): value for key, value in by_field.items()}
    if set(named) != set(fields):
        raise SpecificationError(
            "boundary", sorted(named), "must name every field and no other.", f"{list(fields)}"
        )
    found = {}
    for field in fields:
        given = named[field]
        axes = list(given) if isinstance(given, (tuple, list)) else [given] * len(shape)
        if len(shape) == 1 and len(axes) == 2:
            axes = [tuple(axes)]  # one axis: the pair is its two ends
        if len(axes) != len(shape):
            raise SpecificationError(
                "boundary", given, f"needs one entry for each of {len(shape)} axes.", "Add them."
            )
        found[field] = [_ends(axis) for axis in axes]
    return found


def _ends(given: Any) -> tuple[Condition, Condition]:
    pair = tuple(given) if isinstance(given, (tuple, list)) else (given, given)
    if len(pair) != 2:
        raise SpecificationError("boundary", given, "needs a low and a high end.", "Give two.")
    low, high = (_condition(each) for each in pair)
    if (low == "periodic") != (high == "periodic"):
        raise SpecificationError(
            "boundary", given, "is periodic at one end only.", "Say 'periodic' once for the axis."
        )
    return low, high


def _condition(given: Any) -> Condition:
    if isinstance(given, str):
        if given not in REFLECTIONS:
            raise SpecificationError(
                "boundary",
                given,
                f"must be a value or one of {', '.join(REFLECTIONS)}.",
                "A number is the value that unknowns beyond the boundary take.",
            )
        return given
    value = sp.sympify(given)
    if not isinstance(value, sp.Expr) or value.is_finite is False:
        raise SpecificationError("boundary", given, "must be a finite value.", "Give a number.")
    return value
