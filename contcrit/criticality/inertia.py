"""How many eigenvalues of a symmetric matrix lie below a shift, by Sylvester's law of inertia.

Here for dense matrices; `inertia_sparse` holds the counters for sparse ones.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..linalg import inertia_by_pivots

Array = np.ndarray

SMALL = 24
"""Largest size at which the pivots are found without LAPACK, whose import takes longer."""


class Counter(Protocol):
    """Counts eigenvalues below shifts.

    Attributes
    ----------
    size : int
        Number of eigenvalues.
    scale : float
        Largest modulus of an eigenvalue of the unrestricted matrix.
    """

    @property
    def size(self) -> int:
        """Number of eigenvalues."""
        ...

    @property
    def scale(self) -> float:
        """Largest modulus of an eigenvalue of the unrestricted matrix."""
        ...

    def below(self, shift: float) -> int | None:
        """Return how many eigenvalues lie below a shift, or None when it cannot be told."""
        ...

    def restrict(self, directions: Array) -> Counter:
        """Return the counter on the complement of orthonormal directions, shape (k, n)."""
        ...


def block_diagonal_inertia(matrix: Array) -> tuple[int, int, int]:
    """Return the inertia of the factor D of L D L^T, whose blocks are of size 1 or 2.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric and block diagonal.

    Returns
    -------
    negative, zero, positive : int
        Zero counts exact zeros only; shifted matrices hardly have them.

    Examples
    --------
    >>> import numpy as np
    >>> block_diagonal_inertia(np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 5.0]]))
    (1, 0, 2)
    """
    n = len(matrix)
    diagonal = matrix.diagonal().copy()
    beside = np.zeros(n)
    beside[:-1] = matrix.diagonal(-1)
    first = np.flatnonzero(beside)
    if first.size:
        # The eigenvalue of larger modulus carries the sign of the trace; the other follows from
        # the determinant, without cancellation.
        a, b, c = diagonal[first], beside[first], diagonal[first + 1]
        centre = (a + c) / 2
        larger = centre + np.copysign(np.hypot((a - c) / 2, b), centre)
        # Factors are divided before they are multiplied: a * c may overflow.
        smaller = a * (c / larger) - b * (b / larger)
        diagonal[first], diagonal[first + 1] = larger, smaller
    negative = int(np.count_nonzero(diagonal < 0))
    positive = int(np.count_nonzero(diagonal > 0))
    return negative, n - negative - positive, positive


class DenseCounter:
    """Counts by the factorisation L D L^T of Bunch and Kaufman, or of Bunch and Parlett if small.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric.
    scale : float, optional
        Largest modulus of an eigenvalue; computed when not given.
    """

    def __init__(self, matrix: Array, scale: float | None = None) -> None:
        self.matrix = matrix
        if scale is None:
            scale = _largest_modulus_dense(matrix)
        self.scale = scale

    @property
    def size(self) -> int:
        """Number of eigenvalues."""
        return len(self.matrix)

    def below(self, shift: float) -> int | None:
        """Return how many eigenvalues lie below a shift, or None when a pivot is exactly zero."""
        if self.size == 0:
            return 0
        shifted = self.matrix - shift * np.eye(self.size)
        if self.size <= SMALL:
            negative, zero, _ = inertia_by_pivots(shifted)
            return None if zero else negative
        from scipy import linalg  # slow to import

        _, blocks, _ = linalg.ldl(shifted, overwrite_a=True, check_finite=False)
        negative, zero, _ = block_diagonal_inertia(blocks)
        return None if zero else negative

    def restrict(self, directions: Array) -> DenseCounter:
        """Return the counter on the complement of orthonormal directions, shape (k, n)."""
        full = np.linalg.qr(directions.T, mode="complete")[0]
        complement = full[:, len(directions) :]
        restricted = complement.T @ self.matrix @ complement
        return DenseCounter((restricted + restricted.T) / 2, self.scale)


def _largest_modulus_dense(matrix: Array) -> float:
    n = len(matrix)
    if n == 0:
        return 0.0
    if n <= 1000:
        return float(np.max(np.abs(np.linalg.eigvalsh(matrix))))
    from .inertia_sparse import largest_modulus

    return largest_modulus(matrix) if np.any(matrix) else 0.0
