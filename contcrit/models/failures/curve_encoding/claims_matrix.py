"""The claims on the matrix of a curve and on condition numbers."""

from __future__ import annotations

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .theory import (
    KERNEL,
    condition_limit,
    condition_number,
    convolution_encoding,
    curve_inverse,
    curve_matrix,
    linear_encoding,
    windows,
)

SECTION = "section 4 of the longer version"


def _length(draw: Draw) -> Instance:
    return {"n": draw.choice((1, 2, 3, 4, 10, draw.integer(1, 60)))}


def _window_length(draw: Draw) -> Instance:
    return {"n": draw.choice((4, 5, 10, draw.integer(4, 60)))}


def _inverse_check(case: Instance) -> Outcome:
    n, shift = case["n"], case.get("shift", 1)
    index = np.arange(n)
    W = np.maximum(index[:, None] - index[None, :] + float(shift), 0.0)
    error = float(np.max(np.abs(W @ curve_inverse(n) - np.eye(n))))
    return Outcome.at_most(error, 1e-9, detail=f"|W U - I| = {error:.3g} for n = {n}")


def _curve_check(case: Instance) -> Outcome:
    n, generator = case["n"], np.random.default_rng(case["n"])
    p = generator.standard_normal((n,))
    points = np.arange(n)
    direct = [float(np.sum(p[: i + 1] * (i - points[: i + 1] + 1.0))) for i in points]
    error = float(np.max(np.abs(curve_matrix(n) @ p - direct)))
    return Outcome.at_most(error, 1e-9 * n**2)


def _lower_bound_check(case: Instance) -> Outcome:
    n = case["n"]
    return Outcome.at_most(n**3.5, condition_number(n), tolerance=1e-9)


def _fourth_power_check(case: Instance) -> Outcome:
    n = case["n"]
    ratio = condition_number(n) / (condition_limit() * n**4)
    return Outcome.every(
        [
            Outcome.at_most(1.0, ratio, detail=f"ratio to the limit {ratio:.9g} for n = {n}"),
            Outcome.at_most(ratio, (1.0 + 1.0 / n) ** 4, detail=f"ratio {ratio:.9g}, n = {n}"),
        ]
    )


def _ten_check(case: Instance) -> Outcome:
    return Outcome.close(condition_number(10), 17925.876959554897, tolerance=1e-7)


def _window_check(case: Instance) -> Outcome:
    n = case["n"]
    kappa = convolution_encoding(n).condition()
    return Outcome.every(
        [
            Outcome.at_most(1.5 * n**3, kappa, detail=f"condition {kappa:.9g}, n = {n}"),
            Outcome.at_most(kappa, 1.5 * (n + 4.0) ** 3, detail=f"condition {kappa:.9g}, n = {n}"),
        ]
    )


def _order_check(case: Instance) -> Outcome:
    n = case["n"]
    ours, linear = convolution_encoding(n), linear_encoding(n)
    return Outcome.every(
        [
            Outcome.at_most(ours.condition(), linear.condition()),
            Outcome.at_most(ours.condition(1.0), 1.0, tolerance=1e-9),
            Outcome.at_most(ours.best_rate(), linear.best_rate()),
        ]
    )


def _kernel_check(case: Instance) -> Outcome:
    n = case["n"]
    answers = np.array(KERNEL) @ windows(n)
    wanted = np.hstack(list(np.eye(n)[2:]))
    return Outcome.at_most(float(np.max(np.abs(answers - wanted))), 1e-9 * n**2)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="curve-matrix",
        statement="A curve with changes of slope p is f = W p with W_ij = [i - j + 1]_+.",
        reference=SECTION,
        holds_in="every n",
        instance=_length,
        check=_curve_check,
    ),
    Claim(
        key="inverse-as-indexed",
        statement="The inverse of W_ij = [i - j]_+ takes second differences.",
        reference=SECTION,
        holds_in="every n",
        check=_inverse_check,
        instance=lambda draw: {**_length(draw), "shift": 0},
        verdict="false",
        counterexample={"n": 3, "shift": 0},
        correction=Claim(
            key="inverse",
            statement="The inverse of W_ij = [i - j + 1]_+ has rows 1, -2, 1.",
            reference=SECTION,
            holds_in="every n",
            instance=_length,
            check=_inverse_check,
        ),
        note="The index is shifted by one: [i - j]_+ vanishes on the diagonal and is singular.",
    ),
    Claim(
        key="condition-lower-bound",
        statement="The condition number of W^T W is at least n^3.5.",
        reference=SECTION,
        holds_in="n up to 60",
        instance=_length,
        check=_lower_bound_check,
        note="Loose: it grows as n^4.",
    ),
    Claim(
        key="condition-fourth-power",
        statement="It is between 1 and (1 + 1/n)^4 times (16 / beta^4) n^4, cos b cosh b = -1.",
        reference=SECTION,
        holds_in="n from 2 to 60",
        instance=lambda draw: {"n": draw.choice((2, 3, 10, draw.integer(2, 60)))},
        check=_fourth_power_check,
        verdict="unproved",
        note="The limit 1.2942509068 is proved; the two bounds are measured, up to n = 800.",
    ),
    Claim(
        key="condition-of-ten",
        statement="For n = 10 the condition number is 17925.876959554897.",
        reference=SECTION,
        holds_in="n = 10",
        check=_ten_check,
    ),
    Claim(
        key="convolution-kernel",
        statement="The kernel (1, -2, 1) answers every window's change of slope.",
        reference=SECTION,
        holds_in="windows within the curve",
        instance=_window_length,
        check=_kernel_check,
    ),
    Claim(
        key="convolution-condition",
        statement="The convolution's condition number is between 1.5 n^3 and 1.5 (n + 4)^3.",
        reference=SECTION,
        holds_in="n from 4 to 60",
        instance=_window_length,
        check=_window_check,
        verdict="unproved",
        note="Of order n^3 as the paper has it; the limit 1.5 is that of lam n^3 / 4 over lam / 6.",
    ),
    Claim(
        key="architectures",
        statement="A convolution is better conditioned than a matrix, and best with conditioning.",
        reference=f"{SECTION}; Figure 5",
        holds_in="every n from 4",
        instance=_window_length,
        check=_order_check,
    ),
)
"""The claims."""
