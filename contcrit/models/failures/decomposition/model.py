"""Decomposition against end-to-end learning: the product of linear scores in closed form.

Paper: S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*,
2017, section 3.

A tuple of k inputs x_l from N(0, I_d) has the label ``prod_l sign(u . x_l)``, |u| = 1; the
predictor is ``prod_l w . x_l``. End-to-end learning minimises the squared error of the product,
decomposition that of each score against ``sign(u' . x_l)``; for the paper u' = u. With weight s of
the auxiliary loss, from 1 (decomposition) to 0 (end to end), the population loss is

    L = (s / 2) (|w|^2 - 2 kappa u' . w + 1) + ((1 - s) / 2) (|w|^{2k} - 2 (kappa u . w)^k + 1),

kappa = sqrt(2 / pi), since ``E[(w . x)^2] = |w|^2``, ``E[sign(u . x) w . x] = kappa u . w``, and
the inputs of a tuple are independent.

Reduced unknowns. Perpendicular to u and u' the gradient is ``(s + (1 - s) k |w|^{2k-2}) w``, whose
factor is positive but at s = w = 0: critical points lie in the plane of u and u', and no other
direction curves downwards. So two unknowns, w = (along u, across u), have all critical points and
their indices for every d. The second parameter is the angle phi from u to u', 0 for the paper's
auxiliary labels. With `radial` the cosine c = u . w / |w| is held, and the only unknown is r = |w|;
for auxiliary labels without error its equation is
``s (r - kappa c) + (1 - s) k r^{k-1} (r^k - (kappa c)^k) = 0``.

What follows (phi = 0; see `decomposition.theory`). w = kappa u is a minimum for every s. End to end
all other minima are as good: there is none for odd k, and -kappa u for even k; the origin is a
saddle, flat to order k - 1. In between, wrong-sign minima of even k stay until a fold, at s = 1 /
(1 + pi) for k = 2. So bad minima are not why end-to-end learning fails; the gradient at the origin,
of order c^{k-1}, and its noise are: see `decomposition.signal` and `decomposition.kernel`.

Assumptions. Inputs are Gaussian, scores linear, the loss squared.

Errata of the paper. The gradient of margin losses, in the proof of Theorem 3, drops a factor h_u.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import sympy as sp

from ....errors import SpecificationError
from ....symbolic.problem import Problem
from ...base import Model, Start
from ...reading import whole_number
from .claims import CLAIMS
from .signal import KAPPA

NAME = "decomposition"


class DecompositionProblem(Problem):
    """The critical points of the population loss.

    Attributes
    ----------
    default_values : dict of str to float
        ``phi`` = 0: auxiliary labels without error.
    """

    _constants: dict[str, Any]

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters that are not stated."""
        return {"phi": 0.0} if "phi" in self.parameter_names else {}

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which `contcrit.models.rebuild` rebuilds."""
        return {"model": NAME, "constants": dict(self._constants)}


def build(k: int = 2, radial: bool = False) -> DecompositionProblem:
    """Return the problem of the population loss's critical points, with parameter ``s``.

    Parameters
    ----------
    k : int, default 2
        Number of inputs in a tuple.
    radial : bool, default False
        Whether the cosine between w and u is held, as a parameter ``c``: the unknown is then
        ``r = |w|``, negative where c counts from the other end. Else the unknowns are ``w``, shape
        (2,), along u and across it, and the second parameter is ``phi``.

    Returns
    -------
    DecompositionProblem
        Of kind "potential". Observables: ``primary`` and ``auxiliary``, the two losses.

    Raises
    ------
    SpecificationError
        If k is no positive integer, or `radial` no truth value.

    References
    ----------
    Shalev-Shwartz, Shamir and Shammah 2017, section 3.

    Examples
    --------
    >>> problem = build(k=2)
    >>> problem.unknown_names, problem.parameter_names
    (('w[0]', 'w[1]'), ('s', 'phi'))
    """
    k = whole_number("k", k, low=1)
    if radial not in (True, False):
        raise SpecificationError("radial", radial, "must be True or False.", "Choose one.")
    s, phi, c, kappa = sp.Symbol("s"), sp.Symbol("phi"), sp.Symbol("c"), sp.Float(KAPPA, 17)
    unknowns: Any
    if radial:
        r = sp.Symbol("r")
        square, along, told = r**2, kappa * c * r, kappa * c * r
        unknowns, parameters = [r], [s, c]
    else:
        w = [sp.Symbol("w[0]"), sp.Symbol("w[1]")]
        square, along = w[0] ** 2 + w[1] ** 2, kappa * w[0]
        told = kappa * (sp.cos(phi) * w[0] + sp.sin(phi) * w[1])
        unknowns, parameters = {"w": w}, [s, phi]
    auxiliary = (square - 2 * told + 1) / 2
    primary = (square**k - 2 * along**k + 1) / 2
    problem = DecompositionProblem.from_potential(
        s * auxiliary + (1 - s) * primary,
        unknowns,
        parameters,
        observables={"primary": primary, "auxiliary": auxiliary},
        name=NAME,
    )
    problem._constants = {"k": k, "radial": bool(radial)}
    return problem


def starts(problem: DecompositionProblem | Mapping[str, Any], c: float = 0.5) -> dict[str, Start]:
    """Return known critical points.

    Parameters
    ----------
    problem : DecompositionProblem or mapping
        The problem, or the constants to build it from.
    c : float, default 0.5
        With `radial`: the cosine to begin at.

    Returns
    -------
    dict of str to Start
        ``"target"``: kappa u, or radius kappa c, at s = 1. For even k also ``"opposite"``: -kappa u
        at s = 0, as good a solution end to end; with `radial` the same by its other sign.

    Examples
    --------
    >>> list(starts({"k": 2})), list(starts({"k": 3}))
    (['target', 'opposite'], ['target'])
    """
    asked = cast(
        DecompositionProblem,
        MODEL.build(**problem) if isinstance(problem, Mapping) else problem,
    )
    k, radial = asked._constants["k"], asked._constants["radial"]
    if radial:
        found = {"target": Start({"r": KAPPA * c}, {"s": 1.0, "c": c}, "the best length")}
        if k % 2 == 0:
            found["opposite"] = Start({"r": -KAPPA * c}, {"s": 0.0, "c": c}, "of wrong sign")
        return found
    w = np.array([KAPPA, 0.0])
    found = {"target": Start({"w": w}, {"s": 1.0, "phi": 0.0}, "kappa u, for every s")}
    if k % 2 == 0:
        found["opposite"] = Start({"w": -w}, {"s": 0.0, "phi": 0.0}, "-kappa u, of wrong sign")
    return found


MODEL = Model(
    name="decomposition",
    paper=(
        "S. Shalev-Shwartz, O. Shamir and S. Shammah, Failures of gradient-based deep learning, "
        "2017"
    ),
    summary="product of linear scores, learnt end to end or with labels for every factor",
    build=build,
    starts=starts,
    constants={
        "k": "number of inputs in a tuple; default 2",
        "radial": "True holds the cosine c between w and u, for the length of w; default False",
    },
    example={"k": 2},
    claims=CLAIMS,
    references=(
        "Section 3.1: the two losses",
        "Theorem 3: the variance of the gradient over targets",
        "Section 3.2, Figures 3 and 4: signal and noise",
    ),
)
"""The model."""
