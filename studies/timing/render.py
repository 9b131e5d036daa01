"""Write the page of the measurements, and the figure of cost against size, from their file.

python studies/timing/render.py RESULTS.json --page docs/performance.md --figure PNG
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tables import (
    Results,
    comparison,
    crossings,
    growth,
    many,
    matrices,
    per_point,
    planes,
    processes,
    table,
)
from targets import target_table, targets

PROBLEMS = {
    "P1": (
        "The spiral equation",
        "λa = eᵃ sin b − e²ᵃ, λb = eᵃ cos b: two unknowns, from λ = 10⁻³ through the fold to "
        "λ = 10⁻⁴ in Euclidean steps of 0.01 to 0.03.",
    ),
    "P2": (
        "The same branch of the 2x2 matrix equation",
        "λC = Fᵀ(R − F) with F = exp(C − Cᵀ) exp(Cᵀ) and R a quarter turn: four unknowns, steps "
        "longer by √2. contcrit is given the model, and computes its observables, too.",
    ),
    "P3_50": (
        "The Bratu equation, 50 points",
        "Finite differences of u″ + λeᵘ = 0, from λ = 0 through the fold until u reaches 8; steps "
        "of 0.05 to 0.4. AUTO-07p is given it as an algebraic problem.",
    ),
    "P3_1000": (
        "The Bratu equation, 1000 points",
        "The same with steps of up to 1.8. Tools that keep dense matrices pay for them.",
    ),
}


def page(report: dict[str, Any], figure: str) -> str:
    """Return the text of the page."""
    results = Results(report["records"])
    goals = targets(results)
    reached = sum(goal.verdict == "reached" for goal in goals)
    parts = [
        "---\norphan: true\n---\n\n# Performance",
        _introduction(report),
        "## Goals",
        f"{reached} of {len(goals)} are reached in this run. A ratio is the other's time a point "
        "over that of contcrit.",
        target_table(results),
        "## How it was measured",
        _method(report),
        "## The machine",
        _machine(report["machine"]),
        "## One problem, every tool",
    ]
    for problem, (title, text) in PROBLEMS.items():
        if results.measured(problem):
            parts += [f"### {title}", text, comparison(results, problem)]
    if results.measured("P3_bvp"):
        parts += [
            "As a boundary value problem, on its own collocation mesh, AUTO-07p takes:",
            comparison(results, "P3_bvp"),
        ]
    if results.measured("P4"):
        parts += [
            "### A crossing that looks like a fold",
            "A network of two scalar weights with ridge, ½(uv − 1)² + ½λ(u² + v²): the branches "
            "cross at λ = 1, where the bent one turns in λ. What is found there, by either way:",
            crossings(results),
        ]
    if results.matching("P3_"):
        parts += ["## Growth with the number of unknowns", growth(results)]
        if figure:
            parts.append(f"![Cost of a point against the number of unknowns]({figure})")
    for title, text in (
        ("Problems on a square", planes(results)),
        ("Matrix equations", matrices(results)),
        ("Many points and many problems", many(results)),
        (
            "Whole processes",
            processes(results, lambda name: name.startswith(_PROCESSES)),
        ),
    ):
        if text.count("\n") > 1:
            parts += [f"## {title}", *_before(title), text]
    missing = results.missing()
    if missing:
        rows = [(f"{r['tool']}, {r['problem']}", r["outcome"], r["reason"]) for r in missing]
        parts += ["## Not measured", table(("case", "outcome", "reason"), rows)]
    return "\n\n".join(parts) + "\n"


_PROCESSES = ("interpreter", "import", "contcrit --help", "first branch")


def _before(title: str) -> list[str]:
    if title == "Matrix equations":
        return [
            "The characteristic equation of a linear network, d² unknowns. One LU is LAPACK's "
            "factorisation of a full matrix of d² rows in the same process. The residual is "
            "computed once more with scipy's exponential."
        ]
    if title == "Whole processes":
        return [
            "From the start of the interpreter to its end. The cache is that of compiled machine "
            "code; the auto gear compiles only for walks that repay it, the native gear always."
        ]
    if title == "Problems on a square":
        return [
            "References: Newton's method on the extended system for Bratu, and the closed form of "
            "the grid's eigenvalues for Mittelmann."
        ]
    return []


def _introduction(report: dict[str, Any]) -> str:
    kind = "the short run (`--quick`)" if report["quick"] else "a full run"
    if report.get("only"):
        kind = "a run of selected cases (`--only`)"
    return (
        f"Written by `studies/timing/run.py` from {kind} on {report['machine']['date']}; not to be "
        "edited by hand. It is repeated by\n\n"
        "```sh\npython studies/timing/run.py --peers DIR --auto DIR --out timing-results\n```\n\n"
        "where the first folder holds an environment for each other tool and the second is that "
        "of AUTO-07p; without them the run says so and goes on. `studies/timing/README.md` has "
        "the details."
    )


def _method(report: dict[str, Any]) -> str:
    return (
        f"Each case runs in a process of its own, with one thread for every library. A time is the "
        f"median of {report['repeats']} samples of processor time, user and system, of the process "
        "and its children; a sample of a short call loops over it. The whole call is timed as a "
        "user writes it, with arguments checked, and all default events looked for and located; "
        "verdicts of what lies between them are left out. *Gross* is its time over the number of "
        "accepted points. *Net* leaves "
        "out what a run of a single step takes, over the remaining points; for AUTO-07p, which is "
        "a program, both are whole processes. Imports and compilation come before either and are "
        "listed under whole processes.\n\n"
        "A time stands beside its accuracy. *Fold error* is the distance of the located fold from "
        "the reference (40 digits, `studies/timing/recompute.py`); for a tool that locates none it "
        "is that of the largest parameter among its points, and marked. AUTO-07p prints eleven "
        "digits. All ratios are within one run. Peak memory is the largest resident size of the "
        "process."
    )


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    revision = f" (revision {machine['revision']})" if machine["revision"] else ""
    load = machine.get("load_at_the_start") or ["unknown"]
    after = machine.get("load_at_the_end") or ["unknown"]
    rows = [
        ("processor", f"{machine['processor']}, {machine['cores']} cores"),
        ("system", f"{machine['system']}, Python {machine['python']}"),
        ("versions", f"{versions}{revision}"),
        ("load before and after", f"{load[0]} and {after[0]}"),
    ]
    return table(("", ""), rows)


def draw(report: dict[str, Any], path: Path) -> bool:
    """Draw the cost of a point against the number of unknowns; tell whether there was anything."""
    from matplotlib.figure import Figure

    from contcrit.plotting import PALETTE, save_figure

    results = Results(report["records"])
    families = (
        ("contcrit, Bratu on a line", results.matching("P3_"), "o-"),
        ("three banded solves", results.matching("P3_", "floor: banded solve"), "--"),
        ("contcrit, Bratu on a square", results.matching("plane_bratu"), "s-"),
        ("contcrit, matrix equation", results.matching("matrix_random"), "^-"),
    )
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    drawn = 0
    for k, (label, records, style) in enumerate(families):
        if len(records) > 1:
            sizes = [record["unknowns"] for record in records]
            costs = [1e-6 * per_point(record) for record in records]
            axes.loglog(sizes, costs, style, color=PALETTE[k], label=label)
            drawn += 1
    others = [
        (record["tool"], record["unknowns"], 1e-6 * per_point(record))
        for problem in ("P1", "P2", "P3_50", "P3_1000")
        for record in results.measured(problem)
        if not record["tool"].startswith(("contcrit", "floor"))
    ]
    for tool, unknowns, cost in others:
        style = {"marker": "*", "color": "black"} if tool == "AUTO-07p" else {"marker": "."}
        shown = tool if tool not in axes.get_legend_handles_labels()[1] else None
        axes.loglog([unknowns], [cost], linestyle="none", label=shown, **({"color": "0.5"} | style))
    if not drawn and not others:
        return False
    axes.set(xlabel="unknowns", ylabel="processor time a point, s")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize="x-small")
    save_figure(figure, path)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("results", type=Path, help="the file of the measurements")
    parser.add_argument("--page", type=Path, required=True, help="the page to write")
    parser.add_argument("--figure", type=Path, required=True, help="the figure to write")
    options = parser.parse_args()
    report = json.loads(options.results.read_text(encoding="utf-8"))
    options.figure.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(report, options.figure)
    try:
        link = options.figure.resolve().relative_to(options.page.resolve().parent).as_posix()
    except ValueError:
        link = options.figure.name
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(page(report, link if drawn else ""), encoding="utf-8")
    for written in (options.results, options.page, *([options.figure] if drawn else [])):
        print(f"wrote {written}")


if __name__ == "__main__":
    sys.exit(main())
