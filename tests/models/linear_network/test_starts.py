from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm, logm

from contcrit.errors import SpecificationError
from contcrit.models.linear_network.starts import (
    real_logarithm,
    rotating_eigenvalues,
    solve_at_zero,
    windings_of,
)
from contcrit.models.linear_network.theory import LinearNetwork

J = np.array([[0.0, -1.0], [1.0, 0.0]])


def random_map(seed, d):
    return expm(np.random.default_rng(seed).normal(size=(d, d)))


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(-3, 3))
def test_real_logarithms(seed, d, turns):
    R = random_map(seed, d)
    logarithm = real_logarithm(R, turns)
    assert logarithm.dtype == float
    scale = max(1.0, float(np.max(np.abs(R))))
    # Non-normal maps make the logarithm large: the tolerance follows its size.
    size = 1.0 + float(np.linalg.norm(logarithm))
    assert expm(logarithm) == pytest.approx(R, abs=1e-10 * scale * size)
    if turns == 0:
        assert logarithm == pytest.approx(np.real(logm(R)), abs=1e-12)


@given(st.integers(-4, 4))
def test_windings_turn_the_plane(n):
    assert real_logarithm(J, n) == pytest.approx((np.pi / 2 + 2 * np.pi * n) * J, abs=1e-12)


def test_windings_of_two_pairs_are_independent():
    R = np.zeros((4, 4))
    R[:2, :2], R[2:, 2:] = expm(0.5 * J), expm(1.2 * J)
    assert np.angle(rotating_eigenvalues(R)) == pytest.approx([0.5, 1.2])
    logarithm = real_logarithm(R, (1, -1))
    assert logarithm[:2, :2] == pytest.approx((0.5 + 2 * np.pi) * J, abs=1e-12)
    assert logarithm[2:, 2:] == pytest.approx((1.2 - 2 * np.pi) * J, abs=1e-12)


def test_a_defective_pair_turns_as_one():
    R = np.block([[J, np.eye(2)], [np.zeros((2, 2)), J]])
    assert len(rotating_eigenvalues(R)) == 1
    for n in (-1, 2):
        logarithm = real_logarithm(R, n)
        assert expm(logarithm) == pytest.approx(R, abs=1e-11)
        assert np.abs(np.linalg.eigvals(logarithm).imag) == pytest.approx(
            abs(np.pi / 2 + 2 * np.pi * n), rel=1e-5
        )


def test_labels_of_windings():
    assert list(windings_of(J, (-1, 0, 1))) == ["n=0", "n=-1", "n=1"]
    assert windings_of(np.eye(2) + np.diag([0.0, 1.0]), (-1, 0, 1)) == {"n=0": ()}
    R = np.zeros((4, 4))
    R[:2, :2], R[2:, 2:] = expm(0.5 * J), expm(1.2 * J)
    assert len(windings_of(R, (-1, 0, 1))) == 9
    assert windings_of(R, [(0, 1)]) == {"n=(0, 1)": (0, 1)}


@pytest.mark.parametrize("windings", [(), ["a"], [(0, 1)], [0.5]])
def test_wrong_windings_are_refused(windings):
    with pytest.raises(SpecificationError, match="windings"):
        windings_of(J, windings)


def test_too_many_windings_are_refused():
    R = np.kron(np.eye(5), np.zeros((2, 2)))
    for k in range(5):
        R[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = expm((0.3 + 0.2 * k) * J)
    with pytest.raises(SpecificationError, match="at most 512"):
        windings_of(R, (-2, -1, 0, 1, 2))
    with pytest.raises(SpecificationError, match="each of the 5 pairs"):
        real_logarithm(R, (0, 1))


@given(st.integers(0, 300), st.integers(2, 4), st.floats(0.5, 2.0))
def test_principal_solutions_for_non_normal_maps(seed, d, T):
    generator = np.random.default_rng(seed)
    R = expm(0.8 * generator.normal(size=(d, d)) / np.sqrt(d))
    network = LinearNetwork(R, np.eye(d), T)
    C = solve_at_zero(network, real_logarithm(R))
    assert C is not None
    assert network.end(C) == pytest.approx(R, abs=1e-9 * (1 + np.max(np.abs(R))))
    # Shorter than the constant weights log(R) / T, and not equal to them.
    assert np.linalg.norm(C) <= np.linalg.norm(real_logarithm(R)) / T + 1e-12


def test_a_solution_that_cannot_be_followed_is_not_claimed():
    R = np.array([[0.0, -1.0], [1.0, 1.5]])
    network = LinearNetwork(R, np.eye(2), 1.0)
    assert solve_at_zero(network, real_logarithm(R, 1)) is None
