"""What compiled code can locate by itself, tried before the general machinery."""

from __future__ import annotations

from ..events.base import Bracket, Event
from ..events.branch_point import BranchPoint
from ..events.fold import Fold
from ..events.inertia import Inertia
from ..results import SpecialPoint
from .identification import Hit, Identifier

_SURVEYED = (Fold, BranchPoint, Inertia)
"""Events whose brackets the survey knows."""


class CompiledLocator:
    """Finds simple folds, and branch points where eigenvalues change sides, by compiled code.

    Parameters
    ----------
    host : Identifier
        Knows the points, and makes the records.

    Attributes
    ----------
    found : list of SpecialPoint
        Empty without compiled code.
    clear : bool
        Whether folds, branch points and inertia hold nothing besides.
    settled : set of (int, int)
        Steps whose whole change of inertia is accounted for by what was found in them.
    """

    def __init__(self, host: Identifier) -> None:
        self.found: list[SpecialPoint] = []
        self.clear = False
        self.settled: set[tuple[int, int]] = set()
        self._explained: set[tuple[str, int, int]] = set()
        gear, facts, signals = host.gear, host.facts, host.signals
        if gear is None or facts is None or not gear.locates:
            return
        located, self.clear = gear.survey(
            signals.z, signals.tangent, facts, host.distance(), host.weights, host.control,
            host.settings,
        )  # fmt: skip
        for one in located:
            step = (one.step, one.step + 1)
            self._explained.add((one.kind, *step))
            if one.settled:
                self.settled.add(step)
            reach = (float(host.arclength[step[0]]), float(host.arclength[step[1]]))
            hit = Hit(one.z, one.tangent, reach, one.arclength, one.evidence)
            self.found.append(host.record(one.kind, hit, one.refined, one.residual))

    def covers(self, event: Event) -> bool:
        """Tell whether nothing is left to find for an event."""
        return self.clear and isinstance(event, _SURVEYED)

    def explains(self, event: Event, bracket: Bracket) -> bool:
        """Tell whether nothing is left to find in a bracket."""
        if not isinstance(event, _SURVEYED) or bracket.dip or bracket.limits is not None:
            return False
        return (event.kind, bracket.first, bracket.last) in self._explained
