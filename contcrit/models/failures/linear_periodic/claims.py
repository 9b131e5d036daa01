"""What the paper claims of linear-periodic functions, and what their closed form adds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .theory import (
    LinearPeriodic,
    distance_to_critical_set,
    eigenvalues,
    gradient_variance,
    slope_on_the_axis,
    spectral_tail,
    variance_bound,
)


def _loss_instance(draw: Draw) -> Instance:
    d = draw.integer(1, 3)
    scale = draw.choice([0.0, 1.0, 1.0])
    return {
        "v": draw.reals(d, -1.5, 1.5),
        "w": scale * draw.reals(d, -1.5, 1.5),
        "coefficients": draw.choice([(1.0,), (0.0, 1.0), (1.0, -0.5)]),
    }


def _check_closed_form(case: Instance) -> Outcome:
    """Compare with Gauss-Hermite quadrature in the plane of w and v."""
    v, w = np.asarray(case["v"]), np.asarray(case["w"])
    plane = np.linalg.qr(np.stack([v, w], axis=1))[0]
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / math.sqrt(2 * math.pi)
    grid = np.stack(np.meshgrid(*[nodes] * plane.shape[1], indexing="ij"), axis=-1)
    mass = weights if plane.shape[1] == 1 else np.outer(weights, weights)

    def psi(t: Any) -> Any:
        return sum(a * np.cos((k + 1) * t) for k, a in enumerate(case["coefficients"]))

    gap = psi(grid @ (plane.T @ w)) - psi(grid @ (plane.T @ v))
    expected = float(np.sum(mass * gap**2) / 2)
    found = float(LinearPeriodic(v, case["coefficients"]).loss(w))
    return Outcome.close(found, expected, tolerance=1e-9)


def _critical_instance(draw: Draw) -> Instance:
    d, r = draw.integer(1, 4), draw.real(0.3, 2.0)
    v = np.eye(1, d)[0] * r
    w = draw.reals(d, -2.0, 2.0)
    place = draw.choice(["anywhere", "axis", "across", "origin", "target", "sphere"])
    if place == "axis":
        w[1:] = 0.0
    elif place in ("across", "sphere"):
        w[0] = 0.0
        length = float(np.linalg.norm(w))
        if place == "sphere" and length > 0:
            w *= r / math.sqrt(3) / length
    elif place == "origin":
        w[:] = 0.0
    elif place == "target":
        w = draw.choice([1.0, -1.0]) * v
    return {"v": v, "w": w}


def _check_critical_set(case: Instance) -> Outcome:
    v, w = case["v"], case["w"]
    slope = float(np.linalg.norm(LinearPeriodic(v).gradient(w)))
    distance = distance_to_critical_set(w, v)
    detail = f"distance {distance:.3g}, gradient {slope:.3g}"
    if distance <= 1e-12:
        return Outcome.at_most(slope, 1e-11, detail=detail)
    if distance < 1e-4:
        return Outcome(None, detail=detail)
    # Within the box that instances are drawn from no exponential is below 1e-9.
    return Outcome.at_most(1e-11, slope, detail=detail)


def _check_axis(case: Instance) -> Outcome:
    r, s = case["r"], case["s"]
    if abs(s - 1) < 1e-6:
        return Outcome(None, detail="at the target")
    value = float(slope_on_the_axis(s * r, r))
    return Outcome(value * (s - 1) > 0, abs(value), f"s = {s:.6g}, slope's sign {value:.3g}")


def _check_eigenvalues(case: Instance) -> Outcome:
    d, r, kind = case["d"], case["r"], case["kind"]
    v = r * np.eye(1, d)[0]
    w = {"origin": 0 * v, "target": v}.get(kind)
    if w is None:
        across = np.zeros(d)
        across[1:] = case["across"][: d - 1]
        length = float(np.linalg.norm(across))
        if length < 1e-6:
            return Outcome(None, detail="no direction across v")
        w = across * r / math.sqrt(3) / length
    gap = np.linalg.eigvalsh(LinearPeriodic(v).hessian(w)) - eigenvalues(kind, r, d)
    return Outcome.at_most(float(np.max(np.abs(gap))), 1e-11)


def _check_variance(case: Instance) -> Outcome:
    d, r = case["d"], case["r"]
    lengths = np.array([0.0, 0.3 * r, r, 0.25 + case["more"], r + case["more"]])
    found = max(gradient_variance(float(length), r, d) for length in lengths)
    return Outcome.at_most(found, variance_bound(r, d), tolerance=1e-15)


def _check_quadrature(case: Instance) -> Outcome:
    """Compare the variance with an average over equal angles in the plane."""
    length, r = case["length"], case["r"]
    angles = 2 * math.pi * np.arange(256) / 256
    w = np.array([length, 0.0])
    rows = np.array(
        [
            LinearPeriodic(r * np.array([math.cos(a), math.sin(a)]), case["coefficients"]).gradient(
                w
            )
            for a in angles
        ]
    )
    expected = float(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1)))
    found = gradient_variance(length, r, 2, case["coefficients"])
    return Outcome.close(found, expected, tolerance=1e-11)


def _check_tail(case: Instance) -> Outcome:
    """Compare the tail with quadrature of the Fourier transform's square, exp(-2 |xi|^2)."""
    d, r = case["d"], case["r"]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = 3.5  # beyond r + 7 the integrand is below 1e-42 of its maximum
    tail = half * weights @ _radial(r + half * (1 + nodes), d)
    inner = 0.5 * r * weights @ _radial(0.5 * r * (1 + nodes), d)
    return Outcome.close(spectral_tail(r, d), float(tail / (tail + inner)), tolerance=1e-10)


def _radial(xi: Any, d: int) -> Any:
    return xi ** (d - 1) * np.exp(-2 * xi**2)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="closed-form",
        statement="The expected loss is a sum of Gaussian kernels of w, v and their multiples.",
        reference="Shamir 2016; section 2.2",
        holds_in="x from N(0, I), psi(t) = sum_k a_k cos(k t)",
        instance=_loss_instance,
        check=_check_closed_form,
    ),
    Claim(
        key="critical-set",
        statement=(
            "The critical points for the cosine are 0, v, -v and the w orthogonal to v with "
            "|w| = r / sqrt(3)."
        ),
        reference="closed form",
        holds_in="r > 0, any d",
        note=(
            "Off the axis and off the hyperplane the parts along and across v cannot both vanish; "
            "the axis is the claim `axis`."
        ),
        instance=_critical_instance,
        check=_check_critical_set,
        trials=60,
    ),
    Claim(
        key="axis",
        statement="Along v the cosine's loss falls from 0 to v, and rises beyond.",
        reference="closed form",
        holds_in="r > 0, w = s v with s > 0",
        note="Jensen's inequality for the exponential, with weights that sum to one.",
        instance=lambda draw: {"r": draw.real(0.3, 5.0), "s": draw.real(0.02, 3.0)},
        check=_check_axis,
        trials=200,
    ),
    Claim(
        key="eigenvalues",
        statement=(
            "0 is a maximum, v and -v are minima, and on the sphere the Hessian has the "
            "eigenvalues -r^2 exp(-2 r^2 / 3), r^2 exp(-2 r^2 / 3) and d - 2 zeros."
        ),
        reference="closed form",
        holds_in="r > 0, d >= 2",
        instance=lambda draw: {
            "d": draw.integer(2, 5),
            "r": draw.real(0.1, 3.0),
            "kind": draw.choice(["origin", "target", "sphere"]),
            "across": draw.reals(4, -1.0, 1.0),
        },
        check=_check_eigenvalues,
    ),
    Claim(
        key="theorem-2",
        statement=(
            "The variance of the gradient over targets on the sphere |v| = r is O(exp(-Omega(d)) + "
            "exp(-Omega(r))) at every w: for the cosine, at most (2 / e) exp(-min(r^2, d) / 2)."
        ),
        reference="Theorem 2 (Shamir 2016)",
        holds_in="cosine, x from N(0, I), squared loss",
        note="`variance_bound` proves the explicit form, which is stronger than the printed one.",
        instance=lambda draw: {
            "d": draw.integer(2, 60),
            "r": draw.real(0.1, 8.0),
            "more": draw.real(0.0, 4.0),
        },
        check=_check_variance,
    ),
    Claim(
        key="variance-by-quadrature",
        statement="One integral over the angle between w and v gives the variance.",
        reference="Theorem 2",
        holds_in="d = 2, where an average over equal angles is exact",
        instance=lambda draw: {
            "length": draw.real(0.0, 3.0),
            "r": draw.real(0.1, 3.0),
            "coefficients": draw.choice([(1.0,), (0.5, 1.0)]),
        },
        check=_check_quadrature,
    ),
    Claim(
        key="theorem-2-hypothesis",
        statement=(
            "For N(0, I) the ratio of Theorem 2's hypothesis is P(chi^2_d > 4 r^2): it is small "
            "only where r is well above sqrt(d) / 2."
        ),
        reference="Theorem 2",
        holds_in="standard Gaussian inputs",
        instance=lambda draw: {"d": draw.integer(1, 8), "r": draw.real(0.05, 3.0)},
        check=_check_tail,
    ),
)
"""The claims."""
