"""Counters of eigenvalues below a shift for sparse symmetric matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh, splu

from ..linalg import PatternedMatrix, sturm_count, tridiagonal_of

Array = np.ndarray


class TridiagonalCounter:
    """Counts by Sturm's sequence, which never fails and is right to rounding.

    Parameters
    ----------
    matrix : PatternedMatrix of shape (n, n)
        Symmetric and tridiagonal.
    """

    def __init__(self, matrix: PatternedMatrix) -> None:
        diagonals = tridiagonal_of(matrix)
        assert diagonals is not None
        self._matrix = matrix
        self._main, self._beside = diagonals
        self.scale = _largest_modulus_tridiagonal(self._main, self._beside)

    @property
    def size(self) -> int:
        """Number of eigenvalues."""
        return self._main.size

    def below(self, shift: float) -> int | None:
        """Return how many eigenvalues lie below a shift, or None when it cannot be told."""
        count = sturm_count(self._main, self._beside, shift)
        return None if count < 0 else count

    def restrict(self, directions: Array) -> SparseCounter:
        """Return the counter on the complement of orthonormal directions, shape (k, n)."""
        return SparseCounter(self._matrix, directions, self.scale)


class SparseCounter:
    """Counts by the pivots of a sparse factorisation with diagonal pivots.

    A factorisation is used only if every pivot was taken from the diagonal, so that U = D L^T,
    and if it reproduces the shifted matrix to a tenth of the shift; its inertia is then that of a
    matrix whose eigenvalues differ by less than this.

    Parameters
    ----------
    matrix : scipy.sparse.csc_array of shape (n, n)
        Symmetric.
    directions : ndarray of shape (k, n), optional
        Orthonormal directions whose complement the eigenvalues are those of.
    scale : float, optional
        Largest modulus of an eigenvalue; computed when not given.
    """

    def __init__(
        self, matrix: Any, directions: Array | None = None, scale: float | None = None
    ) -> None:
        self.matrix = sparse.csc_array(matrix)
        n = self.matrix.shape[0]
        self.directions = np.empty((0, n)) if directions is None else directions
        self.scale = largest_modulus(self.matrix) if scale is None else scale

    @property
    def size(self) -> int:
        """Number of eigenvalues."""
        return int(self.matrix.shape[0]) - len(self.directions)

    def below(self, shift: float) -> int | None:
        """Return how many eigenvalues lie below a shift, or None without trustworthy factors."""
        n = self.matrix.shape[0]
        shifted = sparse.csc_array(self.matrix - shift * sparse.eye_array(n, format="csc"))
        try:
            factors = splu(
                shifted,
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
        except RuntimeError:  # SuperLU's word for an exactly singular factor
            return None
        if not np.array_equal(factors.perm_r, factors.perm_c):
            return None
        pivots = factors.U.diagonal()
        if not np.all(np.isfinite(pivots)) or np.any(pivots == 0):
            return None
        if _factor_error(shifted, factors) > 0.1 * abs(shift):
            return None
        negative = int(np.count_nonzero(pivots < 0))
        count = len(self.directions)
        if count == 0:
            return negative
        # Haynsworth: the bordered matrix has the inertia of the shifted one plus that of the Schur
        # complement, and that of the restriction plus (k, k).
        complement = -self.directions @ factors.solve(np.ascontiguousarray(self.directions.T))
        if not np.all(np.isfinite(complement)):
            return None
        schur = linalg.eigvalsh((complement + complement.T) / 2)
        if np.min(np.abs(schur)) <= 1e-6 * np.max(np.abs(schur)):
            return None
        return negative + int(np.count_nonzero(schur < 0)) - count

    def restrict(self, directions: Array) -> SparseCounter:
        """Return the counter on the complement of orthonormal directions, shape (k, n)."""
        return SparseCounter(self.matrix, directions, self.scale)


def _factor_error(matrix: Any, factors: Any) -> float:
    """Return an estimate of the norm of P A P^T - L U, from three random probes."""
    n = matrix.shape[0]
    probes = np.random.default_rng(0).standard_normal((n, 3))
    probes /= np.linalg.norm(probes, axis=0)
    # Row perm_r[i] of the permuted matrix is row i of the original one.
    original = probes[factors.perm_c]
    product = np.empty_like(probes)
    product[factors.perm_r] = matrix @ original
    difference = product - factors.L @ (factors.U @ probes)
    # A random unit vector sees about 1/sqrt(n) of a rank-one error.
    return float(np.sqrt(n) * np.max(np.linalg.norm(difference, axis=0)))


def _largest_modulus_tridiagonal(main: Array, beside: Array) -> float:
    """Return the larger modulus of the two extreme eigenvalues, by bisection."""
    size = main.size
    ends = [
        linalg.eigvalsh_tridiagonal(main, beside, select="i", select_range=(k, k), tol=1e-3)
        for k in (0, size - 1)
    ]
    return float(max(abs(end[0]) for end in ends))


def largest_modulus(matrix: Any) -> float:
    """Return the largest modulus to a per cent, which is all that a scale needs."""
    if sparse.issparse(matrix) and not np.any(matrix.data):
        return 0.0
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    values = eigsh(matrix, k=1, which="LM", v0=start, tol=1e-2, return_eigenvectors=False)
    return float(np.max(np.abs(values)))
