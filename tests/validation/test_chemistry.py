"""The reaction A -> B: folds and Hopf points against their closed forms."""

from __future__ import annotations

import math

import pytest

import contcrit as cc
from tests.strategies import reaction
from tests.validation.expectations import Expected, ends, expect

PUBLISHED = {
    14: (0.16504204532356, 1.0247563754),
    15: (0.14688247560424, None),
    16: (0.13253844426922, None),
}


def rate(heat: float, u: float) -> float:
    """D at the equilibrium with first unknown u: u2 = B u/4."""
    return u / (1 - u) * math.exp(-heat * u / 4)


def folds(heat: float) -> list[Expected]:
    if heat <= 16:  # at 16 the two merge in a cusp, where the branch does not turn
        return []
    root = math.sqrt(1 - 16 / heat)
    return [Expected("fold", rate(heat, (1 + sign * root) / 2)) for sign in (-1, 1)]


def hopfs(heat: float) -> list[Expected]:
    """Trace -1/(1 - u) + B u - 4 = 0 with determinant (4 - B u (1 - u))/(1 - u) > 0."""
    root = math.sqrt((heat + 4) ** 2 - 20 * heat)
    found = []
    for u in ((heat + 4 - root) / (2 * heat), (heat + 4 + root) / (2 * heat)):
        determinant = (4 - heat * u * (1 - u)) / (1 - u)
        assert determinant > 0
        found.append(Expected("hopf", rate(heat, u), 0, math.sqrt(determinant)))
    return found


@pytest.mark.parametrize("heat", [14, 15, 16, 18, 20])
def test_folds_and_hopf_points(heat: float) -> None:
    branch = cc.trace(reaction(), [0, 0], "D", (0, 0.5), values={"B": heat})
    assert ends(branch) == {"END_OF_SPAN"}
    # Along the branch u grows: Hopf, the folds, Hopf.
    first, last = hopfs(heat)
    expect(branch, first, *folds(heat), last)
    assert branch["u2"] == pytest.approx(heat * branch["u1"] / 4, rel=1e-8, abs=1e-9)
    if heat in PUBLISHED:
        parameter, frequency = PUBLISHED[heat]
        assert first.parameter == pytest.approx(parameter, rel=1e-13)
        assert frequency is None or first.frequency == pytest.approx(frequency, rel=1e-10)


def test_stability_is_lost_between_the_hopf_points() -> None:
    branch = cc.trace(reaction(), [0, 0], "D", (0, 0.5), values={"B": 14})
    first, last = (special.arclength for special in branch.special_points)
    inside = (branch.arclength > first) & (branch.arclength < last)
    assert set(branch["unstable_dimension"][inside]) == {2}
    assert set(branch["unstable_dimension"][~inside]) == {0}
    before, after = (s.verdict_before for s in branch.special_points)
    assert before is not None and before.evidence["stability"] == "stable"
    assert after is not None and after.evidence["stability"] == "unstable"
