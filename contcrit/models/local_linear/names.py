"""Names of targets, inputs and weights, such as ``"y[3]"``, ``"x[0]"`` and ``"w[0,1]"``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import sympy as sp

from ...errors import SpecificationError
from ...system import Array
from ..reading import real_number
from .data import LocalLinear


def whole(name: str, value: Any, dimension: int) -> Any:
    """Return whole numbers as Python's: one, a list, or a list of pairs."""
    try:
        array = np.array(value)
    except ValueError:
        array = np.empty(0, dtype=object)
    pairs = dimension < 2 or (array.ndim == 2 and array.shape[1] == 2) or not array.size
    if array.ndim not in (dimension, 1) or (array.size and array.dtype.kind != "i") or not pairs:
        raise SpecificationError(
            name,
            value,
            "must be whole numbers: pairs for edges, +1 or -1 for signs.",
            "Such as edges=[(0, 1), (1, 2)], signs=[1, -1].",
        )
    found = array.tolist()
    return [tuple(pair) for pair in found] if dimension == 2 else found


def free_numbers(
    names: list[str], data: LocalLinear, inputs: Array, targets: Array, temperature: float | None
) -> dict[str, float]:
    """Put symbols in the place of free numbers; return the values these have."""
    if temperature is not None:
        real_number("temperature", temperature, low=0.0, open_low=True, rule="must be positive.")
    defaults: dict[str, float] = {}
    for name in names:
        if name in defaults:
            raise SpecificationError("free", name, "is named twice.", "Name it once.")
        if name == "eps":
            if temperature is None:
                raise SpecificationError("free", name, "needs a temperature.", "Give temperature.")
            defaults[name] = float(temperature)
        elif place_of(name)[0] == "y":
            place = known_place("free", name, "y", data.y.shape)
            defaults[name] = float(data.y[place])
            targets[place] = sp.Symbol(name)
        else:
            place = known_place("free", name, "x", data.x.shape)
            defaults[name] = float(data.x[place])
            inputs[place] = sp.Symbol(name)
    return defaults


def known_place(argument: str, name: str, block: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the place that a name such as ``"x[2]"`` stands for."""
    found, place = place_of(name)
    full = len(place) == len(shape)
    if found != block or not full or any(i >= n for i, n in zip(place, shape, strict=True)):
        raise SpecificationError(
            argument, name, f"is no entry of {block}, which has shape {shape}.", "Such as y[0]."
        )
    return place


def place_of(name: str) -> tuple[str, tuple[int, ...]]:
    """Return block and place of a name such as ``"x[2]"``; an empty block for other names."""
    match = re.fullmatch(r"([wxy])\[(\d+)(?:,(\d+))?\]", name)
    if match is None:
        return "", ()
    place = tuple(int(g) for g in match.groups()[1:] if g is not None)
    return match[1], (*place, 0) if match[1] == "x" and len(place) == 1 else place
