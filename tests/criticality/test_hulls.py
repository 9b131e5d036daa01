"""Distances of hulls, zonotopes and cones from the origin against certificates and programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contcrit.criticality.exact import exact_weights, separates
from contcrit.criticality.hulls import nearest_in_hull, nearest_in_zonotope
from tests.criticality.nonsmooth import holds_origin


@st.composite
def clouds(draw: st.DrawFn) -> np.ndarray:
    """Draw points with small whole coordinates: many coincide, or lie on one line or plane."""
    n = draw(st.integers(1, 4))
    count = draw(st.integers(1, 7))
    return draw(arrays(float, (count, n), elements=st.integers(-3, 3)))


@settings(max_examples=300)
@given(clouds())
def test_both_certificates_of_a_hull(points: np.ndarray) -> None:
    found = nearest_in_hull(points)
    assert np.all(found.weights >= 0)
    assert np.sum(found.weights) == pytest.approx(1, abs=1e-12)
    assert np.allclose(found.weights @ points, found.point, atol=1e-12)
    assert found.lower <= found.upper * (1 + 1e-12)
    if holds_origin(points):
        assert found.upper < 1e-12
        assert not separates(points, found.point)
        weights = exact_weights(points, np.flatnonzero(found.weights))
        assert weights is not None
        assert sum(weights) == 1
        assert min(weights) >= 0
        for column in points.T:
            assert sum(w * int(x) for w, x in zip(weights, column, strict=True)) == 0
    else:
        assert found.lower == pytest.approx(found.upper, rel=1e-9)
        assert separates(points, found.point)


@settings(max_examples=100)
@given(clouds(), st.floats(1e-6, 1e6))
def test_the_unit_of_length_does_not_matter(points: np.ndarray, unit: float) -> None:
    small, large = nearest_in_hull(points), nearest_in_hull(unit * points)
    assert large.upper == pytest.approx(unit * small.upper, rel=1e-7, abs=1e-11 * unit)


@pytest.mark.parametrize("distance", [1.0, 1e-2, 1e-4, 1e-6])
def test_small_distances_are_proved(distance: float) -> None:
    generator = np.random.default_rng(0)
    points = generator.standard_normal((40, 3))
    points[:, 0] = distance
    found = nearest_in_hull(points)
    assert found.upper == pytest.approx(distance, rel=1e-6)
    assert 0.99 * distance < found.lower <= distance * (1 + 1e-12)


def test_one_point_and_coinciding_points() -> None:
    assert nearest_in_hull(np.array([[3.0, 4.0]])).upper == 5
    assert nearest_in_hull(np.array([[3.0, 4.0]] * 5)).lower == pytest.approx(5)
    assert nearest_in_hull(np.zeros((2, 2))).upper == 0


@settings(max_examples=150)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            arrays(float, n, elements=st.integers(-4, 4)),
            arrays(float, st.tuples(st.integers(0, 4), st.just(n)), elements=st.integers(-2, 2)),
        )
    )
)
def test_a_zonotope_is_the_hull_of_its_corners(data: tuple[np.ndarray, np.ndarray]) -> None:
    base, generators = data
    corners = base + np.array(
        [bits @ generators for bits in np.ndindex(*[2] * len(generators))]
        if len(generators)
        else np.zeros((1, len(base)))
    )
    found, direction = nearest_in_zonotope(base, generators)
    assert found.upper == pytest.approx(nearest_in_hull(corners).upper, abs=1e-9)
    assert np.allclose(base + found.weights @ generators, found.point)
    assert np.all((found.weights >= 0) & (found.weights <= 1))
    if found.upper > 1e-6:
        assert np.all(corners @ direction < 0)
        assert found.lower == pytest.approx(found.upper, rel=1e-6)


def test_a_cone_is_taken_off() -> None:
    cone = np.array([[1.0, 0.0]])
    found, direction = nearest_in_zonotope(np.array([5.0, 2.0]), np.array([[0.0, -1.0]]), cone)
    assert found.upper == pytest.approx(1)
    assert np.allclose(found.weights, [1, 5])
    assert np.allclose(direction, [0, -1])
    away, _ = nearest_in_zonotope(np.array([-5.0, 0.0]), np.empty((0, 2)), cone)
    assert away.upper == pytest.approx(5)
    assert away.lower == pytest.approx(5)
