"""Points whose first-order cells miss some: a unit's output weight is zero."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

import contcrit as cc
from contcrit.criticality.clarke import classify_pieces
from contcrit.criticality.pieces import ArrayPieces, LiftablePieces

Array = np.ndarray


class Liftable(ArrayPieces):
    """Pieces with a lift, one branch for each sign of the output weight."""

    branch: Callable[[float, float], ArrayPieces]

    def lifted(self, delta: float) -> list[ArrayPieces]:
        return [self.branch(side, delta) for side in (1.0, -1.0)]


def cone(size: int, places: list[int], delta: float) -> Array:
    """Return the rows of lambda >= 0 (the first unknown) and |r_j| <= delta lambda."""
    rows = [np.eye(size)[0]]
    for place in places:
        for side in (1.0, -1.0):
            row = np.zeros(size)
            row[0], row[place] = delta, side
            rows.append(row)
    return np.array(rows)


def hidden_cells() -> Liftable:
    """Return relu(-c - v relu(u)) - relu(-c) + c/2 at 0, in the unknowns (u, v, c).

    To first order both outer kinks are one; with v relu(u) != 0 they are two.
    """
    pieces = Liftable(
        [0, 0, 0.5],
        [[1, 0, 0], [0, 0, -1], [0, 0, -1]],
        [0, -1, 1],
        curvature=lambda signs: (
            np.array([[0, -1, 0], [-1, 0, 0], [0, 0, 0]]) * (signs[0] > 0) * (signs[2] > 0)
        ),
    )

    def branch(side: float, delta: float) -> ArrayPieces:
        # v relu(u) = side relu(r) with r = |v| u, unknowns (|v|, r, c).
        return ArrayPieces(
            [0, 0, 0.5],
            [[0, 1, 0], [0, 0, -1], [0, 0, -1]],
            [0, -1, 1],
            links=[[0, 0, 0], [0, 0, 0], [-side, 0, 0]],
            domain=cone(3, [1], delta),
        )

    pieces.branch = branch
    return pieces


def test_first_order_cells_alone_leave_the_point_undecided() -> None:
    pieces = hidden_cells()
    plain = ArrayPieces(pieces.base, pieces.rows, pieces.coefficients, curvature=pieces.curvature)
    verdict = classify_pieces(plain)
    assert verdict.kind == "undecided"
    assert verdict.evidence["critical"] is None
    assert verdict.evidence["cells"] == 4


def test_the_lift_finds_the_hidden_cells() -> None:
    pieces = hidden_cells()

    # The lift's pattern of levels is that of the pieces: the third kink depends on the first.
    class Nested(Liftable):
        @property
        def levels(self) -> tuple[int, ...]:
            return (2, 1)

    nested = Nested(pieces.base, pieces.rows, pieces.coefficients, curvature=pieces.curvature)
    nested.branch = pieces.branch
    assert isinstance(nested, LiftablePieces)
    evidence = classify_pieces(nested).evidence
    assert evidence["critical"] is True
    assert evidence["method"] == "lifted cells"
    assert evidence["lift"]["cells"][0] == evidence["lift"]["cells"][1] > 4
    combined = evidence["weights"] @ [pieces.gradient(signs) for signs in evidence["signs"]]
    assert np.allclose(combined, 0)
    assert evidence["directionally_stationary"] is False
    assert evidence["lift"]["order"] == "first"


def unit(share: float) -> Liftable:
    """Return a leaky unit with v = 0 beside three data, the third of the other label.

    Data (1, 0) and (-1, 0) with label + and weight (1 - share) / 2 each, (0, 1) with label - and
    weight `share`; w = (1, 0), b = 5, v = 0, c = 1, unknowns (w, b, v, c).
    """
    data = np.array([[1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    inside = data @ np.array([1.0, 0.0, 5.0])
    weight = (1 - share) / 2

    def hessian(signs: Array) -> Array:
        result = np.zeros((5, 5))
        factor = np.array([-weight, -weight, share]) * np.append((signs + 1) / 2, 1.0)
        result[:3, 3] = result[3, :3] = factor @ data
        return result

    pieces = Liftable(
        [0, 0, 0, share * inside[2], share],
        [[0, 0, 0, -inside[0], -1], [0, 0, 0, -inside[1], -1]],
        [weight, weight],
        curvature=hessian,
    )

    def branch(side: float, delta: float) -> ArrayPieces:
        outputs = side * np.hstack([inside[:, None], data])  # in the unknowns (lambda, r)
        return ArrayPieces(
            np.append(share * outputs[2], share),
            np.hstack([-outputs[:2], -np.ones((2, 1))]),
            [weight, weight],
            domain=cone(5, [1, 2, 3], delta),
        )

    pieces.branch = branch
    return pieces


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45, 0.49])
def test_a_dead_unit_is_a_sharp_minimum_while_one_class_is_light(share: float) -> None:
    """The closed form: the multipliers share / (1 - share) stay below 1."""
    pieces = unit(share)
    verdict = classify_pieces(pieces)
    assert verdict.kind == "sharp minimum"
    assert verdict.evidence["local_minimum"] is True
    plain = ArrayPieces(pieces.base, pieces.rows, pieces.coefficients, curvature=pieces.curvature)
    assert classify_pieces(plain).kind == "degenerate"


@pytest.mark.parametrize("share", [0.55, 0.7, 0.9])
def test_a_dead_unit_is_not_critical_when_one_class_is_heavy(share: float) -> None:
    verdict = classify_pieces(unit(share))
    assert verdict.kind == "not critical"
    assert verdict.evidence["directionally_stationary"] is False


@pytest.mark.parametrize("slope", [-0.5, 0.0, 2.0])
def test_descent_to_second_order_is_told_from_first(slope: float) -> None:
    """The function -v (u + slope relu(u)) at 0 falls like the product of its unknowns."""
    mixed = np.array([[0.0, -1.0], [-1.0, 0.0]])
    pieces = Liftable(
        [0, 0],
        [[1, 0]],
        [0],
        curvature=lambda signs: mixed * (1 + slope * (signs[0] > 0)),
    )
    pieces.branch = lambda side, delta: ArrayPieces(
        [0, -side], [[0, 1]], [-side * slope], domain=cone(2, [1], delta)
    )
    verdict = classify_pieces(pieces)
    assert verdict.kind == "saddle"
    assert verdict.evidence["lift"]["order"] == "second"
    first, second = verdict.evidence["lift"]["slopes"]
    assert first / second == pytest.approx(10, rel=0.01)


def test_nothing_to_lift_is_no_lift() -> None:
    class Empty(ArrayPieces):
        def lifted(self, delta: float) -> list[ArrayPieces]:
            return []

    verdict = classify_pieces(Empty([-1], [[1]], [2]))
    assert verdict.kind == "sharp minimum"
    assert "lift" not in verdict.evidence


@pytest.mark.parametrize("weight", [0.3, 0.4997, 0.499999, 0.5 - 3e-8, 0.5 - 1e-9, 0.5 - 1e-10])
def test_no_descent_is_claimed_of_a_minimum_however_shallow(weight):
    # The constant classifier is a minimum for every class weight below 1/2; close to 1/2 the
    # perturbations looked at are too large to tell, and their slopes fall faster than they shrink.
    model = cc.models.get("relu-hinge")
    problem = model.build(
        X=[[1, 0], [-1, 0], [0, 1]], y=[1, 1, -1], hidden=1, alpha=0.5, class_weight=True
    )
    point = problem.pack(W=[[1, 0]], b=[5], v=[0], c=1)
    verdict = cc.classify(problem, point, {"alpha": 0.5, "mu": weight})
    assert verdict.evidence["local_minimum"] is not False
    assert verdict.kind != "saddle"


@pytest.mark.parametrize("weight", [0.49976, 0.4999, 0.49999, 0.499999, 0.4999997])
def test_smaller_perturbations_prove_minima_closer_to_their_end(weight):
    # V(delta) = k delta - c with c of size 1/2 - weight: only small enough ones prove anything.
    verdict = _constant_classifier(weight)
    assert verdict.kind == "sharp minimum"
    assert verdict.evidence["local_minimum"] is True


def test_at_equal_weights_and_beyond_it_is_no_minimum():
    assert _constant_classifier(0.5).kind == "saddle"
    assert _constant_classifier(0.5 + 1e-5).kind == "not critical"
    for weight in (0.5 + 1e-9, 0.5 + 1e-7):
        assert _constant_classifier(weight).evidence["local_minimum"] is not True


def test_the_time_limit_ends_a_lift_of_many_branches():
    generator = np.random.default_rng(3)
    problem = cc.models.get("relu-hinge").build(
        X=generator.normal(size=(30, 6)),
        y=generator.choice([-1, 1], size=30),
        hidden=5,
        alpha=0.1,
    )
    began = time.monotonic()
    verdict = cc.classify(
        problem,
        np.zeros(problem.size),
        {"alpha": 0.1},
        settings=cc.Settings(time_limit=0.2),
    )
    assert time.monotonic() - began < 6.0
    assert verdict.kind == "undecided"
    assert "time" in verdict.evidence["reason"]


def _constant_classifier(weight: float):
    problem = cc.models.get("relu-hinge").build(
        X=[[1, 0], [-1, 0], [0, 1]], y=[1, 1, -1], hidden=1, alpha=0.5, class_weight=True
    )
    point = problem.pack(W=[[1, 0]], b=[5], v=[0], c=1)
    return cc.classify(problem, point, {"alpha": 0.5, "mu": weight})
