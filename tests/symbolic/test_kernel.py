from __future__ import annotations

import numpy as np
import sympy as sp

import contcrit as cc
from contcrit.symbolic.kernel import Kernel

x0, x1, x2, a, b = sp.symbols("x0 x1 x2 a b")


def test_unused_inputs_do_not_stand_for_common_subexpressions() -> None:
    inputs = [x0, x1, x2, a, b]
    shared = sp.sin(a + b) * sp.exp(a * b)
    expressions = [shared + x1, sp.sin(a + b) + sp.exp(a * b), sp.exp(a * b) * shared]
    kernel = Kernel(inputs, expressions)
    assert kernel.backend == "symengine-llvm"
    values = np.array([5.0, 6.0, 7.0, 0.3, 0.4])
    exact = [float(e.subs(dict(zip(inputs, values, strict=True)))) for e in expressions]
    assert np.allclose(kernel(values), exact, rtol=1e-14)
    assert np.allclose(kernel.batch(values[None])[0], exact, rtol=1e-14)


def test_pieces_that_do_not_depend_on_the_unknowns_keep_their_values() -> None:
    q = sp.symbols("q:2")
    potential = 3 * cc.absolute(x0 - 2 * x1) + 4 * cc.absolute(x0 + x1) - q[0] * x0 - q[1] * x1
    problem = cc.PiecewiseProblem.from_potential(potential, [x0, x1], q)
    found = problem.evaluate([2.0, 0.5], {"q0": 0.25, "q1": 0.5})
    assert found.tolist() == [3 + 4 - 0.25, -6 + 4 - 0.5]
