"""Theorem 7: what is critical for the sum, for E_gamma, and for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import contcrit as cc
from contcrit.criticality.clarke import classify_pieces
from contcrit.models.relu_hinge.pieces import HingePieces
from contcrit.models.relu_hinge.scenarios import one_versus_all_sum
from contcrit.models.relu_hinge.theory import penalty_identity
from contcrit.plotting import PALETTE
from contcrit.study import Study

from ._shared import built, new_figure, plain, save

SEED = 0
DRAWS = 2000
GAMMAS = (0.1, 1.0, 10.0)


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Judge one point in three ways, and test the identity behind the theorem."""
    rng = np.random.default_rng(SEED)
    scenario = one_versus_all_sum()
    problem = built(scenario)
    values = {"alpha": 0.5}
    x = problem.pack(**scenario.points["cancelling"])
    measured: dict[str, Any] = {
        "loss": float(problem.network(values).loss(x)),
        "critical for the sum": cc.classify(problem, x, values).evidence["critical"],
    }
    copies = one_versus_all_sum("penalised")
    rows, left, right = [], [], []
    for gamma in GAMMAS:
        penalised = built(copies, gamma=gamma)
        network = penalised.network(values)
        same = penalised.pack(**copies.points["cancelling"])
        verdict = classify_pieces(penalised.pieces(same, values))
        rows.append([gamma, verdict.evidence["critical"], verdict.evidence["hull_distance"]])
        for _ in range(DRAWS // len(GAMMAS)):
            point = rng.normal(size=network.size)
            positions = [rng.random(g.shape) for g in network.switching(point)]
            sides = penalty_identity(network, point, positions)
            left.append(sides[0])
            right.append(sides[1])
    measured["critical for E_gamma, by gamma"] = [[g, c] for g, c, _ in rows]
    measured["distance of 0 from Clarke's set of E_gamma"] = rows[0][2]
    measured["critical for each class"] = [
        classify_pieces(HingePieces(replicate, same[network.index[r]])).evidence["critical"]
        for r, replicate in enumerate(network.replicates)
    ]
    gap = np.abs(np.array(left) - right) / (1 + np.abs(right))
    measured["largest error of the identity"] = float(np.max(gap))
    figure = new_figure(5.6, 4.2)
    axes = figure.subplots()
    axes.loglog(right, left, ".", ms=3, color=PALETTE[0])
    ends = [min(right), max(right)]
    axes.loglog(ends, ends, color=PALETTE[1], lw=1)
    axes.set(
        xlabel=r"$2\gamma R/(R-1)\,\sum_r |h_r - \bar h|^2$",
        ylabel=r"$\sum_r \langle h_r, g_h\rangle - \langle v_r, g_v\rangle$",
    )
    axes.set_title("random parameters, random subgradients", fontsize="medium")
    plain(axes)
    save(figure, out, "exact-penalty")
    return measured


STUDY = Study(
    name="paper-001/exact-penalty",
    title="Critical points of the sum, of the penalised loss, and of each class",
    claim=(
        "Theorem 7 and section 4: at critical points of E_gamma the replicates agree and every "
        "class is critical by itself, which may fail for the plain one-versus-all sum."
    ),
    run=run,
    seed=SEED,
)
