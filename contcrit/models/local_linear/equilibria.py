"""All critical points of a switching pair at fixed data: one family for every assignment of data.

The sign pattern of ``z_0 - z_1`` at the data says which neuron answers each, or that both do. With
a pattern fixed V is quadratic, and critical points solve a linear system: least squares with
``z_0 = z_1`` at the data on the kink, whose multipliers give the positions s in [0, 1]. Its
solutions form a polyhedron, found by linear programming, which is nothing but exact: no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from .data import LocalLinear

_RANK = 1e-10
_STRICT = 1e-9
"""Margin, relative to the outputs, from which a datum counts as off the kink."""

MOST_DATA = 10


@dataclass(frozen=True, eq=False)
class EquilibriumFamily:
    """Critical points that share an assignment of data.

    Parameters
    ----------
    pattern : tuple of int
        For each datum +1 if neuron 0 answers it, -1 if neuron 1 does, 0 on the kink.
    V : float
        The cost, the same on the whole family.
    w : ndarray, shape (2, N + 1)
        One member, inside.
    directions : ndarray, shape (2 (N + 1), p)
        Orthonormal basis of the family's directions; p = 0 for an isolated point.
    positions : ndarray, shape (K,)
        Share s of neuron 0 in each datum; 0 or 1 off the kink. On the kink one of those possible.
    is_border : bool
        Whether it lies on the border of a family with fewer data on the kink.
    """

    pattern: tuple[int, ...]
    V: float
    w: Array
    directions: Array
    positions: Array
    is_border: bool = False

    @property
    def dimension(self) -> int:
        """Number p of directions along which V stays the same."""
        return int(self.directions.shape[1])

    @property
    def coordinates(self) -> dict[str, float]:
        """Weights that tell its members apart, by name, with the values of the member `w`."""
        from scipy.linalg import qr  # slow to import

        if not self.dimension:
            return {}
        chosen = qr(self.directions.T, mode="r", pivoting=True)[1][: self.dimension]
        places = [divmod(int(k), self.w.shape[1]) for k in sorted(chosen)]
        return {f"w[{i},{n}]": float(self.w[i, n]) for i, n in places}

    @property
    def on_kink(self) -> bool:
        """Whether a datum lies on the kink."""
        return 0 in self.pattern

    def bounds(self, other: EquilibriumFamily) -> bool:
        """Return whether it lies on the border of another family, with more data on the kink."""
        mine, others = np.array(self.pattern), np.array(other.pattern)
        agree = np.all((mine == others) | (mine == 0)) and np.any(mine != others)
        if not agree or abs(self.V - other.V) > 1e-9 * (1.0 + self.V):
            return False
        apart = (self.w - other.w).ravel()
        apart = apart - other.directions @ (other.directions.T @ apart)
        return bool(np.linalg.norm(apart) <= 1e-7 * (1.0 + float(np.linalg.norm(self.w))))


def equilibria(data: LocalLinear) -> list[EquilibriumFamily]:
    """Return every family of critical points of a switching pair, by rising V.

    Parameters
    ----------
    data : LocalLinear
        Two local neurons and at most 10 data.

    Returns
    -------
    list of EquilibriumFamily
        Families on the kink included, among them those that only bound others.

    Raises
    ------
    SpecificationError
        If the network is no pair, or has too many data.

    Examples
    --------
    >>> from contcrit.models.local_linear.graph import NeuronGraph
    >>> data = LocalLinear([-2, -1, 1, 2], [2, 1, 1, 2], NeuronGraph.chain((1,)))
    >>> [(f.pattern, round(f.V, 12), f.dimension) for f in equilibria(data) if not f.on_kink][:2]
    [((1, 1, -1, -1), 0.0, 0), ((-1, -1, 1, 1), 0.0, 0)]
    """
    if data.units != "local" or data.neurons != 2:
        raise SpecificationError(
            "data", data.neurons, "must be a pair of local neurons.", "Take neurons=2."
        )
    if len(data.y) > MOST_DATA:
        raise SpecificationError(
            "data", len(data.y), f"must have at most {MOST_DATA} rows.", "Take fewer."
        )
    found = [family for p in patterns(data.X) if (family := _family(data, p)) is not None]
    found = [replace(f, is_border=any(f.bounds(other) for other in found)) for f in found]
    return sorted(found, key=lambda f: (round(f.V, 9), f.on_kink, f.pattern[::-1]))


def patterns(X: Array) -> list[tuple[int, ...]]:
    """Return all sign patterns (-1, 0, +1) of linear functions at the rows of X (K, N + 1).

    Examples
    --------
    >>> import numpy as np
    >>> len(patterns(np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]])))
    13
    """
    if X.shape[1] == 1:
        return [(sign,) * len(X) for sign in (1, 0, -1)]
    return _on_a_line(X[:, 1]) if X.shape[1] == 2 else list(_extended((), X))


def _on_a_line(x: Array) -> list[tuple[int, ...]]:
    """Return the patterns on a line: they change once, between two inputs or at one."""
    values = np.unique(x)
    cuts = [values[0] - 1.0, *values, *((values[1:] + values[:-1]) / 2.0)]
    found = {tuple(int(s) for s in side * np.sign(cut - x)) for cut in cuts for side in (1, -1)}
    return sorted({*found, (0,) * len(x)}, reverse=True)


def _extended(begun: tuple[int, ...], X: Array) -> Iterator[tuple[int, ...]]:
    if len(begun) == len(X):
        yield begun
        return
    for sign in (1, 0, -1):
        longer = (*begun, sign)
        if _realisable(np.array(longer), X[: len(longer)]):
            yield from _extended(longer, X)


def _realisable(signs: Array, X: Array) -> bool:
    """Return whether a linear function has these signs: the largest margin is positive."""
    n, strict = X.shape[1], signs != 0
    if not strict.any():
        return True
    from scipy.optimize import linprog  # slow to import, here and below

    sides = -signs[strict, None] * X[strict]
    margin = np.ones((len(sides), 1))
    rows = np.hstack([sides, margin])
    equal = np.hstack([X[~strict], np.zeros((int(np.sum(~strict)), 1))])
    done = linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=rows,
        b_ub=np.zeros(len(rows)),
        A_eq=equal if len(equal) else None,
        b_eq=np.zeros(len(equal)) if len(equal) else None,
        bounds=[(-1.0, 1.0)] * n + [(None, 1.0)],
        method="highs",
    )
    return bool(done.status == 0 and -done.fun > _STRICT * float(np.max(np.abs(X))))


def _family(data: LocalLinear, pattern: tuple[int, ...]) -> EquilibriumFamily | None:
    """Return the critical points with one pattern of sign (z_0 - z_1) bend, if there are any."""
    from scipy.linalg import null_space

    X, y, n = data.X, data.y, data.X.shape[1]
    sides = np.array(pattern)
    tied = np.flatnonzero(sides == 0)
    second = sides < 0
    rows = np.hstack([np.where(second[:, None], 0.0, X), np.where(second[:, None], X, 0.0)])
    difference = np.hstack([X, -X])
    ties = difference[tied]
    t = len(tied)
    # Stationarity of the cost, and z_0 = z_1 on the kink: unknowns w and t multipliers.
    system = np.block([[rows.T @ rows, ties.T], [ties, np.zeros((t, t))]])
    right = np.concatenate([rows.T @ y, np.zeros(t)])
    solved = np.linalg.lstsq(system, right, rcond=_RANK)[0]
    scale = 1.0 + float(np.max(np.abs(right)))
    if np.max(np.abs(system @ solved - right)) > 1e-8 * scale:
        return None
    kernel = null_space(system, rcond=_RANK)
    w, multipliers = solved[: 2 * n], solved[2 * n :]
    errors = rows @ w - y
    errors[np.abs(errors) <= 1e-12 * (1.0 + np.abs(y))] = 0.0
    bend = data.graph.signs[0]
    # In coordinates c of the kernel: pattern sides hold with margin m, s e = e + multiplier.
    held = sides != 0
    signed = (bend * sides[held])[:, None] * difference[held]
    upper = [-signed @ kernel[: 2 * n]]
    limit = [signed @ w]
    if t:
        facing = np.where(errors[tied] >= 0, 1.0, -1.0)[:, None] * kernel[2 * n :]
        own = np.abs(errors[tied])
        shifted = np.where(errors[tied] >= 0, 1.0, -1.0) * multipliers
        upper += [facing, -facing]
        limit += [-shifted, own + shifted]
    loose = np.concatenate([np.zeros(len(signed)), np.full(2 * t, 1e-10 * scale)])
    place_in = _inside(np.vstack(upper), np.concatenate(limit) + loose, len(signed), scale)
    if place_in is None:
        return None
    moved = solved + kernel @ place_in
    positions = np.where(sides > 0, 1.0, 0.0)
    for place, k in enumerate(tied):
        e = errors[k]
        positions[k] = 0.5 if e == 0 else float(np.clip(1.0 + moved[2 * n + place] / e, 0.0, 1.0))
    directions = kernel[: 2 * n]
    left, singular, _ = np.linalg.svd(directions, full_matrices=False)
    return EquilibriumFamily(
        pattern,
        float(errors @ errors) / 2.0,
        moved[: 2 * n].reshape(2, n),
        left[:, singular > 1e-8] if singular.size else np.zeros((2 * n, 0)),
        positions,
    )


def _inside(rows: Array, limits: Array, strict: int, scale: float) -> Array | None:
    """Return a small point c with rows @ c <= limits, the first ones strictly, or None.

    It has half the largest margin that fits, at most 1/2.
    """
    from scipy.optimize import linprog

    q = rows.shape[1]
    part = np.arange(len(rows)) < strict
    margin = np.where(part, 1.0, 0.0)[:, None]
    done = linprog(
        np.r_[np.zeros(q), -1.0],
        A_ub=np.hstack([rows, margin]),
        b_ub=limits,
        bounds=[(None, None)] * q + [(None, 1.0)],
        method="highs",
    )
    if done.status != 0 or (strict and -done.fun <= _STRICT * scale):
        return None
    if not q:
        return np.zeros(0)
    half = np.where(part, 0.5 * float(done.x[-1]), 0.0)
    size = np.ones((q, 1))
    near = linprog(
        np.r_[np.zeros(q), 1.0],
        A_ub=np.block([[rows, np.zeros((len(rows), 1))], [np.eye(q), -size], [-np.eye(q), -size]]),
        b_ub=np.concatenate([limits - half, np.zeros(2 * q)]),
        bounds=[(None, None)] * q + [(0.0, None)],
        method="highs",
    )
    return np.array((near if near.status == 0 else done).x[:q])
