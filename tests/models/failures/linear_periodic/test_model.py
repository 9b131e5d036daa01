from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.contraction.claims import Outcome, measure
from contcrit.errors import SpecificationError
from contcrit.models.failures.linear_periodic import claims as linear_periodic_claims
from contcrit.models.failures.linear_periodic import theory as linear_periodic_theory
from contcrit.models.failures.linear_periodic.model import MODEL, build, starts
from contcrit.models.failures.linear_periodic.theory import (
    LinearPeriodic,
    distance_to_critical_set,
    eigenvalues,
    gradient_variance,
    variance_bound,
)


@pytest.mark.parametrize("coefficients", [(1.0,), (1.0, -0.5, 0.2)])
@pytest.mark.parametrize("direction", [None, (1.0, -2.0, 0.5)])
def test_the_problem_is_the_loss(coefficients, direction):
    problem = build(3, direction, coefficients)
    loss = problem.loss({"r": 1.3})
    assert np.linalg.norm(loss.v) == pytest.approx(1.3)
    for w in np.random.default_rng(0).normal(size=(4, 3)):
        values = {"r": 1.3}
        assert float(problem.potential(w, values)) == pytest.approx(float(loss.loss(w)), abs=1e-14)
        assert np.allclose(problem.evaluate(w, values), loss.gradient(w), atol=1e-13)
        assert np.allclose(problem.jacobian(w, values), loss.hessian(w), atol=1e-12)


def test_the_loss_vanishes_at_the_target_only_of_the_critical_points():
    loss = LinearPeriodic(np.array([1.2, 0.0]))
    sphere = np.array([0.0, 1.2 / np.sqrt(3)])
    assert float(loss.loss(-loss.v)) == pytest.approx(0.0, abs=1e-16)
    assert 0 < float(loss.loss(sphere)) < float(loss.loss(np.zeros(2)))


@pytest.mark.parametrize(
    ("label", "kind", "index", "gauge"),
    [("target", "minimum", 0, 0), ("sphere", "saddle", 1, 2), ("origin", "maximum", 4, 0)],
)
def test_verdicts_are_those_of_the_closed_form(label, kind, index, gauge):
    problem = build(4, (0.0, 1.0, 1.0, 0.0))
    start = starts(problem, 1.5)[label]
    verdict = cc.classify(problem, start.unknowns, start.values)
    assert (verdict.kind, verdict.index, verdict.gauge_nullity) == (kind, index, gauge)
    found = np.linalg.eigvalsh(problem.jacobian(problem.point(start.unknowns), start.values))
    assert np.allclose(found, eigenvalues(label, 1.5, 4), atol=1e-12)


def test_every_branch_passes_the_origin_at_r_zero():
    problem = build(3)
    for label in ("target", "sphere", "origin"):
        start = starts(problem)[label]
        branch = cc.trace(
            problem, start.unknowns, "r", (-0.5, 3.0), values=start.values, direction="both"
        )
        (special,) = branch.of_kind("branch-point")
        assert special.parameter == pytest.approx(0.0, abs=1e-7)
        assert np.allclose(special.x, 0.0, atol=1e-7)
        lengths = np.linalg.norm([branch[f"w[{i}]"] for i in range(3)], axis=0)
        factor = {"target": 1.0, "sphere": 1 / np.sqrt(3), "origin": 0.0}[label]
        assert np.allclose(lengths, factor * np.abs(branch["r"]), atol=1e-9)


def test_one_orbit_of_saddles_and_nothing_else():
    # In the plane the sphere is two points: five critical points in all.
    found = cc.find(build(2), (-2.5, 2.5), {"r": 1.0})
    lengths = sorted(float(np.linalg.norm(x)) for x in found.points)
    assert np.allclose(lengths, [0.0, 3**-0.5, 3**-0.5, 1.0, 1.0], atol=1e-8)


def test_descent_doubles_its_period_at_two_over_the_curvature():
    problem = build(2, step_size=True)
    start = starts(problem)["target"]
    branch = cc.trace(
        problem, start.unknowns, "eta", (0.5, 6.0), values={**start.values, "eta": 0.5}
    )
    curvature = eigenvalues("target", 1.0, 2)
    flips = sorted(special.parameter for special in branch.of_kind("flip"))
    assert flips == pytest.approx(sorted(2 / curvature), rel=1e-7)


def test_variance_falls_exponentially_in_the_dimension():
    lengths = np.linspace(0.0, 12.0, 60)
    largest = [
        max(gradient_variance(float(x), np.sqrt(d), d) for x in lengths) for d in (4, 8, 16, 32)
    ]
    bounds = [variance_bound(np.sqrt(d), d) for d in (4, 8, 16, 32)]
    assert np.all(np.array(largest) <= bounds)
    assert np.all(np.diff(np.log(largest)) < -0.4 * np.diff([4, 8, 16, 32]) * 0.5)


def test_distance_to_the_critical_set():
    v = np.array([2.0, 0.0])
    assert distance_to_critical_set(np.array([0.0, 2 / np.sqrt(3)]), v) == pytest.approx(0.0)
    assert distance_to_critical_set(np.array([-2.0, 0.1]), v) == pytest.approx(0.1)


def test_description_rebuilds_the_problem():
    problem = build(2, (3.0, 4.0), (1.0, 0.25))
    assert cc.models.rebuild(problem.describe()) == problem


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"d": 0}, "d"),
        ({"d": 2.5}, "d"),
        ({"d": 2, "direction": [1.0]}, "direction"),
        ({"d": 2, "direction": [0.0, 0.0]}, "direction"),
        ({"coefficients": [0.0]}, "coefficients"),
        ({"coefficients": ["one"]}, "direction, coefficients"),
    ],
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as caught:
        build(**constants)
    assert caught.value.argument == argument


@pytest.mark.parametrize("claim", MODEL.claims, ids=lambda claim: claim.key)
def test_claims_are_what_they_say(claim):
    found = measure(claim, seed=11)
    assert found.agrees, found.failure


def test_checks_notice_a_wrong_formula(monkeypatch):
    broken = {
        "closed-form": ("LinearPeriodic", _Halved),
        "critical-set": ("distance_to_critical_set", lambda w, v: float(np.linalg.norm(w - v))),
        "axis": ("slope_on_the_axis", lambda t, r: t - 1.2 * r),
        "eigenvalues": ("eigenvalues", lambda kind, r, d: -eigenvalues(kind, r, d)),
        "theorem-2": ("variance_bound", lambda r, d: 1e-3 * variance_bound(r, d)),
        "variance-by-quadrature": ("gradient_variance", lambda *a: 0.9 * gradient_variance(*a)),
        "theorem-2-hypothesis": (
            "spectral_tail",
            lambda r, d: linear_periodic_theory.spectral_tail(2 * r, d),
        ),
    }
    assert set(broken) == {claim.key for claim in MODEL.claims}
    for claim in MODEL.claims:
        name, wrong = broken[claim.key]
        with monkeypatch.context() as patch:
            patch.setattr(linear_periodic_claims, name, wrong)
            assert not measure(claim, trials=60, seed=11).agrees, claim.key


class _Halved(LinearPeriodic):
    def loss(self, w):
        return 0.5 * super().loss(w)


def test_outcomes_of_undecided_instances_are_none():
    case = {"r": 1.0, "s": 1.0 + 1e-8}
    assert linear_periodic_claims._check_axis(case) == Outcome(None, detail="at the target")
