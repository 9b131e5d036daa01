"""Losses of one ReLU unit with a norm of its weights added, over data and over Gaussian inputs.

The empirical loss of N inputs (rows of X) and targets ``relu(X w*)`` is

    E(w) = |relu(X w*) - relu(X w)|^2 / (2 N) - sign (lam / 2) R(w),

with ``R = |w|_2^2``, ``|w|_1^2`` or ``|w|_1``. The sign is -1 for the loss itself and +1 for what
the paper's equations 5 and 6 print; the learning law is ``dw/dt = -grad E`` with either. The
population loss is the expectation over rows drawn from N(0, I).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecificationError
from ...system import Array

NORMS = ("l2", "l1-squared", "l1")
"""The penalties R(w): squared l2 norm, squared l1 norm, and the l1 norm itself."""


@dataclass(frozen=True, eq=False)
class Penalty:
    """The term ``-sign (lam / 2) R(w)``.

    Parameters
    ----------
    norm : {"l2", "l1-squared", "l1"}, default "l2"
        Which R.
    regularisation_sign : {-1, 1}, default -1
        -1 penalises large weights; +1 is the sign that the paper prints.

    Raises
    ------
    SpecificationError
        If the norm or the sign is another.

    Examples
    --------
    >>> import numpy as np
    >>> Penalty("l1-squared").value(np.array([1.0, -2.0]), lam=2.0)
    9.0
    """

    norm: str = "l2"
    regularisation_sign: int = -1

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise SpecificationError(
                "norm", self.norm, f"must be one of {', '.join(NORMS)}.", "'l2' is the default."
            )
        if self.regularisation_sign not in (-1, 1) or isinstance(self.regularisation_sign, bool):
            raise SpecificationError(
                "regularisation_sign",
                self.regularisation_sign,
                "must be -1 (weights are penalised) or 1 (as printed in the paper).",
                "-1 is the default.",
            )

    @property
    def kinked(self) -> bool:
        """Whether R has kinks where single weights vanish."""
        return self.norm != "l2"

    def weight(self, lam: float) -> float:
        """Return the factor of ``R / 2`` in the loss: lam, or -lam with the printed sign."""
        return -self.regularisation_sign * lam

    def value(self, w: Array, lam: float) -> float:
        """Return the term at w, shape (d,)."""
        one = float(np.sum(np.abs(w)))
        R = {"l2": float(w @ w), "l1-squared": one * one, "l1": one}[self.norm]
        return 0.5 * self.weight(lam) * R

    def gradient(self, w: Array, lam: float, signs: Array | None = None) -> Array:
        """Return the gradient at w, shape (d,), with sign(0) = 0 unless `signs` are given."""
        signs = np.sign(w) if signs is None else signs
        if self.norm == "l2":
            return self.weight(lam) * w
        if self.norm == "l1":
            return 0.5 * self.weight(lam) * signs
        return self.weight(lam) * float(signs @ w) * signs

    def hessian(self, signs: Array, lam: float) -> Array:
        """Return the second derivative where the weights have these signs, shape (d, d)."""
        d = len(signs)
        if self.norm == "l2":
            return self.weight(lam) * np.eye(d)
        if self.norm == "l1":
            return np.zeros((d, d))
        return self.weight(lam) * np.outer(signs, signs)


@dataclass(frozen=True, eq=False)
class ReluRegression:
    """One ReLU unit that learns from N inputs what another one, w*, answers.

    Parameters
    ----------
    X : ndarray, shape (N, d)
        The inputs.
    w_star : ndarray, shape (d,)
        The teacher's weights.
    penalty : Penalty
        Norm and sign.

    Raises
    ------
    SpecificationError
        If the shapes do not match or a number is not finite.

    References
    ----------
    Z. Kong, *Convergence analysis of the dynamics of a special kind of two-layered neural networks
    with l1 and l2 regularization*, 2017, equations 2 to 5.

    Examples
    --------
    >>> import numpy as np
    >>> data = ReluRegression(np.eye(2), np.array([1.0, 2.0]))
    >>> data.loss(np.array([1.0, -1.0]), lam=0.5)
    1.5
    """

    X: Array
    w_star: Array
    penalty: Penalty = Penalty()

    def __post_init__(self) -> None:
        X, w_star = numbers("X", self.X, 2), numbers("w_star", self.w_star, 1)
        if X.shape[1] != w_star.size or not X.size:
            raise SpecificationError(
                "X",
                X.shape,
                f"needs at least one row, and one column for each of the {w_star.size} weights.",
                "Give inputs of shape (N, d) and w_star of shape (d,).",
            )
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "w_star", w_star)

    @property
    def count(self) -> int:
        """Number N of inputs."""
        return self.X.shape[0]

    @property
    def dimension(self) -> int:
        """Number d of weights."""
        return self.X.shape[1]

    @property
    def targets(self) -> Array:
        """The teacher's answers relu(X w*), shape (N,)."""
        return np.maximum(self.X @ self.w_star, 0.0)

    def active(self, w: Array) -> Array:
        """Return the diagonal of D(w): whether each row has ``x . w > 0``, shape (N,)."""
        return np.asarray(self.X @ w > 0)

    def moment(self, active: Array | None = None) -> Array:
        """Return ``X^T D X`` for a pattern, shape (d, d); B = ``X^T D* X`` by default."""
        rows = self.X[self.active(self.w_star) if active is None else active]
        return rows.T @ rows

    def loss(self, w: Array, lam: float) -> float:
        """Return E(w) (equation 2)."""
        w = np.asarray(w, dtype=float)
        misfit = self.targets - np.maximum(self.X @ w, 0.0)
        return 0.5 * float(misfit @ misfit) / self.count + self.penalty.value(w, lam)

    def gradient(self, w: Array, lam: float) -> Array:
        """Return the gradient with D(w) and sign(w), both 0 at 0, shape (d,)."""
        w = np.asarray(w, dtype=float)
        outputs = self.X @ w
        misfit = np.where(outputs > 0, outputs - self.targets, 0.0)
        return self.X.T @ misfit / self.count + self.penalty.gradient(w, lam)

    def field(self, w: Array, lam: float) -> Array:
        """Return the learning law ``dw/dt``, shape (d,): equation 5, with its sign of lam."""
        return -self.gradient(w, lam)


@dataclass(frozen=True, eq=False)
class PopulationRegression:
    """The same unit for inputs from N(0, I): the expectations of loss and learning law.

    Parameters
    ----------
    w_star : ndarray, shape (d,)
        The teacher's weights, not zero.
    penalty : Penalty
        Norm and sign.

    Raises
    ------
    SpecificationError
        If `w_star` is zero or not finite.

    References
    ----------
    Kong 2017, equation 6; it holds for angles up to pi, not only up to pi / 2.

    Examples
    --------
    >>> import numpy as np
    >>> unit = PopulationRegression(np.array([1.0, 1.0]))
    >>> unit.field(np.array([0.5, 0.5]), lam=0.5).tolist()
    [0.0, 0.0]
    """

    w_star: Array
    penalty: Penalty = Penalty()

    def __post_init__(self) -> None:
        w_star = numbers("w_star", self.w_star, 1)
        if not w_star.any():
            raise SpecificationError(
                "w_star", w_star.tolist(), "must not be zero.", "Give a teacher that answers."
            )
        object.__setattr__(self, "w_star", w_star)

    def loss(self, w: Array, lam: float) -> float:
        """Return the expected loss at w, shape (d,)."""
        w = np.asarray(w, dtype=float)
        length, full = float(np.linalg.norm(w)), float(np.linalg.norm(self.w_star))
        theta = angle(w, self.w_star)
        shared = length * full * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi)
        return 0.25 * (length**2 + full**2) - float(shared) + self.penalty.value(w, lam)

    def field(self, w: Array, lam: float) -> Array:
        """Return the expected learning law, shape (d,) (equation 6).

        Raises
        ------
        SpecificationError
            If w = 0, where the law has no value: it depends on the direction.
        """
        w = np.asarray(w, dtype=float)
        length = float(np.linalg.norm(w))
        if length == 0:
            raise SpecificationError(
                "w", w.tolist(), "must not be zero: the law jumps there.", "Give another point."
            )
        theta = angle(w, self.w_star)
        ratio = float(np.linalg.norm(self.w_star)) / length
        turn = ratio * np.sin(theta) * w - theta * self.w_star
        return 0.5 * (self.w_star - w) + turn / (2 * np.pi) - self.penalty.gradient(w, lam)


def angle(w: Array, other: Array) -> float:
    """Return the angle between two vectors, accurate also where they are nearly parallel."""
    a, b = w / max(float(np.linalg.norm(w)), 1e-300), other / np.linalg.norm(other)
    return float(2.0 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b)))


def numbers(name: str, value: Any, dimensions: int) -> Array:
    """Return a finite float array with so many dimensions.

    Raises
    ------
    SpecificationError
        If it is none.
    """
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if array.ndim != dimensions or not np.all(np.isfinite(array)):
        shape = "(N, d)" if dimensions == 2 else "(d,)"
        raise SpecificationError(
            name, value, f"must be finite numbers of shape {shape}.", "Give an array."
        )
    array.setflags(write=False)
    return array
