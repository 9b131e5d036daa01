"""The claims on decomposition against end-to-end learning, for `decomposition`."""

from __future__ import annotations

from itertools import product
from math import pi
from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from ...system import Array
from .decomposition_kernel import (
    by_series,
    closed_form,
    eigenvalue,
    kernel,
    leading_degree,
    leading_term,
    printed_rate,
    sharp_constant,
)
from .decomposition_signal import (
    KAPPA,
    decomposition_signal_to_noise,
    second_moment,
    signal,
    signal_to_noise,
    target_variance,
)
from .decomposition_theory import curvatures, fold, loss, roots

PAPER = "section 3.2"


# ---- what is drawn -----------------------------------------------------------------------------


def _tuple_instance(draw: Draw) -> Instance:
    return {"k": draw.integer(1, 6), "d": draw.choice((2, 3, 784, draw.integer(2, 200)))}


def _angles(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 4),
        "cosine": draw.choice((-1.0, 0.0, 1.0, draw.real(-1.0, 1.0))),
    }


def _gradient_instance(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 3),
        "d": draw.choice((2, 3, draw.integer(2, 50))),
        "cosine": draw.choice((-1.0, 0.0, 0.5, 1.0, draw.real(-1.0, 1.0))),
    }


def _weight_instance(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 6),
        "s": draw.choice((0.0, 0.05, 0.1, 0.5, 1.0, draw.real(0.0, 1.0))),
    }


def _odd_instance(draw: Draw) -> Instance:
    return {"k": 2 * draw.integer(0, 3) + 1, "s": draw.choice((1e-3, 1.0, draw.real(1e-3, 1.0)))}


def _even_instance(draw: Draw) -> Instance:
    return {"k": 2 * draw.integer(1, 3), "distance": draw.real(1e-3, 0.5)}


def _start_instance(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 8),
        "d": draw.choice((2, 784, draw.integer(2, 200))),
        "cosine": draw.choice((0.0, 0.88, draw.real(-0.88, 0.88))),
    }


# ---- expectations by quadrature, apart from the closed forms -----------------------------------


def _plane(cosine: float, count: int = 40) -> tuple[Array, Array, Array, Array]:
    """Return nodes in the plane of u and w, weights, sign(u . x) and w . x, for N(0, I).

    To rounding for polynomials times sign(u . x): the angle is cut where the sign changes.
    """
    # The radius has the density r exp(-r^2 / 2), with nothing left beyond 12.
    nodes, weights = np.polynomial.legendre.leggauss(3 * count)
    radius = 6.0 + 6.0 * nodes
    radial = 6.0 * weights * radius * np.exp(-(radius**2) / 2.0)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    angle = np.concatenate([centre + pi / 2.0 * nodes for centre in (0.0, pi)])
    share = np.concatenate([weights, weights]) / 4.0
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    x = (radius[:, None, None] * direction).reshape(-1, 2)
    sine = float(np.sqrt(max(0.0, 1.0 - cosine**2)))
    w = np.array([cosine, sine])
    return x, np.outer(radial, share).ravel(), np.sign(x[:, 0]), x @ w


def _gradient_moments(k: int, d: int, cosine: float) -> tuple[Array, float]:
    """Return E[h_u g] in the plane of u and w, and E |g|^2, term by term, by quadrature.

    Inputs of a tuple are independent: each term is a product of means over one input. Directions
    perpendicular to the plane add d - 2 to E |x|^2, and nothing else.
    """
    x, weights, sign, score = _plane(cosine)
    signed_input = (weights * sign) @ x
    signed_score = float((weights * sign) @ score)
    scored_input = (weights * score) @ x
    square_score = float(weights @ score**2)
    square_input = float(weights @ np.sum(x**2, axis=1)) + (d - 2)
    mean = sum((signed_input * signed_score ** (k - 1) for _ in range(k)), np.zeros(2))
    second = 0.0
    for one, other in product(range(k), repeat=2):
        if one == other:
            second += square_input * square_score ** (k - 1)
        else:
            second += float(scored_input @ scored_input) * square_score ** (k - 2)
    return mean, second


# ---- checks ------------------------------------------------------------------------------------


def _kernel_check(case: Instance) -> Outcome:
    """Integrate sign(u . x) sign(v . x) over the angle, between the changes of sign."""
    angle = float(np.arccos(case["cosine"]))
    cuts = np.sort(np.mod([pi / 2, 3 * pi / 2, angle + pi / 2, angle + 3 * pi / 2], 2 * pi))
    ends = np.append(cuts, cuts[0] + 2 * pi)
    middles = (ends[1:] + ends[:-1]) / 2.0
    agree = np.sign(np.cos(middles)) * np.sign(np.cos(middles - angle))
    single = float(np.diff(ends) @ agree) / (2 * pi)
    expected = float(kernel(case["cosine"], case["k"]))
    return Outcome.close(single ** case["k"], expected, tolerance=1e-9)


def _bound_check(case: Instance) -> Outcome:
    k, d = case["k"], case["d"]
    return Outcome.at_most(sharp_constant(k, d), printed_rate(k, d))


def _sharp_check(case: Instance) -> Outcome:
    k, d = case["k"], case["d"]
    best = sharp_constant(k, d)
    others = [eigenvalue(k, d, degree) / best for degree in range(1, 9)]
    bounded = Outcome.at_most(max(others), 1.0, tolerance=1e-10)
    parity = [abs(value) for degree, value in enumerate(others, 1) if (degree - k) % 2]
    return Outcome.every([bounded, Outcome.at_most(max(parity), 0.0, tolerance=1e-8)])


def _series_check(case: Instance) -> Outcome:
    k, d = case["k"], max(case["d"], 12)
    ratio = by_series(k, d, leading_degree(k)) / sharp_constant(k, d)
    return Outcome.close(ratio, 1.0, tolerance=1e-8)


def _closed_form_check(case: Instance) -> Outcome:
    k, d = 1 + case["k"] % 2, case["d"]
    return Outcome.close(sharp_constant(k, d) / closed_form(k, d), 1.0, tolerance=1e-10)


def _order_check(case: Instance) -> Outcome:
    """Compare with the leading term: the error must fall as 1 / d."""
    k, d = case["k"], 50 * case["d"]
    ratio = sharp_constant(k, d) / leading_term(k, d)
    return Outcome.at_most(abs(ratio - 1.0), 2.0 * k**2 / d, detail=f"ratio {ratio:.9g}, d = {d}")


def _attained_check(case: Instance) -> Outcome:
    """Compare the toy's own variance over targets with the sharp bound on it."""
    k, d = case["k"], case["d"]
    return Outcome.at_most(
        target_variance(k, d) / second_moment(k, d) / sharp_constant(k, d), 1.0, tolerance=1e-12
    )


def _signal_check(case: Instance) -> Outcome:
    k, d, c = case["k"], case["d"], case["cosine"]
    mean, _ = _gradient_moments(k, d, c)
    return Outcome.every(
        [
            Outcome.close(float(mean @ mean), signal(k, c), tolerance=1e-9),
            Outcome.close(float(mean[1]), 0.0, tolerance=1e-9),
        ]
    )


def _noise_check(case: Instance) -> Outcome:
    k, d, c = case["k"], case["d"], case["cosine"]
    _, second = _gradient_moments(k, d, c)
    return Outcome.close(second, second_moment(k, d), tolerance=1e-8 * second_moment(k, d))


def _decomposition_check(case: Instance) -> Outcome:
    d, c = case["d"], case["cosine"]
    mean, second = _gradient_moments(1, d, c)
    found = float(mean @ mean) / (second - float(mean @ mean))
    return Outcome.close(found, decomposition_signal_to_noise(d), tolerance=1e-9)


def _falling_check(case: Instance) -> Outcome:
    k, d, c = case["k"], case["d"], case["cosine"]
    now, then = signal_to_noise(k, d, c), signal_to_noise(k + 1, d, c)
    detail = f"{then:.6g} after {now:.6g}, k = {k}, c = {c:.6g}"
    return Outcome(then < now or now == then == 0.0, now - then, detail)


def _everywhere_check(case: Instance) -> Outcome:
    k, d, c = case["k"], case["d"], case["cosine"]
    return Outcome.at_most(signal_to_noise(k, d, c), decomposition_signal_to_noise(d))


def _loss_check(case: Instance) -> Outcome:
    """Compare the problem's potential and gradient at a point with quadrature and differences."""
    from .decomposition import build

    k, s, w = case["k"], case["s"], np.asarray(case["w"])
    length = float(np.linalg.norm(w))
    cosine = 1.0 if length == 0.0 else float(np.clip(w[0] / length, -1.0, 1.0))
    _, weights, sign, score = _plane(cosine)
    score = length * score
    square, along = float(weights @ score**2), float((weights * sign) @ score)
    expected = (
        s * (square - 2.0 * along + 1.0) + (1.0 - s) * (square**k - 2.0 * along**k + 1.0)
    ) / 2.0
    values = {"s": s, "phi": 0.0}
    problem = build(k=k)
    step = 1e-5
    slopes = [(loss(w + step * e, k, s) - loss(w - step * e, k, s)) / (2 * step) for e in np.eye(2)]
    scale = 1.0 + abs(expected)
    gap = float(np.max(np.abs(problem.evaluate(w, values) - slopes)))
    return Outcome.every(
        [
            Outcome.close(problem.potential(w, values), expected, tolerance=1e-9 * scale),
            Outcome.at_most(gap, 0.0, tolerance=1e-5 * scale),
        ]
    )


def _target_check(case: Instance) -> Outcome:
    from .decomposition import build

    k, s = case["k"], case["s"]
    problem, values = build(k=k), {"s": s, "phi": 0.0}
    w = np.array([KAPPA, 0.0])
    slope = float(np.max(np.abs(problem.evaluate(w, values))))
    found = np.sort(np.linalg.eigvalsh(problem.jacobian(w, values)))
    expected = np.sort(curvatures(1.0, k, s))
    return Outcome.every(
        [
            Outcome.at_most(slope, 1e-12),
            Outcome.at_most(float(np.max(np.abs(found - expected))), 1e-10),
            Outcome.at_most(1e-9, float(found[0]), detail=f"least curvature {found[0]:.6g}"),
        ]
    )


def _no_bad_minimum_check(case: Instance) -> Outcome:
    """Every critical point that is not as good as the target has a way down, end to end."""
    k, s = case["k"], case.get("s", 0.0)
    best = loss(np.array([KAPPA, 0.0]), k, s)
    outcomes = []
    for a in roots(k, s):
        value = loss(np.array([KAPPA * a, 0.0]), k, s)
        if value <= best + 1e-12:
            outcomes.append(Outcome.close(value, best, tolerance=1e-9))
            continue
        nearby = [
            loss(KAPPA * np.array([a + h * np.cos(t), h * np.sin(t)]), k, s)
            for h in (1e-1, 3e-2, 1e-2)
            for t in np.linspace(0.0, 2 * pi, 16, endpoint=False)
        ]
        drop = value - min(nearby)
        outcomes.append(Outcome.at_most(1e-14, drop, detail=f"a = {a:.6g} falls by {drop:.3g}"))
    return Outcome.every(outcomes)


def _flat_check(case: Instance) -> Outcome:
    """Measure the order in which the end-to-end gradient vanishes at the origin."""
    from .decomposition import build

    problem, values = build(k=case["k"]), {"s": 0.0, "phi": 0.0}
    near, far = (
        float(np.linalg.norm(problem.evaluate(h * np.array([0.6, 0.8]), values)))
        for h in (1e-4, 2e-4)
    )
    order = float(np.log2(far / near))
    return Outcome.close(order, case["k"] - 1.0, tolerance=1e-3)


def _alone_check(case: Instance) -> Outcome:
    found = roots(case["k"], case["s"])
    return Outcome(len(found) == 1, 1.0 - len(found), f"critical points at {found.tolist()}")


def _fold_check(case: Instance) -> Outcome:
    """Count critical points on both sides of the fold."""
    k, distance = case["k"], case["distance"]
    end = fold(k)
    if end is None:
        return Outcome(False, detail=f"no fold for k = {k}")
    below, above = roots(k, end[0] * (1.0 - distance)), roots(k, end[0] * (1.0 + distance))
    detail = f"{len(below)} below, {len(above)} above s = {end[0]:.9g}"
    return Outcome(len(below) == 3 and len(above) == 1, 0.0, detail)


def _pair_check(case: Instance) -> Outcome:
    found = fold(2)
    return Outcome.close(found[0] if found else np.nan, 1.0 / (1.0 + pi), tolerance=1e-13)


def _with_weights(draw: Draw) -> Instance:
    case: dict[str, Any] = dict(_weight_instance(draw))
    case["k"] = min(case["k"], 4)
    case["w"] = draw.choice((np.zeros(2), draw.reals(2, -1.5, 1.5)))
    return case


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="target-kernel",
        statement="Targets have the inner products ((2/pi) arcsin u . v)^k.",
        reference="Theorem 3, its proof",
        holds_in="every k and all directions, equal and opposite ones included",
        instance=_angles,
        check=_kernel_check,
    ),
    Claim(
        key="theorem-3",
        statement="Var(H, F, w) <= G^2 sqrt(k log d / d)^k.",
        reference="Theorem 3",
        holds_in="k up to 6, d from 2 to 784; the constant within the O is 1 here",
        instance=_tuple_instance,
        check=_bound_check,
        note="True, and loose: see sharp-order.",
    ),
    Claim(
        key="sharp-constant",
        statement="The best bound is the eigenvalue of degree 1 for odd k and 2 for even k.",
        reference="Theorem 3, sharpened",
        holds_in="k up to 6, against degrees up to 8",
        instance=_tuple_instance,
        check=_sharp_check,
        note="By (m - l) / (m + l + d) < 1 for every power t^m of the kernel's series.",
    ),
    Claim(
        key="sharp-constant-by-series",
        statement="Quadrature and the power series of arcsin give one eigenvalue.",
        reference="Theorem 3, sharpened",
        holds_in="k up to 6, d from 12",
        instance=_tuple_instance,
        check=_series_check,
        trials=8,
    ),
    Claim(
        key="sharp-constant-closed",
        statement="It is Gamma(d/2)^2 / (pi Gamma((d+1)/2)^2) for k = 1, 8 / (pi^2 d^2) for k = 2.",
        reference="Theorem 3, sharpened",
        holds_in="k = 1, 2",
        instance=_tuple_instance,
        check=_closed_form_check,
    ),
    Claim(
        key="sharp-order",
        statement="It falls as d^{-(k+1)/2} for odd k and d^{-k/2-1} for even k, without log d.",
        reference="Theorem 3, sharpened",
        holds_in="k up to 6, d from 100; within 2 k^2 / d of the leading term",
        instance=_tuple_instance,
        check=_order_check,
    ),
    Claim(
        key="variance-of-the-product",
        statement="The product of scores keeps to the sharp bound.",
        reference="Theorem 3, sharpened",
        holds_in="|w| = 1, k up to 6",
        instance=_tuple_instance,
        check=_attained_check,
        note="For k = 1 it attains 1 - 1/(2d) of it.",
    ),
    Claim(
        key="signal",
        statement="Sig = k^2 (2/pi)^k (u . w)^{2(k-1)}, along u.",
        reference=PAPER,
        holds_in="the product of scores with |w| = 1, Gaussian inputs",
        instance=_gradient_instance,
        check=_signal_check,
    ),
    Claim(
        key="gradient-second-moment",
        statement="E |g|^2 = k (d + k - 1).",
        reference=PAPER,
        holds_in="the product of scores with |w| = 1, Gaussian inputs",
        instance=_gradient_instance,
        check=_noise_check,
    ),
    Claim(
        key="decomposition-signal-to-noise",
        statement="Decomposed, Sig / Noi = (2/pi) / (d - 2/pi), for every k.",
        reference=f"{PAPER}, Figure 4",
        holds_in="every d and every w",
        instance=_gradient_instance,
        check=_decomposition_check,
    ),
    Claim(
        key="signal-to-noise-falls",
        statement="End to end, Sig / Noi does not rise with k, and falls where it is not 0.",
        reference=f"{PAPER}, Figure 4",
        holds_in="(u . w)^2 < pi/4, as at a start drawn at random",
        instance=_start_instance,
        check=_falling_check,
        note="From k to k + 1, Sig / E |g|^2 changes by less than (4/pi) (u . w)^2.",
    ),
    Claim(
        key="noisier-everywhere",
        statement="End to end, Sig / Noi is less than decomposed, for every w.",
        reference=f"{PAPER}: with the end-to-end approach gradients are less informative",
        holds_in="every w",
        instance=_gradient_instance,
        check=_everywhere_check,
        verdict="false",
        counterexample={"k": 2, "d": 784, "cosine": 1.0},
        correction=Claim(
            key="noisier-at-a-start",
            statement="End to end, Sig / Noi is at most that of decomposition.",
            reference=PAPER,
            holds_in="(u . w)^2 < pi/4",
            instance=_start_instance,
            check=_everywhere_check,
        ),
        note="Near the solution pairs have more signal. The paper measures at random starts.",
    ),
    Claim(
        key="population-loss",
        statement="L = s (|w|^2 - 2 kappa u.w + 1)/2 + (1-s) (|w|^{2k} - 2 (kappa u.w)^k + 1)/2.",
        reference="section 3.1, for linear scores and the squared loss",
        holds_in="k up to 4, every s and w",
        instance=_with_weights,
        check=_loss_check,
        trials=8,
    ),
    Claim(
        key="target-is-a-minimum",
        statement="The weights kappa u are a nondegenerate minimum of L for every s.",
        reference="section 3.1",
        holds_in="k up to 6, every s in [0, 1]",
        instance=_weight_instance,
        check=_target_check,
        trials=8,
    ),
    Claim(
        key="no-bad-minima",
        statement="The failure is not due to local minima: every minimum of L is a best one.",
        reference="section 3.2",
        holds_in="end-to-end learning, s = 0",
        instance=lambda draw: {"k": draw.integer(1, 6)},
        check=_no_bad_minimum_check,
    ),
    Claim(
        key="no-bad-minima-between",
        statement="Adding auxiliary labels to end-to-end learning makes no bad minimum.",
        reference="section 3.1, for weights s between",
        holds_in="every k and s",
        instance=_weight_instance,
        check=_no_bad_minimum_check,
        verdict="false",
        counterexample={"k": 2, "s": 0.1},
        correction=Claim(
            key="wrong-sign-minima",
            statement="For even k a minimum of wrong sign stays until a fold, and no longer.",
            reference="section 3.1, for weights s between",
            holds_in="k = 2, 4, 6",
            instance=_even_instance,
            check=_fold_check,
        ),
        note="The product does not tell u from -u for even k; auxiliary labels do.",
    ),
    Claim(
        key="fold-of-pairs",
        statement="For pairs the fold is at s = 1 / (1 + pi).",
        reference="section 3.1, for weights s between",
        holds_in="k = 2",
        check=_pair_check,
    ),
    Claim(
        key="odd-tuples",
        statement="For odd k and s > 0 the target is the only critical point.",
        reference="section 3.1, for weights s between",
        holds_in="k = 1, 3, 5, 7",
        instance=_odd_instance,
        check=_alone_check,
    ),
    Claim(
        key="flat-origin",
        statement="End to end the gradient vanishes at the origin to order k - 1.",
        reference=f"{PAPER}: gradients are non-informative",
        holds_in="k up to 6",
        instance=lambda draw: {"k": draw.integer(1, 6)},
        check=_flat_check,
        trials=6,
    ),
)
"""The claims."""
