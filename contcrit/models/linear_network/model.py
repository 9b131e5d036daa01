"""The regularised linear network: one matrix equation for all critical points.

Paper: A. Taghvaei, J. W. Kim and P. Mehta, *How regularization affects the critical points in
linear networks*, NIPS 2017.

A continuous-time linear network ``dX/dt = A_t X`` on [0, T] minimises
``E[ lam/2 int tr(A^T A) dt + |X_T - Z|^2 / 2 ]`` with ``Z = R X_0 + noise``. Its critical points
are the solutions C = A_0 of the characteristic equation (equation 18)

    lam C = F^T (R - F) Sigma0,   F = e^{T (C - C^T)} e^{T C^T},

which is written here once, for every dimension. Scaling (C, lam, T) -> (T C, lam / T, 1) leaves the
cost as it is. Costs omit the part that no weights can change.

Assumptions. Property P1: no eigenvalue of R lies on the closed negative real axis, so that a real
logarithm exists; det R > 0 is needed in any case, since ``det F = exp(int tr A) > 0``. Sigma0 is
symmetric positive definite, T > 0, lam >= 0.

Second order. The paper leaves it open; `linear_network.verdict.classify` gives the Morse index on
the space of all weight curves.

Errata of the paper. What it calls local minima on the branches n != 0 of Example 1 are minima among
normal matrices only: in the full space they are saddles. Genuine local minima that are not global
exist, and are non-normal. For n < 0 the escaping saddles tend to the angle pi/2 + (2n + 1) pi.
The turning points bound the existence of normal solutions only. For non-normal R the solution at
lam = 0 is not log(R) / T. The constant in equation 14 can be doubled. Equation 3 lacks the factor
1/2 of equation 4. Theorem 1 needs R to be reachable, det R > 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from scipy.linalg import expm
from sympy.matrices.expressions import MatrixSymbol, Trace

from ...criticality.record import Criticality
from ...errors import SpecificationError
from ...symbolic.matrix import Exp
from ...symbolic.matrix_problem import MatrixProblem
from ...system import Array
from ..base import Model, Start
from .checks import (
    commuting_skew,
    depth,
    positive_definite,
    reachable,
    square,
)
from .claims import CLAIMS
from .starts import real_logarithm, solve_at_zero, windings_of
from .theory import LinearNetwork
from .verdict import classify

NAME = "linear-network"


class LinearNetworkProblem(MatrixProblem):
    """The characteristic equation with its data.

    Attributes
    ----------
    data : NetworkData
        The numbers behind it; ``data.network(values)`` gives the theory at parameter values.
    default_values : dict of str to float
        ``mu``, where there is one: the value at which the target is the given R.
    """

    data: NetworkData
    default_values: dict[str, float]

    def validate_values(self, values: Mapping[str, float]) -> None:
        """Refuse a negative lam.

        Raises
        ------
        SpecificationError
            If lam is negative: the cost is then unbounded below.
        """
        lam = values.get("lam", 0.0)
        if not lam >= 0:
            raise SpecificationError(
                "lam", lam, "must be at least 0.", "The cost is unbounded below for lam < 0."
            )


@dataclass(frozen=True, eq=False)
class NetworkData:
    """The constants of one problem, with the target map at every mu."""

    target: Array
    shift: Array
    Sigma0: Array
    T: float
    slope: Array | None
    logarithm: Array | None
    generators: tuple[Array, ...]

    def network(self, values: Mapping[str, float]) -> LinearNetwork:
        """Return the theory at parameter values; R includes correlations as R + Q Sigma0^{-1}."""
        R = self.target
        if self.logarithm is not None:
            R = expm(float(values["mu"]) * self.logarithm)
        elif self.slope is not None:
            R = R + float(values["mu"]) * self.slope
        return LinearNetwork(R + self.shift, self.Sigma0, self.T)

    def classify(self, x: Array, values: Mapping[str, float]) -> Criticality:
        """Return the verdict on the space of all weight curves."""
        network = self.network(values)
        C = np.asarray(x, dtype=float).reshape(self.target.shape)
        return classify(network, C, float(values["lam"]), self.generators)


def build(
    R: Any = None,
    Sigma0: Any = None,
    T: float = 1.0,
    correlation: Any = None,
    noise_correlation: Any = None,
    R_slope: Any = None,
    log_winding: int | Sequence[int] | None = None,
) -> LinearNetworkProblem:
    """Return the characteristic equation as a matrix problem in C, with parameter ``lam``.

    Parameters
    ----------
    R : array_like, shape (d, d)
        Target map, with property P1. Left out exactly when `correlation` is given.
    Sigma0 : array_like, shape (d, d), optional
        Second moment of the inputs, symmetric positive definite (default: identity).
    T : float, default 1.0
        Depth, positive.
    correlation : array_like, shape (d, d), optional
        E[Z X_0^T]: the equation becomes ``lam C = F^T (E[Z X_0^T] - F Sigma0)`` (Remark 3).
    noise_correlation : array_like, shape (d, d), optional
        Q = mean of ``noise X_0^T`` over N samples: the equation gains the term ``F^T Q``, and
        `Sigma0` is then the samples' second moment (section 4, item ii).
    R_slope : array_like, shape (d, d), optional
        The target becomes ``R + mu R_slope``, with a second parameter ``mu``, 0 by default
        (Example 2).
    log_winding : int or sequence of int, optional
        The target becomes ``expm(mu log R)``, mu from 0 to 1, with the real logarithm of these
        windings; see `real_logarithm`. C = 0 solves the equation at mu = 0 for every lam.

    Returns
    -------
    LinearNetworkProblem
        Observables ``cost`` and ``normality``; `classify` gives the Morse index on the space of
        weight curves; `generators` are those of the rotations that leave the data unchanged.

    Raises
    ------
    SpecificationError
        If a matrix is not finite, square and of one size, R lacks property P1, Sigma0 is not
        symmetric positive definite, T is not positive, or arguments exclude each other.

    References
    ----------
    Taghvaei, Kim and Mehta, NIPS 2017: Proposition 2 and equation 18.

    Examples
    --------
    >>> problem = build(R=[[0, -1], [1, 0]])
    >>> problem.unknown_names
    ('C[0,0]', 'C[0,1]', 'C[1,0]', 'C[1,1]')
    """
    given, moment = _target_and_moment(R, Sigma0, correlation)
    T = depth(T)
    _check_exclusive(correlation, noise_correlation, R_slope, log_winding)
    size = given.shape[0]
    Q = None if noise_correlation is None else square("noise_correlation", noise_correlation, size)
    slope = None if R_slope is None else square("R_slope", R_slope, size)
    inverse = np.linalg.inv(moment)
    target = given @ inverse if correlation is not None else given
    shift = np.zeros_like(target) if Q is None else Q @ inverse
    reachable("R" if correlation is None else "correlation", target + shift)
    logarithm = None if log_winding is None else real_logarithm(target, log_winding)

    symbols = _Symbols()
    C, F, S0 = symbols.C, symbols.F, symbols.matrix("Sigma0")
    constants: dict[Any, Any] = {symbols.T: T, S0: moment}
    parameters = [symbols.lam]
    aim = symbols.matrix("R")
    if correlation is not None:
        M = symbols.matrix("M")
        constants |= {M: given, aim: target}
        force = F.T * (M - F * S0)
    else:
        if logarithm is not None:
            L = symbols.matrix("L")
            constants[L] = logarithm
            aim = Exp(symbols.mu * L)
        else:
            constants[aim] = target
            if slope is not None:
                constants[symbols.matrix("R_slope")] = slope
                aim = aim + symbols.mu * symbols.matrix("R_slope")
        if logarithm is not None or slope is not None:
            parameters.append(symbols.mu)
        force = F.T * (aim - F) * S0
        if Q is not None:
            constants |= {symbols.matrix("Q"): Q, symbols.matrix("R_shift"): shift}
            force = force + F.T * symbols.matrix("Q")
            aim = aim + symbols.matrix("R_shift")

    moving = [matrix for matrix in (slope, logarithm) if matrix is not None]
    skew = commuting_skew([target, shift, moment, *moving])
    rotations = [symbols.matrix(f"S{k}") for k in range(len(skew))]
    constants |= dict(zip(rotations, skew, strict=True))
    data = NetworkData(target, shift, moment, T, slope, logarithm, tuple(skew))
    problem = LinearNetworkProblem(
        symbols.lam * C - force,
        C,
        parameters,
        constants,
        generators=[S * C - C * S for S in rotations],
        unfolding=[symbols.F_inverse * S * F - S for S in rotations] or None,
        observables={"cost": symbols.cost(aim, S0), "normality": symbols.normality},
        classifier=data.classify,
        name=NAME,
        origin={
            "model": NAME,
            "constants": _stated(
                R=R,
                Sigma0=Sigma0,
                T=T,
                correlation=correlation,
                noise_correlation=noise_correlation,
                R_slope=R_slope,
                log_winding=log_winding,
            ),
        },
    )
    problem.data = data
    problem.default_values = {}
    if len(parameters) > 1:
        problem.default_values = {"mu": 0.0 if logarithm is None else 1.0}
    return problem


def starts(
    problem: LinearNetworkProblem | Mapping[str, Any], windings: Iterable[Any] = (-2, -1, 0, 1, 2)
) -> dict[str, Start]:
    """Return the solutions C(0; n) at lam = 0, one for every real logarithm.

    Parameters
    ----------
    problem : LinearNetworkProblem or mapping
        The problem, or the constants to build it from.
    windings : iterable of int or of tuple of int, default (-2, -1, 0, 1, 2)
        Whole turns added to the complex pairs of eigenvalues of R, in the order of
        `linear_network.starts.rotating_eigenvalues`; numbers are combined over the pairs in all
        ways. Without complex pairs there is one solution only.

    Returns
    -------
    dict of str to Start
        Label such as ``"n=-1"`` -> start, in order of total winding; and ``"identity"``, C = 0 at
        mu = 0, for problems with `log_winding`. Where the homotopy from C = 0
        cannot be followed in few steps (it may turn back in mu), the start carries the homotopy
        problem, to be traced in ``mu`` over (0, 1) from C = 0.

    Examples
    --------
    >>> found = starts({"R": [[0, -1], [1, 0]]}, windings=(0, 1))
    >>> {label: round(float(start.unknowns["C"][1, 0]), 4) for label, start in found.items()}
    {'n=0': 1.5708, 'n=1': 7.854}
    """
    asked = MODEL.build(**problem) if isinstance(problem, Mapping) else problem
    data = asked.data
    values = {"lam": 0.0, **asked.default_values}
    network = data.network(values)
    found: dict[str, Start] = {}
    if data.logarithm is not None:
        zero = {"C": np.zeros_like(network.R)}
        found["identity"] = Start(zero, {"lam": 0.0, "mu": 0.0}, "C = 0 at mu = 0, for every lam")
    for label, turns in windings_of(network.R, windings).items():
        logarithm = real_logarithm(network.R, turns)
        C = solve_at_zero(network, logarithm)
        if C is not None:
            found[label] = Start({"C": C}, values, "F(C) = R, from log R")
            continue
        homotopy = build(R=network.R, Sigma0=data.Sigma0, T=data.T, log_winding=turns)
        found[label] = Start(
            {"C": np.zeros_like(network.R)},
            {"lam": 0.0, "mu": 0.0},
            "trace `problem` in mu over (0, 1) from here; the end point solves F(C) = R",
            homotopy,
        )
    return found


class _Symbols:
    """The symbols of the characteristic equation, for a symbolic size."""

    def __init__(self) -> None:
        self.size = sp.Symbol("d", integer=True, positive=True)
        self.lam, self.mu, self.T = sp.symbols("lam mu T")
        self.C = C = self.matrix("C")
        self.F = Exp(self.T * (C - C.T)) * Exp(self.T * C.T)
        self.F_inverse = Exp(-self.T * C.T) * Exp(-self.T * (C - C.T))

    def cost(self, aim: Any, moment: Any) -> Any:
        """Return J for the target map `aim`, as `LinearNetwork.cost` computes it."""
        error, energy = self.F - aim, Trace(self.C.T * self.C)
        return self.lam * self.T / 2 * energy + Trace(error.T * error * moment) / 2

    @property
    def normality(self) -> Any:
        """The norm of [C, C^T]."""
        defect = self.C * self.C.T - self.C.T * self.C
        return sp.sqrt(Trace(defect.T * defect))

    def matrix(self, name: str) -> MatrixSymbol:
        return MatrixSymbol(name, self.size, self.size)


def _target_and_moment(R: Any, Sigma0: Any, correlation: Any) -> tuple[Array, Array]:
    """Return R or the correlation, and Sigma0, as checked matrices of one size."""
    if (R is None) == (correlation is None):
        raise SpecificationError(
            "R",
            "both" if correlation is not None else None,
            "either R or `correlation` must be given, and not both.",
            "Give R=[[0, -1], [1, 0]], for instance.",
        )
    given = square("R", R) if correlation is None else square("correlation", correlation)
    size = given.shape[0]
    moment = np.eye(size) if Sigma0 is None else positive_definite("Sigma0", Sigma0, size)
    return given, moment


def _check_exclusive(correlation: Any, noise: Any, slope: Any, winding: Any) -> None:
    if correlation is not None and not (noise is None and slope is None and winding is None):
        raise SpecificationError(
            "correlation",
            "given with noise_correlation, R_slope or log_winding",
            "holds all that is known of Z: these arguments speak of R.",
            "Give R instead.",
        )
    if slope is not None and winding is not None:
        raise SpecificationError(
            "log_winding", winding, "cannot go with `R_slope`: one mu only.", "Choose one of them."
        )
    if noise is not None and winding is not None:
        raise SpecificationError(
            "log_winding", winding, "cannot go with `noise_correlation`.", "Leave one of them out."
        )


def _stated(**constants: Any) -> dict[str, Any]:
    """Return the constants that were given, as numbers and nested lists."""
    stated: dict[str, Any] = {}
    for name, value in constants.items():
        if value is None:
            continue
        if name == "T":
            stated[name] = float(value)
        elif name == "log_winding":
            stated[name] = np.asarray(value, dtype=int).tolist()
        else:
            stated[name] = np.asarray(value, dtype=float).tolist()
    return stated


MODEL = Model(
    name="linear-network",
    paper=(
        "A. Taghvaei, J. W. Kim and P. Mehta, How regularization affects the critical points in "
        "linear networks, NIPS 2017"
    ),
    summary="critical points of a continuous-time linear network with weight decay",
    build=build,
    starts=starts,
    constants={
        "R": "target map, (d, d), no eigenvalue on the closed negative real axis",
        "Sigma0": "second moment of the inputs, (d, d), positive definite; default identity",
        "T": "depth, positive; default 1",
        "correlation": "E[Z X_0^T], (d, d), in place of R",
        "noise_correlation": "mean of noise X_0^T over the samples, (d, d); default none",
        "R_slope": "the target is R + mu R_slope, (d, d); default none",
        "log_winding": "the target is expm(mu log R), turns of the logarithm; default none",
    },
    example={"R": [[0.0, -1.0], [1.0, 0.0]]},
    claims=CLAIMS,
    references=(
        "Proposition 2, equations 15 to 18: curves and characteristic equation",
        "Theorem 1, equation 14: lam = 0",
        "Theorem 2: slope of the branches at lam = 0",
        "Examples 1 and 2",
    ),
)
"""The model."""
