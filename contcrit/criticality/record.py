"""The one record that every classifier returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("minimum", "maximum", "saddle", "degenerate", "not critical", "undecided")
"""The kinds of critical point a smooth classifier may name."""

NONSMOOTH_KINDS = (
    *KINDS,
    "flat minimum",
    "sharp minimum",
    "Clarke critical",
    "directionally stationary",
)
"""The kinds that a nonsmooth classifier may name.

``"flat minimum"`` (type I)
    A local minimum beside which the function is constant on a cell.
``"sharp minimum"`` (type II)
    A local minimum beside which it is constant on no cell, proved by first-order changes; strict
    apart from directions along which a piecewise linear function does not change.
``"Clarke critical"``
    0 is a convex combination of the gradients beside the point, yet it is no local minimum, and
    whether it is a maximum or a saddle is open, or neither (the function may be regular there).
``"directionally stationary"``
    No direction descends to first order; higher orders are open.
"""


@dataclass(frozen=True, kw_only=True)
class Criticality:
    """What a critical point is, with its evidence.

    Parameters
    ----------
    kind : str
        One of `KINDS` or `NONSMOOTH_KINDS`.
    index : int or None
        Morse index: the number of negative directions of the Hessian; None when undecided.
    nullity : int or None
        Number of zero directions, those along group orbits included.
    gauge_nullity : int
        Zero directions that a continuous symmetry forces. When `nullity` equals it, the point is
        non-degenerate in the sense of Morse-Bott.
    inertia : tuple of int or None
        Numbers of negative, zero and positive directions, where the space is finite.
    margin : float
        Smallest modulus of an eigenvalue counted as non-zero, over the largest modulus (0 when
        unknown): how far the verdict is from changing.
    evidence : mapping
        Numbers that back the verdict, such as eigenvalues or conjugate points.

    Examples
    --------
    >>> print(Criticality(kind="saddle", index=1, nullity=0))
    saddle (index 1)
    """

    kind: str
    index: int | None = None
    nullity: int | None = None
    gauge_nullity: int = 0
    inertia: tuple[int, int, int] | None = None
    margin: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.index is None:
            return self.kind
        text = f"{self.kind} (index {self.index}"
        if self.nullity:
            text += f", nullity {self.nullity}"
            if self.gauge_nullity:
                text += f" of which {self.gauge_nullity} by symmetry"
        return text + ")"
