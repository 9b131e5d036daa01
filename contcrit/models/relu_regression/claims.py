"""The claims of the paper on one ReLU unit with l1 and l2 regularization.

Z. Kong, *Convergence analysis of the dynamics of a special kind of two-layered neural networks with
l1 and l2 regularization*, 2017.
"""

from __future__ import annotations

from ...contraction.claims import Claim
from .claims_bounds import CLAIMS as BOUNDS
from .claims_flow import CLAIMS as FLOW
from .claims_larger import CLAIMS as LARGER
from .claims_lemmas import CLAIMS as LEMMAS
from .claims_solution import CLAIMS as SOLUTION
from .claims_table import CLAIMS as TABLE

CLAIMS: tuple[Claim, ...] = (*LEMMAS, *SOLUTION, *BOUNDS, *FLOW, *LARGER, *TABLE)
"""The paper's claims."""
