"""Compiled systems: derivatives, backends, sparsity, native addresses."""

import ctypes
import time

import mpmath
import numpy as np
import pytest
import scipy.sparse as ss
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from contcrit.errors import SpecificationError
from contcrit.symbolic import Problem, compile_problem
from contcrit.system import System

x, y, p, q = sp.symbols("x y p q")


def bratu(count, kind="equation"):
    u = sp.symbols(f"u1:{count + 1}")
    lam = sp.Symbol("lam")
    padded = (0, *u, 0)
    step = sp.Rational(1, count + 1) ** 2
    rows = [
        padded[i - 1] - 2 * padded[i] + padded[i + 1] + lam * step * sp.exp(padded[i])
        for i in range(1, count + 1)
    ]
    return Problem(rows, u, [lam], kind=kind)


def small_problems():
    a, b, lam = sp.symbols("a b lam")
    return [
        (Problem([p * x - x**3], [x], [p]), "p"),
        (Problem([sp.Integer(2), x + 1], [x, y], [p]), "p"),
        (Problem([x - sp.Rational(1, 3)], [x], [p]), "p"),
        (
            Problem(
                [
                    lam * a - (sp.exp(a) * sp.sin(b) - sp.exp(2 * a)),
                    lam * b * q - sp.exp(a) * sp.cos(b) / (2 + sp.tanh(a * p)),
                ],
                [a, b],
                [p, lam, q],
            ),
            "lam",
        ),
        (Problem([p * x * (1 - x) + sp.log(3 + y), x * y**2], [x, y], [p], kind="map"), "p"),
        (Problem.from_potential(x**4 * y**2 - p * x * y + q * sp.cos(x), [x, y], [p, q]), "q"),
        (Problem([sp.besselj(0, x) * p - y, sp.LambertW(3 + y) - x], [x, y], [p]), "p"),
    ]


def precise_jacobian(problem, parameter, z, values):
    """Jacobian by differences in 50 digits, from expressions evaluated without any compilation."""
    names = [*problem.unknowns, sp.Symbol(parameter)]
    others = {sp.Symbol(name): value for name, value in values.items()}
    functions = [sp.lambdify(names, f.subs(others), modules="mpmath") for f in problem.equations]
    with mpmath.workdps(50):
        point = [mpmath.mpf(float(value)) for value in z]
        step = mpmath.mpf(10) ** -20
        result = np.empty((len(functions), len(point)))
        for j in range(len(point)):
            ahead, behind = list(point), list(point)
            ahead[j] += step
            behind[j] -= step
            for i, f in enumerate(functions):
                result[i, j] = float((f(*ahead) - f(*behind)) / (2 * step))
    return result


@pytest.mark.parametrize(("problem", "parameter"), small_problems())
def test_derivatives_against_fifty_digits(problem, parameter):
    rng = np.random.default_rng(1)
    values = {name: 0.7 for name in problem.parameter_names if name != parameter}
    system = problem.compile(parameter, values)
    assert isinstance(system, System)
    z = rng.uniform(0.2, 1.0, problem.size + 1)
    residual, jacobian = system.residual_and_jacobian(z)
    assert residual.shape == (problem.size,)
    assert jacobian.shape == (problem.size, problem.size + 1)
    assert residual.dtype == jacobian.dtype == np.float64
    assert np.array_equal(residual, system.residual(z))
    assert np.array_equal(jacobian, system.jacobian(z))
    assert np.allclose(jacobian, precise_jacobian(problem, parameter, z, values), rtol=1e-13)
    everything = {**values, parameter: z[-1]}
    assert np.allclose(problem.evaluate(z[:-1], everything), residual, rtol=1e-14)
    assert np.allclose(problem.jacobian(z[:-1], everything), jacobian[:, :-1], rtol=1e-14)
    by_parameter = problem.parameter_derivative(z[:-1], everything, parameter)
    assert np.allclose(by_parameter, jacobian[:, -1], rtol=1e-14)


@pytest.mark.parametrize(("problem", "parameter"), small_problems())
def test_second_derivative_is_that_of_the_jacobian(problem, parameter):
    rng = np.random.default_rng(2)
    values = {name: 0.7 for name in problem.parameter_names if name != parameter}
    system = problem.compile(parameter, values)
    z = rng.uniform(0.3, 0.8, problem.size + 1)
    v = rng.normal(size=problem.size + 1)
    # Exact: directional derivative by sympy, numbers in 30 digits.
    symbols = [*problem.unknowns, sp.Symbol(parameter)]
    point = {s: sp.Float(float(value), 30) for s, value in zip(symbols, z, strict=True)}
    point |= {sp.Symbol(name): sp.Float(value, 30) for name, value in values.items()}
    expected = np.zeros((problem.size, problem.size + 1))
    for i, f in enumerate(problem.equations):
        for j, first in enumerate(symbols):
            for k, last in enumerate(symbols):
                expected[i, j] += float(f.diff(first, last).subs(point).evalf(30)) * v[k]
    assert np.allclose(system.second(z, v), expected, rtol=1e-11, atol=1e-13)
    assert np.allclose(system.second(z, 2 * v), 2 * expected, rtol=1e-11, atol=1e-13)


def test_other_values_compile_nothing_anew():
    problem = Problem([p * x - q * x**3], [x], [p, q])
    first, second = problem.compile("p", {"q": 1.0}), problem.compile(p, {q: 2.0, "p": 9.0})
    assert first._functions is second._functions
    z = np.array([2.0, 1.0])
    assert first.residual(z).tolist() == [-6.0]
    assert second.residual(z).tolist() == [-14.0]
    assert second.values == {"q": 2.0}
    assert compile_problem(problem, "q", {"p": 1.0}).parameter == "q"


def test_read_only_and_list_points_are_fine():
    system = Problem([p * x - x**3], [x], [p]).compile("p", {})
    z = np.array([2.0, 1.0])
    z.setflags(write=False)
    assert system.residual(z).tolist() == system.residual([2, 1]).tolist() == [-6.0]
    assert system.residual(np.arange(4.0)[1::2][::-1]).tolist() == [3.0 * 1.0 - 27.0]


@pytest.mark.parametrize(
    "expression", [sp.log(x) - p, sp.sqrt(x) - p, x ** sp.Rational(1, 3) - p, sp.acosh(x) - p]
)
def test_outside_the_domain_is_nan_not_an_exception(expression):
    system = Problem([expression], [x], [p]).compile("p", {})
    residual, jacobian = system.residual_and_jacobian(np.array([-2.0, 1.0]))
    assert np.isnan(residual[0])
    assert jacobian[0, 1] == -1.0
    system.second(np.array([-2.0, 1.0]), np.ones(2))


def test_fallback_is_noted_and_stays_real():
    problem = Problem([sp.LambertW(x) - p], [x], [p])
    system = problem.compile("p", {})
    assert problem.provenance["backend"] == "sympy-scipy"
    assert system.residual([np.e, 0.0])[0] == pytest.approx(1.0)
    assert np.isnan(system.residual([-2.0, 0.0])[0])  # LambertW(-2) is complex
    assert system.native() is None
    assert np.allclose(problem.evaluate([[np.e], [0.0]], {"p": 0.0})[:, 0], [1.0, 0.0])


def test_functions_that_nothing_can_evaluate_are_refused():
    class Strange(sp.Function):
        def fdiff(self, argindex=1):
            return sp.Integer(1)

    with pytest.raises(SpecificationError, match="no backend"):
        Problem([Strange(x) - p], [x], [p]).compile("p", {})


def test_bratu_is_sparse_exact_and_quick():
    problem = bratu(199)
    system = problem.compile("lam", {})
    assert system.sparse
    assert system.symmetric
    rng = np.random.default_rng(3)
    z = rng.uniform(0, 1, 200)
    residual, jacobian = system.residual_and_jacobian(z)
    assert isinstance(jacobian, ss.csc_array)
    u, step = z[:-1], 1 / 200**2
    padded = np.concatenate([[0], u, [0]])
    assert np.allclose(residual, padded[:-2] - 2 * u + padded[2:] + z[-1] * step * np.exp(u))
    expected = np.diag(z[-1] * step * np.exp(u) - 2) + np.eye(199, k=1) + np.eye(199, k=-1)
    expected = np.column_stack([expected, step * np.exp(u)])
    assert np.allclose(jacobian.toarray(), expected, rtol=1e-14)
    assert jacobian.nnz == 3 * 199 - 2 + 199
    v = rng.normal(size=200)
    second = system.second(z, v)
    bend = step * np.exp(u)
    diagonal = bend * (z[-1] * v[:-1] + v[-1])
    expected = np.column_stack([np.diag(diagonal), bend * v[:-1]])
    assert isinstance(second, ss.csc_array)
    assert np.allclose(second.toarray(), expected, rtol=1e-13)
    assert np.allclose(problem.jacobian(u, {"lam": z[-1]}), jacobian.toarray()[:, :-1])
    batch = problem.evaluate(np.stack([u, 2 * u]), {"lam": z[-1]})
    assert np.array_equal(batch[0], residual)


def test_results_do_not_share_memory():
    system = bratu(150).compile("lam", {})
    z = np.linspace(0, 1, 151)
    first = system.jacobian(z)
    kept = first.toarray()
    system.jacobian(2 * z)
    system.second(z, z)
    assert np.array_equal(first.toarray(), kept)


def test_a_thousand_unknowns_build_in_seconds():
    start = time.process_time()
    problem = bratu(999)
    system = problem.compile("lam", {})
    system.jacobian(np.full(1000, 0.1))
    system.second(np.full(1000, 0.1), np.ones(1000))
    assert time.process_time() - start < 10.0


def test_stencil_and_row_by_row_agree_with_dense(monkeypatch):
    # Three templates (interior with varying data, a special row, boundary rows) plus a bordering.
    count = 120
    u = sp.symbols(f"u0:{count}")
    padded = (0, *u, 0)
    rows = [padded[i] * p - 2 * u[i] ** 3 + padded[i + 2] + q for i in range(count)]
    rows[7] = u[7] - u[100] ** 2 * sp.log(4 + u[3]) + p * q
    rows[9] = sp.Integer(1) + 0 * u[9]
    problem = Problem(rows, u, [q, p])
    system = problem.compile("p", {"q": 0.3})
    assert "stencil" in problem.provenance["backend"]
    monkeypatch.setattr("contcrit.symbolic.compile.SPARSE_SIZE", 10**9)
    other = Problem(rows, u, [q, p])
    dense = other.compile("p", {"q": 0.3})
    assert "stencil" not in other.provenance["backend"]
    assert system.sparse
    assert not dense.sparse
    rng = np.random.default_rng(4)
    z, v = rng.uniform(0, 1, count + 1), rng.normal(size=count + 1)
    assert np.allclose(system.residual(z), dense.residual(z), rtol=1e-14, atol=1e-15)
    assert np.allclose(system.jacobian(z).toarray(), dense.jacobian(z), rtol=1e-14)
    assert np.allclose(system.second(z, v).toarray(), dense.second(z, v), rtol=1e-13)


def test_stencils_of_special_functions():
    u = sp.symbols("u0:110")
    problem = Problem([sp.besselj(1, s) - p for s in u], u, [p])
    system = problem.compile("p", {})
    from scipy.special import j1, jvp

    z = np.linspace(0.1, 3, 111)
    assert np.allclose(system.residual(z), j1(z[:-1]) - z[-1], rtol=1e-13, atol=1e-15)
    assert np.allclose(system.jacobian(z).toarray()[:, :-1].diagonal(), jvp(1, z[:-1]), atol=1e-14)


def test_gradients_of_long_sums():
    u = sp.symbols("u0:120")
    energy = sum((u[i + 1] - u[i]) ** 2 / 2 + p * sp.cos(u[i]) for i in range(119))
    problem = Problem.from_potential(energy, u, [p])
    system = problem.compile("p", {})
    assert system.sparse
    assert system.symmetric
    z = np.linspace(-1, 1, 121)
    jacobian = system.jacobian(z).toarray()[:, :-1]
    assert np.array_equal(jacobian, jacobian.T)
    slope = np.diff(z[:-1])
    expected = np.concatenate([[0], slope]) - np.concatenate([slope, [0]])
    expected[:-1] -= z[-1] * np.sin(z[:-2])
    assert np.allclose(system.residual(z), expected)


def test_native_function_gives_residual_then_jacobian():
    problem = Problem([p * x - q * x**3 + y, y - x], [x, y], [q, p])
    system = problem.compile("p", {"q": 2.0})
    native = system.native()
    assert native.inputs == ("x", "y", "p", "q")
    assert (native.in_size, native.out_size) == (4, 8)
    assert native.outputs[:3] == ("F[0]", "F[1]", "dF[0]/dx")
    pointer = ctypes.POINTER(ctypes.c_double)
    function = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.c_void_p)(native.address)
    z = np.array([0.5, 0.25, 1.5])
    given_, out = np.concatenate([z, native.constants]), np.empty(8)
    function(out.ctypes.data_as(pointer), given_.ctypes.data_as(pointer), native.data)
    residual, jacobian = system.residual_and_jacobian(z)
    assert np.array_equal(out[:2], residual)
    assert np.array_equal(out[2:].reshape(2, 3), jacobian)
    assert bratu(40).compile("lam", {}).native() is None


def test_generators_reach_the_system():
    problem = Problem.from_potential(
        (x**2 + y**2) ** 2 - p * (x**2 + y**2), [x, y], [p], generators=[[-y, x]]
    )
    system = problem.compile("p", {})
    assert system.generators.shape == (1, 2, 3)
    assert system.kind == "potential"
    assert system.names == ("x", "y")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_jacobian_of_random_polynomials(data):
    powers = st.integers(0, 4)
    rows = []
    for _ in range(2):
        terms = data.draw(
            st.lists(st.tuples(st.integers(-5, 5), powers, powers, powers), min_size=1, max_size=4)
        )
        rows.append(sum((c * x**i * y**j * p**k for c, i, j, k in terms), x * y))
    if not set().union(*(sp.sympify(r).free_symbols for r in rows)) & {x, y}:
        return
    z = np.array(data.draw(st.lists(st.floats(-2, 2), min_size=3, max_size=3)))
    system = Problem(rows, [x, y], [p]).compile("p", {})
    # Complex step: exact to rounding for polynomials.
    for j in range(3):
        step = z.astype(complex)
        step[j] += 1e-30j
        point = dict(zip((x, y, p), step, strict=True))
        function = sp.lambdify((x, y, p), rows)
        expected = np.imag(np.array(function(*point.values()), dtype=complex)) / 1e-30
        assert np.allclose(system.jacobian(z)[:, j], expected, rtol=1e-11, atol=1e-9)
