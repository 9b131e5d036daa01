"""Claims about cells: Lemma 1, Theorems 1 and 2, Corollaries 1 and 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from ...system import Array
from .cells import classify_in_cell, is_flat
from .claims_instances import (
    Case,
    any_network,
    binary_case,
    judged,
    moved,
    network_of,
    sampled,
    smallest_margin,
)
from .network import HingeNetwork, Positions

OFF = 1e-7
"""A point closer to a kink than this is not taken for one of a cell."""

# ---- Lemma 1 -------------------------------------------------------------------------------------


def _kinked(draw: Draw) -> dict[str, Any]:
    case = draw.choice((any_network, lambda d: binary_case(d, apart=False)))(draw)
    return {**case, "seed": draw.integer(0, 2**32 - 1)}


def _cells(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    direction, *others = sampled(network, case["seed"], 65)
    line = np.array([x + t * direction for t in (1e-3, 0.1, 0.37, 1.0)])
    signs = network.signature(line)
    if np.any(signs == 0):  # the boundary would contain most of a random line
        return Outcome(False, detail="a random line lies in the boundary set")
    point = line[2]
    margin = smallest_margin(network, point)
    if margin < OFF:
        return Outcome(None, margin, "the point is too close to a kink")
    steep = max(
        float(np.max(np.linalg.norm(rows, axis=1)))
        for rows in network.switching_jacobians(point, network.positions(point))
    )
    radius = 1e-2 * min(1.0, margin / (1.0 + steep))
    near = point + radius * np.array([u / np.linalg.norm(u) for u in others])
    same = bool(np.all(network.signature(near) == network.signature(point)))
    return Outcome(same, radius, f"one cell in a ball of radius {radius:.3g}")


# ---- Theorem 1 -----------------------------------------------------------------------------------


def _smooth(draw: Draw) -> dict[str, Any]:
    return {**any_network(draw), "seed": draw.integer(0, 2**32 - 1)}


def multilinear_forms(network: HingeNetwork, x: Array, positions: Positions) -> list[Array]:
    """Return phi_0, ..., phi_{L+1} and the constant phi_{L+2} of Theorem 1, at one point.

    Each is the cell's loss with all blocks at 0 that the form does not take, less the constant.
    """
    names = list(network.blocks)
    depth = len(network.widths)
    output = [name for name in names[2 * depth :] if name != "c"]
    terms = [[*names[0 : 2 * depth : 2], *output]]
    for level in range(depth):
        terms.append([names[2 * level + 1], *names[2 * level + 2 : 2 * depth : 2], *output])
    terms.append(["c"] if "c" in names else [])
    found = []
    constant = network.loss(np.zeros_like(x), positions)
    for used in terms:
        part = np.zeros_like(x)
        for name in used:
            part[network.places[name]] = x[network.places[name]]
        found.append(network.loss(part, positions) - constant)
    return [*found, constant]


def _multilinear(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    positions = network.positions(x)
    other = sampled(network, case["seed"], 1)[0]
    # The forms add up to the loss in the cell ...
    parts = multilinear_forms(network, x, positions)
    whole = float(network.loss(x))
    scale = 1.0 + sum(abs(float(part)) for part in parts)
    gaps = [abs(float(np.sum(parts)) - whole)]
    # ... and each is linear in each block that it takes.
    for place in network.places.values():
        combined, second = x.copy(), x.copy()
        combined[place] = 0.7 * x[place] - 1.3 * other[place]
        second[place] = other[place]
        left = multilinear_forms(network, combined, positions)
        right = multilinear_forms(network, second, positions)
        for k, (a, b, one) in enumerate(zip(left, right, parts, strict=True)):
            taken = k < len(parts) - 1 and not np.isclose(a, one, rtol=0, atol=1e-12 * scale)
            if taken:
                gaps.append(abs(float(a - 0.7 * one + 1.3 * b)))
                scale += abs(float(b)) + abs(float(a))
    return Outcome.at_most(max(gaps), 1e-10 * scale, detail=f"defect {max(gaps):.2g}")


# ---- Corollaries 1 and 2 -------------------------------------------------------------------------


def _shifted(draw: Draw) -> dict[str, Any]:
    """Return a smooth instance; now and then all units are dead, or output weights rest at 0."""
    case, fate = _smooth(draw), draw.choice(("plain", "dead", "resting"))
    network, x = network_of(case), case["x"]
    if fate == "dead":
        name = "b" if "b" in network.blocks else "b1"
        x = moved(network, x, **{name: network.unpack(x)[name] - 50.0})
    elif fate == "resting":
        blocks = {n: np.zeros(s) for n, s in network.blocks.items() if n in ("v", "V")}
        x = moved(network, x, **blocks)
    return {**case, "x": x}


def _no_smooth_extremum(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    margin = smallest_margin(network, x)
    if margin < OFF:
        return Outcome(None, margin, "the point is too close to a kink")
    positions, found = network.positions(x), classify_in_cell(network, x)
    # The cell's form is a polynomial that does not know of the borders.
    around = x + 0.1 * sampled(network, case["seed"], 400)
    values = network.loss(around, positions) - network.loss(x)
    size = 1.0 + float(np.max(np.abs(values)))
    if found.kind == "flat minimum":
        return Outcome.at_most(float(np.max(np.abs(values))), 1e-11 * size, detail="flat cell")
    low, high = float(np.min(values)), float(np.max(values))
    if min(-low, high) < 1e-13 * size:
        return Outcome(None if max(-low, high) < 1e-10 else False, detail="values of one sign")
    return Outcome(True, min(-low, high), f"loss changes by {low:.3g} and {high:.3g} close by")


def _hessian(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    matrix = network.hessian(x, network.positions(x))
    values = np.linalg.eigvalsh(matrix)
    largest = float(np.max(np.abs(values)))
    if largest < 1e-9:
        return Outcome(None, largest, "the Hessian vanishes")
    trace = abs(float(np.trace(matrix))) / largest
    margin = min(-float(values[0]), float(values[-1])) / largest
    detail = f"eigenvalues from {values[0]:.3g} to {values[-1]:.3g}, trace {trace:.1g}"
    return Outcome(margin > 1e-12 and trace < 1e-9, margin, detail)


# ---- Theorem 2 -----------------------------------------------------------------------------------


def _zero_loss(draw: Draw, deepest: int = 3) -> dict[str, Any]:
    """Label data as a network ranks them, and scale its output until a margin is at its kink."""
    case = any_network(draw, ("binary",), deepest=deepest)
    yhat = network_of(case).predictions(case["x"])[:, 0]
    constants = {**case["constants"], "y": np.where(yhat > 0, 1, -1)}
    network = network_of({"constants": constants})
    names = [name for name in ("v", "c") if name in network.blocks]
    reach = float(np.min(np.abs(yhat)))
    if reach > 1e-3:
        blocks = network.unpack(case["x"])
        x = moved(network, case["x"], **{name: blocks[name] / reach for name in names})
        return {"constants": constants, "x": x, "scaled": names}
    return {"constants": constants, "x": case["x"], "scaled": []}


def _flat_beside(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    loss = float(network.loss(x))
    if not case["scaled"] or loss > 1e-12:
        return Outcome(None, loss, "a datum lies on the decision surface")
    blocks = network.unpack(x)
    beside = moved(network, x, **{n: (1 + 1e-7) * blocks[n] for n in case["scaled"]})
    if float(network.loss(beside)) != 0.0:
        return Outcome(False, detail=f"loss {float(network.loss(beside)):.3g} beside")
    flat = is_flat(network, network.positions(beside))
    return Outcome(flat, detail=f"loss {loss:.2g}, and a flat cell of loss 0 beside")


def _sharp_has_loss(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    found, loss = judged(network, x), float(network.loss(x))
    detail = f"{found.kind} of loss {loss:.6g}"
    if loss > 1e-12:
        return Outcome(True if found.kind == "sharp minimum" else None, loss, detail)
    return Outcome(found.kind != "sharp minimum", loss, detail)


def _kinked_or_solved(draw: Draw) -> dict[str, Any]:
    if draw.choice((True, False)):
        return _zero_loss(draw, deepest=1)
    return binary_case(draw, apart=False, largest=3, units=1)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="cells",
        statement="Cells are open and disjoint, and their boundaries form a closed set of measure "
        "zero.",
        reference="Lemma 1",
        holds_in="one to three layers, fully connected or convolutional; points on kinks too",
        check=_cells,
        instance=_kinked,
    ),
    Claim(
        key="multilinear",
        statement="In a cell the loss is a sum of L + 2 multilinear forms and a constant.",
        reference="Theorem 1",
        holds_in="one to three layers, fully connected or convolutional, any loss",
        check=_multilinear,
        instance=_smooth,
    ),
    Claim(
        key="no-smooth-extrema",
        statement="Off the kinks the loss has a local extremum in flat cells only.",
        reference="Corollary 1",
        holds_in="points of cells, dead networks and resting outputs included",
        check=_no_smooth_extremum,
        instance=_shifted,
    ),
    Claim(
        key="saddle-like",
        statement="Where the Hessian does not vanish, it has eigenvalues of both signs.",
        reference="Corollary 2",
        holds_in="points of cells",
        check=_hessian,
        instance=_shifted,
    ),
    Claim(
        key="zero-loss-is-flat",
        statement="At a point of zero loss a flat cell of zero loss is adjacent, so that no sharp "
        "local minimum has zero loss.",
        reference="Theorem 2; Main Result 1",
        holds_in="one to three layers, fully connected or convolutional; a margin at its kink",
        check=_flat_beside,
        instance=_zero_loss,
        trials=30,
    ),
    Claim(
        key="sharp-minima-have-loss",
        statement="The loss is positive at every sharp local minimum.",
        reference="Theorem 2; Main Result 1",
        holds_in="one hidden layer, points where kinks meet, of positive and of zero loss",
        check=_sharp_has_loss,
        instance=_kinked_or_solved,
    ),
)
"""Claims about cells."""
