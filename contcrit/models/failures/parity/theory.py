"""Parities as targets: exact variance of gradients over all of them, and networks that give them.

The parities ``h_v(x) = (-1)^(v . x)``, v in {0, 1}^d, are an orthonormal basis of the functions on
{0, 1}^d with uniform x. With g = dp/dw the gradient of the expected loss is, up to a part that is
the same for all targets, ``-E[h_v q g]`` for the square loss (q = 1) and ``E[h_v q g]`` for a
margin loss r(p y) with ``q = (r'(p) + r'(-p)) / 2``. By Parseval's identity, and as the mean of
h_v(x) over v is 1 at x = 0 and 0 elsewhere,

    Var = E |q g|^2 / 2^d - |q(0) g(0)|^2 / 4^d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit

from ....errors import SpecificationError
from ....system import Array

LOSSES = ("square", "hinge", "logistic")
"""Losses whose gradient the exact variance is known of: (p - y)^2 / 2 and r(p y)."""

LARGEST = 16
"""Largest dimension of which all inputs are written out."""


def inputs(d: Any) -> Array:
    """Return all 2^d inputs in the order of binary counting, shape (2^d, d).

    Raises
    ------
    SpecificationError
        If d is not a whole number from 1 to 16.

    Examples
    --------
    >>> inputs(2).astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if isinstance(d, bool) or not isinstance(d, (int, np.integer)) or not 1 <= d <= LARGEST:
        raise SpecificationError(
            "d", d, f"must be a whole number from 1 to {LARGEST}.", "d=2 is the smallest of use."
        )
    numbers = np.arange(2 ** int(d))
    return ((numbers[:, None] >> np.arange(int(d) - 1, -1, -1)) & 1).astype(float)


def parity(X: Any, v: Any) -> Array:
    """Return ``(-1)^(v . x)`` for rows x, shape (N,).

    Examples
    --------
    >>> parity([[0, 1], [1, 1]], [1, 1]).tolist()
    [-1.0, 1.0]
    """
    return 1.0 - 2.0 * (np.asarray(X) @ np.asarray(v) % 2)


def correlations(values: Array) -> Array:
    """Return ``E[h_v(x) values(x)]`` for every v, by the fast Walsh-Hadamard transform.

    Parameters
    ----------
    values : ndarray, shape (2^d, ...)
        One row for each input, in the order of `inputs`.

    Returns
    -------
    ndarray, shape (2^d, ...)
        One row for each v, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> correlations(parity(inputs(3), [0, 1, 1])).tolist()
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    result = np.array(values, dtype=float)
    count, half = len(result), 1
    while half < count:
        pairs = result.reshape(count // (2 * half), 2, half, *result.shape[1:])
        even, odd = pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]
        result = np.stack([even, odd], axis=1).reshape(result.shape)
        half *= 2
    return result / count


@dataclass(frozen=True, eq=False)
class Predictor:
    """A network of one hidden ReLU layer, ``p(x) = v . relu(W x + b) + c``.

    Parameters
    ----------
    W : ndarray, shape (K, d)
    b, v : ndarray, shape (K,)
    c : float
    """

    W: Array
    b: Array
    v: Array
    c: float

    @classmethod
    def random(cls, d: int, width: int, generator: np.random.Generator) -> Self:
        """Return weights uniform in ``+-sqrt(6 / (inputs + outputs))``, and no biases.

        References
        ----------
        X. Glorot and Y. Bengio, AISTATS 2010.
        """
        first, last = np.sqrt(6 / (d + width)), np.sqrt(6 / (width + 1))
        return cls(
            generator.uniform(-first, first, (width, d)),
            np.zeros(width),
            generator.uniform(-last, last, width),
            0.0,
        )

    def __call__(self, X: Any) -> Array:
        """Return p at rows x, shape (N,)."""
        result: Array = np.maximum(np.asarray(X) @ self.W.T + self.b, 0.0) @ self.v + self.c
        return result

    def jacobian(self, X: Any) -> Array:
        """Return g = dp/d(W, b, v, c) at rows x, shape (N, K d + 2 K + 1); units at 0 are off."""
        X = np.asarray(X, dtype=float)
        G = X @ self.W.T + self.b
        back = (G > 0) * self.v
        W = (back[:, :, None] * X[:, None, :]).reshape(len(X), -1)
        return np.hstack([W, back, np.maximum(G, 0.0), np.ones((len(X), 1))])


def sensitivity(p: Array, loss: str) -> Array:
    """Return q, by which the gradient of the loss depends on the label.

    Raises
    ------
    SpecificationError
        If the loss is not one of `LOSSES`.
    """
    if loss == "square":
        return np.ones_like(p)
    if loss == "hinge":
        return -0.5 * ((p < 1).astype(float) + (p > -1))
    if loss == "logistic":
        return -0.5 * (expit(-p) + expit(p))
    raise SpecificationError("loss", loss, f"must be one of {', '.join(LOSSES)}.", "Choose one.")


def loss_slope(p: Array, y: Array, loss: str) -> Array:
    """Return the derivative of the loss by the prediction."""
    if loss == "square":
        return np.asarray(p - y)
    return np.asarray(y * (-(p * y < 1).astype(float) if loss == "hinge" else -expit(-p * y)))


def expected_gradients(p: Array, g: Array, loss: str, targets: Array) -> Array:
    """Return the gradient of the expected loss for each target.

    Parameters
    ----------
    p : ndarray, shape (N,)
        Predictions on all inputs, which are equally likely.
    g : ndarray, shape (N, n)
        Their derivatives.
    loss : str
        One of `LOSSES`.
    targets : ndarray, shape (m, N)
        Labels.

    Returns
    -------
    ndarray, shape (m, n)
    """
    return np.array([loss_slope(p, y, loss) @ g for y in targets]) / len(p)


def spread(rows: Array) -> float:
    """Return the mean squared distance of rows from their mean."""
    return float(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1)))


def gradient_variance(p: Array, g: Array, loss: str) -> float:
    """Return the variance of the gradient over all parities, by the identity.

    Parameters
    ----------
    p : ndarray, shape (2^d,)
        Predictions on all inputs, in the order of `inputs`.
    g : ndarray, shape (2^d, n)
        Their derivatives.
    loss : str
        One of `LOSSES`.

    Examples
    --------
    >>> import numpy as np
    >>> gradient_variance(np.zeros(4), np.ones((4, 1)), "square")
    0.1875
    """
    scaled = sensitivity(p, loss)[:, None] * g
    count = len(p)
    mean_square = float(np.mean(np.sum(scaled**2, axis=1)))
    return mean_square / count - float(np.sum(scaled[0] ** 2)) / count**2


def gradient_variance_by_transform(p: Array, g: Array, loss: str) -> float:
    """Return the same from the gradients for all 2^d targets, without the identity."""
    return spread(correlations(sensitivity(p, loss)[:, None] * g))


def variance_bound(g: Array, count: int) -> float:
    """Return Theorem 1's bound ``G^2 / |H|`` with ``G^2 = E |g|^2``."""
    return float(np.mean(np.sum(g**2, axis=1))) / count


def triangles(v: Any, first: int = 0) -> Predictor:
    """Return the network of three units for every even number from `first` to d.

    Each triple is a triangle of height 1/2 around one value of ``t = v . x``; ``4 sum - 1`` is then
    the parity. With ``first = 2`` it errs at t = 0; with 0 it has width 3 (floor(d / 2) + 1).
    """
    v = np.asarray(v, dtype=float)
    even = np.arange(first, len(v) + 1, 2)
    corners = (even[:, None] + np.array([-0.5, 0.0, 0.5])).ravel()
    return Predictor(
        np.tile(v, (len(corners), 1)), -corners, np.tile([4.0, -8.0, 4.0], len(even)), -1.0
    )


def wave(v: Any) -> Predictor:
    """Return a network of max(1, |v|) units: ``1 - 2 t + 4 relu(t - 1) - 4 relu(t - 2) + ...``.

    Examples
    --------
    >>> network = wave([1, 0, 1])
    >>> network(inputs(3)).tolist() == parity(inputs(3), [1, 0, 1]).tolist()
    True
    """
    v = np.asarray(v, dtype=float)
    width = max(1, int(np.sum(v)))
    weights = 4.0 * (-1.0) ** (np.arange(width) + 1)
    weights[0] = -2.0
    return Predictor(np.tile(v, (width, 1)), -np.arange(width, dtype=float), weights, 1.0)
