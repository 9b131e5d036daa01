"""Matrix expressions: derivative rules for every size, against closed forms and 50 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import expm, expm_frechet
from sympy.matrices.expressions import Determinant, HadamardProduct, Identity, Trace, ZeroMatrix

from contcrit.errors import SpecificationError
from contcrit.symbolic import matrix_compile
from contcrit.symbolic.exponential import exponential
from contcrit.symbolic.matrix import Exp, FrechetExp, FrechetExp2, directional_derivative
from contcrit.symbolic.matrix_compile import MatrixProgram

d = sp.Symbol("d", integer=True, positive=True)
C, H, K, A, B = (sp.MatrixSymbol(name, d, d) for name in "CHKAB")
p, q = sp.symbols("p q")

ARGUMENTS = {
    "generic": lambda rng, n: rng.standard_normal((n, n)),
    "skew": lambda rng, n: np.triu(rng.standard_normal((n, n)), 1) * np.sqrt(2),
    "nearly defective": lambda rng, n: np.eye(n, k=1) + 1e-9 * rng.standard_normal((n, n)),
    "defective": lambda rng, n: 0.3 * np.eye(n) + np.eye(n, k=1),
    "diagonal": lambda rng, n: np.diag(np.linspace(-1.0, 1.0, n) + 1e-12),
}


def argument(rng, kind, n, norm):
    matrix = ARGUMENTS[kind](rng, n)
    if kind == "skew":
        matrix = matrix - matrix.T
    return matrix * (norm / max(np.abs(matrix).sum(axis=0).max(), 1e-300))


def exact_exponential(matrix):
    """Exponential of a list-of-lists matrix with mpmath's own algorithm."""
    return mpmath.expm(mpmath.matrix(matrix), method="taylor")


def exact_second(x, h, k):
    """First and second derivatives from one exponential of a 4d x 4d block matrix, 50 digits."""
    n = len(x)
    zero = np.zeros((n, n))
    block = np.block([[x, h, k, zero], [zero, x, zero, k], [zero, zero, x, h], [zero] * 3 + [x]])
    with mpmath.workdps(50):
        result = exact_exponential(block.tolist())
        full = np.array(result.tolist(), dtype=object).astype(float)
    return full[:n, :n], full[:n, n : 2 * n], full[:n, 3 * n :]


@pytest.mark.parametrize("kind", sorted(ARGUMENTS))
@pytest.mark.parametrize("norm", [1e-3, 0.7, 3.0, 20.0])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_exponential_against_50_digits(rng, kind, norm, n):
    x = argument(rng, kind, n, norm)
    h, k = rng.standard_normal((2, n, n))
    value, first, second = exact_second(x, h, k)
    prepared = exponential(x)
    # Rounding in the argument alone is amplified by the norm.
    tolerance = 40 * (1 + norm) * np.finfo(float).eps
    for computed, exact in (
        (prepared.value, value),
        (prepared.frechet(h), first),
        (prepared.frechet2(h, k), second),
    ):
        assert np.abs(computed - exact).max() <= tolerance * np.abs(exact).max()


@pytest.mark.parametrize("kind", sorted(ARGUMENTS))
@pytest.mark.parametrize("norm", [1e-3, 0.3, 1.0, 5.0, 20.0, 40.0])
def test_whole_bases_of_directions_against_50_digits(rng, kind, norm):
    x = argument(rng, kind, 3, norm)
    stack = rng.standard_normal((9, 3, 3))
    k = rng.standard_normal((3, 3))
    _, exact, second = exact_second(x, stack[0], k)
    computed = exponential(x).frechet(stack)
    both = exponential(x).frechet2(stack, k)[0]
    tolerance = 40 * (1 + norm) * np.finfo(float).eps
    assert np.abs(computed[0] - exact).max() <= tolerance * np.abs(exact).max()
    assert np.abs(both - second).max() <= 2 * tolerance * np.abs(second).max()
    alone = np.array([exponential(x).frechet(h) for h in stack])
    assert_allclose(computed, alone, rtol=0, atol=2 * tolerance * np.abs(alone).max())


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_stacks_of_directions_agree_with_scipy(rng, n):
    x, k = rng.standard_normal((2, n, n))
    stack = np.eye(n * n).reshape(-1, n, n)
    prepared = exponential(x)
    assert_allclose(prepared.value, expm(x), rtol=1e-13, atol=1e-13)
    each = np.array([expm_frechet(x, h, compute_expm=False) for h in stack])
    assert_allclose(prepared.frechet(stack), each, rtol=1e-12, atol=1e-12)
    both = np.array([prepared.frechet2(h, k) for h in stack])
    assert_allclose(prepared.frechet2(stack, k), both, rtol=1e-12, atol=1e-12)
    assert_allclose(prepared.frechet2(k, stack), both, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_complex_arguments(rng, n):
    x, h = rng.standard_normal((2, n, n))
    slope = exponential(x + 1e-40j * h).value.imag / 1e-40
    assert_allclose(slope, exponential(x).frechet(h), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [np.nan, np.inf, 1e6])
def test_overflow_is_a_value_that_is_not_finite(n, size):
    program = MatrixProgram([Exp(C), FrechetExp(C, C)], [C], {}, {d: n})
    for result in program(np.full((n, n), size)):
        assert not np.isfinite(result).all()


def test_singular_inverse_is_a_value_that_is_not_finite():
    assert not np.isfinite(MatrixProgram([C.I], [C], {}, {d: 2})(np.ones((2, 2)))[0]).any()


def test_nodes():
    assert Exp(C.T) == Exp(C).T
    assert Exp(-C) == Exp(C).I
    assert Exp(ZeroMatrix(d, d)) == Identity(d)
    assert FrechetExp(C.T, H.T) == FrechetExp(C, H).T
    assert FrechetExp(C, ZeroMatrix(d, d)) == ZeroMatrix(d, d)
    assert FrechetExp(ZeroMatrix(d, d), H) == H
    assert FrechetExp2(C, H, K) == FrechetExp2(C, K, H)
    assert FrechetExp2(C.T, H.T, K.T) == FrechetExp2(C, H, K).T
    assert FrechetExp2(C, H, ZeroMatrix(d, d)) == ZeroMatrix(d, d)
    assert Exp(C).shape == FrechetExp(C, H).shape == FrechetExp2(C, H, K).shape == (d, d)
    assert Determinant(Exp(C)).doit() == sp.exp(Trace(C))
    assert Exp(C).subs(C, sp.MatrixSymbol("D", d, d)) == Exp(sp.MatrixSymbol("D", d, d))


RULES = [
    (C, H),
    (A, ZeroMatrix(d, d)),
    (Identity(d), ZeroMatrix(d, d)),
    (C + A, H),
    (C.T, H.T),
    (p * C, p * H),
    (A * C * B, A * H * B),
    (C * C.T, C * H.T + H * C.T),
    (C**2, C * H + H * C),
    (C.I, -C.I * H * C.I),
    (Exp(C), FrechetExp(C, H)),
    (FrechetExp(C, A), FrechetExp2(C, A, H)),
    (FrechetExp(A, C), FrechetExp(A, H)),
    (FrechetExp(C, C), FrechetExp2(C, C, H) + FrechetExp(C, H)),
    (Trace(C) * A, Trace(H) * A),
]


@pytest.mark.parametrize(("expression", "expected"), RULES, ids=[str(rule[0]) for rule in RULES])
def test_rules_for_every_size(expression, expected):
    assert directional_derivative(expression, C, H) == expected


def test_the_characteristic_equation_for_every_size():
    lam, T = sp.symbols("lam T")
    R, S = sp.MatrixSymbol("R", d, d), sp.MatrixSymbol("S", d, d)
    F = Exp(T * (C - C.T)) * Exp(T * C.T)
    skew, slope = Exp(T * (C - C.T)), FrechetExp(T * C.T, T * H.T)
    DF = FrechetExp(T * (C - C.T), T * (H - H.T)) * Exp(T * C.T) + skew * slope
    expected = lam * H - DF.T * (R - F) * S + F.T * DF * S
    derived = directional_derivative(lam * C - F.T * (R - F) * S, C, H)
    # Both are one expression in d; equality of their values at several d is equality of form.
    rng = np.random.default_rng(1)
    for n in (1, 2, 4):
        arrays = {symbol: rng.standard_normal((n, n)) for symbol in (C, H, R, S)}
        program = MatrixProgram([derived, expected], [], {**arrays, lam: 0.3, T: 0.7}, {d: n})
        left, right = program()
        assert_allclose(left, right, rtol=1e-13, atol=1e-13 * np.abs(right).max())
    assert directional_derivative(lam * C - F.T * (R - F) * S, lam) == C
    assert derived.shape == (d, d)


def test_scalar_parameters():
    assert directional_derivative(A + p * B, p) == B
    assert directional_derivative(sp.sin(p) * C, p) == sp.cos(p) * C
    assert directional_derivative(Exp(p * C), p) == FrechetExp(p * C, C)
    assert directional_derivative(p**2 * C, p, q) == 2 * p * q * C
    explicit = sp.Matrix([[0, -1], [1, p]])
    derived = directional_derivative(sp.ImmutableMatrix(explicit), p)
    assert derived == sp.ImmutableMatrix([[0, 0], [0, 1]])


SCALARS = [
    Trace(C.T * C),
    p * Trace(C * A) ** 2,
    sp.exp(Trace(C * A)),
    Determinant(C),
    C[0, 1] * C[1, 0],
    Trace(Exp(C) * A),
]


@pytest.mark.parametrize("expression", SCALARS, ids=str)
def test_scalars_against_complex_step(rng, expression):
    c, h, a = rng.standard_normal((3, 3, 3))
    program = MatrixProgram([expression], [C, A, p], {}, {d: 3})
    derived = directional_derivative(expression, C, H)
    slope = MatrixProgram([derived], [C, A, p, H], {}, {d: 3}, [H])(c, a, 0.4, h)[0]
    step = 1e-40
    assert_allclose(slope, program(c + 1j * step * h, a, 0.4)[0].imag / step, rtol=1e-12)


EXPRESSIONS = [
    A * Exp(p * C.T) * B + C.I * A,
    (C - C.T) ** 3 * Exp(C * A) * Exp(C).T,
    HadamardProduct(C, A * C) + C**-2,
    Trace(C * A) * Exp(C) - Identity(d),
    FrechetExp(C, A * C),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 4])
def test_derivatives_against_complex_step(rng, expression, n):
    c, a, b = rng.standard_normal((3, n, n))
    stack = np.eye(n * n).reshape(-1, n, n)
    slopes = MatrixProgram(
        [directional_derivative(expression, C, H), directional_derivative(expression, p)],
        [C, A, B, p, H],
        {},
        {d: n},
        [H],
    )(c, a, b, 0.6, stack)
    program = MatrixProgram([expression], [C, A, B, p], {}, {d: n})
    step = 1e-40
    each = np.array([program(c + 1j * step * h, a, b, 0.6)[0].imag / step for h in stack])
    scale = np.abs(each).max()
    assert_allclose(slopes[0], each, rtol=0, atol=2e-12 * scale)
    along_p = np.imag(program(c, a, b, 0.6 + 1j * step)[0]) / step
    assert_allclose(slopes[1], along_p, rtol=0, atol=2e-12 * scale)


numbers = st.floats(-2, 2).map(lambda x: round(x, 6))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 3), alpha=numbers, beta=numbers)
def test_directional_derivatives_are_linear_in_the_direction(seed, n, alpha, beta):
    rng = np.random.default_rng(seed)
    c, a, b, h, k = rng.standard_normal((5, n, n))
    for expression in (A * Exp(C) * C.T, FrechetExp(C * A, C), Exp(C - C.T) * B * C**2):
        derived = directional_derivative(expression, C, H)
        program = MatrixProgram([derived], [C, A, B, H], {}, {d: n}, [H])
        one, other, both = program(c, a, b, np.array([h, k, alpha * h + beta * k]))[0]
        scale = np.abs(one).max() + np.abs(other).max()
        assert np.abs(both - (alpha * one + beta * other)).max() <= 1e-12 * scale


factors = st.sampled_from([C, C.T, A, Exp(C), Exp(p * C.T), C * A, C + B, FrechetExp(C, A)])


@given(first=factors, second=factors, seed=st.integers(0, 2**32 - 1))
def test_product_rule(first, second, seed):
    rng = np.random.default_rng(seed)
    arrays = {symbol: rng.standard_normal((2, 2)) for symbol in (C, A, B, H)}
    product = directional_derivative(first * second, C, H)
    by_hand = directional_derivative(first, C, H) * second + first * directional_derivative(
        second, C, H
    )
    left, right = MatrixProgram([product, by_hand], [], {**arrays, p: 0.3}, {d: 2})()
    scale = sum(np.linalg.norm(a) for a in arrays.values()) * np.abs(right).max() + 1
    assert np.abs(left - right).max() <= 1e-13 * scale


def test_equal_parts_and_transposes_are_computed_once(monkeypatch):
    calls = []

    def counted(matrix):
        calls.append(matrix)
        return exponential(matrix)

    monkeypatch.setattr(matrix_compile, "exponential", counted)
    F = Exp(C - C.T) * Exp(C.T)
    derived = directional_derivative(F.T * A * F, C, H)
    program = MatrixProgram([F, F.T, F.T * A * F, derived], [C, A, H], {}, {d: 3}, [H])
    program(np.eye(3), np.eye(3), np.ones((2, 3, 3)))
    assert len(calls) == 2


def test_constants_are_folded():
    program = MatrixProgram([Exp(A) * B * C], [C], {A: np.eye(2), B: np.eye(2)}, {d: 2})
    assert program.length == 1


def test_nothing_is_multiplied_by_one(rng):
    expressions = [A * C * p * B, p * C.T]
    program = MatrixProgram(expressions, [C], {A: np.eye(2), B: np.eye(2), p: 1.0}, {d: 2})
    value = rng.standard_normal((2, 2))
    found, mirrored = program(value)
    assert found is value
    assert_allclose(mirrored, value.T, rtol=0, atol=0)
    nearly = {A: np.eye(2), B: np.diag([1.0, 1.0 + 1e-15]), p: 1.0}
    again = MatrixProgram(expressions, [C], nearly, {d: 2})(value)[0]
    assert_allclose(again, value * [1.0, 1.0 + 1e-15], rtol=0, atol=0)


MISUSE = [
    (lambda: Exp(sp.MatrixSymbol("X", 2, 3)), "argument"),
    (lambda: Exp(p), "argument"),
    (lambda: FrechetExp(C, sp.MatrixSymbol("X", 2, 2)), "direction"),
    (lambda: directional_derivative(C, C, sp.MatrixSymbol("X", 2, 2)), "direction"),
    (lambda: directional_derivative(C, p, A), "direction"),
    (lambda: directional_derivative(C, C + A, H), "symbol"),
    (lambda: directional_derivative(FrechetExp2(C, A, B), C, H), "expression"),
    (lambda: directional_derivative(sp.Function("f")(p) * C, p), "expression"),
    (lambda: MatrixProgram([C * A], [C], {}, {d: 2}), "constants"),
    (lambda: MatrixProgram([p * C], [C], {}, {d: 2}), "constants"),
    (lambda: MatrixProgram([Identity(d)], [C], {}, {}), "dimensions"),
    (lambda: MatrixProgram([Exp(C)], [C], {}, {d: 2}, [C]), "stacked"),
    (lambda: MatrixProgram([sp.re(p) * sp.Adjoint(C)], [C, p], {}, {d: 2}), "expression"),
]


@pytest.mark.parametrize(("build", "named"), MISUSE)
def test_misuse_is_refused(build, named):
    with pytest.raises(SpecificationError) as caught:
        build()
    assert caught.value.argument == named
