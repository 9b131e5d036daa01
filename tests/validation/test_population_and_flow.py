"""Predator and prey, Lorenz, Brusselator: transcritical, pitchfork and Hopf points."""

from __future__ import annotations

import math

import pytest

import contcrit as cc
from tests.strategies import brusselator, harvested_predators, lorenz
from tests.validation.expectations import Expected, ends, expect, through


def test_harvested_predators() -> None:
    diagram = cc.diagram(harvested_predators(), [1, 0], "p", (0.05, 1), values={"p": 0.05})
    assert len(diagram) == 3
    fold = Expected("fold", 0.83292932223416)
    upper, lower = Expected("branch-point", 0.821904345373991), Expected("branch-point", 0.6)
    frequency = Expected("hopf", 0.67159384747883, 0, 0.604782221942)
    prey = diagram[0]
    expect(prey, fold, upper, lower)
    assert prey["v"] == pytest.approx(0, abs=1e-9)
    assert prey.special_points[0].x[0] == pytest.approx(0.411161560751, rel=1e-9)
    coexistence = through(diagram, "hopf", "branch-point")
    expect(coexistence, frequency, upper, relative=1e-10)
    hopf = coexistence.of_kind("hopf")[0]
    assert hopf.x == pytest.approx([1 / 3, 0.365761535977], rel=1e-9)
    extinct = through(diagram, "branch-point")
    expect(extinct, lower)
    assert extinct["u"] == pytest.approx(0, abs=1e-9)
    assert ends(extinct) == {"END_OF_SPAN"}
    # Each of the two branches was entered at its own branch point of the first.
    assert sorted(parent for parent, _, _ in diagram.connections) == [0, 0]


def test_lorenz() -> None:
    diagram = cc.diagram(lorenz(), [0, 0, 0], "rho", (0, 30))
    assert len(diagram) == 2
    pitchfork = Expected("branch-point", 1.0)
    hopf = Expected("hopf", 470 / 19, 0, 9.62453006372)
    expect(diagram[0], pitchfork)
    expect(diagram[1], hopf, pitchfork, hopf)
    assert diagram[1]["z"] == pytest.approx(diagram[1]["rho"] - 1, abs=1e-8)
    # The frequency is also the root of b (rho + sigma) for the critical pair.
    assert hopf.frequency == pytest.approx(math.sqrt(8 / 3 * (470 / 19 + 10)), rel=1e-11)


def test_brusselator() -> None:
    branch = cc.trace(brusselator(), [2, 0.5], "B", (1, 8))
    expect(branch, Expected("hopf", 5.0, 0, 2.0))
