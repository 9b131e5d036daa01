"""A stretch of accepted points, between which continuation steps can be taken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..events.base import Bracket, LocalPoint, Signals
from ..settings import Settings
from .between import NUDGES
from .corrector import settle
from .gear import Gear
from .kernel import Control, allocate

Array = np.ndarray


@dataclass(eq=False)
class Stretch:
    """Accepted points of one march, with what is needed to walk between them.

    Parameters
    ----------
    system : System
        The system that was walked, multipliers included.
    weights : ndarray of shape (n + 1,)
    control : Control
    settings : Settings
    signals : Signals
    arclength : ndarray of shape (m,)
    gear : Gear, optional
        What simple special points are located with, and steps taken on, if it is the native one.
    facts : ndarray of shape (m, 6), optional
        What the walk wrote of the points; needed for that.
    """

    system: Any
    weights: Array
    control: Control
    settings: Settings
    signals: Signals
    arclength: Array
    gear: Gear | None = None
    facts: Array | None = None

    def local(self, bracket: Bracket, offset: float, scale: dict[str, float]) -> LocalPoint | None:
        """Take a continuation step of the given offset from the bracket's first point."""
        if offset in (0.0, self.reach(bracket)):
            accepted = self._accepted(bracket, bracket.last if offset else bracket.first, scale)
            if accepted is not None:
                return accepted
        size = self.weights.size
        tangent_new, scratch = np.empty(size), np.empty(size)
        first = bracket.first
        row = self.weights * self.signals.tangent[first]
        for nudge in NUDGES:
            z = self._predict(bracket, offset + nudge * self.signals.step[first])
            settled, sign, log_modulus = self._settle(z, row, tangent_new, scratch)
            if settled:
                origin = self.signals.z[first]
                return LocalPoint(self.system, z, tangent_new, sign, log_modulus, origin, scale)
        return None

    def _settle(
        self, z: Array, row: Array, tangent: Array, scratch: Array
    ) -> tuple[bool, float, float]:
        gear = self.gear
        if gear is not None and gear.settles:
            return gear.settle(z, row, self.weights, self.control, tangent, scratch)
        return settle(self.system, z, row, self.weights, self.control, self._work, tangent, scratch)

    @cached_property
    def _work(self) -> Any:
        """What all steps work in, so that each starts from the factors of the one before."""
        return allocate(self.system)

    def reach(self, bracket: Bracket) -> float:
        """Return the offset of a bracket's last point along the tangent of its first."""
        signals = self.signals
        across = signals.z[bracket.last] - signals.z[bracket.first]
        return float(np.dot(self.weights * signals.tangent[bracket.first], across))

    def _accepted(self, bracket: Bracket, k: int, scale: dict[str, float]) -> LocalPoint | None:
        """Return one of the bracket's ends as the walk left it; None where its sign is unknown."""
        signals = self.signals
        if signals.sign[k] == 0.0:
            return None
        return LocalPoint(
            self.system, signals.z[k].copy(), signals.tangent[k].copy(), float(signals.sign[k]),
            float(signals.log_modulus[k]), signals.z[bracket.first], scale,
        )  # fmt: skip

    def _predict(self, bracket: Bracket, offset: float) -> Array:
        """Return the cubic Hermite interpolant of the branch, in the plane at the given offset.

        Close to a branch point the tangent predictor is farther from its branch than the crossing
        one is; the interpolant between accepted points is closer by orders of magnitude.
        """
        here = slice(bracket.first, bracket.last + 1)
        z, tangent = self.signals.z[here], self.signals.tangent[here]
        row = self.weights * tangent[0]
        nodes = (z - z[0]) @ row
        k = min(max(int(np.searchsorted(nodes, offset)) - 1, 0), len(nodes) - 2)
        width = nodes[k + 1] - nodes[k]
        t = (offset - nodes[k]) / width
        slopes = [tangent[j] * (width / float(tangent[j] @ row)) for j in (k, k + 1)]
        point = (
            (1.0 + 2.0 * t) * (1.0 - t) ** 2 * z[k]
            + t * (1.0 - t) ** 2 * slopes[0]
            + t * t * (3.0 - 2.0 * t) * z[k + 1]
            + t * t * (t - 1.0) * slopes[1]
        )
        return point + (offset - float((point - z[0]) @ row)) * tangent[0]

    def apart(self, bracket: Bracket) -> tuple[Array, Array]:
        """Return accepted points on either side, a usual step away even where steps are tiny."""
        near = self.arclength[bracket.first] - self.distance()
        far = self.arclength[bracket.last] + self.distance()
        first = int(self.arclength.searchsorted(near, side="right")) - 1
        last = int(self.arclength.searchsorted(far, side="left"))
        first, last = min(max(first, 0), bracket.first), max(bracket.last, last)
        return self.signals.z[first], self.signals.z[min(last, len(self.arclength) - 1)]

    def distance(self) -> float:
        """Return the arc length below which points are too close to tell singular from regular."""
        return min(0.02, 2.0 * self.settings.step_initial)
