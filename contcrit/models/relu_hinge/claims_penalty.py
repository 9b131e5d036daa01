"""Claims about the exact penalty: Theorem 7, Corollaries 3 and 4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...contraction.claims import Claim, Draw, Outcome
from ...system import Array
from .claims_instances import (
    Case,
    drawn_positions,
    integers,
    judged,
    moved,
    network_of,
)
from .network import Positions
from .penalised import PenalisedNetwork
from .theory import seen_and_unsolved, separation

SOLVED = 1e-9

TRIANGLE = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
"""Three data in the plane, one for each class."""


def penalised_case(
    draw: Draw,
    alphas: Sequence[float],
    *,
    agreeing: bool = True,
    hidden: Any = 1,
    vanishing: bool = False,
    whole: bool = True,
) -> dict[str, Any]:
    """Return E_gamma with three classes, at replicates that agree, or not.

    Parameters
    ----------
    draw : Draw
        Where numbers come from.
    alphas : sequence of float
        Slopes to choose among.
    agreeing : bool, default True
        Whether all replicates share their hidden parameters.
    hidden : int or tuple of int, default 1
        Units of each layer.
    vanishing : bool, default False
        Whether the first class has v = 0.
    whole : bool, default True
        Whether weights are small integers, which puts data on kinks.
    """
    k = draw.integer(0, 2)
    X = np.vstack([TRIANGLE, 2.0 * TRIANGLE[k]]) + 0.25 * integers(draw, (4, 2), -1, 1)
    constants = {
        "X": X, "y": [0, 1, 2, k], "loss": "penalised", "alpha": draw.choice(alphas),
        "gamma": draw.choice((0.1, 1.0, 9.0)), "hidden": hidden,
    }  # fmt: skip
    network = network_of({"constants": constants})
    size = network.size // 3
    own = integers(draw, (size,), -2, 2) if whole else draw.reals(size, -2.0, 2.0)
    x = network.repeated(own)
    if whole:
        v = integers(draw, network.blocks["v"], -1, 1)
        if vanishing:
            v[0] = 0.0
        x = moved(network, x, v=v, c=integers(draw, (3,), -1, 1))
    if not agreeing:
        name = draw.choice(list(network.blocks)[: 2 * len(network.widths)])
        block = network.unpack(x)[name].copy()
        block[draw.integer(0, 2)] += draw.choice((0.5, -1.0, 2.0))
        x = moved(network, x, **{name: block})
    return {"constants": constants, "x": x}


def replicate_verdicts(network: PenalisedNetwork, x: Array) -> list[Any]:
    """Return each class's verdict on its replicate, for its own loss."""
    return [judged(part, x[network.index[r]]) for r, part in enumerate(network.replicates)]


def separable_classes(network: PenalisedNetwork) -> bool:
    """Tell whether every class can be separated from the others."""
    return all(
        separation(part.X, part.criterion.directions[:, 0]) > 0 for part in network.replicates
    )


def _some_class_refutes(network: PenalisedNetwork, x: Array, detail: str) -> Outcome:
    """Say that E_gamma is not critical at replicates that agree.

    The classes share no unknown, and the gradient of the penalty vanishes: Clarke's set is the
    product of the classes' sets.
    """
    answers = [found.evidence.get("critical") for found in replicate_verdicts(network, x)]
    if False in answers:
        return Outcome(True, detail=f"{detail}, critical for the classes: {answers}")
    return Outcome(None if None in answers else False, detail=f"{detail}, critical: {answers}")


# ---- Theorem 7 -----------------------------------------------------------------------------------


def layer_identity(
    network: PenalisedNetwork, x: Array, positions: Positions, level: int
) -> tuple[float, float]:
    """Return both sides of the identity behind Theorem 7(i) for one hidden layer.

    By Euler, ``w g_w + b g_b`` of a layer differs from ``w g_w`` of the next by what the penalty
    adds. At critical points all layers agree, from the last one down.
    """
    gradient = network.gradient(x, positions)
    first = network.replicates[0]
    names = list(first.blocks)
    after = names[2 * level + 2] if 2 * level + 2 < len(names) else ""

    def paired(name: str) -> float:
        rows = network.index[:, first.places[name]]
        return float(np.sum(x[rows] * gradient[rows]))

    def spread(name: str) -> float:
        hidden = x[network.index[:, first.places[name]]]
        return float(np.sum((hidden - hidden.mean(axis=0)) ** 2))

    weights, bias = names[2 * level], names[2 * level + 1]
    left = paired(weights) + paired(bias) - paired(after)
    count = len(network.replicates)
    total = spread(weights) + spread(bias)
    if level + 1 < len(first.widths):
        total -= spread(after)
    return left, 2.0 * network.gamma * count / (count - 1) * total


def _identity(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    scale = 1.0 + float(np.max(np.abs(x))) * float(
        np.sum(np.abs(network.gradient(x, case["positions"])))
    )
    return Outcome.every(
        [
            Outcome.close(
                *layer_identity(network, x, case["positions"], k), tolerance=1e-11 * scale
            )
            for k in range(len(network.widths))
        ]
    )


def _with_positions(draw: Draw) -> dict[str, Any]:
    case = penalised_case(
        draw,
        (0.0, 0.5, 1.0),
        agreeing=draw.choice((True, False)),
        hidden=draw.choice((1, 2, (2, 1), (1, 2, 1))),
        whole=draw.choice((True, False)),
    )
    return {**case, "positions": drawn_positions(draw, network_of(case), case["x"])}


def _exact(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    if not network.penalty(x) > 0:
        return Outcome(None, detail="replicates agree")
    _, right = layer_identity(network, x, network.positions(x), len(network.widths) - 1)
    if not right > 0:
        return Outcome(None, detail="replicates agree in the last layer")
    # The identity bounds every subgradient away from 0: |g| >= right / |x|.
    least = right / float(np.linalg.norm(x))
    norms = [
        float(np.linalg.norm(network.gradient(x, network.positions(x, tie))))
        for tie in (0.0, 0.3, 1.0)
    ]
    return Outcome.at_most(least, min(norms), tolerance=1e-9 * (1.0 + min(norms)))


def _two_class_relations(case: Case) -> Outcome:
    from ...criticality.clarke import classify_pieces
    from .pieces import HingePieces

    network, x = network_of(case), case["x"]
    whole = classify_pieces(HingePieces(network, x), time_limit=0.3).evidence["critical"]
    answers = [found.evidence.get("critical") for found in replicate_verdicts(network, x)]
    detail = f"critical: {whole}, for the classes: {answers}"
    if whole is None or None in answers:
        return Outcome(None, detail=detail)
    return Outcome(whole is all(answers), detail=detail)


def _no_penalty_strength(case: Case) -> Outcome:
    """Compare the subgradients of two strengths where the replicates agree."""
    network, x = network_of(case), case["x"]
    other = network_of({"constants": {**case["constants"], "gamma": 3.3}})
    gap = float(np.max(np.abs(network.gradient(x) - other.gradient(x))))
    return Outcome.at_most(gap, 1e-12 * (1.0 + float(np.max(np.abs(network.gradient(x))))))


# ---- Corollaries 3 and 4 -------------------------------------------------------------------------


def _leaky_global(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    loss, v = float(network.loss(x)), network.unpack(x)["v"]
    if not separable_classes(network) or loss <= SOLVED or not np.all(np.any(v, axis=1)):
        return Outcome(None, loss, "outside the hypotheses, or a global minimum")
    return _some_class_refutes(network, x, f"loss {loss:.4g}")


def _descends(case: Case) -> Outcome:
    """Look for points of lower E_gamma in small balls around a point where class 0 has v = 0.

    First c moves towards 0, then v where the features do not balance, and else v together with
    the hidden weights towards a separating plane, which costs the penalty a higher order.
    """
    network, x = network_of(case), case["x"]
    if not separable_classes(network):
        return Outcome(None, detail="not separable")
    part, index = network.replicates[0], network.index[0]
    own, start = x[index], float(network.loss(x))
    y, data = part.criterion.directions[:, 0], np.hstack([part.X, np.ones((len(part.X), 1))])
    plane = data.T @ y if np.all(y * (data @ (data.T @ y)) > 0) else _plane(data, y)
    gains = []
    for size in (1e-1, 1e-2):
        best = start
        for inward in (0.0, 1.0):
            for side in (1.0, -1.0):
                for share in (0.0, size / (10.0 * (1.0 + network.gamma))):
                    moved_own = own.copy()
                    c, v = part.places["c"].start, part.places["v"].start
                    moved_own[c] -= inward * size * np.sign(moved_own[c])
                    moved_own[v] = 0.1 * side * size
                    W, b = part.places["W"].start, part.places["b"].start
                    moved_own[W : W + 2] += 0.1 * side * share * size * plane[:2]
                    moved_own[b] += 0.1 * side * share * size * plane[2]
                    trial = x.copy()
                    trial[index] = moved_own
                    best = min(best, float(network.loss(trial)))
        gains.append(start - best)
    least = min(gains)
    return Outcome(least > 1e-14, least, f"E falls by {least:.3g} close by")


def _plane(data: Array, y: Array) -> Array:
    """Return (q, beta) of length 1 with y_i (q . x_i + beta) > 0: the nearest point of the hull."""
    from scipy.optimize import nnls

    rows = data * y[:, None]
    weights = nnls(np.vstack([rows.T, np.ones(len(rows))]), np.append(np.zeros(3), 1.0))[0]
    found: Array = rows.T @ weights
    return found / np.linalg.norm(found)


def _dead_for_their_class(case: Case) -> Outcome:
    network, x = network_of(case), case["x"]
    if not separable_classes(network):
        return Outcome(None, detail="not separable")
    seen = [
        seen_and_unsolved(part, x[network.index[r]]).tolist()
        for r, part in enumerate(network.replicates)
    ]
    if not any(seen):
        return Outcome(None, detail="no unsolved datum is seen")
    return _some_class_refutes(network, x, f"unsolved and seen by class {seen}")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="penalty-identity",
        statement="Every chain-rule subgradient g of E_gamma satisfies, layer by layer, an "
        "identity between its pairing with the weights and their spread over the replicates.",
        reference="Theorem 7 (i), its proof in quantitative form; equation 13",
        holds_in="one to three layers, any replicates, any positions at kinks",
        check=_identity,
        instance=_with_positions,
    ),
    Claim(
        key="penalty-is-exact",
        statement="At critical points of E_gamma all replicates share their hidden parameters.",
        reference="Theorem 7 (i)",
        holds_in="one or two layers, replicates that differ in one block",
        check=_exact,
        instance=lambda draw: penalised_case(
            draw, (0.0, 0.5), agreeing=False, hidden=draw.choice((1, 2, (1, 1)))
        ),
        trials=30,
    ),
    Claim(
        key="two-class-relations",
        statement="A point with equal replicates is critical for E_gamma exactly if it is for "
        "each class.",
        reference="Theorem 7 (ii); equation 14",
        holds_in="three classes, one unit",
        check=_two_class_relations,
        instance=lambda draw: penalised_case(draw, (0.0, 0.5)),
        trials=10,
    ),
    Claim(
        key="penalty-strength",
        statement="The critical points of E_gamma do not depend on gamma > 0.",
        reference="Theorem 7",
        holds_in="equal replicates",
        check=_no_penalty_strength,
        instance=lambda draw: penalised_case(draw, (0.0, 0.5), whole=draw.choice((True, False))),
    ),
    Claim(
        key="multiclass-leaky-global",
        statement="For 0 < alpha < 1 and separable data, a critical point of E_gamma with v_r != 0 "
        "for all r is a global minimum.",
        reference="Corollary 3 (i)",
        holds_in="three classes, one unit, equal replicates",
        check=_leaky_global,
        instance=lambda draw: penalised_case(draw, (0.25, 0.5)),
        trials=40,
    ),
    Claim(
        key="multiclass-leaky-zero",
        statement="With equal weight on all classes, no local minimum of E_gamma has v_r = 0 for "
        "a class r: there E_gamma falls in every neighbourhood.",
        reference="Corollary 3 (ii)",
        holds_in="three classes, one unit, equal replicates, |c| <= 1",
        check=_descends,
        instance=lambda draw: penalised_case(draw, (0.25, 0.5), vanishing=True),
        note="Class r has loss 1 where v_r = 0, and loss 0 can be had: such a point is never "
        "global.",
    ),
    Claim(
        key="deep-linear-classes",
        statement="For alpha = 1 too, with equal weight on all classes, no local minimum of "
        "E_gamma has v_r = 0.",
        reference="section 4, corollaries 100 and 101 of the appendix",
        holds_in="three separable classes, one unit, equal replicates, |c| <= 1",
        check=_descends,
        instance=lambda draw: penalised_case(draw, (1.0,), vanishing=True),
        note="The appendix states it for all critical points; here the ones with v_r = 0.",
    ),
    Claim(
        key="multiclass-relu-unseen",
        statement="For alpha = 0 and separable data, at a critical point of E_gamma a datum that "
        "class r has not solved is seen by no unit with (v_r)_k != 0.",
        reference="Corollary 4",
        holds_in="three classes, one unit, equal replicates",
        check=_dead_for_their_class,
        instance=lambda draw: penalised_case(draw, (0.0,)),
        trials=40,
    ),
)
"""Claims about the exact penalty."""
