"""Claims about the second order: section 4 (iii)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    EXAMPLE_1,
    QUARTER,
    Case,
    fold,
    normal_pair,
)
from .theory import LinearNetwork
from .verdict import classify


def _index_is_that_of_DN(case: Case) -> Outcome:
    """Say that the index is the number of negative eigenvalues of DN."""
    given = _on_branch(case["n"], case["share"], case["side"]) if "n" in case else case
    network, lam, C = given["network"], given["lam"], given["C"]
    verdict = classify(network, C, lam, given.get("generators", ()))
    if verdict.index is None:
        return Outcome(None, detail=str(verdict))
    values = np.linalg.eigvals(network.residual_derivative(C, lam))
    count = int(np.sum(np.real(values) < -1e-7))
    return Outcome(count == verdict.index, detail=f"{verdict}, {count} negative eigenvalues of DN")


def _on_branch(n: int, share: float, side: int) -> dict[str, Any]:
    lam = share * fold(n)[0]
    C = normal_pair(n, lam)[side]
    return {"network": EXAMPLE_1, "lam": lam, "C": C, "generators": [QUARTER]}


def _parity(case: Case) -> Outcome:
    """Check that index = conjugate points + index at T, and sign det DN = (-1)^index."""
    instance = _on_branch(case["n"], case["share"], case["side"])
    network, lam, C = instance["network"], instance["lam"], instance["C"]
    verdict = classify(network, C, lam, [QUARTER])
    evidence = verdict.evidence
    if verdict.index is None or verdict.nullity:
        return Outcome(None, detail=str(verdict))
    sign = float(np.linalg.slogdet(network.residual_derivative(C, lam))[0])
    symmetric = network.reduced_hessian(C, lam)
    own = int(np.sum(np.linalg.eigvalsh(0.5 * (symmetric + symmetric.T)) < 0))
    conjugate = len(evidence["conjugate_points"])
    right = verdict.index == conjugate + own and sign == (-1.0) ** verdict.index
    detail = f"{verdict}: {conjugate} conjugate points + {own}, sign of det DN {sign:g}"
    return Outcome(right, detail=detail)


def _scalar(draw: Draw) -> dict[str, Any]:
    """Return a solution for d = 1: choose R and T c, then lam."""
    R, x = draw.real(1.5, 60.0), draw.real(0.1, 0.95)
    x = x * np.log(R)
    network = LinearNetwork(np.array([[R]]), np.eye(1), 1.0)
    return {"network": network, "lam": np.exp(x) * (R - np.exp(x)) / x, "C": np.array([[x]])}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="second-order",
        statement="The second-order type can be read off the first-order variation of the "
        "characteristic equation: the index is the number of negative eigenvalues of DN.",
        reference="section 4 (iii)",
        holds_in="any dimension",
        check=_index_is_that_of_DN,
        verdict="false",
        counterexample={"n": -1, "share": 0.5, "side": 0},
        note="Conjectured from the scalar case, without a formula; this reading is the simplest.",
        correction=Claim(
            key="second-order-scalar",
            statement="In one dimension the index is the number of negative eigenvalues of DN.",
            reference="section 4 (iii)",
            holds_in="d = 1, R from 1.5 to 60",
            check=_index_is_that_of_DN,
            instance=_scalar,
            trials=12,
        ),
    ),
    Claim(
        key="morse-index",
        statement="The index is the number of conjugate points in (0, T) plus the index of DF* "
        "F^-T DN, and its parity is the sign of det DN.",
        reference="section 4 (iii)",
        holds_in="Example 1, n = -2, -1, 1, 2, both sides",
        check=_parity,
        instance=lambda draw: {
            "n": draw.choice((-2, -1, 1, 2)),
            "share": draw.real(0.35, 0.9),
            "side": draw.integer(0, 1),
        },
        trials=6,
    ),
)
"""Claims about the second order."""
