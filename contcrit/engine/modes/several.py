"""Several kinks at one border: every mode tried, or the path of a perturbed problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...system import Family, ModeLayout
from .border import HalfBranch, Outcome, half_branches, name_collision, silent_at
from .lexicographic import pass_through

Array = np.ndarray

_SAME = 1.0 - 1e-9
"""Cosine from which two directions count as one."""


def several(
    family: Family, layout: ModeLayout, full: Array, active: Array, arriving: Array
) -> Outcome:
    """Decide a border where several kinks meet.

    Every mode of the active kinks is tried, where they are few enough. Where none that first
    derivatives settle leads on, the path of a perturbed problem says where the branch goes.
    """
    n = layout.size
    found, complete = half_branches(family, layout.mode, full, active)
    silent = silent_at(family, full)
    came_in = tuple(1 if silent[k] else side for k, side in enumerate(layout.mode))
    came = _unit(np.append(arriving[:n], arriving[-1]))
    onward = [
        half
        for half in found
        if not (half.mode == came_in and float(half.direction @ arriving) < 0)
        # The way back with other multipliers:
        and not (half.flat and float(_unit(half.plain(n)) @ came) < -_SAME)
    ]
    evidence: dict[str, Any] = {
        "active": [int(kink) for kink in active],
        "half_branches": len(found),
    }
    onward.sort(key=lambda half: (half.flat, -float(_unit(half.plain(n)) @ came)))
    onward = distinct(onward, n)
    if onward and not onward[0].flat:
        chosen = onward[0]
    elif complete:
        return Outcome("end", None, (), complete, evidence)
    else:
        passage = pass_through(family, layout.mode, full, active, arriving)
        evidence["pivots"] = [list(pair) for pair in passage.pivots]
        if passage.successor is None:
            evidence["reason"] = passage.reason
            return Outcome("undecided", None, tuple(onward), complete, evidence)
        evidence["perturbed"] = True
        chosen = passage.successor
        if passage.dimension:
            evidence["dimension"] = passage.dimension
            others = tuple(half for half in onward if not _alike(half, chosen, n))
            return Outcome("continuum", chosen, others, False, evidence)
    others = tuple(half for half in onward if not _alike(half, chosen, n))
    if others:
        return Outcome("branching", chosen, others, complete, evidence)
    held = {int(k) for k in active if layout.mode[k] == 0}
    holding = {int(k) for k in active if chosen.mode[k] == 0}
    same = not (held - holding and holding - held)
    return Outcome(
        name_collision(n, arriving, chosen.direction, same), chosen, (), complete, evidence
    )


def distinct(halves: list[HalfBranch], size: int) -> list[HalfBranch]:
    """Keep one of the flat half-branches that go the same way in (x, parameter); put them last."""
    kept: list[HalfBranch] = []
    for half in sorted(halves, key=lambda half: half.flat):
        if not (half.flat and any(_alike(half, other, size) for other in kept)):
            kept.append(half)
    return kept


def _alike(one: HalfBranch, other: HalfBranch, size: int) -> bool:
    """Tell whether two half-branches go the same way in (x, parameter)."""
    return float(_unit(one.plain(size)) @ _unit(other.plain(size))) > _SAME and (
        one.flat or other.flat or one.mode == other.mode
    )


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-300)
