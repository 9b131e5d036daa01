"""Points on more kinks than their positions can tell apart: one admissible choice of positions.

Where the gradients of the kinks at a point depend on each other, the positions that solve F = 0
there fill a polytope. One of its vertices is taken: as few positions as possible lie strictly
between 0 and 1, and the kinks they belong to are held.
"""

from __future__ import annotations

import numpy as np

from ...system import Family, Mode, ModeLayout
from .border import (
    TIE,
    HalfBranch,
    mode_tangent,
    moves,
    probe,
    silent_at,
    solve_positions,
)
from .lexicographic import pass_through

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
    chosen = admissible_vertex(family, base, full, active)
    mode = None if chosen is None else regular_mode(family, base, chosen, active)
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


def admissible_vertex(family: Family, base: Mode, full: Array, active: Array) -> Array | None:
    """Return the point with positions at a vertex of those that solve F = 0; None without any."""
    from scipy.optimize import linprog  # slow to import

    n = family.size
    point = full.copy()
    point[n:-1] = ModeLayout(n, base).positions
    point[n + active] = 0.5
    if not _solve_within(family, point, active):
        return None
    # Generic weights, so that the vertex is unique; F is affine in positions but for inner ones.
    weights = np.random.default_rng(19).uniform(0.5, 1.5, active.size)
    vertex = point.copy()
    for _ in range(6):
        residual, jacobian = family.expansion(vertex)
        slope = jacobian[:n, n + active]
        scale = 1.0 + float(np.max(np.abs(slope)))
        found = linprog(
            weights,
            A_eq=slope / scale,
            b_eq=(slope @ vertex[n + active] - residual[:n]) / scale,
            bounds=(0.0, 1.0),
            method="highs-ds",
        )
        if found.x is None or not found.success:
            vertex = point
            break
        moved = float(np.max(np.abs(found.x - vertex[n + active]), initial=0.0))
        vertex[n + active] = np.clip(found.x, 0.0, 1.0)
        if moved <= 1e-12:
            break
    rounded = _rounded(family, vertex, active)
    return _rounded(family, point, active) if rounded is None else rounded


def _solve_within(family: Family, point: Array, active: Array) -> bool:
    """Solve F = 0 for positions in [0, 1], in place; tell whether there is a solution."""
    from scipy.optimize import lsq_linear  # slow to import

    n = family.size
    for _ in range(30):
        residual, jacobian = family.expansion(point)
        if not (np.all(np.isfinite(residual[:n])) and np.all(np.isfinite(jacobian[:n]))):
            return False
        scale = 1.0 + float(np.max(np.abs(jacobian[:n])))
        if float(np.max(np.abs(residual[:n]))) <= 1e-12 * scale:
            return True
        here = point[n + active]
        found = lsq_linear(
            jacobian[:n, n + active],
            -residual[:n],
            bounds=(-here, 1.0 - here),
            method="bvls",
            tol=1e-15,
            max_iter=20 * active.size + 50,
        )
        point[n + active] = np.clip(here + found.x, 0.0, 1.0)
    return float(np.max(np.abs(family.expansion(point)[0][:n]))) <= TIE * scale


def _rounded(family: Family, point: Array, active: Array) -> Array | None:
    """Put positions next to their ends there, and solve for the others."""
    n = family.size
    point = point.copy()
    interior = active[(point[n + active] > TIE) & (point[n + active] < 1.0 - TIE)]
    point[n + active] = np.where(
        np.isin(active, interior), point[n + active], point[n + active] > 0.5
    )
    return solve_positions(family, point, interior)


def regular_mode(family: Family, base: Mode, full: Array, active: Array) -> Mode | None:
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
