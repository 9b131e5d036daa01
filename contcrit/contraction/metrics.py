"""Search for a constant metric in which a family of matrices contracts, or proof of none.

The metric M must satisfy A^T M + M A <= -2 r M for every A of a finite set; then it holds for their
convex hull. For a given rate r that is a linear matrix inequality in M; r is found by bisection.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import SpecificationError
from .field import Field
from .norms import logarithmic_norm, square_matrices

Array = np.ndarray

VERDICTS = ("found", "none", "undecided")


@dataclass(frozen=True, eq=False)
class MetricResult:
    """What a search for a contracting metric found.

    Parameters
    ----------
    verdict : {"found", "none", "undecided"}
        "found": `metric` has a rate above the one asked for, by its eigenvalues. "none": it is
        proved that none of condition up to `condition` has. "undecided": neither; so it is where
        the rate asked for is the largest one.
    metric : ndarray of shape (n, n)
        The best metric found, of largest eigenvalue 1.
    rate : float
        Its rate: minus the largest logarithmic norm of the matrices in it.
    margin : float
        `rate` minus the rate asked for.
    upper : float
        No metric of condition up to `condition` has a rate above this.
    condition : float
        Largest condition number allowed.
    certificate : dict
        What proves `upper`: "kind" is "spectrum" (an eigenvalue of a convex combination of the
        matrices, with its "weights"), "multipliers" (the matrices "Z" of Farkas' lemma, with their
        "margin") or "none".

    Notes
    -----
    Multipliers Z_i >= 0 with S = sum (A_i Z_i + Z_i A_i^T + 2 r Z_i) prove that there is none at
    rate r: every metric with eigenvalues in [1/k, 1] has <M, S> <= 0, but <M, S> is at least the
    sum of the positive eigenvalues of S over k minus that of the negative ones.

    Examples
    --------
    >>> from contcrit.contraction.metrics import find_metric
    >>> found = find_metric([[[-1.0, 4.0], [0.0, -1.0]]])
    >>> found.verdict, bool(found.margin > 0)
    ('found', True)
    """

    verdict: str
    metric: Array
    rate: float
    margin: float
    upper: float
    condition: float
    certificate: dict[str, Any] = field(default_factory=dict)


def find_metric(
    matrices: Any,
    *,
    rate: float = 0.0,
    condition: float = 1e4,
    tolerance: float = 1e-4,
    solver: str | None = None,
) -> MetricResult:
    """Search for the constant metric in which a set of matrices contracts fastest.

    Parameters
    ----------
    matrices : array_like, shape (k, n, n) or (n, n)
        Jacobians of a flow: the vertices of a polytope, or samples.
    rate : float, optional
        The rate to reach (default 0: contraction at some rate above it).
    condition : float, optional
        Largest condition number of M (default 1e4).
    tolerance : float, optional
        Width, relative to the largest matrix, at which the bisection over rates stops (default
        1e-4).
    solver : str, optional
        Of cvxpy (default its choice).

    Returns
    -------
    MetricResult
        Its metric is checked by eigenvalues that do not trust the solver.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    References
    ----------
    S. Boyd, L. El Ghaoui, E. Feron and V. Balakrishnan, Linear Matrix Inequalities in System and
    Control Theory, 1994, section 5.1.

    Examples
    --------
    >>> found = find_metric([[-1.0, 4.0], [0.0, -2.0]])
    >>> found.verdict, 0.99 < found.rate <= found.upper <= 1.0 + 1e-9
    ('found', True)
    """
    stack = square_matrices(matrices)
    if stack.ndim == 2:
        stack = stack[None]
    if stack.ndim != 3 or not len(stack):
        raise SpecificationError("matrices", stack.shape, "needs shape (k, n, n).", "One or more.")
    for name, number, least in (("condition", condition, 1.0), ("tolerance", tolerance, 0.0)):
        if not (np.isfinite(number) and number > least):
            raise SpecificationError(name, number, f"must be above {least:g}.", "Try its default.")
    if not np.isfinite(rate):
        raise SpecificationError("rate", rate, "must be finite.", "0 is the default.")
    unit = float(np.max(np.linalg.norm(stack, 2, axis=(1, 2))))
    unit = unit if unit > 0 else 1.0
    search = _Search(stack / unit, condition, solver)
    search.bisect(tolerance, rate / unit)
    found = search.best_rate * unit
    upper = search.upper * unit
    margin = found - rate
    verdict = "found" if margin > 0 else ("none" if upper <= rate else "undecided")
    return MetricResult(verdict, search.best, found, margin, upper, condition, search.certificate)


def metric_for(
    problem: Any,
    points: Any,
    values: Mapping[Any, float] | None = None,
    **options: Any,
) -> MetricResult:
    """Search for a metric in which a flow contracts at given points: what a sample can tell.

    Parameters
    ----------
    problem : Problem, MatrixProblem or PiecewiseProblem
        Of kind "flow" or "potential".
    points : array_like, shape (k, n)
        Where to take the Jacobian; at kinks that of every piece is taken, and jumps are not.
    values : mapping, optional
        Values of all parameters.
    **options
        As for `find_metric`.

    Examples
    --------
    >>> import sympy as sp, contcrit as cc
    >>> x, y = sp.symbols("x y")
    >>> metric_for(cc.Problem([-x + 5 * y, -2 * y], [x, y]), [[0, 0]]).verdict
    'found'
    """
    flow = Field(problem, values)
    rows = np.atleast_2d(np.asarray(points, dtype=float))
    if rows.ndim != 2 or rows.shape[1] != flow.size or not len(rows):
        raise SpecificationError("points", rows.shape, f"needs shape (k, {flow.size}).", "Stack.")
    matrices = []
    for row in rows:
        sides = flow.sides(row, 1e-9)
        ties = np.flatnonzero(sides == 0)
        for ends in itertools.product((0.0, 1.0), repeat=int(ties.size)):
            positions = (1.0 + sides) / 2.0
            positions[ties] = ends
            matrices.append(flow.jacobian(row, positions))
    return find_metric(np.array(matrices), **options)


class _Search:
    """The bisection, in units in which the largest matrix has norm 1."""

    def __init__(self, matrices: Array, condition: float, solver: str | None) -> None:
        self.matrices = matrices
        self.condition = condition
        self.solver = solver
        n = matrices.shape[1]
        self.best = np.eye(n)
        self.best_rate = -float(np.max(logarithmic_norm(matrices)))
        self.upper = np.inf
        self.certificate: dict[str, Any] = {"kind": "none"}
        self._problem: Any = None
        weights = np.full(len(matrices), 1.0 / len(matrices))
        for share in (*np.eye(len(matrices)), weights):
            mean = np.tensordot(share, matrices, axes=1)
            self._bound(_spectral_bound(mean, condition), {"kind": "spectrum", "weights": share})

    def _bound(self, upper: float, certificate: dict[str, Any]) -> None:
        if upper < self.upper:
            self.upper, self.certificate = upper, certificate

    def bisect(self, tolerance: float, wanted: float) -> None:
        """Close in on the largest rate."""
        low, high = self.best_rate, self.upper
        trials = [wanted] if low < wanted < high else []
        while trials or high - low > tolerance:
            r = trials.pop() if trials else (low + high) / 2.0
            feasible = self._try(r)
            if feasible:
                low = max(r, self.best_rate)
            else:
                high = r  # proved or not: `upper` says
            if low >= high:
                break

    def _try(self, r: float) -> bool:
        """Solve for a metric of rate r; take what it found, or what proves that there is none."""
        import cvxpy

        if self._problem is None:
            self._build()
        self._rate.value = r
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inaccurate solutions: they are checked below
            try:
                self._problem.solve(solver=self.solver)
            except cvxpy.error.SolverError:
                return False
        if self._metric.value is not None:
            sizes, directions = np.linalg.eigh((self._metric.value + self._metric.value.T) / 2.0)
            if sizes[-1] > 0:  # the solver keeps the bounds up to its tolerance only
                sizes = np.clip(sizes / sizes[-1], (1 + 1e-12) / self.condition, 1.0)
                metric = (directions * sizes) @ directions.T
                metric = (metric + metric.T) / 2.0
                found = -float(np.max(logarithmic_norm(self.matrices, 2, metric)))
                if found > self.best_rate:
                    self.best, self.best_rate = metric, found
        if self.best_rate >= r:
            return True
        if all(one.dual_value is not None for one in self._inequalities):
            self._multipliers(r)
        return False

    def _build(self) -> None:
        """State: minimise t with A^T M + M A + 2 r M <= t and I/k <= M <= I."""
        import cvxpy

        n = self.matrices.shape[1]
        self._metric = cvxpy.Variable((n, n), symmetric=True)
        self._rate = cvxpy.Parameter()
        excess = cvxpy.Variable()
        eye = np.eye(n)
        self._inequalities = [
            excess * eye - (A.T @ self._metric + self._metric @ A + 2 * self._rate * self._metric)
            >> 0
            for A in self.matrices
        ]
        bounds = [self._metric >> eye / self.condition, self._metric << eye]
        self._problem = cvxpy.Problem(cvxpy.Minimize(excess), [*self._inequalities, *bounds])

    def _multipliers(self, r: float) -> None:
        """Take the dual solution as a proof that there is no metric of rate r, if it is one."""
        Z = []
        for one in self._inequalities:
            dual = (one.dual_value + one.dual_value.T) / 2.0
            sizes, directions = np.linalg.eigh(dual)
            Z.append((directions * np.maximum(sizes, 0.0)) @ directions.T)
        total = sum(A @ z + z @ A.T + 2 * r * z for A, z in zip(self.matrices, Z, strict=True))
        sizes = np.linalg.eigvalsh((total + total.T) / 2.0)
        rising, falling = sizes[sizes > 0].sum(), -sizes[sizes < 0].sum()
        rounding = 1e-13 * sum(float(np.trace(z)) for z in Z)
        margin = float(rising / self.condition - falling) - rounding
        if margin > 0:
            self._bound(r, {"kind": "multipliers", "Z": Z, "margin": margin})


def _spectral_bound(matrix: Array, condition: float) -> float:
    """Return a rate that no metric of bounded condition exceeds, from one eigenvector.

    For A v = l v + e every metric M has a rate of at most -Re l + condition |e| / |v|.
    """
    values, vectors = np.linalg.eig(matrix)
    unit = 4 * len(matrix) * np.finfo(float).eps * float(np.linalg.norm(matrix, 2))
    missed = np.linalg.norm(matrix @ vectors - vectors * values, axis=0)
    missed = missed / np.linalg.norm(vectors, axis=0) + unit
    return float(np.min(-values.real + condition * missed))
