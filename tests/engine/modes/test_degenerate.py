"""Borders at which more kinks meet than their positions can tell apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear, minimize

import contcrit as cc
from contcrit.engine.modes.border import PROBE, half_branches, mode_tangent, probe
from contcrit.engine.modes.lexicographic import pass_through
from contcrit.engine.modes.vertex import vertex_halves
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, alpha_branches
from contcrit.symbolic.markers import absolute, relu
from contcrit.system import ModeLayout
from tests.engine.modes.test_tracing import check_modes

Array = np.ndarray
p = sp.Symbol("p")


class Convex:
    """x'Ax/2 - p d.x + sum w_k |a_k.x - c_k| in integers, whose minimum is unique for every p."""

    def __init__(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self.n = n = int(generator.integers(1, 4))
        rows = generator.integers(-2, 3, size=(int(generator.integers(2, 8)), n))
        rows = rows[np.any(rows != 0, axis=1)]
        rows = np.vstack([rows, np.eye(n, dtype=int)])
        # Every pair of kinks here meets many others in the points of a lattice.
        self.offsets = generator.integers(-1, 2, size=len(rows)) * int(generator.integers(0, 2))
        self.rows = rows
        self.weights = generator.integers(1, 4, size=len(rows)) / 2.0
        half = generator.integers(-1, 2, size=(n, n))
        self.matrix = half @ half.T + np.eye(n)
        self.drift = generator.integers(-2, 3, size=n)
        self.drift[0] = self.drift[0] or 1

    def problem(self) -> cc.PiecewiseProblem:
        unknowns = sp.symbols(f"x:{self.n}")
        vector = sp.Matrix(unknowns)
        potential = (vector.T * sp.Matrix(self.matrix.astype(int)) * vector)[0] / 2
        potential -= p * sum(int(d) * u for d, u in zip(self.drift, unknowns, strict=True))
        for row, offset, weight in zip(self.rows, self.offsets, self.weights, strict=True):
            inside = sum(int(a) * u for a, u in zip(row, unknowns, strict=True)) - int(offset)
            potential += sp.nsimplify(weight) * absolute(inside)
        return cc.PiecewiseProblem.from_potential(potential, unknowns, [p])

    def distance(self, x: Array, value: float) -> float:
        """Return how far 0 is from the subdifferential at x: 0 exactly at the minimum."""
        gaps = self.rows @ x - self.offsets
        tied = np.abs(gaps) <= 1e-7
        smooth = self.matrix @ x - value * self.drift
        smooth = smooth + (self.weights * np.sign(gaps))[~tied] @ self.rows[~tied]
        if not np.any(tied):
            return float(np.linalg.norm(smooth))
        slopes = (self.weights[tied, None] * self.rows[tied]).T
        nearest = lsq_linear(slopes, -smooth, bounds=(-1.0, 1.0), method="bvls", tol=1e-14)
        return float(np.sqrt(2.0 * nearest.cost))

    def start(self, value: float) -> Array:
        n, m = self.n, len(self.rows)

        def loss(v: Array) -> float:
            x, t = v[:n], v[n:]
            return float(x @ self.matrix @ x / 2 - value * self.drift @ x + self.weights @ t)

        gaps = [
            {"type": "ineq", "fun": lambda v, s=s: v[n:] - s * (self.rows @ v[:n] - self.offsets)}
            for s in (-1.0, 1.0)
        ]
        begin = np.concatenate([np.zeros(n), np.full(m, 3.0)])
        found = minimize(loss, begin, constraints=gaps, method="SLSQP", tol=1e-13)
        return np.asarray(found.x[:n])


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_a_convex_path_passes_all_degenerate_borders(seed: int) -> None:
    convex = Convex(seed)
    problem = convex.problem()
    branch = cc.trace(
        problem,
        convex.start(0.37),
        "p",
        (-3, 3),
        values={"p": 0.37},
        settings=cc.Settings(step_maximum=0.5, parameter_fraction=0.1),
        classify=False,
    )
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2, (seed, branch.status)
    assert np.all(np.diff(branch["p"]) >= -1e-9), seed
    for z in branch.z:
        assert convex.distance(z[:-1], z[-1]) <= 1e-6, seed
    check_modes(problem, branch)


# ---- the worked branches of the hinge loss ---------------------------------------------------


def hinge(label: str) -> tuple[cc.PiecewiseProblem, cc.Branch]:
    branch = alpha_branches()[label]
    problem = cc.models.get("relu-hinge").build(X=LINE, y=LABELS, output_weights=[branch.sign])
    traced = cc.trace(
        problem,
        branch.point(0.7),
        "alpha",
        (0.0, 0.99),
        values={"alpha": 0.7},
        settings=cc.Settings(step_maximum=0.2),
        classify=False,
    )
    return problem, traced


@pytest.mark.parametrize(
    ("label", "end", "kinks"), [("C", 3 / 4, [1, 4, 11]), ("D", 2 / 3, [5, 6, 9])]
)
def test_minima_that_lose_all_multipliers_at_once_go_on(
    label: str, end: float, kinks: list[int]
) -> None:
    problem, traced = hinge(label)
    assert [status.name for status in traced.status] == ["END_OF_SPAN"] * 2
    (border,) = [s for s in traced.of_kind("border") if s.evidence["kinks"] == kinks]
    assert border.parameter == pytest.approx(end, abs=1e-12)
    assert border.evidence["collision"] == "continuum"
    assert border.evidence["dimension"] == 3
    assert len(border.evidence["others"]) == 2  # three edges of one cell leave the vertex
    for z, mode in zip(traced.z, traced["mode"], strict=True):
        values = {"alpha": float(z[-1])}
        assert np.max(np.abs(problem.evaluate(z[:-1], values))) <= 1e-9, mode
    for z in traced.z[::9]:
        verdict = cc.classify(problem, z[:-1], {"alpha": float(z[-1])})
        assert verdict.evidence["critical"] is True


def test_a_minimum_ends_in_the_constant_classifier() -> None:
    _, traced = hinge("C")
    # Nine kinks meet in (0, 0, 1); it is critical up to 3/4, from where the path comes back.
    assert np.allclose(traced.z[-1], [0, 0, 1, 0], atol=1e-12)
    at = traced["alpha"] > 0.75 + 1e-9
    assert not np.any(at)


@pytest.mark.parametrize("label", ["A", "B"])
def test_the_other_worked_branches_meet_no_border(label: str) -> None:
    _, traced = hinge(label)
    assert [status.name for status in traced.status] == ["END_OF_SPAN"] * 2
    assert not traced.special_points


# ---- a path of multipliers that are not unique -------------------------------------------------


def test_coinciding_kinks_are_passed() -> None:
    x = sp.Symbol("x")
    problem = cc.PiecewiseProblem.from_potential(
        absolute(x) + absolute(x * (2 + x**2)) + x**2 / 2 - p * x, [x], [p]
    )
    branch = cc.trace(problem, [2], "p", (-4, 40), values={"p": 17})
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
    borders = [s.parameter for s in branch.of_kind("border")]
    assert borders[0] == pytest.approx(-3, abs=1e-9)
    assert borders[-1] == pytest.approx(3, abs=1e-9)
    held = np.abs(branch["p"]) < 3 - 1e-9
    assert np.max(np.abs(branch["x"][held])) < 1e-9
    check_modes(problem, branch)


def test_eight_kinks_at_once_are_passed() -> None:
    unknowns = sp.symbols("x:8")
    potential = sum(absolute(u) + u**2 / 2 - p * u for u in unknowns)
    problem = cc.PiecewiseProblem.from_potential(potential, unknowns, [p])
    branch = cc.trace(problem, np.ones(8), "p", (-2, 2), values={"p": 2}, classify=False)
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
    assert sorted({round(s.parameter, 9) for s in branch.of_kind("border")}) == [-1.0, 1.0]
    exact = np.sign(branch["p"]) * np.maximum(np.abs(branch["p"]) - 1, 0)
    assert np.max(np.abs(branch.z[:, :-1] - exact[:, None])) < 1e-9


def test_a_start_on_dependent_kinks_goes_both_ways() -> None:
    x, y = sp.symbols("x y")
    kinks = sum(absolute(a * x + b * y) for a, b in itertools.product((1, 2), (-1, 0, 3)))
    problem = cc.PiecewiseProblem.from_potential(
        kinks + absolute(y) + (x**2 + y**2) / 2 - p * (x + y), [x, y], [p]
    )
    branch = cc.trace(problem, [0, 0], "p", (-20, 20), values={"p": 0.5}, classify=False)
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
    assert np.any(np.all(branch.z[:, :2] == 0, axis=1)) and abs(branch.z[0, 0]) > 1
    check_modes(problem, branch)


def test_a_point_without_solution_has_no_vertex() -> None:
    x = sp.Symbol("x")
    problem = cc.PiecewiseProblem.from_potential(
        absolute(x) + absolute(2 * x + x**3) - p * x, [x], [p]
    )
    family = problem.family("p", {})
    for value, count in ((2.0, 2), (5.0, 0)):
        full = np.array([0.0, 0.5, 0.5, value])
        halves = vertex_halves(family, (0, 0), full, np.array([0, 1]))
        assert len(halves) == count


def test_the_perturbed_path_agrees_with_trying_every_mode() -> None:
    x, y = sp.symbols("x y")
    problem = cc.PiecewiseProblem.from_potential(
        absolute(x)
        + 2 * absolute(y)
        + absolute(x + y) / 2
        + (x**2 + 2 * y**2) / 2
        - p * (x + y / 3),
        [x, y],
        [p],
    )
    family = problem.family("p", {})
    full = np.array([0.0, 0.0, 0.5, 0.5, 0.5, 1.5])
    active = np.arange(3)
    halves, _ = half_branches(family, (0, 0, 0), full, active)
    for arriving in halves:
        passage = pass_through(family, arriving.mode, arriving.full, active, -arriving.direction)
        successor = passage.successor
        assert successor is not None, passage.reason
        assert any(np.allclose(h.plain(2), successor.plain(2), atol=1e-6) for h in halves)
        assert not np.allclose(arriving.plain(2), successor.plain(2), atol=1e-6)


def test_a_probe_tells_curved_margins() -> None:
    x, y = sp.symbols("x y")
    # On the curve y = p**2 the margin of the kink y vanishes to second order.
    problem = cc.PiecewiseProblem([x - p, y - p**2 + 0 * x + relu(y) * x], [x, y], [p])
    family = problem.family("p", {})
    layout = ModeLayout(2, (1,))
    full = layout.full(np.array([0.0, 0.0, 0.0]))
    tangent = mode_tangent(family, layout, full)
    assert tangent is not None
    near = probe(family, layout, full, tangent)
    assert near is not None and near[0] == pytest.approx((PROBE / np.sqrt(2)) ** 2, rel=1e-3)


def test_the_l1_penalty_drives_weights_to_zero_where_all_kinks_meet() -> None:
    X = np.random.default_rng(0).standard_normal((10, 2))
    problem = cc.models.get("relu-regression").build(X=X, w_star=[1, 1], norm="l1")
    branch = cc.trace(problem, [1, 1], "lam", (0, 2), values={"lam": 0.0}, classify=False)
    assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
    last = branch.of_kind("border")[-1]
    assert np.max(np.abs(last.x)) < 1e-12
    assert len(last.evidence["kinks"]) == 12 - 1  # |w_2| is held already
    # On the axis the gradient at 0+ is that of the data with a positive first entry.
    on = X[:, 0] > 0
    targets = np.maximum(X @ [1.0, 1.0], 0.0)
    assert last.parameter == pytest.approx(2 * np.mean(on * X[:, 0] * targets), abs=1e-12)
    beyond = branch["lam"] > last.parameter + 1e-9
    assert np.count_nonzero(beyond) > 3
    assert np.max(np.abs(branch.z[beyond, :2])) < 1e-12
    for z in branch.z[beyond]:
        assert np.max(np.abs(problem.evaluate(z[:2], {"lam": float(z[2])}))) <= 1e-12
    assert cc.classify(problem, [0, 0], {"lam": 1.9}).kind == "sharp minimum"


def test_a_branch_that_runs_into_itself_keeps_its_beginning() -> None:
    # Where branches meet, the way back leads round a loop that does not hold the start.
    x, y, z = sp.symbols("x y z")
    potential = (
        x * (z - 2 * y)
        - y * (4 * x + 4 * y + z) / 2
        + z * (2 * x - y - 2 * z) / 2
        - p * (x - 2 * z)
    )
    potential += absolute(y) / 2 - absolute(-2 * x + y - 2 * z) / 2
    potential += sp.Rational(3, 2) * (absolute(-2 * x + y + z) - absolute(-x + 2 * y - 2 * z))
    problem = cc.PiecewiseProblem.from_potential(potential, [x, y, z], [p])
    branch = cc.trace(problem, [0, 0, 0], "p", (-2, 2), values={"p": 0.37}, classify=False)
    assert {status.name for status in branch.status} <= {"END_OF_SPAN", "CLOSED_LOOP"}
    assert np.any(np.abs(branch["p"] - 0.37) < 1e-9)
    check_modes(problem, branch)
