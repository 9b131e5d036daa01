"""Solutions, bounds and probabilities that the paper derives, and what is true of them.

Notation: D* is the teacher's pattern, ``B = X^T D* X``. Each bound comes as printed and, where the
printed one is not sufficient, with the minimum over all rows that its proof needs.

References
----------
Z. Kong, *Convergence analysis of the dynamics of a special kind of two-layered neural networks with
l1 and l2 regularization*, 2017.
"""

from __future__ import annotations

from math import comb

import numpy as np
from scipy.optimize import brentq

from ...errors import SpecificationError
from ...system import Array
from .losses import PopulationRegression, ReluRegression


def solution(data: ReluRegression, lam: float) -> Array:
    """Return what solves the stationarity equations if its pattern is D*, shape (d,).

    l2: ``(B - sign lam N I)^{-1} B w*`` (equation 14). l1 norms: the solution of equation 25 with
    the signs of w*. Whether pattern and signs really stay is for the caller to check.

    Parameters
    ----------
    data : ReluRegression
        The problem.
    lam : float
        Strength of the penalty.

    Raises
    ------
    SpecificationError
        If the equations are singular: with sign -1 and l2 that needs lam = 0 and B without full
        rank; with the printed sign it happens at the eigenvalues of ``B / N``.

    Examples
    --------
    >>> import numpy as np
    >>> solution(ReluRegression(np.eye(2), np.array([1.0, 2.0])), lam=0.5).tolist()
    [0.5, 1.0]
    """
    signs = np.sign(data.w_star)
    B, N, penalty = data.moment(), data.count, data.penalty
    matrix = B / N + penalty.hessian(signs, lam)
    right = B @ data.w_star / N
    if penalty.norm == "l1":
        right = right - penalty.gradient(data.w_star, lam)
    if np.linalg.matrix_rank(matrix) < data.dimension:
        raise SpecificationError(
            "lam", lam, "makes the stationarity equations singular.", "Choose another value."
        )
    return np.asarray(np.linalg.solve(matrix, right))


def slope(data: ReluRegression) -> Array:
    """Return T or u, the derivative of the solution in lam at 0, shape (d,), for full-rank B.

    l2: ``sign N B^{-1} w*`` (equation 19); squared l1: ``sign N |w*|_1 B^{-1} sign(w*)``
    (equation 30 at lam = 0).
    """
    at_teacher = data.penalty.gradient(data.w_star, 1.0)
    return -data.count * np.asarray(np.linalg.solve(data.moment(), at_teacher))


def pattern_limit(data: ReluRegression) -> float:
    """Return the lam > 0 at which `solution` first changes pattern, or with l1 a weight's sign.

    Up to there, for full-rank B and the right sign, it is a critical point of the loss. The three
    solutions are rational in lam, so that the limit is a root of a polynomial.

    Returns
    -------
    float
        Infinite if there is none. With the printed sign, poles of the solution count too.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.relu_regression.losses import Penalty
    >>> data = ReluRegression(np.eye(2), np.array([1.0, 2.0]), Penalty("l1"))
    >>> pattern_limit(data)
    1.0
    """
    direction = -data.penalty.regularisation_sign
    if data.penalty.norm == "l2":
        values, axes = np.linalg.eigh(data.moment() / data.count)
        roots = [-values]
        for row in data.X:
            parts = (row @ axes) * (data.w_star @ axes) * values
            polynomial = np.zeros(1)
            for k, part in enumerate(parts):
                others = np.poly(-np.delete(values, k))
                polynomial = np.polyadd(polynomial, part * others)
            found = np.roots(np.trim_zeros(polynomial, "f"))
            roots.append(np.real(found[np.abs(np.imag(found)) <= 1e-12 * np.abs(found)]))
        weights = np.concatenate(roots)
    else:
        signs = np.sign(data.w_star)
        change = np.linalg.solve(data.moment() / data.count, signs)
        rows = np.vstack([data.X, np.eye(data.dimension)])
        rows = rows[np.abs(rows @ change) > 0]
        # w = w* - force change, and a row's output vanishes at one force.
        forces = (rows @ data.w_star) / (rows @ change)
        weights = 2.0 * forces
        if data.penalty.norm == "l1-squared":
            # force = weight |w|_1, and |w|_1 is affine in the force.
            one = float(np.sum(np.abs(data.w_star))) - forces * float(signs @ change)
            pole = -1.0 / float(signs @ change)
            weights = np.append(forces[one != 0] / one[one != 0], pole)
    ahead = direction * weights
    return float(np.min(ahead[ahead > 0], initial=np.inf))


def bound_17(data: ReluRegression) -> float:
    """Return the right side of equation 17: the paper's bound on lam for l2."""
    change = data.X @ np.linalg.solve(data.moment(), data.w_star)
    outputs = np.abs(data.X @ data.w_star)
    with np.errstate(divide="ignore"):
        return float(np.min(outputs / np.abs(change))) / (2 * data.count)


def bound_27(data: ReluRegression, *, all_rows: bool) -> float:
    """Return the right side of equation 27, the paper's bound on lam for squared l1.

    Parameters
    ----------
    data : ReluRegression
        The problem; u is taken at lam = 0.
    all_rows : bool
        False: over the active rows, as printed. True: over all rows, as the claim needs, since
        inactive rows must stay inactive.
    """
    outputs, change = data.X @ data.w_star, np.abs(data.X @ slope(data))
    rows = np.ones(data.count, dtype=bool) if all_rows else outputs > 0
    with np.errstate(divide="ignore"):
        return 0.5 * float(np.min(np.abs(outputs[rows]) / change[rows]))


def bound_33(data: ReluRegression, *, all_rows: bool) -> float:
    """Return the right side of equation 33, the explicit bound on lam for squared l1.

    Parameters
    ----------
    data : ReluRegression
        The problem.
    all_rows : bool
        Whether the minimum runs over all rows, as the claim needs, or as printed.
    """
    outputs = data.X @ data.w_star
    smallest = np.min(np.abs(outputs) if all_rows else outputs[outputs > 0])
    rows = data.X @ np.linalg.inv(data.moment())
    largest = float(np.max(np.sum(np.abs(rows), axis=1)))
    return float(smallest) / (4 * data.count * float(np.sum(np.abs(data.w_star))) * largest)


def rank_probability(k: int, N: int) -> float:
    """Return A_k, the probability that at most k of N Gaussian rows are active (Lemma 1).

    Examples
    --------
    >>> rank_probability(2, 10)
    0.0546875
    """
    if not 0 <= k <= N:
        raise SpecificationError("k", k, f"must be between 0 and N = {N}.", "Give such a number.")
    return sum(comb(N, i) for i in range(k + 1)) / 2**N


def definite_probability(d: int, N: int) -> float:
    """Return the probability that B is positive definite: 1 - A_{d-1}.

    Lemma 2 prints 1 - A_d, a lower bound: d active rows are enough, since they are linearly
    independent with probability 1.

    Examples
    --------
    >>> definite_probability(1, 1)
    0.5
    """
    return 1.0 - rank_probability(d - 1, N)


def convergence_probability(d: int, N: int, epsilon: float) -> float:
    """Return Theorem 5's lower bound (1 - epsilon) / 2 (1 - A_d): Table 1's theoretical column.

    Examples
    --------
    >>> round(convergence_probability(2, 10, 0.1), 3)
    0.425
    """
    return 0.5 * (1.0 - epsilon) * (1.0 - rank_probability(d, N))


def start_radius(d: int, epsilon: float, length: float) -> float:
    """Return Theorem 5's radius ``epsilon sqrt(2 pi / (d + 1)) |w*|`` of the ball of starts."""
    return float(epsilon * np.sqrt(2 * np.pi / (d + 1)) * length)


def lyapunov_matrix(theta: float) -> Array:
    """Return M(theta) of equation 21, shape (2, 2).

    ``(w - w*) . E[dw/dt] = -y^T M y`` at lam = 0 for ``y = (|w|, |w*|)``. M is positive definite
    exactly on (0, `critical_angle`), and det M behaves like theta^2 / 4 as theta -> 0: no lam > 0
    keeps K = M + lam P definite uniformly.
    """
    off = -(2 * np.pi - theta) * np.cos(theta) - np.sin(theta)
    last = np.sin(2 * theta) + 2 * np.pi - 2 * theta
    return np.array([[2 * np.pi, off], [off, last]]) / (4 * np.pi)


def critical_angle() -> float:
    """Return the angle up to which M is positive definite, 2.3276...

    Examples
    --------
    >>> round(critical_angle(), 12)
    2.327616034877
    """
    return float(brentq(lambda t: np.linalg.det(lyapunov_matrix(t)), 1.5, 3.0, xtol=1e-15))


def lyapunov_derivative(unit: PopulationRegression, w: Array, target: Array, lam: float) -> float:
    """Return dV/dt for ``V = |w - target|^2 / 2`` along the population's law (equation 18)."""
    return float((np.asarray(w) - target) @ unit.field(w, lam))


def in_region(w: Array, w_star: Array) -> bool:
    """Tell whether w lies in the open ball ``|w - w*| < |w*|`` of Theorems 2 and 4.

    There the angle to w* is below pi / 2. The theorems leave out the line of w* too, which is not
    needed for l2 with the right sign.
    """
    return bool(np.linalg.norm(np.asarray(w) - w_star) < np.linalg.norm(w_star))


def population_solution(unit: PopulationRegression, lam: float) -> Array:
    """Return the critical point on the ray of w*, shape (d,).

    l2: ``w* / (1 - 2 sign lam)``; squared l1: the point with the direction's own l1 norm, exact
    where all non-zero weights of w* have one modulus and else not critical.

    Raises
    ------
    SpecificationError
        If there is none on that ray.
    """
    weight = unit.penalty.weight(lam)
    signs = np.sign(unit.w_star)
    if unit.penalty.kinked and (
        not signs.all() or np.ptp(np.abs(unit.w_star)) > 1e-12 * np.max(np.abs(unit.w_star))
    ):
        raise SpecificationError(
            "w_star",
            unit.w_star.tolist(),
            "needs weights of one modulus: else the solution leaves the ray of w*.",
            "Trace it instead.",
        )
    d = unit.w_star.size
    if unit.penalty.norm == "l1":
        shrunk = np.abs(unit.w_star) - weight
        if np.all(shrunk > 0):
            return np.asarray(signs * shrunk)
    else:
        factor = 1.0 + 2.0 * weight * (d if unit.penalty.norm == "l1-squared" else 1)
        if factor > 0:
            return np.asarray(unit.w_star / factor)
    raise SpecificationError(
        "lam", lam, "leaves no critical point on the ray of w*.", "Choose a smaller value."
    )
