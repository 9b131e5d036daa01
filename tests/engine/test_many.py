"""Many problems at once: the same bits whatever the threads, the same ends as one by one."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine import kernel, many, native_twins
from contcrit.engine.trace import Tracer
from contcrit.errors import Status

a, b, lam, p, q, x, y = sp.symbols("a b lam p q x y")
SPIRAL = cc.Problem(
    [lam * a - sp.exp(a) * sp.sin(b) + sp.exp(2 * a), lam * b - sp.exp(a) * sp.cos(b)],
    [a, b],
    [lam],
    kind="equation",
)
CIRCLE = cc.Problem([x**2 + p**2 - q**2], [x], [p, q])
NATIVE = cc.Settings(gear="native", maximum_norm=20)
PYTHON = NATIVE.replace(gear="python")


def starts(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [rng.uniform(-3, 1, count), rng.uniform(-10, 10, count), rng.uniform(1e-3, 5e-3, count)]
    )


def solve(problem, parameter, z, settings, threads=1, values=None):
    system = problem.compile(parameter, values or {})
    constants = np.tile(list((values or {}).values()), (len(z), 1))
    return many.solve_many(lambda k: system, z, constants, settings, threads)


def trace(problem, parameter, z, span, settings, threads=1, direction="both", values=None):
    system = problem.compile(parameter, values or {})
    constants = np.tile(list((values or {}).values()), (len(z), 1))
    return many.trace_many(
        lambda k: system, z, constants, span, direction, settings, threads
    )  # fmt: skip


def bits(result, *names):
    return [getattr(result, name).tobytes() for name in names]


def test_newton_takes_the_steps_of_the_search():
    z = starts(150)
    compiled, plain = (solve(SPIRAL, "lam", z, settings) for settings in (NATIVE, PYTHON))
    assert (compiled.gear, plain.gear) == ("native", "python")
    assert compiled.status.tolist() == plain.status.tolist()
    np.testing.assert_array_equal(compiled.iterations, plain.iterations)
    done = plain.status == Status.CONVERGED
    assert 0 < np.count_nonzero(done) < len(z)
    np.testing.assert_allclose(compiled.x[done], plain.x[done], rtol=1e-12, atol=1e-12)
    for point, parameter in zip(compiled.x[done], z[done, -1], strict=True):
        assert np.max(np.abs(SPIRAL.evaluate(point, {"lam": parameter}))) < 1e-9


def test_solutions_do_not_depend_on_threads():
    z = starts(1000)
    names = ("x", "residual", "iterations", "status")
    one, two, five = (solve(SPIRAL, "lam", z, NATIVE, threads) for threads in (1, 2, 5))
    assert bits(one, *names) == bits(two, *names) == bits(five, *names)
    for k in (3, 64, 999):  # nor on the problems beside
        alone = solve(SPIRAL, "lam", z[k : k + 1], NATIVE)
        assert alone.x.tobytes() == one.x[k].tobytes()


def test_every_way_newton_ends():
    problem = cc.Problem([sp.log(x) + p], [x], [p])
    far = cc.Problem([sp.exp(-x) * p], [x], [p])
    none = cc.Problem([x**2 + p], [x], [p])
    flat = cc.Problem([x**3 + 0 * p], [x], [p])
    for case, start, settings, expected in (
        (problem, -1.0, NATIVE, Status.NOT_FINITE),
        (problem, 0.5, NATIVE, Status.CONVERGED),
        (far, 1.0, NATIVE.replace(maximum_norm=2.0), Status.LEFT_BOUNDS),
        (none, 0.7, NATIVE, Status.START_FAILED),
        (flat, 0.0, NATIVE, Status.CONVERGED),  # an exactly singular Jacobian: judged in Python
    ):
        z = np.array([[start, 1.0]])
        found = solve(case, "p", z, settings)
        plain = solve(case, "p", z, settings.replace(gear="python"))
        assert found.status[0] is plain.status[0] is expected
        assert found.iterations[0] == plain.iterations[0]


def test_traces_do_not_depend_on_threads_or_pools(monkeypatch):
    z = np.column_stack([np.zeros(60), np.full(60, 5 * np.pi / 2), np.linspace(1e-3, 5e-3, 60)])
    names = ("offsets", "points", "tangents", "facts", "origin", "status")
    runs = [trace(SPIRAL, "lam", z, (1e-4, 0.2), NATIVE, threads) for threads in (1, 2, 5)]
    monkeypatch.setattr(many, "ROWS", 70)
    runs.append(trace(SPIRAL, "lam", z, (1e-4, 0.2), NATIVE, 2))
    assert all(bits(run, *names) == bits(runs[0], *names) for run in runs[1:])
    assert np.all(np.diff(runs[0].offsets) > 10)


@pytest.mark.parametrize("direction", ["both", "forward", "backward"])
def test_a_march_is_that_of_a_single_trace(direction):
    z = np.array([[0.0, 5 * np.pi / 2, 1e-3], [0.0, 5 * np.pi / 2, 3e-3]])
    found = trace(SPIRAL, "lam", z, (1e-4, 0.2), NATIVE, direction=direction)
    for k, start in enumerate(z):
        single = Tracer(SPIRAL.compile("lam", {}), (1e-4, 0.2), PYTHON).trace(start, direction)
        rows = slice(*found.offsets[k : k + 2])
        np.testing.assert_allclose(found.points[rows], single.z, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.tangents[rows], single.tangent, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found.facts[rows, 0], single.arclength, rtol=1e-10, atol=1e-12)
        assert tuple(found.status[k]) == single.status


def test_loops_close_and_budgets_end_walks():
    z = np.array([[1.0, 0.0]])
    loop = trace(CIRCLE, "p", z, (-2, 2), NATIVE, values={"q": 1.0})
    assert [status.name for status in loop.status[0]] == ["CLOSED_LOOP", "CLOSED_LOOP"]
    np.testing.assert_allclose(loop.points[0], loop.points[-1], atol=1e-15)
    np.testing.assert_allclose(loop.facts[-1, 0], 2 * np.pi / np.sqrt(2), rtol=1e-2)
    assert np.all(np.diff(loop.facts[:, 0]) > 0)
    short = trace(CIRCLE, "p", z, (-2, 2), NATIVE.replace(maximum_points=7), values={"q": 1.0})
    assert short.offsets[-1] == 15
    assert [status.name for status in short.status[0]] == ["MAXIMUM_POINTS", "MAXIMUM_POINTS"]


def test_starts_that_compiled_code_cannot_judge_get_the_general_machinery():
    problem = cc.Problem([p * x - x**3], [x], [p])
    z = np.array([[0.0, 0.0], [0.0, 0.5]])  # the first sits on the branch point
    found = trace(problem, "p", z, (0, 1), NATIVE)
    assert np.all(np.diff(found.offsets) > 1)
    none = cc.Problem([x**2 + 1 + p], [x], [p])
    failed = trace(none, "p", np.array([[1.0, 0.5]]), (0, 1), NATIVE)
    assert failed.status[0, 0] is Status.START_FAILED
    assert failed.offsets.tolist() == [0, 0]


def test_what_is_not_a_number_is_never_small():
    import numba

    native_twins.register()

    def largest(vector):
        return kernel.largest(vector)

    compiled = numba.njit(**native_twins.OPTIONS)(largest)
    for values in ([np.nan, 1.0], [1.0, np.nan], [np.nan, np.inf], [np.inf, np.nan, 0.0]):
        assert np.isnan(compiled(np.array(values)))
        assert np.isnan(kernel.largest(np.array(values)))
    assert compiled(np.array([-3.0, 2.0])) == 3.0


def test_errors_in_a_thread_reach_the_caller():
    def run(tools, first, last):
        if first == 20:
            raise RuntimeError("block 20")

    with pytest.raises(RuntimeError, match="block 20"):
        many._in_blocks(run, lambda: None, 40, (5, 5), 2)


@pytest.mark.parametrize(("count", "threads"), [(1, 1), (40, 1), (40, 3), (41, 64)])
def test_every_problem_is_in_one_block(count, threads):
    met, tools = [], []

    def make():
        tools.append(None)
        return tools

    def run(own, first, last):
        assert own is tools and 1 <= last - first <= 7
        met.extend(range(first, last))

    many._in_blocks(run, make, count, (2, 7), threads)
    assert sorted(met) == list(range(count))
    assert 1 <= len(tools) <= threads
