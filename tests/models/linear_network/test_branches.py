"""The linear network through the engine: folds, pitchforks, families, and their symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import contcrit as cc

MODEL = cc.models.get("linear-network")
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
FOLDS = {
    -1: 0.14538710929871504,
    1: 0.07515760234009556,
    -2: 0.05093011658287293,
    2: 0.03854907756939339,
}


def branch_of(n, problem=None, span=(1e-3, 0.2), **options):
    problem = problem or MODEL.build(R=QUARTER)
    start = MODEL.starts(problem)[f"n={n}"]
    return cc.trace(problem, start, "lam", span, **options)


@pytest.mark.parametrize("n", FOLDS)
def test_normal_folds_to_twelve_digits(n):
    (fold,) = branch_of(n, classify=False).of_kind("fold")
    assert fold.parameter == pytest.approx(FOLDS[n], rel=1e-12)
    assert fold.digits >= 9
    a, b = fold.x[0], fold.x[2]
    # At a fold of the normal class the two equations and their determinant vanish together.
    lam, e = fold.parameter, np.exp(a)
    assert lam * a - e * np.sin(b) + e * e == pytest.approx(0, abs=1e-12)
    assert lam * b - e * np.cos(b) == pytest.approx(0, abs=1e-12)


def test_the_family_of_the_first_pitchfork_is_found_by_switching():
    problem = MODEL.build(R=QUARTER)
    found = cc.diagram(problem, MODEL.starts(problem)["n=-1"], "lam", (1e-3, 0.2))
    normal, family = found
    assert found.connections == ((0, 1, 1),)
    (pitchfork,) = normal.of_kind("branch-point")
    assert pitchfork.kernel_dimension == 2
    assert pitchfork.verdict_before.index == 3
    assert pitchfork.verdict_after.index == 1
    (fold,) = family.of_kind("fold")
    assert fold.parameter == pytest.approx(0.168183994863632, rel=1e-11)
    assert fold.verdict_after.kind == "minimum"
    assert fold.verdict_after.nullity == fold.verdict_after.gauge_nullity == 1
    assert np.max(family["normality"]) > 1
    assert np.max(family.residual_norm) < 1e-9


@settings(max_examples=5)
@given(angle=st.floats(0.1, 3.0), slant=st.floats(-0.6, 0.6))
def test_a_change_of_basis_turns_the_branch(angle, slant):
    R = QUARTER + slant * np.array([[0.0, 0.0], [1.0, 1.0]])
    Q = expm(angle * QUARTER)
    here = branch_of(0, MODEL.build(R=R), (0.05, 0.5), classify=False)
    there = branch_of(0, MODEL.build(R=Q @ R @ Q.T), (0.05, 0.5), classify=False)
    for one, other in ((here[0], there[0]), (here[-1], there[-1])):
        turned = Q @ one.x.reshape(2, 2) @ Q.T
        np.testing.assert_allclose(other.x, turned.ravel(), atol=1e-9)
    np.testing.assert_allclose(here["cost"][[0, -1]], there["cost"][[0, -1]], rtol=1e-10)


@settings(max_examples=5)
@given(T=st.floats(0.3, 3.0), n=st.sampled_from([-1, 1]))
def test_depth_only_scales_the_fold(T, n):
    problem = MODEL.build(R=QUARTER, T=T)
    (fold,) = branch_of(n, problem, (1e-3 * T, 0.2 * T), classify=False).of_kind("fold")
    assert fold.parameter / T == pytest.approx(FOLDS[n], rel=1e-11)
    (unit,) = branch_of(n, classify=False).of_kind("fold")
    np.testing.assert_allclose(T * fold.x, unit.x, atol=1e-7)


@pytest.mark.parametrize(("k", "fold"), [(1, 0.168183994863632), (2, 0.077376939797788)])
def test_a_family_entered_at_its_other_end_leads_back_to_the_normal_branch(k, fold):
    # At lam = 0 the families end at circles with det C = (k pi)^2 and skew part (k + 1/4) pi.
    w = (k + 0.25) * np.pi * (-1) ** k
    symmetric = np.sqrt(w**2 - (k * np.pi) ** 2)
    start = [0.0, symmetric - w, symmetric + w, 0.0]
    problem = MODEL.build(R=QUARTER)
    found = cc.diagram(problem, start, "lam", (1e-6, 0.3), classify=False)
    family = found[0]
    assert cc.Status.STOPPED_AT_EVENT in family.status
    assert sorted(special.kind for special in family.special_points) == ["branch-point", "fold"]
    assert family.of_kind("fold")[0].parameter == pytest.approx(fold, rel=1e-11)
    assert len(found) == 2
    normal = found[1]
    assert np.max(normal["normality"]) < 1e-9
    assert normal.of_kind("fold")[0].parameter == pytest.approx(
        FOLDS[-1 if k == 1 else 1], rel=1e-11
    )
