"""Flows against closed forms, and properties of Filippov's solutions."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.contraction.flows import flow
from contcrit.errors import SpecificationError, Status

X, Y, P = sp.symbols("x y p")
HALF = sp.Rational(1, 2)


@pytest.fixture(scope="module")
def pair() -> cc.PiecewiseProblem:
    return cc.PiecewiseProblem.from_potential(HALF * (cc.maximum(X, Y) - P) ** 2, [X, Y], [P])


@pytest.fixture(scope="module")
def rectified() -> cc.PiecewiseProblem:
    cost = HALF * (cc.relu(X) + cc.relu(Y) - P) ** 2
    return cc.PiecewiseProblem.from_potential(cost, [X, Y], [P])


def test_smooth_flow_is_the_exponential() -> None:
    problem = cc.Problem.from_potential(P * X**2 / 2 + Y**2, [X, Y], [P])
    found = flow(problem, {"x": 2.0, "y": 1.0}, {"p": 0.5}, 3.0)
    assert found.status is Status.END_OF_TIME and found.events == ()
    times = np.linspace(0, 3, 50)
    expected = np.column_stack([2 * np.exp(-0.5 * times), np.exp(-2 * times)])
    assert np.max(np.abs(found(times) - expected)) < 1e-9


def test_flow_of_equations_goes_forward() -> None:
    problem = cc.Problem([X * (1 - X)], [X])
    found = flow(problem, [0.1], {}, 5.0)
    assert abs(found.end[0] - 1 / (1 + 9 * np.exp(-5))) < 1e-9


def test_sliding_along_the_attracting_kink(pair: cc.PiecewiseProblem) -> None:
    # z1 falls alone until both are equal, then both fall at rate one half to (p, p).
    found = flow(pair, [3.0, 2.0], {"p": 1.0}, 6.0, times=np.linspace(0, 6, 61))
    meeting = np.log(2.0)
    assert found.modes == ((1,), (0,))
    assert [event.kind for event in found.events] == ["slide"]
    assert abs(found.events[0].time - meeting) < 1e-10
    before = np.column_stack([1 + 2 * np.exp(-found.t), np.full(found.t.size, 2.0)])
    after = (1 + np.exp(-(found.t - meeting) / 2))[:, None].repeat(2, axis=1)
    expected = np.where((found.t < meeting)[:, None], before, after)
    assert np.max(np.abs(found.x - expected)) < 1e-9


def test_start_on_the_attracting_kink(pair: cc.PiecewiseProblem) -> None:
    found = flow(pair, [1.5, 1.5], {"p": 1.0}, 3.0)
    assert found.modes == ((0,),)
    assert np.max(np.abs(found.end - 1 - 0.5 * np.exp(-1.5))) < 1e-9


def test_repelling_kink_chooses_nothing_silently(pair: cc.PiecewiseProblem) -> None:
    found = flow(pair, [0.5, 0.5], {"p": 1.0}, 3.0)
    assert found.status is Status.NOT_UNIQUE and not found.status.is_success
    assert set(found.alternatives) == {(-1,), (0,), (1,)}
    assert found.t.tolist() == [0.0] and found.end.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (1, [1 - 0.5 * np.exp(-3), 0.5]),
        (-1, [0.5, 1 - 0.5 * np.exp(-3)]),
        (0, [1 - 0.5 * np.exp(-1.5)] * 2),
    ],
)
def test_a_side_is_followed(pair: cc.PiecewiseProblem, side: int, expected: list[float]) -> None:
    found = flow(pair, [0.5, 0.5], {"p": 1.0}, 3.0, side=side)
    assert found.status is Status.END_OF_TIME
    assert np.max(np.abs(found.end - expected)) < 1e-9


def test_rectified_pair(rectified: cc.PiecewiseProblem) -> None:
    # Both on: the difference is constant and the sum relaxes at rate 2.
    found = flow(rectified, [0.2, 0.6], {"p": 1.0}, 2.0)
    total = 1 - 0.2 * np.exp(-4)
    assert np.max(np.abs(found.end - [(total - 0.4) / 2, (total + 0.4) / 2])) < 1e-9
    # Target -1: each falls until it is off; then it is frozen.
    found = flow(rectified, [0.2, 0.6], {"p": -1.0}, 9.0)
    first = 0.5 * np.log(1.8 / 1.4)  # sum + 1 = 1.8 exp(-2 t) down to 1.4
    second = first + np.log(1.4)  # then one alone: 1.4 exp(-t) down to 1
    assert [event.kind for event in found.events] == ["crossing", "crossing"]
    assert np.allclose([event.time for event in found.events], [first, second], atol=1e-10)
    assert np.max(np.abs(found.end)) < 1e-12


def test_frozen_set_stays(rectified: cc.PiecewiseProblem) -> None:
    found = flow(rectified, [-1.0, -0.5], {"p": 1.0}, 1e6)
    assert found.end.tolist() == [-1.0, -0.5] and found.status is Status.END_OF_TIME


def test_edge_of_a_frozen_set_is_not_unique(rectified: cc.PiecewiseProblem) -> None:
    found = flow(rectified, [0.0, -0.5], {"p": 1.0}, 1.0)
    assert found.status is Status.NOT_UNIQUE


def test_coulomb_friction_sticks() -> None:
    # x'' = -x - sign(x'): half circles about 1, -1, ..., each with two less of amplitude.
    problem = cc.PiecewiseProblem([Y, -X - cc.sign(Y)], [X, Y])
    found = flow(problem, [5.3, 0.0], {}, 12.0)
    assert [event.kind for event in found.events] == ["crossing", "crossing", "slide"]
    assert np.allclose([event.time for event in found.events], np.pi * np.arange(1, 4), atol=1e-9)
    assert np.allclose([e.x[0] for e in found.events], [-3.3, 1.3, 0.7], atol=1e-9)
    assert np.max(np.abs(found.end - [0.7, 0.0])) < 1e-9


def test_friction_lets_go() -> None:
    # Stuck while the spring, pulled at unit speed, is shorter than the friction.
    problem = cc.PiecewiseProblem([Y, P - X - cc.sign(Y), 1 + 0 * P], [X, Y, P])
    found = flow(problem, [0.0, 0.0, 0.0], {}, 3.0)
    assert found.modes == ((0,), (1,)) and found.events[0].kind == "leave"
    assert abs(found.events[0].time - 1.0) < 1e-9
    t = 2.0  # since then x'' = t - x
    assert np.max(np.abs(found.end[:2] - [t - np.sin(t), 1 - np.cos(t)])) < 1e-9


def test_bouncing_crosses_at_finite_times() -> None:
    # x'' = -sign(x) from rest at 2: the first crossing after 2, the others 4 apart.
    problem = cc.PiecewiseProblem([Y, -cc.sign(X)], [X, Y])
    found = flow(problem, [2.0, 0.0], {}, 19.0)
    assert [event.kind for event in found.events] == ["crossing"] * 5
    assert np.allclose([event.time for event in found.events], [2, 6, 10, 14, 18], atol=1e-11)


def test_infinitely_many_switchings_in_finite_time() -> None:
    # x'' = -3 sign(x) - sign(x'): intervals shrink by sqrt(1/2) each.
    problem = cc.PiecewiseProblem([Y, -3 * cc.sign(X) - cc.sign(Y)], [X, Y])
    found = flow(problem, [1.0, 0.0], {}, 20.0)
    assert found.status is Status.END_OF_TIME and found.modes[-1] == (0, 0)
    ratio = np.sqrt(0.5)
    # From rest at a: sqrt(2a/(3-1)) to x = 0, speed v = sqrt(2a (3-1)), then v/(3+1) to rest.
    first = 1.0 + 2.0 / 4.0  # rest again at -v^2/(2 (3+1)) = -1/2
    # Within 1e-12 of the point both kinks count as met: that is 5e-6 early.
    assert abs(found.events[-1].time - first / (1 - ratio)) < 1e-5
    assert np.max(np.abs(found.end)) < 1e-9


def test_several_kinks_at_once() -> None:
    # |x| + 2|y| from (1, 2): both reach zero at time 1; then 0 is the least subgradient.
    cost = cc.absolute(X) + 2 * cc.absolute(Y)
    found = flow(cc.PiecewiseProblem.from_potential(cost, [X, Y]), [1.0, 2.0], {}, 2.0)
    assert found.modes[-1] == (0, 0) and abs(found.events[-1].time - 1.0) < 1e-12
    assert np.max(np.abs(found.end)) < 1e-15


def test_three_way_maximum_slides_to_its_corner() -> None:
    # max(x, y, -x-y): minimum-norm subgradients until the point 0, reached in finite time.
    cost = cc.maximum(X, Y, -X - Y)
    found = flow(cc.PiecewiseProblem.from_potential(cost, [X, Y]), [2.0, 1.0], {}, 4.0)
    # First x falls at 1 until x = y = 1, then both at 1/2 until 0 at time 3.
    assert np.max(np.abs(found(2.0) - [0.5, 0.5])) < 1e-12
    assert abs(found.events[-1].time - 3.0) < 1e-11
    assert np.max(np.abs(found.end)) < 1e-12


def test_a_kink_written_twice_is_crossed() -> None:
    # Slopes 3 and 1: no sliding, although positions of the two kinks alone would allow it.
    twin = cc.absolute(sp.Float(1.1) * X + X * Y**2) / sp.Float(1.1)
    problem = cc.PiecewiseProblem.from_potential(2 * X + 2 * cc.absolute(X) - twin, [X, Y])
    assert len(problem.switches) == 2
    found = flow(problem, [1.0, 0.0], {}, 2.0)
    assert found.modes == ((1, 1), (-1, -1))
    assert abs(found.end[0] + 5 / 3) < 1e-12


@pytest.mark.parametrize("gap", [3e-14, 5e-13, 1e-11])
def test_surfaces_that_nearly_coincide(gap: float) -> None:
    steps = (cc.step(X), cc.step(X - sp.Float(gap)))
    crossed = flow(cc.PiecewiseProblem([1 + steps[0] + steps[1]], [X]), [-1.0], {}, 2.0)
    assert crossed.status is Status.END_OF_TIME and abs(crossed.end[0] - 3.0) < 1e-10
    stopped = flow(cc.PiecewiseProblem([1 - 2 * steps[0] - steps[1]], [X]), [-1.0], {}, 2.0)
    assert stopped.status is Status.END_OF_TIME and 0 in stopped.modes[-1]
    assert abs(stopped.end[0]) < 1e-10


def test_a_jump_inside_a_kink() -> None:
    # relu(x - 2 step(y)) with y' = 1 from -1: the kink jumps from x = 0 to x = 2 at time 1.
    problem = cc.PiecewiseProblem([1 - cc.relu(X - 2 * cc.step(Y)), 1 + 0 * X], [X, Y])
    found = flow(problem, [1.0, -1.0], {}, 2.5)
    # x' = 1 - x = 0 before; x' = 1 from time 1 until x = 2 at time 2; then x' = 3 - x.
    assert found.status is Status.END_OF_TIME
    assert abs(found(2.0)[0] - 2.0) < 1e-10
    assert abs(found.end[0] - (3 - np.exp(-0.5))) < 1e-9


def test_sliding_that_ceases_to_attract_is_reported() -> None:
    # x' = -y sign(x), y' = -1: y = 0 at time 1, beyond which x = 0 repels.
    problem = cc.PiecewiseProblem([-Y * cc.sign(X), -1 + 0 * X], [X, Y])
    found = flow(problem, [0.0, 1.0], {}, 2.0)
    assert found.status is Status.NOT_UNIQUE
    assert abs(found.duration - 1.0) < 1e-6 and len(found.alternatives) == 3
    stayed = flow(problem, [0.0, 1.0], {}, 2.0, side=0)
    assert stayed.status is Status.END_OF_TIME and stayed.end[0] == 0.0
    left = flow(problem, [0.0, 1.0], {}, 2.0, side=1)
    assert abs(left.end[0] - 0.5) < 1e-6


def test_a_grazed_surface_is_left_to_the_same_side() -> None:
    # x = t^2 - 2 t + 1 touches 0 at time 1 without crossing.
    problem = cc.PiecewiseProblem([2 * Y - 2 + cc.step(-X) * 5, 1 + 0 * X], [X, Y])
    found = flow(problem, [1.0, 0.0], {}, 2.0)
    assert abs(found.end[0] - 1.0) < 1e-9
    assert all(event.kind == "graze" for event in found.events)


def test_a_brief_excursion_is_seen() -> None:
    # x = (t - 1)^2 - 1e-6 is negative for 2e-3 only, and there y' = 1.
    problem = cc.PiecewiseProblem([2 * (P - 1), cc.step(-X), 1 + 0 * X], [X, Y, P])
    found = flow(problem, [1 - 1e-6, 0.0, 0.0], {}, 2.0)
    assert [event.kind for event in found.events] == ["crossing", "crossing"]
    assert abs(found.end[1] - 2e-3) < 1e-9


def test_events_and_paths_are_as_accurate_as_asked() -> None:
    # x'' = -x - sign(x') from rest at 9.3: half circles, with events at multiples of pi.
    problem = cc.PiecewiseProblem([Y, -X - cc.sign(Y)], [X, Y])
    times = np.linspace(0, np.pi, 200)
    tolerances = 10.0 ** -np.arange(5, 12)
    events, paths = [], []
    for rtol in tolerances:
        found = flow(problem, [9.3, 0.0], {}, 4.0, rtol=rtol, atol=rtol / 100)
        events.append(abs(found.events[0].time - np.pi))
        paths.append(np.max(np.abs(found(times)[:, 0] - 1 - 8.3 * np.cos(times))))
    assert np.all(np.array(paths) <= 5 * tolerances)
    assert np.all(np.array(events) <= tolerances)
    # Both fall in proportion to the tolerance.
    for errors in (events, paths):
        order = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
        assert 0.85 < order < 1.15


def test_blow_up_is_a_status() -> None:
    found = flow(cc.Problem([X**2], [X]), [1.0], {}, 2.0)
    assert found.status is Status.FLOW_FAILED
    assert abs(found.duration - 1.0) < 1e-9


def test_too_many_steps_and_events_are_statuses() -> None:
    stiff = cc.Problem([-1e7 * (X - sp.cos(Y)), 1 + 0 * X], [X, Y])
    assert flow(stiff, [1, 0], {}, 1.0, maximum_steps=50).status is Status.MAXIMUM_STEPS
    bounce = cc.PiecewiseProblem([Y, -cc.sign(X)], [X, Y])
    found = flow(bounce, [2.0, 0.0], {}, 30.0, maximum_events=3)
    assert found.status is Status.MAXIMUM_EVENTS and len(found.events) == 3


def test_chattering_is_a_status() -> None:
    # y'' = -1e8 sign(y) from 1e-10: it switches every 3e-9.
    problem = cc.PiecewiseProblem([-cc.sign(Y), 10**8 * X], [X, Y])
    found = flow(problem, [0.0, 1e-10], {}, 1.0)
    assert found.status is Status.CHATTERING and found.duration < 1e-5


def test_asked_times_and_dense_output(pair: cc.PiecewiseProblem) -> None:
    found = flow(pair, [3.0, 2.0], {"p": 1.0}, 2.0, times=[0.0, 0.5, 2.0])
    assert found.t.tolist() == [0.0, 0.5, 2.0]
    assert np.array_equal(found.x[1], found(0.5))
    assert found.mode_at(0.1) == (1,) and found.mode_at(1.0) == (0,)
    with pytest.raises(SpecificationError, match="must lie in"):
        found(2.5)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"time": -1.0}, "time"),
        ({"time": np.inf}, "time"),
        ({"times": [0.5, 0.1]}, "times"),
        ({"times": [3.0]}, "times"),
        ({"rtol": 0.0}, "rtol"),
        ({"maximum_events": 0}, "maximum_events"),
        ({"side": 2}, "side"),
        ({"side": [1, 1]}, "side"),
    ],
)
def test_misuse_is_refused(
    pair: cc.PiecewiseProblem, arguments: dict[str, object], name: str
) -> None:
    with pytest.raises(SpecificationError) as caught:
        flow(pair, [1, 0], {"p": 1.0}, **{"time": 1.0, **arguments})  # type: ignore[arg-type]
    assert caught.value.argument == name


def test_maps_and_equations_have_no_flow() -> None:
    for kind in ("map", "equation"):
        with pytest.raises(SpecificationError, match="flow"):
            flow(cc.Problem([X**2], [X], kind=kind), [1.0], {}, 1.0)


def test_matrix_problems_flow_as_well() -> None:
    # c' = -c - c^3 for multiples c of the identity.
    C, p = sp.MatrixSymbol("C", 2, 2), sp.Symbol("p")
    problem = cc.MatrixProblem(-p * C - C * C.T * C, C, [p], kind="flow")
    found = flow(problem, np.eye(2).ravel(), {"p": 1.0}, 1.0)
    expected = np.sqrt(np.exp(-2) / (2 - np.exp(-2)))
    assert np.max(np.abs(found.end - expected * np.eye(2).ravel())) < 1e-9
