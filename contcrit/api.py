"""The functions a user calls: the only place that joins the symbolic and the numeric side."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from . import __version__
from .criticality.record import Criticality
from .engine.diagram import Explorer
from .engine.search import SearchResult, search
from .engine.trace import Tracer
from .errors import SpecificationError
from .events import Event
from .results import Branch, Diagram, SpecialPoint
from .settings import Settings

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
    record: Mapping[str, Callable[[Array, Mapping[str, float]], float]] | None = None,
    classify: bool = True,
    progress: bool | Callable[[int, float], Any] | None = None,
) -> Branch:
    """Trace the solution branch through a start point over a span of one parameter.

    Parameters
    ----------
    problem : Problem or MatrixProblem
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
    job = _Job(problem, parameter, span, values, settings, events, progress)
    if direction not in DIRECTIONS:
        raise SpecificationError(
            "direction", direction, f"must be one of {', '.join(DIRECTIONS)}.", "'both' is usual."
        )
    with job.shown():
        branch = job.tracer.trace(job.start(start), direction)
        return job.finish(branch, record, classify)


def diagram(
    problem: Any,
    starts: Any,
    parameter: Any,
    span: Sequence[float],
    *,
    values: Mapping[Any, float] | None = None,
    settings: Settings | None = None,
    events: Iterable[Event] = (),
    record: Mapping[str, Callable[[Array, Mapping[str, float]], float]] | None = None,
    classify: bool = True,
    executor: Executor | None = None,
    progress: bool | Callable[[int, float], Any] | None = None,
) -> Diagram:
    """Trace branches from several starts and switch at every branch point found, recursively.

    Parameters
    ----------
    problem : Problem or MatrixProblem
        The equations.
    starts : start or sequence of starts
        Each as in `trace`; a pair ``(start, parameter value)`` begins at its own value.
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
        Classifies the branches in parallel.

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
    job = _Job(problem, parameter, span, values, settings, events, progress)
    points = [job.start(start) for start in _several(starts)]
    with job.shown():
        found = Explorer(job.tracer).run(points)
        branches = tuple(job.finish(branch, record, classify) for branch in found.branches)
    return replace(found, branches=branches)


def classify(problem: Any, x: Any, values: Mapping[Any, float] | None = None) -> Criticality:
    """Say what a critical point is.

    The problem is asked first: a model may bring a second-order analysis of its own. Otherwise the
    Hessian's inertia decides for problems from a potential, with a margin.

    Parameters
    ----------
    problem : Problem or MatrixProblem
        The equations.
    x : array_like of shape (n,), or mapping
        The point, as `trace` takes a start. It is judged as it is, not corrected.
    values : mapping, optional
        Values of all parameters.

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
    resolved = _values(problem, values)
    return _verdict(problem, point, resolved)


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
    nothing new appears. Copies of a solution by a symmetry are reported once.

    Parameters
    ----------
    problem : Problem or MatrixProblem
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
    resolved = _values(problem, values)
    if parameter is None and problem.parameter_names:
        parameter = problem.parameter_names[0]
    if parameter is None:
        raise SpecificationError(
            "problem", problem, "has no parameter.", "Declare one, even if it is not used."
        )
    name = _parameter_name(problem, parameter)
    others = {key: value for key, value in resolved.items() if key != name}
    return search(
        problem.compile(name, others),
        box,
        resolved[name],
        starts=starts,
        settings=settings,
        executor=executor,
        symmetries=symmetries,
    )


def load(path: Any) -> Any:
    """Read a branch or diagram from the file that its ``save`` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Branch or Diagram
        With its problem in `source`, rebuilt from the description in the file, so that `resume`
        can go on; None where the problem could not be described when it was saved.

    Raises
    ------
    StorageError
        If the file is missing, not one of ours, or of a newer format.

    Examples
    --------
    >>> import tempfile, pathlib, sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (0.5, 1), values={"p": 1})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "branch.nc"
    ...     branch.save(path)
    ...     again = cc.load(path)
    >>> bool((again.z == branch.z).all())
    True
    """
    from .storage import load as read

    result = read(path)
    if isinstance(result, Diagram):
        return replace(result, branches=tuple(_sourced(branch) for branch in result.branches))
    return _sourced(result) if isinstance(result, Branch) else result


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
    job = _Job(branch.source, branch.parameter, goal, values, chosen, events, progress)
    with job.shown():
        more = job.tracer.resume(branch.z[position], sign * branch.tangent[position])
        return job.finish(more, None, True)


def _sourced(branch: Branch) -> Branch:
    """Rebuild the problem of a loaded branch from its description."""
    description = branch.provenance.get("description")
    if branch.source is not None or not isinstance(description, Mapping):
        return branch
    if "model" in description:
        from . import models

        source: Any = models.rebuild(description)
    else:
        from .symbolic.problem import Problem

        source = Problem.from_description(description)
    return replace(branch, source=source)


def _verdict(problem: Any, x: Array, values: Mapping[str, float]) -> Criticality:
    own = problem.classify(x, values)
    if own is not None:
        return own
    from .criticality.hessian import classify_hessian, classify_jacobian
    from .engine.gauge import orbit_tangents

    residual = problem.evaluate(x, values)
    jacobian = problem.jacobian(x, values)
    gauge = orbit_tangents(problem.generators, x) if len(problem.generators) else None
    if problem.kind == "potential":
        return classify_hessian(jacobian, gradient=residual, gauge=gauge)
    return classify_jacobian(jacobian, problem.kind, residual=residual, gauge=gauge)


class _Job:
    """Arguments shared by `trace` and `diagram`, checked once."""

    def __init__(
        self,
        problem: Any,
        parameter: Any,
        span: Sequence[float],
        values: Mapping[Any, float] | None,
        settings: Settings | None,
        events: Iterable[Event],
        progress: bool | Callable[[int, float], Any] | None,
    ) -> None:
        self.problem = problem
        self.parameter = _parameter_name(problem, parameter)
        self.span = _span(span)
        self.settings = settings if settings is not None else Settings()
        named = _named(values)
        self.start_value = _start_value(named, self.parameter, self.span)
        self.values = {name: value for name, value in named.items() if name != self.parameter}
        system = problem.compile(self.parameter, self.values)
        for end in (self.start_value, *self.span):
            checked = _values(problem, {**self.values, self.parameter: end})
        self.values = {name: checked[name] for name in checked if name != self.parameter}
        self.bar = _Progress(progress)
        self.tracer = Tracer(system, self.span, self.settings, tuple(events), self.bar.callback)

    def shown(self) -> _Progress:
        """Return the context that shows progress."""
        return self.bar

    def start(self, start: Any) -> Array:
        """Return a start point as (unknowns, parameter)."""
        value = self.start_value
        if hasattr(start, "unknowns") and hasattr(start, "values"):  # a model's start point
            if start.problem is not None and start.problem is not self.problem:
                raise SpecificationError(
                    "start",
                    start.note or start,
                    "belongs to another problem.",
                    "Trace `start.problem` first and go on from its last point.",
                )
            value = float(start.values.get(self.parameter, value))
            # It is a guess: where its own value lies outside the span, the nearest end serves.
            return np.append(self._point(start.unknowns), np.clip(value, *self.span))
        if isinstance(start, tuple) and len(start) == 2 and not np.isscalar(start[0]):
            start, value = start[0], float(start[1])
            if not self.span[0] <= value <= self.span[1]:
                raise SpecificationError(
                    "starts", value, f"needs parameter values within {self.span}.", "Widen `span`."
                )
        return np.append(self._point(start), value)

    def _point(self, start: Any) -> Array:
        x = self.problem.point(start)
        if not np.all(np.isfinite(x)):
            raise SpecificationError(
                "start", x, "needs finite numbers.", "Replace what is not a number or infinite."
            )
        return x

    def finish(
        self,
        branch: Branch,
        record: Mapping[str, Callable[[Array, Mapping[str, float]], float]] | None,
        classify: bool,
    ) -> Branch:
        """Add values, observables, verdicts and provenance to a traced branch."""
        columns = dict(branch.columns)
        for name, function in {**self.problem.observables, **(record or {})}.items():
            columns[name] = np.array([function(z[:-1], self._at(z)) for z in branch.z], dtype=float)
        verdicts: tuple[tuple[int, int, Criticality], ...] = ()
        special_points = branch.special_points
        if classify and len(branch):
            verdicts, special_points = self._classified(branch)
        return replace(
            branch,
            columns=columns,
            values=dict(self.values),
            verdicts=verdicts,
            special_points=special_points,
            source=self.problem,
            provenance={
                **branch.provenance,
                **getattr(self.problem, "provenance", {}),
                "contcrit": __version__,
                "numpy": np.__version__,
                "seed": self.settings.seed,
            },
        )

    def _at(self, z: Array) -> dict[str, float]:
        return {**self.values, self.parameter: float(z[-1])}

    def _classified(
        self, branch: Branch
    ) -> tuple[tuple[tuple[int, int, Criticality], ...], tuple[SpecialPoint, ...]]:
        """Judge one point in the middle of each stretch between special points."""
        cuts = [s.arclength for s in branch.special_points if s.kind != "user"]
        edges = [-math.inf, *sorted(set(cuts)), math.inf]
        verdicts: list[tuple[int, int, Criticality]] = []
        stretches: list[tuple[float, float, Criticality | None]] = []
        for low, high in pairwise(edges):
            inside = np.flatnonzero((branch.arclength > low) & (branch.arclength < high))
            verdict = None
            if inside.size:
                middle = int(inside[inside.size // 2])
                z = branch.z[middle]
                verdict = _verdict(self.problem, z[:-1], self._at(z))
                verdicts.append((int(inside[0]), int(inside[-1]), verdict))
            stretches.append((low, high, verdict))
        special_points = []
        for special in branch.special_points:
            before = after = None
            for low, high, verdict in stretches:
                if high <= special.arclength and verdict is not None:
                    before = verdict
                if low >= special.arclength and after is None:
                    after = verdict
            special_points.append(special.replace(verdict_before=before, verdict_after=after))
        return tuple(verdicts), tuple(special_points)


class _Progress:
    """A progress bar on standard error, a callback of the user's, or nothing."""

    def __init__(self, progress: bool | Callable[[int, float], Any] | None) -> None:
        self.bar: Any = None
        self.task: Any = None
        self.callback: Callable[[int, float], Any] | None = None
        if callable(progress):
            self.callback = progress
        elif progress or (progress is None and sys.stderr.isatty()):
            self.callback = self._update

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _update(self, points: int, parameter: float) -> None:
        if self.bar is None:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self.bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.task = self.bar.add_task("tracing", total=None)
            self.bar.start()
        self.bar.update(self.task, description=f"{points} points, parameter {parameter:.6g}")


def _parameter_name(problem: Any, parameter: Any) -> str:
    name = str(getattr(parameter, "name", parameter))
    if name not in problem.parameter_names:
        raise SpecificationError(
            "parameter",
            name,
            "is not a parameter of the problem.",
            f"Choose among {', '.join(problem.parameter_names) or '(it has none)'}.",
        )
    return name


def _named(values: Mapping[Any, float] | None) -> dict[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise SpecificationError(
            "values", values, "must be a mapping of names to numbers.", "Give a dict."
        )
    return {str(getattr(key, "name", key)): value for key, value in values.items()}


def _values(problem: Any, values: Mapping[Any, float] | None) -> dict[str, float]:
    """Return values of all parameters: defaults of the problem, overridden by those given."""
    named = {**getattr(problem, "default_values", {}), **_named(values)}
    for name in named:
        if name not in problem.parameter_names:
            raise SpecificationError(
                "values",
                name,
                "is not a parameter of the problem.",
                f"Choose among {', '.join(problem.parameter_names) or '(it has none)'}.",
            )
    for name in problem.parameter_names:
        if name not in named:
            raise SpecificationError(
                "values", name, "has no value.", f"Give it, as in values={{'{name}': 0.5}}."
            )
    validate = getattr(problem, "validate_values", None)
    if validate is not None:
        validate(named)
    return {name: float(value) for name, value in named.items()}


def _span(span: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in span)
    except (TypeError, ValueError):
        raise SpecificationError(
            "span", span, "must be two numbers.", "Give (low, high), as in (0, 1)."
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SpecificationError(
            "span", (low, high), "needs finite ends, the lower one first.", "Swap or correct them."
        )
    return low, high


def _start_value(named: Mapping[str, Any], parameter: str, span: tuple[float, float]) -> float:
    value = named.get(parameter, span[0])
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise SpecificationError(
            "values", value, f"needs a number for `{parameter}`.", "Give one within the span."
        ) from None
    if not span[0] <= value <= span[1]:
        raise SpecificationError(
            "values", value, f"needs `{parameter}` within the span {span}.", "Change either."
        )
    return value


def _several(starts: Any) -> list[Any]:
    if isinstance(starts, Mapping):
        return [starts]
    if isinstance(starts, np.ndarray):
        return list(starts) if starts.ndim == 2 else [starts]
    if isinstance(starts, (list, tuple)) and starts and np.isscalar(starts[0]):
        return [starts]
    return list(starts)
