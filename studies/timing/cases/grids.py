"""P3 and its kin: the Bratu equation on a line and on a square, and the Mittelmann problem.

``python grids.py P3_<N>|plane_bratu_<N>|mittelmann_<N>``: N interior points, or N a side.
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

FEW_POINTS = 100_000
"""From this size on the march is cut short after some points beyond the fold."""


def line_problem(interior: int) -> Any:
    """Return the Bratu equation on a grid of the unit interval."""
    unknowns = sp.symbols(f"u1:{interior + 1}")
    values, lam = [0, *unknowns, 0], sp.Symbol("lam")
    scale = (interior + 1) ** 2
    rows = [
        (values[k - 1] - 2 * values[k] + values[k + 1]) * scale + lam * sp.exp(values[k])
        for k in range(1, interior + 1)
    ]
    return cc.Problem(rows, unknowns, [lam], kind="equation")


def square_problem(side: int, mirror: bool) -> Any:
    """Return the Bratu equation with zero sides, or the Mittelmann problem with mirrors."""
    lam = sp.Symbol("lam")
    u = sp.Matrix(side, side, sp.symbols(f"u0:{side**2}"))
    scale = (side - 1) ** 2 if mirror else (side + 1) ** 2

    def at(i: int, j: int) -> sp.Expr:
        if mirror:
            return u[tuple(abs(k) if k < side else 2 * side - 2 - k for k in (i, j))]
        return u[i, j] if 0 <= i < side and 0 <= j < side else sp.Integer(0)

    rows = []
    for i in range(side):
        for j in range(side):
            around = at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1)
            source = lam * sp.exp(u[i, j])
            reaction = -10 * (u[i, j] - source) if mirror else source
            rows.append((around - 4 * u[i, j]) * scale + reaction)
    return cc.Problem(rows, list(u), [lam], kind="equation")


def trace_line(name: str, interior: int) -> None:
    problem = line_problem(interior)
    # A step of 0.4 in the Euclidean norm for 50 points, and the same in the mean for others.
    largest = 0.4 * (interior / 50) ** 0.5
    few = {"maximum_points": 60} if interior >= FEW_POINTS else {}
    settings = steps(largest / 8, largest, interior, residual_tolerance=1e-7, **few)

    def call(chosen: cc.Settings) -> cc.Branch:
        return cc.trace(
            problem, np.zeros(interior), "lam", (0.0, 10.0), direction="forward",
            settings=chosen, events=[past_eight(interior)], progress=False,
        )  # fmt: skip

    repeats = None if interior <= 100 else 3 if interior <= 10_000 else 1
    timed_trace(name, call, settings, grid_fold(interior), unknowns=interior, repeats=repeats)


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
        start, span, value = np.full(n, 0.12), (0.2, 1.0), 0.1
        start, value = np.full(n, 0.2590), 0.2
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


def main(name: str) -> None:
    kind, _, size = name.rpartition("_")
    if kind == "P3":
        trace_line(name, int(size))
    elif kind in ("plane_bratu", "mittelmann"):
        trace_square(name, int(size))
    else:
        raise SystemExit(f"unknown problem {name}")


if __name__ == "__main__":
    main(sys.argv[1])
