"""Two coupled cells: folds, pitchforks, and a closed asymmetric branch."""

from __future__ import annotations

import pytest

import contcrit as cc
from tests.strategies import enzymes
from tests.validation.expectations import Expected, ends, expect

FOLDS = Expected("fold", 34.356924998526), Expected("fold", 18.887067657924)
PITCHFORKS = (
    Expected("branch-point", 34.22288654419),
    Expected("branch-point", 22.181637926124),
)
ASYMMETRIC = Expected("fold", 25.372714838124), Expected("fold", 26.622071770045)


def test_diagram() -> None:
    diagram = cc.diagram(enzymes(), [0, 0], "s0", (0, 60))
    assert len(diagram) == 2
    symmetric, asymmetric = diagram
    expect(symmetric, FOLDS[0], *PITCHFORKS, FOLDS[1])
    at = [special.x[0] for special in symmetric.of_kind("branch-point")]
    assert at == pytest.approx([1.17417371913, 4.39447275198], rel=1e-9)
    assert symmetric["s1"] == pytest.approx(symmetric["s2"], abs=1e-8)
    # The asymmetric branch is one loop through both pitchforks; its halves mirror each other.
    assert ends(asymmetric) == {"CLOSED_LOOP"}
    expect(asymmetric, PITCHFORKS[0], *ASYMMETRIC, PITCHFORKS[1], *ASYMMETRIC[::-1])
    halves = asymmetric.of_kind("fold")
    assert halves[0].x == pytest.approx(halves[3].x[::-1], rel=1e-9)
    assert halves[1].x == pytest.approx(halves[2].x[::-1], rel=1e-9)


def test_every_branch_is_found_from_the_asymmetric_one() -> None:
    fold = cc.diagram(enzymes(), [0, 0], "s0", (0, 60), classify=False)[1].of_kind("fold")[0]
    start = fold.x + 0.05 * fold.tangent[:-1]
    diagram = cc.diagram(enzymes(), [(start, fold.parameter + 0.2)], "s0", (0, 60), classify=False)
    assert len(diagram) == 2
    assert ends(diagram[0]) == {"CLOSED_LOOP"}
    assert len(diagram[0].special_points) == 6
    expect(diagram[1], FOLDS[0], *PITCHFORKS, FOLDS[1])
