"""From first- and second-order results to the one word for a point, with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import linalg

from .arguments import orthonormal_rows
from .pieces import Pieces
from .record import Criticality
from .second_order import Curvature
from .separable import Separable, lagrangian_hessian
from .stationarity import Stationarity
from .subdifferential import Subdifferential
from .thresholds import Thresholds

Array = np.ndarray


def record_first_order(
    evidence: dict[str, Any], hull: Subdifferential, first: Stationarity
) -> None:
    """Write the first-order results and their certificates into the evidence.

    Parameters
    ----------
    evidence : dict
        To be filled.
    hull : Subdifferential
        The Clarke verdict.
    first : Stationarity
        First-order behaviour.
    """
    # f' >= 0 everywhere makes 0 a Clarke subgradient, since f' is at most Clarke's derivative.
    critical = True if first.stationary or first.nowhere_rising else hull.critical
    evidence.update(
        critical=critical,
        method=hull.method,
        directionally_stationary=first.stationary,
        cells=len(hull.cells),
        complete=hull.complete,
        hull_distance=hull.upper,
        hull_distance_bound=hull.lower,
        flat_cell=first.flat,
    )
    if hull.stopped:
        evidence["stopped"] = hull.stopped
    if hull.positions is not None and critical:
        evidence["positions"] = hull.positions
    if len(hull.weights):
        evidence.update(signs=hull.signs, weights=hull.weights)
    if critical is False:
        evidence["separating_direction"] = hull.direction
    for name, value in (
        ("descent_direction", first.descent),
        ("ascent_direction", first.ascent),
        ("flat_signs", first.flat_signs),
    ):
        if value is not None:
            evidence[name] = value
    if first.stationary is False:
        evidence["local_minimum"] = False
    if first.nowhere_rising is False or first.ascent is not None:
        evidence["local_maximum"] = False
    if first.strict:
        evidence["local_minimum"] = True
    if first.strictly_falling:
        evidence["local_maximum"] = True


def first_order_verdict(
    evidence: dict[str, Any], first: Stationarity, kinds: Sequence[str] = ()
) -> Criticality:
    """Return the verdict on a piecewise linear function, whose first-order changes are all.

    Parameters
    ----------
    evidence : dict
        With the entries of `record_first_order`.
    first : Stationarity
        First-order behaviour.
    kinds : sequence of str
        What f' does across each kink, if these are independent.
    """
    if first.stationary:
        evidence["local_minimum"] = True
        kind = {True: "flat minimum", False: "sharp minimum", None: "directionally stationary"}[
            first.flat
        ]
        return Criticality(kind=kind, index=0, evidence=evidence)
    if evidence["critical"] is False:
        return Criticality(
            kind="not critical",
            evidence={**evidence, "reason": "Every subgradient is away from zero."},
        )
    if first.nowhere_rising:
        evidence["local_maximum"] = True
        evidence["strict"] = first.strictly_falling
        return Criticality(kind="maximum", evidence=evidence)
    return _remaining(evidence, kinds)


def second_order_verdict(
    evidence: dict[str, Any],
    first: Stationarity,
    curvature: Curvature,
    kinds: Sequence[str],
    one_sided: bool,
    gauge_nullity: int,
) -> Criticality:
    """Return the verdict on a piecewise smooth function from both orders.

    Parameters
    ----------
    evidence : dict
        With the entries of `record_first_order`.
    first : Stationarity
        First-order behaviour.
    curvature : Curvature
        Second-order behaviour.
    kinds : sequence of str
        What f' does across each kink, if these are independent.
    one_sided : bool
        Whether the only second-order descent or ascent leaves a kink to one side.
    gauge_nullity : int
        Number of directions along group orbits.
    """
    for name, side, direction, label in (
        ("local_minimum", curvature.minimum, curvature.descent, "descent_direction"),
        ("local_maximum", curvature.maximum, curvature.ascent, "ascent_direction"),
    ):
        if side is not None:
            evidence[name] = side
        if direction is not None:
            evidence.setdefault(label, direction)
    if first.strict:
        return Criticality(kind="sharp minimum", index=0, nullity=0, evidence=evidence)
    if evidence["local_minimum"]:
        return Criticality(kind="minimum", index=0, gauge_nullity=gauge_nullity, evidence=evidence)
    if evidence["local_maximum"] and evidence["critical"]:
        return Criticality(kind="maximum", gauge_nullity=gauge_nullity, evidence=evidence)
    return _remaining(evidence, kinds, one_sided)


def nondegenerate_verdict(
    pieces: Pieces,
    separable: Separable,
    kinds: Sequence[str],
    orbit: Array,
    tolerance: float,
    evidence: dict[str, Any],
) -> Criticality:
    """Return the verdict where every kink is independent and holds strictly.

    The function is then a sum of plus and minus |y_k| and a smooth function on the active
    manifold, up to a change of coordinates.

    Parameters
    ----------
    pieces : Pieces
        The function at the point.
    separable : Separable
        Its separate coordinates.
    kinds : sequence of str
        ``"up"`` or ``"down"`` for each kink.
    orbit : ndarray of shape (k, n)
        Orthonormal tangents of group orbits.
    tolerance : float
        As in `classify_pieces`.
    evidence : dict
        With the entries of `record_first_order`.
    """
    up, down = kinds.count("up"), kinds.count("down")
    size = len(separable.tangent)
    gauge = orbit @ separable.tangent.T
    slopes = np.abs(np.concatenate([separable.below, separable.above]))
    margin = float(slopes.min() / slopes.max())
    negative, zero, positive, gauge_nullity = down, 0, up, 0
    if pieces.linear:
        zero = size
    elif size:
        signs = np.full(len(kinds), -1.0)
        form = lagrangian_hessian(pieces, signs, 0.0)
        if form is None:
            evidence["reason"] = "There are no Hessians along the active manifold."
            return _remaining(evidence, kinds)
        # Noise in a Hessian that vanishes on the manifold must not be sized by itself.
        scale = max(float(np.linalg.norm(form, 2)), float(slopes.max()))
        limits = Thresholds.of(min(tolerance, 1e-9), scale)
        along = orthonormal_rows(gauge, 1e-7)
        frame = separable.tangent
        if len(along):
            frame = linalg.null_space(along).T @ separable.tangent
        eigenvalues = np.linalg.eigvalsh(frame @ form @ frame.T) if len(frame) else np.empty(0)
        evidence["eigenvalues"] = eigenvalues
        signs_found = [limits.sign(value) for value in eigenvalues]
        if None in signs_found:
            evidence["reason"] = "An eigenvalue on the active manifold is too close to zero."
            return _remaining(evidence, kinds)
        negative += signs_found.count(-1)
        gauge_nullity = len(along)
        zero = signs_found.count(0) + gauge_nullity
        positive += signs_found.count(1)
        away = [abs(value) for value in eigenvalues if abs(value) > limits.clear]
        margin = min([margin, *(value / scale for value in away)])
    degenerate = zero > gauge_nullity
    if negative:
        evidence["local_minimum"] = False
    if positive:
        evidence["local_maximum"] = False
    if negative and positive:
        kind = "saddle"
    elif pieces.linear:
        kind = "sharp minimum" if positive else "maximum"
    elif degenerate:
        kind = "degenerate"
        evidence["reason"] = "Zero directions on the active manifold are left to higher orders."
    elif negative:
        kind = "maximum"
    else:
        kind = "sharp minimum" if size == gauge_nullity else "minimum"
    if kind in ("sharp minimum", "minimum"):
        evidence["local_minimum"] = True
    if kind == "maximum":
        evidence.update(local_maximum=True, strict=not degenerate)
    return Criticality(
        kind=kind,
        index=negative,
        nullity=zero,
        gauge_nullity=gauge_nullity,
        inertia=(negative, zero, positive),
        margin=margin,
        evidence=evidence,
    )


_UNKNOWN = "Cells are not exactly known, or too many."

_STOPPED = {
    "time": "The time limit ended the enumeration of cells.",
    "budget": "There are more cells than the budget allows.",
    "thin cells": "Some cells are too thin to tell whether they exist.",
    "zero gradients": "Switching functions without gradient bend the function there.",
}
"""Why the cells are not known, for each way that their enumeration stopped."""


def undecided(reason: str, evidence: dict[str, Any]) -> Criticality:
    """Return the verdict that there is none."""
    return Criticality(kind="undecided", evidence={**evidence, "reason": reason})


def _remaining(
    evidence: dict[str, Any], kinds: Sequence[str], one_sided: bool = False
) -> Criticality:
    """Return the verdict where neither a minimum nor a maximum was proved."""
    if evidence["critical"] is None:
        stopped = evidence.get("stopped") or evidence.get("lift", {}).get("stopped", "")
        return undecided(_STOPPED.get(stopped, _UNKNOWN), evidence)
    if "regular" in kinds:
        evidence["reason"] = "A nested kink leaves the function monotone in some coordinate."
        return Criticality(kind="Clarke critical", evidence=evidence)
    if evidence["local_minimum"] is False and evidence["local_maximum"] is False:
        if one_sided:
            evidence["reason"] = "The function changes to second order to one side of a kink only."
            falls = evidence["directionally_stationary"] is False
            return Criticality(kind="Clarke critical" if falls else "degenerate", evidence=evidence)
        return Criticality(kind="saddle", evidence=evidence)
    if evidence["directionally_stationary"]:
        return Criticality(kind="directionally stationary", evidence=evidence)
    return Criticality(kind="Clarke critical", evidence=evidence)
