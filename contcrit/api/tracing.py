"""Tracing: one branch, a whole diagram, or on from where a branch ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SpecificationError
from ..events import Event
from ..executors import map_ordered
from ..results import Branch, Diagram
from ..settings import Settings
from .arguments import read_starts
from .finishing import Observable
from .job import Job

if TYPE_CHECKING:
    from concurrent.futures import Executor

Array = np.ndarray

DIRECTIONS = ("both", "forward", "backward")


def trace(
    problem: Any,
    start: Any,
    parameter: Any,
    span: Sequence[float],
    *,
    values: Mapping[Any, float] | None = None,
    direction: str = "both",
    settings: Settings | None = None,
    events: Iterable[Event] = (),
    record: Mapping[str, Observable] | None = None,
    classify: bool = True,
    progress: bool | Callable[[int, float], Any] | None = None,
) -> Branch:
    """Trace the solution branch through a start point over a span of one parameter.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        The equations.
    start : array_like of shape (n,), mapping, or Start
        Guess of the unknowns: an array, values by symbol, name or block, or one of a model's start
        points. It is corrected by Newton's method at the start value of the parameter first.
    parameter : str or Symbol
        The parameter to vary.
    span : (float, float)
        Where to stop; both ends are hit exactly.
    values : mapping, optional
        Values of the other parameters, and the start value of `parameter` (default ``span[0]``).
    direction : {"both", "forward", "backward"}, optional
        Forward sets out towards larger parameters (default "both").
    settings : Settings, optional
        Steps, tolerances and budgets.
    events : iterable of Event, optional
        Looked for besides folds, branch points, Hopf points and changes of inertia.
    record : mapping of str to callable, optional
        More columns: ``function(x, values) -> float`` at each point.
    classify : bool, optional
        Whether to say what the points between special points are (default True).
    progress : bool or callable, optional
        True shows a bar; a callable gets (points, parameter) and may return True to stop.
        Default: a bar if standard error is a terminal.

    Returns
    -------
    Branch
        Numerical failure is a `Status` on a partial branch, never an exception.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    References
    ----------
    H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems, 1987, chapter 4.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> problem = cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])
    >>> branch = cc.trace(problem, {"x": 0}, "p", (-1, 2))
    >>> [(special.kind, round(special.parameter, 9)) for special in branch.special_points]
    [('branch-point', 0.0)]
    """
    job = Job(problem, parameter, span, values, settings, events, progress)
    if direction not in DIRECTIONS:
        raise SpecificationError(
            "direction", direction, f"must be one of {', '.join(DIRECTIONS)}.", "'both' is usual."
        )
    with job.shown():
        branch = job.tracer.trace(job.start(start), direction)
        return job.finisher(record, classify)(branch)


def diagram(
    problem: Any,
    starts: Any,
    parameter: Any,
    span: Sequence[float],
    *,
    values: Mapping[Any, float] | None = None,
    settings: Settings | None = None,
    events: Iterable[Event] = (),
    record: Mapping[str, Observable] | None = None,
    classify: bool = True,
    executor: Executor | None = None,
    progress: bool | Callable[[int, float], Any] | None = None,
) -> Diagram:
    """Trace branches from several starts and switch at every branch point found, recursively.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        The equations.
    starts : start, sequence of starts, or mapping of label to Start
        Each as in `trace`; a pair ``(start, parameter value)`` begins at its own value. What a
        model's `starts` returns can be given as it is.
    parameter : str or Symbol
        The parameter to vary.
    span : (float, float)
        Where to stop.
    values : mapping, optional
        Values of the other parameters, and the start value of `parameter` (default ``span[0]``).
    settings : Settings, optional
        ``maximum_branches`` and ``maximum_depth`` are the budget.
    events, record, classify, progress
        As in `trace`.
    executor : concurrent.futures.Executor, optional
        Computes columns and verdicts of the branches in parallel; what is recorded must then
        pickle. The result does not depend on it.

    Returns
    -------
    Diagram
        Branches in the order found, each once, whatever its orientation or its rotated copies.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> problem = cc.Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p])
    >>> len(cc.diagram(problem, {"x": 0}, "p", (-1, 2)))
    2
    """
    job = Job(problem, parameter, span, values, settings, events, progress)
    points = [job.start(start) for start in read_starts(starts)]
    with job.shown():
        found = job.explorer().run(points)
        branches = map_ordered(executor, job.finisher(record, classify), found.branches)
    return replace(found, branches=tuple(branches))


def resume(
    branch: Branch,
    span: Sequence[float] | None = None,
    *,
    direction: str = "forward",
    settings: Settings | None = None,
    events: Iterable[Event] = (),
    progress: bool | Callable[[int, float], Any] | None = None,
) -> Branch:
    """Go on from an end of a branch, such as one that was loaded or ran out of points.

    Parameters
    ----------
    branch : Branch
        With its problem in `source`.
    span : (float, float), optional
        The new span (default: that of the branch).
    direction : {"forward", "backward"}, optional
        Forward goes on from the last point (default), backward from the first.
    settings : Settings, optional
        Default: those of the branch.
    events, progress
        As in `trace`.

    Returns
    -------
    Branch
        The continuation alone; it begins with the point it started from.

    Raises
    ------
    SpecificationError
        If the branch is empty or its problem is not known.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (0.5, 1), values={"p": 1})
    >>> float(cc.resume(branch, (0.25, 1), direction="backward")["p"][-1])
    0.25
    """
    if branch.source is None or len(branch) == 0:
        raise SpecificationError(
            "branch",
            branch,
            "needs points and a known problem to go on.",
            "Trace it anew, or set `source` with dataclasses.replace.",
        )
    if direction not in ("forward", "backward"):
        raise SpecificationError(
            "direction", direction, "must be 'forward' or 'backward'.", "Choose an end."
        )
    position = -1 if direction == "forward" else 0
    sign = 1.0 if direction == "forward" else -1.0
    goal = branch.span if span is None else span
    values = {**branch.values, branch.parameter: float(branch.z[position, -1])}
    chosen = settings if settings is not None else branch.settings
    job = Job(branch.source, branch.parameter, goal, values, chosen, events, progress)
    with job.shown():
        more = job.tracer.resume(branch.z[position], sign * branch.tangent[position])
        return job.finisher(None, True)(more)
