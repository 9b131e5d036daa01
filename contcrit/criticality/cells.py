"""The cells that meet at a point: which sign patterns of the active kinks occur nearby.

To first order, a cell is an open cone: a sign pattern s occurs if some direction d has
``s_j row_j @ d > 0`` for every active kink j, where the rows of a level depend on the signs of the
levels below. Cells are found one kink after the other, so that every partial pattern that is
refused cuts its whole subtree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import comb

import numpy as np

from .hulls import nearest_in_hull
from .pieces import Pieces, domain_rows, has_affine_cells

Array = np.ndarray

STRICT = 1e-7
"""A cell counts as present when it holds a unit direction this far inside all its kinks."""

THIN = 1e-9
"""A cell counts as absent when no unit direction lies farther inside; between: undecided."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell.

    Attributes
    ----------
    signs : ndarray of shape (m,)
        +1 or -1 for every active kink.
    rows : ndarray of shape (k, n)
        Unit rows; the cell is rows @ d > 0. Kinks with equal rows share one.
    direction : ndarray of shape (n,)
        Unit direction inside the cell: the proof that it is there.
    margin : float
        Smallest product of the rows with it; at least `STRICT`.
    hidden : int
        Number of kinks whose gradient is zero in this cell and whose side is therefore not known;
        their signs are +1. Both sides have the same gradient, but not the same Hessian.
    """

    signs: Array
    rows: Array
    direction: Array
    margin: float
    hidden: int = 0


@dataclass(eq=False)
class CellSearch:
    """Enumeration of the cells that meet at a point.

    Parameters
    ----------
    pieces : Pieces
        The function at the point. A ``domain`` restricts the directions.
    depth : int, optional
        How many levels to look at (default all); the signs of the others stay 0.
    budget : int
        Largest number of cells to yield (default 2000).
    deadline : float
        Value of `time.monotonic` at which to stop (default never).
    refuse : callable, optional
        Maps a partial pattern (open signs are 0) to whether its cells are not wanted.

    Attributes
    ----------
    complete : bool
        Whether the last iteration saw every cell, to first order.
    stopped : str
        Why it is not complete: ``"budget"``, ``"time"``, ``"thin cells"``, ``"zero gradients"``.
    thin : int
        Number of (partial) patterns that are neither surely present nor surely absent.
    tests : int
        Number of feasibility problems that were solved.

    Notes
    -----
    m rows in general position in a space of dimension r have ``2 sum_{j<r} C(m-1, j)`` cells
    (Cover [1]_); each costs at most m feasibility problems, each a non-negative least squares
    problem with m columns of length n + 1. Independent rows have all 2^m patterns.

    A kink whose gradient vanishes splits no cell to first order, and the gradients on both of its
    sides agree if the function is continuous; its sign is set to +1. Where they do not agree, the
    cell is left out and the enumeration is not complete.

    References
    ----------
    .. [1] T. M. Cover, "Geometrical and statistical properties of systems of linear inequalities
       with applications in pattern recognition", IEEE Transactions on Electronic Computers EC-14
       (1965) 326-334.

    Examples
    --------
    Three lines through a point of the plane make six cells:

    >>> from contcrit.criticality.pieces import ArrayPieces
    >>> pieces = ArrayPieces([0.0, 0.0], [[1, 0], [0, 1], [1, 1]], [1, 1, 1])
    >>> len(list(CellSearch(pieces)))
    6
    """

    pieces: Pieces
    depth: int | None = None
    budget: int = 2000
    deadline: float = float("inf")
    refuse: Callable[[Array], bool] | None = None
    complete: bool = field(default=False, init=False)
    stopped: str = field(default="", init=False)
    thin: int = field(default=0, init=False)
    _broken: bool = field(default=False, init=False)
    tests: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Cell]:
        levels = self.pieces.levels[: self.depth]
        total = sum(self.pieces.levels)
        self.complete, self.stopped, self.thin, self.tests, self._broken = False, "", 0, 0, False
        domain = unit_rows(domain_rows(self.pieces))
        start = self._witness(domain, np.zeros(self.pieces.size))
        if start is None:
            self.complete = self.thin == 0
            self.stopped = "thin cells" if self.thin else ""
            return
        found = 0
        root = self._next_level(_Node(np.zeros(total), -1, domain, *start, (), 0), levels)
        stack = [] if root is None else [root]
        while stack:
            node = stack.pop()
            if node.level == len(levels):
                if self.refuse is not None and self.refuse(node.signs):
                    continue
                if found == self.budget:
                    self.stopped = "budget"
                    return
                found += 1
                yield Cell(node.signs, node.rows, node.direction, node.margin, node.hidden)
                continue
            if time.monotonic() > self.deadline:
                self.stopped = "time"
                return
            for child in self._children(node):
                if self.refuse is not None and self.refuse(child.signs):
                    continue
                advanced = child if child.waiting else self._next_level(child, levels)
                if advanced is not None:
                    stack.append(advanced)
        self.stopped = "thin cells" if self.thin else "zero gradients" if self._broken else ""
        self.complete = not self.stopped

    def _next_level(self, node: _Node, levels: tuple[int, ...]) -> _Node | None:
        """Return the node with the rows of its next level that has any, or None: not continuous."""
        signs, level, hidden = node.signs, node.level + 1, node.hidden
        while level < len(levels):
            first = sum(levels[:level])
            gradients = self.pieces.switching_gradients(level, signs[:first])
            groups, zero = grouped_rows(gradients)
            signs = signs.copy()
            signs[first + zero] = 1.0
            if zero.size and not self._continuous(signs, first + zero):
                self._broken = True
                return None
            # An affine function of gradient zero is zero on the whole cell: it has no sides.
            hidden += 0 if has_affine_cells(self.pieces) else zero.size
            waiting = tuple(
                (group.row, first + group.members, group.orientations) for group in groups
            )
            if waiting:
                return replace(node, signs=signs, level=level, waiting=waiting, hidden=hidden)
            level += 1
        return replace(node, signs=signs, level=level, waiting=(), hidden=hidden)

    def _continuous(self, signs: Array, kinks: Array) -> bool:
        """Return whether the gradients on both sides of kinks with gradient zero agree."""
        filled = np.where(signs == 0, 1.0, signs)
        here = self.pieces.gradient(filled)
        size = max(1.0, float(np.max(np.abs(here))))
        for kink in kinks:
            other = filled.copy()
            other[kink] = -1.0
            if np.max(np.abs(self.pieces.gradient(other) - here)) > THIN * size:
                return False
        return True

    def _children(self, node: _Node) -> Iterator[_Node]:
        (row, members, orientations), rest = node.waiting[0], node.waiting[1:]
        value = float(row @ node.direction)
        for sign in (1.0, -1.0):
            rows = np.vstack([node.rows, sign * row])
            if sign * value > 10 * STRICT:
                witness: tuple[Array, float] | None = (
                    node.direction,
                    min(node.margin, sign * value),
                )
            else:
                witness = self._witness(rows, node.direction)
            if witness is not None:
                signs = node.signs.copy()
                signs[members] = sign * orientations
                yield _Node(signs, node.level, rows, *witness, rest, node.hidden)

    def _witness(self, rows: Array, default: Array) -> tuple[Array, float] | None:
        """Return a unit direction inside the cone of rows and its margin, or None."""
        if len(rows) == 0:
            return default, float("inf")
        self.tests += 1
        nearest = nearest_in_hull(rows)
        # max over |d| <= 1 of min rows @ d is the hull's distance from the origin.
        if nearest.lower > STRICT:
            return nearest.point / nearest.upper, nearest.lower
        if nearest.upper > THIN:
            self.thin += 1
        return None


def number_of_cells(kinks: int, rank: int) -> int:
    """Return the number of cells of rows in general position, ``2 sum_{j<rank} C(kinks-1, j)``.

    Parameters
    ----------
    kinks : int
        Number of rows.
    rank : int
        Dimension of the space that they span.

    Examples
    --------
    >>> number_of_cells(3, 2), number_of_cells(4, 4)
    (6, 16)
    """
    return 2 * sum(comb(kinks - 1, j) for j in range(rank)) if kinks else 1


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Parallel rows: one unit row, its members' places and their orientations (+1 or -1)."""

    row: Array
    members: Array
    orientations: Array


def grouped_rows(rows: Array, tolerance: float = THIN) -> tuple[list[RowGroup], Array]:
    """Return the groups of parallel rows, and the places of the rows that are zero.

    Parameters
    ----------
    rows : ndarray of shape (m, n)
        Any rows.
    tolerance : float
        Rows shorter than this share of the longest, or than 1e-14, count as zero; unit rows that
        differ by less count as equal (default 1e-9).
    """
    lengths = np.linalg.norm(rows, axis=1)
    longest = float(np.max(lengths, initial=0.0))
    zero = lengths <= max(tolerance * longest, 1e-14)
    kept = np.flatnonzero(~zero)
    units = rows[kept] / lengths[kept, None]
    groups: list[RowGroup] = []
    free = np.ones(len(kept), dtype=bool)
    for place in range(len(kept)):
        if not free[place]:
            continue
        plus = np.max(np.abs(units - units[place]), axis=1, initial=0.0) <= tolerance
        minus = np.max(np.abs(units + units[place]), axis=1, initial=0.0) <= tolerance
        members = np.flatnonzero(free & (plus | minus))
        free[members] = False
        groups.append(RowGroup(units[place], kept[members], np.where(plus[members], 1.0, -1.0)))
    return groups, np.flatnonzero(zero)


def unit_rows(rows: Array) -> Array:
    """Return the non-zero rows, each divided by its length."""
    if rows.size == 0:
        return rows
    lengths = np.linalg.norm(rows, axis=1)
    result: Array = rows[lengths > 0] / lengths[lengths > 0, None]
    return result


@dataclass(frozen=True, eq=False)
class _Node:
    """A partial pattern: its witness, and the rows of its level that still need a sign."""

    signs: Array
    level: int
    rows: Array
    direction: Array
    margin: float
    waiting: tuple[tuple[Array, Array, Array], ...]
    hidden: int
