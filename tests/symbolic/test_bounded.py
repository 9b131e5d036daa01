from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, alpha_branches
from contcrit.symbolic.bounded import bounded_least_squares


def smallest(matrix: np.ndarray, right: np.ndarray) -> float:
    """Return the smallest misfit by trying which unknowns lie at an end."""
    count, best = matrix.shape[1], np.inf
    for ends in itertools.product((0.0, None, 1.0), repeat=count):
        free = np.array([end is None for end in ends])
        s = np.array([0.0 if end is None else end for end in ends])
        if np.any(free):
            s[free] = np.linalg.lstsq(matrix[:, free], right - matrix @ s, rcond=None)[0]
        if np.all((s >= -1e-12) & (s <= 1 + 1e-12)):
            best = min(best, float(np.linalg.norm(matrix @ s - right)))
    return best


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_misfit_is_the_smallest(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, count = int(generator.integers(1, 5)), int(generator.integers(1, 6))
    matrix = generator.integers(-2, 3, size=(n, count)).astype(float)
    # Sometimes the right-hand side is attained, at a point with some unknowns at their ends.
    inside = generator.choice([0.0, 0.25, 0.5, 1.0], size=count)
    right = matrix @ inside if generator.integers(2) else generator.normal(size=n)
    scale = 10.0 ** generator.integers(-6, 7)
    found = bounded_least_squares(scale * matrix, scale * right)
    assert np.all((found >= 0.0) & (found <= 1.0))
    misfit = float(np.linalg.norm(matrix @ found - right))
    assert misfit <= smallest(matrix, right) + 1e-12


def test_exact_ties_leave_no_residual() -> None:
    branches = alpha_branches()
    for label, branch in branches.items():
        problem = cc.models.get("relu-hinge").build(X=LINE, y=LABELS, output_weights=[branch.sign])
        low, high = branch.interval
        # At the ends of C and D all multipliers are 0 or 1.
        for alpha in np.linspace(low, min(high, 0.99), 6):
            residual = problem.evaluate(branch.point(alpha), {"alpha": alpha})
            assert np.max(np.abs(residual)) <= 1e-12, (label, alpha)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_positions_at_many_ties_are_exact(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, m = int(generator.integers(1, 4)), int(generator.integers(1, 8))
    rows = generator.integers(-3, 4, size=(m, n))
    rows[:, 0] += rows[:, 0] >= 0  # no row vanishes
    weights = generator.integers(1, 5, size=m)
    positions = generator.uniform(size=m)
    pull = ((2 * positions - 1) * weights) @ rows
    unknowns = sp.symbols(f"x:{n}")
    terms = [
        int(w) * cc.absolute(sum(int(a) * u for a, u in zip(row, unknowns, strict=True)))
        for w, row in zip(weights, rows, strict=True)
    ]
    q = sp.symbols(f"q:{n}")
    linear = sum(a * u for a, u in zip(q, unknowns, strict=True))
    problem = cc.PiecewiseProblem.from_potential(sum(terms) - linear, unknowns, q)
    values = {f"q{k}": float(pull[k]) for k in range(n)}
    assert np.max(np.abs(problem.evaluate(np.zeros(n), values))) <= 1e-12 * (1 + abs(pull).max())


def test_nested_kinks_are_solved_too() -> None:
    x, y, p = sp.symbols("x y p")
    problem = cc.PiecewiseProblem.from_potential(
        cc.relu(cc.relu(x) + cc.leaky_relu(y, 0.3) - 0) - p * (x + y) / 2, [x, y], [p]
    )
    # s (t, 0.3 + 0.7 u) = (p/2, p/2) has solutions with s, t, u in [0, 1] for p in [0, 2].
    for value in (0.1, 0.5, 1.0, 1.9):
        assert np.max(np.abs(problem.evaluate([0.0, 0.0], {"p": value}))) <= 1e-12
    assert np.max(np.abs(problem.evaluate([0.0, 0.0], {"p": 2.4}))) == pytest.approx(0.2, abs=1e-9)
