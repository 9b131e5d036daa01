"""Claims about larger lam, where sparse critical points appear: section 5."""

from __future__ import annotations

import numpy as np

from ...contraction.claims import Claim, Outcome
from .claims_instances import (
    Case,
)
from .losses import Penalty, PopulationRegression
from .theory import (
    population_solution,
)

SPARSE = 1.0 / np.pi + 0.75
"""A: the sparse point for w* = (1, 1) and squared l1 is (A / (1 + 2 lam), 0)."""


def _sparse_point(case: Case) -> Outcome:
    """Check from which lam on the penalty holds the push across the axis."""
    lam, unit = case["lam"], PopulationRegression(np.ones(2), Penalty("l1-squared"))
    sparse = np.array([SPARSE / (1.0 + 2.0 * lam), 0.0])
    force = unit.field(sparse, lam)  # with sign(0) = 0
    spare = lam * float(sparse[0]) - abs(float(force[1]))
    if abs(lam - 3 * np.pi / 8) < 1e-9:
        return Outcome(None, detail="at the fold")
    right = (spare > 0) is (lam > 3 * np.pi / 8) and abs(float(force[0])) < 1e-12
    return Outcome(right, abs(spare), f"spare force {spare:.3g} at lam {lam:.4g}")


def _sparse_is_lower(case: Case) -> Outcome:
    lam, unit = case["lam"], PopulationRegression(np.ones(2), Penalty("l1-squared"))
    crossing = (2.0 - SPARSE**2) / (4.0 * (SPARSE**2 - 1.0))
    sparse = np.array([SPARSE / (1.0 + 2.0 * lam), 0.0])
    gain = unit.loss(population_solution(unit, lam), lam) - unit.loss(sparse, lam)
    if abs(gain) < 1e-12:
        return Outcome(None, detail="at the crossing")
    return Outcome((gain > 0) is (lam > crossing), abs(gain), f"gain {gain:.3g} at lam {lam:.4g}")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="sparse-points",
        statement="From lam = 3 pi / 8 on the expected law for squared l1 rests at the sparse "
        "points (A / (1 + 2 lam), 0) too, A = 1 / pi + 3 / 4, which appear in a nonsmooth fold.",
        reference="Theorem 4; section 5, larger lam",
        holds_in="w* = (1, 1), lam up to 4",
        check=_sparse_point,
        instance=lambda draw: {"lam": draw.real(0.0, 4.0)},
    ),
    Claim(
        key="sparse-is-global",
        statement="From lam = (2 - A^2) / (4 (A^2 - 1)) = 1.51946 on the sparse points have the "
        "lower loss.",
        reference="Theorem 4; section 5, larger lam",
        holds_in="w* = (1, 1), squared l1, lam from 3 pi / 8 to 4",
        check=_sparse_is_lower,
        instance=lambda draw: {"lam": draw.real(3 * np.pi / 8, 4.0)},
    ),
)
"""Claims about larger lam."""
