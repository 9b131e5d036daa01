"""Figure 8: two corners of four neurons merge into one and part the other way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.graph import NeuronGraph
from contcrit.plotting import save_figure
from contcrit.study import Study

from ._shared import SEED, Array, tidy

SHIFTS = (-0.3, 0.0, 0.3)
SLOPES = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
EDGES = ((0, 1), (0, 3), (1, 2), (2, 3))
CELLS = 600


def run(out: Path, progress: Any) -> dict[str, Any]:
    """Find neighbours and corners for three offsets of two opposite neurons."""
    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    panels = figure.subplots(1, 3)
    values: dict[str, Any] = {}
    for axes, shift in zip(panels, SHIFTS, strict=True):
        w = weights(shift)
        grid = regions(w)
        pairs = touching(grid)
        diagonal = [pair for pair in pairs if pair not in EDGES]
        values[f"shift {shift:g}"] = {
            "edges beyond the four": [f"i{i + 1}-i{j + 1}" for i, j in diagonal],
            "corners": [tidy(corner(w, triple)) for triple in triples(diagonal)],
            "a table with all edges of one sign still gives the maximum": gap(w) < 1e-15,
        }
        axes.imshow(grid, origin="lower", extent=(-1, 1, -1, 1), cmap="tab10", alpha=0.5)
        axes.set_title(f"shift {shift:g}", fontsize="medium")
        axes.set(xticks=[], yticks=[])
    save_figure(figure, out / "figure-8.png")
    return values


def weights(shift: float) -> Array:
    """Return four planes; the first and third are raised by the shift."""
    return np.column_stack([np.array([shift, 0.0, shift, 0.0]), SLOPES])


def network(edges: Any) -> LocalLinear:
    graph = NeuronGraph(4, tuple(edges), (1,) * len(edges))
    return LocalLinear(np.zeros((1, 2)), np.zeros(1), graph)


def regions(w: Array) -> Array:
    """Return the neuron in charge on a grid of [-1, 1]^2 that avoids ties."""
    side = np.linspace(-1.0, 1.0, CELLS) + 1e-4
    a, b = np.meshgrid(side, side + 1e-4)
    X = np.column_stack([np.ones(a.size), a.ravel(), b.ravel()])
    return network(EDGES).owners(w, X=X).reshape(CELLS, CELLS)


def touching(grid: Array) -> list[tuple[int, int]]:
    """Return the pairs of regions that touch along more than a few cells."""
    counts: dict[tuple[int, int], int] = {}
    for one, other in ((grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1])):
        for i, j in zip(one[one != other], other[one != other], strict=True):
            pair = (int(min(i, j)), int(max(i, j)))
            counts[pair] = counts.get(pair, 0) + 1
    return sorted(pair for pair, count in counts.items() if count > 8)


def triples(diagonal: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return the neurons of each corner; of a merged one any three."""
    if not diagonal:
        return [(0, 1, 2)]
    ((i, j),) = diagonal
    return [(i, j, k) for k in range(4) if k not in (i, j)]


def corner(w: Array, triple: tuple[int, int, int]) -> Array:
    """Return where three neurons have one value (equation 11)."""
    i, j, k = triple
    rows = np.array([w[i] - w[j], w[i] - w[k]])
    return np.linalg.solve(rows[:, 1:], -rows[:, 0])


def gap(w: Array) -> float:
    """Return how far outputs differ between tables with either diagonal."""
    X = np.column_stack([np.ones(50), np.random.default_rng(SEED).uniform(-1, 1, (50, 2))])
    one = network((*EDGES, (0, 2))).outputs(w, X=X)
    other = network((*EDGES, (1, 3))).outputs(w, X=X)
    return float(np.max(np.abs(one - other)))


STUDY = Study(
    name="paper-000/figure-8",
    title="Two corners merge and part the other way",
    claim="Figure 8: where more than N + 1 edges cross, the neighbour table may need an update.",
    run=run,
    seed=SEED,
)
