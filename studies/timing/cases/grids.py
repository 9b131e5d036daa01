"""P3 and its kin: the Bratu equation on a line and on a square, and the Mittelmann problem.

``python grids.py P3_<N>|plane_bratu_<N>|mittelmann_<N> [rows]``: N interior points, or N a side;
``rows`` gives the equations one by one instead of their stencil.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import sympy as sp
from own import described, steps, timed_trace
from references import PLANE_BRATU_FOLDS, grid_fold, mittelmann
from stopwatch import measure, report

import contcrit as cc
from contcrit.symbolic.grid import GridProblem


def line_problem(interior: int, listed: bool) -> Any:
    """Return the Bratu equation on a grid of the unit interval, as a stencil or row by row."""
    lam, scale = sp.Symbol("lam"), (interior + 1) ** 2
    if not listed:
        u = sp.IndexedBase("u")
        row = (u[-1] - 2 * u[0] + u[1]) * scale + lam * sp.exp(u[0])
        return GridProblem(row, u, interior, [lam], kind="equation")
    unknowns = sp.symbols(f"u1:{interior + 1}")
    values = [0, *unknowns, 0]
    rows = [
        (values[k - 1] - 2 * values[k] + values[k + 1]) * scale + lam * sp.exp(values[k])
        for k in range(1, interior + 1)
    ]
    return cc.Problem(rows, unknowns, [lam], kind="equation")


def square_problem(side: int, mirror: bool) -> Any:
    """Return the Bratu equation with zero sides, or the Mittelmann problem with mirrors."""
    lam, u = sp.Symbol("lam"), sp.IndexedBase("u")
    around = u[-1, 0] + u[1, 0] + u[0, -1] + u[0, 1] - 4 * u[0, 0]
    source = lam * sp.exp(u[0, 0])
    if mirror:
        row = around * (side - 1) ** 2 - 10 * (u[0, 0] - source)
        boundary: Any = "neumann"
    else:
        row, boundary = around * (side + 1) ** 2 + source, 0
    return GridProblem(row, u, (side, side), [lam], boundary=boundary, kind="equation")


def trace_line(name: str, interior: int, listed: bool) -> None:
    problem = line_problem(interior, listed)
    # A step of 0.4 in the Euclidean norm for 50 points, and the same in the mean for others.
    largest = 0.4 * (interior / 50) ** 0.5
    # The automatic gear shifts up once a process has walked for as long as loading code takes.
    settings = steps(largest / 8, largest, interior, residual_tolerance=1e-7, gear="native")

    def call(chosen: cc.Settings) -> cc.Branch:
        return cc.trace(
            problem, np.zeros(interior), "lam", (0.0, 10.0), direction="forward",
            settings=chosen, events=[past_eight(interior)], classify=False, progress=False,
        )  # fmt: skip

    repeats = None if interior <= 100 else 3 if interior <= 10_000 else 1
    tool = "contcrit (rows one by one)" if listed else "contcrit"
    timed_trace(
        name, call, settings, grid_fold(interior), unknowns=interior, repeats=repeats, tool=tool
    )


def past_eight(interior: int) -> cc.UserEvent:
    """Return the event that ends the run where the solution's maximum passes eight."""
    middle = interior // 2

    def height(x: np.ndarray, p: Any) -> Any:
        return np.asarray(x)[..., middle] - 8.0

    return cc.UserEvent("maximum of u is 8", height, terminal=True)


def trace_square(name: str, side: int) -> None:
    mirror = name.startswith("mittelmann")
    problem = square_problem(side, mirror)
    n = side**2
    if mirror:
        # The homogeneous branch u = 0.2591711 at lam = 0.2, up to the fold and down again.
        start, span, value = np.full(n, 0.2591711), (0.15, 1.0), 0.2
        reference = mittelmann(side)
    else:
        start, span, value = np.zeros(n), (0.0, 10.0), 0.0
        reference = {"fold": PLANE_BRATU_FOLDS.get(side)}
    settings = cc.Settings(maximum_points=400 if mirror else 80)
    found = measure(
        lambda: described(
            cc.trace(
                problem, start, "lam", span, values={"lam": value}, direction="forward",
                settings=settings, classify=False, progress=False,
            )
        ),
        None,
        1,
    )  # fmt: skip
    errors = {}
    for label, expected in reference.items():
        kind = label.split()[0]
        located = [p for k, p in found["events"] if k == kind]
        if expected is not None:
            errors[label] = min((abs(p - expected) for p in located), default=None)
    report("contcrit", name, unknowns=n, **found, errors=errors, fold_error=errors.get("fold"))


def main(name: str, listed: bool) -> None:
    kind, _, size = name.rpartition("_")
    if kind == "P3":
        trace_line(name, int(size), listed)
    elif kind in ("plane_bratu", "mittelmann"):
        trace_square(name, int(size))
    else:
        raise SystemExit(f"unknown problem {name}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] == ["rows"])
