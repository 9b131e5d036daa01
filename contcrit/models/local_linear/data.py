"""The numbers of a local-linear network: its data, outputs, cost, law, and regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SpecificationError
from ...system import Array
from ..reading import real_array, real_number
from .graph import NeuronGraph

UNITS = ("local", "relu")
"""Local linear neurons of a graph, or a sum of ReLU neurons."""


@dataclass(frozen=True, eq=False)
class LocalLinear:
    """Data and neurons; weights w have shape (I, N + 1), the offset first.

    Parameters
    ----------
    x : ndarray, shape (K, N)
        Inputs. N may be 0: then z_i is the offset of neuron i, and the law is equation 3.
    y : ndarray, shape (K,)
        Measured outputs.
    graph : NeuronGraph
        Neurons and neighbours.
    units : {"local", "relu"}
        "local": the function of the graph (equations 6 and 12). "relu": ``sum_i max(0, z_i)``.
    T : float
        Time scale of the law.

    Raises
    ------
    SpecificationError
        If shapes do not match, numbers are not finite, or the graph has no continuous function.

    Examples
    --------
    >>> import numpy as np
    >>> data = LocalLinear(np.array([[0.0], [1.0]]), np.array([1.0, 2.0]), NeuronGraph.chain((1,)))
    >>> w = np.array([[1.0, 0.0], [0.0, 3.0]])
    >>> data.outputs(w).tolist(), float(data.cost(w)), data.owners(w).tolist()
    ([1.0, 3.0], 0.5, [0, 1])
    """

    x: Array
    y: Array
    graph: NeuronGraph
    units: str = "local"
    T: float = 1.0
    X: Array = field(init=False)

    def __post_init__(self) -> None:
        x, y = _rows("x", self.x, 2), _rows("y", self.y, 1)
        if len(x) != len(y) or not len(y):
            raise SpecificationError(
                "y", y.shape, f"needs one number for each of the {len(x)} inputs.", "Match them."
            )
        if self.units not in UNITS:
            raise SpecificationError("units", self.units, f"must be one of {UNITS}.", "Choose one.")
        real_number("T", self.T, low=0.0, open_low=True, rule="must be positive.")
        if self.units == "local" and not self.graph.representable:
            raise SpecificationError(
                "signs",
                self.graph.signs,
                "bends up and down around one corner: no function has convex cells there.",
                "Give one sign to all edges of a corner.",
            )
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "X", np.column_stack([np.ones(len(x)), x]))

    @property
    def neurons(self) -> int:
        """Number I of neurons."""
        return self.graph.neurons

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (I, N + 1) of the weights."""
        return self.graph.neurons, self.X.shape[1]

    def weights(self, w: ArrayLike) -> Array:
        """Return weights of shape (I, N + 1) from an array of that size."""
        return np.asarray(w, dtype=float).reshape(self.shape)

    def selection(self, w: ArrayLike, *, X: Array | None = None) -> Array:
        """Return the derivatives of yhat_k in z_ik, shape (K, I).

        On a kink that of the neuron with the smaller number; ReLUs are off there.

        Parameters
        ----------
        w : array_like
            Weights.
        X : ndarray, shape (K', N + 1), optional
            Other inputs, 1 in front (default: those of the data).
        """
        z = (self.X if X is None else X) @ self.weights(w).T
        if self.units == "relu":
            return np.asarray(z > 0, dtype=float)
        chosen = np.tile(1.0 - np.array(self.graph.multiplicities), (len(z), 1))
        for group in self.graph.groups:
            members = np.array(group.members)
            best = members[np.argmax(group.sign * z[:, members], axis=1)]
            chosen[np.arange(len(z)), best] += 1.0
        return chosen

    def outputs(self, w: ArrayLike, *, X: Array | None = None) -> Array:
        """Return yhat_k, shape (K,)."""
        inputs = self.X if X is None else X
        return np.sum(self.selection(w, X=X) * (inputs @ self.weights(w).T), axis=1)

    def errors(self, w: ArrayLike) -> Array:
        """Return yhat - y, shape (K,)."""
        return self.outputs(w) - self.y

    def cost(self, w: ArrayLike) -> float:
        """Return V (equation 1)."""
        errors = self.errors(w)
        return float(errors @ errors) / 2.0

    def gradient(self, w: ArrayLike) -> Array:
        """Return the derivative of V, shape (I, N + 1), of the piece that `selection` names."""
        return self.selection(w).T @ (self.errors(w)[:, None] * self.X)

    def law(self, w: ArrayLike) -> Array:
        """Return the learning law's velocity (equations 2, 3, 7 and 13), shape (I, N + 1)."""
        return -self.gradient(w) / self.T

    def observability(self, w: ArrayLike) -> Array:
        """Return the matrix of equations 8 and 14 without its sign, shape (n, n), n = I (N + 1).

        T times it is the Hessian of V inside a linear region.
        """
        rows = np.einsum("ki,kn->kin", self.selection(w), self.X).reshape(len(self.X), -1)
        return rows.T @ rows / self.T

    def owners(self, w: ArrayLike, *, X: Array | None = None) -> Array:
        """Return the one neuron that is active at each input, shape (K,); -1 where it is not one.

        With edges of both signs corners may be out of order; the function is then a sum of several
        neurons' values between them.
        """
        chosen = self.selection(w, X=X)
        alone = (np.count_nonzero(chosen, axis=1) == 1) & (np.max(chosen, axis=1) == 1)
        return np.where(alone, np.argmax(chosen, axis=1), -1)

    def kink_margin(self, w: ArrayLike) -> float:
        """Return how far the data are from the nearest kink, in z; infinite without kinks."""
        z = self.X @ self.weights(w).T
        if self.units == "relu":
            return float(np.min(np.abs(z)))
        gaps = []
        for group in self.graph.groups:
            if len(group.members) > 1:
                ordered = np.sort(group.sign * z[:, group.members], axis=1)
                gaps.append(float(np.min(ordered[:, -1] - ordered[:, -2])))
        return min(gaps, default=np.inf)

    def inside(self, w: ArrayLike, i: int, point: ArrayLike) -> bool:
        """Return whether a point lies in the region of Definition 1: on neuron i's side of edges.

        Parameters
        ----------
        w : array_like
            Weights.
        i : int
            Neuron.
        point : array_like, shape (N,)
            Input.
        """
        z = self.weights(w) @ np.concatenate([[1.0], np.atleast_1d(np.asarray(point, float))])
        return all(self.graph.sign(i, j) * (z[i] - z[j]) >= 0.0 for j in self.graph.neighbours(i))


def corners(w: Array) -> Array:
    """Return where neighbours in an ordered chain on a line meet, shape (I - 1,).

    Parameters
    ----------
    w : ndarray, shape (I, 2)
        Weights; x_i = (w_{i+1,1} - w_{i1}) / (w_{i2} - w_{i+1,2}). Parallel neighbours give
        an infinity or nan.

    Examples
    --------
    >>> import numpy as np
    >>> corners(np.array([[0.0, 1.0], [2.0, 0.0]])).tolist()
    [2.0]
    """
    w = np.asarray(w, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (w[1:, 0] - w[:-1, 0]) / (w[:-1, 1] - w[1:, 1])


def _rows(name: str, value: Any, dimension: int) -> Array:
    array = real_array(name, value)
    if array.ndim == 1 and dimension == 2:
        array = array[:, None]
    if array.ndim != dimension or not len(array):
        raise SpecificationError(
            name, array.shape, f"must be numbers in {dimension} dimensions.", "Check its shape."
        )
    return array
