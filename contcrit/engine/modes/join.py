"""Joining the stretches of a branch through several modes into one branch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import Status
from ...events.border import NAME
from ...results import Branch, SpecialPoint
from ...settings import Settings
from ...system import Family, ModeLayout
from .border import HalfBranch, Outcome

Array = np.ndarray


_UPRIGHT = 1e-9
"""Largest parameter component of tangents along a stretch that stands at one parameter value."""


@dataclass(eq=False)
class Piece:
    """A stretch of a branch in one mode.

    Parameters
    ----------
    layout : ModeLayout
    branch : Branch
        In (x, positions of held kinks, parameter).
    """

    layout: ModeLayout
    branch: Branch

    def reversed(self) -> Piece:
        """Return the stretch the other way round."""
        return Piece(self.layout, reverse(self.branch))

    def border(self) -> SpecialPoint | None:
        """Return the border at which the stretch ends, if it does."""
        if self.branch.status[1] is not Status.STOPPED_AT_EVENT or not self.branch.special_points:
            return None
        last = self.branch.special_points[-1]
        return last if is_border(last) else None


@dataclass(frozen=True, eq=False)
class Collision:
    """A border between two stretches, or at the end of the last one.

    Parameters
    ----------
    full : ndarray of shape (n + m + 1,)
        The point, with the positions of the stretch that ends there.
    arriving : ndarray of shape (n + m + 1,)
        The direction in which the branch arrived.
    layout : ModeLayout
        Of that stretch.
    kinks : tuple of int
        The kinks whose margins vanish there.
    outcome : Outcome
    residual, digits : float
    slope : float
        How fast the margin closed, per unit of arc length.
    """

    full: Array
    arriving: Array
    layout: ModeLayout
    kinks: tuple[int, ...]
    outcome: Outcome
    residual: float
    digits: float
    slope: float


def is_border(special: SpecialPoint) -> bool:
    """Tell whether a special point of a stretch is a border of its mode."""
    return bool(special.kind == "user" and special.evidence.get("event") == NAME)


def reverse(branch: Branch) -> Branch:
    """Return a branch the other way round."""
    length = float(branch.arclength[-1]) if len(branch) else 0.0
    special_points = tuple(
        special.replace(
            arclength=length - special.arclength,
            bracket=(length - special.bracket[1], length - special.bracket[0]),
            tangent=-special.tangent,
        )
        for special in reversed(branch.special_points)
    )
    return replace(
        branch,
        z=branch.z[::-1].copy(),
        tangent=-branch.tangent[::-1],
        arclength=length - branch.arclength[::-1],
        residual_norm=branch.residual_norm[::-1].copy(),
        iterations=branch.iterations[::-1].copy(),
        columns={name: column[::-1].copy() for name, column in branch.columns.items()},
        special_points=special_points,
        status=(branch.status[1], branch.status[0]),
    )


def prefix(branch: Branch, count: int, status: Status) -> Branch:
    """Return the first points of a branch."""
    last = float(branch.arclength[count - 1])
    return replace(
        branch,
        z=branch.z[:count],
        tangent=branch.tangent[:count],
        arclength=branch.arclength[:count],
        residual_norm=branch.residual_norm[:count],
        iterations=branch.iterations[:count],
        columns={name: column[:count] for name, column in branch.columns.items()},
        special_points=tuple(s for s in branch.special_points if s.arclength <= last),
        status=(branch.status[0], status),
    )


def extended(branch: Branch, z: Array, tangent: Array, length: float) -> Branch:
    """Return a branch with one more point, at a distance from its last one."""
    return replace(
        branch,
        z=np.vstack([branch.z, z]),
        tangent=np.vstack([branch.tangent, tangent]),
        arclength=np.append(branch.arclength, branch.arclength[-1] + length),
        residual_norm=np.append(branch.residual_norm, branch.residual_norm[-1]),
        iterations=np.append(branch.iterations, 0),
        columns={name: np.append(c, c[-1]) for name, c in branch.columns.items()},
    )


def join(
    family: Family,
    behind: tuple[list[Piece], list[Collision]],
    ahead: tuple[list[Piece], list[Collision]],
    status: tuple[Status, Status],
    span: tuple[float, float],
    settings: Settings,
    provenance: dict[str, Any],
) -> Branch:
    """Return one branch of stretches: those behind the first one (from it outwards), and ahead.

    `ahead` begins with the first stretch; `behind` holds those beyond its beginning. A collision
    without a stretch after it is the end of the branch.
    """
    n = family.size
    pieces: list[Piece] = [piece.reversed() for piece in reversed(behind[0])] + ahead[0]
    collisions: list[tuple[Collision, bool]] = [(c, True) for c in reversed(behind[1])]
    collisions += [(c, False) for c in ahead[1]]
    lead = len(behind[1]) - len(behind[0])  # 1 where the branch begins at a border
    z: list[Array] = []
    tangents: list[Array] = []
    arclength: list[Array] = []
    residual: list[Array] = []
    iterations: list[Array] = []
    modes: list[Array] = []
    positions: list[Array] = []
    columns: dict[str, list[Array]] = {}
    special_points: list[SpecialPoint] = []
    names = sorted({name for piece in pieces for name in piece.branch.columns})
    offset = 0.0
    for number, piece in enumerate(pieces):
        branch, layout = piece.branch, piece.layout
        first = 0 if number == 0 else 1  # the border itself belongs to the stretch before it
        full = layout.full(branch.z)
        z.append(layout.plain(branch.z)[first:])
        tangents.append(layout.plain(branch.tangent)[first:])
        arclength.append(branch.arclength[first:] + offset)
        residual.append(branch.residual_norm[first:])
        iterations.append(branch.iterations[first:])
        count = len(branch) - first
        modes.append(np.tile(np.array(layout.mode, dtype=np.int8), (count, 1)))
        positions.append(full[first:, n:-1])
        for name in names:
            column = branch.columns.get(name)
            missing = np.full(len(branch), -1, dtype=np.int64)
            columns.setdefault(name, []).append((missing if column is None else column)[first:])
        mode = [int(side) for side in layout.mode]
        # Along a stretch at one parameter value its slope is rounding, whose signs mean nothing.
        upright = bool(np.max(np.abs(branch.tangent[:, -1])) <= _UPRIGHT)
        for special in branch.special_points:
            if is_border(special) or (upright and special.kind == "fold"):
                continue
            special_points.append(
                special.replace(
                    z=layout.plain(special.z),
                    tangent=layout.plain(special.tangent),
                    arclength=special.arclength + offset,
                    bracket=(special.bracket[0] + offset, special.bracket[1] + offset),
                    evidence={
                        **special.evidence,
                        "mode": mode,
                        "positions": layout.full(special.z)[n:-1],
                        "mode_tangent": special.tangent,
                    },
                )
            )
        if number == 0 and lead:
            special_points.append(
                _special(family, *collisions[0], 0.0, (0.0, _step(branch.arclength, False)))
            )
        offset += float(branch.arclength[-1])
        place = number + lead
        if place < len(collisions):
            back = _step(branch.arclength, True)
            forth = 0.0
            if number + 1 < len(pieces):
                forth = _step(pieces[number + 1].branch.arclength, False)
            bracket = (offset - back, offset + forth)
            special_points.append(_special(family, *collisions[place], offset, bracket))
    kinks = {"mode": np.concatenate(modes), "position": np.concatenate(positions)}
    gear = sorted({g for piece in pieces for g in piece.branch.provenance["gear"].split("+")})
    return Branch(
        names=family.names,
        parameter=family.parameter,
        z=np.concatenate(z),
        tangent=np.concatenate(tangents),
        arclength=np.concatenate(arclength),
        residual_norm=np.concatenate(residual),
        iterations=np.concatenate(iterations),
        status=status,
        span=span,
        columns={**{k: np.concatenate(v) for k, v in columns.items()}, **kinks},
        special_points=tuple(sorted(special_points, key=lambda special: special.arclength)),
        settings=settings,
        provenance={
            "gauge": 0,
            "gear": "+".join(name for name in gear if name),
            "stretches": len(pieces),
            **provenance,
        },
    )


def _step(arclength: Array, last: bool) -> float:
    if len(arclength) < 2:
        return 0.0
    return float(arclength[-1] - arclength[-2] if last else arclength[1] - arclength[0])


def _special(
    family: Family,
    collision: Collision,
    reversed_order: bool,
    arclength: float,
    bracket: tuple[float, float],
) -> SpecialPoint:
    """Return the special point of a collision, in the order of the joined branch."""
    n, layout, outcome = family.size, collision.layout, collision.outcome
    successor = outcome.successor
    here = [int(side) for side in layout.mode]
    there = None if successor is None else [int(side) for side in successor.mode]
    arriving = float(collision.arriving[-1])
    leaving = None if successor is None else float(successor.direction[-1])
    before, after = (there, here) if reversed_order else (here, there)
    slopes: tuple[float | None, float | None] = (arriving, leaving)
    if reversed_order:
        slopes = (None if leaving is None else -leaving, -arriving)
    others = [_described(half, n) for half in outcome.others]
    tangent = np.append(collision.arriving[:n], collision.arriving[-1])
    return SpecialPoint(
        kind="border",
        z=np.append(collision.full[:n], collision.full[-1]),
        tangent=-tangent if reversed_order else tangent,
        bracket=bracket,
        arclength=arclength,
        residual=collision.residual,
        digits=collision.digits,
        evidence={
            "event": NAME,
            "collision": outcome.collision,
            "kinks": list(collision.kinks),
            "mode_before": before,
            "mode_after": after,
            "parameter_slopes": slopes,
            "margin_slope": collision.slope,
            "positions": collision.full[n:-1].copy(),
            "complete": outcome.complete,
            "others": others,
            **outcome.evidence,
        },
    )


def _described(half: HalfBranch, size: int) -> dict[str, Any]:
    return {
        "mode": [int(side) for side in half.mode],
        "positions": half.full[size:-1].copy(),
        "direction": half.direction.copy(),
    }
