"""`solve_many` and `trace_many`: closed forms, broadcasting, fallbacks and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.api.many import solve_many, trace_many
from contcrit.symbolic.markers import absolute
from contcrit.symbolic.matrix_problem import MatrixProblem
from contcrit.symbolic.piecewise import PiecewiseProblem

p, q, r, x, y = sp.symbols("p q r x y")
ROOTS = cc.Problem([p - q * x**2], [x], [p, q])
NATIVE, PYTHON = cc.Settings(gear="native"), cc.Settings(gear="python")


@pytest.mark.parametrize("settings", [NATIVE, PYTHON], ids=["native", "python"])
def test_sweeps_have_the_roots_in_closed_form(settings):
    levels = np.linspace(0.5, 9.0, 40)
    found = solve_many(ROOTS, [1.0], values={"p": levels, "q": 2.0}, settings=settings)
    assert found.converged.all()
    np.testing.assert_allclose(found.x[:, 0], np.sqrt(levels / 2), rtol=1e-14)
    np.testing.assert_array_equal(found.values["q"], np.full(40, 2.0))
    assert found.provenance == {"gear": settings.gear}
    assert np.all(found.residual < 1e-9)


def test_unsolvable_problems_carry_a_status():
    found = solve_many(ROOTS, [1.0], values={"p": [1.0, -1.0], "q": 1.0}, settings=NATIVE)
    assert [status.name for status in found.status] == ["CONVERGED", "START_FAILED"]
    assert "1 of 2" in repr(found)


def test_values_reach_their_parameters():
    # With three parameters an exchange of two of them, or of two problems, shows.
    problem = cc.Problem([x - p - 10 * q - 100 * r], [x], [p, q, r])
    values = {"r": [1.0, 2.0, 3.0], "p": [4.0, 5.0, 6.0], "q": 7.0}
    found = solve_many(problem, [0.0], values=values, settings=NATIVE)
    np.testing.assert_allclose(found.x[:, 0], [174.0, 275.0, 376.0])
    for free in "pqr":
        others = {name: value for name, value in values.items() if name != free}
        traces = trace_many(
            problem, [0.0], free, (0, 1), values={**others, free: 0.5}, settings=NATIVE
        )
        for k, branch in enumerate(traces):
            row = {name: np.broadcast_to(value, 3)[k] for name, value in others.items()}
            assert branch.values == row
            full = {**{name: float(value) for name, value in row.items()}, free: 1.0}
            expected = full["p"] + 10 * full["q"] + 100 * full["r"]
            assert branch["x"][-1] == pytest.approx(expected)


def test_matrix_problems_run_natively():
    model = cc.models.get("linear-network").build(R=[[0.0, -1.0], [1.0, 0.0]])
    assert isinstance(model, MatrixProblem)
    w = np.pi / 2 - 2 * np.pi
    for settings in (NATIVE, PYTHON):
        found = solve_many(model, [0, -w, w, 0], values={"lam": [1e-3, 2e-3]}, settings=settings)
        assert found.converged.all()
        for point, level in zip(found.x, (1e-3, 2e-3), strict=True):
            assert np.max(np.abs(model.evaluate(point, {"lam": level}))) < 1e-9
    with pytest.raises(cc.SpecificationError, match="lam"):
        solve_many(model, [0, -w, w, 0], values={"lam": [1e-3, -1.0]})


def test_branches_are_those_of_trace():
    cubic = cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2 - q * x, [x], [p, q])
    levels = np.array([-0.2, 0.1, 0.3])
    begin = np.array([[-2.0], [2.0], [2.0]])
    traces = trace_many(cubic, begin, "p", (-2, 3), values={"p": 2.0, "q": levels}, settings=NATIVE)
    assert len(traces) == 3 and traces.complete.all()
    for k, branch in enumerate(traces):
        single = cc.trace(
            cubic, begin[k], "p", (-2, 3), values={"p": 2.0, "q": levels[k]}, settings=PYTHON
        )
        assert branch.status == single.status
        np.testing.assert_allclose(branch.z, single.z, rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(branch["index"], single["index"])
        assert [s.kind for s in branch.special_points] == [s.kind for s in single.special_points]
        assert [v[2].kind for v in branch.verdicts] == [v[2].kind for v in single.verdicts]
        assert branch.provenance["gear"] == "native"
        assert traces[k] is branch
        np.testing.assert_array_equal(traces.points(k), branch.z)
    assert traces[-1] is traces[2]


def test_folds_are_counted_branch_by_branch():
    # p x - x^3 + q = 0 turns back once on the branch without the unperturbed part, at
    # p = 3 (q/2)^(2/3); the other one does not turn.
    cubic = cc.Problem([p * x - x**3 + q], [x], [p, q])
    levels = np.array([0.05, 0.1, 0.2, 0.4])
    below = trace_many(cubic, [-2.0], "p", (-1, 4), values={"p": 4, "q": levels}, settings=NATIVE)
    above = trace_many(cubic, [2.0], "p", (-1, 4), values={"p": 4, "q": levels}, settings=NATIVE)
    assert below.folds.tolist() == [1, 1, 1, 1]
    assert above.folds.tolist() == [0, 0, 0, 0]
    found = [branch.of_kind("fold")[0].parameter for branch in below]
    np.testing.assert_allclose(found, 3 * (levels / 2) ** (2 / 3), rtol=1e-10)


def test_problems_without_machine_code_run_in_python():
    bessel = cc.Problem([sp.besselj(0, x) - p], [x], [p])
    found = solve_many(bessel, [1.0], values={"p": [0.3, 0.5]})
    assert found.converged.all() and found.provenance == {"gear": "python"}
    traces = trace_many(bessel, [1.0], "p", (0.3, 0.5))
    assert traces.complete.all() and traces.provenance == {"gear": "python"}
    assert traces[0].source is bessel
    with pytest.raises(cc.SpecificationError, match="native"):
        solve_many(bessel, [1.0], values={"p": 0.3}, settings=NATIVE)


def test_continuous_symmetries_run_in_python():
    turning = [[0, -1, 0], [1, 0, 0]]
    ring = cc.Problem.from_potential(
        (x**2 + y**2) ** 2 / 4 - p * (x**2 + y**2) / 2, [x, y], [p], generators=[turning]
    )
    found = solve_many(ring, [[0.6, 0.7], [1.0, -0.3]], values={"p": 1.0})
    assert found.converged.all() and found.provenance == {"gear": "python"}
    np.testing.assert_allclose(np.linalg.norm(found.x, axis=1), 1.0)
    traces = trace_many(ring, [[0.6, 0.7]], "p", (0.5, 2), values={"p": 1.0})
    assert traces.complete.all() and traces[0].provenance["gauge"] == 1


def test_problems_with_kinks_are_traced_but_not_solved():
    kinked = PiecewiseProblem.from_potential(absolute(x) + x**2 / 2 - p * x, [x], [p])
    traces = trace_many(kinked, [[0.0], [1.0]], "p", (-2, 2), values={"p": [0.0, 2.0]})
    assert traces.complete.all()
    np.testing.assert_allclose([branch["x"][-1] for branch in traces], [1.0, 1.0], atol=1e-9)
    with pytest.raises(cc.SpecificationError, match="find"):
        solve_many(kinked, [0.0], values={"p": 0.0})


@pytest.mark.parametrize(
    ("starts", "values", "options", "argument"),
    [
        ([[1.0, 2.0]], {"p": 1, "q": 1}, {}, "starts"),
        ([[np.nan]], {"p": 1, "q": 1}, {}, "starts"),
        ("no numbers", {"p": 1, "q": 1}, {}, "starts"),
        ([1.0], {"p": 1}, {}, "values"),
        ([1.0], {"p": 1, "q": 1, "z": 1}, {}, "values"),
        ([1.0], {"p": [1, 2], "q": [1, 2, 3]}, {}, "values"),
        ([[1.0], [2.0]], {"p": [1, 2, 3], "q": 1}, {}, "values"),
        ([1.0], {"p": [], "q": 1}, {}, "values"),
        ([1.0], {"p": [[1, 2]], "q": 1}, {}, "values"),
        ([1.0], {"p": np.inf, "q": 1}, {}, "values"),
        ([1.0], [1, 2], {}, "values"),
        ([1.0], {"p": 1, "q": 1}, {"threads": 0}, "threads"),
        ([1.0], {"p": 1, "q": 1}, {"threads": 1.5}, "threads"),
    ],
)
def test_misuse_is_refused(starts, values, options, argument):
    with pytest.raises(cc.SpecificationError) as refused:
        solve_many(ROOTS, starts, values=values, **options)
    assert refused.value.argument == argument


def test_misuse_of_traces_is_refused():
    for argument, change in (
        ("direction", {"direction": "up"}),
        ("span", {"span": (4, 1)}),
        ("parameter", {"parameter": "z"}),
        ("values", {"values": {"p": [1, 9], "q": 1}}),
    ):
        given = {"parameter": "p", "span": (0.5, 4), "values": {"p": 1, "q": 1}} | change
        with pytest.raises(cc.SpecificationError) as refused:
            trace_many(ROOTS, [1.0], **given)
        assert refused.value.argument == argument
    traces = trace_many(ROOTS, [1.0], "p", (0.5, 4), values={"q": 1})
    with pytest.raises(cc.SpecificationError):
        traces["x"]
    with pytest.raises(IndexError):
        traces[1]


def test_results_are_labelled_tables():
    found = solve_many(ROOTS, {"x": 1}, values={"p": [1.0, 4.0, -1.0], "q": 1.0}, settings=PYTHON)
    table = found.to_xarray()
    assert float(table["unknowns"].sel(unknown="x")[1]) == pytest.approx(2.0)
    assert table["p"].values.tolist() == [1.0, 4.0, -1.0]
    assert table["status"].values.tolist()[2] == "START_FAILED"
    traces = trace_many(ROOTS, [1.0], "p", (0.5, 4), values={"q": [1.0, 2.0]}, settings=PYTHON)
    table = traces.to_xarray()
    assert table["point_count"].values.tolist() == traces.counts.tolist()
    own = table["unknowns"][table["problem_index"].values == 1, 0]
    np.testing.assert_array_equal(own, traces[1]["x"])
    assert table["status"].sel(end="last").values.tolist() == ["END_OF_SPAN"] * 2
