"""Tables of the measurements in Markdown: a time always stands beside its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

OWN = "contcrit"


class Results:
    """The records of one run, by tool and problem."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = list(records)

    def measured(self, problem: str) -> list[Record]:
        """Return the measured records of a problem, the cheapest first."""
        found = [r for r in self.records if r["problem"] == problem and _is_measured(r)]
        return sorted(found, key=lambda record: per_point(record) or float("inf"))

    def of(self, tool: str, problem: str) -> Record | None:
        """Return the record of a tool on a problem, if it was measured."""
        return next((r for r in self.measured(problem) if r["tool"] == tool), None)

    def matching(self, prefix: str, tool: str = OWN) -> list[Record]:
        """Return a tool's measured records whose problem begins so, by number of unknowns."""
        found = [
            r
            for r in self.records
            if r["tool"] == tool and r["problem"].startswith(prefix) and _is_measured(r)
        ]
        return sorted(found, key=lambda record: record.get("unknowns", 0))

    def missing(self) -> list[Record]:
        """Return what was not measured."""
        return [r for r in self.records if not _is_measured(r)]


def _is_measured(record: Record) -> bool:
    return record.get("outcome", "measured") == "measured"


def per_point(record: Record | None) -> float | None:
    """Return microseconds per point, net of start-up where that is known."""
    if record is None:
        return None
    return record.get("net_us", record.get("gross_us"))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; numbers are expected in every column but the first."""
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many digits, or a dash."""
    if value is None or value != value:
        return "–"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.{max(digits - 2, 0)}e}"
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in text else text


def duration(microseconds: float | None) -> str:
    """Return a time in the unit that suits it."""
    if microseconds is None or microseconds != microseconds:
        return "–"
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if abs(microseconds) >= size:
            return f"{number(microseconds / size)} {unit}"
    return f"{number(microseconds)} µs"


def fold_error(record: Record) -> str:
    """Return the distance of the fold from the reference, and where it was read off."""
    source = record.get("fold_from")
    if source is None:
        return "–"
    if source == "none" or record.get("fold_error") is None:
        return "none found"
    mark = {"located": "", "largest point": " (largest point)"}.get(source, f" ({source})")
    error = record["fold_error"]
    return (f"{error:.0e}" if error else "0") + mark


def events(record: Record) -> str:
    """Return how many events of each kind were found."""
    counts: dict[str, int] = dict(record.get("counted") or {})
    for kind, _ in record.get("events") or []:
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"


def comparison(results: Results, problem: str) -> str:
    """Return the table of all tools on one problem, with ratios to contcrit in the same run."""
    own = per_point(results.of(OWN, problem))
    records = results.measured(problem)
    if problem in ("P1", "P2"):
        records += results.matching(f"{problem}_long")
    rows = []
    for record in records:
        name = record["tool"]
        if record["problem"] != problem:
            name += ", steps a hundredth"
        rows.append(
            (
                f"**{name}**" if name == OWN else name,
                str(record.get("points", "–")) if "note" not in record else "–",
                duration(record.get("gross_us")),
                duration(record.get("net_us")),
                ratio(per_point(record), own),
                fold_error(record),
                events(record),
                number(record.get("peak_mb")),
            )
        )
    heads = (
        "tool", "points", "gross a point", "net a point", "net, relative to contcrit",
        "fold error", "events", "peak memory, MB",
    )  # fmt: skip
    return table(heads, rows)


def ratio(value: float | None, reference: float | None) -> str:
    """Return the ratio of two times."""
    if value is None or not reference:
        return "–"
    return number(value / reference, 2)


def growth(results: Results) -> str:
    """Return the table of the Bratu equation against its size."""
    rows = []
    for record in results.matching("P3_"):
        floor = results.of("floor: banded solve", record["problem"])
        rows.append(
            (
                f"{record['unknowns']:,}",
                str(record["points"]),
                duration(record["gross_us"]),
                duration(record.get("net_us")),
                duration(per_point(floor)),
                ratio(per_point(record), per_point(floor)),
                fold_error(record),
                duration(1e6 * record["start_cpu_s"]),
                number(record.get("peak_mb")),
            )
        )
    heads = (
        "unknowns", "points", "gross a point", "net a point", "three banded solves",
        "net, relative to them", "fold error", "until the first call", "peak memory, MB",
    )  # fmt: skip
    return table(heads, rows)


def planes(results: Results) -> str:
    """Return the table of the problems on a square."""
    rows = []
    for prefix, name in (("plane_bratu", "Bratu"), ("mittelmann", "Mittelmann")):
        for record in results.matching(prefix):
            side = record["problem"].rsplit("_", 1)[1]
            errors = ", ".join(
                f"{label}: {number(error, 2)}" if error is not None else f"{label}: not found"
                for label, error in (record.get("errors") or {}).items()
            )
            rows.append(
                (
                    f"{name}, {side} x {side}",
                    f"{record['unknowns']:,}",
                    str(record["points"]),
                    duration(record["gross_us"]),
                    duration(1e6 * record["warm_cpu_s"]),
                    errors or "–",
                    events(record),
                    number(record.get("peak_mb")),
                )
            )
    heads = (
        "problem", "unknowns", "points", "gross a point", "whole trace",
        "distance from the reference", "events", "peak memory, MB",
    )  # fmt: skip
    return table(heads, rows)


def matrices(results: Results) -> str:
    """Return the table of the matrix equations."""
    rows = []
    records = results.matching("matrix_")
    for record in sorted(records, key=lambda r: (r["problem"].split("_")[1], r["unknowns"])):
        kind = {"turn": "normal, with a fold", "random": "not normal, random"}
        rows.append(
            (
                f"{kind[record['problem'].split('_')[1]]}, d = {record['size']}",
                str(record["unknowns"]),
                str(record["points"]),
                duration(record["gross_us"]),
                duration(record.get("net_us")),
                duration(record["lu_us"]),
                number(record["lu_times"], 3),
                fold_error(record),
                f"{record['independent_residual']:.0e}",
                number(record.get("peak_mb")),
            )
        )
    heads = (
        "target", "unknowns", "points", "gross a point", "net a point", "one LU",
        "net, in LU times", "fold error", "residual, computed apart", "peak memory, MB",
    )  # fmt: skip
    return table(heads, rows)


def crossings(results: Results) -> str:
    """Return the table of the crossing at lam = 1, approached along either branch."""
    rows = []
    for problem, name in (("P4", "bent branch"), ("P4_trivial", "w = 0")):
        for record in results.measured(problem):
            near = [
                (kind, abs(place - 1.0))
                for kind, place in record.get("events") or []
                if abs(place - 1.0) < 0.05
            ]
            said = ", ".join(f"{kind} ({number(error, 2)})" for kind, error in near)
            rows.append(
                (
                    f"{name}, {record['tool']}",
                    str(record["points"]),
                    duration(record.get("net_us")),
                    said or "nothing",
                    number(record.get("peak_mb")),
                )
            )
    heads = ("along", "points", "net a point", "found at 1 (distance)", "peak memory, MB")
    return table(heads, rows)


def processes(results: Results, names: Callable[[str], bool]) -> str:
    """Return the table of whole processes."""
    rows = []
    for record in results.records:
        if not (_is_measured(record) and names(record["problem"])):
            continue
        rows.append(
            (
                record["problem"],
                duration(1e6 * record["process_cpu_s"]),
                duration(1e6 * record["process_wall_s"]),
                str(record.get("points", "–")),
                fold_error(record),
                number(record.get("peak_mb")),
            )
        )
    heads = ("process", "processor time", "elapsed", "points", "fold error", "peak memory, MB")
    return table(heads, rows)


def many(results: Results) -> str:
    """Return the table of many points, evaluations and problems."""
    rows = []
    for record in results.matching(""):
        if record.get("group") == "many":
            rows.append(
                (
                    record["problem"],
                    f"{record['points']:,}",
                    duration(record["gross_us"]),
                    duration(record.get("wall_us")),
                    fold_error(record),
                    events(record),
                    number(record.get("peak_mb")),
                )
            )
    heads = (
        "what", "points", "processor time a point", "elapsed a point", "fold error", "events",
        "peak memory, MB",
    )  # fmt: skip
    return table(heads, rows)
