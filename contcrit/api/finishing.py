"""Finishing: the observables, verdicts and provenance that a traced branch is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from .. import __version__
from ..criticality.record import Criticality
from ..errors import Status
from ..results import Branch, SpecialPoint
from .points import verdict_of

Array = np.ndarray
Observable = Callable[[Array, Mapping[str, float]], float]


@dataclass(frozen=True)
class Finisher:
    """Completes branches; it pickles where the problem and the recorded functions do.

    Parameters
    ----------
    problem : Problem or MatrixProblem
    parameter : str
    values : mapping
        Values of the other parameters.
    record : mapping of str to callable
        More columns.
    classify : bool
        Whether to judge the stretches between special points.
    """

    problem: Any
    parameter: str
    values: Mapping[str, float]
    record: Mapping[str, Observable]
    classify: bool

    def __call__(self, branch: Branch) -> Branch:
        """Return the branch completed."""
        columns = {**branch.columns, **self._observed(branch)}
        verdicts: tuple[tuple[int, int, Criticality], ...] = ()
        special_points = branch.special_points
        if self.classify and len(branch):
            verdicts, special_points = self._classified(branch)
        return replace(
            branch,
            columns=columns,
            values=dict(self.values),
            verdicts=verdicts,
            special_points=special_points,
            source=self.problem,
            provenance={
                **branch.provenance,
                **getattr(self.problem, "provenance", {}),
                "contcrit": __version__,
                "numpy": np.__version__,
                "seed": branch.settings.seed,
            },
        )

    def _observed(self, branch: Branch) -> dict[str, Array]:
        """Return the problem's observables, all points at once where it can, then the user's."""
        columns: dict[str, Array] = {}
        observe = getattr(self.problem, "observe", None)
        single = {**self.problem.observables, **self.record}
        if observe is not None and len(branch):
            columns = observe(branch.z[:, :-1], {**self.values, self.parameter: branch.z[:, -1]})
            single = dict(self.record)
        for name, function in single.items():
            columns[name] = np.array([function(z[:-1], self._at(z)) for z in branch.z], dtype=float)
        return columns

    def _at(self, z: Array) -> dict[str, float]:
        return {**self.values, self.parameter: float(z[-1])}

    def _classified(
        self, branch: Branch
    ) -> tuple[tuple[tuple[int, int, Criticality], ...], tuple[SpecialPoint, ...]]:
        """Judge one point in the middle of each stretch between special points."""
        cuts = [s.arclength for s in branch.special_points if s.kind != "user"]
        edges = [-math.inf, *sorted(set(cuts)), math.inf]
        verdicts: list[tuple[int, int, Criticality]] = []
        stretches: list[tuple[float, float, Criticality | None]] = []
        for low, high in pairwise(edges):
            inside = np.flatnonzero((branch.arclength > low) & (branch.arclength < high))
            verdict = None
            if inside.size:
                middle = int(inside[inside.size // 2])
                z = branch.z[middle]
                verdict = verdict_of(self.problem, z[:-1], self._at(z), branch.settings)
                verdicts.append((int(inside[0]), int(inside[-1]), verdict))
            stretches.append((low, high, verdict))
        if branch.status[1] is Status.CLOSED_LOOP:  # what ends a loop begins it too
            first, last = stretches[0], stretches[-1]
            stretches[0] = (first[0], first[1], first[2] or last[2])
        special_points = []
        for special in branch.special_points:
            # Only the stretches next to it count; one that holds no accepted point says nothing.
            before = after = None
            for low, high, verdict in stretches:
                if low < special.arclength <= high:
                    before = verdict
                if low <= special.arclength < high:
                    after = verdict
            special_points.append(special.replace(verdict_before=before, verdict_after=after))
        return tuple(verdicts), tuple(special_points)
