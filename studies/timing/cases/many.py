"""Many points of one branch, many evaluations, many problems.

``python many.py million|stream|evaluations|problems|solutions``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import stopwatch
from own import described, spiral
from references import SPIRAL_FOLD, SPIRAL_START
from stopwatch import cpu, fold_error, is_quick, named, repeats_from_environment, samples

import contcrit as cc


def report(tool: str, problem: str, **values: Any) -> None:
    """Print a record of this group."""
    stopwatch.report(tool, problem, group="many", **values)


def long_branch(file: Path | None) -> None:
    """March a million points (fewer in the quick run), in memory or into a file."""
    wanted = 100_000 if is_quick() else 1_000_000
    # The branch is close to 4 long in the metric.
    settings = cc.Settings(
        step_initial=4.0 / wanted, step_maximum=4.0 / wanted, parameter_fraction=1.0,
        maximum_points=2 * wanted, gear="native",
    )  # fmt: skip
    given: dict[str, Any] = {
        "values": {"lam": 1e-3}, "direction": "forward", "settings": settings, "classify": False,
        "progress": False,
    }  # fmt: skip
    arguments = (spiral(), list(SPIRAL_START), "lam", (1e-4, 0.2))
    cc.trace(*arguments, **given | {"settings": settings.replace(maximum_points=10)})  # compiles
    start = cpu()
    if file is None:
        name = "a million points in memory"
        found: dict[str, Any] = described(cc.trace(*arguments, **given))
    else:
        name = "a million points into a file"
        branch = cc.stream(*arguments, file, **given)
        found = described(branch) | {"points": branch.provenance["points"]}
        found["file_mb"] = file.stat().st_size / 2**20
    spent = cpu() - start
    found |= fold_error(found, SPIRAL_FOLD)
    report(
        "contcrit", name, unknowns=2, repeats=1, warm_cpu_s=spent,
        gross_us=1e6 * spent / found["points"], **found,
    )  # fmt: skip


def million() -> None:
    """Keep every point in memory."""
    long_branch(None)


def stream() -> None:
    """Write the points to a file as they are found."""
    with tempfile.TemporaryDirectory() as folder:
        long_branch(Path(folder) / "branch.nc")


def evaluations() -> None:
    """Evaluate residual and Jacobian at many points: one call each, from one thread and several."""
    problem = spiral()
    system = problem.compile("lam", {})
    z = np.random.default_rng(0).normal(size=(1000, 3))
    one = statistics.median(
        samples(
            [lambda: [system.residual_and_jacobian(row) for row in z]], repeats_from_environment()
        )[0]
    )
    report(
        "contcrit", "1000 evaluations one by one", unknowns=2, points=len(z),
        gross_us=1e6 * one / len(z), warm_cpu_s=one,
    )  # fmt: skip


def problems() -> None:
    """Trace the branches of many windings: one call each, and all in one call."""
    count = 16 if is_quick() else 64
    problem = spiral()
    starts = [[0.0, np.pi / 2 + 2 * np.pi * n] for n in range(1, count + 1)]
    settings = cc.Settings(step_maximum=0.002, gear="native")
    given: dict[str, Any] = {
        "values": {"lam": 1e-4}, "direction": "forward", "settings": settings, "classify": False,
    }  # fmt: skip

    def singly() -> dict[str, Any]:
        branches = [
            cc.trace(problem, start, "lam", (1e-4, 0.2), progress=False, **given)
            for start in starts
        ]
        folds = [special.parameter for branch in branches for special in branch.of_kind("fold")]
        counted = {"fold": len(folds)}
        return {"points": sum(map(len, branches)), "counted": counted, "fold": folds[0]}

    def together(threads: int) -> dict[str, Any]:
        traces = cc.trace_many(problem, starts, "lam", (1e-4, 0.2), threads=threads, **given)
        assert np.all(traces.complete)
        # Folds are counted on all branches, and located on the one that has a reference.
        counted = {"fold": int(np.sum(traces.folds))}
        fold = traces[0].of_kind("fold")[0].parameter
        return {"points": len(traces.z), "counted": counted, "fold": fold}

    runs = {"traced one by one": singly}
    if hasattr(cc, "trace_many"):
        runs |= {
            "traced together, 1 thread": lambda: together(1),
            "traced together, 2 threads": lambda: together(2),
        }
    for label, run in runs.items():
        run()  # compiles, or loads what is compiled
        name = f"{count} problems {label}"
        found = both_clocks(run)
        found |= fold_error(found, SPIRAL_FOLD)
        report("contcrit", name, unknowns=2, problems=count, **found)


def solutions() -> None:
    """Solve the spiral equation from many starts at many values."""
    if not hasattr(cc, "solve_many"):
        report("contcrit", "solutions", outcome="skipped", reason="there is no solve_many")
        return
    count = 10_000 if is_quick() else 100_000
    problem = spiral()
    rng = np.random.default_rng(0)
    # Around the branches n = 0 to 5, on which |lam| is small.
    angles = np.pi / 2 + 2 * np.pi * rng.integers(0, 6, count)
    starts = np.column_stack([np.zeros(count), angles]) + 0.1 * rng.normal(size=(count, 2))
    values = {"lam": rng.uniform(1e-4, 1e-2, count)}

    def run(threads: int) -> dict[str, Any]:
        found = cc.solve_many(problem, starts, values=values, threads=threads)
        converged = found.converged
        worst = float(np.max(found.residual[converged]))
        return {
            "points": count,
            "counted": {"solution": int(np.sum(converged))},
            "residual": worst,
        }

    for threads in (1, 2):
        run(threads)
        report(
            "contcrit", f"{count} equations solved together, {threads} threads", unknowns=2,
            **both_clocks(lambda threads=threads: run(threads)),
        )  # fmt: skip


def both_clocks(run: Any) -> dict[str, Any]:
    """Return what a run found with its processor time and its elapsed time, medians."""
    used, elapsed = [], []
    found: dict[str, Any] = {}
    for _ in range(repeats_from_environment()):
        begun, spent = time.perf_counter(), cpu()
        found = run()
        elapsed.append(time.perf_counter() - begun)
        used.append(cpu() - spent)
    processor, wall = statistics.median(used), statistics.median(elapsed)
    return {
        **found,
        "repeats": len(used),
        "warm_cpu_s": processor,
        "wall_s": wall,
        "gross_us": 1e6 * processor / found["points"],
        "wall_us": 1e6 * wall / found["points"],
    }


MEASUREMENTS = {
    "million": million,
    "stream": stream,
    "evaluations": evaluations,
    "problems": problems,
    "solutions": solutions,
}

if __name__ == "__main__":
    MEASUREMENTS[named()]()
