"""The problems in numpy, as a user of each tool writes them, and the record of a tool's run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as ss
from references import GRID_FOLDS, SPIRAL_FOLD, SPIRAL_START
from stopwatch import fold_error, measure, repeats_from_environment, report

Array = np.ndarray

SPIRAL_X0 = np.array(SPIRAL_START)
MATRIX_X0 = np.array([SPIRAL_START[0], -SPIRAL_START[1], SPIRAL_START[1], SPIRAL_START[0]])
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
UNKNOWNS = {"P1": 2, "P2": 4, "P3_50": 50, "P3_1000": 1000, "P4": 2, "P4_trivial": 2}
FOLDS = {
    "P1": SPIRAL_FOLD,
    "P2": SPIRAL_FOLD,
    "P3_50": GRID_FOLDS[50],
    "P3_1000": GRID_FOLDS[1000],
}


def spiral(u: Array, lam: float) -> Array:
    """Return the residual of P1."""
    grow = np.exp(u[0])
    return np.array(
        [lam * u[0] - grow * np.sin(u[1]) + grow * grow, lam * u[1] - grow * np.cos(u[1])]
    )


def spiral_jacobian(u: Array, lam: float) -> Array:
    """Return its derivative along the unknowns."""
    grow, sine, cosine = np.exp(u[0]), np.sin(u[1]), np.cos(u[1])
    return np.array(
        [
            [lam - grow * sine + 2 * grow * grow, -grow * cosine],
            [-grow * cosine, lam + grow * sine],
        ]
    )


def spiral_slope(u: Array, lam: float) -> Array:
    """Return its derivative along the parameter."""
    return np.array([u[0], u[1]])


def matrix_equation(u: Array, lam: float) -> Array:
    """Return the residual of P2, lam C - F^T (R - F) with F = e^(C - C^T) e^(C^T)."""
    C = u.reshape(2, 2)
    F = scipy.linalg.expm(C - C.T) @ scipy.linalg.expm(C.T)
    return (lam * C - F.T @ (QUARTER - F)).ravel()


class Bratu:
    """P3: finite differences of u'' + lam e^u on `interior` points of the unit interval."""

    def __init__(self, interior: int) -> None:
        self.interior = interior
        self.scale = float((interior + 1) ** 2)
        ones = np.ones(interior)
        self.laplace = self.scale * ss.diags(
            [ones[1:], -2 * ones, ones[1:]], [-1, 0, 1], format="csr"
        )

    def residual(self, u: Array, lam: float) -> Array:
        """Return the residual."""
        total = -2 * u
        total[1:] += u[:-1]
        total[:-1] += u[1:]
        return self.scale * total + lam * np.exp(u)

    def jacobian(self, u: Array, lam: float) -> Any:
        """Return its sparse derivative along the unknowns."""
        return (self.laplace + ss.diags(lam * np.exp(u))).tocsr()

    def slope(self, u: Array, lam: float) -> Array:
        """Return its derivative along the parameter."""
        return np.exp(u)


def pitchfork(u: Array, lam: float) -> Array:
    """Return the gradient of (u v - 1)^2 / 2 + lam (u^2 + v^2) / 2."""
    error = u[0] * u[1] - 1
    return np.array([error * u[1] + lam * u[0], error * u[0] + lam * u[1]])


def pitchfork_jacobian(u: Array, lam: float) -> Array:
    """Return its derivative along the unknowns."""
    mixed = 2 * u[0] * u[1] - 1
    return np.array([[u[1] ** 2 + lam, mixed], [mixed, u[0] ** 2 + lam]])


PITCHFORK_X0 = np.sqrt(0.99) * np.ones(2)


def outcome(
    lams: Sequence[float] | Array,
    events: Sequence[Sequence[Any]] = (),
    fold: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return what is reported of a run: its points, events, and the fold where it was located."""
    values = np.asarray(lams, dtype=float)
    return {
        "points": len(values),
        "events": [list(event) for event in events],
        "fold": fold,
        "largest_parameter": float(np.max(values)) if len(values) else None,
        "last_parameter": float(values[-1]) if len(values) else None,
        **more,
    }


def version_of(tool: str) -> str:
    """Return the version of the installed package that a tool's label begins with."""
    try:
        return version(tool.split(",")[0])
    except PackageNotFoundError:
        return ""


def time_tool(
    tool: str,
    problem: str,
    run: Callable[[int], dict[str, Any]],
    largest: int,
    *,
    one: int | None = 1,
    repeats: int | None = None,
    **more: Any,
) -> None:
    """Time ``run(largest)`` and a run of `one` point, and print the record.

    A tool's failure is its record.
    """
    wanted = repeats_from_environment() if repeats is None else repeats
    fixed = {"unknowns": UNKNOWNS[problem], "version": version_of(tool), **more}
    try:
        found = measure(lambda: run(largest), None if one is None else (lambda: run(one)), wanted)
    except Exception as error:
        # Other projects raise what they like; whatever it is belongs into the table.
        reason = f"{type(error).__name__}: {error}"[:300]
        report(tool, problem, outcome="failed", reason=reason, **fixed)
        return
    report(tool, problem, **fixed, **found, **fold_error(found, FOLDS.get(problem)))
