"""Claims as objects: what they must state, and what measuring them says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.contraction.claims import Claim, Outcome, RandomDraw, measure
from contcrit.errors import SpecificationError

BASE: dict[str, Any] = {
    "key": "positive",
    "statement": "x is positive.",
    "reference": "Theorem 1",
    "holds_in": "positive numbers",
    "check": lambda case: Outcome.at_most(0.0, case["x"]),
    "instance": lambda draw: {"x": draw.real(0.5, 1.0)},
}
HOLDING = Claim(**BASE)
FAILING = Claim(**BASE | {"instance": lambda draw: {"x": draw.real(-1.0, 1.0)}})
UNDECIDED = Claim(**BASE | {"check": lambda case: Outcome(None)})


def refuted(x: float, correction: Claim = HOLDING) -> Claim:
    return Claim(**BASE, verdict="false", counterexample={"x": x}, correction=correction)


def test_a_true_claim_agrees_if_it_holds_everywhere() -> None:
    assert measure(HOLDING).agrees
    failed = measure(FAILING)
    assert not failed.agrees
    assert failed.failure is not None and failed.failure["x"] < 0


def test_a_claim_that_nothing_decides_does_not_agree() -> None:
    found = measure(UNDECIDED, trials=3)
    assert not found.agrees
    assert found.undecided == 3


def test_a_false_claim_needs_its_counterexample_and_its_correction() -> None:
    assert measure(refuted(-1.0)).agrees
    assert not measure(refuted(1.0)).agrees
    assert not measure(refuted(-1.0, FAILING)).agrees


def test_instances_are_drawn_from_the_seed() -> None:
    margins = [[one.margin for one in measure(HOLDING, seed=seed).outcomes] for seed in (0, 0, 1)]
    assert margins[0] == margins[1] != margins[2]
    assert len(margins[0]) == HOLDING.trials


def test_a_claim_without_instances_is_checked_once() -> None:
    calls = []

    def check(case: Any) -> Outcome:
        calls.append(dict(case))
        return Outcome(True)

    assert measure(Claim(**BASE | {"check": check, "instance": HOLDING.__class__.instance})).agrees
    assert calls == [{}]


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"verdict": "false"},
        {"verdict": "false", "counterexample": {"x": -1.0}},
        {"verdict": "true", "counterexample": {"x": -1.0}, "correction": HOLDING},
        {"verdict": "unproved", "correction": HOLDING},
        {"verdict": "false", "counterexample": {"x": -1.0}, "correction": refuted(-1.0)},
    ],
)
def test_a_claim_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SpecificationError):
        Claim(**BASE | change)


def test_trials_must_be_positive() -> None:
    with pytest.raises(SpecificationError, match="trials"):
        measure(HOLDING, trials=0)


@given(st.lists(st.sampled_from([True, False, None]), min_size=1))
def test_a_conjunction_fails_first_and_doubts_second(parts: list[bool | None]) -> None:
    found = Outcome.every([Outcome(part, 0.0) for part in parts]).holds
    assert found is (False if False in parts else None if None in parts else True)


def test_an_empty_conjunction_is_refused() -> None:
    with pytest.raises(SpecificationError):
        Outcome.every([])


def test_comparisons_of_numpy_count_as_what_they_say() -> None:
    assert Outcome(np.float64(1.0) > 2.0).holds is False
    assert not measure(
        Claim(**BASE | {"check": lambda case: Outcome(np.float64(1.0) > 2.0)})
    ).agrees


def test_what_is_not_a_number_is_undecided() -> None:
    assert Outcome.at_most(math.nan, 1.0).holds is None
    assert Outcome.close(math.nan, 1.0, tolerance=1.0).holds is None
    assert Outcome.close(1.0, 1.5, tolerance=0.4).holds is False
    assert Outcome.at_most(1.05, 1.0, tolerance=0.1).holds is True


@given(st.integers(0, 2**32 - 1))
def test_random_draws_stay_in_their_bounds(seed: int) -> None:
    draw = RandomDraw(np.random.default_rng(seed))
    assert -2 <= draw.integer(-2, 3) <= 3
    assert 0.5 <= draw.real(0.5, 0.75) <= 0.75
    values = draw.reals((2, 3), -1.0, 1.0)
    assert values.shape == (2, 3) and np.all(np.abs(values) <= 1)
    assert draw.choice("abc") in "abc"
