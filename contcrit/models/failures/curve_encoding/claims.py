"""The claims on encoding piecewise-linear curves, for `curve_encoding`."""

from __future__ import annotations

from ....contraction.claims import Claim
from .claims_descent import CLAIMS as DESCENT
from .claims_matrix import CLAIMS as MATRIX

CLAIMS: tuple[Claim, ...] = (*MATRIX, *DESCENT)
"""The claims."""
