"""Arguments of the classifiers: checked, and put into one form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SpecificationError
from ..linalg import is_sparse

Array = np.ndarray


def orthonormal_rows(vectors: Array, tolerance: float) -> Array:
    """Return an orthonormal basis (r, n) of the rows' span, short combinations dropped."""
    if len(vectors) == 0:
        return vectors
    _, values, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[values > tolerance * max(1.0, float(values[0]))]


def row_sum_norm(matrix: Any) -> float:
    """Return the largest absolute row sum, an upper bound of the spectral norm if symmetric."""
    return float(np.max(np.asarray(abs(matrix).sum(axis=1)), initial=0.0))


def is_finite(matrix: Any) -> bool:
    """Return whether every entry of a dense or sparse matrix is finite."""
    return bool(np.all(np.isfinite(matrix.data if is_sparse(matrix) else matrix)))


def check_positive(**values: float) -> None:
    """Refuse tolerances that are not finite and positive."""
    for name, value in values.items():
        if not (np.isreal(value) and np.isfinite(value) and value > 0):
            raise SpecificationError(
                name, value, "must be a finite positive number.", "Leave it at its default."
            )


def square_matrix(name: str, matrix: Any) -> Any:
    """Return a square matrix as an ndarray or a csc_array of floats."""
    if is_sparse(matrix):
        from scipy import sparse

        result: Any = sparse.csc_array(matrix).astype(float)
    else:
        result = np.asarray(matrix, dtype=float)
    if result.ndim != 2 or result.shape[0] != result.shape[1] or result.shape[0] == 0:
        raise SpecificationError(
            name, result.shape, "must be a square matrix with at least one row.", "Give (n, n)."
        )
    return result


def vector_of_length(name: str, vector: Array | None, n: int) -> Array | None:
    """Return a vector of length n, or None."""
    if vector is None:
        return None
    result = np.asarray(vector, dtype=float)
    if result.shape != (n,):
        raise SpecificationError(name, result.shape, f"must have shape ({n},).", "Flatten it.")
    return result


def gauge_vectors(name: str, vectors: Array | None, n: int) -> Array:
    """Return vectors of length n as rows, shape (k, n)."""
    if vectors is None:
        return np.empty((0, n))
    result = np.asarray(vectors, dtype=float)
    if result.size == 0:
        return np.empty((0, n))
    if result.ndim != 2 or result.shape[1] != n or not np.all(np.isfinite(result)):
        raise SpecificationError(
            name,
            result.shape,
            f"must hold finite vectors of length {n} as rows.",
            "Give one row for each symmetry.",
        )
    return result
