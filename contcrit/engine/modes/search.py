"""All solutions of a nonsmooth problem in a box: every mode searched, or a sample of modes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ...errors import SpecificationError, Status
from ...linalg import as_dense
from ...settings import Settings
from ...system import Family, Mode, ModeLayout, checked_box
from ..kernel import control_from
from ..sampling import Starts
from ..search import search
from ..search_result import SearchResult
from .border import TIE
from .seeds import crossings
from .start import find_start, violations
from .vertex import admissible_vertex, regular_mode

Array = np.ndarray

ALL_MODES = 243
"""Largest number of modes of which every one is searched: five kinks."""

STARTS = 32
"""Start points in each mode that is not linear, unless asked for otherwise."""


@dataclass(eq=False)
class _Found:
    x: Array
    mode: Mode
    residual: float
    hits: int
    regularity: float


def search_modes(
    family: Family,
    box: Any,
    parameter_value: float,
    *,
    starts: int | Array | None = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    symmetries: Iterable[Any] = (),
) -> SearchResult:
    """Find the solutions of a nonsmooth problem in a box at a fixed parameter.

    Parameters
    ----------
    family : Family
    box : array_like of shape (n, 2) or (2,)
    parameter_value : float
    starts : int or array_like of shape (m, n), optional
        Start points of each mode's search (default 32), or of the sample of modes.
    settings, executor
        As for `contcrit.engine.search.search`.
    symmetries : iterable
        Not taken: they would exchange modes.

    Returns
    -------
    SearchResult
        With ``report["modes"]``, the mode of each point, and ``report["all_modes"]``.

    Raises
    ------
    SpecificationError
        If the box does not fit, or symmetries are given.

    Notes
    -----
    Up to five kinks every mode is searched: linear ones by linear algebra, the others by multistart
    and deflation. Solutions outside their mode's borders are dropped. ``believed_complete`` then
    asks that every mode's search is; in a mode without any solution, that fresh starts found none
    either. With more kinks the modes that start points
    lead to are looked at, and the points where kinks meet, for a number of sets of kinks.
    """
    if tuple(symmetries):
        raise SpecificationError(
            "symmetries", symmetries, "are not taken by nonsmooth problems.", "Leave them out."
        )
    settings = settings or Settings()
    low, high = checked_box(box, family.size)
    found: list[_Found] = []
    doubts: list[str] = []
    singular = 0
    everything = 3**family.kinks <= ALL_MODES and (starts is None or np.ndim(starts) == 0)
    if everything:
        modes = list(product((-1, 0, 1), repeat=family.kinks))
        for mode in modes:
            new, doubt = _in_mode(
                family, mode, low, high, parameter_value, starts, settings, executor
            )
            _merge(found, new, settings)
            if doubt:
                doubts.append(f"mode {mode}: {doubt}")
        tried = len(modes)
    else:
        tried = _sample(family, low, high, parameter_value, starts, settings, found)
        meeting = crossings(family, low, high, parameter_value, settings.seed)
        tried += _on_kinks(family, meeting.points, parameter_value, (low, high), settings, found)
        doubts.append(
            f"of {3**family.kinks} modes only those were looked at that starts led to, and the "
            f"points where kinks meet of {meeting.tried} of {meeting.total} sets of kinks"
        )
    singular = sum(1 for one in found if not one.regularity > settings.rank_tolerance)
    if singular:
        doubts.append(f"{singular} of the solutions are singular and may belong to a continuum")
    count = f"{len(found)} solution{'' if len(found) == 1 else 's'} found"
    if doubts:
        shown = "; ".join(doubts[:5]) + (f"; and {len(doubts) - 5} more" if len(doubts) > 5 else "")
        why = f"{count}; not believed complete: {shown}."
    else:
        why = f"{count}; believed complete: each of the {tried} modes was searched to the end."
    n = family.size
    return SearchResult(
        points=np.array([one.x for one in found]).reshape(len(found), n),
        residuals=np.array([one.residual for one in found]),
        hits=np.array([one.hits for one in found], dtype=int),
        orbit_dimensions=np.zeros(len(found), dtype=int),
        copies=np.ones(len(found), dtype=int),
        regularity=np.array([one.regularity for one in found]),
        status=Status.CONVERGED if found else Status.NOTHING_FOUND,
        report={
            "believed_complete": not doubts,
            "why": why,
            "modes": [list(one.mode) for one in found],
            "modes_searched": tried,
            "all_modes": everything,
            "singular": singular,
            "seed": settings.seed,
        },
        names=family.names,
        parameter_value=parameter_value,
    )


def _in_mode(
    family: Family,
    mode: Mode,
    low: Array,
    high: Array,
    value: float,
    starts: Any,
    settings: Settings,
    executor: Executor | None,
) -> tuple[list[_Found], str]:
    """Return the admissible solutions in one mode, and what is doubtful about the list."""
    layout = ModeLayout(family.size, mode)
    held = layout.free.size
    bounds = np.column_stack(
        [np.concatenate([low, np.zeros(held)]), np.concatenate([high, np.ones(held)])]
    )
    system = family.system(mode)
    linear = _linear(system, bounds, value)
    if linear is not None:
        return _of_linear(family, layout, system, linear, bounds, value)
    count = STARTS if starts is None else starts
    result = search(system, bounds, value, starts=count, settings=settings, executor=executor)
    found = []
    for k, u in enumerate(result.points):
        z = np.append(u, value)
        if not violations(family, mode, z):
            hits, regularity = int(result.hits[k]), float(result.regularity[k])
            found.append(
                _Found(u[: family.size], mode, float(result.residuals[k]), hits, regularity)
            )
    report = result.report
    empty = len(result) == 0 and report["last_round_found_nothing"]
    if report["believed_complete"] or (empty and report["degree"] in (None, 0)):
        return found, ""
    return found, str(report["why"]).partition("complete: ")[2].rstrip(".") or result.why


def _linear(system: Any, bounds: Array, value: float) -> tuple[Array, Array] | None:
    """Return matrix and right-hand side of a mode whose Jacobian is the same at random points."""
    generator = np.random.default_rng(0)
    first: Array | None = None
    for _ in range(3):
        u = generator.uniform(bounds[:, 0], bounds[:, 1])
        residual, jacobian = system.residual_and_jacobian(np.append(u, value))
        matrix = as_dense(jacobian)[:, :-1]
        if not (np.all(np.isfinite(residual)) and np.all(np.isfinite(matrix))):
            return None
        if first is None:
            first, right = matrix.copy(), matrix @ u - residual
        elif np.max(np.abs(matrix - first)) > 1e-12 * (1.0 + np.max(np.abs(first))):
            return None
    assert first is not None
    return first, right


def _of_linear(
    family: Family,
    layout: ModeLayout,
    system: Any,
    equations: tuple[Array, Array],
    bounds: Array,
    value: float,
) -> tuple[list[_Found], str]:
    """Return the solution of a linear mode, if it has one inside."""
    matrix, right = equations
    values = np.linalg.svd(matrix, compute_uv=False)
    u = np.linalg.lstsq(matrix, right, rcond=None)[0]
    z = np.append(u, value)
    regularity = float(values[-1] / values[0]) if values[0] > 0 else 0.0
    if regularity <= 1e-12:
        gap = float(np.max(np.abs(matrix @ u - right)))
        if gap > 1e-9 * (1.0 + float(np.max(np.abs(right)))):
            return [], ""  # inconsistent: no solution
        return [], "its equations are linearly dependent, with a continuum of solutions"
    slack = 1e-9 * (bounds[:, 1] - bounds[:, 0])
    inside = np.all(u >= bounds[:, 0] - slack) and np.all(u <= bounds[:, 1] + slack)
    if not inside or violations(family, layout.mode, z):
        return [], ""
    residual = float(np.max(np.abs(system.residual(z))))
    return [_Found(u[: family.size], layout.mode, residual, 1, min(1.0, regularity))], ""


def _sample(
    family: Family,
    low: Array,
    high: Array,
    value: float,
    starts: Any,
    settings: Settings,
    found: list[_Found],
) -> int:
    """Add the solutions that start points lead to; return in how many modes they lie."""
    control = control_from(settings, (value - 1.0, value + 1.0))
    modes: set[Mode] = set()
    for point in Starts(starts, low, high, settings).next():
        result = find_start(family, np.append(point, value), control, settings, wide=False)
        if result is None:
            continue
        mode, z = result
        x = z[: family.size]
        modes.add(mode)
        slack = 1e-9 * (high - low)
        if np.all(x >= low - slack) and np.all(x <= high + slack):
            system: Any = family.system(mode)
            residual, jacobian = system.residual_and_jacobian(z)
            values = np.linalg.svd(as_dense(jacobian)[:, :-1], compute_uv=False)
            regularity = float(values[-1] / max(values[0], 1e-300))
            size = float(np.max(np.abs(residual)))
            _merge(found, [_Found(x, mode, size, 1, regularity)], settings)
    return len(modes)


def _on_kinks(
    family: Family,
    points: Array,
    value: float,
    box: tuple[Array, Array],
    settings: Settings,
    found: list[_Found],
) -> int:
    """Add the solutions at points where kinks meet, or near them; return in how many modes."""
    control = control_from(settings, (value - 1.0, value + 1.0))
    modes: set[Mode] = set()
    slack = 1e-9 * (box[1] - box[0])
    for point in points:
        guess = np.append(point, value)
        mode = family.mode_of(guess, TIE)
        active = np.flatnonzero(np.array(mode) == 0)
        full = ModeLayout(family.size, tuple(side or 1 for side in mode)).full(guess)
        vertex = admissible_vertex(family, mode, full, active) if active.size else None
        if vertex is not None:
            regular = regular_mode(family, mode, vertex, active)
            held = regular or tuple(
                side or (1 if vertex[family.size + k] > 0.5 else -1) for k, side in enumerate(mode)
            )
            z = ModeLayout(family.size, held).take(vertex)
        else:
            result = find_start(family, guess, control, settings, wide=False)
            if result is None:
                continue
            held, z = result
        x = z[: family.size]
        if np.any(x < box[0] - slack) or np.any(x > box[1] + slack):
            continue
        modes.add(held)
        system: Any = family.system(held)
        residual, jacobian = system.residual_and_jacobian(z)
        values = np.linalg.svd(as_dense(jacobian)[:, :-1], compute_uv=False)
        regularity = float(values[-1] / max(values[0], 1e-300))
        _merge(found, [_Found(x, held, float(np.max(np.abs(residual))), 1, regularity)], settings)
    return len(modes)


def _merge(found: list[_Found], new: list[_Found], settings: Settings) -> None:
    """Add solutions; one that lies on a border belongs to several modes and is listed once."""
    for one in new:
        near = max(settings.merge_tolerance, TIE) * (1.0 + float(np.max(np.abs(one.x))))
        for position, other in enumerate(found):
            if np.max(np.abs(one.x - other.x)) <= near:
                found[position] = replace(other, hits=other.hits + one.hits)
                break
        else:
            found.append(one)
