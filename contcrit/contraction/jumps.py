"""What a jump of a field across a switching surface does to distances.

Across a surface with normal n the generalised Jacobian has the singular part
(f+ - f-) n^T / |n| delta. It is semi-contracting in a metric M where the symmetric part of
M (f+ - f-) n^T is negative semidefinite: exactly where M (f+ - f-) = -c n with c >= 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from ..errors import SpecificationError
from .field import Field
from .norms import NORMS, logarithmic_norm, root_of

Array = np.ndarray

VERDICTS = ("continuous", "semi-contracting", "diverging", "neither", "undecided")

_CLEAR = 100.0
"""Numbers within this factor of the tolerance decide nothing."""


@dataclass(frozen=True)
class Jump:
    """The singular part of a generalised Jacobian at one switching surface.

    Parameters
    ----------
    verdict : str
        "continuous" (no jump), "semi-contracting" (distances never grow across the surface),
        "diverging" (they never shrink), "neither" (it depends on the direction), or "undecided".
    lowest, highest : float
        The extreme eigenvalues of the symmetric part in the metric; for norms 1 and inf, minus the
        logarithmic norm of the reversed part, and the logarithmic norm.
    size : float
        Their unit: the product of the lengths of jump and normal in the metric.
    switch : int or None
        Number of the switching function.

    Examples
    --------
    >>> from contcrit.contraction.jumps import surface_jump
    >>> surface_jump([1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]).verdict
    'semi-contracting'
    """

    verdict: str
    lowest: float
    highest: float
    size: float
    switch: int | None = None


def surface_jump(
    before: Any,
    after: Any,
    normal: Any,
    *,
    norm: float = 2,
    metric: Any = None,
    subspace: Any = None,
    tolerance: float = 1e-9,
    switch: int | None = None,
) -> Jump:
    """Return what a jump from `before` (g < 0) to `after` (g > 0) does to distances.

    Parameters
    ----------
    before, after : array_like, shape (n,)
        The field on either side.
    normal : array_like, shape (n,)
        The gradient of g; its length does not matter.
    norm, metric
        As for `contcrit.contraction.logarithmic_norm`.
    subspace : array_like, shape (n, k), optional
        Columns that span the directions to look at (norm 2 only; default all).
    tolerance : float, optional
        Relative size up to which a number counts as zero (default 1e-9).
    switch : int, optional
        Number of the switching function, to be kept.

    Raises
    ------
    SpecificationError
        If shapes differ or the normal is zero.

    References
    ----------
    A. Pavlov, A. Pogromsky, N. van de Wouw and H. Nijmeijer, "On convergence properties of
    piecewise affine systems", International Journal of Control 80 (2007) 1233-1247.

    Examples
    --------
    >>> surface_jump([1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]).verdict
    'semi-contracting'
    >>> surface_jump([0.0, 1.0], [0.0, -1.0], [1.0, 0.0]).verdict
    'neither'
    """
    low, high = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    gradient = np.asarray(normal, dtype=float)
    length = float(np.linalg.norm(gradient))
    if not (low.shape == high.shape == gradient.shape) or low.ndim != 1 or length == 0.0:
        raise SpecificationError(
            "normal", gradient, "needs the shape of the fields, and not to be zero.", "(n,)."
        )
    if norm not in NORMS:
        raise SpecificationError("norm", norm, "must be 1, 2 or inf.", "2 is the default.")
    change = high - low
    unit = max(float(np.linalg.norm(low)), float(np.linalg.norm(high)))
    if norm == 2:
        root = root_of(metric, low.size)
        jump = root @ change
        across = linalg.solve_triangular(root, gradient / length, trans="T")
        scale = unit * float(np.linalg.norm(root, 2)) * float(np.linalg.norm(across))
        if subspace is not None:
            frame = np.linalg.qr(root @ np.asarray(subspace, dtype=float))[0]
            jump, across = frame.T @ jump, frame.T @ across
        product = float(jump @ across)
        reach = float(np.linalg.norm(across))
        # Apart from the part along the normal, so that a small angle is not lost in rounding.
        aside = reach * float(np.linalg.norm(jump - across * (product / max(reach**2, 1e-300))))
        size = float(np.hypot(product, aside))
        far = (abs(product) + size) / 2.0
        near = aside**2 / (4.0 * far) if far > 0 else 0.0
        lowest, highest = (-far, near) if product < 0 else (-near, far)
        crooked = aside
    else:
        matrix = np.outer(change, gradient / length)
        highest = float(logarithmic_norm(matrix, norm, metric))
        lowest = -float(logarithmic_norm(-matrix, norm, metric))
        size = scale = max(abs(highest), abs(lowest))
        crooked = max(highest, 0.0) if abs(highest) < abs(lowest) else max(-lowest, 0.0)
        if float(np.linalg.norm(change)) <= tolerance * unit:
            size = 0.0
    verdict = _verdict(highest + lowest, crooked, size, scale, tolerance)
    return Jump(verdict, lowest, highest, size, switch)


def _verdict(trend: float, crooked: float, size: float, scale: float, tolerance: float) -> str:
    """Return the verdict: `crooked` is zero where the extremes are not of both signs."""
    if size <= tolerance * scale:
        return "continuous"
    if size <= _CLEAR * tolerance * scale:
        return "undecided"  # a small jump, or rounding
    if crooked <= tolerance * size:
        return "semi-contracting" if trend < 0 else "diverging"
    return "undecided" if crooked <= _CLEAR * tolerance * size else "neither"


def surface_jumps(
    problem: Any,
    x: Any,
    values: Mapping[Any, float] | None = None,
    *,
    norm: float = 2,
    metric: Any = None,
    subspace: Any = None,
    tolerance: float = 1e-9,
) -> tuple[Jump, ...]:
    """Return the jumps across all switching surfaces that a point lies on.

    Parameters
    ----------
    problem : PiecewiseProblem
        Of kind "flow" or "potential".
    x : array_like, shape (n,)
    values : mapping, optional
        Values of all parameters.
    norm, metric, subspace, tolerance
        As for `surface_jump`.

    Returns
    -------
    tuple of Jump
        One for each surface: where several meet, that of the sides of the others with the largest
        eigenvalue. Surfaces whose switching function has no gradient there are left out.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x = sp.Symbol("x")
    >>> problem = cc.PiecewiseProblem([-cc.sign(x)], [x])
    >>> surface_jumps(problem, [0.0])[0].verdict
    'semi-contracting'
    """
    field = Field(problem, values)
    point = np.asarray(x, dtype=float)
    sides = field.sides(point, tolerance)
    active = np.flatnonzero(sides == 0)
    found = []
    for kink in active:
        others = active[active != kink]
        worst: Jump | None = None
        for signs in itertools.product((0.0, 1.0), repeat=int(others.size)):
            positions = (1.0 + sides) / 2.0
            positions[others] = signs
            gradient = field.slopes(point, positions)[1][kink]
            if float(np.max(np.abs(gradient), initial=0.0)) <= 1e-13:
                continue
            fields = []
            for end in (0.0, 1.0):
                positions[kink] = end
                fields.append(field.velocity(point, positions))
            jump = surface_jump(
                fields[0],
                fields[1],
                gradient,
                norm=norm,
                metric=metric,
                subspace=subspace,
                tolerance=tolerance,
                switch=int(kink),
            )
            if worst is None or jump.highest > worst.highest:
                worst = jump
        if worst is not None:
            found.append(worst)
    return tuple(found)
