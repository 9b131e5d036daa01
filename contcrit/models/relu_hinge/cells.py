"""Inside a cell the loss is a sum of multilinear forms: harmonic, and so without strict extrema.

At a point off all kinks the verdict is exact: the gradient is not zero; or it is, and the cell is
flat, so that the point is a flat local minimum; or it is, and the cell is not flat, so that the
maximum principle makes the point a saddle (Corollary 1).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ...criticality.record import Criticality
from ...system import Array
from .network import HingeNetwork, Positions
from .theory import enclosure_bound

PROBES = 3
"""Random points at which the gradient of a flat cell's form must vanish."""

TOLERANCE = 1e-10


def is_flat(network: HingeNetwork, positions: Positions, seed: int = 0) -> bool:
    """Tell whether the multilinear forms of a cell all vanish, so that the loss is constant there.

    Parameters
    ----------
    network : HingeNetwork
        The loss.
    positions : sequence of ndarray
        The cell: 0 or 1 for every kink, as `HingeNetwork.positions` returns them.
    seed : int, default 0
        Of the random parameters.

    Notes
    -----
    One gradient that vanishes says little. The forms are polynomials in the parameters that do not
    know of the cell's borders, so that their gradient is tried at random parameters: unless they
    are constant it vanishes there with probability 0.

    References
    ----------
    Laurent and von Brecht, ICML 2018, Theorem 1 and Corollary 1.

    Examples
    --------
    >>> import numpy as np
    >>> from contcrit.models.relu_hinge.criterion import binary
    >>> X, y = np.array([[1.0], [-1.0]]), np.array([1, -1])
    >>> network = HingeNetwork(X, (1,), binary(y, np.array([0.5, 0.5])), alpha=0.0)
    >>> is_flat(network, network.positions(network.pack(W=1.0, b=-9.0, v=1.0, c=0.0)))
    True
    """
    generator = np.random.default_rng(seed)
    points = generator.standard_normal((PROBES, network.size))
    gradients = network.gradient(points, positions)
    return bool(np.max(np.abs(gradients)) <= TOLERANCE * _size(network, points))


def classify_in_cell(network: HingeNetwork, x: Array, tolerance: float = 1e-9) -> Criticality:
    """Return the verdict at a point off all kinks.

    Parameters
    ----------
    network : HingeNetwork
        The loss.
    x : ndarray, shape (n,)
        The point.
    tolerance : float, optional
        Share of the size of gradients that counts as zero (default 1e-9).

    Returns
    -------
    Criticality
        "not critical", "flat minimum" or "saddle".

    References
    ----------
    Laurent and von Brecht, ICML 2018, Corollaries 1 and 2.
    """
    positions = network.positions(x)
    gradient = network.gradient(x, positions)
    size = _size(network, x[None, :])
    norm = float(np.linalg.norm(gradient))
    evidence: dict[str, Any] = {
        "gradient_norm": norm,
        "loss": float(network.loss(x)),
        "method": "multilinear forms of the cell",
    }
    if norm > tolerance * size:
        evidence["critical"] = evidence["local_minimum"] = False
        return Criticality(kind="not critical", evidence=evidence)
    evidence["critical"] = True
    if is_flat(network, positions):
        evidence |= {"local_minimum": True, "local_maximum": True, "flat_cell": True}
        return Criticality(kind="flat minimum", index=0, nullity=network.size, evidence=evidence)
    evidence |= {"local_minimum": False, "local_maximum": False, "flat_cell": False}
    eigenvalues = np.linalg.eigvalsh(network.hessian(x, positions))
    largest = float(np.max(np.abs(eigenvalues)))
    zero = np.abs(eigenvalues) <= 1e-9 * max(largest, tolerance * size)
    evidence["eigenvalues"] = eigenvalues
    if largest <= tolerance * size:  # of higher order
        return Criticality(kind="saddle", evidence=evidence)
    inertia = (
        int(np.sum((eigenvalues < 0) & ~zero)),
        int(np.sum(zero)),
        int(np.sum((eigenvalues > 0) & ~zero)),
    )
    return Criticality(
        kind="saddle",
        index=inertia[0],
        nullity=inertia[1],
        inertia=inertia,
        margin=float(np.min(np.abs(eigenvalues[~zero]))) / largest,
        evidence=evidence,
    )


def classify_by_enclosure(
    network: HingeNetwork, x: Array, active: Array, tolerance: float = 1e-12
) -> Criticality | None:
    """Return the verdict where `enclosure_bound` proves a local minimum, else None.

    Parameters
    ----------
    network : HingeNetwork
        A multiclass loss.
    x : ndarray, shape (n,)
        The point.
    active : ndarray of int
        Output kinks at 0; no unit may be at its kink.
    tolerance : float, optional
        Share of the loss by which it may exceed the bound (default 1e-12).

    Notes
    -----
    The minimum is sharp when none of the cells that these kinks may separate is flat.
    """
    if network.widths != (1,) or network.criterion.outputs == 1 or len(active) > 8:
        return None
    loss, bound = float(network.loss(x)), enclosure_bound(network, x)
    if bound == 0.0 or loss > bound + tolerance * (1.0 + loss):
        return None
    positions, flat = network.positions(x), False
    for sides in product((0.0, 1.0), repeat=len(active)):
        positions[-1][active] = sides
        flat = flat or is_flat(network, positions)
    evidence = {
        "critical": True,
        "local_minimum": True,
        "flat_cell": None if flat else False,
        "loss": loss,
        "lower_bound": bound,
        "method": "features between those of another class",
    }
    return Criticality(kind="minimum" if flat else "sharp minimum", evidence=evidence)


def _size(network: HingeNetwork, points: Array) -> float:
    """Return how large a gradient would be if no terms cancelled."""
    weights = np.sum(np.abs(network.criterion.weights))
    reach = 1.0 + float(np.max(np.abs(network.X)))
    depth = (1.0 + float(np.max(np.abs(points)))) ** len(network.widths)
    return float(weights) * reach * depth
