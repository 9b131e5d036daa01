"""One ReLU unit that learns another, with an l1 or l2 norm of its weights added to the loss.

Paper: Z. Kong, *Convergence analysis of the dynamics of a special kind of two-layered neural
networks with l1 and l2 regularization*, 2017.

N inputs x_i are answered by ``relu(x . w*)``; the unit minimises (equation 2)

    E(w) = |relu(X w*) - relu(X w)|^2 / (2 N) + (lam / 2) R(w),

with ``R = |w|_2^2`` or ``|w|_1^2``, by ``dw/dt = -grad E`` (equations 4 and 5). For x_i from
N(0, I) the expectation of the law is (equation 6), with theta the angle between w and w*,

    (w* - w) / 2 + (|w*| sin(theta) w / |w| - theta w*) / (2 pi) - (lam / 2) dR/dw.

The empirical loss has a kink where a row's output vanishes, and both have kinks where a weight
vanishes if R is an l1 norm.

Assumptions. None on X, w* or lam: rows may be repeated, collinear or zero. The population's law has
no value at w = 0.

Errata of the paper. Equations 5 and 6 print ``+ (lam / 2) dR/dw``: descent needs a minus. With it
the solution for l2 is ``(B + lam N I)^{-1} B w*``, for every lam > 0 and any rank of B; the
printed one, ``(B - lam N I)^{-1} B w*``, is no minimum beyond the least eigenvalue of B / N. The
sign enters equations 12 to 16, 19, 22 and 24 to 31; `regularisation_sign` = 1 gives the printed
law. Table 1's l1 half was made with ``|w|_1`` not squared. Lemma 2 holds with A_{d-1} in place of
A_d. Equations 27 and 33 need the minimum over all rows. Theorem 2 is false with the empirical
solution and the expected law, and true for every lam >= 0 with the population's own solution; so
is Theorem 4, until sparse critical points appear, which for w* = (1, 1) is at lam = 3 pi / 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import sympy as sp

from ...errors import SpecificationError
from ...symbolic.markers import absolute, relu
from ...symbolic.normalise import Normaliser
from ...symbolic.piecewise import PiecewiseProblem
from ...symbolic.problem import Problem
from ..base import Model, Start
from .arrangement import arrangement
from .cells import CellComplex
from .claims import CLAIMS
from .losses import Penalty, PopulationRegression, ReluRegression, numbers

NAME = "relu-regression"

FLOOR = 1e-100
"""Added to the squared distance from the line of w*: the law is differentiable across that line,
but its formula holds 0 / 0 there. Far below rounding."""


class _Described:
    """What the problems of this model share: their data, and how they are rebuilt."""

    _data: Any
    _constants: dict[str, Any]

    @property
    def data(self) -> Any:
        """The numbers behind the problem: a `ReluRegression` or a `PopulationRegression`."""
        return self._data

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which `contcrit.models.rebuild` rebuilds."""
        return {"model": NAME, "constants": dict(self._constants)}


class EmpiricalProblem(_Described, PiecewiseProblem):
    """The critical points of the empirical loss.

    Attributes
    ----------
    data : ReluRegression
        The numbers behind it.
    cells : CellComplex
        The faces of weight space, and all critical points at one lam, without continuation.
    """

    @cached_property
    def _cells(self) -> CellComplex:
        return CellComplex(self._data)

    @property
    def cells(self) -> CellComplex:
        """The faces of weight space, and the critical points on them."""
        return self._cells


class PopulationProblem(_Described, Problem):
    """The critical points of the population loss for l2.

    Attributes
    ----------
    data : PopulationRegression
        The numbers behind it.
    """

    @classmethod
    def with_gradient(
        cls, potential: Any, slopes: list[Any], unknowns: Any, parameters: list[Any]
    ) -> Self:
        """Return the problem of a potential whose gradient is given in a form free of 0 / 0."""
        self = cls.__new__(cls)
        self._declare(unknowns, parameters, kind="potential", blocks=None, name=NAME, domain=None)
        normalise = Normaliser(self._symbols)
        self._potential = normalise(potential, "potential")
        self._residual = tuple(normalise(row, "potential") for row in slopes)
        self._finish(normalise, (), None)
        return self


class KinkedPopulationProblem(_Described, PiecewiseProblem):
    """The critical points of the population loss in the plane with an l1 norm.

    Attributes
    ----------
    data : PopulationRegression
        The numbers behind it.
    """


def build(
    X: Any = None,
    w_star: Any = None,
    norm: str = "l2",
    regularisation_sign: int = -1,
    population: bool = False,
) -> EmpiricalProblem | PopulationProblem | KinkedPopulationProblem:
    """Return the problem of the loss's critical points in w, with parameter ``lam``.

    Parameters
    ----------
    X : array_like, shape (N, d)
        The inputs; left out exactly for the population.
    w_star : array_like, shape (d,)
        The teacher's weights.
    norm : {"l2", "l1-squared", "l1"}, default "l2"
        The penalty R: ``|w|_2^2``, ``|w|_1^2`` or ``|w|_1``.
    regularisation_sign : {-1, 1}, default -1
        -1 for the loss; +1 for the potential of the law as printed.
    population : bool, default False
        Whether inputs are Gaussian, in expectation. With an l1 norm d must be 2. Where reflection
        at the line of w* maps the norm to itself (weights of w* of one modulus, or one of them
        zero), the problem holds on one side of that line, counter-clockwise of w*; the other side
        is its mirror image.

    Returns
    -------
    EmpiricalProblem, PopulationProblem or KinkedPopulationProblem
        Of kind "potential", with one block ``w``.

    Raises
    ------
    SpecificationError
        If shapes do not match, X is missing or superfluous, or an l1 population is not planar.

    References
    ----------
    Kong 2017, equations 2, 5 and 6.

    Examples
    --------
    >>> problem = build(X=[[1.0, 0.5], [-1.0, 2.0], [0.0, 1.0]], w_star=[1.0, 1.0])
    >>> problem.unknown_names, len(problem.switches)
    (('w[0]', 'w[1]'), 3)
    """
    penalty = Penalty(norm, regularisation_sign)
    if population not in (True, False):
        raise SpecificationError("population", population, "must be True or False.", "Choose one.")
    if w_star is None:
        raise SpecificationError("w_star", None, "is needed.", "Give the teacher's weights.")
    if (X is None) != bool(population):
        raise SpecificationError(
            "X",
            "missing" if X is None else "given with population=True",
            "holds the inputs of the empirical loss, and of that only.",
            "Give X, or population=True.",
        )
    constants: dict[str, Any] = {
        "w_star": numbers("w_star", w_star, 1).tolist(),
        "norm": norm,
        "regularisation_sign": int(regularisation_sign),
    }
    problem: Any
    if population:
        constants["population"] = True
        unit = PopulationRegression(w_star, penalty)
        problem = _population(unit)
        problem._data = unit
    else:
        data = ReluRegression(X, w_star, penalty)
        constants["X"] = data.X.tolist()
        problem = _empirical(data)
        problem._data = data
    problem._constants = constants
    return problem


def starts(problem: Any, lam: float | None = None) -> dict[str, Start]:
    """Return known critical points.

    Parameters
    ----------
    problem : problem of this model, or mapping
        The problem, or the constants to build it from.
    lam : float, optional
        Of an empirical problem: list all critical points at this lam but the origin, which stays
        where it is for every lam, as ``"minimum 1"`` and so on by rising loss. Best for d up to 3.

    Returns
    -------
    dict of str to Start
        ``"teacher"``: w* at lam = 0, which is isolated exactly if X has full rank on the rows that
        w* activates.

    Examples
    --------
    >>> X = [[1.0, 0.5], [-1.0, 2.0], [0.0, 1.0]]
    >>> list(starts({"X": X, "w_star": [1.0, 1.0]}, lam=0.1))
    ['teacher', 'minimum 1']
    """
    asked = MODEL.build(**problem) if isinstance(problem, Mapping) else problem
    found = {"teacher": Start({"w": asked.data.w_star}, {"lam": 0.0}, "w*, of zero loss")}
    if lam is None:
        return found
    if not isinstance(asked, EmpiricalProblem):
        raise SpecificationError(
            "lam", lam, "is for empirical problems.", "Search with `contcrit.find` instead."
        )
    counts: dict[str, int] = {}
    for point in asked.cells.critical_points(lam).points:
        if point.w.any():
            kind = point.verdict.kind
            counts[kind] = counts.get(kind, 0) + 1
            found[f"{kind} {counts[kind]}"] = Start(
                {"w": point.w}, {"lam": float(lam)}, "from the enumeration of all cells"
            )
    return found


def _unknowns(d: int) -> tuple[list[sp.Symbol], sp.Symbol]:
    return [sp.Symbol(f"w[{j}]") for j in range(d)], sp.Symbol("lam")


def _penalty_term(penalty: Penalty, w: list[sp.Symbol], lam: sp.Symbol) -> sp.Expr:
    weight = -penalty.regularisation_sign * lam / 2
    if penalty.norm == "l2":
        return weight * sum(v**2 for v in w)
    one = sum(absolute(v) for v in w)
    return weight * (one**2 if penalty.norm == "l1-squared" else one)


def _empirical(data: ReluRegression) -> EmpiricalProblem:
    """Write the loss with one kink for each distinct hyperplane."""
    w, lam = _unknowns(data.dimension)
    planes = arrangement(data.X)
    outputs = [
        sum(float(a) * v for a, v in zip(normal, w, strict=True)) for normal in planes.normals
    ]
    lengths = np.linalg.norm(data.X, axis=1)
    terms: list[sp.Expr] = []
    for h, output in enumerate(outputs):
        for side, active in ((1, relu(output)), (-1, relu(output) - output)):
            rows = (planes.plane == h) & (planes.side == side)
            if not rows.any():
                continue
            # relu(side |x| g) = |x| relu(side g), and relu(-g) = relu(g) - g.
            square = float(np.sum(lengths[rows] ** 2))
            cross = float(np.sum(lengths[rows] * data.targets[rows]))
            terms.append(square * active**2 / 2 - cross * active)
    constant = float(data.targets @ data.targets) / 2
    potential = (sp.Add(*terms) + constant) / data.count + _penalty_term(data.penalty, w, lam)
    return EmpiricalProblem.from_potential(potential, {"w": w}, [lam], name=NAME)


def _population(unit: PopulationRegression) -> PopulationProblem | KinkedPopulationProblem:
    target = [float(v) for v in unit.w_star]
    d = len(target)
    w, lam = _unknowns(d)
    full = float(unit.w_star @ unit.w_star)
    length = sum(v**2 for v in w)
    along = sum(a * v for a, v in zip(target, w, strict=True))
    penalty = _penalty_term(unit.penalty, w, lam)
    if not unit.penalty.kinked:
        # |w| |w*| sin(theta), and half the gradient of its square.
        turned = [[w[i] * target[j] - w[j] * target[i] for j in range(d)] for i in range(d)]
        square = sum(turned[i][j] ** 2 for i in range(d) for j in range(i))
        across = sp.sqrt(square + FLOOR)
        theta = sp.atan2(across, along)
        half = [sum(turned[i][j] * target[j] for j in range(d)) for i in range(d)]
        shared = (across + (sp.pi - theta) * along) / (2 * sp.pi)
        # theta - sin(2 theta) / 2 is of third order: its derivatives need no division by theta.
        turn = sp.pi - theta + sp.sin(2 * theta) / 2
        slopes = [
            w[i] / 2
            - (across * half[i] / (length * full) + turn * target[i]) / (2 * sp.pi)
            + sp.diff(penalty, w[i])
            for i in range(d)
        ]
        potential = (length + full) / 4 - shared + penalty
        return PopulationProblem.with_gradient(potential, slopes, {"w": w}, [lam])
    if d != 2:
        raise SpecificationError(
            "w_star",
            target,
            "needs two weights for the population with an l1 norm.",
            "Take d = 2, or norm='l2'.",
        )
    across = target[0] * w[1] - target[1] * w[0]
    if not _mirrored(target):
        across = absolute(across)
    theta = sp.atan2(across, along)
    shared = (across + (sp.pi - theta) * along) / (2 * sp.pi)
    potential = (length + full) / 4 - shared + penalty
    return KinkedPopulationProblem.from_potential(potential, {"w": w}, [lam], name=NAME)


def _mirrored(target: list[float]) -> bool:
    """Tell whether reflection at the line of a planar vector maps the l1 norm to itself."""
    one, other = abs(target[0]), abs(target[1])
    return one == other or one == 0 or other == 0


MODEL = Model(
    name="relu-regression",
    paper=(
        "Z. Kong, Convergence analysis of the dynamics of a special kind of two-layered neural "
        "networks with l1 and l2 regularization, 2017"
    ),
    summary="critical points of one ReLU unit's squared loss with an l1 or l2 penalty",
    build=build,
    starts=starts,
    constants={
        "X": "inputs, (N, d); left out for the population",
        "w_star": "the teacher's weights, (d,)",
        "norm": "'l2' (default), 'l1-squared' or 'l1'",
        "regularisation_sign": "-1 (default) penalises weights; 1 is the sign as printed",
        "population": "True for Gaussian inputs in expectation; default False",
    },
    example={"w_star": [1.0, 1.0], "norm": "l1-squared", "population": True},
    claims=CLAIMS,
    references=(
        "Equations 2 to 6: loss, law and expected law",
        "Theorems 1 and 3: the solution for small lam",
        "Theorems 2, 4 and 5: convergence",
        "Table 1, Figures 1 and 2",
    ),
)
"""The model."""
