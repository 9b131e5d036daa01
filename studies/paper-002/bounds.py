"""The paper's bounds on lam against the value at which the solution changes its pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.models.relu_regression.losses import Penalty, ReluRegression
from contcrit.models.relu_regression.theory import (
    bound_17,
    bound_27,
    bound_33,
    pattern_limit,
    solution,
)
from contcrit.plotting import PALETTE, save_figure
from contcrit.study import Study

from ._shared import W_STAR, Array, bare, problem, reference

SEED = 3
INSTANCES = 1000
BOUNDS = {
    "(17)": ("l2", bound_17),
    "(27) as printed": ("l1-squared", lambda data: bound_27(data, all_rows=False)),
    "(27) over all rows": ("l1-squared", lambda data: bound_27(data, all_rows=True)),
    "(33) as printed": ("l1-squared", lambda data: bound_33(data, all_rows=False)),
    "(33) over all rows": ("l1-squared", lambda data: bound_33(data, all_rows=True)),
}


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Measure the bounds on the reference instance and on random ones."""
    first = {
        norm: cc.trace(problem(norm), {"w": W_STAR}, "lam", (0.0, 0.2), progress=progress)
        .of_kind("border")[0]
        .parameter
        for norm in ("l2", "l1-squared")
    }
    values: dict[str, Any] = {
        "eigenvalues of B/N": np.linalg.eigvalsh(reference().moment() / reference().count).tolist(),
        "rows active at w*": np.flatnonzero(reference().active(W_STAR)).tolist(),
    }
    for norm, traced in first.items():
        values[f"first change of pattern, {norm}"] = {
            "traced": traced,
            "closed form": pattern_limit(reference(norm)),
        }
    ratios: dict[str, Array] = {}
    for name, (norm, bound) in BOUNDS.items():
        value = bound(reference(norm))
        values[name] = {"bound": value, "holds": bool(value <= first[norm])}
        for d in (2, 3):
            found = ensemble(norm, bound, d)
            values[name][f"share of random instances violated, d={d}"] = float(np.mean(found > 1))
            if d == 2:
                ratios[name] = found
    values["(17) in three dimensions"] = counterexample()
    draw(out, ratios)
    return values


def ensemble(norm: str, bound: Any, d: int) -> Array:
    """Return bound over first change of the row pattern for random data of full rank."""
    generator = np.random.default_rng(SEED)
    found = []
    while len(found) < INSTANCES:
        data = ReluRegression(
            generator.standard_normal((10, d)), generator.standard_normal(d), Penalty(norm)
        )
        if np.sum(data.active(data.w_star)) >= d:
            found.append(bound(data) / first_row_change(data))
    return np.array(found)


def first_row_change(data: ReluRegression) -> float:
    """Return where a row's output changes sign on the closed form, whatever the weights do.

    For squared l1 the closed form is ``w* - (share) u`` with share = lam |w| / |w*|, which rises
    to a limit as lam grows.
    """
    if data.penalty.norm == "l2":
        return pattern_limit(data)
    signs = np.sign(data.w_star)
    change = np.linalg.solve(data.moment() / data.count, signs)
    forces = (data.X @ data.w_star) / (data.X @ change)
    one = float(np.sum(np.abs(data.w_star))) - forces * float(signs @ change)
    strengths = forces / one
    return float(np.min(strengths[strengths > 0], initial=np.inf))


def counterexample() -> dict[str, Any]:
    """Return data with B = diag(1, 10, 100) that violate (17): a row wakes below the bound."""
    b = np.array([1.0, 10.0, 100.0])
    # The row -alpha has output -1 at w*, no first-order change, and output 0.1 at lam N = 0.4.
    alpha = np.linalg.solve(np.array([np.ones(3), 1 / b, b / (b + 0.4)]), [1.0, 0.0, -0.1])
    data = ReluRegression(np.vstack([np.diag(np.sqrt(b)), -alpha]), np.ones(3))
    lam = 0.4 / data.count
    return {
        "bound": bound_17(data),
        "lam": lam,
        "output of the last row at w*": float(data.X[-1] @ data.w_star),
        "output of the last row at the solution": float(data.X[-1] @ solution(data, lam)),
        "first change of pattern": pattern_limit(data),
    }


def draw(out: Path, ratios: dict[str, Array]) -> None:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    bins = np.logspace(-5, 2, 71)
    for k, (name, found) in enumerate(ratios.items()):
        axes.hist(
            found[np.isfinite(found)], bins, histtype="step", color=PALETTE[k], label=name,
            linewidth=1.2,
        )  # fmt: skip
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", xlabel="bound / first change of pattern", ylabel="random instances")
    axes.set_title("Right of the dotted line the bound is too large", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    bare(axes)
    save_figure(figure, out / "bounds.png")


STUDY = Study(
    name="paper-002/bounds",
    title="Bounds on lam for an unchanged pattern",
    claim="Equations 17, 27 and 33: up to these values of lam the solution has the pattern of w*.",
    run=run,
    seed=SEED,
)
