"""Instances for the claims of the hinge networks: data of every degeneracy, points on kinks.

An instance is a mapping with the `constants` of the problem, as `relu_hinge.build` takes them, and
one point ``x``. Numbers are small integers and fractions, so that kinks are met exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...contraction.claims import Draw, Outcome
from ...criticality.record import Criticality
from ...system import Array
from .data import read_constants
from .network import HingeNetwork, convolution
from .scenarios import Scenario

Case = Mapping[str, Any]

LEAKY = (0.25, 0.5, 1.0)
ALPHAS = (0.0, *LEAKY)


def network_of(case: Case) -> Any:
    """Return the loss of an instance."""
    return read_constants(**case["constants"]).network()


def judged(network: HingeNetwork, x: Array) -> Criticality:
    """Judge a point as `contcrit.classify` does, without building expressions."""
    from ...criticality.clarke import classify_pieces
    from .cells import classify_in_cell
    from .pieces import HingePieces

    pieces = HingePieces(network, x)
    return classify_pieces(pieces) if any(pieces.levels) else classify_in_cell(network, x)


def criticality_of(case: Case) -> tuple[bool | None, bool | None]:
    """Return whether a point is Clarke critical, and whether it is a local minimum."""
    evidence = judged(network_of(case), case["x"]).evidence
    critical = evidence.get("critical")
    return critical, False if critical is False else evidence.get("local_minimum")


def refuted(answer: bool | None, margin: float, what: str) -> Outcome:
    """Say that an answer is "no", as claimed."""
    return Outcome(None if answer is None else not answer, margin, f"{what}: {answer}")


def scenario_case(scenario: Scenario, label: str) -> dict[str, Any]:
    """Return one point of a scenario as an instance."""
    constants = dict(scenario.constants)
    x = read_constants(**constants).network().pack(**scenario.points[label])
    return {"constants": constants, "x": x}


def moved(network: Any, x: Array, **blocks: Any) -> Array:
    """Return the point with other values of some blocks."""
    result: Array = network.pack(**{**network.unpack(x), **blocks})
    return result


def integers(draw: Draw, shape: Sequence[int], low: int, high: int) -> Array:
    """Return whole numbers, as floats."""
    count = int(np.prod(shape))
    drawn = [float(draw.integer(low, high)) for _ in range(count)]
    return np.array(drawn).reshape(tuple(shape))


def data(draw: Draw, count: int, d: int) -> Array:
    """Return inputs: general, collinear, or with duplicates."""
    shape = draw.choice(("general", "general", "duplicates", "collinear"))
    X = integers(draw, (count, d), -3, 3)
    if shape == "duplicates":
        X[1] = X[0]
    elif shape == "collinear":
        X = np.outer(X[:, 0], integers(draw, (d,), 1, 2))
    return X


def labels(draw: Draw, count: int) -> Array:
    """Return labels of which both +1 and -1 occur."""
    return np.array([1, -1, *(draw.choice((-1, 1)) for _ in range(count - 2))])


def separable(draw: Draw, count: int, d: int) -> tuple[Array, Array]:
    """Return inputs with both labels that a hyperplane separates, with duplicates now and then."""
    X, q = data(draw, count, d), integers(draw, (d,), -2, 2)
    if not q.any():
        q[0] = 1.0
    if np.ptp(X @ q) == 0:
        X[0] = X[0] + q
    heights = np.unique(X @ q)
    cut = draw.integer(1, len(heights) - 1)
    return X, np.where(X @ q >= heights[cut], 1, -1)


def on_kinks(draw: Draw, network: HingeNetwork) -> Array:
    """Return a point of one hidden layer and one output where kinks meet.

    Units pass through data, are dead, or switched off (v = 0); the output bias puts a margin on
    its kink.
    """
    X, K = network.X, network.widths[0]
    W, b = integers(draw, (K, X.shape[1]), -2, 2), integers(draw, (K,), -2, 2)
    v = np.array([draw.choice((-1.0, -0.5, 0.5, 1.0)) for _ in range(K)])
    for k in range(K):
        fate = draw.choice(("through", "through", "dead", "unused", "free"))
        if fate == "through":
            b[k] = -W[k] @ X[draw.integer(0, len(X) - 1)]
        elif fate == "dead":
            b[k] = -1.0 - np.max(X @ W[k])
        elif fate == "unused":
            v[k] = 0.0
    blocks: dict[str, Any] = {"W": W, "b": b}
    if "v" in network.blocks:
        blocks["v"] = v
    if "c" in network.blocks:
        blocks["c"] = float(draw.integer(-1, 1))
    x = network.pack(**blocks)
    if "c" in network.blocks and draw.choice((True, False)):
        margins = network.switching(x)[-1]
        j = draw.integer(0, len(margins) - 1)
        x[-1] += margins[j] * network.criterion.directions[j, 0]
    return x


def binary_case(
    draw: Draw,
    alphas: Sequence[float] = ALPHAS,
    *,
    apart: bool = True,
    equal: bool = False,
    vanishing: bool = False,
    largest: int = 4,
    units: int = 2,
) -> dict[str, Any]:
    """Return a binary problem of one hidden layer, and a point on its kinks.

    Parameters
    ----------
    draw : Draw
        Where numbers come from.
    alphas : sequence of float
        Slopes to choose among.
    apart : bool, default True
        Whether the data are separable.
    equal : bool, default False
        Whether both classes weigh 1/2.
    vanishing : bool, default False
        Whether all output weights are 0.
    largest, units : int
        Most data (default 4) and units (default 2).
    """
    count, d = draw.integer(2, largest), draw.integer(1, 2)
    if apart:
        X, y = separable(draw, count, d)
    else:
        X, y = data(draw, count, d), labels(draw, count)
    mu = integers(draw, (count,), 1, 3) / 6.0
    if equal:
        for side in (-1, 1):
            mu[y == side] *= 0.5 / np.sum(mu[y == side])
    constants = {
        "X": X, "y": y, "mu": mu, "hidden": draw.integer(1, units), "alpha": draw.choice(alphas),
    }  # fmt: skip
    case = {"constants": constants}
    network = network_of(case)
    x = on_kinks(draw, network)
    if vanishing:
        x = moved(network, x, v=np.zeros(network.widths[0]))
    return {**case, "x": x}


def any_network(
    draw: Draw,
    losses: Sequence[str] = ("binary", "multiclass", "one-versus-all"),
    *,
    deepest: int = 3,
) -> dict[str, Any]:
    """Return a loss with up to `deepest` hidden layers, one of which may be a convolution."""
    count, d, loss = draw.integer(3, 5), 3, draw.choice(losses)
    widths = [draw.integer(1, 3) for _ in range(draw.integer(1, deepest))]
    bases: list[Any] = [None] * len(widths)
    if draw.choice((True, False)):
        bases[0] = convolution(3, 2, outputs=draw.integer(1, 2))
        widths[0] = bases[0].shape[1]
    constants = {
        "X": draw.reals((count, d), -2.0, 2.0),
        "y": labels(draw, count) if loss == "binary" else np.arange(count) % 3,
        "hidden": widths,
        "loss": loss,
        "alpha": draw.choice(ALPHAS),
        "output_bias": draw.choice((True, True, False)),
        "bases": bases,
    }
    case = {"constants": constants}
    return {**case, "x": draw.reals(network_of(case).size, -2.0, 2.0)}


def drawn_positions(draw: Draw, network: Any, x: Array) -> list[Array]:
    """Return positions of all kinks: 0 or 1 by side, anything in [0, 1] on a kink."""
    found = []
    for g in network.switching(x):
        position = (g > 0).astype(float)
        for k in np.flatnonzero(np.abs(g) <= 1e-12):
            position[k] = draw.choice((0.0, 0.25, 0.5, 1.0))
        found.append(position)
    return found


def sampled(network: Any, seed: int, count: int) -> Array:
    """Return normally distributed parameters, shape (count, n)."""
    return np.random.default_rng(seed).standard_normal((count, network.size))


def smallest_margin(network: Any, x: Array) -> float:
    """Return how close the nearest kink is, in units of its switching function."""
    return float(min(np.min(np.abs(g)) for g in network.switching(x)))
