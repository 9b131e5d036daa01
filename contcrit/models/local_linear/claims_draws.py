"""Random small networks for the claims: degenerate ones among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...contraction.claims import Draw, Instance
from ...errors import Status


def data_of(case: Instance) -> Any:
    """Return the chain of an instance, as numbers."""
    from .data import LocalLinear
    from .graph import NeuronGraph

    signs = case.get("signs", (1,) * (len(case["w"]) - 1))
    return LocalLinear(
        case["x"], case["y"], NeuronGraph.chain(signs), case.get("units", "local"), case.get("T", 1)
    )


def network(draw: Draw) -> dict[str, Any]:
    """Return a small network: repeated and collinear inputs, equal and dead neurons among them."""
    K, n, neurons = draw.integer(1, 5), draw.integer(0, 2), draw.integer(1, 3)
    # Rounded: points next to rounding from a kink count as on it, whatever side they are on.
    x = np.round(draw.reals((K, n), -2.0, 2.0), 3)
    if draw.choice((False, True)):
        x = np.round(x)
    w = np.round(draw.reals((neurons, n + 1), -2.0, 2.0), 4)
    kind = draw.choice(("any", "any", "any", "equal", "dead"))
    if kind == "equal":
        w[:] = w[0]
    elif kind == "dead":
        w[-1, 0] -= 20.0
    return {
        "x": x,
        "y": np.round(draw.reals(K, -2.0, 2.0), 4),
        "w": w,
        "signs": tuple(draw.choice((1, -1)) for _ in range(neurons - 1)),
        "units": draw.choice(("local", "local", "relu")),
        "T": draw.choice((1.0, 2.5)),
    }


def upwards(draw: Draw) -> dict[str, Any]:
    """Return a maximum of neurons, and other weights for it."""
    case = network(draw)
    other = draw.reals(case["w"].shape, -2.0, 2.0)
    return {**case, "other": other, "signs": (1,) * (len(case["w"]) - 1), "units": "local"}


def path_of(case: Instance, name: str = "w") -> Any:
    """Return the law's solution, or None if it could not be followed."""
    from .law import learn

    path = learn(data_of(case), case[name])
    return path if path.status is Status.END_OF_TIME else None
