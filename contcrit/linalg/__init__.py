"""Linear algebra of the engine: the weighted metric, bordered solves, kernels and spectra.

Everything here takes a dense ndarray or a `scipy.sparse` matrix and says no word about problems.
What only sparse and matrix-free systems need is imported with the first of them: small dense ones
do without scipy.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .bordered import (
    bordered_solution,
    kept_factors,
    solve_bordered,
    solve_bordered_dense,
    solve_both_ways,
)
from .kinds import as_dense, is_matrix_free, is_sparse
from .metric import Array, metric_weights, rounding_level
from .pivots import inertia_by_pivots
from .spectra import (
    DENSE_LIMIT,
    SPARSE_LIMIT,
    eigenvalues_and_cosines,
    negative_count,
    negative_counts,
    real_parts,
)
from .triplets import singular_triplets

if TYPE_CHECKING:
    from .bordered_sparse import FactoredJacobian as FactoredJacobian
    from .bordered_sparse import solve_bordered_sparse as solve_bordered_sparse
    from .borders import Bordered as Bordered
    from .factors import factorise as factorise
    from .factors import permutation_sign as permutation_sign
    from .matrix_free import MatrixFree as MatrixFree
    from .patterned import Pattern as Pattern
    from .patterned import PatternedMatrix as PatternedMatrix
    from .patterned import as_slice as as_slice
    from .patterned import pattern_of as pattern_of
    from .spectra_sparse import sturm_count as sturm_count
    from .spectra_sparse import tridiagonal_of as tridiagonal_of
    from .symmetrise import symmetrised as symmetrised

_SPARSE = {
    "Bordered": "borders",
    "FactoredJacobian": "bordered_sparse",
    "MatrixFree": "matrix_free",
    "Pattern": "patterned",
    "PatternedMatrix": "patterned",
    "as_slice": "patterned",
    "factorise": "factors",
    "pattern_of": "patterned",
    "permutation_sign": "factors",
    "solve_bordered_sparse": "bordered_sparse",
    "sturm_count": "spectra_sparse",
    "symmetrised": "symmetrise",
    "tridiagonal_of": "spectra_sparse",
}

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
    "eigenvalues_and_cosines",
    "factorise",
    "inertia_by_pivots",
    "is_matrix_free",
    "is_sparse",
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
    "solve_both_ways",
    "sturm_count",
    "symmetrised",
    "tridiagonal_of",
]

__getattr__ = on_first_use(globals(), _SPARSE)
