"""Encoding piecewise-linear curves: a convex problem that only its conditioning makes hard.

Paper: S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*,
2017, section 4 of the longer version, and Figure 5.

A curve ``f = W p``, with ``W_ij = [i - j + 1]_+`` and changes of slope p, ``E[p p^T] = lam I``, is
to be encoded as p. The linear architecture learns U-hat of the loss ``E |W^{-1} f - U-hat f|^2 /
2``, whose Hessian is ``lam W W^T`` for each row; the convolution learns three weights k that answer
``k . (f_{t-1}, f_t, f_{t+1})``. Both are one problem: x has second moment C, and the loss is

    Q / 2,   Q = (k - k*)^T C (k - k*).

Preconditioned by ``C^{-t/2}``, t in [0, 1], the encoder reads ``C^{-t/2} x``, its weights are
``C^{t/2} k``, its Hessian is ``C^{1-t}`` and the condition number ``kappa^{1-t}``. Gradient descent
commutes with rotations of the weights; so the unknowns y are their components along the
eigenvectors v_j of C, by falling eigenvalue D_j, where everything is diagonal:

    Q = sum_j D_j^{1-t} (y_j - D_j^{t/2} v_j . k*)^2.

Gradient descent is the map ``y -> y - eta grad``, whose multipliers are ``1 - eta D_j^{1-t}``: the
solution loses its stability exactly at ``eta = 2 / D_1^{1-t}``, by a period doubling.

For the squared loss every error along that eigenvector has period 2 there. The loss
``e^2 / 2 + q e^4 / 4`` of errors e that are Gaussian, of variance Q, makes the doubling generic:
its mean is ``Q / 2 + 3 q Q^2 / 4``, and an error x along one eigenvector goes to
``x - eta D (1 + 3 q D x^2) x``, so that the normal form at its flip is ``x -> -x - 6 q D x^3``: a
stable cycle is born for q < 0 (a loss that saturates), an unstable one for q > 0.

Assumptions. n >= 4 for the convolution, whose windows lie within the curve; lam > 0. For q != 0
inputs are Gaussian with second moment C. For q < 0 the loss is unbounded below far from k*.

Errata of the paper. W's index is shifted by one: ``[i - j]_+`` has no inverse. Gradient descent
diverges for ``eta lam S_1^2 > 2``, not > 1. The lower bound n^3.5 of the condition number is true
and loose: it grows as 1.2942509068 n^4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import sympy as sp

from ....criticality.hessian import classify_hessian, classify_jacobian
from ....criticality.record import Criticality
from ....errors import SpecificationError
from ....symbolic.problem import Problem
from ....system import Array
from ...base import Model, Start
from .claims import CLAIMS
from .theory import Encoding, convolution_encoding, linear_encoding

NAME = "curve-encoding"


class CurveEncodingProblem(Problem):
    """The solution of one encoder, as a critical point or as the fixed point of a map.

    Attributes
    ----------
    data : Encoding
        Second moment, eigenvectors, and what follows from them in closed form.
    default_values : dict of str to float
        No preconditioning, ``t`` = 0, and the squared loss, ``q`` = 0.
    """

    _data: Encoding
    _constants: dict[str, Any]

    @property
    def data(self) -> Encoding:
        """The numbers behind the problem."""
        return self._data

    @cached_property
    def symmetric(self) -> bool:
        """Whether the Jacobian is symmetric: of a gradient step it is, of two steps it is not."""
        return bool(self._constants["iterate"] == 1)

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters that are not stated."""
        return {"t": 0.0, "q": 0.0}

    def encoder(self, y: Any, t: float = 0.0) -> Array:
        """Return the weights that answer ``x`` before preconditioning, shape (m,).

        Parameters
        ----------
        y : array_like, shape (m,)
            The unknowns.
        t : float, optional
            Share of preconditioning that they belong to (default 0).
        """
        weights = self._data.directions @ np.asarray(y, dtype=float)
        return np.asarray(self._data.power(-t / 2.0) @ weights)

    def classify(self, x: Any, values: Mapping[Any, float]) -> Criticality | None:
        """Say what the fixed point of one step is for the loss that the step descends.

        The map's Jacobian is that of ``-eta grad``: the Hessian follows from it, and the index is
        the loss's. Whether descent with this step size stays there is ``stability`` in the
        evidence, with the ``multipliers``. None for two steps, whose cycles are no critical points.
        """
        named = {str(key): float(value) for key, value in values.items()}
        eta = named.get("eta", 0.0)
        if self.kind != "map" or self._constants["iterate"] != 1 or eta <= 0.0:
            return None
        J, change = self.jacobian(x, named), self.evaluate(x, named)
        dynamics = classify_jacobian(J, "map", residual=change).evidence
        verdict = classify_hessian(-J / eta, gradient=-change / eta)
        told = {key: dynamics.get(key) for key in ("stability", "unstable_dimension")}
        told["multipliers"] = dynamics.get("eigenvalues")
        return replace(verdict, evidence={**verdict.evidence, **told})

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which `contcrit.models.rebuild` rebuilds."""
        return {"model": NAME, "constants": dict(self._constants)}


def build(
    n: int = 10,
    architecture: str = "convolution",
    lam: float = 1.0,
    row: int | None = None,
    dynamics: str = "map",
    iterate: int = 1,
) -> CurveEncodingProblem:
    """Return the problem of learning an encoder, with parameters ``eta``, ``t`` and ``q``.

    Parameters
    ----------
    n : int, default 10
        Number of points of a curve.
    architecture : {"convolution", "linear"}, default "convolution"
        What is learnt: a kernel of three weights, or one row of the matrix U-hat.
    lam : float, default 1.0
        ``E[p p^T] = lam I``.
    row : int, optional
        Which row of the matrix, from 0 (default: the last); rows are learnt independently.
    dynamics : {"map", "potential"}, default "map"
        Gradient descent with step size ``eta``, or the loss's critical points (without ``eta``).
    iterate : {1, 2}, default 1
        2: two steps are one map, so that cycles of period 2 are fixed points.

    Returns
    -------
    CurveEncodingProblem
        With one block ``y``, shape (3,) for the convolution and (n,) for the matrix:
        ``problem.encoder(y, t)`` are the weights.

    Raises
    ------
    SpecificationError
        If an argument is none of those, `row` is given for a convolution, or `iterate` is 2
        without a map.

    References
    ----------
    Shalev-Shwartz, Shamir and Shammah 2017, section 4 of the longer version.

    Examples
    --------
    >>> problem = build(n=10)
    >>> problem.kind, problem.unknown_names, problem.parameter_names
    ('map', ('y[0]', 'y[1]', 'y[2]'), ('eta', 't', 'q'))
    """
    if architecture not in ("convolution", "linear"):
        raise SpecificationError(
            "architecture", architecture, "must be 'convolution' or 'linear'.", "Choose one."
        )
    if dynamics not in ("map", "potential"):
        raise SpecificationError("dynamics", dynamics, "must be 'map' or 'potential'.", "Choose.")
    if iterate not in (1, 2) or (iterate == 2 and dynamics != "map"):
        raise SpecificationError(
            "iterate", iterate, "must be 1, or 2 for a map.", "Leave it out, or take a map."
        )
    if architecture == "linear":
        encoding = linear_encoding(n, lam, row)
    else:
        if row is not None:
            raise SpecificationError("row", row, "is for the linear architecture.", "Leave it out.")
        encoding = convolution_encoding(n, lam)
    problem = _problem(encoding, dynamics, iterate)
    problem._data = encoding
    problem._constants = {
        "n": int(n),
        "architecture": architecture,
        "lam": float(lam),
        **({} if row is None else {"row": int(row)}),
        "dynamics": dynamics,
        "iterate": int(iterate),
    }
    return problem


def starts(
    problem: CurveEncodingProblem | Mapping[str, Any], q: float = -0.1, excess: float = 1.2
) -> dict[str, Start]:
    """Return known solutions.

    Parameters
    ----------
    problem : CurveEncodingProblem or mapping
        The problem, or the constants to build it from.
    q : float, default -0.1
        Strength of the quartic term that the cycle belongs to.
    excess : float, default 1.2
        Step size of the cycle, in units of the first flip's: above 1 for q < 0, below for q > 0.

    Returns
    -------
    dict of str to Start
        ``"solution"``: the encoder without error, for every eta, t and q. With `iterate` = 2 also
        ``"cycle"``: the cycle of period 2 along the first eigenvector, for the squared loss none.

    Examples
    --------
    >>> list(starts(build(n=10))), list(starts({"iterate": 2}))
    (['solution'], ['solution', 'cycle'])
    """
    asked = cast(
        CurveEncodingProblem,
        MODEL.build(**problem) if isinstance(problem, Mapping) else problem,
    )
    data = asked.data
    values = {"t": 0.0, "q": 0.0}
    if asked.kind == "map":
        values["eta"] = data.best_step() / 2.0
    found = {
        "solution": Start({"y": data.directions.T @ data.target()}, values, "second differences")
    }
    if asked._constants["iterate"] == 2:
        eta = excess * float(data.flips()[0])
        point = data.cycle(eta, q)
        if point is None:
            raise SpecificationError(
                "excess", excess, "has no cycle for this q.", "Above 1 for q < 0, below for q > 0."
            )
        found["cycle"] = Start(
            {"y": data.directions.T @ point}, {"t": 0.0, "q": q, "eta": eta}, "in closed form"
        )
    return found


def _problem(encoding: Encoding, dynamics: str, iterate: int) -> CurveEncodingProblem:
    logarithms = [float(value) for value in np.log(encoding.curvatures())]
    along = [float(value) for value in encoding.directions.T @ encoding.solution]
    y = [sp.Symbol(f"y[{j}]") for j in range(len(along))]
    eta, t, q = sp.symbols("eta t q")
    curvature = [sp.exp((1 - t) * value) for value in logarithms]
    error = [
        unknown - sp.exp(t * value / 2) * part
        for unknown, value, part in zip(y, logarithms, along, strict=True)
    ]

    def spread(error: list[sp.Expr]) -> sp.Expr:
        return sum(D * e**2 for D, e in zip(curvature, error, strict=True))

    if dynamics == "potential":
        Q = spread(error)
        potential = Q / 2 + 3 * q * Q**2 / 4
        return CurveEncodingProblem.from_potential(potential, {"y": y}, [t, q], name=NAME)
    image, moved = y, error
    for _ in range(iterate):
        scale = eta * (1 + 3 * q * spread(moved))
        change = [scale * D * e for D, e in zip(curvature, moved, strict=True)]
        moved = [e - step for e, step in zip(moved, change, strict=True)]
        image = [one - step for one, step in zip(image, change, strict=True)]
    return CurveEncodingProblem(image, {"y": y}, [eta, t, q], kind="map", name=NAME)


MODEL = Model(
    name="curve-encoding",
    paper=(
        "S. Shalev-Shwartz, O. Shamir and S. Shammah, Failures of gradient-based deep learning, "
        "2017"
    ),
    summary="learning to encode a piecewise-linear curve: gradient descent and its conditioning",
    build=build,
    starts=starts,
    constants={
        "n": "number of points of a curve; default 10",
        "architecture": "'convolution' (default) or 'linear'",
        "lam": "E[p p^T] = lam I; default 1",
        "row": "which row of the linear architecture's matrix, from 0; default the last",
        "dynamics": "'map' (default), gradient descent with step eta, or 'potential'",
        "iterate": "1 (default), or 2 for two steps as one map",
    },
    example={"n": 10, "architecture": "convolution"},
    claims=CLAIMS,
    references=(
        "Section 4 of the longer version: linear and convolutional encoders, conditioning",
        "Figure 5",
    ),
)
"""The model."""
