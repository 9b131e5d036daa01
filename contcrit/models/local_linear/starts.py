"""Names for the critical points of a switching pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .data import LocalLinear
from .equilibria import EquilibriumFamily, equilibria


def known_starts(data: LocalLinear) -> Iterator[tuple[str, EquilibriumFamily, str]]:
    """Yield label and note of each family that is no other's border.

    Labels count the data of each neuron, from left to right for inputs on a line, those on the
    kink in the middle.
    """
    used: dict[str, int] = {}
    for family in equilibria(data):
        if family.is_border:
            continue
        label = label_of(data, family)
        used[label] = used.get(label, 0) + 1
        if used[label] > 1:
            label = f"{label} ({used[label]})"
        kind = {0: "isolated", 1: "a family of 1 dimension"}.get(
            family.dimension, f"a family of {family.dimension} dimensions"
        )
        yield label, family, f"V = {family.V:.12g}, {kind}"


def label_of(data: LocalLinear, family: EquilibriumFamily) -> str:
    """Return a family's label, such as ``"1+3"`` or ``"3+1 exchanged"``."""
    sides = np.array(family.pattern)
    counts = [int(np.sum(sides == s)) for s in (1, 0, -1)]
    exchanged = False
    if data.x.shape[1] == 1 and counts[0] and counts[2]:
        exchanged = bool(np.mean(data.x[sides == 1]) > np.mean(data.x[sides == -1]))
        if exchanged:
            counts.reverse()
    parts = [counts[0], counts[2]] if counts[1] == 0 else counts
    return "+".join(map(str, parts)) + (" exchanged" if exchanged else "")
