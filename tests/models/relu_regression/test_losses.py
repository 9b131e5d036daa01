from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.models.relu_regression.losses import (
    NORMS,
    Penalty,
    PopulationRegression,
    ReluRegression,
    angle,
)
from tests.models.relu_regression.instances import regressions

SEEDS = st.integers(0, 2**32 - 1)
STRENGTHS = st.floats(0.0, 2.0)


def central(function, w, h=1e-6):
    return np.array([(function(w + h * e) - function(w - h * e)) / (2 * h) for e in np.eye(len(w))])


def by_quadrature(unit: PopulationRegression, w, lam: float) -> float:
    """Return the population loss in the plane, by Gauss quadrature between the kinks."""
    # relu(u . v) changes its formula a quarter turn off v.
    cuts = np.unique(
        np.mod(
            [
                np.arctan2(v[1], v[0]) + quarter
                for v in (w, unit.w_star)
                for quarter in (np.pi / 2, -np.pi / 2)
            ],
            2 * np.pi,
        )
    )
    nodes, weights = np.polynomial.legendre.leggauss(30)
    total = 0.0
    for low, high in zip(cuts, [*cuts[1:], cuts[0] + 2 * np.pi], strict=True):
        phi = low + (high - low) * (nodes + 1) / 2
        u = np.stack([np.cos(phi), np.sin(phi)])
        misfit = np.maximum(unit.w_star @ u, 0) - np.maximum(w @ u, 0)
        total += (high - low) / 2 * float(weights @ misfit**2)
    # E r^2 = 2 for two Gaussian coordinates; phi is uniform.
    return 0.5 * 2.0 * total / (2 * np.pi) + unit.penalty.value(w, lam)


@given(regressions(signs=(-1, 1)), SEEDS, STRENGTHS)
def test_empirical_field_is_minus_the_gradient_of_the_loss(data, seed, lam):
    w = np.random.default_rng(seed).standard_normal(data.dimension)
    distances = np.abs(data.X @ w)[np.linalg.norm(data.X, axis=1) > 0]
    assume(np.min(np.abs(w)) > 1e-4 and np.min(distances, initial=1.0) > 1e-4)
    slope = central(lambda v: data.loss(v, lam), w)
    assert data.field(w, lam) == pytest.approx(-slope, rel=1e-5, abs=1e-6)
    assert data.gradient(w, lam) == pytest.approx(-data.field(w, lam))


@given(SEEDS, st.integers(2, 4), st.sampled_from(NORMS), st.sampled_from([-1, 1]), STRENGTHS)
def test_population_field_is_minus_the_gradient_of_the_loss(seed, d, norm, sign, lam):
    generator = np.random.default_rng(seed)
    unit = PopulationRegression(generator.standard_normal(d), Penalty(norm, sign))
    w = generator.standard_normal(d)
    assume(np.min(np.abs(w)) > 1e-4)
    slope = central(lambda v: unit.loss(v, lam), w)
    assert unit.field(w, lam) == pytest.approx(-slope, rel=1e-5, abs=1e-6)


@given(SEEDS, STRENGTHS)
def test_population_loss_is_the_expectation_for_every_angle(seed, lam):
    generator = np.random.default_rng(seed)
    unit = PopulationRegression(generator.standard_normal(2))
    w = generator.standard_normal(2)
    assert unit.loss(w, lam) == pytest.approx(by_quadrature(unit, w, lam), rel=1e-12)


def test_empirical_loss_tends_to_the_expectation():
    generator = np.random.default_rng(3)
    w_star, w = np.array([1.0, -0.5, 2.0]), np.array([-0.3, 1.0, 0.7])
    data = ReluRegression(generator.standard_normal((200_000, 3)), w_star)
    unit = PopulationRegression(w_star)
    assert data.loss(w, 0.1) == pytest.approx(unit.loss(w, 0.1), rel=0.02)
    assert data.field(w, 0.1) == pytest.approx(unit.field(w, 0.1), abs=0.02)


@pytest.mark.parametrize(("norm", "factor"), [("l2", 5.0), ("l1-squared", 9.0), ("l1", 3.0)])
def test_penalties_are_half_lam_R(norm, factor):
    w = np.array([2.0, -1.0])
    assert Penalty(norm).value(w, 0.4) == pytest.approx(0.2 * factor)
    assert Penalty(norm, 1).value(w, 0.4) == pytest.approx(-0.2 * factor)


def test_opposite_weights_and_the_teacher_have_exact_values():
    unit = PopulationRegression(np.array([3.0, 4.0]))
    # At -w* no input is answered by both: E = |w*|^2 / 2.
    assert unit.loss(-unit.w_star, 0.0) == pytest.approx(12.5)
    assert unit.loss(unit.w_star, 0.0) == pytest.approx(0.0, abs=1e-14)
    assert unit.field(unit.w_star, 0.0) == pytest.approx(0.0, abs=1e-14)


def test_angle_of_nearly_parallel_vectors_is_accurate():
    assert angle(np.array([1.0, 1e-9]), np.array([2.0, 0.0])) == pytest.approx(1e-9, rel=1e-6)
    assert angle(np.array([-1.0, 0.0]), np.array([2.0, 0.0])) == pytest.approx(np.pi)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: Penalty("l3"), "norm"),
        (lambda: Penalty("l2", 2), "regularisation_sign"),
        (lambda: ReluRegression(np.eye(2), np.ones(3)), "X"),
        (lambda: ReluRegression(np.ones(2), np.ones(2)), "X"),
        (lambda: ReluRegression(np.eye(2), np.array([1.0, np.nan])), "w_star"),
        (lambda: PopulationRegression(np.zeros(2)), "w_star"),
        (lambda: PopulationRegression(np.ones(2)).field(np.zeros(2), 0.1), "w"),
    ],
)
def test_misuse_is_refused(call, argument):
    with pytest.raises(SpecificationError) as caught:
        call()
    assert caught.value.argument == argument
