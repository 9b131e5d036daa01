"""A job: checked arguments, and the tracer they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.trace import Tracer
from ..errors import SpecificationError
from ..events import Event
from ..settings import Settings
from .arguments import read_names, read_parameter, read_span, read_start_value, read_values
from .finishing import Finisher, Observable
from .progress import Progress

Array = np.ndarray


class Job:
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
        self.parameter = read_parameter(problem, parameter)
        self.span = read_span(span)
        self.settings = settings if settings is not None else Settings()
        named = read_names(values)
        self.start_value = read_start_value(named, self.parameter, self.span)
        named = {**getattr(problem, "default_values", {}), **named}
        self.values = {name: value for name, value in named.items() if name != self.parameter}
        nonsmooth = hasattr(problem, "family")
        compiled = problem.family if nonsmooth else problem.compile
        system = compiled(self.parameter, self.values)
        for end in (self.start_value, *self.span):
            checked = read_values(problem, {**self.values, self.parameter: end})
        self.values = {name: checked[name] for name in checked if name != self.parameter}
        self.bar = Progress(progress)
        make: Any = Tracer
        if nonsmooth:  # imported where needed, here and below: half of a short trace is imports
            from ..engine.modes.tracing import ModeTracer

            make = ModeTracer
        self.tracer = make(system, self.span, self.settings, tuple(events), self.bar.callback)
        self._nonsmooth = nonsmooth

    def shown(self) -> Progress:
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

    def explorer(self) -> Any:
        """Return what grows diagrams."""
        if not self._nonsmooth:
            from ..engine.diagram import Explorer

            return Explorer(self.tracer)
        from ..engine.modes.diagram import ModeExplorer

        return ModeExplorer(self.tracer)

    def finisher(self, record: Mapping[str, Observable] | None, classify: bool) -> Finisher:
        """Return what completes traced branches."""
        return Finisher(self.problem, self.parameter, self.values, dict(record or {}), classify)
