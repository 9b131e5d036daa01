"""Streaming writes, piece by piece, the very branch that a trace returns."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.storage.pieces import joined, thinned

a, b, lam, p, x = sp.symbols("a b lam p x")
SPIRAL = cc.Problem(
    [lam * a - sp.exp(a) * sp.sin(b) + sp.exp(2 * a), lam * b - sp.exp(a) * sp.cos(b)],
    [a, b],
    [lam],
    kind="equation",
)
DOUBLE_WELL = cc.Problem.from_potential(x**4 / 4 - x**2 / 2 - p * x, [x], [p])
CIRCLE = cc.Problem([x**2 + p**2 - 1], [x], [p])

CASES = {
    "spiral": (SPIRAL, [0, 5 * np.pi / 2], "lam", (1e-4, 0.2), 1e-3),
    "potential": (DOUBLE_WELL, [-1.27], "p", (-1, 1), -0.9),
    "circle": (CIRCLE, [1], "p", (-2, 2), 0.0),
}


def both(name, path, direction, **options):
    problem, start, parameter, span, value = CASES[name]
    settings = cc.Settings(step_maximum=0.004, step_initial=0.004, gear="python")
    common = dict(values={parameter: value}, direction=direction, settings=settings)
    whole = cc.trace(problem, start, parameter, span, **common)
    streamed = cc.stream(problem, start, parameter, span, path, **common, **options)
    return whole, streamed, cc.load(path)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("piece", [65, 200, 10_000])
@pytest.mark.parametrize("name", CASES)
def test_the_file_holds_the_branch_that_a_trace_returns(tmp_path, name, piece, direction):
    whole, _, loaded = both(name, tmp_path / "branch.nc", direction, piece=piece)
    backward = direction == "backward"
    np.testing.assert_array_equal(loaded.z, whole.z[::-1] if backward else whole.z)
    assert loaded.status[1] == whole.status[0 if backward else 1]
    expected = sorted((s.kind, round(s.parameter, 9)) for s in whole.special_points)
    assert sorted((s.kind, round(s.parameter, 9)) for s in loaded.special_points) == expected
    assert expected or backward
    verdicts = [verdict.kind for _, _, verdict in loaded.verdicts]
    same = [verdict.kind for _, _, verdict in whole.verdicts]
    assert verdicts == (same[::-1] if backward else same)


def test_the_returned_branch_is_thinned_and_complete_in_its_special_points(tmp_path):
    whole, streamed, loaded = both("spiral", tmp_path / "b.nc", "forward", piece=200, keep=50)
    assert streamed.provenance["points"] == len(loaded) == len(whole)
    assert 25 <= len(streamed) <= 2 * 50
    assert [s.parameter for s in streamed.special_points] == [
        s.parameter for s in loaded.special_points
    ]
    assert streamed.z[-1] == pytest.approx(whole.z[-1])
    for first, last, verdict in streamed.verdicts:
        middle = streamed.arclength[(first + last) // 2]
        position = int(np.searchsorted(loaded.arclength, middle))
        assert loaded.verdict_at(position).kind == verdict.kind


def test_the_budget_of_points_holds_over_all_pieces(tmp_path):
    settings = cc.Settings(maximum_points=130, step_maximum=0.002, gear="python")
    branch = cc.stream(
        SPIRAL, [0, 5 * np.pi / 2], "lam", (1e-4, 0.2), tmp_path / "b.nc",
        values={"lam": 1e-3}, settings=settings, piece=64,
    )  # fmt: skip
    assert branch.status[1] is cc.Status.MAXIMUM_POINTS
    assert branch.provenance["points"] == 131


def test_a_terminal_event_ends_the_file_too(tmp_path):
    event = cc.UserEvent("half", lambda x, p: float(x[0]) - 0.5, terminal=True)
    branch = cc.stream(
        CIRCLE, [1], "p", (-2, 2), tmp_path / "b.nc", values={"p": 0.0}, events=[event], piece=20,
        settings=cc.Settings(step_maximum=0.01, gear="python"),
    )  # fmt: skip
    assert branch.status[1] is cc.Status.STOPPED_AT_EVENT
    assert cc.load(tmp_path / "b.nc")["x"][-1] == pytest.approx(0.5, abs=1e-9)


def test_the_file_is_readable_after_every_piece(tmp_path):
    path = tmp_path / "b.nc"
    seen = []

    def look(points, parameter):
        if path.exists() and points > 300:
            seen.append(len(cc.load(path)))
        return False

    cc.stream(
        SPIRAL, [0, 5 * np.pi / 2], "lam", (1e-4, 0.2), path, values={"lam": 1e-3},
        settings=cc.Settings(step_maximum=0.004, gear="python"), piece=100, progress=look,
    )  # fmt: skip
    assert seen
    assert seen == sorted(seen)
    assert cc.load(path).source is not None


@pytest.mark.parametrize("bad", [{"direction": "both"}, {"piece": 1}, {"keep": 0}, {"piece": 2.5}])
def test_bad_arguments_are_refused(tmp_path, bad):
    with pytest.raises(cc.SpecificationError):
        cc.stream(CIRCLE, [1], "p", (-2, 2), tmp_path / "b.nc", values={"p": 0}, **bad)


def test_a_folder_that_is_missing_is_a_storage_error(tmp_path):
    with pytest.raises(cc.StorageError):
        cc.stream(CIRCLE, [1], "p", (-2, 2), tmp_path / "no" / "b.nc", values={"p": 0})


def test_thinning_and_joining_keep_columns_in_step(tmp_path):
    branch = cc.trace(DOUBLE_WELL, [-1.27], "p", (-1, 1), values={"p": -0.9})
    thin = thinned(branch, 7)
    assert thin.z[-1] == pytest.approx(branch.z[-1])
    positions = sorted({*range(0, len(branch), 7), len(branch) - 1})
    np.testing.assert_array_equal(thin["index"], branch["index"][positions])
    again = joined([thin])
    np.testing.assert_array_equal(again.z, thin.z)
