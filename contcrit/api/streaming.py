"""Streaming: a branch of any length, written to a file as it is traced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..engine.stream import pieces
from ..errors import SpecificationError
from ..events import Event
from ..results import Branch
from ..settings import Settings
from ..storage.pieces import PieceWriter, joined, thinned
from .finishing import Observable
from .job import Job


def stream(
    problem: Any,
    start: Any,
    parameter: Any,
    span: Sequence[float],
    path: Any,
    *,
    values: Mapping[Any, float] | None = None,
    direction: str = "forward",
    settings: Settings | None = None,
    events: Iterable[Event] = (),
    record: Mapping[str, Observable] | None = None,
    classify: bool = True,
    progress: bool | Callable[[int, float], Any] | None = None,
    piece: int = 20_000,
    keep: int = 2_000,
) -> Branch:
    """Trace a branch in one direction straight into a file, in bounded memory.

    The file is complete after every piece, so that nothing already computed is lost; `load` gives
    the whole branch back, and each piece is a table of its own.

    Parameters
    ----------
    problem, start, parameter, span, values, settings, events, record, classify, progress
        As in `trace`; ``settings.maximum_points`` bounds the points in all.
    path : str or path-like
        The file to write; one that exists is replaced.
    direction : {"forward", "backward"}, optional
        Forward sets out towards larger parameters (default).
    piece : int, optional
        Points written at a time (default 20000).
    keep : int, optional
        About how many points the returned branch keeps (default 2000, at most twice that).

    Returns
    -------
    Branch
        The branch thinned evenly, with all its special points; ``provenance["points"]`` says how
        many points the file holds.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.
    StorageError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile, sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> problem = cc.Problem([p - x**2], [x], [p])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "branch.nc"
    ...     branch = cc.stream(problem, [1], "p", (0.5, 1), path, keep=4)
    ...     len(cc.load(path)) == branch.provenance["points"] > len(branch)
    True
    """
    job = Job(problem, parameter, span, values, settings, events, progress)
    if direction not in ("forward", "backward"):
        raise SpecificationError(
            "direction", direction, "must be 'forward' or 'backward'.", "Stream each way by itself."
        )
    sizes: dict[str, Any] = {"piece": piece, "keep": keep}
    for name, number in sizes.items():
        if not isinstance(number, int) or number < 2:
            raise SpecificationError(name, number, "must be a whole number above 1.", "Enlarge it.")
    finish = job.finisher(record, classify)
    kept: list[Branch] = []
    total, every = 0, 1
    with job.shown():
        found = job.tracer.set_out(job.start(start))
        if isinstance(found, Branch):  # it failed, and says why
            return finish(found)
        system, first, tangent = found
        way = tangent if direction == "forward" else -tangent
        writer = PieceWriter(path)
        for part in pieces(job.tracer, system, first, way, piece, finish):
            writer.append(part)
            total += len(part)
            kept.append(thinned(part, every))
            while sum(len(branch) for branch in kept) > 2 * keep:
                every *= 2
                kept = [thinned(joined(kept), 2)]
    whole = joined(kept)
    return replace(whole, provenance={**whole.provenance, "points": total, "kept_every": every})
