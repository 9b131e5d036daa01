"""What exactly is singular at a located point: kernels judged against the bracket's ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..linalg import singular_triplets

Array = np.ndarray

COUNT = 12
"""Smallest singular values looked at, and so the largest kernel dimension recognised."""


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
    """
    jacobian = system.jacobian(z)
    inner = _smallest(jacobian[:, :-1])
    full = _smallest(jacobian)
    others = [system.jacobian(end) for end in ends]
    reference = np.max([_smallest(other[:, :-1])[1] for other in others], axis=0)
    full_reference = np.max([_smallest(other)[1] for other in others], axis=0)
    kernel_dimension = _leading_zeros(inner[1], reference, inner[3], tolerance)
    excess = _leading_zeros(full[1], full_reference, full[3], tolerance)
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


def _smallest(matrix: Any) -> tuple[Array, Array, Array, float]:
    return singular_triplets(matrix, COUNT)


def _leading_zeros(values: Array, reference: Array, largest: float, tolerance: float) -> int:
    # A value that vanishes at the ends too (a symmetry's) is judged by the smallest that does not.
    regular = reference[reference > 1e-12 * largest]
    floor = regular.min() if regular.size else largest
    threshold = tolerance * np.where(reference > 1e-12 * largest, reference, floor)
    zero = (values <= threshold) | (values <= 1e-13 * largest)
    return int(np.argmin(zero)) if not zero.all() else len(zero)
