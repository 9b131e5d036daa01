"""Sparse matrices that share one pattern, analysed once: bandwidth, ordering, gather maps."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

Array = np.ndarray
Places = Any  # a slice or an index array

BAND_LIMIT = 40
"""Largest half bandwidth at which a band solver is preferred to general sparse factors."""


class Pattern:
    """Where a sparse matrix (n, m), m in {n, n + 1}, has entries, and what follows from it.

    The first n columns are the square part, whose factors the solvers need.

    Parameters
    ----------
    indices, pointers : ndarray of int
        As in compressed sparse columns, sorted within columns and without duplicates.
    shape : tuple of int
    """

    def __init__(self, indices: Array, pointers: Array, shape: tuple[int, int]) -> None:
        self.indices = indices
        self.pointers = pointers
        self.shape = shape
        self.size = shape[0]
        self.count = int(pointers[self.size])
        self.ordering: Any = None  # set by the first general sparse factorisation

    @cached_property
    def columns(self) -> Array:
        """Column of each entry."""
        return np.repeat(np.arange(self.shape[1]), np.diff(self.pointers))

    @cached_property
    def last_rows(self) -> Places:
        """Rows of the entries of column n; a slice where they are all there."""
        return as_slice(self.indices[self.count :])

    @cached_property
    def inner(self) -> Pattern:
        """The pattern of the square part."""
        if self.shape[0] == self.shape[1]:
            return self
        size = self.size
        return Pattern(self.indices[: self.count], self.pointers[: size + 1], (size, size))

    @cached_property
    def bandwidth(self) -> tuple[int, int]:
        """Numbers of diagonals below and above the main one in the square part."""
        inner = self.inner
        offsets = inner.indices - inner.columns
        return int(max(offsets.max(initial=0), 0)), int(max((-offsets).max(initial=0), 0))

    @cached_property
    def permutation(self) -> Array | None:
        """Symmetric permutation that makes the band narrow, or None if it needs none.

        The reverse Cuthill-McKee ordering; kept only if it helps.
        """
        if max(self.bandwidth) <= 2:
            return None
        graph = self.inner.graph
        order = np.asarray(reverse_cuthill_mckee(graph, symmetric_mode=False))
        place = np.empty(self.size, dtype=np.intp)
        place[order] = np.arange(self.size)
        reach = np.abs(place[self.inner.indices] - place[self.inner.columns]).max(initial=0)
        return order if reach < max(self.bandwidth) else None

    @cached_property
    def permuted(self) -> tuple[Array, Array]:
        """Rows and columns of the square part's entries after `permutation`."""
        rows, columns = self.inner.indices, self.inner.columns
        if self.permutation is None:
            return rows, columns
        place = np.empty(self.size, dtype=np.intp)
        place[self.permutation] = np.arange(self.size)
        return place[rows], place[columns]

    @cached_property
    def band(self) -> tuple[int, int] | None:
        """Numbers of diagonals below and above after `permutation`; None if too many."""
        rows, columns = self.permuted
        offsets = rows - columns
        lower, upper = int(max(offsets.max(initial=0), 0)), int(max((-offsets).max(initial=0), 0))
        if max(lower, upper) > min(BAND_LIMIT, max(self.size // 4, 1)):
            return None
        return lower, upper

    @cached_property
    def diagonals(self) -> tuple[Places, Places, Places] | None:
        """Places of the entries below, on and above the diagonal, if tridiagonal and full."""
        if self.size < 3 or max(self.bandwidth) > 1 or self.count != 3 * self.size - 2:
            return None
        offsets = self.inner.indices - self.inner.columns
        lower, main, upper = (as_slice(np.flatnonzero(offsets == k)) for k in (1, 0, -1))
        return lower, main, upper

    @cached_property
    def band_places(self) -> tuple[Array, int]:
        """Places of the square part's entries in LAPACK's band storage, and its row count."""
        assert self.band is not None
        rows, columns = self.permuted
        lower, upper = self.band
        height = 2 * lower + upper + 1
        return (columns * height + lower + upper + rows - columns).astype(np.intp), height

    @cached_property
    def graph(self) -> sparse.csr_array:
        """The square part's pattern as a matrix of ones."""
        inner = self.inner
        ones = np.ones(inner.indices.size)
        return sparse.csr_array(
            sparse.csc_array((ones, inner.indices, inner.pointers), inner.shape)
        )

    @cached_property
    def symmetric(self) -> bool:
        """Whether the square part's pattern is symmetric."""
        transposed = sparse.csc_array(self.graph)  # csr of the pattern: csc of its transpose
        mine = sparse.csr_array(self.graph)
        return np.array_equal(mine.indptr, transposed.indptr) and np.array_equal(
            mine.indices, transposed.indices
        )

    def reordered(self, rows: Array | None, columns: Array) -> tuple[Array, Array, Array]:
        """Return gather places, indices and pointers of the square part permuted.

        Entry (i, j) of the result is entry (rows[i], columns[j]); `rows` None keeps the rows.
        """
        inner = self.inner
        row_place = np.arange(self.size)
        if rows is not None:
            row_place[rows] = np.arange(self.size)
        column_place = np.empty(self.size, dtype=np.intp)
        column_place[columns] = np.arange(self.size)
        new_rows, new_columns = row_place[inner.indices], column_place[inner.columns]
        gather = np.lexsort((new_rows, new_columns))
        counts = np.bincount(new_columns, minlength=self.size)
        pointers = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        return gather, new_rows[gather].astype(np.int32), pointers


class PatternedMatrix(sparse.csc_array):
    """A `scipy.sparse.csc_array` that knows the pattern it shares with its likes.

    Attributes
    ----------
    pattern : Pattern or None
        None on results of general sparse operations.
    kept : dict
        What was computed of the square part (its factors); shared with `inner`. Entries must not
        be changed in place once something is kept.
    """

    pattern: Pattern | None = None
    kept: dict[str, Any]

    @classmethod
    def first(cls, data: Array, pattern: Pattern) -> Self:
        """Return the first matrix of a pattern, checked in full."""
        matrix = cls((data, pattern.indices, pattern.pointers), pattern.shape)
        matrix.pattern = pattern
        matrix.kept = {}
        return matrix

    def like(self, data: Array) -> Self:
        """Return the matrix of the same pattern with other entries, unchecked and cheap."""
        matrix = self.__class__.__new__(self.__class__)
        matrix.__dict__.update(self.__dict__)
        matrix.data = data
        matrix.kept = {}
        return matrix

    def inner(self) -> PatternedMatrix:
        """Return the square part, sharing its data."""
        pattern = self.pattern
        assert pattern is not None
        if self.shape[0] == self.shape[1]:
            return self
        prototype = pattern.__dict__.get("prototype")
        data = self.data[: pattern.count]
        if prototype is None:
            prototype = PatternedMatrix.first(data, pattern.inner)
            pattern.__dict__["prototype"] = prototype
        square = prototype.like(data)
        square.kept = self.kept
        return square

    def last_column(self) -> Array:
        """Return column n as a dense vector."""
        pattern = self.pattern
        assert pattern is not None
        column = np.zeros(pattern.size)
        column[pattern.last_rows] = self.data[pattern.count :]
        return column

    def largest_row_sum(self, weights: Array) -> float:
        """Return max_i sum_j |a_ij| weights_j."""
        if self.pattern is None:
            return float(np.max(abs(sparse.csc_array(self)) @ weights, initial=0.0))
        moduli = np.abs(self.data)
        if self.pattern.diagonals is not None:
            size = self.pattern.size
            lower, main, upper = self.pattern.diagonals
            sums = moduli[main] * weights[:size]
            sums[1:] += moduli[lower] * weights[: size - 1]
            sums[:-1] += moduli[upper] * weights[1:size]
            if self.shape[1] > size:
                sums[self.pattern.last_rows] += moduli[self.pattern.count :] * weights[-1]
            return float(sums.max())
        terms = moduli * weights[self.pattern.columns]
        return float(np.bincount(self.indices, terms, minlength=1).max())

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.pattern, self.kept = None, {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Factors do not pickle; the pattern is found anew where it is needed.
        return sparse.csc_array, ((self.data, self.indices, self.indptr), self.shape)

    def __getitem__(self, key: Any) -> Any:
        if (
            self.pattern is not None
            and isinstance(key, tuple)
            and key == (slice(None), slice(None, -1))
            and self.shape[1] == self.shape[0] + 1
        ):
            return self.inner()
        return super().__getitem__(key)


def pattern_of(matrix: Any) -> PatternedMatrix:
    """Return a sparse matrix with its pattern: its own, or one found now."""
    if isinstance(matrix, PatternedMatrix) and matrix.pattern is not None:
        return matrix
    columns = sparse.csc_array(matrix, dtype=float)
    if not columns.has_canonical_format:
        columns = columns.copy()
        columns.sum_duplicates()
    return PatternedMatrix.first(
        columns.data, Pattern(columns.indices, columns.indptr, columns.shape)
    )


def as_slice(places: Array) -> Places:
    """Return a slice for places in arithmetic progression, else the places."""
    if places.size >= 2:
        step = int(places[1] - places[0])
        if step > 0 and np.array_equal(
            places, np.arange(places[0], places[0] + step * places.size, step)
        ):
            return slice(int(places[0]), int(places[-1]) + 1, step)
    return places
