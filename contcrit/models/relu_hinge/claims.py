"""The claims of *The multilinear structure of ReLU networks*.

T. Laurent and J. von Brecht, ICML 2018. The appendix with the proofs, and with theorem 100 and
corollaries 100 and 101, is not part of the text that these claims are taken from.
"""

from __future__ import annotations

from ...contraction.claims import Claim
from .claims_cells import CLAIMS as CELLS
from .claims_classes import CLAIMS as CLASSES
from .claims_generic import CLAIMS as GENERIC
from .claims_leaky import CLAIMS as LEAKY
from .claims_penalty import CLAIMS as PENALTY
from .claims_relu import CLAIMS as RELU

CLAIMS: tuple[Claim, ...] = (*CELLS, *GENERIC, *LEAKY, *RELU, *CLASSES, *PENALTY)
"""The paper's claims."""
