"""Lowering: equations with markers become smooth ones in the unknowns and in positions.

Every switching function g_i gets a position s_i, 1 where g_i > 0 and 0 where g_i < 0; a marker
becomes its value in terms of s_i. Derivatives treat s as constant, which is exact on either side
and gives the convex combinations of Clarke and Filippov at g_i = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from ..errors import SpecificationError
from .derivatives import engine_symbols, to_engine
from .markers import JUMPS, is_marker


class Lowering:
    """Collects switching functions while it replaces markers.

    Parameters
    ----------
    taken : iterable of str
        Names that positions must not have.

    Attributes
    ----------
    switches : list of Expr
        The switching functions, those inside others first, in terms of x, parameters and positions.
    positions : list of Symbol
        Their positions.
    jumping : set of Symbol
        Positions that some marker uses with a jump.

    Notes
    -----
    Switching functions that agree up to a rational factor share a position: two positions for one
    kink would make every point on it degenerate.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        taken = set(taken)
        self.stem = "position"
        while any(name.startswith(self.stem) for name in taken):
            self.stem += "_"
        self.switches: list[sp.Expr] = []
        self.positions: list[sp.Symbol] = []
        self.jumping: set[sp.Symbol] = set()
        self._known: dict[sp.Expr, int] = {}
        self._memory: dict[sp.Basic, sp.Basic] = {}

    def __call__(self, expression: sp.Expr) -> sp.Expr:
        """Return the expression with every marker replaced, inner ones first."""
        memory = self._memory
        stack: list[tuple[Any, bool]] = [(expression, False)]
        while stack:
            node, ready = stack.pop()
            if node in memory:
                continue
            if not node.args:
                memory[node] = node
            elif not ready:
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node.args))
            else:
                children = [memory[child] for child in node.args]
                memory[node] = (
                    self._marker(node, children) if is_marker(node) else (node.func(*children))
                )
        return memory[expression]

    def _marker(self, node: Any, children: Sequence[sp.Expr]) -> sp.Expr:
        lowered = node.func(*children)
        if not is_marker(lowered):  # a number by now
            return lowered
        position, plain = self._position(node.switching(*children), node)
        if isinstance(node, JUMPS):
            self.jumping.add(plain)
        return node.lowered(position, *children)

    def _position(self, g: sp.Expr, node: Any) -> tuple[sp.Expr, sp.Symbol]:
        """Return the position of a switching function, new or known, turned round if need be."""
        if not g.free_symbols:
            raise SpecificationError(
                "expression",
                node,
                "has a kink everywhere: its switching function is a constant.",
                "Remove it, or write the value you mean.",
            )
        flipped = g.could_extract_minus_sign()
        canonical = (-g if flipped else g).as_content_primitive()[1]
        if canonical.could_extract_minus_sign():
            canonical, flipped = -canonical, not flipped
        if canonical not in self._known:
            self._known[canonical] = len(self.switches)
            self.positions.append(sp.Symbol(f"{self.stem}[{len(self.switches)}]"))
            self.switches.append(canonical)
        symbol = self.positions[self._known[canonical]]
        return (1 - symbol if flipped else symbol), symbol

    def pruned(self, rows: Sequence[sp.Expr]) -> tuple[list[sp.Expr], list[sp.Symbol]]:
        """Return switches and positions that the rows depend on, directly or through others."""
        held = set().union(*(row.free_symbols for row in rows)) if rows else set()
        keep = []
        for k in reversed(range(len(self.switches))):
            if self.positions[k] in held:
                keep.append(k)
                held |= self.switches[k].free_symbols
        keep.reverse()
        return [self.switches[k] for k in keep], [self.positions[k] for k in keep]


def affine_in_jumps(row: sp.Expr, jumping: set[sp.Symbol]) -> sp.Expr:
    """Return a row that is affine in each position that jumps, equal to it at 0 and 1.

    Filippov's combination at a jump is that of the values on either side, so that step(g)**2 must
    become s and not s**2.
    """
    for symbol in sorted(jumping & row.free_symbols, key=str):
        (engine,) = to_engine([row])
        (wanted,) = engine_symbols([engine], [symbol])
        if engine.diff(wanted).diff(wanted) != 0:
            low, high = row.subs(symbol, 0), row.subs(symbol, 1)
            row = low + symbol * (high - low)
    return row
