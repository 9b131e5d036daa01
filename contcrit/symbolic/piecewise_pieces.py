"""The pieces of a nonsmooth problem at one point, for the calculus of Clarke."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..linalg import as_dense

if TYPE_CHECKING:
    from .piecewise_evaluation import PiecewiseEvaluation

Array = np.ndarray


class SwitchPieces:
    """What a piecewise problem is made of near one point.

    Satisfies `contcrit.criticality.pieces.Pieces`.

    Parameters
    ----------
    problem : PiecewiseProblem
    x : ndarray, shape (n,)
    values : mapping of str to float
        Values of all parameters.
    tolerance : float
        Distance up to which a kink is active, relative to 1 + max|x|.

    Attributes
    ----------
    size : int
        Number n of unknowns.
    kinks : tuple of int
        The active kinks in the order of signs and positions: level by level.
    levels : tuple of int
        Number of active kinks on each level.
    """

    def __init__(
        self,
        problem: PiecewiseEvaluation,
        x: Array,
        values: Mapping[str, float],
        tolerance: float,
    ) -> None:
        self.size = problem.size
        self._problem = problem
        self._x = x
        self._values = dict(values)
        sides = problem.signature(x, values, tolerance=tolerance)
        self._positions = (1.0 + sides) / 2.0
        active = np.flatnonzero(sides == 0)
        level: dict[int, int] = {}
        for kink in active:  # inner kinks come first in the problem's order
            inner = [level[k] + 1 for k in problem.inner_switches(int(kink)) if k in level]
            level[int(kink)] = max(inner, default=0)
        self.kinks = tuple(sorted(level, key=lambda kink: (level[kink], kink)))
        depth = 1 + max(level.values(), default=-1)
        self.levels = tuple(sum(1 for v in level.values() if v == d) for d in range(depth))

    @cached_property
    def linear(self) -> bool:
        """Whether the function is exactly piecewise linear near the point."""
        return self.affine_cells and self._problem.flat_pieces

    @cached_property
    def affine_cells(self) -> bool:
        """Whether the active switching functions are affine, for given signs of inner ones.

        Told from their derivatives as expressions: cells are then exactly cones.
        """
        affine = self._problem.affine_switches()
        return all(affine[kink] for kink in self.kinks)

    def _full(self, positions: Array) -> Array:
        chosen = self._positions.copy()
        chosen[list(self.kinks[: len(positions)])] = positions
        return chosen

    def switching_gradients(self, level: int, signs: Array) -> Array:
        """Return the gradients (levels[level], n) of a level's switching functions."""
        first = sum(self.levels[:level])
        rows = list(self.kinks[first : first + self.levels[level]])
        positions = self._full((1.0 + np.asarray(signs, dtype=float)[:first]) / 2.0)
        problem = self._problem
        functions = problem.switch_functions(None)
        inputs = np.concatenate([self._x, positions, list(self._values.values())])
        entries = functions.joint_kernel(inputs)[len(positions) :]
        inside = functions.columns < self.size
        gradients = np.zeros((len(positions), self.size))
        gradients[functions.rows[inside], functions.columns[inside]] = entries[inside]
        return gradients[rows]

    def gradient(self, signs: Array) -> Array:
        """Return F (n,) of the smooth piece that all signs select."""
        return self.hull_gradient((1.0 + np.asarray(signs, dtype=float)) / 2.0)

    def hessian(self, signs: Array) -> Array | None:
        """Return the Jacobian (n, n) of that piece."""
        positions = self._full((1.0 + np.asarray(signs, dtype=float)) / 2.0)
        matrix = self._problem.jacobian(self._x, self._values, positions=positions)
        return as_dense(matrix)

    def hull_gradient(self, positions: Array) -> Array:
        """Return F (n,) by the chain rule with positions in [0, 1]."""
        full = self._full(np.asarray(positions, dtype=float))
        return self._problem.evaluate(self._x, self._values, positions=full)
