"""Certificates in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from contcrit.criticality.exact import exact_weights, rational, rows_hold, separates


def test_floats_are_taken_as_the_rationals_that_they_are() -> None:
    assert rational(0.1) == Fraction(3602879701896397, 36028797018963968)
    assert rational(np.array([[0.5, 2.0]])) == [[Fraction(1, 2), Fraction(2)]]


def test_a_separation_that_rounding_hides() -> None:
    """The product is 2^-60 exactly; floats give 0."""
    tiny = 2.0**-60
    point = np.array([1.0, -1.0 + 2.0**-53, 2.0**-53])
    direction = np.array([1.0, 1.0, -1.0 + 2.0**-7 * 2.0**-46])
    exact = sum(Fraction(a) * Fraction(b) for a, b in zip(point, direction, strict=True))
    assert separates([point], direction) == (exact > 0)
    assert separates([[tiny, 1.0]], [1.0, 0.0])
    assert not separates([[0.0, 1.0]], [1.0, 0.0])


def test_weights_of_an_affinely_dependent_support() -> None:
    points = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    weights = exact_weights(points, [0, 1, 2, 3])
    assert weights is not None
    assert sum(weights) == 1
    assert [sum(w * p[i] for w, p in zip(weights, points, strict=True)) for i in (0, 1)] == [0, 0]


def test_no_weights_where_there_are_none() -> None:
    assert exact_weights([[1, 0], [2, 0]], [0, 1]) is None
    assert exact_weights([[0.1], [-0.30000000000000004]], [0, 1]) is not None
    assert exact_weights([[1, 0], [-1, Fraction(1, 10**30)]], [0, 1]) is None
    assert exact_weights([[1.0]], []) is None


def test_a_cell_has_an_exact_witness() -> None:
    assert rows_hold([[1, 2], [0, 1]], [Fraction(-1, 3), Fraction(1, 2)])
    assert not rows_hold([[1, 2], [0, 1]], [-1, Fraction(1, 2)])
