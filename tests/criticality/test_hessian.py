"""Verdicts against matrices whose inertia is known by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, sparse

import contcrit.criticality.hessian as module
from contcrit.criticality.hessian import classify_hessian, classify_jacobian
from contcrit.criticality.inertia import DenseCounter, block_diagonal_inertia
from contcrit.criticality.inertia_sparse import SparseCounter
from contcrit.criticality.record import KINDS
from contcrit.errors import SpecificationError

KIND_OF = {
    (True, False, True): "saddle",
    (True, True, True): "saddle",
    (False, False, True): "minimum",
    (True, False, False): "maximum",
    (False, True, True): "degenerate",
    (True, True, False): "degenerate",
    (False, True, False): "degenerate",
}


def congruent(signs: list[int], seed: int) -> np.ndarray:
    """Return B diag(signs) B^T with a well-conditioned random B."""
    generator = np.random.default_rng(seed)
    n = len(signs)
    left, _ = np.linalg.qr(generator.standard_normal((n, n)))
    right, _ = np.linalg.qr(generator.standard_normal((n, n)))
    factor = left @ np.diag(generator.uniform(0.5, 2.0, n)) @ right
    matrix = factor @ np.diag(np.array(signs, dtype=float)) @ factor.T
    return (matrix + matrix.T) / 2


def laplacian(count: int) -> sparse.csc_array:
    """Return the Dirichlet second difference, eigenvalues 4 sin^2(k pi / 2 (n + 1))."""
    side = -np.ones(count - 1)
    return sparse.diags_array([side, 2 * np.ones(count), side], offsets=[-1, 0, 1], format="csc")


signs_strategy = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=9)
seed_strategy = st.integers(0, 2**31)


@given(signs=signs_strategy, seed=seed_strategy, scale=st.sampled_from([1e-8, 1.0, 1e9]))
def test_inertia_survives_congruence(signs: list[int], seed: int, scale: float) -> None:
    """Sylvester: B diag(s) B^T has the inertia of diag(s), at every scale."""
    verdict = classify_hessian(scale * congruent(signs, seed))
    expected = (signs.count(-1), signs.count(0), signs.count(1))
    assert verdict.inertia == expected
    assert verdict.index == expected[0]
    assert verdict.nullity == expected[1]
    assert verdict.kind == KIND_OF[tuple(count > 0 for count in expected)]


@given(signs=signs_strategy, seed=seed_strategy)
def test_the_negative_function_mirrors_the_verdict(signs: list[int], seed: int) -> None:
    matrix = congruent(signs, seed)
    verdict, mirrored = classify_hessian(matrix), classify_hessian(-matrix)
    swap = {"minimum": "maximum", "maximum": "minimum"}
    assert mirrored.kind == swap.get(verdict.kind, verdict.kind)
    assert verdict.inertia is not None and mirrored.inertia == verdict.inertia[::-1]
    assert mirrored.margin == pytest.approx(verdict.margin, rel=1e-6)


@given(seed=seed_strategy, n=st.integers(1, 12), shift=st.floats(-3, 3))
def test_pivots_count_like_eigenvalues(seed: int, n: int, shift: float) -> None:
    matrix = np.random.default_rng(seed).standard_normal((n, n))
    matrix = matrix + matrix.T
    eigenvalues = np.linalg.eigvalsh(matrix)
    if np.min(np.abs(eigenvalues - shift)) > 1e-9:
        assert DenseCounter(matrix).below(shift) == np.count_nonzero(eigenvalues < shift)


@given(
    signs=st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=6),
    zeros=st.integers(1, 3),
    seed=seed_strategy,
)
def test_gauge_zeros_are_counted_apart(signs: list[int], zeros: int, seed: int) -> None:
    """Repeated, scaled and zero gauge vectors change nothing."""
    generator = np.random.default_rng(seed)
    matrix = congruent([*signs, *[0] * zeros], seed)
    kernel = linalg.null_space(matrix, rcond=1e-8).T
    assert len(kernel) == zeros
    mix = generator.standard_normal((zeros + 1, zeros))
    mix[:zeros] += 3 * np.eye(zeros)
    gauge = np.vstack([mix @ kernel, np.zeros(len(matrix))])
    plain, verdict = classify_hessian(matrix), classify_hessian(matrix, gauge=gauge)
    assert verdict.gauge_nullity == zeros == verdict.nullity
    assert verdict.inertia == plain.inertia
    assert verdict.kind == KIND_OF[-1 in signs, False, 1 in signs]


def test_mexican_hat() -> None:
    """(|x|^2 - 1)^2 has the circle of minima, and a maximum at its centre."""

    def hessian(x: np.ndarray) -> np.ndarray:
        return 8 * np.outer(x, x) + 4 * (x @ x - 1) * np.eye(2)

    for angle in (0.0, 0.7, 2.0):
        x = np.array([np.cos(angle), np.sin(angle)])
        tangent = np.array([[-x[1], x[0]]])
        with_gauge = classify_hessian(hessian(x), gradient=np.zeros(2), gauge=tangent)
        assert (with_gauge.kind, with_gauge.inertia) == ("minimum", (0, 1, 1))
        assert (with_gauge.nullity, with_gauge.gauge_nullity) == (1, 1)
        assert classify_hessian(hessian(x)).kind == "degenerate"
    centre = classify_hessian(hessian(np.zeros(2)), gauge=np.zeros((1, 2)))
    assert (centre.kind, centre.gauge_nullity) == ("maximum", 0)


def test_gauge_that_the_hessian_does_not_annihilate_decides_nothing() -> None:
    verdict = classify_hessian(np.diag([1.0, 2.0]), gauge=[[0.0, 1.0]])
    assert verdict.kind == "undecided"
    assert "gauge" in verdict.evidence["reason"]


def test_a_slow_symmetric_zero_is_explained_but_not_without_the_symmetry() -> None:
    """An eigenvalue within the band counts only when a gauge vector accounts for it."""
    matrix = np.diag([1.0, 3e-9])
    assert classify_hessian(matrix).kind == "undecided"
    assert classify_hessian(matrix, gauge=[[0.0, 1.0]]).kind == "minimum"


@pytest.mark.parametrize(
    ("eigenvalue", "kind"),
    [
        (1e-3, "minimum"),
        (2e-7, "minimum"),
        (5e-8, "undecided"),
        (1.1e-9, "undecided"),
        (2e-11, "undecided"),
        (5e-12, "degenerate"),
        (0.0, "degenerate"),
        (-5e-12, "degenerate"),
        (-5e-8, "undecided"),
        (-2e-7, "saddle"),
    ],
)
@pytest.mark.parametrize("limit", [0, 1000])
def test_margin(eigenvalue: float, kind: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The band around the threshold is the same with a spectrum and with counts at shifts."""
    monkeypatch.setattr(module, "SPECTRUM_LIMIT", limit)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    matrix = rotation @ np.diag([1.0, 0.5, eigenvalue]) @ rotation.T
    verdict = classify_hessian((matrix + matrix.T) / 2)
    assert verdict.kind == kind
    if kind in ("minimum", "saddle"):
        if limit:
            assert verdict.margin == pytest.approx(abs(eigenvalue), rel=1e-6)
        else:
            assert abs(eigenvalue) / 4.1 <= verdict.margin <= abs(eigenvalue) * (1 + 1e-6)
    if kind == "undecided":
        assert verdict.index is None and verdict.inertia is None
        assert verdict.evidence["certain"]["positive"] == 2


def test_disagreeing_counts_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DenseCounter, "below", lambda self, shift: 2)
    verdict = classify_hessian(np.diag([1.0, -1.0, 2.0]))
    assert verdict.kind == "undecided"
    assert "disagree" in verdict.evidence["reason"]


def test_degenerate_names_what_it_excludes() -> None:
    assert classify_hessian(np.diag([1.0, 0.0])).evidence["excluded"] == ("maximum",)
    assert classify_hessian(np.diag([-1.0, 0.0])).evidence["excluded"] == ("minimum",)
    assert classify_hessian(np.zeros((2, 2))).evidence["excluded"] == ()
    orbit = classify_hessian(np.zeros((1, 1)), gauge=[[1.0]])
    assert (orbit.kind, orbit.nullity, orbit.gauge_nullity) == ("degenerate", 1, 1)


def test_gradient_decides_first() -> None:
    matrix = np.eye(2)
    assert classify_hessian(matrix, gradient=[0.0, 1e-9]).kind == "minimum"
    assert classify_hessian(matrix, gradient=[0.0, 1e-3]).kind == "not critical"
    # A flat function has small gradients everywhere: neither answer is proven.
    assert classify_hessian(1e-9 * matrix, gradient=[0.0, 1e-9]).kind == "undecided"


@pytest.mark.parametrize(
    "matrix", [np.diag([1.0, np.nan]), np.diag([np.inf, 1.0]), np.array([[1.0, 1e-3], [0.0, 1.0]])]
)
def test_bad_numbers_are_undecided(matrix: np.ndarray) -> None:
    for given_matrix in (matrix, sparse.csc_array(matrix)):
        verdict = classify_hessian(given_matrix)
        assert (verdict.kind, verdict.index) == ("undecided", None)


@given(shift=st.floats(0.01, 3.9), count=st.integers(201, 400))
def test_sparse_counts_match_the_closed_form(shift: float, count: int) -> None:
    exact = 4 * np.sin(np.arange(1, count + 1) * np.pi / (2 * (count + 1))) ** 2 - shift
    if np.min(np.abs(exact)) < 1e-5:
        return
    verdict = classify_hessian(laplacian(count) - shift * sparse.eye_array(count))
    assert verdict.inertia == (np.sum(exact < 0), 0, np.sum(exact > 0))
    assert verdict.kind == "saddle"
    assert 0 < verdict.margin <= np.min(np.abs(exact)) / np.max(np.abs(exact)) * 1.03


def test_sparse_gauge_by_the_schur_complement() -> None:
    """Two uncoupled rings of springs: one constant shift each, declared or not."""
    count = 150
    entries = sparse.diags_array([-np.ones(count - 1), np.ones(count)], offsets=[1, 0]).tolil()
    entries[count - 1, 0] = -1.0
    ring = sparse.csc_array(entries.T @ entries)
    matrix = sparse.block_diag([ring, ring], format="csc")
    shifts = np.kron(np.eye(2), np.ones(count))
    assert classify_hessian(matrix).inertia == (0, 2, 298)
    assert str(classify_hessian(matrix, gauge=shifts[:1])).startswith("degenerate")
    verdict = classify_hessian(matrix, gauge=shifts)
    assert (verdict.kind, verdict.nullity, verdict.gauge_nullity) == ("minimum", 2, 2)


def test_sparse_restriction_matches_dense() -> None:
    generator = np.random.default_rng(4)
    matrix = sparse.random_array((40, 40), density=0.1, rng=generator)
    matrix = sparse.csc_array(matrix + matrix.T + sparse.diags_array(np.linspace(-5, 5, 40)))
    directions = np.linalg.qr(generator.standard_normal((40, 2)))[0].T
    thin = SparseCounter(matrix).restrict(directions)
    full = DenseCounter(matrix.toarray()).restrict(directions)
    assert thin.size == full.size == 38
    shifts = [-4.5, -0.3, 0.2, 3.1]
    counted = [thin.below(shift) for shift in shifts]
    assert counted == [full.below(shift) for shift in shifts]
    assert counted == sorted(counted)


def test_sparse_factor_with_an_off_diagonal_pivot_falls_back() -> None:
    """A zero diagonal has no diagonal pivots at a tiny shift; the verdict is still right."""
    half = 150
    identity = sparse.eye_array(half)
    matrix = sparse.block_array([[None, identity], [identity, None]], format="csc")
    assert classify_hessian(matrix).inertia == (half, 0, half)


def test_block_diagonal_inertia_at_extreme_scales() -> None:
    blocks = linalg.block_diag([[0.0, 1e-200], [1e-200, 0.0]], [[1e200, 0.0], [0.0, -1e-200]], 0.0)
    assert block_diagonal_inertia(blocks) == (2, 1, 2)
    # A pair of equal sign: trace decides both.
    assert block_diagonal_inertia(np.array([[-2.0, 1.0], [1.0, -2.0]])) == (2, 0, 0)


@pytest.mark.parametrize(
    ("matrix", "kind", "stability", "dimension"),
    [
        ([[-1.0, 50.0], [0.0, -2.0]], "flow", "stable", 0),
        ([[0.1, 1.0], [-1.0, 0.1]], "flow", "unstable", 2),
        ([[0.0, 1.0], [-1.0, 0.0]], "flow", "undecided", None),
        ([[0.0, 0.0], [0.0, 1.0]], "flow", "unstable", None),
        ([[-0.5, 0.0], [0.0, -1.9]], "map", "stable", 0),
        ([[-0.5, 0.0], [0.0, -2.1]], "map", "unstable", 1),
        ([[-0.5, 0.0], [0.0, -2.0]], "map", "undecided", None),
        ([[-1.0, 0.0], [0.0, 1.0]], "equation", None, None),
    ],
)
def test_stability(
    matrix: list[list[float]], kind: str, stability: str | None, dimension: int | None
) -> None:
    verdict = classify_jacobian(matrix, kind)
    assert (verdict.kind, verdict.index) == ("undecided", None)
    assert verdict.evidence["stability"] == stability
    assert verdict.evidence["unstable_dimension"] == dimension


def test_stability_of_an_orbit_and_of_nonnormal_matrices() -> None:
    assert classify_jacobian(np.diag([0.0, -1.0]), "flow").evidence["stability"] == "undecided"
    orbit = classify_jacobian(np.diag([0.0, -1.0]), "flow", gauge=[[2.0, 0.0]])
    assert orbit.evidence["stability"] == "stable"
    assert (orbit.nullity, orbit.gauge_nullity, orbit.evidence["singular"]) == (1, 1, False)
    # A Jordan block of size 12: rounding moves its eigenvalue -0.01 by more than 0.01.
    jordan = -0.01 * np.eye(12) + np.diag(np.ones(11), 1)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))
    verdict = classify_jacobian(rotation @ jordan @ rotation.T, "flow")
    assert verdict.evidence["stability"] == "undecided"


def test_jacobian_of_a_potential_and_of_no_solution() -> None:
    assert classify_jacobian(np.eye(2), "potential").kind == "minimum"
    assert classify_jacobian(np.eye(2), "flow", residual=[1.0, 0.0]).kind == "not critical"
    assert classify_jacobian(np.diag([1.0, np.nan]), "flow").kind == "undecided"


def test_every_kind_is_a_known_one() -> None:
    assert set(KIND_OF.values()) | {"undecided", "not critical"} == set(KINDS)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: classify_hessian(np.ones((2, 3))), "hessian"),
        (lambda: classify_hessian(np.empty((0, 0))), "hessian"),
        (lambda: classify_hessian(np.eye(2), gradient=[1.0]), "gradient"),
        (lambda: classify_hessian(np.eye(2), gauge=[1.0, 2.0]), "gauge"),
        (lambda: classify_hessian(np.eye(2), tolerance=0.0), "tolerance"),
        (lambda: classify_jacobian(np.eye(2), "ode"), "kind"),
        (lambda: classify_jacobian(np.eye(2), "flow", residual=[1.0]), "residual"),
    ],
)
def test_misuse_is_named(call, argument: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        call()
    assert caught.value.argument == argument
