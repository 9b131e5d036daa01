"""One border at the end of a stretch: located to full precision, and decided."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...events.border import Borders
from ...linalg import as_dense
from ...system import Family
from .border import TIE, silent_at, waking
from .join import Collision, Piece
from .pivot import single
from .several import several

Array = np.ndarray


def collide(family: Family, piece: Piece) -> Collision:
    """Locate the border at the end of a stretch to full precision, and say what it is."""
    layout, ending = piece.layout, piece.border()
    assert ending is not None
    borders = Borders(family, layout)
    scales = borders.scales(ending.z)
    values, slopes = borders.margins(ending.z, ending.tangent)
    hit = _closing(values[0] / scales, slopes[0] / scales)
    z, digits = refined(borders, ending.z, hit)
    piece.branch.z[-1] = z
    full = layout.full(z)
    arriving = layout.full_direction(ending.tangent)
    arriving /= np.linalg.norm(arriving)
    silent = silent_at(family, full)[borders.kinks]
    tied = borders.margins(z, ending.tangent)[0][0] <= TIE * scales
    hits = np.flatnonzero(tied & ~silent)
    kinks = np.unique(borders.kinks[hits])
    awake = waking(family, full, kinks)
    outcome = None
    if len(hits) == 1 and awake.size == 0:
        kink, end = int(borders.kinks[hit]), int(borders.ends[hit])
        outcome = single(family, layout, full, kink, end, arriving)
    if outcome is None:
        active = np.union1d(np.union1d(layout.free, kinks), awake)
        outcome = several(family, layout, full, active, arriving)
    return Collision(
        full=full,
        arriving=arriving,
        layout=layout,
        kinks=tuple(int(kink) for kink in kinks),
        outcome=outcome,
        residual=residual_at(family, full),
        digits=digits,
        slope=float(slopes[0, hit]),
    )


def _closing(margins: Array, slopes: Array) -> int:
    """Return which margin closes at a border; others may be zero all along the stretch."""
    tied = np.flatnonzero(margins <= max(float(np.min(margins)), 0.0) + TIE)
    return int(tied[np.argmin(slopes[tied])])


def refined(borders: Borders, z: Array, hit: int) -> tuple[Array, float]:
    """Solve the mode's equations with the margin's own by Newton; return it and the digits."""
    system: Any = borders.family.system(borders.layout.mode)
    point = z.copy()
    for _ in range(8):
        residual, jacobian = system.residual_and_jacobian(point)
        margin = borders.margins(point, np.zeros_like(point))[0][0, hit]
        matrix = np.vstack([as_dense(jacobian), borders.gradient(point, hit)])
        right = -np.append(residual, margin)
        if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
            return z, 0.0
        try:
            increment = np.linalg.solve(matrix, right)
        except np.linalg.LinAlgError:
            return z, 0.0
        point = point + increment
        if np.max(np.abs(increment)) <= 1e-14 * (1.0 + np.max(np.abs(point))):
            break
    else:
        if not np.max(np.abs(increment)) <= 1e-10 * (1.0 + np.max(np.abs(point))):
            return z, 0.0
    distance = float(np.max(np.abs(point - z)) / (1.0 + np.max(np.abs(z))))
    if distance > 1e-4:
        return z, 0.0
    return point, min(16.0, -math.log10(max(distance, 1e-16)))


def residual_at(family: Family, full: Array) -> float:
    """Return the largest modulus of F at (x, positions, parameter)."""
    return float(np.max(np.abs(family.expansion(full)[0][: family.size])))
