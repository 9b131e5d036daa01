"""The matrix exponential and its derivatives as nodes of sympy's matrix expressions.

References
----------
.. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008, chapters 3 and 10.
.. [2] N. J. Higham and S. D. Relton, "Higher order Frechet derivatives of matrix functions and the
   level-2 condition number", SIAM J. Matrix Anal. Appl. 35 (2014) 1019-1037.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions import (
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from ..errors import SpecificationError


class Exp(MatrixExpr):
    """The matrix exponential of a square matrix expression.

    Parameters
    ----------
    argument : sympy.MatrixExpr
        Square, of symbolic or whole size.

    Raises
    ------
    SpecificationError
        If the argument is not a square matrix expression.

    Examples
    --------
    >>> import sympy as sp
    >>> C = sp.MatrixSymbol("C", *sp.symbols("d d"))
    >>> Exp(C).T
    Exp(C.T)
    """

    def __new__(cls, argument: Any) -> MatrixExpr:
        """Return the node; the identity for a zero argument."""
        argument = _square("argument", argument)
        if is_zero(argument):
            return Identity(argument.shape[0])
        return super().__new__(cls, argument)

    @property
    def shape(self) -> tuple[Any, Any]:
        """Number of rows and of columns."""
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Any:
        return MatrixElement(self, i, j)

    def _eval_transpose(self) -> MatrixExpr:
        return Exp(transposed(self.args[0]))

    def _eval_inverse(self) -> MatrixExpr:
        return Exp(product([sp.S.NegativeOne], [self.args[0]]))

    def _eval_determinant(self) -> Any:
        return sp.exp(Trace(self.args[0]))

    def doit(self, **hints: Any) -> MatrixExpr:
        """Evaluate the argument."""
        return Exp(self.args[0].doit(**hints)) if hints.get("deep", True) else self


class FrechetExp(MatrixExpr):
    """The Frechet derivative of the exponential at X in direction H [1]_ (section 10.2).

    Parameters
    ----------
    argument, direction : sympy.MatrixExpr
        X and H, square and of one size. Linear in H.

    References
    ----------
    .. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008.

    Examples
    --------
    >>> import sympy as sp
    >>> X, H = (sp.MatrixSymbol(name, 2, 2) for name in "XH")
    >>> FrechetExp(X, H).T
    FrechetExp(X.T, H.T)
    """

    def __new__(cls, argument: Any, direction: Any) -> MatrixExpr:
        """Return the node; zero for a zero direction, and the direction for a zero argument."""
        argument = _square("argument", argument)
        direction = of_shape("direction", direction, argument.shape)
        if is_zero(direction):
            return ZeroMatrix(*argument.shape)
        if is_zero(argument):
            return direction
        return super().__new__(cls, argument, direction)

    @property
    def shape(self) -> tuple[Any, Any]:
        """Number of rows and of columns."""
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Any:
        return MatrixElement(self, i, j)

    def _eval_transpose(self) -> MatrixExpr:
        return FrechetExp(*(transposed(argument) for argument in self.args))

    def doit(self, **hints: Any) -> MatrixExpr:
        """Evaluate the arguments."""
        deep = hints.get("deep", True)
        return FrechetExp(*(argument.doit(**hints) for argument in self.args)) if deep else self


class FrechetExp2(MatrixExpr):
    """The second Frechet derivative of the exponential at X in directions H and K [1]_.

    Parameters
    ----------
    argument, first, second : sympy.MatrixExpr
        X, H and K, square and of one size. Bilinear and symmetric in H and K.

    References
    ----------
    .. [1] N. J. Higham and S. D. Relton, SIAM J. Matrix Anal. Appl. 35 (2014) 1019-1037, section 3.

    Examples
    --------
    >>> import sympy as sp
    >>> X, H, K = (sp.MatrixSymbol(name, 2, 2) for name in "XHK")
    >>> FrechetExp2(X, H, K) == FrechetExp2(X, K, H)
    True
    """

    def __new__(cls, argument: Any, first: Any, second: Any) -> MatrixExpr:
        """Return the node, its directions in a fixed order; zero where one of them is."""
        argument = _square("argument", argument)
        first = of_shape("first", first, argument.shape)
        second = of_shape("second", second, argument.shape)
        if is_zero(first) or is_zero(second):
            return ZeroMatrix(*argument.shape)
        first, second = sorted((first, second), key=sp.default_sort_key)
        return super().__new__(cls, argument, first, second)

    @property
    def shape(self) -> tuple[Any, Any]:
        """Number of rows and of columns."""
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Any:
        return MatrixElement(self, i, j)

    def _eval_transpose(self) -> MatrixExpr:
        return FrechetExp2(*(transposed(argument) for argument in self.args))

    def doit(self, **hints: Any) -> MatrixExpr:
        """Evaluate the arguments."""
        deep = hints.get("deep", True)
        return FrechetExp2(*(argument.doit(**hints) for argument in self.args)) if deep else self


def product(scalars: Sequence[Any], factors: Sequence[Any]) -> Any:
    """Return a product in canonical form, without sympy's slower general rules.

    Parameters
    ----------
    scalars : sequence of sympy.Expr
    factors : sequence of sympy.MatrixExpr
        At least one.
    """
    shape = (factors[0].shape[0], factors[-1].shape[1])
    coefficients, kept = list(scalars), []
    for factor in factors:
        if isinstance(factor, MatMul):
            coefficient, inner = factor.as_coeff_matrices()
            coefficients.append(coefficient)
            kept += inner
        elif not isinstance(factor, Identity):
            kept.append(factor)
    coefficient = sp.Mul(*coefficients)
    if coefficient == 0 or any(is_zero(factor) for factor in kept):
        return ZeroMatrix(*shape)
    if not kept:
        kept = [Identity(shape[0])]
    if any(isinstance(factor, sp.MatrixBase) for factor in kept):
        return MatMul(coefficient, *kept).doit(deep=False)
    if coefficient != 1:
        return MatMul(coefficient, *kept)
    return kept[0] if len(kept) == 1 else MatMul(*kept)


def total(terms: Iterable[Any], shape: tuple[Any, Any]) -> Any:
    """Return a sum in canonical form, like terms collected.

    Parameters
    ----------
    terms : iterable of sympy.MatrixExpr
    shape : tuple
        Of the sum, should every term vanish.
    """
    collected: dict[Any, Any] = {}
    pending = list(terms)[::-1]
    while pending:
        term = pending.pop()
        if isinstance(term, MatAdd):
            pending += term.args[::-1]
        elif not is_zero(term):
            coefficient, factors = (
                term.as_coeff_matrices() if isinstance(term, MatMul) else (sp.S.One, [term])
            )
            core = product([], factors)
            collected[core] = collected.get(core, sp.S.Zero) + coefficient
    kept = [product([c], [core]) for core, c in collected.items() if c != 0]
    if not kept:
        return ZeroMatrix(*shape)
    if any(isinstance(term, sp.MatrixBase) for term in kept):
        return MatAdd(*kept).doit(deep=False)
    kept.sort(key=sp.default_sort_key)
    return kept[0] if len(kept) == 1 else MatAdd(*kept)


@functools.lru_cache(maxsize=8192)
def transposed(e: Any) -> Any:
    """Return the transpose, carried down to the symbols."""
    if isinstance(e, MatrixSymbol):
        return Transpose(e)
    if isinstance(e, MatAdd):
        return total([transposed(term) for term in e.args], (e.shape[1], e.shape[0]))
    if isinstance(e, MatMul):
        coefficient, factors = e.as_coeff_matrices()
        return product([coefficient], [transposed(factor) for factor in reversed(factors)])
    if isinstance(e, (Exp, FrechetExp, FrechetExp2, HadamardProduct)):
        return e.func(*(transposed(argument) for argument in e.args))
    return sp.transpose(e)


def is_zero(matrix: Any) -> bool:
    """Whether a matrix is zero on its face."""
    if isinstance(matrix, ZeroMatrix):
        return True
    return isinstance(matrix, sp.MatrixBase) and all(entry == 0 for entry in matrix)


def _square(argument: str, value: Any) -> Any:
    value = sp.sympify(value)
    if not getattr(value, "is_Matrix", False):
        raise SpecificationError(
            argument,
            value,
            "must be a matrix expression.",
            "Build one from sympy.MatrixSymbol.",
        )
    if value.shape[0] != value.shape[1]:
        raise SpecificationError(
            argument, value.shape, "must be square.", "Exponentials need a square argument."
        )
    return value


def of_shape(argument: str, value: Any, shape: tuple[Any, Any]) -> Any:
    """Return a matrix expression of the stated shape, or refuse."""
    value = sp.sympify(value)
    if not getattr(value, "is_Matrix", False) or tuple(value.shape) != tuple(shape):
        raise SpecificationError(
            argument,
            getattr(value, "shape", value),
            f"must be a matrix expression of shape {tuple(shape)}.",
            "Give one of that shape.",
        )
    return value
