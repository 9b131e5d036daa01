"""What exactly is singular at a located point: kernels judged against the bracket's ends."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..linalg import is_matrix_free, is_sparse, singular_triplets

Array = np.ndarray

COUNT = 12
"""Smallest singular values looked at, and so the largest kernel dimension recognised."""

FEW = 4
"""The same at first where the Jacobian is sparse; all are looked at if these are all zero."""

_TOLERANCE = 1e-6
"""Relative accuracy of the singular values of a sparse Jacobian; its null vectors are exact."""

_ROUGH = 1e-2
"""The same at the bracket's ends, which give no more than a measure."""


@dataclass(frozen=True, eq=False)
class Singularity:
    """Kernels of the Jacobian at a located point.

    Parameters
    ----------
    kernel_dimension : int
        Dimension of the kernel of the Jacobian in the unknowns.
    excess : int
        By how many the rank of the full (n, n + 1) Jacobian falls short of n: 0 at a fold, at
        least 1 at a branch point.
    left : ndarray of shape (n, k)
        Left null vectors of the full Jacobian if `excess` > 0, else of the one in the unknowns.
    right : ndarray of shape (n, k)
        Null vectors of the Jacobian in the unknowns.
    kernel : ndarray of shape (n + 1, excess + 1)
        Null vectors of the full Jacobian.
    values, full_values : ndarray
        Smallest singular values of the two Jacobians, ascending.
    reference, full_reference : ndarray
        The same at the bracket's ends (the larger of the two): what counts as non-zero.
    """

    kernel_dimension: int
    excess: int
    left: Array
    right: Array
    kernel: Array
    values: Array
    full_values: Array
    reference: Array
    full_reference: Array


def analyse(system: Any, z: Array, ends: tuple[Array, ...], tolerance: float) -> Singularity:
    """Find the kernels at z; a singular value is zero if it is tiny against the bracket's ends.

    Parameters
    ----------
    system : System
    z : ndarray of shape (n + 1,)
    ends : tuple of ndarray
        Points nearby that are not singular.
    tolerance : float
        Share of the value at the ends below which a singular value counts as zero.

    Notes
    -----
    Singular values of a matrix-free Jacobian are not computed: it is taken to be that of a fold,
    the only kind of point that is looked for there, and nothing confirms it.
    """
    if is_matrix_free(system.jacobian(z)):
        return _unseen(system.size)
    for count in (FEW, COUNT):
        others = [_spectra(system, end, count, _ROUGH, vectors=False) for end in ends]
        here = _spectra(system, z, count, _TOLERANCE)
        inner, full = here.inner, here.full
        reference = np.max([other.inner[1] for other in others], axis=0)
        full_reference = np.max([other.full[1] for other in others], axis=0)
        kernel_dimension = _leading_zeros(inner[1], reference, here.rounding, tolerance)
        excess = _leading_zeros(full[1], full_reference, here.rounding, tolerance)
        if max(kernel_dimension, excess) < len(inner[1]):
            break
    left = full[0][:, :excess] if excess else inner[0][:, :kernel_dimension]
    return Singularity(
        kernel_dimension=kernel_dimension,
        excess=excess,
        left=left,
        right=inner[2][:, :kernel_dimension],
        kernel=full[2][:, : excess + 1],
        values=inner[1],
        full_values=full[1],
        reference=reference,
        full_reference=full_reference,
    )


def _unseen(size: int) -> Singularity:
    """Return what is left to say of a matrix-free Jacobian: only folds are looked for there."""
    unknown = np.full(1, np.nan)
    return Singularity(
        kernel_dimension=1,
        excess=0,
        left=np.full((size, 1), np.nan),
        right=np.full((size, 1), np.nan),
        kernel=np.full((size + 1, 1), np.nan),
        values=unknown,
        full_values=unknown,
        reference=unknown,
        full_reference=unknown,
    )


class _Spectra(NamedTuple):
    """Singular triplets of the inner and of the full Jacobian at a point."""

    inner: tuple[Array, Array, Array, float]
    full: tuple[Array, Array, Array, float]
    accuracy: float

    @property
    def rounding(self) -> float:
        """Size below which a singular value cannot be told from zero."""
        return self.accuracy * self.full[3]


@dataclass(eq=False)
class _Remembered:
    """Triplets, which cost much, and where they belong.

    `start` are vectors to begin with at a point nearby where the Jacobian is sparse; only the last
    one's are kept.
    """

    system: Any
    point: Array
    size: int
    tolerance: float
    spectra: _Spectra
    start: tuple[Array, Array] | None


_memory: deque[_Remembered] = deque(maxlen=4)
"""The last few: one special point is analysed several times between the same ends."""


def _forget(_: Any) -> None:
    _memory.clear()


def _spectra(
    system: Any, z: Array, count: int, tolerance: float, *, vectors: bool = True
) -> _Spectra:
    mine = [each for each in list(_memory) if each.system() is system and each.size == count]
    for each in mine:
        if each.tolerance <= tolerance and np.array_equal(each.point, z):
            return each.spectra
    jacobian = system.jacobian(z)
    known = weakref.ref(system, _forget)
    if not is_sparse(jacobian):
        spectra = _Spectra(
            singular_triplets(jacobian[:, :-1], COUNT), singular_triplets(jacobian, COUNT), 1e-13
        )
        _memory.append(_Remembered(known, z.copy(), count, 0.0, spectra, None))
        return spectra
    # Those of a point nearby are a good start.
    starts = (mine[-1].start if mine else None) or (None, None)
    inner, full = (
        singular_triplets(matrix, count, tolerance=tolerance, start=start)
        for matrix, start in zip((jacobian[:, :-1], jacobian), starts, strict=True)
    )
    for each in list(_memory):
        each.start = None
    start = (inner[2], full[2])
    if not vectors:
        none = np.empty((0, 0))
        inner, full = ((none, each[1], none, each[3]) for each in (inner, full))
    # Inverse iteration resolves small values; the spectrum may be wide.
    spectra = _Spectra(inner, full, 1e-16)
    _memory.append(_Remembered(known, z.copy(), count, tolerance, spectra, start))
    return spectra


def _leading_zeros(values: Array, reference: Array, rounding: float, tolerance: float) -> int:
    # A value that vanishes at the ends too (a symmetry's) is judged by the smallest that does not.
    vanishing = reference <= 10.0 * rounding
    regular = reference[~vanishing]
    floor = regular.min() if regular.size else 1e13 * rounding
    threshold = tolerance * np.where(vanishing, floor, reference)
    zero = (values <= threshold) | (values <= rounding)
    return int(np.argmin(zero)) if not zero.all() else len(zero)
