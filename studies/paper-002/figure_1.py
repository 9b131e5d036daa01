"""Figure 1: four trajectories of gradient descent, under the printed and the correct sign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.relu_regression.convergence import trajectory_end
from contcrit.models.relu_regression.losses import Penalty, ReluRegression
from contcrit.models.relu_regression.theory import solution, start_radius
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import W_STAR, Array, bare

SEED = 2
RUNS = 500
STEPS = 10_000
ETA, EPSILON = 0.05, 0.1
CLOSE = 0.0158
PANELS = (("l1-squared", 0.01), ("l2", 0.01), ("l1-squared", 0.1), ("l2", 0.1))
OUTCOMES = ("at the solution", "at the origin", "on an axis", "beyond radius 10", "elsewhere")
SIGNS = {"printed sign": 1, "correct sign": -1}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Count how runs with random inputs end under each law, and draw one of each kind."""
    values: dict[str, Any] = {}
    shown: dict[tuple[str, int], tuple[ReluRegression, float, Array, Array]] = {}
    for sign, number in SIGNS.items():
        for k, (norm, lam) in enumerate(PANELS):
            counts = dict.fromkeys(OUTCOMES, 0)
            for data, start in instances(Penalty(norm, number)):
                end, _ = trajectory_end(data, start, lam, ETA, STEPS)
                target = resting_point(data, lam)
                outcome = named(end, target)
                counts[outcome] += 1
                wanted = (outcome == "at the solution") == (lam < 0.05)
                if wanted and (sign, k) not in shown:
                    shown[sign, k] = data, lam, target, start
            shown.setdefault((sign, k), (data, lam, target, start))
            values[f"{norm}, lam={lam:g}, {sign}"] = {
                f"share that ends {outcome}": count / RUNS for outcome, count in counts.items()
            }
    draw(out, shown)
    return values


def instances(penalty: Penalty) -> Iterator[tuple[ReluRegression, Array]]:
    """Yield random inputs with a start from the disc of Theorem 5: the same for every penalty.

    Inputs of which w* activates fewer than two are drawn again: there is no solution to compare
    with.
    """
    generator = np.random.default_rng(SEED)
    radius = start_radius(2, EPSILON, float(np.linalg.norm(W_STAR)))
    for _ in range(RUNS):
        X = generator.standard_normal((10, 2))
        while np.sum(X @ W_STAR > 0) < 2:
            X = generator.standard_normal((10, 2))
        angle, share = 2 * np.pi * generator.random(), generator.random()
        start = radius * np.sqrt(share) * np.array([np.cos(angle), np.sin(angle)])
        yield ReluRegression(X, W_STAR, penalty), start


def named(end: Array, target: Array) -> str:
    """Return where a run has ended."""
    length = float(np.linalg.norm(end))
    if np.linalg.norm(end - target) < CLOSE * np.linalg.norm(W_STAR):
        return "at the solution"
    if length < 1e-2:
        return "at the origin"
    if length > 10:
        return "beyond radius 10"
    # Steps of eta times the norm's force keep weights that vanish on both sides of 0.
    return "on an axis" if np.min(np.abs(end)) < 0.01 else "elsewhere"


def resting_point(data: ReluRegression, lam: float) -> Array:
    """Return where the law rests near w*: Newton's method on the pieces, from the closed form."""
    w = solution(data, lam)
    for _ in range(20):
        active, signs = data.active(w), np.sign(w)
        H = data.moment(active) / data.count + data.penalty.hessian(signs, lam)
        if np.linalg.matrix_rank(H) < 2:
            break
        w = np.linalg.solve(H, data.X[active].T @ data.targets[active] / data.count)
        if np.array_equal(data.active(w), active) and np.array_equal(np.sign(w), signs):
            return w
    return solution(data, lam)


def path(data: ReluRegression, lam: float, start: Array) -> Array:
    """Return the trajectory, until it leaves the picture."""
    points = [start]
    for _ in range(STEPS):
        points.append(points[-1] + ETA * data.field(points[-1], lam))
        if np.max(np.abs(points[-1])) > 4:
            break
    return np.array(points)


def draw(out: Path, shown: dict[tuple[str, int], Any]) -> None:
    figure = Figure(figsize=(9.0, 4.8), layout="constrained")
    panels = figure.subplots(2, 4, sharex=True, sharey=True)
    names = {"l1-squared": r"$\ell_1$", "l2": r"$\ell_2$"}
    for row, sign in enumerate(SIGNS):
        for k, (norm, lam) in enumerate(PANELS):
            axes = panels[row, k]
            data, _, target, start = shown[sign, k]
            points = path(data, lam, start)
            axes.plot(points[:, 0], points[:, 1], color=PALETTE[row], linewidth=1.2)
            axes.plot(*start, "o", ms=3, color="0.5")
            axes.plot(*W_STAR, "ko", ms=5)
            axes.plot(*target, "x", color=PALETTE[2], ms=7)
            axes.set_title(rf"{names[norm]}, $\lambda = {lam:g}$, {sign}", fontsize="small")
            axes.set(xlim=(-2, 3), ylim=(-2, 3), aspect="equal")
            bare(axes)
    for axes in panels[1]:
        axes.set_xlabel("$w_1$")
    for axes in panels[:, 0]:
        axes.set_ylabel("$w_2$")
    save_figure(figure, out / "figure-1.png")


STUDY = Study(
    name="paper-002/figure-1",
    title="Trajectories that converge and that do not",
    claim=(
        "Figure 1: with lam = 0.01 descent converges to the solution, with lam = 0.1 it does not "
        "(N = 10, d = 2, eta = 0.05, epsilon = 0.1)."
    ),
    run=run,
    seed=SEED,
)
