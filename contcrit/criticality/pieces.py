"""A nonsmooth function at one point: its active kinks, and its smooth pieces' derivatives.

A kink is a point where a switching function g vanishes and the function changes its formula. With
a *position* s in [0, 1] every kind of kink reads alike: relu(g) is s g, with s = 1 where g > 0 and
s = 0 where g < 0. A *sign pattern* gives every active kink a side, +1 (s = 1) or -1 (s = 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ..errors import SpecificationError

Array = np.ndarray


@runtime_checkable
class Pieces(Protocol):
    """What the classifiers of nonsmooth functions ask for.

    A switching function belongs to level 0 when no other active kink enters it, to level l + 1
    when it depends on active kinks up to level l. Sign patterns and positions concatenate the
    levels, lowest first. The function itself is continuous.

    Attributes
    ----------
    size : int
        Number of unknowns n.
    levels : tuple of int
        Number of active kinks on each level.
    linear : bool
        Whether the function is exactly piecewise linear near the point: affine switching
        functions (on higher levels for given signs), affine pieces. First-order answers are then
        exact, and the Hessians are not asked for.

    Notes
    -----
    More may be present beside these: see `DomainPieces` and `LiftablePieces`, and a property
    ``affine_cells``, true when the switching functions are affine near the point (on higher levels
    for given signs) while the pieces may be curved; without it, `linear` answers for it.
    """

    @property
    def size(self) -> int:
        """Number of unknowns."""
        ...

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of active kinks on each level."""
        ...

    @property
    def linear(self) -> bool:
        """Whether the function is exactly piecewise linear near the point."""
        ...

    def switching_gradients(self, level: int, signs: Array) -> Array:
        """Return the gradients (levels[level], n) of a level's switching functions.

        `signs` holds the signs of all lower levels' active kinks, concatenated.
        """
        ...

    def gradient(self, signs: Array) -> Array:
        """Return the gradient (n,) of the smooth piece that all signs select."""
        ...

    def hessian(self, signs: Array) -> Array | None:
        """Return the Hessian (n, n) of that piece, or None where there is none to be had."""
        ...

    def hull_gradient(self, positions: Array) -> Array:
        """Return the gradient (n,) by the chain rule with positions in [0, 1]."""
        ...


@runtime_checkable
class DomainPieces(Pieces, Protocol):
    """Pieces of a function on a cone of admissible directions."""

    @property
    def domain(self) -> Array:
        """Rows (k, n); the directions d with domain @ d >= 0 are admissible."""
        ...


@runtime_checkable
class LiftablePieces(Pieces, Protocol):
    """Pieces whose first-order cells miss some, with other unknowns in which none is missed."""

    def lifted(self, delta: float) -> Sequence[DomainPieces]:
        """Return the function in unknowns in which it is piecewise linear, for each branch.

        The union of the branches' domains covers every perturbation of relative size up to
        `delta`. The active kinks are those of the original, in the same order and on the same
        levels, so that a sign pattern means the same piece. Empty when there is nothing to lift.
        """
        ...


def has_affine_cells(pieces: Pieces) -> bool:
    """Return whether the first-order cells are exactly the cells near the point."""
    return pieces.linear or bool(getattr(pieces, "affine_cells", False))


def domain_rows(pieces: Pieces) -> Array:
    """Return the rows (k, n) of the cone of admissible directions; none means all of them."""
    return np.asarray(getattr(pieces, "domain", ()), dtype=float).reshape(-1, pieces.size)


class ArrayPieces:
    """Pieces given by arrays: the first-order data of any composition of kinks.

    With positions s, switching gradient k is ``rows[k] + sum_j links[k, j] s_j gradient_j`` and the
    function's gradient is ``base + sum_k coefficients[k] s_k gradient_k``.

    Parameters
    ----------
    base : array_like of shape (n,)
        Gradient with every position 0.
    rows : array_like of shape (m, n)
        Gradients of the switching functions, with every position 0.
    coefficients : array_like of shape (m,)
        How strongly each kink enters the function: relu(g) has 1, abs(g) has 2.
    links : array_like of shape (m, m), optional
        Strictly lower triangular: how strongly kink j enters switching function k (default 0).
    curvature : callable, optional
        Maps signs to the Hessian (n, n) of their piece. Default: no Hessians.
    linear : bool, optional
        Whether the function is exactly piecewise linear (default: if `curvature` is not given).
    affine_cells : bool, optional
        Whether the switching functions are affine (default: as `linear`).
    domain : array_like of shape (k, n), optional
        Rows of the cone of admissible directions; default all directions.

    Raises
    ------
    SpecificationError
        If shapes do not fit, links are not strictly lower triangular, the kinks are not sorted by
        level, or a value is not finite.

    Examples
    --------
    The function |x| - 2 relu(y) at 0:

    >>> pieces = ArrayPieces([-1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], [2.0, -2.0])
    >>> pieces.gradient(np.array([1, -1]))
    array([1., 0.])
    """

    def __init__(
        self,
        base: ArrayLike,
        rows: ArrayLike,
        coefficients: ArrayLike,
        *,
        links: ArrayLike | None = None,
        curvature: Callable[[Array], Array] | None = None,
        linear: bool | None = None,
        affine_cells: bool | None = None,
        domain: ArrayLike | None = None,
    ) -> None:
        n = np.size(base)
        if n == 0:
            raise SpecificationError("base", base, "must have an entry.", "Give a gradient.")
        self.base = _shaped("base", base, (n,))
        m = np.size(coefficients)
        self.coefficients = _shaped("coefficients", coefficients, (m,))
        self.rows = _shaped("rows", rows, (m, n))
        self.links = np.zeros((m, m)) if links is None else _shaped("links", links, (m, m))
        if np.any(np.triu(self.links)):
            raise SpecificationError(
                "links", self.links, "must be strictly lower triangular.", "Sort them by level."
            )
        level = np.zeros(m, dtype=int)
        for k in range(m):
            level[k] = max((level[j] + 1 for j in np.flatnonzero(self.links[k])), default=0)
        if np.any(np.diff(level) < 0):
            raise SpecificationError(
                "links", self.links, "must number the kinks level by level.", "Sort them by level."
            )
        self.curvature = curvature
        self._linear = curvature is None if linear is None else linear
        self._affine_cells = self._linear if affine_cells is None else affine_cells
        self._linked = np.flatnonzero(np.any(self.links, axis=1))
        self._levels = tuple(int(count) for count in np.bincount(level))
        self._domain = np.empty((0, n))
        if domain is not None:
            self._domain = _shaped("domain", domain, (len(np.asarray(domain)), n))

    def __repr__(self) -> str:
        text = f"ArrayPieces({self.base.tolist()}, {self.rows.tolist()}, "
        text += f"{self.coefficients.tolist()}"
        if np.any(self.links):
            text += f", links={self.links.tolist()}"
        return text + (")" if self.linear else ", linear=False)")

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return self.base.size

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of active kinks on each level."""
        return self._levels

    @property
    def linear(self) -> bool:
        """Whether the function is exactly piecewise linear near the point."""
        return self._linear

    @property
    def affine_cells(self) -> bool:
        """Whether the switching functions are affine near the point."""
        return self._affine_cells

    @property
    def domain(self) -> Array:
        """Rows (k, n) of the cone of admissible directions."""
        return self._domain

    def switching_gradients(self, level: int, signs: Array) -> Array:
        """Return the gradients (levels[level], n) of a level's switching functions."""
        first = sum(self.levels[:level])
        return self._chained((np.asarray(signs)[:first] + 1) / 2)[
            first : first + self.levels[level]
        ]

    def gradient(self, signs: Array) -> Array:
        """Return the gradient (n,) of the smooth piece that all signs select."""
        return self.hull_gradient((np.asarray(signs) + 1) / 2)

    def hessian(self, signs: Array) -> Array | None:
        """Return the Hessian (n, n) of that piece, or None where there is none to be had."""
        return None if self.curvature is None else np.asarray(self.curvature(np.asarray(signs)))

    def hull_gradient(self, positions: Array) -> Array:
        """Return the gradient (n,) by the chain rule with positions in [0, 1]."""
        positions = np.asarray(positions, dtype=float)
        result: Array = self.base + (self.coefficients * positions) @ self._chained(positions)
        return result

    def _chained(self, positions: Array) -> Array:
        """Return the switching gradients (m, n); positions that are not given count as 0."""
        gradients = self.rows.copy()
        for k in self._linked:
            inner = min(int(k), len(positions))
            gradients[k] += (self.links[k, :inner] * positions[:inner]) @ gradients[:inner]
        return gradients


def _shaped(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return finite floats of a shape; an empty value has the shape with no rows."""
    result = np.asarray(value, dtype=float)
    if result.size == 0:
        result = np.empty((0, *shape[1:]))
    if result.shape != shape or not np.all(np.isfinite(result)):
        raise SpecificationError(
            name, result.shape, f"must be finite and have shape {shape}.", "Give one for each kink."
        )
    return result
