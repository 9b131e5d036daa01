from __future__ import annotations

import numpy as np
import pytest

from contcrit.models.linear_network.galerkin import galerkin_hessian, galerkin_index
from contcrit.models.linear_network.theory import LinearNetwork


def count(network, C, lam, modes, turning):
    return int(np.sum(np.linalg.eigvalsh(galerkin_hessian(network, C, lam, modes, turning)) < 0))


@pytest.mark.parametrize(("n", "needed"), [(-1, 12), (1, 12), (2, 32)])
def test_few_modes_give_a_false_minimum(quarter, tools, n, needed):
    lam = tools.folds[n][0] / 2
    C, _ = quarter.pair(n, lam)
    index = {-1: 2, 1: 4, 2: 8}[n]
    counts = [count(quarter.network, C, lam, modes, False) for modes in (4, 6, 12, 24, 32)]
    assert counts[0] == 0  # a false minimum
    assert counts == sorted(counts)
    assert count(quarter.network, C, lam, needed, False) == index
    assert counts[-1] == index
    found = galerkin_index(quarter.network, C, lam)
    assert found.settled and found.index == index


def test_both_frames_have_the_same_eigenvalues(tools):
    network, _ = tools.random_network(3, 2, T=1.2)
    C = tools.solve(network, 200.0, np.zeros((2, 2)))
    for lam in (50.0, 10.0, 3.0, 1.0, 0.5):
        C = tools.solve(network, lam, C)
    turning = np.linalg.eigvalsh(galerkin_hessian(network, C, 0.5, 24, True))
    fixed = np.linalg.eigvalsh(galerkin_hessian(network, C, 0.5, 24, False))
    assert turning[:3] == pytest.approx(fixed[:3], rel=1e-8)
    assert turning[-3:] == pytest.approx(fixed[-3:], rel=1e-8)


def test_hessian_is_the_second_difference_of_the_cost(quarter, tools):
    # At a non-normal critical point, with the network itself integrated for the cost.
    R, lam = np.array([[0.0, -1.0], [1.0, 1.0]]), 0.4
    network = LinearNetwork(R, np.array([[1.5, 0.3], [0.3, 0.8]]), 1.1)
    C = tools.solve(network, lam, np.array([[0.1, -1.0], [0.8, 0.3]]))
    hessian = lam * galerkin_hessian(network, C, lam, 3, turning=False)
    generator, h = np.random.default_rng(0), 2e-3
    coefficients = generator.normal(size=(3, 2, 2))

    def weights(size):
        def at(t):
            s = 2 * t / network.T - 1
            modes = np.array([1.0, np.sqrt(3) * s, np.sqrt(5) * (1.5 * s * s - 0.5)])
            V = np.tensordot(modes / np.sqrt(network.T), coefficients, axes=1)
            return network.curve(C, t) + size * V

        return at

    plus, zero, minus = (tools.cost_of_weights(network, weights(s), lam) for s in (h, 0.0, -h))
    form = coefficients.ravel() @ hessian @ coefficients.ravel()
    assert (plus - 2 * zero + minus) / h**2 == pytest.approx(form, rel=1e-4)
    assert (plus - minus) / (2 * h) == pytest.approx(0.0, abs=1e-4)


def test_a_size_limit_leaves_the_count_out(tools):
    network, C = tools.random_network(0, 3)
    assert galerkin_index(network, C, 1.0, maximum_size=10) is None
