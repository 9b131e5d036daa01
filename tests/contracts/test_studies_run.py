"""Studies have an entry in their paper's README, quote what is expected, and the quick ones run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contcrit.study import discover, expectations, run_study

ROOT = Path(__file__).resolve().parents[2] / "studies"
STUDIES = discover(ROOT) if ROOT.is_dir() else {}
QUICK = (
    "paper-001/borders",
    "paper-001/figure-4",
    "paper-001/residuals",
    "paper-002/bounds",
    "paper-002/figure-1",
    "paper-002/figure-2",
    "paper-004/example-1",
    "paper-004/figure-2a",
    "paper-004/figure-2b",
    "paper-004/random-d6",
    "paper-004/scaling",
    "paper-004/theorem-2",
)
EVERY = "CONTCRIT_ALL_STUDIES" in os.environ
NUMBER = re.compile(r"(?<![\w.])\d+\.\d{5,}(?:e-?\d+)?")


def entries(folder: Path) -> dict[str, str]:
    """Return the README's text below each heading that names studies."""
    text = (folder / "README.md").read_text("utf-8")
    parts = re.split(r"^### (\S+(?:, \S+)*)$", text, flags=re.MULTILINE)
    return {
        name: body
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
        for name in heading.split(", ")
    }


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for item in value:
            yield from floats(item)
    elif isinstance(value, float):
        yield value


def quoted(number: str, expected: Mapping[str, Any]) -> bool:
    """Tell whether a number is an expected value, rounded to the digits that are shown."""
    mantissa, _, exponent = number.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.split(".")[1]))
    values = [value for entry in expected.values() for value in floats(entry.get("value"))]
    return any(abs(value - float(number)) <= 0.5000001 * unit for value in values)


@pytest.mark.parametrize("name", STUDIES)
def test_readme_has_an_entry_whose_numbers_are_expected(name: str) -> None:
    folder = STUDIES[name].parent
    text = entries(folder).get(name, "")
    assert text.strip(), f"{folder.name}/README.md says nothing of {name}"
    expected = expectations(folder)[name.split("/")[1]]
    unknown = [number for number in NUMBER.findall(text) if not quoted(number, expected)]
    assert not unknown, f"{name}: README.md quotes {unknown}, which expected.json does not have"


def test_readme_names_existing_studies_only() -> None:
    for folder in {path.parent for path in STUDIES.values()}:
        named = {name for name in entries(folder) if "/" in name}
        assert named <= set(STUDIES)


def test_a_number_must_be_the_rounded_value() -> None:
    expected = {"a": {"value": [1.23456789]}}
    assert quoted("1.234568", expected)
    assert not quoted("1.234567", expected)


@pytest.mark.parametrize("name", STUDIES if EVERY else [name for name in QUICK if STUDIES])
def test_study_agrees_with_what_is_expected(name: str, tmp_path: Path) -> None:
    report = run_study(name, STUDIES[name], tmp_path)
    assert not report.error
    assert report.compared
    assert [item for item in report.comparisons if item.agrees is False] == []
    stem = name.split("/")[1]
    assert (tmp_path / f"{name}.json").stat().st_size > 0
    assert (tmp_path / name.split("/")[0] / f"{stem}.png").stat().st_size > 10_000
