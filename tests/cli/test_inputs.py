"""What is typed becomes the values that were meant, or is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from contcrit.cli.inputs import assignments, load_target, numbers
from contcrit.errors import SpecificationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-2.5e-3", -0.0025),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("binary", "binary"),
        ("l1-squared", "l1-squared"),
        ('"two words"', "two words"),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    found = assignments([f"name={text}"], "--set")["name"]
    assert found == value
    assert type(found) is type(value)


def test_nested_lists_are_arrays() -> None:
    found = assignments(["R=[[0, -1], [1, 0]]", "v=(1, 2.5)"], "--set")
    np.testing.assert_array_equal(found["R"], [[0, -1], [1, 0]])
    np.testing.assert_array_equal(found["v"], [1, 2.5])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_exact(value: float) -> None:
    found = assignments([f"a={value!r}"], "--set")["a"]
    assert (float(found), math.copysign(1, found)) == (value, math.copysign(1, value))


@given(st.text())
def test_any_text_is_a_finite_value_or_is_refused(text: str) -> None:
    try:
        value = assignments([f"a={text}"], "--set")["a"]
    except SpecificationError:
        return
    assert isinstance(value, (bool, int, float, str, np.ndarray))
    if not isinstance(value, (bool, str)):
        assert np.all(np.isfinite(np.asarray(value, dtype=float)))


@given(st.lists(st.text()))
def test_tokens_never_raise_anything_else(tokens: list[str]) -> None:
    try:
        found = assignments(tokens, "--set")
    except SpecificationError:
        return
    assert len(found) == len(tokens)


def test_only_numbers_are_numbers() -> None:
    assert numbers({"a": 1, "b": 2.5}, "--set") == {"a": 1.0, "b": 2.5}
    for bad in (True, "one", np.array([1.0])):
        with pytest.raises(SpecificationError, match="must be a number"):
            numbers({"a": bad}, "--set")


def test_command_line_overrides_the_file(tmp_path: Any) -> None:
    path = tmp_path / "cusp.toml"
    path.write_text(
        '[problem]\nresidual = ["mu + lam*x - x**3"]\nunknowns = ["x"]\n'
        'parameters = ["mu", "lam"]\n[values]\nmu = 0.5\nlam = 1\n[start]\nx = 1\n'
    )
    target = load_target(str(path), ["mu=0.25"])
    assert (target.name, target.values) == ("cusp", {"mu": 0.25, "lam": 1.0})
    assert target.find_starts()["start"].unknowns == {"x": 1}


def test_model_constants_and_parameters_are_told_apart() -> None:
    rotation = json.dumps([[0, -1], [1, 0]])
    target = load_target("linear-network", [f"R={rotation}", "T=2", "lam=0.5"])
    assert target.values == {"lam": 0.5}
    assert target.problem.size == 4
    starts = target.find_starts()
    assert starts
    example = load_target("linear-network", [], example=True)
    assert example.problem.size > 0
