"""Jumps across switching surfaces: verdicts against the matrices they speak of."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.jumps import surface_jump, surface_jumps
from contcrit.contraction.norms import logarithmic_norm
from contcrit.errors import SpecificationError

X, Y = sp.symbols("x y")
SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, weighted=st.booleans())
def test_extremes_are_eigenvalues_of_the_symmetric_part(seed: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    low, high, normal = generator.normal(size=(3, 3))
    factor = generator.normal(size=(3, 3)) + 2 * np.eye(3)
    metric = factor.T @ factor if weighted else None
    jump = surface_jump(low, high, normal, metric=metric)
    singular = np.outer(high - low, normal / np.linalg.norm(normal))
    tiny = 1e-8 * (1 + jump.size)
    assert abs(jump.highest - logarithmic_norm(singular, 2, metric)) < tiny
    assert abs(jump.lowest + logarithmic_norm(-singular, 2, metric)) < tiny
    assert jump.verdict == "neither"


@given(seed=SEEDS, strength=st.floats(-3, 3), weighted=st.booleans())
def test_jumps_along_the_metric_normal(seed: int, strength: float, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    low, normal = generator.normal(size=(2, 3))
    factor = generator.normal(size=(3, 3)) + 3 * np.eye(3)
    metric = factor.T @ factor if weighted else np.eye(3)
    high = low - strength * np.linalg.solve(metric, normal)
    verdict = surface_jump(low, high, normal, metric=metric if weighted else None).verdict
    if strength == 0:
        assert verdict == "continuous"
    elif abs(strength) > 1e-3:
        assert verdict == ("semi-contracting" if strength > 0 else "diverging")


def test_a_small_angle_is_not_lost() -> None:
    for angle, verdict in ((1e-11, "semi-contracting"), (1e-8, "undecided"), (1e-5, "neither")):
        jump = surface_jump([0, 0], [-1, angle], [1, 0])
        assert jump.verdict == verdict
        assert abs(jump.highest - angle**2 / 4) <= 1e-9 * angle**2


def test_a_small_jump_is_undecided() -> None:
    assert surface_jump([1, 0], [1 - 1e-8, 0], [1, 0]).verdict == "undecided"
    assert surface_jump([1, 0], [1 - 1e-12, 0], [1, 0]).verdict == "continuous"


@pytest.mark.parametrize("norm", [1, np.inf])
def test_other_norms(norm: float) -> None:
    assert surface_jump([1, 0], [-1, 0], [1, 0], norm=norm).verdict == "semi-contracting"
    assert surface_jump([-1, 0], [1, 0], [1, 0], norm=norm).verdict == "diverging"
    assert surface_jump([0, 1], [0, -1], [1, 0], norm=norm).verdict == "neither"
    assert surface_jump([0, 1], [0, 1], [1, 0], norm=norm).verdict == "continuous"


def test_directions_left_out_do_not_count() -> None:
    assert surface_jump([0, 1], [0, -1], [1, 0], subspace=[[1], [0]]).verdict == "continuous"
    along = surface_jump([1, 1], [-1, -1], [1, 0], subspace=[[1], [0]])
    assert along.verdict == "semi-contracting" and along.lowest == -2.0


def test_surfaces_through_a_point() -> None:
    problem = cc.PiecewiseProblem.from_potential(cc.absolute(X) - 2 * cc.relu(Y), [X, Y])
    found = {problem.switches[jump.switch]: jump for jump in surface_jumps(problem, [0.0, 0.0])}
    assert found[X].verdict == "semi-contracting" and found[X].lowest == -2.0
    assert found[Y].verdict == "diverging" and found[Y].highest == 2.0
    (alone,) = surface_jumps(problem, [0.0, 1.0])
    assert problem.switches[alone.switch] == X
    assert surface_jumps(problem, [1.0, 1.0]) == ()


def test_coulomb_friction_needs_its_energy_metric() -> None:
    # x'' = -4 x - sign(x'): the jump is along the velocity, which is M-normal for M = diag(4, 1).
    problem = cc.PiecewiseProblem([Y, -4 * X - cc.sign(Y)], [X, Y])
    energy = np.diag([4.0, 1.0])
    assert surface_jumps(problem, [0.3, 0.0], metric=energy)[0].verdict == "semi-contracting"
    skew = np.array([[4.0, 1.0], [1.0, 1.0]])
    assert surface_jumps(problem, [0.3, 0.0], metric=skew)[0].verdict == "neither"


def test_misuse_is_refused() -> None:
    with pytest.raises(SpecificationError, match="normal"):
        surface_jump([1, 0], [0, 0], [0, 0])
    with pytest.raises(SpecificationError, match="norm"):
        surface_jump([1, 0], [0, 0], [1, 0], norm=3)
