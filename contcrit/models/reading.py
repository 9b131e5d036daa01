"""Constants of models as numbers and arrays, or a clear refusal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import SpecificationError
from ..system import Array


def real_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    rule: str = "",
) -> float:
    """Return a finite number within bounds, the lower one excluded if `open_low`.

    `rule` says in words what is asked for; by default it names the bounds.

    Raises
    ------
    SpecificationError
        If the value is no number, not finite, or out of bounds.
    """
    number = float(value) if _is_number(value) else math.nan
    if not (math.isfinite(number) and low <= number <= high and not (open_low and number == low)):
        edge = "(" if open_low or low == -math.inf else "["
        rule = (
            rule
            or f"must be a number in {edge}{low:g}, {high:g}{')' if high == math.inf else ']'}."
        )
        raise SpecificationError(name, value, rule, "Give one real number.")
    return number


def whole_number(name: str, value: Any, *, low: int, high: int | None = None) -> int:
    """Return a whole number within bounds, both included.

    Raises
    ------
    SpecificationError
        If the value is no whole number, or out of bounds.
    """
    number = float(value) if _is_number(value) else math.nan
    if not (number == math.floor(number) if math.isfinite(number) else False) or not (
        low <= number <= (math.inf if high is None else high)
    ):
        rule = f"must be a whole number of at least {low}"
        rule += "." if high is None else f" and at most {high}."
        raise SpecificationError(name, value, rule, f"Such as {low}.")
    return int(number)


def real_array(name: str, value: Any, *, dimensions: int | None = None) -> Array:
    """Return a finite array of floats, of a given number of dimensions if there is one.

    Raises
    ------
    SpecificationError
        If the value holds anything else than finite numbers, or has another shape.
    """
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            name, value, "must hold real numbers.", "Give (nested) lists or an array."
        ) from error
    if dimensions is not None and array.ndim != dimensions:
        raise SpecificationError(
            name, array.shape, f"must have {dimensions} dimensions.", "Reshape it."
        )
    if not np.all(np.isfinite(array)):
        raise SpecificationError(name, value, "must be finite.", "Replace NaN and infinity.")
    return array


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
