"""The native gear: the same branch to rounding, cached on disk or not."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine import native, repayment
from contcrit.engine.gear import Gear
from contcrit.engine.trace import Tracer

a, b, lam, p, x, y = sp.symbols("a b lam p x y")
SPIRAL = cc.Problem(
    [lam * a - sp.exp(a) * sp.sin(b) + sp.exp(2 * a), lam * b - sp.exp(a) * sp.cos(b)],
    [a, b],
    [lam],
    kind="equation",
)
CIRCLE = cc.Problem([x**2 + p**2 - 1], [x], [p])
COUPLED = cc.Problem([-2 * x + y + p * sp.exp(x), x - 2 * y + p * sp.exp(y)], [x, y], [p])
TURN = cc.models.get("linear-network").build(R=[[0.0, -1.0], [1.0, 0.0]])
W = np.pi / 2 - 2 * np.pi


@pytest.mark.parametrize(
    ("problem", "start", "parameter", "span", "value"),
    [
        (SPIRAL, [0, 5 * np.pi / 2], "lam", (1e-4, 0.2), 1e-3),
        (CIRCLE, [1], "p", (-2, 2), 0.0),
        (COUPLED, [0, 0], "p", (0, 1), 0.0),
        (TURN, [0, -W, W, 0], "lam", (1e-3, 0.2), 1e-3),
    ],
    ids=["spiral", "circle", "coupled", "quarter turn"],
)
def test_both_gears_walk_the_same_branch(problem, start, parameter, span, value):
    settings = cc.Settings(maximum_norm=20)
    branches = [
        cc.trace(
            problem,
            start,
            parameter,
            span,
            values={parameter: value},
            settings=settings.replace(gear=gear),
            classify=False,
        )
        for gear in ("python", "native")
    ]
    assert [branch.provenance["gear"] for branch in branches] == ["python", "native"]
    plain, compiled = branches
    assert plain.status == compiled.status
    np.testing.assert_allclose(compiled.z, plain.z, rtol=1e-10, atol=1e-11)
    np.testing.assert_array_equal(compiled.iterations, plain.iterations)
    assert len(plain.special_points) == len(compiled.special_points) > 0
    for one, other in zip(plain.special_points, compiled.special_points, strict=True):
        assert one.kind == other.kind
        np.testing.assert_allclose(one.z, other.z, rtol=1e-10, atol=1e-10)


def test_the_walk_shifts_up_once_it_repays(monkeypatch):
    answers = iter([False, *[True] * 1000])
    monkeypatch.setattr(repayment, "is_due", lambda system: next(answers))
    settings = cc.Settings(step_maximum=0.002)
    branch = cc.trace(SPIRAL, [0, 5 * np.pi / 2], "lam", (1e-3, 0.07), settings=settings)
    assert branch.provenance["gear"] == "native+python"
    assert np.max(branch.residual_norm) < 1e-9


def test_gauged_systems_stay_in_python():
    system = TURN.compile("lam", {})
    assert native.handle_of(system) is not None
    tracer = Tracer(system, (1e-3, 0.2), cc.Settings(gear="native"))
    gear = Gear(_Gauged(), tracer.settings)
    assert gear.name == "python"


class _Gauged:
    def phases(self, x):
        return np.zeros((1, 4))


def test_a_home_that_cannot_be_written_compiles_without_keeping(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert not native._writable(native.cache_directory())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert native._writable(native.cache_directory())
    assert native.cache_directory().is_dir()
