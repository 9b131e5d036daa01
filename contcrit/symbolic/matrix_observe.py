"""Observables of a matrix problem along a whole branch: machine code, or one program for a stack.

Small problems are expanded entry by entry and compiled; larger ones run their matrix program once
for many points, every matrix in it an array of shape (m, d, d).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import symengine as se

from .matrix_native import LARGEST_EXPANDED, scalar_inputs
from .matrix_scalar import ScalarForm, has_scalar_form
from .observing import each

if TYPE_CHECKING:
    from .matrix_evaluation import MatrixEvaluation

Array = np.ndarray

# Numbers held in one array while a stack of points is evaluated.
_CHUNK = 2**18


class MatrixObserver:
    """The observables of a matrix problem as functions of many points.

    Parameters
    ----------
    problem : MatrixEvaluation
        What to observe. Expressions are compiled together; functions of the user's are called
        point by point.
    """

    def __init__(self, problem: MatrixEvaluation) -> None:
        self._problem = problem
        given = problem.observable_expressions
        self._functions: dict[str, Callable[..., float]] = {
            name: what for name, what in given.items() if callable(what)
        }
        self._names = tuple(name for name in given if name not in self._functions)
        self._order = tuple(given)
        self._compiled = _compile(problem, [given[name] for name in self._names])

    def __call__(self, x: Array, values: Mapping[str, Array]) -> dict[str, Array]:
        """Return name -> values, shape (m,).

        Parameters
        ----------
        x : ndarray, shape (m, n)
            The points.
        values : mapping of str to ndarray
            Every parameter at every point, shape (m,).
        """
        found = dict(zip(self._names, self._expressions(x, values), strict=True))
        for name, function in self._functions.items():
            found[name] = each(function, x, values)
        return {name: found[name] for name in self._order}

    def _expressions(self, x: Array, values: Mapping[str, Array]) -> Array:
        out = np.empty((len(self._names), len(x)))
        if not self._names or not len(x):
            return out
        numbers = [values[name] for name in self._problem.parameter_names]
        if self._compiled is not None:
            inputs = np.column_stack([x, *numbers])
            out[:] = np.reshape(self._compiled(inputs), (len(x), -1)).T
            return out
        program = self._problem.program("observables")
        length = max(1, _CHUNK // x.shape[1])
        for start in range(0, len(x), length):
            part = slice(start, start + length)
            matrices = x[part].reshape(-1, *self._problem.shape)
            results = program(matrices, *(number[part, None, None] for number in numbers))
            for row, result in zip(out, results, strict=True):
                row[part] = np.reshape(result, -1)
        return out


def _compile(problem: MatrixEvaluation, expressions: list[Any]) -> Any:
    """Return machine code, or None where there is no scalar form."""
    size = max(problem.shape)
    if (
        not expressions
        or problem.size > LARGEST_EXPANDED
        or not all(has_scalar_form(expression, size) for expression in expressions)
    ):
        return None
    symbols, values = scalar_inputs(problem, problem.parameters)
    form = ScalarForm(values, problem.dimensions)
    try:
        outputs = [se.sympify(form(expression)) for expression in expressions]
        return se.Lambdify(symbols, outputs, backend="llvm", cse=True)
    except (RuntimeError, ValueError, TypeError):
        return None  # a function that LLVM does not know: numpy evaluates it
