"""Border collisions: which modes a branch can go on in, and what kind of collision that makes.

A branch is a curve in (x, s, parameter). At a border of one kink the next mode is known: see
`modes_pivot`. Several kinks at once are decided here, by trying all modes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from ..system import Family, Mode, ModeLayout, silent_kinks

Array = np.ndarray

TIE = 1e-7
"""Margins below this, in units of 1 + max|z|, are zero at a border."""

TRANSVERSAL = 1e-7
"""Slopes below this share of the tangent's length are too flat to tell a direction."""

SINGULAR = 1e-10
"""Singular values below this share of the largest count as zero."""

MODES = 2200
"""Largest number of modes tried where several kinks meet: seven kinks."""


@dataclass(frozen=True, eq=False)
class HalfBranch:
    """A branch that leaves a border point into one mode.

    Parameters
    ----------
    mode : tuple of int
    full : ndarray of shape (n + m + 1,)
        The point (x, positions, parameter).
    direction : ndarray of shape (n + m + 1,)
        Into the mode; of unit length.
    """

    mode: Mode
    full: Array
    direction: Array

    def plain(self, size: int) -> Array:
        """Return the direction in (x, parameter)."""
        return np.append(self.direction[:size], self.direction[-1])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was found beyond a border.

    Parameters
    ----------
    collision : str
        "persistence", "nonsmooth fold", "exchange", "branching", "end" or "undecided".
    successor : HalfBranch or None
        Where the branch goes on.
    others : tuple of HalfBranch
        Further branches that leave the border point.
    complete : bool
        Whether every mode at the point was decided.
    evidence : dict
    """

    collision: str
    successor: HalfBranch | None = None
    others: tuple[HalfBranch, ...] = ()
    complete: bool = True
    evidence: dict[str, Any] = field(default_factory=dict)


def mode_tangent(family: Family, layout: ModeLayout, full: Array) -> Array | None:
    """Return the unit tangent of a mode's curve as a full direction; None if it is not unique."""
    _, jacobian = family.expansion(full)
    matrix = jacobian[np.ix_(layout.rows, layout.columns)]
    if not np.all(np.isfinite(matrix)):
        return None
    # Rows of unit size: switching functions and equations may be scaled apart.
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if np.any(lengths <= SINGULAR * max(1.0, float(lengths.max(initial=0.0)))):
        return None
    _, values, right = np.linalg.svd(matrix / lengths)
    if values[-1] <= SINGULAR * values[0]:
        return None
    return layout.full_direction(right[-1])


def silent_at(family: Family, full: Array) -> Array:
    """Tell which kinks make no difference near (x, positions, parameter), shape (m,)."""
    values, jacobian = family.expansion(full)
    n = family.size
    return silent_kinks(n, values[n:], jacobian[n:], full)


def waking(family: Family, full: Array, kinks: Array) -> Array:
    """Return the kinks that vanish at a point and stay silent unless one of some others changes."""
    n = family.size
    silent = silent_at(family, full)
    awake = np.zeros_like(silent)
    for kink in kinks:
        for position in (0.0, 0.5, 1.0):
            changed = full.copy()
            changed[n + int(kink)] = position
            awake |= silent & ~silent_at(family, changed)
    return np.flatnonzero(awake)


def moves(size: int, direction: Array) -> bool:
    """Tell whether (x, parameter) moves along a direction, not positions alone."""
    plain = np.append(direction[:size], direction[-1])
    return float(np.linalg.norm(plain)) > TRANSVERSAL * float(np.linalg.norm(direction))


def inward_rate(
    family: Family, layout: ModeLayout, full: Array, direction: Array, kink: int
) -> float:
    """Return how fast a kink's margin, zero at the point, grows along a unit direction."""
    n = layout.size
    side = layout.mode[kink]
    if side == 0:
        rate = float(direction[n + kink])
        return rate if full[n + kink] < 0.5 else -rate
    _, jacobian = family.expansion(full)
    row = jacobian[n + kink]
    return side * float(row @ direction) / max(float(np.linalg.norm(row)), 1e-300)


def solve_positions(family: Family, full: Array, free: Array) -> Array | None:
    """Solve F = 0 for some positions at a fixed (x, parameter); None if there is no solution.

    Positions may leave [0, 1]. They must be unique.
    """
    n = family.size
    full = full.copy()
    columns = n + np.asarray(free, dtype=np.int64)
    for _ in range(12):
        residual, jacobian = family.expansion(full)
        if not np.all(np.isfinite(residual[:n])):
            return None
        size = float(np.max(np.abs(residual[:n])))
        scale = 1.0 + float(np.max(np.abs(jacobian[:n]), initial=0.0))
        if columns.size == 0:
            return full if size <= TIE * scale else None
        block = jacobian[:n, columns]
        values = np.linalg.svd(block, compute_uv=False)
        if len(columns) > n or values[-1] <= 1e-9 * max(values[0], 1e-300) or values[0] == 0:
            return None
        increment = np.linalg.lstsq(block, -residual[:n], rcond=None)[0]
        full[columns] += increment
        if np.max(np.abs(increment)) <= 1e-12:
            break
    residual, jacobian = family.expansion(full)
    scale = 1.0 + float(np.max(np.abs(jacobian[:n]), initial=0.0))
    return full if float(np.max(np.abs(residual[:n]))) <= TIE * scale else None


def half_branches(
    family: Family, base: Mode, full: Array, active: Array
) -> tuple[list[HalfBranch], bool]:
    """Return the branches that leave a point into any mode, and whether all modes were decided.

    Parameters
    ----------
    family : Family
    base : tuple of int
        Sides of the kinks that are not active.
    full : ndarray of shape (n + m + 1,)
    active : ndarray of int
        Kinks whose switching function vanishes at the point.
    """
    found: list[HalfBranch] = []
    if 3 ** len(active) > MODES:
        return found, False
    complete = True
    n = family.size
    for sides in product((-1, 0, 1), repeat=len(active)):
        mode = list(base)
        for kink, side in zip(active, sides, strict=True):
            mode[int(kink)] = side
        layout = ModeLayout(n, tuple(mode))
        point = full.copy()
        point[n:-1] = np.where(np.array(mode) == 0, full[n:-1], layout.positions)
        solved = solve_positions(family, point, layout.free)
        if solved is None:
            complete = complete and not _may_hold(family, layout, point)
            continue
        silent = silent_at(family, solved)[np.asarray(active, dtype=np.int64)]
        if np.any(silent & (np.array(sides) != 1)):
            continue  # the side of a silent kink makes no difference: one stands for all
        held = solved[n + layout.free]
        if np.any(held < -TIE) or np.any(held > 1.0 + TIE):
            continue
        solved[n + layout.free] = np.clip(held, 0.0, 1.0)
        direction = mode_tangent(family, layout, solved)
        if direction is None:
            complete = False
            continue
        if not moves(n, direction):
            continue
        for orientation in (direction, -direction):
            verdict = _enters(family, layout, solved, orientation, active)
            if verdict is None:
                complete = False
            elif verdict:
                found.append(HalfBranch(layout.mode, solved, orientation))
    return found, complete


def _may_hold(family: Family, layout: ModeLayout, full: Array) -> bool:
    """Tell whether a mode without unique positions may still have a branch through the point.

    Positions that are not unique make a segment at the fixed point; its ends belong to modes that
    hold fewer kinks, unless the mode's own curve is not unique.
    """
    n = layout.size
    free = n + layout.free
    residual, jacobian = family.expansion(full)
    if not np.all(np.isfinite(jacobian)) or free.size == 0:
        return not bool(np.all(np.isfinite(residual[:n])))
    block = jacobian[:n, free]
    nearest = lsq_linear(block, block @ full[free] - residual[:n], bounds=(0.0, 1.0))
    scale = 1.0 + float(np.max(np.abs(jacobian[:n])))
    if float(np.sqrt(2.0 * nearest.cost)) > TIE * scale:
        return False
    there = full.copy()
    there[free] = nearest.x
    return mode_tangent(family, layout, there) is None


def _enters(
    family: Family, layout: ModeLayout, full: Array, direction: Array, active: Array
) -> bool | None:
    """Tell whether a direction leads into the mode; None where that is too close to call."""
    n = layout.size
    doubtful = False
    silent = silent_at(family, full)
    for kink in active:
        kink = int(kink)
        if silent[kink]:
            continue
        if layout.mode[kink] == 0 and TIE < full[n + kink] < 1.0 - TIE:
            continue
        rate = inward_rate(family, layout, full, direction, kink)
        if rate < -TRANSVERSAL:
            return False
        doubtful = doubtful or rate <= TRANSVERSAL
    return None if doubtful else True


def several(
    family: Family, layout: ModeLayout, full: Array, active: Array, arriving: Array
) -> Outcome:
    """Decide a border where several kinks meet, by trying every mode of the active ones."""
    n = layout.size
    found, complete = half_branches(family, layout.mode, full, active)
    silent = silent_at(family, full)
    came_in = tuple(1 if silent[k] else side for k, side in enumerate(layout.mode))
    onward = [
        half
        for half in found
        if not (half.mode == came_in and float(half.direction @ arriving) < 0)
    ]
    evidence = {"active": [int(kink) for kink in active], "half_branches": len(found)}
    came = _unit(np.append(arriving[:n], arriving[-1]))
    onward.sort(key=lambda half: -float(_unit(half.plain(n)) @ came))
    if not onward:
        return Outcome("end" if complete else "undecided", None, (), complete, evidence)
    chosen, others = onward[0], tuple(onward[1:])
    if others:
        return Outcome("branching", chosen, others, complete, evidence)
    held = {int(k) for k in active if layout.mode[k] == 0}
    holding = {int(k) for k in active if chosen.mode[k] == 0}
    same = not (held - holding and holding - held)
    return Outcome(
        name_collision(n, arriving, chosen.direction, same), chosen, (), complete, evidence
    )


def name_collision(size: int, arriving: Array, leaving: Array, same: bool) -> str:
    """Return what a border with one way on is called; `same`: no kink gave way to another."""
    if not same:
        return "exchange"
    return "nonsmooth fold" if turns_back(arriving, leaving) else "persistence"


def turns_back(arriving: Array, leaving: Array) -> bool:
    """Tell whether the parameter turns back between two directions."""
    return bool(arriving[-1] * leaving[-1] < 0)


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-300)
