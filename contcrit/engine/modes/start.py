"""Start points of nonsmooth problems: the mode that a guess leads to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np

from ...events.border import Borders
from ...settings import Settings
from ...system import Family, Mode, ModeLayout
from ..kernel import Control
from ..start import correct_start
from .border import TIE

Array = np.ndarray

_NEIGHBOURS = 400
"""Modes tried around a guess when following violated margins leads nowhere."""


def start_in_mode(
    family: Family, mode: Mode, guess: Array, control: Control, settings: Settings
) -> Array | None:
    """Solve one mode's equations at the parameter of the guess (x, parameter); return z or None."""
    layout = ModeLayout(family.size, mode)
    if layout.free.size > family.size:
        return None  # at a fixed parameter no more kinks than unknowns determine a point
    full = np.empty(family.size + family.kinks + 1)
    full[: family.size], full[-1] = guess[:-1], guess[-1]
    full[family.size : -1] = layout.positions
    return correct_in_mode(family, layout, layout.take(full), control, settings)


def correct_in_mode(
    family: Family, layout: ModeLayout, z: Array, control: Control, settings: Settings
) -> Array | None:
    """Solve one mode's equations at the parameter of z from there; return a point or None."""
    with np.errstate(all="ignore"):
        found = correct_start(family.system(layout.mode), z, control, settings)
    return found if found is not None and np.all(np.isfinite(found)) else None


def violations(family: Family, mode: Mode, z: Array) -> list[tuple[int, int]]:
    """Return the kinks (with the end, 0 for a switching function) whose margins are negative."""
    borders = Borders(family, ModeLayout(family.size, mode))
    values = borders.margins(z, np.zeros_like(z))[0][0]
    outside = np.flatnonzero(values < -TIE * borders.scales(z))
    order = outside[np.argsort(values[outside])]
    return [(int(borders.kinks[k]), int(borders.ends[k])) for k in order]


def find_start(
    family: Family, guess: Array, control: Control, settings: Settings, *, wide: bool = True
) -> tuple[Mode, Array] | None:
    """Return a mode and a point of it that solves its equations at the parameter of the guess.

    The guess's own mode comes first. Where its solution lies outside, the violated kinks change:
    one on the wrong side is held, one whose position left [0, 1] is released; then modes around
    the guess are tried, nearest first, unless `wide` is False.
    """
    seen: set[Mode] = set()
    # A guess that a descent method left near a kink belongs on it: ties are judged ever looser.
    for tolerance, changes in product((1e-9, 1e-6, 1e-4, 1e-3), (family.kinks, 1)):
        mode = family.mode_of(guess, tolerance)
        here = guess
        followed: set[Mode] = set()
        for _ in range(4 * family.kinks + 8):
            if mode in followed or (mode in seen and changes > 1):
                break
            followed.add(mode)
            z = start_in_mode(family, mode, here, control, settings)
            if z is None:
                break
            wrong = violations(family, mode, z)
            if not wrong:
                return mode, z
            changed = list(mode)
            for kink, end in wrong[:changes]:
                changed[kink] = end
            mode = tuple(changed)
        seen |= followed
    if not wide:
        return None
    best: tuple[float, Mode, Array] | None = None
    for candidate in _around(family.mode_of(guess, 1e-9), family.kinks):
        if candidate in seen:
            continue
        z = start_in_mode(family, candidate, guess, control, settings)
        if z is None or violations(family, candidate, z):
            continue
        distance = float(np.linalg.norm(z[: family.size] - guess[:-1]))
        if best is None or distance < best[0]:
            best = distance, candidate, z
    return None if best is None else best[1:]


def _around(mode: Mode, kinks: int) -> Iterator[Mode]:
    """Yield modes by the number of kinks that differ, up to the budget."""
    count = 0
    for changes in range(kinks + 1):
        for places in combinations(range(kinks), changes):
            choices = [[side for side in (0, 1, -1) if side != mode[k]] for k in places]
            for sides in product(*choices):
                changed = list(mode)
                for place, side in zip(places, sides, strict=True):
                    changed[place] = side
                yield tuple(changed)
                count += 1
                if count >= _NEIGHBOURS:
                    return
