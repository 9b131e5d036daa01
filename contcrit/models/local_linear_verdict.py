"""What a critical point of V is, where V is seen to be convex nearby.

Off the kinks V is a convex quadratic. On a kink that bends up where yhat > y, or down where
yhat < y, the datum's term is convex as well; where yhat = y it is as small as it can be. If the sum
of the convex terms has a zero subgradient, the point is a local minimum, strict or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..criticality.record import Criticality
from ..system import Array
from .local_linear_data import LocalLinear

TIE = 1e-9
"""Distance in z, relative to the largest |z|, up to which a datum lies on a kink."""

SMALL = 1e-8
"""Size of a gradient, relative to its terms, that counts as zero."""

_WEIGHT = 1e3
"""Of the condition that shares of a kink add up to one, in the least-squares problem."""


def classify_local_linear(data: LocalLinear, w: Array, mask: Array) -> Criticality | None:
    """Return a verdict, or None where V is not seen to be convex, or has no zero subgradient.

    Parameters
    ----------
    data : LocalLinear
        The data.
    w : ndarray, shape (I, N + 1)
        All weights.
    mask : ndarray of bool, shape (I, N + 1)
        Which weights are free.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.local_linear_graph import NeuronGraph
    >>> data = LocalLinear([[0.0], [1.0]], [0.0, 1.0], NeuronGraph.chain((1,)))
    >>> w = np.array([[0.0, 1.0], [-5.0, 0.0]])
    >>> print(classify_local_linear(data, w, np.ones((2, 2), dtype=bool)))
    minimum (index 0, nullity 2)
    """
    z = data.X @ w.T
    errors = data.errors(w)
    scale = 1.0 + float(np.max(np.abs(z)))
    ties = _ties(data, z, TIE * scale)
    flat = mask.ravel()
    close = TIE * scale
    size = SMALL * (1.0 + float(np.sum(np.abs(errors)[:, None] * np.abs(data.X))))
    base = data.gradient(w)
    curved: list[tuple[int, list[int], int]] = []
    counted: set[int] = set()
    for k, members, sign in ties:
        if abs(errors[k]) <= close:
            continue
        if sign * errors[k] < 0 or k in counted:
            return None
        counted.add(k)
        curved.append((k, members, sign))
    shares, residual = _smallest(data, base, errors, curved, w, flat)
    if residual > size:
        return None
    evidence: dict[str, Any] = {
        "certificate": "V is a sum of a convex function with a zero subgradient and of terms that "
        "are zero here and nowhere negative",
        "local_minimum": True,
        "gradient": residual,
        "ties": len(ties),
    }
    if ties:
        evidence["shares"] = shares
        return Criticality(kind="minimum", index=0, evidence=evidence)
    spectrum = np.linalg.eigvalsh(data.observability(w)[np.ix_(flat, flat)])
    top = float(np.max(np.abs(spectrum), initial=0.0))
    positive = spectrum > 1e-9 * max(top, 1e-300)
    nullity = int(np.sum(~positive))
    evidence["eigenvalues"] = spectrum
    return Criticality(
        kind="minimum",
        index=0,
        nullity=nullity,
        inertia=(0, nullity, int(np.sum(positive))),
        margin=float(np.min(spectrum[positive]) / top) if positive.any() else 0.0,
        evidence=evidence,
    )


def _ties(data: LocalLinear, z: Array, close: float) -> list[tuple[int, list[int], int]]:
    """Return (datum, neurons that meet there, sign); of a ReLU at zero the neuron alone."""
    found: list[tuple[int, list[int], int]] = []
    for k, row in enumerate(z):
        if data.units == "relu":
            found += [(k, [int(i)], 1) for i in np.flatnonzero(np.abs(row) <= close)]
            continue
        for group in data.graph.groups:
            values = group.sign * row[list(group.members)]
            best = [
                i for i, v in zip(group.members, values, strict=True) if v >= np.max(values) - close
            ]
            if len(best) > 1:
                found.append((k, best, group.sign))
    return found


def _smallest(
    data: LocalLinear,
    base: Array,
    errors: Array,
    curved: list[tuple[int, list[int], int]],
    w: Array,
    flat: Array,
) -> tuple[list[list[float]], float]:
    """Return the shares of the neurons that make the gradient smallest, and its size."""
    chosen = data.selection(w)
    rest = base.copy()
    columns: list[Array] = []
    owner: list[int] = []
    for place, (k, members, _) in enumerate(curved):
        for i in members:
            rest[i] -= chosen[k, i] * errors[k] * data.X[k]
            # A neuron shared by groups is counted less often: what is left belongs to the others.
            others = (chosen[k, i] - float(i == _chosen(chosen[k], members))) * errors[k]
            if data.units == "local":
                rest[i] += others * data.X[k]
            column = np.zeros_like(base)
            column[i] = errors[k] * data.X[k]
            columns.append(column.ravel())
            owner.append(place)
        if data.units == "relu":  # off is the other end
            columns.append(np.zeros(base.size))
            owner.append(place)
    target = -rest.ravel()[flat]
    if not columns:
        return [], float(np.linalg.norm(target))
    from scipy.optimize import nnls  # slow to import

    places = np.array(owner)
    unit = _WEIGHT * (1.0 + float(np.max(np.abs(errors))))
    sums = unit * (places[None, :] == np.arange(len(curved))[:, None])
    matrix = np.vstack([np.array(columns).T[flat], sums])
    shares, _ = nnls(matrix, np.concatenate([target, np.full(len(curved), unit)]))
    for place in range(len(curved)):
        shares[places == place] /= np.sum(shares[places == place])
    residual = np.array(columns).T[flat] @ shares - target
    grouped = [[float(v) for v in shares[places == p]] for p in range(len(curved))]
    return grouped, float(np.linalg.norm(residual))


def _chosen(row: Array, members: list[int]) -> int:
    """Return which of the neurons that meet `LocalLinear.selection` took: the most counted."""
    return max(members, key=lambda i: (row[i], -i))
