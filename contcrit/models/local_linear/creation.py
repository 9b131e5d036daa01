"""Creation of neurons where the error persists, and pruning of those that are not needed.

A neuron that is split into two equal ones leaves the function, and with it V, as they are. The new
corner is then undetermined, since 0 = 0 holds everywhere, and the law seldom opens a useful kink.
`grow` chooses: the corner at the interior datum of the largest error, and the slopes by least
squares with all corners held; V falls, and the law goes on from there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from .data import LocalLinear, corners
from .graph import NeuronGraph


def split(data: LocalLinear, w: Array, i: int, sign: int = 1) -> tuple[LocalLinear, Array]:
    """Replace one neuron by two equal ones, which leaves V as it is.

    Parameters
    ----------
    data : LocalLinear
        The network.
    w : array_like, shape (I, N + 1)
        Weights.
    i : int
        The neuron.
    sign : int, default 1
        How the new edge bends.

    Returns
    -------
    tuple of (LocalLinear, ndarray)
        The network with I + 1 neurons, the new one after neuron i, and its weights. The new one
        takes the edges to neurons with greater numbers if these form a chain, and no other edges
        else.

    Raises
    ------
    SpecificationError
        If there is no such neuron, the network has no edges, or the sign would change V: it would
        part a group of neurons whose corners are out of order.

    Examples
    --------
    >>> import numpy as np
    >>> data = LocalLinear(np.arange(3.0), np.array([0.0, 1.0, 0.0]), NeuronGraph(1))
    >>> larger, v = split(data, [[0.5, 0.0]], 0, sign=-1)
    >>> larger.neurons, larger.cost(v) == data.cost([[0.5, 0.0]])
    (2, True)
    """
    _local(data)
    graph = data.graph
    if not 0 <= i < graph.neurons:
        raise SpecificationError("i", i, f"must be below {graph.neurons}.", "Number from 0.")
    if sign not in (-1, 1):
        raise SpecificationError("sign", sign, "must be +1 or -1.", "Choose how the edge bends.")
    weights = np.insert(data.weights(w), i + 1, data.weights(w)[i], axis=0)

    def moved(j: int) -> int:
        return j + 1 if j > i else j

    chained = is_chain(graph)
    edges = {}
    for (a, b), s in zip(graph.edges, graph.signs, strict=True):
        edges[(i + 1, i + 2) if chained and a == i else (moved(a), moved(b))] = s
    edges[i, i + 1] = sign
    pairs = tuple(sorted(edges))
    larger = NeuronGraph(graph.neurons + 1, pairs, tuple(edges[pair] for pair in pairs))
    found = dataclasses.replace(data, graph=larger)
    before = data.outputs(w)
    if np.max(np.abs(found.outputs(weights) - before)) > 1e-9 * (1.0 + np.max(np.abs(before))):
        raise SpecificationError(
            "sign",
            sign,
            "would change V: it parts neurons whose corners are out of order.",
            "Take the sign of the edges beside it, or prune first.",
        )
    return found, weights


def grow(
    data: LocalLinear, w: Array, at: Iterable[float] | None = None
) -> tuple[LocalLinear, Array]:
    """Add corners to ordered neurons on a line, and fit the slopes with all corners held.

    Parameters
    ----------
    data : LocalLinear
        A chain with inputs on a line.
    w : array_like, shape (I, 2)
        Weights, at rest under the law.
    at : iterable of float, optional
        Where to add corners. Default: at the interior datum of the largest error.

    Returns
    -------
    tuple of (LocalLinear, ndarray)
        The larger network, with the signs of the fitted kinks, and its weights. V is not larger
        than before.

    Raises
    ------
    SpecificationError
        If the network is no chain on a line, or a corner is none: not between the data, or at
        another corner.

    Examples
    --------
    >>> import numpy as np
    >>> data = LocalLinear(np.arange(5.0), [0.0, 1.0, 2.0, 1.0, 0.0], NeuronGraph(1))
    >>> larger, v = grow(data, [[0.8, 0.0]])
    >>> larger.graph.signs, bool(larger.cost(v) < 1e-28), corners(v).round(9).tolist()
    ((-1,), True, [2.0])
    """
    _on_a_line(data)
    inputs = data.x[:, 0]
    low, high = float(np.min(inputs)), float(np.max(inputs))
    if at is None:
        at = [worst_datum(data, w)]
    present = corners(data.weights(w))
    # Corners beyond the data bend nothing that is measured.
    kept = [float(c) for c in present if np.isfinite(c) and low < c < high]
    added = [float(c) for c in at]
    for place, c in enumerate(added):
        if not low < c < high or min((abs(c - o) for o in kept + added[:place]), default=1.0) == 0:
            raise SpecificationError(
                "at",
                c,
                f"must lie strictly between {low:g} and {high:g}, at no other corner.",
                "Choose a datum inside.",
            )
    knots = np.array(sorted(kept + added))
    hinges = np.maximum(inputs[:, None] - knots, 0.0)
    basis = np.column_stack([data.X, hinges])
    offset, slope, *amplitudes = np.linalg.lstsq(basis, data.y, rcond=None)[0]
    slopes = slope + np.concatenate([[0.0], np.cumsum(amplitudes)])
    offsets = offset - np.concatenate([[0.0], np.cumsum(np.array(amplitudes) * knots)])
    signs = [1 if a >= 0 else -1 for a in amplitudes]
    larger = dataclasses.replace(data, graph=NeuronGraph.chain(signs))
    return larger, np.column_stack([offsets, slopes])


def worst_datum(data: LocalLinear, w: Array) -> float:
    """Return the interior input where the modulus of the error is largest (the first such)."""
    _on_a_line(data)
    inputs, errors = data.x[:, 0], np.abs(data.errors(w))
    inside = np.flatnonzero((inputs > np.min(inputs)) & (inputs < np.max(inputs)))
    present = corners(data.weights(w))
    free = [k for k in inside if not np.any(present == inputs[k])]
    if not free:
        raise SpecificationError(
            "data", inputs, "needs a datum between the outer ones.", "Give at least 3 inputs."
        )
    return float(inputs[max(free, key=lambda k: (round(errors[k], 12), -inputs[k]))])


def prune(data: LocalLinear, w: Array, *, tolerance: float = 1e-9) -> tuple[LocalLinear, Array]:
    """Take away neurons that answer no datum or equal a neighbour; all outputs stay as they are.

    Parameters
    ----------
    data : LocalLinear
        The network.
    w : array_like, shape (I, N + 1)
        Weights.
    tolerance : float, default 1e-9
        Largest change of an output, and largest difference of the weights of equal neurons.

    Returns
    -------
    tuple of (LocalLinear, ndarray)
        The smaller network, in which the neighbours of a neuron that went are neighbours of one
        that it met, and its weights.

    Raises
    ------
    SpecificationError
        If the network has no edges.

    Examples
    --------
    >>> import numpy as np
    >>> data = LocalLinear(np.arange(3.0), [0.0, 1.0, 2.0], NeuronGraph.chain((1, 1)))
    >>> smaller, v = prune(data, [[0.0, 1.0], [-9.0, 0.0], [0.0, 1.0]])
    >>> smaller.neurons, v.tolist()
    (1, [[0.0, 1.0]])
    """
    _local(data)
    weights = data.weights(w).copy()
    outputs = data.outputs(weights)
    going = True
    while going:
        going = False
        for i in range(data.neurons - 1, -1, -1):
            for j in data.graph.neighbours(i):
                graph = contracted(data.graph, i, j)
                if not graph.representable:
                    continue
                equal = np.max(np.abs(weights[i] - weights[j])) <= tolerance
                idle = not np.any(data.selection(weights)[:, i])
                if not (equal or idle):
                    continue
                smaller = dataclasses.replace(data, graph=graph)
                fewer = np.delete(weights, i, axis=0)
                if np.max(np.abs(smaller.outputs(fewer) - outputs)) <= tolerance:
                    data, weights, going = smaller, fewer, True
                    break
            if going:
                break
    return data, weights


def contracted(graph: NeuronGraph, i: int, j: int) -> NeuronGraph:
    """Return the graph without neuron i, whose neighbours become those of neuron j.

    An edge that is there already keeps its sign.
    """
    signs: dict[tuple[int, int], int] = {}
    for place, sign in (*_edges(graph, without=i), *_edges(graph, moved=(i, j))):
        a, b = sorted(place)
        signs.setdefault((a - (a > i), b - (b > i)), sign)
    pairs = tuple(sorted(signs))
    return NeuronGraph(graph.neurons - 1, pairs, tuple(signs[pair] for pair in pairs))


def is_chain(graph: NeuronGraph) -> bool:
    """Return whether every neuron meets just the one before it and the one after it."""
    return graph.edges == tuple((i, i + 1) for i in range(graph.neurons - 1))


def _edges(
    graph: NeuronGraph, without: int = -1, moved: tuple[int, int] | None = None
) -> list[tuple[tuple[int, int], int]]:
    """Return the edges without one neuron, or those of one neuron with another in its place."""
    found = []
    for edge, sign in zip(graph.edges, graph.signs, strict=True):
        if moved is None and without not in edge:
            found.append((edge, sign))
        elif moved is not None and moved[0] in edge and moved[1] not in edge:
            other = edge[0] + edge[1] - moved[0]
            found.append(((moved[1], other), sign))
    return found


def _local(data: LocalLinear) -> None:
    if data.units != "local":
        raise SpecificationError(
            "data", data.units, "must be of local neurons.", "ReLUs have no edges."
        )


def _on_a_line(data: LocalLinear) -> None:
    _local(data)
    if data.x.shape[1] != 1 or not is_chain(data.graph):
        raise SpecificationError(
            "data", data.x.shape, "must be a chain with inputs on a line.", "Take N = 1."
        )
