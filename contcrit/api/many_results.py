"""What solving and tracing many problems at once returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SpecificationError, Status
from ..results import Branch

if TYPE_CHECKING:
    import xarray

Array = np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Solutions:
    """Ends of Newton's method for m problems, in their order.

    Parameters
    ----------
    x : ndarray of shape (m, n)
        Solutions, or the last iterates where there is none.
    residual : ndarray of shape (m,)
        Largest modulus of the residual there.
    iterations : ndarray of int, shape (m,)
        Newton steps taken.
    status : ndarray of Status, shape (m,)
        `CONVERGED`, or why not: `START_FAILED`, `LEFT_BOUNDS`, `NOT_FINITE`.
    names : tuple of str
        Names of the n unknowns.
    values : mapping of str to ndarray of shape (m,)
        Values of all parameters.
    provenance : dict
        The gear: "native", "python", or both where the second helped the first.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit import Problem
    >>> from contcrit.api.many import solve_many
    >>> x, p = sp.symbols("x p")
    >>> found = solve_many(Problem([p - x**2], [x], [p]), [1], values={"p": [1, 4, -1]})
    >>> found.converged.tolist()
    [True, True, False]
    """

    x: Array
    residual: Array
    iterations: Array
    status: Array
    names: tuple[str, ...]
    values: Mapping[str, Array]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def converged(self) -> Array:
        """Which problems were solved to their tolerances, shape (m,)."""
        return np.array(self.status == Status.CONVERGED, dtype=bool)

    def to_xarray(self) -> xarray.Dataset:
        """Return a dataset over the dimensions ``problem`` and ``unknown``; statuses by name."""
        import xarray

        return xarray.Dataset(
            {
                "unknowns": (("problem", "unknown"), self.x),
                "residual_norm": ("problem", self.residual),
                "iterations": ("problem", self.iterations),
                "status": ("problem", _status_names(self.status)),
            },
            coords={"unknown": list(self.names), **_value_coordinates(self.values)},
        )

    def __repr__(self) -> str:
        return f"Solutions({np.count_nonzero(self.converged)} of {len(self)} converged)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Traces:
    """Branches of m problems: all their points at once, and each branch when asked for.

    ``traces[k]`` is the `Branch` of problem k; its special points are located when it is first
    asked for.

    Parameters
    ----------
    names : tuple of str
        Names of the n unknowns.
    parameter : str
        Name of the continuation parameter.
    offsets : ndarray of int, shape (m + 1,)
        Problem k has the rows ``offsets[k]`` to ``offsets[k + 1] - 1`` of the arrays of points.
    z, tangent : ndarray of shape (points, n + 1)
        Points (unknowns, then the parameter) and unit tangents of all problems.
    arclength, residual_norm : ndarray of shape (points,)
        Arc length from the first point of each branch, and largest modulus of the residual.
    status : ndarray of Status, shape (m, 2)
        How each branch ended at its first and at its last point.
    values : mapping of str to ndarray of shape (m,)
        Values of the other parameters.
    provenance : dict
        The gear: "native", "python", or both where the second helped the first.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit import Problem
    >>> from contcrit.api.many import trace_many
    >>> x, p, q = sp.symbols("x p q")
    >>> problem = Problem([p - q * x**2], [x], [p, q])
    >>> traces = trace_many(problem, [1], "p", (-1, 4), values={"p": 1, "q": [1, 4]})
    >>> traces.folds.tolist(), traces[1].special_points[0].kind
    ([1, 1], 'fold')
    """

    names: tuple[str, ...]
    parameter: str
    offsets: Array
    z: Array
    tangent: Array
    arclength: Array
    residual_norm: Array
    status: Array
    values: Mapping[str, Array]
    provenance: dict[str, Any] = field(default_factory=dict)
    _complete: Callable[[int], Branch] = field(repr=False)
    _known: dict[int, Branch] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, position: int) -> Branch:
        if not isinstance(position, (int, np.integer)):
            raise SpecificationError(
                "position", position, "must be a whole number.", "Ask for one branch at a time."
            )
        k = range(len(self))[int(position)]
        if k not in self._known:
            self._known[k] = self._complete(k)
        return self._known[k]

    def __iter__(self) -> Iterator[Branch]:
        return (self[k] for k in range(len(self)))

    @property
    def counts(self) -> Array:
        """Number of accepted points of each branch, shape (m,)."""
        return np.diff(self.offsets)

    @property
    def complete(self) -> Array:
        """Which branches did all that was asked, at both ends, shape (m,)."""
        return np.array([all(end.is_success for end in ends) for ends in self.status], dtype=bool)

    @property
    def folds(self) -> Array:
        """How often each branch turns back in its parameter, shape (m,).

        Counted by the tangents at the accepted points, hence bracketed and not located; a pair of
        folds inside one step shows in ``traces[k].special_points`` only.
        """
        owner = np.repeat(np.arange(len(self)), self.counts)
        slope = self.tangent[:, -1]
        known = np.flatnonzero((slope != 0) & np.isfinite(slope))
        turns = np.sign(slope[known[:-1]]) != np.sign(slope[known[1:]])
        turns &= owner[known[:-1]] == owner[known[1:]]
        return np.bincount(owner[known[1:]][turns], minlength=len(self))

    def points(self, position: int) -> Array:
        """Return the points (unknowns, then the parameter) of one branch, shape (points, n + 1)."""
        k = range(len(self))[position]
        return self.z[self.offsets[k] : self.offsets[k + 1]]

    def to_xarray(self) -> xarray.Dataset:
        """Return a dataset over ``problem``, ``point``, ``unknown`` and ``end``.

        The points of all problems follow one another; ``problem_index`` says whose each one is.
        """
        import xarray

        owner = np.repeat(np.arange(len(self)), self.counts)
        return xarray.Dataset(
            {
                "unknowns": (("point", "unknown"), self.z[:, :-1]),
                "residual_norm": ("point", self.residual_norm),
                "point_count": ("problem", self.counts),
                "folds": ("problem", self.folds),
                "status": (("problem", "end"), _status_names(self.status)),
            },
            coords={
                "unknown": list(self.names),
                "end": ["first", "last"],
                "problem_index": ("point", owner),
                "arclength": ("point", self.arclength),
                _free(self.parameter): ("point", self.z[:, -1]),
                **_value_coordinates(self.values),
            },
            attrs={"parameter": self.parameter},
        )

    def __repr__(self) -> str:
        return (
            f"Traces({len(self)} branches of {len(self.z)} points, "
            f"{np.count_nonzero(self.complete)} complete)"
        )


_TAKEN = frozenset(
    "unknowns residual_norm iterations status unknown problem point end problem_index arclength "
    "point_count folds".split()
)


def _free(name: str) -> str:
    """Return a variable's name, with an underscore behind it where it is taken."""
    return f"{name}_" if name in _TAKEN else name


def _value_coordinates(values: Mapping[str, Array]) -> dict[str, Any]:
    return {_free(name): ("problem", array) for name, array in values.items()}


def _status_names(status: Array) -> Array:
    return np.array([entry.name for entry in status.ravel()]).reshape(status.shape)
