"""Descent to candidates: subgradient steps from many starts at once, then linear programs.

Inside a cell of the hidden units the loss is a convex function of margins that are multilinear. A
linear program with a trust region solves its linearisation; near sharp minima the steps converge
quadratically, on a slice of one hidden layer the first full step is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

from ...system import Array
from .network import HingeNetwork

BOX = 1e3
"""Largest modulus of an unknown that a polished point may reach."""


@dataclass(frozen=True, eq=False)
class Polished:
    """Where the linear programs ended.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The point.
    loss : float
        Its loss.
    steps : int
        Linear programs solved.
    converged : bool
        Whether no cell of the hidden units beside the point that was tried allows a descent to
        first order. This is no proof of a minimum: `contcrit.classify` decides.
    """

    x: Array
    loss: float
    steps: int
    converged: bool


def descend(network: Any, x: Array, steps: int = 400, rate: float = 0.3) -> Array:
    """Take normalised subgradient steps of falling length from many points at once.

    Parameters
    ----------
    network : HingeNetwork or PenalisedNetwork
        The loss.
    x : ndarray, shape (m, n)
        Starts.
    steps : int, default 400
        Number of steps.
    rate : float, default 0.3
        Length of the first step; the lengths fall to a thousandth of it.

    Returns
    -------
    ndarray, shape (m, n)
        The best point met from each start.
    """
    x = np.array(x, dtype=float)
    best, least = x.copy(), network.loss(x)
    for length in rate * np.geomspace(1.0, 1e-3, steps):
        gradient = network.gradient(x)
        norm = np.linalg.norm(gradient, axis=-1, keepdims=True)
        x = x - length * gradient / np.maximum(norm, 1e-12) * (norm > 1e-12)
        loss = network.loss(x)
        better = loss < least
        best[better], least[better] = x[better], loss[better]
    return best


def polish(
    network: HingeNetwork, x: Array, *, radius: float = 0.5, steps: int = 60, seed: int = 0
) -> Polished:
    """Improve one point by linear programs until no cell tried allows a descent.

    Parameters
    ----------
    network : HingeNetwork
        The loss.
    x : ndarray, shape (n,)
        Start.
    radius : float, default 0.5
        First trust region, largest change of an unknown.
    steps : int, default 60
        Most linear programs.
    seed : int, default 0
        Of the directions in which a point on a kink of a hidden unit is moved to choose a cell.
    """
    x = np.array(x, dtype=float)
    generator = np.random.default_rng(seed)
    loss, failures, taken = float(network.loss(x)), 0, 0
    tie = 1e-9
    while taken < steps and radius > 1e-12 and failures < 6:
        taken += 1
        direction = generator.standard_normal(x.size) * 1e-7
        positions = [
            np.where(np.abs(g) <= tie, other > 0, g > 0).astype(float)
            for g, other in zip(network.switching(x), network.switching(x + direction), strict=True)
        ]
        step, promised = _linear_step(network, x, positions, radius)
        if promised >= loss - 1e-13 * (1.0 + loss):
            failures += 1  # this cell offers nothing: another one beside the point may
            continue
        trial = float(network.loss(x + step))
        if trial < loss - 0.1 * (loss - promised):
            x, loss, failures = x + step, trial, 0
            radius = min(2.0 * radius, BOX)
        else:
            radius *= 0.25
    return Polished(x, loss, taken, failures >= 6)


def _linear_step(
    network: HingeNetwork, x: Array, positions: list[Array], radius: float
) -> tuple[Array, float]:
    """Return the best step within a cell of the hidden units, and the loss that it promises."""
    values = network.switching(x, positions)
    slopes = network.switching_jacobians(x, positions)
    weights = network.output_weights
    n, kinks = x.size, len(weights)
    rows, bounds = [], []
    for g, slope, side in zip(values[:-1], slopes[:-1], positions[:-1], strict=True):
        sign = 2.0 * side - 1.0
        rows.append(np.hstack([-sign[:, None] * slope, np.zeros((len(g), kinks))]))
        bounds.append(np.maximum(sign * g, 0.0))
    rows.append(np.hstack([slopes[-1], -np.eye(kinks)]))
    bounds.append(-values[-1])
    box = [(-radius, radius)] * n + [(0.0, None)] * kinks
    answer = linprog(
        np.concatenate([np.zeros(n), weights]),
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(bounds),
        bounds=box,
        method="highs",
    )
    if answer.status != 0:
        return np.zeros(n), np.inf
    return np.asarray(answer.x[:n]), float(answer.fun)
