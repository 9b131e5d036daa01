"""Morse index of the linear network's cost on the space of all weight curves, by conjugate points.

Write a variation of the curve of C as ``v_t`` in the frame that turns with the curve, and the
change it causes as ``y_t``, so that ``dy/dt = [C^T, y] + v`` and ``y_0 = 0``. At a critical point

    Hess J[v, v] = lam int_0^T (|v|^2 - 2 tr(C^T v y)) dt + |y_T e^{T C^T} Sigma0^{1/2}|^2,

a Sturm-Liouville form with **constant** coefficients, for every dimension. Its extremals satisfy a
linear Hamiltonian system whose solutions (y, p) with y_0 = 0, p_0 = E give the derivative of the
flow in closed form: ``D Phi_t(C) E = e^{2 t Omega} y_t e^{t C^T}``. The times in (0, T) where that
is singular are the conjugate points, and the Morse index is their number, with multiplicity, plus
the index of the form that the extremals leave at T.

Both numbers are counted without a search for zeros. On an interval of length h the form with fixed
ends is positive once ``2 h |C| / pi < exp(-4 h |C|)``; so [0, T] is cut into such intervals, the
form becomes a block tridiagonal matrix in the values of y at the nodes (Morse's reduction, exact),
and Sylvester's law counts the negative eigenvalues of its pivots. Elimination from the left counts
conjugate points, double ones twice; elimination from the right counts focal points of the end
condition. The two orders check each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq

from ...system import Array
from .theory import LinearNetwork

_FREE_ANGLE = 0.35
"""Largest h |C|_2 of an interval: ``exp(-4 x) > 2 x / pi`` holds, so no point is conjugate."""

_PIVOT_TOLERANCE = 1e-7
"""Pivots closer to singular than this, relative to the largest, call for another partition."""


@dataclass(frozen=True, eq=False)
class JacobiSystem:
    """The linear Hamiltonian system of the extremals' variations along the curve of C.

    Parameters
    ----------
    C : ndarray, shape (d, d)
        Start of the curve; any matrix, critical or not.

    References
    ----------
    Milnor, *Morse Theory*, sections 14 to 16 (reduction to broken extremals, index theorem).

    Examples
    --------
    >>> import numpy as np
    >>> C = 4.0 * np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> times = JacobiSystem(C).conjugate_times(1.0)       # closed form: pi / 4, twice
    >>> bool(np.allclose(times, np.pi / 4)), len(times)
    (True, 2)
    """

    C: Array

    @cached_property
    def matrix(self) -> Array:
        """Generator of (y, p), shape (2 d^2, 2 d^2)."""
        C, d = self.C, self.C.shape[0]
        n, identity = d * d, np.eye(d)
        swap = np.arange(n).reshape(d, d).T.ravel()
        bracket = np.kron(C.T, identity) - np.kron(identity, C)
        coupling = np.kron(C, identity)[:, swap]
        drift = bracket + coupling
        return np.block([[drift, np.eye(n)], [-coupling.T @ coupling, -drift.T]])

    def solution(self, t: float) -> tuple[Array, Array]:
        """Return y_t and p_t as matrices on vectorised starts p_0 = E, each (d^2, d^2)."""
        n = self.C.size
        exponential = expm(t * self.matrix)
        return exponential[:n, n:], exponential[n:, n:]

    def action(self, h: float) -> tuple[Array, Array, Array]:
        """Return the form over a time h as a function of its ends.

        Returns
        -------
        start, cross, end : ndarray, shape (d^2, d^2)
            The least value with ends a, b is ``a.start a - 2 a.cross b + b.end b``.
        """
        n = self.C.size
        exponential = expm(h * self.matrix)
        cross = np.linalg.inv(exponential[:n, n:])
        start = cross @ exponential[:n, :n]
        end = exponential[n:, n:] @ cross
        return 0.5 * (start + start.T), cross, 0.5 * (end + end.T)

    def intervals(self, T: float) -> int:
        """Return a number of equal intervals of [0, T] that are free of conjugate points."""
        return max(1, math.ceil(float(np.linalg.norm(self.C, 2)) * T / _FREE_ANGLE))

    def forward(self, T: float) -> ForwardCount:
        """Count the conjugate points in (0, T), with multiplicity, by elimination from 0."""
        best: ForwardCount | None = None
        for count in _partitions(self.intervals(T)):
            h = T / count
            start, cross, end = self.action(h)
            pivots, values = [end], []
            for _ in range(count - 1):
                pivot = pivots[-1] + start
                values.append(np.linalg.eigvalsh(pivot))
                update = end - cross.T @ np.linalg.solve(pivot, cross)
                pivots.append(0.5 * (update + update.T))
            eigenvalues = np.array(values).reshape(count - 1, self.C.size)
            # A singular last pivot is a conjugate point at T itself: no partition avoids that one.
            inner = _closeness(eigenvalues[:-1])
            candidate = ForwardCount(
                step=h,
                eigenvalues=eigenvalues,
                pivots=pivots,
                inner_margin=inner,
                end_margin=_closeness(eigenvalues[-1:]),
            )
            if best is None or inner > best.inner_margin:
                best = candidate
            if inner > _PIVOT_TOLERANCE:
                break
        assert best is not None
        return best

    def conjugate_times(self, T: float, forward: ForwardCount | None = None) -> Array:
        """Return the conjugate points in (0, T), a double one twice, in order, shape (count,)."""
        found = self.forward(T) if forward is None else forward
        times = []
        for k, values in enumerate(found.eigenvalues):
            left = (k + 1) * found.step
            for j in range(int(np.sum(values < 0))):
                times.append(left + self._crossing(found.pivots[k], j, found.step))
        return np.array(sorted(times))

    def _crossing(self, pivot: Array, j: int, h: float) -> float:
        """Return when the j-th eigenvalue of the pivot falls through zero inside an interval."""

        def eigenvalue(s: float) -> float:
            # Times s / h, which keeps the values finite as s goes to 0 where `start` is like 1 / s.
            return float(np.linalg.eigvalsh(pivot + self.action(s)[0])[j]) * s / h

        low = 0.5 * h
        while eigenvalue(low) <= 0 and low > 1e-12 * h:
            low *= 0.5
        if eigenvalue(low) <= 0:
            return 0.0
        return float(brentq(eigenvalue, low, h, xtol=1e-13 * h, rtol=1e-13))


@dataclass(frozen=True, eq=False)
class ForwardCount:
    """Outcome of the elimination from 0.

    Parameters
    ----------
    step : float
        Length of the intervals.
    eigenvalues : ndarray, shape (intervals - 1, d^2)
        Eigenvalues of the pivots; row k counts the conjugate points of interval k + 1.
    pivots : list of ndarray
        The form that the extremals from 0 leave at each node.
    inner_margin, end_margin : float
        Smallest over largest modulus of the eigenvalues: over the inner nodes, and at the last,
        where zero means a conjugate point at T.
    """

    step: float
    eigenvalues: Array
    pivots: list[Array]
    inner_margin: float
    end_margin: float

    @property
    def count(self) -> int:
        """Number of conjugate points in (0, T), with multiplicity."""
        return int(np.sum(self.eigenvalues < 0))

    @property
    def end_is_conjugate(self) -> bool:
        """Whether T is a conjugate point, to working accuracy."""
        return self.end_margin < _PIVOT_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class MorseIndex:
    """Morse index by two orders of elimination.

    Parameters
    ----------
    conjugate_count : int
        Conjugate points in (0, T), with multiplicity.
    end_index : int or None
        Negative directions of the form left at T; None where T is a conjugate point.
    by_focal_points : int
        The whole index by elimination from T, which allows a conjugate point at T.
    end_margin : float
        How far T is from being a conjugate point; see `ForwardCount`.
    """

    conjugate_count: int
    end_index: int | None
    by_focal_points: int
    end_margin: float

    @property
    def by_conjugate_points(self) -> int | None:
        """The whole index by elimination from 0; None where T is a conjugate point."""
        return None if self.end_index is None else self.conjugate_count + self.end_index


def morse_index(
    network: LinearNetwork,
    C: Array,
    lam: float,
    nullity: int = 0,
    forward: ForwardCount | None = None,
) -> MorseIndex:
    """Count the negative directions of J on L2([0, T]; M_d) at a critical point.

    Parameters
    ----------
    network : LinearNetwork
        The data.
    C : ndarray, shape (d, d)
        A solution of the characteristic equation.
    lam : float
        Regularisation, positive.
    nullity : int, default 0
        Dimension of the kernel of DN: so many eigenvalues of the last pivot are taken as zero.
    forward : ForwardCount, optional
        Outcome of `JacobiSystem.forward`, when it is known already.

    Returns
    -------
    MorseIndex

    Examples
    --------
    >>> import numpy as np
    >>> network = LinearNetwork(np.eye(1), np.eye(1), 1.0)      # d = 1, R = 1: C = 0 is the minimum
    >>> morse_index(network, np.zeros((1, 1)), 0.5).by_conjugate_points
    0
    """
    system = JacobiSystem(C)
    end_form = _end_form(network, C) / lam
    found = system.forward(network.T) if forward is None else forward
    end_index = None
    if not found.end_is_conjugate:
        end_index = _negative(found.pivots[-1] + end_form, nullity)
    return MorseIndex(
        conjugate_count=found.count,
        end_index=end_index,
        by_focal_points=_focal_count(system, network.T, end_form, nullity),
        end_margin=found.end_margin,
    )


def _end_form(network: LinearNetwork, C: Array) -> Array:
    """Return the matrix of |y e^{T C^T} Sigma0^{1/2}|^2 in y, shape (d^2, d^2)."""
    stretch = expm(network.T * C.T)
    return np.kron(np.eye(C.shape[0]), stretch @ network.Sigma0 @ stretch.T)


def _focal_count(system: JacobiSystem, T: float, end_form: Array, nullity: int) -> int:
    """Count the negative directions by elimination from T."""
    best, best_margin = 0, -1.0
    for count in _partitions(system.intervals(T)):
        start, cross, end = system.action(T / count)
        left, total, values = end_form, 0, []
        for _ in range(count - 1):
            pivot = end + left
            values.append(np.linalg.eigvalsh(pivot))
            left = start - cross @ np.linalg.solve(pivot, cross.T)
            left = 0.5 * (left + left.T)
        eigenvalues = np.array(values).reshape(count - 1, system.C.size)
        total = int(np.sum(eigenvalues < 0)) + _negative(end + left, nullity)
        margin = _closeness(eigenvalues)
        if margin > best_margin:
            best, best_margin = total, margin
        if margin > _PIVOT_TOLERANCE:
            break
    return best


def _negative(form: Array, nullity: int) -> int:
    """Count negative eigenvalues, leaving out the `nullity` ones nearest to zero."""
    eigenvalues = np.linalg.eigvalsh(form)
    kept = eigenvalues[np.argsort(np.abs(eigenvalues))[nullity:]]
    return int(np.sum(kept < 0))


def _closeness(eigenvalues: Array) -> float:
    """Return the least ratio of smallest to largest modulus over the rows; 1 if there are none."""
    if eigenvalues.size == 0:
        return 1.0
    moduli = np.abs(eigenvalues)
    return float(np.min(moduli) / np.max(moduli))


def _partitions(count: int) -> Iterator[int]:
    """Yield numbers of intervals to try, so that a conjugate point on a node can be avoided."""
    yield count
    yield count + 1
    yield count + 2
    yield 2 * count + 3
