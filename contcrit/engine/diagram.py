"""Diagram: a queue of starts and branch points, emptied into branches without duplicates."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import Status
from ..results import Branch, Diagram, SpecialPoint
from .assembly import March
from .branching import OPPOSITE, Departure, Switch
from .corrector import CORRECTED, advance
from .gauge import dropped, gauged, lifted
from .kernel import allocate
from .orbits import SymmetryGroup
from .trace import Tracer

Array = np.ndarray


@dataclass(eq=False)
class _Task:
    branch: int
    special: int
    depth: int


class Explorer:
    """Traces starts, then switches at every branch point found, until nothing new appears.

    Parameters
    ----------
    tracer : Tracer
        Carries system, span, settings and events.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.settings = tracer.settings
        self.base = tracer.base
        self.group = SymmetryGroup(self.base.size, getattr(self.base, "generators", None))
        self.branches: list[Branch] = []
        self.depths: list[int] = []
        self.connections: list[tuple[int, int, int]] = []
        self.visited: list[Array] = []
        self.queue: deque[_Task] = deque()
        self.report: dict[str, Any] = {
            "switches": 0,
            "departures": 0,
            "duplicates": 0,
            "failed_starts": [],
            "failed_switches": [],
        }

    def run(self, starts: Sequence[Array], direction: str = "both") -> Diagram:
        """Return the diagram grown from start points (each an array (n + 1,))."""
        status = Status.COMPLETE
        for start in starts:
            if len(self.branches) >= self.settings.maximum_branches:
                status = Status.BUDGET_SPENT
                break
            branch = self.tracer.trace(start, direction)
            if len(branch) == 0:
                self.report["failed_starts"].append((start.tolist(), branch.status[0].name))
            elif self._known(branch.z[len(branch) // 2]):
                self.report["duplicates"] += 1
            else:
                self._add(branch, 0)
        while self.queue:
            task = self.queue.popleft()
            if task.depth >= self.settings.maximum_depth:
                status = Status.BUDGET_SPENT
                continue
            if not self._switch(task):
                status = Status.BUDGET_SPENT
                break
        return Diagram(
            branches=tuple(self.branches),
            connections=tuple(self.connections),
            status=status,
            report=self.report,
        )

    # ---- one branch point -----------------------------------------------------------------

    def _switch(self, task: _Task) -> bool:
        """Trace every new branch through one branch point; False when the budget is spent."""
        special = self.branches[task.branch].special_points[task.special]
        if any(self._same_point(special.z, other) for other in self.visited):
            return True
        self.visited.append(special.z)
        self.report["switches"] += 1
        switch = Switch(self.base, special, self.tracer.control, self.settings)
        departures = switch.departures()
        self.report["departures"] += len(departures)
        if not departures:
            reason = "; ".join(switch.failures) or "no new direction"
            self.report["failed_switches"].append((float(special.parameter), reason))
        while departures:
            if len(self.branches) >= self.settings.maximum_branches:
                return False
            pair = [departures.pop(0)]
            if departures and float(pair[0].direction @ departures[0].direction) < OPPOSITE:
                pair.append(departures.pop(0))
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
        seeds = (_seed(departure), None if opposite is None else _seed(opposite))
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
                self.queue.append(_Task(position, k, depth))

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


def _seed(departure: Departure) -> March:
    return March(
        departure.z[None], departure.tangent[None], departure.facts[None], Status.CONVERGED
    )
