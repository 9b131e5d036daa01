"""The claims of *How regularization affects the critical points in linear networks*.

A. Taghvaei, J. W. Kim and P. Mehta, NIPS 2017. The text that they are taken from has lost some of
its symbols; they are stated as the derivation of the equations requires. Its supplement is not part
of it.
"""

from __future__ import annotations

from ...contraction.claims import Claim
from .claims_branches import CLAIMS as BRANCHES
from .claims_critical import CLAIMS as CRITICAL
from .claims_example_2 import CLAIMS as EXAMPLE_2
from .claims_open import CLAIMS as OPEN
from .claims_scalar import CLAIMS as SCALAR
from .claims_second import CLAIMS as SECOND
from .claims_zero import CLAIMS as ZERO

CLAIMS: tuple[Claim, ...] = (
    *ZERO,
    *CRITICAL,
    *SCALAR,
    *BRANCHES,
    *OPEN,
    *EXAMPLE_2,
    *SECOND,
)
"""The paper's claims."""
