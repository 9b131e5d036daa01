"""Problems written in sympy, and their compilation into numeric systems."""

from .compile import CompiledSystem, compile_problem
from .description import parse_problem
from .kernel import NativeFunction
from .parse import format_expression, parse_expression
from .problem import Problem

__all__ = [
    "CompiledSystem",
    "NativeFunction",
    "Problem",
    "compile_problem",
    "format_expression",
    "parse_expression",
    "parse_problem",
]
