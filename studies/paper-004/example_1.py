"""Example 1 as a whole: every branch for n = 0, +-1, +-2, and the non-normal families on them.

The engine starts at the five logarithms of R at lam = 0 and switches at every branch point that it
finds; nothing else is given to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contcrit.plotting import save_figure
from contcrit.results import Branch, Diagram
from contcrit.study import Study
from contcrit.tables import special_point_table

from ._shared import LOWEST, cost_figure, example_1, short, special_values

SPAN = (LOWEST, 1.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace, save the diagram and the table of its special points, and draw the cost."""
    _, branches, diagram = example_1(span=SPAN, progress=progress)
    diagram.save(out / "example-1.nc")
    table = special_point_table(diagram)
    table["branch"] = [list(branches)[k] for k in table["branch"]]
    table.to_csv(out / "example-1-special-points.csv", index=False)
    save_figure(cost_figure(branches), out / "example-1.png", resolution=160)
    return summary(branches, diagram)


def summary(branches: Mapping[str, Branch], diagram: Diagram) -> dict[str, Any]:
    """Return the special points with the verdicts on both sides, branch by branch."""
    values: dict[str, Any] = {}
    seen: set[float] = set()
    for label, branch in branches.items():
        found = values.setdefault(label, {})
        for special in branch.special_points:
            if special.parameter not in seen:  # a branch point belongs to all branches through it
                found[special.kind] = special_values(branch, special)
            seen.add(special.parameter)
        if not branch.special_points:
            found["verdict"] = short(branch.verdicts[0][2])
    values["branches"] = len(diagram)
    values["branch points without a new branch"] = len(diagram.report["failed_switches"])
    return values


STUDY = Study(
    name="paper-004/example-1",
    title="Critical points of Example 1 against lam, normal and non-normal",
    claim=(
        "Example 1: for each n != 0 there are a local minimum and a saddle point below a turning "
        "point; non-normal solutions are left open."
    ),
    run=run,
)
