"""A unit with a flat activation, trained by the gradient or by the forward-only law.

Paper: S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, ICML
2017, section 4 and Figure 6d; the longer version has the analysis.

The unit answers ``u(w . x)`` with the staircase
``u(r) = z_0 + sum_i (z_i - z_(i-1)) 1[r > z_i]``. The gradient of its squared loss vanishes almost
everywhere. The *forward-only* law leaves out the derivative of u,

    w <- w - eta E[(u(w . x) - y) x],

which is descent of the convex matching loss ``M(w) = E[U(w . x) - y w . x]``, U' = u: a monotone
field for any labels, staircases included. With each jump smoothed to ``s(c (r - z_i))`` both laws
have critical points that can be continued in the sharpness c.

For x from N(0, I) the forward-only law of the staircase is
``-(g(|w|) w / |w| - g(|v|) v / |v|)`` with ``g(r) = sum_i (z_i - z_(i-1)) phi(z_i / r)``.

Assumptions. The theorem on the number of steps needs a Lipschitz u, that is, a smoothed one.

Errata. The number of steps is ``T = c^2 B^4 L^2 / epsilon^2``, c the length of u's range: scaling u
refutes every other power of c.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import sympy as sp

from ....errors import SpecificationError
from ....symbolic.markers import relu, step
from ....symbolic.normalise import Normaliser
from ....symbolic.piecewise import PiecewiseProblem
from ....symbolic.problem import Problem
from ....system import Array
from ...base import Model, Start
from .claims import CLAIMS
from .laws import SMOOTHINGS, Sample, Staircase
from .starts import gaussian_length, local_minimum, strong_decay
from .terms import gaussian, matching, outputs, rotations, squared, steps

NAME = "flat-activation"

FORMS = ("potential", "flow", "map")
"""What a problem may be."""

LAWS = ("gradient", "forward-only")
"""The laws of learning."""

DEFAULTS = {"c": 4.0, "lam": 0.0, "eta": 0.1}
"""Parameter values where none are given."""


class _Described:
    """What the problems of this model share."""

    _stairs: Staircase
    _data: Sample | None
    _constants: dict[str, Any]
    parameter_names: tuple[str, ...]

    @property
    def stairs(self) -> Staircase:
        """The activation."""
        return self._stairs

    @property
    def data(self) -> Sample | None:
        """The inputs and labels; None for Gaussian inputs."""
        return self._data

    @property
    def constants(self) -> dict[str, Any]:
        """The constants, as numbers and lists."""
        return dict(self._constants)

    @property
    def default_values(self) -> dict[str, float]:
        """Values of the parameters where none are given."""
        return {name: DEFAULTS[name] for name in self.parameter_names}

    def describe(self) -> dict[str, Any]:
        """Return the model's name and constants, from which it can be rebuilt."""
        return {"model": NAME, "constants": dict(self._constants)}


class SmoothUnit(_Described, Problem):
    """A law with smoothed jumps, or that of the staircase for Gaussian inputs."""

    @classmethod
    def with_gradient(
        cls, potential: Any, slopes: list[Any], unknowns: Any, parameters: list[Any], **named: Any
    ) -> Self:
        """Return the problem of a potential whose gradient is given in a form that is bounded."""
        self = cls.__new__(cls)
        domain = named["domain"]
        self._declare(unknowns, parameters, kind="potential", blocks=None, name=NAME, domain=domain)
        normalise = Normaliser(self._symbols)
        self._potential = normalise(potential, "potential")
        self._residual = tuple(normalise(row, "potential") for row in slopes)
        self._finish(normalise, named["generators"], None)
        return self


class StaircaseUnit(_Described, PiecewiseProblem):
    """The forward-only law of the staircase on a sample.

    As a potential the convex, piecewise linear matching loss; as a flow it jumps, and may slide.
    """


def build(
    z: Any,
    X: Any = None,
    w_star: Any = None,
    y: Any = None,
    law: str = "forward-only",
    smoothing: str = "logistic",
    sharp: bool = False,
    form: str = "potential",
) -> SmoothUnit | StaircaseUnit:
    """Return the problem of one law in w.

    Parameters
    ----------
    z : array_like, shape (m + 1,)
        Levels in rising order; all but the first are thresholds.
    X : array_like, shape (N, d), optional
        Inputs; left out for N(0, I) in expectation, which needs the forward-only law, and
        `smoothing` "probit" unless `sharp`.
    w_star : array_like, shape (d,), optional
        The teacher v: labels are ``u(v . x)`` with the staircase itself.
    y : array_like, shape (N,), optional
        Labels in place of the teacher.
    law : {"forward-only", "gradient"}
        The law; "gradient" is that of the squared loss.
    smoothing : {"logistic", "probit"}
        What a smoothed jump is.
    sharp : bool, default False
        Whether the activation is the staircase itself; for the forward-only law.
    form : {"potential", "flow", "map"}
        The loss that the law descends; the law as a flow, Filippov's for a staircase on a sample;
        or the map ``w + eta (law)`` with the parameter ``eta``, for continuous laws.

    Returns
    -------
    SmoothUnit or StaircaseUnit
        In one block ``w``, of the kind that `form` names, with the parameters ``c`` (sharpness,
        unless `sharp`), ``lam`` (strength of a ridge ``lam |w|^2 / 2``) and for a map ``eta``.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.

    Examples
    --------
    >>> problem = build(z=[-1, 0, 1], X=[[1.0], [-0.5]], w_star=[0.7])
    >>> problem.parameter_names, problem.kind
    (('c', 'lam'), 'potential')
    """
    stairs = Staircase(_numbers("z", z, 1), smoothing)
    _check_constants(stairs, law, sharp, form, X is None)
    constants: dict[str, Any] = {
        "z": stairs.z.tolist(),
        "law": law,
        "smoothing": smoothing,
        "sharp": bool(sharp),
        "form": form,
    }
    teacher = None if w_star is None else _numbers("w_star", w_star, 1)
    sample = None
    if X is None:
        if teacher is None or y is not None or not np.any(teacher):
            raise SpecificationError(
                "w_star", w_star, "not zero, and no y, is needed for Gaussian inputs.", "Give it."
            )
        d = len(teacher)
    else:
        sample = _sample(stairs, _numbers("X", X, 2), teacher, y)
        constants["X"] = sample.X.tolist()
        d = sample.X.shape[1]
    if teacher is not None:
        constants["w_star"] = teacher.tolist()
    if y is not None and sample is not None:
        constants["y"] = sample.y.tolist()
    w = [sp.Symbol(f"w[{j}]") for j in range(d)]
    problem: SmoothUnit | StaircaseUnit
    if sample is not None and sharp:
        problem = _jumping(sample, w) if form == "flow" else _kinked(sample, w)
    else:
        problem = _smooth(stairs, sample, teacher, w, law, sharp, form)
    problem._stairs, problem._data, problem._constants = stairs, sample, constants
    return problem


def starts(
    problem: SmoothUnit | StaircaseUnit | Mapping[str, Any],
    values: Mapping[str, float] | None = None,
) -> dict[str, Start]:
    """Return known critical points.

    Parameters
    ----------
    problem : SmoothUnit, StaircaseUnit or mapping
        The problem, or the constants to build it from.
    values : mapping, optional
        Parameter values; default ``c`` = 4, ``lam`` = 0 and ``eta`` = 0.1.

    Returns
    -------
    dict of str to Start
        ``"minimum"``: of the matching loss, or of the squared loss near the teacher (near 0 with
        labels only); empty where there is none at a finite w. ``"strong decay"``, of a staircase on
        a sample: next to the origin, at a large ``lam``.

    Examples
    --------
    >>> list(starts({"z": [-1, 0, 1], "X": [[1.0], [-0.5]], "w_star": [0.7]}))
    ['minimum']
    """
    asked = build(**problem) if isinstance(problem, Mapping) else problem
    named = {**asked.default_values, **(values or {})}
    constants = asked.constants
    teacher = np.array(constants["w_star"]) if "w_star" in constants else None
    sample = asked.data
    if sample is None:
        assert teacher is not None
        length = gaussian_length(asked.stairs, teacher, named.get("c", np.inf), named["lam"])
        w = length * teacher / np.linalg.norm(teacher)
        return {"minimum": Start({"w": w}, named, "along v, where the pulls agree")}
    if constants["sharp"]:
        found = strong_decay(sample)
        if found is None:
            return {}
        w, lam = found
        return {"strong decay": Start({"w": w}, {"lam": lam}, "in a cell next to the origin")}
    guess = np.zeros(sample.X.shape[1]) if teacher is None else teacher
    minimum = local_minimum(sample, guess, named["c"], named["lam"], constants["law"])
    return {} if minimum is None else {"minimum": Start({"w": minimum}, named, "by descent")}


def _numbers(name: str, value: Any, axes: int) -> Array:
    try:
        found = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise SpecificationError(name, value, "must hold real numbers.", "Give lists.") from error
    if found.ndim != axes or found.size == 0 or not np.all(np.isfinite(found)):
        raise SpecificationError(
            name, found.shape, f"needs finite numbers with {axes} axes.", "See the model's text."
        )
    return found


def _check_constants(stairs: Staircase, law: str, sharp: bool, form: str, gaussian: bool) -> None:
    if len(stairs.z) < 2 or not np.all(np.diff(stairs.z) > 0):
        raise SpecificationError(
            "z", stairs.z.tolist(), "needs two or more levels in rising order.", "z=[-1, 0, 1]."
        )
    if law not in LAWS:
        raise SpecificationError("law", law, f"must be one of {', '.join(LAWS)}.", "Choose one.")
    if stairs.smoothing not in SMOOTHINGS:
        raise SpecificationError(
            "smoothing", stairs.smoothing, f"must be one of {', '.join(SMOOTHINGS)}.", "Choose one."
        )
    if law == "gradient" and (sharp or gaussian):
        raise SpecificationError(
            "law",
            law,
            "needs a sample and smoothed jumps: a staircase's gradient is zero almost everywhere.",
            "Give X and leave out `sharp`, or take law='forward-only'.",
        )
    if form not in FORMS or (form == "map" and sharp and not gaussian):
        raise SpecificationError(
            "form",
            form,
            f"must be one of {', '.join(FORMS)}; a map needs a continuous law.",
            "Leave out `sharp`, or take form='flow'.",
        )
    if gaussian and not sharp and stairs.smoothing != "probit":
        raise SpecificationError(
            "smoothing", stairs.smoothing, "has no closed form for Gaussian inputs.", "'probit'."
        )


def _sample(stairs: Staircase, X: Array, teacher: Array | None, y: Any) -> Sample:
    if (teacher is None) == (y is None):
        raise SpecificationError(
            "w_star, y", "both" if y is not None else "neither", "needs one of them.", "Give one."
        )
    if teacher is not None:
        if teacher.shape != X.shape[1:]:
            raise SpecificationError(
                "w_star", teacher.shape, f"needs {X.shape[1]} weights.", "One for each input."
            )
        return Sample(stairs, X, stairs(X @ teacher))
    labels = _numbers("y", y, 1)
    if len(labels) != len(X):
        raise SpecificationError("y", labels.shape, f"needs {len(X)} labels.", "One for each row.")
    return Sample(stairs, X, labels)


def _jumping(sample: Sample, w: list[sp.Symbol]) -> StaircaseUnit:
    """Write the flow of the staircase, one switching function for each input and threshold."""
    lam, count = sp.Symbol("lam"), len(sample.X)
    rows = [-lam * symbol for symbol in w]
    for x, r, label in zip(sample.X, outputs(sample, w), sample.y, strict=True):
        u = float(sample.stairs.z[0]) + sp.Add(
            *(jump * step(r - level) for jump, level in steps(sample.stairs))
        )
        rows = [row - float(a) * (u - float(label)) / count for row, a in zip(rows, x, strict=True)]
    return StaircaseUnit(rows, {"w": w}, [lam], kind="flow", name=NAME)


def _kinked(sample: Sample, w: list[sp.Symbol]) -> StaircaseUnit:
    """Write the matching loss of the staircase, which is piecewise linear, with its ridge."""
    lam = sp.Symbol("lam")
    terms = []
    for r, label in zip(outputs(sample, w), sample.y, strict=True):
        terms.append((float(sample.stairs.z[0]) - float(label)) * r)
        terms += [jump * relu(r - level) for jump, level in steps(sample.stairs)]
    ridge = lam * sp.Add(*(symbol**2 for symbol in w)) / 2
    potential = sp.Add(*terms) / len(sample.X) + ridge
    return StaircaseUnit.from_potential(potential, {"w": w}, [lam], name=NAME)


def _smooth(
    stairs: Staircase,
    sample: Sample | None,
    teacher: Array | None,
    w: list[sp.Symbol],
    law: str,
    sharp: bool,
    form: str,
) -> SmoothUnit:
    c, lam, eta = sp.symbols("c lam eta")
    generators: list[Array] = []
    if sample is not None:
        loss = squared if law == "gradient" else matching
        potential, slopes = loss(sample, w, c)
    else:
        assert teacher is not None
        potential = gaussian(stairs, teacher, w, None if sharp else c)
        slopes = [sp.diff(potential, symbol) for symbol in w]
        generators = rotations(teacher)
    potential += lam * sp.Add(*(symbol**2 for symbol in w)) / 2
    slopes = [slope + lam * symbol for slope, symbol in zip(slopes, w, strict=True)]
    parameters = [*([] if sharp else [c]), lam, *([eta] if form == "map" else [])]
    named: dict[str, Any] = {
        "generators": generators,
        "domain": {symbol.name: (0.5, 2.0) for symbol in parameters},
    }
    if form == "potential":
        return SmoothUnit.with_gradient(potential, slopes, {"w": w}, parameters, **named)
    if form == "flow":
        rows = [-slope for slope in slopes]
        return SmoothUnit(rows, {"w": w}, parameters, name=NAME, **named)
    rows = [symbol - eta * slope for symbol, slope in zip(w, slopes, strict=True)]
    return SmoothUnit(rows, {"w": w}, parameters, kind="map", name=NAME, **named)


MODEL = Model(
    name="flat-activation",
    paper=(
        "S. Shalev-Shwartz, O. Shamir and S. Shammah, Failures of gradient-based deep learning, "
        "ICML 2017"
    ),
    summary="a unit with a staircase activation under the gradient and the forward-only law",
    build=build,
    starts=starts,
    constants={
        "z": "levels of the staircase in rising order, (m + 1,)",
        "X": "inputs, (N, d); left out for Gaussian inputs in expectation",
        "w_star": "the teacher's weights, (d,)",
        "y": "labels, (N,), in place of the teacher",
        "law": "'forward-only' (default) or 'gradient'",
        "smoothing": "'logistic' (default) or 'probit'",
        "sharp": "True for the staircase itself; default False",
        "form": "'potential' (default), 'flow' or 'map', with the parameter eta",
    },
    example={
        "z": [-1.5, -0.5, 0.5, 1.5],
        "X": [[1.0, 0.4], [-0.6, 1.1], [0.3, -1.2], [-1.4, -0.2], [0.8, 0.9]],
        "w_star": [1.0, -0.5],
    },
    claims=CLAIMS,
    references=(
        "section 4: flat activations and the forward-only law",
        "the longer version's theorem on the number of steps",
        "Figure 6d",
    ),
)
"""The model."""
