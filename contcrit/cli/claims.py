"""The command that checks the models' claims."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from .. import models
from ..contraction.claims import Claim, Measurement, measure
from ..errors import SpecificationError
from ..files import replacing, writable_folder
from . import DONE, NUMERICAL_FAILURE
from .report import console, table

_COLUMNS = (
    "model", "key", "reference", "statement", "holds_in", "verdict", "agrees", "instances",
    "undecided", "margin", "evidence", "true_instead", "note", "seconds",
)  # fmt: skip


def claims(options: Any) -> int:
    """Measure the claims of models, print one table a model, and write them all if asked to."""
    chosen = options.models or list(models.names())
    if options.trials is not None and options.trials < 1:
        raise SpecificationError("--trials", options.trials, "must be positive.", "Give 1 or more.")
    if options.seed < 0:
        raise SpecificationError("--seed", options.seed, "must not be negative.", "Give 0 or more.")
    listed = {name: models.get(name).claims for name in chosen}
    folder = None if options.out is None else writable_folder(options.out)
    screen, bar = console(), Console(stderr=True)
    rows: list[dict[str, Any]] = []
    for name, stated in listed.items():
        if not stated:
            screen.print(f"{name} states no claims.")
            continue
        measured = [
            _row(name, claim, options.trials, options.seed)
            for claim in track(
                stated, name, console=bar, transient=True, disable=not sys.stderr.isatty()
            )
        ]
        screen.print(_table(name, measured))
        rows.extend(measured)
    wrong = [f"{row['model']}: {row['key']}" for row in rows if not row["agrees"]]
    screen.print(
        f"{len(rows) - len(wrong)} of {len(rows)} claims are what they say "
        f"({_count(rows, 'true')} true, {_count(rows, 'false')} false, "
        f"{_count(rows, 'unproved')} unproved), with seed {options.seed}."
    )
    if folder is not None:
        screen.print(f"wrote {_write(folder / 'claims.csv', rows)}")
    if wrong:
        print(f"contcrit: these are not: {', '.join(wrong)}.", file=sys.stderr)
    return NUMERICAL_FAILURE if wrong else DONE


def _count(rows: Sequence[dict[str, Any]], verdict: str) -> int:
    return sum(row["verdict"] == verdict for row in rows)


def _row(model: str, claim: Claim, trials: int | None, seed: int) -> dict[str, Any]:
    """Measure one claim; one that cannot be checked must not lose the others."""
    row = {
        "model": model,
        "key": claim.key,
        "reference": claim.reference,
        "statement": claim.statement,
        "holds_in": claim.holds_in,
        "verdict": claim.verdict,
        "true_instead": "" if claim.correction is None else claim.correction.statement,
        "note": claim.note,
    }
    try:
        found = measure(claim, trials=trials, seed=seed)
    except Exception as error:  # of whatever the check calls
        stopped = f"stopped: {type(error).__name__}: {error}"
        return row | {
            "agrees": False, "instances": 0, "undecided": 0, "margin": math.nan,
            "evidence": " ".join(stopped.split()), "seconds": math.nan,
        }  # fmt: skip
    return row | {
        "agrees": found.agrees,
        "instances": len(found.outcomes),
        "undecided": found.undecided,
        "margin": found.tightest.margin,
        "evidence": _evidence(found),
        "seconds": found.seconds,
    }


def _evidence(found: Measurement) -> str:
    """Say in words what was measured."""
    detail = found.tightest.detail
    if found.correction is not None:
        refuted = found.outcomes[0].holds is False
        own = "counterexample: " if refuted else "the counterexample does not refute it: "
        return f"{own}{detail}; true instead: {_evidence(found.correction)}"
    failed = sum(outcome.holds is False for outcome in found.outcomes)
    parts = [f"{len(found.outcomes) - failed - found.undecided} of {len(found.outcomes)} hold"]
    if found.undecided:
        parts.append(f"{found.undecided} undecided")
    if detail:
        parts.append(f"tightest {detail}")
    if found.failure is not None:
        parts.append(f"fails on {found.failure}")
    return ", ".join(parts)


def _table(name: str, rows: Sequence[dict[str, Any]]) -> Any:
    shown = [
        (
            row["reference"],
            row["statement"],
            f"false; {row['true_instead']}" if row["verdict"] == "false" else row["verdict"],
            "yes" if row["agrees"] else "NO",
            row["evidence"],
            f"{row['seconds']:.2f}",
        )
        for row in rows
    ]
    columns = ("reference", "claim", "verdict", "measured so", "evidence", "seconds>")
    made = table(f"{name}: {len(rows)} claims", columns, shown)
    made.show_lines = True
    return made


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, fieldnames=_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path
