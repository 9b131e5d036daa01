"""Growth: a queue of starts and points to leave from, emptied into the branches of a diagram."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Status
from ..results import Branch, Diagram, SpecialPoint
from ..settings import Settings
from .assembly import March
from .branching import OPPOSITE, Departure, Switch

Array = np.ndarray


@dataclass(eq=False)
class Task:
    """A special point to leave from, by positions, and the generation of its branch."""

    branch: int
    special: int
    depth: int


class Growth(ABC):
    """Traces starts, then follows every task that their branches bring, within a budget.

    Parameters
    ----------
    tracer : Tracer or ModeTracer
    settings : Settings
        ``maximum_branches`` and ``maximum_depth`` are the budget.
    """

    def __init__(self, tracer: Any, settings: Settings) -> None:
        self.tracer = tracer
        self.settings = settings
        self.branches: list[Branch] = []
        self.connections: list[tuple[int, int, int]] = []
        self.queue: deque[Task] = deque()
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
            if self.spent():
                status = Status.BUDGET_SPENT
                break
            branch = self.tracer.trace(start, direction)
            if len(branch) == 0:
                self.report["failed_starts"].append((start.tolist(), branch.status[0].name))
            else:
                self.take(branch)
        while self.queue:
            task = self.queue.popleft()
            if task.depth >= self.settings.maximum_depth:
                status = Status.BUDGET_SPENT
                continue
            if not self.follow(task):
                status = Status.BUDGET_SPENT
                break
        return Diagram(
            branches=tuple(self.branches),
            connections=tuple(self.connections),
            status=status,
            report=self.report,
        )

    def spent(self) -> bool:
        """Tell whether no further branch is allowed."""
        return len(self.branches) >= self.settings.maximum_branches

    def leaving(self, switch: Switch, special: SpecialPoint) -> list[list[Departure]]:
        """Return a branch point's departures, those that go on straight through it in pairs."""
        departures = switch.departures()
        self.report["departures"] += len(departures)
        if not departures:
            reason = "; ".join(switch.failures) or "no new direction"
            self.report["failed_switches"].append((float(special.parameter), reason))
        pairs: list[list[Departure]] = []
        while departures:
            pair = [departures.pop(0)]
            if departures and float(pair[0].direction @ departures[0].direction) < OPPOSITE:
                pair.append(departures.pop(0))
            pairs.append(pair)
        return pairs

    @abstractmethod
    def take(self, branch: Branch) -> None:
        """Take in the branch through a start, unless it is known."""

    @abstractmethod
    def follow(self, task: Task) -> bool:
        """Trace every new branch from a special point; False when the budget is spent."""


def seed(departure: Departure) -> March:
    """Return the march that begins with a departure's first point."""
    return March(
        departure.z[None], departure.tangent[None], departure.facts[None], Status.CONVERGED
    )
