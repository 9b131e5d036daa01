"""What the studies of this paper share: Example 1, its closed forms, and the look of figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.optimize import brentq, minimize_scalar, root
from scipy.special import lambertw

import contcrit as cc
from contcrit.criticality.record import Criticality
from contcrit.models.linear_network.theory import LinearNetwork
from contcrit.plotting import PALETTE
from contcrit.results import Branch, Diagram, SpecialPoint

Array = np.ndarray

WINDINGS = (0, -1, 1, -2, 2)
"""Branches of Example 1 in the order in which their turning points fall."""

LOWEST = 1e-8
"""Where branches of Example 1 stop: below the lowest pitchfork; at 0 some solutions escape."""

SMOOTH = cc.Settings(step_maximum=0.05, parameter_fraction=0.005)
"""Steps short enough for smooth lines, also on logarithmic axes."""

COLOURS = {n: PALETTE[k] for k, n in enumerate(WINDINGS)}
"""A colour for each branch of Example 1."""

MARKERS = {"fold": "s", "branch-point": "o"}

QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
"""The target of Example 1: a quarter turn of the plane."""


def network() -> LinearNetwork:
    """Return the data of Example 1 for evaluations without the engine."""
    return LinearNetwork(QUARTER, np.eye(2), 1.0)


def example_1(
    windings: Iterable[int] = WINDINGS,
    span: tuple[float, float] = (LOWEST, 1.0),
    *,
    families: bool = True,
    settings: cc.Settings = SMOOTH,
    progress: Any = False,
) -> tuple[Any, dict[str, Branch], Diagram]:
    """Trace Example 1 from the logarithms of R at lam = 0.

    With `families`, every branch point found is switched at, so that the non-normal solutions
    appear by themselves. Returns the problem, the branches by label (``"n=-1"``, and
    ``"n=-1, non-normal"`` for what was reached from that branch), and the diagram.
    """
    model = cc.models.get("linear-network")
    problem = model.build(**model.example)
    starts = model.starts(problem, windings=windings)
    if families:
        diagram = cc.diagram(
            problem, list(starts.values()), "lam", span, settings=settings, progress=progress
        )
    else:
        branches = [
            cc.trace(problem, start, "lam", span, settings=settings, progress=progress)
            for start in starts.values()
        ]
        diagram = Diagram(branches=tuple(branches))
    parents = {child: parent for parent, _, child in diagram.connections}
    names: dict[int, str] = {}
    roots = iter(starts)
    for position in range(len(diagram)):
        if position in parents:
            names[position] = f"{names[parents[position]]}, non-normal"
        else:
            names[position] = next(roots)
    return problem, {names[k]: branch for k, branch in enumerate(diagram)}, diagram


def angle(branch: Branch) -> Array:
    """Return b, the entry C21 of the normal solutions ``a I + b [[0, -1], [1, 0]]``."""
    return np.asarray(branch["C[1,0]"])


def at(branch: Branch, lam: float) -> list[Array]:
    """Return the points of a branch at a value of lam, in its order, corrected by Newton."""
    values = branch["lam"]
    found = []
    for k in range(len(branch) - 1):
        low, high = values[k], values[k + 1]
        if (low - lam) * (high - lam) <= 0 and low != high and high != lam:
            share = (lam - low) / (high - low)
            guess = branch.z[k, :-1] * (1 - share) + branch.z[k + 1, :-1] * share
            found.append(corrected(branch.source, guess, lam))
    if values[-1] == lam:
        found.append(branch.z[-1, :-1])
    return found


def corrected(problem: Any, x: Array, lam: float) -> Array:
    """Correct a guess by Newton's method; least squares, since orbits make DN singular."""
    values = {"lam": lam}
    for _ in range(30):
        step = np.linalg.lstsq(
            problem.jacobian(x, values), problem.evaluate(x, values), rcond=1e-9
        )[0]
        x = x - step
        if np.max(np.abs(step)) < 1e-14 * (1 + np.max(np.abs(x))):
            break
    return x


# ---- closed forms of the normal solutions a + ib of Example 1 ---------------------------------


def normal_lam(b: Any) -> Any:
    """Return lam on the normal branches at the angle b: W(kappa e^tau) / kappa^2."""
    kappa, tau = b / np.cos(b), b * np.tan(b)
    return np.real(lambertw(kappa * np.exp(tau))) / kappa**2


def normal_real_part(b: Any) -> Any:
    """Return a on the normal branches at the angle b: tau - W(kappa e^tau)."""
    kappa, tau = b / np.cos(b), b * np.tan(b)
    return tau - np.real(lambertw(kappa * np.exp(tau)))


def normal_fold(n: int) -> float:
    """Return the turning point's lam of the branch n != 0: the largest value of `normal_lam`."""
    start, end = np.pi / 2 + 2 * np.pi * n, escape_angle(n)
    # The Lambert form overflows towards the escaping end, far from the turning point.
    bounds = sorted((start + 1e-3 * (end - start), start + 0.6 * (end - start)))
    found = minimize_scalar(
        lambda b: -normal_lam(b), bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return float(-found.fun)


def escape_angle(n: int) -> float:
    """Return the limit of b on the escaping side: pi/2 + (2n - 1) pi, or + (2n + 1) pi if n < 0."""
    return np.pi / 2 + (2 * n - np.sign(n)) * np.pi


def pitchfork(n: int) -> tuple[float, float, float]:
    """Return (lam, a, b) where non-normal solutions leave the branch n != 0.

    On symmetric matrices without trace, DN acts at a normal solution as multiplication by
    ``lam + e^a (sin b / b) e^{ib} (i e^{ib} + 2 e^a)``, which vanishes exactly where
    ``cos 2b + 2 e^a sin b = 0``. With the two equations of normal solutions this leaves
    ``a = b / sin 2b`` and ``e^a = -cos 2b / (2 sin b)``: one equation in b.
    """
    small = 1e-9
    if n > 0:
        low, high = 2 * np.pi * n - np.pi / 4 + small, 2 * np.pi * n - small
    else:
        low = (2 * n + 1) * np.pi + small
        high = (2 * n + 1) * np.pi + np.pi / 4 - small

    def gap(b: float) -> float:
        return float(np.exp(b / np.sin(2 * b)) + np.cos(2 * b) / (2 * np.sin(b)))

    b = brentq(gap, low, high, xtol=1e-16 * abs(low), rtol=8.9e-16)
    a = b / np.sin(2 * b)
    return float(np.exp(a) * np.cos(b) / b), float(a), float(b)


def independent_fold(x: Array, lam: float) -> float:
    """Return the turning point near a non-normal solution, without the engine.

    Rotations bring C to ``a I + b J + s diag(1, -1)``; the equation then is three equations in
    (a, b, s), whose derivative, by differences, is singular at a turning point.
    """
    shapes = np.array([np.eye(2), QUARTER, np.diag([1.0, -1.0])])

    def equations(u: Array) -> Array:
        C = np.tensordot(u[:3], shapes, axes=1)
        return np.tensordot(shapes, network().residual(C, u[3]), axes=2) / 2

    def extended(u: Array) -> Array:
        step = 1e-5 * np.eye(4)[:3]
        near = [8 * (equations(u + h) - equations(u - h)) for h in step]
        far = [equations(u + 2 * h) - equations(u - 2 * h) for h in step]
        derivative = (np.array(near) - np.array(far)) / 12e-5
        return np.append(equations(u), np.linalg.det(derivative))

    C = x.reshape(2, 2)
    symmetric = 0.5 * (C + C.T) - 0.5 * np.trace(C) * np.eye(2)
    guess = [np.trace(C) / 2, (C[1, 0] - C[0, 1]) / 2, np.linalg.norm(symmetric, 2), lam]
    found = root(extended, np.array(guess) + 1e-5, tol=1e-15)
    return float(found.x[3])


# ---- what is reported and drawn ---------------------------------------------------------------


def special_values(branch: Branch, special: SpecialPoint) -> dict[str, Any]:
    """Return what a table says of a special point."""
    return {
        "lam": special.parameter,
        "cost": branch.source.observables["cost"](special.x, {"lam": special.parameter}),
        "digits": round(special.digits, 1),
        "verdicts": f"{short(special.verdict_before)} -> {short(special.verdict_after)}",
    }


def short(verdict: Criticality | None) -> str:
    """Return kind and index of a verdict, zero directions by symmetry left out."""
    if verdict is None:
        return "not classified"
    own = None if verdict.nullity is None else verdict.nullity - verdict.gauge_nullity
    tail = f", nullity {own}" if own else ""
    return f"{verdict.kind} (index {verdict.index}{tail})"


def index_colour(index: int | None) -> Any:
    """Return the colour that stands for a Morse index."""
    if index is None:
        return "0.6"
    return "#00796B" if index == 0 else colormaps["plasma"](0.98 * (index - 1) / 9)


def stretches(branch: Branch) -> Iterator[tuple[Array, Criticality | None]]:
    """Yield points (m, n + 1) of the pieces of a branch with one verdict, special points joined."""
    ends = [s for s in branch.special_points if s.kind != "user"]
    z = np.concatenate([branch.z, [s.z for s in ends]]) if ends else branch.z
    arclength = np.concatenate([branch.arclength, [s.arclength for s in ends]])
    order = np.argsort(arclength, kind="stable")
    z, arclength = z[order], arclength[order]
    cuts = sorted({-np.inf, np.inf, *(s.arclength for s in ends)})
    for low, high in pairwise(cuts):
        inside = (arclength >= low) & (arclength <= high)
        within = np.flatnonzero((branch.arclength > low) & (branch.arclength < high))
        if within.size:
            yield z[inside], branch.verdict_at(int(within[0]))


def columns(branch: Branch, z: Array, name: str) -> Array:
    """Return an observable of a branch's problem at points (m, n + 1)."""
    observe = branch.source.observables[name]
    return np.array([observe(point[:-1], {branch.parameter: point[-1]}) for point in z])


def cost_figure(branches: Mapping[str, Branch]) -> Figure:
    """Draw the cost against lam: colour by index, non-normal solutions dashed, minima thick."""
    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    whole, part = figure.subplots(ncols=2, width_ratios=(1.45, 1.0))
    figure.suptitle("Critical points of a linear network that learns a quarter turn", fontsize=13)
    draw_by_index(whole, branches, "cost")
    whole.set(xscale="log", yscale="log", xlim=(2e-7, 1.6), ylim=(0.02, 11))
    for label, branch in branches.items():
        folds = branch.of_kind("fold")
        if "non-normal" not in label:
            z = folds[0].z if folds else branch.z[-1]
            whole.annotate(
                f"${label}$",
                (z[-1], columns(branch, z[None], "cost")[0]),
                xytext=(18, 4) if label == "n=-1" else (9, 4) if folds else (-34, 6),
                textcoords="offset points",
            )
    explain_index(whole, branches, loc="lower left")
    near = {key: branch for key, branch in branches.items() if key.startswith(("n=-1", "n=0"))}
    draw_by_index(part, near, "cost")
    part.set(xlim=(0, 0.18), ylim=(0, 3.1))
    part.set_title("$n = 0$ and $n = -1$, linear axes", fontsize="medium")
    for axes in (whole, part):
        axes.set_xlabel(r"regularisation $\lambda$")
        axes.set_ylabel("cost $J$")
    return figure


def draw_by_index(axes: Axes, branches: Mapping[str, Branch], name: str) -> None:
    """Draw a column of all branches against lam, coloured by index, special points marked."""
    for label, branch in branches.items():
        normal = "non-normal" not in label
        for z, verdict in stretches(branch):
            index = None if verdict is None else verdict.index
            axes.plot(
                z[:, -1],
                columns(branch, z, name),
                color=index_colour(index),
                linestyle="-" if normal else (0, (4, 1.2)),
                linewidth=2.6 if index == 0 else 1.5,
                solid_capstyle="round",
                zorder=2.5 if index == 0 else 2,
            )
        for special in branch.special_points:
            axes.plot(
                special.parameter,
                columns(branch, special.z[None], name),
                marker=MARKERS.get(special.kind, "*"),
                markersize=7,
                markerfacecolor="white",
                markeredgecolor="black",
                zorder=3,
            )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def explain_index(axes: Axes, branches: Mapping[str, Branch], **place: Any) -> None:
    """Explain colours, strokes and markers."""
    indices = {v.index for branch in branches.values() for _, _, v in branch.verdicts}
    handles = [
        Line2D(
            [],
            [],
            color=index_colour(index),
            linewidth=2.6 if index == 0 else 1.5,
            label="local minimum" if index == 0 else f"saddle, index {index}",
        )
        for index in sorted(index for index in indices if index is not None)
    ]
    handles += [
        Line2D([], [], color="0.3", linestyle=(0, (4, 1.2)), label="non-normal solutions"),
        *(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=marker,
                markersize=7,
                markerfacecolor="white",
                markeredgecolor="black",
                label=label,
            )
            for kind, marker, label in (
                ("fold", "s", "fold"),
                ("branch-point", "o", "pitchfork"),
            )
            if any(branch.of_kind(kind) for branch in branches.values())
        ),
    ]
    axes.legend(handles=handles, frameon=False, fontsize="small", **place)
