"""Claims on creation, pruning and neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Instance, Outcome
from .claims_draws import data_of, network


def _local(draw: Draw) -> dict[str, Any]:
    case = {**network(draw), "units": "local"}
    which = draw.integer(0, len(case["w"]) - 1)
    beside = case["signs"][max(which - 1, 0) : which + 1]
    # Between two edges of one sign the new edge has it too: corners may be out of order.
    options = beside[:1] if len(beside) == 2 and len(set(beside)) == 1 else (1, -1)
    return {**case, "which": which, "sign": draw.choice(options)}


def _line(draw: Draw) -> dict[str, Any]:
    K = draw.integer(4, 8)
    return {
        "x": np.arange(float(K))[:, None],
        "y": draw.choice((np.round(draw.reals(K, -2.0, 2.0)), draw.reals(K, -2.0, 2.0))),
        "w": np.zeros((1, 2)),
        "steps": draw.integer(1, 3),
    }


# ---- creation and pruning ------------------------------------------------------------------------


def _split_keeps_cost(case: Instance) -> Outcome:
    from .creation import split

    data = data_of(case)
    larger, w = split(data, case["w"], case["which"], case["sign"])
    gap = float(np.max(np.abs(larger.outputs(w) - data.outputs(case["w"]))))
    return Outcome.at_most(gap, 0.0, tolerance=1e-12)


def _grow_lowers_cost(case: Instance) -> Outcome:
    from .creation import grow
    from .law import learn

    data = data_of(case)
    w = learn(data, case["w"]).end
    rises = []
    for _ in range(min(case["steps"], len(case["y"]) - 3)):
        larger, wider = grow(data, w)
        rises.append(larger.cost(wider) - data.cost(w))
        data, w = larger, wider
    return Outcome.at_most(max(rises), 0.0, tolerance=1e-10)


def _prune_keeps_outputs(case: Instance) -> Outcome:
    from .creation import prune

    data, w = data_of(case), np.array(case["w"])
    if len(w) > 1:
        w[case["which"]] = w[case["which"] - 1]
    smaller, fewer = prune(data, w)
    gap = float(np.max(np.abs(smaller.outputs(fewer) - data.outputs(w))))
    equal = any(
        np.array_equal(w[i], w[j]) and smaller.neurons == data.neurons for i, j in data.graph.edges
    )
    if equal:
        return Outcome(False, detail="equal neighbours were left")
    return Outcome.at_most(gap, 0.0, tolerance=1e-8)


def _fixed_signs(case: Instance) -> Outcome:
    """Return whether outputs are Lipschitz along a segment that crosses kinks and equal slopes."""
    data = data_of({**case, "units": "local"})
    bound = float(np.sum(2.0 * np.array(data.graph.multiplicities) - 1.0))
    size = float(np.max(np.linalg.norm(data.X, axis=1)))
    shares = np.linspace(0.0, 1.0, 150)[:, None, None]
    path = (1 - shares) * case["w"] + shares * case["other"]
    outputs = np.array([data.outputs(w) for w in path])
    changes = np.max(np.abs(np.diff(outputs, axis=0)), axis=1)
    steps = np.max(np.linalg.norm(np.diff(path, axis=0), axis=2), axis=1)
    worst = float(np.max(changes - bound * size * steps))
    return Outcome.at_most(worst, 0.0, tolerance=1e-12)


def _segment(draw: Draw) -> dict[str, Any]:
    case = network(draw)
    return {**case, "other": draw.reals(case["w"].shape, -2.0, 2.0)}


def _slope_signs(case: Instance) -> Outcome:
    """Return whether outputs change little when slopes cross, with signs from the slopes."""
    from .data import LocalLinear
    from .graph import NeuronGraph

    outputs = []
    for tilt in (1.0, -1.0):
        w = np.array(case["w"])
        w[0, 1] += tilt * case["tilt"]
        signs = [1 if w[1, 1] > w[0, 1] else -1]
        data = LocalLinear(case["x"], case["y"], NeuronGraph.chain(signs))
        outputs.append(data.outputs(w))
    change = float(np.max(np.abs(outputs[0] - outputs[1])))
    return Outcome.at_most(change, 10.0 * case["tilt"], detail=f"outputs jump by {change:.4g}")


# ---- neighbours ----------------------------------------------------------------------------------


def _table_1(case: Instance) -> Outcome:
    from .graph import TABLE_1, NeuronGraph, asymmetries

    graph = NeuronGraph.from_table(TABLE_1)
    counts = (len(asymmetries(TABLE_1)), len(graph.edges), len(graph.corners))
    # Euler: neurons - edges + faces = 2, of which one face lies outside.
    euler = graph.neurons - len(graph.edges) + len(graph.corners) + 1 == 2
    return Outcome(counts == (0, 19, 10) and euler, detail=f"{counts}, planar {euler}")


def _corner(draw: Draw) -> dict[str, Any]:
    return {
        "slopes": draw.reals((3, 2), -2.0, 2.0),
        "signs": tuple(draw.choice((1, -1)) for _ in range(3)),
    }


def _cells_at_corner(case: Instance) -> Outcome:
    """Return whether the regions of Definition 1 tile a corner exactly if all signs are one."""
    slopes, signs = case["slopes"], case["signs"]
    angles = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False) + 1e-3
    z = slopes @ np.array([np.cos(angles), np.sin(angles)])
    edges = ((0, 1), (0, 2), (1, 2))
    flat = abs(float(np.linalg.det(np.column_stack([np.ones(3), slopes]))))
    if flat < 0.05:
        return Outcome(None, detail="the planes meet in a line")
    inside = np.ones((3, len(angles)), dtype=bool)
    for (i, j), sign in zip(edges, signs, strict=True):
        inside[i] &= sign * (z[i] - z[j]) >= 0
        inside[j] &= sign * (z[j] - z[i]) >= 0
    tiled = float(np.mean(inside.sum(axis=0) == 1))
    uniform = len(set(signs)) == 1
    if uniform:
        return Outcome.at_most(1.0 - tiled, 0.0, detail=f"tiled {tiled:.3f}, one sign")
    return Outcome.at_most(tiled, 1.0 - 1.0 / 720, detail=f"tiled {tiled:.3f}, both signs")


def _tetrahedron(case: Instance) -> Outcome:
    from .graph import NeuronGraph

    # A plane that meets three faces, which meet each other.
    edges = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    graph = NeuronGraph(4, edges, case["signs"])
    links, nodes = sum(graph.multiplicities), graph.neurons + len(graph.groups)
    text = f"{links} memberships of {nodes} neurons and groups; a tree has {nodes - 1}"
    return Outcome(graph.representable, detail=text)


# ---- the list ----

_ORDERED = Claim(
    key="fixed-signs-continuous",
    statement="With the sign of every edge a constant, yhat is Lipschitz continuous in w.",
    reference="equation 5, corrected",
    holds_in="chains with any signs, weights that cross kinks and equal slopes",
    instance=_segment,
    check=_fixed_signs,
)

_ONE_SIGN = Claim(
    key="corner-needs-one-sign",
    statement=(
        "The regions of three neurons tile a neighbourhood of their corner exactly if its edges "
        "have one sign: the network is a maximum or a minimum there."
    ),
    reference="Definition 1, section 2.3",
    holds_in="three planes in general position, any signs",
    instance=_corner,
    check=_cells_at_corner,
    trials=40,
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="creation-keeps-cost",
        statement="Replacing a neuron by two equal ones leaves V as it is.",
        reference="section 2.2 and section 2.3, neuron creation",
        holds_in="any chain and neuron; between edges of one sign the new one has it too",
        instance=_local,
        check=_split_keeps_cost,
        note="The new corner is then undetermined: 0 = 0.",
    ),
    Claim(
        key="growth-lowers-cost",
        statement=(
            "A corner at the worst interior datum, with slopes by least squares and the corners "
            "held, does not raise V."
        ),
        reference="section 2.2, neuron creation",
        holds_in="data on a line, one to three new corners",
        instance=_line,
        check=_grow_lowers_cost,
    ),
    Claim(
        key="pruning-keeps-outputs",
        statement="Neurons inactive at all data, or equal to a neighbour, can go.",
        reference="section 2.2 and section 2.3, pruning",
        holds_in="chains with equal, dead and live neurons",
        instance=_local,
        check=_prune_keeps_outputs,
        trials=40,
    ),
    Claim(
        key="signs-from-slopes",
        statement="The output is continuous in w, its corners bending as the slopes at hand say.",
        reference="equation 5",
        holds_in="chains on a line",
        check=_slope_signs,
        verdict="false",
        counterexample={
            "x": np.array([[0.0]]),
            "y": np.array([0.0]),
            "w": np.array([[0.0, 0.0], [1.0, 0.0]]),
            "tilt": 1e-9,
        },
        correction=_ORDERED,
        note="Where two slopes cross, the maximum becomes the minimum.",
    ),
    Claim(
        key="table-1",
        statement="The table of neighbours is symmetric, with 19 edges and 10 planar corners.",
        reference="Table 1, Figure 7",
        holds_in="the table",
        check=_table_1,
    ),
    Claim(
        key="tetrahedron",
        statement="Local linear neurons represent the tetrahedron on a plane of Figure 1.",
        reference="section 2 and Figure 1",
        holds_in="four neurons, the plane's edges bending up, those of the faces down",
        check=_tetrahedron,
        verdict="false",
        counterexample={"signs": (1, 1, 1, -1, -1, -1)},
        correction=_ONE_SIGN,
        note="Each of its corners has edges of both signs, and a cell that is not convex.",
    ),
)
"""Claims on creation and neighbours."""
