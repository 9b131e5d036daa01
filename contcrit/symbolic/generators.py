"""Continuous symmetries: read affine generators, and check that they are symmetries.

A generator is the affine vector field g(x) = S x + c, stored as [S | c] of shape (n, n + 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .normalise import Normaliser, expression_list

if TYPE_CHECKING:
    from .problem import Problem

Array = np.ndarray

_RELATIVE = 1e-9


def read_generators(generators: Any, unknowns: Sequence[sp.Symbol], normalise: Normaliser) -> Array:
    """Return generators as one array of shape (k, n, n + 1).

    Parameters
    ----------
    generators : iterable
        Each an array (n, n) or (n, n + 1), a mapping from unknown to component, or the n
        components of a vector field affine in the unknowns.
    unknowns : sequence of Symbol
        The n unknowns.
    normalise : Normaliser
        Brings components to canonical form.
    """
    n = len(unknowns)
    if isinstance(generators, (str, bytes)) or not isinstance(generators, Iterable):
        raise SpecificationError(
            "generators", generators, "needs a list of generators.", "Give arrays or vector fields."
        )
    found = [_read_one(generator, unknowns, normalise) for generator in generators]
    return np.array(found, dtype=float).reshape(len(found), n, n + 1)


def _read_one(generator: Any, unknowns: Sequence[sp.Symbol], normalise: Normaliser) -> Array:
    n = len(unknowns)
    array = _as_floats(generator)
    if array is not None and array.ndim == 2:
        if array.shape not in {(n, n), (n, n + 1), (n, 1)}:
            raise SpecificationError(
                "generators", array.shape, f"needs shape ({n}, {n}) or ({n}, {n + 1}).", "Reshape."
            )
        if not np.all(np.isfinite(array)):
            raise SpecificationError("generators", array, "must be finite.", "Give real numbers.")
        full = np.zeros((n, n + 1))
        if array.shape == (n, 1) and n > 1:
            full[:, n:] = array
        else:
            full[:, : array.shape[1]] = array
        return full
    return _from_field(_components(generator, unknowns), unknowns, normalise)


def _as_floats(generator: Any) -> Array | None:
    if isinstance(generator, Mapping):
        return None
    if isinstance(generator, sp.MatrixBase):
        if generator.free_symbols:
            return None
        generator = generator.tolist()
    try:
        return np.array(generator, dtype=float)
    except (TypeError, ValueError):
        return None


def _components(generator: Any, unknowns: Sequence[sp.Symbol]) -> list[sp.Expr]:
    n = len(unknowns)
    if isinstance(generator, Mapping):
        names = [symbol.name for symbol in unknowns]
        by_name = {getattr(key, "name", key): value for key, value in generator.items()}
        unknown = [name for name in by_name if name not in names]
        if unknown:
            raise SpecificationError(
                "generators", unknown, "names symbols that are not unknowns.", f"Use {names}."
            )
        generator = [by_name.get(name, 0) for name in names]
    components = expression_list(generator, "generators")
    if len(components) != n:
        raise SpecificationError(
            "generators", len(components), f"a vector field needs {n} components.", "Give them all."
        )
    return components


def _from_field(
    components: Sequence[sp.Expr], unknowns: Sequence[sp.Symbol], normalise: Normaliser
) -> Array:
    n = len(unknowns)
    full = np.zeros((n, n + 1))
    place = {symbol: index for index, symbol in enumerate(unknowns)}
    origin = dict.fromkeys(unknowns, 0)
    for row, component in enumerate(components):
        expression = sp.expand(normalise(component, "generators"))
        for symbol in expression.free_symbols & place.keys():
            slope = sp.expand(expression.diff(symbol))
            full[row, place[symbol]] = _number(slope, component)
        full[row, n] = _number(expression.subs(origin), component)
    return full


def _number(value: sp.Expr, component: sp.Expr) -> float:
    if value.free_symbols or not value.is_number:
        raise SpecificationError(
            "generators",
            component,
            "must be affine in the unknowns, with constant coefficients.",
            "Give S x + c with numbers S and c.",
        )
    return float(value)


def check_generators(problem: Problem) -> None:
    """Check at random points that the generators are symmetries of the problem.

    A potential needs grad L . g = 0. Otherwise DF(x) g(x) = S F(x); for kind "equation", where the
    equations may be recombined freely, some constant matrix in place of S.

    Raises
    ------
    SpecificationError
        If a generator is not a symmetry, or no point can be found to check at.
    """
    generators = problem.generators
    if generators.shape[0] == 0:
        return
    n = problem.size
    need = n + 3 if problem.kind == "equation" else 3
    samples = problem.sample(need)
    if len(samples) < need:
        raise SpecificationError(
            "generators",
            problem.domain,
            "could not be checked: the equations are not finite at the random points tried.",
            "State `domain`: intervals in which they are.",
        )
    points = [x for x, _ in samples]
    residuals = np.array([problem.evaluate(x, values) for x, values in samples])
    jacobians = [problem.jacobian(x, values, sparse=True) for x, values in samples]
    for number, generator in enumerate(generators):
        linear, constant = generator[:, :n], generator[:, n]
        fields = np.array([linear @ x + constant for x in points])
        if problem.kind == "potential":
            defect = np.abs(np.sum(residuals * fields, axis=1))
            scale = np.sum(np.abs(residuals * fields), axis=1)
        else:
            moved = np.array([J @ g for J, g in zip(jacobians, fields, strict=True)])
            matrix = linear
            if problem.kind == "equation":
                matrix = np.linalg.lstsq(residuals, moved, rcond=1e-12)[0].T
            defect = np.max(np.abs(moved - residuals @ matrix.T), axis=1)
            scale = np.array(
                [np.max(abs(J) @ np.abs(g)) for J, g in zip(jacobians, fields, strict=True)]
            ) + np.max(np.abs(residuals) @ np.abs(matrix.T), axis=1)
        if np.any(defect > _RELATIVE * scale):
            worst = int(np.argmax(defect / np.maximum(scale, np.finfo(float).tiny)))
            raise SpecificationError(
                "generators",
                f"generator {number}, defect {defect[worst]:.3g} at a random point",
                "is not a symmetry of the problem.",
                "For a potential L, grad L . g must vanish; else DF(x) g(x) = S F(x).",
            )
