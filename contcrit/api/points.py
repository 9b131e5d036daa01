"""Single points: find them in a box, and say what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..criticality.hessian import classify_hessian, classify_jacobian
from ..criticality.record import Criticality
from ..engine.gauge import orbit_tangents
from ..errors import SpecificationError
from ..settings import Settings
from .arguments import read_parameter, read_values

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..engine.search_result import SearchResult

Array = np.ndarray


def classify(
    problem: Any,
    x: Any,
    values: Mapping[Any, float] | None = None,
    *,
    settings: Settings | None = None,
) -> Criticality:
    """Say what a critical point is.

    The problem is asked first: a model may bring a second-order analysis of its own. Otherwise the
    Hessian's inertia decides for problems from a potential, with a margin; on a kink, the pieces
    that meet there.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        The equations.
    x : array_like of shape (n,), or mapping
        The point, as `trace` takes a start. It is judged as it is, not corrected.
    values : mapping, optional
        Values of all parameters.
    settings : Settings, optional
        Of these only `time_limit` and `maximum_cells` count: how long a point on kinks is
        thought about.

    Returns
    -------
    Criticality
        Its kind may be "undecided".

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, y = sp.symbols("x y")
    >>> problem = cc.Problem.from_potential(x**2 - y**2, [x, y], [])
    >>> print(cc.classify(problem, [0, 0]))
    saddle (index 1)
    """
    point = problem.point(x)
    resolved = read_values(problem, values)
    return verdict_of(problem, point, resolved, settings)


def find(
    problem: Any,
    box: Any,
    values: Mapping[Any, float] | None = None,
    *,
    parameter: Any = None,
    starts: Any = None,
    symmetries: Iterable[Any] = (),
    settings: Settings | None = None,
    executor: Executor | None = None,
) -> SearchResult:
    """Find the solutions in a box at fixed parameters, and say how complete the list is believed.

    Newton's method runs from many starts, then again with the known solutions deflated, until
    nothing new appears. Copies of a solution by a symmetry are reported once. Of a problem with
    kinks every mode is searched while these are few.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        The equations.
    box : array_like of shape (n, 2) or (2,)
        Lower and upper bound of each unknown; one pair serves all.
    values : mapping, optional
        Values of all parameters.
    parameter : str or Symbol, optional
        Which parameter the points are later traced in; any will do (default: the first).
    starts : int or array_like of shape (m, n), optional
        Number of Sobol points in the box, or the start points (default ``settings.search_starts``).
    symmetries : iterable of array_like, optional
        Discrete symmetries x -> A x (+ b) besides the problem's continuous ones.
    settings : Settings, optional
        Tolerances, number of starts and seed.
    executor : concurrent.futures.Executor, optional
        Runs the starts in parallel; the result does not depend on it.

    Returns
    -------
    SearchResult
        Points, and a report with ``believed_complete`` and ``why``.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    References
    ----------
    P. E. Farrell, A. Birkisson and S. W. Funke, Deflation techniques for finding distinct
    solutions of nonlinear partial differential equations, SIAM J. Sci. Comput. 37, 2015.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> found = cc.find(cc.Problem([p * x - x**3], [x], [p]), (-3, 3), {"p": 4})
    >>> sorted(round(float(x[0]), 9) + 0.0 for x in found)
    [-2.0, 0.0, 2.0]
    """
    resolved = read_values(problem, values)
    if parameter is None and problem.parameter_names:
        parameter = problem.parameter_names[0]
    if parameter is None:
        raise SpecificationError(
            "problem", problem, "has no parameter.", "Declare one, even if it is not used."
        )
    name = read_parameter(problem, parameter)
    others = {key: value for key, value in resolved.items() if key != name}
    # Imported where needed, here and below: half of a short run is imports.
    seek: Any
    if hasattr(problem, "family"):
        from ..engine.modes import search as mode_search

        system, seek = problem.family(name, others), mode_search.search_modes
    else:
        from ..engine import search

        system, seek = problem.compile(name, others), search.search
    return seek(
        system,
        box,
        resolved[name],
        starts=starts,
        settings=settings,
        executor=executor,
        symmetries=symmetries,
    )


def verdict_of(
    problem: Any, x: Array, values: Mapping[str, float], settings: Settings | None = None
) -> Criticality:
    """Judge a point: the problem is asked first, then its Hessian, Jacobian or pieces decide."""
    own = problem.classify(x, values)
    if own is not None:
        return own
    if hasattr(problem, "pieces"):
        from .nonsmooth import nonsmooth_verdict

        return nonsmooth_verdict(problem, x, values, settings or Settings())
    residual = problem.evaluate(x, values)
    jacobian = problem.jacobian(x, values)
    gauge = orbit_tangents(problem.generators, x) if len(problem.generators) else None
    if problem.kind == "potential":
        return classify_hessian(jacobian, gradient=residual, gauge=gauge)
    return classify_jacobian(jacobian, problem.kind, residual=residual, gauge=gauge)
