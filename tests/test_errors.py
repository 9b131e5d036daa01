"""Errors name argument, observation, rule and remedy; statuses carry messages."""

from __future__ import annotations

import pickle

import pytest

from contcrit.errors import ContcritError, SpecificationError, Status, StorageError


def test_a_specification_error_names_everything() -> None:
    error = SpecificationError("span", (2, 1), "needs the lower end first.", "Swap them.")
    assert str(error) == "`span`: needs the lower end first. Observed: (2, 1). Swap them."
    assert (error.argument, error.observed) == ("span", (2, 1))
    assert isinstance(error, ValueError) and isinstance(error, ContcritError)


def test_long_observations_are_shortened() -> None:
    error = SpecificationError("x", list(range(10_000)), "is long.", "Shorten it.")
    assert len(str(error)) < 300
    assert "..." in str(error)


def test_specification_errors_pickle() -> None:
    error = SpecificationError("span", "abc", "must be numbers.", "Give two.")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.remedy == error.remedy


def test_storage_errors_are_operating_system_errors() -> None:
    assert issubclass(StorageError, OSError) and issubclass(StorageError, ContcritError)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_message_of_its_own(status: Status) -> None:
    assert status.message.endswith(".")
    assert status.message[0].isupper()
    assert len({other.message for other in Status}) == len(Status)


def test_failures_are_told_from_successes() -> None:
    failures = {status.name for status in Status if not status.is_success}
    assert failures == {
        "MAXIMUM_POINTS", "LEFT_BOUNDS", "STEP_TOO_SMALL", "START_FAILED", "SINGULAR_START",
        "NOT_FINITE", "BORDER_UNDECIDED", "BUDGET_SPENT", "NOTHING_FOUND",
        "NOT_UNIQUE", "MODE_UNDECIDED", "CHATTERING", "MAXIMUM_EVENTS", "MAXIMUM_STEPS",
        "FLOW_FAILED",
    }  # fmt: skip
