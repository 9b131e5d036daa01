"""Matrix equations by products with the Jacobian."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy as sp
from numpy.testing import assert_allclose
from scipy.sparse.linalg import LinearOperator, gmres

from contcrit.symbolic import matrix_problem
from contcrit.symbolic.exponential_operator import LARGEST_NORM
from contcrit.symbolic.matrix import Exp
from contcrit.symbolic.matrix_problem import MatrixProblem

d = sp.Symbol("d", integer=True, positive=True)
C, R, S0 = (sp.MatrixSymbol(name, d, d) for name in ("C", "R", "Sigma0"))
lam, T = sp.symbols("lam T")
F = Exp(T * (C - C.T)) * Exp(T * C.T)
CHARACTERISTIC = lam * C - F.T * (R - F) * S0


def characteristic(rng, n, **options):
    square = rng.standard_normal((n, n)) / n
    target = np.eye(n) + 0.5 * rng.standard_normal((n, n)) / np.sqrt(n)
    constants = {R: target, S0: np.eye(n) + square @ square.T}
    return MatrixProblem(CHARACTERISTIC, C, [lam, T], constants, **options)


def pair(rng, n):
    """The system by its products and the one by its matrix, and a point."""
    problem = characteristic(rng, n)
    dense = problem.compile("lam", {"T": 1.1})
    problem.matrix_free = True
    return problem.compile("lam", {"T": 1.1}), dense, point(rng, n)


def point(rng, n):
    return np.append(0.3 * rng.standard_normal(n * n) / np.sqrt(n), 0.6)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_products_are_those_of_the_matrix(rng, n):
    free, dense, z = pair(rng, n)
    residual, operator = free.residual_and_jacobian(z)
    expected, matrix = dense.residual_and_jacobian(z)
    assert isinstance(operator, LinearOperator)
    assert operator.shape == (n * n, n * n + 1)
    assert_allclose(residual, expected, rtol=0, atol=1e-14)
    close = {"rtol": 0, "atol": 1e-13 * np.abs(matrix).max() * n}
    u, w = rng.standard_normal(n * n + 1), rng.standard_normal(n * n)
    assert_allclose(operator @ u, matrix @ u, **close)
    assert_allclose(operator.rmatvec(w), matrix.T @ w, **close)
    assert_allclose(w @ operator, w @ matrix, **close)
    assert_allclose(operator.toarray(), matrix, **close)
    assert_allclose(operator.last_column(), matrix[:, -1], **close)
    assert_allclose(operator[:, [n * n]], matrix[:, [-1]], **close)
    square = operator[:, :-1]
    assert_allclose(square @ u[:-1], matrix[:, :-1] @ u[:-1], **close)
    assert_allclose(square.rmatvec(w), matrix[:, :-1].T @ w, **close)
    assert operator.norm_bound() > 0.1 * np.linalg.norm(matrix, 2)
    with pytest.raises(IndexError, match="square part"):
        operator[:, 0]


@pytest.mark.parametrize("n", [3, 5])
def test_second_derivatives_are_operators_too(rng, n):
    free, dense, z = pair(rng, n)
    v, u, w = rng.standard_normal((3, n * n + 1))
    operator, matrix = free.second(z, v), dense.second(z, v)
    close = {"rtol": 0, "atol": 1e-12 * np.abs(matrix).max() * n}
    assert isinstance(operator, LinearOperator)
    assert_allclose(operator @ u, matrix @ u, **close)
    assert_allclose(w[:-1] @ operator, w[:-1] @ matrix, **close)


def iterations(system, z, preconditioner):
    square = system.jacobian(z)[:, :-1]
    right = np.random.default_rng(3).standard_normal(square.shape[0])
    residuals = []
    solution, failure = gmres(
        square, right, M=preconditioner, rtol=1e-10, restart=60, maxiter=3,
        callback=residuals.append, callback_type="pr_norm",
    )  # fmt: skip
    return len(residuals), solution, right, failure


def test_the_approximate_inverse_serves_points_nearby(rng):
    free, dense, z = pair(rng, 8)
    inverse = free.preconditioner(z)
    count, solution, right, failure = iterations(free, z, inverse)
    assert failure == 0
    assert count <= 4  # the factors are those of this very point, in single precision
    expected = np.linalg.solve(dense.jacobian(z)[:, :-1], right)
    assert_allclose(solution, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    factors = free._inverse._factors
    near = z + 1e-3 * rng.standard_normal(z.size)
    count, *_, failure = iterations(free, near, free.preconditioner(near))
    assert failure == 0
    assert count <= 10
    assert free._inverse._factors is factors
    far = point(rng, 8)
    count, *_ = iterations(free, far, free.preconditioner(far))
    assert count <= 4
    assert free._inverse._factors is not factors


def test_the_transpose_of_the_approximate_inverse(rng):
    free, dense, z = pair(rng, 4)
    inverse, w = free.preconditioner(z), rng.standard_normal(16)
    matrix = dense.jacobian(z)[:, :-1]
    scale = np.abs(np.linalg.inv(matrix)).max()
    assert_allclose(inverse.matvec(w), np.linalg.solve(matrix, w), rtol=0, atol=1e-4 * scale)
    assert_allclose(inverse.rmatvec(w), np.linalg.solve(matrix.T, w), rtol=0, atol=1e-4 * scale)
    assert_allclose(inverse.matvec(np.zeros(16)), 0.0)
    assert_allclose(inverse.matvec(1e200 * w), 1e200 * inverse.matvec(w), rtol=1e-5)


def test_a_singular_matrix_still_gives_something_finite(rng):
    x = sp.MatrixSymbol("X", 3, 3)
    problem = MatrixProblem(lam * x * x, x, [lam], matrix_free=True)
    system = problem.compile("lam", {})
    inverse = system.preconditioner(np.append(np.zeros(9), 1.0))
    assert np.isfinite(inverse.matvec(rng.standard_normal(9))).all()


def test_beyond_the_quadrature_the_stack_serves(rng):
    free, dense, z = pair(rng, 3)
    z[:-1] *= 1.2 * LARGEST_NORM / np.linalg.norm(z[:-1])
    w, u = rng.standard_normal(9), rng.standard_normal(10)
    matrix = dense.jacobian(z)
    for computed, expected in (
        (free.jacobian(z).rmatvec(w), matrix.T @ w),
        (free.jacobian(z).matvec(u), matrix @ u),
    ):
        assert_allclose(computed, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_who_chooses(rng, monkeypatch):
    problem = characteristic(rng, 3)
    assert not problem.compile("lam", {"T": 1.0}).matrix_free
    assert characteristic(rng, 3, matrix_free=True).compile("lam", {"T": 1.0}).matrix_free
    monkeypatch.setattr(matrix_problem, "MATRIX_FREE_SIZE", 9)
    assert problem.compile("lam", {"T": 1.0}).matrix_free
    assert problem.provenance["matrix_free"]
    problem.matrix_free = False
    assert not problem.compile("lam", {"T": 1.0}).matrix_free


def test_systems_by_products_are_never_machine_code_and_pickle(rng):
    free, _, z = pair(rng, 2)
    assert free.native() is None
    free.preconditioner(z)
    again = pickle.loads(pickle.dumps(free))
    assert again.matrix_free
    u = rng.standard_normal(5)
    assert_allclose(again.jacobian(z) @ u, free.jacobian(z) @ u, rtol=1e-14)


def test_residuals_are_the_callers_own(rng):
    free, _, z = pair(rng, 3)
    residual, _ = free.residual_and_jacobian(z)
    residual[:] = 0.0
    assert np.abs(free.residual_and_jacobian(z)[0]).max() > 0.0
