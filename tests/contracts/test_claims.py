"""Every claim of every model is what it says: true ones hold, false ones fail where they must."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contcrit import models
from contcrit.contraction.claims import Claim, Option, Outcome

Array = np.ndarray
CLAIMS = [(name, claim) for name in models.names() for claim in models.get(name).claims]

# They simulate many runs, or follow long descents.
SLOW: set[str] = set()

# Model -> what its paper numbers, each in the reference of some claim.
NUMBERED = {
    "relu-hinge": (
        *(f"Theorem {k}" for k in range(1, 8)),
        *(f"Corollary {k}" for k in range(1, 5)),
        "Lemma 1",
        "Definition 1",
        "Definition 2",
        "theorem 100",
        "corollaries 100 and 101",
        "Main Result 1",
        "Main Result 2",
        "Figure 4",
        "Figure 5",
        *(f"equation {k}" for k in (3, 5, 10, 14, 15)),
    ),
    "relu-regression": (
        *(f"Theorem {k}" for k in range(1, 6)),
        *(f"Lemma {k}" for k in range(1, 4)),
        *(f"equation {k}" for k in (5, 6, 14, 15, 17, 20, 21, 22, 26, 27, 32, 33)),
        "Table 1",
        "Figure 1",
        "Figure 2",
        *(f"discussion ({k})" for k in ("i", "ii", "iii", "iv")),
    ),
    "linear-network": (
        *(f"Theorem {k}" for k in (1, 2)),
        *(f"Proposition {k}" for k in (1, 2)),
        *(f"Remark {k}" for k in (2, 3, 4)),
        *(f"equation {k}" for k in (3, 10, 14, 17, 18)),
        *(f"Example 1 ({k})" for k in ("i", "ii", "iii", "iv")),
        "Example 2",
        "Figure 1",
        "Figure 2",
        *(f"section 4 ({k})" for k in ("i", "ii", "iii")),
    ),
    "local-linear": (
        "Theorem 1",
        "Theorem 2",
        "Example 2.1",
        "Example 2.2",
        "equation 8",
        "equation 14",
        *(f"Figure {k}" for k in (2, 3, 4, 5)),
    ),
    "failures": ("Theorem 1", "Theorem 2", "Theorem 3", "Lemma 3"),
}

# One paper, five models.
FAILURES = ("parity", "linear-periodic", "decomposition", "curve-encoding", "flat-activation")


class HypothesisDraw:
    """Numbers that hypothesis chooses, and makes simpler where a claim fails."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def integer(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))

    def real(self, low: float, high: float) -> float:
        return self.data.draw(_floats(low, high))

    def reals(self, shape: int | tuple[int, ...], low: float, high: float) -> Array:
        return self.data.draw(arrays.arrays(float, shape, elements=_floats(low, high)))

    def choice(self, options: Sequence[Option]) -> Option:
        return options[self.data.draw(st.integers(0, len(options) - 1))]


def _floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


def decided(claim: Claim, case: Any) -> tuple[bool | None, str]:
    """Return what a check found, with numpy's truth values as Python's."""
    outcome = claim.check(case)
    return None if outcome.holds is None else bool(outcome.holds), outcome.detail


def hold(claim: Claim) -> None:
    """Let hypothesis look for an instance on which a claim that is not false fails."""
    found: list[bool | None] = []

    def judge(case: Any) -> None:
        holds, detail = decided(claim, case)
        found.append(holds)
        assert holds is not False, f"{claim.key}: {detail} on {case}"

    if not claim.draws:
        judge({})
    else:

        @settings(max_examples=claim.trials)
        @given(st.data())
        def search(data: st.DataObject) -> None:
            judge(claim.instance(HypothesisDraw(data)))

        search()
    assert True in found, f"{claim.key}: no instance of {len(found)} could be decided"


def agrees(claim: Claim) -> None:
    """Check a claim, or that a false one fails and what is said instead holds."""
    if claim.verdict != "false":
        hold(claim)
        return
    assert claim.counterexample is not None and claim.correction is not None
    refuted, detail = decided(claim, claim.counterexample)
    assert refuted is False, f"{claim.key} is not refuted: {detail}"
    hold(claim.correction)


PARAMETERS = [
    pytest.param(
        claim, id=f"{name}:{claim.key}", marks=[pytest.mark.slow] if claim.key in SLOW else []
    )
    for name, claim in CLAIMS
]


@pytest.mark.parametrize("claim", PARAMETERS)
def test_claims_are_what_they_say(claim: Claim) -> None:
    agrees(claim)


# ---- how they are stated -----------------------------------------------------------------------


@pytest.mark.parametrize("name", models.names())
def test_claims_are_well_stated(name: str) -> None:
    stated = [*models.get(name).claims]
    stated += [claim.correction for claim in stated if claim.correction is not None]
    keys = [claim.key for claim in stated]
    assert len(set(keys)) == len(keys)
    for claim in stated:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.key), claim.key
        assert claim.statement.endswith("."), claim.key
        assert claim.statement[0].isupper() or not claim.statement[0].isalpha(), claim.key
        assert claim.reference.strip() and claim.holds_in.strip(), claim.key
        assert claim.trials >= 1, claim.key


def mentions(reference: str, numbered: str) -> bool:
    """Tell whether a reference names a numbered statement: not Theorem 10 for Theorem 1."""
    return re.search(rf"(?<!\w){re.escape(numbered)}(?![\w.]*\d)", reference) is not None


@pytest.mark.parametrize("name", NUMBERED)
def test_every_numbered_statement_has_a_claim(name: str) -> None:
    chosen = FAILURES if name == "failures" else (name,)
    assert set(chosen) <= set(models.names())
    references = [claim.reference for one in chosen for claim in models.get(one).claims]
    absent = [
        numbered
        for numbered in NUMBERED[name]
        if not any(mentions(reference, numbered) for reference in references)
    ]
    assert not absent


def test_mentions_are_whole() -> None:
    assert mentions("Theorem 1; equation 3", "Theorem 1")
    assert mentions("equation 3, Theorem 1.", "Theorem 1")
    assert not mentions("Theorem 10", "Theorem 1")
    assert not mentions("Example 2.1", "Example 2")


# ---- a claim that is wrong is caught -----------------------------------------------------------

SQUARE = Claim(
    key="squares",
    statement="A square is at most 1.",
    reference="none",
    holds_in="the interval [-1, 1]",
    instance=lambda draw: {"x": draw.reals(2, -1.0, 1.0)[0] * draw.choice((0.0, 1.0))},
    check=lambda case: Outcome.at_most(case["x"] ** 2, 1.0),
)


def below_half_by_numpy(x: float) -> Outcome:
    below: Any = np.asarray(x) < 0.5
    return Outcome(below)


def replaced(**changes: Any) -> Claim:
    return dataclasses.replace(SQUARE, **changes)


def test_a_right_claim_passes() -> None:
    agrees(SQUARE)
    agrees(
        replaced(
            key="small-squares",
            check=lambda case: Outcome.at_most(case["x"] ** 2, 0.1),
            verdict="false",
            counterexample={"x": 1.0},
            correction=SQUARE,
        )
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replaced(check=lambda case: Outcome.at_most(case["x"], 0.5)),
        replaced(check=lambda case: below_half_by_numpy(case["x"])),
        replaced(check=lambda case: Outcome(None)),
        replaced(verdict="false", counterexample={"x": 0.5}, correction=SQUARE),
        replaced(
            check=lambda case: Outcome.at_most(case["x"] ** 2, 0.1),
            verdict="false",
            counterexample={"x": 1.0},
            correction=replaced(check=lambda case: Outcome.at_most(case["x"] ** 2, 0.1)),
        ),
    ],
    ids=["fails on half", "of numpy", "decides nothing", "not refuted", "wrong correction"],
)
def test_a_wrong_claim_is_caught(wrong: Claim) -> None:
    with pytest.raises(AssertionError):
        agrees(wrong)
