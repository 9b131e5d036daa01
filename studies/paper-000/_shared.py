"""What the studies of this paper share: its pairs, the worked case, and the look of figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

import contcrit as cc
from contcrit.contraction import Trajectory, flow
from contcrit.models.local_linear.model import LocalLinearProblem
from contcrit.plotting import PALETTE
from contcrit.results import SpecialPoint

Array = np.ndarray

SEED = 0

LIMITS = (-2.0, 2.0)
"""The square that Figures 2 to 5 show."""

RED, BLUE = "#c0392b", "#2a6fb0"
"""The paper's colours: yhat > y, and yhat < y."""


def pair(y: float, units: str = "local", sign: int = 1) -> LocalLinearProblem:
    """Return the pair of equation 3: unknowns z_1 and z_2, one datum."""
    found: Any = cc.models.get("local-linear").build(
        x=[[]], y=[y], units=units, signs=sign, free=["y[0]"]
    )
    return found


def follow(problem: LocalLinearProblem, z: Any, y: float, time: float = 30.0) -> Trajectory:
    """Return the flow from z; where it is not unique, with the first neuron in charge."""
    return flow(problem, np.ravel(z), {"y[0]": y}, time, rtol=1e-9, atol=1e-11, side=1)


def starts(count: int) -> Array:
    """Return the starts of trajectories, drawn at random in the square, shape (count, 2)."""
    return np.random.default_rng(SEED).uniform(*LIMITS, (count, 2))


def draw_field(axes: Axes, problem: LocalLinearProblem, y: float) -> None:
    """Draw the law's directions, red where yhat > y and blue where yhat < y."""
    grid = np.linspace(*LIMITS, 17) + 1e-3  # off the kinks
    data = problem.at({"y[0]": y})
    for a in grid:
        for b in grid:
            w = np.array([[a], [b]])
            velocity = data.law(w).ravel()
            size = float(np.linalg.norm(velocity))
            colour = RED if data.errors(w)[0] > 0 else BLUE
            if size < 1e-12:
                axes.plot(a, b, ".", color="0.6", ms=3)
                continue
            axes.annotate(
                "",
                (a + 0.2 * velocity[0] / size, b + 0.2 * velocity[1] / size),
                (a, b),
                arrowprops={"arrowstyle": "->", "color": colour, "lw": 0.6, "mutation_scale": 5},
            )
    axes.set(xlim=LIMITS, ylim=LIMITS, xlabel=r"$z_1$", ylabel=r"$z_2$", aspect="equal")
    bare(axes)


def draw_path(axes: Axes, trajectory: Trajectory) -> None:
    """Draw a trajectory, thick where it slides."""
    for segment in trajectory.segments:
        times = np.linspace(segment.begin, segment.end, 60)
        x = trajectory(times)
        width = 2.2 if 0 in segment.mode else 0.9
        axes.plot(x[:, 0], x[:, 1], color=PALETTE[2], linewidth=width)


def worked(held: dict[str, float] | None = None) -> LocalLinearProblem:
    """Return two maxima with x = (-2, -1, 1, 2), y = (2, 1, 1, h), h = y[3]; weights held."""
    found: Any = cc.models.get("local-linear").build(
        x=[-2, -1, 1, 2], y=[2, 1, 1, 2], free=["y[3]"], held=held
    )
    return found


def collision(special: SpecialPoint) -> str:
    """Return what a border collision is, such as ``"nonsmooth fold"``."""
    return str(special.evidence["collision"])


def tidy(values: Any, digits: int = 9) -> list[float]:
    """Return rounded numbers without negative zeros."""
    return [float(v) for v in np.round(np.ravel(values), digits) + 0.0]


def bare(axes: Axes) -> None:
    """Take away the upper and right edges of a frame."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
