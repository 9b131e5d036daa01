"""Hypothesis strategies for hinge networks: data with every degeneracy, points on many kinks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from contcrit.criticality.clarke import classify_pieces
from contcrit.criticality.record import Criticality
from contcrit.models.relu_hinge.cells import classify_in_cell
from contcrit.models.relu_hinge.data import HingeData, read_constants
from contcrit.models.relu_hinge.model import ReluHingeProblem, build
from contcrit.models.relu_hinge.network import convolution
from contcrit.models.relu_hinge.pieces import HingePieces

DRAWS = st.integers(0, 2**32 - 1)
LOSSES = st.sampled_from(("binary", "multiclass", "one-versus-all", "penalised"))
ALPHAS = st.sampled_from((0.0, 0.25, 0.5, 1.0))


@dataclass
class Case:
    """The constants of a problem, and one point of it."""

    constants: dict[str, Any]
    x: Any = None

    @cached_property
    def data(self) -> HingeData:
        return read_constants(**self.constants)

    @cached_property
    def network(self) -> Any:
        return self.data.network()

    @cached_property
    def problem(self) -> ReluHingeProblem:
        return build(**self.constants)

    @property
    def blocks(self) -> dict[str, np.ndarray]:
        return self.network.unpack(self.x)

    @property
    def pieces(self) -> HingePieces:
        return HingePieces(self.network, self.x)

    def moved(self, **blocks: Any) -> np.ndarray:
        """Return the point with other values of some blocks."""
        return self.network.pack(**{**self.blocks, **blocks})


def verdict(case: Case) -> Criticality:
    """Judge a case as `contcrit.classify` judges it, without building its expressions."""
    pieces = case.pieces
    if any(pieces.levels):
        return classify_pieces(pieces)
    return classify_in_cell(case.network, case.x)


def random_data(rng: np.random.Generator, count: int, d: int) -> np.ndarray:
    """Return small integer data: general, collinear, or with duplicates."""
    X = rng.integers(-3, 4, size=(count, d)).astype(float)
    kind = rng.integers(4)
    if kind == 0 and count > 1:
        X[1] = X[0]
    elif kind == 1:
        X = np.outer(rng.integers(-3, 4, size=count), rng.integers(1, 3, size=d)).astype(float)
    return X


def random_labels(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return both labels +1 and -1."""
    y = rng.choice((-1, 1), size=count)
    y[:2] = (1, -1)
    return y


def on_kinks(rng: np.random.Generator, network: Any) -> np.ndarray:
    """Return a point of a one-layer problem with one output that lies on its kinks.

    Units pass through data, are dead, turned off (v = 0) or both; the output bias puts a margin on
    its kink.
    """
    X, K = network.X, network.widths[0]
    W = rng.integers(-2, 3, size=(K, X.shape[1])).astype(float)
    b = rng.integers(-2, 3, size=K).astype(float)
    v = rng.choice((-1.0, -0.5, 0.5, 1.0), size=K)
    for k in range(K):
        fate = rng.integers(6)
        if fate <= 2:
            b[k] = -W[k] @ X[rng.integers(len(X))]
        elif fate == 3:
            b[k] = -1.0 - np.max(X @ W[k])
        elif fate == 4:
            v[k] = 0.0
    blocks: dict[str, Any] = {"W": W, "b": b}
    if "v" in network.blocks:
        blocks["v"] = v
    if "c" in network.blocks:
        blocks["c"] = float(rng.integers(-1, 2))
    x = network.pack(**blocks)
    if "c" in network.blocks and rng.random() < 0.7:
        # Move the bias so that one margin vanishes.
        margins = network.switching(x)[-1]
        j = rng.integers(len(margins))
        x[-1] += margins[j] * network.criterion.directions[j, 0]
    return x


@st.composite
def binary_cases(draw: Any, alphas: Any = ALPHAS, sliced: bool | None = None) -> Case:
    """Draw a binary problem of one hidden layer and a point on its kinks."""
    rng = np.random.default_rng(draw(DRAWS))
    count, d, K = rng.integers(2, 5), rng.integers(1, 3), rng.integers(1, 3)
    fixed = bool(rng.integers(2)) if sliced is None else sliced
    case = Case(
        dict(
            X=random_data(rng, count, d),
            y=random_labels(rng, count),
            hidden=int(K),
            alpha=draw(alphas),
            output_bias=bool(rng.integers(4)),
            mu=rng.integers(1, 4, size=count) / 6.0,
            output_weights=rng.choice((-1.0, 1.0), size=K) if fixed else None,
        )
    )
    case.x = on_kinks(rng, case.network)
    return case


@st.composite
def networks(draw: Any, losses: Any = None) -> Case:
    """Draw any loss with one to three hidden layers, some convolutional, at a random point."""
    rng = np.random.default_rng(draw(DRAWS))
    loss = draw(LOSSES if losses is None else losses)
    count, d, depth = rng.integers(3, 6), 3, rng.integers(1, 4)
    widths = [int(k) for k in rng.integers(1, 4, size=depth)]
    bases: list[Any] = [None] * int(depth)
    if rng.integers(2):
        bases[0] = convolution(3, 2, outputs=int(rng.integers(1, 3)))
        widths[0] = bases[0].shape[1]
    y = random_labels(rng, count) if loss == "binary" else np.arange(count) % 3
    case = Case(
        dict(
            X=rng.normal(size=(count, d)),
            y=y,
            hidden=widths,
            loss=loss,
            alpha=draw(ALPHAS),
            output_bias=bool(rng.integers(4)),
            gamma=0.7,
            bases=bases,
        )
    )
    case.x = rng.normal(size=case.network.size)
    return case


@st.composite
def kinked_networks(draw: Any) -> Case:
    """Draw two layers, or many outputs, with small integers: on kinks of units and of outputs."""
    rng = np.random.default_rng(draw(DRAWS))
    loss = draw(st.sampled_from(("binary", "multiclass", "one-versus-all")))
    count = int(rng.integers(2, 4))
    y = random_labels(rng, count) if loss == "binary" else np.arange(count) % 2
    hidden = (1, 1) if loss == "binary" else 1
    case = Case(
        dict(X=random_data(rng, count, 1), y=y, hidden=hidden, loss=loss, alpha=draw(ALPHAS))
    )
    network = case.network
    case.x = rng.integers(-2, 3, size=network.size).astype(float)
    for level in range(len(network.widths)):
        if rng.integers(2):  # a datum on the kink of the unit of this layer
            name = "b" if len(network.widths) == 1 else f"b{level + 1}"
            inputs = network.switching(case.x)[level]
            case.x = case.moved(**{name: case.blocks[name] - rng.choice(inputs)})
    if rng.integers(2):  # a margin on its kink
        margins = network.switching(case.x)[-1]
        j = int(rng.integers(len(margins)))
        direction = network.criterion.directions[j]
        shift = margins[j] * direction / (direction @ direction)
        case.x = case.moved(c=case.blocks["c"] + np.reshape(shift, case.blocks["c"].shape))
    return case


def random_positions(rng: np.random.Generator, network: Any, x: np.ndarray, tie: float = 1e-9):
    """Return positions of all kinks: 0 or 1 by side, anything in [0, 1] on a kink."""
    return [
        np.where(np.abs(g) <= tie, rng.random(g.shape), g > 0).astype(float)
        for g in network.switching(x)
    ]
