"""Claims about critical weights: Proposition 2, Theorem 2, Remarks 2 and 3, samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm, logm

from ...contraction.claims import Claim, Draw, Outcome
from ...system import Array
from .claims_instances import (
    QUARTER,
    Case,
    drawn_network,
    network_of,
    normal_logarithm,
    normal_solution,
    solved,
    solved_down,
)
from .starts import real_logarithm, solve_at_zero
from .theory import LinearNetwork, normality_defect

CONSTANT = 1e-6
"""Weights whose normality defect is below this count as constant."""

# ---- Proposition 2 and Remark 2 ------------------------------------------------------------------


def _at_lam(draw: Draw) -> dict[str, Any]:
    return {**drawn_network(draw), "lam": 10.0 ** draw.real(-1.5, 0.5)}


def _solution_is_critical(case: Case) -> Outcome:
    """Integrate the network along the curve of a solution, and compare cost and gradient."""
    network, lam = network_of(case), case["lam"]
    C = solved_down(network, lam)
    if C is None:
        return Outcome(None, detail="no solution found")
    d, T = network.dimension, network.T

    def rate(t: float, y: Array) -> Array:
        A = network.curve(C, t)
        return np.append((A @ y[:-1].reshape(d, d)).ravel(), np.sum(A * A))

    times = np.linspace(0.0, T, 4)
    start = np.append(np.eye(d).ravel(), 0.0)
    found = solve_ivp(rate, (0.0, T), start, t_eval=times, rtol=1e-9, atol=1e-11).y
    flows, F = found[:-1].T.reshape(-1, d, d), found[:-1, -1].reshape(d, d)
    error = F - network.R
    cost = 0.5 * lam * found[-1, -1] + 0.5 * np.sum((error @ network.Sigma0) * error)
    size = 1.0 + float(np.sum(network.R**2))
    gaps = [abs(float(cost) - network.cost(C, lam)), float(np.max(np.abs(F - network.end(C))))]
    force = F.T @ (network.R - F) @ network.Sigma0
    for t, flow in zip(times, flows, strict=True):
        # lam A_t = Phi_{T,t}^T (R - F) Sigma0 Phi_{t,0}^T: equation 9.
        pull = np.linalg.solve(flow.T, force) @ flow.T
        gaps.append(float(np.max(np.abs(lam * network.curve(C, t) - pull))))
    return Outcome.at_most(max(gaps), 1e-6 * size)


def _family(case: Case) -> Outcome:
    """Check dA/dt = A A^T - A^T A and that the norm stays, on the curve of any C."""
    network, C, h = network_of(case), case["C"], 1e-5
    gaps = []
    for t in (0.0, 0.4 * network.T, network.T):
        A = network.curve(C, t)
        slope = (network.curve(C, t + h) - network.curve(C, t - h)) / (2 * h)
        gaps.append(float(np.max(np.abs(slope - (A @ A.T - A.T @ A)))))
        gaps.append(abs(float(np.linalg.norm(A) - np.linalg.norm(C))))
    return Outcome.at_most(max(gaps), 1e-6 * (1.0 + float(np.linalg.norm(C)) ** 5))


def _constant_if_normal(case: Case) -> Outcome:
    """Check that A_t = C for normal C, and that the R it is critical for is normal."""
    C, lam, T = case["L"] / case["T"], case["lam"], case["T"]
    F = expm(T * C)
    R = F + lam * np.linalg.solve(F.T, C)  # of lam C = F^T (R - F)
    network = LinearNetwork(R, np.eye(len(C)), T)
    moves = max(float(np.max(np.abs(network.curve(C, t * T) - C))) for t in (0.3, 1.0))
    residual = float(np.max(np.abs(network.residual(C, lam))))
    gap = max(moves, residual, normality_defect(R) / (1.0 + float(np.sum(R**2))))
    return Outcome.at_most(gap, 1e-9 * (1.0 + float(np.linalg.norm(F)) ** 2))


def _normal_instance(draw: Draw) -> dict[str, Any]:
    d = draw.choice((2, 3))
    return {
        "L": normal_logarithm(draw, d), "T": draw.real(0.4, 2.0), "lam": draw.real(0.0, 2.0),
    }  # fmt: skip


def _moving_weights(case: Case) -> Outcome:
    defect = _defect(case)
    if defect is None:
        return Outcome(None, detail="R is close to normal, or no solution found")
    return Outcome(defect > CONSTANT, defect - CONSTANT, f"|[C, C^T]| = {defect:.3g}")


def _defect(case: Case) -> float | None:
    network = LinearNetwork(case["R"], np.eye(len(case["R"])), case["T"])
    if normality_defect(network.R) < 0.05:
        return None
    C = solved_down(network, case["lam"])
    return None if C is None else normality_defect(C)


# ---- Remark 3 and samples ------------------------------------------------------------------------


def _sample_slope(case: Case) -> Outcome:
    """Compare the slope in C of a sample's cost with the characteristic equation's terms."""
    C, lam, T, X = case["C"], case["lam"], case["T"], case["X"]
    noise, count = case["noise"], case["X"].shape[1]
    Z = case["R"] @ X + noise
    moment = X @ X.T / count
    network = LinearNetwork(case["R"], moment, T)

    def cost(point: Array) -> float:
        misfit = network.end(point) @ X - Z
        return float(0.5 * lam * T * np.sum(point**2) + 0.5 * np.sum(misfit**2) / count)

    h, steps = 1e-5, np.eye(C.size).reshape(C.size, *C.shape)
    slopes = np.array([(cost(C + h * s) - cost(C - h * s)) / (2 * h) for s in steps])
    F = network.end(C)
    if case["form"] == "correlation":
        N = lam * C - F.T @ (Z @ X.T / count - F @ moment)
    else:
        Q = noise @ X.T / count if case["form"] == "noise x^T" else X @ noise.T / count
        N = lam * C - F.T @ (case["R"] - F) @ moment - F.T @ Q
    reduced = network.end_derivative(C).T @ np.linalg.solve(F.T, N).ravel()
    gap = float(np.max(np.abs(slopes - reduced)))
    return Outcome.at_most(gap, 1e-5 * (1.0 + float(np.max(np.abs(slopes)))))


def _sample(draw: Draw, form: str) -> dict[str, Any]:
    d, count = draw.choice((1, 2, 3)), draw.integer(3, 6)
    shape = (d, count)
    return {
        "R": expm(draw.reals((d, d), -0.8, 0.8)), "C": draw.reals((d, d), -0.8, 0.8),
        "T": draw.real(0.4, 1.5), "lam": draw.real(0.0, 1.0), "form": form,
        "X": draw.reals(shape, -1.5, 1.5), "noise": draw.reals(shape, -0.5, 0.5),
    }  # fmt: skip


_TRANSPOSED = {
    "R": np.eye(2), "C": np.array([[0.3, -0.2], [0.5, 0.1]]), "T": 1.0, "lam": 0.1,
    "X": np.array([[1.0, 0.5, -0.3], [0.2, 1.0, 0.4]]),
    "noise": np.array([[0.5, 0.0, 0.1], [0.0, -0.4, 0.3]]), "form": "x noise^T",
}  # fmt: skip


# ---- Theorem 2 -----------------------------------------------------------------------------------


def _logarithms(case: Case) -> Outcome:
    """Check that log(R) / T solves the equation at lam = 0, with any winding, and F = e^{TC}."""
    T, L = case["T"], case["L"]
    R = expm(L)
    angles = np.abs(np.angle(np.linalg.eigvals(R)))
    pairs = int(np.sum((angles > 1e-3) & (angles < np.pi - 1e-3))) // 2
    logarithm = real_logarithm(R, case["turns"]) if pairs == 1 else np.real(logm(R))
    C = logarithm / T
    network = LinearNetwork(R, np.eye(len(R)), T)
    size = (1.0 + float(np.linalg.norm(logarithm))) ** 2 * float(np.linalg.norm(R) ** 2)
    gap = max(
        float(np.max(np.abs(network.residual(C, 0.0)))),
        float(np.max(np.abs(network.end(C) - expm(T * C)))),
        normality_defect(C),
    )
    return Outcome.at_most(gap, 1e-8 * size)


def _first_order(case: Case) -> Outcome:
    """Check that C(lam) minus the expansion falls like lam^2."""
    T, L = case["T"], case["L"]
    R = expm(L)
    network = LinearNetwork(R, np.eye(len(R)), T)
    C, factor = L / T, case["factor"]
    if np.linalg.cond(network.end_derivative(C)) > 1e3:
        return Outcome(None, detail="close to a conjugate point at T")
    slope = -factor * np.linalg.solve(R @ R.T, L) / T**2
    lam = 1e-3 * T * float(np.min(np.abs(np.linalg.eigvals(R)))) ** 2
    errors = []
    for at in (lam, lam / 10):
        found = solved(network, at, C - at * np.linalg.solve(R @ R.T, L) / T**2)
        if found is None:
            return Outcome(None, detail="no solution found")
        errors.append(float(np.max(np.abs(found - C - at * slope))))
    if errors[0] < 1e-10:
        return Outcome(None, detail="both errors are of rounding size")
    ratio = errors[0] / max(errors[1], 1e-300)
    return Outcome.at_most(30.0, ratio, detail=f"a tenth of lam divides the error by {ratio:.3g}")


def _second_order(case: Case) -> Outcome:
    lam, C = normal_solution(np.pi / 2 - 1e-4)
    second = (C - np.pi / 2 * QUARTER + lam * np.pi / 2 * QUARTER) / lam**2
    expected = -(np.pi**2) / 8 * np.eye(2) + np.pi / 2 * QUARTER
    gap = float(np.max(np.abs(second - expected)))
    return Outcome.at_most(gap, 1e-3, detail=f"second-order term {second[:, 0].round(4).tolist()}")


def _scaling(case: Case) -> Outcome:
    network, C, lam = network_of(case), case["C"], case["lam"]
    T = network.T
    shallow = LinearNetwork(network.R, network.Sigma0, 1.0)
    gap = abs(shallow.cost(T * C, lam / T) - network.cost(C, lam))
    return Outcome.at_most(gap, 1e-9 * (1.0 + abs(network.cost(C, lam))))


def _at_zero(case: Case) -> Outcome:
    """Check that C(0) for a non-normal R solves F(C) = R and is not log(R) / T."""
    network = LinearNetwork(case["R"], np.eye(len(case["R"])), case["T"])
    angles = np.abs(np.angle(np.linalg.eigvals(network.R)))
    if normality_defect(network.R) < 0.1 or np.max(angles) > 2.5:
        return Outcome(None, detail="R is close to normal, or its angle is large")
    logarithm = real_logarithm(network.R)
    C = solve_at_zero(network, logarithm)
    if C is None:
        return Outcome(None, detail="not followed")
    gap = float(np.max(np.abs(network.end(C) - network.R)))
    away = float(np.max(np.abs(C - logarithm / network.T)))
    shorter = float(np.linalg.norm(C)) < float(np.linalg.norm(logarithm)) / network.T
    detail = f"F(C) - R = {gap:.1g}, C - log(R) / T = {away:.3g}, shorter: {shorter}"
    return Outcome(gap < 1e-8 * (1.0 + np.sum(network.R**2)) and away > 1e-4, detail=detail)


def _plain(draw: Draw) -> dict[str, Any]:
    return {**_at_lam(draw), "R": expm(draw.reals((2, 2), -1.2, 1.2))}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="solutions-are-critical",
        statement="For every solution C of equation 18 the weights (17) satisfy Hamilton's "
        "equations, and the cost is lam T / 2 tr C^T C + tr (F - R)^T (F - R) Sigma0 / 2.",
        reference="Proposition 2; equations 15 to 17; equation 17; equation 18",
        holds_in="solutions found from above, d up to 3, lam from 0.03 to 3",
        check=_solution_is_critical,
        instance=_at_lam,
        trials=12,
    ),
    Claim(
        key="curves",
        statement="The weights (17) solve dA/dt = A A^T - A^T A, and keep their norm.",
        reference="Proposition 2, the proof; equation 17",
        holds_in="any C, d up to 3",
        check=_family,
        instance=_at_lam,
    ),
    Claim(
        key="constant-if-normal",
        statement="The weights are constant if C is normal, and then R is normal.",
        reference="Proposition 2, the last line; Remark 2",
        holds_in="Sigma0 = I, normal C of size 2 and 3, lam up to 2",
        check=_constant_if_normal,
        instance=_normal_instance,
    ),
    Claim(
        key="moving-weights",
        statement="For non-normal R and lam > 0 critical weights are not constant: log(R) / T does "
        "not stay critical.",
        reference="Remark 2; Proposition 2; section 3, the question before Proposition 2",
        holds_in="Sigma0 = I, d = 2, lam from 0.03 to 3",
        check=_moving_weights,
        instance=_plain,
    ),
    Claim(
        key="non-normal-at-zero",
        statement="For non-normal R the solution C(0) is not log(R) / T.",
        reference="equation 18 at lam = 0; Example 2",
        holds_in="Sigma0 = I, d = 2, angles up to 2.5",
        check=_at_zero,
        instance=_plain,
        trials=12,
    ),
    Claim(
        key="correlated-data",
        statement="For correlated data the characteristic equation is lam C = F^T (E[Z X_0^T] - F "
        "Sigma0).",
        reference="Remark 3",
        holds_in="samples of three to six inputs, d up to 3; the slope of the cost in C",
        check=_sample_slope,
        instance=lambda draw: _sample(draw, "correlation"),
    ),
    Claim(
        key="finite-samples",
        statement="With N samples it is lam C = F^T (R - F) Sigma0 + F^T Q, Q the mean of X_0 "
        "xi^T.",
        reference="section 4 (ii)",
        holds_in="any sample",
        check=_sample_slope,
        verdict="false",
        counterexample=_TRANSPOSED,
        note="So the factors stand in the text at hand, which has lost its transposes.",
        correction=Claim(
            key="finite-samples-transposed",
            statement="With N samples it is lam C = F^T (R - F) Sigma0 + F^T Q, Q the mean of xi "
            "X_0^T.",
            reference="section 4 (ii)",
            holds_in="samples of three to six inputs, d up to 3; the slope of the cost in C",
            check=_sample_slope,
            instance=lambda draw: _sample(draw, "noise x^T"),
        ),
    ),
    Claim(
        key="scaling",
        statement="(C, lam, T) and (T C, lam / T, 1) have the same cost.",
        reference="Proposition 2; equation 18",
        holds_in="any C, d up to 3",
        check=_scaling,
        instance=_at_lam,
    ),
    Claim(
        key="theorem-2-logarithms",
        statement="At lam = 0 the normal solutions for normal R are log(R) / T, with every real "
        "logarithm.",
        reference="Theorem 2 (i)",
        holds_in="normal R of size 2 and 3 with property P1, Sigma0 = I, windings -2 to 2",
        check=_logarithms,
        instance=lambda draw: {**_normal_instance(draw), "turns": draw.integer(-2, 2)},
    ),
    Claim(
        key="theorem-2-slope",
        statement="From each of them a branch C(lam) = log(R) / T - lam (R R^T)^-1 log(R) / T^2 + "
        "O(lam^2) leaves.",
        reference="Theorem 2 (ii)",
        holds_in="normal R of size 2 and 3, Sigma0 = I, principal logarithm",
        check=_first_order,
        instance=lambda draw: {**_normal_instance(draw), "factor": 1.0},
    ),
    Claim(
        key="theorem-2-second-order",
        statement="For the quarter turn and T = 1 the second-order term is -pi^2 / 8 + i pi / 2.",
        reference="Theorem 2 (ii); Example 1",
        holds_in="d = 2, the principal branch",
        check=_second_order,
    ),
)
"""Claims about critical weights."""
