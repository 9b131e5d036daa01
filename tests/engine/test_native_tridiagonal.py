"""The native gear over grids: rows as machine code, tridiagonal solves, the same branch."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import sympy as sp

import contcrit as cc
from contcrit.engine import kernel, native_tridiagonal, native_twins, repayment, tridiagonal
from contcrit.engine.gear import Gear
from contcrit.engine.trace import Tracer

u, lam, k, w = sp.IndexedBase("u"), sp.Symbol("lam"), sp.Symbol("k"), sp.Symbol("w")


def bratu(n, boundary=0):
    equation = (u[-1] - 2 * u[0] + u[1]) * (n + 1) ** 2 + lam * sp.exp(u[0])
    return cc.GridProblem(equation, u, n, [lam], kind="equation", boundary=boundary)


def diffusion(n):
    return (u[-1] - 2 * u[0] + u[1]) * n**2


CASES = {
    "fold": (bratu(200), {}, (0, 4)),
    "reflecting": (
        cc.GridProblem(
            diffusion(240) / 100 + 1 - u[0] + lam * u[0] ** 2, u, 240, [lam],
            boundary=(0, "neumann"), kind="equation",
        ),
        {}, (0, 0.2),
    ),
    "advection": (
        cc.GridProblem(
            diffusion(250) + k * 125 * u[0] * (u[1] - u[-1]) + lam * sp.exp(u[0]),
            u, 250, [lam, k], kind="equation",
        ),
        {k: 3.0}, (0, 4),
    ),
    "coefficients": (
        cc.GridProblem(
            diffusion(220) * (1 + k) + lam * w * sp.exp(u[0]), u, 220, [lam, k],
            coefficients={w: 1 + np.linspace(0, 1, 220) ** 2}, kind="equation",
        ),
        {k: 0.1}, (0, 4),
    ),
}  # fmt: skip
SETTINGS = cc.Settings(maximum_points=60, maximum_norm=20.0)


def system_of(name):
    problem, values, _ = CASES[name]
    return problem.compile("lam", values)


@pytest.mark.parametrize("name", CASES)
def test_both_gears_walk_the_same_branch(name):
    problem, values, span = CASES[name]
    branches = [
        cc.trace(
            problem, np.zeros(problem.size), "lam", span, values=values,
            settings=SETTINGS.replace(gear=gear), direction="forward", progress=False,
        )
        for gear in ("python", "native")
    ]  # fmt: skip
    plain, fast = branches
    assert fast.provenance["gear"] == "native"
    assert plain.provenance["gear"] == "python"
    assert len(plain) == len(fast) > 10
    assert np.max(np.abs(plain.z - fast.z)) < 1e-10 * (1 + np.max(np.abs(plain.z)))
    assert np.max(np.abs(plain.tangent - fast.tangent)) < 1e-9
    assert [s.kind for s in plain.special_points] == [s.kind for s in fast.special_points]
    for one, other in zip(plain.special_points, fast.special_points, strict=True):
        assert abs(one.parameter - other.parameter) < 1e-10
    if name == "fold":
        assert [s.kind for s in fast.special_points] == ["fold"]
        assert abs(fast.special_points[0].parameter - 3.5138) < 1e-3


@pytest.mark.parametrize("name", CASES)
def test_machine_code_evaluates_what_the_system_does(name):
    system = system_of(name)
    handle, work, _ = native_tridiagonal.handle_of(system)
    assert handle.symmetric == system.symmetric
    z = np.random.default_rng(3).uniform(-0.5, 0.5, system.size + 1)
    residual, jacobian = system.residual_and_jacobian(z)
    evaluate(handle, z, work)
    dense, n = jacobian.toarray(), system.size
    scale = np.max(np.abs(dense))
    np.testing.assert_allclose(work.residual, residual, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(as_matrix(work), dense, rtol=1e-12, atol=1e-13 * scale)
    assert as_matrix(work).shape == (n, n + 1)


@pytest.mark.parametrize("shift", [0.0, 30.0, 1000.0, 1e5])
@pytest.mark.parametrize("name", ["fold", "reflecting", "coefficients"])
def test_negative_eigenvalues_are_counted(name, shift):
    system = system_of(name)
    z = np.append(0.3 * np.sin(np.linspace(0, np.pi, system.size)), 0.1)
    matrix = system.jacobian(z).toarray()
    moved = matrix[:, :-1] + shift * np.eye(len(matrix))
    counted = tridiagonal.negative_quotients(*bands(moved))
    assert counted == np.count_nonzero(np.linalg.eigvals(moved).real < 0)


def test_no_count_without_a_symmetric_form():
    turning = np.diag([1.0, 2.0, 3.0]) + np.diag([1.0, 1.0], 1) - np.diag([1.0, 1.0], -1)
    assert tridiagonal.negative_quotients(*bands(turning)) == -1
    assert tridiagonal.negative_quotients(*bands(np.diag([1.0, np.nan, 1.0]))) == -1


@pytest.mark.parametrize("seed", range(20))
def test_bordered_solutions_and_determinants_match_dense_ones(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    matrix = band_matrix(rng, n)
    if seed % 2:  # singular, to rounding or exactly
        matrix[:, 0] = 0.0
        if n > 2 and seed % 4 == 1:
            matrix = np.diag(np.arange(n) - 1.0)
    check_bordered(matrix, rng)


@pytest.mark.parametrize("diagonal", [1e-12, 1e-9, 0.0])
def test_rows_are_exchanged_where_pivots_are_small(diagonal):
    rng = np.random.default_rng(5)
    square = diagonal * np.eye(7) + np.diag(1 + rng.random(6), 1) + np.diag(1 + rng.random(6), -1)
    check_bordered(square, rng)


def test_bordered_solutions_are_accurate_at_a_fold():
    system = system_of("fold")
    problem, values, span = CASES["fold"]
    branch = cc.trace(
        problem, np.zeros(problem.size), "lam", span, values=values,
        settings=SETTINGS.replace(gear="native"), direction="forward", progress=False,
    )  # fmt: skip
    fold = branch.special_points[0]
    matrix = system.jacobian(np.append(fold.z[:-1], fold.parameter)).toarray()
    values_there = np.linalg.svd(matrix[:, :-1], compute_uv=False)
    assert values_there[-1] < 1e-9 * values_there[0]
    weights = np.full(problem.size + 1, 0.5)
    row = weights * fold.tangent
    for share in (0.0, 1.0):
        check_bordered(matrix[:, :-1], np.random.default_rng(1), (matrix[:, -1], row, share))
    # A right-hand side outside the range of the square part, where elimination cancels.
    null = np.linalg.svd(matrix[:, :-1])[0][:, -1]
    right = np.append(null, 0.5)
    expected = np.linalg.solve(np.vstack([matrix, row]), right)
    found, _ = solve(matrix[:, :-1], matrix[:, -1], row, right)
    assert np.max(np.abs(found - expected)) < 1e-8 * np.max(np.abs(expected))


def test_native_gear_must_be_possible():
    plane = cc.GridProblem(
        u[-1, 0] + u[1, 0] + u[0, -1] + u[0, 1] - 4 * u[0, 0] + lam, u, (15, 15), [lam]
    )
    system = plane.compile("lam", {})
    assert system.native_tridiagonal() is None
    with pytest.raises(cc.errors.SpecificationError, match="tridiagonal"):
        Gear(system, cc.Settings(gear="native"))
    # All eigenvalues of a small matrix that is not symmetric are worth their time.
    small = cc.GridProblem(diffusion(150) + lam + u[0], u, 150, [lam], boundary=(0, "neumann"))
    assert native_tridiagonal.handle_of(small.compile("lam", {})) is None
    special = cc.GridProblem(diffusion(120) + lam * sp.gamma(2 + u[0]), u, 120, [lam])
    assert special.compile("lam", {}).native_tridiagonal() is None


def test_automatic_gear_shifts_once_it_repays(monkeypatch):
    system = system_of("fold")
    monkeypatch.setattr(native_tridiagonal, "is_loaded", lambda: False)
    monkeypatch.setattr(native_tridiagonal, "is_kept", lambda: True)
    monkeypatch.setitem(repayment._spent, "native_tridiagonal", 0.0)
    gear = Gear(system, cc.Settings())
    enough = int(repayment.LOADING / repayment.seconds(system, 1))
    gear.walked(enough // 2)
    gear.shift()
    assert gear.name == "python"
    gear.walked(enough)
    gear.shift()
    assert gear.name == "native"


def test_walk_ends_where_numbers_do():
    # The logarithm's domain ends before the span does.
    problem = cc.GridProblem(
        sp.log(1 - lam) - u[0] + (u[-1] + u[1]) / 10, u, 150, [lam], kind="equation"
    )
    tracer = Tracer(
        problem.compile("lam", {}), (0.0, 2.0), SETTINGS.replace(gear="native", maximum_points=300)
    )
    branch = tracer.trace(np.zeros(151), "forward")
    assert branch.status[1] in (cc.Status.NOT_FINITE, cc.Status.LEFT_BOUNDS)
    assert np.all(np.isfinite(branch.z)) and branch.z[-1, -1] < 1.0


# ---- what the tests are made of ----------------------------------------------------------


def evaluate(handle, z, work):
    native_twins.register()

    def once(system, z, work):
        kernel.evaluate(system, z, work)

    numba.njit(**native_twins.OPTIONS)(once)(handle, z, work)


def as_matrix(work):
    n = work.main.size
    square = np.diag(work.main) + np.diag(work.lower[1:], -1) + np.diag(work.upper[: n - 1], 1)
    return np.column_stack([square, work.column])


def bands(matrix):
    lower = np.append(0.0, np.diag(matrix, -1))
    return lower, np.diag(matrix).copy(), np.append(np.diag(matrix, 1), 0.0)


def band_matrix(rng, n):
    matrix = rng.standard_normal((n, n))
    rows, columns = np.indices(matrix.shape)
    return np.where(abs(rows - columns) <= 1, matrix, 0.0)


def solve(square, column, row, right, has_upper=True):
    own = tridiagonal.tridiagonal_factors(len(square))
    found = np.array(right, dtype=float)
    factor, logarithm = tridiagonal.solve_bordered(
        *bands(square), column, row, found, has_upper, own
    )
    return found, (np.sign(factor), logarithm + np.log(abs(factor)))


def check_bordered(square, rng, border=None):
    n = len(square)
    column, row, share = border or (*rng.standard_normal((2, n + 1)), 1.0)
    column = column[:n]
    whole = np.vstack([np.column_stack([square, column]), row])
    if np.linalg.cond(whole) > 1e12:
        return
    right = np.append(share * rng.standard_normal(n), 1.0)
    found, determinant = solve(square, column, row, right, bool(share))
    error = np.max(np.abs(whole @ found - right))
    assert error <= 1e-12 * (np.max(np.abs(whole) @ np.abs(found)) + np.max(np.abs(right)))
    sign, logarithm = np.linalg.slogdet(whole)
    assert determinant[0] == sign
    assert determinant[1] == pytest.approx(logarithm, rel=1e-6, abs=1e-6)
