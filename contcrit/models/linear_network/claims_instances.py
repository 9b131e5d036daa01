"""Instances for the claims of the linear network: random data, weights in pieces, Example 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.linalg import expm
from scipy.optimize import brentq, minimize_scalar
from scipy.special import wrightomega

from ...contraction.claims import Draw
from ...system import Array
from .theory import LinearNetwork

Case = Mapping[str, Any]

QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
"""The quarter turn: R of Example 1."""

EXAMPLE_1 = LinearNetwork(QUARTER, np.eye(2), 1.0)


def drawn_network(draw: Draw, sizes: Sequence[int] = (1, 2, 3)) -> dict[str, Any]:
    """Return R = e^L, Sigma0, T and a matrix C; now and then R = I, Sigma0 = I or C = 0."""
    d = draw.choice(sizes)
    fate = draw.choice(("any", "any", "any", "identity", "white", "zero"))
    A = draw.reals((d, d), -1.0, 1.0)
    return {
        "R": np.eye(d) if fate == "identity" else expm(draw.reals((d, d), -1.0, 1.0)),
        "Sigma0": np.eye(d) if fate == "white" else A @ A.T + 0.3 * np.eye(d),
        "T": draw.real(0.3, 2.0),
        "C": np.zeros((d, d)) if fate == "zero" else draw.reals((d, d), -1.0, 1.0),
    }


def normal_logarithm(draw: Draw, d: int) -> Array:
    """Return a normal matrix of size 2 or 3 whose angle lies in (-pi, pi)."""
    L = np.zeros((d, d))
    L[:2, :2] = draw.real(-0.6, 0.6) * np.eye(2) + draw.real(-2.8, 2.8) * QUARTER
    if d == 2:
        return L
    L[2, 2] = draw.real(-0.6, 0.6)
    A = draw.reals((3, 3), -2.0, 2.0)
    Q = expm(A - A.T)
    return Q @ L @ Q.T


def network_of(case: Case) -> LinearNetwork:
    """Return the data of an instance."""
    return LinearNetwork(np.asarray(case["R"], dtype=float), case["Sigma0"], float(case["T"]))


def solved(network: LinearNetwork, lam: float, guess: Array) -> Array | None:
    """Return a solution of the characteristic equation near a guess by Newton's method, or None."""
    C = np.array(guess, dtype=float)
    for _ in range(25):
        residual = network.residual(C, lam)
        size = float(np.max(np.abs(residual)))
        if size <= 1e-13 * (lam + 1.0) * (1.0 + float(np.max(np.abs(C)))):
            return C
        derivative = network.residual_derivative(C, lam)
        try:
            step = np.linalg.solve(derivative, residual.ravel())
        except np.linalg.LinAlgError:
            return None
        C = C - step.reshape(C.shape)
        if not np.max(np.abs(C)) < 30.0 / network.T:
            return None
    return C if size < 1e-9 * (1.0 + float(np.max(np.abs(C)))) else None


def solved_down(network: LinearNetwork, lam: float) -> Array | None:
    """Return the solution reached from C = 0 at a large lam, coming down to the one asked for."""
    C = np.zeros_like(network.R)
    stretch = float(np.linalg.norm(network.R, 2) + 1.0) ** 2
    size = stretch * float(np.linalg.norm(network.Sigma0, 2))
    for at in np.geomspace(10.0 * (lam + size), lam, 9):
        found = solved(network, float(at), C)
        if found is None:
            return None
        C = found
    return C


# ---- weights that are constant in pieces ---------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PiecewiseWeights:
    """Weights A_t that are constant on equal pieces of [0, T], and the network that they make.

    Parameters
    ----------
    network : LinearNetwork
        The data.
    values : ndarray, shape (m, d, d)
        Weights of the pieces.
    """

    network: LinearNetwork
    values: Array

    @property
    def step(self) -> float:
        """Length of a piece."""
        return self.network.T / len(self.values)

    def starts(self) -> Array:
        """Return the fundamental matrix at the start of each piece and at T, (m + 1, d, d)."""
        found = [np.eye(self.network.dimension)]
        for factor in expm(self.step * self.values):
            found.append(factor @ found[-1])
        return np.array(found)

    def cost(self, lam: float) -> float:
        """Return J without the noise's part."""
        error = self.starts()[-1] - self.network.R
        energy = self.step * float(np.sum(self.values**2))
        return 0.5 * lam * energy + 0.5 * float(np.sum((error @ self.network.Sigma0) * error))

    def gradient(self, lam: float, nodes: int = 10) -> tuple[Array, Array]:
        """Return weights of a quadrature, (m, nodes), and the gradient there, (m, nodes, d, d).

        By Hamilton's equations, ``lam A_t - E[Y_t X_t^T]`` with ``E[Y_t X_t^T] = Phi_{T,t}^T (R -
        F) Sigma0 Phi_{t,0}^T``.
        """
        points, weights = leggauss(nodes)
        starts = self.starts()
        F = starts[-1]
        force = F.T @ (self.network.R - F) @ self.network.Sigma0
        times = 0.5 * self.step * (points + 1.0)
        flows = expm(times[:, None, None] * self.values[:, None]) @ starts[:-1, None]
        transposed = np.swapaxes(flows, -1, -2)
        # Phi_{T,t}^T = Phi_{t,0}^{-T} F^T.
        pulled = np.linalg.solve(transposed, np.broadcast_to(force, flows.shape)) @ transposed
        found = lam * self.values[:, None] - pulled
        return np.tile(0.5 * self.step * weights, (len(self.values), 1)), found

    def norm_squared(self, lam: float) -> float:
        """Return |grad J|^2 on L2."""
        weights, gradient = self.gradient(lam)
        return float(np.sum(weights * np.sum(gradient**2, axis=(2, 3))))


def drawn_weights(draw: Draw, d: int, bound: float = 1.5) -> Array:
    """Return weights of one to four pieces, (m, d, d)."""
    return draw.reals((draw.integer(1, 4), d, d), -bound, bound)


# ---- Example 1: normal solutions a + ib ----------------------------------------------------------


def strength(b: Array) -> Array:
    """Return lam of the normal solution at each angle: W(kappa e^tau) / kappa^2."""
    kappa, tau = b / np.cos(b), b * np.tan(b)
    return np.asarray(wrightomega(np.log(kappa) + tau).real / kappa**2)


def normal_solution(b: float) -> tuple[float, Array]:
    """Return lam and C at the angle b: lam = W(kappa e^tau) / kappa^2, a = tau - W."""
    kappa, tau = b / np.cos(b), b * np.tan(b)
    w = float(wrightomega(np.log(kappa) + tau).real)
    return w / kappa**2, (tau - w) * np.eye(2) + b * QUARTER


def branch_ends(n: int) -> tuple[float, float]:
    """Return the angle of the logarithm, and the one towards which the branch escapes."""
    log = np.pi / 2 + 2 * n * np.pi
    if n == 0:
        return log, 0.0
    return (log, log + np.pi) if n < 0 else (log, log - np.pi)


@cache
def fold(n: int) -> tuple[float, float]:
    """Return lam and the angle of the turning point of branch n != 0."""
    log, escape = branch_ends(n)
    grid = np.linspace(min(log, escape), max(log, escape), 403)[1:-1]
    k = int(np.argmax(strength(grid)))
    found = minimize_scalar(
        lambda b: -normal_solution(b)[0],
        bounds=(grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return -float(found.fun), float(found.x)


def normal_pair(n: int, lam: float) -> tuple[Array, Array]:
    """Return the solutions of branch n on the side of the logarithm and on the escaping side."""
    (log, escape), (_, turn) = branch_ends(n), fold(n)
    inward = np.sign(escape - log)

    def at(low: float, high: float) -> Array:
        b = brentq(lambda b: normal_solution(b)[0] - lam, low, high, xtol=1e-14)
        return normal_solution(b)[1]

    return at(log + 1e-12 * inward, turn), at(turn, escape - 1e-3 * inward)


def principal(lam: float) -> Array:
    """Return the solution of branch 0."""
    b = brentq(lambda b: normal_solution(b)[0] - lam, 1e-9, np.pi / 2 - 1e-12, xtol=1e-14)
    return normal_solution(b)[1]


def rotation(angle: float) -> Array:
    """Return the rotation of the plane by an angle."""
    return np.cos(angle) * np.eye(2) + np.sin(angle) * QUARTER


def solution_count(n: int, lam: float) -> int:
    """Count the solutions on one branch by sign changes in its angle."""
    log, escape = branch_ends(n)
    inset = 1e-9 * np.sign(escape - log)
    grid = np.linspace(log + inset, escape - inset, 4001)
    values = strength(grid) - lam
    return int(np.sum(values[:-1] * values[1:] < 0))
