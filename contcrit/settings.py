"""Every number that steers a computation: frozen, validated, with named presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .errors import SpecificationError

_POSITIVE = (
    "step_initial step_minimum step_maximum parameter_fraction newton_tolerance residual_tolerance "
    "angle_maximum correction_maximum contraction_maximum newton_growth rank_tolerance "
    "location_tolerance merge_tolerance maximum_norm time_limit"
).split()
_COUNTS = (
    "newton_iterations maximum_points maximum_branches maximum_depth maximum_cells search_starts"
).split()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Tolerances, step sizes and budgets of the engine.

    Arc length is measured in the metric ``theta/n <x, x> + (1 - theta) p p`` (n unknowns x,
    parameter p), so that a step means the same for 2 and for 2000 unknowns.

    Parameters
    ----------
    step_initial, step_minimum, step_maximum : float
        Arc-length steps (defaults 0.01, 1e-9, 0.1); the first step never exceeds the largest.
    parameter_fraction : float
        Largest share of the span's width that one step may cover (default 0.02).
    theta : float
        Weight of the unknowns in the metric, in (0, 1) (default 0.5).
    newton_tolerance : float
        Largest last Newton increment, relative to 1 + max|z| (default 1e-8; convergence is
        quadratic, so the point itself is then good to rounding).
    residual_tolerance : float
        Largest residual, or the rounding level of the residual where that is larger
        (default 1e-9).
    newton_iterations : int
        Newton iterations before a step is rejected (default 7).
    newton_growth : float
        Reject early once an increment exceeds this multiple of the first (default 20).
    contraction_maximum : float
        Largest ratio of the second Newton increment to the first (default 0.5); larger means that
        the predictor was too far off, and the step is halved rather than trusted.
    correction_maximum : float
        Largest correction as a share of the step (default 0.3): the guard against jumps to another
        branch.
    angle_maximum : float
        Largest angle between consecutive tangents, in radians (default 0.3).
    maximum_points : int
        Accepted points per direction (default 20000).
    maximum_norm : float
        Largest max|x| before the walk stops (default 1e6).
    rank_tolerance : float
        Singular values below this share of the largest count as zero at located points
        (default 1e-6).
    location_tolerance : float
        Arc-length tolerance of the bracketing locator (default 1e-12).
    merge_tolerance : float
        Distance, relative to 1 + max|z|, below which two located points are one (default 1e-6).
    maximum_branches, maximum_depth : int
        Budget of `diagram`: branches in all, and generations of branch switching (64, 4).
    time_limit : float
        Seconds of wall-clock time for one verdict on kinks, after which the enumeration of cells
        stops and the verdict may be undecided (default 2).
    maximum_cells : int
        Largest number of cells that one such verdict enumerates (default 2000).
    search_starts : int
        Start points of `find` (default 128).
    seed : int
        Seed of every random draw; recorded in results (default 0).
    gear : {"auto", "native", "python"}
        Whether the loop runs compiled (default "auto": compiled where the problem allows).

    Raises
    ------
    SpecificationError
        If a value is not finite, not positive, or out of its range.

    Examples
    --------
    >>> import contcrit as cc
    >>> cc.Settings(step_maximum=0.05).step_maximum
    0.05
    """

    step_initial: float = 0.01
    step_minimum: float = 1e-9
    step_maximum: float = 0.1
    parameter_fraction: float = 0.02
    theta: float = 0.5
    newton_tolerance: float = 1e-8
    residual_tolerance: float = 1e-9
    newton_iterations: int = 7
    newton_growth: float = 20.0
    contraction_maximum: float = 0.5
    correction_maximum: float = 0.3
    angle_maximum: float = 0.3
    maximum_points: int = 20_000
    maximum_norm: float = 1e6
    rank_tolerance: float = 1e-6
    location_tolerance: float = 1e-12
    merge_tolerance: float = 1e-6
    maximum_branches: int = 64
    maximum_depth: int = 4
    time_limit: float = 2.0
    maximum_cells: int = 2000
    search_starts: int = 128
    seed: int = 0
    gear: str = "auto"

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if not (_is_number(value) and math.isfinite(value) and value > 0):
                raise SpecificationError(
                    name, value, "must be a finite positive number.", "Give one, such as 0.01."
                )
        for name in _COUNTS:
            value = getattr(self, name)
            if not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
                raise SpecificationError(
                    name, value, "must be a whole number of at least 1.", "Give one, such as 10."
                )
        if not (_is_number(self.theta) and 0 < self.theta < 1):
            raise SpecificationError(
                "theta", self.theta, "must lie strictly between 0 and 1.", "0.5 is the default."
            )
        seed: Any = self.seed
        if not (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0):
            raise SpecificationError(
                "seed", self.seed, "must be a whole number of at least 0.", "Give one, such as 0."
            )
        if self.gear not in ("auto", "native", "python"):
            raise SpecificationError(
                "gear", self.gear, "must be 'auto', 'native' or 'python'.", "'auto' is the default."
            )
        if not self.step_minimum <= min(self.step_initial, self.step_maximum):
            raise SpecificationError(
                "step_minimum",
                self.step_minimum,
                "must not exceed `step_initial` or `step_maximum`.",
                "Lower it.",
            )

    @classmethod
    def fast(cls, **changes: Any) -> Settings:
        """Longer steps and looser guards, for a first look."""
        return cls(
            **{
                "step_maximum": 0.5,
                "parameter_fraction": 0.05,
                "angle_maximum": 0.5,
                "correction_maximum": 0.5,
                "time_limit": 0.5,
                "maximum_cells": 500,
                **changes,
            }
        )

    @classmethod
    def careful(cls, **changes: Any) -> Settings:
        """Shorter steps and tighter guards, for branches that lie close together."""
        return cls(
            **{
                "step_initial": 0.002,
                "step_maximum": 0.02,
                "parameter_fraction": 0.005,
                "angle_maximum": 0.1,
                "correction_maximum": 0.1,
                "contraction_maximum": 0.25,
                "time_limit": 20.0,
                "maximum_cells": 20_000,
                **changes,
            }
        )

    def replace(self, **changes: Any) -> Settings:
        """Return a copy with some values changed."""
        known = {field.name for field in fields(self)}
        for name in changes:
            if name not in known:
                raise SpecificationError(
                    name, name, "is not a setting.", f"Choose among {', '.join(sorted(known))}."
                )
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a plain dictionary."""
        return asdict(self)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
