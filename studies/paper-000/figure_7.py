"""Figure 7 and Table 1: neighbours, corners, and a function whose regions have these neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog

from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.graph import TABLE_1, NeuronGraph, asymmetries
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import SEED, Array, bare

RIM = (1, 2, 3, 7, 10, 9, 8, 4)
"""Neurons on the outside of Figure 7, in order."""

INNER = {5: (-0.3, 0.05), 6: (0.35, -0.05)}
REACH, CELLS = 40.0, 900


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Check the table; find slopes and offsets with these regions; compare; split neuron 5."""
    graph = NeuronGraph.from_table(TABLE_1)
    slopes = places()
    offsets, margin = heights(graph, slopes)
    w = np.column_stack([offsets, slopes])
    found = neighbours_on_grid(graph, w)
    larger = divided(graph)
    draw(out, graph, w)
    return {
        "asymmetric entries": len(asymmetries(TABLE_1)),
        "edges": len(graph.edges),
        "corners": len(graph.corners),
        "neurons - edges + corners + outside": (
            graph.neurons - len(graph.edges) + len(graph.corners) + 1
        ),
        "most neighbours at a corner": 3,
        "margin of the corners' convexity is positive": bool(margin > 1e-6),
        "pairs of regions that meet in the maximum": len(found),
        "they are the table's edges": sorted(found) == sorted(graph.edges),
        "edges after neuron 5 is split": len(larger.edges),
        "corners after neuron 5 is split": len(larger.corners),
        "the tetrahedron of Figure 1 is representable": tetrahedron().representable,
    }


def places() -> Array:
    """Return a slope for each neuron: the rim on a circle, two inside."""
    slopes = np.empty((10, 2))
    for k, neuron in enumerate(RIM):
        angle = 2.6 - 2.0 * np.pi * k / len(RIM)
        slopes[neuron - 1] = np.cos(angle), np.sin(angle)
    for neuron, place in INNER.items():
        slopes[neuron - 1] = place
    return slopes


def heights(graph: NeuronGraph, slopes: Array) -> tuple[Array, float]:
    """Return offsets for which every corner is one of the maximum, with the largest margin.

    At the corner of three neurons, z = c with ``offset_i = c - slope_i . x``; the others' z must
    be smaller. The corners are unknowns as well.
    """
    n, count = graph.neurons, len(graph.corners)
    size = n + 3 * count + 1
    rows, equal = [], []
    for place, corner in enumerate(graph.corners):
        at = n + 3 * place
        for i in range(n):
            row = np.zeros(size)
            row[i] = 1.0
            row[at : at + 2] = slopes[i]
            row[at + 2] = -1.0
            if i in corner:
                equal.append(row)
            else:
                row[-1] = 1.0
                rows.append(row)
    objective = np.zeros(size)
    objective[-1] = -1.0
    bounds = [(-1.0, 1.0)] * n + [(None, None)] * (3 * count) + [(None, 1.0)]
    done = linprog(
        objective, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), A_eq=np.array(equal),
        b_eq=np.zeros(len(equal)), bounds=bounds, method="highs",
    )  # fmt: skip
    if done.status != 0:
        return np.zeros(n), -1.0
    return done.x[:n], float(-done.fun)


def owners(graph: NeuronGraph, w: Array, reach: float, cells: int) -> Array:
    """Return the neuron in charge on a grid, shape (cells, cells)."""
    side = np.linspace(-reach, reach, cells)
    a, b = np.meshgrid(side, side)
    X = np.column_stack([np.ones(a.size), a.ravel(), b.ravel()])
    data = LocalLinear(np.zeros((1, 2)), np.zeros(1), graph)
    return data.owners(w, X=X).reshape(cells, cells)


def neighbours_on_grid(graph: NeuronGraph, w: Array) -> list[tuple[int, int]]:
    """Return the pairs of regions that touch along an edge, at two scales."""
    counts: dict[tuple[int, int], int] = {}
    for reach in (REACH, 4.0, 1.5):
        grid = owners(graph, w, reach, CELLS)
        for one, other in ((grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1])):
            for i, j in zip(one[one != other], other[one != other], strict=True):
                pair = (int(min(i, j)), int(max(i, j)))
                counts[pair] = counts.get(pair, 0) + 1
    # Regions that meet in a corner only may touch in a cell or two of the grid.
    return [pair for pair, count in counts.items() if count > 8]


def divided(graph: NeuronGraph) -> NeuronGraph:
    """Return the graph with neuron 5 split in two, across the edges to 2 and 9, as in Figure 7."""
    five, new = 4, graph.neurons
    given_away = {5}  # neuron 6 meets the new one alone
    shared = {1, 8}  # neurons 2 and 9 meet both
    edges = [e for e in graph.edges if not (five in e and sum(e) - five in given_away)]
    edges += [tuple(sorted((new, other))) for other in (five, *given_away, *shared)]
    return NeuronGraph(new + 1, tuple(sorted(edges)), (1,) * len(edges))


def tetrahedron() -> NeuronGraph:
    """Return the plane of Figure 1 with three faces on it."""
    edges = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    return NeuronGraph(4, edges, (1, 1, 1, -1, -1, -1))


def draw(out: Path, graph: NeuronGraph, w: Array) -> None:
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    slopes = w[:, 1:]
    for i, j in graph.edges:
        left.plot(*slopes[[i, j]].T, color="0.5", lw=1)
    for i, (a, b) in enumerate(slopes):
        left.text(
            a, b, f"i{i + 1}", ha="center", va="center",
            bbox={"boxstyle": "circle", "fc": "white", "ec": "black"},
        )  # fmt: skip
    left.set(aspect="equal", title="neighbours of Table 1")
    left.set_axis_off()
    reach = 4.0
    right.imshow(
        owners(graph, w, reach, 400), origin="lower", extent=(-reach, reach) * 2, cmap="tab10",
        alpha=0.5, interpolation="nearest",
    )  # fmt: skip
    right.set(title="regions of a maximum with these neighbours", xlabel="$x_1$", ylabel="$x_2$")
    bare(right)
    save_figure(figure, out / "figure-7.png")


STUDY = Study(
    name="paper-000/figure-7",
    title="Neighbours, corners, and a function that has them",
    claim="Figure 7 and Table 1: ten neurons, each corner with three neighbouring neurons.",
    run=run,
    seed=SEED,
)
