"""What the paper proves about critical points, as numbers that can be checked.

The quantitative form of Theorems 4 and 6 (ours): let the data be separable, and rho the distance of
the origin from the convex hull of the y_i (x_i, 1). For every chain-rule subgradient g of
equation 9, with margin positions p_i and unit slopes s_ik,

    |g| >= rho sqrt( sum_k (|v_k| sum_i mu_i p_i s_ik)^2 ),

since the separating direction pairs with every term of the hidden gradient with one sign. Theorem
4 follows as s_ik >= alpha, Theorem 6 as s_ik = 1 where a unit is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations, product

import numpy as np
from scipy.optimize import nnls

from ...errors import SpecificationError
from ...system import Array
from .network import HingeNetwork, Positions
from .penalised import PenalisedNetwork

RATIONALS = 200_000
"""Largest number of partial sums that the test for generic data keeps."""


def separation(X: Array, y: Array) -> float:
    """Return rho = 1 / min{|(q, beta)| : y_i (q . x_i + beta) >= 1}, and 0 if not separable.

    Parameters
    ----------
    X : array_like, shape (N, d)
        Data.
    y : array_like, shape (N,)
        Labels +1 and -1.

    Notes
    -----
    By duality rho is the distance of the origin from the convex hull of the y_i (x_i, 1).

    Examples
    --------
    >>> separation([[1.0], [-1.0]], [1, -1])
    1.0
    """
    rows = np.hstack([np.asarray(X, dtype=float), np.ones((len(X), 1))])
    rows = rows * np.asarray(y, dtype=float)[:, None]
    # The nearest point of the hull by non-negative least squares: weights theta of
    # min |rows^T theta|^2 + (1 - sum theta)^2 are those of the hull up to a factor.
    lifted = np.vstack([rows.T, np.ones(len(rows))])
    target = np.zeros(len(lifted))
    target[-1] = 1.0
    theta, _ = nnls(lifted, target)
    distance = float(np.linalg.norm(rows.T @ theta) / np.sum(theta))
    return distance if distance > 1e-12 * float(np.max(np.abs(rows))) else 0.0


def subgradient_bound(network: HingeNetwork, x: Array, positions: Positions) -> float:
    """Return the lower bound of a chain-rule subgradient's norm, given its positions.

    Parameters
    ----------
    network : HingeNetwork
        One hidden layer, one output.
    x : ndarray, shape (n,)
        The point.
    positions : sequence of ndarray
        Of the units, (N K,), and of the margins, (N,).

    Raises
    ------
    SpecificationError
        If the network is of another form.

    Notes
    -----
    It bounds the part of the subgradient along the hidden weights and biases.

    References
    ----------
    Laurent and von Brecht, ICML 2018, Theorems 4 and 6, whose proofs it makes quantitative.
    """
    if len(network.widths) != 1 or network.criterion.outputs != 1 or network.bases[0] is not None:
        raise SpecificationError(
            "network", network.blocks, "needs one fully connected hidden layer and one output.",
            "Theorems 4 and 6 speak of no other.",
        )  # fmt: skip
    slopes = network.slopes(np.reshape(positions[0], (len(network.X), -1)))
    pull = np.asarray(positions[1]) * network.criterion.weights
    v = network.output(x)[0][0]
    rho = separation(network.X, network.criterion.directions[:, 0])
    return rho * float(np.linalg.norm(v * (pull @ slopes)))


def seen_and_unsolved(network: HingeNetwork, x: Array, tolerance: float = 1e-9) -> Array:
    """Return the data with positive loss that some unit with v_k != 0 sees, shape (m,).

    At Clarke critical points of separable data with alpha = 0 and one output there are none:
    Theorem 6. For many outputs, v_k counts as 0 where it drops out of the loss of the datum's kink
    (equation 15), and for the multiclass loss where all classes share one V_rk.
    """
    count = len(network.X)
    hidden, margins = network.switching(x)
    V = network.output(x)[0]
    on = hidden.reshape(count, -1) > tolerance
    directions = network.criterion.directions
    differences = len(V) > 1 and not np.any(np.sum(directions, axis=1))
    rows = []
    for j, i in enumerate(network.criterion.data):
        used = (
            np.ptp(V, axis=0) > tolerance if differences else np.abs(directions[j] @ V) > tolerance
        )
        if margins[j] > tolerance and np.any(on[i] & used):
            rows.append(int(i))
    return np.unique(np.array(rows, dtype=int))


def penalty_identity(
    network: PenalisedNetwork, x: Array, positions: Positions
) -> tuple[float, float]:
    """Return both sides of the identity behind Theorem 7(i), for one chain-rule subgradient.

        sum_r <w^(L,r), g_w> + <b^(L,r), g_b> - <V_r, g_V>
            = 2 gamma R / (R - 1) sum_r |w^(L,r) - mean|^2 + |b^(L,r) - mean|^2

    The right-hand side vanishes at critical points only if the last hidden layers agree.
    """
    gradient = network.gradient(x, positions)
    first = network.replicates[0]
    names = list(first.blocks)
    last = 2 * (len(first.widths) - 1)
    places = [first.places[name] for name in names[last : last + 3]]
    left = 0.0
    for place, side in zip(places, (1.0, 1.0, -1.0), strict=True):
        rows = network.index[:, place]
        left += side * float(np.sum(x[rows] * gradient[rows]))
    hidden = x[network.index[:, places[0].start : places[1].stop]]
    spread = float(np.sum((hidden - hidden.mean(axis=0)) ** 2))
    count = len(network.replicates)
    return left, 2.0 * network.gamma * count / (count - 1) * spread


def enclosure_bound(network: HingeNetwork, x: Array) -> float:
    """Return a lower bound of a multiclass loss that holds near a point: one unit, one layer.

    Let the feature of datum i, of class s, lie strictly between those of j and k, of class r: h_i =
    (1 - t) h_j + t h_k. The scores' difference D = yhat_r - yhat_s is affine in the feature, so

        relu(1 - D_j) + relu(1 - D_k) + relu(1 + D_i)
            >= (1 - t) (1 - D_j) + t (1 - D_k) + 1 + D_i = 2,

    whatever V and c are, wherever the order of the features is the same. The bound is the sum
    over disjoint triples with a common weight, found greedily, and holds in a neighbourhood: a
    point whose loss equals it is a local minimum.

    Raises
    ------
    SpecificationError
        If there is more than one hidden unit.
    """
    if network.widths != (1,):
        raise SpecificationError(
            "network", network.widths, "needs one hidden unit.", "Features must lie on a line."
        )
    inputs = network.switching(x)[0]
    features = np.where(inputs > 0, inputs, network.alpha * inputs)
    if np.any(inputs == 0):
        return 0.0  # a unit at its kink may turn either way: no order is certain
    criterion = network.criterion
    classes = np.full(len(features), -1)
    kinks: dict[tuple[int, int], float] = {}
    for direction, i, weight in zip(
        criterion.directions, criterion.data, criterion.weights, strict=True
    ):
        classes[i] = int(np.argmax(direction))
        kinks[int(i), int(np.argmin(direction))] = float(weight)
    total = 0.0
    for i, j, k in permutations(range(len(features)), 3):
        s, r = int(classes[i]), int(classes[j])
        if classes[k] != r or s == r or not features[j] < features[i] < features[k]:
            continue
        used = [(i, r), (j, s), (k, s)]
        if all(kink in kinks for kink in used):
            total += 2.0 * min(kinks[kink] for kink in used)
            for kink in used:
                del kinks[kink]
    return total


def is_generic(
    X: Sequence[Sequence[Fraction | int | float]],
    y: Sequence[int],
    alpha: Fraction | int | float,
    weights: Sequence[Fraction | int | float] | None = None,
    layers: int = 1,
) -> bool:
    """Tell whether weighted data are generic (Definition 1, restricted to r != y_i), exactly.

    Parameters
    ----------
    X : sequence of sequences, shape (N, d)
        Data; floats count as the rational numbers that they are.
    y : sequence of int
        Classes 0, ..., R - 1, or +1 and -1.
    alpha : number
        Slope, positive.
    weights : sequence, optional
        Weights of the data (default 1).
    layers : int, default 1
        Number L of hidden layers.

    Raises
    ------
    SpecificationError
        If alpha is not positive, or there are too many combinations to look at.

    Notes
    -----
    Read literally, Definition 1 makes all data rare: epsilon^(i, y_i) = 1 alone solves equation 7.
    Rare data are those for which one of finitely many sums of vectors
    ``lambda mu (x, 1) (x) (epsilon e_y - sum_r epsilon^r e_r)`` vanishes without all epsilon being
    zero. There are (1 + (2^(R-1) - 1)(L + 1))^N - 1 of them; the two halves of the data are summed
    apart and compared.

    Examples
    --------
    >>> is_generic([[0], [1], [3]], [1, -1, 1], Fraction(1, 3)), is_generic([[1], [1]], [1, -1], 1)
    (True, False)
    """
    rate = Fraction(alpha)
    if rate <= 0:
        raise SpecificationError("alpha", alpha, "must be positive.", "Definition 1 says so.")
    labels = [int(label) for label in y]
    if set(labels) <= {-1, 1}:
        labels = [(1 - label) // 2 for label in labels]
    classes = max(2, max(labels) + 1)
    scales = {rate**power for power in range(layers + 1)}
    mus = [Fraction(1)] * len(labels) if weights is None else [Fraction(w) for w in weights]
    halves: list[dict[tuple[Fraction, ...], bool]] = []
    middle = len(labels) // 2
    for members in (range(middle), range(middle, len(labels))):
        # Sum -> whether it can be reached with some epsilon that is not zero.
        sums: dict[tuple[Fraction, ...], bool] = {}
        zero = (Fraction(0),) * (classes * (len(X[0]) + 1))
        sums[zero] = False
        for i in members:
            point = [Fraction(value) for value in (*X[i], 1)]
            sums = _extended(sums, _contributions(point, labels[i], classes, mus[i], scales))
        halves.append(sums)
    first, second = halves
    for key, used in first.items():
        opposite = tuple(-value for value in key)
        if opposite in second and (used or second[opposite]):
            return False
    return True


def _contributions(
    point: list[Fraction], label: int, classes: int, weight: Fraction, scales: set[Fraction]
) -> list[tuple[Fraction, ...]]:
    """Return what one datum can add to the sums, for every choice that is not all zero."""
    others = [r for r in range(classes) if r != label]
    found = []
    for epsilon in product((0, 1), repeat=len(others)):
        if not any(epsilon):
            continue
        signs = [0] * classes
        signs[label] = sum(epsilon)
        for r, value in zip(others, epsilon, strict=True):
            signs[r] = -value
        found += [
            tuple(scale * weight * sign * value for sign in signs for value in point)
            for scale in scales
        ]
    return found


def _extended(
    sums: dict[tuple[Fraction, ...], bool], terms: list[tuple[Fraction, ...]]
) -> dict[tuple[Fraction, ...], bool]:
    grown = dict(sums)
    for key in sums:
        for term in terms:
            grown[tuple(a + b for a, b in zip(key, term, strict=True))] = True
    if len(grown) > RATIONALS:
        raise SpecificationError(
            "X", len(grown), f"has more than {RATIONALS} combinations to look at.", "Use less data."
        )
    return grown
