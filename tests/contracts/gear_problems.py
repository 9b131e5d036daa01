"""The validation problems as plain calls, so that every one of them can be run in either gear."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

import contcrit as cc
from tests import strategies
from tests.strategies import p, x, y
from tests.validation.test_large_kernels import allen_cahn, mittelmann


@dataclass(frozen=True)
class Run:
    """One call of `trace`, or of `diagram` where branches cross.

    `without_native` says why a problem has no machine code; empty where it has. `mirrored` problems
    do not change when their two unknowns are exchanged.
    """

    build: Callable[[], Any]
    start: Any
    parameter: str
    span: tuple[float, float]
    values: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    direction: str = "both"
    crossing: bool = False
    without_native: str = ""
    mirrored: bool = False

    def branches(self, gear: str) -> tuple[cc.Branch, ...]:
        """Run in one gear."""
        problem = self.build()
        settings = cc.Settings(gear=gear, **self.settings)
        common: dict[str, Any] = {"values": self.values, "settings": settings, "progress": False}
        if self.crossing:
            return cc.diagram(
                problem, [self.start], self.parameter, self.span, classify=False, **common
            ).branches
        branch = cc.trace(
            problem, self.start, self.parameter, self.span, direction=self.direction,
            classify=False, **common,
        )  # fmt: skip
        return (branch,)


def crossing_lines() -> cc.Problem:
    """Return (x - p)(x - p2) + p3, two lines that cross where p3 = 0."""
    other, third = sp.symbols("p2 p3")
    return cc.Problem([(x - p) * (x - other) + third], [x], [p, other, third])


def winged_cusp() -> cc.Problem:
    """Return x^3 - 2 p x + p^2 - 2 p + 1, whose branches are partly disconnected."""
    return cc.Problem([x**3 - 2 * p * x + p**2 - 2 * p + 1], [x], [p])


def logistic() -> cc.Problem:
    """Return the logistic map."""
    return cc.Problem([p * x * (1 - x)], [x], [p], kind="map")


def henon() -> cc.Problem:
    """Return the Hénon map at b = 0."""
    return cc.Problem([y, p - x**2], [x, y], [p], kind="map")


def spiral() -> cc.Problem:
    """Return the equation of normal solutions of a linear network."""
    a, b, lam = sp.symbols("a b lam")
    rows = [lam * a - sp.exp(a) * sp.sin(b) + sp.exp(2 * a), lam * b - sp.exp(a) * sp.cos(b)]
    return cc.Problem(rows, [a, b], [lam], kind="equation")


def quarter_turn() -> Any:
    """Return the linear network whose target is a quarter turn."""
    return cc.models.get("linear-network").build(R=[[0.0, -1.0], [1.0, 0.0]])


def shear(dimensions: int = 3) -> Any:
    """Return a linear network whose target is not normal."""
    R = np.diag(np.linspace(0.8, 1.2, dimensions))
    R += np.diag(np.linspace(0.5, 0.2, dimensions - 1), 1)
    R[-1, 0] = 0.1
    return cc.models.get("linear-network").build(R=R)


LARGE = "more than 32 unknowns"
GAUGED = "continuous symmetries"
MATRIX = "a matrix equation of more than five dimensions"
W = math.pi / 2 - 2 * math.pi

RUNS: dict[str, Run] = {
    "fold": Run(strategies.fold, [1], "p", (-1, 1), {"p": 1}),
    "transcritical": Run(strategies.transcritical, [0], "p", (-1, 1), crossing=True),
    "pitchfork": Run(strategies.pitchfork, [0], "p", (-1, 2), crossing=True),
    "hopf": Run(strategies.hopf, [0, 0], "p", (-1, 1)),
    "circle": Run(strategies.circle, [1], "p", (-2, 2), {"p": 0}),
    "cubic": Run(strategies.cubic, [-3], "q", (-3, 3), {"p": 1}),
    "linear": Run(strategies.linear, [-1, -2, -3], "p", (-1, 1)),
    "rotated_pitchfork": Run(
        strategies.rotated_pitchfork, [0.7, 0], "p", (-1, 1), {"p": 0.49}, without_native=GAUGED
    ),
    "bratu": Run(
        lambda: strategies.bratu(20), np.zeros(20), "lam", (0, 4),
        settings={"maximum_points": 150}, direction="forward",
    ),
    "bratu, 49 points": Run(
        lambda: strategies.bratu(49), np.zeros(49), "lam", (0, 4),
        settings={"maximum_points": 150}, direction="forward",
    ),
    "two_nodes": Run(strategies.two_nodes, [0, 0], "a", (0.02, 0.4), crossing=True),
    "reaction": Run(strategies.reaction, [0, 0], "D", (0, 0.5), {"B": 14}),
    "reaction with folds": Run(strategies.reaction, [0, 0], "D", (0, 0.5), {"B": 18}),
    "harvested_predators": Run(
        strategies.harvested_predators, [1, 0], "p", (0.05, 1), {"p": 0.05}, crossing=True
    ),
    "enzymes": Run(strategies.enzymes, [0, 0], "s0", (0, 60), crossing=True, mirrored=True),
    "lorenz": Run(strategies.lorenz, [0, 0, 0], "rho", (0, 30), crossing=True),
    "brusselator": Run(strategies.brusselator, [2, 0.5], "B", (1, 8)),
    "repeated_crossings": Run(strategies.repeated_crossings, np.zeros(15), "lam", (0.5, 5.5)),
    "allen_cahn": Run(lambda: allen_cahn(10), np.zeros(11), "eps", (0.18, 1)),
    "mittelmann": Run(
        lambda: mittelmann(6), np.full(36, 0.12), "lam", (0.045, 1), {"lam": 0.1},
        without_native=LARGE,
    ),
    "mittelmann, 5 nodes": Run(
        lambda: mittelmann(5), np.full(25, 0.12), "lam", (0.045, 1), {"lam": 0.1}
    ),
    "crossing_lines": Run(crossing_lines, [2], "p", (0, 4), {"p2": 2, "p3": 0}, crossing=True),
    "winged_cusp": Run(winged_cusp, [1.5], "p", (0, 5), {"p": 1.5}),
    "flip": Run(strategies.flip, [0], "p", (-0.5, 0.5)),
    "logistic": Run(logistic, [0], "p", (0.2, 2), crossing=True),
    "henon": Run(henon, [0, 0], "p", (-0.5, 0.5), {"p": 0}),
    "chain": Run(
        lambda: strategies.chain(2), [0.9, 0.9], "lam", (0.1, 3), {"lam": 0.19}, crossing=True
    ),
    "chain of three": Run(
        lambda: strategies.chain(3), [0.99] * 3, "lam", (0.01, 1.5),
        {"lam": 0.99 * (1 - 0.99**3)},
    ),
    "two_layers": Run(
        strategies.two_layers, np.zeros(12), "lam", (0.5, 3.5), {"lam": 3.5},
        direction="backward", without_native=GAUGED,
    ),
    "spiral": Run(spiral, [0, 2.5 * math.pi], "lam", (1e-4, 0.2), {"lam": 1e-3}),
    "quarter_turn": Run(
        quarter_turn, [0, -W, W, 0], "lam", (1e-3, 0.2), {"lam": 1e-3}, {"maximum_norm": 20}
    ),
    "shear": Run(
        shear, np.zeros(9), "lam", (0.5, 5.0), {"lam": 5.0}, direction="backward"
    ),
    "shear, 6 dimensions": Run(
        lambda: shear(6), np.zeros(36), "lam", (2.0, 5.0), {"lam": 5.0}, direction="backward",
        without_native=MATRIX,
    ),
}  # fmt: skip
