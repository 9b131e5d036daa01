"""Estimates worked by hand, and what a missing solution leaves behind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contcrit.engine.completeness import completeness, regularity_and_sign, unseen_estimates


def test_a_missing_solution_shows_in_the_degree() -> None:
    """x^3 - x with its two outer solutions only: the signs sum to 2, the degree is 1."""
    report = completeness(
        hits=np.array([9, 9]),
        regularity=np.ones(2),
        signs=np.ones(2),
        residual=lambda x: x**3 - x,
        box=(np.array([-2.0]), np.array([2.0])),
        has_orbits=False,
        rank_tolerance=1e-6,
        confirmed=True,
        random_starts=True,
        budget="",
    )
    assert not report["believed_complete"]
    assert "degree" in report["why"]


def test_unseen_estimates() -> None:
    """Against the formulas worked by hand."""
    estimates = unseen_estimates(np.array([1, 1, 1, 2, 2, 10]))
    assert estimates["unseen_estimate"] == pytest.approx(3 * 2 / (2 * 3))
    assert estimates["unseen_probability"] == pytest.approx(3 / 17)
    assert unseen_estimates(np.array([], dtype=int))["unseen_probability"] == 1.0


@given(scale=st.sampled_from([1e-9, 1.0, 1e9]), gap=st.sampled_from([1e-1, 1e-3, 1e-5]))
def test_regularity_is_the_distance_to_the_neighbour(scale: float, gap: float) -> None:
    """x (x - gap): the derivative vanishes at gap / 2."""

    def jacobian(x):
        return scale * np.diag([2 * x[0] - gap, 1e-3])

    regularity, sign = regularity_and_sign(jacobian, np.zeros(2), 0)
    assert gap / 4 <= regularity <= gap if gap < 1e-3 else regularity >= 1e-4
    assert sign == -1.0
    assert regularity_and_sign(lambda x: np.zeros((2, 2)), np.zeros(2), 0)[0] == 0.0
    assert regularity_and_sign(lambda x: scale * np.eye(2), np.zeros(2), 0)[0] == 1.0
