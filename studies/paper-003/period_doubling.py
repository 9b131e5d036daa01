"""Gradient descent as a map in its step size: flips at 2 / D_j, and the cycles beyond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.failures.curve_encoding.model import MODEL
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Diagram
from contcrit.study import Study

from ._shared import Array, bare

QUARTIC = -0.1
SPAN = (0.5, 3.3)
TRANSIENT, KEPT = 2_000, 60


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace both encoders through their flips, then two steps at once through the cycles."""
    values: dict[str, Any] = {}
    for architecture in ("convolution", "linear"):
        values[architecture] = flips(architecture)
    diagram, scaled = cycles()
    events = sorted(
        {
            (special.kind, round(special.parameter, 9))
            for branch in diagram.branches
            for special in branch.special_points
        },
        key=lambda event: event[1],
    )
    values["two steps as one map"] = {
        "branches": len(diagram),
        "special points": [f"{kind} at {place:.9f}" for kind, place in events],
        "largest error of the cycle": cycle_error(diagram, scaled),
        "error of the last flip": abs(
            max(s.parameter for b in diagram.branches for s in b.special_points) - (1 + 5**0.5)
        ),
    }
    values["divergence"] = divergence()
    draw(out, diagram, scaled)
    return values


def flips(architecture: str) -> dict[str, Any]:
    """Return the flips that the engine finds beside 2 / D_j, for n = 10."""
    problem: Any = MODEL.build(n=10, architecture=architecture)
    start = MODEL.starts(problem)["solution"]
    expected = problem.data.flips()
    span = (0.7 * float(expected[0]), 1.1 * float(expected[-1]))
    values = {**start.values, "eta": span[0], "q": QUARTIC}
    branch = cc.trace(problem, start.unknowns, "eta", span, values=values, progress=False)
    found = branch.of_kind("flip")
    places = np.array([special.parameter for special in found])
    normal = [special.evidence.get("normal_form_coefficient", np.nan) for special in found]
    same = len(found) == len(expected)
    return {
        "flips": len(found),
        "first flip": float(places[0]),
        "largest relative error of a flip": float(np.max(np.abs(places / expected - 1)))
        if same
        else np.inf,
        "normal form coefficient at the first": float(normal[0]),
        "its error, relative to -6 q D": abs(
            float(normal[0]) / (-6 * QUARTIC * float(problem.data.curvatures()[0])) - 1
        ),
        "kinds": sorted({special.kind for special in branch.special_points}),
    }


def cycles() -> tuple[Diagram, Any]:
    """Return the diagram of two steps as one map, in units in which D_1 = 1."""
    largest = float(MODEL.build(n=10).data.curvatures()[0])
    problem: Any = MODEL.build(n=10, lam=1.0 / largest, iterate=2)
    start = MODEL.starts(problem, q=QUARTIC)["cycle"]
    diagram = cc.diagram(
        problem, [(start.unknowns, start.values["eta"])], "eta", SPAN,
        values={"t": 0.0, "q": QUARTIC}, progress=False,
    )  # fmt: skip
    return diagram, problem.data


def cycle_error(diagram: Diagram, data: Any) -> float:
    """Return how far the branch of symmetric cycles is from its closed form."""
    target = data.directions.T @ data.target()
    worst, seen = 0.0, 0
    for branch in diagram.branches:
        for z in branch.z:
            x, eta = z[0] - target[0], z[-1]
            closed = data.cycle(float(eta), QUARTIC)
            if closed is None or abs(x) < 1e-6:
                continue
            expected = abs((data.directions.T @ closed)[0] - target[0])
            # The other branches have x_1 x_2 = const: only the symmetric ones are compared.
            if abs(abs(x) - expected) < 1e-3 * expected:
                worst, seen = max(worst, abs(abs(x) - expected)), seen + 1
    return worst if seen >= 20 else np.inf


def divergence() -> dict[str, Any]:
    """Return what becomes of an error after 400 steps, at eta lam S_1^2 = 1.5, 1.99 and 2.01."""
    problem: Any = MODEL.build(n=10, architecture="linear")
    data = problem.data
    end = data.target()
    found = {}
    for strength in (1.5, 1.99, 2.01):
        eta = strength / float(data.curvatures()[0])
        last = data.after(400, eta, end + data.directions[:, 0])
        found[f"eta lam S_1^2 = {strength:g}"] = float(np.linalg.norm(last - end))
    return found


def orbit(strength: Array) -> Array:
    """Return where errors along the first eigenvector end up, for D_1 = 1, from both signs."""
    x = np.concatenate([np.full(len(strength), 0.3), np.full(len(strength), -0.5)])
    eta = np.concatenate([strength, strength])
    kept = []
    for step in range(TRANSIENT + KEPT):
        x = x - eta * (1 + 3 * QUARTIC * x**2) * x
        if step >= TRANSIENT:
            kept.append(x)
    return np.array(kept)


def draw(out: Path, diagram: Diagram, data: Any) -> None:
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    strength = np.linspace(*SPAN, 500)
    ends = orbit(strength)
    axes.plot(np.tile(strength, 2), ends.T, ".", ms=1.0, color="0.6")
    target = float((data.directions.T @ data.target())[0])
    rows = []
    for number, branch in enumerate(diagram.branches):
        x, eta = branch.z[:, 0] - target, branch.z[:, -1]
        axes.plot(eta, x, color=PALETTE[0], lw=1.0)
        rows += [{"branch": number, "eta": e, "error": v} for e, v in zip(eta, x, strict=True)]
        for special in branch.special_points:
            shape = {"flip": "s", "branch-point": "o"}.get(special.kind, "x")
            axes.plot(special.parameter, special.x[0] - target, shape, color=PALETTE[1], ms=5)
    pd.DataFrame(rows).to_csv(out / "period-doubling.csv", index=False)
    axes.set(xlabel=r"$\eta D_1$", ylabel="error along the first eigenvector")
    axes.set_title("circles: branch points of two steps; squares: flips", fontsize="medium")
    bare(axes)
    save_figure(figure, out / "period-doubling.png")


STUDY = Study(
    name="paper-003/period-doubling",
    title="Gradient descent as a map in its step size",
    claim="Section 4 of the longer version: gradient descent diverges if eta lam S_1^2 > 1.",
    run=run,
)
