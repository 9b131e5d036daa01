"""Brackets between signs, and events of the user's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.events import UserEvent
from contcrit.events.base import sign_changes


def pairs(values: list[float]) -> list[tuple[int, int]]:
    return [(bracket.first, bracket.last) for bracket in sign_changes(np.array(values))]


def test_signs_change_between_neighbours() -> None:
    assert pairs([1, 2, -1, -3, 4]) == [(1, 2), (3, 4)]
    assert pairs([1, 2, 3]) == []
    assert pairs([]) == []


def test_zeros_and_unknown_values_are_bridged() -> None:
    assert pairs([1, 0, -1]) == [(0, 2)]
    assert pairs([1, 0, 1]) == []
    assert pairs([1, np.nan, -1]) == [(0, 2)]
    assert pairs([0, 0, 1]) == []
    assert pairs([np.inf, 1, -1]) == [(1, 2)]


@given(st.lists(st.floats(-1, 1), max_size=20))
def test_the_number_of_brackets_is_the_number_of_changes(values: list[float]) -> None:
    signs = [np.sign(value) for value in values if value != 0]
    changes = sum(one != other for one, other in itertools.pairwise(signs))
    brackets = pairs(values)
    assert len(brackets) == changes
    for first, last in brackets:
        assert values[first] * values[last] < 0 or np.sign(values[first]) != np.sign(values[last])
        assert all(value == 0 for value in values[first + 1 : last])


def test_a_user_event_is_its_function() -> None:
    event = UserEvent("sum", lambda u, q: float(np.sum(u)) - q, terminal=True)
    assert event.kind == "user" and event.terminal
    assert event.applies(None)
    with pytest.raises(AttributeError):
        event.name = "other"  # type: ignore[misc]
