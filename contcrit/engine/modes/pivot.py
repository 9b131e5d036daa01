"""The border of one kink: hold it or release it, and pivot where positions alone move.

A kink that was reached is held from now on, one whose position reached an end is released. Where
only positions move, at a fixed point, the next kink to be released is found by a ratio test, as in
the path-following of piecewise linear equations.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg
from scipy.optimize import brentq

from ...system import Family, ModeLayout
from .border import (
    TIE,
    TRANSVERSAL,
    HalfBranch,
    Outcome,
    inward_rate,
    mode_tangent,
    moves,
    name_collision,
    solve_positions,
)

Array = np.ndarray

_BENDS = 500
"""Short steps along a bent curve of positions."""


def single(
    family: Family, layout: ModeLayout, full: Array, kink: int, end: int, arriving: Array
) -> Outcome | None:
    """Decide a border that one kink reached; None where it is degenerate.

    Parameters
    ----------
    family : Family
    layout : ModeLayout
        Of the mode that ends here.
    full : ndarray of shape (n + m + 1,)
    kink : int
    end : int
        0 if its switching function vanished, else the end that its position reached.
    arriving : ndarray of shape (n + m + 1,)
        The direction in which the branch arrived.
    """
    n = layout.size
    mode, full, entered = list(layout.mode), full.copy(), kink
    released: list[tuple[int, int]] = []
    complete = True
    others: list[HalfBranch] = []
    mode[kink] = 0 if end == 0 else end
    if end != 0:
        released.append((kink, end))
    for _ in range(4 * layout.kinks + 4):
        here = ModeLayout(n, tuple(mode))
        direction = mode_tangent(family, here, full)
        if direction is None:
            return None
        rate = inward_rate(family, here, full, direction, kink)
        if abs(rate) <= TRANSVERSAL:
            return None
        direction = direction if rate > 0 else -direction
        if moves(n, direction):
            successor = HalfBranch(here.mode, full, direction)
            left = released[-1][0] if released else entered
            named = name_collision(n, arriving, direction, left == entered or not released)
            return Outcome(
                "branching" if others else named,
                successor,
                tuple(others),
                complete,
                evidence={"entered": entered, "released": [list(pair) for pair in released]},
            )
        # Only positions move: follow them to the next end.
        hit = _ratio_test(family, here, full, direction)
        if hit is None:
            return None
        if _turns_over(family, here, full, hit[0], direction):
            crossing = hidden_branches(family, here, full, hit[0], direction)
            complete = complete and bool(crossing)
            others.extend(crossing)
        full, kink, end = hit
        mode[kink] = end
        released.append((kink, end))
    return None


def hidden_branches(
    family: Family, layout: ModeLayout, start: Array, stop: Array, direction: Array
) -> list[HalfBranch]:
    """Return the two half-branches that cross the way of positions between two points.

    The way is one branch of the mode's equations; the other follows from the algebraic branching
    equation. Empty where that is degenerate, or the way is not straight.

    References
    ----------
    H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems, 1987, section 5.2.
    """
    n = layout.size
    row = layout.take(direction)

    def matrix(share: float) -> Array:
        _, jacobian = family.expansion(start + share * (stop - start))
        return np.vstack([jacobian[np.ix_(layout.rows, layout.columns)], row])

    if np.max(np.abs(family.expansion(0.5 * (start + stop))[0][:n])) > TIE:
        return []
    scale = max(abs(float(np.linalg.det(matrix(end)))) for end in (0.0, 1.0))
    if not scale > 0.0 or np.linalg.det(matrix(0.0)) * np.linalg.det(matrix(1.0)) >= 0.0:
        return []
    share = brentq(lambda t: float(np.linalg.det(matrix(t))) / scale, 0.0, 1.0, xtol=1e-14)
    full = start + share * (stop - start)
    left, values, right = np.linalg.svd(matrix(share)[:-1])
    if values.size < 1 or (values.size > 1 and values[-2] <= 1e-6 * values[0]):
        return []
    psi, kernel = left[:, -1], right[-2:].T
    along = kernel @ (kernel.T @ row)
    other = kernel @ linalg.null_space((kernel.T @ along)[None, :])[:, 0]
    system = family.system(layout.mode)
    second = system.second(layout.take(full), other)
    mixed, square = float(psi @ (second @ along)), float(psi @ (second @ other))
    if abs(mixed) <= 1e-6 * (float(np.max(np.abs(second))) + 1e-300):
        return []
    tangent = other - (square / (2.0 * mixed)) * along
    unit = layout.full_direction(tangent / np.linalg.norm(tangent))
    if not moves(n, unit):
        return []
    return [HalfBranch(layout.mode, full, unit), HalfBranch(layout.mode, full, -unit)]


def _turns_over(
    family: Family, layout: ModeLayout, start: Array, stop: Array, direction: Array
) -> bool:
    """Tell whether another branch crosses the positions' way between two points.

    The determinant of the mode's equations with the direction's own changes its sign there.
    """
    signs = []
    for full in (start, stop):
        _, jacobian = family.expansion(full)
        matrix = jacobian[np.ix_(layout.rows, layout.columns)]
        signs.append(np.linalg.slogdet(np.vstack([matrix, layout.take(direction)]))[0])
    return bool(signs[0] * signs[1] <= 0)


def next_end(family: Family, layout: ModeLayout, full: Array, direction: Array) -> Array | None:
    """Move positions alone until one or several reach an end; return the point, or None.

    Several that reach their ends together are all set there.
    """
    n, free = layout.size, layout.free
    rates, positions = direction[n + free], full[n + free]
    ends = np.where(rates > 0, 1.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(np.abs(rates) > TRANSVERSAL, (ends - positions) / rates, np.inf)
    if not np.isfinite(np.min(ratios, initial=np.inf)):
        return None
    together = ratios <= float(np.min(ratios)) + TIE
    moved = full.copy()
    moved[n + free] = np.clip(positions + float(np.min(ratios)) * rates, 0.0, 1.0)
    moved[n + free[together]] = ends[together]
    residual, jacobian = family.expansion(moved)
    scale = 1.0 + float(np.max(np.abs(jacobian[:n])))
    if float(np.max(np.abs(residual[:n]))) <= 1e-10 * scale:
        return moved
    bent = _ratio_test(family, layout, full, direction)
    return None if bent is None else bent[0]


def _ratio_test(
    family: Family, layout: ModeLayout, full: Array, direction: Array
) -> tuple[Array, int, int] | None:
    """Move positions until one reaches an end; return the point, the kink and the end.

    F is affine in the positions but for kinks inside others, where their curve may be bent: then
    it is followed in short steps.
    """
    n, free = layout.size, layout.free
    reach = np.inf
    for _ in range(_BENDS):
        rates, positions = direction[n + free], full[n + free]
        ends = np.where(rates > 0, 1.0, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(np.abs(rates) > TRANSVERSAL, (ends - positions) / rates, np.inf)
        order = np.argsort(ratios)
        first = int(order[0])
        if not np.isfinite(ratios[first]):
            return None
        if ratios[first] <= reach:
            if len(order) > 1 and ratios[order[1]] - ratios[first] <= TIE:
                return None
            moved = full.copy()
            moved[n + free] = np.clip(positions + ratios[first] * rates, 0.0, 1.0)
            moved[n + free[first]] = ends[first]
            solved = solve_positions(family, moved, np.delete(free, first))
            if solved is not None and np.all(np.abs(solved[n + free] - 0.5) <= 0.5 + TIE):
                shift = float(np.max(np.abs(solved - moved)))
                if shift <= max(0.2 * ratios[first], TIE):
                    return solved, int(free[first]), 1 if ends[first] == 1.0 else -1
        reach = min(reach, 0.02)
        moved = full.copy()
        moved[n + free] = positions + min(reach, 0.5 * float(ratios[first])) * rates
        leading = int(np.argmax(np.abs(rates)))
        solved = solve_positions(family, moved, np.delete(free, leading))
        if solved is None:
            return None
        turned = mode_tangent(family, layout, solved)
        if turned is None or moves(n, turned):
            return None
        full, direction = solved, turned if float(turned @ direction) > 0 else -turned
    return None
