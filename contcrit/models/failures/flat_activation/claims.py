"""What the paper claims of flat activations, with the number of steps corrected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from ....system import Array
from .laws import SMOOTHINGS, Sample, Staircase, sufficient_steps


def _sample_instance(draw: Draw) -> Instance:
    """Draw a sample; rows may be repeated or zero, the teacher may lie on a jump or be zero."""
    d, count = draw.integer(1, 3), draw.integer(1, 6)
    X = draw.reals((count, d), -1.0, 1.0)
    X[draw.integer(0, count - 1)] *= draw.choice([1.0, 1.0, 0.0])
    if count > 1 and draw.choice([True, False]):
        X[1] = X[0]
    z = np.cumsum([draw.real(-2.0, 0.0), *(draw.real(0.1, 1.0) for _ in range(draw.integer(1, 4)))])
    z[-1] = draw.choice([z[-1], z[-1], math.ceil(z[-1])])
    return {
        "z": z,
        "X": X,
        "v": draw.choice([1.0, 1.0, 0.0]) * draw.reals(d, -2.0, 2.0),
        "w": draw.reals(d, -3.0, 3.0),
        "other": draw.choice([1.0, 1.0, 0.0]) * draw.reals(d, -3.0, 3.0),
        "noise": draw.choice([0.0, 1.0]) * draw.reals(count, -1.0, 1.0),
        "smoothing": draw.choice(SMOOTHINGS),
        "c": draw.choice([0.5, 4.0, 50.0, math.inf]),
        "eta": draw.real(0.01, 1.0),
    }


def _sample(case: Instance, c: float = math.inf, labels: bool = True) -> Sample:
    """Return the sample, with the teacher's labels of sharpness c and noise where `labels`."""
    stairs = Staircase(np.asarray(case["z"]), case["smoothing"])
    noise = case["noise"] if labels else 0.0
    return Sample(stairs, case["X"], stairs(case["X"] @ case["v"], c) + noise)


def _margin(sample: Sample, w: Array) -> float:
    """Return the distance of the outputs from the thresholds; infinite for zero inputs alone."""
    rows = sample.X[np.any(sample.X != 0, axis=1)]
    gaps = np.abs((rows @ w)[:, None] - sample.stairs.z[1:])
    return float(np.min(gaps, initial=np.inf))


def _check_flat(case: Instance) -> Outcome:
    sample, w = _sample(case), case["w"]
    largest = float(np.max(np.linalg.norm(sample.X, axis=1)))
    margin = _margin(sample, w)
    if margin < 1e-9 or largest == 0:
        return Outcome(None, detail="on a jump")
    reach = 0.99 * min(margin / largest, 1.0) / math.sqrt(len(w))
    moved = w + reach * np.vstack([np.eye(len(w)), -np.eye(len(w))])
    gaps = sample.squared_loss(moved) - sample.squared_loss(w)
    return Outcome.close(float(np.max(np.abs(gaps))), 0.0, tolerance=1e-12)


def _check_vanishing(case: Instance) -> Outcome:
    """Compare with a bound: both smoothings have a density of at most exp(-|t|)."""
    c = min(case["c"], 50.0)
    sample, w = _sample(case), case["w"]
    margin = _margin(sample, w)
    size = float(np.mean(np.linalg.norm(sample.X, axis=1)))
    error = float(np.max(np.abs(sample.y))) + float(np.max(np.abs(sample.stairs.z)))
    bound = c * sample.stairs.height * math.exp(-c * margin) * error * size
    return Outcome.at_most(float(np.linalg.norm(sample.gradient_law(w, c))), bound, tolerance=1e-12)


def _check_matching(case: Instance) -> Outcome:
    """Compare the law with differences of the loss, and test convexity on the segment."""
    c, w, other = case["c"], case["w"], case["other"]
    sample = _sample(case)
    far = float(sample.matching_loss(0.5 * (w + other), c))
    ends = 0.5 * float(sample.matching_loss(w, c) + sample.matching_loss(other, c))
    convex = Outcome.at_most(far, ends, tolerance=1e-12, detail="convexity on a segment")
    if math.isinf(c) and _margin(sample, w) < 1e-4:
        return convex
    h = 1e-6
    eye = np.eye(len(w))
    slope = (sample.matching_loss(w + h * eye, c) - sample.matching_loss(w - h * eye, c)) / (2 * h)
    gap = float(np.max(np.abs(slope + sample.forward_law(w, c))))
    return Outcome.every([convex, Outcome.close(gap, 0.0, tolerance=2e-7, detail="gradient")])


def _check_monotone(case: Instance) -> Outcome:
    sample, c = _sample(case), case["c"]
    change = sample.forward_law(case["w"], c) - sample.forward_law(case["other"], c)
    return Outcome.at_most(float(change @ (case["w"] - case["other"])), 0.0, tolerance=1e-12)


def _check_step(case: Instance) -> Outcome:
    """Realisable labels of a smoothed staircase: one step of any size."""
    c = min(case["c"], 50.0)
    sample, w, v = _sample(case, c, labels=False), case["w"], case["v"]
    L, eta = sample.stairs.lipschitz(c), case["eta"] / sample.stairs.lipschitz(c)
    error = 2 * float(sample.squared_loss(w, c))
    after = w + eta * sample.forward_law(w, c)
    bound = (w - v) @ (w - v) - (2 * eta / L - eta**2 * sample.curvature) * error
    return Outcome.at_most(float((after - v) @ (after - v)), float(bound), tolerance=1e-12)


def _check_descent(case: Instance) -> Outcome:
    """Compare the gradient's part along w - v with min_i u'(w . x_i) e / L."""
    c = min(case["c"], 50.0)
    sample, w, v = _sample(case, c, labels=False), case["w"], case["v"]
    slope = float(np.min(sample.stairs.slope(sample.X @ w, c)))
    error = 2 * float(sample.squared_loss(w, c))
    bound = slope * error / sample.stairs.lipschitz(c)
    along = -float(sample.gradient_law(w, c) @ (w - v))
    return Outcome.at_most(bound, along, tolerance=1e-13)


def _check_nonexpansive(case: Instance) -> Outcome:
    """Two points, one step of the same law: for a staircase, or a smoothed one with small steps."""
    c = case["c"]
    sample = _sample(case)
    eta = case["eta"]
    if math.isfinite(c):
        eta *= 2 / (sample.stairs.lipschitz(c) * max(sample.curvature, 1e-12))
    w, other = case["w"], case["other"]
    after = w + eta * sample.forward_law(w, c) - other - eta * sample.forward_law(other, c)
    before = float(np.linalg.norm(w - other))
    return Outcome.at_most(float(np.linalg.norm(after)), before, tolerance=1e-12 * (1 + before))


def _steps_instance(draw: Draw) -> Instance:
    """Draw inputs and a teacher in the ball of radius B, and a share of the first error."""
    d, count = draw.integer(1, 3), draw.integer(1, 5)
    B = draw.choice([0.5, 1.0, 2.0])
    X = draw.reals((count, d), -1.0, 1.0)
    v = draw.reals(d, -1.0, 1.0)
    z = np.cumsum([draw.real(-1.0, 0.0), *(draw.real(0.3, 1.0) for _ in range(draw.integer(1, 3)))])
    return {
        "z": B * z,
        "X": B * X / max(1.0, float(np.max(np.linalg.norm(X, axis=1)))),
        "v": B * v / max(1.0, float(np.linalg.norm(v))),
        "c": draw.choice([0.5, 1.0, 2.0]),
        "B": B,
        "share": draw.real(0.3, 0.95),
        "power": 2,
        "smoothing": draw.choice(SMOOTHINGS),
        "noise": 0.0,
    }


def _check_steps(case: Instance) -> Outcome:
    """Run T steps with T's power of c as stated, and look at the least and the last error."""
    c = case["c"]
    sample = _sample(case, c, labels=False)
    height, L = sample.stairs.height, sample.stairs.lipschitz(c)
    zero = np.zeros(len(case["v"]))
    goal = case["share"] * 2 * float(sample.squared_loss(zero, c))
    if goal < 1e-9 * height**2:
        return Outcome(None, detail="no error at the start")
    eta, steps = sufficient_steps(height, case["B"], L, goal)
    T = steps * height ** (case["power"] - 2)
    if T > 6_000:
        return Outcome(None, detail=f"{T:.3g} steps")
    path = sample.forward_steps(zero, eta, math.ceil(T), c)
    errors = 2 * sample.squared_loss(path, c)
    return Outcome.every(
        [
            Outcome.at_most(float(np.min(errors[:-1])), goal, tolerance=1e-12, detail="least"),
            Outcome.at_most(float(errors[-1]), goal, tolerance=1e-12, detail="last"),
        ]
    )


def _gaussian_instance(draw: Draw) -> Instance:
    levels = [draw.real(-1.5, 0.5), *(draw.real(0.1, 1.0) for _ in range(draw.integer(1, 3)))]
    z = np.cumsum(levels)
    if draw.choice([True, False]):
        z -= z[-1]  # a threshold at zero
    return {
        "z": z,
        "v": draw.reals(2, -1.5, 1.5),
        "w": draw.reals(2, -1.5, 1.5),
        "c": draw.choice([0.7, 3.0, math.inf]),
    }


def _check_gaussian(case: Instance) -> Outcome:
    """Compare g with quadrature of ``E[u(rho t) t]``, piece by piece between the jumps."""
    stairs = Staircase(case["z"], "probit")
    c, rho = case["c"], float(np.linalg.norm(case["w"]))
    if rho < 0.05:
        return Outcome(None, detail="next to the origin")
    jumps = np.clip(np.concatenate([stairs.z[1:] / rho, [-12.0, 12.0, 0.0]]), -12, 12)
    edges = np.unique(np.concatenate([np.linspace(-12, 12, 49), jumps]))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = 0.5 * np.diff(edges)[:, None]
    t = edges[:-1, None] + half * (1 + nodes)
    density = np.exp(-0.5 * t * t) / math.sqrt(2 * math.pi)
    expected = float(np.sum(half * weights * stairs(rho * t, c) * t * density))
    return Outcome.close(float(stairs.pull(rho, c)), expected, tolerance=1e-10)


def _check_approach(case: Instance) -> Outcome:
    """Look where the law ``-(g(|w|) w / |w| - g(|v|) v / |v|)`` points, as seen from v."""
    stairs = Staircase(case["z"], "probit")
    w, v = case["w"], case["v"]
    lengths = np.linalg.norm(w), np.linalg.norm(v)
    if min(lengths) < 1e-6:
        return Outcome(None, detail="next to the origin")
    law = stairs.pull(lengths[1]) * v / lengths[1] - stairs.pull(lengths[0]) * w / lengths[0]
    return Outcome.at_most(float(law @ (w - v)), 0.0, tolerance=1e-13)


_SAMPLE: dict[str, Any] = {"instance": _sample_instance, "trials": 60}

_STEPS = Claim(
    key="number-of-steps",
    statement=(
        "With step size epsilon / (L c^2 B^2), T = c^2 B^4 L^2 / epsilon^2 steps from 0 bring the "
        "error below epsilon, the least one and the last one."
    ),
    reference="the longer version's theorem on the forward-only law, corrected",
    holds_in="|x| <= B, |v| <= B, y = u(v . x), u rising, L-Lipschitz, with a range of length c",
    note="Proofs: `sufficient_steps`. With step size 1 / (L B^2), L^2 B^4 / epsilon steps do.",
    instance=_steps_instance,
    check=_check_steps,
    trials=15,
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="flat",
        statement="The squared loss of a staircase is constant next to almost every w.",
        reference="section 4, Figure 6d",
        holds_in="a finite sample, w off the jumps",
        check=_check_flat,
        **_SAMPLE,
    ),
    Claim(
        key="vanishing-gradient",
        statement=(
            "With smoothed jumps the gradient is at most c exp(-c m) times the range of u, the "
            "largest error and the mean length of the inputs, m the distance from the jumps."
        ),
        reference="section 4: the vanishing gradient problem",
        holds_in="a finite sample, both smoothings",
        check=_check_vanishing,
        **_SAMPLE,
    ),
    Claim(
        key="no-bad-critical-points",
        statement=(
            "For labels that a smoothed unit can give, every critical point of its squared loss is "
            "a solution: grad . (w - v) >= min_i u'(w . x_i) e(w) / L."
        ),
        reference="section 5: stationary points are not what makes it hard",
        holds_in="y = u(v . x) with the smoothed u; not for other labels",
        check=_check_descent,
        **_SAMPLE,
    ),
    Claim(
        key="matching-loss",
        statement="The forward-only law descends a convex loss, E[U(w . x) - y w . x] with U' = u.",
        reference="section 4; the longer version",
        holds_in="any labels, staircases included",
        check=_check_matching,
        **_SAMPLE,
    ),
    Claim(
        key="monotone",
        statement="Any two solutions of the forward-only flow do not move apart.",
        reference="matching loss",
        holds_in="any labels, staircases included",
        check=_check_monotone,
        **_SAMPLE,
    ),
    Claim(
        key="one-step",
        statement=(
            "|w_(t+1) - v|^2 <= |w_t - v|^2 - (2 eta / L - eta^2 Lambda) e_t, with Lambda the "
            "largest eigenvalue of E x x^T."
        ),
        reference="the longer version's theorem, sharpened",
        holds_in="y = u(v . x) with u rising and L-Lipschitz, any eta > 0",
        check=_check_step,
        **_SAMPLE,
    ),
    Claim(
        key="number-of-steps-other-power",
        statement="T = c^p B^4 L^2 / epsilon^2 steps are enough for a power p other than 2.",
        reference="the longer version's theorem on the forward-only law",
        holds_in="as `number-of-steps`",
        verdict="false",
        counterexample={
            "z": np.array([-1e6, 0.5]),
            "X": np.array([[1.0]]),
            "v": np.array([1.0]),
            "c": 1.0,
            "B": 1.0,
            "share": 0.5,
            "power": 1,
            "smoothing": "logistic",
            "noise": 0.0,
        },
        correction=_STEPS,
        note="Taking k u for u multiplies c and L by k, and epsilon by k^2: T must not change.",
        check=_check_steps,
    ),
    Claim(
        key="staircase-steps-nonexpansive",
        statement="Steps of the forward-only law bring any two points no farther apart.",
        reference="monotone field",
        holds_in="a staircase on a finite sample",
        verdict="false",
        counterexample={
            "z": np.array([0.0, 1.0]),
            "X": np.array([[1.0]]),
            "v": np.array([2.0]),
            "w": np.array([0.99]),
            "other": np.array([1.01]),
            "noise": 0.0,
            "smoothing": "logistic",
            "c": math.inf,
            "eta": 0.1,
        },
        correction=Claim(
            key="smoothed-steps-nonexpansive",
            statement="They do for smoothed jumps and eta <= 2 / (L Lambda).",
            reference="co-coercivity of the matching loss's gradient",
            holds_in="any labels, finite sharpness",
            instance=lambda draw: {
                **_sample_instance(draw),
                "c": draw.choice([0.5, 4.0, 50.0]),
            },
            check=_check_nonexpansive,
            trials=60,
        ),
        note="Next to a jump one point is pulled across it and the other is not.",
        check=_check_nonexpansive,
    ),
    Claim(
        key="gaussian-staircase",
        statement="E[u(w . x) x] = g(|w|) w / |w| with g(r) = sum_i (z_i - z_(i-1)) phi(z_i / r).",
        reference="closed form",
        holds_in="x from N(0, I); also for probit jumps, with 1 / c^2 added to r^2",
        instance=_gaussian_instance,
        check=_check_gaussian,
        trials=30,
    ),
    Claim(
        key="gaussian-approach",
        statement="For Gaussian inputs the forward-only flow never moves away from v.",
        reference="closed form",
        holds_in="any staircase, labels of the teacher v",
        instance=_gaussian_instance,
        check=_check_approach,
        trials=60,
    ),
)
"""The claims."""
