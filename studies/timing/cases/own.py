"""What every measurement of contcrit says beside its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
from stopwatch import fold_error, measure, repeats_from_environment, report

import contcrit as cc


def steps(first: float, largest: float, unknowns: int, **more: Any) -> cc.Settings:
    """Return settings with steps of these Euclidean lengths in (unknowns, parameter).

    With theta = n / (n + 1) the metric is the Euclidean one over n + 1, the one in which the other
    tools measure their steps.
    """
    scale = 1 / np.sqrt(unknowns + 1)
    return cc.Settings(
        theta=unknowns / (unknowns + 1),
        step_initial=float(first * scale),
        step_maximum=float(largest * scale),
        parameter_fraction=1.0,
        **more,
    )


def described(branch: cc.Branch) -> dict[str, Any]:
    """Return points, events and accuracy of a branch."""
    folds = [special for special in branch.special_points if special.kind == "fold"]
    found: dict[str, Any] = {
        "points": len(branch),
        "events": [[special.kind, special.parameter] for special in branch.special_points],
        "status": [status.name for status in branch.status],
        "gear": branch.provenance.get("gear"),
    }
    if len(branch):
        found["largest_parameter"] = float(np.max(branch.z[:, -1]))
        found["residual"] = float(np.max(branch.residual_norm))
        found["newton_per_point"] = float(np.mean(branch.iterations[1:])) if len(branch) > 1 else 0
    located = [special.digits for special in branch.special_points if special.kind != "user"]
    if located:
        found["digits"] = min(located)
    if folds:
        found["fold"] = folds[0].parameter
    return found


def timed_trace(
    name: str,
    call: Callable[[cc.Settings], cc.Branch],
    settings: cc.Settings,
    reference: float | None,
    *,
    unknowns: int,
    repeats: int | None = None,
    tool: str = "contcrit",
    **more: Any,
) -> dict[str, Any]:
    """Time a trace and print its record, which is also returned."""
    found = measure(
        lambda: described(call(settings)),
        lambda: described(call(settings.replace(maximum_points=1))),
        repeats_from_environment() if repeats is None else repeats,
    )
    found |= fold_error(found, reference)
    report(tool, name, unknowns=unknowns, **found, **more)
    return found


def spiral() -> cc.Problem:
    """Return lam a = e^a sin b - e^2a, lam b = e^a cos b."""
    a, b, lam = sp.symbols("a b lam")
    rows = [lam * a - sp.exp(a) * sp.sin(b) + sp.exp(2 * a), lam * b - sp.exp(a) * sp.cos(b)]
    return cc.Problem(rows, [a, b], [lam], kind="equation")
