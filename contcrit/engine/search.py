"""All solutions in a box at a fixed parameter: multistart, deflation, and what may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecificationError, Status
from ..settings import Settings
from ..system import checked_box
from .completeness import completeness, regularity_and_sign
from .deflation import Deflation, FixedParameter, Outcome, deflated_newton
from .orbits import SymmetryGroup, orbit_distance
from .sampling import Starts
from .search_result import SearchResult

__all__ = ["SearchResult", "orbit_distance", "search"]

Array = np.ndarray

DEFLATION_SHARE = 16
"""Widths of the box over the length at which deflation acts.

Longer, and known solutions that surround an unknown one bar the way to it.
"""

ROUNDS = 64
"""Largest number of deflated rounds."""

FRESH_BATCHES = 4
"""Largest number of times that new start points are drawn to confirm that nothing is missing."""

SOLUTIONS = 512
"""Largest number of solutions; more are taken for a continuum."""


@dataclass(eq=False)
class _Solution:
    """One solution as the search knows it."""

    x: Array
    samples: Array
    residual: float
    dimension: int
    regularity: float
    sign: float
    inside: bool
    hits: int = 0


def search(
    system: Any,
    box: Any,
    parameter_value: float,
    *,
    starts: int | Array | None = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    generators: Array | None = None,
    symmetries: Iterable[Any] = (),
) -> SearchResult:
    """Find the solutions of F(x, p) = 0 in a box at a fixed parameter p.

    Parameters
    ----------
    system : System
        The equations; where it has an attribute ``generators``, its continuous symmetries.
    box : array_like of shape (n, 2) or (2,)
        Lower and upper bound of each unknown; one pair serves all.
    parameter_value : float
        The value of p.
    starts : int or array_like of shape (m, n), optional
        Number of Sobol points in the box, or the start points themselves (default
        ``settings.search_starts``).
    settings : Settings, optional
        Tolerances, number of starts and seed.
    executor : concurrent.futures.Executor, optional
        Runs the starts; the system must pickle if it works in other processes. The result does
        not depend on it.
    generators : ndarray of shape (k, n, n + 1), optional
        Continuous symmetries [S | c] instead of those of the system.
    symmetries : iterable of ndarray of shape (n, n) or (n, n + 1), optional
        Discrete symmetries, which map solutions to solutions: copies are reported once.

    Returns
    -------
    SearchResult

    Raises
    ------
    SpecificationError
        If the box, the starts or the symmetries do not fit the system.

    Notes
    -----
    Damped Newton iterations run from all starts, first plainly, then round by round on the
    residual deflated [2]_ at all solutions known so far, until a round from every start, and one
    from midpoints of known solutions, find nothing new. Then as many fresh starts must confirm
    this, plainly and deflated; what they find starts further rounds. Fresh starts are added, up
    to four times, while a solution was reached at most once.

    ``report["believed_complete"]`` asks for all of: the last rounds, from fresh starts, found
    nothing; every solution was reached from two starts or more, so that Good and Turing's
    probability of an unseen one [3]_ and Chao's number of them [1]_ are zero; no solution is
    singular, hence possibly one of a continuum; the Brouwer degree of the box, where it can be
    computed, equals the sum of sign det J over the solutions. It is evidence and no proof: a
    solution that attracts no start at all leaves no trace, unless the degree tells.

    References
    ----------
    .. [1] A. Chao, "Nonparametric estimation of the number of classes in a population",
       Scandinavian Journal of Statistics 11 (1984) 265-270.
    .. [2] P. E. Farrell, A. Birkisson, S. W. Funke, "Deflation techniques for finding distinct
       solutions of nonlinear partial differential equations", SIAM J. Sci. Comput. 37 (2015)
       A2026-A2045.
    .. [3] I. J. Good, "The population frequencies of species and the estimation of population
       parameters", Biometrika 40 (1953) 237-264.
    """
    settings = settings or Settings()
    low, high = checked_box(box, int(system.size))
    value = _checked_parameter(parameter_value)
    if generators is None:
        generators = getattr(system, "generators", None)
    group = SymmetryGroup(int(system.size), generators, symmetries)
    supply = Starts(starts, low, high, settings)
    run = _Search(system, value, low, high, group, settings, executor)

    batch = supply.next()
    run.plain(batch)
    everything, fresh, confirmed = batch, 0, False
    while not run.spent():
        if not confirmed and (run.deflated(everything) or run.between(len(batch))):
            continue
        if not supply.is_random:
            break
        if fresh == FRESH_BATCHES:
            break
        batch = supply.next()
        fresh += 1
        new = run.plain(batch)
        new += 0 if run.spent() else run.deflated(batch)
        everything = np.vstack([everything, batch])
        confirmed = new == 0 and not run.spent()
        if confirmed and not run.has_singletons:
            break
    return run.result(confirmed, supply, len(everything))


class _Search:
    """The solutions so far, and the rounds that add to them."""

    def __init__(
        self,
        system: Any,
        parameter_value: float,
        low: Array,
        high: Array,
        group: SymmetryGroup,
        settings: Settings,
        executor: Executor | None,
    ) -> None:
        self.system = system
        self.equations = FixedParameter(system, parameter_value)
        self.parameter_value = parameter_value
        self.low, self.high = low, high
        width = high - low
        self.region = (low - 1.5 * width, high + 1.5 * width)
        self.group = group
        self.settings = settings
        self.executor = executor
        self.none = Deflation(group, width / DEFLATION_SHARE)
        self.known = Deflation(group, width / DEFLATION_SHARE)
        self.solutions: list[_Solution] = []
        self.rounds = 0
        self.plain_ends: Counter[str] = Counter()
        self.budget = ""

    def spent(self) -> bool:
        """Whether a limit was reached; `budget` then says which."""
        if self.rounds >= ROUNDS:
            self.budget = f"{ROUNDS} deflated rounds"
        if len(self.solutions) >= SOLUTIONS:
            self.budget = f"{SOLUTIONS} solutions"
        return bool(self.budget)

    @property
    def has_singletons(self) -> bool:
        """Whether a solution in the box was reached from at most one start."""
        return any(solution.inside and solution.hits <= 1 for solution in self.solutions)

    def plain(self, starts: Array) -> int:
        """Run Newton's method from every start; return how many solutions are new."""
        outcomes = self._run(starts, self.none)
        self.plain_ends.update(outcome.reason for outcome in outcomes)
        return self._register(outcomes)

    def deflated(self, starts: Array) -> int:
        """Run deflated Newton from every start; return how many solutions are new."""
        self.rounds += 1
        return self._register(self._run(starts, self.known), known=len(self.solutions))

    def between(self, count: int) -> int:
        """Run deflated Newton from midpoints of known solutions; return how many are new.

        Saddles lie between minima, and are often too few starts' goal. What is found has no hits:
        these starts are no sample of the box.
        """
        copies = [copy for solution in self.solutions for copy in self.group.copies(solution.x)]
        pairs = [(i, j) for j in range(len(copies)) for i in range(j)]
        order = np.random.default_rng(self.settings.seed).permutation(len(pairs))[:count]
        middles: list[Array] = []
        for i, j in (pairs[k] for k in order):
            _, near = self.group.nearest(copies[i], self.group.orbit_samples(copies[j]))
            middle = (copies[i] + near) / 2
            scale = 1e-6 * (self.high - self.low)
            if all(np.any(np.abs(middle - other) > scale) for other in middles):
                middles.append(middle)
        if not middles or self.spent():
            return 0
        self.rounds += 1
        before = len(self.solutions)
        return self._register(self._run(np.array(middles), self.known), known=before, weight=0)

    def _run(self, starts: Array, deflation: Deflation) -> list[Outcome]:
        common = (self.system, self.parameter_value, deflation, self.settings, self.region)
        if self.executor is None:
            return _solve_all((*common, starts))
        # Every start is independent of the others, so that the split changes no result.
        pieces = np.array_split(starts, min(len(starts), 16))
        futures = [self.executor.submit(_solve_all, (*common, piece)) for piece in pieces]
        return [outcome for future in futures for outcome in future.result()]

    def _register(self, outcomes: list[Outcome], known: int = 0, weight: int = 1) -> int:
        """Merge outcomes in their order; solutions from position `known` on gain hits."""
        before = len(self.solutions)
        for outcome in outcomes:
            if not outcome.converged or len(self.solutions) >= SOLUTIONS:
                continue
            position = self._find(outcome.x)
            if position is None:
                position = len(self.solutions)
                self.solutions.append(self._describe(outcome))
                self.known.add(self.solutions[-1].x)
            if position >= known:
                self.solutions[position].hits += weight
        return len(self.solutions) - before

    def _find(self, x: Array) -> int | None:
        """Return the position of the known solution whose orbit x belongs to, if any."""
        size = 1.0 + float(np.max(np.abs(x)))
        near = self.settings.merge_tolerance * size * np.sqrt(len(x))
        for position, solution in enumerate(self.solutions):
            distance, copy = self.group.nearest(x, solution.samples)
            if distance <= near:
                return position
            if distance <= 1e-2 * size and solution.regularity < 1e-3 and self._joined(x, copy):
                return position
        return None

    def _joined(self, x: Array, y: Array) -> bool:
        """Return whether the residual cannot tell the segment from x to y from a solution.

        Iterates stop at different distances from a singular solution.
        """
        limit = 1e-3 * self.settings.residual_tolerance
        inner = [x + share * (y - x) for share in (0.25, 0.5, 0.75)]
        return all(float(np.max(np.abs(self.equations.residual(z)))) <= limit for z in inner)

    def _describe(self, outcome: Outcome) -> _Solution:
        """Return the record of a new solution, moved into the box by the group if it can be."""
        x, residual = outcome.x, outcome.residual
        samples = self.group.samples(x)
        if not self._contains(x):
            inside = [sample for sample in samples if self._contains(sample)]
            if inside:
                moved = deflated_newton(
                    self.equations, inside[0], self.none, self.settings, self.region, 10
                )
                if moved.converged and self._contains(moved.x):
                    x, residual = moved.x, moved.residual
        dimension = self.group.orbit_dimension(x)
        regularity, sign = regularity_and_sign(self.equations.jacobian, x, dimension)
        return _Solution(x, samples, residual, dimension, regularity, sign, self._contains(x))

    def _contains(self, x: Array) -> bool:
        slack = 1e-9 * (self.high - self.low)
        return bool(np.all(x >= self.low - slack) and np.all(x <= self.high + slack))

    def result(self, confirmed: bool, supply: Starts, starts: int) -> SearchResult:
        """Return the solutions inside the box, with the report."""
        inside = [solution for solution in self.solutions if solution.inside]
        n = len(self.low)
        if not self.solutions and self.plain_ends["not finite"] == sum(self.plain_ends.values()):
            status = Status.NOT_FINITE
        elif not self.solutions:
            status = Status.NOTHING_FOUND
        else:
            status = Status.BUDGET_SPENT if self.budget else Status.CONVERGED
        hits = np.array([solution.hits for solution in inside], dtype=int)
        regularity = np.array([solution.regularity for solution in inside])
        report = completeness(
            hits=hits,
            regularity=regularity,
            signs=np.array([solution.sign for solution in inside]),
            residual=self.equations.residual,
            box=(self.low, self.high),
            has_orbits=not self.group.is_trivial,
            rank_tolerance=self.settings.rank_tolerance,
            confirmed=confirmed,
            random_starts=supply.is_random,
            budget=self.budget,
        )
        report.update(
            starts=starts,
            plain_ends=dict(sorted(self.plain_ends.items())),
            rounds=self.rounds,
            outside_box=len(self.solutions) - len(inside),
            seed=self.settings.seed,
        )
        return SearchResult(
            points=np.array([solution.x for solution in inside]).reshape(len(inside), n),
            residuals=np.array([solution.residual for solution in inside]),
            hits=hits,
            orbit_dimensions=np.array([solution.dimension for solution in inside], dtype=int),
            copies=np.array([len(self.group.copies(s.x)) for s in inside], dtype=int),
            regularity=regularity,
            status=status,
            report=report,
            names=tuple(self.system.names),
            parameter_value=self.parameter_value,
        )


def _solve_all(task: tuple[Any, ...]) -> list[Outcome]:
    """Run Newton's method from each start of a piece."""
    system, parameter_value, deflation, settings, region, starts = task
    equations = FixedParameter(system, parameter_value)
    outcomes = []
    for start in starts:
        if len(deflation) and deflation.logarithm(start)[0] > 20.0:
            # On top of a known solution the deflated step vanishes: leave in a direction that
            # depends on nothing but the start.
            push = np.random.default_rng(settings.seed).standard_normal(len(start))
            start = start + 1e-2 * deflation.width * push
        outcomes.append(deflated_newton(equations, start, deflation, settings, region))
    return outcomes


def _checked_parameter(value: float) -> float:
    if not (np.ndim(value) == 0 and np.isreal(value) and np.isfinite(value)):
        raise SpecificationError(
            "parameter_value", value, "must be a finite number.", "Give one, such as 0.5."
        )
    return float(value)
