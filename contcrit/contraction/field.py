"""The vector field of a problem in numbers: one function of (x, positions) for all its pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import SpecificationError

Array = np.ndarray


class Field:
    """The right-hand side of a problem's flow, with its switching functions.

    A smooth problem has no switching functions; positions are then empty arrays.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        Of kind "flow" (x' = F) or "potential" (x' = -F).
    values : mapping, optional
        Values of all parameters.

    Attributes
    ----------
    size, kinks : int
        Numbers of unknowns and of switching functions.
    sign : float
        What F is multiplied by: -1 for a potential.

    Raises
    ------
    SpecificationError
        If the problem is of another kind, or a value is missing.
    """

    def __init__(self, problem: Any, values: Mapping[Any, float] | None = None) -> None:
        if problem.kind not in ("flow", "potential"):
            raise SpecificationError(
                "problem",
                f"{problem!r} of kind {problem.kind}",
                "needs a flow.",
                "Give a problem of kind 'flow', or one that comes from a potential.",
            )
        self.problem = problem
        self.size: int = problem.size
        self.sign = -1.0 if problem.kind == "potential" else 1.0
        self.values = dict(values or {})
        self.nonsmooth = hasattr(problem, "switches")
        self.kinks = len(problem.switches) if self.nonsmooth else 0
        self._core = problem.core if self.nonsmooth else problem
        self._call = _fast(self._core, self.values)
        if self.kinks:
            names = list(problem.parameter_names)
            # Read once: a missing or unknown name is refused by the problem itself.
            problem.evaluate(np.zeros(self.size), self.values, positions=np.zeros(self.kinks))
            given = {str(key): float(value) for key, value in self.values.items()}
            self._constants = np.array([given[name] for name in names])
            self._switching = problem.switch_functions(None)
            columns = self._switching.columns
            self._inside = columns < self.size
            self._across = ~self._inside
            self.inner = tuple(problem.inner_switches(k) for k in range(self.kinks))
        else:
            self.inner = ()

    def velocity(self, x: Array, positions: Array) -> Array:
        """Return x' of the piece that the positions select, shape (n,)."""
        if not self.nonsmooth:
            return self.sign * self._call(x)
        return self.sign * self._call(np.concatenate([x, positions]))[: self.size]

    def switches(self, x: Array, positions: Array) -> Array:
        """Return the switching functions, shape (m,)."""
        if not self.kinks:
            return np.empty(0)
        return self._joint(x, positions)[: self.kinks]

    def slopes(self, x: Array, positions: Array) -> tuple[Array, Array, Array]:
        """Return g (m,), its derivatives in x (m, n), and those in the positions (m, m)."""
        m, n = self.kinks, self.size
        gradients, inner = np.zeros((m, n)), np.zeros((m, m))
        if not m:
            return np.empty(0), gradients, inner
        out = self._joint(x, positions)
        entries, rows, columns = out[m:], self._switching.rows, self._switching.columns
        gradients[rows[self._inside], columns[self._inside]] = entries[self._inside]
        inner[rows[self._across], columns[self._across] - n] = entries[self._across]
        return out[:m], gradients, inner

    def jacobian(self, x: Array, positions: Array) -> Array:
        """Return the derivative of x' in x on a piece, shape (n, n)."""
        if self.nonsmooth:
            matrix = self.problem.jacobian(x, self.values, positions=positions, sparse=False)
        else:
            matrix = self.problem.jacobian(x, self.values)
        return self.sign * dense_matrix(matrix)

    def sides(self, x: Array, tolerance: float) -> Array:
        """Return the side of every kink, 0 for those that x lies on, shape (m,)."""
        if not self.kinks:
            return np.empty(0, dtype=np.int64)
        return np.asarray(self.problem.signature(x, self.values, tolerance=tolerance))

    def nested(self, kinks: Array) -> bool:
        """Whether one of these kinks lies inside another."""
        chosen = {int(k) for k in kinks}
        return any(chosen & set(self.inner[k]) for k in chosen)

    def _joint(self, x: Array, positions: Array) -> Array:
        return self._switching.joint_kernel(np.concatenate([x, positions, self._constants]))


def _fast(problem: Any, values: Mapping[Any, float]) -> Callable[[Array], Array]:
    """Return F as a function of the unknowns, with the parameters' values read once."""
    if not problem.parameter_names:
        return lambda x: np.asarray(problem.evaluate(x, {}), dtype=float)
    given = {str(key): float(value) for key, value in values.items()}
    name = problem.parameter_names[0]
    if name not in given:
        problem.evaluate(np.zeros(problem.size), values)  # refuses, and says what is missing
    held = given.pop(name)
    system = problem.compile(name, given)
    return lambda x: np.asarray(system.residual(np.append(x, held)), dtype=float)


def dense_matrix(matrix: Any) -> Array:
    """Return a matrix as a dense array of floats."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=float)
