"""Factors of square matrices, chosen by structure: tridiagonal, banded, sparse or dense."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dgbtrf, dgbtrs, dgetrf, dgetrs, dgttrf, dgttrs
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from .patterned import Pattern, PatternedMatrix, pattern_of

Array = np.ndarray

PIVOT_SHARE = 1e-3
"""Share of a column's largest entry that suffices for a pivot on the diagonal: it keeps the fill
low and bounds the growth; what it loses is seen in the residual."""

_PANELS = {"relax": 20, "panel_size": 4}
"""Columns that SuperLU takes together: fewer than by default, as supernodes of grids are narrow."""


class Factors(Protocol):
    """Factors of a square matrix A.

    Attributes
    ----------
    sign, log_modulus : float
        Of the determinant.
    checked : bool
        Whether the pivots are so safe that solutions need no check of their residual.
    """

    @property
    def sign(self) -> float:
        """Sign of the determinant."""
        ...

    @property
    def log_modulus(self) -> float:
        """Logarithm of the determinant's modulus."""
        ...

    @property
    def checked(self) -> bool:
        """Whether solutions need no check of their residual."""
        ...

    def solve(self, right: Array) -> Array:
        """Return the solution of A u = right, of shape (n,) or (n, k)."""
        ...

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of A' u = right."""
        ...


class _Determinant(ABC):
    """Sign and log modulus of a determinant from pivots and the number of row swaps, on demand."""

    _diagonal: Array

    @abstractmethod
    def _swaps(self) -> int: ...

    @cached_property
    def sign(self) -> float:
        """Sign of the determinant."""
        parity = self._swaps() + np.count_nonzero(self._diagonal < 0)
        return -1.0 if parity % 2 else 1.0

    @cached_property
    def log_modulus(self) -> float:
        """Logarithm of the determinant's modulus."""
        return float(np.log(np.abs(self._diagonal)).sum())


class TridiagonalFactors(_Determinant):
    """LU with partial pivoting of a tridiagonal matrix (LAPACK gttrf)."""

    checked = True

    def __init__(self, lower: Array, main: Array, upper: Array) -> None:
        *factors, info = dgttrf(lower, main, upper)
        self._factors = factors
        self._diagonal = factors[1]
        self.regular = info == 0 and bool(self._diagonal.all())

    def _swaps(self) -> int:
        return int(np.count_nonzero(self._exchanged))

    @cached_property
    def _exchanged(self) -> Array:
        return self._factors[4] != np.arange(1, self._diagonal.size + 1)

    def negative_of_symmetric(self) -> int | None:
        """Return the number of negative eigenvalues of A, which must be symmetric.

        These are the negative ones among the quotients q of consecutive leading minors. Where no
        rows were exchanged the running pivot is a multiple c of q with c = 1; an exchange leaves
        the quotient's multiple in the multiplier, and c = minus the multiplier for the next row.
        None where a quotient is exactly zero.
        """
        multipliers = self._factors[0]
        if not multipliers.all():
            return None
        below = np.signbit(multipliers) & self._exchanged[:-1]
        negative = np.signbit(self._diagonal)
        negative[:-1] ^= below  # of the running pivot, before the exchange
        negative[1:] ^= self._exchanged[:-1] & ~below  # c is minus the multiplier
        return int(np.count_nonzero(negative))

    def solve(self, right: Array) -> Array:
        """Return the solution of A u = right."""
        return dgttrs(*self._factors, right)[0]

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of A' u = right."""
        return dgttrs(*self._factors, right, trans="T")[0]


class BandFactors(_Determinant):
    """LU with partial pivoting of a band matrix (LAPACK gbtrf), rows and columns permuted alike."""

    checked = True

    def __init__(self, data: Array, pattern: Pattern) -> None:
        assert pattern.band is not None
        self._lower, self._upper = pattern.band
        places, height = pattern.band_places
        storage = np.zeros(pattern.size * height)
        storage[places] = data[: pattern.count]
        band = storage.reshape(pattern.size, height).T
        self._factors, self._pivots, info = dgbtrf(band, self._lower, self._upper, overwrite_ab=1)
        self._order = pattern.permutation
        self._diagonal = self._factors[self._lower + self._upper]
        self.regular = info == 0 and bool(self._diagonal.all())

    def _swaps(self) -> int:
        return int(np.count_nonzero(self._pivots != np.arange(self._diagonal.size)))

    def _solve(self, right: Array, transposed: int) -> Array:
        order = self._order
        given = right if order is None else right[order]
        found, _ = dgbtrs(
            self._factors, self._lower, self._upper, given, self._pivots, trans=transposed
        )
        if order is None:
            return found
        solution = np.empty_like(found)
        solution[order] = found
        return solution

    def solve(self, right: Array) -> Array:
        """Return the solution of A u = right."""
        return self._solve(right, 0)

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of A' u = right."""
        return self._solve(right, 1)


class SparseFactors:
    """SuperLU's factors in an ordering that is computed once for a pattern.

    Where the pattern is symmetric the ordering is too, and pivots stay on the diagonal unless they
    are tiny. With every pivot on the diagonal of a symmetric matrix their signs are its inertia.

    Attributes
    ----------
    negative : int or None
        Number of negative pivots, if all of them were taken from the diagonal.
    """

    checked = False

    def __init__(self, data: Array, pattern: Pattern, pivot_share: float = PIVOT_SHARE) -> None:
        self.regular = False
        self.negative: int | None = None
        symmetric = pattern.symmetric
        options: dict[str, Any] = {}
        if symmetric:
            options = {"diag_pivot_thresh": pivot_share, "options": {"SymmetricMode": True}}
        self._rows: Array | None = None
        self._columns: Array | None = None
        plan = pattern.ordering
        size = pattern.size
        try:
            if plan is None:
                inner = pattern.inner
                matrix = sparse.csc_array(
                    (data[: pattern.count], inner.indices, inner.pointers), inner.shape
                )
                spec = "MMD_AT_PLUS_A" if symmetric else "COLAMD"
                factors = splu(matrix, permc_spec=spec, **options)
                columns = np.argsort(factors.perm_c)
                gather = pattern.reordered(columns if symmetric else None, columns)
                pattern.ordering = (columns, *gather)
            else:
                columns, gather, indices, pointers = plan
                matrix = sparse.csc_array((data[gather], indices, pointers), (size, size))
                factors = splu(matrix, permc_spec="NATURAL", **_PANELS, **options)
                self._columns = columns
                self._rows = columns if symmetric else None
        except RuntimeError:  # SuperLU's word for an exactly singular factor
            return
        diagonal = factors.U.diagonal()
        if diagonal.size < size or not np.all(np.isfinite(diagonal)) or np.any(diagonal == 0):
            return
        self.factors = factors
        self.regular = True
        negative = int(np.count_nonzero(diagonal < 0))
        parity = 1.0
        if np.array_equal(factors.perm_r, factors.perm_c):
            self.negative = negative if symmetric else None
        else:
            parity = permutation_sign(factors.perm_r) * permutation_sign(factors.perm_c)
        if self._columns is not None and self._rows is None:
            parity *= permutation_sign(self._columns)
        self.sign = parity * (-1.0 if negative % 2 else 1.0)
        self.log_modulus = float(np.log(np.abs(diagonal)).sum())

    def solve(self, right: Array) -> Array:
        """Return the solution of A u = right."""
        given = right if self._rows is None else right[self._rows]
        return _scattered(self.factors.solve(given), self._columns)

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of A' u = right."""
        given = right if self._columns is None else right[self._columns]
        return _scattered(self.factors.solve(given, trans="T"), self._rows)


class DenseFactors(_Determinant):
    """LU with partial pivoting of a dense matrix."""

    checked = True

    def __init__(self, matrix: Array) -> None:
        self._factors, self._pivots, info = dgetrf(matrix)
        self._diagonal = self._factors.diagonal()
        self.regular = info == 0 and bool(self._diagonal.all())

    def _swaps(self) -> int:
        return int(np.count_nonzero(self._pivots != np.arange(self._diagonal.size)))

    def solve(self, right: Array) -> Array:
        """Return the solution of A u = right."""
        return dgetrs(self._factors, self._pivots, right)[0]

    def solve_transposed(self, right: Array) -> Array:
        """Return the solution of A' u = right."""
        return dgetrs(self._factors, self._pivots, right, trans=1)[0]


def factorise(matrix: Any) -> Factors | None:
    """Return factors of the first n columns of an (n, n) or (n, n + 1) matrix, or None.

    None means that a pivot is exactly zero; a matrix that is singular to rounding has factors.

    Parameters
    ----------
    matrix : ndarray or scipy.sparse matrix

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.linalg import factorise
    >>> factors = factorise(np.array([[2.0, 0.0], [1.0, -4.0]]))
    >>> factors.sign, factors.solve(np.array([2.0, 5.0])).tolist()
    (-1.0, [1.0, -1.0])
    """
    found: Any
    if not isinstance(matrix, PatternedMatrix) and not sparse.issparse(matrix):
        found = DenseFactors(np.asarray(matrix)[:, : len(matrix)])
        return found if found.regular else None
    patterned: PatternedMatrix = pattern_of(matrix)
    pattern, data = patterned.pattern, patterned.data
    assert pattern is not None
    if "factors" in patterned.kept:
        kept: Factors | None = patterned.kept["factors"]
        return kept
    found = _factorise(data, pattern) if _is_finite(data) else None
    patterned.kept["factors"] = found
    return found


def _factorise(data: Array, pattern: Pattern) -> Factors | None:
    found: Any
    if pattern.diagonals is not None:
        found = TridiagonalFactors(*(data[places] for places in pattern.diagonals))
    elif pattern.band is not None:
        found = BandFactors(data, pattern)
    else:
        found = SparseFactors(data, pattern)
    return found if found.regular else None


def permutation_sign(permutation: Array) -> float:
    """Return +1 for an even permutation and -1 for an odd one."""
    size = len(permutation)
    links = sparse.csr_array((np.ones(size), (np.arange(size), permutation)), shape=(size, size))
    cycles, _ = connected_components(links, directed=False)
    return -1.0 if (size - cycles) % 2 else 1.0


def _is_finite(data: Array) -> bool:
    # One pass settles nearly all cases; the sum of finite numbers may overflow.
    return bool(np.isfinite(data.sum())) or bool(np.all(np.isfinite(data)))


def _scattered(found: Array, order: Array | None) -> Array:
    if order is None:
        return found
    solution = np.empty_like(found)
    solution[order] = found
    return solution
