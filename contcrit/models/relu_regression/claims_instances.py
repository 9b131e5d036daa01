"""Instances for the claims of the ReLU unit: Gaussian data, as the paper draws them, and others.

An instance is a mapping with X, w_star, norm and sign of a problem, and what its claim needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...contraction.claims import Draw
from ...system import Array
from .losses import Penalty, PopulationRegression, ReluRegression
from .theory import solution

Case = Mapping[str, Any]

SHAPES = ("generic", "duplicates", "opposite")
"""Shapes of inputs whose active rows can have full rank."""

ALL_SHAPES = (*SHAPES, "collinear", "zero row", "one row")

EDGE = 1e-3
"""Closer to a kink than this, or worse conditioned than its inverse, an instance is left open."""


def reference(norm: str = "l2", sign: int = -1) -> dict[str, Any]:
    """Return ten fixed inputs in the plane with w* = (1, 1)."""
    X = np.random.default_rng(0).standard_normal((10, 2))
    return {"X": X, "w_star": np.ones(2), "norm": norm, "sign": sign}


def data_of(case: Case) -> ReluRegression:
    """Return the problem of an instance."""
    return ReluRegression(case["X"], case["w_star"], Penalty(case["norm"], case["sign"]))


def unit_of(case: Case) -> PopulationRegression:
    """Return the population of an instance."""
    return PopulationRegression(case["w_star"], Penalty(case["norm"], case["sign"]))


def seeded(draw: Draw) -> np.random.Generator:
    """Return a generator with a drawn seed: normal numbers, which no `Draw` gives."""
    return np.random.default_rng(draw.integer(0, 2**32 - 1))


def regression(
    draw: Draw,
    *,
    norms: Sequence[str] = ("l2",),
    signs: Sequence[int] = (-1,),
    dimensions: Sequence[int] = (1, 2, 3),
    shapes: Sequence[str] = SHAPES,
    largest: int = 10,
) -> dict[str, Any]:
    """Return inputs of one of the shapes with a Gaussian teacher, and Gaussian weights ``w``."""
    generator, shape = seeded(draw), draw.choice(shapes)
    d, N = draw.choice(dimensions), draw.integer(3, largest)
    X = generator.standard_normal((N, d))
    if shape == "duplicates":
        X[1::2] = X[: len(X[1::2])]
    elif shape == "opposite":
        X[1::2] = -X[: len(X[1::2])]
    elif shape == "collinear":
        X = np.outer(X[:, 0], np.ones(d))
    elif shape == "zero row":
        X[0] = 0.0
    elif shape == "one row":
        X = X[:1]
    return {
        "X": X,
        "w_star": generator.standard_normal(d),
        "norm": draw.choice(norms),
        "sign": draw.choice(signs),
        "w": generator.standard_normal(d),
    }


def population(
    draw: Draw, *, norm: str = "l2", sign: int = -1, largest: int = 4, square: bool = False
) -> dict[str, Any]:
    """Return a teacher, Gaussian or (1, 1), with weights ``w`` in the open ball of Theorem 2."""
    generator = seeded(draw)
    d = 2 if square else draw.integer(2, largest)
    w_star = np.ones(2) if square else generator.standard_normal(d)
    direction = generator.standard_normal(d)
    share = 0.999 * generator.random() ** (1 / d)
    step = share * np.linalg.norm(w_star) * direction / np.linalg.norm(direction)
    return {"w_star": w_star, "norm": norm, "sign": sign, "w": w_star + step}


def regular(data: ReluRegression) -> bool:
    """Tell whether B is well conditioned, and w* off all kinks by a margin."""
    outputs = np.abs(data.X @ data.w_star)
    full = np.linalg.norm(data.X, axis=1) > 0
    B = data.moment()
    return bool(
        np.linalg.matrix_rank(B) == data.dimension
        and np.linalg.cond(B) < 1.0 / EDGE
        and np.min(outputs[full]) > EDGE
        and np.min(np.abs(data.w_star)) > EDGE
    )


def keeps_pattern(data: ReluRegression, lam: float) -> bool:
    """Tell whether the solution with the teacher's pattern has that pattern."""
    found = solution(data, lam)
    return bool(np.array_equal(data.active(found), data.active(data.w_star)))


def size(values: Array) -> float:
    """Return the largest modulus."""
    return float(np.max(np.abs(values)))
