"""Which expressions a matrix problem needs compiled, derived from its one residual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy as sp

from .matrix import directional_derivative

if TYPE_CHECKING:
    from .matrix_evaluation import MatrixEvaluation


def derive(
    problem: MatrixEvaluation, what: str, parameter: sp.Symbol | None
) -> tuple[list[Any], list[Any]]:
    """Return expressions, and the inputs that they need besides unknown and parameters.

    Parameters
    ----------
    problem : MatrixEvaluation
        The equations.
    what : str
        "residual", "potential", "gradient", "unfolding", "observable NAME", "observables" (all
        that are expressions, in order), "slope", "jacobian",
        "first" (residual, Jacobian, slope) or "second" (second derivatives: both in the unknown,
        mixed twice, both in the parameter).
    parameter : sympy.Symbol or None
        For "slope", "first" and "second".
    """
    f, c, h, v = problem.expression, problem.unknown, problem.direction, problem.along
    if what == "residual":
        return [f], []
    if what == "potential":
        return [problem.potential_expression], []
    if what == "gradient":
        return [directional_derivative(problem.potential_expression, c, h)], [h]
    if what == "unfolding":
        return list(problem.unfolding_expressions or ()), []
    if what.startswith("observable "):
        name = what.removeprefix("observable ")
        return [sp.sympify(problem.observable_expressions[name])], []
    if what == "observables":
        given = problem.observable_expressions.values()
        return [sp.sympify(expression) for expression in given if not callable(expression)], []
    if what == "slope":
        return [directional_derivative(f, parameter)], []
    along_h = directional_derivative(f, c, h)
    if what == "jacobian":
        return [along_h], [h]
    slope = directional_derivative(f, parameter)
    if what == "first":
        return [f, along_h, slope], [h]
    return [
        directional_derivative(along_h, c, v),
        directional_derivative(along_h, parameter),
        directional_derivative(slope, c, v),
        directional_derivative(slope, parameter),
    ], [h, v]
