"""A random non-normal target in six dimensions: lam down from large values and back up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import logm

import contcrit as cc
from contcrit.models.linear_network.theory import LinearNetwork
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import Array, at, short

SEED = 0
SIZE = 6
SPAN = (1e-6, 10.0)
COMPARED = (0.001, 0.01, 0.1, 1.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace both ways, compare the two, and give the index with its time."""
    R = random_target()
    problem = cc.models.get("linear-network").build(R=R)
    # For large lam the solution is close to lam C = (R - I) Sigma0, small.
    begun = time.perf_counter()
    down = cc.trace(
        problem, {"C": (R - np.eye(SIZE)) / (1 + SPAN[1])}, "lam", SPAN, values={"lam": SPAN[1]},
        classify=False, progress=progress,
    )  # fmt: skip
    elapsed = time.perf_counter() - begun
    lowest = down.z[int(np.argmin(down["lam"])), :-1]
    up = cc.trace(
        problem, lowest, "lam", SPAN, values={"lam": SPAN[0]}, classify=False, progress=progress
    )
    down.save(out / "random-d6.nc")
    network = LinearNetwork(R, np.eye(SIZE), 1.0)
    values: dict[str, Any] = {
        "eigenvalues on the closed negative axis": negative_eigenvalues(R),
        "departure of R from normality": float(np.linalg.norm(R @ R.T - R.T @ R)),
        "points down": len(down),
        "seconds down": elapsed,
        "largest residual": float(max(np.max(down.residual_norm), np.max(up.residual_norm))),
        "special points": len(down.special_points) + len(up.special_points),
        "distance of C near lam=0 from log R": float(
            np.linalg.norm(lowest.reshape(SIZE, SIZE) - np.real(logm(R)))
        ),
        "misfit F - R near lam=0": float(
            np.max(np.abs(network.end(lowest.reshape(SIZE, SIZE)) - R))
        ),
    }
    for lam in COMPARED:
        (x,), (y,) = at(down, lam), at(up, lam)
        begun = time.perf_counter()
        verdict = cc.classify(problem, x, {"lam": lam})
        values[f"lam={lam:g}"] = {
            "cost": problem.observables["cost"](x, {"lam": lam}),
            "cost at constant log R": 0.5 * lam * float(np.sum(np.real(logm(R)) ** 2)),
            "distance of the two ways": float(np.max(np.abs(x - y))),
            "verdict": short(verdict),
            "seconds for the verdict": time.perf_counter() - begun,
        }
    draw(out, down, R)
    return values


def random_target() -> Array:
    """Return a random non-normal matrix without eigenvalues on the closed negative real axis."""
    generator = np.random.default_rng(SEED)
    while True:
        R = np.eye(SIZE) + 0.6 * generator.standard_normal((SIZE, SIZE))
        if negative_eigenvalues(R) == 0:
            return R


def negative_eigenvalues(R: Array) -> int:
    """Return how many eigenvalues lie on the closed negative real axis."""
    return sum(bool(abs(z.imag) < 1e-9 and z.real <= 1e-9) for z in np.linalg.eigvals(R))


def draw(out: Path, branch: Branch, R: Array) -> None:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    constant = 0.5 * float(np.sum(np.real(logm(R)) ** 2))
    axes.loglog(branch["lam"], branch["cost"], color=PALETTE[0], label="branch")
    axes.loglog(
        branch["lam"], constant * branch["lam"], "--", color=PALETTE[1],
        label=r"constant $\log(R)/T$",
    )  # fmt: skip
    axes.set(xlabel=r"$\lambda$", ylabel="cost $J$", xlim=(1e-4, 10), ylim=(1e-4, 30))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "random-d6.png")


STUDY = Study(
    name="paper-004/random-d6",
    title="A random non-normal target in six dimensions",
    claim="Section 3: C(0) is followed in lam, for generic (non-normal) targets; d is arbitrary.",
    run=run,
    seed=SEED,
)
