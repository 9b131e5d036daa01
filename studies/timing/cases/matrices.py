"""The characteristic equation of a linear network, d x d: d^2 unknowns, and LU of that size.

``python matrices.py turn_<d>|random_<d>``. The first is a normal target whose branch turns where
the spiral equation does, which is its reference; the second a random target that is not normal.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
from own import described, steps
from references import SPIRAL_FOLD
from scipy.linalg import expm, lapack
from stopwatch import fold_error, measure, named, repeats_from_environment, report, samples

import contcrit as cc

BEGIN = 0.05
"""Value of lam at both ends of the branch that turns."""


def spiral_solution(lam: float) -> tuple[float, float]:
    """Return a and b on the lower branch n = 1 of the spiral equation, by Newton's method."""
    a, b = 0.0, 2.5 * np.pi
    for share in np.linspace(0, 1, 21):
        here = 1e-3 + share * (lam - 1e-3)
        for _ in range(20):
            grow, sine, cosine = np.exp(a), np.sin(b), np.cos(b)
            values = [here * a - grow * sine + grow**2, here * b - grow * cosine]
            slopes = [
                [here - grow * sine + 2 * grow**2, -grow * cosine],
                [-grow * cosine, here + grow * sine],
            ]
            a, b = np.array([a, b]) - np.linalg.solve(slopes, values)
    return float(a), float(b)


def scalar_solution(target: float, lam: float) -> float:
    """Return c with lam c = e^c (target - e^c), by Newton's method."""
    c = np.log(target) / (1 + lam)
    for _ in range(50):
        grow = np.exp(c)
        c -= (lam * c - grow * (target - grow)) / (lam - grow * target + 2 * grow**2)
    return float(c)


def turning(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a normal target and the start of its branch at lam = BEGIN."""
    rng = np.random.default_rng(size)
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    target, start = np.zeros((size, size)), np.zeros((size, size))
    target[:2, :2] = [[0, -1], [1, 0]]
    a, b = spiral_solution(BEGIN)
    start[:2, :2] = [[a, -b], [b, a]]
    for k, strength in enumerate(np.linspace(0.8, 1.6, size - 2), start=2):
        target[k, k] = strength
        start[k, k] = scalar_solution(strength, BEGIN)
    return basis @ target @ basis.T, basis @ start @ basis.T


def independent_residual(target: np.ndarray, x: np.ndarray, lam: float) -> float:
    """Return the largest residual of the equation, with scipy's exponential."""
    C = x.reshape(target.shape)
    F = expm(C - C.T) @ expm(C.T)
    return float(np.max(np.abs(lam * C - F.T @ (target - F))))


def lu_seconds(unknowns: int) -> float:
    """Return the time of one LU factorisation of this size, by LAPACK."""
    matrix = np.asfortranarray(np.random.default_rng(0).normal(size=(unknowns, unknowns)))
    return statistics.median(samples([lambda: lapack.dgetrf(matrix)], 7)[0])


def main(name: str) -> None:
    kind, _, text = name.partition("_")
    size = int(text)
    unknowns = size**2
    if kind == "turn":
        target, start = turning(size)
        span, value, reference = (BEGIN, 0.2), BEGIN, SPIRAL_FOLD
        settings = steps(0.02, 0.1, unknowns, maximum_points=200)
    else:
        rng = np.random.default_rng(size)
        target = np.eye(size) + rng.normal(size=(size, size)) / (2 * np.sqrt(size))
        span, value, reference = (0.05, 10.0), 10.0, None
        start = (target - np.eye(size)) / (1 + value)
        settings = cc.Settings(maximum_points=100 if size <= 16 else 20)
    problem = cc.models.get("linear-network").build(R=target)
    kept: dict[int, cc.Branch] = {}

    def call(points: int) -> dict[str, Any]:
        kept[points] = cc.trace(
            problem, start.ravel(), "lam", span, values={"lam": value},
            direction="forward" if kind == "turn" else "backward",
            settings=settings.replace(maximum_points=points), classify=False, progress=False,
        )  # fmt: skip
        return described(kept[points])

    repeats = repeats_from_environment() if size <= 8 else 3 if size <= 16 else 1
    found = measure(lambda: call(settings.maximum_points), lambda: call(1), repeats)
    found |= fold_error(found, reference)
    z = kept[settings.maximum_points].z
    some = z[:: max(1, len(z) // 10)]
    found["independent_residual"] = max(
        independent_residual(target, one[:-1], one[-1]) for one in some
    )
    lu = lu_seconds(unknowns)
    net = found.get("net_us", found["gross_us"])
    found["classified"] = size <= 4
    report(
        "contcrit", f"matrix_{name}", unknowns=unknowns, size=size, **found,
        lu_us=1e6 * lu, lu_times_gross=1e-6 * found["gross_us"] / lu,
        lu_times=1e-6 * net / lu,
    )  # fmt: skip


if __name__ == "__main__":
    main(named())
