"""Logarithmic norms, in metrics and on subspaces, and the rates of a problem's flow or map."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from ..errors import SpecificationError
from .field import Field, dense_matrix
from .jumps import Jump, surface_jumps
from .norms import columns_of, frame_of, induced_norm, root_of, square_matrices
from .norms import logarithmic_norm as logarithmic_norm

Array = np.ndarray

_CORNERS = 10
"""Largest number of kinks at a point all of whose 2^k pieces are looked at."""


def subspace_rate(A: Any, basis: Any, metric: Any = None) -> float:
    """Return the largest x^T M A x / x^T M x over a subspace.

    Parameters
    ----------
    A : array_like, shape (n, n)
    basis : array_like, shape (n, k)
        Columns that span the subspace; they may depend on each other.
    metric : array_like, shape (n, n), optional
        M (default the identity).

    Returns
    -------
    float
        Negative where distances along the subspace shrink; -inf for the subspace {0}.

    Examples
    --------
    >>> subspace_rate([[-1, 0], [0, 3]], [[1], [0]])
    -1.0
    """
    matrix = square_matrices(A)
    root = root_of(metric, len(matrix))
    columns = root @ columns_of(basis, len(matrix))
    frame = frame_of(columns)
    if frame.shape[1] == 0:
        return -np.inf
    inner = root @ matrix @ linalg.solve_triangular(root, frame)
    return logarithmic_norm(frame.T @ inner)


@dataclass(frozen=True)
class SemiRate:
    """A rate of the seminorm ``|C x|``, and how far the kernel of C is from being kept.

    Parameters
    ----------
    rate : float
        Logarithmic norm in the observed directions.
    leak : float
        Norm of what A moves from the kernel of C into the observed directions: where it is not
        zero, `rate` does not bound the seminorm by itself.
    dimension : int
        Number of observed directions: the rank of C.

    Examples
    --------
    >>> from contcrit.contraction.rates import observable_rate
    >>> observable_rate([[-2.0, 0.0], [0.0, 0.0]], [[1.0, 0.0]]).rate
    -2.0
    """

    rate: float
    leak: float
    dimension: int


def observable_rate(A: Any, observation: Any) -> SemiRate:
    """Return the rate at which C x can grow along x' = A x, the kernel of C left out.

    Parameters
    ----------
    A : array_like, shape (n, n)
    observation : array_like, shape (k, n)
        C; its rows may depend on each other.

    References
    ----------
    S. Jafarpour, P. Cisneros-Velarde and F. Bullo, "Weak and semi-contraction for network systems
    and diffusively coupled oscillators", IEEE TAC 67 (2022) 1285-1300, theorem 5.

    Examples
    --------
    >>> observable_rate([[-2.0, 0.0], [7.0, 5.0]], [[1.0, 0.0]])
    SemiRate(rate=-2.0, leak=0.0, dimension=1)
    """
    matrix = square_matrices(A)
    rows = np.atleast_2d(np.asarray(observation, dtype=float))
    if rows.ndim != 2 or rows.shape[1] != len(matrix) or not np.all(np.isfinite(rows)):
        raise SpecificationError(
            "observation", rows.shape, f"needs rows of {len(matrix)} numbers.", "One per output."
        )
    _, sizes, directions = np.linalg.svd(rows, full_matrices=True)
    rank = int(np.sum(sizes > 1e-12 * max(float(np.max(sizes, initial=0.0)), 1e-300)))
    if rank == 0:
        return SemiRate(-np.inf, 0.0, 0)
    seen, kernel = directions[:rank], directions[rank:]
    scaled = sizes[:rank, None] * seen
    inner = scaled @ matrix @ (seen.T / sizes[:rank])
    leak = float(np.linalg.norm(scaled @ matrix @ kernel.T, 2)) if len(kernel) else 0.0
    return SemiRate(logarithmic_norm(inner), leak, rank)


@dataclass(frozen=True)
class Rate:
    """How fast a flow or map expands distances near a point.

    Parameters
    ----------
    value : float
        For a flow, the largest logarithmic norm of the pieces at the point, and inf where the
        field jumps and is not known to be semi-contracting there. For a map, the induced norm.
    threshold : float
        What `value` is compared with: 0 for a flow, 1 for a map.
    pieces : int
        Number of smooth pieces looked at.
    jumps : tuple of Jump
        One for each switching surface through the point.

    Examples
    --------
    >>> rate = Rate(-0.5, 0.0, 1)
    >>> rate.contracting, rate.margin
    (True, 0.5)
    """

    value: float
    threshold: float
    pieces: int
    jumps: tuple[Jump, ...] = ()

    @property
    def contracting(self) -> bool:
        """Whether distances shrink near the point, with a margin."""
        return self.value < self.threshold

    @property
    def margin(self) -> float:
        """How far `value` lies below its threshold."""
        return self.threshold - self.value


def contraction_rate(
    problem: Any,
    x: Any,
    values: Mapping[Any, float] | None = None,
    *,
    norm: float = 2,
    metric: Any = None,
    subspace: Any = None,
    kernel: Any = None,
) -> Rate:
    """Return the rate at which a problem's flow or map can expand distances near a point.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        Of kind "flow" (x' = F), "potential" (x' = -F) or "map" (x to F(x); smooth only).
    x : array_like, shape (n,)
    values : mapping, optional
        Values of all parameters.
    norm, metric
        As for `logarithmic_norm`.
    subspace : array_like, shape (n, k), optional
        Columns that span the directions to look at (norm 2 only; default all).
    kernel : array_like, shape (n, k), optional
        Columns that span directions to leave out: those orthogonal to them in the metric remain.

    Returns
    -------
    Rate

    Raises
    ------
    SpecificationError
        If an argument breaks a rule, or the problem has no dynamics.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, y = sp.symbols("x y")
    >>> problem = cc.Problem.from_potential(x**2 + y**2 / 2, [x, y])
    >>> contraction_rate(problem, [1.0, 2.0]).value
    -1.0
    """
    if subspace is not None and kernel is not None:
        raise SpecificationError(
            "kernel", "with `subspace`", "says the same in another way.", "Give one of the two."
        )
    directions = kernel if subspace is None else subspace
    if directions is not None and norm != 2:
        raise SpecificationError("norm", norm, "must be 2 on a subspace.", "Leave it out.")
    point = np.asarray(x, dtype=float)
    if problem.kind == "map":
        if hasattr(problem, "switches"):
            raise SpecificationError("problem", problem, "must be smooth for a map.", "Use a flow.")
        matrix = dense_matrix(problem.jacobian(point, values)) + np.eye(problem.size)
        frame = _directions(len(matrix), metric, subspace, kernel)
        return Rate(induced_norm(matrix, norm, metric, frame), 1.0, 1)
    field = Field(problem, values)
    frame = _directions(field.size, metric, subspace, kernel)

    def rate(matrix: Array) -> float:
        if frame is None:
            return float(logarithmic_norm(matrix, norm, metric))
        return subspace_rate(matrix, frame, metric)

    if not field.kinks:
        return Rate(rate(field.jacobian(point, np.empty(0))), 0.0, 1)
    sides = field.sides(point, 1e-9)
    active = np.flatnonzero(sides == 0)
    if active.size > _CORNERS:
        raise SpecificationError(
            "x", f"{active.size} kinks meet", f"must lie on at most {_CORNERS}.", "Move it."
        )
    found = []
    for signs in itertools.product((-1, 1), repeat=int(active.size)):
        positions = (1.0 + sides) / 2.0
        positions[active] = (1.0 + np.array(signs)) / 2.0
        found.append(rate(field.jacobian(point, positions)))
    jumps = surface_jumps(problem, point, values, norm=norm, metric=metric, subspace=frame)
    singular = any(jump.verdict not in ("continuous", "semi-contracting") for jump in jumps)
    return Rate(np.inf if singular else max(found), 0.0, len(found), jumps)


def _directions(size: int, metric: Any, subspace: Any, kernel: Any) -> Array | None:
    """Return columns that span the directions to look at, or None for all."""
    if kernel is None:
        return None if subspace is None else columns_of(subspace, size)
    weighted = columns_of(kernel, size)
    if metric is not None:
        weighted = np.asarray(metric, dtype=float) @ weighted
    return linalg.null_space(weighted.T)
