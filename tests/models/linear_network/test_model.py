from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

import contcrit.models as models
from contcrit.errors import SpecificationError
from contcrit.models.linear_network.checks import commuting_skew
from contcrit.models.linear_network.model import MODEL, build, starts

ROTATION = [[0.0, -1.0], [1.0, 0.0]]
GENERATOR = np.random.default_rng(7)
DATA = {
    "normal": {"R": ROTATION},
    "deep": {"R": [[0.5, -1.0], [1.0, 0.3]], "Sigma0": [[2.0, 0.3], [0.3, 0.7]], "T": 1.7},
    "correlated": {"correlation": [[0.0, -1.0], [2.0, 1.0]], "Sigma0": [[2.0, 0.0], [0.0, 1.0]]},
    "samples": {
        "R": ROTATION,
        "noise_correlation": [[0.1, 0.0], [0.05, 0.2]],
        "Sigma0": [[1.2, 0.1], [0.1, 0.9]],
    },
    "slope": {"R": ROTATION, "R_slope": [[0.0, 0.0], [0.0, 1.0]]},
    "homotopy": {"R": [[0.0, -1.0], [1.0, 1.5]], "log_winding": 1},
    "scalar": {"R": [[3.0]], "Sigma0": [[0.5]]},
    "three": {"R": expm(0.5 * GENERATOR.normal(size=(3, 3))), "T": 0.8},
}
PROBLEMS = {name: build(**constants) for name, constants in DATA.items()}


def values_of(problem, lam, mu=0.6):
    return {"lam": lam, "mu": mu} if "mu" in problem.parameter_names else {"lam": lam}


@given(st.sampled_from(list(DATA)), st.integers(0, 1000), st.floats(0.0, 3.0))
def test_the_matrix_equation_is_the_theory(name, seed, lam):
    problem = PROBLEMS[name]
    values = values_of(problem, lam)
    x = np.random.default_rng(seed).normal(size=problem.size)
    C = problem.unpack(x)["C"]
    network = problem.data.network(values)
    residual = network.residual(C, lam).ravel()
    scale = 1 + np.max(np.abs(residual))
    assert problem.evaluate(x, values) == pytest.approx(residual, abs=1e-10 * scale)
    jacobian = network.residual_derivative(C, lam)
    scale = 1 + np.max(np.abs(jacobian))
    assert problem.jacobian(x, values) == pytest.approx(jacobian, abs=1e-10 * scale)
    assert problem.parameter_derivative(x, values, "lam") == pytest.approx(x)
    assert problem.observables["cost"](x, values) == pytest.approx(network.cost(C, lam))
    assert problem.observables["normality"](x, values) == pytest.approx(
        np.linalg.norm(C @ C.T - C.T @ C)
    )


def test_the_finite_sample_form_is_that_of_the_samples():
    # lam C = F^T (R - F) Sigma + F^T Q with the moments of N samples: a gradient of their cost.
    generator = np.random.default_rng(0)
    X, noise = generator.normal(size=(2, 50)), 0.3 * generator.normal(size=(2, 50))
    R = np.array(ROTATION)
    Z = R @ X + noise
    samples = build(R=R, Sigma0=X @ X.T / 50, noise_correlation=noise @ X.T / 50)
    correlated = build(correlation=Z @ X.T / 50, Sigma0=X @ X.T / 50)
    x, values = generator.normal(size=4), {"lam": 0.2}
    assert samples.evaluate(x, values) == pytest.approx(correlated.evaluate(x, values))
    costs = []
    for point in (x, generator.normal(size=4)):
        F = samples.data.network(values).end(point.reshape(2, 2))
        direct = 0.1 * point @ point + 0.5 * np.sum((F @ X - Z) ** 2) / 50
        costs.append(direct - samples.observables["cost"](point, values))
    assert costs[0] == pytest.approx(costs[1])  # the constant that no weights can change


def test_the_target_moves_with_mu():
    slope, homotopy = PROBLEMS["slope"], PROBLEMS["homotopy"]
    assert slope.default_values == {"mu": 0.0}
    assert homotopy.default_values == {"mu": 1.0}
    assert pytest.approx(np.array([[0, -1], [1, 0.5]])) == slope.data.network({"mu": 0.5}).R
    assert pytest.approx(np.array([[0, -1], [1, 1.5]])) == homotopy.data.network({"mu": 1.0}).R
    assert pytest.approx(np.eye(2)) == homotopy.data.network({"mu": 0.0}).R
    for lam in (0.0, 0.7):
        assert homotopy.evaluate(np.zeros(4), {"lam": lam, "mu": 0.0}) == pytest.approx(0.0)
    assert PROBLEMS["normal"].parameter_names == ("lam",)
    assert slope.parameter_names == homotopy.parameter_names == ("lam", "mu")


@pytest.mark.parametrize(
    ("constants", "count"),
    [
        (DATA["normal"], 1),
        ({"R": ROTATION, "Sigma0": [[2.0, 0.0], [0.0, 1.0]]}, 0),
        ({"R": ROTATION, "R_slope": [[1.0, -0.5], [0.5, 1.0]]}, 1),
        (DATA["slope"], 0),
        (DATA["samples"], 0),
        ({"R": [[2.0]]}, 0),
        ({"R": 2.0 * np.eye(3)}, 3),
        ({"R": 2.0 * np.eye(3), "Sigma0": np.diag([1.0, 1.0, 3.0])}, 1),
        ({"R": np.kron(np.eye(2), np.array(ROTATION))}, 4),
        ({"R": ROTATION, "log_winding": -1}, 1),
    ],
)
def test_generators_are_the_rotations_that_keep_the_data(constants, count):
    problem = build(**constants)
    assert len(problem.generators) == count
    generator = np.random.default_rng(1)
    x, values = generator.normal(size=problem.size), values_of(problem, 0.4)
    if not count:
        assert problem.unfolding(x, values) is None
        return
    # The unfolding is normal to the residual everywhere, since the cost does not see rotations.
    rows, residual = problem.unfolding(x, values), problem.evaluate(x, values)
    assert rows.shape == (count, problem.size)
    size = np.linalg.norm(rows, axis=1) * np.linalg.norm(residual)
    assert np.all(np.abs(rows @ residual) <= 1e-11 * size)
    for S in problem.data.generators:
        assert pytest.approx(-S.T, abs=1e-14) == S
        Q, C = expm(0.7 * S), problem.unpack(x)["C"]
        moved = problem.evaluate(problem.pack(C=Q @ C @ Q.T), values).reshape(C.shape)
        assert moved == pytest.approx(Q @ residual.reshape(C.shape) @ Q.T, abs=1e-9)


def test_the_unfolding_is_a_left_null_direction_at_solutions(tools, quarter):
    problem = PROBLEMS["normal"]
    guess = np.array([[1.25222693, 1.91689868], [-5.07972376, -1.588999]])
    C = tools.solve(quarter.network, 0.1, guess)
    x, values = C.ravel(), {"lam": 0.1}
    row = problem.unfolding(x, values)[0]
    jacobian = problem.jacobian(x, values)
    assert row @ jacobian == pytest.approx(0.0, abs=1e-9 * np.linalg.norm(row))
    along = problem.generators[0] @ np.append(x, 1.0)
    assert jacobian @ along == pytest.approx(0.0, abs=1e-9)
    assert np.linalg.norm(along) > 1.0


def test_classify_uses_the_generators(quarter, tools):
    problem = PROBLEMS["normal"]
    guess = np.array([[1.25222693, 1.91689868], [-5.07972376, -1.588999]])
    x = tools.solve(quarter.network, 0.1, guess).ravel()
    verdict = problem.classify(x, {"lam": 0.1})
    assert (verdict.kind, verdict.index, verdict.gauge_nullity) == ("minimum", 0, 1)


def test_starts_solve_their_problems():
    for name in ("normal", "deep", "correlated", "samples", "slope", "scalar", "three"):
        problem = PROBLEMS[name]
        for label, start in starts(problem, windings=(-1, 0, 1)).items():
            owner = problem if start.problem is None else start.problem
            x = owner.pack(**start.unknowns)
            assert owner.evaluate(x, start.values) == pytest.approx(0.0, abs=1e-9), (name, label)
            assert start.values["lam"] == 0.0
    assert list(starts(PROBLEMS["normal"])) == ["n=0", "n=-1", "n=1", "n=-2", "n=2"]
    assert list(starts(PROBLEMS["scalar"])) == ["n=0"]
    assert starts(PROBLEMS["homotopy"])["identity"].values == {"lam": 0.0, "mu": 0.0}


def test_starts_beyond_reach_bring_the_homotopy():
    start = starts({"R": [[0.0, -1.0], [1.0, 1.5]]}, windings=(1,))["n=1"]
    assert start.problem.parameter_names == ("lam", "mu")
    assert start.unknowns["C"] == pytest.approx(0.0)
    assert "mu" in start.note
    assert (
        pytest.approx(np.array([[0.0, -1.0], [1.0, 1.5]]))
        == start.problem.data.network({"mu": 1.0}).R
    )


def test_negative_regularisation_is_refused():
    problem = PROBLEMS["normal"]
    problem.validate_values({"lam": 0.0})
    with pytest.raises(SpecificationError, match="lam"):
        problem.validate_values({"lam": -0.1})
    with pytest.raises(SpecificationError, match="lam"):
        problem.classify(np.ones(4), {"lam": -0.1})


@pytest.mark.parametrize("name", DATA)
def test_problems_are_rebuilt_from_their_description_and_pickled(name):
    problem = PROBLEMS[name]
    x, values = np.linspace(-1, 1, problem.size), values_of(problem, 0.3)
    for copy in (models.rebuild(problem.describe()), pickle.loads(pickle.dumps(problem))):
        assert copy.describe() == problem.describe()
        assert copy.evaluate(x, values) == pytest.approx(problem.evaluate(x, values), rel=1e-12)
        assert copy.classify(x, values).kind == problem.classify(x, values).kind


@pytest.mark.parametrize(
    ("constants", "argument", "words"),
    [
        ({}, "R", "must be given"),
        ({"R": ROTATION, "correlation": ROTATION}, "R", "not both"),
        ({"R": [[1.0, 2.0]]}, "R", "square"),
        ({"R": 3.0}, "R", "square"),
        ({"R": [[np.nan]]}, "R", "finite"),
        ({"R": [["a"]]}, "R", "numbers"),
        ({"R": [[-2.0]]}, "R", "det R = -2"),
        ({"R": [[0.0]]}, "R", "negative real axis"),
        ({"R": -np.eye(2)}, "R", "P1"),
        ({"R": [[1.0, 0.0], [0.0, -1.0]]}, "R", "no weights at all"),
        ({"correlation": [[-2.0]]}, "correlation", "P1"),
        ({"R": [[1.0]], "noise_correlation": [[-2.0]]}, "R", "P1"),
        ({"R": ROTATION, "Sigma0": np.eye(3)}, "Sigma0", "shape"),
        ({"R": ROTATION, "Sigma0": [[1.0, 0.5], [0.0, 1.0]]}, "Sigma0", "symmetric"),
        ({"R": ROTATION, "Sigma0": [[1.0, 1.0], [1.0, 1.0]]}, "Sigma0", "positive definite"),
        ({"R": ROTATION, "Sigma0": -np.eye(2)}, "Sigma0", "positive definite"),
        ({"R": ROTATION, "T": 0.0}, "T", "positive"),
        ({"R": ROTATION, "T": np.inf}, "T", "finite"),
        ({"R": ROTATION, "T": "1"}, "T", "finite"),
        ({"R": ROTATION, "T": True}, "T", "positive"),
        ({"R": ROTATION, "R_slope": np.eye(3)}, "R_slope", "shape"),
        ({"R": ROTATION, "R_slope": np.eye(2), "log_winding": 0}, "log_winding", "R_slope"),
        ({"R": ROTATION, "noise_correlation": np.eye(2), "log_winding": 0}, "log_winding", "noise"),
        ({"correlation": np.eye(2), "R_slope": np.eye(2)}, "correlation", "instead"),
        ({"R": ROTATION, "log_winding": (0, 1)}, "windings", "each of the 1 pairs"),
        ({"R": ROTATION, "depth": 2.0}, "depth", "not a constant"),
    ],
)
def test_wrong_constants_are_refused(constants, argument, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        MODEL.build(**constants)
    assert caught.value.argument == argument


def test_commuting_skew_of_one_dimension_is_empty():
    assert commuting_skew([np.eye(1)]) == []
