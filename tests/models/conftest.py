"""Problems with closed forms, shared by the tests of the models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq, root
from scipy.special import wrightomega

from contcrit.models.linear_network.theory import LinearNetwork

Array = np.ndarray
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
FOLDS = {
    -1: (0.14538710929871504, -3.690165223136937),
    1: (0.07515760234009556, 6.95813824827995837),
    -2: (0.05093011658287293, None),
    2: (0.03854907756939339, None),
}


class QuarterTurn:
    """Example 1 of the linear network: R a rotation by pi/2, and its normal solutions a + ib."""

    network = LinearNetwork(QUARTER, np.eye(2), 1.0)
    J = QUARTER

    def normal(self, b: float) -> tuple[float, Array]:
        """Return lam and C at the angle b: lam = W(kappa e^tau) / kappa^2, a = tau - W."""
        kappa, tau = b / np.cos(b), b * np.tan(b)
        w = float(wrightomega(np.log(kappa) + tau).real)
        return w / kappa**2, (tau - w) * np.eye(2) + b * QUARTER

    def ends(self, n: int) -> tuple[float, float]:
        """Return the angles at lam = 0: that of log R, and the one where the branch escapes."""
        log = np.pi / 2 + 2 * n * np.pi
        return (log, log + np.pi) if n < 0 else (log, log - np.pi)

    def fold(self, n: int) -> float:
        """Return the angle of the turning point, by golden section on the closed form."""
        log, escape = self.ends(n)
        grid = np.linspace(log, escape, 4001)[1:-1]
        return float(grid[np.argmax([self.normal(b)[0] for b in grid])])

    def pair(self, n: int, lam: float) -> tuple[Array, Array]:
        """Return the normal solutions on the log side and on the escaping side."""
        log, escape = self.ends(n)
        turn, inset = self.fold(n), 1e-9 * np.sign(escape - log)
        found = []
        for low, high in ((log + inset, turn), (turn, escape - 1e-4 * np.sign(escape - log))):
            b = brentq(lambda b: self.normal(b)[0] - lam, low, high, xtol=1e-14)
            found.append(solve(self.network, lam, self.normal(b)[1]))
        return found[0], found[1]


def solve(network: LinearNetwork, lam: float, guess: Array) -> Array:
    """Return a solution of the characteristic equation near a guess."""
    shape = guess.shape
    found = root(
        lambda x: network.residual(x.reshape(shape), lam).ravel(),
        guess.ravel(),
        jac=lambda x: network.residual_derivative(x.reshape(shape), lam),
        tol=1e-13,
    )
    assert np.max(np.abs(found.fun)) < 1e-10
    return found.x.reshape(shape)


def cost_of_weights(network: LinearNetwork, weights: Callable[[float], Array], lam: float) -> float:
    """Return J for any curve of weights, by integrating the network itself."""
    d = network.dimension

    def rate(t: float, y: Array) -> Array:
        A = weights(t)
        return np.append((A @ y[:-1].reshape(d, d)).ravel(), np.sum(A * A))

    start = np.append(np.eye(d).ravel(), 0.0)
    end = solve_ivp(rate, (0.0, network.T), start, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    error = end[:-1].reshape(d, d) - network.R
    return float(0.5 * lam * end[-1] + 0.5 * np.sum((error @ network.Sigma0) * error))


def random_network(seed: int, d: int, T: float = 1.0) -> tuple[LinearNetwork, Array]:
    """Return a network with non-normal R and Sigma0 not the identity, and a matrix C."""
    generator = np.random.default_rng(seed)
    R = expm(generator.normal(size=(d, d)) / np.sqrt(d))
    A = generator.normal(size=(d, d))
    network = LinearNetwork(R, A @ A.T / d + 0.3 * np.eye(d), T)
    return network, generator.normal(size=(d, d)) / np.sqrt(d)


@pytest.fixture(scope="session")
def quarter() -> QuarterTurn:
    """Return Example 1."""
    return QuarterTurn()


@pytest.fixture(scope="session")
def tools() -> type:
    """Return the helper functions, which test files cannot import."""

    class Tools:
        folds = FOLDS
        solve = staticmethod(solve)
        cost_of_weights = staticmethod(cost_of_weights)
        random_network = staticmethod(random_network)

    return Tools
