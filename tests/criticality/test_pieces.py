"""Pieces given by arrays: their gradients against those of the function that they describe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from contcrit.criticality.pieces import (
    ArrayPieces,
    DomainPieces,
    LiftablePieces,
    Pieces,
    domain_rows,
    has_affine_cells,
)
from contcrit.criticality.separable import all_rows
from contcrit.criticality.stationarity import directional_derivative
from contcrit.errors import SpecificationError
from tests.criticality.nonsmooth import piecewise_linear, switching_values, value


@given(piecewise_linear())
def test_gradients_are_those_of_the_function(pieces: ArrayPieces) -> None:
    generator = np.random.default_rng(0)
    for point in generator.standard_normal((10, pieces.size)):
        inside = switching_values(pieces, point[None])[0]
        signs = np.where(inside >= 0, 1.0, -1.0)
        steps = point + 1e-7 * np.vstack([np.eye(pieces.size), -np.eye(pieces.size)])
        if np.any(np.abs(inside[inside != 0]) < 1e-4):
            continue
        values = value(pieces, steps)
        slopes = (values[: pieces.size] - values[pieces.size :]) / 2e-7
        assert np.allclose(pieces.gradient(signs), slopes, atol=1e-5)
        assert np.allclose(all_rows(pieces, signs) @ point, inside)
        slope, found = directional_derivative(pieces, point)
        assert slope == pytest.approx(value(pieces, point[None])[0])
        assert np.array_equal(found, signs)


@given(piecewise_linear())
def test_the_chain_rule_meets_the_pieces_at_the_corners(pieces: ArrayPieces) -> None:
    m = len(pieces.rows)
    for corner in np.random.default_rng(0).choice([-1.0, 1.0], size=(5, m)):
        assert np.allclose(pieces.hull_gradient((corner + 1) / 2), pieces.gradient(corner))
    assert sum(pieces.levels) == m


def test_protocols() -> None:
    pieces = ArrayPieces([0.0, 1.0], [[1, 0]], [1], domain=[[1, 1]])
    assert isinstance(pieces, Pieces)
    assert isinstance(pieces, DomainPieces)
    assert not isinstance(pieces, LiftablePieces)
    assert domain_rows(pieces).tolist() == [[1, 1]]
    assert pieces.linear
    assert has_affine_cells(pieces)
    assert pieces.hessian(np.array([1.0])) is None
    curved = ArrayPieces([0.0], [[1]], [1], curvature=lambda signs: np.eye(1))
    assert not curved.linear
    assert not has_affine_cells(curved)
    assert has_affine_cells(
        ArrayPieces([0.0], [[1]], [1], curvature=lambda signs: np.eye(1), affine_cells=True)
    )


def test_no_kinks_have_no_levels() -> None:
    pieces = ArrayPieces([2.0], [], [])
    assert pieces.levels == ()
    assert pieces.gradient(np.empty(0)).tolist() == [2]


def test_its_text_makes_it_anew() -> None:
    pieces = ArrayPieces([0, 1], [[1, 0], [0, -1]], [-1, 2], links=[[0, 0], [1, 0]])
    again = eval(repr(pieces), {"ArrayPieces": ArrayPieces})
    assert repr(again) == repr(pieces)
    assert again.levels == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([], [], []), "base"),
        (([0.0], [[1, 2]], [1]), "rows"),
        (([0.0], [[1]], [1, 2]), "rows"),
        (([np.nan], [[1]], [1]), "base"),
        (([0.0], [[np.inf]], [1]), "rows"),
    ],
)
def test_misuse_is_refused(arguments: tuple, name: str) -> None:
    with pytest.raises(SpecificationError, match=name):
        ArrayPieces(*arguments)


@pytest.mark.parametrize(
    "links", [[[0, 1], [0, 0]], [[1, 0], [0, 0]], [[0, 0]]], ids=["upper", "diagonal", "shape"]
)
def test_links_lead_to_earlier_kinks(links: list) -> None:
    with pytest.raises(SpecificationError, match="links"):
        ArrayPieces([0.0], [[1], [1]], [1, 1], links=links)


def test_kinks_come_level_by_level() -> None:
    with pytest.raises(SpecificationError, match="level"):
        ArrayPieces([0.0], [[1]] * 3, [1] * 3, links=[[0, 0, 0], [1, 0, 0], [0, 0, 0]])
