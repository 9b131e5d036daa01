"""Random parities: a ReLU network with hinge loss on ``y = (-1)^(v . x)``.

Paper: S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, ICML
2017, section 2.

All 2^d inputs x in {0, 1}^d are equally likely; one layer of ReLUs answers under the hinge loss,

    L = mean_x relu(1 - y p(x)) + lam |theta|^2 / 2,   p(x) = sum_k v_k relu(w_k . x + b_k) + c.

This is the model `relu-hinge` on parity data: its critical points are Clarke's. They are continued
in the leak alpha, in a ridge lam, and in a mixture of two targets, y = (1 - s) h_v + s h_v'.

What makes parities hard is not the critical points: at every w the gradient is nearly the same for
all 2^d targets. `parity.theory` has the exact variance.

Assumptions. Theorem 1: orthogonal targets with E h^2 <= 1, and the square loss or a 1-Lipschitz
margin loss with labels +1 and -1.

Errata. The factors of E[h_v h_v'] are (1 + (-1)^(v_i + v'_i)) / 2. The margin loss's gradient in
the proof of Theorem 1 drops a factor h. The network of Lemma 3 errs where v . x = 0: triangles
around even numbers need width 3 (floor(d / 2) + 1); the lemma itself is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp
from scipy.special import binom

from ....criticality.clarke import classify_pieces
from ....errors import SpecificationError
from ....symbolic.markers import leaky_relu, relu
from ....symbolic.piecewise import PiecewiseProblem
from ....system import Array
from ...base import Model, Start
from ...relu_hinge import model as relu_hinge
from ...relu_hinge.data import HingeData
from ...relu_hinge.model import ReluHingeProblem
from ...relu_hinge.network import HingeNetwork
from ...relu_hinge.vertices import critical_vertices
from .claims import CLAIMS
from .theory import inputs, parity

NAME = "parity"

CANDIDATES = 12
"""Vertices of least loss that are looked at for starts."""

MANY = 40
"""Largest number of bits; beyond 16 units must be tied, as inputs are written out otherwise."""

WEAK = 1e-3
"""Strength of the ridge at which starts are given."""


class ParityProblem(PiecewiseProblem):
    """The loss with a ridge, or of a mixture of targets.

    Attributes
    ----------
    data : HingeData
        The plain loss's constants.
    default_values : dict of str to float
        Values of the parameters where none are given.
    """

    _data: HingeData
    _origin: dict[str, Any]

    @property
    def data(self) -> HingeData:
        """The constants of the plain loss for the target v."""
        return self._data

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters where none are given."""
        known = {"alpha": self._data.alpha, "lam": WEAK, "s": 0.0}
        return {name: known[name] for name in self.parameter_names}

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which it can be rebuilt."""
        return dict(self._origin)


def build(
    d: int = 2,
    v: Any = None,
    width: Any = 1,
    alpha: float = 0.0,
    output_weights: Any = None,
    output_bias: bool = True,
    ridge: bool = False,
    other: Any = None,
    tied: bool = False,
) -> ReluHingeProblem | ParityProblem:
    """Return the critical points of the hinge loss on parity data, a piecewise problem.

    Parameters
    ----------
    d : int, default 2
        Number of bits.
    v : array_like of 0 and 1, shape (d,), optional
        The bits that count; default all.
    width : int, default 1
        Units K of the hidden layer.
    alpha : float, default 0
        Value of the parameter ``alpha``, the slope of units that are off.
    output_weights : array_like, shape (K,), optional
        Values of v_k, which are then constants.
    output_bias : bool, default True
        Whether there is an output bias c.
    ridge : bool, default False
        Adds the parameter ``lam``: ``lam |theta|^2 / 2`` over all unknowns.
    other : array_like of 0 and 1, shape (d,), optional
        Adds the parameter ``s``: labels are ``(1 - s) h_v + s h_other``; not with `tied`.
    tied : bool, default False
        Whether every unit sees ``t = v . x`` only, ``w_k = omega_k v``: k + 1 data with binomial
        weights in place of 2^d, k = |v|. W then holds the omega_k, shape (K, 1). Critical
        points with ties are critical without, by symmetry; with a ridge, if all bits count.

    Returns
    -------
    ReluHingeProblem or ParityProblem
        Of kind "potential", in the blocks W, b, v (unless given) and c. The plain loss has the
        exact verdicts of the model `relu-hinge`.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.

    Examples
    --------
    >>> problem = build(d=2, output_weights=[1.0])
    >>> point = problem.pack(W=[[2.0, 2.0]], b=[-2.0], c=-1.0)
    >>> float(problem.potential(point, {"alpha": 0.0}))
    0.5
    """
    d, target = _bits("v", v, d)
    rival = None if other is None else _bits("other", other, d)[1]
    if isinstance(width, bool) or not isinstance(width, (int, np.integer)) or width < 1:
        raise SpecificationError("width", width, "must be a positive whole number.", "width=2.")
    if tied and (rival is not None or not target.any()):
        raise SpecificationError(
            "tied", tied, "needs a single target with a bit that counts.", "Leave out `tied`."
        )
    if tied:
        ones = int(target.sum())
        X = np.arange(ones + 1.0)[:, None]
        y = parity(X, [1])
        weights = binom(ones, X[:, 0]) / 2.0**ones
    else:
        X = inputs(d)
        y = parity(X, target)
        weights = np.full(len(X), 1 / len(X))
    plain = relu_hinge.build(
        X=X,
        y=y.astype(int),
        mu=weights,
        hidden=int(width),
        alpha=alpha,
        output_weights=output_weights,
        output_bias=output_bias,
    )
    constants: dict[str, Any] = {
        "d": d,
        "v": target.astype(int).tolist(),
        "width": int(width),
        "alpha": float(alpha),
        "output_bias": bool(output_bias),
        "ridge": bool(ridge),
        "tied": bool(tied),
    }
    if output_weights is not None:
        constants["output_weights"] = np.asarray(output_weights, dtype=float).tolist()
    if rival is not None:
        constants["other"] = rival.astype(int).tolist()
    origin = {"model": NAME, "constants": constants}
    if not ridge and rival is None:
        plain._origin = origin
        return plain
    turned = y if rival is None else parity(X, rival)
    problem = _extended(plain.data, turned, ridge, target.sum() if tied else 1)
    problem._origin = origin
    return problem


def starts(
    problem: ReluHingeProblem | ParityProblem | Mapping[str, Any],
    values: Mapping[str, float] | None = None,
) -> dict[str, Start]:
    """Return critical points that do better than a constant, among the vertices of the plain loss.

    Parameters
    ----------
    problem : ReluHingeProblem, ParityProblem or mapping
        The problem, or the constants to build it from; few units and bits, as all vertices are
        enumerated.
    values : mapping, optional
        Parameter values; default ``alpha`` as built, ``lam`` = 0.001 and ``s`` = 0. Vertices are
        those at s = 0.

    Returns
    -------
    dict of str to Start
        ``"vertex 0"``, ... by increasing loss: Clarke critical points of the problem that was
        asked, with a loss below 1, and not in a flat cell, from which no single branch leaves.
        Where output weights are unknown the vertices are those for alternating +1 and -1, with
        both layers of each unit scaled to one length.

    Examples
    --------
    >>> found = starts({"d": 2, "output_weights": [1.0]})
    >>> found["vertex 0"].unknowns["c"].tolist()
    -1.0
    """
    asked = build(**problem) if isinstance(problem, Mapping) else problem
    named = {**asked.default_values, **(values or {})}
    if named.get("s", 0.0) != 0.0:
        raise SpecificationError("s", named["s"], "must be 0 at starts.", "Trace in s from there.")
    data = asked.data
    network = data.network({"alpha": named["alpha"]})
    assert isinstance(network, HingeNetwork)
    fixed = network.fixed_output
    if fixed is None:
        fixed = ((-1.0) ** np.arange(network.widths[0]))[None, :]
    slice_of_it = replace(network, fixed_output=fixed)
    vertices = critical_vertices(slice_of_it)
    constants = asked.describe()["constants"]
    copies = sum(constants["v"]) if constants["tied"] else 1
    found: dict[str, Start] = {}
    for x, loss in zip(vertices.points[:CANDIDATES], vertices.losses, strict=False):
        if loss >= 1 - 1e-9:
            break
        blocks = _balanced(network, slice_of_it.unpack(x), fixed, copies)
        kind = classify_pieces(asked.pieces(asked.pack(**blocks), named)).kind
        if kind not in ("not critical", "flat minimum"):
            found[f"vertex {len(found)}"] = Start(blocks, named, f"loss {loss:.12g}")
    return found


def _balanced(
    network: HingeNetwork, blocks: dict[str, Any], signs: Array, copies: int
) -> dict[str, Any]:
    """Return the blocks of a point of the slice, with output weights where they are unknown."""
    if network.fixed_output is not None:
        return blocks
    lengths = np.sqrt(copies * np.sum(blocks["W"] ** 2, axis=1) + blocks["b"] ** 2)
    scale = np.where(lengths > 0, 1 / np.sqrt(np.where(lengths > 0, lengths, 1.0)), 1.0)
    found = {
        "W": scale[:, None] * blocks["W"],
        "b": scale * blocks["b"],
        "v": np.where(lengths > 0, signs[0] / scale, 0.0),
    }
    return found | ({"c": blocks["c"]} if "c" in blocks else {})


def _bits(name: str, value: Any, d: Any) -> tuple[int, Array]:
    """Return d and the bits that count, checked."""
    if isinstance(d, bool) or not isinstance(d, (int, np.integer)) or not 1 <= d <= MANY:
        raise SpecificationError(
            "d", d, f"must be a whole number from 1 to {MANY}.", "The default is 2."
        )
    try:
        found = np.ones(int(d)) if value is None else np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(name, value, "must hold 0 and 1.", "Give a list.") from error
    if found.shape != (d,) or not np.all((found == 0) | (found == 1)):
        raise SpecificationError(name, value, f"needs {d} entries, 0 or 1.", "v=[1, 0], say.")
    return int(d), found


def _extended(data: HingeData, turned: Array, ridge: bool, copies: float) -> ParityProblem:
    """Return the loss of labels (1 - s) y + s turned, with a ridge if asked for.

    A tied weight stands for as many weights as there are copies.
    """
    network = data.network()
    alpha, lam, s = sp.symbols("alpha lam s")
    blocks = {name: _symbols(name, shape) for name, shape in network.blocks.items()}
    parameters = [alpha, *([lam] if ridge else []), *([s] if np.any(turned != data.y) else [])]
    units = [
        [leaky_relu(g, alpha) for g in x @ blocks["W"].T + blocks["b"]]
        for x in data.X.astype(int).astype(object)
    ]
    weights = blocks["v"] if data.fixed_output is None else data.fixed_output[0]
    terms = []
    rows = zip(units, data.weights, data.y.tolist(), turned, strict=True)
    for row, mass, label, other in rows:
        p = sp.Add(*(weight * unit for weight, unit in zip(weights, row, strict=True)))
        y = label if label == other else label * (1 - 2 * s)
        terms.append(float(mass) * relu(1 - y * (p + blocks.get("c", 0))))
    potential = sp.Add(*terms)
    if ridge:
        squares = [
            (copies if name == "W" else 1) * symbol**2
            for name, block in blocks.items()
            for symbol in np.ravel(block)
        ]
        potential += lam * sp.Add(*squares) / 2
    problem = ParityProblem.from_potential(potential, blocks, parameters, name=NAME)
    problem._data = data
    return problem


def _symbols(name: str, shape: tuple[int, ...]) -> Any:
    if not shape:
        return sp.Symbol(name)
    block = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        block[place] = sp.Symbol(f"{name}[{','.join(map(str, place))}]")
    return block


MODEL = Model(
    name="parity",
    paper=(
        "S. Shalev-Shwartz, O. Shamir and S. Shammah, Failures of gradient-based deep learning, "
        "ICML 2017"
    ),
    summary="critical points of a ReLU network with hinge loss on a parity of bits",
    build=build,
    starts=starts,
    constants={
        "d": "number of bits; default 2",
        "v": "the bits that count, 0 and 1, (d,); default all",
        "width": "units K of the hidden layer; default 1",
        "alpha": "slope of units that are off, in [0, 1]; default 0",
        "output_weights": "values of v_k, (K,), which are then constants; default unknown",
        "output_bias": "whether there is an output bias c; default True",
        "ridge": "adds the parameter lam, lam |theta|^2 / 2; default False",
        "tied": "whether units see v . x only; default False",
        "other": "a second target, (d,): adds the parameter s of the mixture; default none",
    },
    example={"d": 4, "output_weights": [1.0], "alpha": 0.25, "tied": True},
    claims=CLAIMS,
    references=(
        "section 2.1: experiment, Figure 1, Lemma 3",
        "Theorem 1: variance of the gradient over targets",
    ),
)
"""The model."""
