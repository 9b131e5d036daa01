"""Hopf points of flows: a complex pair of eigenvalues crosses the imaginary axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..linalg import SPARSE_LIMIT, as_dense, is_sparse

Array = np.ndarray


class CriticalPair(NamedTuple):
    """The eigenvalue pair nearest to the imaginary axis, off zero.

    Parameters
    ----------
    real, frequency : float
        The pair is ``real +- 1j * frequency``.
    vector : ndarray of complex, shape (n,)
        Its eigenvector.
    """

    real: float
    frequency: float
    vector: Array


def critical_pair(jacobian: Any) -> CriticalPair | None:
    """Return the complex pair whose real part is smallest in modulus, or None.

    Of a large sparse Jacobian no spectrum is computed, and so no pair is found; changes of inertia
    are counted of those only whose eigenvalues are real.

    Parameters
    ----------
    jacobian : (n, n) ndarray or sparse matrix
        In the unknowns.
    """
    if jacobian.shape[0] > SPARSE_LIMIT and is_sparse(jacobian):
        return None
    matrix = as_dense(jacobian)
    if not np.all(np.isfinite(matrix)):
        return None
    values, vectors = np.linalg.eig(matrix)
    scale = float(np.max(np.abs(values), initial=1e-300))
    upper = np.flatnonzero(values.imag > 1e-7 * scale)
    if upper.size == 0:
        return None
    best = upper[np.argmin(np.abs(values[upper].real))]
    return CriticalPair(float(values[best].real), float(values[best].imag), vectors[:, best])


def refine(
    system: Any, z: Array, pair: CriticalPair, tolerance: float, iterations: int = 12
) -> tuple[Array, float, float] | None:
    """Solve F = 0, (F_x - i w) q = 0, c.q = 1 by Newton in (x, p, w, q).

    Returns
    -------
    tuple of (ndarray, float, float) or None
        The Hopf point, its frequency and the extended residual; None without convergence.

    References
    ----------
    Y. Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., section 10.2.
    """
    n = system.size
    q = pair.vector / np.linalg.norm(pair.vector)
    c = q.copy()
    point, frequency = np.array(z, dtype=float), pair.frequency
    converged = False
    residual = np.inf
    for _ in range(iterations):
        jacobian = as_dense(system.jacobian(point))
        inner = jacobian[:, :-1]
        defect = inner @ q - 1j * frequency * q
        normal = np.vdot(c, q) - 1.0
        value = np.concatenate(
            [system.residual(point), defect.real, defect.imag, [normal.real, normal.imag]]
        )
        residual = float(np.max(np.abs(value)))
        along_real = as_dense(system.second(point, np.append(q.real, 0.0)))
        along_imaginary = as_dense(system.second(point, np.append(q.imag, 0.0)))
        matrix = np.zeros((3 * n + 2, 3 * n + 2))
        matrix[:n, : n + 1] = jacobian
        matrix[n : 2 * n, : n + 1] = along_real
        matrix[2 * n : 3 * n, : n + 1] = along_imaginary
        matrix[n : 2 * n, n + 1] = q.imag
        matrix[2 * n : 3 * n, n + 1] = -q.real
        real, imaginary = slice(n + 2, 2 * n + 2), slice(2 * n + 2, 3 * n + 2)
        matrix[n : 2 * n, real] = inner
        matrix[n : 2 * n, imaginary] = frequency * np.eye(n)
        matrix[2 * n : 3 * n, real] = -frequency * np.eye(n)
        matrix[2 * n : 3 * n, imaginary] = inner
        matrix[3 * n, real], matrix[3 * n, imaginary] = c.real, c.imag
        matrix[3 * n + 1, real], matrix[3 * n + 1, imaginary] = -c.imag, c.real
        try:
            increment = np.linalg.solve(matrix, -value)
        except np.linalg.LinAlgError:
            return None
        if not np.all(np.isfinite(increment)):
            return None
        point = point + increment[: n + 1]
        frequency += float(increment[n + 1])
        q = q + increment[real] + 1j * increment[imaginary]
        size = float(np.max(np.abs(increment)) / (1.0 + np.max(np.abs(point))))
        if converged or size <= 1e-15:
            return point, frequency, residual
        converged = size <= tolerance
    return None
