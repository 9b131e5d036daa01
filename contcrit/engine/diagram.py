"""Diagram: a queue of starts and branch points, emptied into branches without duplicates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..results import Branch, SpecialPoint
from .branching import Departure, Switch
from .corrector import CORRECTED, advance
from .gauge import dropped, gauged, lifted
from .growth import Growth, Task, seed
from .kernel import allocate
from .orbits import SymmetryGroup
from .trace import Tracer

Array = np.ndarray


class Explorer(Growth):
    """Traces starts, then switches at every branch point found, until nothing new appears.

    Parameters
    ----------
    tracer : Tracer
        Carries system, span, settings and events.
    """

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(tracer, tracer.settings)
        self.base = tracer.base
        self.group = SymmetryGroup(self.base.size, getattr(self.base, "generators", None))
        self.depths: list[int] = []
        self.visited: list[Array] = []

    def take(self, branch: Branch) -> None:
        """Take in the branch through a start, unless it is known."""
        if self._known(branch.z[len(branch) // 2]):
            self.report["duplicates"] += 1
        else:
            self._add(branch, 0)

    # ---- one branch point -----------------------------------------------------------------

    def follow(self, task: Task) -> bool:
        """Trace every new branch through one branch point; False when the budget is spent."""
        special = self.branches[task.branch].special_points[task.special]
        if any(self._same_point(special.z, other) for other in self.visited):
            return True
        self.visited.append(special.z)
        self.report["switches"] += 1
        switch = Switch(self.base, special, self.tracer.control, self.settings)
        for pair in self.leaving(switch, special):
            if self.spent():
                return False
            new = [departure for departure in pair if not self._known(departure.plain)]
            self.report["duplicates"] += len(pair) - len(new)
            if not new:
                continue
            branch = self._follow(special, new[0], new[1] if len(new) == 2 else None)
            self.connections.append((task.branch, task.special, len(self.branches)))
            self._add(branch, task.depth + 1)
        return True

    def _follow(
        self, special: SpecialPoint, departure: Departure, opposite: Departure | None
    ) -> Branch:
        """Trace through a branch point from its first points on one or both sides."""
        system = departure.system
        start = lifted(system, special.z)
        weights = self.tracer.weights(system)
        chord = departure.z - start
        if opposite is not None and opposite.system.size == system.size:
            chord = departure.z - opposite.z
        else:
            opposite = None
        tangent = chord / np.sqrt(np.sum(weights * chord * chord))
        seeds = (seed(departure), None if opposite is None else seed(opposite))
        return self.tracer.both_ways(
            system,
            start,
            tangent,
            "forward" if opposite is None else "both",
            singular=replace(special, verdict_before=None, verdict_after=None),
            first=seeds,
        )

    def _add(self, branch: Branch, depth: int) -> None:
        position = len(self.branches)
        self.branches.append(branch)
        self.depths.append(depth)
        for k, special in enumerate(branch.special_points):
            if special.kind == "branch-point":
                self.queue.append(Task(position, k, depth))

    # ---- what is known already --------------------------------------------------------------

    def _same_point(self, one: Array, other: Array) -> bool:
        scale = self.settings.merge_tolerance * (1.0 + float(np.max(np.abs(one))))
        if abs(one[-1] - other[-1]) > 10 * scale:
            return False
        return self.group.distance(one[:-1], other[:-1]) <= 10 * scale

    def _known(self, z: Array) -> bool:
        """Tell whether a point lies on a branch traced already, up to the group."""
        return any(self._lies_on(branch, z) for branch in self.branches)

    def _lies_on(self, branch: Branch, z: Array) -> bool:
        """Correct the branch onto the plane through z and see whether it meets z there."""
        if len(branch) < 2:
            return False
        weights = self.tracer.weights(self.base)
        if self.group.is_trivial:
            gaps = np.sum(weights * (branch.z - z) ** 2, axis=1)
        else:  # the group keeps distances to its fixed points: compare norms first
            sizes = np.linalg.norm(branch.z[:, :-1], axis=1) - np.linalg.norm(z[:-1])
            gaps = weights[0] * sizes**2 + weights[-1] * (branch.z[:, -1] - z[-1]) ** 2
        reach = np.max(np.diff(branch.arclength), initial=0.0)
        near = np.argsort(gaps)[: 2 if self.group.is_trivial else 8]
        for k in near:
            if gaps[k] <= 4.0 * reach**2 and self._meets(branch, int(k), z, weights):
                return True
        return False

    def _meets(self, branch: Branch, k: int, z: Array, weights: Array) -> bool:
        origin = branch.z[k]
        z = np.append(self.group.nearest(origin[:-1], self.group.samples(z[:-1]))[1], z[-1])
        tolerance = 1e-6 * (1.0 + float(np.max(np.abs(z))))
        if np.max(np.abs(z - origin)) <= tolerance:
            return True
        system = gauged(self.base, origin[:-1])
        origin, tangent, goal = (lifted(system, v) for v in (origin, branch.tangent[k], z))
        weights = self.tracer.weights(system)
        step = float(np.sum(weights * tangent * (goal - origin)))
        z_new, tangent_new = np.empty(goal.size), np.empty(goal.size)
        scratch = np.empty((3, goal.size))
        outcome = advance(
            system, origin, tangent, step, weights, self.tracer.control, allocate(system),
            z_new, tangent_new, scratch, False,
        )[0]  # fmt: skip
        if outcome != CORRECTED:
            return False
        z_new = dropped(system, z_new)
        across = self.group.distance(z_new[:-1], z[:-1])
        return bool(max(across, abs(z_new[-1] - z[-1])) <= 10 * tolerance)
