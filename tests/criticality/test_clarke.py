"""Verdicts on nonsmooth functions: closed forms, counterexamples, limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from contcrit.criticality.clarke import classify_pieces
from contcrit.criticality.pieces import ArrayPieces
from contcrit.criticality.record import NONSMOOTH_KINDS
from contcrit.encoding import Encoder
from contcrit.errors import SpecificationError

Array = np.ndarray


def constant(*diagonal: float):
    """Return the curvature of a function with the same diagonal Hessian on every piece."""
    return lambda signs: np.diag(diagonal)


ABSOLUTE = ArrayPieces([-1], [[1]], [2])

# Name, function at 0, kind, index, critical, directionally stationary.
CLOSED_FORMS = [
    ("|x|", ABSOLUTE, "sharp minimum", 0, True, True),
    ("-|x|", ArrayPieces([1], [[1]], [-2]), "maximum", 1, True, False),
    ("|x| + x/2", ArrayPieces([-0.5], [[1]], [2]), "sharp minimum", 0, True, True),
    ("|x| + x", ArrayPieces([0], [[1]], [2]), "flat minimum", 0, True, True),
    ("|x| + 2x", ArrayPieces([1], [[1]], [2]), "not critical", None, False, False),
    ("max(x, y)", ArrayPieces([0, 1], [[1, -1]], [1]), "not critical", None, False, False),
    ("max(x, -x)", ArrayPieces([-1], [[2]], [1]), "sharp minimum", 0, True, True),
    ("|x| - |y|", ArrayPieces([-1, 1], np.eye(2), [2, -2]), "saddle", 1, True, False),
    ("|x| in the plane", ArrayPieces([-1, 0], [[1, 0]], [2]), "sharp minimum", 0, True, True),
    ("relu(x)", ArrayPieces([0], [[1]], [1]), "flat minimum", 0, True, True),
    ("-relu(x)", ArrayPieces([0], [[1]], [-1]), "maximum", None, True, False),
    ("0", ArrayPieces([0], [], []), "flat minimum", 0, True, True),
    ("x", ArrayPieces([1], [], []), "not critical", None, False, False),
    ("relu(x) - relu(x)", ArrayPieces([0], [[1], [1]], [1, -1]), "flat minimum", 0, True, True),
    ("relu(x) + relu(-x)", ArrayPieces([0], [[1], [-1]], [1, 1]), "sharp minimum", 0, True, True),
    (
        "relu(x) - 2 relu(2x) + 3x",
        ArrayPieces([3], [[1], [2]], [1, -2]),
        "maximum",
        None,
        True,
        False,
    ),
    (
        "relu(relu(x) - y)",
        ArrayPieces([0, 0], [[1, 0], [0, -1]], [0, 1], links=[[0, 0], [1, 0]]),
        "flat minimum",
        0,
        True,
        True,
    ),
    (
        "|relu(x) - y|",
        ArrayPieces([0, 1], [[1, 0], [0, -1]], [-1, 2], links=[[0, 0], [1, 0]]),
        "sharp minimum",
        0,
        True,
        True,
    ),
    # Clarke critical, although it is a coordinate (y, z + 10 relu(y)) in which y is monotone.
    (
        "y + |z + 10 relu(y)|",
        ArrayPieces([1, -1], np.eye(2), [-10, 2], links=[[0, 0], [10, 0]]),
        "Clarke critical",
        None,
        True,
        False,
    ),
    (
        "|x| + y^2",
        ArrayPieces([-1, 0], [[1, 0]], [2], curvature=constant(0, 2)),
        "minimum",
        0,
        True,
        True,
    ),
    (
        "|x| - y^2",
        ArrayPieces([-1, 0], [[1, 0]], [2], curvature=constant(0, -2)),
        "saddle",
        1,
        True,
        True,
    ),
    (
        "-|x| - y^2",
        ArrayPieces([1, 0], [[1, 0]], [-2], curvature=constant(0, -2)),
        "maximum",
        2,
        True,
        False,
    ),
    (
        "|x| + y^4",
        ArrayPieces([-1, 0], [[1, 0]], [2], curvature=constant(0, 0)),
        "degenerate",
        0,
        True,
        True,
    ),
    (
        "|x| + x^2/2",
        ArrayPieces([-1], [[1]], [2], curvature=constant(1)),
        "sharp minimum",
        0,
        True,
        True,
    ),
    # At the end of the multiplier's interval the second order decides.
    (
        "2 relu(x) - 2x + x^2/2",
        ArrayPieces([-2], [[1]], [2], curvature=constant(1)),
        "minimum",
        0,
        True,
        True,
    ),
    (
        "2 relu(x) - 2x - x^2/2",
        ArrayPieces([-2], [[1]], [2], curvature=constant(-1)),
        "degenerate",
        None,
        True,
        True,
    ),
    # The kink is curved: the active manifold is y = x^2.
    (
        "|y - x^2| - x^2/2",
        ArrayPieces([0, -1], [[0, 1]], [2], curvature=lambda s: np.diag([-2 * s[0] - 1, 0])),
        "saddle",
        1,
        True,
        True,
    ),
    (
        "|y - x^2| + x^2/2",
        ArrayPieces([0, -1], [[0, 1]], [2], curvature=lambda s: np.diag([-2 * s[0] + 1, 0])),
        "minimum",
        0,
        True,
        True,
    ),
    (
        "x |y|",
        ArrayPieces([0, 0], [[0, 1]], [0], curvature=lambda s: s[0] * np.fliplr(np.eye(2))),
        "saddle",
        None,
        True,
        True,
    ),
]


@pytest.mark.parametrize(
    ("pieces", "kind", "index", "critical", "stationary"),
    [case[1:] for case in CLOSED_FORMS],
    ids=[case[0] for case in CLOSED_FORMS],
)
def test_closed_forms(
    pieces: ArrayPieces, kind: str, index: int | None, critical: bool, stationary: bool
) -> None:
    verdict = classify_pieces(pieces)
    assert verdict.kind in NONSMOOTH_KINDS
    assert (verdict.kind, verdict.index) == (kind, index)
    assert verdict.evidence["critical"] is critical
    assert verdict.evidence["directionally_stationary"] is stationary


@dataclass
class HiddenUnit:
    """The hinge loss of one relu unit on the line, at a point where some data lie on its kink."""

    x: Array
    y: Array
    mu: Array
    w: float
    b: float
    v: float
    c: float

    def pieces(self) -> ArrayPieces:
        """Return the pieces in the unknowns (w, b, v, c), margins being off their kinks."""
        inside = self.w * self.x + self.b
        active = np.flatnonzero(np.abs(inside) < 1e-12)
        on = inside > 1e-12
        margin = 1 - self.y * (self.v * np.maximum(inside, 0) + self.c)
        assert np.all(np.abs(margin) > 1e-9)
        factor = -self.mu * self.y * (margin > 0)
        rows = np.stack([self.x, np.ones_like(self.x)], axis=1)
        base = np.concatenate(
            [
                (factor * on * self.v) @ rows,
                [factor @ np.maximum(inside, 0)],
                [factor.sum()],
            ]
        )

        def hessian(signs: Array) -> Array:
            sides = on.astype(float)
            sides[active] = (signs + 1) / 2
            mixed = (factor * sides) @ rows
            result = np.zeros((4, 4))
            result[:2, 2] = result[2, :2] = mixed
            return result

        return ArrayPieces(
            base,
            np.hstack([rows[active], np.zeros((len(active), 2))]),
            factor[active] * self.v,
            curvature=hessian,
            affine_cells=True,
        )


CHAIN_RULE = HiddenUnit(
    x=np.array([1.0, 1.0, 2.0, 3.0, 0.0]),
    y=np.array([1.0, -1.0, 1.0, -1.0, -1.0]),
    mu=np.array([1, 1, 2, 1, 1]) / 6,
    w=1.0,
    b=-1.0,
    v=0.5,
    c=0.0,
)
"""Two equal data of opposite labels on the kink: their two relus cancel."""


def test_the_chain_rule_allows_too_much() -> None:
    """The loss is differentiable with gradient norm 1/(6 sqrt 2); the chain rule reaches 0."""
    pieces = CHAIN_RULE.pieces()
    chain = pieces.hull_gradient(np.array([1.0, 0.0]))
    other = pieces.hull_gradient(np.array([0.0, 1.0]))
    assert np.allclose(chain + other, 2 * pieces.gradient(np.array([1.0, 1.0])))
    share = -(pieces.base[0]) / (pieces.coefficients[0])
    positions = np.array([share, 0.0]) if 0 <= share <= 1 else np.array([0.0, -share])
    assert np.allclose(pieces.hull_gradient(positions), 0, atol=1e-15)
    verdict = classify_pieces(pieces)
    assert verdict.kind == "not critical"
    assert verdict.evidence["hull_distance"] == pytest.approx(1 / (6 * np.sqrt(2)), rel=1e-12)
    assert verdict.evidence["hull_distance_bound"] == pytest.approx(1 / (6 * np.sqrt(2)), rel=1e-9)


def test_curved_cells_leave_that_point_undecided() -> None:
    """Without knowing that both kinks are one line, neither hull decides."""
    exact = CHAIN_RULE.pieces()
    curved = ArrayPieces(exact.base, exact.rows, exact.coefficients, curvature=exact.curvature)
    verdict = classify_pieces(curved)
    assert verdict.kind == "undecided"
    assert verdict.evidence["critical"] is None
    assert verdict.evidence["local_minimum"] is False


def test_hidden_cells_leave_a_verdict_open() -> None:
    """A kink that bends nothing to first order has gradient zero: its sides are not both seen."""
    pieces = ArrayPieces([1.0, 0.0], [[0.0, 0.0]], [0.0], curvature=lambda signs: np.zeros((2, 2)))
    assert classify_pieces(pieces).kind == "not critical"  # both patterns have the same gradient

    class Hidden(ArrayPieces):
        def gradient(self, signs: Array) -> Array:
            return np.array([signs[0], 0.0])

    hidden = Hidden([1.0, 0.0], [[0.0, 0.0]], [0.0], curvature=lambda signs: np.zeros((2, 2)))
    assert classify_pieces(hidden).kind == "undecided"


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_a_kink_that_is_never_crossed_changes_nothing(weight: float) -> None:
    """The function relu(-x^2) is zero; its other piece, -x^2, occurs nowhere."""
    pieces = ArrayPieces(
        [0.0], [[0.0], [0.0]], [0.0, weight], curvature=lambda s: np.diag([-weight * (s[1] + 1)])
    )
    verdict = classify_pieces(pieces)
    assert verdict.evidence["critical"] is True
    assert verdict.evidence["local_minimum"] is not False
    assert verdict.evidence["local_maximum"] is not False


def test_many_independent_kinks_need_no_enumeration() -> None:
    """A separable sum of 300 absolute values and its saddles, at once."""
    n = 300
    signs = np.ones(n)
    assert classify_pieces(ArrayPieces(-signs, np.eye(n), 2 * signs)).kind == "sharp minimum"
    signs[:7] = -1
    verdict = classify_pieces(ArrayPieces(-signs, np.eye(n), 2 * signs))
    assert (verdict.kind, verdict.index) == ("saddle", 7)


def test_convex_functions_of_many_kinks_need_no_enumeration() -> None:
    """A sum of 120 absolute values in 12 unknowns: more cells than could ever be listed."""
    rows = np.random.default_rng(3).standard_normal((120, 12))
    ones = np.ones(120)
    verdict = classify_pieces(ArrayPieces(-ones @ rows, rows, 2 * ones), time_limit=2)
    assert verdict.kind == "sharp minimum"
    assert verdict.evidence["directionally_stationary"] is True
    assert verdict.evidence["local_minimum"] is True
    negative = classify_pieces(ArrayPieces(ones @ rows, rows, -2 * ones), time_limit=2)
    assert (negative.kind, negative.evidence["strict"]) == ("maximum", True)
    shifted = ArrayPieces(-ones @ rows + 1000, rows, 2 * ones)
    assert classify_pieces(shifted, time_limit=2).kind == "not critical"


def test_differences_of_many_kinks_are_decided_or_left_open_in_time() -> None:
    """Weights of both signs on dependent rows: branch and bound, within the time limit."""
    generator = np.random.default_rng(5)
    rows = generator.standard_normal((14, 4))
    weights = generator.choice([-1.0, 1.0], size=14)
    critical = ArrayPieces(-0.5 * weights @ rows, rows, weights)
    verdict = classify_pieces(critical, budget=50, time_limit=60)
    assert verdict.evidence["critical"] is True  # f is even up to a linear part that cancels
    slanted = ArrayPieces(-0.5 * weights @ rows + 3.0, rows, weights)
    found = classify_pieces(slanted, budget=50, time_limit=5).evidence
    full = classify_pieces(slanted, budget=10**6, time_limit=60).evidence
    assert full["critical"] is not None
    assert found["critical"] in (full["critical"], None)


def test_symmetry_is_counted_apart() -> None:
    """|x| with a function of y that a symmetry leaves flat."""
    pieces = ArrayPieces([-1, 0, 0], [[1, 0, 0]], [2], curvature=constant(0, 2, 0))
    assert classify_pieces(pieces).kind == "degenerate"
    verdict = classify_pieces(pieces, gauge=[[0, 0, 1]])
    assert (verdict.kind, verdict.nullity, verdict.gauge_nullity) == ("minimum", 1, 1)


def test_values_that_are_not_finite_decide_nothing() -> None:
    class Broken(ArrayPieces):
        def gradient(self, signs: Array) -> Array:
            return np.array([np.nan])

    assert classify_pieces(Broken([0], [[1]], [1])).kind == "undecided"


def test_small_gradients_are_neither() -> None:
    slope = ArrayPieces([1e-7, 0], [[1, 0]], [0], curvature=constant(1, 1))
    assert classify_pieces(slope).kind == "undecided"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"tolerance": 0}, "tolerance"),
        ({"time_limit": -1}, "time_limit"),
        ({"budget": 0}, "budget"),
        ({"gauge": [[1.0, 2.0]]}, "gauge"),
    ],
)
def test_misuse_is_refused(arguments: dict, name: str) -> None:
    with pytest.raises(SpecificationError, match=name):
        classify_pieces(ABSOLUTE, **arguments)


def test_a_domain_is_refused() -> None:
    with pytest.raises(SpecificationError, match="cone"):
        classify_pieces(ArrayPieces([-1], [[1]], [2], domain=[[1]]))


def test_verdicts_can_be_stored() -> None:
    for _, pieces, *_ in CLOSED_FORMS:
        assert Encoder().text(classify_pieces(pieces), "verdict")
