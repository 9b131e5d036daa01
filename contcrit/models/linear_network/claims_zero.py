"""Claims about gradients and about lam = 0: Proposition 1, Theorem 1, equations 3, 10 and 14."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import expm, logm, sqrtm

from ...contraction.claims import Claim, Draw, Outcome
from .claims_instances import (
    Case,
    PiecewiseWeights,
    drawn_network,
    drawn_weights,
    network_of,
)
from .theory import LinearNetwork


def _weights_of(case: Case) -> PiecewiseWeights:
    return PiecewiseWeights(network_of(case), np.asarray(case["A"], dtype=float))


def _with_weights(draw: Draw) -> dict[str, Any]:
    case = drawn_network(draw)
    A = drawn_weights(draw, len(case["R"]))
    return {**case, "A": A, "V": draw.reals(A.shape, -1.0, 1.0), "lam": draw.real(0.0, 2.0)}


# ---- Proposition 1 and the gradient --------------------------------------------------------------


def _gradient(case: Case) -> Outcome:
    """Compare the slope of J along a variation with its pairing with the gradient."""
    here, lam, V, h = _weights_of(case), case["lam"], case["V"], 1e-4
    there = [PiecewiseWeights(here.network, here.values + s * h * V).cost(lam) for s in (1.0, -1.0)]
    slope = (there[0] - there[1]) / (2 * h)
    weights, gradient = here.gradient(lam)
    paired = float(np.sum(weights * np.sum(gradient * V[:, None], axis=(2, 3))))
    size = 1.0 + np.sqrt(here.norm_squared(lam)) + here.cost(lam)
    return Outcome.close(slope, paired, tolerance=float(1e-5 * size))


def _steepest(case: Case) -> Outcome:
    """Follow the gradient flow of J at lam = 0 from A = 0, and compare with its rate."""
    network = network_of(case)
    here = PiecewiseWeights(network, np.zeros((3, *network.R.shape)))
    least = float(np.linalg.eigvalsh(network.Sigma0)[0])
    largest = float(np.linalg.eigvalsh(network.Sigma0)[-1])
    start = here.cost(0.0)
    far = np.sqrt(2.0 * start / least)
    if not 0.0 < far < 0.6:
        return Outcome(None, float(far), "J_0 is not small against lambda_min / 2")
    # |A| stays below -log(1 - far) / sqrt T, so that J falls at this rate at least.
    rate = 2.0 * network.T * least * (1.0 - far) ** 2
    eta = 0.5 / (network.T * largest)
    steps = int(np.ceil(np.log(100.0) / (rate * eta)))
    if steps > 200:
        return Outcome(None, detail="too many steps")
    costs = [start]
    for _ in range(steps):
        weights, gradient = here.gradient(0.0, nodes=2)
        mean = np.sum(weights[:, :, None, None] * gradient, axis=1) / here.step
        here = PiecewiseWeights(network, here.values - eta * mean)
        costs.append(here.cost(0.0))
    falling = bool(np.all(np.diff(costs) <= 1e-14))
    # Twice the bound, for steps and pieces of finite length.
    return Outcome(
        falling and costs[-1] < 0.02 * start,
        detail=f"J falls from {start:.3g} to {costs[-1]:.3g} in {steps} steps, always: {falling}",
    )


def _near_identity(draw: Draw) -> dict[str, Any]:
    d = draw.choice((1, 2))
    A = draw.reals((d, d), -0.5, 0.5)
    return {
        "R": np.eye(d) + draw.reals((d, d), -0.15, 0.15),
        "Sigma0": np.eye(d) + 0.5 * A @ A.T,
        "T": draw.real(0.5, 1.5),
    }


# ---- Theorem 1 -----------------------------------------------------------------------------------


def _ending_at_target(draw: Draw) -> dict[str, Any]:
    return {**_with_weights(draw), "hit": draw.choice((True, False))}


def _critical_is_global(case: Case) -> Outcome:
    """Check that the gradient vanishes where the last piece is bent to F = R, and only there."""
    here = _weights_of(case)
    if case["hit"]:
        before = PiecewiseWeights(here.network, np.array([*here.values, here.values[-1]]))
        to_go = here.network.R @ np.linalg.inv(before.starts()[-2])
        eigenvalues = np.linalg.eigvals(to_go)
        if np.any(np.abs(np.angle(eigenvalues)) > 3.0):
            return Outcome(None, detail="no real logarithm to end with")
        last = np.real(logm(to_go)) / before.step
        here = PiecewiseWeights(here.network, np.array([*here.values, last]))
    J, norm = here.cost(0.0), here.norm_squared(0.0)
    size = 1.0 + float(np.linalg.norm(here.network.R)) ** 2
    detail = f"J = {J:.3g}, |grad J|^2 = {norm:.3g}"
    if case["hit"]:
        return Outcome(1e-14 * size > J and norm < 1e-12 * size**2, detail=detail)
    if J < 1e-6:
        return Outcome(None, detail=detail)
    return Outcome(norm > 1e-12, norm, detail)


def _determinant(case: Case) -> Outcome:
    here = _weights_of(case)
    det = float(np.linalg.det(here.starts()[-1]))
    expected = float(np.exp(here.step * np.sum(np.trace(here.values, axis1=1, axis2=2))))
    return Outcome(abs(det / expected - 1.0) < 1e-8 and det > 0, detail=f"det F = {det:.6g}")


def _bound(case: Case) -> Outcome:
    """Check equation 14 with a constant times T, with or without its square root."""
    here = _weights_of(case)
    T, powers = here.network.T, np.sum(here.values**2, axis=(1, 2))
    length = here.step * float(np.sum(np.sqrt(powers) if case["root"] else powers))
    least = float(np.linalg.eigvalsh(here.network.Sigma0)[0])
    bound = case["constant"] * T * np.exp(-2 * length) * least * here.cost(0.0)
    norm = here.norm_squared(0.0)
    return Outcome.at_most(float(bound), norm, tolerance=1e-9 * (1.0 + norm))


def _bounded(constant: float) -> Any:
    def instance(draw: Draw) -> dict[str, Any]:
        return {**_with_weights(draw), "constant": constant, "root": True}

    return instance


_SHORT = {
    "R": np.array([[2.0]]), "Sigma0": np.eye(1), "T": 4.0, "A": np.array([[[-0.5]]]),
}  # fmt: skip
"""One dimension, constant weights: equality in equation 14 with the constant 2 T."""


def _sharp(case: Case) -> Outcome:
    T, a, R = case["T"], case["a"], case["R"]
    network = LinearNetwork(np.array([[R]]), np.eye(1), T)
    here = PiecewiseWeights(network, np.array([[[a]]]))
    bound = 2.0 * T * np.exp(-2.0 * T * abs(a)) * here.cost(0.0)
    norm = here.norm_squared(0.0)
    if bound < 1e-12:
        return Outcome(None, detail="J = 0")
    return Outcome.close(norm / bound, 1.0, tolerance=1e-9)


# ---- equations 3 and 4, minimisers at lam = 0 ----------------------------------------------------


def _mean_square(case: Case) -> Outcome:
    """Compare E |X_T - Z|^2 over a symmetric sample of second moment Sigma0 with J at lam = 0."""
    here = _weights_of(case)
    root = np.real(sqrtm(here.network.Sigma0)) * np.sqrt(here.network.dimension)
    inputs = np.hstack([root, -root])
    misfit = (here.starts()[-1] - here.network.R) @ inputs
    square = float(np.mean(np.sum(misfit**2, axis=0)))
    return Outcome.close(case["factor"] * square, here.cost(0.0), tolerance=1e-9 * (1.0 + square))


def _many_minimisers(case: Case) -> Outcome:
    """Check that log(R) / T plus anything of mean 0 reaches R in one dimension."""
    R, T, change = case["R"], case["T"], np.asarray(case["change"])
    change = change - np.mean(change)
    network = LinearNetwork(np.array([[R]]), np.eye(1), T)
    values = (np.log(R) / T + change)[:, None, None]
    return Outcome.at_most(PiecewiseWeights(network, values).cost(0.0), 1e-20 * (1.0 + R) ** 2)


def _logarithm(case: Case) -> Outcome:
    """Check that constant weights log(R) / T reach R, and how small they are."""
    network = network_of(case)
    if np.any(np.abs(np.angle(np.linalg.eigvals(network.R))) > 3.1):
        return Outcome(None, detail="an eigenvalue close to the negative real axis")
    A = np.real(logm(network.R)) / network.T
    gap = float(np.max(np.abs(expm(network.T * A) - network.R)))
    return Outcome.at_most(gap, 1e-9 * (1.0 + float(np.max(np.abs(network.R)))))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="equation-3",
        statement="The lam = 0 problem (3) is the functional (4) at lam = 0.",
        reference="equation 3; equation 4",
        holds_in="any weights",
        check=_mean_square,
        verdict="false",
        counterexample={**_SHORT, "factor": 1.0},
        note="Equation 4 has a factor 1/2 that equation 3 lacks; the minimisers are the same.",
        correction=Claim(
            key="equation-3-halved",
            statement="At lam = 0 the functional (4) is half the loss (3), noise aside.",
            reference="equation 3; equation 4",
            holds_in="weights of up to four pieces, d up to 3",
            check=_mean_square,
            instance=lambda draw: {**_with_weights(draw), "factor": 0.5},
        ),
    ),
    Claim(
        key="gradient",
        statement="The gradient of J is lam A_t - E[Y_t X_t^T] with the solutions of Hamilton's "
        "equations, so that critical weights maximise the expected Hamiltonian.",
        reference="Proposition 1; equation 10; equations 7 to 9",
        holds_in="weights of up to four pieces, d up to 3, lam up to 2",
        check=_gradient,
        instance=_with_weights,
    ),
    Claim(
        key="gradient-flow",
        statement="At lam = 0 steepest descent from A = 0 converges to a global minimum, at the "
        "rate of equation 14, if J at the start is below lambda_min(Sigma0) / 2.",
        reference="equation 11; equation 14; section 2, the remark on convergence",
        holds_in="R close to the identity, d up to 2, three pieces",
        check=_steepest,
        instance=_near_identity,
        trials=6,
        note="The paper's own statement is in its supplement; this one follows from equation 14.",
    ),
    Claim(
        key="theorem-1",
        statement="At lam = 0 every critical point is a global minimiser: the gradient vanishes "
        "exactly if the network ends at R.",
        reference="Theorem 1",
        holds_in="Sigma0 positive definite; weights of up to five pieces, d up to 3",
        check=_critical_is_global,
        instance=_ending_at_target,
        trials=30,
    ),
    Claim(
        key="reachable",
        statement="A minimiser at lam = 0 with J = 0 needs det R > 0, since det F is exp of the "
        "integral of tr A.",
        reference="Theorem 1, provided a minimizer exists",
        holds_in="weights of up to four pieces, d up to 3",
        check=_determinant,
        instance=_with_weights,
    ),
    Claim(
        key="gradient-dominance-twice",
        statement="At lam = 0 equation 14 holds with 2 T in place of T.",
        reference="equation 14",
        holds_in="weights of up to four pieces, d up to 3",
        check=_bound,
        instance=_bounded(2.0),
        trials=40,
    ),
    Claim(
        key="gradient-dominance-is-sharp",
        statement="With 2 T equation 14 is an equality for d = 1 and constant weights A <= 0.",
        reference="equation 14",
        holds_in="R from 1.1 to 4, A from -1 to 0",
        check=_sharp,
        instance=lambda draw: {
            "R": draw.real(1.1, 4.0),
            "T": draw.real(0.3, 4.0),
            "a": draw.real(-1.0, 0.0),
        },
    ),
    Claim(
        key="equation-14-without-root",
        statement="Equation 14 holds with tr A^T A itself in the exponent.",
        reference="equation 14",
        holds_in="any weights",
        check=_bound,
        verdict="false",
        counterexample={**_SHORT, "constant": 1.0, "root": False},
        note="The text at hand has lost the square root of the exponent.",
        correction=Claim(
            key="gradient-dominance",
            statement="At lam = 0 |grad J|^2 >= T exp(-2 int sqrt(tr A^T A)) lambda_min(Sigma0) "
            "(J - J*), with the square root in the exponent.",
            reference="equation 14",
            holds_in="weights of up to four pieces, d up to 3",
            check=_bound,
            instance=_bounded(1.0),
        ),
    ),
    Claim(
        key="logarithm-is-a-minimum",
        statement="Constant weights log(R) / T are a global minimiser at lam = 0.",
        reference="section 3, the text after Theorem 1; Example 2",
        holds_in="R with property P1, d up to 3",
        check=_logarithm,
        instance=drawn_network,
    ),
    Claim(
        key="many-minimisers",
        statement="At lam = 0 all weights log(R) / T plus a part of integral 0 are minimisers in "
        "one dimension.",
        reference="Remark 4",
        holds_in="R from 0.1 to 20, parts of six pieces",
        check=_many_minimisers,
        instance=lambda draw: {
            "R": draw.real(0.1, 20.0),
            "T": draw.real(0.3, 2.0),
            "change": draw.reals(6, -2.0, 2.0),
        },
    ),
)
"""Claims about gradients and about lam = 0."""
