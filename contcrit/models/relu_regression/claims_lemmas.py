"""Claims about ranks and inverses: Lemmas 1 to 3."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    Case,
)
from .theory import (
    definite_probability,
    rank_probability,
)


def _binomial(case: Case) -> Outcome:
    """Count the patterns of N rows, which are all equally likely."""
    N, k = case["N"], case["k"]
    active = np.array([bin(pattern).count("1") for pattern in range(2**N)])
    share = float(np.mean(active <= k))
    return Outcome.close(rank_probability(k, N), share, tolerance=1e-12)


def _counted(draw: Draw) -> dict[str, Any]:
    N = draw.integer(1, 10)
    return {"N": N, "k": draw.integer(0, N)}


def _small(case: Case) -> Outcome:
    N, k = case["N"], case["k"]
    bound = k * comb(N, k) / 2**N
    return Outcome.at_most(rank_probability(k, N), bound, tolerance=1e-12 * bound)


def _many_rows(draw: Draw) -> dict[str, Any]:
    N = draw.integer(4, 200)
    return {"N": N, "k": draw.integer(2, N // 2)}


def _definite(case: Case) -> Outcome:
    """Compare the share of definite X^T D* X in a sample with a probability."""
    d, N, draws = case["d"], case["N"], 2000
    generator = np.random.default_rng(case["seed"])
    X = generator.standard_normal((draws, N, d))
    rows = X * (X @ np.ones(d) > 0)[:, :, None]
    values = np.linalg.eigvalsh(rows.transpose(0, 2, 1) @ rows)
    share = float(np.mean(values[:, 0] > 1e-12))
    p = 1.0 - rank_probability(d, N) if case["printed"] else definite_probability(d, N)
    error = float(np.sqrt(p * (1 - p) / draws))
    detail = f"share {share:.4f} of {draws}, probability {p:.4f}"
    return Outcome.close(share, p, tolerance=5.0 * error + 1e-12, detail=detail)


def _lemma_2(draw: Draw) -> dict[str, Any]:
    d = draw.integer(1, 3)
    return {
        "d": d, "N": draw.integer(d, 8), "seed": draw.integer(0, 2**32 - 1), "printed": False,
    }  # fmt: skip


def _inverse(case: Case) -> Outcome:
    B, inverse = case["B"], np.linalg.inv(case["B"])
    length = float(np.linalg.norm(inverse, 2))
    epsilon, unit = case["share"] / length, np.eye(len(B))
    close = (unit + epsilon * inverse) @ inverse
    gap = float(np.linalg.norm(np.linalg.inv(B - epsilon * unit) - close, 2))
    bound = 2.0 * epsilon**2 * length**3  # of the geometric series, for shares up to 1/2
    return Outcome.at_most(gap, bound, tolerance=1e-9 * length)


def _definite_matrix(draw: Draw) -> dict[str, Any]:
    A = draw.reals((3, 3), -1.0, 1.0)
    return {"B": A @ A.T + 0.1 * np.eye(3), "share": 10.0 ** draw.real(-3.0, -0.31)}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="lemma-1",
        statement="The rank of D* is at most k with probability A_k = 2^-N sum_{i <= k} C(N, i).",
        reference="Lemma 1; equation 7; equation 8",
        holds_in="N up to 10, 0 <= k <= N",
        check=_binomial,
        instance=_counted,
    ),
    Claim(
        key="lemma-1-bound",
        statement="A_k is at most 2^-N k C(N, k) when N is much larger than k.",
        reference="Lemma 1, the last line",
        holds_in="N >> k",
        check=_small,
        verdict="false",
        counterexample={"N": 100, "k": 1},
        note="It fails for k = 0 and k = 1, whatever N.",
        correction=Claim(
            key="lemma-1-bound-from-two",
            statement="A_k is at most 2^-N k C(N, k) for 2 <= k <= N / 2.",
            reference="Lemma 1, the last line",
            holds_in="N from 4 to 200",
            check=_small,
            instance=_many_rows,
        ),
    ),
    Claim(
        key="lemma-2",
        statement="X^T D* X is positive definite with probability 1 - A_d.",
        reference="Lemma 2",
        holds_in="Gaussian X",
        check=_definite,
        verdict="false",
        counterexample={"d": 3, "N": 6, "seed": 0, "printed": True},
        note="The proof shows that more than d active rows suffice; d do.",
        correction=Claim(
            key="lemma-2-with-d-rows",
            statement="X^T D* X is positive definite with probability 1 - A_{d-1}.",
            reference="Lemma 2",
            holds_in="Gaussian X, d up to 3, N up to 8; samples of 2000, five standard errors",
            check=_definite,
            instance=_lemma_2,
            trials=12,
        ),
    ),
    Claim(
        key="lemma-3",
        statement="(B - epsilon I)^-1 is (I + epsilon B^-1 + o(epsilon)) B^-1, with a remainder of "
        "at most 2 epsilon^2 |B^-1|^3.",
        reference="Lemma 3; equation 9; equation 10",
        holds_in="definite B of size 3, epsilon |B^-1| up to 0.49",
        check=_inverse,
        instance=_definite_matrix,
    ),
)
"""Claims about ranks and inverses."""
