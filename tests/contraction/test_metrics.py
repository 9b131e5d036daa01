"""Contracting metrics: closed forms, and proofs that there is none."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import contcrit as cc
from contcrit.contraction.bounds import rate_bound
from contcrit.contraction.metrics import _Search, find_metric, metric_for
from contcrit.contraction.norms import logarithmic_norm
from contcrit.errors import SpecificationError

pytest.importorskip("cvxpy")

X, Y = sp.symbols("x y")
SEEDS = st.integers(0, 2**32 - 1)


def check_multipliers(matrices: np.ndarray, Z: list[np.ndarray], rate: float, k: float) -> float:
    """Return by how much <M, S> is positive for every M with eigenvalues in [1/k, 1]."""
    unit = np.max(np.linalg.norm(matrices, 2, axis=(1, 2)))
    S = sum(A @ z + z @ A.T for A, z in zip(matrices / unit, Z, strict=True))
    S = S + 2 * rate / unit * sum(Z)
    assert all(np.linalg.eigvalsh(z)[0] >= -1e-12 for z in Z)
    sizes = np.linalg.eigvalsh((S + S.T) / 2)
    return float(sizes[sizes > 0].sum() / k + sizes[sizes < 0].sum())


def test_one_matrix_contracts_as_fast_as_its_spectrum() -> None:
    found = find_metric([[-1.0, 4.0], [0.0, -2.0]])
    assert found.verdict == "found" and 0.99 < found.rate <= 1.0
    assert found.rate <= found.upper <= 1.0 + 1e-9
    # In the plain norm it expands.
    assert logarithmic_norm([[-1.0, 4.0], [0.0, -2.0]]) > 0


def test_condition_bounds_the_rate_of_a_jordan_block() -> None:
    # M = diag(1, k) / k gives -1 + 2 / sqrt(k); no metric of condition k does better than
    # -1 + 2 / sqrt(k) - the part that a rotation gains, which the solver finds.
    found = find_metric([[-1.0, 4.0], [0.0, -1.0]], condition=10.0)
    assert found.verdict == "found" and np.linalg.cond(found.metric) <= 10.0 * (1 + 1e-9)
    assert 1 - 2 / np.sqrt(10) - 1e-3 <= found.rate <= found.upper <= found.rate + 1e-3
    assert found.certificate["kind"] == "multipliers"
    A = np.array([[[-1.0, 4.0], [0.0, -1.0]]])
    assert check_multipliers(A, found.certificate["Z"], found.upper, 10.0) > 0


def test_multipliers_that_prove_nothing_are_refused() -> None:
    A = np.array([[[-1.0, 0.5], [0.0, -1.0]]])
    search = _Search(A, 100.0, None)
    before = search.upper
    assert search._try(0.5)  # there is one of rate 0.75, so that the dual solution is no proof
    search._multipliers(0.5)
    assert search.upper == before


def test_no_common_metric() -> None:
    # Both are stable; switching between them is not, so that no metric serves both.
    A = np.array([[[-1.0, 1.0], [-1.0, -1.0]], [[-1.0, 10.0], [-0.1, -1.0]]])
    assert all(np.max(np.linalg.eigvals(one).real) < 0 for one in A)
    found = find_metric(A)
    assert found.verdict == "none" and found.upper < 0
    assert found.certificate["kind"] == "multipliers"
    assert check_multipliers(A, found.certificate["Z"], 0.0, found.condition) > 0


def test_unstable_combination_is_a_proof() -> None:
    # The mean of the two has an eigenvalue 4.
    found = find_metric([[[-1.0, 10.0], [0.0, -1.0]], [[-1.0, 0.0], [10.0, -1.0]]])
    assert found.verdict == "none" and found.certificate["kind"] == "spectrum"
    assert np.allclose(found.certificate["weights"], 0.5) and abs(found.upper + 4.0) < 1e-9


def test_borderline_is_undecided() -> None:
    # A rotation: the largest rate is 0, which is not above 0 and cannot be excluded in floats.
    found = find_metric([[0.0, 1.0], [-1.0, 0.0]])
    assert found.verdict in ("undecided", "none") and abs(found.rate) < 1e-12
    assert find_metric([[0.0, 1.0], [-1.0, 0.0]], rate=0.1).verdict == "none"
    assert find_metric([[0.0, 1.0], [-1.0, 0.0]], rate=-0.1).verdict == "found"


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 3), stretch=st.floats(1, 8))
def test_a_hidden_metric_is_found(seed: int, n: int, stretch: float) -> None:
    # Matrices with rate 1/2 in a metric that is not the plain one.
    generator = np.random.default_rng(seed)
    root = np.linalg.qr(generator.normal(size=(n, n)))[0] * np.linspace(1, stretch, n)
    inverse = np.linalg.inv(root)
    family = []
    for _ in range(3):
        B = generator.normal(size=(n, n))
        B = B - (logarithmic_norm(B) + 0.5) * np.eye(n)
        family.append(inverse @ B @ root)
    found = find_metric(np.array(family), tolerance=1e-2)
    assert found.verdict == "found" and found.rate >= 0.4
    assert abs(found.rate + max(logarithmic_norm(A, 2, found.metric) for A in family)) < 1e-9
    # The hull contracts as well.
    weights = generator.dirichlet(np.ones(3), size=20)
    hull = np.tensordot(weights, np.array(family), axes=1)
    assert np.max(logarithmic_norm(hull, 2, found.metric)) <= -found.rate + 1e-9


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_bounds_are_in_order(seed: int) -> None:
    generator = np.random.default_rng(seed)
    family = generator.normal(size=(2, 2, 2)) - generator.uniform(0, 2) * np.eye(2)
    found = find_metric(family, condition=50.0, tolerance=1e-2)
    assert found.rate <= found.upper + 1e-9
    assert found.rate >= -np.max(logarithmic_norm(family)) - 1e-12
    assert np.linalg.cond(found.metric) <= 50.0 * (1 + 1e-9)
    # Any metric of that condition stays below the upper bound.
    for _ in range(30):
        Q = np.linalg.qr(generator.normal(size=(2, 2)))[0]
        M = (Q * [1.0, generator.uniform(1 / 50, 1)]) @ Q.T
        assert -np.max(logarithmic_norm(family, 2, M)) <= found.upper + 1e-9


def test_metric_of_a_flow_is_confirmed_over_a_box() -> None:
    problem = cc.Problem([-X + 3 * sp.tanh(Y), -2 * Y + sp.sin(X) / 10], [X, Y])
    assert rate_bound(problem, (-2, 2)).contracting is not True
    corners = [[0, 0], [2, 0], [-2, 0], [2, 2], [0, 2]]
    found = metric_for(problem, corners, condition=100.0)
    assert found.verdict == "found"
    assert rate_bound(problem, (-2, 2), metric=found.metric).contracting is True


def test_kinks_count_with_both_pieces() -> None:
    problem = cc.PiecewiseProblem([-X + 3 * cc.relu(X - Y), -Y], [X, Y])
    assert metric_for(problem, [[-1.0, 0.0]]).verdict == "found"
    assert metric_for(problem, [[0.0, 0.0]]).verdict == "none"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"matrices": [[1, 2]]}, "A"),
        ({"matrices": np.zeros((0, 2, 2))}, "matrices"),
        ({"condition": 1.0}, "condition"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"rate": np.nan}, "rate"),
    ],
)
def test_misuse_is_refused(arguments: dict[str, object], name: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        find_metric(**{"matrices": -np.eye(2), **arguments})  # type: ignore[arg-type]
    assert caught.value.argument == name


def test_points_must_fit() -> None:
    with pytest.raises(SpecificationError, match="points"):
        metric_for(cc.Problem([-X], [X]), [[1.0, 2.0]])
