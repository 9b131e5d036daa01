"""Tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ..criticality.record import Criticality
from ..results import Branch

_SHOWN_UNKNOWNS = 4
_WIDE = 200


def console() -> Console:
    """Return the console for standard output, wide where nobody looks at its width."""
    # Names such as W[0,0] must not be read as markup.
    width = None if sys.stdout.isatty() else _WIDE
    return Console(width=width, markup=False, highlight=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table of texts.

    Parameters
    ----------
    title : str
        Above the table.
    columns : sequence of str
        Headings; those that end in ``>`` are aligned to the right.
    rows : iterable of sequences
        Cells; shown as `str` has them.
    """
    made = Table(title=title, title_justify="left")
    for heading in columns:
        right = heading.endswith(">")
        made.add_column(heading.rstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def branch_table(branches: Sequence[Branch], labels: Sequence[str]) -> Table:
    """Return one row a branch: where it goes, how it ends, and what its points are."""
    rows = []
    for position, branch in enumerate(branches):
        parameter = branch.z[:, -1]
        reach = f"{parameter.min():.8g} .. {parameter.max():.8g}" if len(branch) else ""
        verdicts: list[str] = []
        for _, _, verdict in branch.verdicts:
            if not verdicts or verdicts[-1] != str(verdict):
                verdicts.append(str(verdict))
        rows.append(
            (
                position,
                labels[position] if position < len(labels) else "",
                len(branch),
                reach,
                " .. ".join(status.name for status in branch.status),
                ", ".join(verdicts),
            )
        )
    name = branches[0].parameter if branches else "parameter"
    return table("Branches", ("branch>", "start", "points>", name, "ends", "verdicts"), rows)


def special_table(branches: Sequence[Branch]) -> Table:
    """Return one row a special point, with the verdicts on either side."""
    names = branches[0].names[:_SHOWN_UNKNOWNS] if branches else ()
    rows = [
        (
            position,
            special.kind,
            f"{special.parameter:.12g}",
            *(f"{value:.8g}" for value in special.z[: len(names)]),
            f"{special.digits:.1f}",
            _side(special.verdict_before),
            _side(special.verdict_after),
        )
        for position, branch in enumerate(branches)
        for special in branch.special_points
    ]
    more = branches and len(branches[0].names) > len(names)
    title = "Special points" + (f" (first {len(names)} unknowns)" if more else "")
    name = branches[0].parameter if branches else "parameter"
    headings = (f"{name}>", *(f"{unknown}>" for unknown in names), "digits>", "before", "after")
    return table(title, ("branch>", "kind", *headings), rows)


def _side(verdict: Criticality | None) -> str:
    """Return a verdict in words, with the stability of what moves (a flip changes only that)."""
    if verdict is None:
        return ""
    stability = verdict.evidence.get("stability")
    if stability is None:
        return str(verdict)
    return str(stability) if verdict.kind == "undecided" else f"{verdict}, {stability}"


def verdict_table(label: str, verdict: Criticality) -> Table:
    """Return a verdict with its evidence, one row a quantity."""
    rows: list[tuple[str, Any]] = [("verdict", verdict)]
    for name in ("index", "nullity", "gauge_nullity", "inertia"):
        rows.append((name.replace("_", " "), getattr(verdict, name)))
    rows.append(("margin", f"{verdict.margin:.6g}"))
    rows.extend(_evidence(verdict.evidence))
    return table(label, ("quantity", "value"), rows)


def _evidence(evidence: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in evidence.items():
        if isinstance(value, Mapping):
            yield from _evidence(value, f"{prefix}{name} / ")
        elif isinstance(value, np.ndarray):
            yield prefix + name, np.array2string(value, precision=8, threshold=20)
        else:
            yield prefix + name, f"{value:.12g}" if isinstance(value, float) else str(value)
