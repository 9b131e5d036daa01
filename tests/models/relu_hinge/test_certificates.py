"""Certificates of hinge networks against brute force: no disagreement is allowed."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings

from contcrit.criticality.clarke import classify_pieces
from contcrit.models.relu_hinge.descent import descend, polish
from tests.strategies_relu import DRAWS, binary_cases, kinked_networks, verdict

SCALES = (1e-2, 1e-3, 1e-4)


def sampled_decrease(case, rng, count=300):
    """Return the largest decrease of the loss near the point that samples and descents find."""
    network, x = case.network, case.x
    loss, best = float(network.loss(x)), 0.0
    for scale in SCALES:
        steps = rng.normal(size=(count, x.size))
        steps[: count // 3] *= rng.random((count // 3, x.size)) < 0.4  # along few unknowns
        near = x + scale * steps / np.linalg.norm(steps, axis=1, keepdims=True).clip(1e-12)
        best = max(best, loss - float(np.min(network.loss(near))))
    return best


def descended(case, rng):
    """Return the largest decrease that subgradient steps and linear programs reach nearby."""
    network, x = case.network, case.x
    loss, best = float(network.loss(x)), 0.0
    for scale in SCALES[:2]:
        starts = x + scale * rng.normal(size=(12, x.size))
        ends = descend(network, starts, 60, scale)
        best = max(best, loss - float(np.min(network.loss(ends))))
        for start in starts[:4]:
            best = max(best, loss - polish(network, start, radius=scale, steps=10).loss)
    return best


CASES = 500


def test_local_minima_of_many_random_networks_agree_with_brute_force():
    answers = Counter()

    @settings(max_examples=CASES)
    @given(binary_cases(), DRAWS)
    def check(case, seed):
        found = verdict(case)
        answer = found.evidence["local_minimum"]
        answers[answer] += 1
        rng = np.random.default_rng(seed)
        if answer is True:
            assert sampled_decrease(case, rng) <= 1e-12, found
            assert found.evidence["critical"] is True
        elif answer is False:
            assert sampled_decrease(case, rng) > 1e-10 or descended(case, rng) > 1e-10, found

    check()
    assert answers.total() >= CASES
    # The test would say nothing if few cases were decided, or all the same way.
    assert answers[True] >= CASES // 10
    assert answers[False] >= CASES // 10
    assert answers[None] <= CASES // 10


@settings(max_examples=150)
@given(binary_cases(), DRAWS)
def test_clarke_verdicts_agree_with_gradients_nearby(case, seed):
    found = classify_pieces(case.pieces)
    rng = np.random.default_rng(seed)
    near = case.x + 1e-6 * rng.normal(size=(400, case.x.size))
    gradients = case.network.gradient(near)
    if found.evidence["critical"] is False:
        direction = found.evidence.get("separating_direction")
        if direction is not None:
            # Every gradient nearby has a component along it: |p|^2 up to the distance moved.
            assert np.min(gradients @ direction) > 0.9 * direction @ direction - 1e-4
    else:
        # No direction separates all gradients from 0 clearly: their mean of smallest norm is small.
        assert found.evidence["critical"] is True or found.kind == "undecided"


@settings(max_examples=100)
@given(kinked_networks(), DRAWS)
def test_verdicts_on_deep_and_multiclass_networks_agree_with_brute_force(case, seed):
    found = verdict(case)
    rng = np.random.default_rng(seed)
    answer = found.evidence["local_minimum"]
    if answer is True:
        assert sampled_decrease(case, rng) <= 1e-12, found
    elif answer is False:
        assert sampled_decrease(case, rng) > 1e-12 or descended(case, rng) > 1e-12, found
    if found.evidence["critical"] is False and "separating_direction" in found.evidence:
        direction = found.evidence["separating_direction"]
        near = case.x + 1e-7 * rng.normal(size=(300, case.x.size))
        assert np.min(case.network.gradient(near) @ direction) > 0.9 * direction @ direction - 1e-4
