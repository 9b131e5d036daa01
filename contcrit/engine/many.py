"""Many small problems at once: blocks of them run compiled, on several threads.

Compiled code holds no interpreter lock, so that threads of a plain pool run side by side. Unlike
the parallel loops of the compiler, which keep one pool of their own for the whole process, it may
be called from any thread and after a fork. Blocks are handed out as threads become free; since no
problem sees another, neither their number nor their order changes a result.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Status
from ..linalg import metric_weights
from ..results import Branch
from ..settings import Settings
from . import batch, newton
from . import walk as walking
from .deflation import Deflation, FixedParameter, deflated_newton
from .gear import Gear
from .kernel import control_from
from .orbits import SymmetryGroup
from .repayment import seconds
from .trace import _REASONS, Tracer

Array = np.ndarray
Systems = Callable[[int], Any]

SOLVES = 64, 4096
"""Least and largest number of problems of a block for Newton's method."""

TRACES = 1, 8
"""The same for traces."""

SHARE = 8
"""Blocks a thread, at least, where there are enough problems: so that all end together."""

ROWS = 8192
"""Rows of a thread's pool of points; it doubles for a trace that does not fit."""

_ENDS = {
    newton.CONVERGED: Status.CONVERGED,
    newton.OUT_OF_DOMAIN: Status.NOT_FINITE,
    newton.OUT_OF_REGION: Status.LEFT_BOUNDS,
    newton.STALLED: Status.START_FAILED,
}
_WORDS = {
    "converged": newton.CONVERGED,
    "not finite": newton.OUT_OF_DOMAIN,
    "left the region": newton.OUT_OF_REGION,
    "stalled": newton.STALLED,
}
_WHY = {
    **_REASONS,
    walking.FULL: Status.MAXIMUM_POINTS,
    batch.NOT_WALKED: Status.NOT_ASKED_FOR,
}


@dataclass(frozen=True, eq=False)
class Solved:
    """How Newton's method ended for each of m problems.

    Parameters
    ----------
    x : ndarray of shape (m, n)
    residual : ndarray of shape (m,)
    iterations : ndarray of int, shape (m,)
    status : ndarray of Status, shape (m,)
    gear : str
    """

    x: Array
    residual: Array
    iterations: Array
    status: Array
    gear: str


@dataclass(frozen=True, eq=False)
class Walked:
    """The marches of m problems, one after the other.

    Parameters
    ----------
    offsets : ndarray of int, shape (m + 1,)
        Problem k has the rows ``offsets[k]`` to ``offsets[k + 1] - 1``.
    points, tangents : ndarray of shape (rows, n + 1)
    facts : ndarray of shape (rows, 6)
        As the walk records them; where a branch is given, its residual and arc length only.
    origin : ndarray of int, shape (m,)
        Position of each start among its points.
    status : ndarray of Status, shape (m, 2)
    branches : dict of int to Branch
        Whole branches of problems that were not walked in compiled code.
    gear : str
    """

    offsets: Array
    points: Array
    tangents: Array
    facts: Array
    origin: Array
    status: Array
    branches: dict[int, Branch]
    gear: str


def solve_many(
    systems: Systems, z: Array, constants: Array, settings: Settings, threads: int
) -> Solved:
    """Solve F(x, p) = 0 for many starts and values by damped Newton steps.

    Parameters
    ----------
    systems : callable
        Gives the system of problem k.
    z : ndarray of shape (m, n + 1)
        Starts with their parameter.
    constants : ndarray of shape (m, c)
        Values of the other parameters.
    settings : Settings
    threads : int

    Returns
    -------
    Solved
    """
    system = systems(0)
    m, n = len(z), int(system.size)
    high = np.full(n, settings.maximum_norm)
    width = 2.0 * high
    z = z.copy()
    outcomes, iterations = np.full(m, newton.SINGULAR), np.zeros(m, dtype=np.int64)
    residuals = np.full(m, np.inf)
    gears = set()
    if use_native(system, settings, "solve", 10 * m):
        from . import native

        gears.add("native")
        solve = native.compiled_batch().solve
        tolerances = float(settings.newton_tolerance), float(settings.residual_tolerance)

        def run(tools: Any, first: int, last: int) -> None:
            handle, work, own = tools
            solve(
                handle, first, last, z, constants, -high, high, width, *tolerances, work, own,
                outcomes, iterations, residuals,
            )  # fmt: skip

        _in_blocks(run, _tools(system), m, SOLVES, threads)
    group = SymmetryGroup(n, getattr(system, "generators", None), ())
    for k in np.flatnonzero(outcomes == newton.SINGULAR).tolist():
        gears.add("python")
        equations = FixedParameter(systems(k), float(z[k, -1]))
        start = z[k, :-1]
        end = deflated_newton(equations, start, Deflation(group, width), settings, (-high, high))
        z[k, :-1], residuals[k] = end.x, end.residual
        outcomes[k], iterations[k] = _WORDS[end.reason], end.iterations
    words = np.array([_ENDS[outcome] for outcome in range(len(_ENDS))], dtype=object)
    status = words[outcomes]
    return Solved(z[:, :-1].copy(), residuals, iterations, status, "+".join(sorted(gears)))


def trace_many(
    systems: Systems,
    z: Array,
    constants: Array,
    span: tuple[float, float],
    direction: str,
    settings: Settings,
    threads: int,
    tracer: Callable[[int], Any] | None = None,
) -> Walked:
    """Trace many branches over one span.

    Parameters
    ----------
    systems : callable
        Gives the system of problem k.
    z : ndarray of shape (m, n + 1)
        Starts with their parameter.
    constants : ndarray of shape (m, c)
        Values of the other parameters.
    span : tuple of float
    direction : {"both", "forward", "backward"}
    settings : Settings
    threads : int
    tracer : callable, optional
        Gives the tracer of problem k where the general machinery must serve (default: `Tracer` over
        its system); required for problems with kinks, which are not systems.

    Returns
    -------
    Walked
    """
    make = tracer or (lambda k: Tracer(systems(k), span, settings))
    if tracer is not None or not use_native(systems(0), settings, "walk", 100 * len(z)):
        return _traced_singly(make, z, direction)
    return _Walks(systems(0), z, constants, span, direction, settings, threads).run(make)


class _Walks:
    """One run of compiled traces."""

    def __init__(
        self,
        system: Any,
        z: Array,
        constants: Array,
        span: tuple[float, float],
        direction: str,
        settings: Settings,
        threads: int,
    ) -> None:
        from . import native

        self.system = system
        self.code = native.compiled_batch()
        self.starts = z.copy()
        self.tangents = np.zeros_like(self.starts)
        self.constants = constants
        self.direction = direction
        self.settings = settings
        self.threads = threads
        self.control = control_from(settings, span)
        self.weights = metric_weights(int(system.size), settings.theta)
        self.outcomes = np.full(len(z), batch.NOT_READY)
        self.summary = np.zeros((len(z), batch.ENTRIES), dtype=np.int64)
        self.pieces: dict[int, list[tuple[Array, ...]]] = {}

    def run(self, make: Callable[[int], Any]) -> Walked:
        """Correct the starts, with the general machinery's help, and walk."""
        m = len(self.starts)
        _in_blocks(self._start, _tools(self.system), m, SOLVES, self.threads)
        branches: dict[int, Branch] = {}
        for k in np.flatnonzero(self.outcomes != batch.READY).tolist():
            found = make(k).set_out(self.starts[k])
            if isinstance(found, Branch):
                branches[k] = found
            else:
                _, self.starts[k], self.tangents[k] = found
                self.outcomes[k] = batch.READY
        _in_blocks(self._walk, _tools(self.system, ROWS), m, TRACES, self.threads)
        ordered = [piece for first in sorted(self.pieces) for piece in self.pieces[first]]
        points, tangents, facts = (np.concatenate(parts) for parts in zip(*ordered, strict=True))
        status = np.empty((m, 2), dtype=object)
        for k, (_, _, behind, ahead) in enumerate(self.summary.tolist()):
            status[k] = branches[k].status if k in branches else (_WHY[behind], _WHY[ahead])
        offsets = np.concatenate([[0], np.cumsum(self.summary[:, 0])])
        origin = self.summary[:, 1].copy()
        gear = "native+python" if branches else "native"
        return Walked(offsets, points, tangents, facts, origin, status, branches, gear)

    def _start(self, tools: Any, first: int, last: int) -> None:
        handle, work, own = tools
        patient = self.control._replace(newton_iterations=25, newton_growth=1e6)
        self.code.start(
            handle, first, last, self.starts, self.tangents, self.constants, self.weights, patient,
            work, own, self.outcomes,
        )  # fmt: skip

    def _walk(self, tools: Any, first: int, last: int) -> None:
        handle, work, own, pool = tools
        found: list[tuple[Array, ...]] = []
        problem = first
        while problem < last:
            problem, used = self.code.walk(
                handle, problem, last, self.starts, self.tangents, self.outcomes, self.constants,
                self.direction != "backward", self.direction != "forward", self.weights,
                self.control, float(self.settings.step_initial), self.settings.maximum_points,
                work, own, *pool, self.summary,
            )  # fmt: skip
            rows, filled = len(pool[0]), tuple(array[:used] for array in pool)
            if 2 * used > rows:
                found.append(filled)
                pool[:] = _pool(rows, self.starts.shape[1])
            else:
                found.append(tuple(array.copy() for array in filled))
            if used == 0 and problem < last:  # not even one trace fits
                pool[:] = _pool(2 * rows, self.starts.shape[1])
        self.pieces[first] = found


def _traced_singly(make: Callable[[int], Any], z: Array, direction: str) -> Walked:
    """Trace one problem after the other by the general machinery."""
    branches = {k: make(k).trace(start, direction) for k, start in enumerate(z)}
    every = list(branches.values())
    facts = np.zeros((sum(len(branch) for branch in every), walking.FACTS))
    facts[:, walking.ARCLENGTH] = np.concatenate([branch.arclength for branch in every])
    facts[:, walking.RESIDUAL] = np.concatenate([branch.residual_norm for branch in every])
    facts[:, walking.ITERATIONS] = np.concatenate([branch.iterations for branch in every])
    status = np.empty((len(z), 2), dtype=object)
    for k, branch in branches.items():
        status[k] = branch.status
    gears = {name for branch in every for name in branch.provenance.get("gear", "").split("+")}
    return Walked(
        offsets=np.concatenate([[0], np.cumsum([len(branch) for branch in every])]),
        points=np.concatenate([branch.z for branch in every]),
        tangents=np.concatenate([branch.tangent for branch in every]),
        facts=facts,
        origin=np.zeros(len(z), dtype=np.int64),
        status=status,
        branches=branches,
        gear="+".join(sorted(gears - {""})) or "python",
    )


def use_native(system: Any, settings: Settings, function: str, points: int) -> bool:
    """Tell whether compiled code serves: it exists, is allowed, and repays loading it.

    Parameters
    ----------
    system : System
    settings : Settings
    function : {"solve", "walk"}
    points : int
        How many points it would save the Python gear, roughly.

    Raises
    ------
    SpecificationError
        If the gear must be native and the system has no machine code.
    """
    if settings.gear == "python":
        return False
    if len(getattr(system, "generators", ())):
        return False  # solutions come in orbits: phase conditions are the general machinery's
    from . import native

    if settings.gear == "native":
        Gear(system, settings)  # refuses systems without machine code
        return True
    # Machine code is asked for, and so loaded, last.
    if not native.batch_repays(function, seconds(system, points)):
        return False
    return native.handle_of(system) is not None


def available_threads() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _tools(system: Any, rows: int = 0) -> Callable[[], tuple[Any, ...]]:
    """Return what makes the arrays of one thread."""
    from . import native

    def make() -> tuple[Any, ...]:
        found = native.handle_of(system)
        assert found is not None
        size = int(system.size)
        tools = found[0], found[1], newton.batch_work(size)
        return (*tools, _pool(rows, size + 1)) if rows else tools

    return make


def _pool(rows: int, width: int) -> list[Array]:
    return [np.empty((rows, width)), np.empty((rows, width)), np.empty((rows, walking.FACTS))]


def _in_blocks(
    run: Callable[[Any, int, int], None],
    make: Callable[[], Any],
    count: int,
    sizes: tuple[int, int],
    threads: int,
) -> None:
    """Call ``run(tools, first, last)`` for all blocks, each thread with tools of its own."""
    least, most = sizes
    size = min(most, max(least, count // (SHARE * threads)))
    waiting = deque(range(0, count, size))

    def work() -> None:
        tools = make()
        while True:
            try:
                first = waiting.popleft()
            except IndexError:
                return
            run(tools, first, min(first + size, count))

    helpers = min(threads, len(waiting)) - 1
    if helpers <= 0:
        work()
        return
    with ThreadPoolExecutor(helpers) as pool:
        try:
            others = [pool.submit(work) for _ in range(helpers)]
            work()
            for other in others:
                other.result()
        finally:
            waiting.clear()  # where one failed, the others end with the block they are at
