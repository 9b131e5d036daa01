"""Hinge criteria: every loss of the paper is a weighted sum of relu(1 - A_j . yhat_i(j)).

| loss | kinks | A_j |
| --- | --- | --- |
| binary, equation 9 | one for each datum | y_i, with one output |
| multiclass, equations 2 and 5 | one for each datum and wrong class r | e_(y_i) - e_r |
| one-versus-all, equations 11, 15 | one for each datum and class r | e_r if r = y_i, else -e_r |

The multiclass loss is written without the constant -1 of equation 5, which presumes weights that
sum to one; equation 15 prints the sum over r where that over data is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from ..reading import real_array

LOSSES = ("binary", "multiclass", "one-versus-all", "penalised")
"""Losses that the model builds."""


@dataclass(frozen=True, eq=False)
class Criterion:
    """Output kinks ``weights[j] * relu(1 - directions[j] . yhat[data[j]])``.

    Attributes
    ----------
    directions : ndarray, shape (J, R)
        A_j.
    data : ndarray of int, shape (J,)
        Which datum.
    weights : ndarray, shape (J,)
        Positive weights.
    """

    directions: Array
    data: Array
    weights: Array

    @property
    def outputs(self) -> int:
        """Number R of outputs of the network."""
        return int(self.directions.shape[1])


def binary(y: Array, weights: Array) -> Criterion:
    """Return equation 9's criterion for labels +1 and -1.

    Examples
    --------
    >>> import numpy as np
    >>> binary(np.array([1, -1]), np.array([0.5, 0.5])).directions.tolist()
    [[1.0], [-1.0]]
    """
    return Criterion(np.asarray(y, dtype=float)[:, None], np.arange(len(y)), weights)


def multiclass(y: Array, classes: int, weights: Array) -> Criterion:
    """Return equation 2's criterion for classes 0, ..., R - 1."""
    unit = np.eye(classes)
    pairs = [(i, r) for i in range(len(y)) for r in range(classes) if r != y[i]]
    return Criterion(
        np.array([unit[y[i]] - unit[r] for i, r in pairs]),
        np.array([i for i, _ in pairs]),
        np.array([weights[i] for i, _ in pairs]),
    )


def one_versus_all(y: Array, classes: int, weights: Array) -> Criterion:
    """Return equation 15's criterion; `weights` has shape (N, R)."""
    unit, count = np.eye(classes), len(y)
    pairs = [(i, r) for i in range(count) for r in range(classes)]
    return Criterion(
        np.array([unit[r] if y[i] == r else -unit[r] for i, r in pairs]),
        np.array([i for i, _ in pairs]),
        np.array([weights[i, r] for i, r in pairs]),
    )


def signed_labels(y: Array, r: int) -> Array:
    """Return +1 for data of class r and -1 for the others: labels of the r-th binary problem."""
    return np.where(np.asarray(y) == r, 1, -1)


def read_data(X: Any) -> Array:
    """Return the data as floats of shape (N, d).

    Raises
    ------
    SpecificationError
        If they are not finite numbers in rows.
    """
    try:
        data = np.array(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "X", X, "must hold real numbers.", "Give one row for each datum."
        ) from error
    if data.ndim != 2 or data.size == 0 or not np.all(np.isfinite(data)):
        raise SpecificationError(
            "X", data.shape, "must be finite with shape (N, d).", "Give one row for each datum."
        )
    return data


def read_labels(y: Any, count: int, loss: str) -> tuple[Array, int]:
    """Return labels, and the number of classes: +1 and -1 for "binary", else 0, ..., R - 1.

    Raises
    ------
    SpecificationError
        If there are not as many as data, or they are not of that form.
    """
    if loss not in LOSSES:
        raise SpecificationError(
            "loss", loss, f"must be one of {', '.join(LOSSES)}.", "'binary' is the default."
        )
    labels = real_array("y", y)
    if labels.shape != (count,):
        raise SpecificationError(
            "y", labels.shape, f"needs one number for each of {count} data.", "Give one per row."
        )
    whole = labels.astype(int)
    if not np.array_equal(whole, labels):
        raise SpecificationError("y", y, "must hold whole numbers.", "Number the classes.")
    if loss == "binary":
        if not set(whole.tolist()) <= {-1, 1}:
            raise SpecificationError(
                "y", y, "must be +1 or -1 for the binary loss.", "Or choose another loss."
            )
        return whole, 2
    classes = int(whole.max()) + 1
    if whole.min() < 0 or classes < 2:
        raise SpecificationError(
            "y", y, "must number at least two classes from 0.", "Use 0, 1, ..., R - 1."
        )
    return whole, classes


def read_weights(mu: Any, y: Array, classes: int, loss: str) -> Array:
    """Return positive data weights: (N,), or (N, R) for the one-versus-all losses.

    The default is 1/N, and for the one-versus-all losses equal weight 1/2 to a class and to its
    complement, as Corollary 3 asks for.

    Raises
    ------
    SpecificationError
        If the shape does not fit or a weight is not positive.
    """
    count, many = len(y), loss in ("one-versus-all", "penalised")
    if mu is None and many:
        members = y[:, None] == np.arange(classes)
        sizes = np.maximum(members.sum(axis=0), 1)
        return np.where(members, 0.5 / sizes, 0.5 / np.maximum(count - sizes, 1))
    shape = (count, classes) if many else (count,)
    if mu is None:
        return np.full(shape, 1.0 / count)
    weights = real_array("mu", mu)
    if many and weights.shape == (count,):
        weights = np.repeat(weights[:, None], classes, axis=1)
    if weights.shape != shape or not np.all(weights > 0):
        raise SpecificationError(
            "mu", mu, f"needs finite positive weights of shape {shape}.", "Leave it out for 1/N."
        )
    return weights
