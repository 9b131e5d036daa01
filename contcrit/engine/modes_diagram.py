"""Diagrams of nonsmooth problems: branch points within modes, and borders where several meet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import Status
from ..results import Branch, Diagram, SpecialPoint
from ..system import Mode, ModeLayout
from .branching import OPPOSITE, Departure, Switch
from .diagram import _seed as seed
from .modes import ModeTracer
from .modes_border import HalfBranch
from .modes_join import Piece
from .modes_start import correct_in_mode

Array = np.ndarray


class ModeExplorer:
    """Traces starts, then every branch that leaves a branch point or a border, recursively.

    Parameters
    ----------
    tracer : ModeTracer
        Carries family, span, settings and events.
    """

    def __init__(self, tracer: ModeTracer) -> None:
        self.tracer = tracer
        self.family = tracer.family
        self.settings = tracer.settings
        self.branches: list[Branch] = []
        self.connections: list[tuple[int, int, int]] = []
        self.visited: list[tuple[Mode, Array]] = []
        self.queue: deque[tuple[int, int, int]] = deque()
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
            else:
                self._add(branch, 0, None)
        while self.queue:
            branch_number, special_number, depth = self.queue.popleft()
            if depth >= self.settings.maximum_depth:
                status = Status.BUDGET_SPENT
                continue
            special = self.branches[branch_number].special_points[special_number]
            origin = (branch_number, special_number)
            follow = self._switch if special.kind == "branch-point" else self._leave
            if not follow(special, origin, depth):
                status = Status.BUDGET_SPENT
                break
        return Diagram(
            branches=tuple(self.branches),
            connections=tuple(self.connections),
            status=status,
            report=self.report,
        )

    def _spent(self) -> bool:
        return len(self.branches) >= self.settings.maximum_branches

    def _add(self, branch: Branch, depth: int, origin: tuple[int, int] | None) -> None:
        modes, positions = branch.columns["mode"], branch.columns["position"]
        # A branch may cross a known one at any single point.
        samples = sorted({len(branch) // 4, len(branch) // 2, 3 * len(branch) // 4})
        if all(
            self._known(tuple(int(side) for side in modes[k]), branch.z[k], positions[k])
            for k in samples
        ):
            self.report["duplicates"] += 1
            return
        position = len(self.branches)
        self.branches.append(branch)
        if origin is not None:
            self.connections.append((*origin, position))
        for k, special in enumerate(branch.special_points):
            meets = special.kind == "border" and special.evidence["collision"] == "branching"
            if special.kind == "branch-point" or meets:
                self.queue.append((position, k, depth))

    # ---- branch points within a mode ----------------------------------------------------

    def _switch(self, special: SpecialPoint, origin: tuple[int, int], depth: int) -> bool:
        """Trace every new branch through a branch point; False when the budget is spent."""
        layout = ModeLayout(self.family.size, tuple(special.evidence["mode"]))
        if self._visited(layout.mode, special.z):
            return True
        self.report["switches"] += 1
        full = np.concatenate([special.x, special.evidence["positions"], special.z[-1:]])
        inner = special.replace(
            z=layout.take(full),
            tangent=np.asarray(special.evidence["mode_tangent"]),
            verdict_before=None,
            verdict_after=None,
        )
        system = self.family.system(layout.mode)
        switch = Switch(system, inner, self.tracer.control, self.settings)
        departures = switch.departures()
        self.report["departures"] += len(departures)
        if not departures:
            reason = "; ".join(switch.failures) or "no new direction"
            self.report["failed_switches"].append((float(special.parameter), reason))
        while departures:
            if self._spent():
                return False
            pair = [departures.pop(0)]
            if departures and float(pair[0].direction @ departures[0].direction) < OPPOSITE:
                pair.append(departures.pop(0))
            positions = [layout.full(departure.z)[layout.size : -1] for departure in pair]
            new = [
                departure
                for departure, held in zip(pair, positions, strict=True)
                if not self._known(layout.mode, layout.plain(departure.z), held)
            ]
            self.report["duplicates"] += len(pair) - len(new)
            if new:
                branch = self._follow(layout, inner, new)
                self._add(branch, depth + 1, origin)
        return True

    def _follow(
        self, layout: ModeLayout, special: SpecialPoint, departures: list[Departure]
    ) -> Branch:
        system = self.family.system(layout.mode)
        tracer = self.tracer.tracer(layout, self.settings.maximum_points)
        weights = tracer.weights(system)
        opposite = departures[1] if len(departures) == 2 else None
        chord = departures[0].z - (special.z if opposite is None else opposite.z)
        branch = tracer.both_ways(
            system,
            special.z,
            chord / np.sqrt(np.sum(weights * chord * chord)),
            "forward" if opposite is None else "both",
            singular=special,
            first=(seed(departures[0]), None if opposite is None else seed(opposite)),
        )
        return self.tracer.grow(self.tracer.admissible(Piece(layout, branch), special.z))

    # ---- borders where several branches meet ----------------------------------------------

    def _leave(self, special: SpecialPoint, origin: tuple[int, int], depth: int) -> bool:
        """Trace the further branches that leave a border; False when the budget is spent."""
        if self._visited((), special.z):
            return True
        self.report["switches"] += 1
        others = special.evidence["others"]
        self.report["departures"] += len(others)
        for other in others:
            if self._spent():
                return False
            full = np.concatenate([special.x, other["positions"], special.z[-1:]])
            half = HalfBranch(tuple(other["mode"]), full, np.asarray(other["direction"]))
            branch = self.tracer.enter(half)
            if len(branch) < 2:
                self.report["failed_switches"].append(
                    (float(special.parameter), branch.status[1].name)
                )
            else:
                self._add(branch, depth + 1, origin)
        return True

    # ---- what is known already --------------------------------------------------------------

    def _visited(self, mode: Mode, z: Array) -> bool:
        scale = 10 * self.settings.merge_tolerance * (1.0 + float(np.max(np.abs(z))))
        if any(m == mode and np.max(np.abs(z - other)) <= scale for m, other in self.visited):
            return True
        self.visited.append((mode, z))
        return False

    def _known(self, mode: Mode, z: Array, positions: Array) -> bool:
        """Tell whether a point lies on a branch traced already, in the same mode."""
        return any(self._lies_on(branch, mode, z, positions) for branch in self.branches)

    def _lies_on(self, branch: Branch, mode: Mode, z: Array, positions: Array) -> bool:
        """Interpolate the branch at the parameter of z, correct, and compare."""
        tolerance = 1e-5 * (1.0 + float(np.max(np.abs(z))))
        same = np.all(branch.columns["mode"] == np.array(mode), axis=1)
        if not np.any(same):
            return False
        full = np.hstack([branch.z[:, :-1], branch.columns["position"], branch.z[:, -1:]])
        goal = np.concatenate([z[:-1], positions, z[-1:]])
        if np.any(np.max(np.abs(full[same] - goal), axis=1) <= tolerance):
            return True
        gap = branch.z[:, -1] - z[-1]
        # A border belongs to the stretch before it: a segment counts if either end is in the mode.
        crossing = (gap[:-1] * gap[1:] <= 0) & (same[:-1] | same[1:])
        reach = np.max(np.abs(np.diff(full, axis=0)), axis=1)
        layout = ModeLayout(self.family.size, mode)
        for k in np.flatnonzero(crossing):
            width = gap[k] - gap[k + 1]
            share = 0.5 if width == 0 else gap[k] / width
            guess = (1.0 - share) * full[k] + share * full[k + 1]
            if np.max(np.abs(guess - goal)) > 0.5 * reach[k] + tolerance:
                continue
            found = correct_in_mode(
                self.family, layout, layout.take(guess), self.tracer.control, self.settings
            )
            if found is not None and np.max(np.abs(found - layout.take(goal))) <= tolerance:
                return True
        return False
