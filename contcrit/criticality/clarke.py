"""What a point of a nonsmooth function is: Clarke critical, stationary, minimum, saddle."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..errors import SpecificationError
from .arguments import check_positive, gauge_vectors, orthonormal_rows
from .cells import CellSearch, number_of_cells
from .hessian import classify_hessian
from .lift import analyse_lift
from .pieces import LiftablePieces, Pieces, domain_rows, has_affine_cells
from .record import Criticality
from .second_order import (
    Curvature,
    curvature_of_cells,
    curvature_of_flat_cells,
    curvature_of_independent_kinks,
)
from .separable import Separable, all_rows, separable_stationarity, separate
from .stationarity import (
    Stationarity,
    stationarity_of_cells,
    stationarity_of_zonotope,
    stationarity_with_convex_outputs,
)
from .subdifferential import Subdifferential, clarke_subdifferential
from .thresholds import Thresholds
from .verdict import (
    first_order_verdict,
    nondegenerate_verdict,
    record_first_order,
    second_order_verdict,
    undecided,
)

Array = np.ndarray

RANDOM_PATTERNS = 4
"""Random sign patterns that help to size the gradients."""


def classify_pieces(
    pieces: Pieces,
    *,
    gauge: Array | None = None,
    tolerance: float = 1e-8,
    time_limit: float = 10.0,
    budget: int = 2000,
) -> Criticality:
    """Classify a point of a continuous, piecewise smooth function.

    Parameters
    ----------
    pieces : Pieces
        The function at the point: its active kinks, and its smooth pieces' derivatives.
    gauge : array_like of shape (k, n), optional
        Tangent vectors of the orbits of continuous symmetries at the point.
    tolerance : float
        Share of the gradients' (and Hessians') size that counts as zero (default 1e-8). A number
        within a factor of 100 of that decides nothing.
    time_limit : float
        Seconds of wall-clock time after which enumerations stop (default 10).
    budget : int
        Largest number of cells to enumerate (default 2000).

    Returns
    -------
    Criticality
        `Criticality.kind` is one of `NONSMOOTH_KINDS`. The evidence holds ``critical`` (whether 0
        is a Clarke subgradient), ``directionally_stationary``, ``local_minimum`` and
        ``local_maximum``, each True, False or None when undecided; ``method``; ``active``, the
        numbers of active kinks on each level; ``cells``; and the certificates: ``signs`` with
        ``weights``, or ``positions``, of a vanishing subgradient, ``separating_direction``,
        ``descent_direction`` and ``ascent_direction``, with ``hull_distance`` and its proved
        lower bound ``hull_distance_bound``.

    Raises
    ------
    SpecificationError
        If a tolerance, limit or budget is not positive, gauge vectors do not fit, or the pieces
        have a domain: the classifier looks at all directions.

    Notes
    -----
    Only proofs count: a minimum is reported when every cell was looked at, ``"not critical"`` when
    a direction ascends on every possible piece. `index` and `inertia` are stated where the kinks
    are independent and hold strictly: a kink at which the function falls to both sides counts as
    one negative direction, one at which it rises to both sides as a positive one, and the rest is
    the Hessian on the active manifold (the Morse index of a non-degenerate nonsmooth critical
    point [2]_).

    References
    ----------
    .. [1] F. H. Clarke, "Optimization and Nonsmooth Analysis", SIAM, 1990, chapter 2.
    .. [2] H. Th. Jongen and D. Pallaschke, "On linearization and continuous selections of
       functions", Optimization 19 (1988) 343-353.

    Examples
    --------
    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> print(classify_pieces(ArrayPieces([-1.0], [[1.0]], [2.0])))  # |x| at 0
    sharp minimum (index 0)
    >>> valley = classify_pieces(ArrayPieces([1.0], [[1.0]], [-2.0]))  # -|x| at 0
    >>> valley.kind, valley.evidence["critical"], valley.evidence["directionally_stationary"]
    ('maximum', True, False)
    """
    check_positive(tolerance=tolerance, time_limit=time_limit, budget=budget)
    n = pieces.size
    orbit = orthonormal_rows(gauge_vectors("gauge", gauge, n), 1e-7)
    if len(domain_rows(pieces)):
        raise SpecificationError(
            "pieces", "a domain", "must not be restricted to a cone.", "Leave out the domain."
        )
    deadline = time.monotonic() + time_limit
    m = sum(pieces.levels)
    evidence: dict[str, Any] = {
        "active": tuple(pieces.levels),
        "critical": None,
        "directionally_stationary": None,
        "local_minimum": None,
        "local_maximum": None,
    }
    thresholds = _thresholds(pieces, tolerance)
    if thresholds is None:
        return undecided("A gradient or a Hessian is not finite.", evidence)
    evidence["thresholds"] = (thresholds.zero, thresholds.clear)
    if m == 0:
        return _smooth(pieces, thresholds, orbit, tolerance, evidence)
    if isinstance(pieces, LiftablePieces):
        lift = analyse_lift(pieces, thresholds, tolerance, budget, deadline)
        if lift is not None:
            evidence["lift"] = lift.evidence
            record_first_order(evidence, lift.subdifferential, lift.stationarity)
            return first_order_verdict(evidence, lift.stationarity)

    separable = separate(pieces)
    hull = clarke_subdifferential(pieces, thresholds, separable, budget, deadline)
    kinds = [] if separable is None else separable.kinds(thresholds)
    if separable is not None:
        first = separable_stationarity(pieces, separable, kinds, thresholds)
        evidence["kinks"] = tuple(kinds)
    else:
        first, hull = _enumerated_stationarity(pieces, hull, thresholds, budget, deadline)
    record_first_order(evidence, hull, first)
    if evidence["critical"] is False:
        return Criticality(
            kind="not critical",
            evidence={**evidence, "reason": "Every subgradient is away from zero."},
        )
    if separable is not None and evidence["critical"] and set(kinds) <= {"up", "down"}:
        return nondegenerate_verdict(pieces, separable, kinds, orbit, tolerance, evidence)
    if pieces.linear:
        return first_order_verdict(evidence, first, kinds)
    curvature = _curvature(pieces, separable, kinds, hull, thresholds, orbit)
    one_sided = _one_sided(pieces, kinds, first, curvature)
    return second_order_verdict(evidence, first, curvature, kinds, one_sided, len(orbit))


def _thresholds(pieces: Pieces, tolerance: float) -> Thresholds | None:
    """Return thresholds for the gradients' size, or None where a value is not finite."""
    m = sum(pieces.levels)
    patterns = [np.full(m, -1.0), np.full(m, 1.0)]
    if m:
        patterns.extend(np.random.default_rng(0).choice([-1.0, 1.0], size=(RANDOM_PATTERNS, m)))
    size = 0.0
    for signs in patterns:
        values = [np.asarray(pieces.gradient(signs), dtype=float)]
        if m:
            rows = all_rows(pieces, signs)
            if not np.all(np.isfinite(rows)):
                return None
        if not np.all(np.isfinite(values[0])):
            return None
        size = max(size, float(np.linalg.norm(values[0])))
    if not pieces.linear:
        for signs in patterns[:2]:
            hessian = pieces.hessian(signs)
            if hessian is not None:
                if not np.all(np.isfinite(hessian)):
                    return None
                size = max(size, float(np.linalg.norm(hessian, 2)))
    return Thresholds.of(tolerance, size, unit=1e-6 if pieces.linear else 1.0)


def _smooth(
    pieces: Pieces, thresholds: Thresholds, orbit: Array, tolerance: float, evidence: dict[str, Any]
) -> Criticality:
    """Classify a point at which no kink is active."""
    signs = np.empty(0)
    gradient = np.asarray(pieces.gradient(signs), dtype=float)
    length = float(np.linalg.norm(gradient))
    evidence.update(method="smooth", hull_distance=length, hull_distance_bound=length, cells=1)
    zero = thresholds.is_zero(length)
    hessian = None if pieces.linear else pieces.hessian(signs)
    if hessian is not None:
        verdict = classify_hessian(
            hessian,
            gradient=gradient,
            gauge=orbit,
            tolerance=min(tolerance, 1e-9),
            gradient_tolerance=max(tolerance, 1e-6),
        )
        critical = {"not critical": False, "undecided": None}.get(verdict.kind, True)
        evidence.update(
            critical=critical,
            directionally_stationary=critical,
            local_minimum=True if verdict.kind == "minimum" else None,
            local_maximum=True if verdict.kind == "maximum" else None,
        )
        for kind in ("minimum", "maximum"):
            if critical is False or kind in verdict.evidence.get("excluded", ()):
                evidence[f"local_{kind}"] = False
        if critical is False:
            evidence["separating_direction"] = gradient
        return Criticality(
            kind=verdict.kind,
            index=verdict.index,
            nullity=verdict.nullity,
            gauge_nullity=verdict.gauge_nullity,
            inertia=verdict.inertia,
            margin=verdict.margin,
            evidence={**evidence, **verdict.evidence},
        )
    if zero is None:
        return undecided("The gradient is neither zero nor clearly not zero.", evidence)
    evidence.update(critical=zero, directionally_stationary=zero)
    if not zero:
        evidence.update(separating_direction=gradient, local_minimum=False, local_maximum=False)
        return Criticality(
            kind="not critical", evidence={**evidence, "reason": "The gradient is not zero."}
        )
    if not pieces.linear:
        return Criticality(
            kind="directionally stationary", evidence={**evidence, "reason": "There is no Hessian."}
        )
    evidence.update(local_minimum=True, local_maximum=True, flat_cell=True)
    return Criticality(kind="flat minimum", index=0, nullity=pieces.size, evidence=evidence)


def _enumerated_stationarity(
    pieces: Pieces, hull: Subdifferential, thresholds: Thresholds, budget: int, deadline: float
) -> tuple[Stationarity, Subdifferential]:
    """Return the first-order behaviour from cells, enumerated here if they were not needed yet."""
    cells, gradients, complete = hull.cells, hull.gradients, hull.complete
    m = sum(pieces.levels)
    affordable = len(pieces.levels) > 1 or number_of_cells(m, min(m, pieces.size)) <= 2 * budget
    if not cells and not hull.stopped and affordable:
        search = CellSearch(pieces, budget=budget, deadline=deadline)
        cells = list(search)
        gradients = np.array([pieces.gradient(cell.signs) for cell in cells])
        complete = search.complete
        hull = Subdifferential(
            **{**vars(hull), "cells": cells, "gradients": gradients, "complete": complete}
        )
    first = Stationarity(None)
    if not cells and hull.critical and hull.positions is not None:
        first = stationarity_of_zonotope(pieces, hull.positions) or first
    if cells:
        first = stationarity_of_cells(pieces, cells, gradients, thresholds, complete)
    if first.stationary is None and not first.nowhere_rising and not complete:
        convex = stationarity_with_convex_outputs(pieces, thresholds, budget, deadline)
        if convex is not None and convex.stationary is not None:
            first = Stationarity(
                convex.stationary, convex.descent, first.ascent, convex.strict, first.flat
            )
    return first, hull


def _curvature(
    pieces: Pieces,
    separable: Separable | None,
    kinds: list[str],
    hull: Subdifferential,
    thresholds: Thresholds,
    orbit: Array,
) -> Curvature:
    """Return what second-order changes say, by the strongest test that applies."""
    if separable is not None and float(np.linalg.norm(separable.tangential)) <= thresholds.zero:
        return curvature_of_independent_kinks(pieces, separable, kinds, thresholds, orbit)
    if has_affine_cells(pieces):
        return curvature_of_cells(
            pieces, hull.cells, hull.gradients, thresholds, orbit, hull.complete
        )
    return curvature_of_flat_cells(pieces, hull.cells, hull.gradients, thresholds)


def _one_sided(pieces: Pieces, kinds: list[str], first: Stationarity, curvature: Curvature) -> bool:
    """Return whether the only descent (or ascent) found leaves a kink to one side, as in x^3."""
    if not {"flat up", "flat down"} & set(kinds):
        return False
    rows = all_rows(pieces, np.full(len(kinds), -1.0))
    return any(
        not found and direction is not None and bool(np.max(np.abs(rows @ direction)) > 1e-6)
        for found, direction in (
            (first.descent is not None, curvature.descent),
            (first.ascent is not None, curvature.ascent),
        )
    )
