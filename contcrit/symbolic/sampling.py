"""Random test points of a problem, and the claims that are checked there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import symengine as se
import sympy as sp

from ..linalg import is_sparse
from .derivatives import engine_symbols, first_derivatives, to_engine

if TYPE_CHECKING:
    from .evaluation import Evaluation

Array = np.ndarray

# Intervals tried in turn: whole line, positive numbers, unit interval, numbers above one.
_INTERVALS = ((-1.5, 1.5), (0.2, 2.0), (0.05, 0.95), (1.1, 3.0))
_TRIES = 5
_EXACT_PAIRS = 20_000
_EXPANDED_POWER = 8


def sample_points(
    problem: Evaluation, count: int, seed: int = 0
) -> list[tuple[Array, dict[str, float]]]:
    """Return up to `count` random points where the equations and derivatives are finite."""
    generator = np.random.default_rng(seed)
    names = (*problem.unknown_names, *problem.parameter_names)
    found: list[tuple[Array, dict[str, float]]] = []
    for low, high in _INTERVALS:
        lows = np.array([problem.domain.get(name, (low, high))[0] for name in names])
        highs = np.array([problem.domain.get(name, (low, high))[1] for name in names])
        for _ in range(count + _TRIES):
            if len(found) == count:
                return found
            draw = generator.uniform(lows, highs)
            x, rest = draw[: problem.size], draw[problem.size :].tolist()
            values = dict(zip(problem.parameter_names, rest, strict=True))
            jacobian = problem.jacobian(x, values, sparse=True)
            entries = jacobian.data if is_sparse(jacobian) else jacobian
            if np.all(np.isfinite(problem.evaluate(x, values))) and np.all(np.isfinite(entries)):
                found.append((x, values))
    return found


def is_symmetric(problem: Evaluation) -> bool:
    """Whether the Jacobian is symmetric, by exact expansion of the differences.

    The answer False only means that symmetry could not be shown cheaply.
    """
    expressions = to_engine(problem.equations)
    symbols = engine_symbols(expressions, problem.unknowns)
    jacobian = first_derivatives(expressions, symbols)
    entries = dict(zip(jacobian.positions, jacobian.expressions, strict=True))
    pairs = [(row, column) for row, column in entries if row < column]
    if any((column, row) not in entries for row, column in entries) or len(pairs) > _EXACT_PAIRS:
        return False
    return all(_equal(entries[row, column], entries[column, row]) for row, column in pairs)


def _equal(first: Any, second: Any) -> bool:
    if first == second:
        return True
    difference = first - second
    if _largest_power(sp.sympify(difference)) > _EXPANDED_POWER:
        return False
    expand = sp.expand if isinstance(difference, sp.Basic) else se.expand
    return bool(expand(difference) == 0)


def _largest_power(expression: sp.Expr) -> int:
    # Expanding a high power of a sum would take for ever.
    powers = [
        abs(int(power.exp))
        for power in expression.atoms(sp.Pow)
        if power.exp.is_Integer and power.base.is_Add
    ]
    return max(powers, default=0)
