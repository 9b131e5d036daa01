"""A problem written once in sympy: equations, unknowns, parameters and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import sympy as sp

from ..criticality.record import Criticality
from ..errors import SpecificationError
from .derivatives import gradient
from .description import PIECEWISE_TYPE, describe_problem, problem_arguments
from .evaluation import Evaluation, Observable
from .generators import check_generators, read_generators
from .layout import Layout, read_domain
from .normalise import Normaliser, as_expression, expression_list, plain_symbols

Array = np.ndarray

KINDS = ("flow", "map", "equation", "potential")
"""What the equations may mean."""


class Problem(Evaluation):
    """Smooth equations F(x, parameters) = 0 in as many unknowns, written in sympy.

    Parameters
    ----------
    residual : sequence of Expr
        The n expressions F; nested lists and matrices are read row-major.
    unknowns : sequence of Symbol, or mapping of str to Symbol, Matrix or nested list
        The n unknowns. A mapping names blocks.
    parameters : sequence of Symbol
        Everything else the equations depend on.
    kind : {"flow", "map", "equation"}, optional
        "flow" (default): F is the right-hand side of x' = F. "map": x goes to F(x), and the
        equations are F(x) - x = 0. "equation": no dynamics. See `from_potential` for potentials.
    generators : iterable, optional
        Continuous symmetries g(x) = S x + c: arrays (n, n) or (n, n + 1) holding [S | c], or vector
        fields as lists of expressions affine in the unknowns. They are checked at random points.
    blocks : mapping of str to tuple of int, optional
        Names and shapes that regroup the unknowns, in order and row-major. Default: one scalar
        block for each unknown, or those of the mapping `unknowns`.
    observables : mapping of str to Expr or callable, optional
        Numbers to record at each point. A callable takes ``(x, values)``; it is not part of
        `describe`.
    name : str, optional
        What to call the problem in results.
    domain : mapping of str to (low, high), optional
        Intervals of unknowns and parameters to draw test points from, for equations that are not
        defined everywhere (checks of generators and of symmetry need some points).

    Attributes
    ----------
    residual : tuple of Expr
        F as given, in plain symbols.
    equations : tuple of Expr
        What is solved: F, or F - x for a map.
    unknowns, parameters : tuple of Symbol
        Plain symbols: assumptions are dropped, names decide identity.
    unknown_names, parameter_names : tuple of str
        Their names.
    size : int
        Number n of unknowns.
    blocks : dict of str to tuple of int
        Block shapes, in order.
    generators : ndarray, shape (k, n, n + 1)
        The symmetry generators.
    observables : dict of str to callable
        Each takes ``(x, values)``.
    provenance : dict
        Notes, such as "backend": what compiled the problem.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule; the message says which, and what to do instead.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic import Problem
    >>> x, p = sp.symbols("x p")
    >>> problem = Problem([p * x - x**3], [x], [p])
    >>> problem.evaluate([2.0], {"p": 1.0}).tolist()
    [-6.0]
    """

    _needs_unknowns = True

    def __init__(
        self,
        residual: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        kind: str = "flow",
        generators: Iterable[Any] = (),
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
    ) -> None:
        if kind == "potential":
            raise SpecificationError(
                "kind",
                kind,
                "is for problems that come from a potential.",
                "Call Problem.from_potential(L, unknowns, parameters).",
            )
        self._declare(unknowns, parameters, kind=kind, blocks=blocks, name=name, domain=domain)
        normalise = Normaliser(self._symbols)
        rows = expression_list(residual, "residual")
        if len(rows) != self.size:
            raise SpecificationError(
                "residual",
                f"{len(rows)} equations for {self.size} unknowns",
                "needs as many equations as unknowns.",
                "Add equations, or move unknowns to the parameters.",
            )
        self._residual = tuple(normalise(row, "residual") for row in rows)
        self._potential: sp.Expr | None = None
        self._finish(normalise, generators, observables)

    @classmethod
    def from_potential(
        cls,
        potential: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        generators: Iterable[Any] = (),
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
    ) -> Self:
        """Return the problem of a potential's critical points: F = +grad L.

        Parameters
        ----------
        potential : Expr
            The potential L.
        unknowns, parameters, generators, blocks, observables, name, domain
            As for `Problem`.

        Returns
        -------
        Problem
            Of kind "potential", with an observable of that name.

        Raises
        ------
        SpecificationError
            As for `Problem`.

        Examples
        --------
        >>> import sympy as sp
        >>> from contcrit.symbolic import Problem
        >>> x, p = sp.symbols("x p")
        >>> Problem.from_potential(x**4 / 4 - p * x**2 / 2, [x], [p]).residual
        (-p*x + x**3,)
        """
        self = cls.__new__(cls)
        self._declare(
            unknowns, parameters, kind="potential", blocks=blocks, name=name, domain=domain
        )
        normalise = Normaliser(self._symbols)
        expression = normalise(as_expression(potential, "potential"), "potential")
        slopes = gradient(expression, self._unknowns)
        self._residual = tuple(normalise(slope, "potential") for slope in slopes)
        self._potential = expression
        self._finish(normalise, generators, observables)
        return self

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Problem:
        """Rebuild a problem from what `describe` returned.

        Expressions with markers make a `PiecewiseProblem`.

        Raises
        ------
        SpecificationError
            If the description is malformed; its text is parsed, never evaluated.
        """
        from .piecewise import PiecewiseProblem, has_markers

        expressions, arguments = problem_arguments(description)
        kind = arguments.pop("kind")
        rows = [expressions] if kind == "potential" else expressions
        piecewise = description.get("type") == PIECEWISE_TYPE or has_markers(rows)
        target = PiecewiseProblem if piecewise else Problem
        if kind == "potential":
            return target.from_potential(expressions, **arguments)
        return target(expressions, kind=kind, **arguments)

    def _declare(
        self,
        unknowns: Any,
        parameters: Any,
        *,
        kind: str,
        blocks: Mapping[str, Any] | None,
        name: str | None,
        domain: Mapping[Any, tuple[float, float]] | None,
    ) -> None:
        if kind not in KINDS:
            raise SpecificationError(
                "kind", kind, f"must be one of {', '.join(KINDS)}.", "'flow' is the default."
            )
        if name is not None and not isinstance(name, str):
            raise SpecificationError("name", name, "must be text.", "Give a short name.")
        symbols, self._layout = Layout.read(unknowns, blocks)
        if isinstance(parameters, sp.Symbol):
            parameters = [parameters]
        if isinstance(parameters, (str, bytes)) or not isinstance(parameters, Iterable):
            raise SpecificationError(
                "parameters", parameters, "needs a list of symbols.", "Give sympy symbols."
            )
        self._unknowns, self._parameters = plain_symbols(symbols, list(parameters))
        self._symbols = {s.name: s for s in (*self._unknowns, *self._parameters)}
        self.unknown_names = tuple(symbol.name for symbol in self._unknowns)
        self.parameter_names = tuple(symbol.name for symbol in self._parameters)
        self.kind = kind
        self.name = name
        self.size = len(self._unknowns)
        self.domain = read_domain(domain, self._symbols)
        self._clear()

    def _finish(self, normalise: Normaliser, generators: Iterable[Any], observables: Any) -> None:
        held = set().union(*(row.free_symbols for row in self._residual))
        if self._needs_unknowns and not held & set(self._unknowns):
            raise SpecificationError(
                "residual",
                self._residual[:3],
                "does not depend on any unknown.",
                "Check that the unknowns' names match the expressions.",
            )
        loose = Normaliser(self._symbols, smooth=False)
        self._observables = {}
        for key, value in (observables or {}).items():
            if not isinstance(key, str) or key in self._symbols or key == "potential":
                raise SpecificationError(
                    "observables",
                    key,
                    "needs names other than those of unknowns, parameters and `potential`.",
                    "Rename it.",
                )
            plain = callable(value) and not isinstance(value, sp.Basic)
            self._observables[key] = (
                value if plain else loose(as_expression(value, "observables"), "observables")
            )
        self._generators = read_generators(generators, self._unknowns, normalise)
        self._generators.setflags(write=False)
        self._frozen = True
        check_generators(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_frozen") and not name.startswith("_"):
            raise SpecificationError(
                name, value, "cannot be changed: a problem is immutable.", "Build a new Problem."
            )
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        # Compiled functions do not pickle; they are compiled anew where they are needed.
        compiled = {
            "_shapes",
            "_potential_kernel",
            "_observer",
            "provenance",
            "observables",
            "_frozen",
        }
        return {key: value for key, value in self.__dict__.items() if key not in compiled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._generators.setflags(write=False)
        self._clear()
        self._frozen = True

    def _key(self) -> tuple[Any, ...]:
        return (
            type(self),
            self.kind,
            self.name,
            self._unknowns,
            self._parameters,
            self._residual,
            self._potential,
            tuple(self.blocks.items()),
            self._generators.tobytes(),
            tuple(self._observables.items()),
            tuple(self.domain.items()),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and (self is other or self._key() == other._key())

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        return (
            f"{type(self).__name__}({label}{self.kind}, {self.size} unknowns, "
            f"parameters {', '.join(self.parameter_names) or 'none'})"
        )

    @property
    def observable_expressions(self) -> dict[str, Any]:
        """The observables as expressions (or the callables given)."""
        return dict(self._observables)

    @cached_property
    def observables(self) -> dict[str, Callable[[Any, Mapping[Any, float]], float]]:
        """Functions of ``(x, values)`` to record at each point."""
        found: dict[str, Callable[[Any, Mapping[Any, float]], float]] = {
            key: Observable(self, value) if isinstance(value, sp.Basic) else value
            for key, value in self._observables.items()
        }
        if self.kind == "potential":
            found["potential"] = self.potential
        return found

    def classify(self, x: Any, values: Mapping[Any, float]) -> Criticality | None:
        """Return a verdict of the problem's own; None here: the Hessian decides."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return a description of plain values from which `from_description` rebuilds."""
        return describe_problem(self)
