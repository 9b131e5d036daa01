"""Isotropy: where a family of orbits shrinks to a fixed solution."""

from __future__ import annotations

import numpy as np

from contcrit.engine.gauge import gauged
from contcrit.events.base import Signals
from contcrit.events.isotropy import EVENT
from tests.strategies import rotated_pitchfork


def brackets(radii: list[float]) -> list[tuple[int, int]]:
    points = np.array([[0.6 * r, 0.8 * r, 0.0] for r in radii])
    system = gauged(rotated_pitchfork(1).compile("p", {}), points[0])
    size = len(radii)
    signals = Signals(
        z=np.zeros((size, 5)),
        tangent=np.zeros((size, 5)),
        sign=np.ones(size),
        log_modulus=np.zeros(size),
        negative=None,
        step=np.ones(size - 1),
        phases=np.array([system.phases(point) for point in points]),
    )
    return [(b.first, b.last) for b in EVENT.brackets(signals)]


def test_passing_through_the_centre_is_bracketed() -> None:
    assert brackets([1.0, 0.5, 0.1, -0.2, -0.8]) == [(2, 3)]
    assert brackets([-1.0, -0.5, 0.5, -0.5]) == [(1, 2), (2, 3)]


def test_shrinking_without_passing_is_not() -> None:
    assert brackets([1.0, 0.1, 1e-3, 0.1, 1.0]) == []
