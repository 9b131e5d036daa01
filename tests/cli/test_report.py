"""What the tables on the terminal say."""

from __future__ import annotations

import contcrit as cc
from contcrit.cli.report import special_table
from tests.strategies import logistic, pitchfork


def cells(branch: cc.Branch, heading: str) -> list[str]:
    made = special_table([branch])
    (column,) = (column for column in made.columns if column.header == heading)
    return [str(cell) for cell in column.cells]


def test_a_flip_shows_what_it_changes() -> None:
    branch = cc.trace(logistic(), {"x": 0.5}, "p", (1.5, 4.0), values={"p": 2.0})
    assert {*cells(branch, "before"), *cells(branch, "after")} == {"stable", "unstable"}


def test_the_verdicts_of_potentials_are_shown_in_full() -> None:
    branch = cc.trace(pitchfork(), {"x": 0.0}, "p", (-1.0, 1.0))
    shown = {*cells(branch, "before"), *cells(branch, "after")}
    assert shown == {"minimum (index 0)", "maximum (index 1)"}
