"""Verdicts on random nonsmooth functions against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contcrit.criticality.clarke import classify_pieces
from contcrit.criticality.pieces import ArrayPieces
from contcrit.criticality.stationarity import directional_derivative
from tests.criticality.nonsmooth import (
    Curved,
    curved,
    holds_origin,
    listed_gradients,
    piecewise_linear,
    probes,
    sampled_gradients,
    value,
)


@settings(max_examples=300)
@given(piecewise_linear())
@example(ArrayPieces([0, 0], [[1, 0], [1, 0], [-1, 0]], [1, -1, 2]))
@example(ArrayPieces([0, 0], [[0, 0], [1, 0]], [1, 1]))
def test_random_piecewise_linear_functions(pieces: ArrayPieces) -> None:
    """No verdict contradicts brute force, and none is missing: the data are whole numbers."""
    verdict = classify_pieces(pieces)
    evidence = verdict.evidence
    directions = probes(pieces)
    values = value(pieces, directions)
    lowest, highest = values.min(), values.max()
    assert evidence["directionally_stationary"] is bool(lowest > -1e-9)
    gradients = sampled_gradients(pieces)
    # Samples may miss a thin cell: only then are all patterns listed.
    critical = holds_origin(gradients) or holds_origin(listed_gradients(pieces))
    assert evidence["critical"] is critical
    flat = bool(np.any(np.all(np.abs(gradients) < 1e-12, axis=1)))
    if not evidence["critical"]:
        assert verdict.kind == "not critical"
    elif lowest > -1e-9:
        assert verdict.kind == ("flat minimum" if flat else "sharp minimum")
        assert evidence["local_minimum"] is True
    elif highest < 1e-9:
        assert verdict.kind == "maximum"
    else:
        assert verdict.kind in ("saddle", "Clarke critical")
        assert evidence["local_minimum"] is False


@settings(max_examples=100)
@given(piecewise_linear())
def test_certificates_can_be_checked(pieces: ArrayPieces) -> None:
    evidence = classify_pieces(pieces).evidence
    gradients = sampled_gradients(pieces)
    if evidence["critical"] is False:
        assert np.all(gradients @ evidence["separating_direction"] > 0)
        shortest = np.min(np.linalg.norm(gradients, axis=1))
        assert 0 < evidence["hull_distance_bound"] <= evidence["hull_distance"] * (1 + 1e-9)
        assert evidence["hull_distance"] <= shortest * (1 + 1e-9)
    if "weights" in evidence and evidence["critical"] and "positions" not in evidence:
        combined = evidence["weights"] @ [pieces.gradient(s) for s in evidence["signs"]]
        assert np.linalg.norm(combined) < 1e-9 or evidence["directionally_stationary"]
        assert np.all(evidence["weights"] > 0)
        assert np.sum(evidence["weights"]) == pytest.approx(1)
    if "positions" in evidence and evidence["hull_distance"] < 1e-9:
        assert np.allclose(pieces.hull_gradient(evidence["positions"]), 0, atol=1e-9)
        assert np.all((evidence["positions"] >= 0) & (evidence["positions"] <= 1))
    for name, side in (("descent_direction", -1), ("ascent_direction", 1)):
        if name in evidence:
            direction = evidence[name][None]
            assert side * value(pieces, direction)[0] > 0
            slope = directional_derivative(pieces, direction[0])[0]
            assert slope == pytest.approx(value(pieces, direction)[0])


@settings(max_examples=40)
@given(piecewise_linear(), st.integers(0, 2**32 - 1))
def test_verdicts_do_not_depend_on_coordinates(pieces: ArrayPieces, seed: int) -> None:
    """A rotation, a scaling and a renumbering of the unknowns leave the verdict as it is."""
    n = pieces.size
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]
    turned = ArrayPieces(
        3 * pieces.base @ rotation,
        pieces.rows @ rotation,
        3 * pieces.coefficients,
        links=pieces.links,
    )
    before, after = classify_pieces(pieces), classify_pieces(turned)
    assert (before.kind, before.evidence["critical"]) == (after.kind, after.evidence["critical"])


@settings(max_examples=40)
@given(piecewise_linear(kinks=(1, 4)))
def test_a_kink_twice_with_half_the_weight_changes_nothing(pieces: ArrayPieces) -> None:
    m = len(pieces.rows)
    order = [k for k in range(m) for _ in range(2)]
    split = ArrayPieces(
        pieces.base,
        pieces.rows[order],
        pieces.coefficients[order] / 2,
        links=pieces.links[np.ix_(order, order)] / 2,
    )
    assert classify_pieces(split).kind == classify_pieces(pieces).kind


@settings(max_examples=40)
@given(piecewise_linear())
def test_the_negative_function_turns_minima_into_maxima(pieces: ArrayPieces) -> None:
    negative = ArrayPieces(-pieces.base, pieces.rows, -pieces.coefficients, links=pieces.links)
    before, after = classify_pieces(pieces), classify_pieces(negative)
    assert before.evidence["critical"] is after.evidence["critical"]
    if before.kind == "sharp minimum":
        assert after.kind == "maximum"


@settings(max_examples=100)
@given(piecewise_linear(sizes=(1, 2), kinks=(0, 3)), st.data())
def test_random_piecewise_quadratic_functions(pieces: ArrayPieces, data: st.DataObject) -> None:
    """Minima and maxima, claimed or denied, agree with values on small circles."""
    n = pieces.size
    entries = data.draw(st.lists(st.integers(-2, 2), min_size=n * n, max_size=n * n))
    form = np.reshape(entries, (n, n)) + np.reshape(entries, (n, n)).T
    curved = ArrayPieces(
        pieces.base,
        pieces.rows,
        pieces.coefficients,
        links=pieces.links,
        curvature=lambda signs: form,
        affine_cells=data.draw(st.booleans()),
    )
    evidence = classify_pieces(curved).evidence
    directions = probes(pieces)
    for radius in (1e-3, 1e-4):
        around = value(pieces, radius * directions) + radius**2 / 2 * np.einsum(
            "ki,ij,kj->k", directions, form, directions
        )
        if evidence["local_minimum"] is True:
            assert around.min() > -1e-12
        if evidence["local_maximum"] is True:
            assert around.max() < 1e-12
        if classify_pieces(curved).kind in ("minimum", "sharp minimum"):
            assert around.min() > 1e-3 * radius**2
    if evidence["local_minimum"] is False and "descent_direction" in evidence:
        radius = 1e-4
        d = evidence["descent_direction"]
        assert value(pieces, radius * d[None])[0] + radius**2 / 2 * d @ form @ d < 0


@settings(max_examples=120)
@given(curved())
def test_random_functions_with_curved_kinks(function: Curved) -> None:
    """Minima and maxima, claimed or denied, agree with values on small circles."""
    pieces = function.pieces()
    verdict = classify_pieces(pieces)
    evidence = verdict.evidence
    directions = probes(pieces)
    # A neighbourhood as seen along the kinks, too: directions bent by second-order terms.
    for radius in (1e-3, 1e-4):
        bends = np.random.default_rng(4).uniform(-2, 2, (8, *directions.shape)) * radius
        points = np.vstack([radius * directions, *(radius * (directions + bend) for bend in bends)])
        around = function.value(points)
        squares = np.sum(points**2, axis=1)
        if verdict.kind in ("minimum", "sharp minimum"):
            assert np.min(around / squares) > 1e-4
        if verdict.kind == "maximum":
            assert np.max(around / squares) < 1e-9
        if evidence["local_minimum"] is False:
            assert np.min(around) < 0
        if evidence["local_maximum"] is False and verdict.kind != "not critical":
            assert np.max(around) > 0
    if evidence["critical"] is False:
        direction = evidence["separating_direction"]
        generator = np.random.default_rng(5)
        points = generator.uniform(-1e-5, 1e-5, (200, pieces.size))
        step = 1e-7 * direction / np.linalg.norm(direction)
        assert np.all(function.value(points + step) > function.value(points))
