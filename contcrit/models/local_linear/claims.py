"""The claims of the paper on local linear neurons."""

from __future__ import annotations

from ...contraction.claims import Claim
from .claims_creation import CLAIMS as CREATION
from .claims_examples import CLAIMS as EXAMPLES
from .claims_law import CLAIMS as LAW
from .claims_pairs import CLAIMS as PAIRS
from .claims_theorems import CLAIMS as THEOREMS

CLAIMS: tuple[Claim, ...] = (*PAIRS, *LAW, *THEOREMS, *CREATION, *EXAMPLES)
"""All of them, in the paper's order as far as there is one."""
