"""Verdicts on points of nonsmooth problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..criticality.clarke import classify_pieces
from ..criticality.hessian import classify_hessian, classify_jacobian
from ..criticality.record import Criticality
from ..settings import Settings

Array = np.ndarray


def nonsmooth_verdict(
    problem: Any, x: Array, values: Mapping[str, float], settings: Settings
) -> Criticality:
    """Judge a point of a problem with kinks.

    Away from every kink the smooth piece decides. On a kink a potential is judged by its Clarke
    subdifferential and its pieces, a flow by its sliding motion.

    Parameters
    ----------
    problem : PiecewiseProblem
    x : ndarray of shape (n,)
    values : mapping of str to float
        Values of all parameters.
    settings : Settings
        `time_limit` and `maximum_cells` bound the enumeration of cells.
    """
    sides = problem.signature(x, values)
    if np.all(sides != 0):
        residual = problem.evaluate(x, values)
        jacobian = problem.jacobian(x, values)
        if problem.kind == "potential":
            return classify_hessian(jacobian, gradient=residual)
        return classify_jacobian(jacobian, problem.kind, residual=residual)
    if problem.kind == "potential":
        return classify_pieces(
            problem.pieces(x, values),
            time_limit=settings.time_limit,
            budget=settings.maximum_cells,
        )
    residual = problem.evaluate(x, values)
    size = float(np.max(np.abs(residual)))
    scale = 1.0 + float(np.max(np.abs(problem.jacobian(x, values))))
    positions = problem.positions(x, values)[sides == 0]
    evidence = {"residual": size, "positions": positions}
    if size > 1e-6 * scale:
        return Criticality(
            kind="not critical",
            evidence={"reason": "No combination of the pieces vanishes.", **evidence},
        )
    matrix = problem.sliding_jacobian(x, values) if problem.kind == "flow" else None
    if matrix is None or np.any((positions < 1e-7) | (positions > 1.0 - 1e-7)):
        return Criticality(
            kind="undecided",
            evidence={"reason": "The point lies on a kink, where no piece decides.", **evidence},
        )
    if matrix.size == 0:
        return Criticality(
            kind="undecided",
            evidence={
                "reason": "The sliding motion is confined to the point.",
                "sliding": True,
                **evidence,
            },
        )
    verdict = classify_jacobian(matrix, "flow")
    return Criticality(
        kind=verdict.kind,
        nullity=verdict.nullity,
        evidence={**verdict.evidence, "sliding": True, **evidence},
    )
