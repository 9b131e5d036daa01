"""Streaming: a branch piece by piece, so that it need not fit into memory.

Each piece is assembled with some points of the piece before it, and keeps the special points of
its own stretch only; together the pieces are the branch that `Tracer.both_ways` would return.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Status
from ..results import Branch
from .assembly import March, joined
from .trace import Tracer
from .walk import ARCLENGTH

Array = np.ndarray

OVERLAP = 16
"""Points of the piece before that a piece is assembled with: more than any event looks at."""


def pieces(
    tracer: Tracer,
    system: Any,
    start: Array,
    tangent: Array,
    size: int,
    finish: Callable[[Branch], Branch],
) -> Iterator[Branch]:
    """Yield a branch in one direction, in pieces of about the given number of points.

    Parameters
    ----------
    tracer : Tracer
    system : System
        Gauged where needed.
    start, tangent : ndarray of shape (n + 1,)
        The first point, and the way to go.
    size : int
        Points a piece.
    finish : callable
        Completes a branch; it sees the overlap too.
    """
    own = tracer.facts(system, start, tangent)
    parts = [March(start[None], tangent[None], own, Status.MAXIMUM_POINTS)]
    known = 0
    low = -np.inf
    for chunk in tracer.chunks(system, start, tangent):
        parts.append(chunk)
        ended = chunk.status is not Status.MAXIMUM_POINTS
        if not ended and sum(len(part.points) for part in parts) < size + known:
            continue
        window = joined(parts)
        yield _piece(tracer, system, window, known, low, ended, finish)
        low = _boundary(window)
        known = min(OVERLAP, len(window.points))
        parts = [
            March(
                window.points[-known:], window.tangents[-known:], window.facts[-known:],
                window.status,
            )
        ]  # fmt: skip
        if ended:
            return
    # The budget of points ran out within a piece, or right at its end.
    yield _piece(tracer, system, joined(parts), known, low, True, finish)


def _boundary(window: March) -> float:
    """Return the arc length up to which a window owns its special points."""
    return float(window.facts[max(len(window.facts) - OVERLAP // 2, 0), ARCLENGTH])


def _piece(
    tracer: Tracer,
    system: Any,
    window: March,
    known: int,
    low: float,
    ended: bool,
    finish: Callable[[Branch], Branch],
) -> Branch:
    """Assemble a window, and cut from it the points and special points that are new."""
    status = (Status.NOT_ASKED_FOR, window.status)
    gears = "+".join(sorted(tracer.gears))
    whole = finish(tracer.assembly.branch(system, window, status, None, 0, gears))
    high = np.inf if ended else _boundary(window)
    new = slice(known, len(whole))
    verdicts = tuple(
        (max(first - known, 0), last - known, verdict)
        for first, last, verdict in whole.verdicts
        if last >= known
    )
    return replace(
        whole,
        z=whole.z[new],
        tangent=whole.tangent[new],
        arclength=whole.arclength[new],
        residual_norm=whole.residual_norm[new],
        iterations=whole.iterations[new],
        columns={name: column[new] for name, column in whole.columns.items()},
        special_points=tuple(s for s in whole.special_points if low < s.arclength <= high),
        verdicts=verdicts,
    )
