"""Local linear neurons: piecewise linear functions whose kinks lie where neighbours meet.

Paper: W. Lohmiller, P. Gassert and J.-J. Slotine, *Notes on stable learning with piecewise-linear
basis functions*.

K inputs x_k are answered by yhat_k, piecewise linear in z_ik = w_i . (1, x_k). The law (equations
2, 7 and 13) is ``T dw_i/dt = -sum_k (yhat_k - y_k) (dyhat_k / dz_ik) (1, x_k)``, the gradient flow
of ``V = sum_k (yhat_k - y_k)^2 / 2`` (equation 1). Units:

* "relu": ``yhat = sum_i max(0, z_i)`` (section 2.1);
* "local": two neighbours meet in an edge, which bends up (sign +1, max) or down (-1, min). The
  signs are constants; `NeuronGraph` makes one function of them that is continuous in w and equals
  equations 5, 6 and 12 wherever these define one. Two neurons are the switching pair of section
  2.2, a chain the ordered neurons of Theorem 2, any graph the network of Theorem 3.

With inputs of no component (N = 0) and one datum this is equation 3. With a temperature eps the
maximum becomes ``eps log sum exp(z_i / eps)`` and the problem smooth.

Families. A neuron that owns too few data for its weights leaves directions in which V is constant,
so that critical points form families. `held` weights are parameters: coordinates of a family, in
which a branch is isolated and ends at the family's borders.

Errata of the paper. With the signs taken from the current slopes, as printed, yhat jumps where two
slopes cross. "The first dyadic term is n.s.d.": it is p.s.d. (4) is a Hessian, not a Jacobian; the
case table before it gives two values at the origin. Theorem 2 summarises with Theorem 1. Theorem 2
is false for K >= 2, since the set that it calls invariant is not. The sum in Theorem 3 runs to K;
trajectories converge to ``sum_k ytilde_k dyhat_k x_k = 0``, not to a null space. A network of
convex cells that hang together is a maximum or a minimum of its neurons: it cannot represent the
tetrahedron of Figure 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from ...criticality.record import Criticality
from ...errors import SpecificationError
from ...symbolic.matrix_checks import json_able
from ...symbolic.piecewise import PiecewiseProblem
from ...symbolic.problem import Problem
from ...system import Array
from ..base import Model, Start
from ..reading import real_number, whole_number
from .claims import CLAIMS
from .data import LocalLinear
from .expressions import arrays, output
from .graph import NeuronGraph
from .names import free_numbers, known_place, place_of, whole
from .starts import known_starts
from .verdict import classify_local_linear

NAME = "local-linear"


class _LocalLinearProblem:
    """What the problems of this model share.

    Attributes
    ----------
    data : LocalLinear
        The numbers behind the problem, as built.
    default_values : dict of str to float
        Values of the parameters as given to `build`.
    """

    _data: LocalLinear
    _held: Array
    _mask: Array
    _defaults: dict[str, float]
    _origin: dict[str, Any]

    @property
    def data(self) -> LocalLinear:
        """The numbers behind the problem, as built."""
        return self._data

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters as given."""
        return dict(self._defaults)

    @property
    def mask(self) -> Array:
        """Which weights are unknowns, shape (I, N + 1); the others are held."""
        return self._mask.copy()

    def at(self, values: Mapping[Any, float] | None = None) -> LocalLinear:
        """Return the data at parameter values: moved inputs and other targets."""
        x, y = self._data.x.copy(), self._data.y.copy()
        for name, value in self._named(values).items():
            block, place = place_of(name)
            if block == "y":
                y[place[0]] = value
            elif block == "x":
                x[place] = value
        return dataclasses.replace(self._data, x=x, y=y)

    def weights(self, x: Any, values: Mapping[Any, float] | None = None) -> Array:
        """Return all weights (I, N + 1) at a point, those held included.

        Parameters
        ----------
        x : array_like of shape (n,), or mapping
            The unknowns.
        values : mapping, optional
            Parameter values (default: as built).
        """
        w = np.empty(self._data.shape)
        point: Any = self
        w[self._mask] = point.point(x)
        for name, value in self._named(values).items():
            block, place = place_of(name)
            if block == "w":
                w[place] = value
        return w

    def held_gradient(self, x: Any, values: Mapping[Any, float] | None = None) -> Array:
        """Return the derivatives of V in the held weights; they vanish on a family of solutions.

        On a kink those of the piece that `LocalLinear.selection` names.
        """
        return self.at(values).gradient(self.weights(x, values))[~self._mask]

    def describe(self) -> dict[str, Any]:
        """Return ``{"model": name, "constants": {...}}``, from which it can be rebuilt."""
        return dict(self._origin)

    def _named(self, values: Mapping[Any, float] | None) -> dict[str, float]:
        given = {str(getattr(key, "name", key)): float(v) for key, v in (values or {}).items()}
        return {**self._defaults, **given}


class LocalLinearProblem(_LocalLinearProblem, PiecewiseProblem):
    """The critical points of V / T with its kinks."""

    def classify(self, x: Any, values: Mapping[Any, float] | None = None) -> Criticality | None:
        """Return a verdict where V is seen to be convex nearby, or None to leave it to Clarke."""
        return classify_local_linear(self.at(values), self.weights(x, values), self._mask)


class SoftLocalLinearProblem(_LocalLinearProblem, Problem):
    """The critical points of V / T with maxima softened by a temperature."""


def build(
    x: Any,
    y: Any,
    neurons: int = 2,
    signs: Any = 1,
    edges: Any = None,
    units: str = "local",
    free: Iterable[str] | None = None,
    held: Mapping[str, float] | None = None,
    temperature: float | None = None,
    T: float = 1.0,
) -> LocalLinearProblem | SoftLocalLinearProblem:
    """Return the problem of the critical points of V / T in the weights w.

    Parameters
    ----------
    x : array_like, shape (K, N) or (K,)
        Inputs. An array of shape (K, 0) leaves the offsets z alone (equation 3).
    y : array_like, shape (K,)
        Measured outputs.
    neurons : int, default 2
        Number I of neurons.
    signs : int or sequence of int, default 1
        +1 for an edge that bends up, -1 for one that bends down; one number serves all edges.
    edges : sequence of (int, int), optional
        Pairs i < j of neighbours, from 0. Default: a chain, each neuron with the next.
    units : {"local", "relu"}
        Local linear neurons, or a sum of ReLUs, which has no edges.
    free : sequence of str, optional
        Parameters, by name: ``"y[k]"``, ``"x[k]"`` (``"x[k,n]"`` for N > 1), ``"eps"``. Default:
        the last target, and ``"eps"`` if there is a temperature.
    held : mapping of str to float, optional
        Weights that are parameters instead of unknowns, such as ``{"w[0,1]": -1.0}``.
    temperature : float, optional
        The temperature eps: the problem is smooth then.
    T : float, default 1
        Time scale of the law.

    Returns
    -------
    LocalLinearProblem or SoftLocalLinearProblem
        Of kind "potential", with one block ``w`` of shape (I, N + 1) if nothing is held.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.

    Notes
    -----
    A softened problem holds exp((z_i - z_1) / eps), which overflows beyond z_i - z_1 = 700 eps at
    a datum: branches end there.

    References
    ----------
    Lohmiller, Gassert and Slotine, equations 1 to 3, 5 to 7, 12 and 13.

    Examples
    --------
    >>> problem = build(x=[-2, -1, 1, 2], y=[2, 1, 1, 2])
    >>> problem.unknown_names, problem.parameter_names
    (('w[0,0]', 'w[0,1]', 'w[1,0]', 'w[1,1]'), ('y[3]',))
    >>> float(problem.potential([0, -1, 0, 1], {"y[3]": 3.0}))
    0.5
    """
    graph = _graph(neurons, signs, edges, units)
    data = LocalLinear(x, y, graph, units, T)
    soft = temperature is not None
    names = _free(free, [f"y[{len(data.y) - 1}]", *(["eps"] if soft else [])])
    kept = _held(held)
    inputs, targets, w = arrays(data)
    defaults = free_numbers(names, data, inputs, targets, temperature)
    mask = np.ones(data.shape, dtype=bool)
    for name, value in kept.items():
        place = known_place("held", name, "w", data.shape)
        mask[place] = False
        defaults[f"w[{place[0]},{place[1]}]"] = value
    if not mask.any():
        raise SpecificationError("held", kept, "leaves no unknown.", "Hold fewer weights.")
    heat = sp.Symbol("eps") if "eps" in names else temperature
    cost: sp.Expr = sp.Integer(0)
    for k, target in enumerate(targets):
        row = [sp.Integer(1), *inputs[k]]
        z = [sum(a * b for a, b in zip(row, weights, strict=True)) for weights in w]
        cost += (output(z, graph, units, heat) - target) ** 2
    factor = sp.Rational(1, 2) if data.T == 1 else 1 / (2 * sp.Float(data.T))
    unknowns: Any = {"w": w} if mask.all() else list(w[mask])
    maker: Any = SoftLocalLinearProblem if soft else LocalLinearProblem
    problem = maker.from_potential(
        factor * cost, unknowns, [sp.Symbol(name) for name in defaults], name=NAME
    )
    problem._data, problem._mask, problem._defaults = data, mask, defaults
    constants = dict(
        x=data.x, y=data.y, neurons=graph.neurons, signs=list(graph.signs) or 1,
        edges=None if edges is None else [list(edge) for edge in graph.edges], units=units,
        free=names, held=kept or None, temperature=temperature, T=data.T,
    )  # fmt: skip
    problem._origin = json_able({"model": NAME, "constants": constants})
    return problem


def starts(
    problem: LocalLinearProblem | SoftLocalLinearProblem | Mapping[str, Any],
    values: Mapping[str, float] | None = None,
) -> dict[str, Start]:
    """Return critical points of a switching pair: one of every family, by rising V.

    Parameters
    ----------
    problem : problem of this model, or mapping
        The problem, or the constants to build it from: two local neurons, at most 10 data.
    values : mapping, optional
        Parameter values (default: as built).

    Returns
    -------
    dict of str to Start
        Labels such as ``"2+2"`` count the data of each neuron, ``"1+1+2"`` those on the kink in
        the middle. Of a family its `problem` holds weights, so that the point is isolated there:
        ``trace(start.problem, start, ...)``. Of a problem that holds weights already, and of a
        softened one, the same points as guesses.

    Examples
    --------
    >>> found = starts(MODEL.example)
    >>> {label: start.note for label, start in found.items() if "V = 0," in start.note}
    {'2+2': 'V = 0, isolated', '2+2 exchanged': 'V = 0, isolated'}
    >>> found["1+3"].problem.unknown_names
    ('w[0,1]', 'w[1,0]', 'w[1,1]')
    """
    asked = build(**problem) if isinstance(problem, Mapping) else problem
    named = asked._named(values)
    whole = bool(asked.mask.all())
    charts: dict[tuple[str, ...], Any] = {}
    found: dict[str, Start] = {}
    for label, family, note in known_starts(asked.at(named)):
        if whole and isinstance(asked, LocalLinearProblem) and family.dimension:
            held = family.coordinates
            names = tuple(held)
            if names not in charts:
                charts[names] = build(**{**asked.describe()["constants"], "held": held})
            chart = charts[names]
            found[label] = Start(_point(chart, family.w), {**named, **held}, note, chart)
        else:
            found[label] = Start(_point(asked, family.w), named, note)
    return found


def _point(problem: Any, w: Array) -> dict[str, Any]:
    """Return weights as unknowns of a problem, by block or name."""
    if problem.mask.all():
        return {"w": w}
    return dict(zip(problem.unknown_names, map(float, w[problem.mask]), strict=True))


def _free(free: Any, default: list[str]) -> list[str]:
    if free is None:
        return default
    named = isinstance(free, Sequence) and not isinstance(free, str)
    if not named or not all(isinstance(name, str) for name in free):
        raise SpecificationError("free", free, "must be names of numbers.", "Such as ['y[0]'].")
    return list(free)


def _held(held: Any) -> dict[str, float]:
    if not isinstance(held, (Mapping, type(None))):
        raise SpecificationError(
            "held", held, "must map names of weights to values.", "Such as {'w[0,0]': 1.0}."
        )
    return {str(name): real_number("held", value) for name, value in (held or {}).items()}


def _graph(neurons: Any, signs: Any, edges: Any, units: str) -> NeuronGraph:
    count = whole_number("neurons", neurons, low=1)
    if units == "relu":
        if edges is not None:
            raise SpecificationError("edges", edges, "belongs to local neurons.", "Leave it out.")
        return NeuronGraph.chain((1,) * (count - 1))
    pairs = [(i, i + 1) for i in range(count - 1)] if edges is None else whole("edges", edges, 2)
    alike = isinstance(signs, (int, np.integer))
    bends = whole("signs", signs, 0 if alike else 1)
    listed = [bends] * len(pairs) if alike else bends
    return NeuronGraph(count, tuple(pairs), tuple(listed))


MODEL = Model(
    name=NAME,
    paper=(
        "W. Lohmiller, P. Gassert and J.-J. Slotine, Notes on stable learning with "
        "piecewise-linear basis functions"
    ),
    summary="critical points of the squared error of piecewise linear neurons with finite edges",
    build=build,
    starts=starts,
    constants={
        "x": "inputs, (K, N) or (K,); (K, 0) leaves the offsets alone",
        "y": "measured outputs, (K,)",
        "neurons": "number I of neurons, default 2",
        "signs": "+1 where an edge bends up, -1 where down; one number or one for each edge",
        "edges": "pairs i < j of neighbours; default a chain",
        "units": "'local' (default) or 'relu'",
        "free": "names of parameters such as y[3], x[0], eps; default the last target (and eps)",
        "held": "weights that are parameters, such as {'w[0,1]': -1.0}",
        "temperature": "eps > 0 softens maxima; default none",
        "T": "time scale of the law, default 1",
    },
    example={"x": [-2.0, -1.0, 1.0, 2.0], "y": [2.0, 1.0, 1.0, 2.0]},
    claims=CLAIMS,
    references=(
        "Equations 1 to 3: cost and law; 5 to 7: ordered neurons; 12 and 13: neurons in space",
        "Theorems 1 to 3",
        "Figures 2 to 9, Table 1, Examples 2.1 and 2.2",
    ),
)
"""The model."""
