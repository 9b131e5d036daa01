"""Logarithmic and induced norms of matrices, plain and in metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ..errors import SpecificationError

Array = np.ndarray

NORMS = (1, 2, np.inf)
"""The vector norms whose logarithmic norms are known in closed form."""


def logarithmic_norm(A: Any, norm: float = 2, metric: Any = None) -> Any:
    """Return the logarithmic norm of a matrix: the rate at which its flow can expand distances.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        One matrix or many.
    norm : {1, 2, inf}, optional
        The vector norm (default 2).
    metric : array_like, optional
        For norm 2: M, symmetric and positive definite, shape (n, n), for ``|x|^2 = x^T M x``. For
        norms 1 and inf: positive weights w, shape (n,), for ``sum w_i |x_i|`` and
        ``max w_i |x_i|``.

    Returns
    -------
    float or ndarray of shape (...)
        mu(A), the least c with ``|exp(A t)| <= exp(c t)`` for all t >= 0.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    References
    ----------
    G. Söderlind, "The logarithmic norm. History and modern theory", BIT 46 (2006) 631-652.
    W. Lohmiller and J.-J. E. Slotine, "On contraction analysis for nonlinear systems", Automatica
    34 (1998) 683-696.

    Examples
    --------
    >>> A = [[-1.0, 4.0], [0.0, -1.0]]
    >>> logarithmic_norm(A), logarithmic_norm(A, 1), logarithmic_norm(A, metric=np.diag([1, 64]))
    (1.0, 3.0, -0.75)
    """
    matrices = square_matrices(A)
    matrices = transformed(matrices, norm, metric)
    if norm == 2:
        symmetric = (matrices + np.swapaxes(matrices, -1, -2)) / 2.0
        found = np.linalg.eigvalsh(symmetric)[..., -1]
    else:
        diagonal = np.diagonal(matrices, axis1=-2, axis2=-1)
        sums = np.sum(np.abs(matrices), axis=-2 if norm == 1 else -1)
        found = np.max(sums - np.abs(diagonal) + diagonal, axis=-1)
    return float(found) if found.ndim == 0 else found


def induced_norm(A: Any, norm: float = 2, metric: Any = None, frame: Any = None) -> float:
    """Return the matrix norm that a vector norm induces, on a subspace if one is given.

    Parameters
    ----------
    A : array_like, shape (n, n)
    norm, metric
        As for `logarithmic_norm`.
    frame : array_like, shape (n, k), optional
        Columns that span a subspace (norm 2 only).

    Examples
    --------
    >>> induced_norm([[0.0, 2.0], [0.5, 0.0]]), induced_norm([[0.0, 2.0], [0.5, 0.0]], 1)
    (2.0, 2.0)
    """
    matrix = transformed(square_matrices(A), norm, metric)
    if frame is not None:
        matrix = matrix @ frame_of(root_of(metric, len(matrix)) @ columns_of(frame, len(matrix)))
    if matrix.shape[1] == 0:
        return 0.0
    return float(np.linalg.norm(matrix, norm))


def square_matrices(A: Any) -> Array:
    """Return finite square matrices, shape (..., n, n)."""
    matrices = np.asarray(A, dtype=float)
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or matrices.shape[-1] == 0:
        raise SpecificationError("A", matrices.shape, "needs square matrices.", "(..., n, n).")
    if not np.all(np.isfinite(matrices)):
        raise SpecificationError("A", "nan or inf", "must be finite.", "Check the point.")
    return matrices


def transformed(matrices: Array, norm: float, metric: Any) -> Array:
    """Return T A T^-1 for the T that takes the metric to the plain norm."""
    if norm not in NORMS:
        raise SpecificationError("norm", norm, "must be 1, 2 or inf.", "2 is the default.")
    if metric is None:
        return matrices
    n = matrices.shape[-1]
    if norm == 2:
        root = root_of(metric, n)
        return root @ matrices @ linalg.solve_triangular(root, np.eye(n))
    weights = np.asarray(metric, dtype=float)
    if weights.shape != (n,) or not np.all(np.isfinite(weights)) or np.any(weights <= 0):
        raise SpecificationError(
            "metric", metric, f"needs {n} positive weights for norms 1 and inf.", "One per unknown."
        )
    scaled: Array = weights[:, None] * matrices / weights
    return scaled


def metric_root(metric: Any, size: int) -> Array:
    """Return the upper triangular T with T^T T = M, shape (n, n).

    Raises
    ------
    SpecificationError
        If M is not symmetric and positive definite.
    """
    matrix = np.asarray(metric, dtype=float)
    if matrix.shape != (size, size) or not np.all(np.isfinite(matrix)):
        raise SpecificationError(
            "metric", matrix.shape, f"needs a finite matrix ({size}, {size}).", "For norm 2."
        )
    if np.max(np.abs(matrix - matrix.T)) > 1e-12 * np.max(np.abs(matrix)):
        raise SpecificationError("metric", matrix, "must be symmetric.", "Use (M + M.T) / 2.")
    try:
        return np.asarray(linalg.cholesky((matrix + matrix.T) / 2.0))
    except linalg.LinAlgError:
        raise SpecificationError(
            "metric", matrix, "must be positive definite.", "Its eigenvalues must be positive."
        ) from None


def root_of(metric: Any, size: int) -> Array:
    """Return the upper triangular T of a metric; the identity where there is none."""
    return np.eye(size) if metric is None else metric_root(metric, size)


def columns_of(basis: Any, size: int) -> Array:
    """Return columns of a stated length, shape (n, k)."""
    columns = np.asarray(basis, dtype=float)
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2 or columns.shape[0] != size or not np.all(np.isfinite(columns)):
        raise SpecificationError(
            "subspace", columns.shape, f"needs columns of {size} numbers.", "Shape (n, k)."
        )
    return columns


def frame_of(columns: Array) -> Array:
    """Return an orthonormal basis of the span."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    kept = sizes > 1e-12 * max(float(np.max(sizes, initial=0.0)), 1e-300)
    return np.asarray(left[:, kept])
