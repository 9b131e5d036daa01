"""Observables of matrix problems at many points at once."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
import sympy as sp
from numpy.testing import assert_allclose
from sympy.matrices.expressions import Determinant, Trace

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.symbolic import matrix_observe
from contcrit.symbolic.matrix import Exp, FrechetExp
from contcrit.symbolic.matrix_problem import MatrixProblem

d = sp.Symbol("d", integer=True, positive=True)
C, A = (sp.MatrixSymbol(name, d, d) for name in "CA")
p, q = sp.symbols("p q")
OBSERVABLES = {
    "trace": Trace(Exp(C) * A) + p * q,
    "root": sp.sqrt(Trace(C.T * C)) * sp.sin(q),
    "determinant": Determinant(C + p * A),
    "entry": C[0, 1] ** 2 - Exp(C.T)[1, 0] / p,
    "slope": Trace(FrechetExp(C, A)),
    "inverse": Trace((C.T * C + A).I),
    "constant": sp.Integer(3),
}


def problem_of(rng, n, **observables):
    constants = {A: np.eye(n) + 0.1 * rng.standard_normal((n, n))}
    return MatrixProblem(p * C - q * A, C, [p, q], constants, observables=observables)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_many_points_agree_with_one_at_a_time(rng, n, monkeypatch):
    monkeypatch.setattr(matrix_observe, "_CHUNK", 4 * n * n)  # 7 points in two stacks
    problem = problem_of(rng, n, **OBSERVABLES)
    x, numbers = 0.7 * rng.standard_normal((7, n * n)), rng.uniform(0.5, 2.0, 7)
    found = problem.observe(x, {"p": numbers, "q": 0.3})
    assert tuple(found) == tuple(OBSERVABLES)
    for name, single in problem.observables.items():
        expected = [single(x[i], {"p": numbers[i], "q": 0.3}) for i in range(7)]
        assert found[name].shape == (7,)
        assert_allclose(found[name], expected, rtol=2e-13, atol=1e-13)


def test_both_routes_agree_at_size_two(rng, monkeypatch):
    problem = problem_of(rng, 2, **OBSERVABLES)
    x, values = rng.standard_normal((9, 4)), {"p": rng.uniform(0.5, 2.0, 9), "q": -0.4}
    compiled = problem.observe(x, values)
    monkeypatch.setattr(matrix_observe, "_compile", lambda *_: None)
    stacked = problem_of(rng, 2, **OBSERVABLES)
    stacked.constants = problem.constants
    for name, column in stacked.observe(x, values).items():
        assert_allclose(column, compiled[name], rtol=2e-13, atol=1e-13)


def test_explicit_matrices_may_hold_parameters(rng):
    x = sp.MatrixSymbol("X", 2, 2)
    frame = sp.ImmutableMatrix([[p, 1], [x[0, 0], q]])
    expression = Trace(frame * x.T * Exp(frame))
    problem = MatrixProblem(p * x - q * x.T, x, [p, q], observables={"value": expression})
    points, numbers = rng.standard_normal((3, 4)), rng.uniform(0.5, 2.0, 3)
    single = problem.observables["value"]
    expected = [single(points[i], {"p": numbers[i], "q": 0.3}) for i in range(3)]
    program = problem.program("observables")
    stacked = program(points.reshape(3, 2, 2), numbers[:, None, None], 0.3)[0]
    assert_allclose(np.ravel(stacked), expected, rtol=1e-13)
    assert_allclose(problem.observe(points, {"p": numbers, "q": 0.3})["value"], expected)


def test_functions_of_the_users_are_called_at_every_point(rng):
    def weighted(x, values):
        assert isinstance(values["p"], float)
        return values["p"] * float(x[0])

    problem = problem_of(rng, 3, weighted=weighted, trace=Trace(C))
    x, numbers = rng.standard_normal((5, 9)), rng.uniform(0.5, 2.0, 5)
    found = problem.observe(x, {"p": numbers, "q": 1.0})
    assert list(found) == ["weighted", "trace"]
    assert_allclose(found["weighted"], numbers * x[:, 0])
    assert_allclose(found["trace"], x[:, [0, 4, 8]].sum(axis=1), atol=1e-15)


@pytest.mark.parametrize("n", [2, 3])
def test_overflow_spoils_only_its_own_point(rng, n):
    problem = problem_of(rng, n, size=Trace(Exp(C)))
    x = 0.1 * rng.standard_normal((3, n * n))
    x[1] = np.inf
    found = problem.observe(x, {"p": 1.0, "q": 1.0})["size"]
    assert np.isfinite(found).tolist() == [True, False, True]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"Sigma0": True},
        {"noise_correlation": True},
        {"correlation": True},
        {"R_slope": True},
        {"log_winding": 1},
    ],
)
@pytest.mark.parametrize("n", [2, 4])
def test_linear_network_cost_and_normality_are_those_of_the_theory(rng, n, extra):
    constants = {"R": np.eye(n) + 0.3 * rng.standard_normal((n, n))}
    if "log_winding" in extra:
        turn = np.array([[0.0, -1.0], [1.0, 0.2]])
        constants |= {"R": np.kron(np.eye(n // 2), turn), "log_winding": 1}
    elif "Sigma0" in extra:
        constants["Sigma0"] = np.diag(np.arange(1.0, n + 1))
    elif "correlation" in extra:
        constants = {"correlation": constants["R"], "Sigma0": np.diag(np.arange(1.0, n + 1))}
    elif extra:
        constants |= {name: 0.2 * rng.standard_normal((n, n)) for name in extra}
    problem = cc.models.get("linear-network").build(T=1.2, **constants)
    x, rates = 0.4 * rng.standard_normal((6, n * n)), rng.uniform(0.1, 2.0, 6)
    fixed = {name: 0.7 for name in problem.parameter_names if name != "lam"}
    found = problem.observe(x, {"lam": rates, **fixed})
    for i, rate in enumerate(rates.tolist()):
        matrix = x[i].reshape(n, n)
        network = problem.data.network({"lam": rate, **fixed})
        assert found["cost"][i] == pytest.approx(network.cost(matrix, rate), rel=1e-12)
        defect = np.linalg.norm(matrix @ matrix.T - matrix.T @ matrix)
        assert found["normality"][i] == pytest.approx(defect, rel=1e-12)


def test_ten_thousand_points_of_size_two_take_a_microsecond_each(rng):
    problem = cc.models.get("linear-network").build(R=[[0.0, -1.0], [1.0, 0.0]])
    x, rates = rng.standard_normal((10_000, 4)), rng.uniform(0.1, 1.0, 10_000)
    problem.observe(x[:2], {"lam": 0.1})
    spent = []
    for _ in range(5):
        begin = time.process_time()
        problem.observe(x, {"lam": rates})
        spent.append(time.process_time() - begin)
    assert min(spent) < 10_000 * 1e-6


def test_pickled_problem_observes_alike(rng):
    problem = problem_of(rng, 2, trace=Trace(C * A))
    x, values = rng.standard_normal((3, 4)), {"p": 1.0, "q": 2.0}
    before = problem.observe(x, values)["trace"]
    again = pickle.loads(pickle.dumps(problem))
    assert_allclose(again.observe(x, values)["trace"], before, rtol=0)


def test_no_points_and_no_observables(rng):
    assert problem_of(rng, 3).observe(np.zeros((2, 9)), {"p": 1.0, "q": 1.0}) == {}
    found = problem_of(rng, 3, trace=Trace(C)).observe(np.zeros((0, 9)), {"p": [], "q": 1.0})
    assert found["trace"].shape == (0,)


@pytest.mark.parametrize(
    ("x", "values", "argument"),
    [
        (np.zeros(4), {"p": 1.0, "q": 1.0}, "x"),
        (np.zeros((3, 5)), {"p": 1.0, "q": 1.0}, "x"),
        (np.zeros((3, 4)), {"p": [1.0, 2.0], "q": 1.0}, "p"),
        (np.zeros((3, 4)), {"p": "one", "q": 1.0}, "p"),
        (np.zeros((3, 4)), {"p": 1.0}, "values"),
        (np.zeros((3, 4)), {"p": 1.0, "q": 1.0, "r": 0.0}, "values"),
        (np.zeros((3, 4)), [1.0, 1.0], "values"),
    ],
)
def test_misuse_is_refused(rng, x, values, argument):
    with pytest.raises(SpecificationError, match=argument):
        problem_of(rng, 2, trace=Trace(C)).observe(x, values)
