"""What a critical point of V is, where V is seen to be convex nearby.

Off the kinks V is a convex quadratic. On a kink that bends up where yhat > y, or down where
yhat < y, the datum's term is convex as well; where yhat = y it is as small as it can be. If the sum
of the convex terms has a zero subgradient, the point is a local minimum, strict or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...criticality.record import Criticality
from ...system import Array
from .data import LocalLinear

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
    >>> from contcrit.models.local_linear.graph import NeuronGraph
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
    curved: list[Tie] = []
    bends: dict[int, int] = {}
    for tie in ties:
        k, sign = tie.datum, tie.sign
        if abs(errors[k]) <= close:
            continue
        # Ties of one sign bend the datum's output one way; of both, it is neither.
        if sign * errors[k] < 0 or bends.setdefault(k, sign) != sign:
            return None
        curved.append(tie)
    shares, residual = _smallest(data, data.gradient(w), errors, curved, flat)
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


@dataclass(frozen=True)
class Tie:
    """A datum on a kink.

    Parameters
    ----------
    datum : int
    members : tuple of int
        The neurons that meet there; -1 stands for a ReLU that is off.
    sign : int
        +1 where the output bends up.
    chosen : int
        The one that `LocalLinear.selection` takes.
    """

    datum: int
    members: tuple[int, ...]
    sign: int
    chosen: int


def _ties(data: LocalLinear, z: Array, close: float) -> list[Tie]:
    found: list[Tie] = []
    for k, row in enumerate(z):
        if data.units == "relu":
            for i in np.flatnonzero(np.abs(row) <= close):
                found.append(Tie(k, (int(i), -1), 1, int(i) if row[i] > 0 else -1))
            continue
        for group in data.graph.groups:
            values = group.sign * row[list(group.members)]
            near = values >= np.max(values) - close
            members = tuple(i for i, one in zip(group.members, near, strict=True) if one)
            if len(members) > 1:
                first = group.members[int(np.argmax(values))]
                found.append(Tie(k, members, group.sign, first))
    return found


def _smallest(
    data: LocalLinear, base: Array, errors: Array, curved: list[Tie], flat: Array
) -> tuple[list[list[float]], float]:
    """Return the shares of the neurons that make the gradient smallest, and its size."""
    rest = base.copy()
    columns: list[Array] = []
    owner: list[int] = []
    for place, tie in enumerate(curved):
        pull = errors[tie.datum] * data.X[tie.datum]
        if tie.chosen >= 0:
            rest[tie.chosen] -= pull
        for i in tie.members:
            column = np.zeros_like(base)
            if i >= 0:
                column[i] = pull
            columns.append(column.ravel())
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
