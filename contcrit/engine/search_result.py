"""What a search for all solutions returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import Status

Array = np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchResult:
    """Solutions found in a box, one for each group orbit, and what is known of the rest.

    Parameters
    ----------
    points : ndarray of shape (m, n)
        Solutions in the order in which they were found.
    residuals : ndarray of shape (m,)
        Largest modulus of the residual at each.
    hits : ndarray of shape (m,)
        How many start points led to each: in all plain rounds, and in the deflated round that
        found it; midpoints of known solutions do not count.
    orbit_dimensions : ndarray of shape (m,)
        Dimension of the continuous group orbit that each stands for (0: a single point).
    copies : ndarray of shape (m,)
        How many solutions (or continuous orbits) each stands for by discrete symmetry.
    regularity : ndarray of shape (m,)
        About the distance to the next solution or fold across the orbit, relative to 1 + max|x|
        and at most 1; 0 at singular solutions, nan if not computed.
    status : Status
        `CONVERGED`: searched until nothing new was found. `BUDGET_SPENT`: stopped before.
        `NOTHING_FOUND`: no start converged. `NOT_FINITE`: no start had finite residuals.
    report : dict
        Start counts, rounds, Good-Turing and Chao estimates, degree; ``believed_complete`` and
        the sentence ``why``.
    names : tuple of str
        Names of the unknowns.
    parameter_value : float
        The parameter's value.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> found = cc.find(cc.Problem([p - x**2], [x], [p]), (-3, 3), {"p": 4})
    >>> len(found), found.believed_complete
    (2, True)
    """

    points: Array
    residuals: Array
    hits: Array
    orbit_dimensions: Array
    copies: Array
    regularity: Array
    status: Status
    report: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    parameter_value: float = float("nan")

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Array]:
        return iter(self.points)

    def __getitem__(self, position: int) -> Array:
        return self.points[position]

    @property
    def believed_complete(self) -> bool:
        """Whether every check agrees that no solution is missing; evidence, not proof."""
        return bool(self.report["believed_complete"])

    @property
    def why(self) -> str:
        """Why the list is believed complete or not."""
        return str(self.report["why"])

    def __repr__(self) -> str:
        return f"SearchResult({len(self)} points, {self.status.name}: {self.why})"
