"""A staircase activation: critical points of two laws, steps, weight decay, Gaussian inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.failures.flat_activation.laws import Sample, Staircase, sufficient_steps
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import Array, bare

SEED = 1
LEVELS = [-1.5, -0.5, 0.5, 1.5]
SHARPEST, BLUNTEST = 30.0, 0.5
REACH = 12.0
STEPS = 300
ETA = 0.2


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Continue both laws in c, run both, and follow the staircase in its weight decay."""
    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    panels = figure.subplots(2, 2)
    values = {
        "critical points in c": in_sharpness(panels[0, 0], progress),
        "descent": descent(panels[0, 1]),
        "number of steps": number_of_steps(),
        "staircase in lam": in_decay(panels[1, 0], progress),
        "gaussian inputs": gaussian(panels[1, 1]),
    }
    for axes in panels.flat:
        bare(axes)
    save_figure(figure, out / "flat-activation.png")
    return values


def noisy_line() -> tuple[Array, Array]:
    """Return six inputs on a line, and labels that no weight gives."""
    generator = np.random.default_rng(SEED)
    X = generator.normal(size=(6, 1)).round(2)
    y = Staircase(np.array(LEVELS))(X @ [1.3]) + generator.normal(size=6).round(1)
    return X, y


def crossings(sample: Sample, law: str, c: float) -> Array:
    """Return all zeros of a law on [-REACH, REACH], as sign changes on a fine grid."""
    grid = np.linspace(-REACH, REACH, 100_001)
    field = sample.gradient_law if law == "gradient" else sample.forward_law
    force = field(grid[:, None], c)[:, 0]
    at = np.flatnonzero(force[:-1] * force[1:] < 0)
    return 0.5 * (grid[at] + grid[at + 1])


def in_sharpness(axes: Axes, progress: Any) -> dict[str, Any]:
    """Trace all critical points of both laws from the sharpest activation to a blunt one."""
    X, y = noisy_line()
    values: dict[str, Any] = {}
    for law, color, width in (("gradient", PALETTE[1], 1.2), ("forward-only", PALETTE[0], 2.0)):
        problem: Any = cc.models.get("flat-activation").build(z=LEVELS, X=X, y=y, law=law)
        start = {"c": SHARPEST, "lam": 0.0}
        zeros = crossings(problem.data, law, SHARPEST)
        diagram = cc.diagram(
            problem, [{"w": [w]} for w in zeros], "c", (BLUNTEST, SHARPEST), values=start,
            progress=progress,
        )  # fmt: skip
        folds = sorted(s.parameter for b in diagram.branches for s in b.of_kind("fold"))
        kinds = [v.kind for b in diagram.branches for _, _, v in b.verdicts]
        levels = np.linspace(1.0, 29.0, 8)
        levels = levels[[all(abs(c - fold) > 0.05 for fold in folds) for c in levels]]
        counted = [len(crossings(problem.data, law, float(c))) for c in levels]
        # Above its fold a pair exists, below it does not.
        expected = [1 + 2 * int(np.sum(c > np.array(folds))) for c in levels]
        values[law] = {
            f"critical points at c = {SHARPEST:g}": len(zeros),
            "folds in c": folds,
            "branches": len(diagram.branches),
            "minima and maxima": [kinds.count("minimum"), kinds.count("maximum")],
            "counts on a grid agree with the folds": counted == expected,
        }
        for k, branch in enumerate(diagram.branches):
            axes.plot(
                branch["c"], branch["w[0]"], color=color, linewidth=width,
                label=f"{law} law" if k == 0 else None,
            )  # fmt: skip
    axes.set(xlabel="sharpness c", ylabel="w", title="critical points, labels with noise")
    axes.legend(frameon=False, fontsize="small")
    return values


def realisable() -> tuple[Sample, Array]:
    """Return fifty inputs in five dimensions with the labels of a teacher."""
    generator = np.random.default_rng(SEED)
    X, v = generator.normal(size=(50, 5)), generator.normal(size=5)
    stairs = Staircase(np.array(LEVELS))
    return Sample(stairs, X, stairs(X @ v)), v


def descent(axes: Axes) -> dict[str, Any]:
    """Run the forward law of the staircase, and the gradient law of smoothed ones."""
    sample, v = realisable()
    w = -v
    path = sample.forward_steps(w, ETA, STEPS)
    errors = {"forward-only, staircase": 2 * sample.squared_loss(path)}
    for c in (2.0, 200.0):
        points = [w]
        for _ in range(STEPS):
            points.append(points[-1] + ETA * sample.gradient_law(points[-1], c))
        errors[f"gradient, c = {c:g}"] = 2 * sample.squared_loss(np.array(points))
    for k, (name, curve) in enumerate(errors.items()):
        axes.semilogy(np.maximum(curve, 1e-4), color=PALETTE[k], label=name, linewidth=1.2)
    axes.set(xlabel="steps", ylabel="mean squared error", title="labels of a teacher")
    axes.legend(frameon=False, fontsize="small")
    return {
        "start": float(errors["forward-only, staircase"][0]),
        **{name: float(curve[-1]) for name, curve in errors.items()},
        "size of the gradient at the start, c = 200": float(
            np.linalg.norm(sample.gradient_law(w, 200.0))
        ),
        "size of the forward law at the start": float(np.linalg.norm(sample.forward_law(w))),
    }


def number_of_steps() -> dict[str, Any]:
    """Run the theorem's number of steps with its step size, |x| and |v| at most B = 1."""
    generator = np.random.default_rng(SEED)
    angles = 2 * np.pi * generator.random(20)
    X, v, c = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([1.0, 0.0]), 0.5
    stairs = Staircase(np.array(LEVELS))
    smooth = Sample(stairs, X, stairs(X @ v, c))
    zero = np.zeros(2)
    goal = 0.3 * 2 * float(smooth.squared_loss(zero, c))
    eta, steps = sufficient_steps(stairs.height, 1.0, stairs.lipschitz(c), goal)
    path = smooth.forward_steps(zero, eta, int(np.ceil(steps)), c)
    errors = 2 * smooth.squared_loss(path, c)
    first = int(np.argmax(errors <= goal))
    return {
        "T": float(steps),
        "steps needed": first,
        "least error / epsilon": float(np.min(errors) / goal),
        "last error / epsilon": float(errors[-1] / goal),
    }


def in_decay(axes: Axes, progress: Any) -> dict[str, Any]:
    """Follow the minimum of the staircase's matching loss from strong to weak decay."""
    model = cc.models.get("flat-activation")
    problem: Any = model.build(**model.example, sharp=True)
    start = model.starts(problem)["strong decay"]
    branch = cc.trace(
        problem, start.unknowns, "lam", (1e-3, start.values["lam"]), values=start.values,
        direction="both", progress=progress,
    )  # fmt: skip
    borders = branch.of_kind("border")
    for j in range(2):
        axes.semilogx(branch["lam"], branch[f"w[{j}]"], color=PALETTE[j], label=f"$w_{j + 1}$")
    for special in borders:
        axes.plot([special.parameter] * 2, special.x, "k.", ms=4)
    axes.set(xlabel=r"weight decay $\lambda$", ylabel="w", title="staircase: border collisions")
    axes.legend(frameon=False, fontsize="small")
    last = branch.z[int(np.argmin(branch["lam"])), :2]
    flow = model.build(**model.example, sharp=True, form="flow")
    other = cc.trace(
        flow, start.unknowns, "lam", (1e-3, start.values["lam"]), values=start.values,
        direction="both", progress=progress,
    )  # fmt: skip
    sliding = sorted(special.parameter for special in other.of_kind("border"))
    found = sorted(special.parameter for special in borders)
    agree = len(sliding) == len(found) and np.allclose(sliding, found, rtol=1e-9)
    return {
        "borders": found,
        "collisions": sorted({str(special.evidence["collision"]) for special in borders}),
        "borders of the Filippov flow agree": bool(agree),
        "labels met at the end": bool(np.allclose(2 * problem.data.squared_loss(1.0001 * last), 0)),
        "end": last.tolist(),
    }


def gaussian(axes: Axes) -> dict[str, Any]:
    """Draw the forward law for Gaussian inputs, and compare it with an average over inputs."""
    model = cc.models.get("flat-activation")
    teacher = np.array([1.0, 0.6])
    problem: Any = model.build(z=LEVELS, w_star=teacher, sharp=True, form="flow")
    grid = np.linspace(-2, 2, 16)
    U, V = np.array(
        [[problem.evaluate([a, b], {"lam": 0.0}) for a in grid] for b in grid]
    ).transpose(2, 0, 1)
    size = np.hypot(U, V)
    axes.quiver(grid, grid, U / size, V / size, size, cmap="viridis", pivot="mid", scale=30)
    axes.plot(*teacher, "ko", ms=5)
    axes.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    axes.set_title("forward law, Gaussian inputs")
    generator = np.random.default_rng(SEED)
    X = generator.normal(size=(200_000, 2))
    stairs = Staircase(np.array(LEVELS))
    sample = Sample(stairs, X, stairs(X @ teacher))
    w = np.array([-0.8, 0.9])
    gap = problem.evaluate(w, {"lam": 0.0}) - sample.forward_law(w)
    towards = [
        float(problem.evaluate([a, b], {"lam": 0.0}) @ (teacher - [a, b]))
        for a in grid
        for b in grid
    ]
    return {
        "law at the teacher": float(np.max(np.abs(problem.evaluate(teacher, {"lam": 0.0})))),
        "least approach on the grid": min(towards),
        "distance to an average over 200000 inputs": float(np.max(np.abs(gap))),
    }


STUDY = Study(
    name="paper-003/flat-activation",
    title="Flat activations: the gradient law and the forward-only law",
    claim=(
        "Section 4: with flat activations the gradient carries no information, and an update rule "
        "without the activation's derivative solves the problem."
    ),
    run=run,
    seed=SEED,
)
