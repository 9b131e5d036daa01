"""The matrix exponential and its derivatives as nodes of sympy's matrix expressions.

References
----------
.. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008, chapters 3 and 10.
.. [2] N. J. Higham and S. D. Relton, "Higher order Frechet derivatives of matrix functions and the
   level-2 condition number", SIAM J. Matrix Anal. Appl. 35 (2014) 1019-1037.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.matrices.expressions import Identity, MatMul, MatrixExpr, Trace, ZeroMatrix
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
        return Exp(sp.transpose(self.args[0]))

    def _eval_inverse(self) -> MatrixExpr:
        return Exp(MatMul(-1, self.args[0]).doit(deep=False))

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
        return FrechetExp(*(sp.transpose(argument) for argument in self.args))

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
        return FrechetExp2(*(sp.transpose(argument) for argument in self.args))

    def doit(self, **hints: Any) -> MatrixExpr:
        """Evaluate the arguments."""
        deep = hints.get("deep", True)
        return FrechetExp2(*(argument.doit(**hints) for argument in self.args)) if deep else self


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
