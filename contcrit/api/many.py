"""Many problems at once: the same equations from many starts, at many values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..engine import many
from ..engine.assembly import Assembly, March
from ..engine.kernel import control_from
from ..errors import SpecificationError
from ..events import default_events
from ..results import Branch
from ..settings import Settings
from .arguments import read_names, read_parameter, read_span
from .finishing import Finisher
from .job import Job
from .many_results import Solutions, Traces
from .tracing import DIRECTIONS

__all__ = ["Solutions", "Traces", "solve_many", "trace_many"]

Array = np.ndarray


def solve_many(
    problem: Any,
    starts: Any,
    *,
    values: Mapping[Any, Any] | None = None,
    settings: Settings | None = None,
    threads: int | None = None,
) -> Solutions:
    """Solve F(x) = 0 by Newton's method from many starts, at many values of the parameters.

    Parameters
    ----------
    problem : Problem or MatrixProblem
        The equations.
    starts : array_like of shape (m, n) or (n,), or mapping
        Guesses of the unknowns, one a row; a single one, also given as `trace` takes it, serves
        all values.
    values : mapping, optional
        Values of all parameters: a number each, or an array of shape (m,).
    settings : Settings, optional
        `newton_tolerance` and `residual_tolerance`; a run that leaves `maximum_norm` ends.
    threads : int, optional
        How many blocks of problems are solved side by side (default: one a core). It changes no
        result.

    Returns
    -------
    Solutions
        Each converged to its tolerances or carrying the status that says why not.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    The steps are damped by the natural monotonicity test, as in `find`, so that the run converges
    from farther away than plain Newton does. Problems without machine code, and those with
    continuous symmetries, run one after the other in Python: the same steps, equal to rounding.

    References
    ----------
    P. Deuflhard, Newton Methods for Nonlinear Problems, Springer, 2011, section 3.3.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit import Problem
    >>> x, p = sp.symbols("x p")
    >>> found = solve_many(Problem([p - x**2], [x], [p]), [[1], [-1]], values={"p": 4})
    >>> found.x.round(9).tolist()
    [[2.0], [-2.0]]
    """
    if hasattr(problem, "family"):
        raise SpecificationError(
            "problem",
            type(problem).__name__,
            "has kinks, which Newton's method does not cross.",
            "Use `find`, which searches its modes.",
        )
    if not problem.parameter_names:
        raise SpecificationError(
            "problem", problem, "has no parameter.", "Declare one, even if it is not used."
        )
    chosen = settings if settings is not None else Settings()
    parameter = problem.parameter_names[0]
    table = _Table(problem, starts, values, parameter, None)
    found = many.solve_many(table.system, table.z, table.constants, chosen, _read_threads(threads))
    return Solutions(
        x=found.x,
        residual=found.residual,
        iterations=found.iterations,
        status=found.status,
        names=tuple(problem.unknown_names),
        values=table.columns,
        provenance={"gear": found.gear},
    )


def trace_many(
    problem: Any,
    starts: Any,
    parameter: Any,
    span: Sequence[float],
    *,
    values: Mapping[Any, Any] | None = None,
    direction: str = "both",
    settings: Settings | None = None,
    classify: bool = True,
    threads: int | None = None,
) -> Traces:
    """Trace the branches through many starts, at many values of the other parameters.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        The equations.
    starts : array_like of shape (m, n) or (n,), or mapping
        Guesses of the unknowns, one a row; a single one, also given as `trace` takes it, serves
        all values.
    parameter : str or Symbol
        The parameter to vary.
    span : (float, float)
        Where to stop; both ends are hit exactly.
    values : mapping, optional
        Values of the other parameters, and start values of `parameter` (default ``span[0]``): a
        number each, or an array of shape (m,).
    direction : {"both", "forward", "backward"}, optional
        Forward sets out towards larger parameters (default "both").
    settings : Settings, optional
        Steps, tolerances and budgets; ``maximum_points`` bounds each branch.
    classify : bool, optional
        Whether branches that are asked for say what their points are (default True).
    threads : int, optional
        How many branches are traced side by side (default: one a core). It changes no result.

    Returns
    -------
    Traces
        Numerical failure is a `Status` on a partial branch, never an exception.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    Special points are located only on the branches that are asked for, by ``traces[k]``. Problems
    without machine code, with continuous symmetries or with kinks are traced one after the other in
    Python: the same walk, equal to rounding.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit import Problem
    >>> x, p, q = sp.symbols("x p q")
    >>> problem = Problem([p - q * x**2], [x], [p, q])
    >>> traces = trace_many(problem, [1], "p", (0.5, 4), values={"p": 1, "q": [1, 4]})
    >>> [float(branch["x"][-1].round(9)) for branch in traces]
    [2.0, 1.0]
    """
    if direction not in DIRECTIONS:
        raise SpecificationError(
            "direction", direction, f"must be one of {', '.join(DIRECTIONS)}.", "'both' is usual."
        )
    chosen = settings if settings is not None else Settings()
    name, ends = read_parameter(problem, parameter), read_span(span)
    table = _Table(problem, starts, values, name, ends)

    def job(k: int) -> Job:
        return Job(problem, name, ends, table.row(k), chosen, (), False)

    tracer = (lambda k: job(k).tracer) if hasattr(problem, "family") else None
    found = many.trace_many(
        table.system, table.z, table.constants, ends, direction, chosen, _read_threads(threads),
        tracer,
    )  # fmt: skip

    def complete(k: int) -> Branch:
        branch = found.branches.get(k)
        if branch is None:
            system, rows = table.system(k), slice(*found.offsets[k : k + 2])
            behind, ahead = found.status[k]
            march = March(found.points[rows], found.tangents[rows], found.facts[rows], ahead)
            assembly = Assembly(system, ends, chosen, default_events(), control_from(chosen, ends))
            branch = assembly.branch(
                system, march, (behind, ahead), None, int(found.origin[k]), "native"
            )
        return Finisher(problem, name, table.others(k), {}, classify)(branch)

    return Traces(
        names=tuple(problem.unknown_names),
        parameter=name,
        offsets=found.offsets,
        z=found.points,
        tangent=found.tangents,
        arclength=found.facts[:, 0],
        residual_norm=found.facts[:, 1],
        status=found.status,
        values={key: column for key, column in table.columns.items() if key != name},
        provenance={"gear": found.gear},
        _complete=complete,
    )


class _Table:
    """Starts and values, checked and broadcast to the m problems.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
    starts, values
        As the public functions take them.
    parameter : str
        The free parameter.
    span : tuple of float, optional
        Where its start values must lie; its lower end is their default.
    """

    def __init__(
        self,
        problem: Any,
        starts: Any,
        values: Mapping[Any, Any] | None,
        parameter: str,
        span: tuple[float, float] | None,
    ) -> None:
        self.problem, self.parameter = problem, parameter
        given = {**getattr(problem, "default_values", {}), **read_names(values)}
        if span is not None:
            given.setdefault(parameter, span[0])
        columns = _read_columns(problem, given)
        x = _read_starts(problem, starts)
        lengths = {"starts": len(x), **{name: len(column) for name, column in columns.items()}}
        several = {name: length for name, length in lengths.items() if length != 1}
        if len(set(several.values())) > 1 or 0 in several.values():
            raise SpecificationError(
                "values",
                several,
                "needs as many values as starts, at least one, or a single one.",
                "Give arrays of shape (m,) and starts of shape (m, n).",
            )
        m = max(lengths.values())
        self.columns = {
            name: np.broadcast_to(columns[name], m).copy() for name in problem.parameter_names
        }
        free = self.columns[parameter]
        if span is not None and not np.all((free >= span[0]) & (free <= span[1])):
            raise SpecificationError(
                "values", free, f"needs `{parameter}` within the span {span}.", "Change either."
            )
        validate = getattr(problem, "validate_values", None)
        if validate is not None:
            for k in range(m):
                validate(self.row(k))
        self.z = np.column_stack([np.broadcast_to(x, (m, x.shape[1])), free])
        self._names = [name for name in problem.parameter_names if name != parameter]
        self.constants = np.empty((m, len(self._names)))
        for position, name in enumerate(self._names):
            self.constants[:, position] = self.columns[name]

    def row(self, k: int) -> dict[str, float]:
        """Return the values of problem k, all parameters included."""
        return {name: float(column[k]) for name, column in self.columns.items()}

    def others(self, k: int) -> dict[str, float]:
        """Return the values of problem k without the free parameter."""
        return {name: float(self.columns[name][k]) for name in self._names}

    def system(self, k: int) -> Any:
        """Return the numeric system of problem k."""
        return self.problem.compile(self.parameter, self.others(k))


def _read_columns(problem: Any, given: Mapping[str, Any]) -> dict[str, Array]:
    """Return one array of values a parameter."""
    allowed = ", ".join(problem.parameter_names) or "(it has none)"
    columns = {}
    for name, value in given.items():
        if name not in problem.parameter_names:
            raise SpecificationError(
                "values", name, "is not a parameter of the problem.", f"Choose among {allowed}."
            )
        try:
            column = np.atleast_1d(np.asarray(value, dtype=float))
        except (TypeError, ValueError):
            column = np.full((1, 1), np.nan)
        if column.ndim != 1 or not np.all(np.isfinite(column)):
            raise SpecificationError(
                "values",
                value,
                f"needs a finite number, or a row of them, for `{name}`.",
                "Give an array of shape (m,).",
            )
        columns[name] = column
    for name in problem.parameter_names:
        if name not in columns:
            raise SpecificationError(
                "values", name, "has no value.", f"Give it, as in values={{'{name}': 0.5}}."
            )
    return columns


def _read_starts(problem: Any, starts: Any) -> Array:
    """Return the starts as rows."""
    if isinstance(starts, Mapping):
        x = np.atleast_2d(problem.point(starts))
    else:
        try:
            x = np.atleast_2d(np.asarray(starts, dtype=float))
        except (TypeError, ValueError):
            x = np.full((1, 1, 1), np.nan)
    if x.ndim != 2 or x.shape[1] != problem.size or not np.all(np.isfinite(x)):
        raise SpecificationError(
            "starts",
            starts,
            f"must be finite numbers, {problem.size} a row.",
            "Give an array of shape (m, n).",
        )
    return x


def _read_threads(threads: Any) -> int:
    if threads is None:
        return many.available_threads()
    if not isinstance(threads, (int, np.integer)) or isinstance(threads, bool) or threads < 1:
        raise SpecificationError(
            "threads", threads, "must be a whole number of at least 1.", "Leave it out."
        )
    return int(threads)
