"""Figure 2(b): the cost of the branch of Example 2 against that of the constant log(R) / T."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import logm

import contcrit as cc
from contcrit.models.linear_network.theory import LinearNetwork
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import QUARTER, SMOOTH, corrected, short
from .figure_2a import END, SLOPE, example_2

REGULARISATIONS = (0.01, 0.1, 1.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Follow the solution in mu, then in lam, and compare costs."""
    problem, path = example_2(progress)
    last = path.z[int(np.argmax(path["mu"])), :-1]
    branch = cc.trace(
        problem, last, "lam", (0.0, 1.0), values={"mu": END}, settings=SMOOTH, progress=progress
    )
    branch.save(out / "figure-2b.nc")
    target = QUARTER + END * SLOPE
    logarithm = np.real(logm(target))
    network = LinearNetwork(target, np.eye(2), 1.0)
    share = 0.5 * float(np.sum(logarithm * logarithm))
    values: dict[str, Any] = {"verdicts": [short(verdict) for _, _, verdict in branch.verdicts]}
    for lam in REGULARISATIONS:
        near = branch.z[int(np.argmin(np.abs(branch["lam"] - lam))), :-1]
        x = corrected(_Fixed(problem), near, lam)
        values[f"lam={lam:g}"] = {
            "cost of the branch": network.cost(x.reshape(2, 2), lam),
            "cost at constant log R": lam * share,
            "gradient at constant log R": gradient_norm(network, logarithm, lam),
        }
    draw(out, branch, share)
    return values


class _Fixed:
    """The problem with mu at its end."""

    def __init__(self, problem: Any) -> None:
        self.problem = problem

    def evaluate(self, x: np.ndarray, values: dict[str, float]) -> np.ndarray:
        return self.problem.evaluate(x, {**values, "mu": END})

    def jacobian(self, x: np.ndarray, values: dict[str, float]) -> np.ndarray:
        return self.problem.jacobian(x, {**values, "mu": END})


def gradient_norm(network: LinearNetwork, weights: np.ndarray, lam: float) -> float:
    """Return the norm of the gradient of J at constant weights that reach the target.

    The misfit vanishes there, and lam A is left.
    """
    return lam * float(np.linalg.norm(weights)) * float(np.sqrt(network.T))


def draw(out: Path, branch: Any, share: float) -> None:
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(branch["lam"], branch["cost"], color=PALETTE[0], linewidth=2.2, label="minimum")
    axes.plot(
        branch["lam"],
        share * branch["lam"],
        color=PALETTE[1],
        linestyle="--",
        label=r"constant $\log(R)/T$, not critical",
    )
    axes.set(xlabel=r"$\lambda$", ylabel="cost $J$", xlim=(0, 1), ylim=(0, 2))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "figure-2b.png")


STUDY = Study(
    name="paper-004/figure-2b",
    title="Example 2: cost of the branch in lam against that of constant weights",
    claim="Figure 2(b): the branch is a minimum and costs less than the constant log(R) / T.",
    run=run,
)
