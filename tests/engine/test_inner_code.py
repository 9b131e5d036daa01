"""Functions that compiled code alone calls have no machine code of their own."""

import numba
import numpy as np
import pytest
from numba.extending import register_jitable

from contcrit.engine import inner_code

PIPELINES = inner_code.pipelines()


@register_jitable(**PIPELINES.inline)
def square(values):
    for i in range(values.size):
        values[i] *= values[i]


@register_jitable(**PIPELINES.inner)
def sum_of_squares(values, own):
    own[:] = values
    square(own)
    total = 0.0
    for i in range(own.size):
        total += own[i]
    return total


def twice(values, own):
    return 2.0 * sum_of_squares(values, own)


def both(values, own):
    square(values)
    return sum_of_squares(values, own)


def test_the_outermost_function_brings_the_inner_ones_along():
    outer = numba.njit(nogil=True, **PIPELINES.outer)
    values = np.array([1.0, 2.0, 3.0])
    assert outer(twice)(values, np.empty(3)) == 28.0
    assert outer(both)(values, np.empty(3)) == 1.0 + 16.0 + 81.0
    assert values.tolist() == [1.0, 4.0, 9.0]


def test_ordinary_compiled_functions_may_call_them_too():
    assert numba.njit(twice)(np.array([3.0]), np.empty(1)) == 18.0


@pytest.mark.parametrize("release", [(0, 59), (0, 69), (1, 0)])
def test_a_compiler_with_unknown_inner_parts_compiles_as_usual(monkeypatch, release):
    inner_code.pipelines.cache_clear()
    monkeypatch.setattr(numba, "version_info", numba.version_info._replace(short=release))
    try:
        assert inner_code.pipelines().outer == {}
        assert inner_code.pipelines().inline == {"forceinline": True}
    finally:
        inner_code.pipelines.cache_clear()


def test_the_installed_compiler_is_known():
    assert inner_code.pipelines().outer != {}
