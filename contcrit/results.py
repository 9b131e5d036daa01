"""What the engine returns: points, branches, special points and diagrams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SpecificationError, Status
from .settings import Settings

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes

    from .criticality.record import Criticality

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Point:
    """One accepted point of a branch.

    Parameters
    ----------
    z : ndarray of shape (n + 1,)
        Unknowns, then the parameter.
    tangent : ndarray of shape (n + 1,)
        Unit tangent in the walk's metric.
    arclength : float
        Arc length from the start of the branch.
    residual_norm : float
        Largest modulus of the residual.
    iterations : int
        Newton iterations it took.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (1, 4))
    >>> branch[-1].parameter
    4.0
    """

    z: Array
    tangent: Array
    arclength: float
    residual_norm: float
    iterations: int

    @property
    def x(self) -> Array:
        """The unknowns."""
        return self.z[:-1]

    @property
    def parameter(self) -> float:
        """The parameter's value."""
        return float(self.z[-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class SpecialPoint:
    """A located special point, with its evidence.

    Parameters
    ----------
    kind : str
        ``"fold"``, ``"branch-point"``, ``"hopf"``, ``"inertia"``, ``"user"``, ...
    z, tangent : ndarray of shape (n + 1,)
        Where it lies, and the branch's tangent there.
    bracket : tuple of float
        Arc lengths of the two accepted points that enclose it.
    arclength : float
        Arc length at which it lies.
    residual : float
        Largest modulus of the equations' residual at `z`.
    digits : float
        Agreement of two independent locators, as minus the decimal logarithm of their distance
        relative to 1 + max|z|; 0 when only one of them converged.
    evidence : mapping
        Numbers that decided the kind: singular values, kernel dimension, coefficients.
    verdict_before, verdict_after : Criticality or None
        What the points on either side are.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (-1, 1), values={"p": 1})
    >>> branch.special_points[0].kind
    'fold'
    """

    kind: str
    z: Array
    tangent: Array
    bracket: tuple[float, float]
    arclength: float
    residual: float
    digits: float
    evidence: Mapping[str, Any] = field(default_factory=dict)
    verdict_before: Criticality | None = None
    verdict_after: Criticality | None = None

    @property
    def x(self) -> Array:
        """The unknowns."""
        return self.z[:-1]

    @property
    def parameter(self) -> float:
        """The parameter's value."""
        return float(self.z[-1])

    @property
    def kernel_dimension(self) -> int:
        """Dimension of the kernel of the Jacobian in the unknowns."""
        return int(self.evidence.get("kernel_dimension", 0))

    def replace(self, **changes: Any) -> SpecialPoint:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        return (
            f"SpecialPoint({self.kind}, parameter={self.parameter:.12g}, digits={self.digits:.1f})"
        )


@dataclass(eq=False, kw_only=True)
class Branch:
    """A solution branch: columns over its points, and its special points.

    Parameters
    ----------
    names : tuple of str
        Names of the n unknowns.
    parameter : str
        Name of the continuation parameter.
    z, tangent : ndarray of shape (m, n + 1)
        Points (unknowns, then the parameter) and unit tangents.
    arclength, residual_norm : ndarray of shape (m,)
        Arc length from the first point, and largest modulus of the residual.
    iterations : ndarray of shape (m,)
        Newton iterations per point.
    columns : dict of str to ndarray of shape (m, ...)
        Signals of the events (such as ``"index"``) and recorded observables (such as ``"cost"``).
    special_points : tuple of SpecialPoint
        In the order of their arc length.
    status : tuple of Status
        How the branch ended at its first and at its last point.
    values : dict of str to float
        Values of the other parameters.
    span : tuple of float
        The parameter span asked for.
    settings : Settings
        What the walk was steered by.
    verdicts : tuple
        Criticality of each stretch between consecutive special points that change it, as
        ``(first point, last point, Criticality)``.
    provenance : dict
        Versions, seed, gear, counters and notes.
    source : object
        The problem that was traced, kept opaque; None when it cannot be rebuilt from a file.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> branch = cc.trace(cc.Problem([p - x**2], [x], [p]), [1], "p", (1, 4))
    >>> round(float(branch["x"][-1]), 9), branch.status[1].name
    (2.0, 'END_OF_SPAN')
    """

    names: tuple[str, ...]
    parameter: str
    z: Array
    tangent: Array
    arclength: Array
    residual_norm: Array
    iterations: Array
    status: tuple[Status, Status]
    span: tuple[float, float]
    columns: dict[str, Array] = field(default_factory=dict)
    special_points: tuple[SpecialPoint, ...] = ()
    values: dict[str, float] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    verdicts: tuple[tuple[int, int, Criticality], ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    source: Any = None

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, key: str | int) -> Any:
        """Return a column by name, or a point by position."""
        if isinstance(key, (int, np.integer)):
            return self.point(int(key))
        if key == self.parameter:
            return self.z[:, -1]
        if key in self.names:
            return self.z[:, self.names.index(key)]
        if key in self.columns:
            return self.columns[key]
        if key in ("arclength", "residual_norm", "iterations"):
            return getattr(self, key)
        raise SpecificationError(
            "key",
            key,
            "is not a column of this branch.",
            f"Choose among {', '.join(self.column_names)}.",
        )

    def __iter__(self) -> Iterator[Point]:
        return (self.point(k) for k in range(len(self)))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every name that ``branch[name]`` accepts."""
        own = ("arclength", "residual_norm", "iterations")
        return (self.parameter, *self.names, *self.columns, *own)

    def point(self, position: int) -> Point:
        """Return the point at a position (negative positions count from the end)."""
        return Point(
            self.z[position],
            self.tangent[position],
            float(self.arclength[position]),
            float(self.residual_norm[position]),
            int(self.iterations[position]),
        )

    def of_kind(self, kind: str) -> tuple[SpecialPoint, ...]:
        """Return the special points of one kind."""
        return tuple(special for special in self.special_points if special.kind == kind)

    def verdict_at(self, position: int) -> Criticality | None:
        """Return the verdict of the stretch that holds a position, if it was classified."""
        position = range(len(self))[position]
        for first, last, verdict in self.verdicts:
            if first <= position <= last:
                return verdict
        return None

    def to_xarray(self) -> xarray.Dataset:
        """Return the branch as an `xarray.Dataset` over the dimension ``point``."""
        from .tables import branch_to_xarray

        return branch_to_xarray(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row a point as a `pandas.DataFrame`."""
        from .tables import branch_to_pandas

        return branch_to_pandas(self)

    def plot(self, y: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the branch against its parameter; see `contcrit.plotting.plot_branch`."""
        from .plotting import plot_branch

        return plot_branch(self, y=y, ax=ax, **options)

    def save(self, path: Any) -> None:
        """Write the branch to one self-describing file; see `contcrit.load`."""
        from .storage import save

        save(self, path)

    def __repr__(self) -> str:
        if not len(self):
            return f"Branch(0 points, {self.status[0].name} .. {self.status[1].name})"
        found = ", ".join(repr(special) for special in self.special_points)
        return (
            f"Branch({len(self)} points, {self.parameter} in "
            f"[{self.z[:, -1].min():.6g}, {self.z[:, -1].max():.6g}], "
            f"{self.status[0].name} .. {self.status[1].name}, special points: [{found}])"
        )


@dataclass(eq=False, kw_only=True)
class Diagram:
    """Several branches and how they are joined.

    Parameters
    ----------
    branches : tuple of Branch
        In the order in which they were found.
    connections : tuple of tuple
        ``(branch, special point, child branch)`` by position: where each child was entered.
    status : Status
        Whether the queue was emptied within the budget.
    report : dict
        Counts: switches tried, duplicates dropped, failures with reasons.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, p = sp.symbols("x p")
    >>> found = cc.diagram(cc.Problem([p * x - x**2], [x], [p]), [0], "p", (-1, 1))
    >>> [round(special.parameter, 9) + 0.0 for special in found[0].special_points]
    [0.0]
    >>> len(found)
    2
    """

    branches: tuple[Branch, ...]
    connections: tuple[tuple[int, int, int], ...] = ()
    status: Status = Status.COMPLETE
    report: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.branches)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    def __getitem__(self, position: int) -> Branch:
        return self.branches[position]

    @property
    def special_points(self) -> tuple[SpecialPoint, ...]:
        """The special points of all branches, in branch order (shared ones repeat)."""
        return tuple(special for branch in self.branches for special in branch.special_points)

    def of_kind(self, kind: str) -> tuple[SpecialPoint, ...]:
        """Return the special points of one kind."""
        return tuple(special for special in self.special_points if special.kind == kind)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the points of all branches, with a column ``branch``."""
        from .tables import diagram_to_pandas

        return diagram_to_pandas(self)

    def plot(self, y: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw all branches; see `contcrit.plotting.plot_diagram`."""
        from .plotting import plot_diagram

        return plot_diagram(self, y=y, ax=ax, **options)

    def save(self, path: Any) -> None:
        """Write the diagram to one self-describing file; see `contcrit.load`."""
        from .storage import save

        save(self, path)
