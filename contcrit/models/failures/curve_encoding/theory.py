"""The linear algebra of encoding piecewise-linear curves: matrices, condition numbers, iterations.

A curve with values f_1, ..., f_n is ``f = W p``, where p_j is the change of slope at j and
``W_ij = [i - j + 1]_+``. An encoder reads x, with second moment C = E x x^T, and learns a vector k
that answers ``k . x``; the answer wanted is ``k* . x``, so that the squared loss is
``(k - k*)^T C (k - k*) / 2``. For the linear architecture x = f and C = lam W W^T, one row of U-hat
at a time; for the convolution x = (f_{t-1}, f_t, f_{t+1}), averaged over t. Preconditioned by
``C^{-t/2}`` the encoder reads ``C^{-t/2} x``, whose second moment is ``C^{1-t}``.

References
----------
S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, 2017,
section 4 of the longer version.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, cos, cosh, log

import numpy as np
from scipy.optimize import brentq

from ....errors import SpecificationError
from ....system import Array
from ...reading import real_number, whole_number

KERNEL = (1.0, -2.0, 1.0)
"""The convolution that answers the change of slope: second differences."""


def curve_matrix(n: int) -> Array:
    """Return W, shape (n, n): column j is the curve whose slope changes by 1 at j.

    Examples
    --------
    >>> curve_matrix(3).tolist()
    [[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [3.0, 2.0, 1.0]]
    """
    index = np.arange(whole_number("n", n, low=1))
    return np.maximum(index[:, None] - index[None, :] + 1.0, 0.0)


def curve_inverse(n: int) -> Array:
    """Return U = W^{-1}, shape (n, n): second differences, of a curve that is 0 before it begins.

    Examples
    --------
    >>> curve_inverse(3).tolist()
    [[1.0, 0.0, 0.0], [-2.0, 1.0, 0.0], [1.0, -2.0, 1.0]]
    """
    n = whole_number("n", n, low=1)
    return np.eye(n) - 2 * np.eye(n, k=-1) + np.eye(n, k=-2)


def windows(n: int) -> Array:
    """Return all windows of a curve as functions of p, shape (3, (n - 2) n).

    Row 0 holds f_{t-1}, row 1 f_t and row 2 f_{t+1}, for t = 2, ..., n - 1 in turn: windows that
    leave the curve are not used.

    Raises
    ------
    SpecificationError
        If n < 4: fewer windows than unknowns may leave the kernel undetermined.
    """
    if whole_number("n", n, low=1) < 4:
        raise SpecificationError("n", n, "must be at least 4 for windows.", "Take more points.")
    W = curve_matrix(n)
    return np.hstack([W[t - 1 : t + 2] for t in range(1, n - 1)])


def condition_number(n: int) -> float:
    """Return cond(W^T W), the square of the ratio of W's extreme singular values.

    Examples
    --------
    >>> round(condition_number(10), 6)
    17925.87696
    """
    # The least singular value as that of the inverse, which is well conditioned for this end.
    largest = np.linalg.norm(curve_matrix(n), 2)
    return float((largest * np.linalg.norm(curve_inverse(n), 2)) ** 2)


def condition_limit() -> float:
    """Return the limit of cond(W^T W) / n^4: 16 / beta^4.

    W is a Riemann sum of the integral operator of ``(x - y)_+``, whose largest singular value is
    1 / beta^2 with the first root beta of ``cos(beta) cosh(beta) = -1``; the least singular value
    of W tends to 1 / 4, the norm of second differences being 4.

    Examples
    --------
    >>> round(condition_limit(), 10)
    1.2942509068
    """
    beta = brentq(lambda b: cos(b) * cosh(b) + 1.0, 1.5, 2.5, xtol=1e-15)
    return float(16.0 / beta**4)


@dataclass(frozen=True, eq=False)
class Encoding:
    """One encoder: the inputs' second moment C = factor factor^T, and the solution k*.

    Parameters
    ----------
    factor : ndarray, shape (m, N)
        Of full row rank.
    solution : ndarray, shape (m,)
        The encoder k* that answers without error.

    Examples
    --------
    >>> encoding = convolution_encoding(10)
    >>> round(encoding.condition(0.0), 6), round(encoding.condition(1.0), 6)
    (2174.776974, 1.0)
    """

    factor: Array
    solution: Array

    @cached_property
    def _singular(self) -> tuple[Array, Array]:
        left, values, _ = np.linalg.svd(self.factor, full_matrices=False)
        # An eigenvector's sign is free: here the solution has no negative component.
        return left * np.where(left.T @ self.solution < 0.0, -1.0, 1.0), values

    @property
    def directions(self) -> Array:
        """Eigenvectors of C, shape (m, m), by falling eigenvalue."""
        return self._singular[0]

    def curvatures(self, t: float = 0.0) -> Array:
        """Return the eigenvalues D^{1-t} of the preconditioned Hessian, shape (m,), falling."""
        return np.asarray(self._singular[1] ** (2.0 * (1.0 - t)))

    def second_moment(self, t: float = 0.0) -> Array:
        """Return C^{1-t}, shape (m, m): the Hessian."""
        return self.power(1.0 - t)

    def power(self, exponent: float) -> Array:
        """Return C^exponent, shape (m, m)."""
        V, values = self._singular
        return np.asarray((V * values ** (2.0 * exponent)) @ V.T)

    def target(self, t: float = 0.0) -> Array:
        """Return the only critical point, C^{t/2} k*, shape (m,)."""
        return self.power(t / 2.0) @ self.solution

    def condition(self, t: float = 0.0) -> float:
        """Return the Hessian's condition number: kappa^{1-t}."""
        D = self.curvatures(t)
        return float(D[0] / D[-1])

    def rate(self, eta: float, t: float = 0.0) -> float:
        """Return max_j |1 - eta D_j|: by how much one step shrinks the error, or more."""
        return float(np.max(np.abs(1.0 - eta * self.curvatures(t))))

    def best_step(self, t: float = 0.0) -> float:
        """Return the step size of the best rate, 2 / (D_1 + D_m)."""
        D = self.curvatures(t)
        return float(2.0 / (D[0] + D[-1]))

    def best_rate(self, t: float = 0.0) -> float:
        """Return the best rate of any step size, (kappa - 1) / (kappa + 1) with kappa^{1-t}."""
        kappa = self.condition(t)
        return float((kappa - 1.0) / (kappa + 1.0))

    def iterations(self, accuracy: float, t: float = 0.0) -> int:
        """Return how many steps at the best rate shrink every error by a factor.

        Parameters
        ----------
        accuracy : float
            The factor, between 0 and 1.
        t : float, optional
            Share of preconditioning (default 0).
        """
        rate = self.best_rate(t)
        return 1 if rate <= accuracy else ceil(log(accuracy) / log(rate) - 1e-9)

    def flips(self, t: float = 0.0) -> Array:
        """Return the step sizes 2 / D_j at which a multiplier is -1, shape (m,), rising."""
        return 2.0 / self.curvatures(t)

    def after(self, steps: int, eta: float, start: Array, t: float = 0.0) -> Array:
        """Return the encoder after any number of steps, in closed form, shape (m,).

        Parameters
        ----------
        steps : int
            Number of steps of gradient descent.
        eta : float
            Step size.
        start : ndarray, shape (m,)
            The encoder to begin with.
        t : float, optional
            Share of preconditioning (default 0).
        """
        V, end = self.directions, self.target(t)
        shrunk = (1.0 - eta * self.curvatures(t)) ** steps * (V.T @ (start - end))
        return np.asarray(end + V @ shrunk)

    def cycle(self, eta: float, q: float, t: float = 0.0, mode: int = 0) -> Array | None:
        """Return a point of the cycle of period 2 along an eigenvector, shape (m,), or None.

        With the quartic loss (see `curve_encoding.build`) the error x along eigenvector j goes to
        ``x - eta D (1 + 3 q D x^2) x``, which is -x where ``3 q D x^2 = 2 / (eta D) - 1``.

        Parameters
        ----------
        eta : float
            Step size.
        q : float
            Strength of the quartic term.
        t : float, optional
            Share of preconditioning (default 0).
        mode : int, optional
            Which eigenvector, 0 (default) for the largest eigenvalue.
        """
        D = float(self.curvatures(t)[mode])
        square = (2.0 / (eta * D) - 1.0) / (3.0 * q * D) if q else -1.0
        if square <= 0.0:
            return None
        return np.asarray(self.target(t) + np.sqrt(square) * self.directions[:, mode])


def linear_encoding(n: int, lam: float = 1.0, row: int | None = None) -> Encoding:
    """Return the encoder of one row of U-hat: C = lam W W^T.

    The loss of the whole matrix is the sum over its rows, which have one Hessian each: its own is
    ``lam W W^T`` for every row.

    Parameters
    ----------
    n : int
        Number of points of a curve.
    lam : float, optional
        E[p p^T] = lam I (default 1).
    row : int, optional
        Which row, from 0 (default: the last).

    Raises
    ------
    SpecificationError
        If n is no positive integer, lam is not positive, or there is no such row.
    """
    n = whole_number("n", n, low=1)
    chosen = n - 1 if row is None else int(row)
    if not 0 <= chosen < n:
        raise SpecificationError("row", row, f"must be from 0 to {n - 1}.", "Choose one of them.")
    scale = np.sqrt(real_number("lam", lam, low=0.0, open_low=True))
    return Encoding(scale * curve_matrix(n), curve_inverse(n)[chosen])


def convolution_encoding(n: int, lam: float = 1.0) -> Encoding:
    """Return the encoder by a convolution of three weights: C is the mean over windows.

    Parameters
    ----------
    n : int
        Number of points of a curve, at least 4.
    lam : float, optional
        E[p p^T] = lam I (default 1).

    Raises
    ------
    SpecificationError
        If n is less than 4 or lam is not positive.
    """
    variance = real_number("lam", lam, low=0.0, open_low=True)
    seen = windows(n)
    return Encoding(np.sqrt(variance / (int(n) - 2)) * seen, np.array(KERNEL))
