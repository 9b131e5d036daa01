"""Border collisions: which modes a branch can go on in, and what kind of collision that makes.

A branch is a curve in (x, s, parameter). At a border of one kink the next mode is known: see
`pivot`. Several kinks at once are decided here, by trying all modes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from ...events.border import Borders
from ...linalg import as_dense
from ...system import Family, Mode, ModeLayout, silent_kinks

Array = np.ndarray

TIE = 1e-7
"""Margins below this, in units of 1 + max|z|, are zero at a border."""

TRANSVERSAL = 1e-7
"""Slopes below this share of the tangent's length are too flat to tell a direction."""

SINGULAR = 1e-10
"""Singular values below this share of the largest count as zero."""

MODES = 2200
"""Largest number of modes tried where several kinks meet: seven kinks."""


_ZERO = 1e-12
"""Margins up to this, a little along a direction, count as zero all along it."""

_CLEAR = 1e-10
"""Margins above this, a little along a direction, count as positive."""

PROBE = 1e-4
"""How far along a successor a point is corrected to verify it, in units of 1 + max|z|."""


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
    flat : bool
        Whether some margin stays zero along it: it lies within a border.
    """

    mode: Mode
    full: Array
    direction: Array
    flat: bool = False

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
    return tangent_of(family.expansion(full)[1], layout)


def tangent_of(jacobian: Array, layout: ModeLayout) -> Array | None:
    """Return the unit tangent of a mode's curve from the Jacobian of (F, g)."""
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
            # Along a border more than single branches may leave: a set of solutions.
            complete = complete and verdict in ("inside", "outside")
            if verdict in ("inside", "flat"):
                found.append(HalfBranch(layout.mode, solved, orientation, verdict == "flat"))
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
    # The interior-point default leaves a misfit of 1e-5 at ties.
    nearest = lsq_linear(
        block,
        block @ full[free] - residual[:n],
        bounds=(0.0, 1.0),
        method="bvls",
        tol=1e-15,
        max_iter=20 * free.size + 50,
    )
    scale = 1.0 + float(np.max(np.abs(jacobian[:n])))
    if float(np.sqrt(2.0 * nearest.cost)) > TIE * scale:
        return False
    there = full.copy()
    there[free] = nearest.x
    return mode_tangent(family, layout, there) is None


def _enters(
    family: Family, layout: ModeLayout, full: Array, direction: Array, active: Array
) -> str:
    """Tell whether a direction leads "inside" the mode, "outside", or along a border, "flat".

    Where first derivatives do not tell, points further along decide; "unknown" if they do not.
    """
    n = layout.size
    doubtful: list[int] = []
    silent = silent_at(family, full)
    for kink in active:
        kink = int(kink)
        if silent[kink]:
            continue
        if layout.mode[kink] == 0 and TIE < full[n + kink] < 1.0 - TIE:
            continue
        rate = inward_rate(family, layout, full, direction, kink)
        if rate < -TRANSVERSAL:
            return "outside"
        if rate <= TRANSVERSAL:
            doubtful.append(kink)
    if not doubtful:
        return "inside"
    near, far = (probe(family, layout, full, direction, h * PROBE) for h in (1.0, 2.0))
    if near is None or far is None:
        return "unknown"
    borders = Borders(family, layout)
    ends = [0 if layout.mode[k] else -1 if full[n + k] < 0.5 else 1 for k in doubtful]
    told = [
        np.flatnonzero((borders.kinks == kink) & (borders.ends == end))[0]
        for kink, end in zip(doubtful, ends, strict=True)
    ]
    values = np.vstack([near[told], far[told]])
    zero = np.all(np.abs(values) <= _ZERO, axis=0)
    if np.any(values[:, ~zero] < -_CLEAR):
        return "outside"
    if np.any(values[:, ~zero] <= _CLEAR):
        return "unknown"
    return "flat" if np.any(zero) else "inside"


def probe(
    family: Family, layout: ModeLayout, full: Array, direction: Array, distance: float = PROBE
) -> Array | None:
    """Correct a point a little along a direction; return its margins in units of the unknowns.

    Returns
    -------
    ndarray of shape (b,), or None
        None where no point of the mode is found there.
    """
    system: Any = family.system(layout.mode)
    start, unit = layout.take(full), layout.take(direction)
    unit = unit / np.linalg.norm(unit)
    length = distance * (1.0 + float(np.max(np.abs(start))))
    guess = start + length * unit
    point = guess.copy()
    for _ in range(8):
        residual, jacobian = system.residual_and_jacobian(point)
        matrix = np.vstack([as_dense(jacobian), unit])
        right = -np.append(residual, unit @ (point - guess))
        if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
            return None
        increment = np.linalg.lstsq(matrix, right, rcond=None)[0]
        point = point + increment
        if np.max(np.abs(increment)) <= 1e-13 * (1.0 + np.max(np.abs(point))):
            break
    residual, jacobian = system.residual_and_jacobian(point)
    scale = 1.0 + float(np.max(np.abs(as_dense(jacobian))))
    if not np.max(np.abs(residual)) <= 1e-11 * scale or np.linalg.norm(point - guess) > length:
        return None
    borders = Borders(family, layout)
    return borders.margins(point, np.zeros_like(point))[0][0] / borders.scales(point)


def name_collision(size: int, arriving: Array, leaving: Array, same: bool) -> str:
    """Return what a border with one way on is called; `same`: no kink gave way to another."""
    if not same:
        return "exchange"
    return "nonsmooth fold" if turns_back(arriving, leaving) else "persistence"


def turns_back(arriving: Array, leaving: Array) -> bool:
    """Tell whether the parameter turns back between two directions."""
    return bool(arriving[-1] * leaving[-1] < 0)
