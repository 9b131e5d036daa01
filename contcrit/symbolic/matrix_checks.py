"""Checks of what a matrix problem states: symbols, sizes, symmetries and the potential."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from ..errors import SpecificationError
from .matrix import directional_derivative
from .matrix_compile import MatrixProgram

if TYPE_CHECKING:
    from .matrix_problem import MatrixProblem

Array = np.ndarray
_TOLERANCE = 1e-8
_SEED = 20260
_TRIALS = 12
_WANTED = 3


def check_symbols(residual: Any, unknown: Any, parameters: Sequence[Any]) -> None:
    """Refuse what is not a matrix equation in one matrix symbol and scalar parameters."""
    if not isinstance(unknown, MatrixSymbol):
        raise SpecificationError(
            "unknown", unknown, "must be a sympy.MatrixSymbol.", "Give MatrixSymbol('C', d, d)."
        )
    if not getattr(residual, "is_Matrix", False):
        raise SpecificationError(
            "residual",
            residual,
            "must be a matrix expression.",
            "Use Problem for scalar equations.",
        )
    for symbol in parameters:
        if not isinstance(symbol, sp.Symbol):
            raise SpecificationError(
                "parameters", symbol, "must hold sympy symbols.", "Give sympy.Symbol('lam')."
            )
    names = [symbol.name for symbol in parameters]
    if not names:
        raise SpecificationError(
            "parameters", parameters, "must hold at least one symbol.", "Give the parameter."
        )
    if len({*names, unknown.name}) != len(names) + 1:
        raise SpecificationError(
            "parameters", names, "names must differ, from the unknown's too.", "Rename one."
        )


def numeric_constants(
    constants: Mapping[Any, Any], unknown: MatrixSymbol, parameters: Sequence[sp.Symbol]
) -> dict[Any, Any]:
    """Return the constants as floats and two-dimensional float arrays."""
    result: dict[Any, Any] = {}
    for symbol, given in constants.items():
        if not isinstance(symbol, (sp.Symbol, MatrixSymbol)):
            raise SpecificationError(
                "constants", symbol, "keys must be symbols.", "Use the symbols of the residual."
            )
        if symbol == unknown or symbol in parameters:
            raise SpecificationError(
                "constants",
                symbol.name,
                "is the unknown or a parameter.",
                "Give values of parameters when tracing.",
            )
        try:
            value = np.array(given, dtype=float)
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                symbol.name, given, "must hold real numbers.", "Give numbers or an array."
            ) from error
        if not np.isfinite(value).all():
            raise SpecificationError(
                symbol.name, given, "must be finite.", "Replace NaN and infinity."
            )
        dimension = 2 if isinstance(symbol, MatrixSymbol) else 0
        if value.ndim != dimension:
            raise SpecificationError(
                symbol.name,
                value.shape,
                "must be a two-dimensional array." if dimension else "must be a number.",
                "Matrix symbols take arrays, symbols take numbers.",
            )
        result[symbol] = value if dimension else float(value)
    return result


def resolve_dimensions(
    residual: Any, unknown: MatrixSymbol, constants: Mapping[Any, Any], argument: str = "residual"
) -> dict[Any, int]:
    """Return the value of every symbolic size, and check all shapes against it."""
    sizes: dict[Any, int] = {}
    for symbol, value in constants.items():
        if not isinstance(symbol, MatrixSymbol):
            continue
        for size, length in zip(symbol.shape, value.shape, strict=True):
            known = sizes.setdefault(size, length) if isinstance(size, sp.Symbol) else int(size)
            if known != length:
                raise SpecificationError(
                    symbol.name,
                    value.shape,
                    f"its size {size} must be {known}.",
                    f"The symbol is declared with shape {symbol.shape}.",
                )
    for size in unknown.shape:
        if size not in sizes and not size.is_Integer:
            raise SpecificationError(
                "unknown",
                unknown.shape,
                f"the size {size} is fixed by no constant.",
                "Give a constant of that size, or declare the unknown with a whole size.",
            )
    expected = tuple(int(sizes.get(size, size)) for size in unknown.shape)
    shape = getattr(residual, "shape", None)
    observed = None if shape is None else tuple(sizes.get(size, size) for size in shape)
    if observed is None or tuple(observed) != expected:
        raise SpecificationError(
            argument, observed, f"must have the unknown's shape {expected}.", "Check the products."
        )
    if min(expected) < 1:
        raise SpecificationError("unknown", expected, "must not be empty.", "Give a size >= 1.")
    return sizes


def check_operations(problem: MatrixProblem) -> None:
    """Compile what the problem states now, so that misuse shows at construction."""
    problem.program("jacobian")
    for symbol in problem.parameters:
        problem.program("slope", symbol)
    if problem.unfolding_expressions is not None:
        for expression in problem.unfolding_expressions:
            resolve_dimensions(expression, problem.unknown, problem.constants, "unfolding")
        problem.program("unfolding")
    for name, what in problem.observable_expressions.items():
        if callable(what):
            continue
        if getattr(sp.sympify(what), "is_Matrix", False):
            raise SpecificationError(
                "observables", name, "must be scalar.", "Take a trace or an entry."
            )
        problem.program(f"observable {name}")


def random_points(problem: MatrixProblem) -> Iterator[tuple[Array, dict[str, float]]]:
    """Yield seeded random points where the residual is finite, at most a few."""
    generator = np.random.default_rng(_SEED)
    found = 0
    for _ in range(_TRIALS):
        x = 0.7 * generator.standard_normal(problem.size)
        values = dict(
            zip(
                problem.parameter_names,
                generator.uniform(0.3, 1.5, len(problem.parameters)).tolist(),
                strict=True,
            )
        )
        with np.errstate(all="ignore"):
            if not np.isfinite(problem.evaluate(x, values)).all():
                continue
        yield x, values
        found += 1
        if found == _WANTED:
            return
    if not found:
        raise SpecificationError(
            "residual",
            problem.name,
            f"is not finite at any of {_TRIALS} random points, so that claims cannot be checked.",
            "Check the constants and the domain of inverses.",
        )


def generator_arrays(problem: MatrixProblem, generators: Sequence[Any]) -> Array:
    """Return the generators as [S | c], shape (k, n, n + 1)."""
    n = problem.size
    rows = [_generator_array(problem, generator) for generator in generators]
    return np.array(rows, dtype=float).reshape(len(rows), n, n + 1)


def _generator_array(problem: MatrixProblem, given: Any) -> Array:
    n = problem.size
    if isinstance(given, sp.MatrixExpr):
        resolve_dimensions(given, problem.unknown, problem.constants, "generators")
        if not given.free_symbols.isdisjoint(problem.parameters):
            raise SpecificationError(
                "generators", given, "must not depend on parameters.", "Use constants only."
            )
        direction = problem.direction
        slope = directional_derivative(given, problem.unknown, direction)
        if problem.unknown in slope.free_symbols:
            raise SpecificationError(
                "generators", given, "must be affine in the unknown.", "Such as S*C - C*S."
            )
        program = MatrixProgram(
            [given, slope],
            [problem.unknown, direction],
            problem.constants,
            problem.dimensions,
            [direction],
        )
        basis = np.eye(n).reshape(n, *problem.shape)
        shift, stack = program(np.zeros(problem.shape), basis)
        return np.column_stack([problem.columns(stack), np.reshape(shift, n)])
    array = np.array(given, dtype=float)
    if array.shape == (n, n):
        array = np.column_stack([array, np.zeros(n)])
    if array.shape != (n, n + 1) or not np.isfinite(array).all():
        raise SpecificationError(
            "generators",
            array.shape,
            f"must be matrix expressions or finite arrays of shape ({n}, {n + 1}).",
            "Write C -> Q C Q.T as S*C - C*S with S skew.",
        )
    return array


def check_generators(problem: MatrixProblem) -> None:
    """Refuse a generator under which the equations are not equivariant.

    For g(x) = S x + c the derivative of F along g must be S F (the equations move as the unknown
    does), or -S.T F (they move as a gradient does).
    """
    if not len(problem.generators):
        return
    for x, values in random_points(problem):
        residual, jacobian = problem.evaluate(x, values), problem.jacobian(x, values)
        for k, generator in enumerate(problem.generators):
            linear = generator[:, :-1]
            if not np.any(generator):
                raise SpecificationError("generators", k, "is zero.", "Leave it out.")
            step = linear @ x + generator[:, -1]
            moved = jacobian @ step
            scale = np.abs(jacobian) @ np.abs(step) + np.abs(linear) @ np.abs(residual)
            allowed = _TOLERANCE * max(float(scale.max()), 1e-300)
            misfit = min(
                float(np.abs(moved - linear @ residual).max()),
                float(np.abs(moved + linear.T @ residual).max()),
            )
            if misfit > allowed:
                raise SpecificationError(
                    "generators",
                    f"generator {k} misses by {misfit:.2e}",
                    "must be a symmetry of the equations for all values of the parameters.",
                    "Check that the constants commute with it, or leave it out.",
                )


def check_symmetric(problem: MatrixProblem) -> None:
    """Refuse a Jacobian that is called symmetric and is not."""
    if not problem.symmetric:
        return
    for x, values in random_points(problem):
        jacobian = problem.jacobian(x, values)
        gap = float(np.abs(jacobian - jacobian.T).max())
        if gap > _TOLERANCE * float(np.abs(jacobian).max()):
            raise SpecificationError(
                "symmetric",
                f"the Jacobian differs from its transpose by {gap:.2e}",
                "must hold everywhere; a gradient has a symmetric Jacobian.",
                "Leave `symmetric` out, or use kind='equation'.",
            )


def check_potential(problem: MatrixProblem) -> None:
    """Refuse a potential whose gradient is not the residual."""
    if problem.potential_expression is None:
        return
    if getattr(problem.potential_expression, "is_Matrix", False):
        raise SpecificationError("potential", "a matrix", "must be scalar.", "Take a trace.")
    basis = np.eye(problem.size).reshape(problem.size, *problem.shape)
    for x, values in random_points(problem):
        numbers = problem.parameter_values(values)
        stack = problem.program("gradient")(x.reshape(problem.shape), *numbers, basis)[0]
        gradient = np.broadcast_to(np.ravel(stack), problem.size)
        residual = problem.evaluate(x, values)
        gap = float(np.abs(gradient - residual).max())
        if gap > _TOLERANCE * float(np.abs(residual).max() + np.abs(gradient).max()):
            raise SpecificationError(
                "potential",
                f"its gradient misses the residual by {gap:.2e}",
                "its gradient must be the residual.",
                "Check signs and factors; F = +grad L.",
            )


def json_able(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return an origin as plain JSON data, or refuse it."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Mapping):
            return {str(key): plain(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(entry) for entry in value]
        return value

    try:
        return json.loads(json.dumps(plain(origin), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "origin", origin, "must be JSON-able.", "Use text, numbers, lists and dictionaries."
        ) from error
