"""The cost of a local-linear network as an expression, with its kinks written as markers."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from ...symbolic.markers import maximum, minimum, relu
from ...system import Array
from .data import LocalLinear
from .graph import NeuronGraph


def arrays(data: LocalLinear) -> tuple[Array, Array, Array]:
    """Return inputs and targets as exact numbers, and weights as symbols; arrays of objects."""
    inputs = np.empty(data.x.shape, dtype=object)
    for place in np.ndindex(*inputs.shape):
        inputs[place] = _number(float(data.x[place]))
    targets = np.array([_number(v) for v in data.y], dtype=object)
    w = np.empty(data.shape, dtype=object)
    for place in np.ndindex(*data.shape):
        w[place] = sp.Symbol(f"w[{place[0]},{place[1]}]")
    return inputs, targets, w


def output(z: list[Any], graph: NeuronGraph, units: str, heat: Any) -> sp.Expr:
    """Return yhat of neurons' values z: with markers, or softened by a temperature."""
    if units == "relu":
        return sp.Add(
            *(relu(v) if heat is None else heat * sp.log(1 + sp.exp(v / heat)) for v in z)
        )
    total: sp.Expr = sp.Integer(0)
    for group in graph.groups:
        total += _extreme([z[i] for i in group.members], group.sign, heat)
    return total - sum((m - 1) * z[i] for i, m in enumerate(graph.multiplicities))


def _extreme(z: list[Any], sign: int, heat: Any) -> sp.Expr:
    if heat is not None:  # relative to the first: no overflow while differences are moderate
        spread = sp.Add(1, *(sp.exp(sign * (v - z[0]) / heat) for v in z[1:]))
        return z[0] + sign * heat * sp.log(spread) if len(z) > 1 else z[0]
    best = z[0]
    for value in z[1:]:
        best = maximum(best, value) if sign > 0 else minimum(best, value)
    return best


def _number(value: float) -> sp.Expr:
    return sp.Integer(int(value)) if float(value).is_integer() else sp.Float(float(value))
