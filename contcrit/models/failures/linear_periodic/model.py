"""Linear functions under a periodic one: gradients that hardly depend on the target.

Paper: S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, ICML
2017, section 2.2; O. Shamir, *Distribution-specific hardness of learning neural networks*, 2016.

The target is ``psi(v . x)`` with ``|v| = r`` and x from N(0, I); the predictor is ``psi(w . x)``,
with ``psi(t) = sum_k a_k cos(k t)``. The expected squared loss has a closed form, for the cosine

    F = (1 + exp(-2 |w|^2)) / 4 + (1 + exp(-2 r^2)) / 4
        - (exp(-|w - v|^2 / 2) + exp(-|w + v|^2 / 2)) / 2.

Its critical points for r > 0 are a maximum at 0, minima at v and -v, and the sphere of w orthogonal
to v with ``|w| = r / sqrt(3)``: saddles of index 1 with eigenvalues ``+-r^2 exp(-2 r^2 / 3)`` and
zeros along the sphere. All of them leave the origin at r = 0, where they are a pitchfork in r^2.
There are no bad minima: descent fails because the gradient says next to nothing about v.

Assumptions. Standard Gaussian inputs, exact expectations. Rotations that fix v are symmetries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from ....errors import SpecificationError
from ....symbolic.problem import Problem
from ....system import Array
from ...base import Model, Start
from .claims import CLAIMS
from .theory import LinearPeriodic

NAME = "linear-periodic"


class LinearPeriodicProblem(Problem):
    """The critical points of the expected loss, or the map of gradient descent.

    Attributes
    ----------
    direction : ndarray, shape (d,)
        The direction of v, of length 1.
    coefficients : tuple of float
        Of psi.
    """

    _constants: dict[str, Any]

    @property
    def direction(self) -> Array:
        """The direction of v."""
        return np.array(self._constants["direction"])

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The coefficients of psi."""
        return tuple(self._constants["coefficients"])

    def loss(self, values: Mapping[str, float]) -> LinearPeriodic:
        """Return the loss at parameter values, for arrays of points."""
        return LinearPeriodic(float(values["r"]) * self.direction, self.coefficients)

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which it can be rebuilt."""
        return {"model": NAME, "constants": dict(self._constants)}


def build(
    d: int = 3,
    direction: Any = None,
    coefficients: Any = (1.0,),
    step_size: bool = False,
) -> LinearPeriodicProblem:
    """Return the problem in w with parameter ``r = |v|``.

    Parameters
    ----------
    d : int, default 3
        Dimension of the inputs.
    direction : array_like, shape (d,), optional
        Direction of v; default the first axis.
    coefficients : sequence of float, default (1,)
        a_1, a_2, ... of ``psi(t) = sum_k a_k cos(k t)``.
    step_size : bool, default False
        Whether to return the map ``w - eta grad F``, with the parameter ``eta``.

    Returns
    -------
    LinearPeriodicProblem
        Of kind "potential", or "map", in one block ``w``; the rotations that fix v are generators.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.

    Examples
    --------
    >>> problem = build(d=2)
    >>> float(abs(problem.evaluate([1.0, 0.0], {"r": 1.0})).max())
    0.0
    """
    d, unit, weights = _read(d, direction, coefficients)
    w = [sp.Symbol(f"w[{i}]") for i in range(d)]
    r = sp.Symbol("r")
    potential = _potential(w, r, unit, weights)
    constants = {
        "d": d,
        "direction": unit.tolist(),
        "coefficients": list(weights),
        "step_size": bool(step_size),
    }
    named: dict[str, Any] = {"generators": _rotations(unit), "name": NAME}
    if step_size:
        eta = sp.Symbol("eta")
        rows = [symbol - eta * sp.diff(potential, symbol) for symbol in w]
        problem = LinearPeriodicProblem(rows, {"w": w}, [r, eta], kind="map", **named)
    else:
        problem = LinearPeriodicProblem.from_potential(potential, {"w": w}, [r], **named)
    problem._constants = constants
    return problem


def starts(problem: LinearPeriodicProblem | Mapping[str, Any], r: float = 1.0) -> dict[str, Start]:
    """Return the known critical points.

    Parameters
    ----------
    problem : LinearPeriodicProblem or mapping
        The problem, or the constants to build it from.
    r : float, default 1
        Length of v.

    Returns
    -------
    dict of str to Start
        ``"target"``: w = v; ``"origin"``: w = 0; for the cosine with d > 1 also ``"sphere"``: a
        point orthogonal to v. The map's starts have ``eta`` = 1.

    Examples
    --------
    >>> list(starts({"d": 2}))
    ['target', 'origin', 'sphere']
    """
    asked = build(**problem) if isinstance(problem, Mapping) else problem
    values = {"r": float(r), **({"eta": 1.0} if "eta" in asked.parameter_names else {})}
    unit = asked.direction
    found = {
        "target": Start({"w": r * unit}, values, "w = v"),
        "origin": Start({"w": np.zeros_like(unit)}, values, "w = 0"),
    }
    if len(asked.coefficients) == 1 and len(unit) > 1:
        across = _complement(unit)[:, 0]
        found["sphere"] = Start(
            {"w": r / np.sqrt(3) * across}, values, "orthogonal to v, |w| = r / sqrt(3)"
        )
    return found


def _read(d: Any, direction: Any, coefficients: Any) -> tuple[int, Array, tuple[float, ...]]:
    if isinstance(d, bool) or not isinstance(d, (int, np.integer)) or d < 1:
        raise SpecificationError("d", d, "must be a positive whole number.", "The default is 3.")
    try:
        given = np.eye(1, int(d))[0] if direction is None else np.array(direction, dtype=float)
        weights = tuple(float(a) for a in np.atleast_1d(np.asarray(coefficients, dtype=float)))
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "direction, coefficients",
            (direction, coefficients),
            "must hold numbers.",
            "Give lists.",
        ) from error
    if given.shape != (d,) or not np.all(np.isfinite(given)) or not np.any(given):
        raise SpecificationError(
            "direction", direction, f"needs {d} finite numbers, not all zero.", "Leave it out."
        )
    if not weights or not np.all(np.isfinite(weights)) or not any(weights):
        raise SpecificationError(
            "coefficients", coefficients, "needs finite numbers, not all zero.", "The default: [1]."
        )
    return int(d), given / np.linalg.norm(given), weights


def _potential(
    w: list[sp.Symbol], r: sp.Symbol, unit: Array, weights: tuple[float, ...]
) -> sp.Expr:
    square = sum(symbol**2 for symbol in w)
    along = sum(_number(u) * symbol for u, symbol in zip(unit, w, strict=True) if u)
    total = sp.S.Zero
    for j, one in enumerate(weights, start=1):
        for k, other in enumerate(weights, start=1):
            for side in (-1, 1):
                m = j + side * k
                own = sp.exp(-(m**2) * square / 2) + sp.exp(-(m**2) * r**2 / 2)
                away = j**2 * square + 2 * side * j * k * r * along + k**2 * r**2
                total += _number(one * other) * (own / 4 - sp.exp(-away / 2) / 2)
    return total


def _number(value: float) -> sp.Expr:
    return sp.Integer(int(value)) if float(value).is_integer() else sp.Float(float(value))


def _complement(unit: Array) -> Array:
    """Return an orthonormal basis (d, d - 1) of what is orthogonal to a unit vector."""
    axes = np.linalg.svd(unit[None, :])[2]
    return np.asarray(axes[1:].T)


def _rotations(unit: Array) -> list[Array]:
    basis = _complement(unit)
    return [
        np.outer(basis[:, i], basis[:, j]) - np.outer(basis[:, j], basis[:, i])
        for i in range(basis.shape[1])
        for j in range(i)
    ]


MODEL = Model(
    name="linear-periodic",
    paper=(
        "S. Shalev-Shwartz, O. Shamir and S. Shammah, Failures of gradient-based deep learning, "
        "ICML 2017"
    ),
    summary="critical points of learning psi(v . x), psi periodic, by psi(w . x)",
    build=build,
    starts=starts,
    constants={
        "d": "dimension of the inputs; default 3",
        "direction": "direction of v, (d,); default the first axis",
        "coefficients": "a_1, a_2, ... of psi(t) = sum_k a_k cos(k t); default 1",
        "step_size": "True for the map of gradient descent with parameter eta; default False",
    },
    example={"d": 3},
    claims=CLAIMS,
    references=(
        "Theorem 2 (Shamir 2016): variance of the gradient over targets",
        "section 2.2: linear-periodic functions",
    ),
)
"""The model."""
