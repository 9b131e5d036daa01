"""A feed-forward network with leaky ReLUs under a hinge criterion, for many points at once.

    x^(l) = sigma_alpha(W^(l) x^(l-1) + b^(l)),  yhat = V x^(L) + c          (equation 4)
    L = sum_j m_j relu(1 - A_j . yhat_i(j))                                  (`Criterion`)

Weights of a layer may be any linear function of shared parameters, such as a convolution. A *side*
of every kink (hidden units first, then outputs) is a position in [0, 1]: 1 where it is on, 0 where
it is off; a hidden unit with position s has slope ``alpha + (1 - alpha) s``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...system import Array
from .criterion import Criterion

Positions = Sequence[Array]
"""One array for each level, hidden layers first: (N, d_l) flattened, then (J,)."""


def convolution(
    length: int, kernel: int, *, stride: int = 1, inputs: int = 1, outputs: int = 1
) -> Array:
    """Return the basis of a one-dimensional convolution: W = sum_p omega_p basis[p].

    Parameters
    ----------
    length, kernel, stride : int
        Length of the signal, of the kernel, and step (default 1); no padding.
    inputs, outputs : int, default 1
        Channels; a layer's units are channel-major.

    Returns
    -------
    ndarray, shape (outputs * inputs * kernel, outputs * places, inputs * length)

    Examples
    --------
    >>> basis = convolution(3, 2)
    >>> (2 * basis[0] + 5 * basis[1]).tolist()
    [[2.0, 5.0, 0.0], [0.0, 2.0, 5.0]]
    """
    places = (length - kernel) // stride + 1
    basis = np.zeros((outputs, inputs, kernel, outputs, places, inputs, length))
    for o, i, k, place in np.ndindex(outputs, inputs, kernel, places):
        basis[o, i, k, o, place, i, place * stride + k] = 1.0
    return basis.reshape(outputs * inputs * kernel, outputs * places, inputs * length)


@dataclass(frozen=True, eq=False)
class HingeNetwork:
    """The loss of equation 5 or 9 for given data.

    Parameters
    ----------
    X : ndarray, shape (N, d)
        Data.
    widths : tuple of int
        Units of each hidden layer; empty for a linear classifier.
    criterion : Criterion
        Output kinks.
    alpha : float
        Slope of the hidden units where they are off.
    output_bias : bool, default True
        Whether there is an output bias c.
    fixed_output : ndarray, shape (R, d_L), optional
        Output weights V that are constants: the slice on which the loss of one hidden layer is
        piecewise linear.
    bases : tuple of ndarray or None, optional
        For each layer the basis (p, out, in) of its weights; None for a fully connected layer.

    Attributes
    ----------
    blocks : dict of str to tuple of int
        Names and shapes of the unknowns in their order: ``W, b`` (``W1, b1, W2, ...`` for more
        than one hidden layer), then ``v`` (one output) or ``V``, and ``c``.
    size : int
        Number n of unknowns.

    References
    ----------
    T. Laurent and J. von Brecht, *The multilinear structure of ReLU networks*, ICML 2018,
    equations 4 to 6 and 9.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.relu_hinge.criterion import binary
    >>> loss = binary(np.array([1, -1]), np.array([0.5, 0.5]))
    >>> network = HingeNetwork(np.array([[1.0], [-1.0]]), (1,), loss, alpha=0.0)
    >>> float(network.loss(network.pack(W=1.0, b=0.0, v=1.0, c=-1.0)))
    0.5
    """

    X: Array
    widths: tuple[int, ...]
    criterion: Criterion
    alpha: float
    output_bias: bool = True
    fixed_output: Array | None = None
    bases: tuple[Array | None, ...] = ()
    blocks: dict[str, tuple[int, ...]] = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        bases = self.bases or (None,) * len(self.widths)
        object.__setattr__(self, "bases", bases)
        blocks: dict[str, tuple[int, ...]] = {}
        inputs = self.X.shape[1]
        for level, (width, basis) in enumerate(zip(self.widths, bases, strict=True), start=1):
            mark = "" if len(self.widths) == 1 else str(level)
            blocks[f"W{mark}"] = (width, inputs) if basis is None else (len(basis),)
            blocks[f"b{mark}"] = (width,)
            inputs = width
        outputs = self.criterion.outputs
        if self.fixed_output is None:
            blocks["v" if outputs == 1 else "V"] = (inputs,) if outputs == 1 else (outputs, inputs)
        if self.output_bias:
            blocks["c"] = () if outputs == 1 else (outputs,)
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "size", sum(math.prod(shape) for shape in blocks.values()))

    # ---- unknowns ------------------------------------------------------------------------

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each block lies in the vector of unknowns."""
        found, start = {}, 0
        for name, shape in self.blocks.items():
            found[name] = slice(start, start + math.prod(shape))
            start = found[name].stop
        return found

    def pack(self, **blocks: object) -> Array:
        """Return the vector (n,) of the blocks' values."""
        values = [np.asarray(blocks[name], dtype=float).ravel() for name in self.blocks]
        return np.concatenate(values)

    def unpack(self, x: Array) -> dict[str, Array]:
        """Return the blocks of a vector (n,)."""
        return {name: x[self.places[name]].reshape(self.blocks[name]) for name in self.blocks}

    def layers(self, x: Array) -> list[tuple[Array, Array]]:
        """Return the weights (..., out, in) and biases (..., out) of the hidden layers."""
        found = []
        names = list(self.blocks)
        for level, basis in enumerate(self.bases):
            weights, bias = names[2 * level], names[2 * level + 1]
            W = x[..., self.places[weights]]
            if basis is None:
                W = W.reshape(*x.shape[:-1], *self.blocks[weights])
            else:
                W = np.tensordot(W, basis, axes=1)
            found.append((W, x[..., self.places[bias]]))
        return found

    def output(self, x: Array) -> tuple[Array, Array]:
        """Return V (..., R, d_L) and c (..., R)."""
        inputs = self.widths[-1] if self.widths else self.X.shape[1]
        outputs, shape = self.criterion.outputs, x.shape[:-1]
        if self.fixed_output is None:
            V = x[..., self.places["v" if outputs == 1 else "V"]].reshape(*shape, outputs, inputs)
        else:
            V = np.broadcast_to(self.fixed_output, (*shape, outputs, inputs))
        c = x[..., self.places["c"]] if self.output_bias else np.zeros((*shape, outputs))
        return V, c

    # ---- values --------------------------------------------------------------------------

    def switching(self, x: Array, positions: Positions | None = None) -> list[Array]:
        """Return all switching functions at points (..., n), one array (..., m_l) a level.

        Hidden levels hold the inputs of the units, datum by datum; the last level the margins
        ``1 - A_j . yhat``. With `positions`, units have the slopes that these give them.
        """
        return [flat for flat, _ in self._forward(x, positions)]

    def loss(self, x: Array, positions: Positions | None = None) -> Array:
        """Return the loss at points (..., n), shape (...)."""
        margins = self.switching(x, positions)[-1]
        on = (margins > 0) if positions is None else positions[-1]
        result: Array = (margins * on) @ self.criterion.weights
        return result

    def predictions(self, x: Array) -> Array:
        """Return the outputs yhat at points (..., n), shape (..., N, R)."""
        features = self._forward(x, None)[-1][1]
        V, c = self.output(x)
        return features @ np.swapaxes(V, -1, -2) + c[..., None, :]

    def signature(self, x: Array, tolerance: float = 0.0) -> Array:
        """Return the side of every kink, -1, 0 or +1, shape (..., m): equation 6."""
        values = np.concatenate(self.switching(x), axis=-1)
        return np.where(np.abs(values) <= tolerance, 0, np.sign(values)).astype(np.int8)

    def positions(self, x: Array, tie: float = 0.0) -> list[Array]:
        """Return 1 where a kink is on, 0 where it is off, and `tie` at 0, for each level."""
        return [np.where(g == 0, tie, g > 0).astype(float) for g in self.switching(x)]

    def smooth_gradient(self, x: Array) -> Array:
        """Return the gradient of what has no kinks: nothing here, the penalty elsewhere."""
        return np.zeros(x.shape)

    @property
    def output_weights(self) -> Array:
        """Weights of all output kinks."""
        return self.criterion.weights

    def slopes(self, positions: Array) -> Array:
        """Return the slope of hidden units with given positions."""
        return self.alpha + (1.0 - self.alpha) * positions

    def gradient(self, x: Array, positions: Positions | None = None) -> Array:
        """Return the gradient (..., n) by the chain rule, kinks counting as `positions` say.

        Without `positions`, it is that of the cell of each point, with units at 0 off.
        """
        shape, count = x.shape[:-1], len(self.X)
        forward = self._forward(x, positions)
        criterion = self.criterion
        on = (forward[-1][0] > 0).astype(float) if positions is None else positions[-1]
        pull = np.broadcast_to(-criterion.weights * on, (*shape, len(criterion.weights)))
        # Derivative of the loss by the outputs, then back through the layers.
        adjoint = np.zeros((*shape, count, criterion.outputs))
        for i in range(count):
            rows = criterion.data == i
            adjoint[..., i, :] = pull[..., rows] @ criterion.directions[rows]
        result = np.empty((*shape, self.size))
        V, _ = self.output(x)
        if self.fixed_output is None:
            name = "v" if criterion.outputs == 1 else "V"
            slope = np.swapaxes(adjoint, -1, -2) @ forward[-1][1]
            result[..., self.places[name]] = slope.reshape(*shape, -1)
        if self.output_bias:
            result[..., self.places["c"]] = adjoint.sum(axis=-2)
        names = list(self.blocks)
        adjoint = adjoint @ V
        layers = self.layers(x)
        for level in reversed(range(len(self.widths))):
            g = forward[level][0].reshape(*shape, count, self.widths[level])
            side = (g > 0) if positions is None else np.reshape(positions[level], g.shape[-2:])
            adjoint = adjoint * self.slopes(side)
            slope = np.swapaxes(adjoint, -1, -2) @ forward[level][1]
            basis = self.bases[level]
            if basis is not None:
                slope = np.tensordot(slope, basis, axes=([-2, -1], [1, 2]))
            result[..., self.places[names[2 * level]]] = slope.reshape(*shape, -1)
            result[..., self.places[names[2 * level + 1]]] = adjoint.sum(axis=-2)
            adjoint = adjoint @ layers[level][0]
        return result

    def switching_jacobians(self, x: Array, positions: Positions) -> list[Array]:
        """Return the gradients (m_l, n) of each level's switching functions at one point."""
        count, n = len(self.X), self.size
        names = list(self.blocks)
        features, derivative = self.X, np.zeros((*self.X.shape, n))
        found = []
        for level, (W, b) in enumerate(self.layers(x)):
            basis = self.bases[level]
            derivative = np.einsum("oi,nij->noj", W, derivative)
            if basis is None:
                units = np.arange(len(b))
                start = self.places[names[2 * level]].start
                columns = start + units[:, None] * features.shape[1] + np.arange(features.shape[1])
                derivative[:, units[:, None], columns] += features[:, None, :]
            else:
                part = np.einsum("poi,ni->nop", basis, features)
                derivative[:, :, self.places[names[2 * level]]] += part
            derivative[:, :, self.places[names[2 * level + 1]]] += np.eye(len(b))
            found.append(derivative.reshape(count * len(b), n))
            slopes = self.slopes(np.reshape(positions[level], (count, len(b))))
            features = slopes * (features @ W.T + b)
            derivative = slopes[:, :, None] * derivative
        V, _ = self.output(x)
        outputs = np.einsum("rk,nkj->nrj", V, derivative)
        if self.fixed_output is None:
            place = self.places["v" if self.criterion.outputs == 1 else "V"]
            block = np.einsum("rs,nk->nrsk", np.eye(len(V)), features)
            outputs[:, :, place] += block.reshape(count, len(V), -1)
        if self.output_bias:
            outputs[:, :, self.places["c"]] += np.eye(len(V))
        rows = outputs[self.criterion.data]
        found.append(-np.einsum("jr,jrn->jn", self.criterion.directions, rows))
        return found

    def hessian(self, x: Array, positions: Positions) -> Array:
        """Return the second derivative (n, n) of the piece with these positions.

        The loss of a cell is affine in every single unknown (Theorem 1), and so is its gradient:
        a difference over a step of any length is the derivative.
        """
        moved = self.gradient(x + np.eye(self.size), positions)
        matrix = moved - self.gradient(x, positions)
        result: Array = 0.5 * (matrix + matrix.T)
        return result

    def with_alpha(self, alpha: float) -> HingeNetwork:
        """Return the network with another slope."""
        return replace(self, alpha=float(alpha))

    def _forward(self, x: Array, positions: Positions | None) -> list[tuple[Array, Array]]:
        """Return for each level its switching functions and the features that enter it."""
        shape = x.shape[:-1]
        features = np.broadcast_to(self.X, (*shape, *self.X.shape))
        found = []
        for level, (W, b) in enumerate(self.layers(x)):
            g = features @ np.swapaxes(W, -1, -2) + b[..., None, :]
            found.append((g.reshape(*shape, -1), features))
            side = (g > 0) if positions is None else np.reshape(positions[level], g.shape[-2:])
            features = self.slopes(side) * g
        V, c = self.output(x)
        yhat = features @ np.swapaxes(V, -1, -2) + c[..., None, :]
        picked = yhat[..., self.criterion.data, :]
        margins = 1.0 - np.einsum("...jr,jr->...j", picked, self.criterion.directions)
        found.append((margins, features))
        return found
