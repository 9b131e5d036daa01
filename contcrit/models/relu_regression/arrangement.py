"""The faces into which hyperplanes through the origin cut space.

A face is named by the sign, -1, 0 or +1, of every distinct hyperplane's normal form on it. Cells
are the faces of full dimension. The enumeration is exact up to one tolerance: normal forms below it
on a unit vector count as zero. For m hyperplanes in general position in d dimensions there are
``2 sum_{i<d} C(m - 1, i)`` cells; the work grows like m^(d - 1) times the rank's small factor, so
d up to 4 or 5 is practical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...system import Array

ZERO = 1e-10
"""Values of a unit normal form on a unit vector that count as zero."""


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Distinct hyperplanes through the origin, and which row belongs to which.

    Parameters
    ----------
    normals : ndarray, shape (m, d)
        Unit normals of the distinct hyperplanes.
    plane : ndarray of int, shape (rows,)
        The hyperplane of each row; -1 for zero rows, which have none.
    side : ndarray of int, shape (rows,)
        +1 where the row points along its hyperplane's normal, -1 where it points against it, 0 for
        zero rows.
    """

    normals: Array
    plane: Array
    side: Array

    def row_signs(self, signs: Array) -> Array:
        """Return the sign of each row on a face, shape (rows,)."""
        padded = np.append(signs, 0)
        return np.asarray(padded[self.plane] * self.side)


@dataclass(frozen=True, eq=False)
class Face:
    """A face of an arrangement.

    Parameters
    ----------
    signs : ndarray of int, shape (m,)
        Sign of each hyperplane's normal form on it.
    basis : ndarray, shape (d, k)
        Orthonormal basis of its span.
    """

    signs: Array
    basis: Array

    @property
    def dimension(self) -> int:
        """Dimension k of the face."""
        return self.basis.shape[1]


def arrangement(rows: Array) -> Arrangement:
    """Return the distinct hyperplanes of rows, shape (rows, d): parallel ones are one.

    Examples
    --------
    >>> import numpy as np
    >>> found = arrangement(np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 0.0], [1.0, 1.0]]))
    >>> found.plane.tolist(), found.side.tolist()
    ([0, 0, -1, 1], [1, -1, 0, 1])
    """
    rows = np.asarray(rows, dtype=float)
    lengths = np.linalg.norm(rows, axis=1)
    scale = float(np.max(lengths, initial=0.0))
    normals: list[Array] = []
    plane = np.full(len(rows), -1)
    side = np.zeros(len(rows), dtype=int)
    for k, row in enumerate(rows):
        if lengths[k] <= ZERO * scale:
            continue
        unit = row / lengths[k]
        for h, normal in enumerate(normals):
            along = 1 if unit @ normal > 0 else -1
            if float(np.linalg.norm(unit - along * normal)) <= ZERO:
                plane[k], side[k] = h, along
                break
        else:
            plane[k], side[k] = len(normals), 1
            normals.append(unit)
    return Arrangement(np.array(normals).reshape(len(normals), rows.shape[1]), plane, side)


def cells(normals: Array) -> Array:
    """Return the signs of all cells of hyperplanes with these unit normals, shape (cells, m).

    Examples
    --------
    >>> import numpy as np
    >>> len(cells(np.eye(3)))
    8
    """
    m = len(normals)
    if m == 0:
        return np.zeros((1, 0), dtype=int)
    reduced, rank = _on_row_space(normals)
    if rank == 1:
        one = np.where(reduced[:, 0] > 0, 1, -1)
        return np.array([one, -one])
    found: dict[bytes, Array] = {}
    for zero, basis in _flats(reduced, rank - 1):
        outside = np.sign(reduced @ basis[:, 0]).astype(int)
        outside[zero] = 0
        for inner in cells(reduced[zero]):
            for direction in (1, -1):
                signs = direction * outside
                signs[zero] = inner
                found[signs.tobytes()] = signs
    return np.array(list(found.values()))


def faces(normals: Array) -> Iterator[Face]:
    """Yield every face of hyperplanes with these unit normals, cells first.

    Examples
    --------
    >>> import numpy as np
    >>> len(list(faces(np.eye(2))))
    9
    """
    m = len(normals)
    rank = int(np.linalg.matrix_rank(normals, tol=ZERO)) if m else 0
    for r in range(rank + 1):
        for zero, basis in _flats(normals, r):
            inside = np.setdiff1d(np.arange(m), zero)
            restricted = arrangement(normals[inside] @ basis)
            for cell in cells(restricted.normals):
                signs = np.zeros(m, dtype=int)
                signs[inside] = restricted.row_signs(cell)
                yield Face(signs, basis)


def _flats(normals: Array, rank: int) -> Iterator[tuple[Array, Array]]:
    """Yield the intersections of `rank` independent hyperplanes: all planes that hold it, basis."""
    m, d = normals.shape
    seen: set[bytes] = set()
    for chosen in combinations(range(m), rank):
        _, sizes, axes = np.linalg.svd(normals[list(chosen)].reshape(rank, d))
        if rank and sizes[-1] <= ZERO:
            continue
        basis = axes[rank:].T
        zero = np.flatnonzero(np.linalg.norm(normals @ basis, axis=1) <= ZERO)
        if zero.tobytes() not in seen:
            seen.add(zero.tobytes())
            yield zero, basis


def _on_row_space(normals: Array) -> tuple[Array, int]:
    """Return the normals in coordinates of the space that they span, and its dimension."""
    _, sizes, axes = np.linalg.svd(normals, full_matrices=False)
    rank = int(np.sum(sizes > ZERO))
    return normals @ axes[:rank].T, rank
