"""What the walk asks of a system and of linear algebra, as plain functions.

The walk's source is written once. It runs as plain Python through the functions of this file, and
compiled through their native twins; so it may call nothing else of a system.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..events.base import spectral_matrix
from ..linalg import (
    bordered_solution,
    kept_factors,
    negative_count,
    rounding_level,
    solve_bordered,
)
from ..settings import Settings

Array = np.ndarray

_FEW = 8
"""Length up to which plain numbers are multiplied faster than arrays."""


class Control(NamedTuple):
    """The numbers that steer one walk; see `contcrit.Settings` for their meaning."""

    lower: float
    upper: float
    step_minimum: float
    step_maximum: float
    parameter_step: float
    newton_tolerance: float
    residual_tolerance: float
    newton_iterations: int
    newton_growth: float
    contraction_maximum: float
    correction_maximum: float
    cosine_minimum: float
    angle_target: float
    maximum_norm: float


def control_from(settings: Settings, span: tuple[float, float]) -> Control:
    """Return the walk's control for settings and a span."""
    return Control(
        lower=float(span[0]),
        upper=float(span[1]),
        step_minimum=settings.step_minimum,
        step_maximum=settings.step_maximum,
        parameter_step=settings.parameter_fraction * (span[1] - span[0]),
        newton_tolerance=settings.newton_tolerance,
        residual_tolerance=settings.residual_tolerance,
        newton_iterations=settings.newton_iterations,
        newton_growth=settings.newton_growth,
        contraction_maximum=settings.contraction_maximum,
        correction_maximum=settings.correction_maximum,
        cosine_minimum=float(np.cos(min(settings.angle_maximum, 1.5))),
        angle_target=0.5 * settings.angle_maximum,
        maximum_norm=settings.maximum_norm,
    )


class Workspace:
    """Residual and Jacobian at the last point a system was evaluated at.

    Attributes
    ----------
    near : FactoredJacobian or None
        Factors of a Jacobian factored before, where such are expensive.
    """

    __slots__ = ("jacobian", "near", "residual")

    def __init__(self) -> None:
        self.residual: Array = np.empty(0)
        self.jacobian: Any = None
        self.near: Any = None


def inner(weights: Array, one: Array, other: Array) -> float:
    """Return the metric's inner product of two vectors."""
    if weights.size <= _FEW:
        triples = zip(weights.tolist(), one.tolist(), other.tolist(), strict=True)
        return sum([w * a * b for w, a, b in triples])
    # Overflow needs no warning: next to singular points callers ask whether it is finite.
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.dot(weights * one, other))


def distance(weights: Array, one: Array, other: Array) -> float:
    """Return the metric's distance of two points."""
    moved = one - other
    return float(np.sqrt(inner(weights, moved, moved)))


def weigh(out: Array, weights: Array, vector: Array) -> None:
    """Write the metric's weights times a vector."""
    np.multiply(weights, vector, out=out)


def displace(out: Array, z: Array, step: float, direction: Array) -> None:
    """Write z + step * direction."""
    out[:] = z + step * direction


def assign(out: Array, vector: Array) -> None:
    """Copy a vector."""
    out[:] = vector


def offset(weights: Array, direction: Array, origin: Array, point: Array) -> float:
    """Return the metric's inner product of a direction with the way from origin to point."""
    return inner(weights, direction, point - origin)


def interpolate(
    out: Array, t: float, z: Array, tangent: Array, slope: float,
    z_new: Array, tangent_new: Array, slope_new: float,
) -> None:  # fmt: skip
    """Write the cubic Hermite interpolant between two points, at the share t of the way.

    The slopes turn the unit tangents into derivatives by t.
    """
    out[:] = (
        (1.0 + 2.0 * t) * (1.0 - t) ** 2 * z
        + t * t * (3.0 - 2.0 * t) * z_new
        + slope * t * (1.0 - t) ** 2 * tangent
        + slope_new * t * t * (t - 1.0) * tangent_new
    )


def scale(vector: Array, factor: float) -> None:
    """Multiply a vector by a number, in place."""
    vector *= factor


def largest(vector: Array) -> float:
    """Return the largest modulus of a vector's entries (nan if one of them is nan)."""
    return float(np.abs(vector).max())


def allocate(system: Any) -> Any:
    """Return a workspace that fits the system."""
    return Workspace()


def evaluate(system: Any, z: Array, work: Any) -> None:
    """Evaluate residual and Jacobian at z into the workspace."""
    work.residual, work.jacobian = system.residual_and_jacobian(z)


def residual_size(system: Any, work: Any) -> float:
    """Return max|F| of the last evaluation (nan if it is not finite)."""
    return largest(work.residual)


def residual_floor(system: Any, z: Array, work: Any) -> float:
    """Return the residual that rounding alone may leave at z."""
    return 20.0 * rounding_level(work.jacobian, z)


def negative_eigenvalues(system: Any, z: Array, work: Any) -> int:
    """Return how many eigenvalues of the last inner Jacobian have a negative real part.

    It is -1 where that is not affordable or cannot be told.
    """
    matrix, symmetric = spectral_matrix(system, z, work.jacobian)
    return negative_count(matrix, symmetric)


def newton_increment(system: Any, work: Any, row: Array, increment: Array) -> None:
    """Solve [J; row] increment = (-F, 0)."""
    right = np.zeros(row.size)
    right[:-1] = -work.residual
    increment[:] = bordered_solution(work.jacobian, row, right, work.near)
    work.near = kept_factors(work.jacobian) or work.near


def raw_tangent(system: Any, work: Any, row: Array, tangent: Array) -> tuple[float, float]:
    """Solve [J; row] tangent = (0, 1); return sign and log modulus of the determinant."""
    right = np.zeros(row.size)
    right[-1] = 1.0
    solution, sign, log_modulus = solve_bordered(work.jacobian, row, right)
    tangent[:] = solution
    work.near = kept_factors(work.jacobian)
    return sign, log_modulus
