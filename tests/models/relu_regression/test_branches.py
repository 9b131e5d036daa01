"""Continuation of the ReLU unit's critical points through activation changes and kinks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

import contcrit as cc
from contcrit.models.relu_regression.cells import CellComplex
from contcrit.models.relu_regression.model import build
from contcrit.models.relu_regression.theory import pattern_limit
from tests.models.relu_regression.instances import reference, regressions

A = 1 / np.pi + 3 / 4
"""Twice the slope of the loss at the origin towards the axis, for w* = (1, 1)."""


def traced(data, span, **options):
    problem = build(
        X=data.X,
        w_star=data.w_star,
        norm=data.penalty.norm,
        regularisation_sign=data.penalty.regularisation_sign,
    )
    return cc.trace(problem, {"w": data.w_star}, "lam", span, values={"lam": span[0]}, **options)


def population(norm, **options):
    return build(w_star=[1.0, 1.0], norm=norm, population=True, **options)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("l2", [(0.0816614991050, 0)]),
        ("l1-squared", [(0.0134432491957, 0), (0.587753735304, 11)]),
    ],
)
def test_breakpoints_of_the_reference_instance(norm, expected):
    branch = traced(reference(norm), (0.0, 1.5))
    assert all(status is cc.Status.END_OF_SPAN for status in branch.status)
    assert [special.kind for special in branch.special_points] == ["border"] * len(expected)
    for special, (lam, kink) in zip(branch.special_points, expected, strict=True):
        assert special.parameter == pytest.approx(lam, abs=2e-12)
        assert special.digits > 11
        assert special.evidence["collision"] == "persistence"
        assert list(special.evidence["kinks"]) == [kink]
        assert special.verdict_before.kind == special.verdict_after.kind == "minimum"
    if norm == "l1-squared":
        # From its last breakpoint on the minimum stays on the axis.
        assert branch.z[-1, 1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("norm", ["l2", "l1-squared", "l1"])
def test_every_point_of_a_branch_is_in_the_enumeration(norm):
    data = reference(norm)
    cells = CellComplex(data)
    branch = traced(data, (0.0, 0.7))
    for k in range(0, len(branch), 6):
        lam = float(branch["lam"][k])
        points = cells.critical_points(lam).points
        assert min(np.max(np.abs(point.w - branch.z[k, :2])) for point in points) < 1e-8


@settings(max_examples=6)
@given(
    regressions(shapes=("generic",), dimensions=(2, 3), norms=("l2", "l1-squared", "l1"), largest=9)
)
def test_the_first_border_is_where_the_closed_form_changes_pattern(data):
    assume(data.count > data.dimension and np.linalg.cond(data.moment()) < 1e3)
    assume(np.min(np.abs(data.X @ data.w_star)) > 1e-2 and np.min(np.abs(data.w_star)) > 1e-2)
    limit = pattern_limit(data)
    assume(1e-3 < limit < 5)
    branch = traced(data, (0.0, 1.05 * limit), classify=False)
    assert branch.special_points[0].kind == "border"
    assert branch.special_points[0].parameter == pytest.approx(limit, rel=1e-9)


def test_the_population_minimum_for_l2_shrinks_towards_the_origin():
    for d in (2, 4):
        w_star = np.arange(1.0, d + 1)
        problem = build(w_star=w_star, population=True)
        branch = cc.trace(problem, {"w": w_star}, "lam", (0.0, 3.0))
        assert not branch.special_points
        shrunk = w_star / (1 + 2 * branch["lam"][:, None])
        assert branch.z[:, :-1] == pytest.approx(shrunk, abs=1e-9)
        assert cc.classify(problem, branch.z[-1, :-1], {"lam": 3.0}).kind == "minimum"


def test_the_printed_sign_drives_the_solution_away():
    problem = population("l2", regularisation_sign=-1)
    printed = population("l2", regularisation_sign=1)
    branch = cc.trace(printed, {"w": [1.0, 1.0]}, "lam", (0.0, 0.49))
    assert branch.z[:, 0] == pytest.approx(1 / (1 - 2 * branch["lam"]), rel=1e-8)
    leaving = cc.trace(printed, {"w": [1.0, 1.0]}, "lam", (0.0, 0.6))
    # It does not get past one half: it grows without bound there.
    assert leaving.status[1] is not cc.Status.END_OF_SPAN
    assert np.max(leaving["lam"]) < 0.5
    assert np.max(np.abs(leaving.z[:, 0])) > 100
    assert problem != printed


@pytest.mark.parametrize(
    ("norm", "span", "fold", "start"),
    [("l1-squared", (0.0, 4.0), 3 * np.pi / 8, 2.0), ("l1", (0.0, 0.99), 0.75, 0.9)],
)
def test_sparse_minima_are_born_in_a_nonsmooth_fold(norm, span, fold, start):
    problem = population(norm)
    branch = cc.trace(problem, {"w": [0.0, 0.25]}, "lam", span, values={"lam": start})
    (special,) = branch.special_points
    assert special.kind == "border"
    assert special.evidence["collision"] == "nonsmooth fold"
    assert special.parameter == pytest.approx(fold, rel=1e-12)
    # r = A / (1 + 2 lam) at 3 pi / 8, and A - lam at 3 / 4, are both 1 / pi.
    assert special.x == pytest.approx([0.0, 1 / np.pi], abs=1e-12)
    kinds = {special.verdict_before.kind, special.verdict_after.kind}
    assert kinds == {"minimum", "saddle"}
    sparse = branch.z[np.abs(branch.z[:, 0]) < 1e-12]
    lam = sparse[:, -1]
    radius = A / (1 + 2 * lam) if norm == "l1-squared" else A - lam
    assert sparse[:, 1] == pytest.approx(radius, abs=1e-9)
    # Its partner is a saddle between axis and diagonal.
    others = branch.z[np.abs(branch.z[:, 0]) > 1e-6]
    assert len(others) and np.all(others[:, 1] > others[:, 0])
    for row in others[:: max(1, len(others) // 4)]:
        assert problem.data.field(row[:2], row[2]) == pytest.approx(0.0, abs=1e-9)


def test_the_sparse_minima_become_global():
    problem = population("l1-squared")
    crossing = (2 - A**2) / (4 * (A**2 - 1))
    for lam, sparse_is_lower in ((crossing * 0.999, False), (crossing * 1.001, True)):
        along = problem.potential([1 / (1 + 4 * lam)] * 2, {"lam": lam})
        sparse = problem.potential([0.0, A / (1 + 2 * lam)], {"lam": lam})
        assert (sparse < along) == sparse_is_lower
    assert crossing == pytest.approx(1.5195, abs=1e-4)


def test_the_minimum_on_the_diagonal_never_bifurcates():
    branch = cc.trace(population("l1-squared"), {"w": [1.0, 1.0]}, "lam", (0.0, 20.0))
    assert not branch.special_points
    expected = 1 / (1 + 4 * branch["lam"])
    assert branch.z[:, 0] == pytest.approx(expected, abs=1e-9)
    assert branch.z[:, 1] == pytest.approx(expected, abs=1e-9)


def test_a_teacher_that_is_not_mirrored_loses_a_weight():
    # w* = (1, 2): the smaller weight vanishes along the branch, and stays zero.
    problem = build(w_star=[1.0, 2.0], norm="l1-squared", population=True)
    guess = {"w": [0.98, 1.98]}
    branch = cc.trace(problem, guess, "lam", (0.01, 3.0), values={"lam": 0.01})
    borders = [s for s in branch.special_points if s.kind == "border"]
    assert len(borders) >= 1
    special = borders[-1]
    assert special.evidence["collision"] == "persistence"
    assert special.x[0] == pytest.approx(0.0, abs=1e-9)
    # There the push of the loss equals the hold of the penalty: (pi - theta) w*_1 / 2 pi = lam w_2.
    theta = np.arctan2(1.0, 2.0)
    push = (np.pi - theta) / (2 * np.pi)
    assert push == pytest.approx(special.parameter * special.x[1], rel=1e-9)
    assert branch.z[-1, 0] == pytest.approx(0.0, abs=1e-9)
