from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.contraction.claims import measure
from contcrit.errors import SpecificationError
from contcrit.models.failures.flat_activation import claims as flat_activation_claims
from contcrit.models.failures.flat_activation.laws import Sample, Staircase, sufficient_steps
from contcrit.models.failures.flat_activation.model import MODEL, build, starts

EXAMPLE = dict(MODEL.example)
SHARP = {**EXAMPLE, "sharp": True}


@pytest.mark.parametrize("smoothing", ["logistic", "probit"])
def test_smoothed_stairs_tend_to_stairs(smoothing):
    stairs = Staircase(np.array([-1.0, 0.0, 0.5, 2.0]), smoothing)
    r = np.array([-3.0, -0.1, 0.1, 0.4, 0.6, 1.9, 2.1])
    assert stairs(r).tolist() == [-1.0, -1.0, 0.0, 0.0, 0.5, 0.5, 2.0]
    assert np.allclose(stairs(r, 500.0), stairs(r), atol=1e-12)
    h = 1e-6
    slope = (stairs(r + h, 3.0) - stairs(r - h, 3.0)) / (2 * h)
    assert np.allclose(stairs.slope(r, 3.0), slope, atol=1e-8)
    for c in (3.0, np.inf):
        slope = (stairs.integral(r + h, c) - stairs.integral(r - h, c)) / (2 * h)
        assert np.allclose(stairs(r, c), slope, atol=1e-8)
    assert np.max(stairs.slope(np.linspace(-4, 4, 4001), 3.0)) <= stairs.lipschitz(3.0)


@pytest.mark.parametrize("law", ["forward-only", "gradient"])
@pytest.mark.parametrize("smoothing", ["logistic", "probit"])
def test_every_form_is_the_law(law, smoothing):
    constants = {**EXAMPLE, "law": law, "smoothing": smoothing}
    w = np.array([0.7, -1.1])
    values = {"c": 2.5, "lam": 0.3}
    problem = build(**constants)
    sample = problem.data
    force = (sample.gradient_law if law == "gradient" else sample.forward_law)(w, 2.5) - 0.3 * w
    loss = (sample.squared_loss if law == "gradient" else sample.matching_loss)(w, 2.5)
    assert np.allclose(problem.evaluate(w, values), -force, atol=1e-13)
    assert float(problem.potential(w, values)) == pytest.approx(
        float(loss) + 0.15 * float(w @ w), abs=1e-12
    )
    assert np.allclose(build(**constants, form="flow").evaluate(w, values), force, atol=1e-13)
    step = build(**constants, form="map").evaluate(w, {**values, "eta": 0.2})
    assert np.allclose(step, 0.2 * force, atol=1e-13)


def test_smooth_potentials_do_not_overflow():
    problem = build(z=[-1, 0, 1], X=[[1.0]], w_star=[0.5])
    values = {"c": 1e4, "lam": 0.0}
    for w in (0.3, 40.0, -40.0):
        expected = float(problem.data.matching_loss(np.array([w]), 1e4))
        assert float(problem.potential([w], values)) == pytest.approx(expected, rel=1e-12)
        assert np.allclose(
            problem.evaluate([w], values), -problem.data.forward_law([w], 1e4), atol=1e-12
        )


def test_staircase_as_potential_and_as_flow_agree_off_the_jumps():
    w, values = np.array([0.7, -1.1]), {"lam": 0.3}
    potential, flow = build(**SHARP), build(**SHARP, form="flow")
    force = potential.data.forward_law(w) - 0.3 * w
    assert np.allclose(potential.evaluate(w, values), -force, atol=1e-14)
    assert np.allclose(flow.evaluate(w, values), force, atol=1e-14)
    assert float(potential.potential(w, values)) == pytest.approx(
        float(potential.data.matching_loss(w)) + 0.15 * float(w @ w)
    )


def test_staircase_branch_passes_its_jumps_and_ends_among_solutions():
    problem = build(**SHARP)
    start = starts(problem)["strong decay"]
    assert cc.classify(problem, start.unknowns, start.values).kind == "minimum"
    branch = cc.trace(
        problem, start.unknowns, "lam", (1e-3, start.values["lam"]), values=start.values,
        direction="both",
    )  # fmt: skip
    assert len(branch.of_kind("border")) >= 2
    assert {verdict.kind for _, _, verdict in branch.verdicts} <= {"minimum", "sharp minimum"}
    end = int(np.argmin(branch["lam"]))
    w = np.array([branch["w[0]"][end], branch["w[1]"][end]])
    # The matching loss of the labels is least where all labels are met; w tends to there.
    data = problem.data
    least = float(data.matching_loss(np.array(EXAMPLE["w_star"])))
    assert float(data.matching_loss(w)) == pytest.approx(least, abs=1e-2)
    flow = build(**SHARP, form="flow")
    other = cc.trace(
        flow, start.unknowns, "lam", (1e-3, start.values["lam"]), values=start.values,
        direction="both",
    )  # fmt: skip
    borders = [sorted(s.parameter for s in one.of_kind("border")) for one in (branch, other)]
    assert np.allclose(*borders, rtol=1e-9)


def test_gaussian_branches_follow_the_pull():
    teacher = np.array([1.0, 0.5, 0.2])
    for extra in ({"sharp": True}, {"smoothing": "probit"}):
        problem = build(z=EXAMPLE["z"], w_star=teacher, **extra)
        assert len(problem.generators) == 1
        start = starts(problem)["minimum"]
        assert cc.classify(problem, start.unknowns, start.values).kind == "minimum"
        branch = cc.trace(problem, start.unknowns, "lam", (0.0, 1.0), values=start.values)
        w = np.array([branch[f"w[{i}]"] for i in range(3)])
        lengths = np.linalg.norm(w, axis=0)
        assert np.allclose(w / lengths, (teacher / np.linalg.norm(teacher))[:, None], atol=1e-9)
        aim = float(problem.stairs.pull(float(np.linalg.norm(teacher))))
        pull = problem.stairs.pull(lengths, start.values.get("c", np.inf))
        assert np.allclose(pull + branch["lam"] * lengths, aim, atol=1e-9)
    sharp = starts(build(z=EXAMPLE["z"], w_star=teacher, sharp=True))["minimum"]
    assert np.allclose(sharp.unknowns["w"], teacher, atol=1e-12)


def test_gaussian_law_is_an_average_over_many_inputs():
    problem = build(z=EXAMPLE["z"], w_star=[1.0, -0.5], sharp=True, form="flow")
    X = np.random.default_rng(3).normal(size=(400_000, 2))
    sample = Sample(problem.stairs, X, problem.stairs(X @ np.array([1.0, -0.5])))
    w = np.array([-0.4, 0.9])
    assert np.allclose(problem.evaluate(w, {"lam": 0.0}), sample.forward_law(w), atol=1e-2)


def test_period_doubles_at_two_over_the_curvature():
    problem = build(**EXAMPLE, form="map")
    start = starts(problem)["minimum"]
    branch = cc.trace(problem, start.unknowns, "eta", (0.1, 9.0), values=start.values)
    curvature = np.linalg.eigvalsh(
        build(**EXAMPLE).jacobian(problem.point(start.unknowns), {"c": 4.0, "lam": 0.0})
    )
    flips = sorted(special.parameter for special in branch.of_kind("flip"))
    assert flips == pytest.approx(sorted(2 / curvature), rel=1e-7)


def test_gradient_law_has_many_minima_and_forward_law_one():
    constants = {"z": [-1, 0, 1, 2], "X": [[1.0], [0.6], [-0.8]], "y": [2.0, -1.0, 0.0]}
    w, values = np.linspace(-6, 6, 20001)[:, None], {"c": 20.0, "lam": 0.0}
    data = build(**constants).data
    changes = {}
    for law, field in (("gradient", data.gradient_law), ("forward-only", data.forward_law)):
        force = field(w, values["c"])[:, 0]
        changes[law] = int(np.sum((force[:-1] > 0) & (force[1:] < 0)))
    assert changes["forward-only"] == 1
    assert changes["gradient"] > 1


def test_saturated_labels_have_no_start():
    # All labels are at the edge of the range: the least loss is at infinity.
    constants = {"z": [0, 1], "X": [[1.0], [-1.0]], "y": [1.0, 0.0]}
    assert starts(constants) == {}
    assert list(starts(constants, {"lam": 0.1})) == ["minimum"]


def test_description_rebuilds_the_problem():
    for extra in ({}, {"sharp": True}, {"law": "gradient", "form": "map"}):
        problem = build(**{**EXAMPLE, **extra})
        assert cc.models.rebuild(problem.describe()) == problem
    labelled = build(z=[0, 1], X=[[1.0]], y=[0.5])
    assert cc.models.rebuild(labelled.describe()) == labelled


def test_sufficient_steps_do_not_depend_on_units():
    eta, steps = sufficient_steps(2.0, 1.5, 3.0, 0.2)
    scaled = sufficient_steps(20.0, 1.5, 30.0, 20.0)
    assert scaled[1] == pytest.approx(steps)
    assert scaled[0] * 10 == pytest.approx(eta)


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"z": [1.0]}, "z"),
        ({"z": [1.0, 0.0]}, "z"),
        ({"z": ["a", "b"]}, "z"),
        ({"law": "backward"}, "law"),
        ({"law": "gradient", "sharp": True}, "law"),
        ({"form": "other"}, "form"),
        ({"sharp": True, "form": "map"}, "form"),
        ({"smoothing": "linear"}, "smoothing"),
        ({"w_star": [1.0]}, "w_star"),
        ({"y": [0.0] * 5}, "w_star, y"),
        ({"w_star": None}, "w_star, y"),
        ({"w_star": None, "y": [0.0]}, "y"),
        ({"X": None}, "smoothing"),
        ({"X": None, "w_star": None, "sharp": True}, "w_star"),
    ],
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as caught:
        build(**{**EXAMPLE, **constants})
    assert caught.value.argument == argument


@pytest.mark.parametrize("claim", MODEL.claims, ids=lambda claim: claim.key)
def test_claims_are_what_they_say(claim):
    found = measure(claim, seed=5)
    assert found.agrees, found.failure


class _Tilted(Staircase):
    """A staircase that is wrong in every respect."""

    def __call__(self, r, c=np.inf):
        return super().__call__(r, c) - 0.7 * np.sin(3 * np.asarray(r))

    def slope(self, r, c):
        return super().slope(r, c) + 0.5

    def pull(self, length, c=np.inf):
        return -super().pull(length, c)

    def lipschitz(self, c):
        return 0.02 * super().lipschitz(c)


def test_checks_notice_a_wrong_law(monkeypatch):
    monkeypatch.setattr(flat_activation_claims, "Staircase", _Tilted)
    for claim in MODEL.claims:
        checked = claim if claim.verdict == "true" else claim.correction
        assert not measure(checked, trials=60, seed=5).agrees, checked.key
