from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.engine.kernel import control_from
from contcrit.engine.modes.border import half_branches, mode_tangent
from contcrit.engine.modes.pivot import single
from contcrit.engine.modes.start import find_start, violations
from contcrit.engine.modes.tracing import ModeTracer
from contcrit.errors import SpecificationError
from contcrit.events.border import Border, Borders
from contcrit.symbolic.markers import absolute, leaky_relu, maximum, relu, step
from contcrit.symbolic.piecewise import PiecewiseProblem
from contcrit.system import ModeLayout
from tests.validation.expectations import ends

Array = np.ndarray
x, y, p = sp.symbols("x y p")


def one_kink():
    return PiecewiseProblem.from_potential(absolute(x) + x**2 / 2 - p * x, [x], [p])


def crossings(branch: cc.Branch, value: float) -> list[Array]:
    """Return the unknowns wherever a piecewise linear branch passes a parameter value."""
    gap = branch.z[:, -1] - value
    found = [branch.z[k, :-1] for k in np.flatnonzero(gap == 0)]
    for k in np.flatnonzero(gap[:-1] * gap[1:] < 0):
        share = gap[k] / (gap[k] - gap[k + 1])
        found.append((1 - share) * branch.z[k, :-1] + share * branch.z[k + 1, :-1])
    return found


def near(point: Array, points: list[Array]) -> bool:
    return any(np.max(np.abs(point - other)) < 1e-6 for other in points)


def check_against(
    problem: PiecewiseProblem, solutions: Callable[[float], list[Array]], values: list[float]
) -> None:
    """Trace from every true solution; the branches must hold all of them and nothing else."""
    family = problem.family("p", {})
    tracer = ModeTracer(family, (-2.0, 2.0), cc.Settings())
    branches: list[cc.Branch] = []
    known = {value: solutions(value) for value in values}
    for value, points in known.items():
        for point in points:
            if any(near(point, crossings(branch, value)) for branch in branches):
                continue
            branch = tracer.trace(np.append(point, value), "both")
            assert len(branch), branch.status
            assert near(point, crossings(branch, value))
            assert all(status.is_success for status in branch.status), branch
            branches.append(branch)
    for branch in branches:
        for value, points in known.items():
            assert all(near(crossing, points) for crossing in crossings(branch, value)), branch
        check_modes(problem, branch)


def check_modes(problem: PiecewiseProblem, branch: cc.Branch) -> None:
    """Every point solves its mode's equations, and lies where its mode says."""
    family = problem.family("p", {})
    n = problem.size
    for k in range(len(branch)):
        mode, positions = branch["mode"][k], branch["position"][k]
        full = np.concatenate([branch.z[k, :-1], positions, branch.z[k, -1:]])
        values, _ = family.expansion(full)
        scale = 1.0 + np.max(np.abs(full))
        assert np.max(np.abs(values[:n])) <= 1e-8 * scale
        assert np.all(np.abs(values[n:][mode == 0]) <= 1e-8 * scale)
        assert np.all((mode * values[n:])[mode != 0] >= -1e-6 * scale)
        assert np.all((positions >= -1e-6) & (positions <= 1 + 1e-6))
        assert np.array_equal(positions[mode != 0], ((1 + mode) / 2)[mode != 0])
    for first, second in itertools.pairwise(branch.of_kind("border")):
        if first.arclength < second.arclength:
            assert first.evidence["mode_after"] == second.evidence["mode_before"]


# ---- piecewise quadratic potentials in one to three unknowns, solved mode by mode ------------


@given(st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_branches_hold_what_solving_every_mode_finds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, m = int(generator.integers(1, 4)), int(generator.integers(1, 4))
    matrix = generator.normal(size=(n, n))
    matrix = matrix + matrix.T + 3 * generator.integers(0, 2) * np.eye(n)
    slope, drift = generator.normal(size=(2, n))
    normals, offset = generator.normal(size=(m, n)), generator.normal(size=(m, 2))
    weights = 1.5 * generator.normal(size=m)
    unknowns = sp.symbols(f"x:{n}")
    vector = sp.Matrix(unknowns)
    potential = (vector.T * sp.Matrix(matrix) * vector)[0] / 2
    potential -= sum((slope[i] + p * drift[i]) * unknowns[i] for i in range(n))
    for k in range(m):
        inside = sum(normals[k, i] * unknowns[i] for i in range(n)) - offset[k, 0]
        potential += weights[k] * absolute(inside - offset[k, 1] * p)

    def solutions(value: float) -> list[Array]:
        found = []
        for mode in itertools.product((-1, 0, 1), repeat=m):
            held = [k for k in range(m) if mode[k] == 0]
            if len(held) > n:
                continue
            size = n + len(held)
            system, right = np.zeros((size, size)), np.zeros(size)
            system[:n, :n] = matrix
            right[:n] = slope + value * drift
            right[:n] -= sum((weights[k] * mode[k] * normals[k] for k in range(m)), np.zeros(n))
            for row, k in enumerate(held):
                system[:n, n + row] = weights[k] * normals[k]
                system[n + row, :n] = normals[k]
                right[n + row] = offset[k, 0] + offset[k, 1] * value
            solved = np.linalg.solve(system, right)
            gaps = normals @ solved[:n] - offset[:, 0] - offset[:, 1] * value
            if np.all(np.abs(solved[n:]) <= 1) and all(
                mode[k] * gaps[k] > 0 for k in range(m) if mode[k]
            ):
                found.append(solved[:n])
        return found

    problem = PiecewiseProblem.from_potential(potential, unknowns, [p])
    check_against(problem, solutions, [-1.6, -0.55, 0.07, 1.13, 1.87])
    found = cc.find(problem, (-60, 60), {"p": 0.07})
    inside = [point for point in solutions(0.07) if np.all(np.abs(point) < 60)]
    assert len(found) == len(inside)
    assert all(near(point, inside) for point in found)
    assert found.believed_complete


# ---- nested kinks in one unknown, solved by exact piecewise linear functions ------------------


class Polyline:
    """A piecewise linear function of one number, with the points where it may bend."""

    def __init__(self, function: Callable[[float], float], bends: list[float]) -> None:
        self.function = function
        self.bends: list[float] = []
        for bend in sorted(bends):
            if not self.bends or bend - self.bends[-1] > 1e-9:
                self.bends.append(bend)

    def after(self, outer: Callable[[float], float]) -> Polyline:
        """Return outer(self) for an outer function that bends at 0 only."""
        edges = [-1e3, *self.bends, 1e3]
        zeros = []
        for left, right in itertools.pairwise(edges):
            low, high = self.function(left), self.function(right)
            if low * high < 0:
                zeros.append(left + (right - left) * low / (low - high))
        return Polyline(lambda u: outer(self.function(u)), self.bends + zeros)

    def plus(self, other: Polyline, share: float = 1.0) -> Polyline:
        return Polyline(
            lambda u: self.function(u) + share * other.function(u), self.bends + other.bends
        )


def random_nest(generator: np.random.Generator, depth: int):
    """Return a random expression of kinks, and its polyline at a parameter value."""
    if depth == 0:
        a, b, c = (round(float(v), 2) for v in generator.normal(size=3))
        return a * x + b + c * p, lambda q: Polyline(lambda u: a * u + b + c * q, [])
    inner, line = random_nest(generator, depth - 1)
    shift = round(float(generator.normal()), 2)
    kind = int(generator.integers(0, 4))
    if kind == 0:
        return (
            relu(inner) + shift,
            lambda q: line(q).after(lambda v: max(v, 0.0)).plus(Polyline(lambda u: shift, [])),
        )
    if kind == 1:
        return absolute(
            inner
        ) + shift * x, lambda q: line(q).after(abs).plus(Polyline(lambda u: shift * u, []))
    if kind == 2:
        return (
            leaky_relu(inner, 0.25) - p,
            lambda q: (
                line(q).after(lambda v: v if v > 0 else v / 4).plus(Polyline(lambda u: -q, []))
            ),
        )
    other, second = random_nest(generator, depth - 1)
    return (
        maximum(inner, other) + shift,
        lambda q: (
            second(q)
            .plus(line(q).plus(second(q), -1.0).after(lambda v: max(v, 0.0)))
            .plus(Polyline(lambda u: shift, []))
        ),
    )


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_nested_kinks_agree_with_exact_polylines(seed: int) -> None:
    generator = np.random.default_rng(seed)
    expression, line = random_nest(generator, int(generator.integers(1, 4)))
    bend = round(float(generator.choice([-1, 1]) * generator.uniform(0.3, 1.3)), 2)
    drift = round(float(generator.normal()), 2)
    potential = expression + bend * x**2 / 2 - drift * p * x
    problem = PiecewiseProblem.from_potential(potential, [x], [p])

    def solutions(value: float) -> list[Array]:
        polyline = line(value)
        edges = [-1e4, *polyline.bends, 1e4]
        slopes = []
        found = []
        for left, right in itertools.pairwise(edges):
            low, high = polyline.function(left), polyline.function(right)
            slopes.append((high - low) / (right - left))
            root = (drift * value - slopes[-1]) / bend
            if left < root < right:
                found.append(np.array([root]))
        for k, place in enumerate(polyline.bends):
            sides = [slopes[k + j] + bend * place - drift * value for j in (0, 1)]
            if sides[0] * sides[1] < 0:
                found.append(np.array([place]))
        return found

    check_against(problem, solutions, [-1.7123, -0.61, 0.053, 1.11, 1.93])


# ---- one border ------------------------------------------------------------------------------


def test_margins_and_their_slopes() -> None:
    potential = absolute(x) + relu(y - x * p) + (x**2 + y**2) / 2
    family = PiecewiseProblem.from_potential(potential, [x, y], [p]).family("p", {})
    layout = ModeLayout(2, (0, -1))
    borders = Borders(family, layout)
    z, t = np.array([0.0, -1.0, 0.25, 0.5]), np.array([0.1, 0.2, 0.3, 0.4])
    values, slopes = borders.margins(z, t)
    assert borders.kinks.tolist() == [1, 0, 0]
    assert borders.ends.tolist() == [0, -1, 1]
    assert values[0] == pytest.approx([1.0, 0.25, 0.75])
    for margin in range(3):
        assert borders.gradient(z, margin) @ t == pytest.approx(slopes[0, margin])
    ahead = borders.margins(z + 1e-6 * t, t)[0]
    assert (ahead - values) / 1e-6 == pytest.approx(slopes, abs=1e-5)


def test_an_excursion_between_two_points_is_seen() -> None:
    # x = p^2 - 1e-4 dips below 0 by less than one step's length.
    problem = PiecewiseProblem([x - p**2 + 1e-4 + 0 * y, y - relu(x)], [x, y], [p])
    branch = cc.trace(problem, [1, 1], "p", (-1, 1))
    assert [s.parameter for s in branch.of_kind("border")] == pytest.approx([-0.01, 0.01], abs=1e-9)
    assert np.all(branch["y"] == pytest.approx(np.maximum(branch["x"], 0), abs=1e-9))


def test_a_border_has_two_sides() -> None:
    family = one_kink().family("p", {})
    layout = ModeLayout(1, (1,))
    full = np.array([0.0, 1.0, 1.0])
    arriving = np.array([-1.0, 0.0, -1.0]) / np.sqrt(2)
    outcome = single(family, layout, full, 0, 0, arriving)
    assert outcome is not None and outcome.successor is not None
    assert outcome.collision == "persistence"
    assert outcome.successor.mode == (0,)
    assert outcome.successor.direction[-1] < 0
    halves, complete = half_branches(family, (1,), full, np.array([0]))
    assert complete
    assert sorted(half.mode for half in halves) == [(0,), (1,)]
    assert mode_tangent(family, layout, full) == pytest.approx(
        np.sign(mode_tangent(family, layout, full)[0]) * np.array([1, 0, 1]) / np.sqrt(2)
    )


def test_a_nonsmooth_pitchfork() -> None:
    # x - p for x > 0 and x + p for x < 0; x = 0 is held at s = 1/2 for every p.
    problem = PiecewiseProblem([step(x) * (x - p) + (1 - step(x)) * (x + p)], [x], [p])
    diagram = cc.diagram(problem, [([0.0], -0.5)], "p", (-1, 2))
    assert len(diagram) == 2
    trivial, wings = diagram
    assert trivial["position"][:, 0] == pytest.approx(np.full(len(trivial), 0.5), abs=1e-9)
    assert trivial["p"].min() == -1.0
    assert [s.parameter for s in trivial.of_kind("branch-point")] == pytest.approx([0], abs=1e-9)
    assert np.abs(wings["x"]) == pytest.approx(wings["p"], abs=1e-9)
    assert {wings["x"].min(), wings["x"].max()} == {-2.0, 2.0}
    # Seen from a wing the held branch crosses between two positions of the kink.
    found = cc.diagram(problem, [([1.0], 1.0)], "p", (-1, 2))
    border = found[0].of_kind("border")[0]
    assert border.evidence["collision"] == "branching"
    assert border.evidence["complete"]
    assert [one["positions"][0] for one in border.evidence["others"]] == pytest.approx([0.5, 0.5])
    assert len(found) == 3
    assert sorted(round(float(held["p"][-1]), 9) for held in found[1:]) == [-1.0, 2.0]
    assert all(np.all(np.abs(held["x"]) < 1e-9) for held in found[1:])


def test_a_branch_along_a_continuous_kink_is_undecided() -> None:
    problem = PiecewiseProblem([x * (absolute(x) - p)], [x], [p])
    branch = cc.trace(problem, [1], "p", (-1, 2), values={"p": 1})
    assert "BORDER_UNDECIDED" in ends(branch)
    assert np.abs(branch["x"]) == pytest.approx(branch["p"], abs=1e-9)


# ---- starts, resuming, events, files -----------------------------------------------------------


def test_starts_change_modes_until_they_fit() -> None:
    family = one_kink().family("p", {})
    control = control_from(cc.Settings(), (-3.0, 3.0))
    for guess, value, mode, end in (
        (2.0, 0.0, (0,), 0.0), (2.0, -2.0, (-1,), -1.0), (-1.0, 2.5, (1,), 1.5)
    ):  # fmt: skip
        found = find_start(family, np.array([guess, value]), control, cc.Settings())
        assert found is not None
        assert found[0] == mode
        assert found[1][0] == pytest.approx(end, abs=1e-12)
        assert violations(family, *found) == []
    assert violations(family, (1,), np.array([-0.5, 0.5])) == [(0, 0)]
    assert violations(family, (0,), np.array([0.0, 1.5, 2.0])) == [(0, 1)]


def test_a_start_without_a_solution_fails() -> None:
    branch = cc.trace(PiecewiseProblem([absolute(x) + 1 + p], [x], [p]), [1], "p", (0, 1))
    assert len(branch) == 0
    assert ends(branch) == {"START_FAILED"}


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_a_start_on_a_border_goes_both_ways(value: float) -> None:
    branch = cc.trace(one_kink(), [0], "p", (-3, 3), values={"p": value})
    assert ends(branch) == {"END_OF_SPAN"}
    assert [s.parameter for s in branch.of_kind("border")] == pytest.approx([-1, 1], abs=1e-9)
    ahead = cc.trace(one_kink(), [0], "p", (-3, 3), values={"p": value}, direction="forward")
    assert ahead["p"][0] == value
    assert ahead["p"][-1] == 3.0
    back = cc.trace(one_kink(), [0], "p", (-3, 3), values={"p": value}, direction="backward")
    assert back["p"][0] == -3.0
    assert back["p"][-1] == value


def test_resumed_branches_go_on_in_their_mode(tmp_path) -> None:
    for stop in (2.0, 1.0, 0.5):
        part = cc.trace(one_kink(), [2], "p", (stop, 3), values={"p": 3})
        part.save(tmp_path / "part.nc")
        again = cc.load(tmp_path / "part.nc")
        assert again.source == one_kink()
        assert np.array_equal(again["mode"], part["mode"])
        rest = cc.resume(again, (-3, 3), direction="backward")
        assert rest["p"][-1] == -3.0
        expected = np.where(rest["p"] < -1, rest["p"] + 1, np.maximum(rest["p"] - 1, 0))
        assert rest["x"] == pytest.approx(expected, abs=1e-9)


def test_events_see_unknowns_and_parameter_only() -> None:
    seen = []

    def halfway(u: Array, q: float) -> float:
        seen.append(len(u))
        return q - 0.25

    watch = cc.UserEvent("halfway", halfway)
    branch = cc.trace(one_kink(), [2], "p", (-3, 3), values={"p": 2}, events=[watch])
    assert set(seen) == {1}
    assert branch.of_kind("user")[0].parameter == pytest.approx(0.25, abs=1e-9)
    stop = cc.UserEvent("halfway", halfway, terminal=True)
    branch = cc.trace(one_kink(), [2], "p", (-3, 3), values={"p": 2}, events=[stop])
    assert branch.status[0].name == "STOPPED_AT_EVENT"
    assert branch["p"].min() == pytest.approx(0.25, abs=1e-9)


def test_budgets_and_progress_count_over_all_modes() -> None:
    few = cc.Settings(maximum_points=30)
    branch = cc.trace(one_kink(), [2], "p", (-3, 3), values={"p": 3}, settings=few)
    assert "MAXIMUM_POINTS" in ends(branch)
    assert len(branch) <= 2 * 30 + 2
    counts: list[int] = []

    def stop(points: int, parameter: float) -> bool:
        counts.append(points)
        return False

    fine = cc.Settings(step_maximum=0.01)
    cc.trace(one_kink(), [2], "p", (-3, 3), values={"p": 3}, settings=fine, progress=stop)
    assert max(counts) > 200


def test_the_native_gear_gives_the_same_branch() -> None:
    plain = cc.trace(
        one_kink(), [2], "p", (-3, 3), values={"p": 2}, settings=cc.Settings(gear="python")
    )
    native = cc.trace(
        one_kink(), [2], "p", (-3, 3), values={"p": 2}, settings=cc.Settings(gear="native")
    )
    assert native.z == pytest.approx(plain.z, abs=1e-12)
    assert "native" in native.provenance["gear"]


def test_a_search_of_many_kinks_says_what_it_left_out() -> None:
    unknowns = sp.symbols("x:6")
    potential = sum(absolute(u - k / 10) + u**2 / 2 - p * u for k, u in enumerate(unknowns))
    problem = PiecewiseProblem.from_potential(potential, unknowns, [p])
    found = cc.find(problem, (-2, 2), {"p": 0.3}, starts=8)
    assert len(found) == 1
    assert found.points[0] == pytest.approx(np.arange(6) / 10, abs=1e-9)
    assert not found.believed_complete
    assert "729 modes" in found.why
    with pytest.raises(SpecificationError, match="symmetries"):
        cc.find(problem, (-2, 2), {"p": 0.3}, symmetries=[-np.eye(6)])


def test_the_border_event_keeps_the_protocol() -> None:
    family = one_kink().family("p", {})
    border = Border(Borders(family, ModeLayout(1, (1,))))
    assert border.terminal
    assert border.applies(family.system((1,)))
