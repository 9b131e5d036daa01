"""Verdicts on many kinks stop in time, by settings that reach every function that judges."""

from __future__ import annotations

import time

import numpy as np
import pytest
import sympy as sp

import contcrit as cc

x, y, p = sp.symbols("x y p")


def star() -> cc.PiecewiseProblem:
    """Return a sum of kinks of both signs through the origin of the plane, a minimum there."""
    angles = np.arange(12) * np.pi / 12 + 0.1
    weights = np.where(np.arange(12) % 3 == 0, -0.5, 2.0)
    kinks = sum(
        float(w) * cc.absolute(float(np.cos(a)) * x + float(np.sin(a)) * y)
        for w, a in zip(weights, angles, strict=True)
    )
    return cc.PiecewiseProblem.from_potential(kinks + x**2 + y**2 - p * x, [x, y], [p])


def test_a_verdict_takes_the_largest_number_of_cells() -> None:
    problem = star()
    decided = cc.classify(problem, [0, 0], {"p": 0.1})
    assert decided.kind == "sharp minimum"
    few = cc.classify(problem, [0, 0], {"p": 0.1}, settings=cc.Settings(maximum_cells=2))
    assert few.kind in ("undecided", "Clarke critical")
    assert few.evidence["local_minimum"] is None


def test_the_verdicts_of_a_branch_take_them_too() -> None:
    problem = star()
    kinds = {}
    for cells in (2, 2000):
        branch = cc.trace(
            problem,
            [0, 0],
            "p",
            (-0.2, 0.2),
            values={"p": 0.1},
            settings=cc.Settings(maximum_cells=cells),
        )
        assert [status.name for status in branch.status] == ["END_OF_SPAN"] * 2
        kinds[cells] = {verdict.kind for _, _, verdict in branch.verdicts}
    assert kinds[2000] == {"sharp minimum"}
    assert "sharp minimum" not in kinds[2]


@pytest.mark.parametrize(("count", "size"), [(60, 4), (70, 6)])
def test_many_dependent_kinks_are_left_undecided_in_time(count: int, size: int) -> None:
    generator = np.random.default_rng(0)
    X = generator.standard_normal((count, size))
    problem = cc.models.get("relu-regression").build(X=X, w_star=np.ones(size), norm="l1")
    cc.classify(problem, np.ones(size), {"lam": 0.1})  # compile
    began = time.monotonic()
    verdict = cc.classify(
        problem, np.zeros(size), {"lam": 0.1}, settings=cc.Settings(time_limit=0.2)
    )
    assert time.monotonic() - began < 8.0
    assert verdict.kind == "undecided"
    assert "time limit" in verdict.evidence["reason"]


def test_presets_think_shorter_or_longer() -> None:
    fast, default, careful = cc.Settings.fast(), cc.Settings(), cc.Settings.careful()
    assert fast.time_limit < default.time_limit < careful.time_limit
    assert fast.maximum_cells < default.maximum_cells < careful.maximum_cells
    for name in ("time_limit", "maximum_cells"):
        with pytest.raises(cc.SpecificationError, match=name):
            cc.Settings(**{name: 0})
