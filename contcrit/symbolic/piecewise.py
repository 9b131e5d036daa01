"""A nonsmooth problem written once: equations or a potential with kinks written as markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import sympy as sp

from ..errors import SpecificationError
from .flat import FlatFunctions
from .kernel import Kernel
from .markers import is_marker, with_markers, without_markers
from .normalise import Normaliser, as_expression, expression_list, is_kink
from .piecewise_evaluation import PiecewiseEvaluation
from .piecewise_lowering import Lowering, affine_in_jumps
from .problem import Problem

Array = np.ndarray


class _Smooth(Problem):
    """Smooth pieces, on some of which F may be constant in the unknowns."""

    _needs_unknowns = False


class PiecewiseProblem(PiecewiseEvaluation):
    """Piecewise smooth equations F(x, parameters) = 0, their kinks written as markers.

    Parameters
    ----------
    residual : sequence of Expr
        The n expressions F. Kinks and jumps are written with ``relu``, ``leaky_relu``,
        ``absolute``, ``maximum``, ``minimum``, ``step`` and ``sign``, which may be nested; sympy's
        Abs, Max, Min, sign and Heaviside are taken for them.
    unknowns, parameters, kind, blocks, observables, name, domain
        As for `contcrit.Problem`.
    generators : iterable, optional
        Must be empty: continuous symmetries are not taken.

    Attributes
    ----------
    switches : tuple of Expr
        The m switching functions g; those inside others come first, and refer to their positions.
    position_names : tuple of str
        Names of the positions s.
    smooth : Problem
        The equations with positions as parameters: one smooth piece for each choice of 0 and 1.
    core : Problem
        F and g in the unknowns x and s.

    Raises
    ------
    SpecificationError
        If an argument breaks a rule.

    Notes
    -----
    Derivatives are those of the piece on whose side a point lies. Points on a kink get positions
    that make F as small as it can be there, so that F vanishes at Clarke critical points and at
    pseudo-equilibria of Filippov systems. Continuous symmetries are not taken.

    References
    ----------
    A. F. Filippov, Differential Equations with Discontinuous Righthand Sides, 1988, section 4.
    F. H. Clarke, Optimization and Nonsmooth Analysis, 1983, section 2.3.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.markers import relu
    >>> from contcrit.symbolic.piecewise import PiecewiseProblem
    >>> x, p = sp.symbols("x p")
    >>> problem = PiecewiseProblem([relu(x) - p], [x], [p])
    >>> problem.evaluate([2.0], {"p": 1.0}).tolist(), problem.signature([-1.0], {"p": 1.0}).tolist()
    ([1.0], [-1])
    """

    _needs_unknowns = False  # checked before lowering

    def __init__(
        self,
        residual: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        kind: str = "flow",
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
        generators: Iterable[Any] = (),
    ) -> None:
        _refuse_generators(generators)
        if kind == "potential":
            raise SpecificationError(
                "kind",
                kind,
                "is for problems that come from a potential.",
                "Call PiecewiseProblem.from_potential(L, unknowns, parameters).",
            )
        self._declare(unknowns, parameters, kind=kind, blocks=blocks, name=name, domain=domain)
        rows = expression_list(residual, "residual")
        if len(rows) != self.size:
            raise SpecificationError(
                "residual",
                f"{len(rows)} equations for {self.size} unknowns",
                "needs as many equations as unknowns.",
                "Add equations, or move unknowns to the parameters.",
            )
        loose = Normaliser(self._symbols, smooth=False)
        self._residual = tuple(with_markers(loose(row, "residual")) for row in rows)
        self._potential = None
        self._lower()
        self._finish(loose, (), _plain_observables(observables))

    @classmethod
    def from_potential(
        cls,
        potential: Any,
        unknowns: Any,
        parameters: Any = (),
        *,
        blocks: Mapping[str, Any] | None = None,
        observables: Mapping[str, Any] | None = None,
        name: str | None = None,
        domain: Mapping[Any, tuple[float, float]] | None = None,
        generators: Iterable[Any] = (),
    ) -> Self:
        """Return the problem of a continuous potential's critical points: F in its gradient.

        Parameters
        ----------
        potential : Expr
            The potential L, with its kinks written as markers.
        unknowns, parameters, blocks, observables, name, domain
            As for `PiecewiseProblem`.

        Returns
        -------
        PiecewiseProblem
            Of kind "potential".

        Raises
        ------
        SpecificationError
            As for `PiecewiseProblem`; also if the potential jumps.

        Examples
        --------
        >>> import sympy as sp
        >>> from contcrit.symbolic.markers import absolute
        >>> from contcrit.symbolic.piecewise import PiecewiseProblem
        >>> x, p = sp.symbols("x p")
        >>> problem = PiecewiseProblem.from_potential(absolute(x) + x**2 / 2 - p * x, [x], [p])
        >>> problem.evaluate([0.0], {"p": 0.5}).tolist()
        [0.0]
        """
        _refuse_generators(generators)
        self = cls.__new__(cls)
        self._declare(
            unknowns, parameters, kind="potential", blocks=blocks, name=name, domain=domain
        )
        loose = Normaliser(self._symbols, smooth=False)
        self._potential = with_markers(loose(as_expression(potential, "potential"), "potential"))
        self._residual = ()
        self._lower()
        self._residual = self.smooth.residual
        self._finish(loose, (), _plain_observables(observables))
        return self

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> PiecewiseProblem:
        """Rebuild a problem from what `describe` returned; its text is parsed, never evaluated."""
        found = Problem.from_description({**description, "type": "piecewise-problem"})
        assert isinstance(found, PiecewiseProblem)
        return found

    def _lower(self) -> None:
        """Replace the markers, and build the smooth problems of all modes."""
        lowering = Lowering(self._symbols)
        given = self._residual if self._potential is None else (self._potential,)
        argument = "residual" if self._potential is None else "potential"
        if not any(row.free_symbols & set(self._unknowns) for row in given):
            raise SpecificationError(
                argument,
                given[:3],
                "does not depend on any unknown.",
                "Check that the unknowns' names match the expressions.",
            )
        rows = [lowering(expression) for expression in given]
        for row in (*rows, *lowering.switches):
            for node in sp.preorder_traversal(row):
                if is_kink(node):
                    raise SpecificationError(
                        argument,
                        node,
                        f"has a kink or jump that no marker states: `{type(node).__name__}`.",
                        "Write it with relu, leaky_relu, absolute, maximum, minimum, step or sign.",
                    )
        if self._potential is not None and lowering.jumping:
            raise SpecificationError(
                "potential",
                self._potential,
                "must be continuous: it holds step or sign.",
                "Write g*step(g) as relu(g) and g*sign(g) as absolute(g).",
            )
        rows = [affine_in_jumps(row, lowering.jumping) for row in rows]
        switches, positions = lowering.pruned(rows)
        names = [f"{lowering.stem}[{k}]" for k in range(len(positions))]
        renamed = {old: sp.Symbol(new) for old, new in zip(positions, names, strict=True)}
        renamed = {old: new for old, new in renamed.items() if old != new}
        if renamed:
            rows = [row.xreplace(renamed) for row in rows]
            switches = [switch.xreplace(renamed) for switch in switches]
        self._position_symbols = tuple(sp.Symbol(name) for name in names)
        self._switches = tuple(switches)
        unknowns = list(self._unknowns)
        widened = [*self._parameters, *self._position_symbols]
        if self._potential is not None:
            self._smooth: Problem = _Smooth.from_potential(rows[0], unknowns, widened)
        else:
            self._smooth = _Smooth(rows, unknowns, widened, kind=self.kind)
        self._core = _Smooth(
            [*self._smooth.equations, *switches],
            [*unknowns, *self._position_symbols],
            list(self._parameters),
            kind="equation",
        )
        place = {symbol: k for k, symbol in enumerate(self._position_symbols)}
        self._inner = tuple(
            tuple(sorted(place[s] for s in switch.free_symbols & place.keys()))
            for switch in self._switches
        )
        depth: list[int] = []
        for inner in self._inner:
            depth.append(1 + max((depth[k] for k in inner), default=0))
        self._depth = max(depth, default=0)
        self._functions: dict[str | None, FlatFunctions] = {}
        self._affine: tuple[bool, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_functions"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._functions = {}

    @property
    def symmetric(self) -> bool:
        """Whether the Jacobian of every piece is known to be symmetric."""
        return self._smooth.symmetric

    def _kernel(self, expressions: Any) -> Kernel:
        plain = [without_markers(e) if e.has(sp.Function) else e for e in expressions]
        return Kernel([*self._unknowns, *self._parameters], plain)


def has_markers(expressions: Any) -> bool:
    """Whether one of the expressions holds a marker."""
    return any(is_marker(node) for row in expressions for node in sp.preorder_traversal(row))


def _plain_observables(observables: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        key: without_markers(value) if isinstance(value, sp.Expr) else value
        for key, value in (observables or {}).items()
    }


def _refuse_generators(generators: Any) -> None:
    if np.size(np.array(list(generators), dtype=object)):
        raise SpecificationError(
            "generators",
            generators,
            "are not taken by nonsmooth problems.",
            "Fix the symmetry, such as by fixing one of the unknowns that it moves.",
        )
