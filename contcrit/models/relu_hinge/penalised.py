"""The penalised loss E_gamma: one binary network for each class, held together by a penalty.

    E_gamma = sum_r L^(r)(omega^(r)) + gamma R/(R-1) sum_r |hidden^(r) - mean hidden|^2   (eq. 13)

where hidden^(r) are the hidden weights and biases of the r-th replicate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ...system import Array
from .network import HingeNetwork, Positions


@dataclass(frozen=True, eq=False)
class PenalisedNetwork:
    """The loss E_gamma.

    Parameters
    ----------
    replicates : tuple of HingeNetwork
        One binary network for each of R >= 2 classes, all of one architecture.
    gamma : float
        Strength of the penalty.

    Attributes
    ----------
    blocks : dict of str to tuple of int
        As for `HingeNetwork`, each with a leading axis of length R.
    size : int
        Number of unknowns.

    References
    ----------
    T. Laurent and J. von Brecht, ICML 2018, equations 12 and 13.
    """

    replicates: tuple[HingeNetwork, ...]
    gamma: float
    blocks: dict[str, tuple[int, ...]] = field(init=False)
    size: int = field(init=False)
    index: Array = field(init=False)
    """Where the unknowns of each replicate lie, shape (R, n / R)."""

    def __post_init__(self) -> None:
        first, count = self.replicates[0], len(self.replicates)
        blocks = {name: (count, *shape) for name, shape in first.blocks.items()}
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "size", count * first.size)
        parts, start = [], 0
        for shape in first.blocks.values():
            length = math.prod(shape)
            block = start + np.arange(count * length).reshape(count, length)
            parts.append(block)
            start += count * length
        object.__setattr__(self, "index", np.concatenate(parts, axis=1))

    @property
    def alpha(self) -> float:
        """Slope of the hidden units where they are off."""
        return self.replicates[0].alpha

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.replicates[0].widths

    def pack(self, **blocks: object) -> Array:
        """Return the vector (n,) of the blocks' values."""
        return np.concatenate([np.asarray(blocks[k], dtype=float).ravel() for k in self.blocks])

    def unpack(self, x: Array) -> dict[str, Array]:
        """Return the blocks of a vector (n,)."""
        sizes = [math.prod(shape) for shape in self.blocks.values()]
        parts = np.split(x, np.cumsum(sizes)[:-1])
        return {
            name: part.reshape(shape)
            for (name, shape), part in zip(self.blocks.items(), parts, strict=True)
        }

    def repeated(self, x: Array) -> Array:
        """Return the unknowns in which every replicate has the values x of one network."""
        found = np.empty(self.size)
        found[self.index] = x
        return found

    def penalty(self, x: Array) -> Array:
        """Return sum_r |hidden^(r) - mean|^2 at points (..., n), without gamma R / (R - 1)."""
        result: Array = np.sum(self._spread(x) ** 2, axis=(-1, -2))
        return result

    def loss(self, x: Array, positions: Positions | None = None) -> Array:
        """Return E_gamma at points (..., n), shape (...)."""
        total = self._strength * self.penalty(x)
        for r, network in enumerate(self.replicates):
            own = None if positions is None else self._own(positions, r)
            total = total + network.loss(x[..., self.index[r]], own)
        return total

    def switching(self, x: Array, positions: Positions | None = None) -> list[Array]:
        """Return all switching functions, level by level and replicate by replicate."""
        parts = [
            network.switching(
                x[..., self.index[r]], None if positions is None else self._own(positions, r)
            )
            for r, network in enumerate(self.replicates)
        ]
        return [np.concatenate(level, axis=-1) for level in zip(*parts, strict=True)]

    def signature(self, x: Array, tolerance: float = 0.0) -> Array:
        """Return the side of every kink, -1, 0 or +1, shape (..., m)."""
        values = np.concatenate(self.switching(x), axis=-1)
        return np.where(np.abs(values) <= tolerance, 0, np.sign(values)).astype(np.int8)

    def positions(self, x: Array, tie: float = 0.0) -> list[Array]:
        """Return 1 where a kink is on, 0 where it is off, and `tie` at 0, for each level."""
        return [np.where(g == 0, tie, g > 0).astype(float) for g in self.switching(x)]

    def gradient(self, x: Array, positions: Positions | None = None) -> Array:
        """Return the gradient (..., n) by the chain rule, as `HingeNetwork.gradient`."""
        result = self.smooth_gradient(x)
        for r, network in enumerate(self.replicates):
            own = None if positions is None else self._own(positions, r)
            result[..., self.index[r]] += network.gradient(x[..., self.index[r]], own)
        return result

    def switching_jacobians(self, x: Array, positions: Positions) -> list[Array]:
        """Return the gradients (m_l, n) of each level's switching functions at one point."""
        parts = []
        for r, network in enumerate(self.replicates):
            own = network.switching_jacobians(x[self.index[r]], self._own(positions, r))
            wide = [np.zeros((len(rows), self.size)) for rows in own]
            for target, rows in zip(wide, own, strict=True):
                target[:, self.index[r]] = rows
            parts.append(wide)
        return [np.concatenate(level) for level in zip(*parts, strict=True)]

    def smooth_gradient(self, x: Array) -> Array:
        """Return the gradient (..., n) of the penalty term."""
        result = np.zeros(x.shape)
        spread = 2.0 * self._strength * self._spread(x)
        for r in range(len(self.replicates)):
            result[..., self.index[r][self._hidden]] = spread[..., r, :]
        return result

    def hessian(self, x: Array, positions: Positions) -> Array:
        """Return the second derivative (n, n) of the piece with these positions."""
        moved = self.gradient(x + np.eye(self.size), positions)
        matrix = moved - self.gradient(x, positions)
        result: Array = 0.5 * (matrix + matrix.T)
        return result

    def with_alpha(self, alpha: float) -> PenalisedNetwork:
        """Return the loss with another slope."""
        return replace(self, replicates=tuple(n.with_alpha(alpha) for n in self.replicates))

    @property
    def output_weights(self) -> Array:
        """Weights of all output kinks, replicate by replicate."""
        return np.concatenate([network.criterion.weights for network in self.replicates])

    @property
    def _strength(self) -> float:
        count = len(self.replicates)
        return self.gamma * count / (count - 1)

    @property
    def _hidden(self) -> slice:
        first = self.replicates[0]
        names = list(first.blocks)[: 2 * len(first.widths)]
        return slice(0, first.places[names[-1]].stop)

    def _spread(self, x: Array) -> Array:
        """Return hidden^(r) minus their mean, shape (..., R, hidden)."""
        hidden = x[..., self.index[:, self._hidden]]
        result: Array = hidden - hidden.mean(axis=-2, keepdims=True)
        return result

    def _own(self, positions: Positions, r: int) -> list[Array]:
        """Return the positions of one replicate."""
        count = len(self.replicates)
        return [np.split(np.asarray(level), count, axis=-1)[r] for level in positions]
