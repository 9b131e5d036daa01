"""Points where kinks meet: guesses of solutions that no descent from a start point may lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from ...system import Family, ModeLayout

Array = np.ndarray

SETS = 600
"""Sets of kinks whose common zeros are looked for."""

_RANK = 1e-9
"""Gradients whose smallest singular value is below this share of the largest are dependent."""


@dataclass(frozen=True, eq=False)
class Crossings:
    """Common zeros of sets of kinks in a box.

    Attributes
    ----------
    points : ndarray of shape (count, n)
        Without repetitions.
    tried, total : int
        How many sets of at most n kinks were looked at, and how many there are.
    """

    points: Array
    tried: int
    total: int


def crossings(
    family: Family, low: Array, high: Array, value: float, seed: int, budget: int = SETS
) -> Crossings:
    """Return common zeros of sets of at most n kinks: for n kinks the point where they meet.

    Of fewer kinks it is the point of their common zero set near the middle of the box that
    Newton's method of least change leads to.

    Parameters
    ----------
    family : Family
    low, high : ndarray of shape (n,)
        Corners of the box.
    value : float
        Of the parameter.
    seed : int
        Of the choice among sets where there are more than the budget allows.
    budget : int
        Largest number of sets to look at.
    """
    n, m = family.size, family.kinks
    sizes = [k for k in (n, *range(1, n)) if k <= m]
    total = sum(comb(m, k) for k in sizes)
    generator = np.random.default_rng(seed)
    points: list[Array] = []
    tried = 0
    slack = 1e-9 * (high - low)
    for position, size in enumerate(sizes):
        share = max(1, (budget - tried) // (len(sizes) - position))
        if position == 0:  # points where as many kinks meet as there are unknowns come first
            share = max(share, budget // 2)
        for kinks in _sets(m, size, min(share, budget - tried), generator):
            tried += 1
            found = _common_zero(family, kinks, 0.5 * (low + high), value)
            if found is None or np.any(found < low - slack) or np.any(found > high + slack):
                continue
            near = 1e-9 * (1.0 + float(np.max(np.abs(found))))
            if not any(np.max(np.abs(found - other)) <= near for other in points):
                points.append(found)
    return Crossings(np.array(points).reshape(len(points), n), tried, total)


def _sets(kinks: int, size: int, count: int, generator: np.random.Generator) -> Iterator[Array]:
    """Yield sets of kinks: all of them if they are few enough, else random ones."""
    if comb(kinks, size) <= count:
        for chosen in combinations(range(kinks), size):
            yield np.array(chosen)
        return
    for _ in range(count):
        yield np.sort(generator.choice(kinks, size=size, replace=False))


def _common_zero(family: Family, kinks: Array, start: Array, value: float) -> Array | None:
    """Solve g = 0 for some kinks with the least change of x; None if that does not converge."""
    n = family.size
    x = start.copy()
    for _ in range(25):
        here = np.append(x, value)
        sides = family.mode_of(here, 0.0)
        for mode in (tuple(side or 1 for side in sides), (1,) * family.kinks):
            # Behind a relu that is off a kink has no gradient: as if all were on, it has one.
            values, jacobian = family.expansion(ModeLayout(n, mode).full(here))
            g, rows = values[n + kinks], jacobian[n + kinks, :n]
            lengths = np.linalg.norm(rows, axis=1)
            if np.all(lengths > 0):
                break
        if not (np.all(np.isfinite(g)) and np.all(np.isfinite(rows)) and np.all(lengths > 0)):
            return None
        rows, g = rows / lengths[:, None], g / lengths
        sizes = np.linalg.svd(rows, compute_uv=False)
        if sizes[-1] <= _RANK * sizes[0]:
            return None
        if np.max(np.abs(g)) <= 1e-14 * (1.0 + float(np.max(np.abs(x)))):
            return x
        x = x - np.linalg.lstsq(rows, g, rcond=None)[0]
    return x if np.max(np.abs(g)) <= 1e-11 * (1.0 + float(np.max(np.abs(x)))) else None
