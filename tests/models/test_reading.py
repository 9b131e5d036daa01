"""Constants as numbers and arrays, or a refusal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from contcrit.errors import SpecificationError
from contcrit.models.reading import real_array, real_number, whole_number


def test_numbers_pass() -> None:
    assert real_number("a", np.float64(0.5), low=0.0, high=1.0) == 0.5
    assert real_number("a", 0, low=0.0) == 0.0
    assert whole_number("n", np.int64(3), low=1) == 3
    assert whole_number("n", 3.0, low=1, high=3) == 3
    assert real_array("X", [[1, 2]], dimensions=2).dtype == float


@pytest.mark.parametrize("value", ["1", None, True, [1.0], math.nan, math.inf, -0.1, 1.1])
def test_what_is_no_number_in_bounds_is_refused(value: Any) -> None:
    with pytest.raises(SpecificationError, match=r"`a`: must be a number in \[0, 1\]"):
        real_number("a", value, low=0.0, high=1.0)


def test_an_open_end_is_refused() -> None:
    with pytest.raises(SpecificationError, match=r"in \(0, inf\)"):
        real_number("a", 0.0, low=0.0, open_low=True)


@pytest.mark.parametrize("value", ["1", None, True, [1], math.nan, math.inf, 0, 1.5, 4])
def test_what_is_no_whole_number_in_bounds_is_refused(value: Any) -> None:
    with pytest.raises(SpecificationError, match="at least 1 and at most 3"):
        whole_number("n", value, low=1, high=3)


@pytest.mark.parametrize("value", ["text", [1, "b"], [[1, 2], [3]], {}, [math.nan], 1.0])
def test_what_is_no_array_is_refused(value: Any) -> None:
    with pytest.raises(SpecificationError, match="`X`"):
        real_array("X", value, dimensions=1)
