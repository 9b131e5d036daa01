"""How named blocks make up the vector x, and how values are read by name or symbol."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .normalise import as_name

Array = np.ndarray


@dataclass(frozen=True)
class Layout:
    """Blocks of the vector x, row-major and in order.

    Attributes
    ----------
    blocks : tuple of (str, tuple of int)
        Name and shape of each block; () for a scalar.
    """

    blocks: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def read(cls, unknowns: Any, blocks: Mapping[str, Any] | None) -> tuple[list[Any], Layout]:
        """Return the flat symbols and the layout of what a user declared."""
        symbols: list[Any] = []
        found: list[tuple[str, tuple[int, ...]]] = []
        if isinstance(unknowns, sp.Symbol):
            unknowns = [unknowns]
        if isinstance(unknowns, Mapping):
            for key, value in unknowns.items():
                if not isinstance(key, str) or not key:
                    raise SpecificationError(
                        "unknowns", key, "needs text for block names.", "Name blocks by strings."
                    )
                flat, shape = _flatten(value)
                symbols.extend(flat)
                found.append((key, shape))
        elif isinstance(unknowns, (str, bytes)) or not isinstance(unknowns, Iterable):
            raise SpecificationError(
                "unknowns", unknowns, "needs sympy symbols.", "Make them with sympy.symbols('x y')."
            )
        else:
            symbols, _ = _flatten(unknowns)
            found = [(getattr(symbol, "name", str(symbol)), ()) for symbol in symbols]
        if not symbols:
            raise SpecificationError(
                "unknowns", unknowns, "needs at least one unknown.", "Declare the unknowns."
            )
        if blocks is not None:
            found = _regroup(blocks, len(symbols))
        return symbols, cls(tuple(found))

    def pack(self, values: Mapping[str, Any]) -> Array:
        """Return x from values of all blocks."""
        names = [name for name, _ in self.blocks]
        missing = [name for name in names if name not in values]
        extra = [name for name in values if name not in names]
        if missing or extra:
            raise SpecificationError(
                "blocks",
                {"missing": missing, "unknown": extra},
                "needs a value for every block and no other.",
                f"The blocks are: {', '.join(names)}.",
            )
        parts = [_block_value(name, values[name], shape) for name, shape in self.blocks]
        return np.concatenate(parts)

    def unpack(self, x: Any) -> dict[str, Any]:
        """Return the blocks of x."""
        vector = np.asarray(x, dtype=float)
        total = sum(math.prod(shape) for _, shape in self.blocks)
        if vector.shape != (total,):
            raise SpecificationError("x", vector.shape, f"needs shape ({total},).", "Use pack().")
        found: dict[str, Any] = {}
        start = 0
        for name, shape in self.blocks:
            stop = start + math.prod(shape)
            block = vector[start:stop].reshape(shape).copy()
            found[name] = block if shape else float(block)
            start = stop
        return found

    def point(self, start: Any, unknown_names: Sequence[str]) -> Array:
        """Return x from an array, or from a mapping of symbol, name or block to value."""
        if not isinstance(start, Mapping):
            try:
                vector = np.array(start, dtype=float).ravel()
            except (TypeError, ValueError) as error:
                raise SpecificationError(
                    "start", start, "needs real numbers.", "Give an array or a mapping."
                ) from error
            if vector.size != len(unknown_names):
                raise SpecificationError(
                    "start", vector.size, f"needs {len(unknown_names)} numbers.", "Use pack()."
                )
            return vector
        position = {name: index for index, name in enumerate(unknown_names)}
        offsets, offset = {}, 0
        for name, shape in self.blocks:
            offsets[name] = (offset, shape)
            offset += math.prod(shape)
        vector = np.full(len(unknown_names), np.nan)
        for key, value in start.items():
            name = as_name(key, "start")
            if name in offsets:
                first, shape = offsets[name]
                vector[first : first + math.prod(shape)] = _block_value(name, value, shape)
            elif name in position:
                vector[position[name]] = _block_value(name, value, ())[0]
            else:
                raise SpecificationError(
                    "start",
                    name,
                    "is neither an unknown nor a block.",
                    f"Choose among: {', '.join([*offsets, *position][:20])}.",
                )
        missing = [unknown_names[int(index)] for index in np.flatnonzero(np.isnan(vector))]
        if missing:
            raise SpecificationError(
                "start", missing[:20], "needs a value for every unknown.", "Add the missing ones."
            )
        return vector


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    if isinstance(value, sp.MatrixBase):
        return [entry for row in value.tolist() for entry in row], value.shape
    if isinstance(value, (sp.MatrixExpr, sp.Indexed)):
        raise SpecificationError(
            "unknowns",
            value,
            "needs symbols, not a matrix symbol.",
            "Use sympy.Matrix of symbols, or MatrixProblem.",
        )
    if isinstance(value, np.ndarray):
        return list(value.ravel()), value.shape
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return [value], ()
    parts = [_flatten(entry) for entry in value]
    shapes = {shape for _, shape in parts}
    if len(shapes) > 1:
        raise SpecificationError(
            "unknowns", shapes, "needs rows of equal length in a block.", "Make it rectangular."
        )
    inner = shapes.pop() if shapes else ()
    return [symbol for flat, _ in parts for symbol in flat], (len(parts), *inner)


def _regroup(blocks: Mapping[str, Any], size: int) -> list[tuple[str, tuple[int, ...]]]:
    if not isinstance(blocks, Mapping):
        raise SpecificationError(
            "blocks", blocks, "needs a mapping from name to shape.", "Such as {'W': (2, 3)}."
        )
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, shape in blocks.items():
        lengths = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        if not all(isinstance(n, (int, np.integer)) and n >= 1 for n in lengths):
            raise SpecificationError(
                "blocks", shape, "needs shapes of positive whole numbers.", "Such as (2, 3)."
            )
        found.append((str(name), tuple(int(n) for n in lengths)))
    total = sum(math.prod(shape) for _, shape in found)
    if total != size:
        raise SpecificationError(
            "blocks", total, f"needs to hold all {size} unknowns.", "Check the shapes."
        )
    return found


def _block_value(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(name, value, "needs real numbers.", "Give floats.") from error
    if array.shape != shape and not (array.size == 1 and math.prod(shape) == 1):
        raise SpecificationError(name, array.shape, f"needs shape {shape}.", "Reshape the value.")
    return array.ravel()


def read_values(
    values: Mapping[Any, float] | None, names: Sequence[str], optional: str | None = None
) -> dict[str, float]:
    """Return values of parameters by name, in the order of `names`.

    Parameters
    ----------
    values : mapping of str or Symbol to number
        Given values.
    names : sequence of str
        All parameters.
    optional : str, optional
        A parameter that may be left out.
    """
    if not isinstance(values, Mapping) and values is not None:
        raise SpecificationError(
            "values", values, "needs a mapping from parameter to number.", "Such as {'p': 1.0}."
        )
    found: dict[str, float] = {}
    for key, value in (values or {}).items():
        name = key if isinstance(key, str) else as_name(key, "values")
        if name not in names:
            raise SpecificationError(
                "values",
                name,
                "is not a parameter of the problem.",
                f"Choose among: {', '.join(names) or 'none declared'}.",
            )
        found[name] = read_number(value, f"values[{name!r}]")
    missing = [name for name in names if name not in found and name != optional]
    if missing:
        raise SpecificationError(
            "values", missing, "lacks parameters.", "Give a number for each of them."
        )
    return {name: found[name] for name in names if name in found}


def read_number(value: Any, argument: str) -> float:
    """Return a finite float, or refuse."""
    if type(value) is float and math.isfinite(value):
        return value
    number = value
    if isinstance(value, sp.Expr) and value.is_real and value.is_number:
        number = float(value)
    elif isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
        number = value.item()
    if isinstance(number, (bool, np.bool_)) or not isinstance(number, Real):
        raise SpecificationError(argument, value, "needs a real number.", "Give a float.")
    if not math.isfinite(number):
        raise SpecificationError(argument, value, "needs a finite number.", "Give a float.")
    return float(number)


def read_domain(
    domain: Mapping[Any, tuple[float, float]] | None, symbols: Mapping[str, sp.Symbol]
) -> dict[str, tuple[float, float]]:
    """Return sampling intervals by name."""
    found: dict[str, tuple[float, float]] = {}
    for key, interval in (domain or {}).items():
        name = as_name(key, "domain")
        if name not in symbols:
            raise SpecificationError(
                "domain", name, "is neither an unknown nor a parameter.", "Check the name."
            )
        try:
            low, high = interval
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                "domain", interval, "needs intervals (low, high).", "Such as {'x': (0, 1)}."
            ) from error
        bounds = read_number(low, "domain"), read_number(high, "domain")
        if not bounds[0] < bounds[1]:
            raise SpecificationError("domain", bounds, "needs low < high.", "Swap them.")
        found[name] = bounds
    return found
