"""What the studies of this paper share: its table, its example, and the look of figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

import contcrit as cc
from contcrit.models.relu_regression.losses import Penalty, ReluRegression
from contcrit.models.relu_regression.model import EmpiricalProblem
from contcrit.results import SpecialPoint

Array = np.ndarray

SEED = 0
"""Seed of the reference instance."""

W_STAR = np.ones(2)
"""The teacher of the paper's figures."""

LAMS = (0.001, 0.01, 0.1)
"""Strengths of the penalty in Table 1."""

PRINTED: dict[str, dict[tuple[int, int], tuple[float, ...]]] = {
    "l2": {
        (2, 10): (0.912, 0.832, 0.436),
        (2, 20): (0.992, 0.976, 0.578),
        (2, 100): (0.996, 1.0, 0.950),
        (3, 10): (0.852, 0.712, 0.170),
        (3, 20): (0.994, 0.966, 0.342),
        (3, 100): (1.0, 1.0, 0.856),
        (5, 10): (0.452, 0.304, 0.016),
        (5, 20): (0.970, 0.820, 0.112),
        (5, 100): (1.0, 1.0, 0.706),
    },
    "l1": {
        (2, 10): (0.940, 0.912, 0.700),
        (2, 20): (0.970, 0.956, 0.840),
        (2, 100): (0.996, 0.986, 0.880),
        (3, 10): (0.966, 0.972, 0.736),
        (3, 20): (0.998, 0.996, 0.940),
        (3, 100): (1.0, 1.0, 0.962),
        (5, 10): (1.0, 1.0, 0.612),
        (5, 20): (1.0, 1.0, 0.960),
        (5, 100): (1.0, 1.0, 1.0),
    },
}
"""Table 1 of the paper: norm, then (d, N), then the ratio of convergence at each of `LAMS`."""

THEORETICAL = {
    (2, 10): 0.425,
    (2, 20): 0.450,
    (2, 100): 0.450,
    (3, 10): 0.373,
    (3, 20): 0.449,
    (3, 100): 0.450,
    (5, 10): 0.170,
    (5, 20): 0.441,
    (5, 100): 0.450,
}
"""Table 1's third column."""


def reference(norm: str = "l2", sign: int = -1) -> ReluRegression:
    """Return ten inputs in the plane with w* = (1, 1): the reference instance."""
    return ReluRegression(inputs(), W_STAR, Penalty(norm, sign))


def inputs() -> Array:
    """Return the inputs of the reference instance, shape (10, 2)."""
    return np.random.default_rng(SEED).standard_normal((10, 2))


def problem(norm: str, sign: int = -1) -> EmpiricalProblem:
    """Return the reference instance as a problem."""
    found: Any = cc.models.get("relu-regression").build(
        X=inputs(), w_star=W_STAR, norm=norm, regularisation_sign=sign
    )
    return found


def collision(special: SpecialPoint) -> str:
    """Return what a border collision is, such as ``"nonsmooth fold"``."""
    return str(special.evidence["collision"])


def bare(axes: Axes) -> None:
    """Take away the upper and right edges of a frame."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
