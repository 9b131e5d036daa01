"""The claims on what gradients can tell: Theorem 3, and the ratio of signal to noise."""

from __future__ import annotations

from math import pi

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .claims_quadrature import gradient_moments
from .kernel import (
    by_series,
    closed_form,
    eigenvalue,
    kernel,
    leading_degree,
    leading_term,
    printed_rate,
    sharp_constant,
)
from .signal import (
    decomposition_signal_to_noise,
    second_moment,
    signal,
    signal_to_noise,
    target_variance,
)

PAPER = "section 3.2"


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


def _start_instance(draw: Draw) -> Instance:
    return {
        "k": draw.integer(1, 8),
        "d": draw.choice((2, 784, draw.integer(2, 200))),
        "cosine": draw.choice((0.0, 0.88, draw.real(-0.88, 0.88))),
    }


def _margin_instance(draw: Draw) -> Instance:
    return {
        "p": draw.choice((0.0, draw.real(-3.0, 3.0))),
        "h": draw.choice((-1.0, 1.0)),
        "loss": draw.choice(("hinge", "logistic")),
    }


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


def _margin_slopes(loss: str, z: float) -> float:
    """Return r'(z): of the hinge loss max(0, 1 - z), or of log(1 + exp(-z))."""
    if loss == "hinge":
        return -1.0 if z < 1.0 else 0.0
    return -1.0 / (1.0 + float(np.exp(z)))


def _margin_check(case: Instance) -> Outcome:
    """Compare the derivative of r(p h) in p with what is said of it."""
    p, h, name = case["p"], case["h"], case["loss"]
    if name == "hinge" and abs(abs(p) - 1.0) < 1e-3:
        return Outcome(None, detail="at the kink of the hinge")

    def loss(z: float) -> float:
        return max(0.0, 1.0 - z) if name == "hinge" else float(np.log1p(np.exp(-z)))

    step = 1e-5
    found = (loss((p + step) * h) - loss((p - step) * h)) / (2.0 * step)
    if case.get("printed"):
        return Outcome.close(_margin_slopes(name, p * h), found, tolerance=1e-6)
    ahead, behind = _margin_slopes(name, p), _margin_slopes(name, -p)
    told, untold = (ahead + behind) / 2.0, (ahead - behind) / 2.0
    return Outcome.every(
        [
            Outcome.close(told * h + untold, found, tolerance=1e-6),
            Outcome.at_most(abs(told), 1.0),
        ]
    )


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
    mean, _ = gradient_moments(k, d, c)
    return Outcome.every(
        [
            Outcome.close(float(mean @ mean), signal(k, c), tolerance=1e-9),
            Outcome.close(float(mean[1]), 0.0, tolerance=1e-9),
        ]
    )


def _noise_check(case: Instance) -> Outcome:
    k, d, c = case["k"], case["d"], case["cosine"]
    _, second = gradient_moments(k, d, c)
    return Outcome.close(second, second_moment(k, d), tolerance=1e-8 * second_moment(k, d))


def _decomposition_check(case: Instance) -> Outcome:
    d, c = case["d"], case["cosine"]
    mean, second = gradient_moments(1, d, c)
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
        key="margin-loss-gradient",
        statement="The gradient of r(p h) in w is r'(p h) g.",
        reference="Theorem 3, its proof, for losses r(p h)",
        holds_in="the hinge and the logistic loss, labels 1 and -1",
        instance=lambda draw: {**_margin_instance(draw), "printed": True},
        check=_margin_check,
        verdict="false",
        counterexample={"p": 0.3, "h": -1.0, "loss": "logistic", "printed": True},
        correction=Claim(
            key="margin-loss-signal",
            statement="It is q h g and a term without h, q = (r'(p) + r'(-p)) / 2, |q| <= 1.",
            reference="Theorem 3, its proof, for losses r(p h)",
            holds_in="the hinge and the logistic loss, labels 1 and -1",
            instance=_margin_instance,
            check=_margin_check,
        ),
        note="A factor h is missing. The bound holds with q g, which is no longer than g.",
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
)
"""The claims."""
