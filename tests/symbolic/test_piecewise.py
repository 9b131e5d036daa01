from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.criticality.pieces import Pieces
from contcrit.errors import SpecificationError
from contcrit.symbolic import parse_problem
from contcrit.symbolic.markers import absolute, leaky_relu, maximum, relu, sign, step
from contcrit.symbolic.piecewise import PiecewiseProblem
from contcrit.system import Family, ModeLayout, System

x, y, p, alpha = sp.symbols("x y p alpha")


def one_kink():
    return PiecewiseProblem.from_potential(absolute(x) + x**2 / 2 - p * x, [x], [p])


def nested():
    potential = absolute(relu(x) - y) + leaky_relu(y + p, alpha) ** 2 + (x**2 + y**2) / 4 - p * x
    return PiecewiseProblem.from_potential(potential, [x, y], [p, alpha])


VALUES = {"p": 0.5, "alpha": 0.25}


def test_sides_values_and_derivatives():
    problem = one_kink()
    values = {"p": 0.5}
    assert problem.switches == (x,)
    assert [problem.signature([v], values)[0] for v in (-2.0, 0.0, 1e-12, 3.0)] == [-1, 0, 0, 1]
    assert problem.evaluate([2.0], values) == pytest.approx([2.5])
    assert problem.evaluate([-2.0], values) == pytest.approx([-3.5])
    assert problem.evaluate([[2.0], [-2.0]], values) == pytest.approx(np.array([[2.5], [-3.5]]))
    assert problem.positions([0.0], values) == pytest.approx([0.75])
    assert problem.evaluate([0.0], values) == pytest.approx([0.0], abs=1e-15)
    assert problem.evaluate([0.0], {"p": 3.0}) == pytest.approx([-2.0])  # the smallest there is
    assert problem.evaluate([0.0], values, positions=[0.0]) == pytest.approx([-1.5])
    assert problem.jacobian([2.0], values) == pytest.approx(np.array([[1.0]]))
    assert problem.parameter_derivative([2.0], values, "p") == pytest.approx([-1.0])
    assert problem.potential([-2.0], values) == pytest.approx(5.0)
    assert problem.potential([[-2.0], [1.0]], values) == pytest.approx([5.0, 1.0])


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_gradient_agrees_with_differences_of_the_potential(seed):
    problem = nested()
    generator = np.random.default_rng(seed)
    point = generator.normal(size=2)
    h = 1e-6
    if np.any(problem.signature(point, VALUES, tolerance=1e-4) == 0):
        return
    differences = [
        (problem.potential(point + h * e, VALUES) - problem.potential(point - h * e, VALUES))
        / (2 * h)
        for e in np.eye(2)
    ]
    assert problem.evaluate(point, VALUES) == pytest.approx(differences, abs=1e-7)
    columns = [
        (problem.evaluate(point + h * e, VALUES) - problem.evaluate(point - h * e, VALUES))
        / (2 * h)
        for e in np.eye(2)
    ]
    assert problem.jacobian(point, VALUES) == pytest.approx(np.array(columns).T, abs=1e-6)


def test_observables_are_recorded_with_their_kinks():
    observables = {"size": absolute(x), "twice": lambda u, v: 2 * u[0]}
    problem = PiecewiseProblem([x + relu(x) - p], [x], [p], observables=observables)
    assert problem.observables["size"]([-3.0], {"p": 1.0}) == 3.0
    found = problem.observe([[-3.0], [2.0]], {"p": 1.0})
    assert found["size"].tolist() == [3.0, 2.0]
    assert one_kink().observe([[-2.0]], {"p": 0.5})["potential"].tolist() == [5.0]


@pytest.mark.parametrize(
    "problem",
    [
        one_kink(),
        nested(),
        PiecewiseProblem([p - sign(x), x - step(y) * y], [x, y], [p], name="sliding"),
        PiecewiseProblem([maximum(x, y, p), x], {"u": [x, y]}, [p], kind="equation"),
    ],
)
def test_description_pickle_and_equality(problem):
    again = PiecewiseProblem.from_description(problem.describe())
    assert again == problem
    assert hash(again) == hash(problem)
    assert cc.Problem.from_description(problem.describe()) == problem
    copied = pickle.loads(pickle.dumps(problem))
    assert copied == problem
    point = np.linspace(0.3, 0.9, problem.size)
    values = dict.fromkeys(problem.parameter_names, 0.4)
    assert copied.evaluate(point, values) == pytest.approx(problem.evaluate(point, values))
    family = pickle.loads(
        pickle.dumps(problem.family("p", {k: v for k, v in values.items() if k != "p"}))
    )
    assert family.mode_of(np.append(point, 0.4)) == tuple(problem.signature(point, values))


def test_problem_files_may_hold_markers():
    document = {
        "problem": {
            "potential": "absolute(x) + x**2/2 - p*x",
            "unknowns": ["x"],
            "parameters": ["p"],
        },
        "values": {"p": 0.5},
    }
    problem = parse_problem(document)
    assert isinstance(problem, PiecewiseProblem)
    assert problem == one_kink()


def test_a_family_states_one_system_for_each_mode():
    family = nested().family("p", {"alpha": 0.25})
    assert isinstance(family, Family)
    generator = np.random.default_rng(1)
    for mode in ((1, 1, 1), (0, 1, -1), (1, 0, 0), (0, 0, 0)):
        layout = ModeLayout(2, mode)
        system = family.system(mode)
        assert isinstance(system, System)
        z = generator.uniform(0.2, 0.8, size=layout.columns.size)
        along = generator.normal(size=z.size)
        residual, jacobian = system.residual_and_jacobian(z)
        full, full_jacobian = family.expansion(layout.full(z))
        assert residual == pytest.approx(full[layout.rows])
        assert jacobian == pytest.approx(full_jacobian[np.ix_(layout.rows, layout.columns)])
        h = 1e-6
        slope = (system.residual(z + h * along) - system.residual(z - h * along)) / (2 * h)
        assert jacobian @ along == pytest.approx(slope, abs=1e-8)
        bend = (system.jacobian(z + h * along) - system.jacobian(z - h * along)) / (2 * h)
        assert system.second(z, along) == pytest.approx(bend, abs=1e-7)
        g, rates = family.switching(layout.full(z), layout.full_direction(along))
        assert g[0] == pytest.approx(full[2:])
        wide = layout.full_direction(along)
        assert rates[0] == pytest.approx(full_jacobian[2:] @ wide)


def test_reduced_hessians_count_descending_kinks():
    potential = absolute(x) - absolute(y) + x * y - p * x
    problem = PiecewiseProblem.from_potential(potential, [x, y], [p])
    system = problem.family("p", {}).system((0, 0))
    matrix, symmetric = system.spectral_matrix(np.array([0.0, 0.0, 0.5, 0.5, 0.0]))
    assert symmetric
    assert sorted(np.sign(np.linalg.eigvalsh(matrix))) == [-1, 1]


def test_sliding_flow():
    # On y = 0 the flow slides with x' = -x + p, whatever the vertical speed.
    problem = PiecewiseProblem([-x + p + y, x - sign(y) * 3], [x, y], [p])
    values = {"p": 0.5}
    assert problem.evaluate([0.5, 0.0], values) == pytest.approx([0.0, 0.0], abs=1e-14)
    assert problem.sliding_jacobian([0.5, 0.0], values) == pytest.approx(np.array([[-1.0]]))
    verdict = cc.classify(problem, [0.5, 0.0], values)
    assert verdict.evidence["stability"] == "stable"
    assert verdict.evidence["sliding"] is True
    assert cc.classify(problem, [0.5, 0.0], {"p": 0.9}).kind == "not critical"


def test_pieces_of_nested_kinks():
    problem = PiecewiseProblem.from_potential(absolute(relu(x) - y) + relu(y), [x, y], [])
    pieces = problem.pieces([0.0, 0.0], {})
    assert isinstance(pieces, Pieces)
    assert pieces.levels == (2, 1)
    assert pieces.linear
    assert pieces.switching_gradients(0, np.array([])) == pytest.approx(np.eye(2))
    assert pieces.switching_gradients(1, np.array([1, 1])) == pytest.approx(np.array([[1.0, -1.0]]))
    assert pieces.switching_gradients(1, np.array([-1, 1])) == pytest.approx(
        np.array([[0.0, -1.0]])
    )
    assert pieces.gradient(np.array([1, 1, 1])) == pytest.approx([1.0, 0.0])
    assert pieces.gradient(np.array([1, -1, -1])) == pytest.approx([-1.0, 1.0])
    assert pieces.hessian(np.array([1, 1, 1])) == pytest.approx(np.zeros((2, 2)))
    smooth = problem.pieces([1.0, 3.0], {})
    assert smooth.levels == ()
    assert not one_kink().pieces([0.0], {"p": 0.0}).linear


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_pieces_agree_with_the_function_nearby(seed):
    generator = np.random.default_rng(seed)
    problem = nested()
    point = np.array([0.0, 0.0])
    values = {"p": 0.0, "alpha": 0.25}
    pieces = problem.pieces(point, values)
    direction = generator.normal(size=2)
    direction /= np.linalg.norm(direction)
    signs: list[float] = []
    for level in range(len(pieces.levels)):
        rows = pieces.switching_gradients(level, np.array(signs))
        if np.any(np.abs(rows @ direction) < 1e-3):
            return
        signs.extend(np.sign(rows @ direction))
    slope = pieces.gradient(np.array(signs)) @ direction
    h = 1e-7
    moved = problem.potential(point + h * direction, values) - problem.potential(point, values)
    assert moved / h == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: PiecewiseProblem([relu(x), x], [x], [p]), "as many equations"),
        (lambda: PiecewiseProblem([relu(p)], [x], [p]), "does not depend on any unknown"),
        (lambda: PiecewiseProblem([sp.floor(x)], [x], [p]), "no marker states"),
        (lambda: PiecewiseProblem([relu(y)], [x], [p]), "neither an unknown nor a parameter"),
        (lambda: PiecewiseProblem.from_potential(step(x), [x], [p]), "continuous"),
        (lambda: PiecewiseProblem([relu(x)], [x], [p], kind="potential"), "from_potential"),
        (lambda: PiecewiseProblem([relu(x)], [x], [p], generators=[[[1.0]]]), "not taken"),
        (lambda: one_kink().evaluate([0.0], {"p": 0.0}, positions=[0.1, 0.2]), "needs 1 numbers"),
        (lambda: one_kink().signature([[0.0]], {"p": 0.0}), "one point"),
        (lambda: one_kink().family("q", {}), "not a parameter"),
    ],
)
def test_misuse_is_refused(build, match):
    with pytest.raises(SpecificationError, match=match):
        build()


def test_fifty_kinks_build_quickly():
    generator = np.random.default_rng(0)
    weights, outer = sp.symbols("w:6"), sp.symbols("v:2")
    loss = 0
    for _ in range(17):
        u = generator.normal(size=3)
        hidden = [
            leaky_relu(sum(weights[3 * i + j] * u[j] for j in range(3)), alpha) for i in (0, 1)
        ]
        loss += relu(1 - sum(outer[i] * hidden[i] for i in (0, 1)))
    unknowns = [*weights, *outer]
    began = time.process_time()
    problem = PiecewiseProblem.from_potential(loss + sum(u**2 for u in unknowns), unknowns, [alpha])
    assert len(problem.switches) == 51
    assert time.process_time() - began < 4.0
    point = generator.normal(size=8)
    family = problem.family("alpha", {})
    z = np.append(point, 0.1)
    mode = family.mode_of(z)
    assert family.system(mode).residual(z) == pytest.approx(problem.evaluate(point, {"alpha": 0.1}))
