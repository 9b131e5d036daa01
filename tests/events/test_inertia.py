"""Changes of inertia: one bracket for each eigenvalue that crosses."""

from __future__ import annotations

import numpy as np

from contcrit.events.base import Signals
from contcrit.events.inertia import EVENT


def brackets(negative: list[int] | None) -> list[tuple[int, int, int]]:
    size = 5 if negative is None else len(negative)
    signals = Signals(
        z=np.zeros((size, 2)),
        tangent=np.zeros((size, 2)),
        sign=np.ones(size),
        log_modulus=np.zeros(size),
        negative=None if negative is None else np.array(negative),
        step=np.ones(size - 1),
    )
    return [(b.first, b.last, b.detail) for b in EVENT.brackets(signals)]


def test_each_crossing_eigenvalue_has_its_bracket() -> None:
    assert brackets([2, 2, 2]) == []
    assert brackets([2, 3, 3]) == [(0, 1, 2)]
    assert brackets([3, 2, 2]) == [(0, 1, 2)]
    assert brackets([0, 2, 1]) == [(0, 1, 0), (0, 1, 1), (1, 2, 1)]


def test_unknown_counts_are_bridged() -> None:
    assert brackets([1, -1, -1, 2]) == [(0, 3, 1)]
    assert brackets([1, -1, 1]) == []
    assert brackets([-1, -1]) == []
    assert brackets(None) == []
