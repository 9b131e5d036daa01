"""Diagrams of nonsmooth problems: branch points within modes, and borders where several meet."""

from __future__ import annotations

import numpy as np

from ...results import Branch, SpecialPoint
from ...system import Mode, ModeLayout
from ..branching import Departure, Switch
from ..growth import Growth, Task, seed
from .border import HalfBranch
from .join import Piece
from .start import correct_in_mode
from .tracing import ModeTracer

Array = np.ndarray


class ModeExplorer(Growth):
    """Traces starts, then every branch that leaves a branch point or a border, recursively.

    Parameters
    ----------
    tracer : ModeTracer
        Carries family, span, settings and events.
    """

    def __init__(self, tracer: ModeTracer) -> None:
        super().__init__(tracer, tracer.settings)
        self.family = tracer.family
        self.visited: list[tuple[Mode, Array]] = []

    def take(self, branch: Branch) -> None:
        """Take in the branch through a start, unless it is known."""
        self._add(branch, 0, None)

    def follow(self, task: Task) -> bool:
        """Trace every new branch from a special point; False when the budget is spent."""
        special = self.branches[task.branch].special_points[task.special]
        leave = self._switch if special.kind == "branch-point" else self._leave
        return leave(special, (task.branch, task.special), task.depth)

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
                self.queue.append(Task(position, k, depth))

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
        for pair in self.leaving(switch, special):
            if self.spent():
                return False
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
            if self.spent():
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
