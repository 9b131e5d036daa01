"""Matrix equations as machine code: the same numbers as numpy's, and None where there are none."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import sympy as sp
from numpy.testing import assert_allclose

import contcrit as cc
from contcrit.symbolic import machine_code, matrix_steps
from contcrit.symbolic.matrix import Exp
from contcrit.symbolic.matrix_machine import LARGEST_ROWS, MachineKernel
from contcrit.symbolic.matrix_problem import MatrixProblem

d = sp.Symbol("d", integer=True, positive=True)
p, q = sp.symbols("p q")
C, A, B = (sp.MatrixSymbol(name, d, d) for name in "CAB")

EXPRESSIONS = {
    "products": p * C - A * Exp(C) * C.T * B,
    "sums": -Exp(C) - A + q * Exp(C.T) - p * C + C * C.T,
    "nested": Exp(A * Exp(C.T - C)) - p * q * C,
    "scalars": (p + q) * C - p * q * Exp(C),
    "constant": Exp(p * A) - Exp(q * C) * B,
    "inner": A * (C + p * C.T) * Exp(B) - Exp(C),
}


def problem_of(expression, rng, size, parameters=(p, q)):
    constants = dict(zip((A, B), rng.standard_normal((2, size, size)) / size, strict=True))
    kept = {s: v for s, v in constants.items() if s in expression.free_symbols}
    return MatrixProblem(expression, C, parameters, kept or {A: constants[A]})


def carried_out(kernel, inputs):
    out = np.full(kernel.out_size, np.nan)
    matrix_steps.run(out, inputs, kernel.data)
    return out


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("free", [p, q])
def test_programs_agree_with_numpy(rng, name, free):
    problem = problem_of(EXPRESSIONS[name], rng, 3)
    other = q if free is p else p
    system = problem.compile(free.name, {other.name: 0.7})
    kernel = MachineKernel.build(problem, free)
    z = np.append(rng.standard_normal(9) / 2, 0.4)
    residual, jacobian = system.residual_and_jacobian(z)
    found = carried_out(kernel, np.append(z, 0.7))
    expected = np.concatenate([residual, jacobian.ravel()])
    assert_allclose(found, expected, rtol=0, atol=1e-14 * np.abs(expected).max())


@pytest.mark.parametrize(
    "expression",
    [
        p * C - A.inv() * Exp(C),
        p * C - sp.Trace(C) * Exp(C),
        sp.sin(p) * C - Exp(C),
        sp.hadamard_product(Exp(C), C.T) - p * C,
    ],
)
def test_what_has_no_machine_code_is_left_to_numpy(rng, expression):
    problem = problem_of(expression, rng, 3)
    constant = expression.has(sp.Inverse)  # inverted once, before any step
    assert (MachineKernel.build(problem, p) is None) is not constant
    system = problem.compile("p", {"q": 0.3})
    z = rng.standard_normal(10)
    assert np.isfinite(system.residual_and_jacobian(z)[1]).all()
    assert constant or system.native() is None


def test_large_and_oblong_matrices_have_none(rng):
    large = problem_of(EXPRESSIONS["products"], rng, LARGEST_ROWS + 1)
    assert MachineKernel.build(large, p) is None
    X = sp.MatrixSymbol("X", 3, 4)
    oblong = MatrixProblem(p * X - X * X.T * X, X, [p])
    assert MachineKernel.build(oblong, p) is None


def test_walks_are_the_same_in_both_gears():
    target = np.eye(3) + np.array([[0.1, -0.3, 0.0], [0.4, 0.2, 0.1], [0.0, 0.3, -0.2]])
    problem = cc.models.get("linear-network").build(R=target)
    start = ((target - np.eye(3)) / 6).ravel()
    python, native = (
        cc.trace(
            problem, start, "lam", (1.0, 5.0), values={"lam": 5.0}, direction="backward",
            settings=cc.Settings(gear=gear), classify=False, progress=False,
        )
        for gear in ("python", "native")
    )  # fmt: skip
    assert native.status == python.status
    assert_allclose(native.z, python.z, rtol=0, atol=1e-12)
    # Loaded code serves the Python gear, too.
    assert machine_code.worthwhile()
    system = problem.compile("lam")
    kernel = MachineKernel.build(problem, problem.parameters[0])
    found = np.concatenate([part.ravel() for part in system.residual_and_jacobian(native.z[0])])
    assert_allclose(found, carried_out(kernel, native.z[0]), rtol=0, atol=1e-14)


def test_numpy_serves_until_loading_is_repaid(monkeypatch, tmp_path):
    class Unloaded:
        @staticmethod
        def cache_info():
            return type("Info", (), {"currsize": 0})

    monkeypatch.setattr(machine_code, "compiled_entry", Unloaded)
    monkeypatch.setattr(machine_code, "cache_folder", lambda: tmp_path)
    for name, count in (("LOADING", 2), ("IMPORTING", 4), ("COMPILING", 7)):
        monkeypatch.setattr(machine_code, f"_REPAYS_{name}", count)

    def answers():
        monkeypatch.setattr(machine_code, "_asked", iter(range(1, 100)))
        return [machine_code.worthwhile() for _ in range(7)].index(True) + 1

    monkeypatch.setitem(sys.modules, "numba", None)
    assert answers() == 7
    (tmp_path / "entry.nbi").touch()
    assert answers() == 2
    monkeypatch.delitem(sys.modules, "numba")
    assert answers() == 4
