"""Staircases, and the laws by which a unit with a staircase learns, in numpy.

    u(r) = z_0 + sum_i (z_i - z_(i-1)) 1[r > z_i]

is flat almost everywhere. Smoothed, each jump is ``s(c (r - z_i))`` with s the logistic or the
normal distribution function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from ....errors import SpecificationError
from ....system import Array

SMOOTHINGS = ("logistic", "probit")
"""Distribution functions that may stand for a jump."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """The activation u.

    Parameters
    ----------
    z : ndarray, shape (m + 1,)
        Levels z_0 < ... < z_m; all but the first are thresholds too.
    smoothing : {"logistic", "probit"}
        What a smoothed jump is.

    Examples
    --------
    >>> import numpy as np
    >>> stairs = Staircase(np.array([-1.0, 0.0, 1.0]))
    >>> stairs([-0.5, 0.5, 1.5]).tolist()
    [-1.0, 0.0, 1.0]
    """

    z: Array
    smoothing: str = "logistic"

    @property
    def jumps(self) -> Array:
        """Heights D_i of the jumps, shape (m,)."""
        return np.diff(self.z)

    @property
    def height(self) -> float:
        """The distance of the highest level from the lowest."""
        return float(self.z[-1] - self.z[0])

    def __call__(self, r: Any, c: float = np.inf) -> Array:
        """Return u(r), or its smoothed form of sharpness c."""
        t = np.asarray(r, dtype=float)[..., None] - self.z[1:]
        if np.isinf(c):
            share = (t > 0).astype(float)
        else:
            share = expit(c * t) if self.smoothing == "logistic" else ndtr(c * t)
        result: Array = self.z[0] + share @ self.jumps
        return result

    def slope(self, r: Any, c: float) -> Array:
        """Return the derivative of the smoothed form."""
        t = c * (np.asarray(r, dtype=float)[..., None] - self.z[1:])
        result: Array = c * (self._density(t) @ self.jumps)
        return result

    def integral(self, r: Any, c: float = np.inf) -> Array:
        """Return U(r) with U' = u, for the staircase with U(0) = sum_i D_i relu(-z_i)."""
        r = np.asarray(r, dtype=float)
        t = r[..., None] - self.z[1:]
        if np.isinf(c):
            part = np.maximum(t, 0.0)
        elif self.smoothing == "logistic":
            part = np.logaddexp(0.0, c * t) / c
        else:
            part = t * ndtr(c * t) + self._density(c * t) / c
        result: Array = self.z[0] * r + part @ self.jumps
        return result

    def lipschitz(self, c: float) -> float:
        """Return a Lipschitz constant of the smoothed form: all jumps steep at one place."""
        return float(c * self._density(np.zeros(1))[0] * self.height)

    def pull(self, length: Any, c: float = np.inf) -> Array:
        """Return g with ``E[u(w . x) x] = g(|w|) w / |w|`` for x from N(0, I).

        ``g(rho) = (rho / s) sum_i D_i phi(z_i / s)`` with ``s = sqrt(rho^2 + 1 / c^2)`` for the
        probit form, whose jumps are sharp ones with noise; s = rho for the staircase.

        Raises
        ------
        SpecificationError
            For the smoothed logistic form, which has no closed one.
        """
        if not np.isinf(c) and self.smoothing != "probit":
            raise SpecificationError(
                "smoothing", self.smoothing, "has no closed form here.", "Take 'probit'."
            )
        rho = np.asarray(length, dtype=float)[..., None]
        spread = np.hypot(rho, 1 / c)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(self.z[1:] == 0, 0.0, self.z[1:] / spread)
            density = np.exp(-0.5 * np.minimum(np.abs(ratio), 1e3) ** 2) / np.sqrt(2 * np.pi)
            share = np.where(spread == 0, 1.0, rho / spread)
        result: Array = (share * density) @ self.jumps
        return result

    def length_of_pull(self, value: float, c: float = np.inf) -> float:
        """Return rho with ``pull(rho, c) = value``.

        Raises
        ------
        SpecificationError
            If no length has this pull.
        """
        high = 1.0
        while self.pull(high, c) < value and high < 1e12:
            high *= 2
        low = 1e-300
        if not self.pull(low, c) < value <= self.pull(high, c):
            raise SpecificationError(
                "value", value, "is not between the pulls at 0 and infinity.", "Take another z."
            )
        return float(brentq(lambda rho: self.pull(rho, c) - value, low, high, xtol=1e-15))

    def _density(self, t: Array) -> Array:
        if self.smoothing == "probit":
            return _phi(t)
        share = expit(-np.abs(t))
        return share * (1 - share)


def _phi(t: Array) -> Array:
    result: Array = np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi)
    return result


@dataclass(frozen=True, eq=False)
class Sample:
    """N inputs with labels, answered by ``u(w . x)``.

    Parameters
    ----------
    stairs : Staircase
        The activation u.
    X : ndarray, shape (N, d)
        Inputs.
    y : ndarray, shape (N,)
        Labels.
    """

    stairs: Staircase
    X: Array
    y: Array

    @property
    def curvature(self) -> float:
        """The largest eigenvalue of ``E x x^T``."""
        return float(np.linalg.eigvalsh(self.X.T @ self.X / len(self.X))[-1])

    def squared_loss(self, w: Any, c: float = np.inf) -> Array:
        """Return ``E (u(w . x) - y)^2 / 2`` at points (..., d)."""
        gap = self.stairs(np.asarray(w) @ self.X.T, c) - self.y
        return np.asarray(0.5 * np.mean(gap * gap, axis=-1))

    def matching_loss(self, w: Any, c: float = np.inf) -> Array:
        """Return ``E[U(w . x) - y w . x]``, which is convex, at points (..., d)."""
        r = np.asarray(w) @ self.X.T
        return np.asarray(np.mean(self.stairs.integral(r, c) - self.y * r, axis=-1))

    def gradient_law(self, w: Any, c: float) -> Array:
        """Return minus the gradient of the squared loss at points (..., d)."""
        r = np.asarray(w) @ self.X.T
        pull = (self.stairs(r, c) - self.y) * self.stairs.slope(r, c)
        return -(pull @ self.X) / len(self.X)

    def forward_law(self, w: Any, c: float = np.inf) -> Array:
        """Return ``-E[(u(w . x) - y) x]`` at points (..., d): no factor u'."""
        gap = self.stairs(np.asarray(w) @ self.X.T, c) - self.y
        return -(gap @ self.X) / len(self.X)

    def forward_steps(self, w: Any, eta: float, steps: int, c: float = np.inf) -> Array:
        """Return w and where each of `steps` steps of the forward law leads, (steps + 1, d)."""
        found = [np.asarray(w, dtype=float)]
        for _ in range(steps):
            found.append(found[-1] + eta * self.forward_law(found[-1], c))
        return np.array(found)


def sufficient_steps(
    height: float, B: float, lipschitz: float, error: float
) -> tuple[float, float]:
    """Return the step size and number of steps after which the forward law errs by `error`.

    With ``|x| <= B``, labels ``u(v . x)``, ``|v| <= B``, u rising and L-Lipschitz with a range of
    length c, and the start 0, the step size ``error / (L c^2 B^2)`` needs
    ``T = c^2 B^4 L^2 / error^2`` steps until ``e_t = E (u(w_t . x) - u(v . x))^2 <= error``.

    Both for the least of e_0, ..., e_(T-1) and for the last one. The former as
    ``|w_(t+1) - v|^2 <= |w_t - v|^2 - 2 eta e_t / L + eta^2 c^2 B^2``; the latter as the matching
    loss M is convex and ``e <= 2 L (M(w) - M(v)) <= L |v|^2 / (eta T)``.
    """
    eta = error / (lipschitz * height**2 * B**2)
    return eta, height**2 * B**4 * lipschitz**2 / error**2
