"""The model as a problem: its expressions, its description, and its branches."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import contcrit as cc
from contcrit import models
from contcrit.errors import SpecificationError
from contcrit.models.relu_hinge.model import MODEL, build, starts
from contcrit.models.relu_hinge.network import convolution
from contcrit.models.relu_hinge.scenarios import LABELS, LINE, alpha_branches, figure_4

POINTS = np.array([[0.3, -1.1], [1.2, 0.4], [-0.7, 0.9]])
DATA = {
    "binary": dict(X=POINTS, y=[1, -1, 1], hidden=2, alpha=0.3),
    "slice": dict(X=POINTS, y=[1, -1, 1], hidden=2, alpha=0.3, output_weights=[1.0, -1.0]),
    "deep": dict(X=POINTS, y=[1, -1, 1], hidden=(2, 1), alpha=0.3, output_bias=False),
    "convolution": dict(X=POINTS, y=[1, -1, 1], hidden=(2,), bases=[convolution(2, 1)], alpha=0.2),
    "multiclass": dict(X=POINTS, y=[0, 1, 2], loss="multiclass", mu=[0.2, 0.3, 0.5]),
    "one-versus-all": dict(X=POINTS, y=[0, 1, 2], loss="one-versus-all", alpha=0.4),
    "penalised": dict(X=POINTS, y=[0, 1, 0], loss="penalised", alpha=0.4, gamma=0.7),
    "weights": dict(X=POINTS, y=[1, -1, 1], class_weight=True, alpha=0.3),
    "moving": dict(X=POINTS, y=[1, -1, 1], moving=(1, [1.0, -2.0]), alpha=0.3),
}


@pytest.fixture(scope="module")
def problems():
    return {name: build(**constants) for name, constants in DATA.items()}


def values_of(problem):
    values = {"alpha": 0.45, "mu": 0.35, "t": 0.6}
    return {name: values[name] for name in problem.parameter_names}


@pytest.mark.parametrize("name", DATA)
def test_expressions_and_arrays_are_one_loss(problems, name):
    problem = problems[name]
    values = values_of(problem)
    network = problem.network(values)
    assert problem.blocks == network.blocks
    for x in np.random.default_rng(1).normal(size=(4, problem.size)):
        assert problem.potential(x, values) == pytest.approx(float(network.loss(x)), rel=1e-12)
        gradient = network.gradient(x)
        assert problem.evaluate(x, values) == pytest.approx(gradient, abs=1e-12)
        hessian = network.hessian(x, network.positions(x))
        assert problem.jacobian(x, values) == pytest.approx(hessian, abs=1e-10)
        assert problem.pieces(x, values).levels == (0,) * (len(network.widths) + 1)


@pytest.mark.parametrize("name", DATA)
def test_problems_are_rebuilt_from_their_description_and_pickled(problems, name):
    problem = problems[name]
    x, values = np.linspace(-1, 1, problem.size), values_of(problem)
    for copy in (models.rebuild(problem.describe()), pickle.loads(pickle.dumps(problem))):
        assert copy.describe() == problem.describe()
        assert copy.default_values == problem.default_values
        assert copy.evaluate(x, values) == pytest.approx(problem.evaluate(x, values), rel=1e-12)
        assert float(copy.network(values).loss(x)) == float(problem.network(values).loss(x))


def test_parameters_mean_what_they_say(problems):
    weights, moving = problems["weights"], problems["moving"]
    assert weights.default_values == {"alpha": 0.3, "mu": pytest.approx(1 / 3)}
    assert moving.default_values == {"alpha": 0.3, "t": 0.0}
    network = weights.network({"mu": 0.1})
    assert network.criterion.weights == pytest.approx([0.45, 0.1, 0.45])
    assert moving.network({"t": 0.5}).X[1] == pytest.approx([1.7, -0.6])
    assert pytest.approx(POINTS) == moving.network().X
    uniform = problems["one-versus-all"].data.weights
    assert uniform == pytest.approx(np.where(np.eye(3) == 1, 0.5, 0.25))


def test_model_is_found_and_starts_are_its_vertices():
    model = cc.models.get("relu-hinge")
    assert model is MODEL
    found = starts(MODEL.example, {"alpha": 0.5})
    losses = [float(start.note.split()[1]) for start in found.values()]
    assert losses == sorted(losses)
    problem = build(**MODEL.example)
    for start in found.values():
        verdict = cc.classify(problem, start.unknowns, start.values)
        assert verdict.kind in ("sharp minimum", "saddle")
        assert verdict.evidence["critical"] is True


# ---- branches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", "ABCD")
def test_branches_in_alpha_are_the_closed_forms(label):
    branch = alpha_branches()[label]
    problem = build(X=LINE, y=LABELS, output_weights=[branch.sign])
    traced = cc.trace(
        problem,
        branch.point(0.7),
        "alpha",
        (0.0, 0.99),
        values={"alpha": 0.7},
        direction="both",
    )
    low, high = branch.interval
    alpha = traced["alpha"]
    assert [status.name for status in traced.status] == ["END_OF_SPAN"] * 2
    # Beyond the border at its end the branch goes on as another one.
    closed = np.array([branch.point(a) for a in alpha])
    inside = np.max(np.abs(traced.z[:, :3] - closed), axis=1) <= 1e-9
    inside[(alpha < low - 1e-9) | (alpha > high + 1e-9)] = False
    assert np.count_nonzero(inside) > 5
    ends = {"A": (0.0, 0.99), "B": (0.0, 0.99), "C": (0.0, 0.75), "D": (2 / 3, 0.99)}[label]
    assert (np.min(alpha[inside]), np.max(alpha[inside])) == pytest.approx(ends, abs=1e-9)
    borders = [point for point in traced.special_points if point.kind == "border"]
    expected = {"A": set(), "B": set(), "C": {0.75, round(2 / 3, 10)}, "D": {round(2 / 3, 10)}}
    assert {round(point.parameter, 10) for point in borders} == expected[label]
    # On its whole interval the branch is there once.
    own = alpha[inside]
    steps = np.diff(own)
    assert np.all(steps > 0) or np.all(steps < 0)
    assert np.max(np.abs(steps)) < 0.05


def test_the_weight_of_a_class_ends_a_minimum_at_a_border():
    # Branch A at alpha = 1/2 in the weight of class -1: its multipliers leave [0, 1].
    branch = alpha_branches()["A"]
    problem = build(X=LINE, y=LABELS, output_weights=[1.0], class_weight=True, alpha=0.5)
    traced = cc.trace(
        problem,
        branch.point(0.5),
        "mu",
        (0.2, 0.8),
        values={"mu": 0.5, "alpha": 0.5},
        direction="both",
    )
    here = np.abs(traced.z[:, :3] - branch.point(0.5)).max(axis=1) < 1e-9
    low, high = np.min(traced["mu"][here]), np.max(traced["mu"][here])
    assert low < 0.5 < high
    borders = {round(point.parameter, 9) for point in traced.special_points}
    assert round(float(low), 9) in borders or low == 0.2
    assert round(float(high), 9) in borders or high == 0.8
    # Inside it is critical, beyond either border it is not: exact verdicts on both sides.
    for mu, critical in ((low + 1e-3, True), (high - 1e-3, True)):
        verdict = cc.classify(problem, branch.point(0.5), {"mu": float(mu)})
        assert verdict.evidence["critical"] is critical
    for mu in (low - 1e-3, high + 1e-3):
        if 0.2 < mu < 0.8:
            verdict = cc.classify(problem, branch.point(0.5), {"mu": float(mu)})
            assert verdict.evidence["critical"] is False


def test_a_moving_datum_moves_the_kink_that_passes_through_it():
    # Branch A keeps its kink at the datum -2 + t.
    branch = alpha_branches()["A"]
    problem = build(X=LINE, y=LABELS, output_weights=[1.0], moving=(1, [1.0]), alpha=0.5)
    traced = cc.trace(
        problem,
        branch.point(0.5),
        "t",
        (-1.0, 1.0),
        values={"t": 0.0, "alpha": 0.5},
        direction="both",
    )
    w, b, _ = traced.z[:, :3].T
    near = np.abs(traced["t"]) < 0.5
    assert np.count_nonzero(near) > 3
    assert w[near] * (-2.0 + traced["t"][near]) + b[near] == pytest.approx(0.0, abs=1e-9)
    network = problem.network({"t": float(traced["t"][near][0])})
    margins = network.switching(traced.z[near][0, :3])[-1]
    assert margins[[0, 4]] == pytest.approx(0.0, abs=1e-9)


def test_figure_4_points_are_no_limits_of_critical_points():
    scenario = figure_4()
    problem = build(**scenario.constants)
    for label in ("4b", "4c"):
        kinds = [
            cc.classify(problem, scenario.points[label], {"alpha": alpha}).kind
            for alpha in (0.0, 1e-6, 1e-3)
        ]
        assert kinds == ["flat minimum", "not critical", "not critical"]


# ---- misuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constants", "argument", "words"),
    [
        ({"X": [[np.nan]], "y": [1]}, "X", "finite"),
        ({"X": [1.0], "y": [1]}, "X", "shape"),
        ({"X": [["a"]], "y": [1]}, "X", "numbers"),
        ({"X": [[1.0]], "y": [1, 1]}, "y", "one number"),
        ({"X": [[1.0]], "y": [0.5]}, "y", "whole"),
        ({"X": [[1.0]], "y": [2]}, "y", "binary"),
        ({"X": [[1.0]], "y": [0], "loss": "multiclass"}, "y", "two classes"),
        ({"X": [[1.0]], "y": [1], "loss": "square"}, "loss", "one of"),
        ({"X": [[1.0]], "y": [1], "hidden": 0}, "hidden", "positive"),
        ({"X": [[1.0]], "y": [1], "hidden": 1.5}, "hidden", "whole"),
        ({"X": [[1.0]], "y": [1], "alpha": -0.1}, "alpha", "between"),
        ({"X": [[1.0]], "y": [1], "mu": [0.0]}, "mu", "positive"),
        ({"X": [[1.0]], "y": [1], "mu": [0.5, 0.5]}, "mu", "shape"),
        ({"X": [[1.0]], "y": [1], "gamma": 0.0}, "gamma", "positive"),
        ({"X": [[1.0]], "y": [1], "output_weights": [1.0, 1.0]}, "output_weights", "shape"),
        ({"X": [[1.0]], "y": [1], "class_weight": True}, "class_weight", "both labels"),
        ({"X": [[1.0]], "y": [1], "moving": (3, [1.0])}, "moving", "below"),
        ({"X": [[1.0]], "y": [1], "moving": 3}, "moving", "direction"),
        ({"X": [[1.0]], "y": [1], "bases": [None, None]}, "bases", "one entry"),
        ({"X": [[1.0]], "y": [1], "bases": [np.zeros((1, 2, 1))]}, "bases", "shape"),
        ({"X": [[1.0]], "y": [1], "depth": 2}, "depth", "not a constant"),
    ],
)
def test_wrong_constants_are_refused(constants, argument, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        MODEL.build(**constants)
    assert caught.value.argument == argument
