"""One contract for every model: its example works, and what is no constant is refused by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import contcrit as cc

WRONG: list[Any] = ["text", [1, "b"], math.nan, -3, [[1, 2], [3]], {"a": 1}, object()]
CONSTANTS = [
    (name, constant) for name in cc.models.names() for constant in cc.models.get(name).constants
]


@pytest.mark.parametrize("name", cc.models.names())
def test_the_example_builds_and_its_starts_solve_it(name: str) -> None:
    model = cc.models.get(name)
    problem = model.build(**model.example)
    starts = model.starts(problem)
    assert starts
    for start in starts.values():
        owner = problem if start.problem is None else start.problem
        residual = owner.evaluate(owner.point(start.unknowns), start.values)
        assert residual == pytest.approx(np.zeros(owner.size), abs=1e-9)


@pytest.mark.parametrize("name", cc.models.names())
def test_every_claim_and_reference_is_stated(name: str) -> None:
    model = cc.models.get(name)
    assert model.claims
    assert model.references


@pytest.mark.parametrize(("name", "constant"), CONSTANTS)
def test_wrong_constants_are_refused_by_name(name: str, constant: str) -> None:
    model = cc.models.get(name)
    for wrong in WRONG:
        try:
            model.build(**{**model.example, constant: wrong})
        except cc.SpecificationError as error:
            assert error.argument  # it says which, what was observed, the rule and the remedy
