from __future__ import annotations

import numpy as np
import pytest

import contcrit as cc
from contcrit.contraction.claims import measure
from contcrit.errors import SpecificationError
from contcrit.models.base import Start
from contcrit.models.failures.parity import claims as parity_claims
from contcrit.models.failures.parity import theory as parity_theory
from contcrit.models.failures.parity.model import MODEL, build, starts
from contcrit.models.failures.parity.theory import (
    LOSSES,
    Predictor,
    correlations,
    expected_gradients,
    gradient_variance,
    gradient_variance_by_transform,
    inputs,
    parity,
    spread,
    triangles,
    variance_bound,
    wave,
)

TIED = {"d": 4, "output_weights": [1.0], "alpha": 0.25, "tied": True}


def test_correlations_are_sums_over_inputs():
    X = inputs(4)
    values = np.random.default_rng(0).normal(size=(16, 3))
    expected = [np.mean(parity(X, v)[:, None] * values, axis=0) for v in X]
    assert np.allclose(correlations(values), expected, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_identity_transform_and_brute_force_agree(loss):
    network = Predictor.random(5, 50, np.random.default_rng(1))
    X = inputs(5)
    p, g = network(X), network.jacobian(X)
    gradients = expected_gradients(p, g, loss, np.array([parity(X, v) for v in X]))
    exact = gradient_variance(p, g, loss)
    assert exact == pytest.approx(spread(gradients), rel=1e-10)
    assert exact == pytest.approx(gradient_variance_by_transform(p, g, loss), rel=1e-10)
    assert 0 < exact <= variance_bound(g, 32)


def test_jacobian_is_the_derivative():
    network = Predictor.random(3, 4, np.random.default_rng(2))
    X, h = inputs(3)[1:], 1e-6
    moved = Predictor(network.W + h * np.eye(4, 3), network.b + h, network.v - h, network.c + h)
    change = np.concatenate([np.eye(4, 3).ravel(), np.ones(4), -np.ones(4), [1.0]])
    slope = (moved(X) - network(X)) / h
    off_kinks = np.all(np.abs(X @ network.W.T) > 1e-3, axis=1)
    assert np.allclose((network.jacobian(X) @ change)[off_kinks], slope[off_kinks], atol=1e-5)


@pytest.mark.parametrize("bits", [[1, 1, 1, 1], [0, 1, 0, 1, 1], [1], [0, 0]])
def test_networks_give_the_parity(bits):
    X = inputs(len(bits))
    y = parity(X, bits)
    assert np.array_equal(wave(bits)(X), y)
    assert np.array_equal(np.sign(triangles(bits)(X)), y)
    without = np.sign(triangles(bits, first=2)(X)) if len(bits) > 1 else -np.ones(len(X))
    assert np.array_equal(without != y, X @ np.array(bits) == 0)


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_the_problem_is_the_mean_hinge_loss(alpha):
    problem = build(d=3, v=[1, 0, 1], width=2, alpha=alpha, ridge=True, other=[1, 1, 0])
    x = np.random.default_rng(4).normal(size=problem.size)
    blocks = problem.unpack(x)
    X = inputs(3)
    G = X @ blocks["W"].T + blocks["b"]
    p = np.where(G > 0, G, alpha * G) @ blocks["v"] + float(blocks["c"])
    y = 0.7 * parity(X, [1, 0, 1]) + 0.3 * parity(X, [1, 1, 0])
    expected = np.mean(np.maximum(1 - y * p, 0)) + 0.25 * float(x @ x)
    values = {"alpha": alpha, "lam": 0.5, "s": 0.3}
    assert float(problem.potential(x, values)) == pytest.approx(expected, rel=1e-13)


def test_tied_units_see_the_number_of_ones():
    tied = build(d=5, v=[1, 1, 0, 1, 1], tied=True, ridge=True)
    full = build(d=5, v=[1, 1, 0, 1, 1], ridge=True)
    values = {"alpha": 0.3, "lam": 0.2}
    short = tied.pack(W=[[0.7]], b=[-0.4], v=[1.3], c=0.2)
    long = full.pack(W=[[0.7, 0.7, 0.0, 0.7, 0.7]], b=[-0.4], v=[1.3], c=0.2)
    assert float(tied.potential(short, values)) == pytest.approx(
        float(full.potential(long, values)), rel=1e-13
    )


def test_plain_problems_have_exact_verdicts():
    problem = build(d=2, output_weights=[1.0])
    point = {"W": [[2.0, 2.0]], "b": [-2.0], "c": -1.0}
    assert cc.classify(problem, point, {"alpha": 0.0}).kind == "sharp minimum"
    network = wave([1, 1])
    realised = build(d=2, width=2)
    flat = {"W": network.W, "b": network.b, "v": network.v, "c": network.c}
    assert cc.classify(realised, flat, {"alpha": 0.0}).kind == "flat minimum"


def test_example_branches_cross_the_leak():
    problem = build(**MODEL.example)
    found = starts(problem)
    assert len(found) == 4
    for start in found.values():
        branch = cc.trace(
            problem, start.unknowns, "alpha", (0.0, 0.9), values=start.values, direction="both"
        )
        assert branch["alpha"].min() == 0.0
        assert branch["alpha"].max() == 0.9
        assert {verdict.kind for _, _, verdict in branch.verdicts} == {"sharp minimum"}
        losses = [
            float(problem.network({"alpha": a}).loss(x))
            for x, a in zip(branch.z[:, :3], branch["alpha"], strict=True)
        ]
        assert max(losses) < 1


def test_weight_decay_moves_a_vertex_off_its_kinks():
    problem = build(**{**TIED, "ridge": True})
    start = starts(problem)["vertex 0"]
    branch = cc.trace(
        problem, start.unknowns, "lam", (1e-4, 1.0), values=start.values, direction="both"
    )
    borders = branch.of_kind("border")
    assert [special.evidence["collision"] for special in borders] == ["persistence"] * len(borders)
    assert len(borders) == 2
    assert [verdict.kind for _, _, verdict in branch.verdicts] == [
        "sharp minimum",
        "minimum",
        "minimum",
    ]


def test_mixture_of_targets_begins_at_the_first():
    problem = build(d=2, output_weights=[1.0], alpha=0.25, other=[1, 0], ridge=True)
    assert problem.parameter_names == ("alpha", "lam", "s")
    start = starts(problem)["vertex 1"]
    branch = cc.trace(problem, start.unknowns, "s", (0.0, 1.0), values=start.values)
    assert branch["s"][0] == 0.0
    assert branch["s"].max() > 0.3
    residuals = [
        float(np.max(np.abs(problem.evaluate(z[:4], {"alpha": 0.25, "lam": 1e-3, "s": z[4]}))))
        for z in branch.z
    ]
    assert max(residuals) < 1e-7
    with pytest.raises(SpecificationError, match="Trace in s"):
        starts(problem, {"s": 0.5})


def test_nine_bits_with_ties():
    problem = build(d=9, output_weights=[1.0], alpha=0.1, tied=True)
    assert problem.size == 3
    start = starts(problem)["vertex 0"]
    assert cc.classify(problem, start.unknowns, start.values).kind == "sharp minimum"


def test_description_rebuilds_the_problem():
    for constants in (TIED, {"d": 2, "ridge": True}, {"d": 2, "other": [0, 1]}):
        problem = build(**constants)
        assert problem.describe()["model"] == "parity"
        assert cc.models.rebuild(problem.describe()) == problem


@pytest.mark.parametrize(
    ("constants", "argument"),
    [
        ({"d": 0}, "d"),
        ({"d": 41}, "d"),
        ({"d": 17}, "d"),
        ({"d": 2, "v": [1]}, "v"),
        ({"d": 2, "v": [1, 2]}, "v"),
        ({"d": 2, "v": ["a", "b"]}, "v"),
        ({"d": 2, "other": [1, 2]}, "other"),
        ({"d": 2, "other": [1, 0], "tied": True}, "tied"),
        ({"d": 2, "v": [0, 0], "tied": True}, "tied"),
        ({"d": 2, "alpha": 2.0}, "alpha"),
        ({"d": 2, "width": 0}, "width"),
        ({"d": 2, "width": [2, 2]}, "width"),
        ({"d": 2, "output_weights": [1.0, 1.0]}, "output_weights"),
    ],
)
def test_misuse_is_refused(constants, argument):
    with pytest.raises(SpecificationError) as caught:
        build(**constants)
    assert caught.value.argument == argument


@pytest.mark.parametrize("claim", MODEL.claims, ids=lambda claim: claim.key)
def test_claims_are_what_they_say(claim):
    found = measure(claim, seed=7)
    assert found.agrees, found.failure


def _flipped(X, v):
    return parity(X, np.append(np.asarray(v)[1:], 0))


class _Halved(Predictor):
    def jacobian(self, X):
        return 0.5 * super().jacobian(X)


BROKEN = {
    "oracle": ("variance_bound", lambda g, count: 1e-3 * variance_bound(g, count)),
    "theorem-1": ("variance_bound", lambda g, count: 0.2 * variance_bound(g, count)),
    "parities": ("variance_bound", lambda g, count: 0.2 * variance_bound(g, count)),
    "variance-identity": ("gradient_variance", lambda *a: 1.01 * gradient_variance(*a)),
    "chebyshev": ("variance_bound", lambda g, count: 1e-3 * variance_bound(g, count)),
    "product-formula": ("parity", lambda X, v: np.ones(len(X))),
    "margin-gradient": ("Predictor", _Halved),
    "lemma-3-network-corrected": ("parity", _flipped),
    "lemma-3": ("parity", _flipped),
}


@pytest.mark.parametrize("key", BROKEN)
def test_checks_notice_a_wrong_formula(key, monkeypatch):
    every = {claim.key: claim for claim in MODEL.claims}
    every |= {claim.correction.key: claim.correction for claim in MODEL.claims if claim.correction}
    name, wrong = BROKEN[key]
    monkeypatch.setattr(parity_claims, name, wrong)
    assert not measure(every[key], trials=60, seed=7).agrees


def test_check_of_one_unit_notices_another_point(monkeypatch):
    real = parity_theory.parity
    monkeypatch.setattr("contcrit.models.failures.parity.model.parity", lambda X, v: -real(X, v))
    (claim,) = (one for one in MODEL.claims if one.key == "one-unit-for-two-bits")
    assert not measure(claim, seed=7).agrees


def test_check_of_ties_notices_a_point_that_is_not_critical(monkeypatch):
    moved = Start({"W": np.array([[1.7]]), "b": np.array([-0.3]), "c": 0.1}, {})
    monkeypatch.setattr("contcrit.models.failures.parity.model.starts", lambda problem: {"": moved})
    (claim,) = (one for one in MODEL.claims if one.key == "ties")
    assert not measure(claim, seed=7).agrees
