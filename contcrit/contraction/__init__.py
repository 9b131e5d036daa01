"""Contraction: rates, flows with sliding, distances, metrics, and claims that can be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import on_first_use

_HOMES = {
    "Claim": "claims",
    "DistanceTable": "distances",
    "Draw": "claims",
    "FlowEvent": "trajectory",
    "Jump": "jumps",
    "Measurement": "claims",
    "MetricResult": "metrics",
    "Outcome": "claims",
    "PathDistance": "distances",
    "RandomDraw": "claims",
    "Rate": "rates",
    "RateBound": "bounds",
    "SemiRate": "rates",
    "Slit": "distances",
    "Trajectory": "trajectory",
    "contraction_rate": "rates",
    "distance": "distances",
    "distance_along": "distances",
    "find_metric": "metrics",
    "flow": "flows",
    "induced_norm": "norms",
    "logarithmic_norm": "rates",
    "measure": "claims",
    "metric_for": "metrics",
    "observable_rate": "rates",
    "path_distance": "distances",
    "rate_bound": "bounds",
    "subspace_rate": "rates",
    "surface_jump": "jumps",
    "surface_jumps": "jumps",
}
"""Where each public name lives; imported on first use so that start-up stays short."""

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from .bounds import RateBound as RateBound
    from .bounds import rate_bound as rate_bound
    from .claims import Claim as Claim
    from .claims import Draw as Draw
    from .claims import Measurement as Measurement
    from .claims import Outcome as Outcome
    from .claims import RandomDraw as RandomDraw
    from .claims import measure as measure
    from .distances import DistanceTable as DistanceTable
    from .distances import PathDistance as PathDistance
    from .distances import Slit as Slit
    from .distances import distance as distance
    from .distances import distance_along as distance_along
    from .distances import path_distance as path_distance
    from .flows import flow as flow
    from .jumps import Jump as Jump
    from .jumps import surface_jump as surface_jump
    from .jumps import surface_jumps as surface_jumps
    from .metrics import MetricResult as MetricResult
    from .metrics import find_metric as find_metric
    from .metrics import metric_for as metric_for
    from .norms import induced_norm as induced_norm
    from .rates import Rate as Rate
    from .rates import SemiRate as SemiRate
    from .rates import contraction_rate as contraction_rate
    from .rates import logarithmic_norm as logarithmic_norm
    from .rates import observable_rate as observable_rate
    from .rates import subspace_rate as subspace_rate
    from .trajectory import FlowEvent as FlowEvent
    from .trajectory import Trajectory as Trajectory


__getattr__ = on_first_use(globals(), _HOMES)


def __dir__() -> list[str]:
    return list(__all__)
