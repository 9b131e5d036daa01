"""The learning law solved exactly: V is quadratic in every linear region, so exponentials solve it.

With a fixed assignment of data the law is ``T dw/dt = -(H w - b)`` with symmetric H, and

    w(t) = w* + exp(-H t / T) (w(0) - w*).

Where regions meet in a kink that attracts, data stay on it: the velocity is the subgradient of
least norm, that of V restricted to the kink, and again linear. A region ends at the first zero of
one of a list of sums of exponentials. So long times cost nothing, however stiff the law is, and the
limit is found as well. `contcrit.contraction.flow` follows general problems.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import SpecificationError, Status
from ...system import Array
from .data import LocalLinear
from .modes import LawMode, Merged, begin, beyond, snapped

_MOST_MODES = 500
_IDLE = 20


@dataclass(frozen=True, eq=False)
class LawPath:
    """A solution of the law.

    Parameters
    ----------
    data : LocalLinear
        The data.
    times : tuple of float
        When each mode begins, and when the last one ends: infinity for the limit.
    modes : tuple of LawMode
        Assignments of data, in order.
    points : tuple of ndarray
        Weights at these times, shape (I, N + 1) each.
    status : Status
        END_OF_TIME, or MODE_UNDECIDED or MAXIMUM_EVENTS, with the path as far as it went.
    """

    data: LocalLinear
    times: tuple[float, ...]
    modes: tuple[LawMode, ...]
    points: tuple[Array, ...]
    status: Status

    @property
    def end(self) -> Array:
        """The last weights, shape (I, N + 1)."""
        return self.points[-1]

    @property
    def slides(self) -> bool:
        """Whether data stay on a kink for a while."""
        return any(mode.ties for mode in self.modes)

    def __call__(self, time: float) -> Array:
        """Return the weights at a time, shape (I, N + 1).

        Raises
        ------
        SpecificationError
            If the time lies beyond what was followed.
        """
        if not 0.0 <= time <= self.times[-1]:
            raise SpecificationError(
                "time", time, f"must lie in [0, {self.times[-1]:g}].", "Follow it for longer."
            )
        if time == self.times[-1]:
            return self.end
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        part = _Exponentials(Merged.of(self.data), self.modes[place], self.points[place])
        return part.at(time - self.times[place])


def learn(data: LocalLinear, w: Array, time: float = np.inf) -> LawPath:
    """Follow the learning law (equations 2, 3, 7 and 13) exactly, in the sense of Filippov.

    Parameters
    ----------
    data : LocalLinear
        Data, neurons and time scale.
    w : array_like, shape (I, N + 1)
        Where it begins. On a kink that repels it takes the side that `LocalLinear.selection` names;
        points within 1e-10 of a kink, relative to 1 + max|z|, count as on it.
    time : float, optional
        How long; the default, infinity, gives the limit as `end`.

    Returns
    -------
    LawPath

    Raises
    ------
    SpecificationError
        If the time is not positive.

    Examples
    --------
    Two maxima that are too large slide along their kink to the target.

    >>> import numpy as np
    >>> from contcrit.models.local_linear.graph import NeuronGraph
    >>> data = LocalLinear(np.zeros((1, 0)), [1.0], NeuronGraph.chain((1,)))
    >>> path = learn(data, [[3.0], [2.0]])
    >>> path.end.ravel().round(12).tolist(), len(path.modes), path.slides
    ([1.0, 1.0], 2, True)
    """
    if not time > 0:
        raise SpecificationError("time", time, "must be positive.", "Give a duration.")
    w = data.weights(w).copy()
    now, idle = 0.0, 0
    merged = Merged.of(data)
    w = snapped(merged, w)
    times, points, modes = [0.0], [w], [begin(merged, w)]
    status = Status.MAXIMUM_EVENTS
    while len(modes) <= _MOST_MODES:
        part = _Exponentials(merged, modes[-1], w)
        step, met = part.first_zero(time - now)
        w = part.at(step) if met is None else snapped(merged, part.at(step))
        now = time if met is None else now + step
        times.append(now)
        points.append(w)
        if met is None:
            status = Status.END_OF_TIME
            break
        idle = idle + 1 if step <= 1e-12 * max(1.0, now) else 0
        if idle > _IDLE:
            status = Status.MODE_UNDECIDED
            break
        modes.append(beyond(merged, w, modes[-1], met))
    return LawPath(data, tuple(times), tuple(modes), tuple(points), status)


class _Exponentials:
    """The law within one mode, from one point."""

    def __init__(self, merged: Merged, mode: LawMode, w: Array) -> None:
        from scipy.linalg import null_space  # slow to import

        data = merged.data
        rows = mode.rows(data)
        normals = mode.normals(data)
        basis = null_space(normals) if len(normals) else np.eye(w.size)
        weighed = rows.T * merged.counts
        H = basis.T @ (weighed @ rows) @ basis / data.T
        rates, vectors = np.linalg.eigh(H)
        # Of the whole law: where ties leave no rate, the restricted one is rounding.
        top = float(np.linalg.norm(weighed @ rows)) / data.T
        self.rates = np.where(rates > 1e-12 * top, rates, 0.0)
        self.modes = basis @ vectors
        self.shape = w.shape
        force = self.modes.T @ (weighed @ data.y) / data.T
        moving = self.rates > 0
        start = self.modes.T @ w.ravel()
        self.limit = start.copy()
        self.limit[moving] = force[moving] / self.rates[moving]
        self.decay = start - self.limit
        self.decay[~moving] = 0.0
        functions, constants = mode.margins(merged)
        self.functions = functions @ self.modes
        size = 1.0 + float(
            np.max(np.abs(start), initial=0.0) + np.max(np.abs(self.limit), initial=0.0)
        )
        self.noise = 1e-14 * (np.linalg.norm(functions, axis=1) * size + np.abs(constants))
        self.constants = constants

    def at(self, time: float) -> Array:
        """Return the weights after a time, infinity included."""
        faded = np.zeros_like(self.decay) if np.isinf(time) else np.exp(-self.rates * time)
        return (self.modes @ (self.limit + faded * self.decay)).reshape(self.shape)

    def first_zero(self, time: float) -> tuple[float, int | None]:
        """Return when the first margin vanishes, and which; (time, None) if none does."""
        moving = self.rates > 0
        if not moving.any() or not len(self.functions):
            return time, None
        fastest, slowest = float(np.max(self.rates)), float(np.min(self.rates[moving]))
        last = min(time, 60.0 / slowest)
        grid = np.geomspace(1e-10 / fastest, 60.0 / slowest, 1200)
        grid = np.concatenate([[0.0], grid[grid < last], [last]])
        self.steady = self.functions @ self.limit + self.constants
        self.weights = self.functions * self.decay
        powers = np.exp(-np.outer(self.rates, grid))
        values = self.steady[:, None] + self.weights @ powers
        slopes = -(self.weights * self.rates) @ powers
        grid, values = self._with_dips(grid, values, slopes)
        below = values < -self.noise[:, None]
        if not below.any():
            return time, None
        column = int(np.argmax(np.any(below, axis=0)))
        best, which = np.inf, -1
        for j in np.flatnonzero(below[:, column]):
            zero = float(grid[max(column - 1, 0)])
            if column > 0 and values[j, column - 1] > 0:
                zero = _root(self._margin(int(j)), grid[column - 1], grid[column])
            if zero < best:
                best, which = zero, int(j)
        return best, which

    def _margin(self, j: int, order: int = 0) -> Callable[[float], float]:
        """Return one margin, or its derivative, as a function of time."""
        weights = self.weights[j] * (-self.rates) ** order
        steady = 0.0 if order else float(self.steady[j])
        return lambda t: steady + float(weights @ np.exp(-self.rates * t))

    def _with_dips(self, grid: Array, values: Array, slopes: Array) -> tuple[Array, Array]:
        """Return grid and margins with the times added at which one is least, if below zero."""
        width = np.diff(grid)
        turning = (slopes[:, :-1] < 0) & (slopes[:, 1:] > 0)
        low = np.minimum(
            values[:, :-1] + slopes[:, :-1] * width, values[:, 1:] - slopes[:, 1:] * width
        )
        added = []
        for j, column in np.argwhere(turning & (low < 0) & (values[:, :-1] > 0)):
            at = _root(self._margin(int(j), 1), grid[column], grid[column + 1])
            if self._margin(int(j))(at) < -self.noise[j]:
                added.append(at)
        if not added:
            return grid, values
        times = np.union1d(grid, added)
        return times, self.steady[:, None] + self.weights @ np.exp(-np.outer(self.rates, times))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq  # slow to import

    return float(brentq(function, low, high, xtol=1e-300, rtol=8.9e-16))
