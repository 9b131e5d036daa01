"""ReLU and leaky ReLU networks under hinge losses: piecewise multilinear, so minima have kinks.

Paper: T. Laurent and J. von Brecht, *The multilinear structure of ReLU networks*, ICML 2018.

The loss of N data is ``L = sum_j m_j relu(1 - A_j . yhat_i(j))`` with the network of equation 4 and
the kinks of the binary (9), multiclass (2), one-versus-all (15) or penalised loss (13). Inside a
cell of parameter space, where no kink is crossed, it is a sum of multilinear forms: harmonic, so
that local minima lie on kinks or in flat cells.

Gauge. (w_k, b_k, v_k) -> (t w_k, t b_k, v_k / t), t > 0, leaves the loss as it is: no point with a
live unit is isolated. With `output_weights` the v_k are constants; on this slice the loss of one
hidden layer is piecewise linear, and its critical points are those of the full loss.

Assumptions. Theorems 4 to 6 and the corollaries 3 and 4: one hidden layer and linearly separable
data; Theorem 5: both classes weigh the same; Theorem 3: fully connected, alpha > 0, generic data.

Errata of the paper. Definition 1 read literally makes all data rare: the collections with epsilon
only at the datum's own class solve it; restrict to r != y_i. Loss (5) presumes weights that sum to
one. Equation 15 prints the sum over r where that over data is meant. The text's "trivial for
0 < alpha <= 1" needs equal weights. The chain-rule set is larger than Clarke's.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from ...criticality.record import Criticality
from ...symbolic.markers import leaky_relu, relu
from ...symbolic.matrix_checks import json_able
from ...symbolic.piecewise import PiecewiseProblem
from ...system import Array
from ..base import Model, Start
from .cells import classify_by_enclosure, classify_in_cell
from .claims import CLAIMS
from .criterion import Criterion, binary, signed_labels
from .data import HingeData, Loss, read_constants
from .network import HingeNetwork
from .penalised import PenalisedNetwork
from .pieces import TIE, HingePieces
from .vertices import critical_vertices

NAME = "relu-hinge"


class ReluHingeProblem(PiecewiseProblem):
    """The hinge loss as a piecewise problem, with its numbers.

    Attributes
    ----------
    data : HingeData
        The constants; ``data.network(values)`` evaluates the loss for arrays of points.
    default_values : dict of str to float
        Values of ``alpha``, and of ``mu`` and ``t`` where there are such, as given.
    """

    _data: HingeData
    _origin: dict[str, Any]

    @property
    def data(self) -> HingeData:
        """The constants."""
        return self._data

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters as given."""
        return self._data.defaults

    def network(self, values: Mapping[str, float] | None = None) -> Loss:
        """Return the loss at parameter values, evaluated in numpy for many points at once."""
        return self._data.network(values)

    def pieces(  # type: ignore[override]
        self, x: Any, values: Mapping[Any, float] | None = None, *, tolerance: float = TIE
    ) -> HingePieces:
        """Return the loss near x, with its lift where output weights vanish."""
        named = {str(getattr(key, "name", key)): value for key, value in (values or {}).items()}
        return HingePieces(self.network(named), self.point(x), tolerance)

    def classify(self, x: Any, values: Mapping[Any, float]) -> Criticality | None:
        """Return a verdict of the model's own, or None to leave it to Clarke's calculus.

        Off all kinks the cell's multilinear forms decide. For the multiclass loss of one unit,
        features that lie between those of another class may prove a local minimum.
        """
        pieces = self.pieces(x, values)
        network = pieces.network
        if not isinstance(network, HingeNetwork):
            return None
        if not any(pieces.levels):
            return classify_in_cell(network, pieces.x)
        if self._data.loss == "multiclass" and not any(pieces.levels[:-1]):
            return classify_by_enclosure(network, pieces.x, pieces.active[-1])
        return None

    def describe(self) -> dict[str, Any]:
        """Return ``{"model": name, "constants": {...}}``, from which it can be rebuilt."""
        return dict(self._origin)


def build(
    X: Any,
    y: Any,
    hidden: int | Sequence[int] = 1,
    loss: str = "binary",
    output_bias: bool = True,
    alpha: float = 0.0,
    mu: Any = None,
    gamma: float = 1.0,
    output_weights: Any = None,
    class_weight: bool = False,
    moving: Any = None,
    bases: Any = None,
) -> ReluHingeProblem:
    """Return the critical points of a hinge loss as a piecewise problem.

    Parameters
    ----------
    X : array_like, shape (N, d)
        Data.
    y : array_like, shape (N,)
        +1 and -1 for the binary loss, classes 0, ..., R - 1 for the others.
    hidden : int or sequence of int, default 1
        Units of the hidden layer, or of each hidden layer.
    loss : {"binary", "multiclass", "one-versus-all", "penalised"}
        Equation 9, 2, 15 or 13.
    output_bias : bool, default True
        Whether there is an output bias c.
    alpha : float, default 0
        Value of the parameter ``alpha``, the slope of units that are off, in [0, 1].
    mu : array_like, shape (N,) or (N, R), optional
        Positive weights of the data; default 1/N, and for the one-versus-all losses equal weight
        1/2 to each class and to its complement.
    gamma : float, default 1
        Strength of the penalty of the penalised loss.
    output_weights : array_like, shape (K,), optional
        Values of v, such as +1 and -1, which are then constants (shape (R, K) for R outputs).
    class_weight : bool, default False
        Adds the parameter ``mu``: all data of class -1 weigh mu together, those of +1 weigh 1 - mu.
    moving : (int, array_like of shape (d,)), optional
        Adds the parameter ``t``: the datum of this number is at ``x + t * direction``.
    bases : sequence of array_like or None, optional
        For each hidden layer the basis (p, out, in) of its weights, linear in p parameters.

    Returns
    -------
    ReluHingeProblem
        Of kind "potential", in the blocks W, b, v (or V) and c; W1, b1, W2, ... with more than one
        hidden layer; with a leading axis for the replicates of the penalised loss.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.

    References
    ----------
    Laurent and von Brecht, ICML 2018, equations 2, 4, 9, 13 and 15.

    Examples
    --------
    >>> problem = build(X=[[1], [-1]], y=[1, -1], output_weights=[1])
    >>> problem.unknown_names
    ('W[0,0]', 'b[0]', 'c')
    >>> float(problem.potential([1.0, 0.0, -0.5], {"alpha": 0.0}))
    0.5
    """
    data = read_constants(
        X, y, hidden, loss, output_bias, alpha, mu, gamma, output_weights, class_weight, moving,
        bases,
    )  # fmt: skip
    network = data.network()
    blocks = {name: _symbols(name, shape) for name, shape in network.blocks.items()}
    parameters = {name: sp.Symbol(name) for name in data.defaults}
    if isinstance(network, PenalisedNetwork):
        potential = _penalised(data, network, blocks, parameters)
    else:
        weights = None if loss != "binary" else data.datum_weights(parameters)
        potential = _hinge(network, network.criterion, weights, blocks, data, parameters)
    problem = ReluHingeProblem.from_potential(
        potential, blocks, list(parameters.values()), name=NAME
    )
    problem._data = data
    constants = dict(
        X=data.X, y=data.y, hidden=data.widths, loss=loss, output_bias=output_bias, alpha=alpha,
        mu=mu, gamma=gamma, output_weights=output_weights, class_weight=class_weight,
        moving=None if data.moving is None else [data.moving[0], data.moving[1].tolist()],
        bases=None if bases is None else [None if b is None else b.tolist() for b in data.bases],
    )  # fmt: skip
    problem._origin = json_able({"model": NAME, "constants": constants})
    return problem


def starts(
    problem: ReluHingeProblem | Mapping[str, Any], values: Mapping[str, float] | None = None
) -> dict[str, Start]:
    """Return vertices that satisfy the necessary condition, as starts for traces.

    Parameters
    ----------
    problem : ReluHingeProblem or mapping
        The problem, or the constants to build it from: one hidden layer, one output, and
        `output_weights` given.
    values : mapping, optional
        Parameter values; default as built.

    Returns
    -------
    dict of str to Start
        ``"vertex 0"``, ... by increasing loss, of points with 0 in their chain-rule set. Not all
        need be Clarke critical: `contcrit.classify` decides.

    Examples
    --------
    >>> found = starts(MODEL.example, {"alpha": 0.5})
    >>> {key: round(float(value), 6) for key, value in found["vertex 1"].unknowns.items()
    ...  if key == "c"}
    {'c': -0.866667}
    """
    asked = build(**problem) if isinstance(problem, Mapping) else problem
    named = {**asked.default_values, **(values or {})}
    found = critical_vertices(asked.network(named))
    return {
        f"vertex {k}": Start(asked.unpack(x), named, f"loss {loss:.12g}")
        for k, (x, loss) in enumerate(zip(found.points, found.losses, strict=True))
    }


def _symbols(name: str, shape: tuple[int, ...]) -> Any:
    if not shape:
        return sp.Symbol(name)
    block = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        block[place] = sp.Symbol(f"{name}[{','.join(map(str, place))}]")
    return block


def _number(value: float) -> sp.Expr:
    return sp.Integer(int(value)) if float(value).is_integer() else sp.Float(float(value))


def _numbers(array: Array) -> Array:
    return np.array([_number(v) for v in np.ravel(array)], dtype=object).reshape(np.shape(array))


def _predictions(
    network: HingeNetwork, blocks: Mapping[str, Any], X: Array, alpha: sp.Symbol
) -> Array:
    """Return the outputs (N, R) as expressions with markers."""
    features = X
    names = list(blocks)
    for level, basis in enumerate(network.bases):
        W, b = blocks[names[2 * level]], blocks[names[2 * level + 1]]
        if basis is not None:
            W = np.tensordot(W, _numbers(basis), axes=1)
        inputs = features @ W.T + b
        features = np.array(
            [[leaky_relu(g, alpha) for g in row] for row in inputs], dtype=object
        ).reshape(inputs.shape)
    outputs = network.criterion.outputs
    if network.fixed_output is not None:
        V = _numbers(network.fixed_output)
    else:
        V = np.reshape(blocks["v" if outputs == 1 else "V"], (outputs, -1))
    c = np.ravel(blocks["c"]) if network.output_bias else np.zeros(outputs, dtype=int)
    return features @ V.T + c


def _hinge(
    network: HingeNetwork,
    criterion: Criterion,
    weights: Sequence[Any] | None,
    blocks: Mapping[str, Any],
    data: HingeData,
    parameters: Mapping[str, sp.Symbol],
) -> sp.Expr:
    X = _numbers(data.X)
    if data.moving is not None:
        datum, direction = data.moving
        X[datum] = X[datum] + parameters["t"] * _numbers(direction)
    yhat = _predictions(network, blocks, X, parameters["alpha"])
    weights = list(criterion.weights) if weights is None else weights
    rows = zip(weights, _numbers(criterion.directions), criterion.data, strict=True)
    return sp.Add(*(sp.sympify(w) * relu(1 - A @ yhat[i]) for w, A, i in rows))


def _penalised(
    data: HingeData,
    network: PenalisedNetwork,
    blocks: Mapping[str, Any],
    parameters: Mapping[str, sp.Symbol],
) -> sp.Expr:
    count, terms = data.classes, []
    for r, replicate in enumerate(network.replicates):
        own = {name: block[r] for name, block in blocks.items()}
        criterion = binary(signed_labels(data.y, r), data.weights[:, r])
        terms.append(_hinge(replicate, criterion, None, own, data, parameters))
    hidden = list(network.blocks)[: 2 * len(data.widths)]
    strength = sp.sympify(data.gamma) / (count - 1)
    for name in hidden:
        # sum_r |h_r - mean|^2 = sum_(r < s) |h_r - h_s|^2 / R
        for first, second in itertools.combinations(blocks[name], 2):
            terms += [strength * (a - b) ** 2 for a, b in zip(first.flat, second.flat, strict=True)]
    return sp.Add(*terms)


MODEL = Model(
    name="relu-hinge",
    paper="T. Laurent and J. von Brecht, The multilinear structure of ReLU networks, ICML 2018",
    summary="critical points of ReLU networks with hinge losses",
    build=build,
    starts=starts,
    constants={
        "X": "data, (N, d)",
        "y": "labels, (N,): +1 and -1 for the binary loss, else 0, ..., R - 1",
        "hidden": "units of the hidden layer, or of each; default 1",
        "loss": "binary, multiclass, one-versus-all or penalised; default binary",
        "output_bias": "whether there is an output bias c; default True",
        "alpha": "slope of units that are off, in [0, 1]; default 0",
        "mu": "positive weights of the data, (N,) or (N, R); default 1/N",
        "gamma": "strength of the penalty of the penalised loss; default 1",
        "output_weights": "values of v, (K,), which are then constants; default unknown",
        "class_weight": "adds the parameter mu, the weight of class -1; default False",
        "moving": "(datum, direction): adds the parameter t; default none",
        "bases": "bases (p, out, in) of weights linear in parameters; default fully connected",
    },
    example={
        "X": [[-5.0], [-2.0], [1.0], [2.0], [3.0], [6.0]],
        "y": [1, -1, 1, -1, -1, 1],
        "alpha": 0.5,
        "output_weights": [1.0],
    },
    claims=CLAIMS,
    references=(
        "equations 2, 4, 9, 11 to 13, 15: losses",
        "Theorems 1 to 3, Corollaries 1 and 2: cells, flat and sharp minima",
        "Theorems 4 to 6: leaky ReLU and ReLU with separable data",
        "Theorem 7, Corollaries 3 and 4: exact penalty",
    ),
)
"""The model."""
