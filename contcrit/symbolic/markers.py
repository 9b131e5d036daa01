"""Functions with a kink or a jump, as markers: they are lowered, never differentiated through.

Each marker states a *switching function* g and its value in terms of a position s, which is 1
where g > 0 and 0 where g < 0. Lowering writes that value into the equations and keeps g.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy as sp

from ..errors import SpecificationError


def _sign_of(value: sp.Expr) -> int | None:
    """Return the sign of a real number, or None of anything else."""
    if not value.is_number:  # assumptions of symbols are not asked: that is slow, and rarely tells
        return None
    if value.is_zero:
        return 0
    if not value.is_comparable:
        return None
    return 1 if bool(value > 0) else -1


class _Marker(sp.Function):
    """A function with a kink: real, evaluated at numbers only."""

    def _eval_is_real(self) -> bool | None:
        return True if all(argument.is_real for argument in self.args) else None

    def fdiff(self, argindex: int = 1) -> Any:
        raise SpecificationError(
            "expression",
            self,
            f"has a kink: `{type(self).__name__}` has no derivative there.",
            "Give it to PiecewiseProblem, which differentiates on either side of the kink.",
        )

    @classmethod
    def switching(cls, *arguments: sp.Expr) -> sp.Expr:
        """Return the switching function g: the first argument."""
        return arguments[0]

    if TYPE_CHECKING:  # every marker has its own

        def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
            """Return the value in terms of the position s."""

        def smooth_form(self) -> sp.Expr:
            """Return the same function in sympy's own terms."""

    @classmethod
    def _refuse_complex(cls, *arguments: sp.Expr) -> None:
        for argument in arguments:
            if argument.is_number and argument.is_real is False:
                raise SpecificationError(
                    cls.__name__, argument, "needs a real argument.", "Use real numbers only."
                )


class relu(_Marker):
    """The positive part: relu(g) = g for g >= 0, else 0.

    Parameters
    ----------
    g : Expr
        Where it changes sign the function has its kink.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.markers import relu
    >>> relu(sp.Symbol("x")), relu(2), relu(-2)
    (relu(x), 2, 0)
    """

    nargs = 1

    @classmethod
    def eval(cls, g: sp.Expr) -> sp.Expr | None:
        """Return the value at a number."""
        cls._refuse_complex(g)
        sign = _sign_of(g)
        return None if sign is None else (g if sign > 0 else sp.S.Zero)

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return s g."""
        return position * arguments[0]

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return sp.Max(self.args[0], 0)


class leaky_relu(_Marker):
    """The leaky positive part: g for g >= 0, else alpha g.

    Parameters
    ----------
    g : Expr
        Where it changes sign the function has its kink.
    alpha : Expr
        The leak; it may depend on parameters.

    Examples
    --------
    >>> from contcrit.symbolic.markers import leaky_relu
    >>> leaky_relu(-2, 3)
    -6
    """

    nargs = 2

    @classmethod
    def eval(cls, g: sp.Expr, alpha: sp.Expr) -> sp.Expr | None:
        """Return the value at a number."""
        cls._refuse_complex(g, alpha)
        sign = _sign_of(g)
        return None if sign is None else (g if sign > 0 else alpha * g)

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return (alpha + s (1 - alpha)) g."""
        g, alpha = arguments
        return (alpha + position * (1 - alpha)) * g

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        g, alpha = self.args
        return alpha * g + (1 - alpha) * sp.Max(g, 0)


class absolute(_Marker):
    """The modulus: g for g >= 0, else -g.

    Parameters
    ----------
    g : Expr
        Where it changes sign the function has its kink.

    Examples
    --------
    >>> from contcrit.symbolic.markers import absolute
    >>> absolute(-2)
    2
    """

    nargs = 1

    @classmethod
    def eval(cls, g: sp.Expr) -> sp.Expr | None:
        """Return the value at a number."""
        cls._refuse_complex(g)
        sign = _sign_of(g)
        return None if sign is None else sign * g

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return (2 s - 1) g."""
        return (2 * position - 1) * arguments[0]

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return sp.Abs(self.args[0])


class _Extremum(_Marker):
    """The larger or smaller of two; of more, pair by pair."""

    @classmethod
    def eval(cls, *arguments: sp.Expr) -> sp.Expr | None:
        """Return the value at numbers, and nested pairs for more than two arguments."""
        cls._refuse_complex(*arguments)
        if not arguments:
            raise SpecificationError(cls.__name__, arguments, "needs arguments.", "Give two.")
        if len(arguments) == 1:
            return arguments[0]
        if len(arguments) > 2:
            return cls(cls(*arguments[:-1]), arguments[-1])
        first, second = arguments
        if first == second:
            return first
        sign = _sign_of(first - second) if first.is_number and second.is_number else None
        if sign is None:
            return None
        return cls._chosen(first, second, sign)

    if TYPE_CHECKING:

        @classmethod
        def _chosen(cls, first: sp.Expr, second: sp.Expr, sign: int) -> sp.Expr: ...

    @classmethod
    def switching(cls, *arguments: sp.Expr) -> sp.Expr:
        """Return the difference of the two arguments."""
        return arguments[0] - arguments[1]


class maximum(_Extremum):
    """The largest of its arguments.

    Parameters
    ----------
    *arguments : Expr
        Where two of them change their order the function has its kink.

    Examples
    --------
    >>> import sympy as sp
    >>> from contcrit.symbolic.markers import maximum
    >>> maximum(1, 3, 2), maximum(sp.Symbol("x"), 0)
    (3, maximum(x, 0))
    """

    @classmethod
    def _chosen(cls, first: sp.Expr, second: sp.Expr, sign: int) -> sp.Expr:
        return first if sign > 0 else second

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return b + s (a - b)."""
        first, second = arguments
        return second + position * (first - second)

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return sp.Max(*self.args)


class minimum(_Extremum):
    """The smallest of its arguments.

    Parameters
    ----------
    *arguments : Expr
        Where two of them change their order the function has its kink.

    Examples
    --------
    >>> from contcrit.symbolic.markers import minimum
    >>> minimum(1, 3, 2)
    1
    """

    @classmethod
    def _chosen(cls, first: sp.Expr, second: sp.Expr, sign: int) -> sp.Expr:
        return second if sign > 0 else first

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return a - s (a - b)."""
        first, second = arguments
        return first - position * (first - second)

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return sp.Min(*self.args)


class step(_Marker):
    """The unit step: 1 for g > 0, 0 for g < 0, anything between at g = 0 (Filippov).

    Parameters
    ----------
    g : Expr
        Where it changes sign the function jumps.

    Examples
    --------
    >>> from contcrit.symbolic.markers import step
    >>> step(3), step(0)
    (1, step(0))
    """

    nargs = 1

    @classmethod
    def eval(cls, g: sp.Expr) -> sp.Expr | None:
        """Return the value at a number other than zero."""
        cls._refuse_complex(g)
        sign = _sign_of(g)
        return sp.Integer((1 + sign) // 2) if sign else None

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return s."""
        return position

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return (1 + sp.sign(self.args[0])) / 2


class sign(_Marker):
    """The sign: 1 for g > 0, -1 for g < 0, anything between at g = 0 (Filippov).

    Parameters
    ----------
    g : Expr
        Where it changes sign the function jumps.

    Examples
    --------
    >>> from contcrit.symbolic.markers import sign
    >>> sign(-3)
    -1
    """

    nargs = 1

    @classmethod
    def eval(cls, g: sp.Expr) -> sp.Expr | None:
        """Return the value at a number other than zero."""
        cls._refuse_complex(g)
        number = _sign_of(g)
        return sp.Integer(number) if number else None

    def lowered(self, position: sp.Expr, *arguments: sp.Expr) -> sp.Expr:
        """Return 2 s - 1."""
        return 2 * position - 1

    def smooth_form(self) -> sp.Expr:
        """Return the same function in sympy's own terms."""
        return sp.sign(self.args[0])


JUMPS = (step, sign)
"""Markers whose value jumps; the others are continuous."""

MARKERS: dict[str, type[_Marker]] = {
    marker.__name__: marker for marker in (relu, leaky_relu, absolute, maximum, minimum, step, sign)
}
"""All markers by name."""

ARITIES: dict[str, int] = {"relu": 1, "leaky_relu": 2, "absolute": 1, "step": 1, "sign": 1}
"""Number of arguments of those markers that take a fixed number."""


def is_marker(node: Any) -> bool:
    """Whether a node of an expression is one of the markers."""
    return isinstance(node, _Marker)


def without_markers(expression: sp.Expr) -> sp.Expr:
    """Return an expression in sympy's own functions, to be evaluated but not differentiated."""
    return expression.replace(is_marker, lambda node: node.smooth_form())


def with_markers(expression: sp.Expr) -> sp.Expr:
    """Return an expression with sympy's own functions that have kinks as markers."""
    table = {
        sp.Abs: absolute,
        sp.Max: maximum,
        sp.Min: minimum,
        sp.sign: sign,
    }
    for function, marker in table.items():
        if expression.has(function):
            expression = expression.replace(function, marker)
    if expression.has(sp.Heaviside):
        expression = expression.replace(sp.Heaviside, lambda g, *at_zero: step(g))
    return expression
