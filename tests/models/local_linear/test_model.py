from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.errors import SpecificationError
from contcrit.models import rebuild
from contcrit.models.local_linear.model import MODEL, build, starts
from contcrit.models.local_linear.theory import H, worked_case
from tests.models.local_linear.instances import SEEDS, networks, weights

WORKED = {"x": [-2, -1, 1, 2], "y": [2, 1, 1, 2]}
FIVE = {"x": [-2, -1, 0, 1, 2], "y": [2, 1, 1.1, 1, 1.2], "free": ["y[2]"]}


def problem_of(data, **more):
    signs = data.graph.signs if data.units == "local" else 1
    return build(x=data.x, y=data.y, neurons=data.neurons, units=data.units, signs=signs, **more)


@settings(max_examples=15, deadline=None)
@given(networks(most_data=4), SEEDS, st.sampled_from([1.0, 2.5]))
def test_the_problem_is_the_gradient_of_the_cost(data, seed, T):
    w = weights(data, seed)
    assume(data.kink_margin(w) > 1e-6)
    problem = problem_of(data, T=T)
    values = problem.default_values
    assert problem.potential(w.ravel(), values) == pytest.approx(data.cost(w) / T, abs=1e-11)
    force = problem.evaluate(w.ravel(), values)
    assert force == pytest.approx(data.gradient(w).ravel() / T, abs=1e-10)
    assert -force == pytest.approx(problem.data.law(w).ravel(), abs=1e-10)
    H_ = problem.jacobian(w.ravel(), values)
    assert pytest.approx(problem.data.observability(w), abs=1e-10) == H_


def test_targets_inputs_and_held_weights_are_parameters():
    problem = build(**WORKED, free=["y[1]", "x[2]"], held={"w[1,0]": 0.5})
    assert problem.parameter_names == ("y[1]", "x[2]", "w[1,0]")
    assert problem.unknown_names == ("w[0,0]", "w[0,1]", "w[1,1]")
    values = {"y[1]": 3.0, "x[2]": 0.25, "w[1,0]": -0.75}
    data = problem.at(values)
    assert data.y.tolist() == [2, 3, 1, 2] and data.x.ravel().tolist() == [-2, -1, 0.25, 2]
    point = np.array([0.1, -0.7, 0.9])
    w = problem.weights(point, values)
    assert w.tolist() == [[0.1, -0.7], [-0.75, 0.9]]
    assert problem.evaluate(point, values) == pytest.approx(data.gradient(w)[problem.mask])
    assert problem.held_gradient(point, values) == pytest.approx([data.gradient(w)[1, 0]])
    plane = build(x=np.eye(3, 2), y=[0, 1, 2], free=["x[1,0]"])
    assert plane.at({"x[1,0]": 7.0}).x.tolist() == [[1, 0], [7, 1], [0, 0]]


@pytest.mark.parametrize("units", ["local", "relu"])
@pytest.mark.parametrize("sign", [1, -1])
def test_softened_outputs_are_within_the_temperature_of_the_kinked_ones(units, sign):
    generator = np.random.default_rng(5)
    x, y = generator.normal(size=(4, 1)), np.zeros(4)
    hard = build(x=x, y=y, neurons=3, units=units, signs=sign if units == "local" else 1)
    w = generator.normal(size=(3, 2))
    for eps in (0.1, 0.03):
        soft = build(
            x=x, y=y, neurons=3, units=units, signs=sign if units == "local" else 1, temperature=eps
        )
        values = soft.default_values
        # |yhat_eps - yhat| <= 3 eps log 2 for ReLUs, eps log 3 for a maximum.
        gap = 3 * eps * np.log(2.0) if units == "relu" else eps * np.log(3.0)
        outputs = hard.data.outputs(w)
        bound = np.sum((np.abs(outputs) + gap) ** 2 - outputs**2) / 2
        found = soft.potential(w.ravel(), values) - hard.data.cost(w)
        assert 0 < abs(found) <= bound
        step = 1e-6
        moved = np.eye(6) * step
        slopes = [
            (soft.potential(w.ravel() + d, values) - soft.potential(w.ravel() - d, values))
            / (2 * step)
            for d in moved
        ]
        assert soft.evaluate(w.ravel(), values) == pytest.approx(slopes, abs=1e-7)


@pytest.mark.parametrize(
    "constants",
    [
        {**WORKED, "free": ["y[3]", "x[0]"], "held": {"w[0,1]": -1.0}, "T": 2.0},
        {**WORKED, "temperature": 0.1},
        {"x": [[]], "y": [1.0], "units": "relu"},
        {
            "x": np.eye(3, 2), "y": [1, 2, 3], "neurons": 4, "edges": [(0, 1), (1, 2), (1, 3)],
            "signs": [1, -1, -1],
        },
    ],
)  # fmt: skip
def test_problems_are_rebuilt_from_their_description_and_pickled(constants):
    problem = build(**constants)
    w = np.random.default_rng(1).normal(size=len(problem.unknown_names))
    values = problem.default_values
    for copy in (rebuild(problem.describe()), pickle.loads(pickle.dumps(problem))):
        assert type(copy) is type(problem)
        assert copy.parameter_names == problem.parameter_names
        assert copy.evaluate(w, values).tolist() == problem.evaluate(w, values).tolist()
        assert copy.describe() == problem.describe()


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"neurons": 0}, "neurons"),
        ({"neurons": 2.5}, "neurons"),
        ({"signs": [1, 1]}, "signs"),
        ({"signs": 0}, "signs"),
        ({"signs": "up"}, "signs"),
        ({"edges": [0, 1]}, "edges"),
        ({"units": "relu", "edges": [(0, 1)]}, "edges"),
        ({"units": "tanh"}, "units"),
        ({"free": ["z[0]"]}, "free"),
        ({"free": ["y[9]"]}, "free"),
        ({"free": ["y[0]", "y[0]"]}, "free"),
        ({"free": ["x[0,1]"]}, "free"),
        ({"free": ["eps"]}, "free"),
        ({"held": {"w[2,0]": 0.0}}, "held"),
        ({"held": {"y[0]": 0.0}}, "held"),
        ({"held": {f"w[{i},{j}]": 0.0 for i in (0, 1) for j in (0, 1)}}, "held"),
        ({"temperature": 0.0}, "temperature"),
        ({"T": 0.0}, "T"),
        ({"y": [1.0]}, "y"),
        ({"depth": 3}, "depth"),
    ],
)
def test_misuse_is_refused_by_name(constants, argument):
    with pytest.raises(SpecificationError, match=f"`{argument}`"):
        MODEL.build(**{**WORKED, **constants})


def test_starts_are_critical_points_with_the_labels_of_the_worked_case():
    for h in (2.5, 0.8, -2.0):
        problem = build(**WORKED)
        found = starts(problem, {"y[3]": h})
        known = {k for k, f in worked_case().items() if h >= f.lowest}
        assert {label for label in found if "exchanged" not in label} == known | {"0+4"}
        for label, start in found.items():
            own = start.problem or problem
            x = own.point(start.unknowns)
            assert np.max(np.abs(own.evaluate(x, start.values))) < 1e-9, label
            # Critical for all weights, those held included.
            w = own.weights(x, start.values)
            values = {"y[3]": h}
            assert np.max(np.abs(problem.evaluate(w.ravel(), values))) < 1e-9, label
            assert start.values["y[3]"] == h
    with pytest.raises(SpecificationError, match="pair"):
        starts({**WORKED, "neurons": 3})


def test_families_come_with_a_problem_in_which_they_are_isolated():
    for label, start in starts(WORKED).items():
        if start.problem is None:
            continue
        branch = cc.trace(start.problem, start, "y[3]", (1.9, 2.1), values=start.values)
        assert {status.name for status in branch.status} == {"END_OF_SPAN"}, label
        assert not branch.special_points
        sizes = np.abs(np.linalg.eigvalsh(start.problem.jacobian(branch.z[0, :-1], start.values)))
        assert np.min(sizes) > 0.1


def test_held_weights_make_starts_of_a_family_isolated():
    problem = build(**WORKED, held={"w[0,1]": -2.0})
    start = starts(problem)["1+3"]
    branch = cc.trace(problem, start.unknowns, "y[3]", (1.5, 2.5), values=start.values)
    assert branch.status[1].name == "END_OF_SPAN"
    inside = (branch["y[3]"] - 1) ** 2 / 7
    assert branch["potential"] == pytest.approx(inside, abs=1e-12)
    x = branch.z[0, :3]
    at = {"y[3]": branch["y[3]"][0], "w[0,1]": -2.0}
    assert problem.held_gradient(x, at) == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("held", "start", "collisions"),
    [
        ({"w[0,1]": -1.0}, [0.0, 0.0, 1.0], {1.0: "persistence", -4 / 3: None}),
        ({"w[0,1]": -3.0}, [-4.0, 8 / 7, 2 / 7], {-4 / 3: None}),
        ({"w[1,1]": 4.0}, [8 / 7, -2 / 7, -6.0], {4 / 7: None}),
    ],
)
def test_families_of_the_worked_case_begin_at_their_border_collisions(held, start, collisions):
    problem = build(**WORKED, held=held)
    branch = cc.trace(problem, start, "y[3]", (-3.0, 4.0), values={**held, "y[3]": 2.0})
    found = {round(s.parameter, 9): s.evidence["collision"] for s in branch.of_kind("border")}
    assert set(found) == {round(h, 9) for h in collisions}
    for h, kind in collisions.items():
        assert kind is None or found[round(h, 9)] == kind
    known = worked_case()
    for h, cost in zip(branch["y[3]"], branch["potential"], strict=True):
        name = "3+1" if "w[1,1]" in held else "2+2" if held["w[0,1]"] == -1.0 and h > 1 else "1+3"
        assert cost == pytest.approx(float(known[name].cost.subs(H, float(h))), abs=1e-12)


def test_a_nonsmooth_fold_of_five_data_is_found():
    """3+2 meets the saddle on the kink at a = 0.96, where 5 a / 6 = 0.8, with error a / 6."""
    problem = build(**FIVE)
    start = starts(problem)["3+2"]
    branch = cc.trace(problem, start.unknowns, "y[2]", (0.0, 1.4), values=start.values)
    (fold,) = branch.of_kind("border")
    assert fold.parameter == pytest.approx(0.96, abs=1e-10)
    assert fold.evidence["collision"] == "nonsmooth fold"
    assert {v.kind for v in (fold.verdict_before, fold.verdict_after)} == {"minimum", "saddle"}


def test_softened_folds_tend_to_the_nonsmooth_one():
    soft = build(**{**FIVE, "free": ["y[2]", "eps"]}, temperature=0.05)
    guess = starts(build(**FIVE), {"y[2]": 1.3})["3+2"].unknowns
    shifts = []
    for eps in (0.05, 0.025, 0.0125):
        values = {"y[2]": 1.3, "eps": eps}
        branch = cc.trace(soft, guess, "y[2]", (0.9, 1.4), values=values)
        (fold,) = branch.special_points
        assert fold.kind == "fold"
        shifts.append(fold.parameter - 0.96)
    orders = np.diff(np.log(shifts)) / np.log(0.5)
    assert np.all((orders > 0.75) & (orders < 1.0))  # eps log(1 / eps)
