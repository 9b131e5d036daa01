"""Two maxima and four data: every family of critical points against h, with its borders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.local_linear.equilibria import equilibria
from contcrit.models.local_linear.starts import label_of
from contcrit.models.local_linear.theory import H, WorkedFamily, worked_case, worked_data
from contcrit.plotting import PALETTE, save_figure
from contcrit.results import Branch
from contcrit.study import Study

from ._shared import Array, bare, collision, tidy, worked

SPAN = (-1.4, 4.0)
"""Of h: from just below the lowest border."""

# Name -> weights held, which are coordinates of the family; one member at h = 2.
CHARTS: dict[str, tuple[dict[str, float], list[float]]] = {
    "2+2": ({"w[0,1]": -1.0}, [0.0, 0.0, 1.0]),
    "1+3": ({"w[0,1]": -3.0}, [-4.0, 8 / 7, 2 / 7]),
    "3+1": ({"w[1,1]": 4.0}, [8 / 7, -2 / 7, -6.0]),
    "4+0": ({"w[1,0]": -9.0, "w[1,1]": 0.0}, [1.5, 0.0]),
}

CENSUS = (-2.0, -4 / 3, 0.0, 4 / 7, 0.8, 1.0, 2.0, 3.0)
ENDS = (-1.0, 0.0, 0.5, 1.5, 2.0, 3.0)
"""Values of h at which the family 1+3 is followed to its end in the slope m."""


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Trace every family in h, follow 1+3 and 3+1 to their ends, list all points at some h."""
    known = worked_case()
    branches = {name: traced(name, progress) for name in CHARTS}
    values: dict[str, Any] = {
        "V in closed form": {name: str(family.cost) for name, family in known.items()},
        "exists from h": {name: str(family.lowest) for name, family in known.items()},
    }
    for name, branch in branches.items():
        values[f"trace of {name}"] = described(name, branch, known)
    values["isolated 2+2"] = isolated(progress)
    for name, slope, where in (("1+3", "w[0,1]", ENDS), ("3+1", "w[1,1]", ENDS[3:])):
        found = {h: ended(slope, h, known[name], progress) for h in where}
        values[f"end of {name}"] = {f"h = {h:g}": point for h, point in found.items()}
    values["families at h"] = {f"{h:.6g}": listed(h) for h in CENSUS}
    values["all neurons equal"] = {f"{h:g}": coincident(h) for h in (-2.0, 0.0, 2.0)}
    draw(out, branches, known, values)
    return values


def traced(name: str, progress: Any) -> Branch:
    """Trace one family in h, with the coordinates of the family held."""
    held, start = CHARTS[name]
    problem = worked(held)
    return cc.trace(problem, start, "y[3]", SPAN, values={**held, "y[3]": 2.0}, progress=progress)


def described(name: str, branch: Branch, known: dict[str, WorkedFamily]) -> dict[str, Any]:
    """Return the borders of a branch, and how far its V is from the closed forms."""
    lows = {float(f.lowest): name for name, f in known.items() if f.lowest.is_finite}
    borders = ordered(branch)
    gaps = []
    for h, cost in zip(branch["y[3]"], branch["potential"], strict=True):
        # Below h = 1 the datum at -1 has changed hands: 2+2 goes on as 1+3.
        family = known["1+3"] if name == "2+2" and h < 1 else known[name]
        gaps.append(abs(cost - float(family.cost.subs(H, float(h)))))
    return {
        "borders at h": [float(s.parameter) for s in borders],
        "where these begin": [lows.get(nearest(s.parameter, lows), "none") for s in borders],
        "passed on the way": [float(s.parameter) for s in borders if collision(s) == "persistence"],
        "verdicts": sorted({str(verdict) for _, _, verdict in branch.verdicts}),
        "largest deviation of V from the closed form": float(max(gaps)),
    }


def ordered(branch: Branch) -> list[Any]:
    return sorted(branch.of_kind("border"), key=lambda s: float(s.parameter))


def nearest(value: float, options: Any) -> float:
    best = min(options, key=lambda option: abs(option - value))
    return float(best) if abs(best - value) < 1e-6 else np.nan


def isolated(progress: Any) -> dict[str, Any]:
    """Trace 2+2 with all weights free: it is isolated for h > 1, and its Hessian a constant."""
    problem = worked()
    branch = cc.trace(
        problem, {"w": [[0, -1], [0, 1]]}, "y[3]", SPAN, values={"y[3]": 2.0}, progress=progress
    )
    verdict = cc.classify(problem, [0, -1, 0, 1], {"y[3]": 2.0})
    return {
        "verdict": str(verdict),
        "eigenvalues": tidy(verdict.evidence["eigenvalues"]),
        "border at h": [float(s.parameter) for s in branch.of_kind("border")],
    }


def ended(slope: str, h: float, family: WorkedFamily, progress: Any) -> dict[str, Any]:
    """Follow a family in its slope m to the kink at which it ends, and classify that point."""
    left = slope == "w[0,1]"
    away = -4.0 if left else 6.0
    x0, y0 = (-2.0, 2.0) if left else (2.0, h)
    most = [float(e.subs(H, h)) for e in family.weights]
    small = y0 - away * x0
    start = [small, *most] if left else [*most, small]
    problem = worked({slope: away})
    branch = cc.trace(
        problem, start, slope, (away, 3.0) if left else (-3.0, away),
        values={"y[3]": h, slope: away}, progress=progress,
    )  # fmt: skip
    # The first border seen from the start, at one end of the branch.
    here = np.linalg.norm(branch.z[[0, -1], :3] - start, axis=1)
    border = branch.of_kind("border")[0 if here[0] < here[1] else -1]
    found = worked()
    w = problem.weights(border.x, {"y[3]": h, slope: border.parameter})
    verdict = cc.classify(found, w.ravel(), {"y[3]": h})
    stationary = verdict.evidence.get("directionally_stationary", True)
    assert family.end is not None
    return {
        "m": float(border.parameter),
        "deviation from the closed form": abs(
            float(border.parameter) - float(family.end.subs(H, h))
        ),
        "a minimum with all weights free": verdict.kind == "minimum",
        "Clarke critical": bool(verdict.evidence.get("critical", True)),
        "directionally stationary": bool(stationary),
    }


def listed(h: float) -> list[str]:
    """Return all families at one h, with V and dimension, but for exchanged neurons."""
    found = []
    data = worked_data(h)
    for family in equilibria(data):
        label = label_of(data, family)
        if family.is_border or "exchanged" in label or label == "0+4":
            continue
        found.append(f"{label}: V = {family.V:.9g}, dimension {family.dimension}")
    return found


def coincident(h: float) -> dict[str, Any]:
    """Classify the corner of the family 4+0 at which both neurons are the least-squares line."""
    line = [1 + h / 4, (h - 2) / 5]
    verdict = cc.classify(worked(), [*line, *line], {"y[3]": h})
    return {
        "verdict": verdict.kind,
        "directionally stationary": bool(verdict.evidence["directionally_stationary"]),
    }


def draw(
    out: Path, branches: dict[str, Branch], known: dict[str, WorkedFamily], values: dict[str, Any]
) -> None:
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k, (name, family) in enumerate(known.items()):
        low = float(family.lowest) if family.lowest.is_finite else SPAN[0]
        h = np.linspace(low, SPAN[1], 200)
        cost = np.array([float(family.cost.subs(H, v)) for v in h])
        left.plot(h, cost, color=PALETTE[k], label=name)
        if family.lowest.is_finite:
            left.plot(h[0], cost[0], "s", mfc="white", mec="black", ms=5)
    for k, branch in enumerate(branches.values()):
        left.plot(branch["y[3]"], branch["potential"], ".", color=PALETTE[k], ms=2.5)
    left.set(xlabel="h", ylabel="V", ylim=(-0.05, 1.2))
    left.set_title("families; squares: border collisions", fontsize="medium")
    left.legend(frameon=False, fontsize="small")
    ends(right, values)
    bare(left)
    bare(right)
    save_figure(figure, out / "h-diagram.png")


def ends(axes: Axes, values: dict[str, Any]) -> None:
    """Draw where the family 1+3 ends, and of what kind its end is."""
    grid = np.linspace(-4 / 3, SPAN[1], 50)
    border: Array = -(grid + 6) / 7
    axes.fill_between(grid, -3.0, border, color="0.92")
    axes.plot(grid, border, color=PALETTE[1])
    for h, point in zip(ENDS, values["end of 1+3"].values(), strict=True):
        filled = "black" if point["directionally stationary"] else "white"
        axes.plot(h, point["m"], "o", mec="black", mfc=filled)
    axes.set(xlabel="h", ylabel="slope m of the neuron with one datum", ylim=(-3.0, 0.0))
    axes.set_title("family 1+3; hollow: critical for Clarke only", fontsize="medium")


STUDY = Study(
    name="paper-000/h-diagram",
    title="Every family of critical points of two maxima and four data, against h",
    claim=(
        "Section 2.4: creation and pruning assure that the true approximation is found. Here two "
        "neurons suffice for V = 0 from h = 1 on, and rest elsewhere."
    ),
    run=run,
)
