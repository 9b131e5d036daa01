"""The commands that list, trace and classify."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from .. import api
from ..errors import SpecificationError, Status
from ..files import replacing, writable_folder
from ..results import Branch, Diagram
from ..settings import Settings
from ..storage import save
from ..tables import diagram_to_pandas, special_point_table
from . import DONE, NUMERICAL_FAILURE
from .inputs import StartPoint, Target, assignments, chosen_starts, load_target, numbers
from .report import branch_table, console, special_table, table, verdict_table


def show_models() -> int:
    """Print the models: name, paper, what it is, constants."""
    from .. import models

    rows = []
    for name in models.names():
        model = models.get(name)
        constants = "\n".join(f"{key}: {text}" for key, text in model.constants.items())
        rows.append((name, model.paper, model.summary, constants))
    made = table("Models", ("name", "paper", "summary", "constants"), rows)
    made.show_lines = True
    console().print(made)
    return DONE


def trace(options: Any) -> int:
    """Trace from start points, print what was found, and write data, tables and a figure."""
    span = _span(options.span)
    settings = _settings(options.preset, options.setting)
    folder = writable_folder(options.out)
    target = load_target(options.target, options.assignments, example=options.example)
    _check_parameter(target, options.parameter)
    starts = chosen_starts(target, options.start, "--start")
    progress = sys.stderr.isatty()
    result: Branch | Diagram
    if options.diagram:
        result = _diagram(target, starts, options.parameter, span, settings, progress)
        branches = result.branches
    else:
        branches = tuple(
            api.trace(
                target.problem,
                start.unknowns,
                options.parameter,
                span,
                values=_values_of(label, start, target, options.parameter, span),
                direction=options.direction,
                settings=settings,
                progress=progress,
            )
            for label, start in starts.items()
        )
        # Several starts make one file: a diagram of which no branch was entered from another.
        joined = Diagram(branches=branches, report={"starts": list(starts)})
        result = branches[0] if len(branches) == 1 else joined
    labels = () if options.diagram else tuple(starts)
    name = _file_name(options.name or target.name)
    written = _write(result, branches, folder, name, options.y, options.log)
    screen = console()
    screen.print(branch_table(branches, labels))
    screen.print(special_table(branches))
    for path in written:
        screen.print(f"wrote {path}")
    return _report_failures(result, branches)


def classify(options: Any) -> int:
    """Print what points are, with the evidence."""
    target = load_target(options.target, options.assignments, example=options.example)
    given = numbers(assignments(options.values, "--values"), "--values")
    settings = _settings(options.preset, options.setting)
    screen = console()
    for label, start in chosen_starts(target, options.at, "--at").items():
        values = {**start.values, **target.values, **given}
        verdict = api.classify(target.problem, start.unknowns, values, settings=settings)
        shown = ", ".join(f"{name} = {value:.12g}" for name, value in values.items())
        screen.print(
            verdict_table(f"{target.name}, {label}" + (f": {shown}" * bool(shown)), verdict)
        )
    return DONE


def _diagram(
    target: Target,
    starts: Mapping[str, StartPoint],
    parameter: str,
    span: tuple[float, float],
    settings: Settings,
    progress: bool,
) -> Diagram:
    values: dict[str, float] = {}
    points: list[tuple[Mapping[str, Any], float]] = []
    for label, start in starts.items():
        own = _values_of(label, start, target, parameter, span)
        begin = own.pop(parameter, span[0])
        if points and own != values:
            raise SpecificationError(
                "--start",
                label,
                "belongs to other parameter values than the starts before it.",
                "Choose one with --start, or fix the values with --set.",
            )
        values = own
        points.append((start.unknowns, begin))
    return api.diagram(
        target.problem,
        points,
        parameter,
        span,
        values=values,
        settings=settings,
        progress=progress,
    )


def _values_of(
    label: str, start: StartPoint, target: Target, parameter: str, span: tuple[float, float]
) -> dict[str, float]:
    """Return the values to start from: the start's, overridden by those given."""
    values = {**start.values, **target.values}
    value = values.get(parameter)
    if value is not None and parameter not in target.values and not span[0] <= value <= span[1]:
        values[parameter] = min(max(value, span[0]), span[1])
        print(
            f"contcrit: the start {label} belongs to {parameter} = {value:.12g}, outside the span; "
            f"it serves as a guess at {parameter} = {values[parameter]:.12g}.",
            file=sys.stderr,
        )
    return values


def _span(span: Sequence[float]) -> tuple[float, float]:
    low, high = span
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SpecificationError(
            "--span", f"{low:g} {high:g}", "needs finite ends, the lower one first.", "Swap them."
        )
    return low, high


def _check_parameter(target: Target, parameter: str) -> None:
    names = target.problem.parameter_names
    if parameter not in names:
        raise SpecificationError(
            "--parameter",
            parameter,
            f"is not a parameter of {target.name}.",
            f"Choose among {', '.join(names) or '(it has none)'}.",
        )


def _settings(preset: str, tokens: Sequence[str]) -> Settings:
    changes = assignments(tokens, "--setting")
    known = [field.name for field in fields(Settings)]
    for name in changes:
        if name not in known:
            raise SpecificationError(
                "--setting", name, "is not a setting.", f"Choose among {', '.join(known)}."
            )
    makers: dict[str, Callable[..., Settings]] = {
        "default": Settings,
        "fast": Settings.fast,
        "careful": Settings.careful,
    }
    return makers[preset](**changes)


def _file_name(name: str) -> str:
    cleaned = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    if not cleaned:
        raise SpecificationError("--name", name, "is no name for files.", "Use letters.")
    return cleaned


def _write(
    result: Branch | Diagram,
    branches: Sequence[Branch],
    folder: Path,
    name: str,
    y: str | None,
    log: str,
) -> list[Path]:
    """Write data, tables and figure; the data first, as they cannot be had from the others."""
    paths = [
        folder / f"{name}{ending}" for ending in (".nc", ".csv", "-special-points.csv", ".png")
    ]
    save(result, paths[0])
    for path, frame in (
        (paths[1], diagram_to_pandas(branches)),
        (paths[2], special_point_table(Diagram(branches=tuple(branches)))),
    ):
        with replacing(path) as temporary:
            frame.to_csv(temporary, index=False)
    from ..plotting import plot_diagram, save_figure

    save_figure(plot_diagram(branches, y=y, log=log), paths[3])
    return paths


def _report_failures(result: Branch | Diagram, branches: Sequence[Branch]) -> int:
    """Say on standard error how each branch failed that did, and return the exit code."""
    failures: list[tuple[str, Status]] = []
    if isinstance(result, Diagram) and not result.status.is_success:
        failures.append(("the diagram", result.status))
    for position, branch in enumerate(branches):
        for status in dict.fromkeys(branch.status):
            if not status.is_success:
                failures.append((f"branch {position}", status))
    for where, status in failures:
        print(f"contcrit: {where}: {status.name}: {status.message}", file=sys.stderr)
    return NUMERICAL_FAILURE if failures else DONE
