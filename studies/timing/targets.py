"""What contcrit is meant to reach, and whether a run reached it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tables import OWN, Record, Results, duration, number, per_point, ratio, table


@dataclass(frozen=True)
class Target:
    """One goal: a quantity that should not exceed a bound."""

    name: str
    value: float | None
    bound: float
    unit: str
    compared: str = ""

    @property
    def verdict(self) -> str:
        """Whether it was reached."""
        if self.value is None:
            return "not measured"
        return "reached" if self.value <= self.bound else "**not reached**"

    def _shown(self, value: float | None) -> str:
        if value is None:
            return "–"
        return duration(value) if self.unit == "µs" else f"{number(value)} {self.unit}".strip()

    def row(self) -> tuple[str, ...]:
        """Return the row of the table."""
        return (
            self.name,
            self._shown(self.value),
            self._shown(self.bound),
            self.verdict,
            (self.compared or "–"),
        )


def exponent(records: Sequence[Record]) -> float | None:
    """Return the slope of log(time a point) over log(unknowns), by least squares."""
    pairs = [
        (math.log(record["unknowns"]), math.log(value))
        for record in records
        if (value := per_point(record)) is not None and value > 0
    ]
    if len(pairs) < 2:
        return None
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread


def targets(results: Results) -> list[Target]:
    """Return the goals with what this run measured."""
    found = []
    for problem, bound in (("P1", 1.0), ("P2", 4.0), ("P3_1000", 600.0)):
        own = per_point(results.of(OWN, problem))
        others = {
            record["tool"]: per_point(record)
            for record in results.measured(problem)
            if not record["tool"].startswith(OWN)
        }
        compared = ", ".join(
            f"{tool} {ratio(value, own)}x"
            for tool, value in others.items()
            if tool in ("AUTO-07p", "floor: C", "floor: banded solve")
        )
        names = {
            "P1": "spiral equation (P1), net a point",
            "P2": "2x2 matrix equation (P2), net a point",
            "P3_1000": "Bratu, 1000 points (P3), net a point",
        }
        found.append(Target(names[problem], own, bound, "µs", compared))
    lines = [record for record in results.matching("P3_") if record["unknowns"] >= 1000]
    largest = max((record["unknowns"] for record in lines), default=0)
    name = "Bratu, exponent of the growth with N from 1000"
    if largest > 1000:
        name += f" to {largest:,}"
    found.append(Target(name, exponent(lines), 1.1, ""))
    matrix = results.of(OWN, "matrix_random_16")
    times = matrix["lu_times"] if matrix else None
    found.append(Target("matrix equation, d = 16: LU of 256 x 256 a point", times, 60.0, ""))
    for problem, bound in (
        ("first branch, auto gear, filled cache", 1.2),
        ("first branch, auto gear, empty cache", 1.2),
        ("contcrit --help", 0.3),
    ):
        record = results.of(OWN, problem)
        seconds = 1e6 * record["process_cpu_s"] if record else None
        found.append(Target(f"process: {problem}", seconds, 1e6 * bound, "µs"))
    return found


def target_table(results: Results) -> str:
    """Return the goals as a table."""
    heads = ("quantity", "measured", "goal", "verdict", "others in the same run")
    return table(heads, [target.row() for target in targets(results)])
