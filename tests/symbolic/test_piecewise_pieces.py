"""The local description of a problem with kinks, as the calculus of Clarke takes it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.criticality.pieces import has_affine_cells

x, y, p = sp.symbols("x y p")


def pieces_of(potential: sp.Expr, point: tuple[float, float] = (0.0, 0.0)):
    return cc.PiecewiseProblem.from_potential(potential, [x, y], []).pieces(list(point), {})


def test_cells_are_affine_exactly_where_the_active_switching_functions_are() -> None:
    affine = pieces_of(cc.absolute(x + 2 * y) + x**2)
    assert affine.affine_cells and not affine.linear and has_affine_cells(affine)
    bent = pieces_of(cc.absolute(x + y**2) + x**2)
    assert not bent.affine_cells and not has_affine_cells(bent)
    # A bent kink that is not active does not matter.
    both = cc.absolute(x + y) + cc.absolute(y**2 + 1 + x)
    assert pieces_of(both).affine_cells
    # An outer kink is affine for given signs of inner ones.
    assert pieces_of(cc.relu(cc.relu(x) - 2 * cc.absolute(y) + x) + y**2).affine_cells
    assert not pieces_of(cc.relu(x * cc.relu(x + y) + y) + y**2).affine_cells
    assert pieces_of(cc.absolute(x) - y).linear


OPEN = {"directionally stationary", "undecided"}
"""Verdicts that leave the second order open; at a point without first order they claim nothing."""


def judged(seed: int) -> tuple[str, set[str]] | None:
    """Return the verdict on a random potential, homogeneous of degree two, and the true ones.

    The sign on the unit circle decides; on a threshold nothing that contradicts the rest is true.
    """
    generator = np.random.default_rng(seed)
    m = int(generator.integers(1, 5))
    rows = generator.integers(-2, 3, size=(m, 2))
    rows = rows[np.any(rows != 0, axis=1)]
    bends = generator.integers(-3, 4, size=len(rows))
    A = generator.integers(-2, 3, size=(2, 2))
    A = A + A.T
    potential = (A[0, 0] * x**2 + 2 * A[0, 1] * x * y + A[1, 1] * y**2) / 2 + 0 * x
    for row, bend in zip(rows, bends, strict=True):
        potential += int(bend) * cc.relu(int(row[0]) * x + int(row[1]) * y) ** 2
    if not potential.free_symbols:
        return None
    verdict = cc.classify(cc.PiecewiseProblem.from_potential(potential, [x, y], []), [0, 0], {})
    angles = np.linspace(0, 2 * np.pi, 20_001)
    circle = np.array([np.cos(angles), np.sin(angles)])
    on = np.sum(circle * (A @ circle), axis=0) / 2
    on += bends @ np.maximum(rows @ circle, 0) ** 2
    low, high = float(on.min()), float(on.max())
    if abs(low) < 1e-3 or abs(high) < 1e-3:
        wrong = {"minimum", "sharp minimum"} if low < -1e-3 else set()
        wrong |= {"maximum"} if high > 1e-3 else set()
        return verdict.kind, set() if verdict.kind in wrong else {verdict.kind}
    return verdict.kind, {"minimum" if low > 0 else "maximum" if high < 0 else "saddle"}


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_no_verdict_on_curved_pieces_between_straight_kinks_is_wrong(seed: int) -> None:
    found = judged(seed)
    if found is not None:
        assert found[0] in found[1] | OPEN, (seed, found)


def test_nearly_all_verdicts_on_curved_pieces_are_decided() -> None:
    found = [one for one in map(judged, range(100)) if one is not None]
    decided = [kind in true for kind, true in found]
    assert len(found) > 90 and np.mean(decided) >= 0.95


def test_second_order_on_dependent_kinks_needs_affine_cells() -> None:
    # Three kinks in the plane, all flat to first order; negative on one cell only.
    kinks = cc.relu(x) ** 2 + cc.relu(y) ** 2 - 4 * cc.relu(-x - y) ** 2
    problem = cc.PiecewiseProblem.from_potential(kinks + x**2 + y**2, [x, y], [])
    verdict = cc.classify(problem, [0, 0], {})
    assert verdict.kind == "saddle"
    direction = verdict.evidence["descent_direction"]
    assert float(problem.potential(1e-3 * np.asarray(direction), {})) < 0
    steep = cc.PiecewiseProblem.from_potential(kinks + 9 * (x**2 + y**2), [x, y], [])
    assert cc.classify(steep, [0, 0], {}).kind == "minimum"


def test_bent_kinks_are_not_taken_for_straight_ones() -> None:
    # On x = -y**2 the function falls like -y**4 ... + 0: no second-order verdict is exact there.
    bent = cc.absolute(x + y**2) - x - y**2 / 2
    problem = cc.PiecewiseProblem.from_potential(bent, [x, y], [])
    verdict = cc.classify(problem, [0.0, 0.0], {})
    value = float(problem.potential([-1e-4, 1e-2], {}))
    assert value == pytest.approx(1e-4 - 0.5e-4)
    assert verdict.kind not in ("maximum", "not critical")
