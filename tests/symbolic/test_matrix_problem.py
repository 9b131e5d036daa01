"""Matrix problems: the characteristic equation of linear networks, written once for every size."""

from __future__ import annotations

import ctypes
import json
import pickle

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import expm
from sympy.matrices.expressions import Trace

from contcrit.criticality.record import Criticality
from contcrit.errors import SpecificationError
from contcrit.symbolic.matrix import Exp
from contcrit.symbolic.matrix_problem import MatrixProblem
from contcrit.system import System

d = sp.Symbol("d", integer=True, positive=True)
C, R, S0, S = (sp.MatrixSymbol(name, d, d) for name in ("C", "R", "Sigma0", "S"))
lam, T, mu = sp.symbols("lam T mu")
F = Exp(T * (C - C.T)) * Exp(T * C.T)
CHARACTERISTIC = lam * C - F.T * (R - F) * S0
COST = lam * T / 2 * Trace(C.T * C) + Trace((F - R).T * (F - R) * S0) / 2
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
STEP = 1e-40


def data(rng, n):
    square = rng.standard_normal((n, n))
    return {R: rng.standard_normal((n, n)), S0: square @ square.T + 0.5 * np.eye(n)}


def characteristic(rng, n):
    constants = data(rng, n)
    return MatrixProblem(CHARACTERISTIC, C, [lam, T], constants, observables={"J": COST})


def rotation():
    constants = {R: QUARTER, S0: np.eye(2), S: QUARTER}
    return MatrixProblem(
        CHARACTERISTIC,
        C,
        [lam, T],
        constants,
        generators=[S * C - C * S],
        unfolding=[F.I * S * F - S],
        observables={"J": COST},
    )


def by_hand(c, r, s0, rate, time, exponential=expm):
    f = exponential(time * (c - c.T)) @ exponential(time * c.T)
    return rate * c - f.T @ (r - f) @ s0


def at_50_digits(problem, z, time):
    """Residual with mpmath; z holds mpmath numbers."""

    def exponential(matrix):
        n = len(matrix)
        result = mpmath.expm(mpmath.matrix(matrix.tolist()), method="taylor")
        return np.array(result.tolist(), dtype=object).reshape(n, n)

    exact = np.vectorize(mpmath.mpf, otypes=[object])
    c = np.array(z[:-1], dtype=object).reshape(problem.shape)
    r, s0 = exact(problem.constants[R]), exact(problem.constants[S0])
    return by_hand(c, r, s0, z[-1], mpmath.mpf(time), exponential).ravel()


def differences_at_50_digits(problem, z, direction, time):
    """First and second central differences along a direction, good to more than 15 digits."""
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -15
        points = [mpmath.mpf(float(x)) for x in z]
        steps = [mpmath.mpf(float(x)) * h for x in direction]
        ahead = at_50_digits(problem, [a + b for a, b in zip(points, steps, strict=True)], time)
        behind = at_50_digits(problem, [a - b for a, b in zip(points, steps, strict=True)], time)
        here = at_50_digits(problem, points, time)
        first, second = (ahead - behind) / (2 * h), (ahead - 2 * here + behind) / h**2
        return here.astype(float), first.astype(float), second.astype(float)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_characteristic_equation_against_complex_step(rng, n):
    problem = characteristic(rng, n)
    system = problem.compile("lam", {"T": 1.3})
    z = np.append(0.4 * rng.standard_normal(n * n), 0.6)
    v = rng.standard_normal(n * n + 1)
    c = z[:-1].reshape(n, n)
    expected = by_hand(c, problem.constants[R], problem.constants[S0], 0.6, 1.3).ravel()
    assert_allclose(system.residual(z), expected, rtol=1e-12, atol=1e-12)
    jacobian = system.jacobian(z)
    units = np.eye(n * n + 1)
    columns = [system.residual(z + 1j * STEP * unit).imag / STEP for unit in units]
    assert_allclose(jacobian, np.array(columns).T, rtol=0, atol=1e-13 * np.abs(jacobian).max())
    second = system.second(z, v)
    along = system.jacobian(z + 1j * STEP * v).imag / STEP
    assert_allclose(second, along, rtol=0, atol=1e-12 * np.abs(along).max())


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_characteristic_equation_against_50_digits(rng, n):
    problem = characteristic(rng, n)
    system = problem.compile("lam", {"T": 1.3})
    z = np.append(0.4 * rng.standard_normal(n * n), 0.6)
    v = rng.standard_normal(n * n + 1)
    residual, first, second = differences_at_50_digits(problem, z, v, 1.3)
    for computed, exact in (
        (system.residual(z), residual),
        (system.jacobian(z) @ v, first),
        (system.second(z, v) @ v, second),
    ):
        assert_allclose(computed, exact, rtol=0, atol=2e-13 * np.abs(exact).max())


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_parameter_can_be_continued(rng, n):
    problem = characteristic(rng, n)
    x = 0.4 * rng.standard_normal(n * n)
    values = {"lam": 0.6, "T": 1.3}
    for name in problem.parameter_names:
        system = problem.compile(name, values)
        z = np.append(x, values[name])
        changed = {**values, name: values[name] + 1j * STEP}
        slope = problem.evaluate(x, changed).imag / STEP
        assert_allclose(system.jacobian(z)[:, -1], slope, rtol=1e-11, atol=1e-12)
        assert_allclose(problem.parameter_derivative(x, values, name), slope, atol=1e-12)
        assert_allclose(system.residual(z), problem.evaluate(x, values), atol=1e-12)
        assert_allclose(system.jacobian(z)[:, :-1], problem.jacobian(x, values), atol=1e-11)


def test_a_parameter_inside_a_constant_matrix():
    R0, R1 = sp.MatrixSymbol("R0", d, d), sp.MatrixSymbol("R1", d, d)
    target = R0 + mu * R1
    residual = CHARACTERISTIC.subs(R, target)
    constants = {R0: QUARTER, R1: np.diag([0.0, 1.0]), S0: np.eye(2)}
    problem = MatrixProblem(residual, C, [mu, lam, T], constants)
    # At lam = 0 and mu = pi/2 the solution is C = [[0, 0], [pi/2, 0]].
    solution = problem.pack(C=[[0.0, 0.0], [np.pi / 2, 0.0]])
    values = {"mu": np.pi / 2, "lam": 0.0, "T": 1.0}
    assert_allclose(problem.evaluate(solution, values), 0.0, atol=1e-14)
    system = problem.compile("mu", values)
    z = np.append(solution + 0.1, 0.7)
    shifted = np.array([[0.0, -1.0], [1.0, 0.7]])
    expected = by_hand(z[:-1].reshape(2, 2), shifted, np.eye(2), 0.0, 1.0)
    assert_allclose(system.residual(z), expected.ravel(), atol=1e-13)
    slope = np.imag(system.residual(z + 1j * STEP * np.eye(5)[4])) / STEP
    assert_allclose(system.jacobian(z)[:, -1], slope, atol=1e-13)


def test_explicit_matrices_of_parameters():
    X = sp.MatrixSymbol("X", 2, 2)
    target = sp.ImmutableMatrix([[0, -1], [1, mu]])
    problem = MatrixProblem(X - X.T * target, X, [mu], {})
    x = np.array([0.1, 0.2, 0.3, 0.4])
    system = problem.compile("mu", {})
    z = np.append(x, 0.7)
    X0 = x.reshape(2, 2)
    assert_allclose(system.residual(z).reshape(2, 2), X0 - X0.T @ [[0, -1], [1, 0.7]])
    assert_allclose(system.jacobian(z)[:, -1].reshape(2, 2), -X0.T @ [[0, 0], [0, 1]])


def test_observable_is_the_cost_of_the_known_branch():
    problem = rotation()
    # Principal branch at lam = 1: lam a = e^a sin b - e^{2a}, lam b = e^a cos b, J known.
    a, b = 0.0, 1.0
    for _ in range(60):
        e = np.exp(a)
        g = np.array([a - e * np.sin(b) + e * e, b - e * np.cos(b)])
        u, v = e * np.sin(b), e * np.cos(b)
        slopes = np.array([[1 - u + 2 * e * e, -v], [-v, 1 + u]])
        a, b = np.array([a, b]) - np.linalg.solve(slopes, g)
    values = {"lam": 1.0, "T": 1.0}
    x = problem.pack(C=[[a, -b], [b, a]])
    assert_allclose(problem.evaluate(x, values), 0.0, atol=1e-14)
    assert_allclose(problem.observables["J"](x, values), 1.141419999719350, rtol=1e-14)


def test_generators_and_left_null_directions():
    problem = rotation()
    assert problem.generators.shape == (1, 4, 5)
    x = problem.pack(C=[[1.0, 2.0], [3.0, 4.0]])
    moved = QUARTER @ x.reshape(2, 2) - x.reshape(2, 2) @ QUARTER
    assert_allclose(problem.generators[0, :, :-1] @ x, moved.ravel())
    values = {"lam": 0.3, "T": 0.8}
    f = expm(0.8 * (x.reshape(2, 2) - x.reshape(2, 2).T)) @ expm(0.8 * x.reshape(2, 2).T)
    expected = np.linalg.inv(f) @ QUARTER @ f - QUARTER
    found = problem.unfolding(x, values)
    assert_allclose(found, expected.reshape(1, 4), rtol=1e-10)
    system = problem.compile("lam", values)
    assert_allclose(system.unfolding(np.append(x, 0.3)), found)
    assert characteristic(np.random.default_rng(0), 2).compile("lam", values).unfolding(x) is None


def test_left_null_direction_on_a_group_orbit():
    """A non-normal solution: the generator is a null direction, the unfolding a left one."""
    problem = rotation()
    values = {"lam": 0.1, "T": 1.0}
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(200):
        x = rng.uniform(-6, 6, 4)
        for _ in range(80):
            step = np.linalg.lstsq(problem.jacobian(x, values), problem.evaluate(x, values), 1e-10)
            x = x - step[0] * min(1.0, 1.0 / np.linalg.norm(step[0]))
            if not np.isfinite(x).all() or np.abs(x).max() > 50:
                break
        c = x.reshape(2, 2)
        if not np.isfinite(x).all() or np.abs(problem.evaluate(x, values)).max() > 1e-11:
            continue
        if np.abs(c @ c.T - c.T @ c).max() < 1e-2:
            continue
        jacobian = problem.jacobian(x, values)
        right = problem.generators[0, :, :-1] @ x
        left = problem.unfolding(x, values)[0]
        scale = np.abs(jacobian).max()
        assert np.abs(jacobian @ right).max() < 1e-8 * scale * np.abs(right).max()
        assert np.abs(left @ jacobian).max() < 1e-8 * scale * np.abs(left).max()
        found += 1
        if found == 2:
            break
    assert found == 2


@pytest.mark.parametrize("n", [1, 2])
def test_native_function_agrees(rng, n):
    problem = characteristic(rng, n)
    system = problem.compile("lam", {"T": 1.3})
    native = system.native()
    assert native is not None
    z = np.append(0.4 * rng.standard_normal(n * n), 0.6)
    inputs = np.append(z, native.constants)
    assert native.in_size == inputs.size and len(native.inputs) == inputs.size
    assert native.out_size == len(native.outputs)
    out = np.empty(native.out_size)
    pointer = ctypes.POINTER(ctypes.c_double)
    kind = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.c_void_p)
    kind(native.address)(out.ctypes.data_as(pointer), inputs.ctypes.data_as(pointer), native.data)
    residual, jacobian = system.residual_and_jacobian(z)
    assert_allclose(out, np.concatenate([residual, jacobian.ravel()]), rtol=1e-14, atol=1e-14)
    program = problem.program("first", lam)
    stack = np.eye(n * n).reshape(-1, n, n)
    by_numpy = program(z[:-1].reshape(n, n), 0.6, 1.3, stack)
    assert_allclose(residual.reshape(n, n), by_numpy[0], rtol=0, atol=1e-13)
    assert_allclose(jacobian[:, :-1], problem.columns(by_numpy[1]), rtol=0, atol=1e-13)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1e-9, 1e-4, 0.3, 1.0, 1.4142, 2.0, 5.0, 10.0]),
    kind=st.sampled_from(["generic", "normal", "symmetric", "nilpotent"]),
)
def test_compiled_and_numpy_agree_near_and_far_from_defective(seed, size, kind):
    problem = PAIR
    rng = np.random.default_rng(seed)
    c = rng.standard_normal((2, 2))
    if kind == "normal":
        c = np.array([[c[0, 0], -c[0, 1]], [c[0, 1], c[0, 0]]])
    elif kind == "symmetric":
        c = c + c.T
    elif kind == "nilpotent":
        c = np.array([[1.0, 1.0], [-1.0, -1.0]]) + 1e-9 * c
    c = c * size / np.linalg.norm(c)
    z = np.append(c.ravel(), 0.2)
    residual, jacobian = problem.compile("lam", {"T": 1.0}).residual_and_jacobian(z)
    program = problem.program("first", lam)
    by_numpy = program(c, 0.2, 1.0, np.eye(4).reshape(4, 2, 2))
    bound = 1e-13 * (1 + size) * np.exp(2 * size)
    assert np.abs(residual.reshape(2, 2) - by_numpy[0]).max() <= bound
    assert np.abs(jacobian[:, :-1] - problem.columns(by_numpy[1])).max() <= bound


PAIR = characteristic(np.random.default_rng(7), 2)


def test_larger_sizes_have_no_native_function(rng):
    problem = characteristic(rng, 6)
    system = problem.compile("lam", {"T": 1.0})
    assert system.native() is None
    system.residual_and_jacobian(np.zeros(37))
    assert problem.provenance["backend"] in ("numpy", "numba")
    assert characteristic(rng, 2).provenance["backend"] == "numpy"


def test_system_contract(rng):
    problem = characteristic(rng, 2)
    system = problem.compile("lam", {"T": 1.3})
    assert isinstance(system, System)
    assert system.names == ("C[0,0]", "C[0,1]", "C[1,0]", "C[1,1]")
    assert (system.size, system.parameter, system.kind) == (4, "lam", "equation")
    assert not system.sparse and not system.symmetric
    assert problem.compile(lam, {T: 1.3, lam: 5.0}) is system
    z = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    rebuilt = pickle.loads(pickle.dumps(problem)).compile("lam", {"T": 1.3})
    for copy in (pickle.loads(pickle.dumps(system)), rebuilt):
        assert_allclose(copy.jacobian(z), system.jacobian(z), rtol=1e-14)


def test_pack_and_unpack(rng):
    problem = characteristic(rng, 3)
    assert problem.blocks == {"C": (3, 3)}
    c = rng.standard_normal((3, 3))
    x = problem.pack(C=c)
    assert_allclose(x, c.ravel())
    assert_allclose(problem.unpack(x)["C"], c)


def test_maps_subtract_the_identity(rng):
    problem = MatrixProblem(mu * C * R, C, [mu], {R: np.eye(2)}, kind="map")
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert_allclose(problem.evaluate(x, {"mu": 0.25}), -0.75 * x)
    jacobian = problem.compile("mu", {}).jacobian(np.append(x, 0.25))
    assert_allclose(jacobian[:, :-1], -0.75 * np.eye(4))


def test_potential_and_its_gradient(rng):
    potential = Trace(C.T * C) ** 2 / 4 + mu * Trace(R * C)
    problem = MatrixProblem(
        Trace(C.T * C) * C + mu * R.T, C, [mu], data(rng, 3), kind="potential", potential=potential
    )
    assert problem.symmetric
    x = rng.standard_normal(9)
    assert_allclose(
        problem.potential(x, {"mu": 0.3}),
        (x @ x) ** 2 / 4 + 0.3 * np.trace(problem.constants[R] @ x.reshape(3, 3)),
    )
    system = problem.compile("mu", {})
    z, v = np.append(x, 0.3), rng.standard_normal(10)
    along = system.jacobian(z + 1j * STEP * v).imag / STEP
    assert_allclose(system.second(z, v), along, atol=1e-12)


def test_classifier_and_description(rng):
    seen = []

    def classifier(x, values):
        seen.append((x, values))
        return Criticality(kind="saddle", index=2)

    origin = {"model": "linear-network", "constants": {"R": QUARTER, "T": 1}}
    problem = MatrixProblem(
        CHARACTERISTIC, C, [lam, T], data(rng, 2), classifier=classifier, origin=origin
    )
    verdict = problem.classify(np.zeros(4), {lam: 1.0, "T": 2})
    assert verdict.index == 2
    assert seen[0][1] == {"lam": 1.0, "T": 2.0}
    described = json.loads(json.dumps(problem.describe()))
    assert described == {"model": "linear-network", "constants": {"R": QUARTER.tolist(), "T": 1}}
    plain = characteristic(rng, 2)
    assert plain.classify(np.zeros(4), {"lam": 1, "T": 1}) is None
    with pytest.raises(SpecificationError, match="origin"):
        plain.describe()


GOOD = {R: QUARTER, S0: np.eye(2), S: QUARTER}


def build(residual=CHARACTERISTIC, unknown=C, parameters=(lam, T), constants=GOOD, **options):
    return MatrixProblem(residual, unknown, list(parameters), constants, **options)


MISUSE = {
    "not square": (lambda: build(constants={**GOOD, R: np.ones((2, 3))}), "R"),
    "sizes differ": (lambda: build(constants={**GOOD, R: np.eye(3)}), "Sigma0"),
    "nan": (lambda: build(constants={**GOOD, R: np.full((2, 2), np.nan)}), "R"),
    "infinite": (lambda: build(constants={**GOOD, S0: np.diag([1, np.inf])}), "Sigma0"),
    "text": (lambda: build(constants={**GOOD, R: "abc"}), "R"),
    "number for matrix": (lambda: build(constants={**GOOD, R: 1.0}), "R"),
    "array for number": (lambda: build(constants={**GOOD, mu: np.eye(2)}), "mu"),
    "missing matrix": (lambda: build(constants={S0: np.eye(2)}), "constants"),
    "missing symbol": (lambda: build(parameters=[lam]), "constants"),
    "size unknown": (lambda: MatrixProblem(lam * C, C, [lam], {}), "unknown"),
    "unknown given": (lambda: build(constants={**GOOD, C: np.eye(2)}), "constants"),
    "scalar unknown": (lambda: build(unknown=lam), "unknown"),
    "scalar residual": (lambda: build(residual=Trace(C)), "residual"),
    "shape": (lambda: build(residual=C * sp.MatrixSymbol("x", d, 1)), "residual"),
    "kind": (lambda: build(kind="nonsense"), "kind"),
    "no parameter": (lambda: build(residual=C * R, parameters=[]), "parameters"),
    "twice": (lambda: build(parameters=[lam, T, lam]), "parameters"),
    "wrong generator": (
        lambda: build(constants={**GOOD, R: np.diag([1.0, 2.0])}, generators=[S * C - C * S]),
        "generators",
    ),
    "not affine": (lambda: build(generators=[C * C]), "generators"),
    "zero generator": (lambda: build(generators=[np.zeros((4, 5))]), "generators"),
    "generator shape": (lambda: build(generators=[np.eye(3)]), "generators"),
    "generator of parameters": (lambda: build(generators=[lam * C]), "generators"),
    "unfolding count": (lambda: build(unfolding=[S]), "unfolding"),
    "not symmetric": (lambda: build(symmetric=True), "symmetric"),
    "wrong potential": (lambda: build(potential=COST), "potential"),
    "matrix observable": (lambda: build(observables={"C": C}), "observables"),
    "origin": (lambda: build(origin={"model": object()}), "origin"),
    "no value": (lambda: build().compile("lam", {}), "values"),
    "unknown value": (lambda: build().compile("lam", {"T": 1, "X": 2}), "values"),
    "nan value": (lambda: build().compile("lam", {"T": np.nan}), "values"),
    "text value": (lambda: build().compile("lam", {"T": "one"}), "values"),
    "unknown parameter": (lambda: build().compile("X", {"T": 1}), "parameter"),
    "pack name": (lambda: build().pack(D=np.eye(2)), "blocks"),
    "pack shape": (lambda: build().pack(C=np.eye(3)), "C"),
    "pack nan": (lambda: build().pack(C=np.full((2, 2), np.nan)), "C"),
    "x shape": (lambda: build().evaluate(np.zeros(3), {"lam": 1, "T": 1}), "x"),
    "no potential": (lambda: build().potential(np.zeros(4), {"lam": 1, "T": 1}), "potential"),
}


@pytest.mark.parametrize("case", sorted(MISUSE))
def test_misuse_is_refused(case):
    act, named = MISUSE[case]
    with pytest.raises(SpecificationError) as caught:
        act()
    assert caught.value.argument == named
