"""A problem whose unknown is a matrix, written once in matrix expressions for every size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from ..criticality.record import Criticality
from ..errors import SpecificationError
from .exponential_small import LARGEST_SIZE, unit_directions
from .layout import Layout
from .machine_code import is_loaded
from .matrix_checks import (
    check_generators,
    check_operations,
    check_potential,
    check_symbols,
    check_symmetric,
    generator_arrays,
    json_able,
    numeric_constants,
    resolve_dimensions,
)
from .matrix_compile import MatrixProgram
from .matrix_evaluation import MatrixEvaluation, name_of
from .matrix_machine import MachineKernel
from .matrix_native import MatrixKernel
from .matrix_observe import MatrixObserver
from .matrix_system import MatrixSystem
from .matrix_two_sided import TwoSided

Array = np.ndarray
KINDS = ("flow", "map", "equation", "potential")

MATRIX_FREE_SIZE = 2048
"""Unknowns from which systems are matrix-free unless the problem says otherwise (measured)."""


class MatrixProblem(MatrixEvaluation):
    """Equations between matrices, with their derivatives.

    Parameters
    ----------
    residual : sympy.MatrixExpr
        Zero at solutions; of the unknown's shape. For `kind` "map" it is the map F, and the
        equations are F(X) - X = 0.
    unknown : sympy.MatrixSymbol
        The unknown. A symbolic size is fixed by the shapes of the constants.
    parameters : sequence of sympy.Symbol
        Scalars that may be continued.
    constants : mapping, optional
        Matrix symbols and symbols of fixed value -> arrays and numbers.
    kind : {"flow", "map", "equation", "potential"}
        What the equations mean (default "equation").
    generators : sequence, optional
        Continuous symmetries: matrix expressions affine in the unknown, such as ``S*C - C*S``, or
        arrays (n, n + 1). Checked at seeded random points.
    unfolding : sequence of sympy.MatrixExpr, optional
        One for each generator: a left null direction of the Jacobian at solutions.
    observables : mapping, optional
        Name -> scalar expression, or callable ``(x, values) -> float``.
    classifier : callable, optional
        ``(x, values) -> Criticality``: a second-order analysis of the problem's own.
    potential : sympy.Expr, optional
        Scalar whose gradient is the residual; checked at seeded random points.
    symmetric : bool
        Whether the Jacobian is symmetric everywhere (default False; always for potentials).
    name : str, optional
        Name shown in results (default: the unknown's name).
    origin : mapping, optional
        JSON-able ``{"model": name, "constants": {...}}`` from which the problem can be rebuilt.
    matrix_free : bool, optional
        Whether systems give the Jacobian by its products only, which has no determinant; may be
        set later. Default: from `MATRIX_FREE_SIZE` unknowns on.

    Raises
    ------
    SpecificationError
        If shapes do not fit, values are not finite, symbols have no value, or a stated symmetry
        does not hold.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.matrix import Exp
    >>> d = sp.Symbol("d", integer=True, positive=True)
    >>> C, A = sp.MatrixSymbol("C", d, d), sp.MatrixSymbol("A", d, d)
    >>> p = sp.Symbol("p")
    >>> problem = MatrixProblem(p * C - A * Exp(C), C, [p], {A: [[1.0, 0.5], [0.0, 2.0]]})
    >>> problem.size, problem.unknown_names
    (4, ('C[0,0]', 'C[0,1]', 'C[1,0]', 'C[1,1]'))
    """

    def __init__(
        self,
        residual: Any,
        unknown: MatrixSymbol,
        parameters: Sequence[sp.Symbol],
        constants: Mapping[Any, Any] | None = None,
        *,
        kind: str = "equation",
        generators: Sequence[Any] = (),
        unfolding: Sequence[Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        classifier: Callable[[Array, Mapping[str, float]], Criticality] | None = None,
        potential: Any = None,
        symmetric: bool = False,
        name: str | None = None,
        origin: Mapping[str, Any] | None = None,
        matrix_free: bool | None = None,
    ) -> None:
        if kind not in KINDS:
            raise SpecificationError("kind", kind, f"must be one of {KINDS}.", "See the docs.")
        residual = sp.sympify(residual)
        parameters = tuple(parameters)
        check_symbols(residual, unknown, parameters)
        self.constants = numeric_constants(constants or {}, unknown, parameters)
        self.dimensions = resolve_dimensions(residual, unknown, self.constants)
        self.expression = residual - unknown if kind == "map" else residual
        self.unknown, self.parameters = unknown, parameters
        self.kind, self.symmetric = kind, bool(symmetric) or kind == "potential"
        self.name = unknown.name if name is None else str(name)
        self.origin = None if origin is None else json_able(origin)
        self.shape: tuple[int, int] = tuple(  # type: ignore[assignment]
            int(self.dimensions.get(size, size)) for size in unknown.shape
        )
        rows, columns = self.shape
        self.size = rows * columns
        self.unknown_names = tuple(
            f"{unknown.name}[{i},{j}]" for i in range(rows) for j in range(columns)
        )
        self.parameter_names = tuple(symbol.name for symbol in parameters)
        self.blocks: dict[str, tuple[int, ...]] = {unknown.name: self.shape}
        self.direction = MatrixSymbol(f"{unknown.name}__direction", *unknown.shape)
        self.along = MatrixSymbol(f"{unknown.name}__along", *unknown.shape)
        self.unit = TwoSided.identity(rows, columns)
        # Small exponentials want the directions themselves.
        self.basis: TwoSided | Array = self.unit
        if max(self.shape) <= LARGEST_SIZE:
            self.basis = unit_directions(rows) if rows == columns else self.unit.array()
        self._programs: dict[Any, MatrixProgram] = {}
        self._systems: dict[Any, MatrixSystem] = {}
        self._kernels: dict[str, MatrixKernel | MachineKernel | None] = {}
        self._observer: MatrixObserver | None = None
        self.potential_expression = None if potential is None else sp.sympify(potential)
        self.unfolding_expressions = (
            None if unfolding is None else tuple(map(sp.sympify, unfolding))
        )
        self._classifier = classifier
        self.matrix_free = matrix_free
        self.observable_expressions = dict(observables or {})
        check_operations(self)
        self.generators = generator_arrays(self, generators)
        check_generators(self)
        check_symmetric(self)
        check_potential(self)
        if self.unfolding_expressions is not None and len(self.unfolding_expressions) != len(
            self.generators
        ):
            raise SpecificationError(
                "unfolding",
                len(self.unfolding_expressions),
                f"needs one expression for each of the {len(self.generators)} generators.",
                "Leave it out to let the generators themselves unfold.",
            )

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"MatrixProblem({self.name!r}: {rows} x {columns} unknowns {self.unknown.name}, "
            f"parameters {', '.join(self.parameter_names)}, kind {self.kind!r})"
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """How the equations are evaluated."""
        kernels = self._kernels.values()
        backend = "numpy"
        if any(isinstance(kernel, MatrixKernel) for kernel in kernels):
            backend = "symengine-llvm"
        elif is_loaded() and any(isinstance(kernel, MachineKernel) for kernel in kernels):
            backend = "numba"
        return {
            "backend": backend,
            "matrix_free": self.is_matrix_free,
            "operations": {key: program.length for key, program in self._programs.items()},
        }

    @property
    def is_matrix_free(self) -> bool:
        """Whether systems give the Jacobian by its products only."""
        if self.matrix_free is None:
            return self.size >= MATRIX_FREE_SIZE
        return bool(self.matrix_free)

    def pack(self, **blocks: Any) -> Array:
        """Return x, shape (n,), from the unknown matrix given by name.

        Raises
        ------
        SpecificationError
            If the name or the shape is wrong, or a value is not finite.
        """
        if set(blocks) != {self.unknown.name}:
            raise SpecificationError(
                "blocks", sorted(blocks), f"needs exactly `{self.unknown.name}`.", "Give it."
            )
        try:
            value = np.array(blocks[self.unknown.name], dtype=float)
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                self.unknown.name, blocks[self.unknown.name], "must hold numbers.", "Give an array."
            ) from error
        if value.shape != self.shape:
            raise SpecificationError(
                self.unknown.name, value.shape, f"must have shape {self.shape}.", "Reshape it."
            )
        if not np.isfinite(value).all():
            raise SpecificationError(
                self.unknown.name, value, "must be finite.", "Replace NaN and infinity."
            )
        return value.ravel()

    def unpack(self, x: Array) -> dict[str, Array]:
        """Return the unknown matrix by name."""
        return {self.unknown.name: self._matrix(x)}

    def point(self, start: Any) -> Array:
        """Return x, shape (n,), from an array or a mapping of name or block to value."""
        layout = Layout(((self.unknown.name, self.shape),))
        return layout.point(start, self.unknown_names)

    def classify(self, x: Array, values: Mapping[Any, float]) -> Criticality | None:
        """Return the verdict of the problem's own classifier, or None where it has none."""
        if self._classifier is None:
            return None
        named = dict(zip(self.parameter_names, self.parameter_values(values), strict=True))
        return self._classifier(np.asarray(x, dtype=float), named)

    def compile(self, parameter: Any, values: Mapping[Any, float] | None = None) -> MatrixSystem:
        """Return the system with one free parameter, the others fixed.

        Parameters
        ----------
        parameter : str or sympy.Symbol
            The continuation parameter.
        values : mapping
            Values of all other parameters; one for the free parameter is ignored.

        Raises
        ------
        SpecificationError
            If a value is missing, unknown or not finite.
        """
        symbol = self.parameter_symbol(parameter, "parameter")
        given = {name_of(key): value for key, value in (values or {}).items()}
        numbers = self.parameter_values({**given, symbol.name: 0.0})
        key = (symbol.name, numbers, self.is_matrix_free)
        if key not in self._systems:
            self._systems[key] = MatrixSystem(self, symbol, numbers)
        return self._systems[key]

    def describe(self) -> dict[str, Any]:
        """Return a JSON-able description from which the problem can be rebuilt.

        Raises
        ------
        SpecificationError
            If the problem was built without `origin`.
        """
        if self.origin is None:
            raise SpecificationError(
                "origin",
                None,
                "a matrix problem is described by the model that built it.",
                "Give origin={'model': name, 'constants': {...}}, or build it from a model.",
            )
        return json.loads(json.dumps(self.origin))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_programs": {}, "_systems": {}, "_kernels": {}, "_observer": None}
