"""The claims of the paper on one ReLU unit with l1 and l2 regularization.

Z. Kong, *Convergence analysis of the dynamics of a special kind of two-layered neural networks with
l1 and l2 regularization*, 2017.
"""

from __future__ import annotations

from ..contraction.claims import Claim
from .relu_regression_claims_bounds import CLAIMS as BOUNDS
from .relu_regression_claims_flow import CLAIMS as FLOW
from .relu_regression_claims_larger import CLAIMS as LARGER
from .relu_regression_claims_lemmas import CLAIMS as LEMMAS
from .relu_regression_claims_solution import CLAIMS as SOLUTION
from .relu_regression_claims_table import CLAIMS as TABLE

CLAIMS: tuple[Claim, ...] = (*LEMMAS, *SOLUTION, *BOUNDS, *FLOW, *LARGER, *TABLE)
"""The paper's claims."""
