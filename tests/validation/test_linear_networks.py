"""Linear networks with ridge: scalar chains, and two layers with their rotations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import contcrit as cc
from tests.strategies import chain, two_layers
from tests.validation.expectations import Expected, ends, expect


def balanced_fold(depth: int, strength: float) -> tuple[float, float]:
    """Return lam and w at the fold of lam = w^(depth - 2) (strength - w^depth)."""
    w = (strength * (depth - 2) / (2 * depth - 2)) ** (1 / depth)
    return w ** (depth - 2) * (strength - w**depth), w


PUBLISHED = {3: 0.472470393710577, 4: 0.384900179459751, 5: 0.346975474206706}


@pytest.mark.parametrize("strength", [1.0, 2.0])
@pytest.mark.parametrize("depth", [3, 4, 5])
def test_deep_chains_fold(depth: int, strength: float) -> None:
    problem = chain(depth, strength)
    start = 0.99 * strength ** (1 / depth)
    lam = start ** (depth - 2) * (strength - start**depth)
    branch = cc.trace(problem, np.full(depth, start), "lam", (0.01, 1.5), values={"lam": lam})
    fold, weight = balanced_fold(depth, strength)
    expect(branch, Expected("fold", fold))
    special = branch.special_points[0]
    assert special.x == pytest.approx(np.full(depth, weight), rel=1e-9)
    verdicts = {str(special.verdict_before), str(special.verdict_after)}
    assert verdicts == {"minimum (index 0)", "saddle (index 1)"}
    if strength == 1.0:
        assert fold == pytest.approx(PUBLISHED[depth], rel=1e-14)
    # The origin is an isolated branch of minima.
    origin = cc.trace(problem, np.zeros(depth), "lam", (0.01, 1.5))
    expect(origin)
    assert set(origin["index"]) == {0}


@pytest.mark.parametrize("strength", [1.0, 2.0])
@pytest.mark.parametrize("side", [True, False])
def test_chain_of_two_has_a_pitchfork_reached_from_either_branch(
    side: bool, strength: float
) -> None:
    problem = chain(2, strength)
    start = ([0.9, 0.9], strength - 0.81) if side else ([0.0, 0.0], 2.5)
    diagram = cc.diagram(problem, [start], "lam", (0.1, 3))
    assert len(diagram) == 2
    for branch in diagram:
        expect(branch, Expected("branch-point", strength))
        assert ends(branch) == {"END_OF_SPAN"}
        assert branch.special_points[0].x == pytest.approx([0, 0], abs=1e-9)
    bent, trivial = diagram if side else diagram[::-1]
    assert trivial["w1"] == pytest.approx(0, abs=1e-12)
    assert np.max(trivial["lam"]) == 3
    assert bent["w1"] ** 2 == pytest.approx(strength - bent["lam"], abs=1e-9)
    assert bent["w1"][0] * bent["w1"][-1] < 0
    verdicts = {str(trivial.special_points[0].verdict_before)}
    verdicts.add(str(trivial.special_points[0].verdict_after))
    assert verdicts == {"minimum (index 0)", "saddle (index 1)"}
    assert set(bent["index"]) <= {0, -1}


def morse_bott_index(chosen: frozenset[int], strengths: tuple[int, ...], lam: float) -> int:
    others = [s for s in strengths if s not in chosen]
    return (2 - len(chosen)) * sum(s > lam for s in others) + sum(
        other > one for one in chosen for other in others
    )


def test_two_layers_have_every_orbit_of_subsets() -> None:
    strengths, lam = (3, 2, 1), 0.5
    problem = two_layers(strengths)
    diagram = cc.diagram(problem, [(np.zeros(12), 3.5)], "lam", (lam, 3.5))
    assert diagram.status.name == "COMPLETE"
    expect(diagram[0], *(Expected("branch-point", float(s), 2) for s in sorted(strengths)))
    expected = {
        frozenset(subset): morse_bott_index(frozenset(subset), strengths, lam)
        for size in (0, 1, 2)
        for subset in itertools.combinations(strengths, size)
    }
    assert expected[frozenset({3})] == 2 and expected[frozenset({2, 1})] == 2
    found = {}
    for branch in diagram:
        for position in {0, len(branch) - 1}:
            z = branch.z[position]
            if z[-1] != lam:
                continue
            weights = problem.unpack(z[:-1])
            product = weights["W2"] @ weights["W1"]
            assert product == pytest.approx(np.diag(np.diag(product)), abs=1e-8)
            strong = frozenset(
                s for s, size in zip(strengths, np.diag(product), strict=True) if size > 1e-6
            )
            for s in strong:
                assert product[strengths.index(s), strengths.index(s)] == pytest.approx(s - lam)
            verdict = cc.classify(problem, z[:-1], {"lam": lam})
            assert verdict.nullity == verdict.gauge_nullity == (1 if strong else 0)
            assert found.setdefault(strong, verdict.index) == verdict.index
    assert found == expected
    assert len(diagram) == len(expected)
