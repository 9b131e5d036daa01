"""The command that checks claims."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

import contcrit as cc
from contcrit.cli import main
from contcrit.contraction.claims import Claim, Outcome

TRUE = Claim(
    key="squares",
    statement="A square is not negative.",
    reference="Theorem 1",
    holds_in="the interval [-1, 1]",
    instance=lambda draw: {"x": draw.real(-1.0, 1.0)},
    check=lambda case: Outcome.at_most(0.0, case["x"] ** 2),
    trials=7,
)
WRONG = dataclasses.replace(
    TRUE, key="cubes", check=lambda case: Outcome.at_most(0.0, case["x"] ** 3)
)
REFUTED = dataclasses.replace(
    WRONG,
    key="printed-cubes",
    verdict="false",
    counterexample={"x": -0.5},
    correction=TRUE,
)


def _stopping(case: object) -> Outcome:
    raise ZeroDivisionError("by nothing")


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> list[Claim]:
    """Put claims of our own in the place of a model's."""
    claims = [TRUE, REFUTED]
    model = cc.models.get("linear-network")
    monkeypatch.setattr(
        cc.models, "get", lambda name: dataclasses.replace(model, claims=tuple(claims))
    )
    return claims


@pytest.mark.usefixtures("stated")
def test_claims_that_are_what_they_say(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["claims", "linear-network", "--seed", "3", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "2 of 2 claims are what they say (1 true, 1 false, 0 unproved), with seed 3" in shown
    assert "7 of 7 hold" in shown
    assert "counterexample: 0 <= -0.125" in shown
    with (tmp_path / "claims.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["key"], row["verdict"], row["agrees"]) for row in rows] == [
        ("squares", "true", "True"),
        ("printed-cubes", "false", "True"),
    ]
    assert rows[1]["true_instead"] == TRUE.statement


def test_a_wrong_claim_is_named(stated: list[Claim], capsys: pytest.CaptureFixture[str]) -> None:
    stated.append(WRONG)
    assert main(["claims", "linear-network"]) == 1
    captured = capsys.readouterr()
    assert "linear-network: cubes" in captured.err
    assert "fails on {'x'" in captured.out


def test_a_check_that_stops_does_not_lose_the_others(
    stated: list[Claim], capsys: pytest.CaptureFixture[str]
) -> None:
    stated.insert(0, dataclasses.replace(TRUE, key="nothing", check=_stopping))
    assert main(["claims", "linear-network"]) == 1
    captured = capsys.readouterr()
    assert "stopped: ZeroDivisionError: by nothing" in captured.out
    assert "2 of 3 claims" in captured.out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["no-such-model"], "no-such-model"),
        (["linear-network", "--trials", "0"], "--trials"),
        (["linear-network", "--seed", "-1"], "--seed"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", *arguments]) == 2
    shown = capsys.readouterr().err
    assert named in shown and shown.count("\n") == 1
