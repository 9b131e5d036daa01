"""Contraction rates over a whole box: proved where the problem allows, sampled where not."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SpecificationError, Status
from ..system import checked_box
from .field import Field
from .norms import NORMS, root_of, transformed
from .rates import contraction_rate

if TYPE_CHECKING:
    from .jacobians import BoxJacobian

Array = np.ndarray

METHODS = ("interval", "vertices", "sampling")

_CORNERS = 12
"""Largest number of unknowns in which all corners of a box are visited."""

_SIGNS = 6
"""Largest matrix whose symmetric interval hull is bounded by all its extreme matrices."""


@dataclass(frozen=True, eq=False)
class RateBound:
    """Bounds of the largest contraction rate over a box.

    Parameters
    ----------
    lower : float
        The rate at `x`: the largest that was met. The supremum is at least this.
    upper : float
        The supremum is at most this; inf where nothing is proved.
    method : str
        "vertices" (the Jacobian is affine in x, so that the rate is convex: its maximum is at a
        corner), "interval" (interval arithmetic on ever smaller boxes) or "sampling".
    rigorous : bool
        Whether `upper` is proved, rounding included.
    x : ndarray of shape (n,)
        The worst point met.
    boxes : int
        Number of boxes or points looked at.
    status : Status
        CONVERGED where the bounds agree to the tolerance, else BUDGET_SPENT.
    reason : str
        Why it is not rigorous, or why `upper` is inf; empty otherwise.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x = sp.Symbol("x")
    >>> bound = cc.contraction.rate_bound(cc.Problem([-x - x**3], [x]), (-1, 1))
    >>> bound.rigorous, bound.contracting
    (True, True)
    """

    lower: float
    upper: float
    method: str
    rigorous: bool
    x: Array
    boxes: int
    status: Status
    reason: str = ""

    @property
    def contracting(self) -> bool | None:
        """Whether distances shrink at a positive rate in the box; None where it is undecided."""
        if self.rigorous and self.upper < 0:
            return True
        return False if self.lower > 0 else None


def rate_bound(
    problem: Any,
    box: Any,
    values: Mapping[Any, float] | None = None,
    *,
    norm: float = 2,
    metric: Any = None,
    method: str | None = None,
    tolerance: float = 1e-3,
    budget: int = 1000,
    seed: int = 0,
) -> RateBound:
    """Bound the rate at which a flow can expand distances, over all points of a box.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        Of kind "flow" or "potential".
    box : array_like of shape (n, 2) or (2,)
        Ends of the interval of each unknown, or of all.
    values : mapping, optional
        Values of all parameters.
    norm, metric
        As for `logarithmic_norm`.
    method : {"interval", "vertices", "sampling"}, optional
        Default: the first of vertices, interval and sampling that applies.
    tolerance : float, optional
        Relative distance of the bounds at which to stop (default 1e-3).
    budget : int, optional
        Largest number of boxes, or of points to sample (default 1000).
    seed : int, optional
        Of the sample (default 0).

    Returns
    -------
    RateBound

    Raises
    ------
    SpecificationError
        If an argument breaks a rule, or the method asked for does not apply.

    Notes
    -----
    The distances are those along paths within the box: in a convex box that is the norm itself.
    Interval matrices are bounded by their extreme symmetric matrices, up to six unknowns [1]_,
    else by centre and radius, and by Gershgorin's circles. On boxes that a switching surface
    passes, the bound covers the pieces on either side, and is finite only if the jump there is
    semi-contracting.

    References
    ----------
    .. [1] J. Rohn, "Bounds on eigenvalues of interval matrices", ZAMM 78 (1998) S1049-S1050; D.
       Hertz, "The extreme eigenvalues and stability of real symmetric interval matrices", IEEE TAC
       37 (1992) 532-535.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, y = sp.symbols("x y")
    >>> problem = cc.Problem([-x - x**3 + sp.sin(y), -2 * y], [x, y])
    >>> found = rate_bound(problem, (-1, 1))
    >>> found.method, found.rigorous, found.contracting
    ('interval', True, True)
    """
    if method is not None and method not in METHODS:
        raise SpecificationError("method", method, f"must be one of {METHODS}.", "Leave it out.")
    if norm not in NORMS:
        raise SpecificationError("norm", norm, "must be 1, 2 or inf.", "2 is the default.")
    for name, number in (("tolerance", tolerance), ("budget", budget)):
        if not number > 0:
            raise SpecificationError(name, number, "must be positive.", "Try its default.")
    field = Field(problem, values)
    low, high = checked_box(box, field.size, flat=True)
    transformed(np.eye(field.size), norm, metric)  # refuses what is no metric
    search = _Search(field, low, high, norm, metric)
    reason = "asked for"
    if method != "sampling":
        from .intervals import UnsupportedExpression
        from .jacobians import BoxJacobian

        try:
            jacobian = BoxJacobian(problem, field.values, metric if norm == 2 else None)
        except UnsupportedExpression as unknown:
            reason = f"no enclosure is known of {unknown}"
        else:
            affine = jacobian.degree < 2 and not jacobian.kinks
            if affine and jacobian.moving.size <= _CORNERS and method != "interval":
                return search.vertices(jacobian)
            if method != "vertices":
                return search.intervals(jacobian, tolerance, budget)
            reason = "the Jacobian is not affine, or has kinks"
        if method is not None:
            raise SpecificationError(
                "method", method, f"does not apply: {reason}.", "Leave it out."
            )
    return search.sample(budget, seed, reason)


class _Search:
    """The three ways to bound a rate over one box."""

    def __init__(self, field: Field, low: Array, high: Array, norm: float, metric: Any) -> None:
        self.field = field
        self.low, self.high = low, high
        self.norm, self.metric = norm, metric
        self.best = -np.inf
        self.worst = (low + high) / 2.0

    def meet(self, x: Array) -> None:
        """Take the rate at a point into account."""
        rate = contraction_rate(
            self.field.problem, x, self.field.values, norm=self.norm, metric=self.metric
        ).value
        if rate > self.best:
            self.best, self.worst = rate, x

    def vertices(self, jacobian: BoxJacobian) -> RateBound:
        """Return the largest rate at the corners."""
        upper, count = -np.inf, 0
        moving = jacobian.moving
        for corner in itertools.product((0, 1), repeat=int(moving.size)):
            x = self.low.copy()
            x[moving] = np.where(np.array(corner) == 1, self.high[moving], self.low[moving])
            self.meet(x)
            enclosed = jacobian.enclosure(x, x, np.empty((0, 2)))
            upper = max(upper, enclosed_norm(*enclosed, self.norm, self.metric))
            count += 1
        return RateBound(self.best, upper, "vertices", True, self.worst, count, Status.CONVERGED)

    def intervals(self, jacobian: BoxJacobian, tolerance: float, budget: int) -> RateBound:
        """Return bounds from boxes split where they are largest."""
        self.meet((self.low + self.high) / 2.0)
        count = itertools.count()
        moving = jacobian.moving
        queue = [self._boxed(jacobian, self.low, self.high, next(count))]
        boxes = 1
        while boxes < budget and moving.size:
            upper = -queue[0][0]
            if self.best == np.inf or upper - self.best <= tolerance * (1.0 + abs(self.best)):
                break
            _, _, low, high = heapq.heappop(queue)
            widths = (high - low)[moving] / np.maximum((self.high - self.low)[moving], 1e-300)
            axis = moving[int(np.argmax(widths))]
            middle = (low[axis] + high[axis]) / 2.0
            if not low[axis] < middle < high[axis]:
                heapq.heappush(queue, (-upper, next(count), low, high))
                break
            for side in (0, 1):
                part_low, part_high = low.copy(), high.copy()
                (part_high if side == 0 else part_low)[axis] = middle
                self.meet((part_low + part_high) / 2.0)
                heapq.heappush(queue, self._boxed(jacobian, part_low, part_high, next(count)))
                boxes += 1
        upper = -float(queue[0][0])
        close = upper - self.best <= tolerance * (1.0 + abs(self.best))
        done = close or self.best == np.inf
        reason = ""
        if upper == np.inf:
            unknown = any(not (s.continuous or s.known) for s in jacobian.surfaces)
            reason = (
                "a jump is not known to be semi-contracting" if unknown else "a jump may expand"
            )
        return RateBound(
            self.best,
            upper,
            "interval",
            True,
            self.worst,
            boxes,
            Status.CONVERGED if done else Status.BUDGET_SPENT,
            reason,
        )

    def _boxed(
        self, jacobian: BoxJacobian, low: Array, high: Array, number: int
    ) -> tuple[float, int, Array, Array]:
        return -self._upper(jacobian, low, high), number, low, high

    def _upper(self, jacobian: BoxJacobian, low: Array, high: Array) -> float:
        """Return an upper bound of the rate on one box."""
        positions = jacobian.sides(low, high)
        open_kinks = np.flatnonzero(positions[:, 0] < positions[:, 1])
        for kink in open_kinks:
            surface = jacobian.surfaces[kink]
            if surface.continuous:
                continue
            if not surface.known or self.norm != 2:
                return np.inf
            on_surface = positions.copy()
            on_surface[kink] = 0.0, 1.0
            if jacobian.strength(int(kink), low, high, on_surface)[0] < 0:
                return np.inf
        if open_kinks.size > 4:
            return enclosed_norm(*jacobian.enclosure(low, high, positions), self.norm, self.metric)
        found = -np.inf
        for ends in itertools.product((0.0, 1.0), repeat=int(open_kinks.size)):
            chosen = positions.copy()
            chosen[open_kinks] = np.array(ends)[:, None]
            enclosed = jacobian.enclosure(low, high, chosen)
            found = max(found, enclosed_norm(*enclosed, self.norm, self.metric))
        return found

    def sample(self, budget: int, seed: int, reason: str) -> RateBound:
        """Return the largest rate at sample points."""
        from scipy.stats import qmc

        count = 1 << max(int(budget).bit_length() - 1, 0)
        points = qmc.Sobol(self.field.size, seed=np.random.default_rng(seed)).random(count)
        for point in points:
            self.meet(self.low + point * (self.high - self.low))
        return RateBound(
            self.best,
            np.inf,
            "sampling",
            False,
            self.worst,
            count,
            Status.BUDGET_SPENT,
            reason,
        )


def enclosed_norm(low: Array, high: Array, norm: float = 2, metric: Any = None) -> float:
    """Return an upper bound of the logarithmic norms of all matrices between two.

    Parameters
    ----------
    low, high : ndarray, shape (n, n)
        Lower and upper ends of the entries.
    norm, metric
        As for `logarithmic_norm`.

    Returns
    -------
    float
        Rounding included; inf where an entry is unbounded.

    Examples
    --------
    >>> low = np.array([[-2.0, 0.0], [0.0, -2.0]])
    >>> bound = enclosed_norm(low, low + [[0.0, 1.0], [1.0, 0.0]])
    >>> bool(-1.0 <= bound < -1.0 + 1e-12)
    True
    """
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        return np.inf
    n = len(low)
    unit = np.finfo(float).eps
    size = float(np.max(np.abs([low, high])))
    centre, radius = (low + high) / 2.0, (high - low) / 2.0 + 2 * unit * size
    if metric is not None:
        if norm == 2:
            root = root_of(metric, n)
            inverse = np.linalg.inv(root)
        else:
            weights = np.asarray(metric, dtype=float)
            root, inverse = np.diag(weights), np.diag(1.0 / weights)
        # The inverse in floats is not exact: what it misses is charged to the radius.
        residual = float(np.linalg.norm(root @ inverse - np.eye(n), np.inf)) + n * unit
        around = np.abs(root) @ (np.abs(centre) + radius) @ np.abs(inverse)
        blur = 8 * n * unit * around + 2 * residual * float(np.max(np.sum(around, axis=1)))
        centre = root @ centre @ inverse
        radius = np.abs(root) @ radius @ np.abs(inverse) + blur
    if norm != 2:
        upper = np.abs(centre) + radius
        np.fill_diagonal(upper, np.diagonal(centre) + np.diagonal(radius))
        return float(np.max(np.sum(upper, axis=0 if norm == 1 else 1))) + 4 * n * unit * size
    centre, radius = (centre + centre.T) / 2.0, (radius + radius.T) / 2.0
    slack = 20 * n * unit * float(np.linalg.norm(np.abs(centre) + radius))
    circles = np.abs(centre) + radius
    np.fill_diagonal(circles, np.diagonal(centre) + np.diagonal(radius))
    bounds = [float(np.max(np.sum(circles, axis=1)))]
    if n <= _SIGNS:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n - 1))).reshape(
            2 ** (n - 1), n - 1
        )
        signs = np.column_stack([np.ones(len(signs)), signs])
        extreme = centre + signs[:, :, None] * radius * signs[:, None, :]
        bounds.append(float(np.max(np.linalg.eigvalsh(extreme))))
    else:
        spread = np.linalg.eigvalsh(radius)[-1]
        bounds.append(float(np.linalg.eigvalsh(centre)[-1] + spread))
    return min(bounds) + slack
