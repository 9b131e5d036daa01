"""The claims on decomposition against end-to-end learning, for `decomposition`."""

from __future__ import annotations

from ....contraction.claims import Claim
from .claims_critical import CLAIMS as CRITICAL
from .claims_signal import CLAIMS as SIGNAL

CLAIMS: tuple[Claim, ...] = (*SIGNAL, *CRITICAL)
"""The claims."""
