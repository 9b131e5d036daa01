"""Morse indices of the normal solutions of Example 1 at half the turning point's lam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import contcrit as cc
from contcrit.criticality.record import Criticality
from contcrit.models.linear_network.galerkin import galerkin_hessian
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import COLOURS, WINDINGS, Array, at, example_1, network

MODES = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Count negative directions in the right ways and in the wrong ones."""
    problem, branches, _ = example_1(span=(1e-3, 0.2), families=False, progress=progress)
    values: dict[str, Any] = {}
    rows = []
    counts: dict[str, tuple[int, bool, list[int], int]] = {}
    for n in WINDINGS:
        branch = branches[f"n={n}"]
        lam = 0.1 if n == 0 else branch.of_kind("fold")[0].parameter / 2
        for x, side in zip(at(branch, lam), ("log", "escaping"), strict=False):
            label = f"n={n}, {side} side" if n else "n=0"
            verdict = cc.classify(problem, x, {"lam": lam})
            modes = [negative(galerkin(x, lam, k)) for k in MODES]
            values[label] = {
                "lam": lam,
                **right_counts(verdict),
                **wrong_counts(x, lam),
                "index on 4 Legendre modes": modes[MODES.index(4)],
                "fewest of the tried modes with the full count": enough(modes, verdict.index),
            }
            rows.append({"solution": label, **values[label]})
            counts[label] = (n, side == "log", modes, int(verdict.index or 0))
    pd.DataFrame(rows).to_csv(out / "index-table.csv", index=False)
    draw(out, counts)
    return values


def right_counts(verdict: Criticality) -> dict[str, Any]:
    """Return the index and the counts that it rests on."""
    evidence = verdict.evidence
    return {
        "index": verdict.index,
        "conjugate points": len(evidence["conjugate_points"]),
        "index of S": evidence["index_at_end"],
        "index by focal points": evidence["index_by_focal_points"],
        "index on Legendre modes": evidence["index_by_legendre_modes"],
        "Legendre modes used": evidence["legendre_modes"],
    }


def wrong_counts(x: Array, lam: float) -> dict[str, Any]:
    """Return what one might take for the index."""
    DN = network().residual_derivative(x.reshape(2, 2), lam)
    return {
        "negative eigenvalues of sym DN": negative(0.5 * (DN + DN.T)),
        "eigenvalues of DN with negative real part": int(np.sum(np.linalg.eigvals(DN).real < 0)),
        "sign of det DN": float(np.sign(np.linalg.det(DN))),
    }


def galerkin(x: Array, lam: float, modes: int) -> Array:
    """Return the Hessian on polynomials in the weights themselves, in units of lam."""
    return galerkin_hessian(network(), x.reshape(2, 2), lam, modes, turning=False)


def negative(matrix: Array) -> int:
    """Return the number of negative eigenvalues of a symmetric matrix."""
    return int(np.sum(np.linalg.eigvalsh(matrix) < -1e-9))


def enough(modes: list[int], index: int | None) -> int:
    """Return the smallest of the tried numbers of modes from which on the count is the index."""
    wrong = [k for k, count in enumerate(modes) if count != index]
    return MODES[max(wrong) + 1 if wrong else 0]


def draw(out: Path, counts: dict[str, tuple[int, bool, list[int], int]]) -> None:
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.subplots()
    for label, (n, log_side, modes, index) in counts.items():
        axes.plot(
            MODES,
            modes,
            color=COLOURS[n],
            linestyle="-" if log_side else "--",
            marker="o",
            ms=3,
            label=label.replace("n=", "n = "),
        )
        axes.axhline(index, color=COLOURS[n], linewidth=0.6, linestyle=":", zorder=1)
    axes.set(xlabel="Legendre modes per entry", ylabel="negative directions found")
    axes.set_title("Few modes make saddles look like minima", fontsize="medium")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize="small", ncols=2)
    save_figure(figure, out / "index-table.png")


STUDY = Study(
    name="paper-004/index-table",
    title="Morse indices of the normal solutions of Example 1",
    claim="Example 1 (i): below the turning point one solution is a local minimum, one a saddle.",
    run=run,
)
