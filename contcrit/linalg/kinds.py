"""What kind of matrix an object is, told without importing scipy: dense, sparse or matrix-free.

Half of a short run is imports. An ndarray is dense, and nothing can be an instance of a class whose
module was never imported; so scipy is asked about the rest only.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

Array = np.ndarray


def is_sparse(matrix: Any) -> bool:
    """Tell whether a matrix is one of `scipy.sparse`."""
    if isinstance(matrix, np.ndarray) or "scipy.sparse" not in sys.modules:
        return False
    from scipy.sparse import issparse

    return bool(issparse(matrix))


def is_matrix_free(matrix: Any) -> bool:
    """Tell whether a matrix is known by its products only: a scipy LinearOperator."""
    if isinstance(matrix, np.ndarray) or "scipy.sparse.linalg" not in sys.modules:
        return False
    from scipy.sparse.linalg import LinearOperator

    return isinstance(matrix, LinearOperator)


def as_dense(matrix: Any) -> Array:
    """Return a matrix as an ndarray."""
    return matrix.toarray() if is_sparse(matrix) else np.asarray(matrix)
