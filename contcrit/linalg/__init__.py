"""Linear algebra of the engine: the weighted metric, bordered solves, kernels and spectra.

Everything here takes a dense ndarray or a `scipy.sparse` matrix and says no word about problems.
"""

from .bordered import (
    FactoredJacobian,
    bordered_solution,
    kept_factors,
    solve_bordered,
    solve_bordered_dense,
    solve_bordered_sparse,
)
from .borders import Bordered
from .factors import factorise, permutation_sign
from .matrix_free import MatrixFree, is_matrix_free
from .metric import Array, as_dense, metric_weights, rounding_level
from .neighbour import solve_by_neighbour
from .patterned import Pattern, PatternedMatrix, as_slice, pattern_of
from .spectra import (
    DENSE_LIMIT,
    SPARSE_LIMIT,
    negative_count,
    negative_counts,
    real_parts,
    sturm_count,
    tridiagonal_of,
)
from .symmetrise import symmetrised
from .triplets import singular_triplets

__all__ = [
    "DENSE_LIMIT",
    "SPARSE_LIMIT",
    "Array",
    "Bordered",
    "FactoredJacobian",
    "MatrixFree",
    "Pattern",
    "PatternedMatrix",
    "as_dense",
    "as_slice",
    "bordered_solution",
    "factorise",
    "is_matrix_free",
    "kept_factors",
    "metric_weights",
    "negative_count",
    "negative_counts",
    "pattern_of",
    "permutation_sign",
    "real_parts",
    "rounding_level",
    "singular_triplets",
    "solve_bordered",
    "solve_bordered_dense",
    "solve_bordered_sparse",
    "solve_by_neighbour",
    "sturm_count",
    "symmetrised",
    "tridiagonal_of",
]
