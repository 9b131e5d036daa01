"""Figure 2(a): Example 2, from a rotation to a non-normal target, at lam = 0."""

from __future__ import annotations

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

from ._shared import QUARTER, SMOOTH

SLOPE = np.array([[0.0, 0.0], [0.0, 1.0]])
"""The target is R(mu) = [[0, -1], [1, mu]]."""

END = np.pi / 2


def example_2(progress: Any) -> tuple[Any, Branch]:
    """Return the problem of Example 2 and its branch over mu in [0, pi/2] at lam = 0."""
    model = cc.models.get("linear-network")
    problem = model.build(R=QUARTER, R_slope=SLOPE)
    start = model.starts(problem, windings=(0,))["n=0"]
    branch = cc.trace(
        problem, start, "mu", (0.0, END), values={"lam": 0.0}, settings=SMOOTH, progress=progress
    )
    return problem, branch


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Follow the solution in mu and compare its end with the closed form."""
    _, branch = example_2(progress)
    branch.save(out / "figure-2a.nc")
    x = branch.z[-1, :-1] if branch["mu"][-1] > branch["mu"][0] else branch.z[0, :-1]
    C = x.reshape(2, 2)
    target = QUARTER + END * SLOPE
    logarithm = np.real(logm(target))
    network = LinearNetwork(target, np.eye(2), 1.0)
    times = np.linspace(0.0, 1.0, 21)
    gap = max(float(np.max(np.abs(network.curve(C, t) - closed_form(t)))) for t in times)
    draw(out, branch)
    return {
        "C": C.tolist(),
        "regularisation of the curve": float(np.sum(C * C)),
        "regularisation of log R": float(np.sum(logarithm * logarithm)),
        "misfit of the target": float(np.max(np.abs(network.end(C) - target))),
        "distance to the closed-form curve": gap,
        "distance from log R": float(np.linalg.norm(C - logarithm)),
        "special points on the way": len(branch.special_points),
    }


def closed_form(t: float) -> np.ndarray:
    """Return the weights at time t for mu = pi/2."""
    sine, cosine = np.sin(np.pi * t), np.cos(np.pi * t)
    return np.pi / 4 * np.array([[-sine, cosine - 1.0], [cosine + 1.0, sine]])


def draw(out: Path, branch: Branch) -> None:
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    axes = figure.subplots()
    for k, (i, j) in enumerate(np.ndindex(2, 2)):
        column = branch[f"C[{i},{j}]"]
        axes.plot(branch["mu"], column, color=PALETTE[k], label=f"$C_{{{i + 1}{j + 1}}}$")
    targets = [np.real(logm(QUARTER + mu * SLOPE)).ravel() for mu in branch["mu"]]
    for k in range(4):
        axes.plot(branch["mu"], np.array(targets)[:, k], color=PALETTE[k], linestyle=":")
    axes.set(xlabel=r"$\mu$", xlim=(0, END))
    axes.set_title(r"Solution at $\lambda = 0$; dotted: $\log R(\mu)$", fontsize="medium")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, out / "figure-2a.png")


STUDY = Study(
    name="paper-004/figure-2a",
    title="Example 2: continuation in mu to a non-normal target",
    claim=(
        "Figure 2(a): C = [[0, 0], [pi/2, 0]] at mu = pi/2, whose cost of regularisation pi^2/4 is "
        "below that of log R, 3.76."
    ),
    run=run,
)
