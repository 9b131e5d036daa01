"""Many points of one branch, many evaluations, many problems.

``python many.py million|stream|evaluations|problems``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from own import described, spiral
from references import SPIRAL_FOLD, SPIRAL_START
from stopwatch import cpu, fold_error, is_quick, named, repeats_from_environment, report, samples

import contcrit as cc


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
            lambda: [system.residual_and_jacobian(row) for row in z], repeats_from_environment()
        )
    )
    report(
        "contcrit", "evaluations one by one", unknowns=2, points=len(z),
        gross_us=1e6 * one / len(z), warm_cpu_s=one,
    )  # fmt: skip


def problems() -> None:
    """Trace the branches of many windings, one after the other and over threads."""
    count = 8 if is_quick() else 32
    problem = spiral()
    starts = [[0.0, np.pi / 2 + 2 * np.pi * n] for n in range(1, count + 1)]
    settings = cc.Settings(step_maximum=0.002, gear="native")

    def one(start: list[float]) -> int:
        branch = cc.trace(
            problem, start, "lam", (1e-4, 0.2), values={"lam": 1e-4}, direction="forward",
            settings=settings, classify=False, progress=False,
        )  # fmt: skip
        assert [special.kind for special in branch.special_points] == ["fold"]
        return len(branch)

    one(starts[0])  # compiles, or loads what is compiled
    for label, threads in (("serial", 0), ("2 threads", 2)):
        begun, spent = time.perf_counter(), cpu()
        if threads:
            with ThreadPoolExecutor(threads) as executor:
                points = list(executor.map(one, starts))
        else:
            points = [one(start) for start in starts]
        wall, used = time.perf_counter() - begun, cpu() - spent
        report(
            "contcrit", f"many problems, {label}", unknowns=2, problems=count,
            points=sum(points), warm_cpu_s=used, wall_s=wall, gross_us=1e6 * used / sum(points),
            wall_us=1e6 * wall / sum(points), events=[["fold", count]],
        )  # fmt: skip


MEASUREMENTS = {
    "million": million,
    "stream": stream,
    "evaluations": evaluations,
    "problems": problems,
}

if __name__ == "__main__":
    MEASUREMENTS[named()]()
