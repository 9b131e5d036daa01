"""Checks of the linear network's constants, and the rotations that leave them unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from ..reading import real_array, real_number


def square(name: str, value: Any, size: int | None = None) -> Array:
    """Return a finite square matrix of floats, of a given size if there is one."""
    matrix = real_array(name, value)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise SpecificationError(
            name, matrix.shape, "must be a square matrix.", "Give shape (d, d), also for d = 1."
        )
    if size is not None and matrix.shape[0] != size:
        raise SpecificationError(
            name, matrix.shape, f"must have shape ({size}, {size}).", "All matrices share one size."
        )
    return matrix


def positive_definite(name: str, value: Any, size: int) -> Array:
    """Return a symmetric positive definite matrix, not singular to working accuracy."""
    matrix = square(name, value, size)
    if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=1e-14 * float(np.max(np.abs(matrix)))):
        raise SpecificationError(name, value, "must be symmetric.", "A second moment is.")
    matrix = 0.5 * (matrix + matrix.T)
    eigenvalues = np.linalg.eigvalsh(matrix)
    if not eigenvalues[0] > 1e-13 * abs(eigenvalues[-1]):
        raise SpecificationError(
            name,
            f"smallest eigenvalue {eigenvalues[0]:.3g}",
            "must be positive definite.",
            "Leave out the directions in which the inputs vanish.",
        )
    return matrix


def depth(value: Any) -> float:
    """Return a finite positive number."""
    return real_number("T", value, low=0.0, open_low=True, rule="must be finite and positive.")


def reachable(name: str, R: Array) -> None:
    """Refuse a target map with an eigenvalue on the closed negative real axis (property P1)."""
    eigenvalues = np.linalg.eigvals(R)
    scale = 1e-12 * max(float(np.max(np.abs(eigenvalues))), 1e-300)
    bad = [z for z in eigenvalues if z.real <= scale and abs(z.imag) <= scale]
    if bad:
        determinant = float(np.linalg.det(R))
        rule = (
            "the target map must have no eigenvalue on the closed negative real axis (property P1):"
            " a real logarithm need not exist otherwise"
        )
        if determinant <= 0:
            rule += ", and a map with det R <= 0 is reached by no weights at all"
        raise SpecificationError(
            name,
            f"eigenvalue {complex(bad[0]).real:.6g}, det R = {determinant:.6g}",
            rule + ".",
            "Change the target, for instance by a rotation or a scaling.",
        )


def commuting_skew(matrices: Sequence[Array]) -> list[Array]:
    """Return a basis of the skew matrices that commute with all the given ones.

    They generate the rotations Q with ``Q M Q^T = M`` for every matrix M, under which the
    characteristic equation is equivariant. Scaled to largest entry 1.
    """
    d = matrices[0].shape[0]
    basis = []
    for i in range(d):
        for j in range(i):
            unit = np.zeros((d, d))
            unit[i, j], unit[j, i] = 1.0, -1.0
            basis.append(unit)
    if not basis:
        return []
    units = np.array(basis)
    rows = [
        (units @ M - M @ units).reshape(len(basis), -1).T / max(float(np.max(np.abs(M))), 1e-300)
        for M in matrices
    ]
    _, sizes, directions = np.linalg.svd(np.vstack(rows))
    found = []
    for coefficients in directions[int(np.sum(sizes > 1e-10)) :]:
        matrix = np.tensordot(coefficients, units, axes=1)
        largest = matrix.ravel()[np.argmax(np.abs(matrix))]
        found.append(matrix / largest)
    return found
