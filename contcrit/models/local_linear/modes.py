"""Which neuron answers which datum while the law runs, and which data stay on a kink."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...system import Array
from .data import LocalLinear

_CLOSE = 1e-10
"""Distance in z, relative to the largest |z|, up to which a datum lies on a kink."""

_SHARE = 1e-9
_WEIGHT = 1e4


@dataclass(frozen=True, eq=False)
class Merged:
    """Data with every input once: their mean targets, and how often each input occurs.

    V is ``sum_k count_k (yhat_k - y_k)^2 / 2`` and a constant: data at one input reach a kink
    together.

    Parameters
    ----------
    data : LocalLinear
        Data with different inputs.
    counts : ndarray, shape (K,)
        How often each input occurs.
    """

    data: LocalLinear
    counts: Array

    @classmethod
    def of(cls, data: LocalLinear) -> Merged:
        """Merge equal inputs."""
        x, place, counts = np.unique(data.x, axis=0, return_inverse=True, return_counts=True)
        place = place.ravel()
        means = np.bincount(place, weights=data.y) / counts
        return cls(dataclasses.replace(data, x=x, y=means), counts.astype(float))

    def pulls(self, w: Array) -> Array:
        """Return counts times errors, shape (K,)."""
        return self.counts * self.data.errors(w)


@dataclass(frozen=True)
class Tie:
    """A datum on a kink: the neurons that share it; of a ReLU, -1 stands for off."""

    datum: int
    group: int
    members: tuple[int, ...]
    bend: int


@dataclass(frozen=True)
class LawMode:
    """An assignment of data to neurons.

    Parameters
    ----------
    owners : tuple of tuple of int
        For each datum the neuron in charge in each group; of ReLUs, 1 or 0 for each one.
    ties : tuple of Tie
        Data that stay on a kink; the neuron in charge is one of the members.
    """

    owners: tuple[tuple[int, ...], ...]
    ties: tuple[Tie, ...] = ()

    def rows(self, data: LocalLinear) -> Array:
        """Return the derivatives of yhat in the weights, shape (K, n)."""
        return np.einsum("ki,kn->kin", self._selection(data), data.X).reshape(len(data.X), -1)

    def _selection(self, data: LocalLinear) -> Array:
        if data.units == "relu":
            return np.array(self.owners, dtype=float)
        chosen = np.tile(1.0 - np.array(data.graph.multiplicities), (len(data.X), 1))
        for k, row in enumerate(self.owners):
            for i in row:
                chosen[k, i] += 1.0
        return chosen

    @cached_property
    def _tied(self) -> dict[tuple[int, int], tuple[int, ...]]:
        return {(tie.datum, tie.group): tie.members for tie in self.ties}

    def normals(self, data: LocalLinear) -> Array:
        """Return the functions that vanish while data stay on kinks, as rows (m, n)."""
        found = []
        for tie in self.ties:
            first = self._charge(data, tie)
            for other in tie.members:
                if other != first:
                    found.append(_difference(data, tie.datum, first, other))
        return np.array(found).reshape(-1, data.X.shape[1] * data.neurons)

    def _charge(self, data: LocalLinear, tie: Tie) -> int:
        if data.units == "relu":
            return tie.group if self.owners[tie.datum][tie.group] else -1
        return self.owners[tie.datum][tie.group]

    def margins(self, merged: Merged) -> tuple[Array, Array]:
        """Return rows (m, n) and constants (m,) of functions that are positive in the mode.

        First the sides of all kinks that no tie holds, in the order of `_sides`; then, for each
        tie, the shares of its members, times the modulus of the error.
        """
        data, counts = merged.data, merged.counts
        n = data.X.shape[1] * data.neurons
        rows = [row for row, _ in self._sides(data)]
        constants = [0.0] * len(rows)
        if self.ties:
            A = self.normals(data)
            outputs = self.rows(data)
            # gradient = H w - b; mu = A^+T gradient are the multipliers.
            lift = np.linalg.pinv(A).T
            weighed = outputs.T * counts
            multiplier, offset = lift @ (weighed @ outputs), lift @ (weighed @ data.y)
            place = 0
            for tie in self.ties:
                first = self._charge(data, tie)
                sign = float(tie.bend)
                rest = counts[tie.datum] * outputs[tie.datum]
                level = float(counts[tie.datum] * data.y[tie.datum])
                for other in tie.members:
                    if other == first:
                        continue
                    rows.append(sign * multiplier[place])
                    constants.append(-sign * float(offset[place]))
                    rest -= multiplier[place]
                    level -= float(offset[place])
                    place += 1
                rows.append(sign * rest)
                constants.append(-sign * level)
        return np.array(rows).reshape(-1, n), np.array(constants)

    def _sides(self, data: LocalLinear) -> list[tuple[Array, tuple[int, int, int]]]:
        """Return positive functions with (datum, group, neuron that takes over at zero)."""
        found: list[tuple[Array, tuple[int, int, int]]] = []
        for k in range(len(data.X)):
            if data.units == "relu":
                for i in range(data.neurons):
                    if (k, i) not in self._tied:
                        on = self.owners[k][i]
                        row = _difference(data, k, i, -1)
                        found.append((row if on else -row, (k, i, 1 - on)))
                continue
            for g, group in enumerate(data.graph.groups):
                first = self.owners[k][g]
                for other in group.members:
                    if other != first and other not in self._tied.get((k, g), ()):
                        row = group.sign * _difference(data, k, first, other)
                        found.append((row, (k, g, other)))
        return found


def begin(merged: Merged, w: Array) -> LawMode:
    """Return the mode at a point."""
    return _settled(merged, w, _owners(merged.data, w))


def beyond(merged: Merged, w: Array, mode: LawMode, met: int) -> LawMode:
    """Return the mode after a margin vanished.

    Parameters
    ----------
    merged : Merged
        The data.
    w : ndarray, shape (I, N + 1)
        Where.
    mode : LawMode
        The mode up to there.
    met : int
        Number of the margin.
    """
    owners = [list(row) for row in mode.owners]
    sides = mode._sides(merged.data)
    if met < len(sides):
        k, g, other = sides[met][1]
        owners[k][g] = other
    return _settled(merged, w, owners)


def snapped(merged: Merged, w: Array) -> Array:
    """Return weights whose data lie exactly on the kinks that they are next to rounding from."""
    data = merged.data
    z = data.X @ w.T
    close = _close(z)
    rows: list[Array] = []
    for k, row in enumerate(z):
        if data.units == "relu":
            rows += [_value(data, k, int(i)) for i in np.flatnonzero(np.abs(row) <= close)]
            continue
        for group in data.graph.groups:
            values = group.sign * row[list(group.members)]
            first = group.members[int(np.argmax(values))]
            near = values >= np.max(values) - close
            for i, one in zip(group.members, near, strict=True):
                if one and i != first:
                    rows.append(_difference(data, k, first, i))
    if not rows:
        return w
    found = np.linalg.lstsq(np.array(rows), np.array(rows) @ w.ravel(), rcond=1e-10)[0]
    small = 1e-8 * (1.0 + float(np.max(np.abs(w))))
    return w - found.reshape(w.shape) if np.max(np.abs(found)) <= small else w


def _close(z: Array) -> float:
    return _CLOSE * (1.0 + float(np.max(np.abs(z))))


def _owners(data: LocalLinear, w: Array) -> list[list[int]]:
    """Return the neurons in charge; of those that are equal next to rounding, the first."""
    z = data.X @ w.T
    close = _close(z)
    if data.units == "relu":
        return [[int(v > close) for v in row] for row in z]
    owners = []
    for row in z:
        values = [group.sign * row[list(group.members)] for group in data.graph.groups]
        first = [int(np.argmax(v >= np.max(v) - close)) for v in values]
        owners.append([group.members[k] for group, k in zip(data.graph.groups, first, strict=True)])
    return owners


def _settled(merged: Merged, w: Array, owners: list[list[int]]) -> LawMode:
    """Return the mode of the subgradient of least norm, over the kinks that attract."""
    data = merged.data
    z = data.X @ w.T
    close = _close(z)
    errors = merged.pulls(w)
    ties: list[Tie] = []
    for k, row in enumerate(z):
        if data.units == "relu":
            if errors[k] > close:
                ties += [Tie(k, i, (i, -1), 1) for i in range(data.neurons) if abs(row[i]) <= close]
            continue
        for g, group in enumerate(data.graph.groups):
            values = group.sign * row[list(group.members)]
            near = values >= np.max(values) - close
            members = tuple(i for i, one in zip(group.members, near, strict=True) if one)
            if len(members) > 1 and group.sign * errors[k] > close:
                ties.append(Tie(k, g, members, group.sign))
    if not ties:
        return LawMode(tuple(map(tuple, owners)))
    shares = _shares(data, w, owners, ties, errors)
    held: list[Tie] = []
    for tie, share in zip(ties, shares, strict=True):
        kept = tuple(i for i, s in zip(tie.members, share, strict=True) if s > _SHARE)
        first = tie.members[int(np.argmax(share))]
        owners[tie.datum][tie.group] = int(first >= 0) if data.units == "relu" else first
        if len(kept) > 1:
            held.append(Tie(tie.datum, tie.group, kept, tie.bend))
    return LawMode(tuple(map(tuple, owners)), tuple(held))


def _shares(
    data: LocalLinear, w: Array, owners: list[list[int]], ties: list[Tie], errors: Array
) -> list[Array]:
    """Return the members' shares in each tie that make the gradient smallest."""
    from scipy.optimize import nnls  # slow to import

    rest = LawMode(tuple(map(tuple, owners))).rows(data).T @ errors
    columns, place = [], []
    for number, tie in enumerate(ties):
        if data.units == "relu":
            first = tie.group if owners[tie.datum][tie.group] else -1
        else:
            first = owners[tie.datum][tie.group]
        rest = rest - errors[tie.datum] * _value(data, tie.datum, first)
        for i in tie.members:
            columns.append(errors[tie.datum] * _value(data, tie.datum, i))
            place.append(number)
    places = np.array(place)
    unit = _WEIGHT * (1.0 + float(np.max(np.abs(errors))))
    sums = unit * (places[None, :] == np.arange(len(ties))[:, None])
    found, _ = nnls(
        np.vstack([np.array(columns).T, sums]), np.concatenate([-rest, np.full(len(ties), unit)])
    )
    return [found[places == number] for number in range(len(ties))]


def _value(data: LocalLinear, k: int, i: int) -> Array:
    """Return z_ik as a row in the weights; zero for i = -1."""
    row = np.zeros((data.neurons, data.X.shape[1]))
    if i >= 0:
        row[i] = data.X[k]
    return row.ravel()


def _difference(data: LocalLinear, k: int, i: int, j: int) -> Array:
    return _value(data, k, i) - _value(data, k, j)
