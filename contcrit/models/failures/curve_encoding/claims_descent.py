"""The claims on descent: rates, thresholds, and cycles beyond them."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ....contraction.claims import Claim, Draw, Instance, Outcome
from .theory import (
    Encoding,
    convolution_encoding,
    curve_inverse,
    curve_matrix,
    linear_encoding,
)

SECTION = "section 4 of the longer version"


def _encoder(draw: Draw) -> Instance:
    """Draw an encoder, a share of preconditioning, and a start that may be special."""
    architecture = draw.choice(("linear", "convolution"))
    n = draw.integer(4, 12) if architecture == "convolution" else draw.integer(1, 8)
    size = 3 if architecture == "convolution" else n
    start = draw.choice((np.zeros(size), np.ones(size), draw.reals(size, -2.0, 2.0)))
    return {
        "architecture": architecture,
        "n": n,
        "lam": draw.choice((1.0, 0.01, draw.real(0.1, 10.0))),
        "t": draw.choice((0.0, 0.5, 1.0, draw.real(0.0, 1.0))),
        "start": start,
        "share": draw.choice((0.0, 0.5, 1.0, draw.real(0.0, 1.3))),
    }


def _encoding(case: Instance) -> Encoding:
    make = convolution_encoding if case["architecture"] == "convolution" else linear_encoding
    return make(case["n"], case["lam"])


def _divergence(draw: Draw) -> Instance:
    return {
        "n": draw.integer(1, 8),
        "lam": draw.real(0.1, 10.0),
        "strength": draw.choice((0.5, 0.99, 1.0, 1.01, 1.5, 1.98, 2.02, 3.0, draw.real(0.1, 4.0))),
    }


def _cycle(draw: Draw) -> Instance:
    case = dict(_encoder(draw))
    case["q"] = draw.choice((-1.0, 1.0)) * draw.real(0.01, 2.0)
    case["distance"] = draw.real(0.01, 0.45)
    case["mode"] = draw.integer(0, 2)
    return case


def _hessian_check(case: Instance) -> Outcome:
    """Compare with second differences of the loss of the whole matrix, which is quadratic."""
    n, lam = min(case["n"], 5), case["lam"]
    W, U = curve_matrix(n), curve_inverse(n)
    expected = np.kron(np.eye(n), lam * W @ W.T)

    def loss(flat: Any) -> float:
        error = U @ W - np.reshape(flat, (n, n)) @ W
        return float(lam * np.sum(error**2) / 2.0)

    generator = np.random.default_rng(n)
    base, one, other = generator.standard_normal((3, n * n))
    mixed = loss(base + one + other) - loss(base + one) - loss(base + other) + loss(base)
    scale = 1.0 + float(np.abs(one) @ np.abs(expected) @ np.abs(other))
    return Outcome.close(mixed, float(one @ expected @ other), tolerance=1e-9 * scale)


def _contraction_check(case: Instance) -> Outcome:
    encoding, t = _encoding(case), case["t"]
    H, end = encoding.second_moment(t), encoding.target(t)
    eta = 2.0 * case["share"] / float(np.linalg.norm(H, 2))
    bound = float(np.max(np.abs(1.0 - eta * np.linalg.eigvalsh(H))))
    error = np.asarray(case["start"]) - end
    moved = error - eta * (H @ error)
    size = float(np.linalg.norm(error))
    return Outcome.at_most(
        float(np.linalg.norm(moved)), bound * size, tolerance=1e-11 * (1.0 + size)
    )


def _tight_check(case: Instance) -> Outcome:
    """No step size shrinks all errors by less than (kappa - 1) / (kappa + 1), and one does so."""
    encoding, t = _encoding(case), case["t"]
    best = encoding.best_rate(t)
    grid = np.linspace(0.0, 2.2, 400) / float(encoding.curvatures(t)[0])
    least = min(encoding.rate(float(eta), t) for eta in grid)
    return Outcome.every(
        [
            Outcome.at_most(best, least, tolerance=1e-12),
            Outcome.close(encoding.rate(encoding.best_step(t), t), best, tolerance=1e-11),
        ]
    )


def _power_check(case: Instance) -> Outcome:
    """Precondition by the symmetric power of C, computed apart from the encoder's own."""
    encoding, t = _encoding(case), case["t"]
    C = encoding.factor @ encoding.factor.T
    values, vectors = np.linalg.eigh(C)
    root = (vectors * values ** (-t / 2.0)) @ vectors.T
    found = np.linalg.eigvalsh(root @ C @ root)
    kappa = float(np.linalg.cond(encoding.factor)) ** 2
    ratio = float(found[-1] / found[0]) / kappa ** (1.0 - t)
    return Outcome.every(
        [
            Outcome.close(ratio, 1.0, tolerance=1e-13 * kappa + 1e-9),
            Outcome.close(encoding.condition(t) / kappa ** (1.0 - t), 1.0, tolerance=1e-9),
        ]
    )


def _unique_check(case: Instance) -> Outcome:
    """Solve for the gradient's zero from the start: a Newton step must lead to the solution."""
    from .model import build

    problem = build(case["n"], case["architecture"], case["lam"], dynamics="potential")
    values = {"t": case["t"], "q": 0.0}
    y = problem.data.directions.T @ np.asarray(case["start"])
    H = problem.jacobian(y, values)
    least = float(np.min(np.linalg.eigvalsh(H)))
    if least <= 0.0:
        return Outcome(False, least, "the Hessian is not positive definite")
    end = y - np.linalg.solve(H, problem.evaluate(y, values))
    weights = problem.encoder(end, case["t"])
    error = float(np.max(np.abs(weights - problem.data.solution)))
    tolerance = 1e-12 * (1.0 + problem.data.condition())
    return Outcome.at_most(error, tolerance, detail=f"|k - k*| = {error:.3g}")


def _diverges(case: Instance) -> bool | None:
    """Whether errors grow beyond every bound; None too near the threshold to tell."""
    W = curve_matrix(case["n"])
    largest = float(np.linalg.norm(W, 2))
    eta = case["strength"] / (case["lam"] * largest**2)
    step = np.eye(case["n"]) - eta * case["lam"] * W @ W.T
    error = np.linalg.svd(W)[0][:, 0]
    start = float(np.linalg.norm(error))
    for _ in range(4000):
        error = step @ error
        size = float(np.linalg.norm(error))
        if size > 1e6 * start:
            return True
        if size < 1e-6 * start:
            return False
    return None


def _divergence_check(case: Instance) -> Outcome:
    threshold = case.get("threshold", 2.0)
    found = _diverges(case)
    holds = None if found is None else found == (case["strength"] > threshold)
    detail = f"eta lam S_1^2 = {case['strength']:.6g}: diverges: {found}"
    return Outcome(holds, case["strength"] - threshold, detail)


def _flip_check(case: Instance) -> Outcome:
    from .model import build

    problem = build(case["n"], case["architecture"], case["lam"])
    data, t = problem.data, case["t"]
    y = data.directions.T @ data.target(t)
    outcomes = []
    for share, sign in ((0.999, 1.0), (1.0, 0.0), (1.001, -1.0)):
        eta = share * float(data.flips(t)[0])
        J = problem.jacobian(y, {"eta": eta, "t": t, "q": 0.0}) + np.eye(problem.size)
        least = float(np.min(np.linalg.eigvals(J).real)) + 1.0
        if sign:
            outcomes.append(Outcome.at_most(1e-4, sign * least, detail=f"{least:.3g} above -1"))
        else:
            outcomes.append(Outcome.close(least, 0.0, tolerance=1e-9))
    return Outcome.every(outcomes)


def _cycle_check(case: Instance) -> Outcome:
    """Look for the cycle of period 2 where it is said, on the side of the flip that q tells."""
    from .model import build

    encoding, t, q = _encoding(case), case["t"], case["q"]
    mode = min(case["mode"], len(encoding.solution) - 1)
    flip = float(encoding.flips(t)[mode])
    eta = flip * (1.0 + case["distance"] if q < 0 else 1.0 - case["distance"])
    away = flip * (1.0 - case["distance"] if q < 0 else 1.0 + case["distance"])
    point = encoding.cycle(eta, q, t, mode)
    if point is None or encoding.cycle(away, q, t, mode) is not None:
        return Outcome(False, detail=f"no cycle at eta = {eta:.6g}, or one at {away:.6g}")
    problem = build(case["n"], case["architecture"], case["lam"])
    values = {"eta": eta, "t": t, "q": q}
    first = encoding.directions.T @ point
    second = first + problem.evaluate(first, values)
    third = second + problem.evaluate(second, values)
    scale = 1.0 + float(np.linalg.norm(first))
    apart = float(np.linalg.norm(second - first)) / scale
    back = float(np.linalg.norm(third - first)) / scale
    size = float(np.linalg.norm(first - encoding.directions.T @ encoding.target(t))) / scale
    # The other directions may be unstable: two steps enlarge rounding by their multipliers.
    growth = 1.0 + encoding.rate(eta, t) ** 2
    return Outcome.every(
        [
            Outcome.at_most(back, 1e-10 * growth, detail=f"|F(F(y)) - y| = {back:.3g}"),
            Outcome.close(apart, 2.0 * size, tolerance=1e-10 * growth),
        ]
    )


def _asymmetric_check(case: Instance) -> Outcome:
    """Check the cycle of period 2 without symmetry, in scaled units: x to (1 - mu) x + x^3."""
    mu = case["mu"]
    # Sum and product of the two points: their squares add up to mu - 1, their product is -1.
    half, root = sqrt(max(mu - 3.0, 0.0)) / 2.0, sqrt(mu + 1.0) / 2.0
    one, other = half + root, half - root

    def step(x: float) -> float:
        return (1.0 - mu) * x + x**3

    slope = (1.0 - mu + 3.0 * one**2) * (1.0 - mu + 3.0 * other**2)
    stable = abs(slope) < 1.0
    outcomes = [
        Outcome.close(step(one), other, tolerance=1e-12),
        Outcome.close(step(other), one, tolerance=1e-12),
        Outcome.close(slope, 9.0 - 2.0 * (mu - 1.0) ** 2, tolerance=1e-11),
    ]
    if min(abs(mu - 3.0), abs(mu - 1.0 - sqrt(5.0))) > 1e-9:
        outcomes.append(Outcome(stable == (mu < 1.0 + sqrt(5.0)), detail=f"multiplier {slope:.6g}"))
    return Outcome.every(outcomes)


def _iteration_check(case: Instance) -> Outcome:
    """Count the steps at the best rate until errors are a thousandth, against the closed form."""
    encoding, t = _encoding(case), case["t"]
    kappa = encoding.condition(t)
    if kappa > 1e5:
        return Outcome(None, detail=f"condition {kappa:.3g} takes too many steps")
    steps, eta, end = encoding.iterations(1e-3, t), encoding.best_step(t), encoding.target(t)
    worst = encoding.directions[:, -1]

    def left(count: int) -> float:
        return float(np.linalg.norm(encoding.after(count, eta, end + worst, t) - end))

    enough = Outcome.at_most(left(steps), 1e-3, tolerance=1e-9)
    if steps == 1:
        return enough
    few = Outcome.at_most(1e-3, left(steps - 1), tolerance=1e-9)
    return Outcome.every([enough, few])


_CORRECTED = Claim(
    key="divergence-corrected",
    statement="Gradient descent diverges exactly if eta lam S_1^2 > 2.",
    reference=SECTION,
    holds_in="every n, lam > 0, and errors with a component along the first singular vector",
    instance=_divergence,
    check=_divergence_check,
    trials=30,
)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="hessian",
        statement="The Hessian of E |W^{-1} f - U f|^2 / 2 in U is I times lam W W^T, by rows.",
        reference=SECTION,
        holds_in="n up to 5, every lam > 0",
        instance=_encoder,
        check=_hessian_check,
    ),
    Claim(
        key="unique-critical-point",
        statement="There is one critical point, and it answers without error.",
        reference=SECTION,
        holds_in="both architectures, every share of preconditioning, the squared loss",
        instance=_encoder,
        check=_unique_check,
        trials=8,
    ),
    Claim(
        key="contraction",
        statement="|e_{t+1}| <= max_j |1 - eta D_j| |e_t|.",
        reference=SECTION,
        holds_in="every step size, also beyond stability",
        instance=_encoder,
        check=_contraction_check,
    ),
    Claim(
        key="divergence",
        statement="Gradient descent diverges if eta lam S_1^2 > 1.",
        reference=SECTION,
        holds_in="every n and lam > 0",
        check=_divergence_check,
        instance=lambda draw: {**_divergence(draw), "threshold": 1.0},
        verdict="false",
        counterexample={"n": 5, "lam": 1.0, "strength": 1.5, "threshold": 1.0},
        correction=_CORRECTED,
        note="Between 1 and 2 errors change sign at every step and shrink.",
    ),
    Claim(
        key="preconditioning",
        statement="Preconditioned by C^{-t/2} the condition number is kappa^{1-t}.",
        reference=SECTION,
        holds_in="every t in [0, 1]; the paper's is t = 1",
        instance=_encoder,
        check=_power_check,
    ),
    Claim(
        key="best-rate",
        statement="No step size has a better rate than (kappa^{1-t} - 1) / (kappa^{1-t} + 1).",
        reference=SECTION,
        holds_in="both architectures, every share of preconditioning",
        instance=_encoder,
        check=_tight_check,
        trials=10,
    ),
    Claim(
        key="iterations",
        statement="At the best rate log(1/eps) / log((kappa + 1) / (kappa - 1)) steps are needed.",
        reference=SECTION,
        holds_in="errors along the last eigenvector, eps = 1/1000, kappa below 100000",
        instance=_encoder,
        check=_iteration_check,
    ),
    Claim(
        key="period-doubling",
        statement="As a map in eta the solution loses its stability at 2 / D_1 by a multiplier -1.",
        reference=f"{SECTION}, as a bifurcation",
        holds_in="both architectures, every share of preconditioning",
        instance=_encoder,
        check=_flip_check,
        trials=8,
    ),
    Claim(
        key="cycles-of-quartic-losses",
        statement="With e^2/2 + q e^4/4 a cycle of period 2 is beyond the flip exactly for q < 0.",
        reference=f"{SECTION}, with a term of fourth order",
        holds_in="Gaussian inputs, along every eigenvector, eta within 45 % of the flip",
        instance=_cycle,
        check=_cycle_check,
        trials=5,
    ),
    Claim(
        key="asymmetric-cycles",
        statement="For q < 0 cycles lose symmetry at eta D = 3 and double at eta D = 1 + sqrt(5).",
        reference=f"{SECTION}, with a term of fourth order",
        holds_in="along one eigenvector, eta D from 3 to 3.5",
        instance=lambda draw: {
            "mu": draw.choice((3.0, 1.0 + sqrt(5.0), draw.real(3.0, 3.2), draw.real(3.0, 3.5)))
        },
        check=_asymmetric_check,
    ),
)
"""The claims."""
