"""The hinge loss near one point, as Clarke's calculus asks for it, and its lift where v_k = 0.

Active kinks are ordered by level: first hidden layer, ..., output. On the slice of fixed output
weights one hidden layer gives a function that is exactly piecewise linear.

Where an output weight vanishes, first-order cells miss what happens at second order. For one hidden
layer and one output the unknowns (p_k, q_k) = |v_k| (w_k, b_k) serve: with tau_k = sign v_k

    yhat = sum_k tau_k sigma(p_k . x + q_k) + c

is piecewise linear, and a neighbourhood of v_k = 0 maps onto (p, q) = s (w_k, b_k) + reach r with
|r| <= s, for either tau_k and a reach of order delta.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...system import Array
from .network import HingeNetwork

TIE = 1e-9
"""Distance from a kink up to which a point counts as lying on it."""


class HingePieces:
    """The loss near one point; satisfies `contcrit.criticality.pieces.LiftablePieces`.

    Parameters
    ----------
    network : HingeNetwork or PenalisedNetwork
        The loss.
    x : ndarray, shape (n,)
        The point.
    tolerance : float, optional
        A kink is active when the modulus of its switching function is at most this (default 1e-9).

    Attributes
    ----------
    size : int
        Number n of unknowns.
    levels : tuple of int
        Number of active kinks of each hidden layer, and of the output.
    linear : bool
        Whether the function is exactly piecewise linear near the point.
    affine_cells : bool
        Whether the switching functions are affine near the point.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.relu_hinge.criterion import binary
    >>> loss = binary(np.array([1, -1]), np.array([0.5, 0.5]))
    >>> network = HingeNetwork(np.array([[1.0], [-1.0]]), (1,), loss, alpha=0.0)
    >>> HingePieces(network, network.pack(W=1.0, b=1.0, v=1.0, c=-1.0)).levels
    (1, 2)
    """

    def __init__(self, network: Any, x: Array, tolerance: float = TIE) -> None:
        self.network = network
        self.x = np.asarray(x, dtype=float)
        self.tolerance = tolerance
        self.size = int(network.size)
        values = network.switching(self.x)
        self._base = [(g > 0).astype(float) for g in values]
        self.active = [np.flatnonzero(np.abs(g) <= tolerance) for g in values]
        if network.alpha == 1.0:  # the units are linear: they have no kinks
            self.active = [np.empty(0, dtype=int)] * len(network.widths) + self.active[-1:]
        self.levels = tuple(len(kinks) for kinks in self.active)

    @cached_property
    def linear(self) -> bool:
        """Whether the function is exactly piecewise linear near the point."""
        return self._one_hidden_slice

    @cached_property
    def affine_cells(self) -> bool:
        """Whether the switching functions are affine near the point, for given lower signs."""
        if len(self.network.widths) == 0 or _on_slice(self.network):
            return True
        return not any(self.levels[1:])

    def switching_gradients(self, level: int, signs: Array) -> Array:
        """Return the gradients (levels[level], n) of a level's switching functions."""
        positions = self._chosen((np.asarray(signs, dtype=float) + 1.0) / 2.0)
        rows: Array = self.network.switching_jacobians(self.x, positions)[level]
        return rows[self.active[level]]

    def gradient(self, signs: Array) -> Array:
        """Return the gradient (n,) of the smooth piece that all signs select."""
        return self.hull_gradient((np.asarray(signs, dtype=float) + 1.0) / 2.0)

    def hessian(self, signs: Array) -> Array:
        """Return the Hessian (n, n) of that piece."""
        positions = self._chosen((np.asarray(signs, dtype=float) + 1.0) / 2.0)
        matrix: Array = self.network.hessian(self.x, positions)
        return matrix

    def hull_gradient(self, positions: Array) -> Array:
        """Return the gradient (n,) by the chain rule with positions in [0, 1]."""
        result: Array = self.network.gradient(
            self.x, self._chosen(np.asarray(positions, dtype=float))
        )
        return result

    def lifted(self, delta: float) -> Sequence[LiftedPieces]:
        """Return the loss in unknowns where it is piecewise linear, for each sign of the v_k = 0.

        Without vanishing v_k there is one branch, on which all directions are allowed. Empty when
        the loss is not that of one fully connected hidden layer with one output, or the output
        weights are constants, so that there is nothing to lift.
        """
        network = self.network
        if not isinstance(network, HingeNetwork) or network.criterion.outputs != 1:
            return ()
        if len(network.widths) != 1 or network.fixed_output is not None:
            return ()
        if network.bases[0] is not None:
            return ()
        vanishing = np.flatnonzero(np.abs(network.output(self.x)[0][0]) <= self.tolerance)
        return [
            LiftedPieces.of(self, delta, dict(zip(vanishing.tolist(), signs, strict=True)))
            for signs in itertools.product((1, -1), repeat=len(vanishing))
        ]

    def _chosen(self, positions: Array) -> list[Array]:
        """Return positions of all kinks; active ones beyond those given count as off."""
        chosen, start = [], 0
        for base, kinks in zip(self._base, self.active, strict=True):
            level = base.copy()
            given = positions[start : start + len(kinks)]
            level[kinks] = 0.0
            level[kinks[: len(given)]] = given
            start += len(kinks)
            chosen.append(level)
        return chosen

    @property
    def _one_hidden_slice(self) -> bool:
        network = self.network
        if not isinstance(network, HingeNetwork):
            return False
        return not network.widths or (_on_slice(network) and len(network.widths) == 1)


@dataclass(frozen=True, eq=False)
class LiftedPieces:
    """The loss of one hidden layer in the lifted unknowns; satisfies `DomainPieces`.

    The unknowns are (p, q) of every unit with v_k != 0, (s, r) of every unit with v_k = 0, and c.

    Attributes
    ----------
    units : ndarray, shape (N, K, n)
        Gradients of tau-free unit inputs p_k . x_i + q_k in the lifted unknowns.
    signs : ndarray, shape (K,)
        tau_k.
    bias : ndarray, shape (n,)
        Gradient of c.
    domain : ndarray, shape (k, n)
        Rows; directions d with domain @ d >= 0 are perturbations of the point.
    reach : ndarray, shape (K,)
        Unit of r for the units with v_k = 0, so that no row is badly scaled; else 1.
    """

    parent: HingePieces
    units: Array
    signs: Array
    bias: Array
    domain: Array
    reach: Array
    linear: bool = True
    affine_cells: bool = True

    @classmethod
    def of(cls, parent: HingePieces, delta: float, choices: dict[int, int]) -> LiftedPieces:
        """Return the branch with the given signs of vanishing output weights."""
        network, x = parent.network, parent.x
        (W, b), v = network.layers(x)[0], network.output(x)[0][0]
        X = np.hstack([network.X, np.ones((len(network.X), 1))])
        width = X.shape[1]
        sizes = [width + (k in choices) for k in range(len(v))]
        n = sum(sizes) + int(network.output_bias)
        units, reach = np.zeros((len(X), len(v), n)), np.ones(len(v))
        rows = [np.zeros((0, n))]
        start = 0
        for k, length in enumerate(sizes):
            stop = start + length
            units[:, k, stop - width : stop] = X
            if k in choices:
                inputs = X @ np.append(W[k], b[k])
                inputs[np.abs(inputs) <= parent.tolerance] = 0.0
                units[:, k, start] = inputs
                reach[k] = _reach(inputs, X, delta)
                units[:, k, stop - width : stop] *= reach[k]
                rows.append(_cone(width, start, n))
            start = stop
        signs = np.array([choices.get(k, int(np.sign(value))) for k, value in enumerate(v)])
        bias = np.zeros(n)
        if network.output_bias:
            bias[-1] = 1.0
        return cls(parent, units, signs.astype(float), bias, np.vstack(rows), reach)

    @property
    def size(self) -> int:
        """Number of lifted unknowns."""
        return len(self.bias)

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of active kinks on each level, as for the point itself."""
        return self.parent.levels

    def switching_gradients(self, level: int, signs: Array) -> Array:
        """Return the gradients (levels[level], n) of a level's switching functions."""
        kinks = self.parent.active[level]
        if level == 0:
            return self.units.reshape(-1, self.size)[kinks]
        return self._margins((np.asarray(signs, dtype=float) + 1.0) / 2.0)[kinks]

    def gradient(self, signs: Array) -> Array:
        """Return the gradient (n,) of the piece that all signs select."""
        return self.hull_gradient((np.asarray(signs, dtype=float) + 1.0) / 2.0)

    def hessian(self, signs: Array) -> Array | None:
        """Return the Hessian: zero."""
        return np.zeros((self.size, self.size))

    def hull_gradient(self, positions: Array) -> Array:
        """Return the gradient (n,) by the chain rule with positions in [0, 1]."""
        positions = np.asarray(positions, dtype=float)
        on = self.parent._chosen(positions)[-1]
        result: Array = (on * self.parent.network.criterion.weights) @ self._margins(positions)
        return result

    def _margins(self, positions: Array) -> Array:
        """Return the gradients (N, n) of all margins for given positions of the hidden kinks."""
        network = self.parent.network
        side = self.parent._chosen(positions)[0].reshape(self.units.shape[:2])
        slopes = network.slopes(side) * self.signs
        outputs = np.einsum("ik,ikn->in", slopes, self.units) + self.bias
        result: Array = -network.criterion.directions * outputs
        return result


def _reach(inputs: Array, X: Array, delta: float) -> float:
    """Return how far a unit may turn: delta, and less where it would pass other data."""
    off = inputs != 0
    room = np.abs(inputs[off]) / np.sum(np.abs(X[off]), axis=1)
    return delta * min(1.0, float(np.min(room, initial=np.inf)))


def _cone(width: int, start: int, n: int) -> Array:
    """Return the rows of s >= 0 and |r_j| <= s."""
    rows = np.zeros((2 * width + 1, n))
    rows[:, start] = 1.0
    columns = start + 1 + np.arange(width)
    rows[1 : width + 1, columns] = np.eye(width)
    rows[width + 1 :, columns] = -np.eye(width)
    return rows


def _on_slice(network: Any) -> bool:
    """Whether output weights are constants and the network has at most one hidden layer."""
    networks = getattr(network, "replicates", (network,))
    return all(n.fixed_output is not None and len(n.widths) <= 1 for n in networks)
