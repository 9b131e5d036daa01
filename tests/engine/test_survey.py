"""The compiled survey: what it finds, and what it leaves to the general machinery."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.engine import walk as walking
from contcrit.engine.gear import Gear
from contcrit.engine.trace import Tracer
from tests import strategies

x, y, p = sp.symbols("x y p")
NATIVE = cc.Settings(gear="native")


def surveyed(problem, start, span, *, backward=False, change=None):
    """Return what the survey finds on a branch from a start at the span's beginning or end."""
    system = problem.compile("p", {})
    tracer = Tracer(system, span, NATIVE)
    found = tracer.set_out(np.array([*start, span[1] if backward else span[0]]))
    assert isinstance(found, tuple)
    system, z, tangent = found
    march = tracer.march(system, z, -tangent if backward else tangent)
    facts = march.facts.copy()
    if change is not None:
        change(facts)
    gear = Gear(system, NATIVE)
    weights = tracer.weights(system)
    return gear.survey(
        march.points, march.tangents, facts, 0.02, weights, tracer.control, NATIVE
    )  # fmt: skip


def test_a_simple_fold_is_found_and_nothing_else():
    (fold,), clear = surveyed(strategies.fold(), [1.0], (-1.0, 1.0), backward=True)
    assert clear and fold.settled
    assert fold.kind == "fold"
    np.testing.assert_allclose(fold.refined, [0.0, 0.0], atol=1e-14)
    assert abs(fold.evidence["quadratic_coefficient"]) == pytest.approx(1.0)


@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_a_crossing_is_found_and_nothing_else(kernel):
    unknowns = sp.symbols("u:3")[:kernel]
    potential = sum(u**4 / 4 - p * u**2 / 2 for u in unknowns)
    problem = cc.Problem.from_potential(potential, unknowns, [p])
    (crossing,), clear = surveyed(problem, [0.0] * kernel, (-1.0, 1.3))
    assert clear and crossing.settled
    assert crossing.kind == "branch-point"
    assert crossing.evidence["kernel_dimension"] == crossing.evidence["excess"] == kernel
    np.testing.assert_allclose(crossing.refined, 0.0, atol=1e-12)


def test_a_regular_branch_is_clear():
    assert surveyed(strategies.linear(2), [0.0, 0.0], (0.0, 1.0)) == ([], True)


def _set(column, position, value):
    def change(facts):
        facts[position, column] = value

    return change


def _more_negative(facts):
    facts[5:, walking.NEGATIVE] += 1


def _other_sign(facts):
    facts[5:, walking.SIGN] *= -1


@pytest.mark.parametrize(
    "change",
    [
        _set(walking.NEGATIVE, 4, -1),
        _set(walking.SIGN, 4, 0.0),
        _set(walking.SIGN, 4, np.nan),
        _set(walking.LOG_MODULUS, 4, -50.0),
        _set(walking.LOG_MODULUS, 4, np.nan),
        _more_negative,
        _other_sign,
    ],
    ids=["no count", "no sign", "nan sign", "dip", "no modulus", "count", "sign"],
)
def test_what_it_cannot_explain_is_not_clear(change):
    found, clear = surveyed(strategies.linear(2), [0.0, 0.0], (0.0, 1.0), change=change)
    assert not found
    assert not clear


@pytest.mark.parametrize("gear", ["python", "native"])
def test_two_folds_within_one_step_are_both_found(gear):
    width = 0.02
    problem = cc.Problem([p - x**3 + 3 * width**2 * x], [x], [p])
    branch = cc.trace(
        problem, [-0.5], "p", (-0.2, 0.2), settings=cc.Settings(gear=gear), classify=False
    )
    folds = [special.z[0] for special in branch.of_kind("fold")]
    np.testing.assert_allclose(folds, [-width, width], atol=1e-12)
    assert np.max(np.diff(branch.arclength)) > 0.01


@pytest.mark.parametrize("gear", ["python", "native"])
def test_more_folds_than_one_call_holds(gear):
    problem = cc.Problem([p - x / 10 - sp.cos(x)], [x], [p])
    branch = cc.trace(
        problem, [-70.0], "p", (-8.0, 8.0), values={"p": -7.0 + np.cos(70.0)}, direction="forward",
        settings=cc.Settings(gear=gear, step_maximum=0.3), classify=False,
    )  # fmt: skip
    folds = np.array([special.z[0] for special in branch.of_kind("fold")])
    assert len(folds) > 32
    np.testing.assert_allclose(np.sin(folds), 0.1, atol=1e-12)
    assert np.all(np.diff(folds) > 0)


@settings(max_examples=25)
@given(st.integers(1, 3).flatmap(lambda n: strategies.quartic_potentials(n)))
def test_both_gears_find_the_same_on_random_potentials(drawn):
    potential, unknowns = drawn
    problem = cc.Problem.from_potential(potential, unknowns, [p])
    plain, compiled = (
        cc.trace(
            problem, [0.0] * len(unknowns), "p", (-2.0, 2.0), settings=cc.Settings(gear=gear),
            classify=False,
        )
        for gear in ("python", "native")
    )  # fmt: skip
    assert plain.status == compiled.status
    kinds = [[special.kind for special in one.special_points] for one in (plain, compiled)]
    assert kinds[0] == kinds[1]
    for one, other in zip(plain.special_points, compiled.special_points, strict=True):
        assert other.kernel_dimension == one.kernel_dimension
        assert other.arclength == pytest.approx(one.arclength, abs=1e-4)
        assert other.residual <= 1e-9
        if min(one.digits, other.digits) > 8:
            np.testing.assert_allclose(other.z, one.z, atol=1e-8)
