"""Measured values beside expected ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SpecificationError
from .base import spelled

_BOUNDS = ("value", "at_least", "at_most")
_NUMBERS = ("at_least", "at_most", "rtol", "atol")
_KEYS = {*_BOUNDS, *_NUMBERS, "source", "note"}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A measured quantity beside the expected one.

    Parameters
    ----------
    quantity : str
        Nested names, joined by ``/``.
    measured, expected : object
        The values; None where there is none.
    rule : str
        What agreement means, such as ``"= within 1e-09 relative"``.
    agrees : bool or None
        None where nothing was expected.
    source : str
        Where the expected value comes from.
    """

    quantity: str
    measured: Any
    expected: Any = None
    rule: str = ""
    agrees: bool | None = None
    source: str = ""


def expectations(folder: Path) -> dict[str, dict[str, Any]]:
    """Read ``expected.json`` of a paper: study, then quantity, then value and tolerance.

    Parameters
    ----------
    folder : Path
        The paper's folder.

    Returns
    -------
    dict of str to dict
        Entries by study and by quantity, nested names joined by ``/``. An entry has ``value``
        (with ``rtol`` or ``atol`` where it is a float), ``at_least`` or ``at_most``, and
        ``source``. Empty where the file is missing.

    Raises
    ------
    SpecificationError
        If the file is no JSON, or an entry is malformed.
    """
    path = folder / "expected.json"
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SpecificationError(
            "expected.json", str(error), f"in {folder.name} is not JSON.", "Correct it."
        ) from error
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise SpecificationError(
            "expected.json", str(path), "must map studies to quantities.", "See other papers'."
        )
    found = {
        spelled(study): dict(_flat(entries, leaf=lambda entry: not _KEYS.isdisjoint(entry)))
        for study, entries in content.items()
    }
    for entries in found.values():
        for quantity, entry in entries.items():
            _check_entry(quantity, entry)
    return found


def compare(measured: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[Comparison]:
    """Compare measured values with entries of ``expected.json``.

    Parameters
    ----------
    measured : mapping
        Nested values.
    expected : mapping of str to mapping
        Entries by quantity, nested names joined by ``/``.

    Yields
    ------
    Comparison
        First one a measured quantity, then one an expected quantity that was not measured.

    Raises
    ------
    SpecificationError
        If an entry states no rule, an unknown key, or a float without a tolerance.

    Examples
    --------
    >>> from contcrit.study import compare
    >>> entry = {"value": 3.14159, "rtol": 1e-5, "source": "closed form"}
    >>> [item.agrees for item in compare({"circle": {"pi": 3.1415926}}, {"circle/pi": entry})]
    [True]
    """
    values = dict(_flat(measured, leaf=lambda entry: False))
    for quantity, entry in expected.items():
        _check_entry(quantity, entry)
    for quantity in [*values, *(key for key in expected if key not in values)]:
        entry = expected.get(quantity)
        value = values.get(quantity)
        if entry is None:
            yield Comparison(quantity=quantity, measured=value)
            continue
        yield Comparison(
            quantity=quantity,
            measured=value,
            expected=entry.get("value"),
            rule=_rule(entry),
            agrees=quantity in values and _agrees(value, entry),
            source=str(entry.get("source", "")),
        )


def _agrees(value: Any, entry: Mapping[str, Any]) -> bool:
    rtol, atol = float(entry.get("rtol", 0.0)), float(entry.get("atol", 0.0))
    if "value" in entry and not _close(value, entry["value"], rtol, atol):
        return False
    if "at_least" not in entry and "at_most" not in entry:
        return True
    # A measured NaN compares false with any bound.
    low, high = entry.get("at_least", -math.inf), entry.get("at_most", math.inf)
    return _is_number(value) and bool(low <= value <= high)


def _close(value: Any, wanted: Any, rtol: float, atol: float) -> bool:
    if isinstance(wanted, list):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(_close(a, b, rtol, atol) for a, b in zip(value, wanted, strict=True))
        )
    if _is_number(wanted):
        return _is_number(value) and abs(value - wanted) <= atol + rtol * abs(wanted)
    return type(value) is type(wanted) and bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_entry(quantity: str, entry: Any) -> None:
    problem = ""
    if not isinstance(entry, Mapping) or not any(key in entry for key in _BOUNDS):
        problem = "needs a value, at_least or at_most."
    elif set(entry) - _KEYS:
        problem = f"has unknown keys {sorted(set(entry) - _KEYS)}."
    elif any(not _is_number(entry[key]) for key in _NUMBERS if key in entry):
        problem = "needs numbers for its tolerances and bounds."
    elif _holds_float(entry.get("value")) and not {"rtol", "atol"} & set(entry):
        problem = "is a float without rtol or atol."
    if problem:
        raise SpecificationError("expected.json", quantity, problem, "Correct the entry.")


def _holds_float(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_float(item) for item in value)
    return isinstance(value, float)


def _rule(entry: Mapping[str, Any]) -> str:
    words = [f"{key.replace('_', ' ')} {entry[key]:g}" for key in _BOUNDS[1:] if key in entry]
    for key, text in (("rtol", "relative"), ("atol", "absolute")):
        if key in entry:
            words.append(f"within {entry[key]:g} {text}")
    return ", ".join(words) or "exactly"


def _flat(
    tree: Mapping[str, Any], leaf: Callable[[Mapping[str, Any]], bool], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and not leaf(value):
            yield from _flat(value, leaf, name + "/")
        else:
            yield name, value


def plain(value: Any, where: str) -> Any:
    """Return a value in JSON's types; complex numbers become ``[real, imaginary]``.

    Raises
    ------
    SpecificationError
        If it holds anything but numbers, texts, lists and mappings.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, complex):
        return [value.real, value.imag]
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{where}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, where) for item in value]
    raise SpecificationError(
        where, type(value).__name__, "is not a number, text, list or mapping.", "Convert it."
    )
