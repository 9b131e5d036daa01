"""The Jacobian of a flow over a box: enclosures, and what its switching surfaces do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from .intervals import IntervalFunction, UnsupportedExpression
from .norms import root_of

Array = np.ndarray

_LARGEST = 12
"""Largest number of unknowns whose Jacobian is enclosed entry by entry."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A switching surface on which the field may jump.

    Parameters
    ----------
    continuous : bool
        Whether the field is continuous across it, everywhere.
    known : bool
        Whether the jump is -c M^-1 n with a known c; else nothing is known of it.
    strength : IntervalFunction or None
        c as a function of (x, positions): semi-contracting where c >= 0.
    """

    continuous: bool
    known: bool
    strength: IntervalFunction | None


class BoxJacobian:
    """A flow's Jacobian as a function of boxes.

    Parameters
    ----------
    problem : Problem or PiecewiseProblem
    values : mapping
        Values of all parameters.
    metric : array_like, shape (n, n), optional
        For what surfaces do to distances (default the identity).

    Attributes
    ----------
    size, kinks : int
        Numbers of unknowns and of switching functions.
    degree : int
        0 if the Jacobian of every piece is constant in x, 1 if it is affine, else 2.
    moving : ndarray of int
        The unknowns that the Jacobian or a switching function depends on.

    Raises
    ------
    UnsupportedExpression
        If the problem has no scalar expressions, or too many, or functions of unknown range.
    """

    def __init__(self, problem: Any, values: Mapping[Any, float], metric: Any = None) -> None:
        nonsmooth = hasattr(problem, "switches")
        smooth = problem.smooth if nonsmooth else problem
        if not (hasattr(smooth, "equations") and hasattr(smooth, "unknowns")):
            raise UnsupportedExpression("equations between matrices")
        self.size: int = problem.size
        if self.size > _LARGEST:
            raise UnsupportedExpression(f"{self.size} unknowns")
        sign = -1 if problem.kind == "potential" else 1
        given = {str(key): sp.Rational(float(value)) for key, value in dict(values).items()}
        substitution = {s: given[s.name] for s in problem.parameters}
        self._unknowns = list(problem.unknowns)
        names = set(problem.position_names) if nonsmooth else set()
        self._positions = [s for s in smooth.parameters if s.name in names]
        self.kinks = len(self._positions)
        rows = [sign * _exact(row).subs(substitution) for row in smooth.equations]
        if problem.kind == "map":
            rows = [row + x for row, x in zip(rows, self._unknowns, strict=True)]
        self._rows = rows
        entries = [sp.diff(row, x) for row in rows for x in self._unknowns]
        inputs = [*self._unknowns, *self._positions]
        self._entries = IntervalFunction(inputs, entries)
        switches = [_exact(g).subs(substitution) for g in problem.switches] if nonsmooth else []
        self._switches = IntervalFunction(inputs, switches)
        self.degree = max((_degree(entry, self._unknowns) for entry in entries), default=0)
        held = set().union(*(e.free_symbols for e in (*entries, *switches)))
        self.moving = np.array([k for k, x in enumerate(self._unknowns) if x in held], dtype=int)
        root_of(metric, self.size)  # refuses what is no metric
        plain = np.eye(self.size) if metric is None else np.asarray(metric, dtype=float)
        weights = sp.Matrix([[sp.Rational(float(v)) for v in row] for row in plain])
        self.surfaces = [
            self._surface(g, s, weights) for g, s in zip(switches, self._positions, strict=True)
        ]

    def enclosure(self, low: Array, high: Array, positions: Array) -> tuple[Array, Array]:
        """Return lower and upper ends of all entries, shape (n, n) each.

        Parameters
        ----------
        low, high : ndarray, shape (n,)
            The box.
        positions : ndarray, shape (m, 2)
            Intervals of the positions.
        """
        lower, upper = self._entries(
            np.concatenate([low, positions[:, 0]]), np.concatenate([high, positions[:, 1]])
        )
        return lower.reshape(self.size, self.size), upper.reshape(self.size, self.size)

    def sides(self, low: Array, high: Array) -> Array:
        """Return intervals of the positions on a box, shape (m, 2): [0, 1] where undecided."""
        positions = np.tile([0.0, 1.0], (self.kinks, 1))
        for _ in range(self.kinks):  # inner kinks first
            lower, upper = self._switches(
                np.concatenate([low, positions[:, 0]]), np.concatenate([high, positions[:, 1]])
            )
            decided = positions.copy()
            decided[lower > 0] = 1.0
            decided[upper < 0] = 0.0
            if np.array_equal(decided, positions):
                break
            positions = decided
        return positions

    def strength(self, kink: int, low: Array, high: Array, positions: Array) -> tuple[float, float]:
        """Return an interval that holds c of a surface over a box."""
        function = self.surfaces[kink].strength
        assert function is not None
        lower, upper = function(
            np.concatenate([low, positions[:, 0]]), np.concatenate([high, positions[:, 1]])
        )
        return float(lower[0]), float(upper[0])

    def _surface(self, g: sp.Expr, position: sp.Symbol, weights: sp.Matrix) -> Surface:
        """Return what is known of the jump across g = 0."""
        jump = [row.subs(position, 1) - row.subs(position, 0) for row in self._rows]
        normal = [sp.diff(g, x) for x in self._unknowns]
        pivot = next((k for k, entry in enumerate(normal) if entry.is_number and entry != 0), None)
        if pivot is None:
            return Surface(all(_zero(entry) for entry in jump), False, None)
        x = self._unknowns[pivot]  # g = 0 can be solved for it
        solved = sp.expand(x - g / normal[pivot])
        jump = [sp.expand(entry.subs(x, solved)) for entry in jump]
        normal = [sp.expand(entry.subs(x, solved)) for entry in normal]
        if all(_zero(entry) for entry in jump):
            return Surface(True, True, None)
        scaled = list(weights * sp.Matrix(jump))
        strength = sp.expand(-scaled[pivot] / normal[pivot])
        if not all(_zero(s + strength * n) for s, n in zip(scaled, normal, strict=True)):
            return Surface(False, False, None)
        try:
            function = IntervalFunction([*self._unknowns, *self._positions], [strength])
        except UnsupportedExpression:
            return Surface(False, False, None)
        return Surface(False, True, function)


def _exact(expression: Any) -> sp.Expr:
    """Return an expression whose floating-point numbers are the fractions that they are."""
    return sp.sympify(expression).replace(lambda e: e.is_Float, lambda e: sp.Rational(e))


def _zero(entry: sp.Expr) -> bool:
    expanded = sp.expand(entry)
    return bool(expanded == 0) or bool(expanded.free_symbols and sp.simplify(expanded) == 0)


def _degree(entry: sp.Expr, unknowns: list[sp.Symbol]) -> int:
    """Return 0, 1 or 2: the degree of an entry in the unknowns, 2 standing for all others."""
    slopes = [sp.diff(entry, x) for x in unknowns]
    if all(slope == 0 for slope in slopes):
        return 0
    held = set(unknowns)
    return 1 if not any(sp.expand(s).free_symbols & held for s in slopes) else 2
