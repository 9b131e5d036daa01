"""How often the learning law finds its way: the simulation behind the paper's Table 1.

Every run draws its own data, teacher and start from its own seed, so that results depend neither on
the order of runs nor on where they are computed.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from .losses import NORMS, Penalty, ReluRegression
from .theory import solution, start_radius

SETTLED = 1e-15
"""A step that moves w by less than this share of |w*| ends a run: the rest would change nothing."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How one half of Table 1 is simulated.

    Parameters
    ----------
    norm : {"l2", "l1-squared", "l1"}
        The penalty.
    regularisation_sign : {-1, 1}
        -1 for descent of the loss; +1 for the law as printed.
    steps : int
        Steps of gradient descent.
    target : {"solution", "teacher"}
        What the last weights are compared with: `relu_regression.theory.solution`, or w*.
    radius : float
        A run succeeds when the last weights are closer to the target than this times |w*|.
    eta : float, default 0.05
        Step size.
    epsilon : float, default 0.1
        Size of the ball of starts (Theorem 5).

    Raises
    ------
    SpecificationError
        If a value is out of range.
    """

    norm: str
    regularisation_sign: int
    steps: int
    target: str
    radius: float
    eta: float = 0.05
    epsilon: float = 0.1

    def __post_init__(self) -> None:
        Penalty(self.norm, self.regularisation_sign)
        if self.target not in ("solution", "teacher"):
            raise SpecificationError(
                "target", self.target, "must be 'solution' or 'teacher'.", "Choose one."
            )
        for name in ("steps", "radius", "eta", "epsilon"):
            if not getattr(self, name) > 0:
                raise SpecificationError(
                    name, getattr(self, name), "must be positive.", "Give another value."
                )


L2_PRINTED = Protocol(
    norm="l2", regularisation_sign=1, steps=10_000, target="solution", radius=0.0158
)
"""The l2 half as it can be reproduced best: the printed sign, and a narrow target."""

L1_PRINTED = Protocol(norm="l1", regularisation_sign=1, steps=1_000, target="teacher", radius=1.0)
"""The l1 half as it can be reproduced best: the norm not squared, the ball of Theorem 4."""

L2_CORRECT = replace(L2_PRINTED, regularisation_sign=-1)
"""The l2 half with descent of the loss."""

L1_CORRECT = replace(L1_PRINTED, regularisation_sign=-1)
"""The l1 half with descent of the loss."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One entry of the table: a protocol at one dimension, number of inputs and strength.

    Parameters
    ----------
    protocol : Protocol
        How to simulate.
    d, N : int
        Number of weights and of inputs.
    lam : float
        Strength of the penalty.
    runs : int, default 500
        Number of runs.
    seed : int, default 0
        Seed of the table; runs and cells get their own from it.
    """

    protocol: Protocol
    d: int
    N: int
    lam: float
    runs: int = 500
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Draw:
    """What one run draws: data, teacher and start."""

    data: ReluRegression
    start: Array


def draw(cell: Cell, run: int) -> Draw:
    """Return one run's draws: X and w* from N(0, I), the start uniform in the ball."""
    protocol = cell.protocol
    key = (
        cell.seed,
        NORMS.index(protocol.norm),
        protocol.regularisation_sign + 1,
        cell.d,
        cell.N,
        int(np.float64(cell.lam).view(np.uint64)),
        run,
    )
    generator = np.random.default_rng(key)
    X = generator.standard_normal((cell.N, cell.d))
    w_star = generator.standard_normal(cell.d)
    direction = generator.standard_normal(cell.d)
    share = generator.random() ** (1 / cell.d)
    radius = start_radius(cell.d, protocol.epsilon, float(np.linalg.norm(w_star)))
    start = radius * share * direction / np.linalg.norm(direction)
    penalty = Penalty(protocol.norm, protocol.regularisation_sign)
    return Draw(ReluRegression(X, w_star, penalty), start)


def succeeds(cell: Cell, run: int) -> bool:
    """Tell whether one run ends at its target.

    A run whose target does not exist, because the equations are singular, fails.
    """
    drawn, protocol = draw(cell, run), cell.protocol
    data, length = drawn.data, float(np.linalg.norm(drawn.data.w_star))
    target = data.w_star
    if protocol.target == "solution":
        try:
            target = solution(data, cell.lam)
        except SpecificationError:
            return False
    last, _ = trajectory_end(data, drawn.start, cell.lam, protocol.eta, protocol.steps)
    return bool(np.linalg.norm(last - target) < protocol.radius * length)


def successes(cell: Cell) -> int:
    """Return how many runs of a cell succeed.

    Examples
    --------
    >>> successes(Cell(protocol=L1_CORRECT, d=2, N=10, lam=0.01, runs=4)) <= 4
    True
    """
    return sum(succeeds(cell, run) for run in range(cell.runs))


def trajectory_end(
    data: ReluRegression, start: Array, lam: float, eta: float, steps: int
) -> tuple[Array, int]:
    """Return where gradient descent arrives, shape (d,), and after how many steps it settled.

    Parameters
    ----------
    data : ReluRegression
        The problem; its sign decides the direction of the penalty's force.
    start : ndarray, shape (d,)
        First weights.
    lam, eta : float
        Strength of the penalty and step size.
    steps : int
        Most steps to take.
    """
    w = np.array(start, dtype=float)
    done = compiled_descend()(
        np.ascontiguousarray(data.X),
        data.targets,
        w,
        data.penalty.weight(lam),
        NORMS.index(data.penalty.norm),
        eta,
        steps,
        SETTLED * float(np.linalg.norm(data.w_star)),
    )
    return w, int(done)


def descend(
    X: Array,
    targets: Array,
    w: Array,
    weight: float,
    norm: int,
    eta: float,
    steps: int,
    settled: float,
) -> int:
    """Take steps of gradient descent in place; return how many.

    One source for Python and machine code. `norm` is the place in `NORMS`, `weight` the factor of
    R / 2 in the loss.
    """
    N, d = X.shape
    slope = np.zeros(d)
    for step in range(steps):
        for j in range(d):
            slope[j] = 0.0
        for i in range(N):
            output = 0.0
            for j in range(d):
                output += X[i, j] * w[j]
            if output > 0.0:
                misfit = output - targets[i]
                for j in range(d):
                    slope[j] += misfit * X[i, j]
        one = 0.0
        if norm == 1:
            for j in range(d):
                one += abs(w[j])
        moved = 0.0
        for j in range(d):
            force = slope[j] / N
            if norm == 0:
                force += weight * w[j]
            else:
                size = one if norm == 1 else 0.5
                if w[j] > 0.0:
                    force += weight * size
                elif w[j] < 0.0:
                    force -= weight * size
            change = eta * force
            w[j] -= change
            moved = max(moved, abs(change))
        if moved <= settled:
            return step + 1
    return steps


@cache
def compiled_descend() -> Any:
    """Return `descend` as machine code, kept on disk between processes where that is possible."""
    import numba

    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        source = inspect.getsource(sys.modules[__name__])
    except OSError:  # installed without sources: they change with the version only
        source = version("contcrit")
    folder = root / "contcrit" / hashlib.sha256(source.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        keep = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        keep = False
    settings: Any = numba.config
    previous = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if keep else previous
    try:
        return numba.njit(cache=keep)(descend)
    finally:
        settings.CACHE_DIR = previous
