"""What holds for every problem: claims about traces, tried on random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import contcrit as cc
from tests.strategies import orthogonal_matrices, p, quartic_potentials, rotated_pitchfork

SPAN = (-2.0, 2.0)
Potential = tuple[sp.Expr, tuple[sp.Symbol, ...]]
examples = settings(max_examples=12)


def trace(potential: Potential, start: Any = None, at: float = -2.0, **options: Any) -> cc.Branch:
    expression, unknowns = potential
    problem = cc.Problem.from_potential(expression, unknowns, [p])
    start = np.full(len(unknowns), 0.7) if start is None else start
    branch = cc.trace(problem, start, "p", SPAN, values={"p": at}, classify=False, **options)
    assume(len(branch) > 5)
    return branch


def special_list(branch: cc.Branch) -> np.ndarray:
    """Return the special points, one a row, in the order along the branch."""
    rows = [special.z for special in branch.special_points]
    return np.array(rows).reshape(len(rows), branch.z.shape[1])


def kinds(branch: cc.Branch) -> list[str]:
    return [special.kind for special in branch.special_points]


def oriented(branch: cc.Branch, like: cc.Branch) -> tuple[list[str], np.ndarray]:
    """Return kinds and special points, reversed if the branch runs the other way."""
    names, rows = kinds(branch), special_list(branch)
    ahead = np.max(np.abs(branch.z[0] - like.z[0]))
    back = np.max(np.abs(branch.z[-1] - like.z[0]))
    return (names[::-1], rows[::-1]) if back < ahead else (names, rows)


def agree(one: np.ndarray, other: np.ndarray, tolerance: float = 1e-9) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=tolerance, atol=tolerance)


def separated(branch: cc.Branch) -> bool:
    """Tell whether no two special points share a step: what fits in one step may cancel out."""
    places = [special.arclength for special in branch.special_points]
    return bool(np.all(np.diff(places) > 0.12))


# ---- independence of the steps and of the start ------------------------------------------------


@given(quartic_potentials(), st.sampled_from([0.5, 0.25, 0.3]))
@examples
def test_smaller_steps_find_the_same_special_points(potential: Potential, share: float) -> None:
    usual = trace(potential)
    finer = cc.Settings(
        step_initial=0.01 * share, step_maximum=0.1 * share, parameter_fraction=0.02 * share
    )
    other = trace(potential, settings=finer)
    assume(separated(other))
    names, rows = oriented(other, usual)
    assert names == kinds(usual)
    assert agree(rows, special_list(usual))
    assert other.z[[0, -1]] == pytest.approx(usual.z[[0, -1]], abs=1e-8)


@given(quartic_potentials(), st.floats(0.1, 0.9))
@examples
def test_a_branch_is_the_same_from_any_of_its_points(potential: Potential, share: float) -> None:
    branch = trace(potential)
    middle = branch.z[int(share * (len(branch) - 1))]
    again = trace(potential, middle[:-1], float(middle[-1]))
    assume(separated(branch))
    names, rows = oriented(again, branch)
    assert names == kinds(branch)
    assert agree(rows, special_list(branch))
    ends = again.z[[0, -1]]
    if not np.allclose(ends, branch.z[[0, -1]], atol=1e-6):
        ends = ends[::-1]
    assert ends == pytest.approx(branch.z[[0, -1]], abs=1e-7)


@given(quartic_potentials())
@examples
def test_walking_back_retraces_the_walk(potential: Potential) -> None:
    ahead = trace(potential, direction="forward")
    assume(ahead.status[1].name == "END_OF_SPAN" and separated(ahead))
    end = ahead.z[-1]
    upper = end[-1] == SPAN[1]
    back = trace(potential, end[:-1], float(end[-1]), direction="backward" if upper else "forward")
    reached = back.z[0] if upper else back.z[-1]
    assert reached == pytest.approx(ahead.z[0], abs=1e-7)
    assert sorted(kinds(back)) == sorted(kinds(ahead))
    assert agree(oriented(back, ahead)[1], special_list(ahead))
    assert abs(back.arclength[-1]) == pytest.approx(ahead.arclength[-1], rel=1e-2)


@given(quartic_potentials(), st.floats(-1.5, 1.5))
@examples
def test_both_directions_are_the_two_single_ones(potential: Potential, at: float) -> None:
    both = trace(potential, at=at)
    assume(both.status[0].name != "CLOSED_LOOP")
    forward = trace(potential, at=at, direction="forward")
    backward = trace(potential, at=at, direction="backward")
    joined = np.concatenate([backward.z, forward.z[1:]])
    assert joined.shape == both.z.shape
    assert joined == pytest.approx(both.z, abs=1e-12)
    assert forward.tangent[0, -1] >= 0
    if len(backward) > 1:
        assert backward.z[-1] == pytest.approx(forward.z[0], abs=1e-14)
    assume(separated(both))
    found = np.concatenate([special_list(backward), special_list(forward)])
    assert agree(found, special_list(both))


# ---- equivariance ------------------------------------------------------------------------------


@given(quartic_potentials(3), st.permutations(range(3)))
@examples
def test_the_order_of_the_unknowns_does_not_matter(potential: Potential, order: list[int]) -> None:
    expression, unknowns = potential
    start = np.array([0.7, 0.4, -0.2])
    usual = trace(potential, start)
    shuffled = trace((expression, tuple(unknowns[k] for k in order)), start[order])
    assert kinds(shuffled) == kinds(usual)
    back = np.append(np.argsort(order), 3)
    assert agree(special_list(shuffled)[:, back], special_list(usual))
    assert shuffled.z[[0, -1]][:, back] == pytest.approx(usual.z[[0, -1]], abs=1e-8)


@given(quartic_potentials(2), orthogonal_matrices(2))
@examples
def test_turning_the_unknowns_turns_the_branch(potential: Potential, turn: np.ndarray) -> None:
    expression, unknowns = potential
    usual = trace(potential)
    images = [
        sum(sp.Float(entry) * u for entry, u in zip(row, unknowns, strict=True)) for row in turn
    ]
    turned_expression = expression.subs(dict(zip(unknowns, images, strict=True)), simultaneous=True)
    start = turn.T @ np.full(2, 0.7)
    turned = trace((sp.expand(turned_expression), unknowns), start)
    assume(separated(usual))
    assert kinds(turned) == kinds(usual)
    for one, other in zip(turned.special_points, usual.special_points, strict=True):
        assert one.parameter == pytest.approx(other.parameter, rel=1e-9, abs=1e-9)
        assert turn @ one.x == pytest.approx(other.x, abs=1e-8)
    assert turned["index"][0] == usual["index"][0]
    assert turned["index"][-1] == usual["index"][-1]
    # The metric weighs all unknowns alike, so that even the steps are nearly the same.
    assert len(turned) == pytest.approx(len(usual), abs=0.15 * len(usual))


# ---- inertia -----------------------------------------------------------------------------------


@given(quartic_potentials())
@examples
def test_the_index_changes_at_special_points_only(potential: Potential) -> None:
    branch = trace(potential)
    places = np.array([special.arclength for special in branch.special_points])
    index = branch["index"]
    for k in np.flatnonzero(np.diff(index)):
        inside = (places >= branch.arclength[k]) & (places <= branch.arclength[k + 1])
        assert np.any(inside), (k, index[k : k + 2], branch)
    # At a regular fold the index changes by exactly one.
    for special in branch.of_kind("fold"):
        before = index[np.searchsorted(branch.arclength, special.bracket[0])]
        after = index[np.searchsorted(branch.arclength, special.bracket[1])]
        if separated(branch):
            assert abs(int(before) - int(after)) == 1


@given(quartic_potentials())
@examples
def test_every_special_point_is_singular(potential: Potential) -> None:
    expression, unknowns = potential
    problem = cc.Problem.from_potential(expression, unknowns, [p])
    branch = trace(potential)
    for special in branch.special_points:
        jacobian = problem.jacobian(special.x, {"p": special.parameter})
        values = np.linalg.svd(jacobian, compute_uv=False)
        assert values[-1] <= 1e-7 * max(values[0], 1.0)
        assert special.digits >= 6


# ---- compiled derivatives ----------------------------------------------------------------------


@given(quartic_potentials(3), st.lists(st.floats(-2, 2), min_size=4, max_size=4))
@examples
def test_compiled_derivatives_match_differences(potential: Potential, values: list[float]) -> None:
    expression, unknowns = potential
    system = cc.Problem.from_potential(expression, unknowns, [p]).compile("p", {})
    z = np.array(values)
    jacobian = system.jacobian(z)
    step = 1e-5
    for k in range(4):
        move = step * np.eye(4)[k]
        difference = (system.residual(z + move) - system.residual(z - move)) / (2 * step)
        assert jacobian[:, k] == pytest.approx(difference, abs=1e-7)
        second = (system.jacobian(z + move) - system.jacobian(z - move)) / (2 * step)
        assert system.second(z, np.eye(4)[k]) == pytest.approx(second, abs=1e-7)
    assert jacobian[:, :3] == pytest.approx(jacobian[:, :3].T, abs=1e-13)
    # Second derivatives are symmetric: J'(u) v = J'(v) u.
    one, other = np.eye(4)[0], np.array([0.3, -0.2, 0.5, 1.0])
    assert system.second(z, one) @ other == pytest.approx(system.second(z, other) @ one, abs=1e-11)


# ---- gauge -------------------------------------------------------------------------------------


@given(st.integers(0, 3), st.floats(0, 2 * np.pi), st.floats(0.3, 1.8))
@examples
def test_circles_have_their_morse_bott_index(extra: int, angle: float, at: float) -> None:
    problem = rotated_pitchfork(extra)
    start = np.zeros(2 + extra)
    start[:2] = np.sqrt(at) * np.array([np.cos(angle), np.sin(angle)])
    branch = cc.trace(problem, start, "p", (0.1, 2), values={"p": at})
    assert branch["p"][0] == 0.1 and branch["p"][-1] == 2
    assert set(branch["index"]) == {extra // 2}
    for _, _, verdict in branch.verdicts:
        assert (verdict.index, verdict.nullity, verdict.gauge_nullity) == (extra // 2, 1, 1)
        assert verdict.inertia is not None and sum(verdict.inertia) == 2 + extra
    direction = np.arctan2(branch["y"], branch["x"]) - angle
    assert np.cos(direction) == pytest.approx(1, abs=1e-9)
