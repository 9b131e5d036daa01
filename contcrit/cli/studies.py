"""The command that recomputes studies."""

from __future__ import annotations

import sys
from typing import Any

from ..errors import SpecificationError
from ..files import writable_folder
from ..study import StudyReport, choose, discover, load_study, run_study
from . import DONE, NUMERICAL_FAILURE
from .report import console, table


def study(options: Any) -> int:
    """List studies, or run them and compare what they measure with what is expected."""
    found = discover(options.studies)
    screen = console()
    if options.list:
        rows = [(name, load_study(name, path).title) for name, path in found.items()]
        screen.print(table("Studies", ("study", "title"), rows))
        return DONE
    if bool(options.names) == options.all:
        raise SpecificationError(
            "study",
            " ".join(options.names) or "nothing",
            "needs names, or --all, and not both.",
            f"Choose among: {', '.join(found) or '(none were found)'}.",
        )
    if options.out is None:
        raise SpecificationError("--out", "nothing", "is needed.", "Give a folder for the results.")
    chosen = found if options.all else choose(options.names, found)
    out = writable_folder(options.out)
    reports = []
    for name, path in chosen.items():
        report = run_study(name, path, out, progress=sys.stderr.isatty())
        reports.append(report)
        screen.print(_table(report))
        if report.error:
            print(f"contcrit: {name} stopped: {report.error}", file=sys.stderr)
    failed = [report.study.name for report in reports if not report.agrees]
    silent = [item.study.name for item in reports if item.agrees and not item.compared]
    screen.print(f"{len(reports) - len(failed) - len(silent)} of {len(reports)} studies agree.")
    if silent:
        screen.print(f"Nothing is expected of: {', '.join(silent)}.")
    if failed:
        print(f"contcrit: these do not: {', '.join(failed)}.", file=sys.stderr)
    return NUMERICAL_FAILURE if failed else DONE


def _table(report: StudyReport) -> Any:
    words = {True: "yes", False: "NO", None: "not compared"}
    rows = [
        (item.quantity, _short(item.measured), _short(item.expected), item.rule, words[item.agrees])
        for item in report.comparisons
    ]
    title = f"{report.study.name}: {report.study.title} ({report.elapsed:.1f} s)"
    return table(title, ("quantity", "measured", "expected", "rule", "agrees"), rows)


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
