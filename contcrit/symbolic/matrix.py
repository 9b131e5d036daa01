"""Matrix expressions with the matrix exponential, and their exact directional derivatives.

An equation between matrices is written once, for every size, in sympy's matrix expressions. The
node `Exp` is the matrix exponential; `FrechetExp` and `FrechetExp2` are its first and second
derivatives, kept as nodes too, so that a derivative is an expression like any other.

References
----------
.. [1] N. J. Higham, *Functions of Matrices*, SIAM 2008, chapters 3 and 10.
.. [2] N. J. Higham and S. D. Relton, "Higher order Frechet derivatives of matrix functions and the
   level-2 condition number", SIAM J. Matrix Anal. Appl. 35 (2014) 1019-1037.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions import (
    Determinant,
    HadamardProduct,
    Inverse,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from ..errors import SpecificationError
from .matrix_nodes import (
    Exp,
    FrechetExp,
    FrechetExp2,
    is_zero,
    of_shape,
    product,
    total,
    transposed,
)

__all__ = ["Exp", "FrechetExp", "FrechetExp2", "directional_derivative", "separate"]

SCALAR_LEAVES = (Trace, MatrixElement, Determinant)
"""Scalars made from matrices."""


def directional_derivative(expression: Any, symbol: Any, direction: Any = 1) -> Any:
    """Return the derivative of an expression in a symbol, along a direction.

    Exact, and valid for symbolic sizes. Understood are sums, products with scalar factors,
    transposes, inverses, whole powers, entrywise products, `Exp` and its first derivative,
    explicit matrices, and scalars built from traces, determinants and entries.

    Parameters
    ----------
    expression : sympy.MatrixExpr or sympy.Expr
        What to differentiate.
    symbol : sympy.MatrixSymbol or sympy.Symbol
        The variable.
    direction : sympy.MatrixExpr or sympy.Expr
        Of the symbol's shape; 1 (the default) for the plain derivative in a scalar.

    Returns
    -------
    sympy.MatrixExpr or sympy.Expr
        Of the expression's shape; linear in the direction.

    Raises
    ------
    SpecificationError
        If the symbol and direction do not fit, or the expression holds an operation without a rule.

    Examples
    --------
    >>> import sympy as sp
    >>> d = sp.Symbol("d", integer=True, positive=True)
    >>> C, H = sp.MatrixSymbol("C", d, d), sp.MatrixSymbol("H", d, d)
    >>> directional_derivative(C.T * Exp(C), C, H)
    C.T*FrechetExp(C, H) + H.T*Exp(C)
    """
    if isinstance(symbol, MatrixSymbol):
        direction = of_shape("direction", direction, symbol.shape)
    elif isinstance(symbol, sp.Symbol):
        direction = sp.sympify(direction)
        if getattr(direction, "is_Matrix", False):
            raise SpecificationError(
                "direction", direction, "must be a scalar for a scalar symbol.", "Give 1."
            )
    else:
        raise SpecificationError(
            "symbol",
            symbol,
            "must be a sympy Symbol or MatrixSymbol.",
            "Differentiate along one symbol at a time.",
        )
    expression = sp.sympify(expression)
    if getattr(expression, "is_Matrix", False):
        return _matrix_derivative(expression, symbol, direction)
    return _scalar_derivative(expression, symbol, direction)


def _matrix_derivative(e: Any, s: Any, h: Any) -> Any:
    if s not in e.free_symbols:
        return ZeroMatrix(*e.shape)
    if e == s:
        return h
    if isinstance(e, MatAdd):
        return total((_matrix_derivative(term, s, h) for term in e.args), e.shape)
    if isinstance(e, MatMul):
        coefficient, factors = e.as_coeff_matrices()
        terms = [product([_scalar_derivative(coefficient, s, h)], factors)]
        terms += _leibniz(coefficient, factors, s, h)
        return total(terms, e.shape)
    if isinstance(e, Transpose):
        return transposed(_matrix_derivative(e.args[0], s, h))
    if isinstance(e, Inverse):
        inner = _matrix_derivative(e.args[0], s, h)
        return product([sp.Integer(-1)], [e, inner, e])
    if isinstance(e, MatPow):
        return _power_derivative(e, s, h)
    if isinstance(e, HadamardProduct):
        terms = []
        for i, factor in enumerate(e.args):
            inner = _matrix_derivative(factor, s, h)
            if not is_zero(inner):
                terms.append(HadamardProduct(*e.args[:i], inner, *e.args[i + 1 :]))
        return total(terms, e.shape)
    if isinstance(e, Exp):
        return FrechetExp(e.args[0], _matrix_derivative(e.args[0], s, h))
    if isinstance(e, FrechetExp):
        argument, inner = e.args
        return total(
            [
                FrechetExp2(argument, inner, _matrix_derivative(argument, s, h)),
                FrechetExp(argument, _matrix_derivative(inner, s, h)),
            ],
            e.shape,
        )
    if isinstance(e, sp.MatrixBase):
        return sp.ImmutableMatrix(*e.shape, [_scalar_derivative(x, s, h) for x in e])
    raise SpecificationError(
        "expression",
        e,
        f"{type(e).__name__} has no derivative rule here.",
        "Use sums, products, transposes, inverses, whole powers, Exp and its first derivative.",
    )


def _scalar_derivative(e: Any, s: Any, h: Any) -> Any:
    """Chain rule through the matrix scalars, which stand as placeholders meanwhile."""
    if s not in e.free_symbols:
        return sp.S.Zero
    plain, leaves = separate(e)
    result = sp.S.Zero
    if isinstance(s, sp.Symbol):
        result += sp.diff(plain, s) * h
    for placeholder, leaf in leaves.items():
        inner = _matrix_derivative(leaf.args[0], s, h)
        if is_zero(inner):
            continue
        slope = sp.diff(plain, placeholder)
        if isinstance(leaf, Trace):
            result += slope * Trace(inner)
        elif isinstance(leaf, Determinant):
            result += slope * leaf * Trace(product([], [Inverse(leaf.args[0]), inner]))
        else:
            result += slope * inner[leaf.args[1], leaf.args[2]]
    result = result.xreplace(leaves)
    if result.has(sp.Derivative, sp.Subs):
        raise SpecificationError(
            "expression", e, "has no closed derivative.", "Write it with elementary functions."
        )
    return result


def separate(scalar: Any) -> tuple[Any, dict[sp.Dummy, Any]]:
    """Replace the matrix scalars (traces, determinants, entries) of a scalar by placeholders.

    Returns
    -------
    tuple
        The plain scalar, and the mapping placeholder -> matrix scalar.
    """
    leaves: dict[Any, sp.Dummy] = {}

    def walk(e: Any) -> Any:
        if isinstance(e, SCALAR_LEAVES):
            return leaves.setdefault(e, sp.Dummy())
        if not e.args:
            return e
        if any(getattr(argument, "is_Matrix", False) for argument in e.args):
            raise SpecificationError(
                "expression",
                e,
                f"{type(e).__name__} of a matrix is not understood as a scalar.",
                "Use Trace, Determinant or an entry.",
            )
        return e.func(*(walk(argument) for argument in e.args))

    plain = walk(sp.sympify(scalar))
    return plain, {placeholder: leaf for leaf, placeholder in leaves.items()}


def _power_derivative(e: Any, s: Any, h: Any) -> Any:
    base, exponent = e.args
    if not exponent.is_Integer:
        raise SpecificationError(
            "expression", e, "powers must be whole numbers.", "Write Exp(...) for other functions."
        )
    count = abs(int(exponent))
    terms = _leibniz(sp.S.One, [base] * count, s, h)
    inner = total(terms, e.shape)
    if exponent > 0:
        return inner
    return product([sp.Integer(-1)], [e, inner, e])


def _leibniz(coefficient: Any, factors: Sequence[Any], s: Any, h: Any) -> list[Any]:
    terms = []
    for i, factor in enumerate(factors):
        inner = _matrix_derivative(factor, s, h)
        if not is_zero(inner):
            terms.append(product([coefficient], [*factors[:i], inner, *factors[i + 1 :]]))
    return terms
