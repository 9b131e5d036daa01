"""Claims on the law of a network: its cost, its limits, and what holds inside a region."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from .claims_draws import data_of, network, path_of

_TIMES = (0.02, 0.1, 0.3, 1.0, 3.0, 10.0)


def _gradient(case: Instance) -> Outcome:
    data, w = data_of(case), case["w"]
    if data.kink_margin(w) < 1e-4:
        return Outcome(None, detail="on a kink")
    step, slopes = 1e-6, np.empty(w.shape)
    for place in np.ndindex(*w.shape):
        moved = np.zeros(w.shape)
        moved[place] = step
        slopes[place] = (data.cost(w + moved) - data.cost(w - moved)) / (2 * step)
    gap = float(np.max(np.abs(data.law(w) + slopes / data.T)))
    return Outcome.at_most(gap, 1e-7 * (1.0 + float(np.max(np.abs(slopes)))))


def _one_datum(draw: Draw) -> dict[str, Any]:
    case = network(draw)
    x = case["x"][:1]
    return {**case, "x": x, "y": case["y"][:1], "T": float(x[0] @ x[0]) + 1.0}


def _law_in_z(case: Instance) -> Outcome:
    data = data_of(case)
    moved = data.law(case["w"]) @ data.X[0]
    expected = -data.errors(case["w"])[0] * data.selection(case["w"])[0]
    return Outcome.at_most(float(np.max(np.abs(moved - expected))), 1e-12)


def _cost_falls(case: Instance) -> Outcome:
    path = path_of(case)
    if path is None:
        return Outcome(None, detail="the law could not be followed")
    last = [t for t in path.times if np.isfinite(t)]
    times = sorted({*_TIMES, *last, *(t * 1.01 for t in last)})
    costs = [path.data.cost(path(t)) for t in times] + [path.data.cost(path.end)]
    rise = float(np.max(np.diff(costs)))
    return Outcome.at_most(rise, 0.0, tolerance=1e-10 * (1.0 + costs[0]))


def _rests(case: Instance) -> Outcome:
    """Return whether the limit is a critical point of the problem, in Clarke's sense."""
    from .model import build

    path = path_of(case)
    if path is None:
        return Outcome(None, detail="the law could not be followed")
    problem = build(
        x=case["x"], y=case["y"], neurons=len(case["w"]), units=case["units"], T=case["T"],
        signs=case["signs"] if case["units"] == "local" else 1,
    )  # fmt: skip
    values = problem.default_values
    force = problem.evaluate(path.end.ravel(), values)
    return Outcome.at_most(float(np.max(np.abs(force))), 0.0, tolerance=1e-6)


# ---- inside a region ----


def _in_region(case: Instance) -> Outcome:
    data = data_of(case)
    H = data.observability(case["w"])
    return Outcome.at_most(-float(np.linalg.eigvalsh(H)[0]), 0.0, tolerance=1e-10)


def _printed_sign(case: Instance) -> Outcome:
    H = data_of(case).observability(case["w"])
    return Outcome.at_most(float(np.linalg.eigvalsh(H)[-1]), 0.0, tolerance=1e-10)


def _two_in_a_region(draw: Draw) -> dict[str, Any]:
    case = network(draw)
    return {**case, "apart": draw.reals(case["w"].shape, -1.0, 1.0)}


def _observable_part(case: Instance) -> Outcome:
    """Return whether two solutions of one region approach each other where data see them."""
    from scipy.linalg import expm

    data = data_of(case)
    H = data.observability(case["w"])
    rates, vectors = np.linalg.eigh(H)
    seen = rates > 1e-9 * max(1.0, float(rates[-1]))
    if not seen.any():
        return Outcome(None, detail="no data are seen")
    # The law of the assignment at w, for two weights: their difference obeys d' = -H d.
    rows = np.einsum("ki,kn->kin", data.selection(case["w"]), data.X).reshape(len(data.X), -1)
    one, other = case["w"].ravel(), case["w"].ravel() + case["apart"].ravel()
    fall = [-rows.T @ (rows @ w - data.y) / data.T for w in (one, other)]
    linear = float(np.max(np.abs(fall[1] - fall[0] + H @ (other - one))))
    outcomes = [Outcome.at_most(linear, 0.0, tolerance=1e-10)]
    slowest = float(np.min(rates[seen]))
    for t in (0.1, 1.0, 3.0):
        later = expm(-H * t) @ (other - one)
        before, after = vectors.T @ (other - one), vectors.T @ later
        bound = float(np.linalg.norm(before[seen])) * np.exp(-slowest * t)
        outcomes.append(Outcome.at_most(float(np.linalg.norm(after[seen])), bound, tolerance=1e-9))
        kept = float(np.linalg.norm(after[~seen] - before[~seen]))
        outcomes.append(Outcome.at_most(kept, 0.0, tolerance=1e-7))
    return Outcome.every(outcomes)


def _contracting(case: Instance) -> Outcome:
    """Return whether H is definite exactly if every neuron owns data that determine it."""
    data = data_of({**case, "units": "local", "signs": (1,) * (len(case["w"]) - 1)})
    owners = data.owners(case["w"])
    n = data.X.shape[1]
    enough = all(
        np.linalg.matrix_rank(data.X[owners == i], tol=1e-6) == n if np.any(owners == i) else False
        for i in range(data.neurons)
    )
    least = float(np.linalg.eigvalsh(data.observability(case["w"]))[0])
    if 1e-12 < least < 1e-9:
        return Outcome(None, detail="close to singular")
    return Outcome((least > 1e-9) == enough, abs(least), f"least eigenvalue {least:.3g}")


def _own_fit(case: Instance) -> Outcome:
    w = path_of(case)
    if w is None:
        return Outcome(None)
    return Outcome.at_most(_null_part(w), 0.0, tolerance=1e-6, detail="size outside the null space")


def _null_part(path: Any) -> float:
    H = path.data.observability(path.end)
    return float(np.linalg.norm(H @ path.end.ravel()))


# ---- the list ----

FIXED = Claim(
    key="fixed-assignment",
    statement=(
        "While two trajectories keep one assignment of data, their distance never grows, and falls "
        "exponentially in the directions of equations 8 and 14."
    ),
    reference="equation 8, equation 14; Theorem 2 and Theorem 3 corrected",
    holds_in="any network, any two weights with one assignment",
    instance=_two_in_a_region,
    check=_observable_part,
)

_RESTS = Claim(
    key="limits-are-critical",
    statement="Every trajectory tends to a point with sum_k ytilde_k dyhat_k x_k = 0 (Clarke).",
    reference="after equation 8 and equation 14, corrected",
    holds_in="any network and start",
    instance=network,
    check=_rests,
    trials=8,
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="law-is-gradient-flow",
        statement="The learning law is the gradient flow of V / T.",
        reference="equation 1, equation 2, equation 7, equation 13",
        holds_in="any network, weights off the kinks",
        instance=network,
        check=_gradient,
    ),
    Claim(
        key="law-of-one-datum",
        statement="With one datum and T = x . x the law reads dz_i/dt = -ytilde dyhat/dz_i.",
        reference="equation 3",
        holds_in="any network, one datum",
        instance=_one_datum,
        check=_law_in_z,
    ),
    Claim(
        key="cost-falls",
        statement="V never grows along the law, kinks and sliding included.",
        reference="sections 2.2 and 2.4",
        holds_in="any network whose signs are constants, any start",
        instance=network,
        check=_cost_falls,
        note="With the signs of the current slopes yhat, and V, jump where two slopes cross.",
    ),
    Claim(
        key="hessian-semidefinite",
        statement=(
            "Inside a linear region V is convex: its Hessian, the sum of dyads, has no negative "
            "eigenvalue, so that the region is semi-contracting."
        ),
        reference="section 2, the Hessian of V_k",
        holds_in="any network and weights",
        instance=network,
        check=_in_region,
    ),
    Claim(
        key="dyadic-term-negative",
        statement="The first dyadic term is negative semi-definite.",
        reference="section 2, after the Hessian of V_k",
        holds_in="any network and weights",
        check=_printed_sign,
        verdict="false",
        counterexample={"x": np.zeros((1, 0)), "y": np.array([1.0]), "w": np.array([[2.0]])},
        correction=Claim(
            key="dyadic-term-positive",
            statement="It is positive semi-definite.",
            reference="section 2, corrected",
            holds_in="any network and weights",
            instance=network,
            check=_in_region,
        ),
    ),
    Claim(
        key="contracting-with-enough-data",
        statement="The law contracts if every neuron is active at data that determine it.",
        reference="section 2.2, after Theorem 2",
        holds_in="maxima of any neurons, within a region; and not otherwise",
        instance=network,
        check=_contracting,
        trials=60,
    ),
    Claim(
        key="null-space",
        statement="Every trajectory converges to the null space of the matrix in equation 8.",
        reference="after equation 8, and after equation 14",
        holds_in="any network and start",
        check=_own_fit,
        verdict="false",
        counterexample={
            "x": np.array([[0.0], [1.0]]),
            "y": np.array([1.0, 2.0]),
            "w": np.array([[0.0, 0.0]]),
        },
        correction=_RESTS,
        note="With one neuron and two data that space is {0}, and the limit is their line.",
    ),
)
"""Claims on the law."""
