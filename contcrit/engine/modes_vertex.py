"""Points on more kinks than their positions can tell apart: one admissible choice of positions.

Where the gradients of the kinks at a point depend on each other, the positions that solve F = 0
there fill a polytope. One of its vertices is taken: as few positions as possible lie strictly
between 0 and 1, and the kinks they belong to are held.
"""

from __future__ import annotations

import numpy as np

from ..system import Family, Mode, ModeLayout
from .modes_border import (
    TIE,
    HalfBranch,
    mode_tangent,
    moves,
    probe,
    silent_at,
    solve_positions,
)
from .modes_lexicographic import pass_through

Array = np.ndarray


def vertex_halves(family: Family, base: Mode, full: Array, active: Array) -> list[HalfBranch]:
    """Return the branches that leave a point both ways in the mode of one vertex: two at most.

    Parameters
    ----------
    family : Family
    base : tuple of int
        Sides of the kinks that are not active.
    full : ndarray of shape (n + m + 1,)
        The point (x, positions, parameter); positions of active kinks are chosen here.
    active : ndarray of int
        Kinks whose switching function vanishes at the point.
    """
    active = np.asarray(active, dtype=np.int64)
    chosen = _vertex(family, base, full, active)
    mode = None if chosen is None else _regular_mode(family, base, chosen, active)
    if chosen is None or mode is None:
        return []
    layout = ModeLayout(family.size, mode)
    tangent = mode_tangent(family, layout, chosen)
    if tangent is None or not moves(family.size, tangent):
        return []
    inside = [_inside(family, layout, chosen, sign * tangent) for sign in (1.0, -1.0)]
    found: list[HalfBranch] = []
    for sign, here, there in zip((1.0, -1.0), inside, reversed(inside), strict=True):
        if here:
            found.append(HalfBranch(mode, chosen, sign * tangent))
        elif there:  # the branch that arrives from the other side goes on somewhere
            passage = pass_through(family, mode, chosen, active, sign * tangent)
            if passage.successor is not None:
                found.append(passage.successor)
    return found


def _vertex(family: Family, base: Mode, full: Array, active: Array) -> Array | None:
    """Return the point with positions at a vertex of those that solve F = 0; None without any."""
    from scipy.optimize import linprog  # slow to import

    n = family.size
    point = full.copy()
    point[n:-1] = ModeLayout(n, base).positions
    point[n + active] = 0.5
    # Generic weights, so that the vertex is unique; F is affine in positions but for inner ones.
    weights = np.random.default_rng(19).uniform(0.5, 1.5, active.size)
    for _ in range(6):
        residual, jacobian = family.expansion(point)
        if not (np.all(np.isfinite(residual[:n])) and np.all(np.isfinite(jacobian[:n]))):
            return None
        slope = jacobian[:n, n + active]
        scale = 1.0 + float(np.max(np.abs(jacobian[:n])))
        found = linprog(
            weights,
            A_eq=slope / scale,
            b_eq=(slope @ point[n + active] - residual[:n]) / scale,
            bounds=(0.0, 1.0),
            method="highs-ds",
        )
        if found.x is None or not found.success:
            return None
        moved = float(np.max(np.abs(found.x - point[n + active]), initial=0.0))
        point[n + active] = np.clip(found.x, 0.0, 1.0)
        if moved <= 1e-12:
            break
    interior = active[(point[n + active] > TIE) & (point[n + active] < 1.0 - TIE)]
    point[n + active] = np.where(
        np.isin(active, interior), point[n + active], point[n + active] > 0.5
    )
    return solve_positions(family, point, interior)


def _regular_mode(family: Family, base: Mode, full: Array, active: Array) -> Mode | None:
    """Return a mode whose equations make a curve through the point, holding few kinks."""
    n = family.size
    jacobian = family.expansion(full)[1]
    positions = full[n:-1]
    sides = list(base)
    silent = silent_at(family, full)
    for k in active:
        s = positions[k]
        sides[k] = 0 if TIE < s < 1.0 - TIE else 1 if s > 0.5 or silent[k] else -1
    candidates = [int(k) for k in active if sides[k] != 0 and not silent[k]]
    for _ in range(n + 1):
        layout = ModeLayout(n, tuple(sides))
        if mode_tangent(family, layout, full) is not None:
            return tuple(sides)
        excess = _kernel(jacobian, layout)
        for k in candidates:
            side, sides[k] = sides[k], 0
            if _kernel(jacobian, ModeLayout(n, tuple(sides))) < excess:
                candidates.remove(k)
                break
            sides[k] = side
        else:
            return None
    return None


def _kernel(jacobian: Array, layout: ModeLayout) -> int:
    """Return the dimension of the kernel of a mode's equations."""
    matrix = jacobian[np.ix_(layout.rows, layout.columns)]
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    values = np.linalg.svd(matrix / np.where(lengths > 1e-12, lengths, np.inf), compute_uv=False)
    return matrix.shape[1] - int(np.sum(values > 1e-9))


def _inside(family: Family, layout: ModeLayout, full: Array, direction: Array) -> bool:
    margins = probe(family, layout, full, direction)
    return margins is not None and bool(np.all(margins >= -1e-10))
